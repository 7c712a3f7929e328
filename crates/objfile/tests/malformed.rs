//! Files that break their format's rules: each is an error that names the structure and the place.
#![allow(clippy::unwrap_used)]

mod fixture;

use std::time::{Duration, Instant};

use fixture::{bytes, find, object, patched};
use wheelproof_objfile as objfile;
use wheelproof_objfile::{File, Object, ParseError};

/// The error of a file, or of the first bad member of an archive.
fn error(bytes: &[u8]) -> String {
    let started = Instant::now();
    let error = match objfile::parse(bytes) {
        Ok(File::Archive(archive)) => archive.members().find_map(Result::err),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    assert!(started.elapsed() < Duration::from_secs(2), "took {:?}", started.elapsed());
    error.map_or_else(|| "no error".to_owned(), |error| error.to_string())
}

fn dynamic(object: &Object<'_>, tag: u64) -> (u64, u64) {
    let entry = object.elf().unwrap().dynamic.iter().find(|entry| entry.tag == tag).unwrap();
    (entry.offset, entry.value)
}

#[test]
fn not_objects_at_all() {
    assert_eq!(objfile::parse(b"").unwrap_err(), ParseError::Empty);
    assert_eq!(error(b"hello, world"), "not an object file or archive: the file starts with `hello, w`");
    assert_eq!(error(&[0; 64]), "not an object file or archive: the file starts with 00 00 00 00 00 00 00 00");
    assert_eq!(error(b"\x7fELF"), "ELF header at offset 0x0: truncated: 16 bytes wanted, 4 there");
    assert_eq!(error(b"\xcf\xfa\xed\xfe"), "Mach-O header at offset 0x0: truncated: 32 bytes wanted, 4 there");
    assert_eq!(error(b"!<arch>\nx"), "archive member header at offset 0x8: truncated: 60 bytes wanted, 1 there");
    assert_eq!(error(b"!<arch>\n"), "no error");
}

#[test]
fn elf_headers_and_tables() {
    let whole = bytes("extension-x86_64.so");
    let original = object(&whole);
    let sections = u64::from_le_bytes(whole[40..48].try_into().unwrap());
    let sections = &whole[usize::try_from(sections).unwrap()..];
    let index = sections.chunks(64).position(|header| header[4..8] == [11, 0, 0, 0]).unwrap() as u64;
    let dynsym = u64::from_le_bytes(whole[40..48].try_into().unwrap()) + index * 64;
    let (strtab, _) = dynamic(&original, 5);
    let (strsz, _) = dynamic(&original, 10);
    let (needed, _) = dynamic(&original, 1);
    let huge = u64::MAX.to_le_bytes();
    let table: [(u64, &[u8], &str); 10] = [
        (4, &[9], "ELF header at offset 0x4: `EI_CLASS` has the impossible value 0x9"),
        (5, &[0], "ELF header at offset 0x5: `EI_DATA` has the impossible value 0x0"),
        (54, &[1], "ELF header at offset 0x36: `e_phentsize` has the impossible value 0x1"),
        (32, &huge, "ELF program headers at offset 0xffffffffffffffff: claims"),
        (40, &[0xff; 4], "ELF section headers at offset 0xffffffff: claims"),
        (60, &[0xff; 2], "ELF section headers at offset"),
        (dynsym + 32, &[0, 0, 0, 0, 24], "dynamic symbol table at offset 0x298: claims 4294967296 entries"),
        (
            strtab + 8,
            &huge,
            "dynamic string table at offset 0x0: the address 0xffffffffffffffff lies in no part of the file",
        ),
        (strsz + 8, &huge, "dynamic string table at offset"),
        (needed + 8, &[0xff; 3], "dynamic string table at offset"),
    ];
    // 2^32 symbols are 24 * 2^32 bytes: the size's fifth byte is 24.
    for (offset, new, expected) in table {
        let found = error(&patched(&whole, offset, new));
        assert!(found.starts_with(expected), "at {offset:#x}: {found}");
    }
    let found = error(&whole[..whole.len() - 1]);
    assert!(found.starts_with("ELF section headers at offset"), "{found}");
}

/// The GNU hash table is walked where nothing else counts the symbols: its claims must not be believed.
#[test]
fn elf_hash_tables_with_hostile_counts() {
    let whole = bytes("extension-x86_64.so");
    let bare = patched(&patched(&whole, 40, &[0; 8]), 60, &[0; 4]);
    let (hash, hash_at) = {
        let object = object(&bare);
        (dynamic(&object, 4).0, dynamic(&object, 4).1)
    };
    let gnu_at = dynamic(&object(&bare), 0x6fff_fef5).1;
    let found = error(&patched(&bare, hash_at + 4, &[0xff; 4]));
    assert!(found.contains("claims 4294967295 entries"), "{found}");
    let no_hash = patched(&bare, hash, &[21]);
    for field in [0, 4, 8] {
        let found = error(&patched(&no_hash, gnu_at + field, &[0xff; 4]));
        assert!(found.contains("claims") || found.contains("truncated"), "field {field}: {found}");
    }
}

/// Thousands of version needs that all share one chain of thousands of versions: few bytes, billions of versions.
#[test]
fn elf_version_needs_that_share_their_versions_are_refused() {
    const RECORDS: u64 = 20_000;
    const START: u64 = 0x200;
    let words = |values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let needs = START + 0x20;
    let size = needs + RECORDS * 32;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([3, 0, 62, 0, 1, 0, 0, 0]);
    file.extend(words(&[0, 64, 0])); // entry, program headers, no section headers
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    let dynamic =
        [(5, START), (10, 8), (6, START), (4, START + 0x10), (0x6fff_fffe, needs), (0x6fff_ffff, RECORDS), (0, 0)];
    for (kind, offset, length) in [(1_u64, 0, size), (2, 0x100, dynamic.len() as u64 * 16)] {
        file.extend(words(&[kind, offset, offset, offset, length, length, 8]));
    }
    file.resize(0x100, 0);
    file.extend(dynamic.iter().flat_map(|(tag, value)| words(&[*tag, *value])));
    file.resize(usize::try_from(needs).unwrap(), 0); // strings, symbols and hash table: all zero
    for index in 0..RECORDS {
        let versions = u32::try_from((RECORDS - index) * 16).unwrap();
        file.extend([1, 0, 0x20, 0x4e, 0, 0, 0, 0]); // 20,000 versions of a file without name
        file.extend(versions.to_le_bytes());
        file.extend(16_u32.to_le_bytes());
    }
    for _ in 0..RECORDS {
        file.extend([0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0, 0, 0]);
    }
    let found = error(&file);
    assert!(found.starts_with("version needs at offset 0x") && found.contains("overlap"), "{found}");
}

/// A string table of a megabyte without an end, and 40,000 symbols that all start in it.
#[test]
fn names_that_overlap_are_refused_before_they_cost_time() {
    let symbols: u32 = 40_000;
    let strings: u32 = 1 << 20;
    let mut object = vec![0x64, 0x86, 1, 0, 0, 0, 0, 0];
    object.extend(60_u32.to_le_bytes());
    object.extend(symbols.to_le_bytes());
    object.extend([0; 4]);
    object.extend([0; 40]); // a section without name and data
    for index in 0..symbols {
        object.extend([0; 4]);
        object.extend((4 + index % 7).to_le_bytes());
        object.extend([0, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
    }
    object.extend(strings.to_le_bytes());
    object.extend(std::iter::repeat_n(b'a', strings as usize - 5));
    object.push(0);
    let found = error(&object);
    assert!(found.starts_with("COFF string table") && found.contains("overlap"), "{found}");
}

#[test]
fn macho_commands_and_tables() {
    let whole = bytes("extension-aarch64.dylib");
    let original = object(&whole);
    let facts = original.macho().unwrap();
    let command = |wanted: u32| facts.load_commands.iter().find(|command| command.command == wanted).unwrap().offset;
    let (symtab, segment, dylib, info) = (command(2), command(0x19), command(0xc), command(0x8000_0022));
    let table: [(u64, &[u8], &str); 9] = [
        (16, &[0xff; 4], "Mach-O load command at offset"),
        (20, &[0xff; 4], "Mach-O load commands at offset 0x20: truncated"),
        (segment + 4, &[0; 4], "Mach-O load command at offset 0x20: `cmdsize` has the impossible value 0x0"),
        (segment + 48, &[0xff; 8], "Mach-O segment at offset"),
        (segment + 64, &[0xff; 4], "LC_SEGMENT command at offset 0x68: claims 4294967295 entries"),
        (dylib + 8, &[0xff; 4], "name in a load command at offset"),
        (symtab + 12, &[0xff; 4], "Mach-O symbol table at offset"),
        (symtab + 16, &[0xff; 4], "Mach-O string table at offset"),
        (info + 44, &[0xff; 4], "export trie at offset"),
    ];
    for (offset, new, expected) in table {
        let found = error(&patched(&whole, offset, new));
        assert!(found.starts_with(expected), "at {offset:#x}: {found}");
    }
}

#[test]
fn export_trie_with_a_cycle() {
    let whole = bytes("extension-aarch64.dylib");
    let original = object(&whole);
    let commands = &original.macho().unwrap().load_commands;
    let info = usize::try_from(commands.iter().find(|command| command.command == 0x8000_0022).unwrap().offset).unwrap();
    let trie = u64::from(u32::from_le_bytes(whole[info + 40..info + 44].try_into().unwrap()));
    // The root's first edge: after the (zero) terminal size and the number of edges a text, then the child's place.
    let start = usize::try_from(trie).unwrap() + 2;
    let text = whole[start..].iter().position(|&byte| byte == 0).unwrap();
    let found = error(&patched(&whole, (start + text + 1) as u64, &[0]));
    assert_eq!(found, format!("export trie at offset {trie:#x}: refers to itself in a cycle"));
}

#[test]
fn universal_slices() {
    let whole = bytes("extension-universal2.dylib");
    let table: [(u64, &[u8], &str); 3] = [
        (8 + 20 + 8, &0x1100_u32.to_be_bytes(), "universal header at offset 0x8: `offset of a slice inside another`"),
        (8 + 20 + 12, &[0xff; 4], "slice of a universal file at offset 0x8000: truncated"),
        (
            0x1000,
            &[0; 4],
            "slice of a universal file at offset 0x1000: anything but Mach-O and archives is not supported",
        ),
    ];
    for (offset, new, expected) in table {
        let found = error(&patched(&whole, offset, new));
        assert!(found.starts_with(expected), "at {offset:#x}: {found}");
    }
    // An error inside a slice has its place in the whole file.
    let found = error(&patched(&whole, 0x8000 + 16, &[0xff; 4]));
    let place = found.split("offset 0x").nth(1).and_then(|rest| rest.split(':').next()).unwrap();
    assert!(u64::from_str_radix(place, 16).unwrap() > 0x8000, "{found}");
}

#[test]
fn pe_headers_and_tables() {
    let whole = bytes("extension-x86_64.pyd");
    let original = object(&whole);
    let facts = original.pe().unwrap();
    let directory = |index: u64| facts.data_directories_offset + index * 8;
    let exports = facts.file_offset(facts.data_directories[0].address).unwrap();
    let imports = facts.file_offset(facts.data_directories[1].address).unwrap();
    let table: [(u64, &[u8], &str); 10] = [
        (0x3c, &[0xff, 0x20], "PE signature at offset 0x20ff: truncated"),
        (facts.signature_offset + 6, &[0xff; 2], "section table at offset"),
        (facts.optional_header_offset, &[0], "optional header at offset"),
        (facts.section_table_offset + 16, &[0xff; 4], "section data at offset"),
        (
            directory(0),
            &[0xff; 4],
            "export directory at offset 0x0: the address 0xffffffff lies in no part of the file",
        ),
        (directory(1), &[0xff; 4], "import table at offset 0x0: the address 0xffffffff lies in no part"),
        (directory(4), &[1, 0, 0, 0, 0xff, 0xff], "certificate table at offset 0x1: truncated"),
        (exports + 20, &[0xff; 4], "export address table at offset"),
        (exports + 24, &[0xff; 4], "export name table at offset"),
        (imports + 12, &[0xff; 4], "name of a DLL at offset 0x0: the address 0xffffffff lies in no part"),
    ];
    for (offset, new, expected) in table {
        let found = error(&patched(&whole, offset, new));
        assert!(found.starts_with(expected), "at {offset:#x}: {found}");
    }
    let found = error(&whole[..whole.len() - 1]);
    assert!(found.starts_with("section data at offset"), "{found}");
}

#[test]
fn coff_objects() {
    let whole = bytes("extension-x86_64.obj");
    for (offset, new, expected) in [
        (12, &[0xff; 4][..], "COFF symbol table at offset"),
        (2, &[0xf0, 0xf0], "not an object file or archive"),
        (20 + 16, &[0xff; 4], "COFF section data at offset"),
    ] {
        let found = error(&patched(&whole, offset, new));
        assert!(found.starts_with(expected), "at {offset:#x}: {found}");
    }
}

#[test]
fn archive_members() {
    let whole = bytes("members-gnu.a");
    let first = find(&whole, b"/0  "); // its name is the first of the table of long names
    for (offset, new, expected) in [
        (first + 48, &b"9999999999"[..], "archive member at offset"),
        (first + 48, b"-1        ", "archive member header at offset"),
        (first + 58, b"xx", "archive member header at offset"),
        (first, b"/99999  ", "archive member header at offset"),
    ] {
        let found = error(&patched(&whole, offset, new));
        assert!(found.starts_with(expected), "{}: {found}", new.escape_ascii());
    }
}

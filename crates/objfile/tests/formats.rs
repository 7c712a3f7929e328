//! What is read from one small binary of every kind.
#![allow(clippy::unwrap_used)]

mod fixture;

use fixture::{bytes, find, object, patched};
use wheelproof_objfile as objfile;
use wheelproof_objfile::{
    Architecture, ExportTarget, File, FileKind, Format, NeededKind, Object, ObjectKind, Provider, RpathKind,
    SignatureState, Stack, SymbolKind, System,
};

/// Every import as `name from version kind`, sorted.
fn imports(object: &Object<'_>) -> Vec<String> {
    let mut lines: Vec<String> = object
        .imports
        .iter()
        .map(|import| {
            let from = match import.from {
                Provider::Library(library) => library.to_owned(),
                other => format!("{other:?}"),
            };
            let version = import.version.map_or(String::new(), |version| format!("@{version}"));
            let weak = if import.weak { " weak" } else { "" };
            let late = if import.delayed { " delayed" } else { "" };
            format!("{}{version} from {from} {:?}{weak}{late}", import.label(), import.kind)
        })
        .collect();
    lines.sort();
    lines
}

/// Every export as `name version kind`, sorted.
fn exports(object: &Object<'_>) -> Vec<String> {
    let mut lines: Vec<String> = object
        .exports
        .iter()
        .map(|export| {
            let version = export.version.map_or(String::new(), |version| {
                format!("{}{}", if version.default { "@@" } else { "@" }, version.name)
            });
            let weak = if export.weak { " weak" } else { "" };
            let unique = if export.unique { " unique" } else { "" };
            let ordinal = export.ordinal.map_or(String::new(), |ordinal| format!(" #{ordinal}"));
            let forward = export.forward().map_or(String::new(), |(library, name)| format!(" -> {library}!{name}"));
            format!("{}{version} {:?}{weak}{unique}{ordinal}{forward}", export.label(), export.kind)
        })
        .collect();
    lines.sort();
    lines
}

fn read_only_texts(object: &Object<'_>) -> Vec<String> {
    let sections = object.read_only_sections();
    let found = sections.iter().filter(|section| section.bytes.windows(14).any(|text| text == b"_PySet_Update\0"));
    found.map(|section| section.name.to_string()).collect()
}

#[test]
fn elf_of_every_architecture_reads_the_same() {
    let table = [
        ("extension-x86_64.so", Architecture::X86_64, true, false),
        ("extension-aarch64.so", Architecture::Aarch64, true, false),
        ("extension-x86.so", Architecture::I686, false, false),
        ("extension-arm.so", Architecture::Armv7l, false, false),
        ("extension-powerpc64le.so", Architecture::Ppc64le, true, false),
        ("extension-s390x.so", Architecture::S390x, true, true),
        ("extension-riscv64.so", Architecture::Riscv64, true, false),
        ("extension-loongarch64.so", Architecture::Loongarch64, true, false),
    ];
    for (name, architecture, wide, big) in table {
        let bytes = bytes(name);
        let object = object(&bytes);
        assert_eq!((object.format, object.architecture), (Format::Elf, architecture), "{name}");
        assert_eq!((object.is_64, object.is_big_endian), (wide, big), "{name}");
        assert_eq!(object.kind, ObjectKind::Extension, "{name}");
        assert_eq!(object.identity, None, "{name}");
        let needed: Vec<_> = object.needed.iter().map(|needed| (needed.name, needed.kind)).collect();
        assert_eq!(needed, [("libprovider.so.1", NeededKind::Normal)], "{name}");
        let rpaths: Vec<_> = object.rpaths.iter().map(|rpath| (rpath.path, rpath.kind)).collect();
        assert_eq!(rpaths, [("$ORIGIN/../demo.libs", RpathKind::Runpath), ("/opt/demo", RpathKind::Runpath)], "{name}");
        assert_eq!(
            imports(&object),
            [
                "PyExc_ValueError from Unbound Unknown",
                "PyModuleDef_Init from Unbound Unknown",
                "demo_hook from Unbound Unknown weak",
                "provided_lookup@PROVIDER_1.5 from libprovider.so.1 Function",
            ],
            "{name}"
        );
        assert_eq!(
            exports(&object),
            [
                "PyInitU_dmo_bya@@DEMO_1 Function",
                "PyInit_demo@@DEMO_1 Function",
                "demo_function@@DEMO_1 Function",
                "demo_thread_local@@DEMO_1 Tls",
                "demo_unique@@DEMO_1 Data unique",
                "demo_variable@@DEMO_1 Data",
                "demo_versioned@@DEMO_2 Function",
                "demo_versioned@DEMO_1 Function",
                "demo_versioned_1@@DEMO_1 Function",
                "demo_versioned_2@@DEMO_1 Function",
                "demo_weak@@DEMO_1 Function weak",
            ],
            "{name}"
        );
        assert_eq!(object.init_functions().count(), 2, "{name}");
        assert_eq!(read_only_texts(&object).len(), 1, "{name}");

        let elf = object.elf().unwrap();
        assert_eq!(elf.stack, Stack::NotExecutable, "{name}");
        assert!(elf.has_gnu_hash && elf.tls.is_some() && elf.bind_now() && !elf.static_tls(), "{name}");
        assert_eq!(elf.build_id.map(<[u8]>::len), Some(20), "{name}");
        assert!(elf.load_segments().all(|segment| segment.fits_page(4096)), "{name}");
        let needs: Vec<_> = elf.version_needs.iter().map(|need| (need.file, need.versions[0].name)).collect();
        assert_eq!(needs, [("libprovider.so.1", "PROVIDER_1.5")], "{name}");
        let defined: Vec<_> = elf.version_definitions.iter().filter(|version| !version.base).collect();
        assert_eq!((defined[0].name, defined[1].name), ("DEMO_1", "DEMO_2"), "{name}");
    }
}

/// Without section headers the symbols are counted by DT_HASH; without that by DT_GNU_HASH and the relocations.
#[test]
fn elf_without_section_headers_has_the_same_symbols() {
    const DT_HASH: u64 = 4;
    for name in ["extension-x86_64.so", "extension-s390x.so", "extension-arm.so"] {
        let whole = bytes(name);
        let expected = object(&whole);
        let (shoff, counts) = if expected.is_64 { (40, 60) } else { (32, 48) };
        let bare = patched(&patched(&whole, shoff, &[0; 4]), shoff + 4, &[0; 4][..if expected.is_64 { 4 } else { 0 }]);
        let bare = patched(&bare, counts, &[0; 4]);
        let stripped = object(&bare);
        assert_eq!(stripped.imports, expected.imports, "{name}");
        assert_eq!(stripped.exports, expected.exports, "{name}");
        assert!(stripped.elf().unwrap().sections.is_empty());
        assert_eq!(read_only_texts(&stripped), ["PT_LOAD"], "{name}");

        let hash = stripped.elf().unwrap().dynamic.iter().find(|entry| entry.tag == DT_HASH).unwrap();
        let unknown_tag = if expected.is_big_endian { [0, 0, 0, 21] } else { [21, 0, 0, 0] };
        let at = hash.offset + if expected.is_64 && expected.is_big_endian { 4 } else { 0 };
        let without_hash = patched(&bare, at, &unknown_tag);
        let object = object(&without_hash);
        assert!(!object.elf().unwrap().has_sysv_hash);
        assert_eq!((object.imports, object.exports), (expected.imports, expected.exports), "{name}");
    }
}

#[test]
fn elf_flags_are_read_where_the_loader_reads_them() {
    let whole = bytes("extension-x86_64.so");
    let original = object(&whole);
    let facts = original.elf().unwrap();
    let stack = facts.segments.iter().position(|segment| segment.kind == 0x6474_e551).unwrap() as u64;
    let executable = patched(&whole, 64 + stack * 56 + 4, &[7]);
    assert_eq!(object(&executable).elf().unwrap().stack, Stack::Executable);
    let unstated = patched(&whole, 64 + stack * 56, &[0; 4]);
    assert_eq!(object(&unstated).elf().unwrap().stack, Stack::Unstated);

    let entry = |tag: u64| facts.dynamic.iter().find(|entry| entry.tag == tag).unwrap();
    let flags = patched(&whole, entry(30).offset + 8, &[0x16, 0, 0, 0]);
    let flags = patched(&flags, entry(0x6fff_fffb).offset + 8, &[0x48, 0x08, 0, 0]);
    let changed = object(&flags);
    let changed = changed.elf().unwrap();
    assert!(changed.static_tls() && changed.text_relocations() && changed.symbolic() && !changed.bind_now());
    assert!(changed.no_default_libraries() && changed.no_delete() && changed.no_open() && !changed.is_pie());

    let rpath = patched(&whole, entry(29).offset, &[15]);
    assert!(object(&rpath).rpaths.iter().all(|rpath| rpath.kind == RpathKind::Rpath));
    let relr = patched(&whole, entry(29).offset, &[36]);
    assert!(object(&relr).elf().unwrap().has_relr);
    let level = objfile::ElfFacts { x86_isa_needed: Some(0b0101), ..Default::default() };
    assert_eq!(level.x86_64_level(), Some(3));
}

#[test]
fn relocatable_elf_gives_what_the_linker_sees() {
    for name in ["extension-x86_64.o", "extension-s390x.o"] {
        let bytes = bytes(name);
        let object = object(&bytes);
        assert_eq!(object.kind, ObjectKind::Relocatable);
        assert_eq!(imports(&object).len(), 4);
        let exports = exports(&object);
        for expected in ["demo_versioned@DEMO_1 Function", "demo_versioned@@DEMO_2 Function", "demo_unique Data unique"]
        {
            assert!(exports.iter().any(|export| export == expected), "{expected} in {exports:?}");
        }
        assert!(read_only_texts(&object)[0].starts_with(".rodata.str1."));
    }
}

#[test]
fn macho_extension() {
    for (name, architecture, minimum) in [
        ("extension-aarch64.dylib", Architecture::Aarch64, "12.0"),
        ("extension-x86_64.dylib", Architecture::X86_64, "10.15"),
    ] {
        let bytes = bytes(name);
        let object = object(&bytes);
        assert_eq!(
            (object.format, object.architecture, object.kind),
            (Format::MachO, architecture, ObjectKind::Extension)
        );
        assert_eq!(object.identity, Some(name));
        let needed: Vec<_> = object.needed.iter().map(|needed| (needed.name, needed.kind)).collect();
        let normal = NeededKind::Normal;
        assert_eq!(needed, [("/usr/lib/libSystem.B.dylib", normal), ("@rpath/libprovider.1.dylib", normal)]);
        assert_eq!(object.rpaths[0].path, "@loader_path/.dylibs");
        assert_eq!(object.minimum_os[0].system, System::MacOs);
        assert_eq!(object.minimum_os[0].minimum.to_string(), minimum);
        assert_eq!(
            imports(&object),
            [
                "PyExc_ValueError from Flat Unknown",
                "PyModuleDef_Init from Flat Function",
                "demo_hook from Flat Function weak",
                "dyld_stub_binder from /usr/lib/libSystem.B.dylib Unknown",
                "provided_lookup from @rpath/libprovider.1.dylib Function",
            ]
        );
        let exports = exports(&object);
        for expected in ["PyInit_demo Function", "demo_variable Data", "demo_weak Function weak", "__dso_handle Data"] {
            assert!(exports.iter().any(|export| export == expected), "{expected} in {exports:?}");
        }
        assert!(!exports.iter().any(|export| export.starts_with("demo_hidden")));
        assert_eq!(read_only_texts(&object), ["__TEXT,__cstring"]);
        let macho = object.macho().unwrap();
        assert!(macho.two_level && macho.export_trie && !macho.chained_fixups && macho.header_pad > 1000);
    }
}

/// What dyld binds says the same as the symbol table, and more than one that was stripped.
#[test]
fn macho_without_symbol_table_takes_imports_from_the_bindings() {
    let whole = bytes("extension-aarch64.dylib");
    let original = object(&whole);
    let symtab = original.macho().unwrap().load_commands.iter().find(|command| command.command == 2).unwrap();
    let stripped = patched(&whole, symtab.offset + 12, &[0; 4]);
    let stripped = object(&stripped);
    let key = |object: &Object<'_>| -> Vec<String> {
        let mut lines: Vec<_> = object.imports.iter().map(|i| format!("{} {:?} {}", i.name, i.from, i.weak)).collect();
        lines.sort();
        lines
    };
    assert_eq!(key(&stripped), key(&original));
}

#[test]
fn macho_kinds_of_needed_library_and_namespace() {
    let whole = bytes("extension-aarch64.dylib");
    let original = object(&whole);
    let provider =
        original.macho().unwrap().load_commands.iter().filter(|command| command.command == 0xc).nth(1).unwrap();
    let table: [(u32, NeededKind); 4] = [
        (0x8000_0018, NeededKind::Weak),
        (0x8000_001f, NeededKind::Reexport),
        (0x8000_0023, NeededKind::Upward),
        (0x20, NeededKind::Lazy),
    ];
    for (command, kind) in table {
        let changed = patched(&whole, provider.offset, &command.to_le_bytes());
        assert_eq!(object(&changed).needed[1].kind, kind);
    }
    let flags = original.macho().unwrap().flags & !0x80;
    let flat = patched(&whole, 24, &flags.to_le_bytes());
    let flat = object(&flat);
    assert!(flat.imports.iter().all(|import| import.from == Provider::Flat));
    let few = patched(&whole, provider.offset, &0x1b_u32.to_le_bytes()); // now an LC_UUID
    let few = object(&few);
    let lost = few.imports.iter().find(|import| import.name == "provided_lookup").unwrap();
    assert_eq!(lost.from, Provider::BadOrdinal(2));
}

#[test]
fn code_signatures_are_checked_page_by_page() {
    let whole = bytes("extension-aarch64.dylib");
    let original = object(&whole);
    let signature = original.macho().unwrap().signature.unwrap();
    assert!(signature.is_ad_hoc() && signature.is_linker_signed() && !signature.has_certificate);
    assert_eq!(signature.identifier, "extension-aarch64.dylib");
    let pages = signature.code_limit.div_ceil(signature.page_size.into());
    assert_eq!(objfile::verify_signature(&original), Ok(SignatureState::Valid { pages }));

    let last = signature.code_limit - 1;
    let changed = patched(&whole, last, &[whole[usize::try_from(last).unwrap()] ^ 1]);
    let offset = (pages - 1) * u64::from(signature.page_size);
    assert_eq!(
        objfile::verify_signature(&object(&changed)),
        Ok(SignatureState::Mismatch { page: pages - 1, offset, mismatches: 1 })
    );
    let unsigned = bytes("extension-x86_64.dylib");
    assert_eq!(objfile::verify_signature(&object(&unsigned)), Ok(SignatureState::Unsigned));
}

#[test]
fn universal_files_slice_by_slice() {
    let whole = bytes("extension-universal2.dylib");
    let File::Universal(slices) = objfile::parse(&whole).unwrap() else { panic!("not universal") };
    let architectures: Vec<_> = slices.iter().map(|slice| slice.architecture).collect();
    assert_eq!(architectures, [Architecture::X86_64, Architecture::Aarch64]);
    for (slice, name) in slices.iter().zip(["extension-x86_64.dylib", "extension-aarch64.dylib"]) {
        assert_eq!(slice.bytes, bytes(name));
        assert_eq!(&whole[usize::try_from(slice.offset).unwrap()..][..slice.bytes.len()], slice.bytes);
    }
    assert_eq!(objfile::parse(&whole).unwrap().objects().count(), 2);
}

#[test]
fn pe_extension() {
    for (name, architecture, wide) in [
        ("extension-x86_64.pyd", Architecture::X86_64, true),
        ("extension-x86.pyd", Architecture::I686, false),
        ("extension-aarch64.pyd", Architecture::Aarch64, true),
    ] {
        let bytes = bytes(name);
        let object = object(&bytes);
        assert_eq!(
            (object.format, object.architecture, object.kind),
            (Format::Pe, architecture, ObjectKind::Extension)
        );
        assert_eq!((object.is_64, object.identity), (wide, Some(name)));
        assert_eq!(
            imports(&object),
            [
                "#17 from provider.dll Unknown",
                "PyExc_ValueError from python313.dll Unknown",
                "PyModuleDef_Init from python313.dll Unknown",
            ]
        );
        assert_eq!(object.imports.iter().find(|import| import.name.is_empty()).unwrap().ordinal, Some(17));
        assert_eq!(
            exports(&object),
            [
                "#12 Function #12",
                "PyInitU_dmo_bya Function #13",
                "PyInit_demo Function #14",
                "demo_forwarded Unknown #15 -> KERNEL32!HeapAlloc",
                "demo_function Function #9",
                "demo_variable Data #5",
            ]
        );
        assert_eq!(read_only_texts(&object), [".rdata"]);
        let imported = b"PyModuleDef_Init";
        let sections = object.read_only_sections();
        assert!(!sections.iter().any(|section| section.bytes.windows(16).any(|text| text == imported)), "import names");

        let pe = object.pe().unwrap();
        assert!(
            pe.nx_compat() && pe.dynamic_base() && pe.is_dll() && pe.overlay.is_none() && pe.high_entropy_va() == wide
        );
        assert_eq!(object.minimum_os[0].system, System::Windows);
        for descriptor in &pe.import_descriptors {
            let at = usize::try_from(descriptor.name_offset).unwrap();
            assert!(bytes[at..].starts_with(descriptor.library.as_bytes()));
            let field = usize::try_from(descriptor.name_field_offset).unwrap();
            let rva = u32::from_le_bytes(bytes[field..field + 4].try_into().unwrap());
            assert_eq!(pe.file_offset(rva), Some(descriptor.name_offset));
        }
        let mut longer = bytes.clone();
        longer.extend_from_slice(b"appended");
        let end = longer.len() as u64;
        assert_eq!(self::object(&longer).pe().unwrap().overlay, Some(end - 8..end));
    }
}

#[test]
fn pe_delay_imports_and_load_configuration() {
    let bytes = bytes("delayed.dll");
    let object = object(&bytes);
    assert_eq!(imports(&object), ["provided_by_name from provider.dll Unknown delayed"]);
    assert_eq!(object.needed[0].kind, NeededKind::Lazy);
    let pe = object.pe().unwrap();
    assert_eq!(pe.dependent_load_flags, Some(0x800));
    let at = usize::try_from(pe.dependent_load_flags_offset.unwrap()).unwrap();
    assert_eq!(bytes[at..at + 2], [0, 8]);
    assert_eq!(object.kind, ObjectKind::SharedLibrary);
}

/// The sum that `imagehlp` computes: of 16-bit words with carries, the field itself being zero, plus the length.
#[test]
fn pe_checksum_ignores_its_own_field() {
    let whole = bytes("extension-x86_64.pyd");
    let at = object(&whole).pe().unwrap().checksum_offset;
    let sum = objfile::pe_checksum(&whole, at);
    assert_eq!(objfile::pe_checksum(&patched(&whole, at, &sum.to_le_bytes()), at), sum);
    assert_ne!(objfile::pe_checksum(&patched(&whole, 0x200, &[0xff]), at), sum);
    assert_eq!(objfile::pe_checksum(&[0xff, 0xff, 2, 0, 9, 9, 9, 9, 3], 4), 2 + 3 + 9);
}

#[test]
fn coff_objects_have_c_names() {
    for name in ["extension-x86_64.obj", "extension-x86.obj", "extension-aarch64.obj"] {
        let bytes = bytes(name);
        let object = object(&bytes);
        assert_eq!((object.format, object.kind), (Format::Coff, ObjectKind::Relocatable), "{name}");
        assert_eq!(
            imports(&object),
            [
                "PyExc_ValueError from Unbound Unknown",
                "PyModuleDef_Init from Unbound Unknown",
                "demo_hook from Unbound Unknown weak",
                "provided_lookup from Unbound Unknown",
            ],
            "{name}"
        );
        let exports = exports(&object);
        for expected in ["PyInit_demo Function", "demo_variable Data", "demo_weak Function weak"] {
            assert!(exports.iter().any(|export| export == expected), "{name}: {expected} in {exports:?}");
        }
        assert_eq!(read_only_texts(&object).len(), 1, "{name}");
    }
}

/// The same object in the layout with 32-bit section numbers: a longer header, symbols of twenty bytes.
#[test]
fn bigobj_reads_like_the_plain_object() {
    let plain = bytes("extension-x86_64.obj");
    let word = |at: usize| u32::from_le_bytes(plain[at..at + 4].try_into().unwrap());
    let sections = usize::from(u16::from_le_bytes([plain[2], plain[3]]));
    let (table, symbols) = (word(8) as usize, word(12) as usize);
    let added = 56 - 20;
    let mut big = vec![0, 0, 0xff, 0xff, 2, 0, plain[0], plain[1], 0, 0, 0, 0];
    big.extend([0xc7, 0xa1, 0xba, 0xd1, 0xee, 0xba, 0xa9, 0x4b, 0xaf, 0x20, 0xfa, 0xf6, 0x6a, 0xa4, 0xdc, 0xb8]);
    big.extend([0; 16]);
    for value in [sections, table + added, symbols] {
        big.extend(u32::try_from(value).unwrap().to_le_bytes());
    }
    big.extend(&plain[20..table]);
    for section in 0..sections {
        let at = 56 + section * 40 + 20;
        let offset = u32::from_le_bytes(big[at..at + 4].try_into().unwrap());
        if offset != 0 {
            big[at..at + 4].copy_from_slice(&(offset + u32::try_from(added).unwrap()).to_le_bytes());
        }
    }
    for symbol in plain[table..table + symbols * 18].chunks(18) {
        let section = i32::from(i16::from_le_bytes([symbol[12], symbol[13]]));
        big.extend(&symbol[..12]);
        big.extend(section.to_le_bytes());
        big.extend(&symbol[14..]);
    }
    big.extend(&plain[table + symbols * 18..]);

    let (big, plain) = (object(&big), object(&plain));
    assert!(big.coff().unwrap().big && !plain.coff().unwrap().big);
    assert_eq!((imports(&big), exports(&big)), (imports(&plain), exports(&plain)));
    assert_eq!(read_only_texts(&big), read_only_texts(&plain));
}

#[test]
fn import_libraries_say_which_dll_has_which_name() {
    let table = [
        (
            "python313-x86_64.lib",
            vec!["PyModuleDef_Init python313.dll Function", "PyExc_ValueError python313.dll Data"],
        ),
        ("python313-x86.lib", vec!["PyModuleDef_Init python313.dll Function", "PyExc_ValueError python313.dll Data"]),
        ("provider-x86.lib", vec!["provided_lookup #17 provider.dll Function"]),
        ("provider-x86_64.lib", vec!["provided_lookup #17 provider.dll Function"]),
    ];
    for (name, expected) in table {
        let bytes = bytes(name);
        let File::Archive(archive) = objfile::parse(&bytes).unwrap() else { panic!("{name} is no archive") };
        let mut found = Vec::new();
        for member in archive.members() {
            let file = member.unwrap().parse().unwrap();
            let object = file.objects().next().unwrap();
            if object.kind == ObjectKind::ImportStub {
                let import = object.imports[0];
                let ordinal = import.ordinal.map_or(String::new(), |ordinal| format!(" #{ordinal}"));
                found.push(format!("{}{ordinal} {} {:?}", import.name, object.needed[0].name, import.kind));
            }
        }
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn archives_of_both_forms() {
    for (name, first, kind) in
        [("members-gnu.a", "extension-x86_64.o", Format::Elf), ("members-bsd.a", "extension-macho.o", Format::MachO)]
    {
        let bytes = bytes(name);
        let File::Archive(archive) = objfile::parse(&bytes).unwrap() else { panic!("{name} is no archive") };
        let members: Vec<_> = archive.members().map(Result::unwrap).collect();
        let names: Vec<_> = members.iter().map(|member| str::from_utf8(member.name).unwrap()).collect();
        assert_eq!(names, [first, "a_source_file_with_a_long_name.txt"], "{name}");
        let file = members[0].parse().unwrap();
        assert_eq!(file.objects().next().unwrap().format, kind);
        assert_eq!(file.objects().next().unwrap().exports.len(), object(&self::bytes(first)).exports.len());
        let error = members[1].parse().unwrap_err().to_string();
        assert!(error.contains("`A member`"), "{error}");
    }
    assert_eq!(object(&bytes("extension-macho.o")).imports.len(), 4);
    let thin = objfile::parse(&bytes("members-thin.a")).unwrap_err();
    assert_eq!(thin, objfile::ParseError::ThinArchive);
}

#[test]
fn names_that_are_not_utf8_are_kept_apart() {
    let whole = bytes("extension-x86_64.so");
    let at = find(&whole, b"provided_lookup\0");
    let changed = patched(&whole, at, b"\xff\xfe");
    let object = object(&changed);
    assert_eq!(object.imports.len(), 3);
    assert_eq!((object.unreadable[0].what, object.unreadable[0].offset), ("import", at));
    assert_eq!(&*object.unreadable[0].bytes, b"\xff\xfeovided_lookup");
}

#[test]
fn first_bytes_tell_formats_apart() {
    let coff_without_sections = [0x64, 0x86, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let java_class =
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0x41, 0, 0x2f, 10, 0, 2, 0, 3, 7, 0, 4, 12, 0, 5, 0, 6, 1, 0, 16, 6, 0];
    let mut dos = vec![0x90; 256];
    dos[..2].copy_from_slice(b"MZ");
    let table: [(&[u8], Option<FileKind>); 12] = [
        (b"", None),
        (b"\x7fELF", Some(FileKind::Object(Format::Elf))),
        (b"\xcf\xfa\xed\xfe", Some(FileKind::Object(Format::MachO))),
        (b"!<arch>\n", Some(FileKind::Archive)),
        (b"!<thin>\n", Some(FileKind::ThinArchive)),
        (b"#!/usr/bin/env python\n", None),
        (b"MZ is how this text starts, and it goes on for so long that it could hold a header, which it has not", None),
        (b"PK\x03\x04 a wheel", None),
        (b"BC\xc0\xde bitcode", None),
        (&coff_without_sections, None),
        (&java_class, None),
        (&dos, None),
    ];
    for (start, expected) in table {
        assert_eq!(objfile::sniff(start), expected, "{:?}", start.escape_ascii().to_string());
    }
    let kinds = [
        ("extension-universal2.dylib", FileKind::Universal),
        ("extension-x86.obj", FileKind::Object(Format::Coff)),
        ("extension-aarch64.pyd", FileKind::Object(Format::Pe)),
        ("python313-x86.lib", FileKind::Archive),
    ];
    for (name, kind) in kinds {
        let bytes = bytes(name);
        assert_eq!(objfile::sniff(&bytes[..1024.min(bytes.len())]), Some(kind), "{name}");
    }
}

#[test]
fn addresses_of_exports_point_at_the_symbol() {
    let whole = bytes("extension-aarch64.dylib");
    let object = object(&whole);
    let variable = object.exports.iter().find(|export| export.name == "demo_variable").unwrap();
    let ExportTarget::Address(address) = variable.target else { panic!("forwarded") };
    let mut sections = object.macho().unwrap().sections.iter();
    let section =
        sections.find(|section| (section.address..section.address + section.size).contains(&address)).unwrap();
    let at = usize::try_from(section.offset + address - section.address).unwrap();
    assert_eq!(whole[at..at + 4], [7, 0, 0, 0]);
    assert_eq!(variable.kind, SymbolKind::Data);
}

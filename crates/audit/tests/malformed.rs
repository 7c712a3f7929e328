//! Inputs that are broken, hostile or not what they claim: a clear sentence each, the rest still judged, never a panic.
#![allow(clippy::unwrap_used)]

use audit::{Judge, OpenError, Options};
use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;
use std::time::{Duration, Instant};
use wheelproof_audit as audit;

fn fixtures() -> Utf8PathBuf {
    Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/symbols"))
}

fn open(path: &Utf8Path) -> Result<Vec<String>, String> {
    let shown = Options { shown: path.file_name().map(Into::into), ..Options::default() };
    let inspection = audit::open(path, &shown).map_err(|error| error.to_string())?;
    let findings = audit::symbols(&inspection, &Judge::default());
    Ok(findings
        .iter()
        .map(|finding| {
            let member = finding.subject.member.as_deref().unwrap_or("-");
            format!("{} {member}: {}", finding.rule, finding.message)
        })
        .collect())
}

#[test]
fn a_named_path_that_cannot_be_read_is_an_error_that_says_why() {
    let table = [
        ("empty.so", "`empty.so`: the file is empty"),
        ("text.so", "`text.so` is neither a wheel nor a binary (ELF, Mach-O, PE, COFF, static archive)"),
        ("truncated.so", "`truncated.so`: ELF section headers at offset "),
        ("header-only.so", "`header-only.so`: ELF header at offset 0x0: truncated: 64 bytes wanted, 20 there"),
        ("hostile-counts.so", "`hostile-counts.so`: ELF section headers at offset "),
        ("truncated.dylib", "`truncated.dylib`: Mach-O load commands at offset 0x20: truncated"),
        ("cyclic.dylib", "`cyclic.dylib`: Mach-O load command at offset 0x20: `cmdsize` has the impossible value 0x0"),
        ("truncated.pyd", "`truncated.pyd`: optional header at offset 0x58: truncated"),
        ("thin.a", "`thin.a`: a thin archive"),
        ("page/demo-1-cp313-cp313-linux_x86_64.whl", "is not a wheel: it is an HTML page"),
        ("empty/demo-1-cp313-cp313-linux_x86_64.whl", "is not a wheel: it is empty"),
        ("nowhere.so", "nowhere.so"),
    ];
    for (file, expected) in table {
        let said = open(&fixtures().join("malformed").join(file)).unwrap_err();
        assert!(said.contains(expected), "{file}: {said}");
    }
}

#[test]
fn a_bad_member_is_a_finding_and_the_rest_is_judged() {
    const CORE: &str = "_core.cpython-313-x86_64-linux-gnu.so";
    let judged = format!("internal-symbol {CORE}: `_PySet_Update` is declared in CPython's internal headers only");
    let one = |text: &str| vec![text.to_owned()];
    let both = |text: &str| vec![text.to_owned(), judged.clone()];
    let other = "pkg/other.cpython-313-x86_64-linux-gnu.so";
    let others = vec![
        format!("internal-symbol {other}: `_PySet_Update` is declared in CPython's internal headers only"),
        format!(
            "init-function {other}: `other.cpython-313-x86_64-linux-gnu.so` does not export `PyInit_other` but `PyInit__core`, so `import other` fails"
        ),
    ];
    let table = [
        ("absolute", both("unsafe-member /etc/evil.py: its name is absolute")),
        ("parent", both("unsafe-member pkg/../../evil.py: its name leaves the wheel through `..`")),
        ("duplicate", both("unsafe-member pkg/a.py: 2 members have this name")),
        ("odd", both("odd-member pkg/./module.py: its name has an empty or `.` component")),
        ("bad-crc", one(&format!("unreadable-member {CORE}: its checksum is "))),
        ("bad-deflate", one(&format!("unreadable-member {CORE}: its compressed data are damaged"))),
        ("encrypted", one(&format!("unreadable-member {CORE}: it is encrypted"))),
        ("method", one(&format!("unreadable-member {CORE}: it uses compression method 14"))),
        ("four-gigabytes", one(&format!("unreadable-member {CORE}: it claims 4294967280 bytes, which "))),
        (
            "link-as-text",
            both("unreadable-binary demo.libs/libdemo.so: the file is a text, though it is called like a binary"),
        ),
        ("cut-directory", both("unsafe-member -: the archive has a damaged central directory")),
        (
            "broken-member",
            [one(&format!("unreadable-binary {CORE}: ELF section headers at offset ")), others.clone()].concat(),
        ),
        ("bomb", others),
    ];
    for (folder, expected) in table {
        let path = fixtures().join("malformed").join(folder).join("demo-1-cp313-cp313-linux_x86_64.whl");
        let said = open(&path).unwrap();
        assert_eq!(said.len(), expected.len(), "{folder}: {said:#?}");
        for (said, expected) in said.iter().zip(&expected) {
            assert!(said.starts_with(expected), "{folder}: {said}");
        }
    }
    let unnamed = open(&fixtures().join("malformed/unnamed/demo.whl")).unwrap();
    assert!(unnamed[0].starts_with("wheel-name -: `demo.whl` is not a wheel file name"), "{unnamed:?}");
    assert_eq!(unnamed[1], judged, "the tags come from the extension's own name");
}

#[test]
fn bad_files_in_a_folder_are_findings() {
    let said = open(&fixtures().join("malformed")).unwrap();
    let count = |rule: &str| said.iter().filter(|line| line.starts_with(rule)).count();
    assert_eq!(count("unreadable-wheel "), 2, "{said:#?}");
    // truncated, header-only, hostile-counts, truncated.dylib, cyclic.dylib, truncated.pyd, broken.a, empty.so, text.so and
    // a member each of two wheels.
    assert_eq!(count("unreadable-binary "), 11, "{said:#?}");
    assert!(count("internal-symbol ") >= 8, "{said:#?}");
}

#[test]
fn a_file_that_only_the_name_makes_a_binary_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    // A link that a zip tool stored as a text, a pointer of a large-file store, a linker script.
    fs_err::write(root.join("liba.so"), "liba.so.1").unwrap();
    fs_err::write(root.join("b.dll"), "version https://git-lfs.example\noid sha256:0\n").unwrap();
    fs_err::write(root.join("libc.so"), "/* GNU ld script */\nGROUP ( /lib/libc.so.6 )\n").unwrap();
    let mut said = open(root).unwrap();
    said.sort();
    let text = "the file is a text, though it is called like a binary";
    assert_eq!(said, [format!("unreadable-binary -: {text}"), format!("unreadable-binary -: {text}")]);
}

#[test]
fn extensions_for_other_pythons_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    let core = fs_err::read(fixtures().join("_core.so")).unwrap();
    let stray = |tag: &str, member: &str| {
        let tree = root.join(format!("{tag}-{member}"));
        fs_err::create_dir_all(tree.join("demo-1.dist-info")).unwrap();
        fs_err::write(tree.join(member), &core).unwrap();
        fs_err::write(tree.join("demo-1.dist-info/METADATA"), "Metadata-Version: 2.1\nName: demo\nVersion: 1\n")
            .unwrap();
        let wheel = format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n");
        fs_err::write(tree.join("demo-1.dist-info/WHEEL"), wheel).unwrap();
        let out = root.join(format!("demo-1-{tag}.whl"));
        wheel::pack_dir(&tree, &out, &wheel::WriteOptions::default()).unwrap();
        let said = open(&out).unwrap();
        said.into_iter()
            .filter(|line| line.starts_with("foreign-extension"))
            .map(|line| line.split_once(": ").unwrap().1.to_owned())
            .collect::<Vec<_>>()
    };
    let linux = "linux_x86_64";
    assert_eq!(
        stray(&format!("cp313-cp313-{linux}"), "_core.cpython-312-x86_64-linux-gnu.so"),
        ["`_core.cpython-312-x86_64-linux-gnu.so` is for CPython 3.12 only, which is not what the wheel's tags say"]
    );
    assert_eq!(stray(&format!("cp312-abi3-{linux}"), "_core.cpython-312-x86_64-linux-gnu.so").len(), 1);
    assert_eq!(stray(&format!("cp312-cp312-{linux}"), "_core.pypy311-pp73-x86_64-linux-gnu.so").len(), 1);
    for fine in ["_core.cpython-313-x86_64-linux-gnu.so", "_core.abi3.so", "_core.so"] {
        assert_eq!(stray(&format!("cp313-cp313-{linux}"), fine), [""; 0], "{fine}");
    }
}

/// Bytes that a mutation starts from: every format, an archive and a wheel.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for file in ["_core.so", "objects.a", "runtime_named-1-cp313-cp313-linux_x86_64.whl"] {
        seeds.push((file.to_owned(), fs_err::read(fixtures().join(file)).unwrap()));
    }
    for wheel in ["runtime_named-1-cp313-cp313-macosx_12_0_arm64.whl", "runtime_named-1-cp313-cp313-win_amd64.whl"] {
        let archive = wheel::Archive::open(&fixtures().join(wheel)).unwrap();
        let member = archive.members().iter().find(|member| member.name.starts_with("_core")).unwrap();
        seeds.push((member.name.clone(), archive.read(member).unwrap().into_owned()));
    }
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_mutation_makes_it_panic_or_hang(
        seed in 0_usize..5,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0_u8), Just(0xff), any::<u8>()], 1_usize..9), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, mut bytes) = seeds().swap_remove(seed);
        for (at, value, length) in edits {
            // Headers are where it hurts.
            let reach = bytes.len().min(if value == 0xff { 1024 } else { usize::MAX });
            let start = at.index(reach);
            let end = (start + length).min(bytes.len());
            bytes[start..end].fill(value);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join(name);
        fs_err::write(&path, &bytes).unwrap();
        let start = Instant::now();
        let outcome: Result<_, OpenError> = audit::open(&path, &Options::default());
        if let Ok(inspection) = outcome {
            audit::symbols(&inspection, &Judge::default());
        }
        prop_assert!(start.elapsed() < Duration::from_secs(5));
    }
}

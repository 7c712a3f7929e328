//! The rules on a wheel as a package, each on a wheel that breaks it; none of them changes the verdict.
#![allow(clippy::unwrap_used)]

use camino::{Utf8Path, Utf8PathBuf};
use std::io::Write as _;
use wheel::{WriteOptions, pack_dir};
use wheelproof_audit::proof::{ProofOptions, Verdict, prove};

const NAME: &str = "demo-1.0-cp313-cp313-manylinux_2_28_x86_64.whl";
const WHEEL: &str =
    "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: false\nTag: cp313-cp313-manylinux_2_28_x86_64\n";
const WINDOWS: &str = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: false\nTag: cp313-cp313-win_amd64\n";
const METADATA: &str = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";

/// The file name, further or other files, and what is found.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const TABLE: &[Row] = &[
    (NAME, &[], &[]),
    ("demo-1.0-cp313-cp313-linux_x86_64.whl", &[], &["tag-not-publishable warning", "tags-differ error"]),
    ("demo-1.1-cp313-cp313-manylinux_2_28_x86_64.whl", &[], &["metadata-differs error", "metadata-differs error"]),
    ("other-1.0-cp313-cp313-manylinux_2_28_x86_64.whl", &[], &["metadata-differs error", "metadata-differs error"]),
    (
        NAME,
        &[("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp313-cp313-manylinux_2_28_x86_64\n")],
        &["metadata-broken error"],
    ),
    (NAME, &[("tests/__init__.py", ""), ("README.md", "x")], &["outside-roots warning", "outside-roots warning"]),
    (NAME, &[("demo-1.0.data/odd/file", "x")], &["outside-roots error"]),
    (NAME, &[("demo/Core.py", "a"), ("demo/core.py", "b")], &["case-collision error"]),
    (NAME, &[("demo/aux.py", "a")], &[]),
    (
        "demo-1.0-cp313-cp313-win_amd64.whl",
        &[("demo-1.0.dist-info/WHEEL", WINDOWS), ("demo/aux.py", "a"), ("demo/a:b.py", "a"), ("demo/end./x.py", "a")],
        &["windows-name error", "windows-name error", "windows-name error"],
    ),
    (
        NAME,
        &[("demo/CMakeFiles/a.o", "x"), ("demo/CMakeCache.txt", "x")],
        &["stray-build-file warning", "stray-build-file warning"],
    ),
];

fn build(dir: &Utf8Path, name: &str, files: &[(&str, &str)]) -> Utf8PathBuf {
    let root = dir.join("tree");
    let base = [
        ("demo/__init__.py", ""),
        ("demo-1.0.dist-info/METADATA", METADATA),
        ("demo-1.0.dist-info/WHEEL", WHEEL),
        ("demo-1.0.dist-info/RECORD", ""),
    ];
    for (name, text) in base.iter().chain(files) {
        let path = root.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    let out = dir.join(name);
    pack_dir(&root, &out, &WriteOptions::default()).unwrap();
    out
}

#[test]
fn each_rule() {
    for (name, files, expected) in TABLE {
        let dir = tempfile::tempdir().unwrap();
        let path = build(Utf8Path::from_path(dir.path()).unwrap(), name, files);
        let proof = prove(&path, &ProofOptions::default()).unwrap();
        let mut found: Vec<String> =
            proof.findings.iter().map(|finding| format!("{} {}", finding.rule.name, finding.severity)).collect();
        found.sort();
        let mut expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
        expected.sort();
        assert_eq!(found, expected, "{name} {files:?}: {:#?}", proof.findings);
        assert_eq!(proof.verdict, Verdict::Proven, "{name}");
    }
}

#[test]
fn a_budget_is_an_error_and_names_the_biggest() {
    let dir = tempfile::tempdir().unwrap();
    let noise: String =
        (0_u32..40_000).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26)).collect();
    let leaked: &'static str = Box::leak(noise.into_boxed_str());
    let path = build(Utf8Path::from_path(dir.path()).unwrap(), NAME, &[("demo/big.txt", leaked)]);
    let options = ProofOptions { budget: Some(1_000), ..ProofOptions::default() };
    let proof = prove(&path, &options).unwrap();
    let finding = proof.findings.iter().find(|finding| finding.rule.name == "wheel-too-large").unwrap();
    assert_eq!(finding.severity, diagnostics::Severity::Error);
    assert!(finding.message.contains("`demo/big.txt`"), "{}", finding.message);
}

#[test]
fn a_changed_byte_is_found_by_record() {
    let dir = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    let path = build(dir, NAME, &[("demo/x.py", "x = 1\n")]);
    // Written again by another tool, with the old RECORD.
    let archive = wheel::Archive::open(&path).unwrap();
    let record = archive.read(archive.member("demo-1.0.dist-info/RECORD").unwrap()).unwrap().into_owned();
    let bytes = zip(&[
        ("demo/__init__.py", b"".as_slice()),
        ("demo/x.py", b"x = 2\n"),
        ("demo-1.0.dist-info/METADATA", METADATA.as_bytes()),
        ("demo-1.0.dist-info/WHEEL", WHEEL.as_bytes()),
        ("demo-1.0.dist-info/RECORD", &record),
    ]);
    fs_err::write(&path, bytes).unwrap();
    let proof = prove(&path, &ProofOptions::default()).unwrap();
    let rules: Vec<&str> = proof.findings.iter().map(|finding| finding.rule.name).collect();
    assert_eq!(rules, ["record-mismatch"], "{:#?}", proof.findings);
}

/// What installers do not install imports nowhere.
#[test]
fn a_wheel_that_cannot_be_installed_is_refuted() {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(dir.path()).unwrap().join(NAME);
    let info = |name: &str| format!("demo-1.0.dist-info/{name}");
    let (metadata, wheel, record) = (info("METADATA"), info("WHEEL"), info("RECORD"));
    let all = [(metadata.as_str(), METADATA), (wheel.as_str(), WHEEL), (record.as_str(), "")];
    let empty: [(&str, &str); 0] = [];
    for (what, texts) in
        [("nothing", &empty[..]), ("WHEEL", &[all[0], all[2]]), ("METADATA", &all[1..]), ("RECORD", &all[..2])]
    {
        let members: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        fs_err::write(&path, zip(&members)).unwrap();
        let proof = prove(&path, &ProofOptions::default()).unwrap();
        assert_eq!(proof.verdict, Verdict::Refuted, "{what}: {:#?}", proof.findings);
        assert!(
            proof.results.iter().all(|result| result.verdict == Verdict::Refuted && !result.why.is_empty()),
            "{what}"
        );
        assert!(proof.findings.iter().any(|finding| finding.rule.name == "metadata-broken"), "{what}");
    }
}

/// So that they can be shown as one.
#[test]
fn files_with_the_same_fault_are_told_in_the_same_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(dir.path()).unwrap().join(NAME);
    let record = "demo/a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,1\n\
                  demo/b.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,1\n";
    let members: [(&str, &[u8]); 7] = [
        ("demo/a.py", b"a"),
        ("demo/b.py", b"b"),
        ("demo/c.py", b"c"),
        ("demo/d.py", b"d"),
        ("demo-1.0.dist-info/METADATA", METADATA.as_bytes()),
        ("demo-1.0.dist-info/WHEEL", WHEEL.as_bytes()),
        ("demo-1.0.dist-info/RECORD", record.as_bytes()),
    ];
    fs_err::write(&path, zip(&members)).unwrap();
    let findings = prove(&path, &ProofOptions::default()).unwrap().findings;
    let mut messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    messages.sort_unstable();
    messages.dedup();
    assert_eq!(
        messages,
        ["RECORD has the hash of other bytes than the file's", "it is not listed in RECORD"],
        "{findings:#?}"
    );
    let text = diagnostics::render::text(&findings.into(), &diagnostics::Style::default());
    assert_eq!(text.matches("error[record-mismatch]").count(), 2, "{text}");
}

/// A zip of stored members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let offset = out.len() as u32;
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x50]);
        common.extend(crc32(bytes).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.write_all(b"PK\x03\x04").unwrap();
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*bytes);
        directory.write_all(b"PK\x01\x02\x14\x03").unwrap();
        directory.extend(&common);
        directory.extend([0_u8; 6]);
        directory.extend((0o100_644_u32 << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.write_all(b"PK\x05\x06\0\0\0\0").unwrap();
    out.extend((members.len() as u16).to_le_bytes());
    out.extend((members.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

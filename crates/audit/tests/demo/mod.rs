//! Wheels of one package `demo` that are put together from the binaries of tests/fixtures/proof/make.sh, and what comes of
//! their proof.
#![allow(dead_code, unreachable_pub)] // each test takes what it needs

use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::Severity;
use wheel::{Packing, WriteOptions, pack_dir};
use wheelproof_audit::proof::{Proof, ProofOptions, Verdict, prove};

fn fixtures() -> Utf8PathBuf {
    Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/proof"))
}

/// Where a file of the wheel comes from.
#[derive(Clone, Copy)]
pub enum Origin {
    /// A fixture.
    Fixture(&'static str),
    /// A text.
    Text(&'static str),
    /// A fixture with one byte of its code changed, at this offset from the end of its first half.
    Damaged(&'static str),
    /// The first bytes of a fixture.
    Truncated(&'static str, usize),
    /// An ELF fixture whose header says another processor.
    OfAnotherMachine(&'static str),
    /// An ELF fixture whose libraries are two versions of libLLVM.
    OnLlvm(&'static str),
}
pub use Origin::*;

/// A wheel and what comes of it.
pub struct Case {
    pub name: &'static str,
    pub tags: &'static str,
    pub files: &'static [(&'static str, Origin)],
    pub metadata: &'static str,
    pub verdict: Verdict,
    /// `rule`, symbol or `-`, words of the message.
    pub because: &'static [(&'static str, &'static str, &'static str)],
}

pub const NONE: Case = Case { name: "", tags: "", files: &[], metadata: "", verdict: Verdict::Proven, because: &[] };
pub const LINUX: &str = "cp313-cp313-manylinux_2_28_x86_64";
pub const MUSL: &str = "cp313-cp313-musllinux_1_2_x86_64";
pub const MAC: &str = "cp313-cp313-macosx_12_0_arm64";
pub const WINDOWS: &str = "cp313-cp313-win_amd64";
pub const SO: &str = "demo/_core.cpython-313-x86_64-linux-gnu.so";
pub const HELPER: &str = "demo.libs/libhelper.so.1";
pub const PYD: &str = "demo/_core.cp313-win_amd64.pyd";

pub fn build(case: &Case, dir: &Utf8Path) -> Utf8PathBuf {
    let root = dir.join("tree");
    let put = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    };
    for (name, from) in case.files {
        let fixture = |name: &str| fs_err::read(fixtures().join(name)).unwrap();
        put(
            name,
            &match from {
                Fixture(name) => fixture(name),
                Text(text) => text.as_bytes().to_vec(),
                Damaged(name) => {
                    let mut bytes = fixture(name);
                    // Within the first page of code, which every signature covers.
                    bytes[4096 + 64] ^= 0x55;
                    bytes
                }
                Truncated(name, len) => fixture(name)[..*len].to_vec(),
                OnLlvm(name) => {
                    let bytes = renamed(fixture(name), b"libmiddle.so.1", b"libLLVM-18.so\0");
                    renamed(bytes, b"libhelper.so.1", b"libLLVM-19.so\0")
                }
                OfAnotherMachine(name) => {
                    let mut bytes = fixture(name);
                    bytes[18] = 183; // e_machine: EM_AARCH64
                    bytes
                }
            },
        );
    }
    let info = "demo-1.0.dist-info";
    put(
        &format!("{info}/METADATA"),
        format!("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n{}", case.metadata).as_bytes(),
    );
    let tags: Vec<String> =
        case.tags.parse::<platform::TagSet>().unwrap().expand().map(|tag| format!("Tag: {tag}\n")).collect();
    let wheel = format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\n{}", tags.concat());
    put(&format!("{info}/WHEEL"), wheel.as_bytes());
    put(&format!("{info}/RECORD"), b"");
    let out = dir.join(format!("demo-1.0-{}.whl", case.tags));
    pack_dir(&root, &out, &WriteOptions { packing: Packing::Dense, ..WriteOptions::default() }).unwrap();
    out
}

/// Every place of a text has another of its length.
fn renamed(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    for at in 0..bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
    }
    bytes
}

pub fn proven(case: &Case) -> Proof {
    let dir = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    prove(&build(case, dir), &ProofOptions::default()).unwrap()
}

pub fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        let proof = proven(case);
        let said: Vec<String> = proof
            .findings
            .iter()
            .filter(|finding| finding.severity >= Severity::Warning)
            .map(|finding| {
                format!(
                    "{} {} {}",
                    finding.rule.name,
                    finding.subject.symbol.as_deref().unwrap_or("-"),
                    finding.message
                )
            })
            .collect();
        let assumed: Vec<String> = proof.assumptions.iter().map(ToString::to_string).collect();
        let fits = |rule: &str, symbol: &str, words: &str| {
            said.iter().any(|line| line.starts_with(&format!("{rule} {symbol} ")) && line.contains(words))
        };
        let right = proof.verdict == case.verdict
            && case.because.iter().all(|(rule, symbol, words)| fits(rule, symbol, words))
            && (case.verdict != Verdict::Refuted || !case.because.is_empty());
        if !right {
            wrong.push(format!("{}: {} {said:#?} {assumed:?}", case.name, proof.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

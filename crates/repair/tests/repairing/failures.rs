//! What a tool can do wrong, made to happen: a false tool in the place of the real one. Nothing of it is ever taken for a
//! result.
#![cfg(unix)]

use crate::bench::{Bench, EPOCH, fixture, members, refused, repair, without_pad};
use camino::Utf8Path;
use host::toolenv::ToolEnvironment;
use wheelproof_repair::{RepairError, Request};

const NAME: &str = "pkg-1.0-cp313-cp313-win_amd64.whl";
const CORE: &str = "pkg/_core.cp313-win_amd64.pyd";

/// A wheel that lacks a library, and a request whose tool is a script. In it `$OUT` is the tool's folder and `$WHEEL` the
/// wheel, `$GOOD` one that a good tool would have made.
fn with_tool(bench: &Bench, script: &str) -> (Request, camino::Utf8PathBuf) {
    let wheel = bench.wheel(
        NAME,
        &[
            ("pkg/__init__.py", "x = 1\n".into()),
            ("pkg/table.bin", vec![9; 50]),
            (CORE, fixture("windows/_core.cp313-win_amd64.pyd")),
        ],
    );
    let programs = bench.folder("tool/bin");
    let python = programs.join("python");
    let head = "#!/bin/sh\nwhile [ $# -gt 1 ]; do if [ \"$1\" = -w ]; then OUT=$2; fi; shift; done\nWHEEL=$1\n";
    fs_err::write(&python, format!("{head}GOOD={}\n{script}\n", bench.dir.join("good").join(NAME))).unwrap();
    fs_err::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let tools = ToolEnvironment {
        purpose: "repair".to_owned(),
        dir: bench.dir.join("tool"),
        python,
        programs,
        base_python: "python3".into(),
        requirements: String::new(),
        locked: false,
    };
    (bench.request("windows-x86_64", "auto", tools), wheel)
}

/// The wheel as a good tool makes it, with changes: what is put beside and what is left out.
fn good(bench: &Bench, wheel: &Utf8Path, change: impl FnOnce(&mut wheel::Edits)) {
    let mut edits = wheel::Edits::new();
    for name in ["helper.dll", "deep.dll"] {
        edits.put(format!("pkg/{name}"), wheel::Content::Bytes(fixture(&format!("windows/{name}"))), 0o644);
    }
    change(&mut edits);
    let archive = wheel::Archive::open(wheel).unwrap();
    let options = wheel::WriteOptions { epoch: EPOCH, ..wheel::WriteOptions::default() };
    wheel::rewrite(&archive, &edits, None, &bench.folder("good").join(NAME), &options).unwrap();
}

#[test]
fn a_tool_that_fails_leaves_nothing() {
    let bench = Bench::new();
    let (request, wheel) = with_tool(&bench, "cp \"$WHEEL\" \"$OUT\"; echo 'it went wrong' >&2; exit 1");
    let (error, text) = refused(&request, &wheel);
    assert!(text.starts_with("repair: "), "{text}");
    assert!(error.step_error().unwrap().excerpt().iter().any(|line| line.contains("it went wrong")));
}

#[test]
fn a_tool_that_hangs_is_stopped() {
    let bench = Bench::new();
    let (mut request, wheel) = with_tool(&bench, "sleep 600");
    request.time_limit = 1;
    let (error, _) = refused(&request, &wheel);
    assert!(matches!(error, RepairError::Step(exec::StepError::TimedOut { .. })), "{error:?}");
}

#[test]
fn success_without_a_wheel_with_two_and_with_the_given_one() {
    for (script, said) in [
        ("true", "`delvewheel` reported success and left no wheel"),
        ("touch \"$OUT/notes.txt\"", "`delvewheel` reported success and left no wheel"),
        (
            "cp \"$WHEEL\" \"$OUT\"; cp \"$WHEEL\" \"$OUT/pkg-1.1-cp313-cp313-win_amd64.whl\"",
            "`delvewheel` left 2 wheels where one was asked for: pkg-1.0-cp313-cp313-win_amd64.whl, pkg-1.1-cp313-cp313-win_amd64.whl",
        ),
        (
            "cp \"$WHEEL\" \"$OUT\"",
            "`delvewheel` reported success and left the wheel as it was:\n  `pkg/_core.cp313-win_amd64.pyd` needs `helper.dll`, which is neither in the wheel nor Windows' or Python's",
        ),
        (
            "printf 'PK\\005\\006\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0' > \"$OUT/pkg-1.0-cp313-cp313-win_amd64.whl\"",
            "`delvewheel` reported success and left `pkg-1.0-cp313-cp313-win_amd64.whl`, which cannot be read: ",
        ),
        (
            "head -c 3000 \"$WHEEL\" > \"$OUT/pkg-1.0-cp313-cp313-win_amd64.whl\"",
            "`delvewheel` reported success and left `pkg-1.0-cp313-cp313-win_amd64.whl`, which cannot be read: ",
        ),
    ] {
        let bench = Bench::new();
        let (request, wheel) = with_tool(&bench, script);
        let before = fs_err::read(&wheel).unwrap();
        let (_, text) = refused(&request, &wheel);
        assert!(text.starts_with(said), "{script}: {text}");
        assert_eq!(fs_err::read(&wheel).unwrap(), before);
    }
}

#[test]
fn a_good_tool_has_no_findings() {
    let bench = Bench::new();
    let (request, wheel) = with_tool(&bench, "cp \"$GOOD\" \"$OUT\"");
    good(&bench, &wheel, |_| {});
    let result = repair(&request, &wheel).unwrap();
    assert!(result.findings.is_empty(), "{:?}", result.findings);
    assert_eq!(result.grafted.len(), 2);
    assert!(members(&result.wheel).contains_key("pkg/helper.dll"));
}

#[test]
fn damage_that_a_tool_does_is_found() {
    type Change = fn(&mut wheel::Edits);
    let core = || fixture("windows/_core.cp313-win_amd64.pyd");
    let cases: &[(&str, &str, Change)] = &[
        ("member-lost", "`pkg/table.bin` was in the wheel before the repair and is not any more", |edits| {
            edits.remove("pkg/table.bin");
        }),
        ("member-changed", "`pkg/table.bin` is another file than before the repair", |edits| {
            edits.put("pkg/table.bin", wheel::Content::Bytes(vec![8; 50]), 0o644);
        }),
        ("member-changed", "`pkg/__init__.py` has lost the line `x = 1`", |edits| {
            edits.put("pkg/__init__.py", wheel::Content::Bytes(b"x = 2\n".to_vec()), 0o644);
        }),
        (
            "member-changed",
            "`pkg/_core.cp313-win_amd64.pyd` was of the kind extension and is of the kind shared library",
            |edits| {
                edits.put(CORE, wheel::Content::Bytes(fixture("windows/helper.dll")), 0o644);
            },
        ),
        (
            "library-left-out",
            "`pkg/helper.dll` needs `deep.dll`, which is neither in the wheel nor Windows' or Python's",
            |edits| {
                edits.put("pkg/deep.dll.txt", wheel::Content::Bytes(Vec::new()), 0o644);
                edits.put("pkg/deep.dll", wheel::Content::Bytes(Vec::new()), 0o644);
            },
        ),
        ("not-reached", "`pkg/_core.cp313-win_amd64.pyd` needs `other.dll`", |edits| {
            let renamed = replaced(fixture("windows/_core.cp313-win_amd64.pyd"), b"helper.dll", b"other.dll\0");
            edits.put(CORE, wheel::Content::Bytes(renamed), 0o644);
            edits.put("pkg.libs/other.dll", wheel::Content::Bytes(fixture("windows/helper.dll")), 0o644);
        }),
        ("image-damaged", "`pkg/_core.cp313-win_amd64.pyd` cannot be read any more: section data", |edits| {
            let mut torn = fixture("windows/_core.cp313-win_amd64.pyd");
            torn.truncate(torn.len() - 512);
            edits.put(CORE, wheel::Content::Bytes(torn), 0o644);
        }),
        ("image-damaged", "`pkg/helper.dll` has load commands that reach into its first section", |edits| {
            // What LLVM's install_name_tool does to a file whose header is full.
            let mut over = without_pad(fixture("macos-arm64/libhelper.dylib"));
            let size = u32::from_le_bytes(over[20..24].try_into().unwrap()) + 8;
            let last = last_command(&over);
            let length = u32::from_le_bytes(over[last + 4..last + 8].try_into().unwrap()) + 8;
            over[last + 4..last + 8].copy_from_slice(&length.to_le_bytes());
            over[20..24].copy_from_slice(&size.to_le_bytes());
            edits.put("pkg/helper.dll", wheel::Content::Bytes(over), 0o644);
        }),
        ("wrong-architecture", "`pkg/helper.dll` is a binary of another system than the tag's", |edits| {
            edits.put("pkg/helper.dll", wheel::Content::Bytes(fixture("macos-x86_64/libhelper.dylib")), 0o644);
        }),
        ("libllvm-copies", "`pkg/libLLVM-20.dll` is one more libLLVM besides `pkg/libLLVM-19.dll`", |edits| {
            edits.put("pkg/libLLVM-19.dll", wheel::Content::Bytes(fixture("windows/deep.dll")), 0o644);
            edits.put("pkg/libLLVM-20.dll", wheel::Content::Bytes(fixture("windows/deep.dll")), 0o644);
        }),
    ];
    assert!(!core().is_empty());
    for (rule, message, change) in cases {
        let bench = Bench::new();
        let (request, wheel) = with_tool(&bench, "cp \"$GOOD\" \"$OUT\"");
        good(&bench, &wheel, change);
        let findings = repair(&request, &wheel).unwrap().findings;
        let found = findings.iter().any(|finding| finding.rule.name == *rule && finding.message.starts_with(message));
        assert!(found, "{rule}: {message}\n{findings:#?}");
    }
}

/// Where a Mach-O's last load command starts.
fn last_command(macho: &[u8]) -> usize {
    let file = objfile::parse(macho).unwrap();
    file.objects().next().unwrap().macho().unwrap().load_commands.last().unwrap().offset as usize
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn an_old_tool_is_refused_with_the_reason() {
    let bench = Bench::new();
    let (request, wheel) = with_tool(&bench, "exit 1");
    bench.folder("tool/lib/python3.13/site-packages/delvewheel-1.8.0.dist-info");
    let (_, text) = refused(&request, &wheel);
    assert!(text.starts_with("delvewheel 1.8.0 is too old, 1.12 is needed: before 1.12 `--exclude`"), "{text}");
}

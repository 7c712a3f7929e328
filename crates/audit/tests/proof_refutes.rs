//! Broken wheels are refuted, each for the right reason, and their sound twins are proven: on three systems, whatever the host.
//! Modules by the names of their files: proof_modules.rs.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod demo;

use camino::Utf8Path;
use demo::{Case, HELPER, LINUX, MAC, MUSL, NONE, Origin::*, PYD, SO, WINDOWS, build, check, proven};
use wheelproof_audit::proof::Verdict;

const LINUX_CASES: &[Case] = &[
    Case {
        name: "module of another processor",
        tags: LINUX,
        files: &[(SO, OfAnotherMachine("linux/core.so")), (HELPER, Fixture("linux/helper.so"))],
        verdict: Verdict::Refuted,
        because: &[("loader-refuses", "-", "aarch64")],
        ..NONE
    },
    Case {
        name: "sound",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))],
        ..NONE
    },
    Case {
        name: "the library is not there",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so"))],
        verdict: Verdict::Refuted,
        because: &[(
            "missing-library",
            "libhelper.so.1",
            "neither in the wheel nor a system library of manylinux_2_28; `helper` is taken from it",
        )],
        ..NONE
    },
    Case {
        name: "renamed, but its users are not told",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), ("demo.libs/libhelper-1a2b3c4d.so.1", Fixture("linux/helper.so"))],
        verdict: Verdict::Refuted,
        because: &[("missing-library", "libhelper.so.1", "")],
        ..NONE
    },
    Case {
        name: "it lies where no path leads",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core-nopath.so")), (HELPER, Fixture("linux/helper.so"))],
        verdict: Verdict::Refuted,
        because: &[(
            "missing-library",
            "libhelper.so.1",
            "`demo.libs/libhelper.so.1` has that name, but no search path leads there",
        )],
        ..NONE
    },
    Case {
        name: "the package opens it before",
        tags: LINUX,
        files: &[
            (SO, Fixture("linux/core-nopath.so")),
            (HELPER, Fixture("linux/helper.so")),
            (
                "demo/__init__.py",
                Text("import ctypes\nctypes.CDLL(here + '/../demo.libs/libhelper.so.1', ctypes.RTLD_GLOBAL)\n"),
            ),
        ],
        verdict: Verdict::Assumed,
        ..NONE
    },
    Case {
        name: "the symbol is not in it",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper-other.so"))],
        verdict: Verdict::Refuted,
        because: &[(
            "unresolved-symbol",
            "helper",
            "neither the wheel's libraries nor manylinux_2_28 nor Python define it",
        )],
        ..NONE
    },
    Case {
        name: "it is hidden",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper-hidden.so"))],
        verdict: Verdict::Refuted,
        because: &[("unresolved-symbol", "helper", "")],
        ..NONE
    },
    Case {
        name: "versions agree",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core-v1.so")), (HELPER, Fixture("linux/helper-v1.so"))],
        ..NONE
    },
    Case {
        name: "another version of the library",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core-v1.so")), (HELPER, Fixture("linux/helper-v2.so"))],
        verdict: Verdict::Refuted,
        because: &[("missing-version", "HELPER_1", "which defines `HELPER_2`")],
        ..NONE
    },
    Case {
        name: "for another processor",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("other/helper-aarch64.so"))],
        verdict: Verdict::Refuted,
        because: &[("missing-library", "libhelper.so.1", "is for aarch64")],
        ..NONE
    },
    Case {
        name: "an RPATH reaches through",
        tags: LINUX,
        files: &[
            (SO, Fixture("linux/core-middle.so")),
            ("demo.libs/libmiddle.so.1", Fixture("linux/middle.so")),
            (HELPER, Fixture("linux/helper.so")),
        ],
        ..NONE
    },
    Case {
        name: "a grafted library kept its RUNPATH",
        tags: LINUX,
        files: &[
            (SO, Fixture("linux/core-middle.so")),
            ("demo.libs/libmiddle.so.1", Fixture("linux/middle-runpath.so")),
            (HELPER, Fixture("linux/helper.so")),
        ],
        verdict: Verdict::Refuted,
        because: &[("missing-library", "libhelper.so.1", "the requirer's own RUNPATH makes the loader ignore it")],
        ..NONE
    },
    Case {
        name: "another extension happens to define it",
        tags: LINUX,
        files: &[
            (SO, Fixture("linux/core-unlinked.so")),
            ("demo/_other.cpython-313-x86_64-linux-gnu.so", Fixture("linux/other.so")),
        ],
        verdict: Verdict::Refuted,
        because: &[(
            "unresolved-symbol",
            "helper",
            "`demo/_other.cpython-313-x86_64-linux-gnu.so` defines it, but is not loaded",
        )],
        ..NONE
    },
    Case {
        name: "a private name that 3.13 lacks",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core-gone.so"))],
        verdict: Verdict::Refuted,
        because: &[("python-lacks-symbol", "_Py_IsFinalizing", "no longer exported since 3.13")],
        ..NONE
    },
    Case {
        name: "the same name on 3.12",
        tags: "cp312-cp312-manylinux_2_28_x86_64",
        files: &[("demo/_core.cpython-312-x86_64-linux-gnu.so", Fixture("linux/core-gone.so"))],
        ..NONE
    },
    Case {
        name: "a libc that is too new",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core-arc4random.so"))],
        verdict: Verdict::Refuted,
        because: &[
            ("missing-version", "GLIBC_2.36", "has GLIBC up to 2.28 in manylinux_2_28"),
            ("tag-too-wide", "-", "GLIBC_2.36"),
        ],
        ..NONE
    },
    Case {
        name: "libpython",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core-libpython.so"))],
        verdict: Verdict::Refuted,
        because: &[("missing-library", "libpython3.13.so.1.0", "not every Python has a library of its own")],
        ..NONE
    },
    Case {
        name: "executable stack",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper-execstack.so"))],
        verdict: Verdict::Refuted,
        because: &[("executable-stack", "-", "glibc 2.41")],
        ..NONE
    },
    Case {
        name: "x86-64-v3",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper-v3.so"))],
        verdict: Verdict::Refuted,
        because: &[("isa-level", "-", "x86-64-v3")],
        ..NONE
    },
    Case {
        name: "too much static TLS",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper-tls.so"))],
        verdict: Verdict::Refuted,
        because: &[("static-tls", "-", "16384 bytes")],
        ..NONE
    },
    Case {
        name: "packed relocations",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper-relr.so"))],
        verdict: Verdict::Refuted,
        because: &[("packed-relocations", "-", "glibc before 2.36")],
        ..NONE
    },
    Case {
        name: "a truncated library",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so")), (HELPER, Truncated("linux/helper.so", 900))],
        verdict: Verdict::Refuted,
        because: &[("unreadable-binary", "-", "")],
        ..NONE
    },
    Case {
        name: "a text with the name of a module",
        tags: LINUX,
        files: &[(SO, Text("not found\n")), ("demo/__init__.py", Text(""))],
        verdict: Verdict::Refuted,
        because: &[("unreadable-binary", "-", "the file is a text, though it is called like a binary")],
        ..NONE
    },
    Case {
        name: "a pointer of Git LFS and an empty file, whatever the tag promises",
        tags: "py3-none-any",
        files: &[
            ("demo/_fast.abi3.so", Text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")),
            ("demo/_other.so", Text("")),
            ("demo/__init__.py", Text("")),
        ],
        verdict: Verdict::Refuted,
        because: &[("unreadable-binary", "-", "a pointer of Git LFS"), ("unreadable-binary", "-", "the file is empty")],
        ..NONE
    },
    Case {
        name: "a module that is a Windows DLL and exports nothing",
        tags: LINUX,
        files: &[(SO, Fixture("windows/helper.dll")), ("demo/__init__.py", Text(""))],
        verdict: Verdict::Refuted,
        because: &[("loader-refuses", "-", "PE")],
        ..NONE
    },
    Case {
        name: "what no importer opens may be anything",
        tags: LINUX,
        files: &[
            (SO, Fixture("linux/core.so")),
            (HELPER, Fixture("linux/helper.so")),
            ("demo/__init__.py", Text("")),
            ("demo/_script.so", Text("/* GNU ld script */\nINPUT(libhelper.so.1)\n")),
            ("demo/libtext.so", Text("libtext.so.1")),
            ("demo/lib/libhelper.so", Text("INPUT(libhelper.so.1)\n")),
            ("demo/data/sample.so", Text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")),
            ("demo/data/empty.so", Text("")),
            ("demo/lib/libhelper.a", Text("!<arch>\n")),
            ("demo/_core.cpython-312-x86_64-linux-gnu.so", Text("of another Python")),
            ("demo/_core.cp313-win_amd64.pyd", Text("of another system")),
        ],
        ..NONE
    },
    Case {
        name: "a module that the package does without",
        tags: LINUX,
        files: &[
            (SO, Fixture("linux/core.so")),
            ("demo/__init__.py", Text("try:\n    from . import _core\nexcept ImportError:\n    _core = None\n")),
        ],
        verdict: Verdict::Assumed,
        because: &[("missing-library", "libhelper.so.1", "")],
        ..NONE
    },
    Case {
        name: "a required distribution brings it",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so"))],
        metadata: "Requires-Dist: helper (>=1)\n",
        verdict: Verdict::Assumed,
        ..NONE
    },
    Case {
        name: "only an extra would bring it",
        tags: LINUX,
        files: &[(SO, Fixture("linux/core.so"))],
        metadata: "Requires-Dist: helper (>=1) ; extra == 'fast'\n",
        verdict: Verdict::Refuted,
        because: &[("missing-library", "libhelper.so.1", "")],
    },
    Case { name: "no binary at all", tags: "py3-none-any", files: &[("demo/__init__.py", Text(""))], ..NONE },
];

#[test]
fn linux() {
    check(LINUX_CASES);
}

#[test]
fn the_stable_abi_holds_from_the_floor_on() {
    let case = Case {
        tags: "cp39-abi3-manylinux_2_28_x86_64",
        files: &[("demo/_core.abi3.so", Fixture("linux/core-newer.so"))],
        ..NONE
    };
    let proof = proven(&case);
    let results: Vec<(Verdict, Vec<&str>)> = proof
        .results
        .iter()
        .map(|result| (result.verdict, result.pythons.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        results,
        [
            (Verdict::Proven, vec!["cp310", "cp311", "cp312", "cp313", "cp314", "cp315"]),
            (Verdict::Refuted, vec!["cp39"])
        ]
    );
    assert!(proof.findings[0].message.contains("3.9: it is exported from 3.10 on"), "{:?}", proof.findings[0]);
}

#[test]
fn musl() {
    const MUSL_SO: &str = "demo/_core.cpython-313-x86_64-linux-musl.so";
    check(&[
        Case {
            name: "sound",
            tags: MUSL,
            files: &[(MUSL_SO, Fixture("musl/core.so")), (HELPER, Fixture("musl/helper.so"))],
            ..NONE
        },
        Case {
            name: "missing",
            tags: MUSL,
            files: &[(MUSL_SO, Fixture("musl/core.so"))],
            verdict: Verdict::Refuted,
            because: &[("missing-library", "libhelper.so.1", "musllinux_1_2")],
            ..NONE
        },
    ]);
}

#[test]
fn macos() {
    const MAC_SO: &str = "demo/_core.cpython-313-darwin.so";
    const DYLIB: &str = "demo/.dylibs/libhelper.dylib";
    check(&[
        Case {
            name: "sound",
            tags: MAC,
            files: &[(MAC_SO, Fixture("macos/core.so")), (DYLIB, Fixture("macos/helper.dylib"))],
            ..NONE
        },
        Case {
            name: "missing",
            tags: MAC,
            files: &[(MAC_SO, Fixture("macos/core.so"))],
            verdict: Verdict::Refuted,
            because: &[("missing-library", "@rpath/libhelper.dylib", "")],
            ..NONE
        },
        Case {
            name: "the symbol is not in the library that was named at link time",
            tags: MAC,
            files: &[(MAC_SO, Fixture("macos/core.so")), (DYLIB, Fixture("macos/helper-other.dylib"))],
            verdict: Verdict::Refuted,
            because: &[("unresolved-symbol", "helper", "`demo/.dylibs/libhelper.dylib` does not have it")],
            ..NONE
        },
        Case {
            name: "the signature does not fit",
            tags: MAC,
            files: &[(MAC_SO, Fixture("macos/core.so")), (DYLIB, Damaged("macos/helper.dylib"))],
            verdict: Verdict::Refuted,
            because: &[("unsigned-code", "-", "")],
            ..NONE
        },
        Case {
            name: "a private name that 3.13 lacks",
            tags: MAC,
            files: &[(MAC_SO, Fixture("macos/core-gone.so"))],
            verdict: Verdict::Refuted,
            because: &[("python-lacks-symbol", "_Py_IsFinalizing", "")],
            ..NONE
        },
        Case {
            name: "built for a newer macOS: a fact, not a refutation",
            tags: MAC,
            files: &[(MAC_SO, Fixture("macos/core.so")), (DYLIB, Fixture("macos/helper-14.dylib"))],
            because: &[("tag-too-wide", "-", "macOS 14.0")],
            ..NONE
        },
        Case {
            name: "universal2 with one half",
            tags: "cp313-cp313-macosx_12_0_universal2",
            files: &[(MAC_SO, Fixture("macos/core-x86_64.so"))],
            because: &[("tag-architecture", "-", "arm64")],
            ..NONE
        },
    ]);
}

#[test]
fn windows() {
    check(&[
        Case {
            name: "sound, beside it",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/core.pyd")), ("demo/helper.dll", Fixture("windows/helper.dll"))],
            ..NONE
        },
        Case {
            name: "missing",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/core.pyd"))],
            verdict: Verdict::Refuted,
            because: &[("missing-library", "helper.dll", "neither in the wheel nor a system library of Windows")],
            ..NONE
        },
        Case {
            name: "in a folder that nobody adds",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/core.pyd")), ("demo.libs/helper.dll", Fixture("windows/helper.dll"))],
            verdict: Verdict::Refuted,
            because: &[("missing-library", "helper.dll", "no search path leads there")],
            ..NONE
        },
        Case {
            name: "in a folder that the package adds",
            tags: WINDOWS,
            files: &[
                (PYD, Fixture("windows/core.pyd")),
                ("demo.libs/helper.dll", Fixture("windows/helper.dll")),
                (
                    "demo/__init__.py",
                    Text(
                        "import os\nos.add_dll_directory(os.path.join(os.path.dirname(__file__), os.pardir, 'demo.libs'))\n",
                    ),
                ),
            ],
            ..NONE
        },
        Case {
            name: "the symbol is not in it",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/core.pyd")), ("demo/helper.dll", Fixture("windows/helper-other.dll"))],
            verdict: Verdict::Refuted,
            because: &[("unresolved-symbol", "helper", "`demo/helper.dll` does not have it")],
            ..NONE
        },
        Case {
            name: "another Python's DLL",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/core-312.pyd")), ("demo/helper.dll", Fixture("windows/helper.dll"))],
            verdict: Verdict::Refuted,
            because: &[("missing-library", "python312.dll", "the wheel's tags name another Python")],
            ..NONE
        },
        Case {
            name: "a private name that 3.13 lacks",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/core-gone.pyd"))],
            verdict: Verdict::Refuted,
            because: &[("python-lacks-symbol", "_Py_IsFinalizing", "")],
            ..NONE
        },
        Case {
            name: "newer than the floor",
            tags: "cp39-abi3-win_amd64",
            files: &[("demo/_core.pyd", Fixture("windows/core-newer.pyd"))],
            verdict: Verdict::Refuted,
            because: &[("python-lacks-symbol", "PyObject_CallNoArgs", "from Python 3.10 on, and the tag says 3.9")],
            ..NONE
        },
        Case {
            name: "not in python3.dll",
            tags: "cp312-abi3-win_amd64",
            files: &[("demo/_core.pyd", Fixture("windows/core-unstable.pyd"))],
            verdict: Verdict::Refuted,
            because: &[("python-lacks-symbol", "PyGen_GetCode", "stable ABI")],
            ..NONE
        },
        Case {
            name: "Microsoft's C++ library",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/core-msvcp.pyd"))],
            verdict: Verdict::Assumed,
            because: &[("needs-vc-redistributable", "MSVCP140.dll", "not in the wheel")],
            ..NONE
        },
    ]);
}

/// A Python 3.13 of this machine, where it is Linux on x86-64.
fn python() -> Option<String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return None;
    }
    let pyenv = std::env::var("HOME").map(|home| format!("{home}/.pyenv/versions")).unwrap_or_default();
    let versions = Utf8Path::new(&pyenv).read_dir_utf8().into_iter().flatten().flatten();
    let versions = versions.filter(|entry| entry.file_name().starts_with("3.13."));
    let mut candidates: Vec<String> = versions.map(|entry| format!("{}/bin/python", entry.path())).collect();
    candidates.insert(0, "python3.13".to_owned());
    let answers = |python: &&String| {
        let asked = std::process::Command::new(python).args(["-c", "import sys; print(sys.version_info[:2])"]).output();
        asked.is_ok_and(|output| output.stdout.starts_with(b"(3, 13)"))
    };
    candidates.iter().find(answers).cloned()
}

/// What only the oldest or newest of the tag's systems refuse, or what depends on the processor.
const THIS_MACHINE_MAY_DIFFER: [&str; 7] = [
    "a libc that is too new",
    "libpython",
    "executable stack",
    "x86-64-v3",
    "too much static TLS",
    "packed relocations",
    "a required distribution brings it",
];

#[test]
fn the_loader_of_this_machine_agrees() {
    let Some(python) = python() else {
        println!("skipped: no Python 3.13 for x86-64 Linux");
        return;
    };
    let differing = |case: &&Case| THIS_MACHINE_MAY_DIFFER.contains(&case.name) || case.tags != LINUX;
    let mut wrong = Vec::new();
    for case in LINUX_CASES.iter().filter(|case| !differing(case)) {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        build(case, dir);
        let tree = dir.join("tree");
        // The texts are for the scan alone; here the module is what is imported.
        let preload = case.files.iter().any(|(_, from)| matches!(from, Text(text) if text.contains("CDLL")));
        let init = tree.join("demo/__init__.py");
        let mut code = "import demo._core".to_owned();
        if preload {
            code = format!("import ctypes; ctypes.CDLL('{tree}/{HELPER}', ctypes.RTLD_GLOBAL); {code}");
        }
        let kept = fs_err::read_to_string(&init).unwrap_or_default();
        fs_err::write(&init, if preload { "" } else { &kept }).unwrap();
        let output = std::process::Command::new(&python)
            .args(["-I", "-S", "-c", &format!("import sys; sys.path.insert(0, '{tree}'); {code}")])
            .env("LD_BIND_NOW", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // A module that the package does without fails all the same when it is imported by itself.
        let expected =
            case.verdict != Verdict::Refuted && !case.because.iter().any(|(rule, ..)| *rule == "missing-library");
        if output.status.success() != expected {
            wrong.push(format!("{}: {} but {text}", case.name, case.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

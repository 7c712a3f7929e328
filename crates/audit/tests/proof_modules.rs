//! Files named like extension modules: which import, which refute the wheel because they cannot, and which are something else.
#![allow(clippy::unwrap_used)]

mod demo;

use camino::Utf8Path;
use demo::{Case, HELPER, LINUX, NONE, Origin::*, PYD, SO, WINDOWS, build, check, proven};
use wheelproof_audit::proof::{ProofOptions, Verdict, prove};

/// A file under another name than the module in it, `PyInit__other`.
const RENAMED: &str = "demo/_d.cpython-313-x86_64-linux-gnu.so";
/// The module of Python 3.12.
const OLDER: &str = "demo/_core.cpython-312-x86_64-linux-gnu.so";
const GUARDED: &str = "try:\n    from . import _core\nexcept ImportError:\n    _core = None\n";

#[test]
fn without_the_function_that_import_calls() {
    check(&[
        Case {
            name: "nothing else can be meant",
            tags: LINUX,
            files: &[(RENAMED, Fixture("linux/other.so")), ("demo/__init__.py", Text(""))],
            verdict: Verdict::Refuted,
            because: &[(
                "no-init-function",
                "PyInit__d",
                "`import demo._d` calls `PyInit__d` in it, and it has `PyInit__other` instead",
            )],
            ..NONE
        },
        Case {
            name: "no such function at all",
            tags: LINUX,
            files: &[(SO, Fixture("linux/helper.so"))],
            verdict: Verdict::Refuted,
            because: &[("no-init-function", "PyInit__core", "no such function")],
            ..NONE
        },
        Case {
            name: "on Windows",
            tags: WINDOWS,
            files: &[(PYD, Fixture("windows/helper.dll"))],
            verdict: Verdict::Refuted,
            because: &[("no-init-function", "PyInit__core", "no such function")],
            ..NONE
        },
        Case {
            name: "a library for ctypes",
            tags: LINUX,
            files: &[
                (RENAMED, Fixture("linux/other.so")),
                ("demo/__init__.py", Text("import ctypes, glob\nlib = ctypes.CDLL(glob.glob(here + '/_d.*')[0])\n")),
            ],
            ..NONE
        },
        Case {
            name: "code opens some library, perhaps this one",
            tags: LINUX,
            files: &[
                (RENAMED, Fixture("linux/other.so")),
                ("demo/__init__.py", Text("import ctypes\nlib = ctypes.CDLL(find(NAME))\n")),
            ],
            verdict: Verdict::Assumed,
            because: &[("no-init-function", "PyInit__d", "")],
            ..NONE
        },
        Case {
            name: "code opens it by the name of a module",
            tags: LINUX,
            files: &[
                (RENAMED, Fixture("linux/other.so")),
                ("demo/__init__.py", Text("import ctypes\ndef load(name):\n    return ctypes.CDLL(find(name))\n")),
                ("demo/d.py", Text("from . import load\nlib = load('demo._d')\n")),
            ],
            ..NONE
        },
        Case {
            name: "beside a module that imports",
            tags: LINUX,
            files: &[
                (SO, Fixture("linux/core.so")),
                (HELPER, Fixture("linux/helper.so")),
                (RENAMED, Fixture("linux/other.so")),
            ],
            verdict: Verdict::Assumed,
            because: &[("no-init-function", "PyInit__d", "")],
            ..NONE
        },
        Case {
            name: "beside a module that imports, and imported in plain sight",
            tags: LINUX,
            files: &[
                (SO, Fixture("linux/core.so")),
                (HELPER, Fixture("linux/helper.so")),
                (RENAMED, Fixture("linux/other.so")),
                ("demo/__init__.py", Text("from . import _d\n")),
            ],
            verdict: Verdict::Refuted,
            because: &[("no-init-function", "PyInit__d", "")],
            ..NONE
        },
        Case {
            name: "a library by its name",
            tags: LINUX,
            files: &[("demo/libd.cpython-313-x86_64-linux-gnu.so", Fixture("linux/helper.so"))],
            ..NONE
        },
        Case {
            name: "a library that a module needs",
            tags: LINUX,
            files: &[
                (SO, Fixture("linux/core-nopath.so")),
                ("demo/_d.cpython-313-x86_64-linux-gnu.so", Fixture("linux/helper.so")),
                ("demo/__init__.py", Text("import ctypes\nctypes.CDLL('_d.so', ctypes.RTLD_GLOBAL)\n")),
            ],
            verdict: Verdict::Assumed,
            ..NONE
        },
        Case {
            name: "no suffix, no module",
            tags: LINUX,
            files: &[("demo/_d.so", Fixture("linux/helper.so"))],
            ..NONE
        },
    ]);
}

#[test]
fn no_file_for_a_python_of_the_tags() {
    check(&[
        Case {
            name: "for another Python alone",
            tags: LINUX,
            files: &[(OLDER, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))],
            verdict: Verdict::Refuted,
            because: &[(
                "no-file-for-python",
                "-",
                "`demo._core` is there as `_core.cpython-312-x86_64-linux-gnu.so` alone",
            )],
            ..NONE
        },
        Case {
            name: "under a tag of the stable ABI",
            tags: "cp310-abi3-manylinux_2_28_x86_64",
            files: &[(OLDER, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))],
            verdict: Verdict::Refuted,
            because: &[("no-file-for-python", "-", "for which Python 3.10-3.11, 3.13-3.15 of the tags does not look")],
            ..NONE
        },
        Case {
            name: "for another machine by its name",
            tags: LINUX,
            files: &[
                ("demo/_core.cpython-313-aarch64-linux-gnu.so", Fixture("linux/core.so")),
                (HELPER, Fixture("linux/helper.so")),
            ],
            verdict: Verdict::Refuted,
            because: &[("no-file-for-python", "-", "aarch64")],
            ..NONE
        },
        Case {
            name: "for several Pythons",
            tags: LINUX,
            files: &[
                (OLDER, Fixture("linux/core.so")),
                (SO, Fixture("linux/core.so")),
                (HELPER, Fixture("linux/helper.so")),
            ],
            ..NONE
        },
        Case {
            name: "one of several modules",
            tags: "cp312.cp313-cp312.cp313-manylinux_2_28_x86_64",
            files: &[
                (OLDER, Fixture("linux/core.so")),
                (SO, Fixture("linux/core.so")),
                (HELPER, Fixture("linux/helper.so")),
                ("demo/_other.cpython-312-x86_64-linux-gnu.so", Fixture("linux/other.so")),
            ],
            because: &[("no-file-for-python", "-", "`demo._other` is there as")],
            ..NONE
        },
        Case {
            name: "the package does without",
            tags: LINUX,
            files: &[(OLDER, Fixture("linux/other.so")), ("demo/__init__.py", Text(GUARDED))],
            ..NONE
        },
        Case {
            name: "a module in Python takes its place",
            tags: LINUX,
            files: &[
                ("demo/_other.cpython-312-x86_64-linux-gnu.so", Fixture("linux/other.so")),
                ("demo/_other.py", Text("")),
            ],
            ..NONE
        },
        Case {
            name: "a tag that names no Python promises no module",
            tags: "py3-none-manylinux_2_28_x86_64",
            files: &[("demo/_other.cpython-312-x86_64-linux-gnu.so", Fixture("linux/other.so"))],
            because: &[("no-file-for-python", "-", "")],
            ..NONE
        },
        Case {
            name: "the stable ABI",
            tags: LINUX,
            files: &[("demo/_core.abi3.so", Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))],
            ..NONE
        },
        Case {
            name: "no suffix",
            tags: LINUX,
            files: &[("demo/_core.so", Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))],
            ..NONE
        },
    ]);
    let several = proven(&Case {
        tags: "cp312.cp313-cp312.cp313-manylinux_2_28_x86_64",
        files: &[(OLDER, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))],
        ..NONE
    });
    let results: Vec<(Verdict, &[String])> =
        several.results.iter().map(|result| (result.verdict, result.pythons.as_slice())).collect();
    assert_eq!(results, [(Verdict::Proven, &["cp312".to_owned()][..]), (Verdict::Refuted, &["cp313".to_owned()][..])]);
}

#[test]
fn a_file_of_another_system() {
    let case = |name, files| Case {
        name,
        tags: LINUX,
        files,
        verdict: Verdict::Refuted,
        because: &[("loader-refuses", "-", "which the loader of no tag of the wheel takes")],
        ..NONE
    };
    check(&[
        case("macOS", &[(RENAMED, Fixture("macos/core.so"))]),
        case("Windows", &[(RENAMED, Fixture("windows/core.pyd"))]),
        case("another processor", &[(RENAMED, Fixture("other/helper-aarch64.so"))]),
    ]);
}

#[test]
fn two_llvms_in_one_process() {
    check(&[
        Case {
            name: "in one",
            tags: LINUX,
            files: &[
                (SO, OnLlvm("linux/core-middle.so")),
                ("demo.libs/libLLVM-18.so", OnLlvm("linux/middle.so")),
                ("demo.libs/libLLVM-19.so", OnLlvm("linux/helper.so")),
            ],
            verdict: Verdict::Refuted,
            because: &[(
                "two-llvm",
                "-",
                "one process loads 2 copies of LLVM: `demo.libs/libLLVM-18.so`, `demo.libs/libLLVM-19.so`",
            )],
            ..NONE
        },
        Case {
            name: "one is nobody's",
            tags: LINUX,
            files: &[
                (SO, OnLlvm("linux/core.so")),
                ("demo.libs/libLLVM-18.so", OnLlvm("linux/helper-other.so")),
                ("demo.libs/libLLVM-19.so", OnLlvm("linux/helper.so")),
            ],
            ..NONE
        },
    ]);
}

#[test]
fn pythons_that_the_tags_do_not_name() {
    let dir = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    let files: &[_] = &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))];
    let asked = |tags: &'static str, pythons: &[capi::Python]| {
        let wheel = build(&Case { tags, files, ..NONE }, &dir.join(tags));
        let proof = prove(&wheel, &ProofOptions { pythons: pythons.to_vec(), ..ProofOptions::default() }).unwrap();
        let results: Vec<String> =
            proof.results.iter().map(|result| format!("{} {}", result.pythons.join(" "), result.verdict)).collect();
        let told = proof.findings.iter().any(|finding| finding.rule.name == "python-not-in-tags");
        assert_eq!(told, results.iter().any(|result| result.ends_with("refuted")), "{:#?}", proof.findings);
        (proof.verdict, results.join(", "))
    };
    let gil = capi::Python::gil;
    assert_eq!(asked(LINUX, &[gil(13)]), (Verdict::Proven, "cp313 proven".into()));
    assert_eq!(asked(LINUX, &[gil(14)]), (Verdict::Refuted, "cp314 refuted".into()));
    assert_eq!(asked(LINUX, &[gil(13), gil(14)]), (Verdict::Refuted, "cp313 proven, cp314 refuted".into()));
    assert_eq!(asked("py3-none-manylinux_2_28_x86_64", &[gil(13)]), (Verdict::Proven, "cp313 proven".into()));
}

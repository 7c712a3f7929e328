//! Every rule on binaries that were built from the very example of its page, for three systems.
#![allow(clippy::unwrap_used)]

use audit::{Judge, Options, RULES};
use camino::Utf8PathBuf;
use capi::Python;
use diagnostics::{Finding, Severity};
use std::collections::BTreeSet;
use wheelproof_audit as audit;

fn fixtures() -> Utf8PathBuf {
    Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/symbols"))
}

/// `rule severity symbol`, and `because`.
fn line(finding: &Finding) -> String {
    let symbol = finding.subject.symbol.as_deref().unwrap_or("-");
    let because = finding.because.map_or(String::new(), |rule| format!(" because {rule}"));
    format!("{} {} {symbol}{because}", finding.rule, finding.severity)
}

fn judged(file: &str, judge: &Judge) -> Vec<Finding> {
    let inspection = audit::open(&fixtures().join(file), &Options::default()).unwrap();
    audit::symbols(&inspection, judge)
}

fn lines(file: &str, judge: &Judge) -> Vec<String> {
    let mut lines: Vec<_> = judged(file, judge).iter().map(line).collect();
    lines.sort();
    lines
}

const ALL: [&str; 3] = ["linux_x86_64", "macosx_12_0_arm64", "win_amd64"];
const LINUX: [&str; 1] = ["linux_x86_64"];

/// Fixture, tag, systems, and everything that is found, nothing else.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const TABLE: &[Row] = &[
    ("missing_symbol", "cp313-cp313", &ALL, &["missing-symbol error _Py_IsFinalizing"]),
    ("needs_bugfix_release", "cp313-cp313", &ALL, &["needs-bugfix-release warning _PySys_GetOptionalAttr"]),
    ("macro_only", "cp313-cp313", &ALL, &["macro-only error PyCoro_CheckExact"]),
    ("removed_later", "cp311-cp311", &ALL, &["removed-later info PyUnicode_AsUnicode"]),
    ("internal_symbol", "cp313-cp313", &ALL, &["internal-symbol warning _PySet_Update"]),
    ("private_symbol", "cp313-cp313", &ALL, &["private-symbol warning _PyDict_NewPresized"]),
    ("private_through_macro", "cp313-cp313", &ALL, &["private-through-macro info _Py_FatalErrorFunc"]),
    ("unstable_symbol", "cp313-cp313", &ALL, &["unstable-symbol info PyUnstable_Code_SetExtra"]),
    ("abi3_violation", "cp39-abi3", &ALL, &["abi3-violation error PyGen_GetCode"]),
    ("abi3_newer_than_tag", "cp39-abi3", &ALL, &["abi3-newer-than-tag error PyObject_CallNoArgs"]),
    (
        "runtime_named",
        "cp313-cp313",
        &ALL,
        &[
            "runtime-named warning PyCoro_CheckExact because macro-only",
            "runtime-named warning _PySet_Update because internal-symbol",
        ],
    ),
    ("underscore_export", "cp313-cp313", &ALL, &["underscore-export info _PyJIT_call"]),
    ("init_function", "cp313-cp313", &ALL, &["init-function error PyInit__core"]),
    ("links_libpython", "cp313-cp313", &["linux_x86_64"], &["links-libpython error libpython3.13.so.1.0"]),
    ("links_libpython", "cp313-cp313", &["macosx_12_0_arm64"], &["links-libpython error @rpath/libpython3.13.dylib"]),
    ("links_libpython", "cp313-cp313", &["win_amd64"], &["links-libpython error python312.dll"]),
    ("exported_surface", "cp313-cp313", &ALL, &["exported-surface info -"]),
    ("unique_symbols", "cp313-cp313", &LINUX, &["unique-symbols info -"]),
    ("two_llvm", "py3-none", &LINUX, &["two-llvm error -"]),
];

/// Rules whose examples are inputs of tests/malformed.rs.
const ELSEWHERE: [&str; 7] = [
    "unreadable-binary",
    "unreadable-wheel",
    "unreadable-member",
    "unsafe-member",
    "odd-member",
    "wheel-name",
    "foreign-extension",
];

#[test]
fn every_rule_finds_its_own_example_and_nothing_else() {
    for (name, tag, systems, expected) in TABLE {
        for system in *systems {
            let file = format!("{name}-1-{tag}-{system}.whl");
            assert_eq!(lines(&file, &Judge::default()), *expected, "{file}");
        }
    }
}

#[test]
fn every_rule_has_an_example_that_is_tested() {
    let mut tested: BTreeSet<_> = TABLE.iter().map(|(name, ..)| name.replace('_', "-")).collect();
    tested.extend(ELSEWHERE.map(str::to_owned));
    assert_eq!(tested, RULES.iter().map(|rule| rule.name.to_owned()).collect());
    for rule in RULES.iter().filter(|rule| rule.code.starts_with("PY")) {
        assert!(rule.example.contains("#include <Python.h>"), "{rule}");
    }
}

#[test]
fn messages_say_what_where_and_what_instead() {
    let table: &[(&str, &str, Option<&str>)] = &[
        (
            "missing_symbol-1-cp313-cp313-linux_x86_64.whl",
            "`_Py_IsFinalizing` is no longer exported since 3.13; the file is for CPython 3.13 on Linux",
            Some("use `Py_IsFinalizing`, from 3.13 on"),
        ),
        (
            "internal_symbol-1-cp313-cp313-win_amd64.whl",
            "`_PySet_Update` is declared in CPython's internal headers only",
            Some("use `PySet_Add` (add each item of the iterable, or call the set's method `update`)"),
        ),
        (
            "init_function-1-cp313-cp313-win_amd64.whl",
            "`_core.cp313-win_amd64.pyd` does not export `PyInit__core` but `PyInit_core`, so `import _core` fails",
            Some("give the file and the module in the sources the same name, and let `PyMODINIT_FUNC` export it"),
        ),
        (
            "abi3_newer_than_tag-1-cp39-abi3-macosx_12_0_arm64.whl",
            "`PyObject_CallNoArgs` belongs to the stable ABI since 3.10, and the tag promises 3.9",
            Some(
                "use `PyObject_CallObject` (`f, NULL`; works in every version and is in the stable ABI), or tag the wheel cp310-abi3",
            ),
        ),
    ];
    for (file, message, help) in table {
        let findings = judged(file, &Judge::default());
        assert_eq!((findings[0].message.as_str(), findings[0].help.as_deref()), (*message, *help), "{file}");
        assert_eq!(findings[0].subject.file.as_deref(), Some(&*fixtures().join(file)));
    }
}

#[test]
fn without_a_tag_all_supported_versions_are_asked_in_one_finding() {
    let findings = judged("objects.a", &Judge::default());
    let said: Vec<_> = findings.iter().map(|finding| (line(finding), finding.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (
                "internal-symbol warning _PySet_Update".to_owned(),
                "`_PySet_Update` is declared in CPython's internal headers only in 3.13-3.15"
            ),
            (
                "missing-symbol warning _Py_IsFinalizing".to_owned(),
                "`_Py_IsFinalizing` is no longer exported since 3.13; it is missing in 3.13-3.15 of the supported 3.9-3.15"
            ),
        ]
    );
    let members: Vec<_> = findings.iter().map(|finding| finding.subject.member.as_deref()).collect();
    assert_eq!(members, [Some("internal.o"), Some("missing.o")]);
}

#[test]
fn the_python_that_is_asked_for_decides() {
    let asked = |python: Vec<Python>| Judge { python, ..Judge::default() };
    let file = "missing_symbol-1-cp313-cp313-linux_x86_64.whl";
    assert_eq!(lines(file, &asked(vec![Python::gil(12)])), ["private-symbol warning _Py_IsFinalizing"]);
    assert_eq!(lines(file, &asked(vec![Python::gil(12), Python::gil(13)])), ["missing-symbol error _Py_IsFinalizing"]);
    assert_eq!(lines(file, &asked(vec![Python::free_threaded(14)])), ["missing-symbol error _Py_IsFinalizing"]);
    assert_eq!(lines("_core.so", &asked(vec![Python::gil(9)])), ["private-symbol warning _PySet_Update"]);
}

#[test]
fn subjects_say_what_was_judged_by_what() {
    let subjects = |file: &str| {
        let inspection =
            audit::open(&fixtures().join(file), &Options { shown: Some(file.into()), ..Options::default() }).unwrap();
        serde_json::to_value(inspection.subjects(&Judge::default())).unwrap()
    };
    assert_eq!(
        subjects("internal_symbol-1-cp313-cp313-win_amd64.whl"),
        serde_json::json!([{
            "path": "internal_symbol-1-cp313-cp313-win_amd64.whl/_core.cp313-win_amd64.pyd",
            "format": "PE", "arch": "x86_64", "kind": "extension", "python": ["cp313"],
        }])
    );
    assert_eq!(
        subjects("objects.a")[0],
        serde_json::json!({
            "path": "objects.a(internal.o)", "format": "ELF", "arch": "x86_64", "kind": "object",
            "python": ["cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "cp315"],
        })
    );
    assert_eq!(
        subjects("two_llvm-1-py3-none-linux_x86_64.whl")[0]["python"],
        serde_json::json!([]),
        "what has nothing to do with Python is judged by none"
    );
}

#[test]
fn places_in_the_sources_are_shown() {
    let judge = Judge { sources: vec![fixtures().join("src")], ..Judge::default() };
    let at = |file: &str, symbol: &str| -> Vec<String> {
        let findings = judged(file, &judge);
        let finding = findings.iter().find(|finding| finding.subject.symbol.as_deref() == Some(symbol)).unwrap();
        let places = finding.locations.iter().filter(|at| !at.path.as_str().contains("stories"));
        places.map(|at| format!("{}:{}", at.path.strip_prefix(fixtures().join("src")).unwrap(), at.line)).collect()
    };
    // As an import: code only, not the string in runtime-named.c, not the comments.
    assert_eq!(
        at("internal_symbol-1-cp313-cp313-linux_x86_64.whl", "_PySet_Update"),
        ["internal-symbol.c:4", "internal-symbol.c:5"]
    );
    // As a string: there as well.
    assert_eq!(
        at("runtime_named-1-cp313-cp313-linux_x86_64.whl", "_PySet_Update"),
        ["internal-symbol.c:4", "internal-symbol.c:5", "runtime-named.c:7"]
    );
    // The macro that the author wrote counts as well as what it expands to.
    let fatal = at("private_through_macro-1-cp313-cp313-linux_x86_64.whl", "_Py_FatalErrorFunc");
    assert_eq!(fatal, ["private-through-macro.c:4", "private-through-macro.c:5", "private-through-macro.c:6"]);
}

#[test]
fn a_wheel_fresh_from_the_build_is_named_by_its_file_name() {
    let file = "private_symbol-1-cp313-cp313-linux_x86_64.whl";
    let findings = audit::wheel_findings(&fixtures().join(file), &[]).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Warning);
    assert_eq!(
        findings[0].subject.to_string(),
        format!("{file}: _core.cpython-313-x86_64-linux-gnu.so: _PyDict_NewPresized")
    );
}

//! What a single rule's example does not show: who else defines a name, whose code it is in, what makes it weigh less or more.
#![allow(clippy::unwrap_used)]

use audit::{Judge, Options};
use camino::Utf8PathBuf;
use diagnostics::Finding;
use wheelproof_audit as audit;

fn judged(story: &str, tag: &str) -> Vec<Finding> {
    let folder = Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/symbols"));
    let path = folder.join(format!("story_{story}-1-{tag}.whl"));
    audit::symbols(&audit::open(&path, &Options::default()).unwrap(), &Judge::default())
}

fn lines(story: &str, tag: &str) -> Vec<String> {
    let mut lines: Vec<_> = judged(story, tag)
        .iter()
        .map(|finding| {
            let because = finding.because.map_or(String::new(), |rule| format!(" because {rule}"));
            let symbol = finding.subject.symbol.as_deref().unwrap_or("-");
            format!("{} {} {symbol}{because}", finding.rule, finding.severity)
        })
        .collect();
    lines.sort();
    lines
}

const LINUX: &str = "cp313-cp313-linux_x86_64";

#[test]
fn a_name_that_a_needed_library_of_the_wheel_defines_is_its_own() {
    assert_eq!(lines("provided", LINUX), [""; 0]);
    assert_eq!(lines("unprovided", LINUX), ["internal-symbol warning _PySet_Update"], "nothing needs the library");
}

#[test]
fn a_frameworks_own_names_are_information_and_the_authors_are_not() {
    assert_eq!(lines("cython", LINUX), ["internal-symbol warning _PySet_Update", "private-symbol info _PyType_Lookup"]);
    let findings = judged("cython", LINUX);
    let lookup = findings.iter().find(|finding| finding.subject.symbol.as_deref() == Some("_PyType_Lookup")).unwrap();
    assert!(lookup.notes.contains(&"Cython's own code names it, not yours".to_owned()), "{lookup:?}");
}

#[test]
fn a_name_that_no_python_has_is_missing_and_a_weak_one_is_information() {
    assert_eq!(lines("stranger", LINUX), ["missing-symbol error _PyGone_New", "missing-symbol info _Py_IsFinalizing"]);
}

#[test]
fn names_are_found_in_packed_literals() {
    assert_eq!(lines("rust", LINUX), ["runtime-named warning _PySet_Update because internal-symbol"]);
}

#[test]
fn what_assert_leaves_behind_is_information() {
    assert_eq!(lines("asserts", LINUX), ["runtime-named info PyList_GET_SIZE because macro-only"]);
}

#[test]
fn what_a_jit_exports_with_an_underscore_or_of_llvm_weighs_more() {
    assert_eq!(
        lines("jit", LINUX),
        [
            "exported-surface warning -",
            "underscore-export warning _PyJIT_call",
            "underscore-export warning _PyJIT_hidden",
        ]
    );
    let findings = judged("jit", LINUX);
    let own = findings.iter().find(|finding| finding.rule.name == "underscore-export").unwrap();
    assert_eq!(own.message, "exports and names in a string `_PyJIT_call`, which Mach-O spells `__PyJIT_call`");
}

#[test]
fn a_module_without_its_entry_point_is_told() {
    assert_eq!(lines("no_init", LINUX), ["init-function error PyInit__core"]);
    let said = &judged("no_init", LINUX)[0].message;
    assert_eq!(said, "`_core.cpython-313-x86_64-linux-gnu.so` does not export `PyInit__core`, so `import _core` fails");
}

#[test]
fn a_python_dll_must_be_the_one_that_the_tag_promises() {
    assert_eq!(lines("versioned_dll", "cp39-abi3-win_amd64"), ["abi3-violation error python313.dll"]);
    assert_eq!(lines("debug_dll", "cp313-cp313-win_amd64"), ["links-libpython error python313_d.dll"]);
}

//! Names among string literals.

use proptest::prelude::*;
use wheelproof_capi::{Hit, lookup, names, scan_cstrings, scan_packed};

fn cstrings(bytes: &[u8]) -> Vec<(&'static str, usize)> {
    let mut found = Vec::new();
    scan_cstrings(bytes, |Hit { entry, offset, .. }| found.push((entry.name(), offset)));
    found
}

fn packed(bytes: &[u8]) -> Vec<(&'static str, usize, bool)> {
    let mut found = Vec::new();
    scan_packed(bytes, |Hit { entry, offset, bounded }| found.push((entry.name(), offset, bounded)));
    found
}

/// Bytes, and the names that stand in them with their offsets.
type Whole = (&'static [u8], &'static [(&'static str, usize)]);
/// The same, and whether the name stands free.
type Packed = (&'static [u8], &'static [(&'static str, usize, bool)]);

#[test]
fn whole_strings_only() {
    let table: [Whole; 15] = [
        (b"PyList_New\0", &[("PyList_New", 0)]),
        (b"\0_PySet_Update\0", &[("_PySet_Update", 1)]),
        (b"a\0PyList_New\0PyDict_New\0b", &[("PyList_New", 2), ("PyDict_New", 13)]),
        (b"PyList_New", &[]),                                    // not terminated
        (b"\0PyArray_API\0", &[]),                               // numpy's own
        (b"\0PyList_New2\0", &[]),                               // a longer identifier
        (b"\0xPyList_New\0", &[]),                               // a longer identifier
        (b"\0__PySet_Update\0", &[]),                            // not the C name
        (b"\0the call PyList_New failed\0", &[]),                // a sentence
        (b"PyList_New: out of memory\0", &[]),                   // a sentence
        (b"\n  PyList_New\0", &[]),                              // the end of a text
        (b"\xff\xff\xff\xffPyList_New\0", &[("PyList_New", 4)]), // a jump table before it
        (b"\0Py_INCREF\0", &[("Py_INCREF", 1)]),                 // what `assert` leaves behind: the rules decide
        (b"\0Py\0PyP\0P\0PY_TIMEOUT_MAX\0", &[("PY_TIMEOUT_MAX", 10)]),
        (b"", &[]),
    ];
    for (bytes, expected) in table {
        assert_eq!(cstrings(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn packed_literals_by_longest_match() {
    let table: [Packed; 20] = [
        (
            b"PyObject_CallOneArg_PySet_UpdatePyGen_GetCode",
            &[("PyObject_CallOneArg", 0, true), ("_PySet_Update", 19, true), ("PyGen_GetCode", 32, true)],
        ),
        // Letters on either side may belong to the neighbouring literals.
        (b"importPyList_Newfailed", &[("PyList_New", 6, false)]),
        (b"import PyList_New failed", &[("PyList_New", 7, true)]),
        (b"PyObject_CallPyObject_CallObject", &[("PyObject_Call", 0, true), ("PyObject_CallObject", 13, true)]),
        (
            b"PyUnicode_AsUTF8PyUnicode_AsUTF8AndSize",
            &[("PyUnicode_AsUTF8", 0, true), ("PyUnicode_AsUTF8AndSize", 16, true)],
        ),
        (b"PyDict_New\0PyList_New", &[("PyDict_New", 0, true), ("PyList_New", 11, true)]),
        (b"PyArray_API", &[]),
        (b"PyArray_APIPyList_New", &[("PyList_New", 11, false)]),
        (b"PyDict_New_", &[]),     // a longer identifier
        (b"PyDict_New_item", &[]), // a longer identifier
        (b"PyDict_New7", &[]),     // a longer identifier
        (b"my_PyDict_New", &[]),   // inside one
        (b"__PySet_Update", &[]),  // inside one
        (b"PyPyDict_New", &[]),    // PyPy's
        (b"PyPyPyPyPy_P_Py", &[]),
        (b"PyDict_New() failed", &[]),  // a message
        (b"type != &PyDict_Type", &[]), // a message
        (b"\xf0\x9fPyDict_New\xff", &[("PyDict_New", 2, true)]),
        (b"P", &[]),
        (b"", &[]),
    ];
    for (bytes, expected) in table {
        assert_eq!(packed(bytes), expected, "{}", bytes.escape_ascii());
    }
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(names().collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strings_that_were_written_are_found(list in prop::collection::vec(any_name(), 0..30)) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for name in list {
            expected.push((name, bytes.len()));
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
        }
        prop_assert_eq!(cstrings(&bytes), expected.clone());
        // The packed reading finds them all as well, and says that they stand free.
        let free: Vec<_> = expected.into_iter().map(|(name, offset)| (name, offset, true)).collect();
        prop_assert_eq!(packed(&bytes), free);
    }

    #[test]
    fn a_hit_is_what_the_bytes_say(bytes in prop::collection::vec(prop_oneof![Just(b'P'), Just(b'y'), Just(b'_'), any::<u8>()], 0..400)) {
        let mut end = 0;
        for (name, offset, _) in packed(&bytes) {
            prop_assert!(offset >= end, "hits overlap");
            end = offset + name.len();
            prop_assert_eq!(&bytes[offset..end], name.as_bytes());
        }
        for (name, offset) in cstrings(&bytes) {
            prop_assert_eq!(&bytes[offset..=offset + name.len()], [name.as_bytes(), b"\0"].concat());
        }
    }

    /// The longest match, found the slow way.
    #[test]
    fn no_longer_name_begins_there(left in any_name(), right in any_name()) {
        let text = format!("{left}{right}");
        if let Some(&(name, 0, _)) = packed(text.as_bytes()).first() {
            let longest = (1..=text.len()).rev().find_map(|end| lookup(&text[..end])).unwrap();
            prop_assert_eq!(name, longest.name());
        }
    }

    #[test]
    fn every_name_is_looked_up_and_nothing_else(name in any_name(), extra in "[A-Za-z_]{1,3}") {
        prop_assert_eq!(lookup(name).unwrap().name(), name);
        let longer = format!("{name}{extra}");
        prop_assert_eq!(lookup(&longer).is_some(), names().any(|n| n == longer));
    }
}

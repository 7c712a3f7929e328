//! What is known about single names, each checked against the table.

use wheelproof_capi::{
    Abi3, Build, Class, Framework, Missing, Presence, Python, Release, System, Versions, judge, judge_abi3, lookup,
};

const UNDERSCORED_STABLE: [(&str, u8); 34] = [
    ("_PyErr_BadInternalCall", 2),
    ("_PyObject_CallFunction_SizeT", 2),
    ("_PyObject_CallMethod_SizeT", 2),
    ("_PyObject_GC_New", 2),
    ("_PyObject_GC_NewVar", 2),
    ("_PyObject_GC_Resize", 2),
    ("_PyObject_New", 2),
    ("_PyObject_NewVar", 2),
    ("_PyState_AddModule", 2),
    ("_PyThreadState_Init", 2),
    ("_PyThreadState_Prealloc", 2),
    ("_Py_BuildValue_SizeT", 2),
    ("_Py_CheckRecursiveCall", 2),
    ("_Py_Dealloc", 2),
    ("_Py_VaBuildValue_SizeT", 2),
    ("_PyArg_ParseTuple_SizeT", 3),
    ("_PyArg_ParseTupleAndKeywords_SizeT", 3),
    ("_PyArg_Parse_SizeT", 3),
    ("_PyArg_VaParse_SizeT", 3),
    ("_PyArg_VaParseTupleAndKeywords_SizeT", 3),
    ("_Py_IncRef", 10),
    ("_Py_DecRef", 10),
    ("_Py_NegativeRefcount", 10),
    ("_Py_SetRefcnt", 13),
    ("_PyWeakref_CallableProxyType", 2),
    ("_PyWeakref_ProxyType", 2),
    ("_PyWeakref_RefType", 2),
    ("_Py_EllipsisObject", 2),
    ("_Py_FalseStruct", 2),
    ("_Py_NoneStruct", 2),
    ("_Py_NotImplementedStruct", 2),
    ("_Py_TrueStruct", 2),
    ("_Py_SwappedOp", 2),
    ("_Py_RefTotal", 10),
];

#[test]
fn the_stable_abis_underscores_are_stable_in_every_version() {
    for (name, since) in UNDERSCORED_STABLE {
        let entry = lookup(name).unwrap_or_else(|| panic!("{name} has no row"));
        assert_eq!(entry.abi3_since(), Some(since), "{name}");
        for python in Python::all() {
            assert_eq!(entry.class(python.minor), Class::Stable { since }, "{name} in {python}");
        }
    }
    let counted = wheelproof_capi::entries().iter().filter(|e| e.is_underscored() && e.abi3_since().is_some()).count();
    assert_eq!(counted, UNDERSCORED_STABLE.len());
}

/// name, Python, system, presence, class
type Judged = (&'static str, Python, System, Presence, Class);

#[test]
fn names_that_jits_look_up_version_by_version() {
    use Missing::{Inline, Macro, Never, NotYet};
    use Presence::{Exported, Missing as Gone};
    let linux = System::Linux;
    let mut table: Vec<Judged> = Vec::new();
    for system in System::ALL {
        for minor in 8..=15 {
            table.push(("PyCoro_CheckExact", Python::gil(minor), system, Gone(Macro { from: None }), Class::Public));
            let code = if minor < 12 { Gone(NotYet { from: 12 }) } else { Exported };
            table.push(("PyGen_GetCode", Python::gil(minor), system, code, Class::Public));
            let one = match minor {
                8 => Gone(NotYet { from: 11 }),
                9 | 10 => Gone(Inline { from: Some(11) }),
                _ => Exported,
            };
            table.push(("PyObject_CallOneArg", Python::gil(minor), system, one, Class::Public));
            let set = if minor < 13 { Class::Private } else { Class::Internal };
            table.push(("_PySet_Update", Python::gil(minor), system, Exported, set));
            table.push((
                "PyObject_CallFunctionObjArgs",
                Python::gil(minor),
                system,
                Exported,
                Class::Stable { since: 2 },
            ));
        }
    }
    table.extend([
        // A macro in 3.9 alone.
        ("PyCFunction_New", Python::gil(8), linux, Exported, Class::Stable { since: 4 }),
        ("PyCFunction_New", Python::gil(9), linux, Gone(Macro { from: Some(10) }), Class::Stable { since: 4 }),
        ("PyCFunction_New", Python::gil(10), linux, Exported, Class::Stable { since: 4 }),
        ("_PyGen_Send", Python::gil(9), linux, Exported, Class::Private),
        ("_PyGen_Send", Python::gil(10), linux, Gone(Missing::Gone { since: 10 }), Class::Private),
        ("_Py_IsFinalizing", Python::gil(12), linux, Exported, Class::Private),
        ("_Py_IsFinalizing", Python::gil(13), linux, Gone(Missing::Gone { since: 13 }), Class::Private),
        ("_PyThreadState_UncheckedGet", Python::gil(13), linux, Gone(Missing::Gone { since: 13 }), Class::Private),
        ("_Py_HashBytes", Python::gil(13), linux, Exported, Class::Internal),
        ("_Py_HashBytes", Python::gil(14), linux, Gone(Missing::Gone { since: 14 }), Class::Internal),
        ("_PyByteArray_empty_string", Python::gil(14), linux, Exported, Class::ThroughMacro("PyByteArray_AS_STRING")),
        ("_Py_FatalErrorFunc", Python::gil(13), linux, Exported, Class::ThroughMacro("Py_FatalError")),
        ("_PyUnicode_IsWhitespace", Python::gil(13), linux, Exported, Class::ThroughMacro("Py_UNICODE_ISSPACE")),
        ("_PyTrash_begin", Python::gil(12), linux, Exported, Class::ThroughMacro("Py_TRASHCAN_BEGIN_CONDITION")),
        ("_PyBytes_Resize", Python::gil(13), linux, Exported, Class::Documented),
        ("_PyObject_GetDictPtr", Python::gil(13), linux, Exported, Class::Documented),
        ("_PyInterpreterState_SetEvalFrameFunc", Python::gil(13), linux, Exported, Class::Documented),
        ("_Py_c_pow", Python::gil(13), linux, Exported, Class::Documented),
        ("_PyType_LookupRef", Python::gil(13), linux, Exported, Class::Private),
        ("PyUnstable_Code_New", Python::gil(12), linux, Exported, Class::Unstable),
        ("PyStackRef_IsNullOrInt", Python::gil(14), linux, Gone(Never), Class::Internal),
        // Builds.
        (
            "_Py_DecRefShared",
            Python::gil(13),
            linux,
            Gone(Missing::OtherBuild(Build::FreeThreaded)),
            Class::ThroughMacro("Py_DECREF"),
        ),
        ("_Py_DecRefShared", Python::free_threaded(13), linux, Exported, Class::ThroughMacro("Py_DECREF")),
        ("_Py_DecRefShared", Python::gil(12), linux, Gone(NotYet { from: 13 }), Class::ThroughMacro("Py_DECREF")),
        ("_Py_MergeZeroLocalRefcount", Python::free_threaded(15), linux, Exported, Class::ThroughMacro("Py_DECREF")),
        ("_Py_GetExecutor", Python::gil(14), System::Windows, Exported, Class::Internal),
        (
            "_Py_GetExecutor",
            Python::free_threaded(14),
            System::Windows,
            Gone(Missing::OtherBuild(Build::Gil)),
            Class::Internal,
        ),
        // Systems.
        (
            "PyErr_SetFromWindowsErr",
            Python::gil(13),
            linux,
            Gone(Missing::OtherSystem(&[System::Windows])),
            Class::Stable { since: 7 },
        ),
        (
            "PyOS_AfterFork_Child",
            Python::gil(13),
            System::Windows,
            Gone(Missing::OtherSystem(&[System::Linux, System::MacOs])),
            Class::Stable { since: 7 },
        ),
        // Outside the table, and what distributors decide.
        ("PyList_New", Python::gil(7), linux, Presence::Unknown, Class::Stable { since: 2 }),
        ("PyList_New", Python::gil(16), linux, Presence::Unknown, Class::Stable { since: 2 }),
        ("PyList_New", Python::free_threaded(12), linux, Presence::Unknown, Class::Stable { since: 2 }),
        ("PyInit_math", Python::gil(13), linux, Presence::Unknown, Class::BuiltinInit),
    ]);
    for (name, python, system, presence, class) in table {
        let standing = judge(name, &python, system).unwrap_or_else(|| panic!("{name} has no row"));
        assert_eq!((standing.presence, standing.class), (presence, class), "{name}, {python} on {system}");
    }
    for unknown in ["", "PyArray_API", "PyList_Ne", "PyList_New2", "printf", "PyJIT_x", &"Py".repeat(4000)] {
        assert_eq!(judge(unknown, &Python::gil(13), linux), None);
    }
}

#[test]
fn later_releases_that_export_more_are_named() {
    let eight = [
        "_PyBytes_DecodeEscape2",
        "_PyErr_SetLocaleString",
        "_PySys_GetOptionalAttr",
        "_PySys_GetOptionalAttrString",
        "_PySys_GetRequiredAttr",
        "_PySys_GetRequiredAttrString",
        "_PyType_GetModuleByDef3",
        "_PyUnicode_DecodeUnicodeEscapeInternal2",
    ];
    let release = |micro| Release { minor: 13, micro };
    for name in eight {
        for system in System::ALL {
            let expected = Presence::FromMicro { absent: release(0), present: Some(release(5)) };
            assert_eq!(judge(name, &Python::gil(13), system).unwrap().presence, expected, "{name}");
            assert_eq!(wheelproof_capi::is_exported(name, Python::gil(13), system), Some(true));
        }
    }
    let expected = Presence::FromMicro { absent: release(5), present: Some(release(18)) };
    assert_eq!(judge("_PyEval_NoToolsForUnwind", &Python::gil(13), System::Linux).unwrap().presence, expected);
    // In 3.14.10, not in the module-definition file of an earlier 3.14.
    let release = |micro| Release { minor: 14, micro };
    let expected = Presence::FromMicro { absent: release(0), present: Some(release(10)) };
    assert_eq!(judge("_Py_strerror", &Python::gil(14), System::Windows).unwrap().presence, expected);
    assert_eq!(judge("_Py_strerror", &Python::gil(15), System::Windows).unwrap().presence, Presence::Exported);
    // Debian's 3.11.2 lacks what 3.11.7 has.
    let release = |micro| Release { minor: 11, micro };
    let expected = Presence::FromMicro { absent: release(2), present: Some(release(7)) };
    assert_eq!(judge("_PyModule_Add", &Python::gil(11), System::Linux).unwrap().presence, expected);
    let open = Presence::FromMicro { absent: Release { minor: 12, micro: 1 }, present: None };
    assert_eq!(judge("_PyUnicode_InternMortal", &Python::gil(12), System::Linux).unwrap().presence, open);
}

#[test]
fn what_a_later_python_drops_is_said() {
    let dropped = |name, minor| judge(name, &Python::gil(minor), System::Linux).unwrap().dropped_in;
    assert_eq!(dropped("_Py_HashBytes", 13), Some(14));
    assert_eq!(dropped("_PyBytes_Join", 9), Some(14));
    assert_eq!(dropped("_PyByteArray_empty_string", 13), Some(15));
    assert_eq!(dropped("PyCFunction_New", 8), Some(9));
    assert_eq!(dropped("PyCFunction_New", 10), None);
    assert_eq!(dropped("PyList_New", 8), None);
    assert_eq!(dropped("_Py_HashBytes", 14), None, "missing already");
    assert_eq!(dropped("PyEval_CallFunction", 8), None, "the stable ABI keeps its old names");
    // A later release of 3.13 has it again: not dropped.
    assert_eq!(judge("_PyErr_SetLocaleString", &Python::gil(12), System::Windows).unwrap().dropped_in, None);
}

#[test]
fn the_stable_abi_by_floor_and_system() {
    let table = [
        ("PyList_New", 8, System::Linux, Abi3::Stable { since: 2 }),
        ("PyIter_Send", 9, System::Linux, Abi3::Newer { since: 10 }),
        ("PyIter_Send", 10, System::Windows, Abi3::Stable { since: 10 }),
        ("Py_IsFinalizing", 12, System::Linux, Abi3::Newer { since: 13 }),
        ("PyType_GetName", 10, System::MacOs, Abi3::Newer { since: 11 }),
        ("Py_HashBuffer", 15, System::Linux, Abi3::Newer { since: 16 }),
        ("PyObject_CallOneArg", 15, System::Linux, Abi3::NotStable),
        ("PyGen_GetCode", 15, System::Linux, Abi3::NotStable),
        ("PyCoro_CheckExact", 15, System::Linux, Abi3::NotStable),
        ("PyCoro_Type", 15, System::Linux, Abi3::NotStable),
        ("_PySet_Update", 15, System::Linux, Abi3::NotStable),
        ("_Py_NoneStruct", 8, System::Linux, Abi3::Stable { since: 2 }),
        ("_Py_IncRef", 9, System::Linux, Abi3::Newer { since: 10 }),
        ("PyOS_AfterFork", 8, System::Linux, Abi3::Stable { since: 2 }),
        ("PyOS_AfterFork", 8, System::Windows, Abi3::OtherSystem { since: 2 }),
        ("PyOS_AfterFork_Child", 8, System::Windows, Abi3::OtherSystem { since: 7 }),
        ("PyOS_AfterFork_Parent", 8, System::Windows, Abi3::OtherSystem { since: 7 }),
        ("PyOS_BeforeFork", 8, System::Windows, Abi3::OtherSystem { since: 7 }),
        ("PyErr_SetFromWindowsErr", 8, System::Windows, Abi3::Stable { since: 7 }),
        ("PyErr_SetFromWindowsErr", 8, System::Linux, Abi3::OtherSystem { since: 7 }),
    ];
    for (name, floor, system, expected) in table {
        assert_eq!(judge_abi3(name, floor, system), Some(expected), "{name} from 3.{floor} on {system}");
    }
    assert_eq!(judge_abi3("PyArray_API", 8, System::Linux), None);
}

#[test]
fn advice_and_frameworks() {
    let advice = |name: &str| lookup(name).unwrap().replacement().map(|r| (r.instead, r.since, r.source));
    assert_eq!(advice("_PyGen_Send"), Some(("PyIter_Send", Some(10), "whatsnew/3.10")));
    assert_eq!(advice("_Py_HashBytes"), Some(("Py_HashBuffer", Some(14), "whatsnew/3.14")));
    assert_eq!(advice("PyCoro_CheckExact"), Some(("PyCoro_Type", None, "c-api/coro")));
    assert_eq!(advice("PyObject_CallOneArg"), Some(("PyObject_CallFunctionObjArgs", None, "c-api/call")));
    assert_eq!(advice("PyList_New"), None);

    let whose = |name: &str| lookup(name).unwrap().frameworks().iter().collect::<Vec<_>>();
    assert_eq!(whose("_PyType_LookupRef"), [Framework::Nanobind]);
    assert_eq!(whose("_PyDict_GetItem_KnownHash"), [Framework::Cython]);
    assert!(whose("_PyObject_GetDictPtr").contains(&Framework::Pybind11));
    assert!(whose("_PySet_Update").contains(&Framework::Mypyc));
    assert!(whose("_PyLong_AsByteArray").contains(&Framework::PyO3));
    assert!(lookup("PyList_New").unwrap().frameworks().is_empty());
    for framework in Framework::ALL {
        assert!(!framework.markers().is_empty(), "{framework}");
        assert!(wheelproof_capi::entries().iter().any(|e| e.frameworks().contains(framework)), "{framework}");
    }
}

#[test]
fn sets_of_versions_print_as_ranges() {
    let text = |minors: &[u8]| minors.iter().copied().collect::<Versions>().to_string();
    assert_eq!(text(&[8, 9, 11, 13, 14, 15]), "3.8-3.9, 3.11, 3.13-3.15");
    assert_eq!(text(&[]), "");
    assert_eq!(text(&[7, 16, 200]), "", "outside the table");
    let some: Versions = [9, 11, 15].into_iter().collect();
    assert_eq!((some.first(), some.last(), some.after(11), some.after(15)), (Some(9), Some(15), Some(15), None));
    assert_eq!((some.before(9), some.before(10), some.before(255), some.after(255)), (None, Some(9), Some(15), None));
    assert_eq!(Versions::NONE.last(), None);
    assert_eq!(Versions::from(14).to_string(), "3.14-3.15");
    assert_eq!(Versions::from(0), Versions::ALL);
    assert!(Versions::from(16).is_empty());
}

#[test]
fn reasons_read_as_the_end_of_a_sentence() {
    let why = |name, python, system| match judge(name, &python, system).unwrap().presence {
        Presence::Missing(missing) => missing.to_string(),
        other => panic!("{other:?}"),
    };
    let linux = System::Linux;
    assert_eq!(why("PyCoro_CheckExact", Python::gil(13), linux), "is a macro and has no symbol");
    assert_eq!(
        why("PyObject_CallOneArg", Python::gil(10), linux),
        "is an inline function and has no symbol; exported from 3.11 on"
    );
    assert_eq!(why("PyGen_GetCode", Python::gil(9), linux), "is exported from 3.12 on");
    assert_eq!(why("_Py_HashBytes", Python::gil(15), linux), "is no longer exported since 3.14");
    assert_eq!(why("_Py_DecRefShared", Python::gil(14), linux), "is exported by free-threaded builds only");
    assert_eq!(why("PyOS_BeforeFork", Python::gil(14), System::Windows), "is exported on Linux and macOS only");
}

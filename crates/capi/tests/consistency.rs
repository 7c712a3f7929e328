//! What must hold of the whole table.

use std::collections::BTreeSet;

use wheelproof_capi::{
    Build, Class, Evidence, Kind, Missing, NEWEST, OLDEST, Presence, Python, System, Tier, Versions, abi3_exports,
    entries, evidence, exports, is_exported, judge, lookup, names,
};

#[test]
fn names_are_sorted_and_shaped_like_the_c_api() {
    assert!(names().is_sorted());
    for name in names() {
        let plain = name.strip_prefix('_').unwrap_or(name);
        assert!(plain.starts_with("Py") || plain.starts_with("PY"), "{name}");
        assert!(name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()), "{name}");
    }
}

/// Counted in the libraries with `nm -D`.
#[test]
fn linux_exports_as_many_names_as_were_counted() {
    let counts = [(8, 1976), (9, 1670), (10, 1630), (11, 1655), (12, 1722), (13, 1673), (14, 1870), (15, 2068)];
    for (minor, count) in counts {
        let exported = |e: &&wheelproof_capi::Entry| e.exported(Build::Gil, System::Linux).contains(minor);
        assert_eq!(entries().iter().filter(exported).count(), count, "3.{minor}");
    }
}

#[test]
fn a_standing_never_contradicts_itself() {
    for entry in entries() {
        for python in Python::all() {
            for system in System::ALL {
                let standing = judge(entry.name(), &python, system).unwrap();
                let exported = entry.exported(python.build, system);
                let what = format!("{} in {python} on {system}: {standing:?}", entry.name());
                assert_ne!(evidence(python, system), Evidence::None, "{what}");
                match standing.presence {
                    Presence::Exported => {
                        assert!(exported.contains(python.minor), "{what}");
                        if let Some(later) = standing.dropped_in {
                            assert!(later > python.minor && !exported.contains(later), "{what}");
                        }
                    }
                    Presence::FromMicro { absent, present } => {
                        assert_eq!(absent.minor, python.minor, "{what}");
                        assert!(present.is_none_or(|p| p.minor == absent.minor && p.micro > absent.micro), "{what}");
                    }
                    Presence::Missing(why) => {
                        assert!(!exported.contains(python.minor), "{what}");
                        match why {
                            Missing::NotYet { from } => assert!(from > python.minor, "{what}"),
                            Missing::Gone { since } => assert!(since <= python.minor, "{what}"),
                            Missing::OtherBuild(build) => {
                                assert!(build != python.build && entry.exported(build, system).contains(python.minor));
                            }
                            Missing::OtherSystem(systems) => {
                                assert!(!systems.is_empty() && !systems.contains(&system), "{what}");
                            }
                            Missing::Never => assert!(entry.exported_anywhere().is_empty(), "{what}"),
                            Missing::Macro { .. } | Missing::Inline { .. } => {}
                        }
                        assert_eq!(standing.dropped_in, None, "{what}");
                    }
                    Presence::Unknown => assert_eq!(entry.tier(), Tier::BuiltinInit, "{what}"),
                }
                let said = is_exported(entry.name(), python, system);
                assert_eq!(said == Some(false), standing.presence.is_missing(), "{what}");
            }
        }
    }
}

#[test]
fn the_stable_abi_is_exported_where_it_promises_to_be() {
    for system in System::ALL {
        for minor in OLDEST..=NEWEST {
            let exported: BTreeSet<_> = exports(Python::gil(minor), system).collect();
            let missing: Vec<_> = abi3_exports(minor, system).filter(|name| !exported.contains(name)).collect();
            // PyCFunction_New was a macro before 3.10 (Linux exported a function all the same in 3.8); PyOS_CheckStack, there
            // with a stack check only, came to python3*.dll with 3.14.
            let known = match (minor, system) {
                (8, System::Windows) | (9, _) => vec!["PyCFunction_New"],
                _ => Vec::new(),
            };
            let unexpected: Vec<_> =
                missing.iter().filter(|n| !known.contains(n) && **n != "PyOS_CheckStack").collect();
            assert!(unexpected.is_empty(), "3.{minor} on {system} lacks {unexpected:?}");
        }
    }
}

#[test]
fn builds_and_systems_differ_by_little() {
    for minor in OLDEST..=NEWEST {
        let linux: BTreeSet<_> = exports(Python::gil(minor), System::Linux).collect();
        let macos: BTreeSet<_> = exports(Python::gil(minor), System::MacOs).collect();
        assert!(linux.symmetric_difference(&macos).count() <= 2, "3.{minor}");
        let threaded = exports(Python::free_threaded(minor), System::Linux).count();
        assert_eq!(threaded > 0, minor >= 13, "3.{minor}t");
    }
    assert_eq!(exports(Python::gil(7), System::Linux).count(), 0);
    assert_eq!(exports(Python::gil(255), System::Windows).count(), 0);
}

#[test]
fn advice_names_rows_and_never_itself() {
    for entry in entries() {
        let Some(advice) = entry.replacement() else { continue };
        let instead =
            lookup(advice.instead).unwrap_or_else(|| panic!("{}: {} has no row", entry.name(), advice.instead));
        assert_ne!(instead.name(), entry.name());
        let offered = instead.exported_anywhere().union(instead.macro_in()).union(instead.inline_in());
        assert_eq!(advice.since.unwrap_or(OLDEST), offered.first().unwrap(), "{}", entry.name());
        let private = |class| matches!(class, Class::Private | Class::Internal | Class::Undeclared);
        assert!(!private(instead.class(NEWEST)), "{} → {}", entry.name(), advice.instead);
        assert!(advice.source.starts_with("whatsnew/3.") || advice.source.starts_with("c-api/"), "{}", entry.name());
    }
}

#[test]
fn macros_are_never_exported() {
    for entry in entries().iter().filter(|e| matches!(e.kind(), Kind::MacroOnly | Kind::Hidden)) {
        assert_eq!(entry.exported_anywhere(), Versions::NONE, "{}", entry.name());
    }
}

//! What Windows exports, compared with the module-definition files that the crate python3-dll-a carries. They were made
//! from the DLLs of late bug-fix releases, so names that only those export count as exported here, too.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use wheelproof_capi::{Python, System, Tier, exports, lookup};

/// Where cargo unpacked the sources of the locked version.
fn definitions() -> Result<PathBuf, String> {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
    let lock = fs::read_to_string(lock).map_err(|e| format!("{lock}: {e}"))?;
    let mut lines = lock.lines().skip_while(|line| *line != "name = \"python3-dll-a\"");
    let version = lines.nth(1).and_then(|line| line.split('"').nth(1)).ok_or("python3-dll-a is not locked")?;
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home.ok_or("no home folder")?.join("registry/src");
    let found = fs::read_dir(&registries).into_iter().flatten().flatten();
    let folder =
        found.map(|registry| registry.path().join(format!("python3-dll-a-{version}/src"))).find(|f| f.is_dir());
    folder.ok_or_else(|| format!("python3-dll-a {version} is not unpacked in {}", registries.display()))
}

/// The names of the C API below EXPORTS.
fn names(text: &str) -> BTreeSet<&str> {
    text.lines()
        .skip_while(|line| line.trim() != "EXPORTS")
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| {
            name.trim_start_matches('_').starts_with('P') && lookup(name).is_none_or(|e| e.tier() != Tier::BuiltinInit)
        })
        .collect()
}

#[test]
fn windows_exports_what_the_definition_files_list() {
    let folder = match definitions() {
        Ok(folder) => folder,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let mut compared = 0;
    let pythons = (8..=14).map(Python::gil).chain((13..=14).map(Python::free_threaded));
    for python in pythons {
        let suffix = python.to_string().replace('.', "");
        let path = folder.join(format!("python{suffix}.def"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let listed = names(&text);
        let said: BTreeSet<_> = exports(python, System::Windows).collect();
        let missing: Vec<_> = listed.difference(&said).collect();
        let surplus: Vec<_> = said.difference(&listed).collect();
        // Exported by a release of 3.13 that is newer than the definition file.
        let surplus: Vec<_> = surplus.into_iter().filter(|n| lookup(n).unwrap().late(python.minor).is_none()).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{python}: not in the table {missing:?}, only there {surplus:?}"
        );
        compared += listed.len();
    }
    println!("{compared} names compared");
    assert!(compared > 14_000);
}

/// The list that python3.dll forwards, less the names that need `fork` and so are not in the real one.
#[test]
fn the_stable_abi_on_windows_is_what_python3_dll_forwards() {
    let folder = match definitions() {
        Ok(folder) => folder,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let text = fs::read_to_string(folder.join("python3.def")).unwrap();
    let said: BTreeSet<_> = wheelproof_capi::abi3_exports(14, System::Windows).collect();
    let missing: Vec<_> = names(&text)
        .difference(&said)
        .copied()
        .filter(|name| !name.starts_with("PyOS_AfterFork") && *name != "PyOS_BeforeFork")
        .filter(|name| lookup(name).and_then(wheelproof_capi::Entry::abi3_since).is_none_or(|since| since <= 14))
        .collect();
    assert_eq!(missing, ["_Py_NegativeRefcount", "_Py_RefTotal"], "only what debug builds have");
    let listed = names(&text);
    assert_eq!(said.difference(&listed).collect::<Vec<_>>(), Vec::<&&str>::new());
}

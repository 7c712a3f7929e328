//! Looking at the machine that the tests run on, whatever it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::time::Instant;

use camino::Utf8PathBuf;
use exec::{Cancel, Runner, Silent};
use platform::{Os, PathStyle};
use wheelproof_host::{Probe, World, probe};

fn look(what: &Probe) -> World {
    probe(what, &Runner::new(&Silent, &Cancel::new()))
}

/// This machine: whatever there is must make sense, and a second look must be quick. Times are printed.
#[test]
fn this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    let what = Probe { probe_packages: true, ..Probe::of_this_process(Some(cache)) };
    for time in ["first", "second", "third"] {
        let start = Instant::now();
        look(&what);
        println!("{time} look: {:?}", start.elapsed());
    }
    let world = look(&what);
    if std::env::var_os("SHOW_WORLD").is_some() {
        println!("{}", serde_json::to_string_pretty(&world).unwrap());
    }
    assert!(world.cpus > 0);
    assert!(world.memory.is_some_and(|bytes| bytes > 1 << 27), "{:?}", world.memory);
    // Nothing is called what only some programs take (`\\?\C:\x`), and nothing by another system's way.
    let paths = world.interpreters.iter().flat_map(|i| [&i.path, &i.real_path, &i.prefix]).chain(world.tools.values());
    for path in paths.chain(world.rejected.iter().map(|rejected| &rejected.path)) {
        assert_eq!(PathStyle::of(path.as_str()), Some(world.os.path_style()), "{path}");
        assert!(!path.as_str().starts_with(r"\\?\"), "{path}");
    }
    for interpreter in &world.interpreters {
        assert!(interpreter.path.is_file());
        assert!(interpreter.version.starts_with(&interpreter.python.dotted().trim_end_matches('t').to_owned()));
        let ending = if world.os == Os::Windows { ".pyd" } else { ".so" };
        assert!(interpreter.ext_suffix.ends_with(ending), "{}", interpreter.ext_suffix);
        assert!(!interpreter.path.as_str().contains("/shims/"));
    }
    if world.interpreters.is_empty() {
        println!("skipped: no Python is installed");
    }
}

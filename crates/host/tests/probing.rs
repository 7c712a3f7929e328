//! Looking at a machine: at trees made here with programs that play Python, and at this one. Unix only in its set-up.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[allow(dead_code)] // each of the tests that share it needs a part
mod machine;

use std::os::unix::fs::PermissionsExt;

use machine::{Machine, reason};
use wheelproof_host::{InterpreterOrigin, World, WorldError};

#[test]
fn every_place_is_looked_at_and_each_python_asked_once() {
    let m = Machine::new();
    m.python("home/.pyenv/versions/3.11.7/bin/python3.11", "3.11.7", &[]);
    m.link("home/.pyenv/versions/3.11.7/bin/python", "python3.11");
    m.python("home/.pyenv/versions/3.11.12/bin/python", "3.11.12", &[]);
    m.python("opt/python/cp312-cp312/bin/python", "3.12.1", &[]);
    m.python("hostedtoolcache/Python/3.13.0/x64/bin/python", "3.13.0", &[]);
    m.program("hostedtoolcache/Python/3.13.0/x64.complete", "");
    m.python("usr/bin/python3.13t", "3.13.0", &[("\"free_threaded\": false", "\"free_threaded\": true")]);
    m.python("usr/bin/python3.11", "3.11.2", &[]);
    m.link("usr/bin/python3", "python3.11");
    m.link("usr/bin/python", "python3");
    m.program("usr/bin/python3-config", "#!/bin/sh\nexit 9\n");
    m.program("shims/python3.12", "#!/bin/sh\necho ran >\"$0.asked\"\n");
    let world = m.look();
    let found: Vec<_> =
        world.interpreters.iter().map(|i| (i.python.to_string(), i.version.as_str(), i.origin)).collect();
    assert_eq!(
        found,
        [
            ("cp311".to_owned(), "3.11.12", InterpreterOrigin::Pyenv),
            ("cp312".to_owned(), "3.12.1", InterpreterOrigin::Manylinux),
            ("cp313".to_owned(), "3.13.0", InterpreterOrigin::ToolCache),
            ("cp313t".to_owned(), "3.13.0", InterpreterOrigin::Path),
        ]
    );
    let others: Vec<_> = world.interpreters[0].duplicates.iter().map(|d| (d.version.as_str(), d.origin)).collect();
    assert_eq!(others, [("3.11.7", InterpreterOrigin::Pyenv), ("3.11.2", InterpreterOrigin::Path)]);
    assert_eq!(m.asked("shims/python3.12"), 0, "a shim was run");
    // A second look asks nobody.
    assert_eq!(m.look().interpreters, world.interpreters);
    for path in ["usr/bin/python3.11", "usr/bin/python3.13t", "opt/python/cp312-cp312/bin/python"] {
        assert_eq!(m.asked(path), 1, "{path}");
    }
    let env: Vec<_> = world.env.keys().map(String::as_str).collect();
    assert_eq!(env, ["CMAKE_GENERATOR", "CXXFLAGS"]);
}

#[test]
fn a_changed_python_is_asked_again() {
    let m = Machine::new();
    let path = "usr/bin/python3.12";
    m.python(path, "3.12.1", &[]);
    let headers = m.root.join("lib/3.12.1/include/Python.h");
    assert!(m.look().interpreters[0].has_headers);
    fs_err::remove_file(&headers).unwrap();
    assert!(!m.look().interpreters[0].has_headers, "headers were taken away");
    assert_eq!(m.asked(path), 2);
    // What the package with venv brings.
    m.program("lib/3.12.1/stdlib/ensurepip/__init__.py", "");
    m.look();
    assert_eq!(m.asked(path), 3);
    m.python(path, "3.12.2", &[]);
    assert_eq!(m.look().interpreters[0].version, "3.12.2");
}

#[test]
fn what_cannot_be_used_is_listed_with_the_reason() {
    let m = Machine::new();
    m.program("usr/bin/python3.8", "#!/bin/sh\necho 'libpython3.8.so: cannot open shared object file' >&2\nexit 127\n");
    m.program("usr/bin/python3.9", "#!/bin/sh\necho hello\n");
    m.program("usr/bin/python3.10", "#!/bin/sh\necho 'wheelproof-answer:{\"version\": 3}'\n");
    m.python("home/.pyenv/versions/2.7.18/bin/python", "2.7.18", &[]);
    m.python("home/.pyenv/versions/pypy3.10/bin/python", "3.10.14", &[("\"cpython\"", "\"pypy\"")]);
    m.link("usr/bin/python3.14", "nowhere");
    m.program("usr/bin/python3.7", "not a program at all");
    fs_err::set_permissions(m.root.join("usr/bin/python3.7"), std::fs::Permissions::from_mode(0o644)).unwrap();
    // A virtual environment that copied its program, and one that links to it.
    m.python("usr/bin/python3.12", "3.12.1", &[]);
    m.python("home/.pyenv/versions/copied/bin/python", "3.12.1", &[]);
    fs_err::write(m.root.join("home/.pyenv/versions/copied/pyvenv.cfg"), "home = x").unwrap();
    m.link("home/.pyenv/versions/linked/bin/python", m.root.join("usr/bin/python3.12").as_str());
    fs_err::write(m.root.join("home/.pyenv/versions/linked/pyvenv.cfg"), "home = x").unwrap();
    let world = m.look();
    let usable: Vec<_> = world.interpreters.iter().map(|i| i.path.strip_prefix(&m.root).unwrap().as_str()).collect();
    assert_eq!(usable, ["usr/bin/python3.12"]);
    for (path, expected) in [
        ("usr/bin/python3.8", "it does not work: libpython3.8.so: cannot open"),
        ("usr/bin/python3.9", "it does not answer as a Python does"),
        ("usr/bin/python3.10", "its answer cannot be read"),
        ("usr/bin/python3.14", "No such file"),
        ("home/.pyenv/versions/2.7.18/bin/python", "Python 2.7.18 is not a Python 3"),
        ("home/.pyenv/versions/pypy3.10/bin/python", "it is pypy 3.10.14, not CPython"),
        ("home/.pyenv/versions/copied/bin/python", "it belongs to a virtual environment"),
    ] {
        let reason = reason(&world, &m.root.join(path));
        assert!(reason.contains(expected), "{path}: {reason}");
    }
    assert_ne!(reason(&world, &m.root.join("usr/bin/python3.7")), "not rejected");
}

#[test]
fn a_complete_python_goes_before_one_without_headers() {
    let m = Machine::new();
    m.python(
        "home/.pyenv/versions/3.12.9/bin/python",
        "3.12.9",
        &[("\"venv_error\": null", "\"venv_error\": \"no zlib\"")],
    );
    m.python("usr/bin/python3.12", "3.12.1", &[]);
    let world = m.look();
    let found: Vec<&str> = world.interpreters.iter().map(|one| one.version.as_str()).collect();
    assert_eq!(found, ["3.12.1"], "{:?}", world.rejected);
    assert_eq!(world.interpreters[0].duplicates[0].version, "3.12.9");
}

#[test]
fn a_world_is_written_and_read_and_another_version_is_called_that() {
    let m = Machine::new();
    m.python("usr/bin/python3.12", "3.12.1", &[]);
    let mut world = m.look();
    world.sources.insert(
        "minijit".to_owned(),
        wheelproof_host::sources::SourceDigest { hex: "00".to_owned(), files: 1, commit: None, commit_time: Some(7) },
    );
    let file = m.root.join("world.json");
    world.write(&file).unwrap();
    assert_eq!(World::read(&file).unwrap(), world);
    let text = fs_err::read_to_string(&file).unwrap();
    fs_err::write(&file, text.replace("\"schema_version\": 1", "\"schema_version\": 2")).unwrap();
    assert!(matches!(World::read(&file), Err(WorldError::Schema { found: 2, .. })));
    fs_err::write(&file, "{\n\"schema_version\": 1,\n\"os\": \"beos\"}").unwrap();
    let error = World::read(&file).unwrap_err().to_string();
    assert!(error.contains("world.json") && error.contains("line 3"), "{error}");
    assert!(matches!(World::read(&m.root.join("none")), Err(WorldError::Io(_))));
}

/// An upgrade in place changes neither a path nor a version that anybody asked for.
#[test]
fn compilers_are_told_apart_by_more_than_their_paths() {
    let mut machine = Machine::new();
    machine.program("usr/bin/gcc-12", "#!/bin/sh\n");
    machine.link("usr/bin/cc", "gcc-12");
    machine.program("shims/cc", "#!/bin/sh\nexec ccache cc\n");
    machine.program("opt/clang", "#!/bin/sh\n");
    let root = machine.root.clone();
    let first = machine.look().compilers;
    assert_eq!(first, machine.look().compilers);
    let (c, cxx) = (&first["CC"], first.get("CXX"));
    assert!(c.contains(&format!("{root}/usr/bin/gcc-12 10:")) && c.contains(&format!("{root}/shims/cc ")), "{c}");
    assert_eq!(cxx, None, "there is none");
    machine.program("usr/bin/gcc-12", "#!/bin/sh\n# upgraded\n");
    assert_ne!(machine.look().compilers, first, "the one behind the wrapper");

    machine.probe.env.insert("CC".to_owned(), format!("ccache {root}/opt/clang -m64"));
    let named = machine.look().compilers;
    assert!(named["CC"].starts_with(&format!("{root}/opt/clang ")), "{named:?}");
    machine.probe.configured_compilers = vec!["gcc-12".to_owned()];
    assert!(machine.look().compilers["gcc-12"].starts_with(&format!("{root}/usr/bin/gcc-12 ")));
}

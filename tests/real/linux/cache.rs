//! A second run does what is needed and nothing more.

use super::support::{Asked, Outcome, PLAIN, Sandbox};
use camino::Utf8Path;
use std::process::Command;

fn status(outcome: &Outcome<'_>) -> String {
    outcome.first_build()["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_second_run_does_nothing_and_what_changed_is_built_again() {
    let sandbox = Sandbox::of("plain", &PLAIN);
    let first = sandbox.wheels(&[]).run().exits(0);
    assert_eq!(status(&first), "proven");
    assert!(first.steps().contains(&"sdist".to_owned()), "one wheel is built from the sdist: {:?}", first.steps());
    let report = first.report();
    assert_eq!(report["sdists"][0]["name"], "plain-1.0.tar.gz");

    let second = sandbox.wheels(&[]).run().exits(0).says(&["unchanged"]);
    assert_eq!((status(&second).as_str(), second.steps()), ("cached", vec![]));
    assert_eq!(second.stderr(), "");

    // One byte of a source; and a file that git does not know yet.
    for (file, text) in [("plain/src/plain/_core.c", "\n"), ("plain/src/plain/extra.py", "NEW = 1\n")] {
        let before = fs_err::read_to_string(sandbox.root.join(file)).unwrap_or_default();
        sandbox.project.write(file, before + text);
        assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "proven", "{file}");
        assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "cached", "{file}");
    }

    fs_err::remove_file(sandbox.wheel()).unwrap();
    assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "proven", "the wheel was gone");
    // A wheel that somebody wrote over is no proven wheel, even when its size is the same.
    let wheel = sandbox.wheel();
    let mut bytes = fs_err::read(&wheel).unwrap();
    bytes[100] ^= 1;
    fs_err::write(&wheel, &bytes).unwrap();
    assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "proven", "the wheel was changed");
    assert_eq!(status(&sandbox.wheels(&["--force"]).run().exits(0)), "proven", "--force");
    let other = sandbox.wheels(&[]).env("CFLAGS", "-O1").run().exits(0);
    assert_eq!(status(&other), "proven", "compilers read CFLAGS");
}

#[test]
fn a_new_version_replaces_the_former_wheel_and_a_failure_does_not() {
    let sandbox = Sandbox::of("plain", &PLAIN);
    let _ = sandbox.wheels(&[]).run().exits(0);
    let pyproject = sandbox.project.read("plain/pyproject.toml").replace("\"1.0\"", "\"1.1\"");
    sandbox.project.write("plain/pyproject.toml", pyproject);
    let _ = sandbox.wheels(&[]).env("PLAIN_DEFINE", "PLAIN_BROKEN").run().fails(4);
    assert!(sandbox.wheel().as_str().contains("plain-1.0-"));
    let _ = sandbox.wheels(&[]).run().exits(0);
    assert!(sandbox.wheel().as_str().contains("plain-1.1-"));
    let sdists: Vec<String> = sandbox.project.names("dist").into_iter().filter(|name| name.ends_with(".gz")).collect();
    assert_eq!(sdists, ["plain-1.1.tar.gz"]);
}

/// What dist/ holds is still what the report before says.
#[test]
fn a_run_that_builds_nothing_leaves_the_report() {
    let sandbox = Sandbox::plain(&PLAIN);
    let _ = sandbox.wheels(&[]).run().exits(0);
    let reports = || ["report.json", "report.md"].map(|name| sandbox.project.read(&format!("dist/{name}")));
    let before = reports();
    let _ = sandbox.wheels(&["--target", "macos-arm64"]).run().exits(5).says(&["1 not run here"]);
    assert_eq!(reports(), before);
}

/// A compiler that a package manager replaced has another size and time, and no other path or version.
#[test]
fn a_compiler_that_changed_builds_again() {
    let sandbox = Sandbox::of("plain", &PLAIN);
    let folder = sandbox.root.join("target/wheelproof/bin");
    let run = |script: &str| {
        for name in ["cc", "gcc"] {
            let file = folder.join(name);
            fs_err::create_dir_all(&folder).unwrap();
            // Not written anew where it is the same.
            if fs_err::read_to_string(&file).ok().as_deref() != Some(script) {
                fs_err::write(&file, script).unwrap();
                let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                fs_err::set_permissions(&file, all).unwrap();
            }
        }
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
        status(&sandbox.wheels(&[]).env("PATH", &path).run().exits(0))
    };
    let calling = |remark: &str| format!("#!/bin/sh\n# {remark}\nPATH=${{PATH#*:}} exec gcc \"$@\"\n");
    let (former, upgraded) = (calling("12.2"), calling("12.2-14+deb12u1"));
    assert_eq!(run(&former), "proven");
    assert_eq!(run(&former), "cached");
    assert_eq!(run(&upgraded), "proven", "the compiler is another one");
    assert_eq!(run(&upgraded), "cached");
}

/// A library that the project does not own.
fn library(folder: &Utf8Path, answer: u32) {
    fs_err::create_dir_all(folder).unwrap();
    let (source, file) = (folder.join("foo.c"), folder.join("libfoo.so.1"));
    fs_err::write(&source, format!("int foo(void) {{ return {answer}; }}\n")).unwrap();
    let args = ["-shared", "-fPIC", "-Wl,-soname,libfoo.so.1", source.as_str(), "-o", file.as_str()];
    assert!(Command::new("cc").args(args).status().unwrap().success());
}

/// What was grafted is part of the wheel: the fix of a fault in it must get there, though no source of the project changed.
#[test]
fn a_grafted_library_that_changed_is_grafted_again() {
    let outside = tempfile::tempdir().unwrap();
    let outside = Utf8Path::from_path(outside.path()).unwrap();
    let (first, second) = (outside.join("first"), outside.join("second"));
    library(&second, 1);
    let link = format!("environment: {{ PLAIN_LINK: {second}/libfoo.so.1 }}");
    let dirs = format!("repair: {{ lib_dirs: [{first}, {second}] }}");
    let sandbox = Sandbox::of("plain", &Asked { project: &["import: [plain]", &link], top: &[&dirs], python: &[] });
    // The status, and the wheel as it lies in dist/ then.
    let run = |says: &[&str]| {
        let outcome = sandbox.wheels(&[]).run().exits(0).says(says);
        (status(&outcome), outcome.first_build()["sha256"].as_str().unwrap().to_owned())
    };
    let (_, former) = run(&[]);
    assert_eq!(run(&[]).0, "cached");

    library(&second, 2);
    let (state, changed) = run(&["libfoo.so.1", "has changed since it was grafted"]);
    assert_eq!(state, "proven", "the library was built again, with other code");
    assert_ne!(changed, former);
    assert_eq!(run(&[]).0, "cached");

    // The same bytes with another time are the same library.
    let file = fs_err::OpenOptions::new().append(true).open(second.join("libfoo.so.1")).unwrap().into_file();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    assert_eq!(run(&[]).0, "cached", "only its time is another");

    // One that comes before it where libraries are looked for would be grafted in its place.
    library(&first, 3);
    let (state, before) = run(&["first/libfoo.so.1` comes before"]);
    assert_eq!(state, "proven", "another library comes first");
    assert_ne!(before, changed);
    assert_eq!(run(&[]).0, "cached");
}

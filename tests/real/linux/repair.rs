//! Wheels that cannot be repaired, or that are not what was asked for afterwards.

use super::support::{Asked, PLAIN, Sandbox, newest_python};
use camino::{Utf8Path, Utf8PathBuf};
use std::process::Command;
use wheelproof_tests::{program, skip};

#[test]
fn a_policy_that_is_not_met_names_the_symbols() {
    let target = format!("targets: {{ linux-{}: {{ platform: manylinux_2_17 }} }}", std::env::consts::ARCH);
    let sandbox = Sandbox::plain(&Asked {
        project: &["import: [plain]", "environment: { PLAIN_DEFINE: PLAIN_NEWER_LIBC }"],
        top: &[&target],
        python: &[],
    });
    let outcome = sandbox.wheels(&[]).run().fails(4);
    let outcome = outcome.says(&["does not meet `manylinux_2_17_", "`GLIBC_2.25`", "libc.so.6", "plain/_core"]);
    let id = outcome.first_build()["id"].as_str().unwrap().to_owned();
    assert!(id.contains("manylinux_2_17"), "{id}");
}

#[test]
fn a_policy_that_is_met_is_the_tag() {
    let target = format!("targets: {{ linux-{}: {{ platform: manylinux_2_17 }} }}", std::env::consts::ARCH);
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]"], top: &[&target], python: &[] });
    let outcome = sandbox.wheels(&[]).run().exits(0);
    let wheel = outcome.first_build()["wheel"].as_str().unwrap().to_owned();
    assert!(wheel.contains("manylinux_2_17") && !wheel.contains("manylinux_2_5"), "{wheel}");
}

#[test]
fn a_library_that_lies_nowhere_is_named_with_the_folders_looked_at() {
    let sandbox = Sandbox::plain(&Asked {
        project: &["import: [plain]", "environment: { PLAIN_GONE: libgone.so.7 }"],
        top: &["repair: { lib_dirs: [/nowhere/lib] }"],
        python: &[],
    });
    let outcome = sandbox.wheels(&[]).run().fails(4);
    let _ = outcome.says(&["the library `libgone.so.7`, needed by `plain/_core.", "was not found", "/nowhere/lib"]);
}

#[test]
fn a_library_is_grafted_and_the_wheel_says_which() {
    let Some(library) = host_library() else { return };
    let link = format!("environment: {{ PLAIN_LINK: {library} }}");
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", &link], ..PLAIN });
    let outcome = sandbox.wheels(&[]).run().exits(0);
    let build = outcome.first_build();
    let grafted: Vec<&str> = build["grafted"].as_array().unwrap().iter().filter_map(|g| g["name"].as_str()).collect();
    let stem = library.file_name().unwrap().split('.').next().unwrap();
    assert!(grafted.iter().any(|name| name.starts_with(&format!("plain.libs/{stem}-"))), "{grafted:?}");
}

#[test]
fn a_library_that_only_this_machine_has_is_a_finding_although_the_import_works() {
    let Some(library) = host_library() else { return };
    let name = library.file_name().unwrap();
    let (link, exclude) =
        (format!("environment: {{ PLAIN_LINK: {library} }}"), format!("repair: {{ exclude: [{name}] }}"));
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", &link], top: &[&exclude], python: &[] });
    let outcome = sandbox.wheels(&[]).run().fails(1).finds("host-library-leak");
    let outcome = outcome.says(&[&format!("needs `{name}`, which was loaded from `"), "not from the wheel"]);
    // It did import: that is what makes it a leak.
    let imported = outcome.first_build()["imported"].clone();
    assert_eq!(imported[0], "plain");
}

/// Two repairs of wheels that are called the same, at once: each has a folder and a log of its own.
#[test]
fn two_at_once_of_one_name_never_meet() {
    let Some(library) = host_library() else { return };
    let link = format!("environment: {{ PLAIN_LINK: {library} }}");
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", &link], ..PLAIN });
    let _ = sandbox.wheels(&[]).run().exits(0);
    let work = sandbox.root.join("target/wheelproof/work/plain").join(super::support::id(&newest_python()));
    let built: Vec<_> = work.join("build/wheel").read_dir_utf8().unwrap().flatten().collect();
    let name = built[0].file_name().to_owned();
    let marked = |mark: &str| {
        let given = sandbox.root.join("target").join(mark).join(&name);
        fs_err::create_dir_all(given.parent().unwrap()).unwrap();
        let script = "import shutil, sys, zipfile; shutil.copy(sys.argv[1], sys.argv[2]); \
                      wheel = zipfile.ZipFile(sys.argv[2], 'a'); wheel.writestr('plain/mark.txt', sys.argv[3])";
        let marked =
            Command::new("python3").args(["-c", script, built[0].path().as_str(), given.as_str(), mark]).status();
        assert!(marked.unwrap().success());
        given
    };
    let start = |mark: &str| {
        let mut command = program(&sandbox.root).command();
        let (given, out) = (marked(mark), sandbox.root.join("target").join(mark).join("out"));
        command.args(["repair", given.as_str(), "--out", out.as_str()]).spawn().unwrap()
    };
    let running = ["one", "two", "three"].map(|mark| (mark, start(mark)));
    for (mark, mut child) in running {
        assert!(child.wait().unwrap().success(), "{mark}");
        let out = sandbox.root.join("target").join(mark).join("out");
        let wheels: Vec<_> = out.read_dir_utf8().unwrap().flatten().collect();
        assert_eq!(wheels.len(), 1, "{wheels:?}");
        let script = "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read('plain/mark.txt').decode())";
        let read = Command::new("python3").args(["-c", script, wheels[0].path().as_str()]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), mark);
    }
    let left = sandbox.root.join("target/wheelproof/work/repair").read_dir_utf8().unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.path().is_dir()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A shared library that most systems have and no policy promises.
fn host_library() -> Option<Utf8PathBuf> {
    let folders = [
        format!("/lib/{}-linux-gnu", std::env::consts::ARCH),
        format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH),
        "/usr/lib64".to_owned(),
        "/usr/lib".to_owned(),
    ];
    let names = ["libtinfo.so.6", "liblzma.so.5", "libzstd.so.1"];
    let found = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| Utf8Path::new(folder).join(name)))
        .find(|path| path.is_file());
    if found.is_none() {
        skip("none of libtinfo, liblzma and libzstd is here");
    }
    found
}

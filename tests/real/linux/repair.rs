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

/// What `wheels` built of the little extension with a library that a repair grafts, unrepaired; and a place to repair it in.
fn built(sandbox: &Sandbox) -> Utf8PathBuf {
    let _ = sandbox.wheels(&[]).run().exits(0);
    let work = sandbox.root.join("target/wheelproof/work/plain").join(super::support::id(&newest_python()));
    let wheel = work.join("build/wheel").read_dir_utf8().unwrap().flatten().next().unwrap().into_path();
    let given = sandbox.root.join("target/given").join(wheel.file_name().unwrap());
    fs_err::create_dir_all(given.parent().unwrap()).unwrap();
    fs_err::copy(&wheel, &given).unwrap();
    given
}

/// `repair` by itself, as a user calls it: what lands, what is refused, what the options do.
#[test]
fn the_command_alone() {
    let Some(library) = host_library() else { return };
    let soname = library.file_name().unwrap();
    let link = format!("environment: {{ PLAIN_LINK: {library} }}");
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", &link], ..PLAIN });
    let given = built(&sandbox);
    let before = fs_err::read(&given).unwrap();
    let repair = |out: &str, more: &[&str]| {
        let out = sandbox.root.join("target").join(out);
        program(&sandbox.root).args(["repair", given.as_str(), "--out", out.as_str()]).args(more).run()
    };
    let names = |out: &str| -> Vec<String> {
        let entries = sandbox.root.join("target").join(out).read_dir_utf8().unwrap().flatten();
        entries.map(|entry| entry.file_name().to_owned()).collect()
    };

    let json = repair("one", &["--format", "json"]).exits(0).json();
    let entry = &json["wheels"][0];
    assert_eq!((json["schema_version"].as_u64(), entry["status"].as_str()), (Some(1), Some("repaired")));
    let made = Utf8PathBuf::from(entry["wheel"].as_str().unwrap());
    assert_eq!(names("one"), [made.file_name().unwrap()]);
    assert!(entry["platform"].as_str().unwrap().starts_with("manylinux"), "{entry}");
    let graft = &entry["grafted"][0];
    assert!(
        graft["name"].as_str().unwrap().starts_with("plain.libs/") && graft["bytes"].as_u64() > Some(1000),
        "{entry}"
    );

    // The wheel of the build and the one that was repaired come out under one name: one of them is there, and that is said.
    let two = sandbox.root.join("target/two");
    let args = ["repair", given.as_str(), made.as_str(), "--out", two.as_str(), "--format", "json"];
    let json = program(&sandbox.root).args(args).run().exits(4).json();
    assert_eq!(json["wheels"][0]["status"], "repaired");
    assert_eq!(json["wheels"][1]["status"], "failed");
    assert!(json["wheels"][1]["error"].as_str().unwrap().starts_with("it became `"), "{json}");
    assert_eq!(names("two"), [made.file_name().unwrap()]);

    // Patterns are the same to auditwheel and to us; what means nothing is said.
    let literal = format!("{}[0-9]", soname.trim_end_matches(|c: char| c.is_ascii_digit()));
    let any = format!("{}?", soname.trim_end_matches(|c: char| c.is_ascii_digit()));
    let run = repair("three", &["--exclude", &literal, "--format", "json"]).exits(0);
    assert_eq!(run.json()["wheels"][0]["grafted"].as_array().unwrap().len(), 1);
    let _ = run.says(&[&format!("`--exclude {literal}` left nothing out")]);
    let run = repair("four", &["--exclude", &any, "--format", "json"]).exits(0);
    assert_eq!(run.json()["wheels"][0]["assumed"][0]["library"], soname);
    assert!(!run.stderr.contains("left nothing out"), "{}", run.stderr);

    // A policy that the binaries do not meet, one of another C library, and the folder of the given wheel.
    let _ = repair("five", &["--plat", "musllinux_1_2"]).exits(1).says(&[
        "error[tag-not-met]",
        "`libc.so.6`",
        "ask for `manylinux",
    ]);
    let _ = repair("given", &[]).exits(2).says(&["where the given wheel"]);
    let _ = repair("six", &["--exclude", "*", "--plat", "manylinux_2_17"]).exits(0).says(&["manylinux_2_17"]);
    assert!(names("five").is_empty());
    assert_eq!(fs_err::read(&given).unwrap(), before);

    // One that fails does not keep the others, and a second repair changes nothing.
    let mac = sandbox.root.join("target/given/mac-1-cp313-cp313-macosx_11_0_arm64.whl");
    fs_err::write(&mac, "no archive").unwrap();
    let seven = sandbox.root.join("target/seven");
    let args = ["repair", mac.as_str(), made.as_str(), "--strip", "--out", seven.as_str()];
    let run = program(&sandbox.root).args(args).run().exits(2);
    let _ =
        run.says(&["cannot be read", &format!("{}: unchanged", made.file_name().unwrap()), "--strip did nothing to"]);
    assert_eq!(fs_err::read(&made).unwrap(), fs_err::read(seven.join(made.file_name().unwrap())).unwrap());
    assert_eq!(names("seven"), [made.file_name().unwrap()]);
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

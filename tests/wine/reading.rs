//! Binaries and wheels, read as this system reads them.

use crate::systems::{Windows, on_drive, settle};
use camino::{Utf8Path, Utf8PathBuf};
use wheelproof_tests::{Project, repository};

/// How binaries and archives of the fixtures end.
const ENDINGS: [&str; 9] = [".whl", ".so", ".pyd", ".dll", ".dylib", ".o", ".obj", ".a", ".lib"];

fn files(folder: &Utf8Path, endings: &[&str]) -> Vec<Utf8PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.as_str().ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Relative to the folder that the program runs in.
fn fixtures(endings: &[&str]) -> (Utf8PathBuf, Vec<String>) {
    let root = repository().join("tests/fixtures");
    let names = files(&root, endings);
    let names = names.iter().map(|file| file.strip_prefix(&root).unwrap().to_string()).collect();
    (root, names)
}

#[test]
fn symbols_of_every_fixture() {
    let Some(windows) = Windows::find() else { return };
    let (root, names) = fixtures(&ENDINGS);
    assert!(names.len() > 100, "{} fixtures", names.len());
    let mut wrong = Vec::new();
    for name in &names {
        windows.agree(&root, &["symbols", "--format", "json", name], &mut wrong);
    }
    settle(&wrong);
}

/// A folder is walked in the same order, and what lies in it is named the same way but for separators.
#[test]
fn symbols_of_folders_in_every_format() {
    let Some(windows) = Windows::find() else { return };
    let (root, _) = fixtures(&[]);
    let mut wrong = Vec::new();
    for format in ["text", "json", "sarif", "github"] {
        for folder in ["objfile", "proof", "linkage", "symbols"] {
            windows.agree(&root, &["symbols", "--format", format, folder], &mut wrong);
        }
    }
    // Markdown writes a `\` as an entity; without a folder there is none.
    let objfile = root.join("objfile");
    windows.agree(&objfile, &["symbols", "--format", "markdown", "extension-x86_64.pyd"], &mut wrong);
    settle(&wrong);
}

#[test]
fn wheels_are_shown_and_proven_the_same() {
    let Some(windows) = Windows::find() else { return };
    let (root, names) = fixtures(&[".whl"]);
    assert!(names.len() > 30, "{} wheels", names.len());
    let mut wrong = Vec::new();
    for name in &names {
        windows.agree(&root, &["show", "--format", "json", name], &mut wrong);
        windows.agree(&root, &["verify", "--no-import", "--format", "json", name], &mut wrong);
    }
    // Each further form once for a wheel of each system.
    for system in ["linux_x86_64", "macosx_12_0_arm64", "win_amd64"] {
        let name = format!("symbols/missing_symbol-1-cp313-cp313-{system}.whl");
        for format in ["text", "html", "markdown"] {
            windows.agree(&root, &["show", "--format", format, &name], &mut wrong);
        }
        for format in ["text", "sarif", "github", "markdown"] {
            windows.agree(&root, &["verify", "--no-import", "--format", format, &name], &mut wrong);
        }
    }
    settle(&wrong);
}

#[test]
fn wheels_differ_the_same() {
    let Some(windows) = Windows::find() else { return };
    let (root, names) = fixtures(&[".whl"]);
    let mut wrong = Vec::new();
    for pair in names.windows(2) {
        windows.agree(&root, &["diff", "--format", "json", &pair[0], &pair[1]], &mut wrong);
    }
    for format in ["text", "markdown"] {
        windows.agree(&root, &["diff", "--format", format, &names[0], &names[1]], &mut wrong);
    }
    settle(&wrong);
}

/// Cut off, emptied, overwritten: the same sentence, and no crash that only Windows has.
#[test]
fn broken_files_are_broken_the_same() {
    let Some(windows) = Windows::find() else { return };
    let (root, names) = fixtures(&ENDINGS);
    let project = Project::new();
    let mut made = Vec::new();
    for ending in ENDINGS {
        let Some(name) = names.iter().find(|name| name.ends_with(ending)) else { continue };
        let bytes = fs_err::read(root.join(name)).unwrap();
        let file = Utf8Path::new(name).file_name().unwrap();
        let mut overwritten = bytes.clone();
        overwritten.iter_mut().skip(16).step_by(7).for_each(|byte| *byte = !*byte);
        for (kind, content) in [
            ("cut-early", &bytes[..bytes.len().min(40)]),
            ("cut-half", &bytes[..bytes.len() / 2]),
            ("cut-late", &bytes[..bytes.len() - bytes.len() / 16 - 1]),
            ("overwritten", &overwritten),
            ("empty", &[]),
            ("text", b"this is no binary\n"),
        ] {
            project.write(&format!("{kind}/{file}"), content);
            made.push(format!("{kind}/{file}"));
        }
    }
    let mut wrong = Vec::new();
    for name in &made {
        windows.agree(project.root(), &["symbols", "--format", "json", name], &mut wrong);
        if name.ends_with(".whl") {
            windows.agree(project.root(), &["show", "--format", "json", name], &mut wrong);
            windows.agree(project.root(), &["verify", "--no-import", "--format", "json", name], &mut wrong);
        }
    }
    for args in [
        &["symbols", "nowhere.whl"][..],
        &["show", "nowhere.whl"],
        &["verify", "--no-import", "nowhere/there.whl"],
        &["diff", "nowhere.whl", "empty"],
        &["symbols", "empty"],
        &["explain"],
        &["explain", "missing-symbol"],
        &["explain", "PY101", "--format", "markdown"],
        &["explain", "mising-symbol"],
    ] {
        windows.agree(project.root(), args, &mut wrong);
    }
    settle(&wrong);
}

/// Wheels of 30 to 70 MB, where there are some.
#[test]
fn published_wheels_are_proven_the_same() {
    let Some(windows) = Windows::find() else { return };
    let Some(house) = wheelproof_tests::wheelhouse() else { return };
    let wheels: Vec<_> = files(&house, &[".whl"])
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|name| name.starts_with("justjit-")))
        .map(|file| file.strip_prefix(&house).unwrap().to_string())
        .collect();
    let mut wrong = Vec::new();
    for wheel in &wheels {
        for command in [&["symbols"][..], &["show"], &["verify", "--no-import"]] {
            let args = [command, &["--format", "json", wheel.as_str()]].concat();
            windows.agree(&house, &args, &mut wrong);
        }
    }
    println!("{} wheels", wheels.len());
    settle(&wrong);
}

/// Named by a drive, a wheel is named so in the answer.
#[test]
fn a_wheel_is_named_as_it_was_named() {
    let Some(windows) = Windows::find() else { return };
    let (root, _) = fixtures(&[]);
    let file = root.join("symbols/internal_symbol-1-cp313-cp313-win_amd64.whl");
    let project = Project::new();
    for named in [on_drive(&file), on_drive(&file).replace('\\', "/"), on_drive(&file).replacen('Z', "z", 1)] {
        let json = windows.program(project.root()).args(["show", "--format", "json", &named]).run().exits(0).json();
        assert_eq!(json["wheels"][0]["path"], named.as_str());
        let members = json["wheels"][0]["binaries"].as_array().unwrap();
        assert!(members.iter().all(|one| !one["member"].as_str().unwrap().contains('\\')), "{members:?}");
    }
}

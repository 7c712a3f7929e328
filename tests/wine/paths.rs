//! Where projects lie on Windows: below a drive in either case, with spaces, verbatim, on a share, deep.

use crate::systems::{Windows, on_drive};
use wheelproof_tests::{Project, repository, with_projects};

const CONFIGURATION: &str = "version: 1\nprojects: [{ path: jit }]\n";

/// However the project is named, the plan is the same, and its own folder is never shown verbatim (`\\?\`): compilers, CMake
/// and Python do not take such paths everywhere.
#[test]
fn a_project_by_any_name() {
    let Some(windows) = Windows::find() else { return };
    let world = on_drive(&repository().join("tests/golden/worlds/bare.json"));
    let project = with_projects();
    let folder = "with space & 'quote'";
    for (path, text) in [("ci/wheels.yaml", CONFIGURATION), ("jit/pyproject.toml", &project.read("jit/pyproject.toml"))]
    {
        project.write(&format!("{folder}/{path}"), text);
    }
    let drive = on_drive(&project.root().join(folder));
    let elsewhere = Project::new();
    let plan = |named: &str| {
        let args = ["wheels", "--plan", "--format", "json", "--project", named, "--world", &world];
        windows.program(elsewhere.root()).args(args).run().exits(0)
    };
    let expected = plan(&drive).stdout;
    assert!(!expected.contains(r"\\\\?"), "{expected}");
    let mut wrong = Vec::new();
    for named in [
        drive.replace('\\', "/"),
        drive.replacen('Z', "z", 1),
        format!("{drive}\\"),
        format!("{drive}\\jit\\.."),
        format!(r"\\?\{drive}"),
    ] {
        let found = plan(&named).stdout;
        if found != expected {
            let pair = expected.lines().zip(found.lines()).find(|(one, other)| one != other);
            wrong.push(format!("{named}: {pair:?}"));
        }
    }
    assert!(wrong.is_empty(), "{expected}\n{}", wrong.join("\n"));
}

/// More than 260 characters, which the system takes only in its own form or when told so.
#[test]
fn a_path_that_is_too_long_for_old_programs() {
    let Some(windows) = Windows::find() else { return };
    let deep = vec!["a folder whose name is rather long, as generated ones are"; 6].join("/");
    let wheel = "internal_symbol-1-cp313-cp313-win_amd64.whl";
    let fixture = fs_err::read(repository().join("tests/fixtures/symbols").join(wheel)).unwrap();
    let project = Project::new().file(&format!("{deep}/{wheel}"), fixture);
    let deep = project.root().join(deep);
    assert!(deep.as_str().len() > 320);
    for named in [on_drive(&deep.join(wheel)), on_drive(&deep.join(wheel)).replace('\\', "/")] {
        let json = windows.program(project.root()).args(["symbols", "--format", "json", &named]).run().exits(0).json();
        assert_eq!(json["subjects"].as_array().map(Vec::len), Some(1));
    }
    let shown = windows.program(project.root()).args(["symbols", "--format", "json", &on_drive(&deep)]).run().exits(0);
    assert_eq!(shown.json()["subjects"].as_array().map(Vec::len), Some(1), "the folder is walked");
}

/// A file that something else has mapped or open is read all the same, and a finding names it as it was typed.
#[test]
fn letters_beyond_ascii() {
    let Some(windows) = Windows::find() else { return };
    let wheel = "missing_symbol-1-cp313-cp313-win_amd64.whl";
    let fixture = fs_err::read(repository().join("tests/fixtures/symbols").join(wheel)).unwrap();
    let project = Project::new().file(&format!("größe-数/{wheel}"), fixture);
    let mut wrong = Vec::new();
    for format in ["text", "json", "sarif", "github"] {
        windows.agree(project.root(), &["symbols", "--format", format, &format!("größe-数/{wheel}")], &mut wrong);
        windows.agree(project.root(), &["symbols", "--format", format, "größe-数"], &mut wrong);
    }
    crate::systems::settle(&wrong);
}

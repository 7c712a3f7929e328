//! A machine that lacks things, a pipe that closes.

use crate::systems::Windows;
use std::io::Read as _;
use std::process::Stdio;
use wheelproof_tests::{Project, program, repository, with_projects};

/// Wine has no Python: what is missing is said, with how to get it, and the exit code is that of a missing thing.
#[test]
fn a_machine_without_python() {
    let Some(windows) = Windows::find() else { return };
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\npython: [\"3.12\"]\n");
    let on_windows = |args: &[&str]| {
        // The home of whoever runs the tests is on a drive as well.
        let call = windows.program(project.root()).args(args).without("PYENV_ROOT").without("VIRTUAL_ENV");
        call.without("CONDA_PREFIX").run()
    };
    let doctor = on_windows(&["doctor", "--save-world", "world.json"]);
    let said = ["machine: windows-x86_64", "no CPython 3.12 was found", "to run it"];
    assert!(!doctor.stdout.contains("not used") && !doctor.stdout.contains("pyenv\\versions"), "{}", doctor.stdout);
    // What was written down on Windows is read here, and means the same.
    let here = program(project.root()).args(["doctor", "--world", "world.json"]).run();
    assert_eq!((here.status, &here.stdout), (doctor.status, &doctor.stdout), "{}", here.stderr);
    let _ = doctor.says(&said);
    let wheels = on_windows(&["wheels"]);
    assert!([3, 5].contains(&wheels.status), "{wheels:?}");
    let _ = wheels.says(&["no CPython 3.12 was found"]);
}

/// Whoever reads only the first lines ends the program, quietly.
#[test]
fn a_pipe_that_closes() {
    let Some(windows) = Windows::find() else { return };
    let folder = repository().join("tests/fixtures");
    for args in [&["symbols", "--format", "json", "symbols"][..], &["explain"]] {
        let mut command = windows.program(&folder).args(args).command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 1];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked") && !said.contains("fault of its own"), "{said}");
        assert_ne!(output.status.code(), Some(70), "{said}");
    }
}

/// Writes below a folder of its own name, replaces what it wrote, and leaves nothing else.
#[test]
fn files_are_replaced() {
    let Some(windows) = Windows::find() else { return };
    let project = Project::new().file("pyproject.toml", "[project]\nname = \"x\"\n");
    for _ in 0..3 {
        let run = windows.program(project.root()).args(["doctor", "--save-world", "world.json"]).run();
        assert!([0, 3].contains(&run.status), "{run:?}");
    }
    assert!(project.read("world.json").contains("\"schema_version\""));
    let names = project.names("");
    let strange: Vec<_> = names.iter().filter(|name| name.contains("tmp") || name.starts_with('.')).collect();
    assert!(strange.is_empty(), "{names:?}");
}

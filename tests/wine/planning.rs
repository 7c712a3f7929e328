//! What is planned, and every error of the configuration, as this system says it.

use crate::systems::{Windows, settle};
use camino::Utf8PathBuf;
use wheelproof_tests::{program, repository, with_projects};

fn golden(folder: &str, ending: &str) -> Vec<Utf8PathBuf> {
    let entries = repository().join("tests/golden").join(folder).read_dir_utf8().unwrap();
    let mut files: Vec<Utf8PathBuf> =
        entries.map(|entry| entry.unwrap().into_path()).filter(|file| file.as_str().ends_with(ending)).collect();
    files.sort();
    files
}

/// Every command and its help.
#[test]
fn help() {
    let Some(windows) = Windows::find() else { return };
    let project = with_projects();
    let help = program(project.root()).args(["--help"]).run().exits(0).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 10 && commands.contains(&"wheels"), "{commands:?}");
    let mut wrong = Vec::new();
    for args in [&["--help"][..], &["-h"], &["--version"], &[], &["no-such-command"], &["wheels", "--no-such-flag"]] {
        windows.agree(project.root(), args, &mut wrong);
    }
    for command in commands {
        windows.agree(project.root(), &[command, "--help"], &mut wrong);
    }
    settle(&wrong);
}

#[test]
fn errors_of_the_configuration() {
    let Some(windows) = Windows::find() else { return };
    let world = repository().join("tests/golden/worlds/bare.json");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in golden("errors", ".case") {
        let case = fs_err::read_to_string(&file).unwrap();
        let (input, expected) = case.split_once("=== exit ").unwrap();
        let project = with_projects().file("ci/wheels.yaml", input);
        let before = wrong.len();
        let status = windows.agree(project.root(), &["wheels", "--plan", "--world", world.as_str()], &mut wrong);
        assert_eq!(expected.lines().next(), Some(status.to_string().as_str()), "{file}");
        if let Some(one) = wrong.get_mut(before) {
            *one = format!("{}: {one}", file.file_name().unwrap_or_default());
        }
        count += 1;
    }
    assert!(count >= 50, "{count} cases");
    settle(&wrong);
}

/// A plan says what runs on the recorded machine, so it is the same wherever it is made; keys of the cache included.
#[test]
fn plans_and_matrices_of_every_recorded_machine() {
    let Some(windows) = Windows::find() else { return };
    let (configurations, machines) = (golden("plans", ".yaml"), golden("worlds", ".json"));
    assert!(configurations.len() >= 3 && machines.len() >= 4);
    let mut wrong = Vec::new();
    for configuration in &configurations {
        let project = with_projects().file("ci/wheels.yaml", fs_err::read(configuration).unwrap());
        for machine in &machines {
            for command in [
                &["wheels", "--plan"][..],
                &["wheels", "--plan", "--format", "json"],
                &["wheels", "--plan", "--explain"],
                &["matrix", "--format", "json"],
                &["matrix", "--format", "github"],
            ] {
                let args = [command, &["--world", machine.as_str()]].concat();
                windows.agree(project.root(), &args, &mut wrong);
            }
        }
    }
    settle(&wrong);
}

/// As editors on Windows write it: CRLF, a byte-order mark, a path with `\`.
#[test]
fn configurations_as_windows_writes_them() {
    let Some(windows) = Windows::find() else { return };
    let world = repository().join("tests/golden/worlds/bare.json");
    let full = fs_err::read_to_string(repository().join("tests/golden/plans/minimal.yaml")).unwrap();
    let mut wrong = Vec::new();
    for (text, code) in [
        (full.replace('\n', "\r\n"), 0),
        (format!("\u{feff}{}", full.replace('\n', "\r\n")), 0),
        ("version: 1\r\nprojects:\r\n  - path: nowhere\r\n    tset: x\r\n".to_owned(), 2),
        ("version: 1\r\nprojects: [{ path: jit }]\r\npython: \"nonsense\"\r\n".to_owned(), 2),
    ] {
        let project = with_projects().file("ci/wheels.yaml", &text);
        let status = windows.agree(project.root(), &["wheels", "--plan", "--world", world.as_str()], &mut wrong);
        assert_eq!(status, code, "{text:?}");
    }
    settle(&wrong);
}

/// A machine that no one recorded so.
#[test]
fn worlds_that_cannot_be_read() {
    let Some(windows) = Windows::find() else { return };
    let project = with_projects()
        .file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\n")
        .file("empty.json", "")
        .file("newer.json", "{\"schema_version\": 9}")
        .file("plan9.json", "{\"schema_version\": 1, \"os\": \"plan9\"}");
    let mut wrong = Vec::new();
    for name in ["empty.json", "newer.json", "plan9.json", "gone.json"] {
        let status = windows.agree(project.root(), &["wheels", "--plan", "--world", name], &mut wrong);
        assert_eq!(status, 2, "{name}");
    }
    settle(&wrong);
}

//! What the `WHEELPROOF_…` variables do: the same as the flag, and nothing where they are empty.

use wheelproof_tests::{Program, program, repository, with_projects};

/// Every variable of the program, by its help.
const VARIABLES: [&str; 11] =
    ["FORCE", "FORMAT", "JOBS", "KEEP_GOING", "ONLY", "OUT", "PROJECT", "PROVISION", "PYTHON", "REPAIRER", "TARGET"];

fn world() -> String {
    repository().join("tests/golden/worlds/bookworm.json").into_string()
}

/// `wheels --plan` of one project for a recorded machine.
fn planned<T>(then: impl FnOnce(Program) -> T) -> T {
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\npython: [\"3.13\"]\n");
    then(program(project.root()).args(["wheels", "--plan", "--world", &world()]))
}

/// A workflow passes on inputs that nobody gave: as empty texts.
#[test]
fn an_empty_variable_says_nothing() {
    let plain = planned(|call| call.run().exits(0));
    for value in ["", "  "] {
        for name in VARIABLES.iter().chain(&["WORLD"]) {
            let name = format!("WHEELPROOF_{name}");
            assert_eq!(planned(|call| call.env(&name, value).run().exits(0)).stderr, plain.stderr, "{name}={value:?}");
        }
        let all =
            |call| VARIABLES.iter().fold(call, |call: Program, name| call.env(&format!("WHEELPROOF_{name}"), value));
        assert_eq!(planned(|call| all(call).run().exits(0)).stdout, planned(|call| call.run()).stdout);
    }
}

#[test]
fn a_switch_is_on_or_off_in_every_usual_way() {
    for (value, fine) in [
        ("1", true),
        ("0", true),
        ("true", true),
        ("FALSE", true),
        ("yes", true),
        ("No", true),
        ("maybe", false),
        ("2", false),
    ] {
        for name in ["WHEELPROOF_FORCE", "WHEELPROOF_KEEP_GOING"] {
            let run = planned(|call| call.env(name, value).run());
            if fine {
                let _ = run.exits(0);
            } else {
                let run = run.exits(2).says(&[&format!("`{name}={value}`"), "`1`", "`no`"]);
                assert!(!run.stderr.contains("--"), "nobody typed a flag: {}", run.stderr);
            }
        }
    }
    // What installs is off where nothing is to be installed.
    let _ = planned(|call| call.env("WHEELPROOF_PROVISION", "1").run()).exits(0);
    let _ = planned(|call| call.args(["--provision"]).run()).exits(2).says(&["--provision"]);
}

#[test]
fn an_error_names_the_variable_that_it_comes_from() {
    for (name, value, status, says) in [
        ("WHEELPROOF_JOBS", "none", 2, &["`WHEELPROOF_JOBS=none`", "it is a number from 1 on"][..]),
        ("WHEELPROOF_ONLY", "cp27-*", 5, &["`WHEELPROOF_ONLY=cp27-*` selects no build", "there are"]),
        ("WHEELPROOF_ONLY", "cp3[", 2, &["`WHEELPROOF_ONLY=cp3[`"]),
        ("WHEELPROOF_PYTHON", "snake", 2, &["snake", "WHEELPROOF_PYTHON"]),
        ("WHEELPROOF_TARGET", "linux-x64", 2, &["linux-x64", "WHEELPROOF_TARGET"]),
        ("WHEELPROOF_PROJECT", "nowhere", 2, &["`WHEELPROOF_PROJECT=nowhere`"]),
        ("WHEELPROOF_FORMAT", "jsn", 2, &["`WHEELPROOF_FORMAT=jsn`", "did you mean `json`?"]),
    ] {
        let run = planned(|call| call.env(name, value).run()).exits(status).says(says);
        assert!(!run.stderr.contains("--only") && !run.stderr.contains("--jobs <"), "{}", run.stderr);
    }
    // What was typed counts, and is what an error names.
    let _ = planned(|call| call.args(["--jobs", "2"]).env("WHEELPROOF_JOBS", "none").run()).exits(0);
    let _ = planned(|call| call.args(["-j", "none"]).env("WHEELPROOF_JOBS", "2").run()).exits(2).says(&["--jobs"]);
}

/// A format that is asked for in general holds for every command that has it, and for no other.
#[test]
fn one_format_for_every_command_that_has_it() {
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\npython: [\"3.13\"]\n");
    let wheel = repository().join("tests/fixtures/symbols/internal_symbol-1-cp313-cp313-linux_x86_64.whl");
    let call = |format: &str, args: &[&str]| program(project.root()).args(args).env("WHEELPROOF_FORMAT", format).run();
    for args in
        [&["symbols", wheel.as_str()][..], &["show", wheel.as_str()], &["verify", "--no-import", wheel.as_str()]]
    {
        let _ = call("json", args).exits(0).json();
    }
    let plan = ["wheels", "--plan", "--world", &world()];
    let _ = call("json", &plan).exits(0).json();
    assert_eq!(call("sarif", &plan).exits(0).stdout, call("text", &plan).exits(0).stdout, "a plan is no finding");
    assert_eq!(call("sarif", &["symbols", wheel.as_str()]).exits(0).json()["version"], "2.1.0");
    let _ = call("sarif", &["explain"]).exits(0).says(&["PY101"]);
    // What a matrix is for is no matter of taste.
    assert!(call("github", &["matrix", "--world", &world()]).stdout.starts_with("[\n"));
    let named = call("json", &["symbols", wheel.as_str(), "--format", "text"]).exits(0);
    assert!(named.stdout.contains("warning[internal-symbol]"), "the flag wins");
    let nowhere = ["repair", "nowhere-1-py3-none-any.whl", "-w", "out"];
    assert_eq!(call("markdown", &nowhere), call("", &nowhere));
}

#[test]
fn a_variable_that_is_none_is_told() {
    let run = planned(|call| call.env("WHEELPROOF_PYHTON", "3.12").run()).exits(0);
    let run = run.says(&["warning: `WHEELPROOF_PYHTON`", "did you mean `WHEELPROOF_PYTHON`?"]);
    assert!(run.stdout.contains("cp313"), "it does nothing");
    let _ = planned(|call| call.env("WHEELPROOF_ZZZ", "1").run()).exits(0).says(&["warning: `WHEELPROOF_ZZZ`"]);
    // Those of the tests are no typing errors.
    let page = fs_err::read_to_string(repository().join("docs/testing.md")).unwrap();
    let names =
        page.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).filter(|word| word.starts_with("WHEELPROOF_"));
    let call = planned(|call| names.fold(call, |call, name| call.env(name, "1")).run());
    assert!(!call.stderr.contains("warning"), "{}", call.stderr);
}

/// The page for users has every variable that a help shows.
#[test]
fn every_variable_is_documented() {
    let page = fs_err::read_to_string(repository().join("docs/configuration.md")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for command in ["wheels", "matrix", "doctor", "symbols", "show", "verify", "diff", "repair", "explain"] {
        let help = program(repository()).args([command, "--help"]).run().exits(0).stdout;
        for name in help.split("[env: ").skip(1).filter_map(|rest| rest.split('=').next()) {
            seen.insert(name.to_owned());
            assert!(page.contains(&format!("`{name}`")), "{name} of `{command}` is not in docs/configuration.md");
        }
    }
    assert_eq!(seen.len(), VARIABLES.len() + 1, "{seen:?}");
}

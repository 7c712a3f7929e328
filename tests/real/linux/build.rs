//! Builds that fail, each in its own way: what is said, and that nothing is lost.

use super::support::{Asked, PLAIN, Sandbox};

#[test]
fn a_compile_error_is_shown_as_the_compiler_said_it() {
    let sandbox = Sandbox::plain(&Asked {
        project: &["import: [plain]", "environment: { PLAIN_DEFINE: PLAIN_BROKEN }"],
        ..PLAIN
    });
    let outcome = sandbox.wheels(&[]).run().fails(4);
    let build = outcome.first_build();
    assert_eq!(build["status"], "failed");
    let excerpt: Vec<&str> = build["excerpt"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(
        excerpt.iter().any(|line| line.contains("_core.c:5:2: error: #error \"this line is wrong on purpose\"")),
        "{excerpt:?}"
    );
    // The end of the noise is a traceback of the front end, which says nothing.
    assert!(!excerpt.iter().any(|line| line.contains("Traceback")), "{excerpt:?}");
    let _ = outcome.says(&[
        "FAILED",
        "`setuptools.build_meta` could not make the wheel: exit code 1",
        "log: ",
        "build.log",
    ]);
}

#[test]
fn a_build_requirement_that_is_not_there_is_named() {
    let sandbox = Sandbox::plain(&PLAIN);
    let pyproject = sandbox.project.read("plain/pyproject.toml").replace("setuptools>=77", "setuptools>=9999");
    sandbox.project.write("plain/pyproject.toml", pyproject);
    let _ = sandbox.wheels(&[]).run().fails(4).says(&["setuptools>=9999"]);
}

#[test]
fn before_build_fails_and_is_shown() {
    let command = "before_build: python -c \"import sys; sys.exit('no generated sources today')\"";
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", command], ..PLAIN });
    let _ = sandbox.wheels(&[]).run().fails(4).says(&["before-build", "no generated sources today"]);
}

#[test]
fn a_backend_that_misbehaves_is_called_by_its_name() {
    for (mood, code, said) in [
        ("no-wheel", 4, "`wayward_backend` reported success and made no wheel"),
        (
            "two-wheels",
            4,
            "`wayward_backend` made 2 wheels where one was asked for: `wayward-1.0-py3-none-any.whl`, `wayward-2.0-py3-none-any.whl`",
        ),
        ("no-sdist", 4, "`wayward_backend` reported success and made no sdist"),
        ("two-sdists", 4, "`wayward_backend` made 2 sdists where one was asked for"),
        ("hollow-sdist", 4, "the sdist `wayward-1.0.tar.gz` does not hold one folder with a pyproject.toml"),
        ("no-archive", 4, "what was built is no wheel"),
        ("half", 1, "record-mismatch"),
        ("other-module", 1, "the module `wayward` is not in the wheel"),
        ("other-python", 1, "its tags do not take it"),
    ] {
        let sandbox = Sandbox::wayward(mood);
        let outcome = sandbox.wheels(&[]).run().fails(code).says(&[said]);
        assert_eq!(outcome.first_build()["status"], "failed", "{mood}");
    }
}

#[test]
fn an_import_name_that_is_not_in_the_wheel_is_found_before_anything_is_repaired() {
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plane]"], ..PLAIN });
    let outcome = sandbox.wheels(&[]).run().fails(1).finds("import-not-in-wheel");
    let outcome = outcome.says(&["the module `plane` is not in the wheel", "the wheel holds `plain`"]);
    assert!(!outcome.steps().contains(&"repair".to_owned()), "{:?}", outcome.steps());
}

#[test]
fn a_backend_may_write_into_its_tree_and_the_project_is_as_it_was() {
    let sandbox = Sandbox::wayward("litter");
    // That nothing was changed is looked at after every run; here something tried to.
    let _ = sandbox.wheels(&[]).run().exits(0);
    assert!(!sandbox.root.join("wayward/build").exists());
    let built = sandbox.root.join("target/wheelproof/work/wayward");
    let id = fs_err::read_dir(&built).unwrap().next().unwrap().unwrap().file_name();
    let unpacked = built.join(id.to_str().unwrap()).join("build/unpacked/wayward-1.0/build/left-behind");
    assert!(unpacked.is_file(), "the backend did not do what this story is about");
}

#[test]
fn a_build_that_takes_too_long_is_stopped_with_all_it_started() {
    let sandbox = Sandbox::wayward("sleep");
    let asked = Asked {
        project: &["import: [wayward]", "environment: { WAYWARD: sleep }"],
        top: &["time_limits: { build: 3s }"],
        python: &[],
    };
    sandbox.ask(&asked);
    let outcome = sandbox.wheels(&[]).run().fails(4).says(&[
        "could not make the wheel: it took longer than 3 s",
        "time_limits: { build: ",
        "TIMED OUT",
    ]);
    assert!(outcome.seconds < 60.0);
}

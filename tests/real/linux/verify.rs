//! Wheels that do not import, or whose tests fail.

use super::support::{Asked, PLAIN, Sandbox};

#[test]
fn a_symbol_that_nobody_has_refutes_the_wheel_and_stops_the_import() {
    let project = ["import: [plain]", "environment: { PLAIN_DEFINE: PLAIN_UNDEFINED }"];
    let sandbox = Sandbox::plain(&Asked { project: &project, ..PLAIN });
    let outcome = sandbox.wheels(&[]).run().fails(1);
    let _ = outcome.says(&["unresolved-symbol", "needs `defined_nowhere`", "neither the wheel's libraries"]);

    // The loader says the same where the proof is silenced.
    let silenced = ["rules: { unresolved-symbol: { severity: \"off\" } }"];
    let sandbox = Sandbox::plain(&Asked { project: &project, top: &silenced, ..PLAIN });
    let outcome = sandbox.wheels(&[]).run().fails(4);
    let _ = outcome.says(&["`import plain` failed: ImportError:", "undefined symbol: defined_nowhere", "import.log"]);
}

#[test]
fn an_import_that_crashes_says_which_module_it_was() {
    let sandbox =
        Sandbox::plain(&Asked { project: &["import: [plain]", "environment: { PLAIN_DEFINE: PLAIN_CRASH }"], ..PLAIN });
    let _ = sandbox.wheels(&[]).run().fails(4).says(&["the process died while it imported `plain`", "SIGSEGV"]);
}

#[test]
fn a_test_command_that_fails_shows_what_it_printed() {
    let test = "test: python -c \"import plain, sys; print('sum is wrong'); sys.exit(3)\"";
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", test], ..PLAIN });
    let outcome = sandbox.wheels(&[]).run().fails(4);
    let _ = outcome.says(&[
        "the wheel imports, but its tests fail: `python -c 'import plain, sys; ",
        "` ended with exit code 3",
        "sum is wrong",
        "test.log",
    ]);
}

#[test]
fn a_test_command_that_hangs_is_stopped_with_all_it_started() {
    let test =
        "test: python -c \"import subprocess; print('here I stay', flush=True); subprocess.run(['sleep', '600'])\"";
    let sandbox = Sandbox::plain(&Asked {
        project: &["import: [plain]", test],
        top: &["time_limits: { test: 2s }"],
        python: &[],
    });
    let outcome = sandbox.wheels(&[]).run().fails(4);
    let _ =
        outcome.says(&["` was stopped: it took longer than 2 s", "time_limits: { test: ", "here I stay", "TIMED OUT"]);
}

#[test]
fn a_test_command_that_is_not_there_is_named() {
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", "test: pruef-werkzeug --all"], ..PLAIN });
    let _ = sandbox.wheels(&[]).run().fails(3).says(&["the program `pruef-werkzeug` was not found"]);
}

#[test]
fn tests_that_end_without_telling_what_they_loaded_are_remarked_upon() {
    let test = "test: python -c \"import os, plain; os._exit(0)\"";
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", test], ..PLAIN });
    let outcome = sandbox.wheels(&[]).run().exits(0).says(&["libraries-not-seen"]);
    let build = outcome.first_build();
    let mut findings = build["findings"].as_array().unwrap().iter();
    let remark = findings.find(|finding| finding["rule"] == "libraries-not-seen").unwrap();
    assert_eq!(remark["severity"], "info");
}

#[test]
fn a_neighbour_that_cannot_be_had_is_named() {
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", "coexist: [llvmlite]"], ..PLAIN });
    let call = sandbox.wheels(&[]).env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", "/nowhere");
    let _ = call.run().fails(4).says(&["install-coexist", "No matching distribution found for llvmlite"]);
}

#[test]
fn the_users_environment_does_not_reach_the_tests() {
    let test = "test: python -c \"import os; bad = {'LD_LIBRARY_PATH', 'PYTHONPATH', 'LLVM_DIR', 'LD_PRELOAD'} & set(os.environ); assert not bad, bad; assert not os.listdir('.')\"";
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", test], ..PLAIN });
    let call = sandbox.wheels(&[]).env("LD_LIBRARY_PATH", "/nowhere").env("PYTHONPATH", "/nowhere");
    let _ = call.env("LLVM_DIR", "/nowhere").run().exits(0);
}

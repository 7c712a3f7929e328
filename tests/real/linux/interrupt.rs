//! Ctrl-C and worse, at every step; and two runs at once.

use super::support::{Asked, PLAIN, Sandbox};

const SLEEPING_TEST: &str = "test: python -c \"import subprocess; subprocess.run(['sleep', '641'])\"";

#[test]
fn ctrl_c_while_building_ends_everything_and_the_next_run_goes_on() {
    let sandbox = Sandbox::wayward("sleep");
    let mut running = sandbox.wheels(&[]).start();
    running.until_process("time.sleep(600)");
    running.signal("INT");
    let outcome = running.finish().fails(130).says(&["stopped"]);
    let build = outcome.first_build();
    assert_eq!((build["status"].as_str(), build["failure"].as_str()), (Some("failed"), Some("interrupted")));

    sandbox.ask(&Asked { project: &["import: [wayward]"], ..Asked::default() });
    let _ = sandbox.wheels(&[]).run().exits(0);
}

#[test]
fn ctrl_c_at_every_step_leaves_nothing() {
    let sandbox = Sandbox::plain(&PLAIN);
    for step in ["sdist", "unpack", "build", "repair", "venv", "install", "import", "hook", "test"] {
        let mut running = sandbox.wheels(&[]).start();
        running.until(&format!("{step} …"));
        running.signal("INT");
        let _ = running.finish().fails(130);
    }
    let _ = sandbox.wheels(&[]).run().exits(0);
}

#[test]
fn ctrl_c_before_the_first_step_leaves_nothing() {
    let sandbox = Sandbox::plain(&PLAIN);
    for milliseconds in [0, 20, 60, 120] {
        // Nothing is known of the machine yet: it is asked.
        let _ = fs_err::remove_dir_all(sandbox.root.join("target/wheelproof/cache"));
        let running = sandbox.wheels(&[]).start();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        running.signal("INT");
        let _ = running.finish().fails(130);
    }
}

#[test]
fn ctrl_c_while_testing_ends_what_the_tests_started() {
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", SLEEPING_TEST], ..PLAIN });
    let mut running = sandbox.wheels(&[]).start();
    running.until_process("sleep 641");
    running.signal("INT");
    let _ = running.finish().fails(130);
}

#[test]
fn being_asked_to_end_is_like_ctrl_c() {
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", SLEEPING_TEST], ..PLAIN });
    let mut running = sandbox.wheels(&[]).start();
    running.until_process("sleep 641");
    running.signal("TERM");
    let _ = running.finish().fails(130);
}

#[test]
fn ctrl_c_while_tools_are_installed_leaves_nothing_that_is_taken_for_whole() {
    let sandbox = Sandbox::plain(&PLAIN).without_tools();
    let mut running = sandbox.wheels(&[]).start();
    running.until("tools-build-install …");
    running.signal("INT");
    let _ = running.finish().fails(130);
    let _ = sandbox.wheels(&[]).run().exits(0).says(&["tools-build-venv"]);
}

#[test]
fn a_killed_run_is_made_good_by_the_next() {
    let sandbox = Sandbox::plain(&Asked { project: &["import: [plain]", SLEEPING_TEST], ..PLAIN });
    let mut running = sandbox.wheels(&[]).start();
    running.until_process("sleep 641");
    running.kill();
    // What a run leaves that was killed while it wrote.
    sandbox.project.write("dist/.plain-1.0-cp313.whl.99999.part", "half");
    sandbox.ask(&PLAIN);
    let _ = sandbox.wheels(&[]).run().exits(0);
}

#[test]
fn the_second_of_two_runs_waits_says_for_whom_and_finds_everything_done() {
    let sandbox =
        Sandbox::plain(&Asked { project: &["import: [plain]", "environment: { PLAIN_SLEEP: '2' }"], ..PLAIN });
    let mut first = sandbox.wheels(&[]).start();
    first.until("sdist …");
    let mut second = sandbox.wheels(&[]).start();
    second.until(&format!("waiting: process {} works in `", first.pid()));
    let mut third = sandbox.wheels(&[]).start();
    third.until("waiting: ");
    third.signal("INT");
    // Whoever waits has nothing to clear up but itself; the first still writes, so only its code is looked at here.
    assert_eq!(third.code_only(), 130);
    let first = first.code_only();
    let second = second.finish().exits(0);
    assert_eq!(first, 0);
    assert_eq!(second.first_build()["status"], "cached");
    assert_eq!(second.steps(), Vec::<String>::new());
}

//! A second run does what is needed and nothing more.

use super::support::{Outcome, PLAIN, Sandbox};

fn status(outcome: &Outcome<'_>) -> String {
    outcome.first_build()["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_second_run_does_nothing_and_what_changed_is_built_again() {
    let sandbox = Sandbox::of("plain", &PLAIN);
    let first = sandbox.wheels(&[]).run().exits(0);
    assert_eq!(status(&first), "proven");
    assert!(first.steps().contains(&"sdist".to_owned()), "one wheel is built from the sdist: {:?}", first.steps());
    let report = first.report();
    assert_eq!(report["sdists"][0]["name"], "plain-1.0.tar.gz");

    let second = sandbox.wheels(&[]).run().exits(0).says(&["unchanged"]);
    assert_eq!((status(&second).as_str(), second.steps()), ("cached", vec![]));
    assert_eq!(second.stderr(), "");

    // One byte of a source; and a file that git does not know yet.
    for (file, text) in [("plain/src/plain/_core.c", "\n"), ("plain/src/plain/extra.py", "NEW = 1\n")] {
        let before = fs_err::read_to_string(sandbox.root.join(file)).unwrap_or_default();
        sandbox.project.write(file, before + text);
        assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "proven", "{file}");
        assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "cached", "{file}");
    }

    fs_err::remove_file(sandbox.wheel()).unwrap();
    assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "proven", "the wheel was gone");
    // A wheel that somebody wrote over is no proven wheel, even when its size is the same.
    let wheel = sandbox.wheel();
    let mut bytes = fs_err::read(&wheel).unwrap();
    bytes[100] ^= 1;
    fs_err::write(&wheel, &bytes).unwrap();
    assert_eq!(status(&sandbox.wheels(&[]).run().exits(0)), "proven", "the wheel was changed");
    assert_eq!(status(&sandbox.wheels(&["--force"]).run().exits(0)), "proven", "--force");
    let other = sandbox.wheels(&[]).env("CFLAGS", "-O1").run().exits(0);
    assert_eq!(status(&other), "proven", "compilers read CFLAGS");
}

#[test]
fn a_new_version_replaces_the_former_wheel_and_a_failure_does_not() {
    let sandbox = Sandbox::of("plain", &PLAIN);
    let _ = sandbox.wheels(&[]).run().exits(0);
    let pyproject = sandbox.project.read("plain/pyproject.toml").replace("\"1.0\"", "\"1.1\"");
    sandbox.project.write("plain/pyproject.toml", pyproject);
    let _ = sandbox.wheels(&[]).env("PLAIN_DEFINE", "PLAIN_BROKEN").run().fails(4);
    assert!(sandbox.wheel().as_str().contains("plain-1.0-"));
    let _ = sandbox.wheels(&[]).run().exits(0);
    assert!(sandbox.wheel().as_str().contains("plain-1.1-"));
    let sdists: Vec<String> = sandbox.project.names("dist").into_iter().filter(|name| name.ends_with(".gz")).collect();
    assert_eq!(sdists, ["plain-1.1.tar.gz"]);
}

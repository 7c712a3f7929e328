//! Queries with real processes, on every system.
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

mod stage;

use std::time::{Duration, Instant};

use stage::{Lifelines, PATIENCE, Place, query, slashes, words};
use wheelproof_exec::{Blame, Cancel, CancelReason, Captured, Explain, Query, Runner, Silent, Status, StepError};

fn ask(query: &Query) -> Result<Captured, StepError> {
    Runner::new(&Silent, &Cancel::new()).grace(Duration::from_millis(300)).capture(query)
}

fn lines(captured: &Captured) -> Vec<String> {
    captured.stdout_text().lines().map(str::to_owned).collect()
}

#[test]
fn an_answer_has_both_streams_and_the_status() {
    let place = Place::new();
    let answer = ask(&query(words("out out err err cwd stdin exit 7")).cwd(&place.path)).unwrap();
    let expected = format!("out\n{}\nstdin: \"\"", place.path);
    assert_eq!(slashes(lines(&answer).join("\n").as_str().into()), slashes(expected.as_str().into()));
    assert_eq!(answer.stderr_text().trim(), "err");
    assert_eq!(answer.status, Status::Code(7));
    assert!(answer.command_line.contains(place.path.as_str()), "{}", answer.command_line);
    let error = answer.checked().unwrap_err();
    assert_eq!(error.to_string(), format!("actor: `{}` failed with exit code 7", stage::actor()));
    assert_eq!(error.excerpt(), ["err"]);
    assert!(ask(&query(words("exit 0"))).unwrap().checked().is_ok());
}

#[test]
fn environment_and_names() {
    let question = query(words("env A env CARGO_MANIFEST_DIR")).env("A", "x").without_env("CARGO_MANIFEST_DIR");
    assert_eq!(lines(&ask(&question).unwrap()), ["A=x", "CARGO_MANIFEST_DIR=(none)"]);
    let question = query(words("env CARGO_MANIFEST_DIR")).clean_env();
    assert_eq!(lines(&ask(&question).unwrap()), ["CARGO_MANIFEST_DIR=(none)"]);
    let error = ask(&Query::new(["/no/such/python3", "-c", ""]).named("ask python")).unwrap_err();
    assert!(error.to_string().starts_with("ask python: the program `/no/such/python3` was not found at `"), "{error}");
    for program in ["/no/such/python3", "C:\\no\\such\\python3"] {
        assert_eq!(ask(&Query::new([program])).unwrap_err().step(), "python3");
    }
    assert!(matches!(ask(&Query::new(Vec::<String>::new())), Err(StepError::Malformed { .. })));
}

#[test]
fn much_output_is_read_and_too_much_is_refused() {
    let much = || query(words("spam 3000000 spam-err 3000000"));
    let answer = ask(&much()).unwrap();
    assert_eq!((answer.stdout.len(), answer.stderr.len()), (3_000_000, 3_000_000));
    assert!(ask(&much().limit(3_000_000)).is_ok());
    let begun = Instant::now();
    for question in [
        much().limit(2_999_999),
        query(words("spam 9000000000000 stay")).limit(100_000),
        query(words("spam-err 9000000000000 stay")).limit(9),
        query(words("spam 10 stay")).limit(9),
    ] {
        let error = ask(&question).unwrap_err();
        assert!(matches!(error, StepError::TooMuchOutput { .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Tool);
    }
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn a_limit_of_time() {
    let life = Lifelines::new();
    let question = query(words(&format!("err thinking alive {} asked stay", life.address())));
    let error = ask(&question.timeout(Duration::from_secs(2))).unwrap_err();
    assert!(matches!(error, StepError::TimedOut { limit_seconds: 2, .. }), "{error:?}");
    assert_eq!(error.excerpt(), ["thinking"]);
    life.of("asked").assert_ended();
}

#[test]
fn cancelled() {
    let (cancel, life) = (Cancel::new(), Lifelines::new());
    let question = query(words(&format!("alive {} asked stay", life.address())));
    std::thread::scope(|scope| {
        let cancel = &cancel;
        let asking = scope.spawn(move || Runner::new(&Silent, cancel).capture(&question).unwrap_err());
        let asked = life.of("asked");
        cancel.cancel(CancelReason::HungUp);
        assert_eq!(asking.join().unwrap().to_string(), "actor: the terminal was closed (SIGHUP)");
        asked.assert_ended();
    });
}

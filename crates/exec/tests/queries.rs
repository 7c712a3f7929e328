//! Queries with real processes.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

use std::time::{Duration, Instant};

use wheelproof_exec::{Blame, Cancel, CancelReason, Captured, Explain, Query, Runner, Silent, Status, StepError};

fn ask(query: &Query) -> Result<Captured, StepError> {
    Runner::new(&Silent, &Cancel::new()).grace(Duration::from_millis(300)).capture(query)
}

fn shell(script: &str) -> Query {
    Query::new(["sh", "-c", script])
}

#[test]
fn an_answer_has_both_streams_and_the_status() {
    let answer = ask(&shell("echo out; echo err >&2; pwd; exit 7").cwd("/")).unwrap();
    assert_eq!(answer.stdout_text(), "out\n/\n");
    assert_eq!(answer.stderr_text(), "err\n");
    assert_eq!(answer.status, Status::Code(7));
    let error = answer.checked().unwrap_err();
    assert_eq!(error.to_string(), "sh: `sh` failed with exit code 7");
    assert_eq!(error.excerpt(), ["err"]);
    assert!(ask(&shell("exit 0")).unwrap().checked().is_ok());
}

#[test]
fn environment_and_names() {
    let query = shell("echo $A ${CARGO_MANIFEST_DIR-gone}").env("A", "x").without_env("CARGO_MANIFEST_DIR");
    assert_eq!(ask(&query).unwrap().stdout_text(), "x gone\n");
    assert_eq!(ask(&shell("echo ${CARGO_MANIFEST_DIR-gone}").clean_env()).unwrap().stdout_text(), "gone\n");
    let error = ask(&Query::new(["/no/such/python3", "-c", ""]).named("ask python")).unwrap_err();
    assert_eq!(error.to_string(), "ask python: the program `/no/such/python3` was not found at `/no/such/python3`");
    let error = ask(&Query::new(["/no/such/python3"])).unwrap_err();
    assert_eq!(error.step(), "python3");
}

#[test]
fn much_output_is_read_and_too_much_is_refused() {
    let much = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2";
    let answer = ask(&shell(much)).unwrap();
    assert_eq!((answer.stdout.len(), answer.stderr.len()), (3_000_000, 3_000_000));
    assert!(ask(&shell(much).limit(3_000_000)).is_ok());
    let begun = Instant::now();
    for query in
        [shell(much).limit(2_999_999), shell("cat /dev/zero").limit(100_000), shell("cat /dev/zero >&2").limit(9)]
    {
        let error = ask(&query).unwrap_err();
        assert!(matches!(error, StepError::TooMuchOutput { .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Tool);
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn limits_of_time() {
    let begun = Instant::now();
    let error = ask(&shell("echo thinking >&2; sleep 300").timeout(Duration::from_millis(300))).unwrap_err();
    assert!(matches!(error, StepError::TimedOut { .. }), "{error:?}");
    assert_eq!(error.excerpt(), ["thinking"]);
    // A grandchild with the pipe in its hands.
    let answer = ask(&shell("sleep 300 & echo answer")).unwrap();
    assert_eq!(answer.stdout_text(), "answer\n");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn cancelled() {
    let cancel = Cancel::new();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let cancel = &cancel;
        let asking = scope.spawn(move || Runner::new(&Silent, cancel).capture(&shell("sleep 300")).unwrap_err());
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel(CancelReason::HungUp);
        assert_eq!(asking.join().unwrap().to_string(), "sh: the terminal was closed (SIGHUP)");
    });
    assert!(begun.elapsed() < Duration::from_secs(3));
}

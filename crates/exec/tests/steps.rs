//! Steps with a real process, on every system.
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

mod stage;

use std::time::Instant;

use camino::Utf8Path;
use stage::{PATIENCE, Place, run, slashes, words};
use wheelproof_exec::{
    Blame, Cancel, CancelReason, Ending, Event, Events, Explain, Recorder, Runner, Shell, Status, Step, StepError,
};

#[test]
fn output_of_both_streams_lands_in_the_log_in_order_between_heading_and_footer() {
    let place = Place::new();
    let step = place.step(words("out 1 err 2 out 3 err 4 cwd env A env B stdin"));
    let step = step.with_env("A", "it's").without_env("B").with_timeout(1000);
    run(&step).unwrap();
    let log = place.log();
    let output = format!("1\n2\n3\n4\n{}\nA=it's\nB=(none)\nstdin: \"\"\n", place.path);
    assert!(slashes(log.as_str().into()).contains(&slashes(output.as_str().into())), "{log}");
    assert!(log.starts_with("# step: try\n# command: "), "{log}");
    assert!(log.contains(&step.command_line_for(Shell::host())), "{log}");
    assert!(log.contains(&format!("# folder: {}\n", place.path)), "{log}");
    assert!(log.contains("# environment: B removed\n# time limit: 1000 s\n# started: 20"), "{log}");
    assert!(log.trim_end().lines().last().unwrap().starts_with("# ended: exit code 0 after "), "{log}");
    run(&place.step(["out", "second"])).unwrap();
    assert!(!place.log().contains("stdin"), "a former run's text stays");
}

/// What is hard for the one or the other system's rules: blanks, quotes, backslashes before quotes, what shells expand.
const HARD_WORDS: &[&str] = &[
    "plain",
    "",
    " ",
    "a b",
    "\t",
    "\"",
    "\"\"",
    "a\"b",
    "a\\b",
    "a\\\"b",
    "a\\\\\"b c",
    "ends with \\",
    "\\",
    "\\\\",
    "\\\\server\\share\\",
    "C:\\Program Files\\x",
    "it's",
    "%PATH%",
    "^%PATH^%",
    "!x!",
    "$HOME",
    "${env:X}",
    "`x`",
    "a&b",
    "a|b",
    "<x>",
    "(x)",
    "^",
    "a;b",
    "a,b",
    "*.whl",
    "?",
    "~",
    "#x",
    "@x",
    "-x",
    "--x=a b",
    "/x",
    "a\nb",
    "a\r\nb",
    "ünï",
    "日本",
    "\u{1f40d}",
    "{wheel}",
];

#[test]
fn arguments_arrive_as_they_are() {
    let place = Place::new();
    let mut step = place.step(["args"]);
    step.argv.extend(HARD_WORDS.iter().map(|word| (*word).to_owned()));
    run(&step).unwrap();
    let log = place.log();
    let expected: String = HARD_WORDS.iter().map(|word| format!("{word:?}\n")).collect();
    assert!(log.contains(&expected), "{log}");
}

#[test]
fn variables_arrive_as_they_are() {
    let place = Place::new();
    let mut step = place.step(["all-env"]);
    for (number, word) in HARD_WORDS.iter().enumerate() {
        step = step.with_env(format!("HARD_{number}_"), *word);
    }
    run(&step).unwrap();
    let log = place.log();
    for (number, word) in HARD_WORDS.iter().enumerate() {
        assert!(log.contains(&format!("\nHARD_{number}_={word:?}\n")), "{word:?} in {log}");
    }
}

#[test]
fn a_clean_environment_holds_what_is_essential() {
    let place = Place::new();
    run(&place.step(["all-env"]).with_clean_env().with_env("EXTRA", "1")).unwrap();
    let log = place.log().to_uppercase();
    assert!(log.contains("\nPATH=") && log.contains("\nEXTRA=\"1\"\n"), "{log}");
    // Cargo sets this one for tests.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !log.contains("CARGO_MANIFEST_DIR="), "{log}");
}

#[test]
fn the_step_s_own_path_is_searched() {
    let place = Place::new();
    let folder = place.path.join("the tools");
    stage::copy_actor(&folder.join(format!("my tool{}", std::env::consts::EXE_SUFFIX)));
    let step = |program: &str, path: &str| {
        Step::new("try", [program, "env", "path", "out", "found"], &place.path, place.log_path()).with_env("PATH", path)
    };
    for (program, path) in [("my tool", folder.as_str()), ("my tool", "the tools"), ("the tools/my tool", "")] {
        run(&step(program, path)).unwrap();
        assert!(place.log().contains("\nfound\n"), "{program} {path}");
        // Where the case of names does not matter, this one replaced the inherited `Path`.
        let seen = if cfg!(windows) { path } else { "(none)" };
        assert!(place.log().contains(&format!("\npath={seen}\n")), "{}", place.log());
    }
    let error = run(&step("no-such-program-here", "the tools")).unwrap_err();
    assert!(matches!(&error, StepError::NotFound { searched, .. } if *searched == [folder]), "{error:?}");
    assert!(matches!(run(&step("the tools/gone", "")), Err(StepError::NotFound { .. })));
    assert!(place.log().contains("was not found"), "{}", place.log());
}

#[test]
fn what_makes_no_sense_says_so() {
    let place = Place::new();
    let mut elsewhere = place.step(["out", "x"]);
    elsewhere.cwd = place.path.join("gone");
    let text = run(&elsewhere).unwrap_err().to_string();
    assert!(text.starts_with(&format!("try: cannot enter `{}`: ", elsewhere.cwd)), "{text}");
    let nothing = Step::new("try", Vec::<String>::new(), &place.path, place.log_path());
    for step in [nothing, place.step(["a\0b"]), place.step(["out", "x"]).with_env("A=B", "c")] {
        assert!(matches!(run(&step), Err(StepError::Malformed { .. })), "{step:?}");
    }
}

#[test]
fn a_log_that_cannot_be_written() {
    let place = Place::new();
    let with_log = |log: &Utf8Path| {
        let mut step = place.step(["out", "x"]);
        log.clone_into(&mut step.log);
        run(&step).unwrap_err()
    };
    fs_err::write(place.path.join("file"), "").unwrap();
    for log in [place.path.join("file/x.log"), place.path.clone()] {
        let error = with_log(&log);
        assert!(matches!(&error, StepError::Io { .. } | StepError::ReadOnly { .. }), "{error:?}");
        assert_eq!(error.blame(), Blame::Environment);
    }
}

#[test]
fn events_tell_the_story() {
    let place = Place::new();
    let events = Recorder::default();
    let runner = Runner::new(&events, &Cancel::new()).scope("minijit/cp313").streaming(true);
    // `10%`, carriage return, `20%`, line end of Windows, `ü` in UTF-8, tab, `x` without line end.
    let step = place.step(["out", "one", "err", "two", "raw", "31 30 25 0d 32 30 25 0d 0a c3 bc 20 0a 09 78"]);
    runner.run(&step).unwrap();
    assert_eq!(events.lines(), ["one", "two", "20%", "ü ", "\tx"]);
    let heard = events.events();
    assert!(matches!(&heard[0], Event::Started { scope, step, .. } if scope == "minijit/cp313" && step == "try"));
    let Some(Event::Ended { status: Ending::Succeeded, seconds, .. }) = heard.last() else { panic!("{heard:?}") };
    assert!(*seconds > 0.0 && *seconds < PATIENCE.as_secs_f64());
    assert_eq!(heard.len(), 7);

    let quiet = Recorder::default();
    let error = Runner::new(&quiet, &Cancel::new()).run(&place.step(["out", "one", "exit", "3"])).unwrap_err();
    assert!(matches!(error, StepError::Failed { status: Status::Code(3), .. }), "{error:?}");
    assert!(quiet.lines().is_empty());
    assert!(matches!(quiet.events().last(), Some(Event::Ended { status: Ending::Failed, .. })));
}

#[test]
fn lines_arrive_while_the_step_runs() {
    struct Stop(Cancel);
    impl Events for Stop {
        fn emit(&self, event: &Event) {
            if matches!(event, Event::Output { line, .. } if line == "ready") {
                self.0.cancel(CancelReason::Requested);
            }
        }
    }
    let place = Place::new();
    let cancel = Cancel::new();
    let begun = Instant::now();
    let step = place.step(["out", "ready", "stay"]);
    let error = Runner::new(&Stop(cancel.clone()), &cancel).streaming(true).run(&step).unwrap_err();
    assert!(matches!(error, StepError::Cancelled { reason: CancelReason::Requested, .. }));
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn a_failure_says_what_where_and_how_to_repeat_it() {
    let place = Place::new();
    let error =
        run(&place.step(["out", "compiling", "err", "x.cpp:3:1: error: no such thing", "exit", "2"])).unwrap_err();
    assert_eq!(error.to_string(), format!("try: `{}` failed with exit code 2", stage::actor()));
    assert_eq!(error.excerpt(), ["x.cpp:3:1: error: no such thing"]);
    assert_eq!(error.log(), Some(place.log_path().as_path()));
    assert_eq!(error.blame(), Blame::Project);
    // The command line is long, with its whole environment; the log has it in its head.
    assert!(error.hint().unwrap().contains("begins with the exact command line"), "{:?}", error.hint());
    assert!(place.log().contains("# command: "));

    let error = run(&place.step(["err", "cc1plus: write error: No space left on device", "exit", "1"])).unwrap_err();
    assert_eq!(error.blame(), Blame::Environment);
    assert!(error.hint().unwrap().contains("disk is full"));
    assert!(matches!(run(&place.step(["abort"])), Err(StepError::Failed { .. })));
}

#[test]
fn output_larger_than_any_buffer() {
    let place = Place::new();
    let events = Recorder::default();
    let step = place.step(["out", "first", "spam", "30000000", "out", "", "out", "a.c:1:1: error: late", "exit", "1"]);
    let error = Runner::new(&events, &Cancel::new()).streaming(true).run(&step).unwrap_err();
    assert_eq!(error.excerpt(), ["a.c:1:1: error: late"]);
    let lines = events.lines();
    assert_eq!((lines[0].as_str(), lines.last().unwrap().as_str()), ("first", "a.c:1:1: error: late"));
    assert_eq!(lines.iter().filter(|line| line.starts_with('x')).map(String::len).sum::<usize>(), 30_000_000);
    assert!(lines.iter().all(|line| line.len() <= 128 * 1024));
}

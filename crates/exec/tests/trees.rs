//! What a step started ends with it, however deep, on every system.
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

mod stage;

use std::time::{Duration, Instant};

use stage::{Lifelines, PATIENCE, Place, words};
use wheelproof_exec::{
    Cancel, CancelReason, Ending, Event, Events, Recorder, Runner, Silent, Status, Step, StepError, Terminal,
};

/// Three generations: the step's child, its child, and that one's; `how` is what each does before it stays.
fn family(place: &Place, lines: &Lifelines, how: &str, last: &str) -> Step {
    let port = lines.address();
    let grandchild = format!("{how} alive {port} grandchild stay");
    let child = format!("{how} start {} {grandchild} alive {port} child stay", words(&grandchild).len());
    place.step(words(&format!("{how} start {} {child} alive {port} leader {last}", words(&child).len())))
}

const GENERATIONS: [&str; 3] = ["leader", "child", "grandchild"];

/// Some of it lets itself be asked to end, and some does not.
const HOW: [&str; 2] = ["", "deaf"];

#[test]
fn at_the_time_limit_three_generations_end() {
    fn check(how: &str) {
        let (place, lines) = (Place::new(), Lifelines::new());
        // Long enough for all three to start.
        let step = family(&place, &lines, how, "stay").with_timeout(8);
        std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                Runner::new(&Silent, &Cancel::new()).grace(Duration::from_millis(300)).run(&step).unwrap_err()
            });
            let generations = GENERATIONS.map(|name| lines.of(name));
            let error = running.join().unwrap();
            assert!(matches!(error, StepError::TimedOut { limit_seconds: 8, .. }), "{how}: {error:?}");
            generations.into_iter().for_each(stage::Lifeline::assert_ended);
        });
        assert!(place.log().contains("was stopped: it took longer than 8 s"), "{}", place.log());
    }
    std::thread::scope(|scope| HOW.map(|how| scope.spawn(move || check(how))).map(|each| each.join().unwrap()));
}

#[test]
fn when_cancelled_three_generations_end() {
    for how in HOW {
        let (place, lines) = (Place::new(), Lifelines::new());
        let cancel = Cancel::new();
        let step = family(&place, &lines, how, "stay");
        let error = std::thread::scope(|scope| {
            let runner = Runner::new(&Silent, &cancel).grace(Duration::from_millis(300));
            let running = scope.spawn(move || runner.run(&step).unwrap_err());
            let generations = GENERATIONS.map(|name| lines.of(name));
            cancel.cancel(CancelReason::Interrupt);
            let error = running.join().unwrap();
            generations.into_iter().for_each(stage::Lifeline::assert_ended);
            error
        });
        assert_eq!(error.to_string(), "try: interrupted (Ctrl-C)", "{how}");
    }
}

/// The leader is gone by the time its descendants are looked for.
#[test]
fn when_it_fails_what_outlives_it_ends() {
    for how in HOW {
        let (place, lines) = (Place::new(), Lifelines::new());
        let step = family(&place, &lines, how, "sleep 1500 exit 5");
        let error = std::thread::scope(|scope| {
            let runner = scope.spawn(|| {
                Runner::new(&Silent, &Cancel::new()).grace(Duration::from_millis(300)).run(&step).unwrap_err()
            });
            let generations = GENERATIONS.map(|name| lines.of(name));
            let error = runner.join().unwrap();
            generations.into_iter().for_each(stage::Lifeline::assert_ended);
            error
        });
        assert!(matches!(error, StepError::Failed { status: Status::Code(5), .. }), "{how}: {error:?}");
    }
}

#[test]
fn what_a_successful_step_leaves_running_is_left_alone_and_warned_of() {
    let (place, lines) = (Place::new(), Lifelines::new());
    let events = Recorder::default();
    let (ready, over) = (place.path.join("ready"), place.path.join("over"));
    let server = format!("alive {} server until {over}", lines.address());
    // The server keeps our output open, and nobody waits for it.
    let step = place.step(words(&format!("start {} {server} until {ready} out done", words(&server).len())));
    let begun = Instant::now();
    let server = std::thread::scope(|scope| {
        let running = scope.spawn(|| Runner::new(&events, &Cancel::new()).streaming(true).run(&step).unwrap());
        let server = lines.of("server");
        fs_err::write(&ready, "").unwrap();
        running.join().unwrap();
        server
    });
    assert!(begun.elapsed() < PATIENCE);
    assert_eq!(events.lines(), ["done"]);
    let warned = |event: &Event| matches!(event, Event::Warning { text, .. } if text.contains("in the background"));
    assert!(events.events().iter().any(warned), "{:?}", events.events());
    let mut server = server;
    assert!(server.lives());
    fs_err::write(&over, "").unwrap();
    server.wait();
}

/// A program that runs steps is itself read by others, up to the end of its output.
#[test]
fn what_a_step_leaves_running_does_not_hold_our_own_output_open() {
    let (place, lines) = (Place::new(), Lifelines::new());
    let (ready, over) = (place.path.join("ready"), place.path.join("over"));
    let server = format!("alive {} server until {over}", lines.address());
    let mut program = std::process::Command::new(stage::actor())
        .args(["run", place.path.as_str(), "500"])
        .args(words(&format!("start-quiet {} {server} until {ready}", words(&server).len())))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = lines.of("server");
    fs_err::write(&ready, "").unwrap();
    let (sender, read) = std::sync::mpsc::channel();
    let streams = (program.stdout.take().unwrap(), program.stderr.take().unwrap());
    std::thread::spawn(move || {
        let mut text = String::new();
        let (mut stdout, mut stderr) = streams;
        std::io::Read::read_to_string(&mut stdout, &mut text).unwrap();
        std::io::Read::read_to_string(&mut stderr, &mut text).unwrap();
        sender.send(text).unwrap();
    });
    let ended = read.recv_timeout(PATIENCE).is_ok();
    assert!(program.wait().is_ok() && server.lives());
    fs_err::write(&over, "").unwrap();
    assert!(ended, "its output stays open: {}", fs_err::read_to_string(place.path.join("result")).unwrap());
}

#[test]
fn a_query_does_not_wait_for_what_holds_its_output() {
    let lines = Lifelines::new();
    let server = format!("alive {} server stay", lines.address());
    let question = stage::query(words(&format!("start {} {server} out answer", words(&server).len())));
    let begun = Instant::now();
    let answer = Runner::new(&Silent, &Cancel::new()).grace(Duration::from_millis(300)).capture(&question).unwrap();
    assert_eq!(answer.stdout_text().trim(), "answer");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn urgent_means_now() {
    let (place, lines) = (Place::new(), Lifelines::new());
    let cancel = Cancel::new();
    let step = family(&place, &lines, "deaf", "stay");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let runner = Runner::new(&Silent, &cancel).grace(2 * PATIENCE);
        scope.spawn(move || runner.run(&step).unwrap_err());
        let generations = GENERATIONS.map(|name| lines.of(name));
        cancel.cancel(CancelReason::Interrupt);
        std::thread::sleep(Duration::from_millis(200));
        cancel.cancel_at_once(CancelReason::Interrupt);
        generations.into_iter().for_each(stage::Lifeline::assert_ended);
    });
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn a_listener_that_panics_leaves_no_process() {
    struct Panics;
    impl Events for Panics {
        fn emit(&self, event: &Event) {
            assert!(!matches!(event, Event::Output { .. }), "a listener's fault");
        }
    }
    let (place, lines) = (Place::new(), Lifelines::new());
    let step = family(&place, &lines, "", "sleep 300 out line stay");
    let result = std::panic::catch_unwind(|| Runner::new(&Panics, &Cancel::new()).streaming(true).run(&step).is_ok());
    assert!(result.is_err());
    lines.of("leader").assert_ended();
}

#[test]
fn what_shares_our_terminal_ends_too() {
    let (place, lines) = (Place::new(), Lifelines::new());
    let cancel = Cancel::new();
    let step = place.step(words(&format!("alive {} leader stay", lines.address())));
    let error = std::thread::scope(|scope| {
        let runner = Runner::new(&Silent, &cancel).terminal(Terminal::Shared).grace(Duration::from_millis(300));
        let running = scope.spawn(move || runner.run(&step).unwrap_err());
        let leader = lines.of("leader");
        cancel.cancel(CancelReason::Interrupt);
        let error = running.join().unwrap();
        leader.assert_ended();
        error
    });
    assert!(matches!(error, StepError::Cancelled { .. }));
}

#[test]
fn a_cancelled_run_starts_nothing() {
    let place = Place::new();
    let cancel = Cancel::new();
    cancel.cancel(CancelReason::Terminated);
    cancel.cancel(CancelReason::Interrupt);
    let events = Recorder::default();
    let error = Runner::new(&events, &cancel).run(&place.step(["out", "x"])).unwrap_err();
    assert_eq!(error.to_string(), "try: asked to end (SIGTERM)");
    assert!(!place.path.join("logs").exists());
    assert!(matches!(events.events().last(), Some(Event::Ended { status: Ending::Cancelled, .. })));
}

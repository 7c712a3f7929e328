//! What Ctrl-C and sudden death do to a program that runs steps, on every system. The program is an actor, and so is its
//! step.
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

mod stage;

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use stage::{Lifelines, PATIENCE, Place, actor, words};

/// Wine knows no Ctrl-Break: `GenerateConsoleCtrlEvent` of wine 8 refuses it, that of wine 10 accepts it and nobody hears
/// it. It names itself in the environment.
fn can_ask() -> bool {
    !(cfg!(windows) && std::env::var_os("WINECONFIGDIR").is_some())
}

struct Program {
    place: Place,
    child: Child,
}

impl Program {
    /// Its step plays `step` under a limit of so many seconds.
    fn start(limit: u64, step: &str) -> Self {
        let place = Place::new();
        let mut command = Command::new(actor());
        command.arg("console");
        for signal in ["first", "second"] {
            command.args(["interrupt-on", place.path.join(signal).as_str()]);
        }
        command.args(["run", place.path.as_str(), &limit.to_string()]).args(words(step)).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { place, child }
    }

    fn interrupt(&self, which: &str) {
        fs_err::write(self.place.path.join(which), "").unwrap();
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its exit code and the result it wrote.
    fn end(mut self) -> (Option<i32>, String, String) {
        let until = Instant::now() + PATIENCE;
        while self.runs() {
            if Instant::now() > until {
                self.child.kill().unwrap();
                panic!("the program does not end");
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let read = |name: &str| fs_err::read_to_string(self.place.path.join(name)).unwrap_or_default();
        (self.child.wait().unwrap().code(), read("result"), read("log"))
    }
}

#[test]
fn the_first_interrupt_asks_the_step_and_lets_it_end_in_peace() {
    let lines = Lifelines::new();
    let program = Program::start(500, &format!("deaf alive {} step until-asked sleep 300 out clean", lines.address()));
    let step = lines.of("step");
    program.interrupt("first");
    let (code, result, log) = program.end();
    assert_eq!(code, Some(130), "{result}");
    assert!(result.contains("Interrupt"), "{result}");
    assert!(!can_ask() || log.contains("asked: Some(") && log.contains("clean"), "{log}");
    step.assert_ended();
}

#[test]
fn at_the_time_limit_too() {
    let lines = Lifelines::new();
    let program = Program::start(4, &format!("deaf alive {} step until-asked sleep 300 out clean", lines.address()));
    let step = lines.of("step");
    let (code, result, log) = program.end();
    assert_eq!(code, Some(1), "{result}");
    assert!(result.contains("TimedOut"), "{result}");
    assert!(!can_ask() || log.contains("asked: Some(") && log.contains("clean"), "{log}");
    step.assert_ended();
}

#[test]
fn the_second_interrupt_does_not_wait() {
    if !can_ask() {
        eprintln!("skipped: wine has no Ctrl-Break, so the first one ends it");
        return;
    }
    let lines = Lifelines::new();
    let address = lines.address();
    let mut program =
        Program::start(500, &format!("deaf start 5 deaf alive {address} child stay alive {address} step stay"));
    let (mut step, child) = (lines.of("step"), lines.of("child"));
    program.interrupt("first");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(program.runs() && step.lives(), "the step has its grace");
    program.interrupt("second");
    assert_eq!(program.end().0, Some(130));
    step.assert_ended();
    child.assert_ended();
}

#[test]
fn a_program_that_is_killed_takes_along_what_it_started() {
    if !cfg!(any(windows, target_os = "linux")) {
        eprintln!("skipped: this system does not tell a child of its parent's death");
        return;
    }
    let lines = Lifelines::new();
    let address = lines.address();
    let mut program = Program::start(500, &format!("start 4 alive {address} child stay alive {address} step stay"));
    let (step, child) = (lines.of("step"), lines.of("child"));
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    step.assert_ended();
    // Linux tells only the child; on Windows all are in the job.
    if cfg!(windows) {
        child.assert_ended();
    }
}

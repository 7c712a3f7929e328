//! What the signals of Unix do to a program that runs steps; Ctrl-C on every system is in `interrupts.rs`. Each test starts this very test program anew as that program.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use wheelproof_exec::{Cancel, Runner, Silent, Step, StepError};

const PLACE: &str = "WHEELPROOF_TEST_PLACE";
const SCRIPT: &str = "WHEELPROOF_TEST_SCRIPT";

/// The program: runs one step, exits with 130 if it was interrupted.
#[test]
fn program() {
    let (Ok(place), Ok(script)) = (std::env::var(PLACE), std::env::var(SCRIPT)) else { return };
    let place = Utf8PathBuf::from(place);
    let cancel = Cancel::on_interrupt().unwrap();
    let step = Step::new("long", ["sh", "-c", &script], &place, place.join("log"));
    let result = Runner::new(&Silent, &cancel).grace(Duration::from_secs(20)).run(&step);
    fs_err::write(place.join("result"), format!("{result:?}")).unwrap();
    std::process::exit(if matches!(result, Err(StepError::Cancelled { .. })) { 130 } else { 1 });
}

struct Program {
    folder: tempfile::TempDir,
    child: Child,
}

impl Program {
    fn start(script: &str, before: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = std::env::current_exe().unwrap();
        let child = Command::new("sh")
            .args(["-c", &format!("{before} exec \"$0\" --exact program")])
            .arg(own)
            .env(PLACE, folder.path())
            .env(SCRIPT, format!("echo $$ >pid; {script}"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, child }
    }

    fn file(&self, name: &str) -> String {
        fs_err::read_to_string(Utf8Path::from_path(self.folder.path()).unwrap().join(name)).unwrap_or_default()
    }

    fn step(&self) -> String {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.file("pid").ends_with('\n') {
            assert!(Instant::now() < until, "the step did not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.file("pid").trim().to_owned()
    }

    fn signal(&self, signal: &str) {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
    }

    fn end(&mut self) -> ExitStatus {
        let until = Instant::now() + Duration::from_secs(8);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > until {
                self.signal("-KILL");
                panic!("the program does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn runs(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[test]
fn the_first_signal_stops_the_step_and_tells_why() {
    for (signal, reason) in [("-INT", "Interrupt"), ("-TERM", "Terminated"), ("-HUP", "HungUp")] {
        let mut program = Program::start("sleep 300", "");
        let step = program.step();
        program.signal(signal);
        assert_eq!(program.end().code(), Some(130));
        assert!(program.file("result").contains(reason), "{}", program.file("result"));
        assert!(!runs(&step));
    }
}

#[test]
fn what_was_ignored_stays_ignored() {
    let mut program = Program::start("sleep 1; exit 0", "trap '' HUP;");
    program.step();
    program.signal("-HUP");
    assert_eq!(program.end().code(), Some(1));
    assert!(program.file("result").starts_with("Ok("), "{}", program.file("result"));
}

//! What only Unix has: shells, signals, sessions, execute bits; the rest stands in `steps.rs` and `trees.rs`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr)] // of the tests' own helpers too

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use wheelproof_exec::{
    Blame, Cancel, CancelReason, Event, Explain, Recorder, Runner, Silent, Status, Step, StepError, Terminal,
};

struct Place {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        Self { _folder: folder, path }
    }

    fn shell(&self, script: &str) -> Step {
        Step::new("try", ["sh", "-c", script], &self.path, self.path.join("logs/deep/try.log"))
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs_err::read(self.path.join("logs/deep/try.log")).unwrap()).into_owned()
    }

    /// The number that a script wrote into `file`, waited for.
    fn pid(&self, file: &str) -> i32 {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let text = fs_err::read_to_string(self.path.join(file)).unwrap_or_default();
            if text.ends_with('\n') {
                return text.trim().parse().unwrap();
            }
            assert!(Instant::now() < until, "{file} was never written");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Runs the process still? A zombie that nobody reaps does not.
fn runs(pid: i32) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn run(step: &Step) -> Result<(), StepError> {
    Runner::new(&Silent, &Cancel::new()).run(step).map(|_| ())
}

#[test]
fn output_of_both_streams_lands_in_the_log_in_order_between_heading_and_footer() {
    let place = Place::new();
    let mut step = place.shell("for i in 1 2 3; do echo out $i; echo err $i >&2; done; pwd; echo \"$A|${B-gone}\"");
    step = step.with_env("A", "it's").without_env("B");
    run(&step).unwrap();
    let log = place.log();
    let output = format!("out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n{}\nit's|gone\n", place.path);
    assert!(log.contains(&output), "{log}");
    assert!(log.starts_with("# step: try\n# command: env -u B A='it'\\''s' sh -c "), "{log}");
    assert!(log.contains(&format!("# folder: {}\n", place.path)), "{log}");
    assert!(log.contains("# environment: B removed\n# started: 20"), "{log}");
    assert!(log.trim_end().lines().last().unwrap().starts_with("# ended: exit code 0 after 0."), "{log}");
    run(&place.shell("echo second")).unwrap();
    assert!(!place.log().contains("out 1"), "a former run's text stays");
}

#[test]
fn the_command_line_in_the_log_repeats_the_step() {
    let place = Place::new();
    let mut step = place.shell("printf '%s|' \"$0\" \"$@\" \"$V\"");
    step.argv.extend(["$0 '\"\\ `x`", "", "a=b", "ü\n*"].map(str::to_owned));
    let step = step.with_env("V", "a b;c").without_env("HOME");
    run(&step).unwrap();
    let by_hand = std::process::Command::new("sh").args(["-c", &step.command_line()]).output().unwrap();
    let by_hand = String::from_utf8(by_hand.stdout).unwrap();
    assert_eq!(by_hand, "$0 '\"\\ `x`||a=b|ü\n*|a b;c|");
    assert!(place.log().contains(&by_hand));
}

#[test]
fn a_clean_environment_holds_what_is_essential() {
    let place = Place::new();
    let mut step = place.shell("env").with_clean_env().with_env("EXTRA", "1");
    step.name = "environment".to_owned();
    run(&step).unwrap();
    let log = place.log();
    assert!(log.lines().any(|line| line.starts_with("PATH=")) && log.contains("\nEXTRA=1\n"), "{log}");
    // Cargo sets this one for tests.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !log.contains("CARGO_MANIFEST_DIR="), "{log}");
}

#[test]
fn death_by_a_signal() {
    let place = Place::new();
    let error = run(&place.shell("kill -SEGV $$")).unwrap_err();
    assert_eq!(error.to_string(), "try: `sh` failed with signal 11 (SIGSEGV)");
    assert_eq!(error.blame(), Blame::Tool);
}

#[test]
fn what_cannot_start_says_why() {
    let place = Place::new();
    let log = place.path.join("logs/deep/try.log");
    let step = |program: &str| Step::new("try", [program], &place.path, &log);

    let error = run(&step("no-such-program-here").with_env("PATH", "/nowhere:/bin")).unwrap_err();
    assert_eq!(error.to_string(), "try: the program `no-such-program-here` was not found in the 2 folders of PATH");
    assert!(error.hint().unwrap().ends_with("Looked at: `/nowhere`, `/bin`."), "{:?}", error.hint());
    assert!(place.log().contains("was not found"), "{}", place.log());
    let error = run(&step("./missing")).unwrap_err();
    assert!(
        matches!(&error, StepError::NotFound { searched, .. } if *searched == [place.path.join("./missing")]),
        "{error:?}"
    );
    assert!(matches!(run(&step("sh").without_env("PATH")), Err(StepError::NotFound { .. })));

    // A program of the step's own PATH and folder.
    let tool = place.path.join("bin/tool");
    fs_err::create_dir(place.path.join("bin")).unwrap();
    fs_err::write(&tool, "#!/no/such/interpreter\n").unwrap();
    assert!(matches!(run(&step("bin/tool")), Err(StepError::NotFound { .. })), "not executable, so not a program");
    fs_err::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = run(&step("bin/tool")).unwrap_err();
    assert!(matches!(error, StepError::CannotStart { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("interpreter"), "{:?}", error.hint());
    fs_err::write(&tool, "#!/bin/sh\necho mine\n").unwrap();
    run(&step("tool").with_env("PATH", "bin:/usr/bin:/bin")).unwrap();
    assert!(place.log().contains("mine"));

    let mut elsewhere = step("sh");
    elsewhere.cwd = place.path.join("gone");
    assert_eq!(
        run(&elsewhere).unwrap_err().to_string(),
        format!("try: cannot enter `{}`: entity not found", place.path.join("gone"))
    );
    let nothing = Step::new("try", Vec::<String>::new(), &place.path, &log);
    assert!(matches!(run(&nothing), Err(StepError::Malformed { .. })));
    assert!(matches!(run(&step("a\0b")), Err(StepError::Malformed { .. })));
    assert!(matches!(run(&step("sh").with_env("A=B", "c")), Err(StepError::Malformed { .. })));
}

#[test]
fn a_log_that_cannot_be_written() {
    let place = Place::new();
    let with_log = |log: &Utf8Path| run(&Step::new("try", ["true"], &place.path, log)).unwrap_err();
    if Utf8Path::new("/dev/full").exists() {
        let error = with_log(Utf8Path::new("/dev/full"));
        assert_eq!(error.to_string(), "try: no space left on the disk while writing `/dev/full`");
    } else {
        eprintln!("skipped: there is no /dev/full");
    }
    fs_err::write(place.path.join("file"), "").unwrap();
    let error = with_log(&place.path.join("file/x.log"));
    assert!(matches!(&error, StepError::Io { action: "create", .. }), "{error:?}");
    let error = with_log(&place.path);
    assert!(matches!(&error, StepError::Io { action: "create", .. }), "{error:?}");

    let read_only = place.path.join("read-only");
    fs_err::create_dir(&read_only).unwrap();
    fs_err::set_permissions(&read_only, std::fs::Permissions::from_mode(0o555)).unwrap();
    if fs_err::write(read_only.join("probe"), "").is_ok() {
        // The superuser writes everywhere but into the kernel's own folders.
        if Utf8Path::new("/proc/self").exists() {
            let error = with_log(Utf8Path::new("/proc/x/y.log"));
            assert_eq!(error.blame(), Blame::Environment, "{error:?}");
        }
        eprintln!("skipped: this user may write into read-only folders");
        return;
    }
    let error = with_log(&read_only.join("logs/x.log"));
    assert!(matches!(error, StepError::ReadOnly { .. }), "{error:?}");
}

/// Scripts that start something in the background, by how that tries to get away. Each writes its number to `pid`.
const GRANDCHILDREN: [(&str, &str); 5] = [
    ("in the group", "sh -c 'echo $$ >pid; exec sleep 300' &"),
    ("deaf", "sh -c 'trap \"\" TERM; echo $$ >pid; sleep 300; sleep 300' &"),
    ("in a session of its own", "setsid sh -c 'echo $$ >pid; exec sleep 300' &"),
    ("orphaned in a session of its own", "(setsid sh -c 'echo $$ >pid; exec sleep 300' &)"),
    (NAMELESS, "env -i /usr/bin/setsid sh -c 'echo $$ >pid; exec sleep 300' &"),
];

/// Found as long as its parent lives, and lost after.
const NAMELESS: &str = "without a mark";

#[test]
fn at_the_time_limit_everything_it_started_ends() {
    fn check(way: &str, script: &str) {
        let place = Place::new();
        let begun = Instant::now();
        let step = place.shell(&format!("{script}\nsleep 300")).with_timeout(1);
        let error = Runner::new(&Silent, &Cancel::new()).grace(Duration::from_millis(400)).run(&step).unwrap_err();
        assert_eq!(error.to_string(), "try: `sh` was stopped: it took longer than 1 s");
        assert!(!runs(place.pid("pid")), "a grandchild {way} outlived its step");
        assert!(begun.elapsed() > Duration::from_secs(1) && begun.elapsed() < Duration::from_secs(6), "{way}");
        assert!(place.log().contains("# ended: try: `sh` was stopped"), "{}", place.log());
    }
    std::thread::scope(|scope| {
        for (way, script) in GRANDCHILDREN.into_iter().filter(|(_, script)| !skip(script)) {
            scope.spawn(move || check(way, script));
        }
    });
}

/// Two steps at once: ending one leaves the other alone.
#[test]
fn only_what_the_step_started_ends() {
    let (one, other) = (Place::new(), Place::new());
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let slow = other.shell("(setsid sh -c 'echo $$ >pid; exec sleep 1') ; echo whole");
        let running = scope.spawn(move || run(&slow));
        other.pid("pid");
        let step = one.shell("echo $$ >pid; sleep 300");
        let runner = Runner::new(&Silent, &cancel);
        let stopped = scope.spawn(move || runner.run(&step));
        one.pid("pid");
        cancel.cancel(CancelReason::Requested);
        assert!(stopped.join().unwrap().is_err());
        running.join().unwrap().unwrap();
    });
    assert!(other.log().contains("whole"));
}

#[test]
fn when_cancelled_everything_it_started_ends() {
    for (way, script) in GRANDCHILDREN {
        if skip(script) {
            continue;
        }
        let place = Place::new();
        let cancel = Cancel::new();
        let step = place.shell(&format!("{script}\nsleep 300"));
        let (error, pid) = std::thread::scope(|scope| {
            let runner = Runner::new(&Silent, &cancel).grace(Duration::from_millis(400));
            let running = scope.spawn(move || runner.run(&step).unwrap_err());
            let pid = place.pid("pid");
            assert!(runs(pid));
            cancel.cancel(CancelReason::Interrupt);
            (running.join().unwrap(), pid)
        });
        assert_eq!(error.to_string(), "try: interrupted (Ctrl-C)");
        assert!(!runs(pid), "a grandchild {way} outlived its step");
    }
}

#[test]
fn when_it_fails_everything_it_started_ends() {
    for (way, script) in GRANDCHILDREN {
        if way == NAMELESS || skip(script) {
            continue;
        }
        let place = Place::new();
        let step = place.shell(&format!("{script}\nwhile [ ! -s pid ]; do sleep 0.01; done; exit 1"));
        let error = Runner::new(&Silent, &Cancel::new()).grace(Duration::from_millis(400)).run(&step).unwrap_err();
        assert!(matches!(error, StepError::Failed { status: Status::Code(1), .. }), "{error:?}");
        assert!(!runs(place.pid("pid")), "a grandchild {way} outlived its failed step");
    }
}

/// Leaving the group takes `setsid`, and finding what left takes Linux.
fn skip(script: &str) -> bool {
    let leaves = script.contains("setsid");
    let missing =
        leaves && (!Utf8Path::new("/usr/bin/setsid").exists() || !Utf8Path::new("/proc/self/environ").exists());
    if missing {
        eprintln!("skipped: no setsid, or no /proc: {script}");
    }
    missing
}

#[test]
fn who_ends_in_peace_may_finish_what_it_does() {
    let place = Place::new();
    let step =
        place.shell("trap 'sleep 0.3; echo cleaned up; exit 0' TERM; while :; do sleep 0.05; done").with_timeout(1);
    assert!(matches!(run(&step), Err(StepError::TimedOut { .. })));
    assert!(place.log().contains("cleaned up"), "{}", place.log());
}

#[test]
fn a_step_cannot_ask_the_person() {
    let place = Place::new();
    run(&place.shell("if read answer; then exit 1; fi; if (: </dev/tty) 2>/dev/null; then exit 2; fi")).unwrap();
}

/// At its time limit too what must not be killed in the middle is asked once, as Ctrl-C asks, and waited for.
#[test]
fn what_is_in_the_middle_of_something_finishes_it() {
    let place = Place::new();
    let heard = Recorder::default();
    let script = "trap 'echo INT >>told' INT; trap 'echo TERM >>told' TERM; sleep 300 & other=$!\n\
                  n=0; while [ $n -lt 20 ]; do sleep 0.1; n=$((n + 1)); done; kill $other; : >finished";
    let step = place.shell(script).with_timeout(1);
    let runner = Runner::new(&heard, &Cancel::new()).finishing("the tool", Duration::from_secs(60));
    let error = runner.run(&step).unwrap_err();
    assert!(matches!(error, StepError::TimedOut { .. }), "{error}");
    assert!(place.path.join("finished").is_file());
    assert_eq!(fs_err::read_to_string(place.path.join("told")).unwrap(), "INT\n");
    let told = |event: &Event| matches!(event, Event::Waiting { text, .. } if text.contains("waiting for the tool"));
    assert_eq!(heard.events().iter().filter(|event| told(event)).count(), 1, "{:?}", heard.events());
}

/// What ends by itself is not waited for.
#[test]
fn what_failed_is_not_said_to_be_waited_for() {
    let place = Place::new();
    let heard = Recorder::default();
    let runner = Runner::new(&heard, &Cancel::new()).finishing("the tool", Duration::from_secs(60)).also_done(&[3, 4]);
    runner.run(&place.shell("exit 4")).unwrap();
    assert!(matches!(runner.run(&place.shell("exit 5")), Err(StepError::Failed { .. })));
    assert!(!heard.events().iter().any(|event| matches!(event, Event::Waiting { .. })));
}

#[test]
fn a_step_that_shares_the_terminal_stays_in_our_session_and_ends_with_all_it_started() {
    let place = Place::new();
    let cancel = Cancel::new();
    let step = place.shell("ps -o sid= -p $$ >sid; sh -c 'echo $$ >pid; exec sleep 300' & sleep 300");
    let error = std::thread::scope(|scope| {
        let runner = Runner::new(&Silent, &cancel).terminal(Terminal::Shared);
        let running = scope.spawn(move || runner.run(&step).unwrap_err());
        place.pid("pid");
        cancel.cancel(CancelReason::Interrupt);
        running.join().unwrap()
    });
    assert!(matches!(error, StepError::Cancelled { .. }));
    let own = std::process::Command::new("ps").args(["-o", "sid=", "-p", &std::process::id().to_string()]).output();
    assert_eq!(fs_err::read(place.path.join("sid")).unwrap(), own.unwrap().stdout);
    // Without a group of its own, grandchildren are found on Linux only.
    assert!(!Utf8Path::new("/proc/self/environ").exists() || !runs(place.pid("pid")));
}

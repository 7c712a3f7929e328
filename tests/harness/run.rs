//! Running the program as a user does and looking at all that comes back.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// What a call of a program left: exit code and both outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The exit code; 128 + the signal's number when a signal ended it, as shells say it.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Run {
    /// Itself, if the exit code is the expected one.
    ///
    /// # Panics
    /// With both outputs, if it is not.
    #[track_caller]
    #[must_use]
    pub fn exits(self, status: i32) -> Self {
        assert!(
            self.status == status,
            "exit code {} instead of {status}\n--- stdout\n{}\n--- stderr\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Both outputs hold every one of these texts, in any order.
    ///
    /// # Panics
    /// With both outputs, if one is not there.
    #[track_caller]
    #[must_use]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stdout.contains(text) || self.stderr.contains(text),
                "`{text}` was not said\n--- stdout\n{}\n--- stderr\n{}",
                self.stdout,
                self.stderr
            );
        }
        self
    }

    /// What it printed, as JSON.
    ///
    /// # Panics
    /// With the output, if it is not JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("no JSON on stdout: {error}\n{}\n--- stderr\n{}", self.stdout, self.stderr),
        }
    }
}

/// One call of a program, in a folder, with an environment that does not depend on who runs the tests.
#[derive(Debug, Clone)]
pub struct Program {
    file: Utf8PathBuf,
    dir: Utf8PathBuf,
    args: Vec<String>,
    env: BTreeMap<String, Option<String>>,
    limit: Duration,
    spoiled_by: Option<&'static str>,
}

/// How often a call may be spoiled before its answer counts as it is.
const SPOILED: usize = 3;

/// Our program in a folder: `program(dir).args(["wheels", "--plan"]).run()`. Variables beginning with `WHEELPROOF_` or
/// `GITHUB_` are taken out of its environment, and it may take two minutes.
///
/// # Panics
/// When the program cannot be built.
pub fn program(dir: &Utf8Path) -> Program {
    Program::new(binary(), dir)
}

impl Program {
    /// Another program in a folder, in the same environment.
    pub fn new(file: &Utf8Path, dir: &Utf8Path) -> Self {
        let hidden = std::env::vars_os().filter_map(|(name, _)| {
            let name = name.into_string().ok()?;
            let ours = name.starts_with("WHEELPROOF_") && name != "WHEELPROOF_STEP"; // by which a cancelled run is found
            (ours || name.starts_with("GITHUB_")).then_some((name, None))
        });
        Self {
            file: file.to_owned(),
            dir: dir.to_owned(),
            args: Vec::new(),
            env: hidden.collect(),
            limit: Duration::from_secs(120),
            spoiled_by: None,
        }
    }

    /// Further arguments.
    #[must_use]
    pub fn args<S: AsRef<str>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.env.insert(name.to_owned(), Some(value.as_ref().to_owned()));
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.env.insert(name.to_owned(), None);
        self
    }

    /// How long it may take; the test fails when it takes longer.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What only the layer below the program writes, at the beginning of a line on stderr, when it fails by a fault of its
    /// own: [`run`](Self::run) repeats such a call, three times at most.
    #[must_use]
    pub fn spoiled_by(mut self, words: &'static str) -> Self {
        self.spoiled_by = Some(words);
        self
    }

    /// The call as the standard library's value, for tests that talk to the process while it runs.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.current_dir(&self.dir).args(&self.args).stdin(Stdio::null());
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Starts it; [`finish`](Self::finish) waits for it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn start(&self) -> Child {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("`{}` does not start: {error}", self.file),
        }
    }

    /// Waits for what [`start`](Self::start) gave.
    ///
    /// # Panics
    /// When it takes longer than its limit (it is killed then), or cannot be waited for.
    #[track_caller]
    pub fn finish(&self, mut child: Child) -> Run {
        let (stdout, stderr) = (child.stdout.take().map(drain), child.stderr.take().map(drain));
        let until = Instant::now() + self.limit;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                Ok(None) => break None,
                Err(error) => panic!("`{}` cannot be waited for: {error}", self.file),
            }
        };
        if status.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let text = |reader: Option<thread::JoinHandle<String>>| reader.and_then(|r| r.join().ok()).unwrap_or_default();
        let (stdout, stderr) = (text(stdout), text(stderr));
        let Some(status) = status else {
            panic!(
                "`{} {}` took more than {:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
                self.file,
                self.args.join(" "),
                self.limit
            );
        };
        Run { status: code(status), stdout, stderr }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it does not start or takes longer than its limit.
    #[track_caller]
    pub fn run(&self) -> Run {
        let spoiled = |run: &Run| self.spoiled_by.is_some_and(|w| run.stderr.lines().any(|line| line.starts_with(w)));
        let mut run = self.finish(self.start());
        for _ in 0..SPOILED {
            if !spoiled(&run) {
                break;
            }
            run = self.finish(self.start());
        }
        run
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(-1)
}

/// The program: what `WHEELPROOF_BIN` names (`cargo xtask test` names itself, which is what users run), else the one
/// beside the test's executable, brought up to date first.
fn binary() -> &'static Utf8Path {
    static BINARY: OnceLock<Utf8PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Ok(given) = std::env::var("WHEELPROOF_BIN") {
            return given.into();
        }
        // <target>/debug/deps/golden-0123: the profile's folder is two up, the target's three.
        let Some(test) = std::env::current_exe().ok().and_then(|file| Utf8PathBuf::from_path_buf(file).ok()) else {
            panic!("the test's own executable has no path")
        };
        let Some((profile, target)) = test.ancestors().nth(2).zip(test.ancestors().nth(3)) else {
            panic!("`{test}` does not lie in a target folder")
        };
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let built = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--package",
                "wheelproof",
                "--bin",
                "wheelproof",
                "--target-dir",
                target.as_str(),
            ])
            .args((profile.file_name() == Some("release")).then_some("--release"))
            .current_dir(crate::repository())
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the program cannot be built");
        profile.join(format!("wheelproof{}", std::env::consts::EXE_SUFFIX))
    })
}

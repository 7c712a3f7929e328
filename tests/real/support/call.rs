//! A call of the program, from putting it together to its end.

use super::outcome::Outcome;
use super::sandbox::Sandbox;
use super::traces::{processes, wheels_in};
use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use wheelproof_tests::Run;

/// Longer than anything here takes on a busy machine; a test that gets there hangs.
const LIMIT: Duration = Duration::from_secs(600);

/// A call that is being put together.
pub(crate) struct Call<'a> {
    sandbox: &'a Sandbox,
    command: Command,
    token: String,
    dist: BTreeMap<String, u64>,
    sources: BTreeMap<String, u64>,
}

impl<'a> Call<'a> {
    /// `token` is how its processes are recognised; what lies there before it is noted now.
    pub(super) fn new(sandbox: &'a Sandbox, command: Command, token: String) -> Self {
        Self { sandbox, command, token, dist: wheels_in(&sandbox.root.join("dist")), sources: sandbox.sources() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Under another program: `unshare -rn`, say.
    pub(crate) fn under(mut self, wrapper: &[&str]) -> Self {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(self.command.get_program()).args(self.command.get_args());
        command.current_dir(&self.sandbox.root).stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = command;
        self
    }

    pub(crate) fn start(mut self) -> Running<'a> {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Stream::of(child.stdout.take().unwrap());
        let stderr = Stream::of(child.stderr.take().unwrap());
        Running { call: self, child, stdout, stderr, begun: Instant::now() }
    }

    /// Makes it, waits, and looks at what it left behind: no process, no half file, nothing of the user's changed.
    #[track_caller]
    pub(crate) fn run(self) -> Outcome<'a> {
        self.start().finish()
    }
}

/// What a pipe gave so far.
struct Stream {
    text: Arc<Mutex<String>>,
    thread: thread::JoinHandle<()>,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let piece = String::from_utf8_lossy(&buffer[..read]).into_owned();
                shared.lock().unwrap_or_else(PoisonError::into_inner).push_str(&piece);
            }
        });
        Self { text, thread }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn whole(self) -> String {
        let _ = self.thread.join();
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A call under way.
pub(crate) struct Running<'a> {
    call: Call<'a>,
    child: Child,
    stdout: Stream,
    stderr: Stream,
    begun: Instant,
}

impl<'a> Running<'a> {
    /// Waits until it says a text on stderr.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        let begun = Instant::now();
        while !self.stderr.so_far().contains(text) {
            let ended = self.child.try_wait().unwrap().is_some();
            assert!(!ended && begun.elapsed() < LIMIT, "`{text}` was never said\n{}", self.stderr.so_far());
            thread::sleep(Duration::from_millis(3));
        }
    }

    /// Waits until a process of this run has a text among its arguments.
    #[track_caller]
    pub(crate) fn until_process(&mut self, text: &str) {
        let begun = Instant::now();
        while !processes(&self.call.token).iter().any(|(_, arguments)| arguments.contains(text)) {
            let ended = self.child.try_wait().unwrap().is_some();
            assert!(!ended && begun.elapsed() < LIMIT, "no process `{text}`\n{}", self.stderr.so_far());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the program alone, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Kills it as the kernel does when memory runs out; what it had started is ended too, by hand.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        for (pid, _) in processes(&self.call.token) {
            let _ = Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status();
        }
    }

    /// Waits for its end and gives the exit code alone, for when another run is at work in the same folder.
    pub(crate) fn code_only(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Waits for its end and looks at what it left behind.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Outcome<'a> {
        while self.child.try_wait().unwrap().is_none() {
            if self.begun.elapsed() > LIMIT {
                let said = self.stderr.so_far();
                self.kill();
                panic!("it hangs; it said\n{said}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        let status = self.child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
        let run = Run {
            status: status.code().or(signal).unwrap_or(-1),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        };
        let Call { sandbox, token, dist, sources, .. } = self.call;
        let outcome = Outcome::new(sandbox, run, dist, seconds);
        outcome.left_nothing(&token, &sources);
        outcome
    }
}

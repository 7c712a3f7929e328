//! Asking a program something and reading its answer.

use std::borrow::Cow;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use crate::command_line::Shell;
use crate::error::StepError;
use crate::status::Status;
use crate::step::Step;
use crate::text;

/// A command whose output is the answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What is run, and how it is called in errors; its log is not used.
    pub(crate) step: Step,
    pub(crate) timeout: Duration,
    pub(crate) limit: usize,
}

impl Query {
    /// A query in the current folder with the inherited environment, 60 s of time, and 64 MB for each output stream.
    pub fn new<A: Into<String>>(argv: impl IntoIterator<Item = A>) -> Self {
        let mut step = Step::new("query", argv, HERE, "");
        if let Some(program) = step.argv.first() {
            program.rsplit(['/', '\\']).next().unwrap_or_default().clone_into(&mut step.name);
        }
        Self { step, timeout: Duration::from_secs(60), limit: 64_000_000 }
    }

    /// Called so in errors, instead of by its program.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.step.name = name.into();
        self
    }

    /// With one more variable set.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.step = self.step.with_env(name, value);
        self
    }

    /// With one more variable removed.
    #[must_use]
    pub fn without_env(mut self, name: impl Into<String>) -> Self {
        self.step = self.step.without_env(name);
        self
    }

    /// With only the essential variables inherited.
    #[must_use]
    pub fn clean_env(mut self) -> Self {
        self.step = self.step.with_clean_env();
        self
    }

    /// In this folder.
    #[must_use]
    pub fn cwd(mut self, cwd: impl Into<Utf8PathBuf>) -> Self {
        self.step.cwd = cwd.into();
        self
    }

    /// With this time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With at most this many bytes on each output stream.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// The command as a person can repeat it in this system's shell.
    pub(crate) fn command_line(&self) -> String {
        let shell = Shell::host();
        if self.step.cwd == HERE { self.step.command_line_for(shell) } else { self.step.repeat(shell) }
    }
}

/// The folder of a query that names none: ours.
const HERE: &str = ".";

/// The answer of a program, whatever its exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// What was asked, for errors.
    pub name: String,
    /// The program as it was asked for.
    pub program: String,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub status: Status,
    /// The command as a person can repeat it in a shell.
    pub command_line: String,
}

impl Captured {
    /// What it printed, as text: lines that are not UTF-8 are read in the console's code page on Windows, and have
    /// their invalid bytes replaced elsewhere.
    pub fn stdout_text(&self) -> Cow<'_, str> {
        text::shown(&self.stdout)
    }

    /// What it complained about, as text like [`Captured::stdout_text`].
    pub fn stderr_text(&self) -> Cow<'_, str> {
        text::shown(&self.stderr)
    }

    /// Itself if the program succeeded, otherwise the error.
    pub fn checked(self) -> Result<Self, StepError> {
        if self.status.success() {
            return Ok(self);
        }
        let mut text = self.stderr_text().into_owned();
        if text.trim().is_empty() {
            text = self.stdout_text().into_owned();
        }
        Err(StepError::Failed {
            step: self.name,
            program: self.program.into(),
            status: self.status,
            excerpt: crate::excerpt::excerpt(&text),
            log: None,
            command_line: self.command_line.into(),
        })
    }
}

/// Reads a pipe to its end, or to a limit, while others wait for something else.
pub(crate) struct Collector {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<Collected>,
    changed: Condvar,
}

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    full: bool,
    ended: bool,
}

impl Collector {
    /// A collector and the end to write to.
    pub(crate) fn new(limit: usize) -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = {
            let _alone = crate::family::alone();
            io::pipe()?
        };
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        // It outlives the query only if a process that escaped us keeps the pipe open, and then holds no bytes.
        thread::Builder::new()
            .name("output".to_owned())
            .stack_size(256 * 1024)
            .spawn(move || theirs.read(reader, limit))?;
        Ok((Self { shared }, writer))
    }

    /// Was there more than the limit?
    pub(crate) fn is_full(&self) -> bool {
        self.shared.lock().full
    }

    /// Waits until all is read.
    pub(crate) fn settles(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut state = self.shared.lock();
        while !state.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// What was read so far; nothing is kept from now on.
    pub(crate) fn take(self) -> Vec<u8> {
        let mut state = self.shared.lock();
        state.full = true;
        std::mem::take(&mut state.bytes)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut reader: PipeReader, limit: usize) {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = match reader.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let mut state = self.lock();
            state.full |= state.bytes.len() + length > limit;
            if state.full {
                break;
            }
            state.bytes.extend_from_slice(piece.get(..length).unwrap_or_default());
        }
        self.lock().ended = true;
        self.changed.notify_all();
    }
}

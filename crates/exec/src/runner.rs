//! Carrying out a step.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime};
use std::{io, thread};

use camino::Utf8PathBuf;
use duct::Expression;

use crate::cancel::{Cancel, CancelReason};
use crate::capture::{Captured, Collector, Query};
use crate::command_line::Shell;
use crate::error::StepError;
use crate::event::{Ending, Event, Events};
use crate::excerpt::{excerpt_of, last_lines, last_lines_of};
use crate::family::{Asking, Child};
use crate::launch;
use crate::log::Log;
use crate::status::Status;
use crate::step::Step;
use crate::tail::follow;
use crate::text;

/// How long a child is waited for before we look whether it is to be stopped.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long the end of output may come after the end of the program that printed it.
const SETTLING: Duration = Duration::from_millis(500);

/// What a child may have of our terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Terminal {
    /// Nothing: its own session, and nothing to read. No tool can stop a run by asking a question.
    #[default]
    Detached,
    /// Our session and terminal, for `sudo`, which asks for a password there. Standard input is empty here too: output goes
    /// to a log, so nobody would see what a program asks by it.
    Shared,
}

/// A step that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Where the output is.
    pub log: Utf8PathBuf,
}

/// Carries out steps; a bundle of who listens, what stops it, and how.
#[derive(Clone)]
pub struct Runner<'a> {
    events: &'a dyn Events,
    cancel: Cancel,
    scope: String,
    streaming: bool,
    terminal: Terminal,
    grace: Duration,
    finishing: Option<String>,
    also_done: &'a [i32],
}

impl<'a> Runner<'a> {
    /// A runner without scope that does not stream, detaches from the terminal, and leaves two seconds to end in peace.
    pub fn new(events: &'a dyn Events, cancel: &Cancel) -> Self {
        Self {
            events,
            cancel: cancel.clone(),
            scope: String::new(),
            streaming: false,
            terminal: Terminal::default(),
            grace: Duration::from_secs(2),
            finishing: None,
            also_done: &[],
        }
    }

    /// For this scope: what the events name as theirs.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Whether each line of output becomes an event too.
    #[must_use]
    pub fn streaming(mut self, streaming: bool) -> Self {
        self.streaming = streaming;
        self
    }

    /// What the child may have of our terminal.
    #[must_use]
    pub fn terminal(mut self, terminal: Terminal) -> Self {
        self.terminal = terminal;
        self
    }

    /// How long what is stopped may take to end in peace.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// For a program that does harm when it is ended in the middle of something, as a package manager is in its
    /// transaction. When it is to be stopped, it alone is asked, once, as Ctrl-C asks (what it started itself is its
    /// affair); it has so long to finish, and a person is told that `who` is waited for and how not to wait
    /// ([`Event::Waiting`]).
    #[must_use]
    pub fn finishing(mut self, who: impl Into<String>, grace: Duration) -> Self {
        self.finishing = Some(who.into());
        self.grace(grace)
    }

    /// Exit codes besides 0 by which a program says that nothing is left to be done.
    #[must_use]
    pub fn also_done(mut self, codes: &'a [i32]) -> Self {
        self.also_done = codes;
        self
    }

    /// Runs the step to its end: announces it, logs it, stops it at its time limit or when cancelled. If it does not
    /// succeed, everything that it started is ended before this returns; what a successful step leaves running in the
    /// background (a compiler cache's server) is left alone and warned of.
    pub fn run(&self, step: &Step) -> Result<Finished, StepError> {
        let begun = Instant::now();
        self.events.emit(&Event::Started {
            scope: self.scope.clone(),
            step: step.name.clone(),
            argv: step.argv.clone(),
            command_line: step.command_line_for(Shell::host()),
            log: step.log.clone(),
        });
        let result = self.carry_out(step, begun);
        let seconds = begun.elapsed().as_secs_f64();
        self.events.emit(&Event::Ended {
            scope: self.scope.clone(),
            step: step.name.clone(),
            seconds,
            status: match &result {
                Ok(()) => Ending::Succeeded,
                Err(StepError::TimedOut { .. }) => Ending::TimedOut,
                Err(StepError::Cancelled { .. }) => Ending::Cancelled,
                Err(_) => Ending::Failed,
            },
            log: step.log.clone(),
        });
        result.map(|()| Finished { seconds, log: step.log.clone() })
    }

    fn carry_out(&self, step: &Step, begun: Instant) -> Result<(), StepError> {
        self.cancel.check(&step.name)?;
        let log = Log::create(step, SystemTime::now())?;
        let outcome = self.start(step, &log).and_then(|child| self.attend(step, child, log.output_start, begun));
        let ending = match &outcome {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        // A footer that cannot be written says why the step failed, or that its log is not whole.
        log.close(&ending, begun.elapsed())?;
        let status = outcome.map_err(|error| match error {
            StepError::TimedOut { step: name, program, limit_seconds, log, .. } => {
                let excerpt = last_lines_of(&step.log).unwrap_or_default();
                StepError::TimedOut { step: name, program, limit_seconds, log, excerpt }
            }
            other => other,
        })?;
        if status.success() || matches!(status, Status::Code(code) if self.also_done.contains(&code)) {
            return Ok(());
        }
        Err(StepError::Failed {
            step: step.name.clone(),
            program: step.argv.first().map(String::as_str).unwrap_or_default().into(),
            status,
            excerpt: excerpt_of(&step.log).unwrap_or_default(),
            log: Some(step.log.clone()),
            command_line: step.repeat(Shell::host()).into(),
        })
    }

    /// Starts the child with its output going straight into the log.
    fn start(&self, step: &Step, log: &Log) -> Result<Child, StepError> {
        let ready = launch::prepare(step)?;
        let connected = ready.expression.stderr_to_stdout().stdout_file(log.handle()?);
        self.spawn(&step.name, &connected, ready.program, &ready.mark)
    }

    fn spawn(&self, name: &str, output: &Expression, program: Utf8PathBuf, mark: &str) -> Result<Child, StepError> {
        Child::start(&output.stdin_null(), mark, self.terminal).map_err(|source| StepError::CannotStart {
            step: name.to_owned(),
            program,
            source,
        })
    }

    /// Waits for the child, tells what it prints, and sees to it that it ends.
    fn attend(&self, step: &Step, child: Child, output_start: u64, begun: Instant) -> Result<Status, StepError> {
        let deadline = step.timeout_seconds.and_then(|seconds| begun.checked_add(Duration::from_secs(seconds)));
        let (told, done) = channel::<()>();
        thread::scope(|scope| {
            // Dropped when this closure ends, also by a panic of a listener: the reader must not wait for ever.
            let _told = told;
            let listener = self.streaming.then(|| {
                let tell = |line| {
                    self.events.emit(&Event::Output { scope: self.scope.clone(), step: step.name.clone(), line });
                };
                scope.spawn(move || follow(&step.log, output_start, &done, &tell))
            });
            // It ends before the step only by a panic, which is passed on when everything is cleared up.
            let deaf = || listener.as_ref().is_some_and(thread::ScopedJoinHandle::is_finished);
            let mut child = child;
            let end = self.until_over(&mut child, deadline, &deaf);
            if end == End::Succeeded {
                child.let_live();
            }
            let finish = child.finish();
            match end {
                End::Cancelled(reason) => Err(StepError::Cancelled { step: step.name.clone(), reason }),
                End::Limit => Err(StepError::TimedOut {
                    step: step.name.clone(),
                    program: step.argv.first().cloned().unwrap_or_default(),
                    limit_seconds: step.timeout_seconds.unwrap_or_default(),
                    excerpt: Vec::new(),
                    log: Some(step.log.clone()),
                }),
                End::Succeeded | End::Failed | End::Caller => {
                    let finish = finish.map_err(|source| lost(&step.name, &step.argv, source))?;
                    if finish.left_behind {
                        let text = format!("{}: left processes running in the background", step.name);
                        self.events.emit(&Event::Warning { scope: self.scope.clone(), text });
                    }
                    Ok(finish.status)
                }
            }
        })
    }

    /// Waits until the child has ended by itself or must be stopped; unless it succeeded, nothing of it is left then.
    fn until_over(&self, child: &mut Child, deadline: Option<Instant>, enough: &dyn Fn() -> bool) -> End {
        let end = loop {
            let left = deadline.map_or(PATIENCE, |deadline| deadline.saturating_duration_since(Instant::now()));
            match (child.wait(left.min(PATIENCE)), self.cancel.reason()) {
                (Some(true), _) => break End::Succeeded,
                // What was hit by the same Ctrl-C as we were did not fail by itself.
                (_, Some(reason)) => break End::Cancelled(reason),
                (Some(false), None) => break End::Failed,
                (None, None) if left.is_zero() => break End::Limit,
                (None, None) if enough() => break End::Caller,
                (None, None) => {}
            }
        };
        if end != End::Succeeded {
            self.say_goodbye(child, end);
        }
        end
    }

    fn say_goodbye(&self, child: &mut Child, end: End) {
        let Some(who) = &self.finishing else {
            return child.end(self.grace, Asking::Everyone, &|| self.cancel.is_urgent());
        };
        let limit = end == End::Limit;
        if child.wait(Duration::ZERO).is_none() && !self.cancel.is_urgent() {
            let text = if limit {
                format!("the time limit is reached: waiting for {who} to finish what it began; Ctrl-C ends it at once")
            } else {
                format!("waiting for {who} to finish what it began; Ctrl-C again ends it at once")
            };
            self.events.emit(&Event::Waiting { scope: self.scope.clone(), text });
        }
        // The terminal's Ctrl-C reached what shares it, and a second one means to most programs not to finish anything.
        let heard = self.terminal == Terminal::Shared && end == End::Cancelled(CancelReason::Interrupt);
        let asking = if heard { Asking::Nobody } else { Asking::Alone };
        child.end(self.grace, asking, &|| self.cancel.is_urgent() || limit && self.cancel.is_cancelled());
    }

    /// Asks a program and gives its answer, whatever its exit status; nothing that it started is left running. There
    /// are no events and no log: a question is not a step.
    pub fn capture(&self, query: &Query) -> Result<Captured, StepError> {
        let name = query.step.name.as_str();
        self.cancel.check(name)?;
        let ready = launch::prepare(&query.step)?;
        let pipe =
            |source| StepError::Io { step: name.to_owned(), action: "connect", path: ready.program.clone(), source };
        let (stdout, stdout_end) = Collector::new(query.limit).map_err(pipe)?;
        let (stderr, stderr_end) = Collector::new(query.limit).map_err(pipe)?;
        let connected = ready.expression.stdout_file(stdout_end).stderr_file(stderr_end);
        let mut child = self.spawn(name, &connected, ready.program, &ready.mark)?;
        // The expressions hold our copies of the pipes' ends: as long as they live, reading never ends.
        drop((connected, ready.expression));
        let overflow = || stdout.is_full() || stderr.is_full();
        let end = self.until_over(&mut child, Instant::now().checked_add(query.timeout), &overflow);
        if !(stdout.settles(SETTLING) && stderr.settles(SETTLING)) {
            child.end(self.grace, Asking::Everyone, &|| self.cancel.is_urgent());
        }
        let finish = child.finish();
        // What holds a pipe even now escaped us; its output is not part of the answer.
        let (stdout_full, stderr_full) = (stdout.is_full(), stderr.is_full());
        let (stdout, stderr) = (stdout.take(), stderr.take());
        let program = launch::program(&query.step).to_owned();
        match end {
            End::Cancelled(reason) => Err(StepError::Cancelled { step: name.to_owned(), reason }),
            _ if stdout_full || stderr_full => {
                Err(StepError::TooMuchOutput { step: name.to_owned(), program, limit_bytes: query.limit })
            }
            End::Limit => Err(StepError::TimedOut {
                step: name.to_owned(),
                program,
                limit_seconds: query.timeout.as_secs(),
                excerpt: last_lines(&text::shown(&stderr)),
                log: None,
            }),
            End::Succeeded | End::Failed | End::Caller => {
                let finish = finish.map_err(|source| lost(name, &query.step.argv, source))?;
                let command_line = query.command_line();
                Ok(Captured { name: name.to_owned(), program, stdout, stderr, status: finish.status, command_line })
            }
        }
    }
}

/// How waiting for a child came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Succeeded,
    Failed,
    Cancelled(CancelReason),
    Limit,
    Caller,
}

fn lost(name: &str, argv: &[String], source: io::Error) -> StepError {
    let path = argv.first().map(Utf8PathBuf::from).unwrap_or_default();
    StepError::Io { step: name.to_owned(), action: "wait for", path, source }
}

//! A child process and everything it started, until all of it has ended.
//!
//! How far "everything" reaches, best effort beyond the first line:
//!
//! | system | found and ended |
//! |---|---|
//! | every Unix | the child's process group, which is a session of its own |
//! | Linux | also what left the group: descendants by parent, members of the session, and, by a mark in the environment, daemons that lost their parents. Not found: a daemon that left the session, lost its parent *and* cleaned its environment |
//! | macOS | also what left the group: descendants by parent, and by the mark in the environment those that lost their parents, except for the system's own protected programs, which show nobody their environment |
//! | Windows | all of it: the child runs in a job object from its first instruction on, which nothing in it can leave |
//!
//! Nothing else is ever hit: an ended child keeps its number (it is not waited for) until the last signal was sent, so
//! that the group's number cannot belong to others, and what is found outside the group is signalled through a handle
//! that stays with the process it was opened for.

#[cfg(any(target_os = "macos", test))]
mod arguments;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod process;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use duct::{Expression, Handle};

use crate::runner::Terminal;
use crate::status::Status;
#[cfg(unix)]
use unix as host;
#[cfg(windows)]
use windows as host;

/// How long the system may take to end what was killed before we give it up (a process stuck in the kernel).
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// How often we look whether what was asked to end has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Who is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// The child and everything it started.
    Everyone,
    /// The child, as Ctrl-C asks. (On Windows Ctrl-Break, which reaches what it started too.)
    Alone,
    /// Nobody: it was asked already.
    Nobody,
}

/// A running child. Dropped before [`Child::finish`], it takes everything it started with it.
pub(crate) struct Child {
    handle: Handle,
    watch: host::Watch,
    finished: bool,
}

impl Child {
    /// Starts it. `mark` is the value of [`STEP_VARIABLE`](crate::STEP_VARIABLE) that it was given.
    pub(crate) fn start(expression: &Expression, mark: &str, terminal: Terminal) -> io::Result<Self> {
        let expression = expression.unchecked().before_spawn(move |command| {
            host::prepare(command, terminal);
            Ok(())
        });
        let handle = {
            let _alone = alone();
            expression.start()?
        };
        match host::Watch::new(&handle, mark, terminal) {
            Ok(watch) => Ok(Self { handle, watch, finished: false }),
            Err(error) => {
                let _ = handle.kill();
                Err(error)
            }
        }
    }

    /// Waits at most so long for the child itself to end; then tells whether it succeeded.
    pub(crate) fn wait(&mut self, at_most: Duration) -> Option<bool> {
        self.watch.wait(&self.handle, at_most)
    }

    /// Ends the child and everything it started: asks, waits up to `grace` unless `urgent`, then kills.
    pub(crate) fn end(&mut self, grace: Duration, asking: Asking, urgent: &dyn Fn() -> bool) {
        if self.is_over() {
            return;
        }
        let peaceful_until = Instant::now() + grace;
        if !grace.is_zero() && !urgent() {
            let asked = self.watch.ask(&self.handle, asking);
            while asked && Instant::now() < peaceful_until && !urgent() {
                if self.is_over() {
                    return;
                }
                std::thread::sleep(LOOK);
            }
        }
        let patience = Instant::now() + LAST_PATIENCE;
        while Instant::now() < patience {
            self.watch.kill(&self.handle);
            if self.is_over() {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn is_over(&mut self) -> bool {
        self.wait(Duration::ZERO).is_some() && !self.watch.others_run()
    }

    /// What still runs when the child has ended is to live on.
    pub(crate) fn let_live(&self) {
        self.watch.let_live();
    }

    /// Takes the child's status; it must have ended.
    pub(crate) fn finish(mut self) -> io::Result<Finish> {
        self.finished = true;
        if self.wait(Duration::ZERO).is_none() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the process does not end, even when killed"));
        }
        let status = self.handle.wait()?.status.into();
        Ok(Finish { status, left_behind: self.watch.left_behind() })
    }
}

/// While it is held no other thread starts a child or makes a pipe for one. Only macOS needs it: a pipe's ends are
/// inheritable there until a second call says otherwise, and a child started in between would hold another's output
/// open.
pub(crate) fn alone() -> Option<MutexGuard<'static, ()>> {
    static STARTING: Mutex<()> = Mutex::new(());
    cfg!(target_vendor = "apple").then(|| STARTING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// How a child ended.
pub(crate) struct Finish {
    pub(crate) status: Status,
    /// Are others of its group still running?
    pub(crate) left_behind: bool,
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.finished {
            self.end(Duration::ZERO, Asking::Everyone, &|| true);
            if self.wait(Duration::ZERO).is_some() {
                let _ = self.handle.wait();
            }
        }
    }
}

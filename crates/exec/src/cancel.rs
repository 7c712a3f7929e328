//! The word to stop, passed to everything that runs.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use serde::{Deserialize, Serialize};

use crate::error::StepError;

/// Why a run is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// Ctrl-C (SIGINT).
    Interrupt,
    /// Asked to end (SIGTERM), as CI systems and container runtimes do.
    Terminated,
    /// The terminal went away (SIGHUP), or the console's window was closed.
    HungUp,
    /// Something in the program decided so, such as another build's failure.
    Requested,
}

impl CancelReason {
    const ALL: [Self; 4] = [Self::Interrupt, Self::Terminated, Self::HungUp, Self::Requested];

    /// As a number that is not 0.
    fn code(self) -> u8 {
        match self {
            Self::Interrupt => 1,
            Self::Terminated => 2,
            Self::HungUp => 3,
            Self::Requested => 4,
        }
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "interrupted (Ctrl-C)",
            Self::Terminated => "asked to end (SIGTERM)",
            Self::HungUp => "the terminal was closed (SIGHUP)",
            Self::Requested => "cancelled",
        })
    }
}

/// A token that says whether to stop. Clones are the same token; asking costs one atomic load.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// 0, or the code of the first reason.
    reason: AtomicU8,
    /// Nothing is waited for any more.
    urgent: AtomicBool,
}

impl Cancel {
    /// A token that only [`Cancel::cancel`] sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that Ctrl-C sets, and SIGTERM and SIGHUP where there are such.
    ///
    /// The first signal cancels: what runs is asked to end and gets its grace. The second one makes it urgent: what
    /// runs is killed without grace. The third ends this process at once with code 130, for the case that it hangs
    /// itself. A signal that is ignored when the program starts stays ignored, as `nohup` wants it. To be called
    /// once, by the program's `main`.
    ///
    /// On Windows the signals are Ctrl-C and Ctrl-Break. Closing the console, logging off and shutting down are urgent
    /// at once, because the system leaves few seconds.
    pub fn on_interrupt() -> io::Result<Self> {
        let cancel = Self::new();
        signals::watch(&cancel)?;
        Ok(cancel)
    }

    /// Stops what uses this token. The first reason stays.
    pub fn cancel(&self, reason: CancelReason) {
        let _ = self.state.reason.compare_exchange(0, reason.code(), Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Stops it without waiting for anything to end in peace.
    pub fn cancel_at_once(&self, reason: CancelReason) {
        self.state.urgent.store(true, Ordering::SeqCst);
        self.cancel(reason);
    }

    /// Is it time to stop?
    pub fn is_cancelled(&self) -> bool {
        self.state.reason.load(Ordering::Relaxed) != 0
    }

    /// Is it time to stop without waiting for anything?
    pub fn is_urgent(&self) -> bool {
        self.state.urgent.load(Ordering::Relaxed)
    }

    /// Why, if so.
    pub fn reason(&self) -> Option<CancelReason> {
        let code = self.state.reason.load(Ordering::SeqCst);
        CancelReason::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// An error if it is time to stop; for loops between steps. `what` is what will not be done.
    pub fn check(&self, what: &str) -> Result<(), StepError> {
        match self.reason() {
            None => Ok(()),
            Some(reason) => Err(StepError::Cancelled { step: what.to_owned(), reason }),
        }
    }
}

/// The shell's code for a program that Ctrl-C ended (128 + SIGINT).
const INTERRUPTED: i32 = 130;

#[cfg(unix)]
mod signals {
    use std::io;
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::{Cancel, CancelReason, INTERRUPTED};

    const REASONS: [(i32, CancelReason); 3] =
        [(SIGINT, CancelReason::Interrupt), (SIGTERM, CancelReason::Terminated), (SIGHUP, CancelReason::HungUp)];

    pub(super) fn watch(cancel: &Cancel) -> io::Result<()> {
        let wanted = REASONS.iter().map(|(signal, _)| *signal).filter(|signal| !is_ignored(*signal));
        let mut signals = Signals::new(wanted)?;
        let cancel = cancel.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for (count, signal) in signals.forever().enumerate() {
                let known = REASONS.iter().find(|(number, _)| *number == signal);
                let reason = known.map_or(CancelReason::Requested, |(_, reason)| *reason);
                match count {
                    0 => cancel.cancel(reason),
                    1 => cancel.cancel_at_once(reason),
                    _ => std::process::exit(INTERRUPTED),
                }
            }
        })?;
        Ok(())
    }

    #[allow(unsafe_code)]
    fn is_ignored(signal: i32) -> bool {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: with no new action the call only fills in the present one, which is read only if it did.
        unsafe {
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == libc::SIG_IGN
        }
    }
}

#[cfg(windows)]
mod signals {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Cancel, CancelReason, INTERRUPTED};
    use crate::win32::{ConsoleEvent, listen};

    pub(super) fn watch(cancel: &Cancel) -> io::Result<()> {
        let (cancel, count) = (cancel.clone(), AtomicUsize::new(0));
        listen(Box::new(move |event| match (event, count.fetch_add(1, Ordering::SeqCst)) {
            (ConsoleEvent::Interrupt, 0) => cancel.cancel(CancelReason::Interrupt),
            (ConsoleEvent::Interrupt, 1) => cancel.cancel_at_once(CancelReason::Interrupt),
            (ConsoleEvent::Interrupt, _) => std::process::exit(INTERRUPTED),
            // The system leaves five seconds, too few for a grace.
            (ConsoleEvent::Closed, _) => cancel.cancel_at_once(CancelReason::HungUp),
            (ConsoleEvent::Ending, _) => cancel.cancel_at_once(CancelReason::Terminated),
        }))
    }
}

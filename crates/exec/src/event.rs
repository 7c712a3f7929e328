//! What happens, told to whoever wants to show it.

use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// One thing that happened. `scope` is what it belongs to, such as `minijit/cp313-linux_x86_64`; empty if to nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A step is about to start. Every `Started` is followed by exactly one `Ended`, even if starting fails.
    Started {
        /// What the step belongs to.
        scope: String,
        /// The step's name.
        step: String,
        /// Program and arguments.
        argv: Vec<String>,
        /// The same as one line for this system's shell, with the differing environment in front.
        command_line: String,
        /// Where the output goes.
        log: Utf8PathBuf,
    },
    /// One line that a step printed; only while streaming. The two output streams arrive merged, in order, which is
    /// why they cannot be told apart; control sequences stay in, the line end and what a carriage
    /// return overwrote are gone.
    Output {
        /// What the step belongs to.
        scope: String,
        /// The step's name.
        step: String,
        /// The line; if it is not UTF-8, read in the console's code page on Windows, with bytes replaced elsewhere.
        line: String,
    },
    /// A step has ended.
    Ended {
        /// What the step belongs to.
        scope: String,
        /// The step's name.
        step: String,
        /// Wall-clock seconds from announcement to end.
        seconds: f64,
        /// How it ended.
        status: Ending,
        /// Where the output is.
        log: Utf8PathBuf,
    },
    /// Something worth a line.
    Note {
        /// What it belongs to.
        scope: String,
        /// One line.
        text: String,
    },
    /// Something a person should look at although the work goes on.
    Warning {
        /// What it belongs to.
        scope: String,
        /// One line.
        text: String,
    },
    /// What a person wants to end is waited for, and how not to wait. To be shown even by who is told to be quiet: nothing
    /// else tells that the program heard.
    Waiting {
        /// What it belongs to.
        scope: String,
        /// One line.
        text: String,
    },
}

/// How a step ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Exit code 0.
    Succeeded,
    /// Another exit code, a signal, or it could not be started or logged.
    Failed,
    /// Stopped at its time limit.
    TimedOut,
    /// Stopped because the run was cancelled, or not started for that reason.
    Cancelled,
}

/// Whoever wants to hear of it. Called from several threads; a slow listener slows the run down.
pub trait Events: Sync {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {
    fn emit(&self, _event: &Event) {}
}

/// Keeps every event, for tests.
#[derive(Debug, Default)]
pub struct Recorder {
    events: Mutex<Vec<Event>>,
}

impl Recorder {
    /// What was heard so far, in order.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The streamed lines so far, in order.
    pub fn lines(&self) -> Vec<String> {
        self.events()
            .into_iter()
            .filter_map(|event| if let Event::Output { line, .. } = event { Some(line) } else { None })
            .collect()
    }
}

impl Events for Recorder {
    fn emit(&self, event: &Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

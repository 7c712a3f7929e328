//! Steps and the child processes that carry them out: announced, logged, bounded, killed with all they started.
//!
//! A [`Step`] is a value: what to run, with which environment, where, and into which log. It can be written to JSON,
//! shown as a command line and compared; [`Runner::run`] carries it out. [`Runner::capture`] is for the short questions
//! a program asks a tool (`python -c …`, `llvm-config --version`) whose answer it wants to read. [`excerpt`] picks from
//! a failed tool's log the lines a person wants to see. [`Cancel`] is how Ctrl-C reaches all of it, and [`Events`] is
//! how others hear of it.
//!
//! This crate must not know who calls it: no word of wheels, plans, caches or terminals. It never prints, and it never
//! decides what a failure means for others.

mod cancel;
mod capture;
mod command_line;
mod environment;
mod error;
mod event;
mod excerpt;
mod family;
mod launch;
mod log;
mod program;
mod runner;
mod status;
mod step;
mod tail;
mod text;
#[cfg(windows)]
mod win32;

pub use cancel::{Cancel, CancelReason};
pub use capture::{Captured, Query};
pub use command_line::{Shell, quote};
pub use environment::{NETWORK_VARIABLES, STEP_VARIABLE, essential_variables};
pub use error::{Blame, Explain, StepError};
pub use event::{Ending, Event, Events, Recorder, Silent};
pub use excerpt::{excerpt, excerpt_of};
pub use program::{Naming, find_program};
pub use runner::{Finished, Runner, Terminal};
pub use status::Status;
pub use step::Step;

//! The real import of a wheel in a fresh environment: installed, imported, tested, and every library of the process
//! accounted for.
//!
//! Knows: virtual environments, the script that lists a process's libraries, what may be loaded from where. Must not
//! know: the Plan, how the wheel was built or repaired. The static proof of an import is not here: this one runs it.
#![forbid(unsafe_code)]

mod error;
mod origin;
mod request;
pub mod rules;
mod run;
mod steps;

pub use error::VerifyError;
pub use request::*;
pub use rules::RULES;
pub use run::{Verified, run};
pub use steps::steps;

//! Repairing a wheel so that it carries the libraries it needs: the platform's own tool is driven, its result read back.
//!
//! Knows: auditwheel and patchelf, how they fail, what a repaired wheel must hold. Must not know: the Plan, how the wheel
//! was built. The tool works in a folder of its own; what it leaves there by a failure is never taken for a result.
#![forbid(unsafe_code)]

mod auditwheel;
mod check;
mod error;
mod request;
pub mod rules;
mod run;

pub use auditwheel::steps;
pub use check::Grafted;
pub use error::RepairError;
pub use request::*;
pub use rules::RULES;
pub use run::{Repaired, run};

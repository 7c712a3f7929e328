//! Repairing a wheel so that it carries the libraries it needs: the tool that a platform's users trust is driven, its
//! result read back.
//!
//! Knows: auditwheel, delocate and delvewheel, how they fail, what a repaired wheel must hold. Must not know: the Plan, how
//! the wheel was built. A tool works in a folder of its own; what it leaves there by a failure is never taken for a result.
#![forbid(unsafe_code)]

mod auditwheel;
mod binary;
mod check;
mod delocate;
mod delvewheel;
mod error;
mod image;
mod origin;
mod place;
mod repairer;
mod request;
pub mod rules;
mod run;
mod search;
mod settle;
mod unreadable;

pub use check::{Assumed, Grafted};
pub use error::RepairError;
pub use origin::{Origin, Origins};
pub use repairer::{steps, tool_name};
pub use request::*;
pub use rules::RULES;
pub use run::{How, Repaired, run};

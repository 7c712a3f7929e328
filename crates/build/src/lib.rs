//! PEP 517 builds: from a project's sources to one wheel, in a copy, with post-conditions.
//!
//! Knows: front end and backends, what they read from the environment, where their products lie, what a wheel just built
//! must hold. Must not know: the Plan that asks, what becomes of the wheel afterwards. The project itself is never
//! written to, not even by a backend that builds in its tree.
#![forbid(unsafe_code)]

mod check;
mod error;
mod macos;
mod request;
pub mod rules;
mod run;
mod steps;

pub use error::BuildError;
pub use request::*;
pub use rules::RULES;
pub use run::{Built, run};
pub use steps::steps;

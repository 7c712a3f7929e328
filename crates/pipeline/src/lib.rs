//! The story of `wheels`: a Plan walked through the stages, with cache, lock, dist/, events and timings.
//!
//! Knows: the order of the stages, what lands in dist/ and when, what a run reports. Must not know: how any stage works
//! inside.
#![forbid(unsafe_code)]

mod dist;
mod jobs;
mod lock;
pub mod report;
mod run;
mod schedule;
pub mod show;
mod stop;
mod timings;
mod walk;

pub use jobs::Jobs;
pub use lock::LockError;
pub use report::Report;
pub use run::{Options, RunError, run};
pub use timings::Timings;

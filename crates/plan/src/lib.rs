//! Settings and the Plan: ci/wheels.yaml, pyproject.toml and what this machine has (`World`) become every build, every
//! step with its exact command line, and for what will not run here the reason.
//!
//! Knows: the configuration's format, precedence, which requests the stages get, cache keys, the CI matrix. Must not
//! know: processes (nothing is started here) and what is inside binaries. Reading the configuration touches files;
//! [`make`] is pure.
#![forbid(unsafe_code)]

/// The configuration's text: YAML reading and the shape of ci/wheels.yaml.
pub mod config {
    pub mod file;
    pub mod yaml;
}
mod epoch;
mod keys;
mod layout;
mod locks;
mod long_paths;
mod make;
pub mod matrix;
mod obstacles;
mod plan;
mod pyproject;
pub mod settings;
pub mod show;
mod stages;

pub use config::yaml::{ConfigError, Place};
pub use epoch::{EpochError, source_date_epoch};
pub use layout::Layout;
pub use locks::{OLDEST_FOR_REPAIR, for_repair};
pub use make::{PlanError, lacks, make, target_of};
pub use plan::*;
pub use pyproject::Pyproject;
pub use settings::{Given, Origin, Settings};

//! What the stories stand on: projects that share their tools, runs whose traces are looked at, signals at the right time.

mod call;
mod outcome;
mod sandbox;
mod shared;
mod traces;

pub(crate) use outcome::Outcome;
pub(crate) use sandbox::{Asked, PLAIN, Sandbox, id};
pub(crate) use shared::{newest_python, pythons};

use std::process::{Command, Stdio};

/// Whether a new namespace of this kind is to be had: `-rn` (no network), `-rm` (own mounts).
pub(crate) fn can_unshare(flags: &str) -> bool {
    let tried = Command::new("unshare").args([flags, "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

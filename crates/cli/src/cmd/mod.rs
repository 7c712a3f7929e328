//! One file per command: settings → call → render → exit code.

pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod matrix;
mod opening;
pub(crate) mod provision;
pub(crate) mod repair;
pub(crate) mod show;
pub(crate) mod symbols;
pub(crate) mod verify;
pub(crate) mod wheels;

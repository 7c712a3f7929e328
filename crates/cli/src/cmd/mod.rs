//! One file per command: settings → call → render → exit code.

pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod matrix;
pub(crate) mod provision;
pub(crate) mod symbols;
pub(crate) mod wheels;

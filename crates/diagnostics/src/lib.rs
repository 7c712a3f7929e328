//! One model of trouble: rules, findings, and how they are shown (text, JSON, SARIF, GitHub annotations, Markdown).
//!
//! This crate knows what a [`Rule`] and a [`Finding`] are, how a project's configuration changes their weight
//! ([`Adjustments`]), and how they are rendered. It must not know any subject: what a wheel, a symbol or an LLVM is stays
//! with the crates that own the rules. Each of them exposes `pub const RULES: &[&Rule]`; the program puts those slices
//! into one [`Registry`]. Nothing here prints, reads a file or starts a process.
//!
//! Names in findings come from binaries that somebody else made. Every renderer therefore passes them through
//! [`printable`] or an escape that is at least as strict.
#![forbid(unsafe_code)]

/// Appends formatted text to a `String`, which cannot fail.
macro_rules! put {
    ($out:expr, $($part:tt)*) => {{
        use std::fmt::Write as _;
        let _ = write!($out, $($part)*);
    }};
}

mod adjust;
mod explain;
mod finding;
mod fold;
mod printable;
mod registry;
pub mod render;
mod rule;
mod severity;
mod suggest;
mod wrap;

pub use adjust::{
    Acceptance, Accepted, AdjustmentError, Adjustments, Examined, Judged, RuleSettings, STALE_ACCEPTANCE,
};
pub use explain::{explain, explain_markdown, rules_markdown};
pub use finding::{Finding, FindingRecord, Location, Subject};
pub use printable::{printable, shortened};
pub use registry::{Registry, RegistryFault, UnknownRule};
pub use render::{Format, Report, Style, Tool, UnknownFormat};
pub use rule::{Family, Rule};
pub use severity::{Severity, Summary, UnknownSeverity};
pub use suggest::nearest;

/// The rules this crate itself owns: those about the configuration of rules.
pub const RULES: &[&Rule] = &[&STALE_ACCEPTANCE];

//! METADATA: the core metadata of a distribution (packaging.python.org, core metadata 2.4).

use std::fmt;

use crate::dist_info::normalised;
use crate::text::{Headers, TextProblem, TextProblemKind};

const FILE: &str = "METADATA";

/// The fields of METADATA that matter for a wheel's fitness; all others are in `headers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Metadata-Version, such as `2.4`; empty if it is missing.
    pub metadata_version: String,
    /// Name as written; empty if it is missing.
    pub name: String,
    /// Version as written; empty if it is missing.
    pub version: String,
    /// Requires-Python as written, a PEP 440 specifier such as `>=3.9`.
    pub requires_python: Option<String>,
    /// Every Requires-Dist.
    pub requires_dist: Vec<Requirement>,
    /// Everything as it stands there; this is what is printed.
    pub headers: Headers,
}

/// A Requires-Dist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The distribution's name, normalised (`typing-extensions`).
    pub name: String,
    /// The requirement as written.
    pub raw: String,
    /// Whether its marker names an extra: it is not installed unless that is asked for.
    pub extra_only: bool,
}

impl Requirement {
    /// Takes the name off a PEP 508 requirement; none if it starts with none.
    fn parse(raw: &str) -> Option<Self> {
        let end = raw.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(raw.len());
        let name = raw.get(..end)?.trim_end_matches(['-', '_', '.']);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        let marker = raw.split_once(';').map_or("", |(_, marker)| marker);
        let extra_only = marker.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "extra");
        Some(Self { name: normalised(name), raw: raw.to_owned(), extra_only })
    }
}

impl Metadata {
    /// Reads METADATA. What is wrong with it comes beside what could be read.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<TextProblem>) {
        let mut problems = Vec::new();
        let headers = Headers::parse(FILE, bytes, &mut problems);
        let mut report = |line, kind| crate::text::report(&mut problems, FILE, line, kind);
        let metadata_version = headers.required("Metadata-Version", &mut report);
        let name = headers.required("Name", &mut report);
        let version = headers.required("Version", &mut report);
        let requires_python = headers.once("Requires-Python", &mut report).map(str::to_owned);
        let mut requires_dist = Vec::new();
        for (raw, line) in headers.lines("Requires-Dist") {
            match Requirement::parse(raw) {
                Some(requirement) => requires_dist.push(requirement),
                None => report(line, bad("Requires-Dist", raw, "a requirement (PEP 508)")),
            }
        }
        if !name.is_empty() && !is_distribution(&name) {
            report(0, bad("Name", &name, "a distribution's name (letters, digits, `-`, `_`, `.`)"));
        }
        if !version.is_empty() && !version.starts_with(|c: char| c.is_ascii_digit() || c == 'v') {
            report(0, bad("Version", &version, "a version (PEP 440)"));
        }
        (Self { metadata_version, name, version, requires_python, requires_dist, headers }, problems)
    }
}

impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headers.fmt(f)
    }
}

fn bad(field: &'static str, value: &str, expected: &'static str) -> TextProblemKind {
    TextProblemKind::BadValue { field, value: crate::text::shortened(value), expected }
}

fn is_distribution(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(name.chars().next())
        && edge(name.chars().next_back())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

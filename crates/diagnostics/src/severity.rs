//! How much a finding weighs, and how many of each weight there are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Finding;
use crate::suggest::nearest;

/// The weight of a finding, lightest first. `Off` occurs in rules and configuration only, never in a reported finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not reported at all.
    Off,
    /// Worth knowing; changes nothing.
    Info,
    /// Probably wrong, or wrong later; the run still succeeds.
    Warning,
    /// Wrong: the run fails with exit code 1.
    Error,
}

impl Severity {
    /// All severities, lightest first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Info, Self::Warning, Self::Error];

    /// The word in configuration and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not a severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a severity; {}", crate::printable(asked), match nearest { Some(word) => format!("did you mean `{word}`?"), None => "one of off, info, warning, error".to_owned() })]
pub struct UnknownSeverity {
    /// What was written.
    pub asked: String,
    /// The severity it resembles.
    pub nearest: Option<&'static str>,
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text).ok_or_else(|| UnknownSeverity {
            asked: text.to_owned(),
            nearest: nearest(text, Self::ALL.into_iter().map(Self::as_str)),
        })
    }
}

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Findings at error level.
    pub errors: usize,
    /// Findings at warning level.
    pub warnings: usize,
    /// Findings at info level.
    pub infos: usize,
}

impl Summary {
    /// Counts findings; `Off` is not counted.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        findings.into_iter().fold(Self::default(), |mut sum, finding| {
            match finding.severity {
                Severity::Off => {}
                Severity::Info => sum.infos += 1,
                Severity::Warning => sum.warnings += 1,
                Severity::Error => sum.errors += 1,
            }
            sum
        })
    }

    /// How many there are in all.
    pub const fn total(&self) -> usize {
        self.errors + self.warnings + self.infos
    }
}

impl fmt::Display for Summary {
    /// `2 errors, 1 warning`; kinds that do not occur are left out; `no findings` when none does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [(self.errors, "error"), (self.warnings, "warning"), (self.infos, "info")];
        let mut first = true;
        for (count, word) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            let comma = if first { "" } else { ", " };
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{comma}{count} {word}{plural}")?;
            first = false;
        }
        if first { f.write_str("no findings") } else { Ok(()) }
    }
}

//! A finding: a rule, what it is about, what is wrong there, what to do, and where it stands in the sources.

use std::fmt;

use camino::Utf8PathBuf;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::fold::NAME;
use crate::{Rule, Severity, shortened};

/// What a finding is about, from the outside in. Names are kept as they are in the file; they are made harmless where
/// they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The file on disk: a wheel, a binary, a configuration file.
    pub file: Option<Utf8PathBuf>,
    /// The member inside `file`, as the archive spells it.
    pub member: Option<String>,
    /// The symbol, key or name inside that.
    pub symbol: Option<String>,
}

impl Subject {
    /// A finding about the run as a whole.
    pub const fn none() -> Self {
        Self { file: None, member: None, symbol: None }
    }

    /// A file as a whole.
    pub fn file(file: impl Into<Utf8PathBuf>) -> Self {
        Self { file: Some(file.into()), ..Self::none() }
    }

    /// The same, narrowed to a member.
    #[must_use]
    pub fn member(self, member: impl Into<String>) -> Self {
        Self { member: Some(member.into()), ..self }
    }

    /// The same, narrowed to a symbol.
    #[must_use]
    pub fn symbol(self, symbol: impl Into<String>) -> Self {
        Self { symbol: Some(symbol.into()), ..self }
    }
}

impl fmt::Display for Subject {
    /// `dist/x.whl: pkg/_core.so: _PySet_Update`, safe for a terminal and each part bounded; parts that are not there are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.file.as_ref().map(|file| file.as_str()), self.member.as_deref(), self.symbol.as_deref()];
        for (index, part) in parts.into_iter().flatten().enumerate() {
            let colon = if index == 0 { "" } else { ": " };
            write!(f, "{colon}{}", shortened(part, NAME))?;
        }
        Ok(())
    }
}

/// A line of a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Relative to the project where it can be.
    pub path: Utf8PathBuf,
    /// Counted from 1.
    pub line: u32,
}

impl Location {
    /// `line` counts from 1; a 0 is taken for 1.
    pub fn new(path: impl Into<Utf8PathBuf>, line: u32) -> Self {
        Self { path: path.into(), line: line.max(1) }
    }
}

impl fmt::Display for Location {
    /// `src/core.cpp:41`, safe for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", shortened(self.path.as_str(), NAME), self.line)
    }
}

/// One thing that is wrong, as it is reported everywhere.
///
/// `message`, `help` and `notes` are single paragraphs in which names stand in backticks; a line break in them is shown
/// as `\n`, since it can only come from a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// How much it weighs here: the rule's own severity unless the check or the configuration says otherwise.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it stands in the sources.
    pub locations: Vec<Location>,
    /// The rule behind this one, e.g. that a name found as a string would be missing.
    pub because: Option<&'static Rule>,
    /// Further remarks for people: shown as text, in annotations and in SARIF, not part of the JSON contract.
    pub notes: Vec<String>,
}

impl Finding {
    /// A finding at the rule's own severity.
    pub fn new(rule: &'static Rule, subject: Subject, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            subject,
            message: message.into(),
            help: None,
            locations: Vec::new(),
            because: None,
            notes: Vec::new(),
        }
    }

    /// At another severity than the rule's own.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Where it stands in the sources; may be called again.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }

    /// Where it stands in the sources, several places at once.
    #[must_use]
    pub fn at_all(mut self, locations: impl IntoIterator<Item = Location>) -> Self {
        self.locations.extend(locations);
        self
    }

    /// The rule behind this one.
    #[must_use]
    pub fn because(self, rule: &'static Rule) -> Self {
        Self { because: Some(rule), ..self }
    }

    /// A further remark; may be called again.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl Serialize for Finding {
    /// The JSON contract: rule, code, severity, subject, message, help, locations, and `because` (a rule's name) only
    /// when there is one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Finding", 7 + usize::from(self.because.is_some()))?;
        out.serialize_field("rule", self.rule.name)?;
        out.serialize_field("code", self.rule.code)?;
        out.serialize_field("severity", &self.severity)?;
        out.serialize_field("subject", &self.subject)?;
        out.serialize_field("message", &self.message)?;
        out.serialize_field("help", &self.help)?;
        out.serialize_field("locations", &self.locations)?;
        match self.because {
            Some(rule) => out.serialize_field("because", rule.name)?,
            None => out.skip_field("because")?,
        }
        out.end()
    }
}

/// A finding as it was written as JSON, before its rule has been looked up: `Registry::revive` makes a [`Finding`] of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingRecord {
    /// The rule's name.
    pub rule: String,
    /// The rule's code.
    pub code: String,
    /// The severity it was reported at.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it stands in the sources.
    pub locations: Vec<Location>,
    /// The name of the rule behind it.
    #[serde(default)]
    pub because: Option<String>,
}

//! The one place that reads YAML (through serde-saphyr): text in, typed value or a located error out.
//!
//! Everything else speaks of [`Located`] values and [`ConfigError`]s and does not know which YAML library is behind them.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A place in a configuration file: line and column, both counted from 1; 0 means unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

/// A value and where it stands in the file it was read from.
#[derive(Debug, Clone, Default)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        let place = Place { line: spanned.referenced.line(), column: spanned.referenced.column() };
        Ok(Self { value: spanned.value, place })
    }
}

/// Something wrong in a configuration file, with the place, the line itself and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file, as the user would name it.
    pub file: Utf8PathBuf,
    /// Where in it; line 0 when the file as a whole is meant.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The text of the line, without its line end.
    pub line_text: Option<String>,
}

impl ConfigError {
    /// An error at a place of a text.
    pub fn new(file: &Utf8Path, text: &str, place: Place, message: impl Into<String>) -> Self {
        let line_text = usize::try_from(place.line).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?));
        Self {
            file: file.to_owned(),
            place,
            message: message.into(),
            help: None,
            line_text: line_text.map(str::to_owned),
        }
    }

    /// The same error with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key may hold anything, also what a terminal would obey.
        for line in self.message.lines() {
            writeln!(f, "{}", diagnostics::printable(line))?;
        }
        let Place { line, column } = self.place;
        if line == 0 {
            write!(f, "  --> {}", self.file)?;
        } else {
            let number = line.to_string();
            let gutter = " ".repeat(number.len());
            write!(f, "{gutter} --> {}:{line}:{column}", self.file)?;
            if let Some(text) = &self.line_text {
                // Tabs and other controls would move the caret or the terminal; a wide line is cut around the place.
                let column = usize::try_from(column).unwrap_or(usize::MAX).max(1);
                let start = column.saturating_sub(80);
                let shown: String =
                    text.chars().skip(start).take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
                write!(f, "\n{gutter} |\n{number} | {shown}\n{gutter} | {}^", " ".repeat(column - 1 - start))?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {}", diagnostics::printable(help))?;
        }
        Ok(())
    }
}

/// Reads a value from YAML text; unknown and duplicate keys are errors (the types deny unknown fields).
///
/// # Errors
/// A [`ConfigError`] with the place and, for a mistyped key or value, the nearest known one.
pub fn from_str<T: for<'de> Deserialize<'de>>(file: &Utf8Path, text: &str) -> Result<T, ConfigError> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true, reject_unsupported_tags: true };
    serde_saphyr::from_str_with_options::<T>(text, options).map_err(|error| convert(file, text, &error))
}

fn convert(file: &Utf8Path, text: &str, error: &serde_saphyr::Error) -> ConfigError {
    let error = error.without_snippet();
    let place = error.location().map_or_else(Place::default, |l| Place { line: l.line(), column: l.column() });
    let (message, help) = match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{field}`"), Some(choose(field, expected)))
        }
        serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown value `{variant}`"), Some(choose(variant, expected)))
        }
        serde_saphyr::Error::SerdeMissingField { field, .. } => (format!("the key `{field}` is missing"), None),
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => (
            key.as_ref().map_or_else(|| "duplicate key".to_owned(), |key| format!("duplicate key `{key}`")),
            Some("remove one of the two; nothing is silently overridden".to_owned()),
        ),
        other => {
            let message = plain(&other.to_string());
            let value = value_at(text, place);
            explained(&message, value).unwrap_or((message, None))
        }
    };
    ConfigError { help, ..ConfigError::new(file, text, place, message) }
}

/// The library's message without the place that it appends, which we show ourselves.
fn plain(message: &str) -> String {
    let first = message.lines().next().unwrap_or(message);
    let cut = first.find(" at line ").or_else(|| first.find(", line ")).unwrap_or(first.len());
    first[..cut].trim_end_matches([',', ':', ' ']).to_owned()
}

/// What stands at a place, up to the end of the value.
fn value_at(text: &str, place: Place) -> &str {
    let line = usize::try_from(place.line).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?)).unwrap_or("");
    let column = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
    let start = line.char_indices().nth(column).map_or(line.len(), |(start, _)| start);
    line[start..].split([',', '}', ']', '#']).next().unwrap_or("").trim()
}

/// The library speaks of scalars and sequences; who writes the file thinks of texts and lists.
fn explained(message: &str, value: &str) -> Option<(String, Option<String>)> {
    const LIST: &str = "write it as `[one, two]`, or one `- item` per line";
    const OPEN: &str = "a bracket, brace or quote may stay open in the lines above";
    const EMPTY: &str = "the least that it may say: version: 1, and projects: [{ path: . }]";
    const DOCUMENTS: &str = "remove the `---` and what belongs to another file";
    let severity = ["off", "info", "warning", "error"].contains(&value);
    let (said, help) = match message {
        "expected mapping start" if severity => {
            ("a map is expected here".to_owned(), Some(format!("write `{{ severity: {value} }}`")))
        }
        "expected mapping start" => ("a map is expected here: keys with values".to_owned(), None),
        "expected sequence start" => ("a list is expected here".to_owned(), Some(LIST.to_owned())),
        "expected string scalar" => ("a text is expected here".to_owned(), None),
        "invalid u32" => ("a whole number is expected here".to_owned(), None),
        "unexpected end of input" => ("the file says nothing".to_owned(), Some(EMPTY.to_owned())),
        other if other.starts_with("unsupported tag") => {
            (other.to_owned(), Some("remove it; a text that begins with `!` stands in quotes".to_owned()))
        }
        other if other.starts_with("invalid boolean") => ("`true` or `false` is expected here".to_owned(), None),
        other if other.starts_with("multiple YAML documents") => {
            ("the file holds more than one document".to_owned(), Some(DOCUMENTS.to_owned()))
        }
        other if other.starts_with("while parsing a flow") || other.starts_with("illegal placement") => {
            (other.to_owned(), Some(OPEN.to_owned()))
        }
        other => {
            let (_, expected) = other.split_once("invalid type: ")?.1.split_once(", expected ")?;
            (format!("{expected} is expected here"), None)
        }
    };
    Some((said, help))
}

/// "did you mean `x`?" when something is near, and all that is allowed.
pub(crate) fn choose<S: AsRef<str>>(given: &str, expected: &[S]) -> String {
    let all = expected.iter().map(|e| format!("`{}`", e.as_ref())).collect::<Vec<_>>().join(", ");
    match diagnostics::nearest(given, expected.iter().map(AsRef::as_ref)) {
        Some(near) => format!("did you mean `{near}`? Allowed here: {all}"),
        None => format!("allowed here: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        let keys = ["projects", "python", "targets"];
        for (given, near) in
            [("project", Some("projects")), ("pyhton", Some("python")), ("tragets", Some("targets")), ("zzz", None)]
        {
            assert_eq!(diagnostics::nearest(given, keys), near, "{given}");
        }
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        let text = "version: 1\npyhton: [\"3.13\"]\n";
        let error =
            ConfigError::new("ci/wheels.yaml".into(), text, Place { line: 2, column: 1 }, "unknown key `pyhton`");
        let shown = error.help("did you mean `python`?").to_string();
        assert_eq!(
            shown,
            "unknown key `pyhton`\n  --> ci/wheels.yaml:2:1\n  |\n2 | pyhton: [\"3.13\"]\n  | ^\n  = help: did you mean `python`?"
        );
    }
}

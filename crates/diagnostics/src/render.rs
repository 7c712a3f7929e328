//! How findings are shown. Every renderer is a pure function from a value to a `String` that ends with a line break, or is
//! empty where the format has nothing to say.

mod github;
mod json;
mod markdown;
mod sarif;
mod style;
mod text;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

pub use github::github;
pub use json::{SCHEMA_VERSION, json};
pub use markdown::{markdown, table_text};
pub use sarif::sarif;
pub use style::Style;
pub use text::text;

use crate::{Judged, nearest};

/// The formats of output, as `--format` names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Text,
    /// The JSON contract.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub workflow commands that annotate lines.
    Github,
    /// A table, for step summaries and comments.
    Markdown,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Text, Self::Json, Self::Sarif, Self::Github, Self::Markdown];

    /// The word after `--format`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Markdown => "markdown",
        }
    }

    /// The report in this format; `style` matters to text only. Fails only if a subject cannot be written as JSON.
    pub fn render<S: Serialize>(self, report: &Report<'_, S>, style: &Style) -> Result<String, serde_json::Error> {
        let Report { tool, subjects, judged } = report;
        match self {
            Self::Text => Ok(text(judged, style)),
            Self::Json => json(subjects, judged),
            Self::Sarif => sarif(tool, judged),
            Self::Github => Ok(github(judged)),
            Self::Markdown => Ok(markdown(judged)),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a format; {}", crate::printable(asked), match nearest { Some(word) => format!("did you mean `{word}`?"), None => "one of text, json, sarif, github, markdown".to_owned() })]
pub struct UnknownFormat {
    /// What was written.
    pub asked: String,
    /// The format it resembles.
    pub nearest: Option<&'static str>,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| UnknownFormat {
            asked: text.to_owned(),
            nearest: nearest(text, Self::ALL.into_iter().map(Self::as_str)),
        })
    }
}

/// The program that reports, for formats that name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its semantic version.
    pub version: &'a str,
    /// Absolute URI of its home page; left out if empty.
    pub information_uri: &'a str,
    /// Absolute URI of the page of all rules, in which each rule's name is an anchor; left out if empty.
    pub rules_uri: &'a str,
}

/// Everything that is reported.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a, S> {
    /// The program.
    pub tool: Tool<'a>,
    /// What was looked at, in the caller's own shape.
    pub subjects: &'a [S],
    /// What was found.
    pub judged: &'a Judged,
}

//! What became of each wheel, for people and for programs.

use super::RepairArgs;
use crate::console::Console;
use crate::exit::Failure;
use crate::output;
use audit::proof::spoken_size;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Format, Judged, Report, Style, Tool, printable};
use repair::{How, Repaired};
use serde::Serialize;
use std::fmt::Write as _;

/// What became of one wheel, as JSON shows it (docs/schemas/repair.schema.json).
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    /// The wheel that was given.
    pub(super) given: Utf8PathBuf,
    pub(super) status: Status,
    /// The wheel in the output folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wheel: Option<Utf8PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    grafted: Vec<Graft>,
    pub(super) assumed: Vec<Assumption>,
    why_not_wider: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Repaired,
    /// It was right already.
    Unchanged,
    /// Findings at error level.
    Refused,
    /// Something went wrong, which `error` says.
    Failed,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Repaired => "repaired",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Serialize)]
struct Graft {
    name: String,
    bytes: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Assumption {
    pub(super) library: String,
    needed_by: String,
}

#[derive(Debug, Serialize)]
struct Output<'a> {
    schema_version: u32,
    wheels: &'a [Entry],
    findings: Vec<&'a Finding>,
}

impl Entry {
    /// One of which nothing more is known.
    pub(super) fn of(given: &Utf8Path, status: Status) -> Self {
        Self {
            given: given.to_owned(),
            status,
            wheel: None,
            platform: None,
            grafted: Vec::new(),
            assumed: Vec::new(),
            why_not_wider: Vec::new(),
            error: None,
        }
    }

    pub(super) fn failed(given: &Utf8Path, error: String) -> Self {
        Self { error: Some(error), ..Self::of(given, Status::Failed) }
    }

    /// One that was read back, not delivered yet.
    pub(super) fn read_back(given: &Utf8Path, repaired: &Repaired, refused: bool) -> Self {
        let status = match (refused, repaired.how) {
            (true, _) => Status::Refused,
            (false, How::Repaired) => Status::Repaired,
            (false, How::Pure | How::HeldAlready) => Status::Unchanged,
        };
        let grafted = repaired.grafted.iter();
        let assumed = repaired.assumed.iter();
        Self {
            platform: Some(repaired.platform.clone()),
            grafted: grafted.map(|graft| Graft { name: graft.name.clone(), bytes: graft.bytes }).collect(),
            assumed: assumed
                .map(|one| Assumption { library: one.library.clone(), needed_by: one.needed_by.clone() })
                .collect(),
            why_not_wider: repaired.why_not_wider.clone(),
            ..Self::of(given, status)
        }
    }

    pub(super) fn file_name(&self) -> &str {
        self.given.file_name().unwrap_or_default()
    }
}

pub(super) fn render(
    args: &RepairArgs,
    entries: &[Entry],
    judged: &Judged,
    here: &Utf8Path,
    console: &Console,
) -> Result<(), Failure> {
    let format: Format = args.format.parse().map_err(Failure::usage)?;
    match format {
        Format::Json => {
            let output = Output { schema_version: 1, wheels: entries, findings: judged.reported().collect() };
            output::line(&serde_json::to_string_pretty(&output).map_err(Failure::usage)?)
        }
        Format::Text => {
            if judged.reported().next().is_some() {
                let style =
                    Style { colour: console.colour(), explain: Some("cargo xtask explain"), ..Style::default() };
                console.line(&diagnostics::render::text(judged, &style));
            }
            entries.iter().try_for_each(|entry| output::line(&text(entry, here)))
        }
        Format::Markdown => output::line(&markdown(entries, judged)),
        Format::Sarif | Format::Github => {
            let tool =
                Tool { name: "wheelproof", version: env!("CARGO_PKG_VERSION"), information_uri: "", rules_uri: "" };
            let text = format
                .render(&Report { tool, subjects: entries, judged }, &Style::default())
                .map_err(Failure::usage)?;
            if text.is_empty() { Ok(()) } else { output::line(&text) }
        }
    }
}

/// The most reasons that are worth a line each.
const REASONS: usize = 3;

fn text(entry: &Entry, here: &Utf8Path) -> String {
    let name = entry.file_name();
    let shown = |wheel: &Utf8PathBuf| wheel.strip_prefix(here).map_or_else(|_| wheel.clone(), Utf8Path::to_owned);
    let place = entry.wheel.as_ref().map(|wheel| format!(" → {}", shown(wheel))).unwrap_or_default();
    let grafted = entry.grafted.iter().map(|graft| format!("  grafted {} ({})", graft.name, spoken_size(graft.bytes)));
    let assumed = entry.assumed.iter().map(|assumed| {
        format!("  assumed {}, needed by {}: another wheel has to bring it", assumed.library, assumed.needed_by)
    });
    let why = entry.why_not_wider.iter().take(REASONS).map(|why| format!("  not more widely usable: {why}"));
    let first = format!("{name}: {}{place}", entry.status.word());
    let lines: Vec<String> = std::iter::once(first).chain(grafted).chain(assumed).chain(why).collect();
    lines.iter().map(|line| printable(line).into_owned()).collect::<Vec<_>>().join("\n")
}

fn markdown(entries: &[Entry], judged: &Judged) -> String {
    let mut out = "| wheel | result | as | grafted |\n|---|---|---|---|\n".to_owned();
    for entry in entries {
        let made = entry.wheel.as_ref().and_then(|wheel| wheel.file_name()).map(|name| format!("`{name}`"));
        let grafted: Vec<String> = entry
            .grafted
            .iter()
            .map(|graft| format!("`{}` ({})", graft.name.replace('|', "\\|"), spoken_size(graft.bytes)))
            .collect();
        let cells = [made.unwrap_or_default(), grafted.join(", ")];
        let _ = writeln!(out, "| `{}` | {} | {} |", entry.file_name(), entry.status.word(), cells.join(" | "));
    }
    for entry in entries {
        for assumed in &entry.assumed {
            let _ = writeln!(
                out,
                "\nAssumed: `{}`, needed by `{}`: another wheel has to bring it.",
                assumed.library, assumed.needed_by
            );
        }
        if let Some(error) = &entry.error {
            let lines: Vec<_> = error.lines().map(printable).collect();
            // Fenced by more backticks than a message has in a row.
            let _ = writeln!(out, "\n`{}` failed:\n\n````text\n{}\n````", entry.file_name(), lines.join("\n"));
        }
    }
    if judged.reported().next().is_some() {
        out.push('\n');
        out.push_str(&diagnostics::render::markdown(judged));
    }
    out
}

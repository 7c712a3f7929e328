//! GitHub workflow commands: `::error file=…,line=…,title=…::message`.
//!
//! The escapes are those of the runner's own toolkit (actions/toolkit, packages/core/src/command.ts): in data `%`, CR and
//! LF, in properties also `:` and `,`. GitHub shows ten annotations of each kind per step, so errors come first and
//! findings of one rule and place that have no line of source are one annotation.

use std::cmp::Reverse;

use crate::adjust::with_slashes;
use crate::fold::{Block, NAME, PARAGRAPH, blocks, unnamed_symbol};
use crate::{Finding, Judged, Location, Severity, shortened};

/// How many findings or places one annotation lists.
const LIMIT: usize = 20;

/// One workflow command per line, heaviest first; empty if there is nothing to report.
pub fn github(judged: &Judged) -> String {
    let mut blocks = blocks(judged.reported());
    blocks.sort_by_key(|block| Reverse(block.severity));
    let mut out = String::new();
    for block in &blocks {
        let (located, others): (Vec<_>, Vec<_>) =
            block.findings.iter().copied().partition(|finding| !finding.locations.is_empty());
        for finding in located {
            out.push_str(&annotation(block, &[finding], finding.locations.first()));
        }
        if !others.is_empty() {
            out.push_str(&annotation(block, &others, None));
        }
    }
    out
}

fn annotation(block: &Block<'_>, findings: &[&Finding], at: Option<&Location>) -> String {
    let command = match block.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info | Severity::Off => "notice",
    };
    let place = block.places.first().and_then(|place| place.file);
    let mut properties = Vec::new();
    if let Some(file) = at.map(|at| at.path.as_path()).or(place) {
        properties.push(("file", shortened(&with_slashes(file.as_str()), 4096).into_owned()));
    }
    if let Some(at) = at.filter(|at| at.line > 0) {
        properties.push(("line", at.line.to_string()));
    }
    properties.push(("title", format!("{} ({})", block.rule.name, block.rule.code)));
    let properties: Vec<_> = properties.iter().map(|(key, value)| format!("{key}={}", property(value))).collect();
    format!("::{command} {}::{}\n", properties.join(","), data(&body(block, findings).join("\n")))
}

/// The lines of an annotation; each is harmless by itself.
fn body(block: &Block<'_>, findings: &[&Finding]) -> Vec<String> {
    let mut lines = Vec::new();
    if findings.len() > 1 {
        lines.push(format!("{} findings: {}", findings.len(), block.rule.summary));
    }
    for finding in findings.iter().take(LIMIT) {
        let message = shortened(&finding.message, PARAGRAPH);
        lines.push(match unnamed_symbol(finding) {
            Some(symbol) => format!("`{}`: {message}", shortened(symbol, NAME)),
            None => message.into_owned(),
        });
    }
    more(findings.len(), &mut lines);
    let places = block.places.iter().filter(|place| !place.is_nowhere());
    lines.extend(places.take(LIMIT).map(|place| format!("in {place}")));
    more(block.places.len(), &mut lines);
    if let [finding] = findings {
        lines.extend(finding.locations.iter().skip(1).take(LIMIT).map(|at| format!("also at {at}")));
        more(finding.locations.len().saturating_sub(1), &mut lines);
    }
    let (help, notes) = match findings {
        [finding] => (finding.help.as_deref(), finding.notes.as_slice()),
        _ => (block.shared_help(), block.shared_notes()),
    };
    lines.extend(block.because.map(|rule| format!("because: {}: {}", rule.name, rule.summary)));
    lines.extend(help.map(|help| format!("help: {}", shortened(help, PARAGRAPH))));
    lines.extend(notes.iter().map(|note| format!("note: {}", shortened(note, PARAGRAPH))));
    lines
}

fn more(count: usize, lines: &mut Vec<String>) {
    if count > LIMIT {
        lines.push(format!("… and {} more", count - LIMIT));
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let table = [
            ("plain", "plain", "plain"),
            ("100%", "100%25", "100%25"),
            ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
            ("a: b, c", "a: b, c", "a%3A b%2C c"),
            ("%0A", "%250A", "%250A"),
            ("C:\\x::error", "C:\\x::error", "C%3A\\x%3A%3Aerror"),
        ];
        for (text, as_data, as_property) in table {
            assert_eq!((data(text).as_str(), property(text).as_str()), (as_data, as_property), "{text:?}");
        }
    }
}

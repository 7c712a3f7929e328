//! Text for a terminal: a block per rule and place, a line per finding, and the count.

use crate::fold::{Block, NAME, PARAGRAPH, blocks, unnamed_symbol};
use crate::render::Style;
use crate::wrap::wrap;
use crate::{Finding, Judged, Severity, shortened};

/// Findings in blocks by place, heaviest first in each, and a last line that counts them.
///
/// ```text
/// error[missing-symbol]: `_PyGone_New` is not exported by CPython 3.13
///   --> dist/x.whl: pkg/_core.so
///   ::: src/core.cpp:41
///    = help: use `PyHere_New`
///
/// 1 error
/// ```
pub fn text(judged: &Judged, style: &Style) -> String {
    let mut lines = Vec::new();
    for block in blocks(judged.reported()) {
        show(&block, style, &mut lines);
        lines.push(String::new());
    }
    let summary = judged.summary();
    let accepted = match judged.accepted.len() {
        0 => String::new(),
        count => format!(" ({count} accepted)"),
    };
    let worst = judged.reported().map(|finding| finding.severity).max().unwrap_or(Severity::Off);
    let count = summary.to_string();
    lines.push(if worst == Severity::Off { count } else { style.severity(worst, &count) } + &accepted);
    if let (Some(command), Some(name)) = (style.explain, example(judged)) {
        lines.push(format!("`{command} RULE` says why and what to do, e.g. `{command} {name}`"));
    }
    lines.join("\n") + "\n"
}

/// The rule of the first of the heaviest findings.
fn example(judged: &Judged) -> Option<&'static str> {
    let heaviest = judged.reported().map(|finding| finding.severity).max()?;
    judged.reported().find(|finding| finding.severity == heaviest).map(|finding| finding.rule.name)
}

fn show(block: &Block<'_>, style: &Style, lines: &mut Vec<String>) {
    let word = format!("{}[{}]", block.severity, block.rule.name);
    let single = match block.findings.as_slice() {
        [finding] => Some(*finding),
        _ => None,
    };
    let title = match single {
        Some(finding) => message(finding),
        None => format!("{} findings: {}", block.findings.len(), block.rule.summary),
    };
    for (index, line) in hang(&format!("{word}: {title}"), style.columns(), 4).into_iter().enumerate() {
        lines.push(match line.strip_prefix(&word) {
            Some(rest) if index == 0 => style.severity(block.severity, &word) + &style.strong(rest),
            _ => style.strong(&line),
        });
    }
    let here = single.and_then(|finding| line_of(block, finding));
    let line = here.map_or(String::new(), |line| format!(":{line}"));
    for place in block.places.iter().filter(|place| !place.is_nowhere()).take(style.limit) {
        lines.push(format!("{}{place}{line}", style.frame("  --> ")));
    }
    if block.places.len() > style.limit {
        lines.push(format!("{}and {} more", style.frame("  --> "), block.places.len() - style.limit));
    }
    match single {
        Some(finding) => {
            let rest = locations(finding, style).skip(usize::from(here.is_some()));
            lines.extend(rest.map(|at| style.frame("  ::: ") + &at));
        }
        None => entries(block, style, lines),
    }
    if let Some(because) = block.because {
        remark("because", &format!("{}: {}", because.name, because.summary), style, lines);
    }
    if let Some(help) = block.shared_help() {
        remark("help", help, style, lines);
    }
    for note in block.shared_notes() {
        remark("note", note, style, lines);
    }
}

/// The line of a finding about a text file that says where in it: the place and its first location are one.
fn line_of(block: &Block<'_>, finding: &Finding) -> Option<u32> {
    let [place] = block.places.as_slice() else { return None };
    let at = finding.locations.first()?;
    (place.member.is_none() && place.file == Some(&at.path)).then_some(at.line)
}

/// The findings of a block that has several, with what they do not share.
fn entries(block: &Block<'_>, style: &Style, lines: &mut Vec<String>) {
    let bar = style.frame("   | ");
    let width = style.columns().saturating_sub(5);
    let (help, notes) = (block.shared_help(), block.shared_notes());
    for finding in block.findings.iter().take(style.limit) {
        lines.extend(hang(&message(finding), width, 4).into_iter().map(|line| bar.clone() + &line));
        let at: Vec<_> = locations(finding, style).collect();
        if !at.is_empty() {
            let text = format!("    at {}", at.join(", "));
            lines.extend(hang(&text, width, 7).into_iter().map(|line| bar.clone() + &line));
        }
        let own = finding.help.iter().filter(|_| help.is_none()).map(|text| ("help", text));
        let own = own.chain(finding.notes.iter().filter(|_| notes.is_empty()).map(|text| ("note", text)));
        for (label, text) in own {
            let text = format!("    {label}: {}", shortened(text, PARAGRAPH));
            lines.extend(hang(&text, width, 10).into_iter().map(|line| bar.clone() + &line));
        }
    }
    if block.findings.len() > style.limit {
        lines.push(format!("{bar}… and {} more", block.findings.len() - style.limit));
    }
}

/// The message, with the symbol in front if it does not name it.
fn message(finding: &Finding) -> String {
    let message = shortened(&finding.message, PARAGRAPH);
    match unnamed_symbol(finding) {
        Some(symbol) => format!("`{}`: {message}", shortened(symbol, NAME)),
        None => message.into_owned(),
    }
}

fn locations(finding: &Finding, style: &Style) -> impl Iterator<Item = String> {
    let rest = finding.locations.len().saturating_sub(style.limit);
    let more = (rest > 0).then(|| format!("and {rest} more"));
    finding.locations.iter().take(style.limit).map(ToString::to_string).chain(more)
}

fn remark(label: &str, text: &str, style: &Style, lines: &mut Vec<String>) {
    let start = format!("   = {label}: ");
    let margin = start.chars().count();
    let wrapped = wrap(&shortened(text, PARAGRAPH), style.columns().saturating_sub(margin));
    for (index, line) in wrapped.into_iter().enumerate() {
        lines.push(if index == 0 {
            format!("{}{} {line}", style.frame("   = "), style.strong(&format!("{label}:")))
        } else {
            format!("{}{line}", " ".repeat(margin))
        });
    }
}

/// Wrapped text whose first line keeps its own indent and whose others are indented by `margin`.
fn hang(text: &str, width: usize, margin: usize) -> Vec<String> {
    let own = text.len() - text.trim_start_matches(' ').len();
    let wrapped = wrap(text, width.saturating_sub(margin.max(own)));
    let indent = |index| " ".repeat(if index == 0 { own } else { margin });
    wrapped.into_iter().enumerate().map(|(index, line)| indent(index) + &line).collect()
}

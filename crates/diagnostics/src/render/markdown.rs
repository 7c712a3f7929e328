//! Markdown: one table of what was found, and one of what is accepted, folded away.
//!
//! Text from outside is written so that no character of it can mean anything in Markdown or HTML: as numeric character
//! references, which CommonMark (section 2.5) never takes for structure, or inside a code span.

use crate::fold::{Block, NAME, PARAGRAPH, blocks, unnamed_symbol};
use crate::{Judged, Severity, shortened};

/// Rows of a table: GitHub cuts a step summary off at 1 MiB.
const ROWS: usize = 200;
/// Findings or places of a row.
const LIMIT: usize = 10;

/// A headline and tables.
pub fn markdown(judged: &Judged) -> String {
    let mut out = match judged.summary() {
        summary if summary.total() == 0 => "No findings.\n".to_owned(),
        summary => format!("**{summary}**\n"),
    };
    let blocks = blocks(judged.reported());
    if !blocks.is_empty() {
        out.push_str("\n| | rule | where | what |\n|---|---|---|---|\n");
        for block in blocks.iter().take(ROWS) {
            out.push_str(&row(block));
        }
        let rest: usize = blocks.iter().skip(ROWS).map(Block::count).sum();
        if rest > 0 {
            put!(out, "\n… and {rest} more findings.\n");
        }
    }
    if !judged.accepted.is_empty() {
        out.push_str(&accepted(judged));
    }
    out
}

fn row(block: &Block<'_>) -> String {
    let severity = match block.severity {
        Severity::Error => "❌ error",
        Severity::Warning => "⚠️ warning",
        Severity::Info | Severity::Off => "ℹ️ info",
    };
    let places = block.places.iter().filter(|place| !place.is_nowhere()).take(LIMIT);
    let mut places: Vec<_> = places.map(|place| code(&place.to_string())).collect();
    push_more(block.places.len(), &mut places);
    let mut what = Vec::new();
    for finding in block.findings.iter().take(LIMIT) {
        let symbol = unnamed_symbol(finding).map(|symbol| code(&shortened(symbol, NAME)) + ": ");
        let at: Vec<_> = finding.locations.iter().take(LIMIT).map(|at| code(&at.to_string())).collect();
        let at = if at.is_empty() { String::new() } else { format!(" ({})", at.join(", ")) };
        what.push(symbol.unwrap_or_default() + &table_text(&shortened(&finding.message, PARAGRAPH)) + &at);
    }
    push_more(block.findings.len(), &mut what);
    if let Some(because) = block.because {
        what.push(format!("*because* {}: {}", code(because.name), table_text(because.summary)));
    }
    what.extend(block.shared_help().map(|help| format!("*help:* {}", table_text(&shortened(help, PARAGRAPH)))));
    what.extend(block.shared_notes().iter().map(|note| format!("*note:* {}", table_text(&shortened(note, PARAGRAPH)))));
    format!("| {severity} | {} | {} | {} |\n", code(block.rule.name), places.join("<br>"), what.join("<br>"))
}

fn accepted(judged: &Judged) -> String {
    let mut out = format!("\n<details><summary>{} accepted</summary>\n\n", judged.accepted.len());
    out.push_str("| rule | what | reason |\n|---|---|---|\n");
    for accepted in judged.accepted.iter().take(ROWS) {
        let finding = &accepted.finding;
        let [what, reason] = [&finding.message, &accepted.reason].map(|text| table_text(&shortened(text, PARAGRAPH)));
        put!(out, "| {} | {what} | {reason} |\n", code(finding.rule.name));
    }
    if judged.accepted.len() > ROWS {
        put!(out, "\n… and {} more.\n", judged.accepted.len() - ROWS);
    }
    out + "\n</details>\n"
}

fn push_more(count: usize, cells: &mut Vec<String>) {
    if count > LIMIT {
        cells.push(format!("… and {} more", count - LIMIT));
    }
}

/// Text for a cell of a table: what stands between backticks becomes code, all else is literal.
pub fn table_text(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((inside, tail)) = after.split_once('`') else { break };
        literal(before, &mut out);
        if out.ends_with(['`', '>']) {
            out.push(' ');
        }
        out.push_str(&code(inside));
        rest = tail;
    }
    literal(rest, &mut out);
    out
}

/// A code span for a cell of a table. Text that a span cannot hold there is set in `<code>` instead.
fn code(text: &str) -> String {
    let text = crate::printable(text);
    let plain = !text.is_empty() && !text.contains(['`', '|', '\\']) && text.trim() == text;
    if plain {
        return format!("`{text}`");
    }
    let mut out = String::from("<code>");
    literal(&text, &mut out);
    out + "</code>"
}

/// Every character that means something in Markdown or HTML as a numeric character reference.
fn literal(text: &str, out: &mut String) {
    for c in crate::printable(text).chars() {
        match c {
            '&' | '<' | '>' | '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '@' | '$' => {
                put!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let table = [
            ("plain words, (too)", "plain words, (too)"),
            ("use `PyX_New` or `PyY_New`", "use `PyX_New` or `PyY_New`"),
            ("`a|b`", "<code>a&#124;b</code>"),
            ("`a\\`", "<code>a&#92;</code>"),
            ("a|b\\|c", "a&#124;b&#92;&#124;c"),
            ("one ` tick", "one &#96; tick"),
            ("``", "<code></code>"),
            ("`a``b`", "`a` `b`"),
            ("`std::map<int, T>`", "`std::map<int, T>`"),
            ("<img src=x>", "&#60;img src=x&#62;"),
            ("[x](javascript:y)", "&#91;x&#93;(javascript:y)"),
            ("a\nb", "a&#92;nb"),
            ("`a\nb`", "<code>a&#92;nb</code>"),
            ("__init__ *x*", "&#95;&#95;init&#95;&#95; &#42;x&#42;"),
        ];
        for (text, expected) in table {
            assert_eq!(table_text(text), expected, "{text:?}");
        }
    }
}

//! The JSON contract: `{"schema_version":1,"subjects":[…],"findings":[…],"summary":{…}}`.

use serde::Serialize;

use crate::printable::{is_command, is_hidden};
use crate::{Finding, Judged, Summary};

/// The version of the findings document. It grows only when a reader of the former one would be misled.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a, S> {
    schema_version: u32,
    subjects: &'a [S],
    findings: Vec<&'a Finding>,
    summary: Summary,
}

/// The findings document, pretty-printed. Findings stand in the order they were found in, stale acceptances last; accepted
/// findings are not in it. Fails only if a subject cannot be written as JSON.
pub fn json<S: Serialize>(subjects: &[S], judged: &Judged) -> Result<String, serde_json::Error> {
    let findings = judged.reported().collect();
    pretty(&Document { schema_version: SCHEMA_VERSION, subjects, findings, summary: judged.summary() })
}

/// Pretty-printed JSON that is safe to look at in a terminal and in a CI log: JSON itself escapes only the C0 controls, so
/// the other characters that hide or reorder text are escaped here, and the second `#` of what a CI system takes for a
/// command. None of them can stand outside a string.
pub(super) fn pretty(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    let hidden = |c: char| c != '\n' && is_hidden(c);
    if !text.contains(hidden) && !text.contains("##") {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        if hidden(c) || c == '#' && before == '#' && is_command(&text[at + 1..]) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                put!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
        before = c;
    }
    Ok(out)
}

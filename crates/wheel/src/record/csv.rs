//! The CSV of RECORD: the dialect of Python's `csv` module with its defaults, and any line ending.

use std::borrow::Cow;

/// A row with its first three fields, missing ones being empty.
pub(super) struct Row {
    /// The line it starts in, from 1.
    pub(super) line: usize,
    pub(super) fields: [String; 3],
    /// How many fields it really has.
    pub(super) columns: usize,
    /// A quoted field was not closed, or something follows its closing quote.
    pub(super) broken: bool,
}

/// All rows that are not empty.
pub(super) fn rows(text: &str) -> impl Iterator<Item = Row> {
    let mut rest = text;
    let mut line = 1;
    std::iter::from_fn(move || {
        loop {
            let start = line;
            let (row, after) = row(rest, start)?;
            line += breaks(&rest[..rest.len() - after.len()]);
            rest = after;
            if row.columns > 1 || !row.fields[0].is_empty() || row.broken {
                return Some(row);
            }
        }
    })
}

/// How many lines a text that ends at a row's end goes through.
fn breaks(text: &str) -> usize {
    text.replace("\r\n", "\n").matches(['\n', '\r']).count()
}

/// The first row and what follows its line ending; none at the end of the text.
fn row(text: &str, line: usize) -> Option<(Row, &str)> {
    if text.is_empty() {
        return None;
    }
    let mut row = Row { line, fields: [const { String::new() }; 3], columns: 0, broken: false };
    let mut rest = text;
    loop {
        let mut field = String::new();
        if let Some(mut inner) = rest.strip_prefix('"') {
            loop {
                let Some((part, after)) = inner.split_once('"') else {
                    field.push_str(inner);
                    row.broken = true;
                    rest = "";
                    break;
                };
                field.push_str(part);
                rest = after;
                let Some(after) = after.strip_prefix('"') else { break };
                field.push('"');
                inner = after;
            }
        }
        let end = rest.find([',', '\n', '\r']).unwrap_or(rest.len());
        let (tail, after) = rest.split_at(end);
        row.broken |= !field.is_empty() && !tail.is_empty();
        field.push_str(tail);
        if let Some(place) = row.fields.get_mut(row.columns) {
            *place = field;
        }
        row.columns += 1;
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some((row, after.strip_prefix("\r\n").or_else(|| after.get(1..)).unwrap_or_default())),
        }
    }
}

/// A field as it must be written.
pub(super) fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

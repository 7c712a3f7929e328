//! RECORD: every file of the wheel with its hash and size (recording installed projects, PEP 376 and PEP 627).

mod check;
mod csv;
mod digest;

use std::fmt;

use crate::text::{TextProblem, TextProblemKind, decode, shortened};

pub use check::{RecordCheck, RecordFault, check_record};
pub use digest::{Algorithm, Digest};

const FILE: &str = "RECORD";
/// Twice as many as an archive may have members; a bound for memory.
const MOST_ROWS: usize = 400_000;

/// The content of RECORD, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Its rows.
    pub entries: Vec<RecordEntry>,
}

/// A row of RECORD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEntry {
    /// The file, relative to the wheel's root, with forward slashes.
    pub path: String,
    /// Its hash; RECORD itself and its signatures have none.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

impl Record {
    /// Reads RECORD. What is wrong with it comes beside what could be read.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<TextProblem>) {
        let mut problems = Vec::new();
        let (text, replaced) = decode(bytes);
        if replaced {
            crate::text::report(&mut problems, FILE, 0, TextProblemKind::NotUtf8);
        }
        let mut entries = Vec::new();
        for row in csv::rows(&text) {
            let mut report = |kind| crate::text::report(&mut problems, FILE, row.line, kind);
            if entries.len() >= MOST_ROWS {
                report(TextProblemKind::TooMany { limit: MOST_ROWS });
                break;
            }
            if row.broken {
                report(TextProblemKind::Quote);
            }
            if row.columns != 3 {
                report(TextProblemKind::Columns { columns: row.columns });
            }
            let [path, digest, size] = row.fields;
            if path.is_empty() {
                report(TextProblemKind::NoPath);
                continue;
            }
            entries.push(RecordEntry {
                path,
                digest: digest_of(&digest, &mut report),
                size: size_of(&size, &mut report),
            });
        }
        (Self { entries }, problems)
    }

    /// The first row of that path.
    pub fn get(&self, path: &str) -> Option<&RecordEntry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

fn digest_of(text: &str, report: &mut impl FnMut(TextProblemKind)) -> Option<Digest> {
    if text.is_empty() {
        return None;
    }
    let parsed = text.parse().ok();
    if parsed.is_none() {
        let expected = "`algorithm=` and the digest in URL-safe base64 without padding";
        report(TextProblemKind::BadValue { field: "hash", value: shortened(text), expected });
    }
    parsed
}

fn size_of(text: &str, report: &mut impl FnMut(TextProblemKind)) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let parsed = Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_digit())).and_then(|text| text.parse().ok());
    if parsed.is_none() {
        report(TextProblemKind::BadValue { field: "size", value: shortened(text), expected: "a number of bytes" });
    }
    parsed
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for RecordEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&csv::quoted(&self.path))?;
        f.write_str(",")?;
        if let Some(digest) = &self.digest {
            f.write_str(&csv::quoted(&digest.to_string()))?;
        }
        f.write_str(",")?;
        self.size.map_or(Ok(()), |size| size.fmt(f))
    }
}

//! Names of the C API among string literals: what a JIT looks up by name never stands in an import table.
//!
//! Two readings, since the bytes do not tell which language wrote them:
//!
//! * C and C++ literals end in NUL: [`scan_cstrings`] takes whole strings only, so that a name inside a sentence or inside a
//!   longer identifier (numpy's `PyArray_API`) is no hit. A string starts after a NUL, at the start of the section, or after a
//!   byte that no text contains (binary data before it). A name that the linker merged into the tail of a longer string stays
//!   hidden: the bytes cannot tell it from the longer one.
//! * Rust literals lie packed without NULs: [`scan_packed`] takes the longest match wherever a name could begin, and passes
//!   over what is visibly the inside of a longer identifier. It finds whole C strings, too, so one of the two readings is
//!   enough for a section.

use crate::entry::{LONGEST, longest_prefix};
use crate::{Entry, lookup_bytes};

/// A name found in a run of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The name's row.
    pub entry: &'static Entry,
    /// Where its first byte lies, from the start of the bytes that were scanned.
    pub offset: usize,
    /// Nothing that could belong to a longer identifier touches it (another name of the table may).
    pub bounded: bool,
}

/// Calls `hit` for each NUL-terminated string in `bytes` that is a name of the table, in order of offset.
pub fn scan_cstrings(bytes: &[u8], mut hit: impl FnMut(Hit)) {
    whole_strings(bytes, &mut hit);
}

// The loops take a `dyn` so that they are compiled here, optimised, whatever profile the caller's crate has.
fn whole_strings(bytes: &[u8], hit: &mut dyn FnMut(Hit)) {
    for offset in starts(bytes) {
        let (before, name) = bytes.split_at(offset);
        if before.last().copied().is_some_and(is_text) {
            continue;
        }
        let window = name.get(..=LONGEST).unwrap_or(name);
        let Some(end) = memchr::memchr(0, window) else { continue };
        if let Some(entry) = name.get(..end).and_then(lookup_bytes) {
            hit(Hit { entry, offset, bounded: true });
        }
    }
}

/// Calls `hit` for each name of the table in `bytes`, literals being packed without separators, in order of offset.
///
/// At each place where a name could begin the longest match counts; an underscored name is preferred where it matches. The
/// search goes on behind it, so hits do not overlap. Passed over, as the inside of another identifier, are matches followed
/// by a digit or by an underscore that does not begin another name, and matches behind an underscore or behind `Py`
/// (`__PyDict_New`, PyPy's `PyPyDict_New`); and, as quoted code in a message, matches before `(` or behind `&`. A letter
/// before or after may as well belong to the neighbouring literal: a hit, but not `bounded`.
pub fn scan_packed(bytes: &[u8], mut hit: impl FnMut(Hit)) {
    packed_literals(bytes, &mut hit);
}

fn packed_literals(bytes: &[u8], hit: &mut dyn FnMut(Hit)) {
    let mut resume = 0;
    // Where the last name ended: what follows directly begins a literal of its own.
    let mut ended = None;
    for start in starts(bytes) {
        if start < resume {
            continue;
        }
        let Some((offset, entry)) = match_at(bytes, start).or_else(|| {
            // `Foo_` and `PySet_Add`: no name with the underscore, but one behind it.
            let behind = start + usize::from(bytes.get(start) == Some(&b'_'));
            match_at(bytes, behind).filter(|_| behind > start)
        }) else {
            continue;
        };
        let (before, rest) = bytes.split_at(offset);
        let after = rest.get(entry.name().len()..).unwrap_or_default();
        let follows_name = ended == Some(offset);
        if !follows_name && (before.ends_with(b"_") || before.ends_with(b"Py") || before.ends_with(b"&")) {
            continue;
        }
        if after.first() == Some(&b'(') {
            continue;
        }
        let next_begins = begins_name(after);
        let ends_clean = next_begins || !after.first().copied().is_some_and(is_word);
        if !ends_clean && after.first().is_some_and(|next| *next == b'_' || next.is_ascii_digit()) {
            continue;
        }
        let starts_clean = follows_name || !before.last().copied().is_some_and(is_word);
        resume = offset + entry.name().len();
        ended = Some(resume);
        hit(Hit { entry, offset, bounded: starts_clean && ends_clean });
    }
}

/// The offsets where a name could begin: `Py` or `PY`, or an underscore right before.
fn starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'P', bytes).filter_map(|at| {
        let second = bytes.get(at + 1)?;
        let third = bytes.get(at + 2)?;
        if !(matches!(second, b'y' | b'Y') && is_word(*third)) {
            return None;
        }
        let underscored = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'_');
        Some(at - usize::from(underscored))
    })
}

fn match_at(bytes: &[u8], offset: usize) -> Option<(usize, &'static Entry)> {
    Some((offset, longest_prefix(bytes.get(offset..)?)?))
}

/// Whether a name of the table begins here.
fn begins_name(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'y' | b'Y', ..] | [b'_', b'P', b'y' | b'Y', ..]) && longest_prefix(bytes).is_some()
}

/// A byte of a C identifier.
const fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// A byte that can be part of text: ASCII that is printable or white space, and what UTF-8 uses.
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b | 0x20..=0x7e | 0x80..=0xf4)
}

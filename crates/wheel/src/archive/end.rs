//! The end of the archive: end of central directory record, its zip64 twin, and where the directory starts.
//!
//! Layouts: APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.

use super::problem::{Problem, ProblemKind};

const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
const END_SIZE: usize = 22;
const END64_SIZE: usize = 56;
const LOCATOR64_SIZE: usize = 20;

/// Where the central directory lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What must be added to the offsets that entries give: bytes that were put before the archive.
    pub(super) shift: u64,
    /// How many entries it claims.
    pub(super) claimed: u64,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn has(bytes: &[u8], at: usize, signature: [u8; 4]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(&signature))
}

/// Finds the central directory. The error is a reason that completes "this is not a wheel: ".
pub(super) fn find(bytes: &[u8], problems: &mut Vec<Problem>) -> Result<Extent, String> {
    let mut report = |kind| problems.push(Problem { member: None, kind });
    let at = find_end(bytes, &mut report).ok_or_else(|| what_it_is(bytes).to_owned())?;
    parse(bytes, at, &mut report)
        .ok_or_else(|| format!("its end of central directory at offset {at:#x} points outside the file"))
}

/// The offset of the end record: the last one that fits, as Python's zipfile takes it.
fn find_end(bytes: &[u8], report: &mut impl FnMut(ProblemKind)) -> Option<usize> {
    let last = bytes.len().checked_sub(END_SIZE)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    let ends_at = |at: usize| Some(at + END_SIZE + usize::from(u16_at(bytes, at + 20)?));
    let mut candidates = (first..=last)
        .rev()
        .filter(|&at| has(bytes, at, END))
        .filter_map(|at| Some((at, ends_at(at)?)))
        .filter(|&(_, end)| end <= bytes.len());
    let (at, end) = candidates.next()?;
    if end < bytes.len() {
        report(ProblemKind::Trailing { bytes: (bytes.len() - end) as u64 });
    }
    if candidates.any(|(_, end)| end == bytes.len()) {
        report(ProblemKind::SecondDirectory);
    }
    Some(at)
}

fn parse(bytes: &[u8], at: usize, report: &mut impl FnMut(ProblemKind)) -> Option<Extent> {
    let (disk, directory_disk) = (u16_at(bytes, at + 4)?, u16_at(bytes, at + 6)?);
    let (here, count) = (u16_at(bytes, at + 8)?, u16_at(bytes, at + 10)?);
    let (size, offset) = (u32_at(bytes, at + 12)?, u32_at(bytes, at + 16)?);

    let (mut end, mut size, mut offset, mut claimed) = (at, u64::from(size), u64::from(offset), u64::from(count));
    let mut several = (disk != 0 && disk != u16::MAX)
        || (directory_disk != 0 && directory_disk != u16::MAX)
        || (here != count && here != u16::MAX);
    if let Some(at64) = find_end64(bytes, at) {
        end = at64;
        let wide = (u64_at(bytes, at64 + 32)?, u64_at(bytes, at64 + 40)?, u64_at(bytes, at64 + 48)?);
        let agree = |narrow: u64, wide: u64, saturated: u64| narrow == wide || narrow == saturated;
        if !(agree(claimed, wide.0, u16::MAX.into())
            && agree(size, wide.1, u32::MAX.into())
            && agree(offset, wide.2, u32::MAX.into()))
        {
            report(ProblemKind::Zip64Disagrees);
        }
        several |= u32_at(bytes, at64 + 16)? != 0
            || u32_at(bytes, at64 + 20)? != 0
            || u64_at(bytes, at64 + 24)? != wide.0
            || u32_at(bytes, at - LOCATOR64_SIZE + 16).is_some_and(|disks| disks > 1);
        (claimed, size, offset) = wide;
    }
    if several {
        report(ProblemKind::MultiDisk);
    }

    let size = usize::try_from(size).ok()?;
    let offset = usize::try_from(offset).ok()?;
    let start = end.checked_sub(size)?;
    let starts_entry = |at| size == 0 || has(bytes, at, super::directory::ENTRY);
    // Bytes put before the archive shift everything; bytes put between directory and end record shift nothing.
    if start >= offset && starts_entry(start) {
        Some(Extent { start, end, shift: (start - offset) as u64, claimed })
    } else {
        let stop = offset.checked_add(size).filter(|&stop| stop <= end)?;
        starts_entry(offset).then_some(Extent { start: offset, end: stop, shift: 0, claimed })
    }
}

/// The zip64 end record, through its locator or, when the locator's offset is off by a prefix, right before it.
fn find_end64(bytes: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(LOCATOR64_SIZE).filter(|&at| has(bytes, at, LOCATOR64))?;
    let named = usize::try_from(u64_at(bytes, locator + 8)?).ok();
    let beside = locator.checked_sub(END64_SIZE);
    [named, beside]
        .into_iter()
        .flatten()
        .find(|&at| at.checked_add(END64_SIZE).is_some_and(|stop| stop <= locator) && has(bytes, at, END64))
}

/// Says of a file that is no zip what it looks like.
fn what_it_is(bytes: &[u8]) -> &'static str {
    let looks: [(&[u8], &str); 8] = [
        (b"PK\x03\x04", "it is cut off: a zip archive without its end of central directory"),
        (b"\x1f\x8b", "it is a gzip file, as source distributions are"),
        (b"BZh", "it is a bzip2 file"),
        (b"\xfd7zXZ\0", "it is an xz file"),
        (b"\x7fELF", "it is an ELF binary"),
        (b"MZ", "it is a Windows binary"),
        (b"<!", "it is an HTML or XML page"),
        (b"<html", "it is an HTML page"),
    ];
    match looks.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, reason)) => reason,
        None if bytes.is_empty() => "it is empty",
        None => "it is no zip archive (no end of central directory)",
    }
}

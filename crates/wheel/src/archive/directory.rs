//! The central directory (APPNOTE.TXT 6.3.10, section 4.3.12) and what its entries say together: overlaps and bombs.

use super::end::{Extent, has, u16_at, u32_at, u64_at};
use super::local;
use super::member::{DosTime, Member, Method};
use super::problem::{Problem, ProblemKind};

pub(super) const ENTRY: [u8; 4] = *b"PK\x01\x02";
const SIGNATURE: [u8; 4] = *b"PK\x05\x05";
const ENTRY_SIZE: usize = 46;

/// More than any wheel has (the largest known has 30,000); a bound for memory.
const MAX_MEMBERS: usize = 200_000;
/// The most that deflate can make of one byte: 258 bytes for two bits.
const DEFLATE_RATIO: u64 = 1032;
/// No real library, however sparse, is packed this well in full; below [`BOMB_MEMBER`] and [`BOMB_TOTAL`] it does no harm.
const BOMB_RATIO: u64 = 200;
const BOMB_MEMBER: u64 = 128 << 20;
const BOMB_TOTAL: u64 = 1 << 30;

/// An entry as it stands in the directory.
pub(super) struct Entry<'a> {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed_size: u64,
    pub(super) size: u64,
    /// Offset of the local header in the file.
    pub(super) header: u64,
    pub(super) name: &'a [u8],
    pub(super) zip64: bool,
}

/// Where a member's records lie: header, data and descriptor.
struct Span {
    index: usize,
    start: usize,
    end: usize,
}

/// Reads all entries and their local headers; what cannot be read is reported.
pub(super) fn read(bytes: &[u8], extent: &Extent, problems: &mut Vec<Problem>) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    let mut spans = Vec::new();
    let mut at = extent.start;
    let mut whole = true;
    while at < extent.end && !has(bytes, at, SIGNATURE) {
        if members.len() == MAX_MEMBERS {
            problems.push(Problem { member: None, kind: ProblemKind::TooManyMembers { limit: MAX_MEMBERS } });
            whole = false;
            break;
        }
        let index = members.len();
        let Some((member, span, next)) = read_entry(bytes, at, extent, index, problems) else {
            let reason = if has(bytes, at, ENTRY) { "is cut off" } else { "has a wrong signature" };
            problems
                .push(Problem { member: None, kind: ProblemKind::Directory { entry: index, at: at as u64, reason } });
            whole = false;
            break;
        };
        spans.extend(span);
        members.push(member);
        at = next;
    }
    if whole && members.len() as u64 != extent.claimed {
        let kind = ProblemKind::Count { claimed: extent.claimed, found: members.len() as u64 };
        problems.push(Problem { member: None, kind });
    }
    // Where an entry was lost, the bytes it owns would look like nobody's.
    check_spans(&mut members, spans, extent, whole, problems);
    check_bombs(&mut members, bytes.len() as u64, problems);
    members
}

fn read_entry(
    bytes: &[u8],
    at: usize,
    extent: &Extent,
    index: usize,
    problems: &mut Vec<Problem>,
) -> Option<(Member, Option<Span>, usize)> {
    let fixed = bytes.get(at..extent.end)?.get(..ENTRY_SIZE).filter(|fixed| has(fixed, 0, ENTRY))?;
    let short = |offset| u16_at(fixed, offset);
    let long = |offset| u32_at(fixed, offset);
    let name_end = at + ENTRY_SIZE + usize::from(short(28)?);
    let extra_end = name_end + usize::from(short(30)?);
    let next = extra_end + usize::from(short(32)?);
    if next > extent.end {
        return None;
    }
    let (raw_name, extra) = (bytes.get(at + ENTRY_SIZE..name_end)?, bytes.get(name_end..extra_end)?);
    let (made_by, flags, method) = (short(4)?, short(8)?, short(10)?);
    let mut entry = Entry {
        flags,
        method,
        crc32: long(16)?,
        compressed_size: long(20)?.into(),
        size: long(24)?.into(),
        header: long(42)?.into(),
        name: raw_name,
        zip64: false,
    };
    widen(extra, &mut entry);
    entry.header = entry.header.saturating_add(extent.shift);

    let name = String::from_utf8_lossy(raw_name).into_owned();
    let mut report = |kind| problems.push(Problem { member: Some(name.clone()), kind });
    let marked = flags & 1 << 11 != 0;
    if std::str::from_utf8(raw_name).is_err() || !(marked || raw_name.is_ascii()) {
        report(ProblemKind::NotUtf8Name);
    }
    if let Some(other) = unicode_path(extra).filter(|other| *other != raw_name) {
        report(ProblemKind::OtherName { other: String::from_utf8_lossy(other).into_owned() });
    }
    let disk = short(34)?;
    if disk != 0 && disk != u16::MAX {
        report(ProblemKind::MultiDisk);
    }

    let located = local::locate(bytes, &entry, extent.start, &mut report);
    let span = located.as_ref().ok().map(|place| Span { index, start: place.header, end: place.end });
    let data = located.and_then(|place| judge(&entry).map(|()| place.data));
    if let Err(kind) = &data {
        report(kind.clone());
    }
    // The upper byte of "made by" is the system (3 Unix, 19 macOS); only theirs have a mode in the upper half.
    let mode = matches!(made_by >> 8, 3 | 19).then_some(long(38)? >> 16).filter(|&mode| mode != 0);
    let is_dir = name.ends_with('/');
    match mode.map(|mode| (mode & 0o170_000, mode)) {
        Some((0o120_000, _)) => report(ProblemKind::Symlink),
        Some((0 | 0o100_000 | 0o040_000, _)) | None => {}
        Some((_, mode)) => report(ProblemKind::SpecialFile { mode }),
    }
    if is_dir && entry.size > 0 {
        report(ProblemKind::FolderWithData { bytes: entry.size });
    }
    let modified = DosTime { time: short(12)?, date: short(14)? };
    let (size, compressed_size, crc32) = (entry.size, entry.compressed_size, entry.crc32);
    let method = Method::from_number(method);
    Some((Member { index, name, size, compressed_size, crc32, method, mode, modified, is_dir, data }, span, next))
}

/// Whether an entry's own words allow to read it.
fn judge(entry: &Entry<'_>) -> Result<(), ProblemKind> {
    let &Entry { size, compressed_size: compressed, method, flags, .. } = entry;
    match method {
        _ if flags & (1 | 1 << 13) != 0 => Err(ProblemKind::Encrypted),
        0 if size != compressed => Err(ProblemKind::ImpossibleSize { size, compressed }),
        8 if size > compressed.saturating_mul(DEFLATE_RATIO) => Err(ProblemKind::ImpossibleSize { size, compressed }),
        8 if size > BOMB_MEMBER && size / BOMB_RATIO > compressed => Err(ProblemKind::Bomb { size, compressed }),
        0 | 8 => Ok(()),
        method => Err(ProblemKind::UnsupportedMethod { method }),
    }
}

/// The extra fields of an entry: (tag, content) pairs; stops at the first that is cut off.
pub(super) fn extra_fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, length) = (u16_at(extra, 0)?, u16_at(extra, 2)?);
        let content = extra.get(4..4 + usize::from(length))?;
        extra = &extra[4 + content.len()..];
        Some((tag, content))
    })
}

/// Takes the 64-bit values for the fields that say "see there" (APPNOTE 4.5.3), in their fixed order.
fn widen(extra: &[u8], entry: &mut Entry<'_>) {
    let Some((_, content)) = extra_fields(extra).find(|(tag, _)| *tag == 1) else { return };
    entry.zip64 = true;
    let mut at = 0;
    for field in [&mut entry.size, &mut entry.compressed_size, &mut entry.header] {
        if *field == u64::from(u32::MAX)
            && let Some(wide) = u64_at(content, at)
        {
            *field = wide;
            at += 8;
        }
    }
}

/// The name in the Unicode path extra field (APPNOTE 4.6.9), after its version byte and checksum.
fn unicode_path(extra: &[u8]) -> Option<&[u8]> {
    extra_fields(extra).find(|(tag, _)| *tag == 0x7075).and_then(|(_, content)| content.get(5..))
}

/// Members must neither overlap nor leave bytes between them.
fn check_spans(
    members: &mut [Member],
    mut spans: Vec<Span>,
    extent: &Extent,
    whole: bool,
    problems: &mut Vec<Problem>,
) {
    spans.sort_by_key(|span| (span.start, span.index));
    let mut overlaps = Vec::new();
    for pair in spans.windows(2) {
        let [one, next] = pair else { continue };
        if one.end > next.start {
            overlaps.push((one.index, next.index));
        }
        if one.start == next.start {
            overlaps.push((next.index, one.index));
        }
    }
    for (index, other) in overlaps {
        let kind = ProblemKind::Overlap { other: members[other].name.clone() };
        if members[index].data.is_ok() {
            problems.push(Problem { member: Some(members[index].name.clone()), kind: kind.clone() });
            members[index].data = Err(kind);
        }
    }
    if !whole || spans.len() != members.len() {
        return;
    }
    let first = spans.first().map_or(extent.start, |span| span.start);
    if first > 0 {
        problems.push(Problem { member: None, kind: ProblemKind::Prefix { bytes: first as u64 } });
    }
    let (mut reached, mut unclaimed, mut at) = (first, 0, None);
    for start in spans.iter().map(|span| span.start).chain([extent.start]).zip(spans.iter().map(|s| s.end).chain([0])) {
        let (start, end) = start;
        if start > reached {
            unclaimed += (start - reached) as u64;
            at.get_or_insert(reached as u64);
        }
        reached = reached.max(end);
    }
    if let Some(at) = at {
        problems.push(Problem { member: None, kind: ProblemKind::Unclaimed { bytes: unclaimed, at } });
    }
}

/// Many members, each below the limit, can be a bomb together.
fn check_bombs(members: &mut [Member], file_size: u64, problems: &mut Vec<Problem>) {
    let total = members.iter().filter(|m| m.data.is_ok()).fold(0_u64, |sum, member| sum.saturating_add(member.size));
    if total <= BOMB_TOTAL || total / BOMB_RATIO <= file_size {
        return;
    }
    for member in members {
        let (size, compressed) = (member.size, member.compressed_size);
        if member.data.is_ok() && size / BOMB_RATIO > compressed {
            let kind = ProblemKind::Bomb { size, compressed };
            problems.push(Problem { member: Some(member.name.clone()), kind: kind.clone() });
            member.data = Err(kind);
        }
    }
}

//! Local headers and data descriptors (APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.9), held against the directory.

use std::ops::Range;

use super::directory::{Entry, extra_fields};
use super::end::{has, u16_at, u32_at, u64_at};
use super::problem::ProblemKind;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_SIZE: usize = 30;
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Where a member lies in the file.
pub(super) struct Located {
    /// Offset of its local header.
    pub(super) header: usize,
    /// Its data.
    pub(super) data: Range<usize>,
    /// The end of its data and data descriptor.
    pub(super) end: usize,
}

/// Finds a member's data, which must end before `limit`, and reports where its records contradict each other.
pub(super) fn locate(
    bytes: &[u8],
    entry: &Entry<'_>,
    limit: usize,
    report: &mut impl FnMut(ProblemKind),
) -> Result<Located, ProblemKind> {
    let outside = |what, at: u64| ProblemKind::OutOfBounds { what, at, end: limit as u64 };
    let header = usize::try_from(entry.header).ok().filter(|&at| at < limit);
    let header = header.ok_or_else(|| outside("local header", entry.header))?;
    let before = bytes.get(..limit).unwrap_or_default();
    if !has(before, header, LOCAL) {
        return Err(ProblemKind::NoLocalHeader { at: entry.header });
    }
    let short = |offset| u16_at(before, header + offset);
    let cut_off = || outside("local header", entry.header);
    let name_length = short(26).ok_or_else(cut_off)?;
    let extra_length = short(28).ok_or_else(cut_off)?;
    let name_end = header + LOCAL_SIZE + usize::from(name_length);
    let start = name_end + usize::from(extra_length);
    let name = before.get(header + LOCAL_SIZE..name_end).ok_or_else(cut_off)?;
    let extra = before.get(name_end..start).ok_or_else(cut_off)?;
    let end = usize::try_from(entry.compressed_size).ok().and_then(|size| start.checked_add(size));
    let end = end.filter(|&end| end <= limit).ok_or_else(|| outside("data", start as u64))?;

    if let Some(field) = disagreement(before, header, name, extra, entry) {
        report(ProblemKind::LocalDisagrees { field });
    }
    let mut after = end;
    if entry.flags & 1 << 3 != 0 {
        match descriptor(before, end, entry) {
            Some(size) => after += size,
            None => report(ProblemKind::DescriptorDisagrees),
        }
    }
    Ok(Located { header, data: start..end, end: after })
}

/// The first field of the local header that says otherwise than the directory.
fn disagreement(bytes: &[u8], header: usize, name: &[u8], extra: &[u8], entry: &Entry<'_>) -> Option<&'static str> {
    let short = |offset| u16_at(bytes, header + offset).unwrap_or_default();
    let long = |offset| u64::from(u32_at(bytes, header + offset).unwrap_or_default());
    // In a local header the zip64 field holds both sizes, uncompressed first.
    let wide = extra_fields(extra).find(|(tag, _)| *tag == 1).map(|(_, content)| content);
    let size = |offset, place| match (long(offset), wide.and_then(|content| u64_at(content, place))) {
        (0xffff_ffff, Some(wide)) => wide,
        (narrow, _) => narrow,
    };
    // A writer that streams does not know these yet and writes zeros; the descriptor has them.
    let streamed = short(6) & 1 << 3 != 0;
    let differs = |here: u64, there: u64| here != there && !(streamed && here == 0);
    let encryption = 1 | 1 << 13;
    [
        ("name", name != entry.name),
        ("compression method", short(8) != entry.method),
        ("encryption", short(6) & encryption != entry.flags & encryption),
        ("checksum", differs(long(14), entry.crc32.into())),
        ("compressed size", differs(size(18, 8), entry.compressed_size)),
        ("size", differs(size(22, 0), entry.size)),
    ]
    .into_iter()
    .find_map(|(field, differs)| differs.then_some(field))
}

/// The length of the data descriptor at `at`, which may or may not have a signature and 64-bit sizes.
fn descriptor(bytes: &[u8], at: usize, entry: &Entry<'_>) -> Option<usize> {
    let fits = |signature: usize, wide: bool| {
        let at = at + signature;
        let (compressed, size) = if wide {
            (u64_at(bytes, at + 4)?, u64_at(bytes, at + 12)?)
        } else {
            (u32_at(bytes, at + 4)?.into(), u32_at(bytes, at + 8)?.into())
        };
        let same = u32_at(bytes, at)? == entry.crc32 && compressed == entry.compressed_size && size == entry.size;
        same.then_some(signature + if wide { 20 } else { 12 })
    };
    let signature = if has(bytes, at, DESCRIPTOR) { 4 } else { 0 };
    // The width is told by nothing in the descriptor; the directory's zip64 field makes one more likely.
    [entry.zip64, !entry.zip64].into_iter().find_map(|wide| fits(signature, wide)).or_else(|| fits(0, entry.zip64))
}

//! The same wheel for a reader that inflates slowly.

use std::collections::BTreeMap;
use std::io::BufWriter;

use camino::Utf8Path;

use super::zip::{Item, ZipWriter};
use super::{WriteError, WriteOptions, Written};
use crate::archive::{Archive, Harm, Method};

/// Writes `archive` to `out` as it is, member by member in its order, except that those in `inflated` (by
/// [`Member::index`](crate::Member::index), with the bytes that were read of them) stand uncompressed in it. RECORD holds for the result as it
/// did for the archive. All members get the time of `options`.
///
/// # Errors
/// [`WriteError::Unsound`] for an archive with unsafe or unreadable members; nothing is there then.
pub fn with_stored(
    archive: &Archive,
    inflated: &BTreeMap<usize, Vec<u8>>,
    out: &Utf8Path,
    options: &WriteOptions,
) -> Result<Written, WriteError> {
    if let Some(problem) = archive.problems().iter().find(|problem| problem.kind.harm() > Harm::Odd) {
        return Err(WriteError::Unsound { path: archive.path().to_owned(), problem: problem.clone() });
    }
    let size = disk::write_with(out, |file| {
        let mut writer =
            ZipWriter::new(BufWriter::with_capacity(1 << 17, file), crate::DosTime::from_epoch(options.epoch));
        for member in archive.members() {
            let (method, data) = match inflated.get(&member.index) {
                Some(bytes) => (Method::Stored, bytes.as_slice()),
                None => (member.method, archive.raw(member)?),
            };
            let mode = member.mode.unwrap_or(if member.is_dir { 0o040_755 } else { 0o100_644 });
            writer.add(&Item { name: &member.name, method, crc32: member.crc32, size: member.size, mode, data })?;
        }
        Ok::<_, WriteError>(writer.finish()?)
    })?;
    Ok(Written { path: out.to_owned(), size, members: archive.members().len() })
}

//! From a wheel, or a folder, and a list of changes to a wheel in canonical form.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufWriter;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::deflate::Packer;
use super::zip::{Item, ZipWriter};
use super::{WriteError, WriteOptions, Written};
use crate::archive::{Archive, DosTime, Harm, Hashes, Member, MemberHash, Method, check_name, hash};
use crate::dist_info::{DistInfo, Place};
use crate::record::{Digest, Record, RecordEntry};

/// The bytes of a new member.
#[derive(Debug, Clone)]
pub enum Content {
    /// These.
    Bytes(Vec<u8>),
    /// Those of a file, read when the wheel is written.
    File(Utf8PathBuf),
}

/// Changes to a wheel. Names are those in the archive; a renamed member that is also put is replaced.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    put: BTreeMap<String, (Content, u32)>,
    remove: BTreeSet<String>,
    rename: BTreeMap<String, String>,
}

impl Edits {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member or replaces the one of that name. Of `mode` only counts whether an execute bit is set.
    pub fn put(&mut self, name: impl Into<String>, content: Content, mode: u32) -> &mut Self {
        self.put.insert(name.into(), (content, mode));
        self
    }

    /// Removes a member.
    pub fn remove(&mut self, name: impl Into<String>) -> &mut Self {
        self.remove.insert(name.into());
        self
    }

    /// Gives a member another name; its bytes stay.
    pub fn rename(&mut self, from: impl Into<String>, to: impl Into<String>) -> &mut Self {
        self.rename.insert(from.into(), to.into());
        self
    }
}

/// Writes `archive` with `edits` to `out` in canonical form. Members that did not change keep their compressed bytes;
/// RECORD is made anew from `hashes` ([`Archive::hash_all`] of the same archive), or from hashes made now.
/// Signatures of the old RECORD (`RECORD.jws`, `RECORD.p7s`) are dropped. An archive with unsafe or unreadable
/// members, other than those that are removed or replaced, is refused.
///
/// `out` may be the archive's own path, except on Windows, where a mapped file cannot be replaced.
pub fn rewrite(
    archive: &Archive,
    edits: &Edits,
    hashes: Option<&Hashes>,
    out: &Utf8Path,
    options: &WriteOptions,
) -> Result<Written, WriteError> {
    let known = |name: &String| archive.member(name).is_some();
    if let Some(name) = edits.remove.iter().chain(edits.rename.keys()).find(|name| !known(name)) {
        return Err(WriteError::NoSuchMember { name: name.clone() });
    }
    let goes = |name: &String| edits.remove.contains(name) || edits.put.contains_key(name);
    let bad = archive
        .problems()
        .iter()
        .find(|problem| problem.kind.harm() > Harm::Odd && !problem.member.as_ref().is_some_and(goes));
    if let Some(problem) = bad {
        return Err(WriteError::Unsound { path: archive.path().to_owned(), problem: problem.clone() });
    }

    let mut kept: BTreeMap<&str, &Member> = BTreeMap::new();
    for member in archive.members().iter().filter(|member| !member.is_dir && !edits.remove.contains(&member.name)) {
        let name = edits.rename.get(&member.name).unwrap_or(&member.name);
        if edits.put.contains_key(name) {
            continue;
        }
        if kept.insert(name, member).is_some() {
            return Err(WriteError::Collision { name: name.clone() });
        }
    }
    for name in edits.put.keys().chain(edits.rename.values()) {
        check_new_name(name)?;
    }
    let names = kept.keys().copied().chain(edits.put.keys().map(String::as_str));
    let info = DistInfo::of_names(names)?;
    kept.retain(|name, _| !info.is_signature(name));

    let made;
    let hashes = if let Some(hashes) = hashes {
        hashes
    } else {
        let mut wanted = vec![false; archive.members().len()];
        for member in kept.values() {
            wanted[member.index] = true;
        }
        let processed = archive.par_process(|member| wanted[member.index], |_, bytes| hash(bytes));
        made = Hashes::collect(processed.into_iter().map(|one| (one.member.index, one.result)));
        &made
    };
    let mut entries = Vec::with_capacity(kept.len() + edits.put.len());
    for (name, member) in kept {
        let hash = match hashes.get(member) {
            Some(result) => result.clone()?,
            None => hash(&archive.read(member)?),
        };
        entries.push(Entry {
            name: name.to_owned(),
            method: member.method,
            crc32: member.crc32,
            hash,
            mode: member.mode.unwrap_or_default(),
            data: Cow::Borrowed(archive.raw(member)?),
        });
    }
    entries.extend(compress(&edits.put, &info, options)?);
    write(entries, &info, out, options)
}

/// Writes `archive`, which another program left uncompressed, to `out` in canonical form. Members that `from`, the wheel it
/// was made of, has under the same name with the same bytes keep the compressed bytes that they have there; all others
/// are compressed. RECORD is made anew. What [`rewrite`] refuses is refused here too.
pub fn compress_anew(
    archive: &Archive,
    from: &Archive,
    out: &Utf8Path,
    options: &WriteOptions,
) -> Result<Written, WriteError> {
    if let Some(problem) = archive.problems().iter().find(|problem| problem.kind.harm() > Harm::Odd) {
        return Err(WriteError::Unsound { path: archive.path().to_owned(), problem: problem.clone() });
    }
    let names = archive.members().iter().filter(|member| !member.is_dir).map(|member| member.name.as_str());
    let info = DistInfo::of_names(names)?;
    let record = info.path("RECORD");
    let made = archive.par_consume(
        |member| !member.is_dir && member.name != record && !info.is_signature(&member.name),
        |member, bytes| -> Result<Entry<'_>, WriteError> {
            let mode = member.mode.unwrap_or_default();
            let kept = from.member(&member.name).filter(|old| (old.crc32, old.size) == (member.crc32, member.size));
            if let Some(old) = kept.filter(|old| from.read(old).is_ok_and(|was| *was == *bytes)) {
                let data = Cow::Borrowed(from.raw(old)?);
                let (name, hash) = (member.name.clone(), hash(&bytes));
                return Ok(Entry { name, method: old.method, crc32: old.crc32, hash, mode, data });
            }
            let mut packer = Packer::new(options.level, options.packing);
            Entry::new(member.name.clone(), Cow::Owned(bytes.into_owned()), mode, &mut packer)
        },
    );
    let entries = made.into_iter().map(|one| one.result?).collect::<Result<Vec<_>, WriteError>>()?;
    write(entries, &info, out, options)
}

/// Writes the wheel at `input` to `out` in canonical form: the same members with the same compressed bytes and
/// execute bits give the same file, in whatever order and with whatever times they were. `out` may be `input`, on every
/// system.
pub fn canonicalise(input: &Utf8Path, out: &Utf8Path, options: &WriteOptions) -> Result<Written, WriteError> {
    let archive = Archive::open(input)?;
    if input != out {
        return rewrite(&archive, &Edits::new(), None, out, options);
    }
    let folder = tempfile::Builder::new().prefix(".wheelproof-").tempdir_in(disk::folder_of(out))?;
    let beside = Utf8Path::from_path(folder.path()).map(|folder| folder.join("canonical.whl"));
    let beside = beside.ok_or_else(|| std::io::Error::other("the temporary folder has no UTF-8 name"))?;
    let written = rewrite(&archive, &Edits::new(), None, &beside, options)?;
    // Windows replaces no file that is mapped.
    drop(archive);
    disk::replace(&beside, out)?;
    Ok(written)
}

/// Writes the files of a folder, which holds an unpacked wheel, as a wheel in canonical form. Folders without files
/// are left out, symbolic links refused. The execute bits are the files', where the host has such.
pub fn pack_dir(dir: &Utf8Path, out: &Utf8Path, options: &WriteOptions) -> Result<Written, WriteError> {
    let mut put = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let path = Utf8PathBuf::from_path_buf(entry.path()).map_err(|path| WriteError::NotUtf8 {
                path: folder.clone(),
                name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            })?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let parts: Vec<&str> = path.strip_prefix(dir).unwrap_or(&path).iter().collect();
                let name = parts.join("/");
                check_new_name(&name)?;
                put.insert(name, (Content::File(path), mode_of(&entry.metadata()?)));
            } else {
                return Err(WriteError::NotAFile { path });
            }
        }
    }
    let info = DistInfo::of_names(put.keys().map(String::as_str))?;
    let entries = compress(&put, &info, options)?;
    write(entries, &info, out, options)
}

#[cfg(unix)]
fn mode_of(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata)
}

#[cfg(not(unix))]
fn mode_of(_: &std::fs::Metadata) -> u32 {
    0
}

fn check_new_name(name: &str) -> Result<(), WriteError> {
    match check_name(name).into_iter().next() {
        Some(problem) => Err(WriteError::BadName { name: name.to_owned(), problem }),
        None => Ok(()),
    }
}

/// A member that is ready to be written.
struct Entry<'a> {
    name: String,
    method: Method,
    crc32: u32,
    hash: MemberHash,
    mode: u32,
    data: Cow<'a, [u8]>,
}

impl<'a> Entry<'a> {
    fn new(name: String, bytes: Cow<'a, [u8]>, mode: u32, packer: &mut Packer) -> Result<Self, WriteError> {
        let (hash, crc32) = (hash(&bytes), crc32fast::hash(&bytes));
        let (method, data) = match packer.pack(&bytes)? {
            Some(smaller) => (Method::Deflated, Cow::Owned(smaller)),
            None => (Method::Stored, bytes),
        };
        Ok(Self { name, method, crc32, hash, mode, data })
    }
}

/// Reads, hashes and compresses new members in parallel.
fn compress<'a>(
    put: &'a BTreeMap<String, (Content, u32)>,
    info: &DistInfo,
    options: &WriteOptions,
) -> Result<Vec<Entry<'a>>, WriteError> {
    let length = |content: &Content| match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        // Only for the order; that it cannot be read is found when it is.
        Content::File(path) => fs_err::metadata(path).map_or(0, |metadata| metadata.len()),
    };
    let mut jobs: Vec<_> = put.iter().filter(|(name, _)| !info.is_signature(name)).collect();
    jobs.sort_by_cached_key(|(_, (content, _))| std::cmp::Reverse(length(content)));
    let make = |packer: &mut Packer, (name, (content, mode)): (&String, &'a (Content, u32))| {
        let bytes = match content {
            Content::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
            Content::File(path) => Cow::Owned(fs_err::read(path)?),
        };
        Entry::new(name.clone(), bytes, *mode, packer)
    };
    // One by one off the front: the largest are begun first, and each thread makes its compressor once.
    jobs.into_iter().par_bridge().map_init(|| Packer::new(options.level, options.packing), make).collect()
}

/// Orders the members, makes RECORD, and writes all.
fn write(
    mut entries: Vec<Entry<'_>>,
    info: &DistInfo,
    out: &Utf8Path,
    options: &WriteOptions,
) -> Result<Written, WriteError> {
    let place = |name: &str| matches!(info.place(name), Place::DistInfo(_));
    entries.sort_by(|a, b| (place(&a.name), &a.name).cmp(&(place(&b.name), &b.name)));
    entries.push(record(&entries, info, options)?);
    let members = entries.len();
    let size = disk::write_with(out, |file| {
        let mut writer = ZipWriter::new(BufWriter::with_capacity(1 << 17, file), DosTime::from_epoch(options.epoch));
        for entry in &entries {
            let mode = if entry.mode & 0o111 == 0 { 0o100_644 } else { 0o100_755 };
            let Entry { name, method, crc32, hash, data, .. } = entry;
            writer.add(&Item { name, method: *method, crc32: *crc32, size: hash.size, mode, data })?;
        }
        Ok::<_, WriteError>(writer.finish()?)
    })?;
    Ok(Written { path: out.to_owned(), size, members })
}

fn record(entries: &[Entry<'_>], info: &DistInfo, options: &WriteOptions) -> Result<Entry<'static>, WriteError> {
    let row = |entry: &Entry<'_>| RecordEntry {
        path: entry.name.clone(),
        digest: Some(Digest::sha256(&entry.hash.sha256)),
        size: Some(entry.hash.size),
    };
    let name = info.path("RECORD");
    let own = RecordEntry { path: name.clone(), digest: None, size: None };
    let rows = Record { entries: entries.iter().map(row).chain([own]).collect() };
    Entry::new(name, Cow::Owned(rows.to_string().into_bytes()), 0, &mut Packer::new(options.level, options.packing))
}

//! The hashes of files, remembered by what `stat` says, as git's index does.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::Metadata,
    time::{SystemTime, UNIX_EPOCH},
};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::cached::modified;

pub(super) type Hash = [u8; 32];

/// A file written so shortly before it was hashed may be written again within the same tick of the clock, with the same
/// size; its hash is not remembered. Two seconds is the coarsest clock of a file system in use (FAT).
const SETTLED: u64 = 2_000_000_000;

const HEADER: &str = "wheelproof sources 1";

/// What must be the same for a hash to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    size: u64,
    modified: u64,
    /// Changes with every write and cannot be set back by `touch`; 0 where there is none.
    changed: i64,
    inode: u64,
}

impl Seen {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let changed = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
        Self { size: metadata.len(), modified: modified(metadata), changed, inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: modified(metadata), changed: 0, inode: 0 }
    }
}

/// The hashes known from the last time.
pub(super) struct Hashes {
    file: Option<Utf8PathBuf>,
    known: HashMap<Vec<u8>, (Seen, Hash)>,
    now: HashMap<Vec<u8>, (Seen, Hash)>,
    started: u64,
    changed: bool,
}

impl Hashes {
    /// Those of a file; none if it is not there or damaged.
    pub(super) fn open(file: Option<&Utf8Path>) -> Self {
        let bytes = file.and_then(|file| fs_err::read(file).ok()).unwrap_or_default();
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        Self {
            file: file.map(Utf8Path::to_owned),
            known: parse(&bytes).unwrap_or_default(),
            now: HashMap::new(),
            started: u64::try_from(started).unwrap_or(u64::MAX),
            changed: false,
        }
    }

    /// The hash of a file's content; `name` is what it is remembered by.
    pub(super) fn of(&mut self, name: &[u8], path: &std::path::Path, metadata: &Metadata) -> std::io::Result<Hash> {
        let seen = Seen::of(metadata);
        if let Some((before, hash)) = self.known.get(name)
            && *before == seen
        {
            self.now.insert(name.to_owned(), (seen, *hash));
            return Ok(*hash);
        }
        let mut hasher = Sha256::new();
        let mut file = fs_err::File::open(path)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = std::io::Read::read(&mut file, &mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
        }
        let hash = hasher.finalize().into();
        if seen.modified.saturating_add(SETTLED) < self.started {
            self.now.insert(name.to_owned(), (seen, hash));
            self.changed = true;
        }
        Ok(hash)
    }

    /// Writes what is known now, if it differs. Not being able to is no error: the next run hashes again.
    pub(super) fn save(self) {
        let Some(file) = self.file.filter(|_| self.changed || self.now.len() != self.known.len()) else { return };
        let mut bytes = HEADER.as_bytes().to_vec();
        for (name, (seen, hash)) in &self.now {
            let facts = format!("{} {} {} {} {} ", hex(hash), seen.size, seen.modified, seen.changed, seen.inode);
            bytes.push(0);
            bytes.extend_from_slice(facts.as_bytes());
            bytes.extend_from_slice(name);
        }
        let _ = disk::write(&file, &bytes);
    }
}

/// A header and, each after a zero byte, `hash size modified changed inode name`. JSON would take longer than the rest.
fn parse(bytes: &[u8]) -> Option<HashMap<Vec<u8>, (Seen, Hash)>> {
    let mut records = bytes.split(|byte| *byte == 0);
    if records.next()? != HEADER.as_bytes() {
        return None;
    }
    records
        .map(|record| {
            let mut fields = record.splitn(6, |byte| *byte == b' ');
            let hash = unhex(fields.next()?)?;
            let mut number = || std::str::from_utf8(fields.next()?).ok();
            let seen = Seen {
                size: number()?.parse().ok()?,
                modified: number()?.parse().ok()?,
                changed: number()?.parse().ok()?,
                inode: number()?.parse().ok()?,
            };
            Some((fields.next()?.to_owned(), (seen, hash)))
        })
        .collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &[u8]) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

//! RECORD held against the archive.

use std::collections::HashMap;

use super::digest::{Algorithm, Digest};
use super::{Record, RecordEntry};
use crate::archive::{Archive, Hashes, Member, MemberError};
use crate::dist_info::{DistInfo, Place};

/// What RECORD and the archive disagree about; empty when RECORD is complete and true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordCheck {
    /// In the archive's order, then what RECORD alone has.
    pub faults: Vec<RecordFault>,
}

impl RecordCheck {
    /// Whether RECORD lists every file with its right hash, and nothing else.
    pub fn is_complete(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A disagreement about one file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// The archive has it, RECORD does not.
    #[error("`{}` is not listed in RECORD", path.escape_debug())]
    NotListed {
        /// The file.
        path: String,
    },
    /// RECORD has it, the archive does not.
    #[error("`{}` is listed in RECORD, but not in the wheel", path.escape_debug())]
    NotInArchive {
        /// The file.
        path: String,
    },
    /// The hash is of other bytes.
    #[error("RECORD says that `{}` has {listed}, its bytes have {found}", path.escape_debug())]
    WrongHash {
        /// The file.
        path: String,
        /// What RECORD says.
        listed: Digest,
        /// What its bytes hash to.
        found: Digest,
    },
    /// The size is another one.
    #[error("RECORD says that `{}` has {listed} bytes, it has {found}", path.escape_debug())]
    WrongSize {
        /// The file.
        path: String,
        /// What RECORD says.
        listed: u64,
        /// The size of its bytes.
        found: u64,
    },
    /// The row has no hash, or none that can be read.
    #[error("RECORD has no hash for `{}`", path.escape_debug())]
    Unhashed {
        /// The file.
        path: String,
    },
    /// The hash is weaker than SHA-256, or unknown.
    #[error("RECORD hashes `{}` with {algorithm}, not with sha256 or better", path.escape_debug())]
    WeakHash {
        /// The file.
        path: String,
        /// The algorithm's name.
        algorithm: String,
    },
    /// RECORD has several rows for it.
    #[error("`{}` is listed {count} times in RECORD", path.escape_debug())]
    ListedTwice {
        /// The file.
        path: String,
        /// How many rows.
        count: usize,
    },
    /// Its bytes could not be had, so that nothing can be said.
    #[error("RECORD cannot be checked for a file: {error}")]
    Unreadable {
        /// Why, naming it.
        error: MemberError,
    },
}

impl RecordFault {
    /// The file it is about.
    pub fn path(&self) -> &str {
        match self {
            Self::NotListed { path }
            | Self::NotInArchive { path }
            | Self::WrongHash { path, .. }
            | Self::WrongSize { path, .. }
            | Self::Unhashed { path }
            | Self::WeakHash { path, .. }
            | Self::ListedTwice { path, .. } => path,
            Self::Unreadable { error } => &error.member,
        }
    }

    /// What is wrong, for a reader who knows of which file: the same words for all files with the same fault.
    pub fn of_the_file(&self) -> String {
        match self {
            Self::NotListed { .. } => "it is not listed in RECORD".to_owned(),
            Self::NotInArchive { .. } => "it is listed in RECORD, but not in the wheel".to_owned(),
            Self::WrongHash { .. } => "RECORD has the hash of other bytes than the file's".to_owned(),
            Self::WrongSize { listed, found, .. } => format!("RECORD says that it has {listed} bytes, it has {found}"),
            Self::Unhashed { .. } => "RECORD has no hash for it".to_owned(),
            Self::WeakHash { algorithm, .. } => format!("RECORD hashes it with {algorithm}, not with sha256 or better"),
            Self::ListedTwice { count, .. } => format!("it is listed {count} times in RECORD"),
            Self::Unreadable { .. } => "it cannot be read, so that RECORD cannot be checked for it".to_owned(),
        }
    }
}

/// Compares RECORD with the archive's members, given their hashes. Of members with the same name the last is taken,
/// as installers do. RECORD needs a row for itself without a hash; its signatures need none.
pub fn check_record(archive: &Archive, info: &DistInfo, record: &Record, hashes: &Hashes) -> RecordCheck {
    let mut rows: HashMap<&str, (&RecordEntry, usize)> = HashMap::with_capacity(record.entries.len());
    for entry in &record.entries {
        rows.entry(&entry.path).or_insert((entry, 0)).1 += 1;
    }
    let mut faults = Vec::new();
    for member in archive.members() {
        let path = &member.name;
        if member.is_dir || archive.member(path).is_none_or(|last| last.index != member.index) {
            continue;
        }
        match rows.get(path.as_str()) {
            Some(_) if info.is_signature(path) => {}
            Some((entry, _)) => judge(archive, member, entry, hashes, &mut faults),
            // Signatures are made after RECORD, which therefore cannot list them.
            None if matches!(info.place(path), Place::DistInfo("RECORD.jws" | "RECORD.p7s")) => {}
            None => faults.push(RecordFault::NotListed { path: path.clone() }),
        }
    }
    let mut seen = std::collections::HashSet::new();
    for RecordEntry { path, .. } in record.entries.iter().filter(|entry| seen.insert(&entry.path)) {
        let count = rows.get(path.as_str()).map_or(0, |row| row.1);
        if archive.member(path).is_none_or(|member| member.is_dir) {
            faults.push(RecordFault::NotInArchive { path: path.clone() });
        }
        if count > 1 {
            faults.push(RecordFault::ListedTwice { path: path.clone(), count });
        }
    }
    RecordCheck { faults }
}

fn judge(archive: &Archive, member: &Member, entry: &RecordEntry, hashes: &Hashes, faults: &mut Vec<RecordFault>) {
    let path = || member.name.clone();
    let found = match hashes.get(member) {
        Some(Ok(hash)) => *hash,
        Some(Err(error)) => return faults.push(RecordFault::Unreadable { error: error.clone() }),
        None => match archive.read(member) {
            Ok(bytes) => crate::archive::hash(&bytes),
            Err(error) => return faults.push(RecordFault::Unreadable { error }),
        },
    };
    if let Some(listed) = entry.size.filter(|&listed| listed != found.size) {
        faults.push(RecordFault::WrongSize { path: path(), listed, found: found.size });
    }
    let Some(listed) = &entry.digest else {
        return faults.push(RecordFault::Unhashed { path: path() });
    };
    let found = match &listed.algorithm {
        Algorithm::Sha256 => Digest::sha256(&found.sha256),
        Algorithm::Other(name) => {
            return faults.push(RecordFault::WeakHash { path: path(), algorithm: name.clone() });
        }
        // Rare enough that inflating it once more does not matter.
        other => match archive.read(member).map(|bytes| Digest::of(other, &bytes)) {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(error) => return faults.push(RecordFault::Unreadable { error }),
        },
    };
    if *listed != found {
        faults.push(RecordFault::WrongHash { path: path(), listed: listed.clone(), found });
    }
}

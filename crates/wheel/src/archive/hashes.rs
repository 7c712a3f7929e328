//! The SHA-256 of members, as RECORD wants them.

use sha2::{Digest as _, Sha256};

use super::Archive;
use super::member::Member;
use super::problem::MemberError;

/// What one member's bytes hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberHash {
    /// The SHA-256 of the inflated bytes.
    pub sha256: [u8; 32],
    /// How many there are.
    pub size: u64,
}

/// Hashes a member's bytes.
pub fn hash(bytes: &[u8]) -> MemberHash {
    MemberHash { sha256: Sha256::digest(bytes).into(), size: bytes.len() as u64 }
}

/// The hashes of an archive's members, each computed from bytes whose checksum was verified.
#[derive(Debug, Clone, Default)]
pub struct Hashes {
    /// By member index; nothing for folders and for what was not asked.
    by_index: Vec<Option<Result<MemberHash, MemberError>>>,
}

impl Hashes {
    /// Gathers what was computed elsewhere, such as in the body of [`Archive::par_process`]; keyed by
    /// [`Member::index`].
    pub fn collect(hashes: impl IntoIterator<Item = (usize, Result<MemberHash, MemberError>)>) -> Self {
        let mut by_index = Vec::new();
        for (index, hash) in hashes {
            if by_index.len() <= index {
                by_index.resize(index + 1, None);
            }
            by_index[index] = Some(hash);
        }
        Self { by_index }
    }

    /// Adds what was computed later.
    pub fn set(&mut self, member: &Member, hash: Result<MemberHash, MemberError>) {
        if self.by_index.len() <= member.index {
            self.by_index.resize(member.index + 1, None);
        }
        self.by_index[member.index] = Some(hash);
    }

    /// A member's hash, or why it could not be computed; nothing if it was left out.
    pub fn get(&self, member: &Member) -> Option<&Result<MemberHash, MemberError>> {
        self.by_index.get(member.index)?.as_ref()
    }
}

impl Archive {
    /// Hashes all files of the archive in parallel.
    pub fn hash_all(&self) -> Hashes {
        let processed = self.par_process(|member| !member.is_dir, |_, bytes| hash(bytes));
        Hashes::collect(processed.into_iter().map(|one| (one.member.index, one.result)))
    }
}

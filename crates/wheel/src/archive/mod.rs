//! A wheel's zip container, read through mmap.

mod directory;
mod end;
mod hashes;
mod inflate;
mod local;
mod member;
mod names;
mod pages;
mod parallel;
mod problem;

use std::sync::atomic::AtomicUsize;

use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use names::check as check_name;

pub use hashes::{Hashes, MemberHash, hash};
pub use member::{DosTime, Member, Method};
pub use parallel::Processed;
pub use problem::{Harm, MemberError, MemberErrorKind, Problem, ProblemKind, WheelError};

/// An opened archive. Opening reads the directory and the members' local headers, and inflates nothing.
#[derive(Debug)]
pub struct Archive {
    path: Utf8PathBuf,
    bytes: Bytes,
    members: Vec<Member>,
    /// Indices of `members`, sorted by name and then by index.
    by_name: Vec<usize>,
    problems: Vec<Problem>,
    /// Compressed bytes of small members that were read since the kernel was last told to take their pages back.
    lingering: AtomicUsize,
}

#[derive(Debug)]
enum Bytes {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(vec) => vec,
        }
    }
}

impl Archive {
    /// Opens the archive at `path`. Fails only where nothing can be read: all else is in [`Archive::problems`].
    pub fn open(path: &Utf8Path) -> Result<Self, WheelError> {
        let file = fs_err::File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(WheelError::NotAFile { path: path.to_owned() });
        }
        let bytes =
            map(file.file()).map_err(|error| std::io::Error::new(error.kind(), format!("`{path}`: {error}")))?;
        Self::from_source(path, Bytes::Mapped(bytes))
    }

    /// The same for an archive that is in memory already; `path` is for messages.
    pub fn from_bytes(path: &Utf8Path, bytes: Vec<u8>) -> Result<Self, WheelError> {
        Self::from_source(path, Bytes::Owned(bytes))
    }

    fn from_source(path: &Utf8Path, bytes: Bytes) -> Result<Self, WheelError> {
        let mut problems = Vec::new();
        let directory =
            end::find(&bytes, &mut problems).map_err(|reason| WheelError::NotAZip { path: path.to_owned(), reason })?;
        let members = directory::read(&bytes, &directory, &mut problems);
        let mut by_name: Vec<usize> = (0..members.len()).collect();
        by_name.sort_by(|&a, &b| members[a].name.cmp(&members[b].name));
        names::check_all(&members, &by_name, &mut problems);
        Ok(Self { path: path.to_owned(), bytes, members, by_name, problems, lingering: AtomicUsize::new(0) })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The archive's own size in bytes.
    pub fn file_size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// All members in the directory's order, folders included.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member of that name; of several the last, which is what installers end up with.
    pub fn member(&self, name: &str) -> Option<&Member> {
        let end = self.by_name.partition_point(|&index| self.members[index].name.as_str() <= name);
        let last = &self.members[self.by_name[end.checked_sub(1)?]];
        (last.name == name).then_some(last)
    }

    /// What is wrong with the archive and its members as far as its structure shows.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether a member and one of another archive stand in both in the same way: the same compressed bytes, which are
    /// the same file. What is compressed differently may be the same file too; that is not looked at here.
    pub fn stands_alike(&self, member: &Member, other: &Self, counterpart: &Member) -> bool {
        let told = |member: &Member| (member.method, member.crc32, member.size, member.compressed_size);
        told(member) == told(counterpart)
            && matches!((self.raw(member), other.raw(counterpart)), (Ok(here), Ok(there)) if here == there)
    }

    /// The member's bytes as they stand in the archive, still compressed.
    pub(crate) fn raw(&self, member: &Member) -> Result<&[u8], MemberError> {
        Ok(&self.bytes[member.range()?])
    }
}

/// Maps a whole file.
#[allow(unsafe_code)]
fn map(file: &std::fs::File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the mapping is read-only and private. Should another process cut the file short meanwhile, the kernel
    // ends us with a signal; should it overwrite it, bytes change under checks that have passed already. Every access
    // goes through bounds-checked slices of bytes, for which any value is valid, so neither breaks memory.
    unsafe { memmap2::Mmap::map(file) }
}

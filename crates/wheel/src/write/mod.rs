//! Writing wheels: always in one canonical form, always whole or not at all.
//!
//! The form: no folders, members sorted by name with the `.dist-info` last and RECORD at the very end, one time for
//! all, modes 0644 or 0755, RECORD made anew. What did not change keeps its compressed bytes.

mod deflate;
mod edits;
mod stored;
mod zip;

use camino::Utf8PathBuf;

use crate::archive::{MemberError, Problem, WheelError};
use crate::dist_info::DistInfoError;

pub use deflate::{Level, Packing};
pub use edits::{Content, Edits, canonicalise, compress_anew, pack_dir, rewrite};
pub use stored::with_stored;

/// How to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// The time of all members in seconds after 1970, as SOURCE_DATE_EPOCH gives it. Zip cannot say less than 1980.
    pub epoch: u64,
    /// How hard to compress what is new.
    pub level: Level,
    /// What to spend threads on.
    pub packing: Packing,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub path: Utf8PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// How many members it has.
    pub members: usize,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A file could not be read or written; the error names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The input is no archive.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// A member that is to be kept cannot be read.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The archive has a problem that must not be carried on or papered over.
    #[error("`{path}` cannot be rewritten: {problem}")]
    Unsound {
        /// The archive.
        path: Utf8PathBuf,
        /// The problem.
        problem: Problem,
    },
    /// The result would have no `.dist-info`, or several.
    #[error("the wheel to write has no place for RECORD: {0}")]
    DistInfo(#[from] DistInfoError),
    /// A member that is to be removed or renamed is not there.
    #[error("there is no member `{name}` to remove or rename")]
    NoSuchMember {
        /// Its name.
        name: String,
    },
    /// Two members would get the same name.
    #[error("two members would be named `{name}`")]
    Collision {
        /// The name.
        name: String,
    },
    /// A new member's name is none that a wheel may have.
    #[error("`{}` cannot be a member's name: {problem}", name.escape_debug())]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: crate::archive::ProblemKind,
    },
    /// A folder to pack holds something that is neither a file nor a folder.
    #[error("`{path}` is neither a file nor a folder: a wheel cannot hold it")]
    NotAFile {
        /// It.
        path: Utf8PathBuf,
    },
    /// A folder to pack holds a name that is not UTF-8.
    #[error("`{path}` holds a name that is not UTF-8: `{name}`")]
    NotUtf8 {
        /// The folder.
        path: Utf8PathBuf,
        /// The name, with replacement characters.
        name: String,
    },
    /// A name is longer than a zip archive can say.
    #[error("the name of a member is longer than 65535 bytes")]
    NameTooLong,
}

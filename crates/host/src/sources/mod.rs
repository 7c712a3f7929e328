//! The sources of a project: what belongs to them, a digest by which a change is noticed, and a copy to build in.
//!
//! What belongs to them is what git tracks or would add, submodules included; without git, the folder without what
//! builds leave behind. Nothing here writes into the project: not even git's index is refreshed.

mod copy;
mod digest;
mod git;
mod listing;
mod stat;
mod version_tools;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

pub use copy::{Copied, copy};
pub use digest::digest;
pub(crate) use stat::hex;

/// The state of a project's sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDigest {
    /// SHA-256 in hexadecimal, over every file's path, kind and content, and over `commit`.
    pub hex: String,
    /// How many files.
    pub files: usize,
    /// What git says of the commit, its tag and whether the tree is as committed; only if a tool that makes the version
    /// from it is used, because only then a commit changes what is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When the commit that is checked out was made, in seconds since 1970. Not part of `hex`: the sources are the same
    /// before and after they are committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_time: Option<u64>,
}

/// Sources that cannot be read or copied.
#[derive(Debug, thiserror::Error)]
pub enum SourcesError {
    /// The project is not a folder.
    #[error("`{0}` is not a folder")]
    NotAFolder(Utf8PathBuf),
    /// A copy would be mixed with what is there.
    #[error("`{0}` is not empty; a copy of the sources needs a folder of its own")]
    NotEmpty(Utf8PathBuf),
    /// A file cannot be read or written; the error names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// git could not be run, or was stopped.
    #[error(transparent)]
    Step(#[from] exec::StepError),
    /// git knows the folder and does not answer.
    #[error("git does not say which files belong to `{folder}`: {reason}")]
    Git {
        /// The folder that was asked about.
        folder: Utf8PathBuf,
        /// git's own words.
        reason: String,
    },
}

//! What can be wrong with a file that claims to be an object file.

use std::fmt;

/// Why bytes could not be read as an object file. Every variant that has a place names it: the structure as its format's
/// specification calls it, and the offset from the start of the bytes handed to [`crate::parse`] (for a slice of a
/// universal file or a member of an archive: from the start of the whole file).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// There are no bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The first bytes belong to no format known here.
    #[error("not an object file or archive: the file starts with {start}")]
    Unrecognised {
        /// The first bytes, at most eight, as text where printable, else as hexadecimal.
        start: String,
    },
    /// The bytes break the rules of their format.
    #[error("{structure} at offset {offset:#x}: {problem}")]
    Malformed {
        /// The structure, as the format's specification names it.
        structure: &'static str,
        /// Where the structure or its bad field stands.
        offset: u64,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A thin archive names its members by path and does not contain them.
    #[error("a thin archive: its members are not in the file but at the paths it names")]
    ThinArchive,
    /// A valid file of a kind that this crate does not read.
    #[error("{structure} at offset {offset:#x}: {what} is not supported")]
    Unsupported {
        /// The structure that says so.
        structure: &'static str,
        /// Where it stands.
        offset: u64,
        /// What it says.
        what: &'static str,
    },
}

/// What is wrong with a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// It reaches over the end of the file (or of the part of the file that holds it): this many bytes were wanted,
    /// this many are there.
    Truncated {
        /// Bytes wanted.
        wanted: u64,
        /// Bytes there.
        available: u64,
    },
    /// An address that lies in no mapped part of the file.
    Unmapped {
        /// The address or RVA.
        address: u64,
    },
    /// A count or size that the file cannot hold.
    Count {
        /// The claimed count.
        claimed: u64,
        /// The most the file could hold.
        possible: u64,
    },
    /// A field with a value that its format does not allow.
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// The structure refers to itself, directly or not.
    Cycle,
    /// Names overlap so much that reading them would take time out of proportion to the file.
    Overlap,
    /// A text without its terminating NUL.
    Unterminated,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { wanted, available } => write!(f, "truncated: {wanted} bytes wanted, {available} there"),
            Self::Unmapped { address } => write!(f, "the address {address:#x} lies in no part of the file"),
            Self::Count { claimed, possible } => {
                write!(f, "claims {claimed} entries where the file has room for {possible}")
            }
            Self::Value { field, value } => write!(f, "`{field}` has the impossible value {value:#x}"),
            Self::Cycle => f.write_str("refers to itself in a cycle"),
            Self::Overlap => f.write_str("its names overlap out of proportion to the file"),
            Self::Unterminated => f.write_str("a name has no end"),
        }
    }
}

impl ParseError {
    /// Bytes of no known format, shown by their start.
    pub(crate) fn unrecognised(bytes: &[u8]) -> Self {
        let start = bytes.get(..8).unwrap_or(bytes);
        let start = if start.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            format!("`{}`", start.escape_ascii())
        } else {
            start.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
        };
        Self::Unrecognised { start }
    }

    /// The same error of a part that starts at `base` of the whole file.
    #[must_use]
    pub(crate) fn shifted(self, base: u64) -> Self {
        match self {
            Self::Malformed { structure, offset, problem } => {
                Self::Malformed { structure, offset: offset.saturating_add(base), problem }
            }
            Self::Unsupported { structure, offset, what } => {
                Self::Unsupported { structure, offset: offset.saturating_add(base), what }
            }
            placeless => placeless,
        }
    }
}

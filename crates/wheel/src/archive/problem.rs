//! What can be wrong with an archive or a member, as values.

use std::fmt;

/// Something wrong with the archive or with one of its members. Finding one never stops the rest from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The member's name as the central directory spells it; none when it is about the archive as a whole.
    pub member: Option<String>,
    /// What is wrong.
    pub kind: ProblemKind,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(member) => write!(f, "member `{}`: {}", member.escape_debug(), self.kind),
            None => write!(f, "the archive {}", self.kind),
        }
    }
}

/// How bad a [`ProblemKind`] is for those who read or install the wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Installers cope, but no wheel should have it.
    Odd,
    /// Installers differ in what they make of it, refuse it, or would write outside their folder.
    Unsafe,
    /// The member's bytes cannot be had.
    Unreadable,
}

/// The kinds of [`Problem`], each with the figures that prove it.
///
/// The names of fields and records are those of PKWARE's APPNOTE.TXT 6.3.10.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    // About the archive as a whole.
    /// Bytes stand before the first record that the directory accounts for.
    #[error("has {bytes} bytes before its first member")]
    Prefix {
        /// How many.
        bytes: u64,
    },
    /// Bytes follow the end of central directory record and its comment.
    #[error("has {bytes} bytes after its end")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// Bytes between members belong to nothing.
    #[error("has {bytes} bytes between its members that belong to none, the first at offset {at:#x}")]
    Unclaimed {
        /// How many in all.
        bytes: u64,
        /// The offset of the first.
        at: u64,
    },
    /// The comment holds what looks like another end of central directory: readers differ in which they take.
    #[error("has a comment that holds a second end of central directory")]
    SecondDirectory,
    /// The end record counts other entries than there are.
    #[error("claims {claimed} members, its directory holds {found}")]
    Count {
        /// What the end record says.
        claimed: u64,
        /// What was found.
        found: u64,
    },
    /// An entry of the central directory is cut off or carries a wrong signature; what comes after it is lost.
    #[error("has a damaged central directory: entry {entry} at offset {at:#x} {reason}")]
    Directory {
        /// Its index.
        entry: usize,
        /// Its offset in the file.
        at: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The end record and its zip64 twin say different things.
    #[error("has two end records that disagree")]
    Zip64Disagrees,
    /// The archive claims to be spread over several disks.
    #[error("claims to be spread over several disks")]
    MultiDisk,
    /// More members than any wheel has; the rest is not read.
    #[error("has more than {limit} members; the rest is ignored")]
    TooManyMembers {
        /// How many are read.
        limit: usize,
    },

    // About a member's name.
    /// The name is empty.
    #[error("its name is empty")]
    EmptyName,
    /// The name starts at the root.
    #[error("its name is absolute")]
    AbsoluteName,
    /// The name has a `..` component.
    #[error("its name leaves the wheel through `..`")]
    ParentName,
    /// The name has an empty or `.` component: two spellings of one path.
    #[error("its name has an empty or `.` component")]
    UncleanName,
    /// The name has a backslash, which is a separator on Windows.
    #[error("its name holds a backslash")]
    BackslashName,
    /// The name has a colon in its first component (`C:`).
    #[error("its name starts with a drive")]
    DriveName,
    /// The name has a NUL or another control character.
    #[error("its name holds the control character U+{code:04X}")]
    ControlName {
        /// The first such character.
        code: u32,
    },
    /// The name is not UTF-8, or not marked as such though it is no ASCII.
    #[error("its name is not marked UTF-8")]
    NotUtf8Name,
    /// The Unicode path extra field (0x7075) gives another name.
    #[error("an extra field gives it the other name `{other}`")]
    OtherName {
        /// That name.
        other: String,
    },
    /// Several members have this name.
    #[error("{count} members have this name")]
    Duplicate {
        /// How many.
        count: usize,
    },
    /// A file's name is also used as a folder by others.
    #[error("it is a file, and `{other}` lies under it")]
    FileAndFolder {
        /// One that lies under it.
        other: String,
    },

    // About a member's type.
    /// A symbolic link; installers write its target's name as text.
    #[error("it is a symbolic link, which wheels cannot hold")]
    Symlink,
    /// A device, pipe or socket.
    #[error("it is neither file nor folder (mode {mode:o})")]
    SpecialFile {
        /// Its `st_mode`.
        mode: u32,
    },
    /// A folder's entry carries data.
    #[error("it is a folder with {bytes} bytes of data")]
    FolderWithData {
        /// How many.
        bytes: u64,
    },

    // About a member's data.
    /// Encrypted (general purpose bit 0 or 13).
    #[error("it is encrypted")]
    Encrypted,
    /// A compression method that installers lack.
    #[error("it uses compression method {method} (wheels may use stored and deflate)")]
    UnsupportedMethod {
        /// Its number in APPNOTE 4.4.5.
        method: u16,
    },
    /// Its record or data lie outside the file or run into the directory.
    #[error("its {what} lies outside the file's data (offset {at:#x}, data ends at {end:#x})")]
    OutOfBounds {
        /// Which structure.
        what: &'static str,
        /// Where it should be.
        at: u64,
        /// Where data can be at most.
        end: u64,
    },
    /// Where its local header should be stands something else.
    #[error("there is no local header at offset {at:#x}")]
    NoLocalHeader {
        /// The offset.
        at: u64,
    },
    /// The local header says otherwise than the central directory.
    #[error("its local header and the directory disagree about the {field}")]
    LocalDisagrees {
        /// About what.
        field: &'static str,
    },
    /// The data descriptor after the data says otherwise than the central directory.
    #[error("its data descriptor and the directory disagree")]
    DescriptorDisagrees,
    /// Its data run over the start of another member: the mark of overlapping zip bombs.
    #[error("its data overlap member `{other}`")]
    Overlap {
        /// The other member.
        other: String,
    },
    /// A stored member whose two sizes differ, or a deflated one that claims more than deflate can hold.
    #[error("it claims {size} bytes, which {compressed} bytes of data cannot hold")]
    ImpossibleSize {
        /// The claimed size.
        size: u64,
        /// The bytes of compressed data.
        compressed: u64,
    },
    /// It inflates beyond all proportion.
    #[error("it inflates {compressed} bytes to {size}: a zip bomb")]
    Bomb {
        /// The claimed size.
        size: u64,
        /// The bytes of compressed data.
        compressed: u64,
    },
}

impl ProblemKind {
    /// How bad it is.
    pub fn harm(&self) -> Harm {
        use ProblemKind as K;
        match self {
            K::Encrypted
            | K::UnsupportedMethod { .. }
            | K::OutOfBounds { .. }
            | K::NoLocalHeader { .. }
            | K::Overlap { .. }
            | K::ImpossibleSize { .. }
            | K::Bomb { .. } => Harm::Unreadable,
            K::Trailing { .. }
            | K::SecondDirectory
            | K::Count { .. }
            | K::Directory { .. }
            | K::Zip64Disagrees
            | K::MultiDisk
            | K::TooManyMembers { .. }
            | K::EmptyName
            | K::AbsoluteName
            | K::ParentName
            | K::BackslashName
            | K::DriveName
            | K::ControlName { .. }
            | K::NotUtf8Name
            | K::OtherName { .. }
            | K::Duplicate { .. }
            | K::FileAndFolder { .. }
            | K::Symlink
            | K::SpecialFile { .. }
            | K::LocalDisagrees { .. }
            | K::DescriptorDisagrees => Harm::Unsafe,
            K::Prefix { .. } | K::Unclaimed { .. } | K::UncleanName | K::FolderWithData { .. } => Harm::Odd,
        }
    }

    /// A stable name in kebab case, for tables and tests.
    pub fn name(&self) -> &'static str {
        use ProblemKind as K;
        match self {
            K::Prefix { .. } => "prefix",
            K::Trailing { .. } => "trailing",
            K::Unclaimed { .. } => "unclaimed",
            K::SecondDirectory => "second-directory",
            K::Count { .. } => "count",
            K::Directory { .. } => "directory",
            K::Zip64Disagrees => "zip64-disagrees",
            K::MultiDisk => "multi-disk",
            K::TooManyMembers { .. } => "too-many-members",
            K::EmptyName => "empty-name",
            K::AbsoluteName => "absolute-name",
            K::ParentName => "parent-name",
            K::UncleanName => "unclean-name",
            K::BackslashName => "backslash-name",
            K::DriveName => "drive-name",
            K::ControlName { .. } => "control-name",
            K::NotUtf8Name => "not-utf8-name",
            K::OtherName { .. } => "other-name",
            K::Duplicate { .. } => "duplicate",
            K::FileAndFolder { .. } => "file-and-folder",
            K::Symlink => "symlink",
            K::SpecialFile { .. } => "special-file",
            K::FolderWithData { .. } => "folder-with-data",
            K::Encrypted => "encrypted",
            K::UnsupportedMethod { .. } => "unsupported-method",
            K::OutOfBounds { .. } => "out-of-bounds",
            K::NoLocalHeader { .. } => "no-local-header",
            K::LocalDisagrees { .. } => "local-disagrees",
            K::DescriptorDisagrees => "descriptor-disagrees",
            K::Overlap { .. } => "overlap",
            K::ImpossibleSize { .. } => "impossible-size",
            K::Bomb { .. } => "bomb",
        }
    }
}

/// The file is no archive that anything could be read from.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// It could not be opened or mapped; the error names the file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is a folder, a pipe or the like.
    #[error("`{path}` is not a file")]
    NotAFile {
        /// The file.
        path: camino::Utf8PathBuf,
    },
    /// It is no zip archive.
    #[error("`{path}` is not a wheel: {reason}")]
    NotAZip {
        /// The file.
        path: camino::Utf8PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
}

/// Why the bytes of one member could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("member `{}`: {kind}", member.escape_debug())]
pub struct MemberError {
    /// Its name.
    pub member: String,
    /// Why.
    pub kind: MemberErrorKind,
}

/// See [`MemberError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberErrorKind {
    /// The archive's structure already forbids it.
    #[error(transparent)]
    Problem(#[from] ProblemKind),
    /// The compressed data are damaged.
    #[error("its compressed data are damaged")]
    BadDeflate,
    /// It inflates to less than claimed.
    #[error("it inflates to {found} bytes, {claimed} were claimed")]
    TooShort {
        /// What the directory says.
        claimed: u64,
        /// What came out.
        found: u64,
    },
    /// It inflates to more than claimed.
    #[error("it inflates to more than the {claimed} bytes it claims")]
    TooLong {
        /// What the directory says.
        claimed: u64,
    },
    /// The checksum does not fit the data.
    #[error("its checksum is {found:08x}, {claimed:08x} was claimed")]
    BadChecksum {
        /// What the directory says.
        claimed: u32,
        /// Of the bytes that are there.
        found: u32,
    },
    /// There is not that much memory.
    #[error("there is no memory for its {size} bytes")]
    OutOfMemory {
        /// The claimed size.
        size: u64,
    },
}

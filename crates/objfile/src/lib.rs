//! One view of ELF, Mach-O and PE/COFF objects and static archives.
//!
//! This crate knows the formats: what an object needs, imports, exports, says of itself, and where each of these stands in
//! the file. It must not know Python (but for the name of a module's entry point), wheels, policies, how loaders search, or
//! what is right or wrong about any of it. It reads bytes that are handed in and opens no file.
//!
//! No input makes it panic or loop, and what it allocates is in proportion to the input.
//!
//! ```no_run
//! # use wheelproof_objfile as objfile;
//! # fn show(bytes: &[u8]) -> Result<(), objfile::ParseError> {
//! for object in objfile::parse(bytes)?.objects() {
//!     println!("{} {} {}", object.format, object.architecture, object.imports.len());
//! }
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod archive;
mod bytes;
mod coff;
mod elf;
mod error;
mod macho;
mod object;
mod pe;
mod read_only;
mod sniff;
mod symbol;

pub use archive::{Archive, Member, Members};
pub use coff::{CoffFacts, CoffSection};
pub use elf::{Dynamic, ElfFacts, NeededVersion, Section, Segment, Stack, VersionDefinition, VersionNeed};
pub use error::{ParseError, Problem};
pub use macho::{CodeSignature, LoadCommand, MachOFacts, MachSection, MachSegment, SignatureState, verify_signature};
pub use object::{
    Architecture, Details, DylibVersions, Format, MinimumOs, Needed, NeededKind, Object, ObjectKind, OsVersion, Rpath,
    RpathKind, System, Unreadable, is_init_function,
};
pub use pe::{DataDirectory, DebugEntry, ImportDescriptor, PeFacts, PeSection, pe_checksum};
pub use read_only::ReadOnlySection;
pub use sniff::{FileKind, sniff};
pub use symbol::{Export, ExportTarget, ExportVersion, Import, Provider, SymbolKind};

/// A file that was read.
#[derive(Debug, Clone)]
pub enum File<'a> {
    /// One object.
    Object(Box<Object<'a>>),
    /// A universal Mach-O file, slice by slice.
    Universal(Vec<Slice<'a>>),
    /// A static archive. Its members are not read yet.
    Archive(Archive<'a>),
}

impl<'a> File<'a> {
    /// The objects at the top level: the one object, or that of every slice. None for archives, whose members are
    /// read one by one.
    pub fn objects(&self) -> impl Iterator<Item = &Object<'a>> {
        let (one, slices) = match self {
            File::Object(object) => (Some(&**object), &[][..]),
            File::Universal(slices) => (None, &slices[..]),
            File::Archive(_) => (None, &[][..]),
        };
        one.into_iter().chain(slices.iter().filter_map(|slice| match &slice.content {
            SliceContent::Object(object) => Some(&**object),
            SliceContent::Archive(_) => None,
        }))
    }
}

/// One architecture's part of a universal file.
#[derive(Debug, Clone)]
pub struct Slice<'a> {
    /// The architecture that the universal header gives it.
    pub architecture: Architecture,
    /// Where it starts in the file.
    pub offset: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What it is.
    pub content: SliceContent<'a>,
}

/// What a slice of a universal file is.
#[derive(Debug, Clone)]
pub enum SliceContent<'a> {
    /// A thin Mach-O object.
    Object(Box<Object<'a>>),
    /// A static archive.
    Archive(Archive<'a>),
}

/// Reads a file: looks at its first bytes and takes apart what it is. Archives are only opened.
pub fn parse(bytes: &[u8]) -> Result<File<'_>, ParseError> {
    if bytes.is_empty() {
        return Err(ParseError::Empty);
    }
    let object = match sniff(bytes) {
        Some(FileKind::Object(Format::Elf)) => elf::read(bytes)?,
        Some(FileKind::Object(Format::MachO)) => macho::read(bytes)?,
        Some(FileKind::Object(Format::Pe)) => pe::read(bytes)?,
        Some(FileKind::Object(Format::Coff)) => coff::read(bytes)?,
        Some(FileKind::Universal) => return Ok(File::Universal(macho::slices(bytes)?)),
        Some(FileKind::Archive) => return Ok(File::Archive(Archive::new(bytes))),
        Some(FileKind::ThinArchive) => return Err(ParseError::ThinArchive),
        None => return Err(ParseError::unrecognised(bytes)),
    };
    Ok(File::Object(Box::new(object)))
}

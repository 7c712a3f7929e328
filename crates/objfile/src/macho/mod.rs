//! Mach-O: load commands, symbols, the export trie, code signatures, universal files.
//!
//! Source: Apple's `mach-o/loader.h`, `mach-o/nlist.h`, `mach-o/fat.h`, `kern/cs_blobs.h` and dyld's sources for what the
//! headers leave open.

mod binds;
mod commands;
mod exports;
mod read;
mod signature;
mod symbols;
mod universal;

pub(crate) use read::read;
pub use signature::{SignatureState, verify_signature};
pub(crate) use universal::slices;

/// The C name of a symbol: Mach-O puts exactly one underscore before every C name.
pub(crate) fn c_name(symbol: &str) -> &str {
    symbol.strip_prefix('_').unwrap_or(symbol)
}

/// What only Mach-O has.
#[derive(Debug, Clone, Default)]
pub struct MachOFacts<'a> {
    /// `filetype`: 1 object, 2 executable, 6 dylib, 8 bundle, 9 stub, 10 dSYM, …
    pub file_type: u32,
    /// `cputype`.
    pub cpu_type: u32,
    /// `cpusubtype`, without the capability bits for `arm64e` being taken off.
    pub cpu_subtype: u32,
    /// The header's `flags`.
    pub flags: u32,
    /// Whether undefined symbols are bound to a library (`MH_TWOLEVEL`).
    pub two_level: bool,
    /// Whether it has chained fixups (`LC_DYLD_CHAINED_FIXUPS`), which macOS before 12 (11 in part) cannot load.
    pub chained_fixups: bool,
    /// Whether it has an export trie, of either load command.
    pub export_trie: bool,
    /// The versions of its own identity (`LC_ID_DYLIB`).
    pub identity_versions: Option<crate::DylibVersions>,
    /// Its UUID (`LC_UUID`).
    pub uuid: Option<[u8; 16]>,
    /// The segments, in file order.
    pub segments: Vec<MachSegment<'a>>,
    /// The sections, in file order.
    pub sections: Vec<MachSection<'a>>,
    /// The load commands, in file order; for patching.
    pub load_commands: Vec<LoadCommand>,
    /// Where the load commands end.
    pub load_commands_end: u64,
    /// Free bytes between the load commands and the first section's data: what new load commands can use.
    pub header_pad: u64,
    /// The code signature (`LC_CODE_SIGNATURE`). See [`verify_signature`] for whether it is true.
    pub signature: Option<CodeSignature<'a>>,
    /// Whether part of it is encrypted (`LC_ENCRYPTION_INFO` with a `cryptid`).
    pub encrypted: bool,
}

/// A segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachSegment<'a> {
    /// Its name: `__TEXT`.
    pub name: &'a str,
    /// `vmaddr`.
    pub address: u64,
    /// `vmsize`.
    pub memory_size: u64,
    /// `fileoff`.
    pub offset: u64,
    /// `filesize`.
    pub file_size: u64,
    /// `maxprot`: 1 read, 2 write, 4 execute.
    pub max_protection: u32,
    /// `initprot`, likewise.
    pub initial_protection: u32,
    /// `flags`: 0x10 is `SG_READ_ONLY` (`__DATA_CONST`).
    pub flags: u32,
}

impl MachSection<'_> {
    /// Whether it has nothing in the file (`S_ZEROFILL`, `S_GB_ZEROFILL`, `S_THREAD_LOCAL_ZEROFILL`).
    pub const fn is_zero_fill(&self) -> bool {
        matches!(self.kind(), 0x1 | 0xc | 0x12)
    }

    /// Whether it holds code (`S_ATTR_PURE_INSTRUCTIONS`, `S_ATTR_SOME_INSTRUCTIONS`).
    pub const fn is_code(&self) -> bool {
        self.flags & 0x8000_0400 != 0
    }

    /// Its type: the low byte of `flags`.
    pub const fn kind(&self) -> u8 {
        (self.flags & 0xff) as u8
    }
}

/// A section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachSection<'a> {
    /// Its segment's name: `__TEXT`.
    pub segment: &'a str,
    /// Its own name: `__cstring`.
    pub name: &'a str,
    /// `addr`.
    pub address: u64,
    /// `size`; zero-fill sections have nothing in the file.
    pub size: u64,
    /// `offset`.
    pub offset: u64,
    /// `align`, as a power of two.
    pub align: u32,
    /// `flags`: the low byte is the type, the others are attributes.
    pub flags: u32,
    /// `reserved1`: for stubs and symbol pointers the first entry in the indirect symbol table.
    pub reserved1: u32,
    /// `reserved2`: for stubs the size of one.
    pub reserved2: u32,
}

/// One load command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadCommand {
    /// `cmd`, with `LC_REQ_DYLD` (0x8000_0000) where it has it.
    pub command: u32,
    /// Where it starts in the object.
    pub offset: u64,
    /// `cmdsize`.
    pub size: u32,
}

/// What a code signature says of itself, from its best code directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeSignature<'a> {
    /// Where the signature's data lies in the object.
    pub offset: u64,
    /// Its size, with padding.
    pub size: u64,
    /// The signing identifier.
    pub identifier: &'a str,
    /// The code directory's `flags`: 2 ad hoc, 0x20000 linker-signed, 0x10000 hardened runtime.
    pub flags: u32,
    /// Bytes from the object's start that the page hashes cover.
    pub code_limit: u64,
    /// Bytes in a page that is hashed.
    pub page_size: u32,
    /// `hashType`: 1 SHA-1, 2 SHA-256, 3 SHA-256 truncated, 4 SHA-384.
    pub hash_type: u8,
    /// Whether it carries a cryptographic signature (CMS) of a developer.
    pub has_certificate: bool,
}

impl CodeSignature<'_> {
    /// Signed without an identity (`CS_ADHOC`).
    pub const fn is_ad_hoc(&self) -> bool {
        self.flags & 0x2 != 0
    }

    /// Signed by the linker (`CS_LINKER_SIGNED`).
    pub const fn is_linker_signed(&self) -> bool {
        self.flags & 0x2_0000 != 0
    }
}

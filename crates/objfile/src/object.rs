//! The view that all formats share.

use std::borrow::Cow;
use std::fmt;

use crate::coff::CoffFacts;
use crate::elf::ElfFacts;
use crate::macho::MachOFacts;
use crate::pe::PeFacts;
use crate::read_only::{ReadOnlySection, read_only_sections};
use crate::symbol::{Export, Import};

/// One image for one architecture: an ELF file, a thin Mach-O file or slice, a PE image, a COFF object.
///
/// All text is borrowed from the file where the file has it in one piece. All offsets count from the start of
/// [`Object::bytes`]. Names are C names: one leading underscore is taken off on Mach-O and in i686 COFF objects, `__imp_`
/// before that in COFF objects. Names that are not UTF-8 are not in these lists but in [`Object::unreadable`].
#[derive(Debug, Clone)]
pub struct Object<'a> {
    /// The whole object.
    pub bytes: &'a [u8],
    /// Its format.
    pub format: Format,
    /// The processor it is for.
    pub architecture: Architecture,
    /// Whether pointers have 64 bits.
    pub is_64: bool,
    /// Whether the object is for a big-endian processor.
    pub is_big_endian: bool,
    /// What it is for.
    pub kind: ObjectKind,
    /// The name it gives itself: ELF soname, Mach-O install name, the name in a PE export directory.
    pub identity: Option<&'a str>,
    /// The libraries it asks for, in the order of the file. For Mach-O the library of ordinal `n` is `needed[n - 1]`.
    pub needed: Vec<Needed<'a>>,
    /// Its own search path, in the order of the file, split at colons for ELF.
    pub rpaths: Vec<Rpath<'a>>,
    /// The systems it says it runs on: none for ELF; usually one for Mach-O; the subsystem version for PE.
    pub minimum_os: Vec<MinimumOs>,
    /// The symbols it takes from elsewhere, in the order of the file.
    pub imports: Vec<Import<'a>>,
    /// The symbols it gives to others: what the loader (for relocatable objects: the linker) would find.
    pub exports: Vec<Export<'a>>,
    /// Names that are not UTF-8.
    pub unreadable: Vec<Unreadable<'a>>,
    /// What only this format has.
    pub details: Details<'a>,
}

impl<'a> Object<'a> {
    /// The exported names of Python's module entry points: `PyInit_*` and `PyInitU_*` (PEP 489).
    pub fn init_functions(&self) -> impl Iterator<Item = &str> {
        self.exports.iter().map(|export| &*export.name).filter(|name| is_init_function(name))
    }

    /// The allocated read-only data of the object: where string literals lie. The parts are disjoint and in file order, so
    /// looking through all of them touches no byte twice; nothing is copied.
    ///
    /// ELF: `SHF_ALLOC` sections without `SHF_WRITE` and `SHF_EXECINSTR`, except what belongs to the loader (symbol and
    /// string tables, hashes, relocations, notes, versions, unwind tables); without section headers the read-only
    /// `PT_LOAD` segments without the dynamic string table. Mach-O: `__cstring`, `__const` and other constants of `__TEXT`,
    /// and `__DATA_CONST,__const`.
    /// PE and COFF: initialised sections that are readable and neither writable nor executable, except relocations,
    /// resources, unwind and debug data, and without the tables of import and export names.
    pub fn read_only_sections(&self) -> Vec<ReadOnlySection<'a>> {
        read_only_sections(self)
    }

    /// The facts of an ELF object.
    pub fn elf(&self) -> Option<&ElfFacts<'a>> {
        if let Details::Elf(facts) = &self.details { Some(facts) } else { None }
    }

    /// The facts of a Mach-O object.
    pub fn macho(&self) -> Option<&MachOFacts<'a>> {
        if let Details::MachO(facts) = &self.details { Some(facts) } else { None }
    }

    /// The facts of a PE image.
    pub fn pe(&self) -> Option<&PeFacts<'a>> {
        if let Details::Pe(facts) = &self.details { Some(facts) } else { None }
    }

    /// The facts of a COFF object.
    pub fn coff(&self) -> Option<&CoffFacts<'a>> {
        if let Details::Coff(facts) = &self.details { Some(facts) } else { None }
    }
}

/// Whether a name is that of a Python module's entry point (PEP 489: `PyInitU_` for names that are not ASCII).
pub fn is_init_function(name: &str) -> bool {
    ["PyInit_", "PyInitU_"].iter().any(|prefix| name.strip_prefix(prefix).is_some_and(|module| !module.is_empty()))
}

/// An object file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Executable and Linkable Format.
    Elf,
    /// Mach-O, one architecture.
    MachO,
    /// A linked Portable Executable image: `.exe`, `.dll`, `.pyd`.
    Pe,
    /// A COFF object: `.obj`, also with `/bigobj`, or a short import object of a Windows import library.
    Coff,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elf => "ELF",
            Self::MachO => "Mach-O",
            Self::Pe => "PE",
            Self::Coff => "COFF",
        })
    }
}

/// A processor architecture, named as Python's platform tags name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Architecture {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm, including arm64e.
    Aarch64,
    /// 32-bit x86.
    I686,
    /// 32-bit Arm.
    Armv7l,
    /// 64-bit little-endian PowerPC.
    Ppc64le,
    /// 64-bit IBM Z.
    S390x,
    /// 64-bit RISC-V.
    Riscv64,
    /// 64-bit LoongArch.
    Loongarch64,
    /// Any other: the format's own machine number.
    Other(u32),
}

impl Architecture {
    /// The name in Python's platform tags, `other` if none of those known here.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::I686 => "i686",
            Self::Armv7l => "armv7l",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
            Self::Loongarch64 => "loongarch64",
            Self::Other(_) => "other",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(machine) => write!(f, "machine {machine:#x}"),
            known => f.write_str(known.name()),
        }
    }
}

/// What an object is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A program.
    Executable,
    /// A shared library or loadable bundle without a Python entry point.
    SharedLibrary,
    /// A shared library or bundle that exports `PyInit_*` or `PyInitU_*`.
    Extension,
    /// Input for the linker.
    Relocatable,
    /// A short import object: one member of a Windows import library.
    ImportStub,
    /// Neither loaded nor linked: core files, separate debug files, linker stubs.
    Other,
}

impl ObjectKind {
    /// A short name: `executable`, `shared library`, `extension`, `object`, `import stub`, `other`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::SharedLibrary => "shared library",
            Self::Extension => "extension",
            Self::Relocatable => "object",
            Self::ImportStub => "import stub",
            Self::Other => "other",
        }
    }

    /// Whether a loader can load it into a process (shared libraries and extensions).
    pub const fn is_loadable(self) -> bool {
        matches!(self, Self::SharedLibrary | Self::Extension)
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A library that an object asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed<'a> {
    /// The name as written: a soname, an install name with its `@rpath/`, a DLL name.
    pub name: &'a str,
    /// How it is asked for.
    pub kind: NeededKind,
    /// Mach-O: the version it was linked against and the compatibility version it must have at least.
    pub versions: Option<DylibVersions>,
}

/// How a library is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NeededKind {
    /// Loading fails without it.
    Normal,
    /// Mach-O: it may be missing.
    Weak,
    /// Mach-O: its exports count as this library's own.
    Reexport,
    /// Mach-O: a library higher up in the stack of libraries.
    Upward,
    /// Mach-O `LC_LAZY_LOAD_DYLIB` or delayed initialisation; PE delay-loaded DLL: loaded at first use.
    Lazy,
}

/// Versions of a dylib in a Mach-O load command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DylibVersions {
    /// The version the library had.
    pub current: OsVersion,
    /// The oldest version with which it is compatible.
    pub compatibility: OsVersion,
}

/// One entry of an object's own search path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rpath<'a> {
    /// The path as written, with its `$ORIGIN` or `@loader_path`.
    pub path: &'a str,
    /// Which of the three kinds it is.
    pub kind: RpathKind,
}

/// The three kinds of search path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RpathKind {
    /// ELF `DT_RPATH`: also for the libraries that this one needs; ignored by the loader where a RUNPATH is present.
    Rpath,
    /// ELF `DT_RUNPATH`: for this object's own needed libraries only.
    Runpath,
    /// Mach-O `LC_RPATH`.
    LcRpath,
}

/// A system that an object says it runs on, and the oldest version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinimumOs {
    /// The system.
    pub system: System,
    /// The oldest version.
    pub minimum: OsVersion,
    /// The version of the SDK it was built with.
    pub sdk: Option<OsVersion>,
}

/// An operating system as Mach-O (`LC_BUILD_VERSION`) numbers them, and Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    /// macOS.
    MacOs,
    /// iOS and iPadOS.
    Ios,
    /// iOS applications on macOS.
    MacCatalyst,
    /// The iOS simulator.
    IosSimulator,
    /// Windows, from a PE image's subsystem version.
    Windows,
    /// Any other, by its Mach-O platform number.
    Other(u32),
}

/// A version of three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OsVersion {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub patch: u32,
}

impl fmt::Display for OsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch != 0 { write!(f, ".{}", self.patch) } else { Ok(()) }
    }
}

/// A name that is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable<'a> {
    /// What it names: `import`, `export`, `needed library`, …
    pub what: &'static str,
    /// Where the name starts.
    pub offset: u64,
    /// The name, as it stands in the file.
    pub bytes: Cow<'a, [u8]>,
}

/// What only one format has.
#[derive(Debug, Clone)]
pub enum Details<'a> {
    /// ELF.
    Elf(Box<ElfFacts<'a>>),
    /// Mach-O.
    MachO(Box<MachOFacts<'a>>),
    /// PE.
    Pe(Box<PeFacts<'a>>),
    /// COFF objects.
    Coff(CoffFacts<'a>),
}

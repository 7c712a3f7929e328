//! ELF: what the dynamic loader reads, and for relocatable objects the symbol table.
//!
//! Source: System V ABI (gABI 4.3 draft), the GNU extensions as glibc's `elf.h` and binutils define them, and the
//! x86-64 psABI for GNU properties. What the loader follows (program headers, dynamic table) is followed here; section
//! headers are used where nothing else says it: the number of dynamic symbols, read-only sections, relocatable objects.

mod dynamic;
mod header;
mod notes;
mod read;
mod symbols;
mod versions;

use std::ops::Range;

pub(crate) use read::read;

/// What only ELF has.
#[derive(Debug, Clone, Default)]
pub struct ElfFacts<'a> {
    /// `e_type`: 1 relocatable, 2 executable, 3 shared, 4 core.
    pub file_type: u16,
    /// `e_machine`.
    pub machine: u16,
    /// `e_flags`: the processor's own flags (float ABI and the like).
    pub flags: u32,
    /// `EI_OSABI`.
    pub os_abi: u8,
    /// The program that loads this one (`PT_INTERP`).
    pub interpreter: Option<&'a str>,
    /// Which versions of which files it needs (`DT_VERNEED`), in file order.
    pub version_needs: Vec<VersionNeed<'a>>,
    /// Which versions it defines (`DT_VERDEF`), in file order.
    pub version_definitions: Vec<VersionDefinition<'a>>,
    /// Whether it asks for an executable stack.
    pub stack: Stack,
    /// `DT_FLAGS`, with the bits of the older single tags (`DT_SYMBOLIC`, `DT_TEXTREL`, `DT_BIND_NOW`) added.
    pub dt_flags: u64,
    /// `DT_FLAGS_1`.
    pub dt_flags_1: u64,
    /// Whether it has packed relative relocations (`DT_RELR`), which glibc before 2.36 and musl before 1.2.4 do not know.
    pub has_relr: bool,
    /// Whether it has a GNU hash table (`DT_GNU_HASH`).
    pub has_gnu_hash: bool,
    /// Whether it has a System V hash table (`DT_HASH`), the only one musl before 1.1.x and old glibc know.
    pub has_sysv_hash: bool,
    /// The thread-local storage it brings (`PT_TLS`).
    pub tls: Option<Segment>,
    /// All program headers, in file order.
    pub segments: Vec<Segment>,
    /// All section headers, in file order; empty if there are none.
    pub sections: Vec<Section<'a>>,
    /// `GNU_PROPERTY_X86_ISA_1_NEEDED` bits: 1 baseline, 2 x86-64-v2, 4 v3, 8 v4. See [`ElfFacts::x86_64_level`].
    pub x86_isa_needed: Option<u32>,
    /// The build identifier (`NT_GNU_BUILD_ID`).
    pub build_id: Option<&'a [u8]>,
    /// The dynamic table's entries up to `DT_NULL`, in file order; for patching.
    pub dynamic: Vec<Dynamic>,
    /// Where the dynamic string table (`DT_STRTAB`) lies in the file.
    pub dynamic_strings: Option<Range<u64>>,
    /// How many entries the dynamic symbol table has, the null entry included.
    pub dynamic_symbol_count: usize,
}

impl ElfFacts<'_> {
    /// Uses the static TLS model, so that `dlopen` may fail for want of static TLS space (`DF_STATIC_TLS`).
    pub const fn static_tls(&self) -> bool {
        self.dt_flags & 0x10 != 0
    }

    /// All symbols are bound when it is loaded (`DF_BIND_NOW`, `DF_1_NOW`).
    pub const fn bind_now(&self) -> bool {
        self.dt_flags & 0x8 != 0 || self.dt_flags_1 & 0x1 != 0
    }

    /// Looks in itself first (`DF_SYMBOLIC`).
    pub const fn symbolic(&self) -> bool {
        self.dt_flags & 0x2 != 0
    }

    /// Has relocations in read-only segments (`DF_TEXTREL`).
    pub const fn text_relocations(&self) -> bool {
        self.dt_flags & 0x4 != 0
    }

    /// The loader must not search its default folders for what this one needs (`DF_1_NODEFLIB`).
    pub const fn no_default_libraries(&self) -> bool {
        self.dt_flags_1 & 0x800 != 0
    }

    /// Never unloaded (`DF_1_NODELETE`).
    pub const fn no_delete(&self) -> bool {
        self.dt_flags_1 & 0x8 != 0
    }

    /// `dlopen` refuses it (`DF_1_NOOPEN`).
    pub const fn no_open(&self) -> bool {
        self.dt_flags_1 & 0x40 != 0
    }

    /// A position-independent program (`DF_1_PIE`), which `dlopen` refuses too.
    pub const fn is_pie(&self) -> bool {
        self.dt_flags_1 & 0x0800_0000 != 0
    }

    /// The x86-64 micro-architecture level that it says it needs: 1 to 4.
    pub fn x86_64_level(&self) -> Option<u8> {
        let bits = self.x86_isa_needed? & 0xf;
        (bits != 0).then(|| 32 - bits.leading_zeros() as u8)
    }

    /// The segments that are mapped (`PT_LOAD`).
    pub fn load_segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.kind == Segment::LOAD)
    }
}

/// What `PT_GNU_STACK` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stack {
    /// There is none: the loader takes the architecture's default, which is executable on x86, Arm and PowerPC (32 bits).
    #[default]
    Unstated,
    /// The stack need not be executable.
    NotExecutable,
    /// The stack is made executable, which glibc from 2.41 on refuses in `dlopen`.
    Executable,
}

/// The versions needed of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionNeed<'a> {
    /// The file, a soname of the list of needed libraries.
    pub file: &'a str,
    /// The versions.
    pub versions: Vec<NeededVersion<'a>>,
    /// Where its `Verneed` record starts in the file; `vn_file`, 4 bytes, stands 4 bytes further.
    pub offset: u64,
}

/// One version needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeededVersion<'a> {
    /// Its name.
    pub name: &'a str,
    /// The index that `.gnu.version` refers to it by.
    pub index: u16,
    /// Loading succeeds without it (`VER_FLG_WEAK`).
    pub weak: bool,
}

/// One version defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionDefinition<'a> {
    /// Its name; for the base definition the soname.
    pub name: &'a str,
    /// The index that `.gnu.version` refers to it by.
    pub index: u16,
    /// Stands for the file itself (`VER_FLG_BASE`).
    pub base: bool,
    /// `VER_FLG_WEAK`.
    pub weak: bool,
    /// The versions it inherits from.
    pub parents: Vec<&'a str>,
}

/// A program header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// `p_type`.
    pub kind: u32,
    /// `p_flags`: 1 execute, 2 write, 4 read.
    pub flags: u32,
    /// Where it starts in the file.
    pub offset: u64,
    /// The address of its first byte.
    pub address: u64,
    /// Its size in the file.
    pub file_size: u64,
    /// Its size in memory.
    pub memory_size: u64,
    /// `p_align`.
    pub align: u64,
}

impl Segment {
    /// `PT_LOAD`.
    pub const LOAD: u32 = 1;

    /// Whether the loader can map it with pages of this size: `p_align` is a multiple of the page size (or less than
    /// it, where the loader rounds up), and offset and address are congruent modulo page size and `p_align`.
    pub const fn fits_page(&self, page: u64) -> bool {
        let modulus = if self.align > page { self.align } else { page };
        modulus.is_power_of_two() && self.offset % modulus == self.address % modulus
    }

    /// Whether it is mapped executable.
    pub const fn is_executable(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether it is mapped writable.
    pub const fn is_writable(&self) -> bool {
        self.flags & 2 != 0
    }
}

/// A section header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// Its name; empty if it has none or it is not UTF-8.
    pub name: &'a str,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// `sh_addr`.
    pub address: u64,
    /// `sh_offset`.
    pub offset: u64,
    /// `sh_size`, in memory: `SHT_NOBITS` sections (8) have nothing in the file.
    pub size: u64,
    /// `sh_link`.
    pub link: u32,
    /// `sh_info`.
    pub info: u32,
    /// `sh_addralign`.
    pub align: u64,
    /// `sh_entsize`.
    pub entry_size: u64,
}

/// One entry of the dynamic table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dynamic {
    /// `d_tag`.
    pub tag: u64,
    /// `d_val` or `d_ptr`.
    pub value: u64,
    /// Where the entry stands in the file.
    pub offset: u64,
}

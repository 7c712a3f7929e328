//! What else makes a loader refuse a file, besides libraries and symbols that are missing.

use crate::closure::{Closure, MemberId, Mode};
use crate::image::Image;
use crate::traits::{ElfTraits, MachOTraits, Signature};
use objfile::{Architecture, Format, OsVersion, Stack, System};
use std::fmt;

/// The machines that something is to load on: what the loader compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The architecture of the process.
    pub architecture: Architecture,
    /// The oldest and the newest glibc: both must accept it. `None`: not glibc.
    pub glibc: Option<((u16, u16), (u16, u16))>,
    /// The oldest musl. `None`: not musl.
    pub musl: Option<(u16, u16, u16)>,
    /// The oldest macOS. `None`: not macOS.
    pub macos: Option<OsVersion>,
    /// The sizes of a memory page that occur, in bytes.
    pub page_sizes: Vec<u64>,
    /// x86-64: the level of the oldest processor, 1 to 4.
    pub isa_level: u8,
    /// Bytes of static thread-local storage that are left for what is opened later. glibc sets 1664 aside, and
    /// others may have taken of it.
    pub static_tls: u64,
}

impl Machine {
    /// Of what glibc sets aside in `elf/dl-tls.c` (`TLS_STATIC_SURPLUS`: 64 + 16 × 100 bytes before 2.32, about as
    /// much since).
    pub const STATIC_TLS: u64 = 1664;

    /// A machine that refuses nothing but another architecture: pages of 4096 bytes, x86-64-v1.
    pub fn new(architecture: Architecture) -> Self {
        Self {
            architecture,
            glibc: None,
            musl: None,
            macos: None,
            page_sizes: vec![4096],
            isa_level: 1,
            static_tls: Self::STATIC_TLS,
        }
    }
}

/// A file that a loader refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub member: MemberId,
    /// Its path.
    pub path: String,
    /// Why.
    pub kind: RefusalKind,
}

/// Why a loader refuses a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// It is for another architecture.
    Architecture {
        /// For this.
        file: Architecture,
        /// The process has this.
        process: Architecture,
    },
    /// It asks for an executable stack, which glibc 2.41 and later and hardened kernels refuse when it is opened later.
    ExecutableStack {
        /// It says nothing about its stack, which means executable on this architecture.
        unstated: bool,
    },
    /// Its static thread-local storage does not fit into what is left.
    StaticTls {
        /// Bytes it and what was loaded before it need.
        needed: u64,
        /// Bytes there are.
        available: u64,
    },
    /// It says it needs a newer processor.
    IsaLevel {
        /// The x86-64 level it needs.
        needed: u8,
        /// The level there is.
        available: u8,
    },
    /// Packed relative relocations, which the loader does not know.
    RelativeRelocations {
        /// The loader's oldest version that must accept it.
        loader: &'static str,
    },
    /// Packed relative relocations without a need for `GLIBC_ABI_DT_RELR`: glibc 2.36 and later refuse it.
    RelativeRelocationsUnmarked,
    /// Segments aligned for smaller pages than there are.
    Alignment {
        /// The smallest alignment in the file.
        file: u64,
        /// The page size that does not fit.
        page: u64,
    },
    /// Segments whose addresses and offsets do not agree modulo the alignment they ask for.
    NotCongruent,
    /// `DF_1_NOOPEN`: it forbids being opened.
    NoOpen,
    /// A program: it cannot be opened.
    Program,
    /// No hash table that this loader reads.
    NoHash,
    /// It needs a newer macOS.
    MinimumMacOs {
        /// At least this.
        needed: OsVersion,
        /// The oldest there is.
        available: OsVersion,
    },
    /// It is for another of Apple's systems.
    OtherSystem(System),
    /// Chained fixups, which dyld reads from macOS 11 on (in files for older systems not at all).
    ChainedFixups,
    /// arm64 Macs load signed code only.
    Unsigned,
    /// Pages that are not what was signed: macOS kills the process.
    BrokenSignature {
        /// How many.
        pages: u64,
    },
    /// It is encrypted.
    Encrypted,
    /// Windows checks its certificate, and it has none.
    ForceIntegrity,
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Architecture { file, process } => write!(f, "is for {file}, the process is {process}"),
            Self::ExecutableStack { unstated: false } => {
                f.write_str("asks for an executable stack, which `dlopen` of glibc 2.41 and later refuses")
            }
            Self::ExecutableStack { unstated: true } => f.write_str(
                "does not say that its stack need not be executable: `dlopen` of glibc 2.41 and later refuses it",
            ),
            Self::StaticTls { needed, available } => {
                write!(f, "needs {needed} bytes of static thread-local storage, and {available} are left at run time")
            }
            Self::IsaLevel { needed, available } => {
                write!(f, "needs a processor of x86-64-v{needed}, and x86-64-v{available} must do")
            }
            Self::RelativeRelocations { loader } => {
                write!(f, "has packed relative relocations (DT_RELR), which {loader} does not know")
            }
            Self::RelativeRelocationsUnmarked => f.write_str(
                "has packed relative relocations (DT_RELR) without needing `GLIBC_ABI_DT_RELR`, which glibc refuses",
            ),
            Self::Alignment { file, page } => {
                write!(f, "has segments aligned to {file} bytes, which does not do for pages of {page}")
            }
            Self::NotCongruent => f.write_str("has segments whose addresses and offsets do not agree"),
            Self::NoOpen => f.write_str("forbids being opened at run time (DF_1_NOOPEN)"),
            Self::Program => f.write_str("is a program and cannot be opened as a library"),
            Self::NoHash => f.write_str("has no hash table that this loader reads"),
            Self::MinimumMacOs { needed, available } => {
                write!(f, "needs macOS {needed}, and macOS {available} must do")
            }
            Self::OtherSystem(system) => write!(f, "is not for macOS but for {system:?}"),
            Self::ChainedFixups => f.write_str("has chained fixups, which dyld before macOS 11 cannot read"),
            Self::Unsigned => f.write_str("is not signed, and macOS on arm64 loads signed code only"),
            Self::BrokenSignature { pages } => write!(f, "has a signature that {pages} of its pages do not agree with"),
            Self::Encrypted => f.write_str("is encrypted"),
            Self::ForceIntegrity => f.write_str("wants its certificate checked and has none"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.kind)
    }
}

/// The first glibc whose `dlopen` refuses to make the stack executable.
const NO_EXECUTABLE_STACK: (u16, u16) = (2, 41);
/// The first glibc that reads DT_RELR.
const RELR: (u16, u16) = (2, 36);
/// Before this one, glibc compared `p_align` with the page; since, addresses and offsets alone (glibc bug 28688).
const ANY_ALIGNMENT: (u16, u16) = (2, 35);
/// Mach-O `filetype` of a program.
const MH_EXECUTE: u32 = 2;

/// What the loaders of these machines refuse, in load order.
pub fn refusals(closure: &Closure, machine: &Machine) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut static_tls = 0_u64;
    for (member, image) in closure.images() {
        let place = closure.member(member).and_then(|member| member.opening);
        let opening = place.and_then(|opening| closure.openings.get(opening as usize));
        let at_start = opening.is_some_and(|(opening, _)| opening.mode == Mode::Program);
        let is_root = opening.is_some_and(|(_, root)| root.as_ref().ok() == Some(&member));
        let mut add = |kind| refusals.push(Refusal { member, path: image.path.to_string(), kind });
        if image.architecture != machine.architecture {
            add(RefusalKind::Architecture { file: image.architecture, process: machine.architecture });
        }
        if let Some(elf) = &image.elf {
            of_elf(elf, image, machine, at_start && is_root, at_start, &mut add);
            if elf.static_tls && !at_start && machine.glibc.is_some() {
                static_tls = static_tls.saturating_add(elf.tls_size);
                if static_tls > machine.static_tls {
                    add(RefusalKind::StaticTls { needed: static_tls, available: machine.static_tls });
                }
            }
        }
        if let Some(macho) = &image.macho {
            of_macho(macho, image, machine, &mut add);
        }
        if image.pe.is_some_and(|pe| pe.force_integrity && !pe.has_certificate) {
            add(RefusalKind::ForceIntegrity);
        }
    }
    refusals
}

fn of_elf(
    elf: &ElfTraits,
    image: &Image,
    machine: &Machine,
    is_program: bool,
    at_start: bool,
    add: &mut impl FnMut(RefusalKind),
) {
    if !is_program {
        if elf.is_pie {
            add(RefusalKind::Program);
        }
        if elf.no_open && !at_start {
            add(RefusalKind::NoOpen);
        }
    }
    if let Some(needed) = elf.isa_level.filter(|level| *level > machine.isa_level) {
        add(RefusalKind::IsaLevel { needed, available: machine.isa_level });
    }
    if let Some((oldest, newest)) = machine.glibc {
        let unstated = elf.stack == Stack::Unstated && executable_by_default(image.architecture);
        if newest >= NO_EXECUTABLE_STACK && !at_start && (elf.stack == Stack::Executable || unstated) {
            add(RefusalKind::ExecutableStack { unstated });
        }
        if elf.has_relr {
            if oldest < RELR {
                add(RefusalKind::RelativeRelocations { loader: "glibc before 2.36" });
            }
            let needs_libc = elf.version_needs.iter().find(|need| need.file.starts_with("libc.so."));
            let marked =
                |need: &crate::VersionNeed| need.versions.iter().any(|(name, _)| &**name == "GLIBC_ABI_DT_RELR");
            if newest >= RELR && needs_libc.is_some_and(|need| !marked(need)) {
                add(RefusalKind::RelativeRelocationsUnmarked);
            }
        }
        let strict = oldest < ANY_ALIGNMENT;
        if strict && !elf.is_congruent {
            add(RefusalKind::NotCongruent);
        }
        let page =
            machine.page_sizes.iter().find(|page| strict && **page > 0 && !elf.load_align.is_multiple_of(**page));
        if let Some(&page) = page.filter(|page| **page <= elf.largest_page) {
            add(RefusalKind::Alignment { file: elf.load_align, page });
        }
    }
    if let Some(&page) = machine.page_sizes.iter().find(|page| **page > elf.largest_page) {
        add(RefusalKind::Alignment { file: elf.load_align.min(elf.largest_page), page });
    }
    if let Some(oldest) = machine.musl
        && elf.has_relr
        && oldest < (1, 2, 4)
    {
        add(RefusalKind::RelativeRelocations { loader: "musl before 1.2.4" });
    }
    let has_exports = !image.symbols.exports.is_empty();
    if has_exports && !elf.has_gnu_hash && !elf.has_sysv_hash {
        add(RefusalKind::NoHash);
    }
}

/// Where a file without `PT_GNU_STACK` gets an executable stack (`DEFAULT_STACK_PERMS` in glibc).
const fn executable_by_default(architecture: Architecture) -> bool {
    matches!(architecture, Architecture::X86_64 | Architecture::I686 | Architecture::Armv7l | Architecture::S390x)
}

fn of_macho(macho: &MachOTraits, image: &Image, machine: &Machine, add: &mut impl FnMut(RefusalKind)) {
    debug_assert_eq!(image.format, Format::MachO);
    if macho.file_type == MH_EXECUTE {
        add(RefusalKind::Program);
    }
    if macho.encrypted {
        add(RefusalKind::Encrypted);
    }
    match macho.signature {
        Signature::Unsigned if image.architecture == Architecture::Aarch64 => add(RefusalKind::Unsigned),
        Signature::Broken { pages } => add(RefusalKind::BrokenSignature { pages }),
        _ => {}
    }
    let Some(available) = machine.macos else { return };
    let mac = image.minimum_os.iter().find(|minimum| minimum.system == System::MacOs);
    match (mac, image.minimum_os.first()) {
        (Some(mac), _) if mac.minimum > available => {
            add(RefusalKind::MinimumMacOs { needed: mac.minimum, available });
        }
        (None, Some(other)) => add(RefusalKind::OtherSystem(other.system)),
        _ => {}
    }
    if macho.chained_fixups && available.major < 11 && image.architecture == Architecture::X86_64 {
        add(RefusalKind::ChainedFixups);
    }
}

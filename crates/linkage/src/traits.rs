//! What only one format's loader asks about.

use objfile::{DylibVersions, ElfFacts, MachOFacts, PeFacts, SignatureState, Stack};

/// What the ELF loaders ask about.
#[derive(Debug, Clone)]
pub struct ElfTraits {
    /// Looks in itself first (`DF_SYMBOLIC`).
    pub symbolic: bool,
    /// All symbols are bound when it is loaded.
    pub bind_now: bool,
    /// Uses the static TLS model (`DF_STATIC_TLS`).
    pub static_tls: bool,
    /// Bytes of thread-local storage it brings (`PT_TLS`).
    pub tls_size: u64,
    /// What `PT_GNU_STACK` says.
    pub stack: Stack,
    /// Has relocations in read-only segments.
    pub text_relocations: bool,
    /// Has packed relative relocations (`DT_RELR`).
    pub has_relr: bool,
    /// Has a GNU hash table.
    pub has_gnu_hash: bool,
    /// Has a System V hash table.
    pub has_sysv_hash: bool,
    /// The loader must not search its default folders for it (`DF_1_NODEFLIB`).
    pub no_default_libraries: bool,
    /// `dlopen` refuses it (`DF_1_NOOPEN`).
    pub no_open: bool,
    /// A position-independent program, which `dlopen` refuses.
    pub is_pie: bool,
    /// The x86-64 level it says it needs, 1 to 4.
    pub isa_level: Option<u8>,
    /// The smallest `p_align` of its mapped segments; 0 without such.
    pub load_align: u64,
    /// Whether each mapped segment's address and offset agree modulo its own alignment.
    pub is_congruent: bool,
    /// The largest power of two modulo which the address and offset of every mapped segment agree: the largest page
    /// for which it can be mapped.
    pub largest_page: u64,
    /// Which versions of which files it needs.
    pub version_needs: Vec<VersionNeed>,
    /// Which versions it defines, the base definition left out, with their indices.
    pub version_definitions: Vec<(Box<str>, u16)>,
    /// Has a version table (`DT_VERSYM`).
    pub has_version_table: bool,
    /// Has version definitions (`DT_VERDEF`), be it the base one alone.
    pub has_version_definitions: bool,
}

/// The versions needed of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionNeed {
    /// The file.
    pub file: Box<str>,
    /// The versions, and for each whether loading succeeds without it.
    pub versions: Vec<(Box<str>, bool)>,
}

impl ElfTraits {
    pub(crate) fn of(facts: &ElfFacts<'_>) -> Self {
        /// `DT_VERSYM` and `DT_VERDEF`.
        const VERSYM: u64 = 0x6fff_fff0;
        const VERDEF: u64 = 0x6fff_fffc;
        let has = |tag| facts.dynamic.iter().any(|entry| entry.tag == tag);
        Self {
            symbolic: facts.symbolic(),
            bind_now: facts.bind_now(),
            static_tls: facts.static_tls(),
            tls_size: facts.tls.map_or(0, |tls| tls.memory_size),
            stack: facts.stack,
            text_relocations: facts.text_relocations(),
            has_relr: facts.has_relr,
            has_gnu_hash: facts.has_gnu_hash,
            has_sysv_hash: facts.has_sysv_hash,
            no_default_libraries: facts.no_default_libraries(),
            no_open: facts.no_open(),
            is_pie: facts.is_pie(),
            isa_level: facts.x86_64_level(),
            load_align: facts.load_segments().map(|segment| segment.align).min().unwrap_or(0),
            is_congruent: facts.load_segments().all(|segment| {
                !segment.align.is_power_of_two() || segment.address.wrapping_sub(segment.offset) % segment.align == 0
            }),
            largest_page: facts
                .load_segments()
                .map(|segment| 1 << segment.address.wrapping_sub(segment.offset).trailing_zeros().min(62))
                .min()
                .unwrap_or(1 << 62),
            version_needs: facts
                .version_needs
                .iter()
                .map(|need| VersionNeed {
                    file: need.file.into(),
                    versions: need.versions.iter().map(|version| (version.name.into(), version.weak)).collect(),
                })
                .collect(),
            version_definitions: facts
                .version_definitions
                .iter()
                .filter(|definition| !definition.base)
                .map(|definition| (definition.name.into(), definition.index))
                .collect(),
            has_version_table: has(VERSYM),
            has_version_definitions: has(VERDEF),
        }
    }
}

/// What dyld asks about.
#[derive(Debug, Clone)]
pub struct MachOTraits {
    /// `filetype`: 2 program, 6 dylib, 8 bundle.
    pub file_type: u32,
    /// Whether undefined symbols are bound to a library.
    pub two_level: bool,
    /// The versions of its own identity.
    pub versions: Option<DylibVersions>,
    /// Has chained fixups, which dyld before macOS 11 cannot read.
    pub chained_fixups: bool,
    /// Part of it is encrypted.
    pub encrypted: bool,
    /// The state of its code signature.
    pub signature: Signature,
}

/// The state of a Mach-O code signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    Unsigned,
    /// There is one; nobody compared the hashes.
    Unverified,
    /// The hashes are those of the pages.
    Valid,
    /// This many pages are not what was signed.
    Broken {
        /// Pages whose hash differs; at least 1.
        pages: u64,
    },
    /// Part of the code is not covered, or the kind of hash is unknown.
    Unknown,
}

impl Signature {
    pub(crate) const fn of(state: &SignatureState) -> Self {
        match state {
            SignatureState::Unsigned => Self::Unsigned,
            SignatureState::Valid { .. } => Self::Valid,
            SignatureState::Mismatch { mismatches, .. } => Self::Broken { pages: *mismatches },
            _ => Self::Unknown,
        }
    }
}

impl MachOTraits {
    pub(crate) const fn of(facts: &MachOFacts<'_>) -> Self {
        Self {
            file_type: facts.file_type,
            two_level: facts.two_level,
            versions: facts.identity_versions,
            chained_fixups: facts.chained_fixups,
            encrypted: facts.encrypted,
            signature: if facts.signature.is_some() { Signature::Unverified } else { Signature::Unsigned },
        }
    }
}

/// What Windows' loader asks about.
#[derive(Debug, Clone, Copy)]
pub struct PeTraits {
    /// `DependentLoadFlags`: non-zero narrows where needed DLLs are searched.
    pub dependent_load_flags: u16,
    /// The loader checks its certificate.
    pub force_integrity: bool,
    /// Carries a certificate.
    pub has_certificate: bool,
    /// A managed (.NET) image.
    pub is_managed: bool,
}

impl PeTraits {
    pub(crate) fn of(facts: &PeFacts<'_>) -> Self {
        Self {
            dependent_load_flags: facts.dependent_load_flags.unwrap_or(0),
            force_integrity: facts.force_integrity(),
            has_certificate: facts.certificate.is_some(),
            is_managed: facts.is_managed,
        }
    }
}

//! Whether one patched image still holds together: what a tool that edits binaries in place gets wrong.
//!
//! Nothing is run; what the loader relies on is read back: segments and sections in the file, apart from each other and
//! mapped, version needs among the needed libraries, load commands before the first section, page hashes.

use crate::rules;
use diagnostics::Rule;
use objfile::{Object, SignatureState};
use wheel::MemberHash;

/// Something in an image that the loader or the processor will stumble over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) rule: &'static Rule,
    /// A part of a sentence about the image: `has …`.
    pub(crate) what: String,
    /// The loader takes it all the same: a sign of a bad patch, and no more than that.
    pub(crate) loads: bool,
}

/// A section of code, as a repair has to leave it. Where it lies in the file and in memory is a patcher's to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    /// The section's name.
    pub(crate) section: String,
    /// What is in it; nothing for what lies beyond the file's end or over other sections.
    digest: Option<MemberHash>,
}

/// The state of a Mach-O's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// Not a Mach-O.
    NotApplicable,
    /// There is none.
    Unsigned,
    /// Every page has its hash.
    Valid,
    /// Some page has not, or the hashes cannot be checked.
    Broken,
}

/// The page size that Linux policies are served with; aarch64 images are aligned for more by their linkers.
const PAGE: u64 = 4096;

pub(crate) fn signature(object: &Object<'_>) -> Signature {
    if object.macho().is_none() {
        return Signature::NotApplicable;
    }
    match objfile::verify_signature(object) {
        Ok(SignatureState::Unsigned) => Signature::Unsigned,
        Ok(SignatureState::Valid { .. }) => Signature::Valid,
        Ok(_) | Err(_) => Signature::Broken,
    }
}

/// The sections that are executed: ELF's `SHT_PROGBITS` with `SHF_EXECINSTR`, Mach-O's with instructions, PE's with code, up to
/// what is used of them in memory.
pub(crate) fn code(object: &Object<'_>) -> Vec<Code> {
    const SHT_PROGBITS: u32 = 1;
    const SHF_EXECINSTR: u64 = 4;
    const IMAGE_SCN_CNT_CODE: u32 = 0x20;
    const IMAGE_SCN_MEM_EXECUTE: u32 = 0x2000_0000;
    let mut sections: Vec<(&str, u64, u64, u64)> = Vec::new();
    if let Some(elf) = object.elf() {
        let code = elf.sections.iter().filter(|one| one.kind == SHT_PROGBITS && one.flags & SHF_EXECINSTR != 0);
        sections.extend(code.map(|one| (one.name, one.address, one.offset, one.size)));
    }
    if let Some(macho) = object.macho() {
        let code = macho.sections.iter().filter(|one| one.is_code() && !one.is_zero_fill());
        sections.extend(code.map(|one| (one.name, one.address, one.offset, one.size)));
    }
    if let Some(pe) = object.pe() {
        let is_code = |characteristics| characteristics & (IMAGE_SCN_CNT_CODE | IMAGE_SCN_MEM_EXECUTE) != 0;
        let code = pe.sections.iter().filter(|one| is_code(one.characteristics));
        sections.extend(code.map(|one| {
            let used = one.memory_size.min(one.file_size);
            (one.name, u64::from(one.address), u64::from(one.offset), u64::from(used))
        }));
    }
    sections.sort_by_key(|(name, address, ..)| (*address, *name));
    // Sections that lie over each other would be hashed again and again.
    let mut rest = object.bytes.len() as u64;
    let digest = |(name, _, offset, size): (&str, u64, u64, u64)| {
        let range = usize::try_from(offset).ok()..usize::try_from(offset.saturating_add(size)).ok();
        let bytes = match range {
            std::ops::Range { start: Some(start), end: Some(end) } => object.bytes.get(start..end),
            _ => None,
        };
        let bytes = bytes.filter(|_| size <= rest);
        rest = rest.saturating_sub(size);
        Code { section: name.to_owned(), digest: bytes.map(wheel::hash) }
    };
    sections.into_iter().map(digest).collect()
}

pub(crate) fn faults(object: &Object<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(elf) = object.elf() {
        self::elf(object, elf, &mut faults);
    }
    if let Some(macho) = object.macho() {
        self::macho(object, macho, &mut faults);
    }
    if let Some(pe) = object.pe() {
        self::pe(object, pe, &mut faults);
    }
    faults
}

fn damaged(what: String) -> Fault {
    Fault { rule: &rules::IMAGE_DAMAGED, what, loads: false }
}

fn elf(object: &Object<'_>, elf: &objfile::ElfFacts<'_>, faults: &mut Vec<Fault>) {
    const SHT_NOBITS: u32 = 8;
    const SHF_ALLOC: u64 = 2;
    const SHF_TLS: u64 = 0x400;
    let size = object.bytes.len() as u64;
    let mut end = 0;
    for load in elf.load_segments() {
        if load.offset.checked_add(load.file_size).is_none_or(|end| end > size) {
            faults.push(damaged(format!("has a segment at {:#x} that reaches beyond the file's end", load.address)));
        }
        if !load.fits_page(PAGE) {
            faults.push(damaged(format!("has a segment at {:#x} that is not aligned to pages", load.address)));
        }
        if load.address < end {
            faults.push(damaged(format!("has a segment at {:#x} that lies over the one before it", load.address)));
        }
        end = load.address.saturating_add(load.memory_size);
    }
    for section in elf.sections.iter().filter(|section| section.flags & SHF_ALLOC != 0 && section.size != 0) {
        if section.kind == SHT_NOBITS && section.flags & SHF_TLS != 0 {
            // Takes no room where it stands; each thread has its own.
            continue;
        }
        let section_end = section.address.saturating_add(section.size);
        let mapped = elf.load_segments().any(|load| {
            load.address <= section.address && section_end <= load.address.saturating_add(load.memory_size)
        });
        if !mapped {
            // The loader looks at segments alone.
            let what = format!("has the section `{}` outside of what is mapped", section.name);
            faults.push(Fault { loads: true, ..damaged(what) });
        }
    }
    if let Some(strings) = &elf.dynamic_strings {
        let mapped = elf
            .load_segments()
            .any(|load| load.offset <= strings.start && strings.end <= load.offset.saturating_add(load.file_size));
        if !mapped {
            faults.push(damaged("has its dynamic strings outside of what is mapped".to_owned()));
        }
    }
    for need in &elf.version_needs {
        if !object.needed.iter().any(|needed| needed.name == need.file) {
            faults.push(Fault {
                rule: &rules::VERSION_NEED_STRANDED,
                what: format!("needs versions of `{}`, which is not among the libraries that it needs", need.file),
                loads: false,
            });
        }
    }
}

fn macho(object: &Object<'_>, macho: &objfile::MachOFacts<'_>, faults: &mut Vec<Fault>) {
    let size = object.bytes.len() as u64;
    let first = macho
        .sections
        .iter()
        .filter(|section| !section.is_zero_fill() && section.size != 0)
        .map(|section| section.offset)
        .min();
    if first.is_some_and(|first| first < macho.load_commands_end) {
        faults.push(damaged("has load commands that reach into its first section".to_owned()));
    }
    let mut end = 0;
    for segment in macho.segments.iter().filter(|segment| segment.file_size != 0) {
        let segment_end = segment.offset.saturating_add(segment.file_size);
        if segment_end > size {
            faults.push(damaged(format!("has the segment `{}` beyond the file's end", segment.name)));
        }
        if segment.offset < end {
            faults.push(damaged(format!("has the segment `{}` over the one before it", segment.name)));
        }
        end = segment_end;
    }
}

fn pe(object: &Object<'_>, pe: &objfile::PeFacts<'_>, faults: &mut Vec<Fault>) {
    let size = object.bytes.len() as u64;
    let mut end = u64::from(pe.size_of_headers);
    for section in &pe.sections {
        let address = u64::from(section.address);
        if address < end {
            faults.push(damaged(format!("has the section `{}` over what lies before it", section.name)));
        }
        end = address + u64::from(section.memory_size.max(1));
        if u64::from(section.offset) + u64::from(section.file_size) > size {
            faults.push(damaged(format!("has the section `{}` beyond the file's end", section.name)));
        }
    }
    if end > u64::from(pe.size_of_image) {
        faults.push(damaged("is bigger in memory than its header says".to_owned()));
    }
    if pe.checksum != 0 && objfile::pe_checksum(object.bytes, pe.checksum_offset) != pe.checksum {
        // Windows looks at it for drivers and what boots.
        faults.push(Fault { loads: true, ..damaged("has a checksum that is not its own".to_owned()) });
    }
}

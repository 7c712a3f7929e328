//! Where an object keeps its constant data, so that callers can look through it for names.

use std::borrow::Cow;
use std::ops::Range;

use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_PROGBITS};

use crate::coff::CoffFacts;
use crate::elf::ElfFacts;
use crate::macho::MachOFacts;
use crate::object::{Details, Object};
use crate::pe::PeFacts;

/// A stretch of allocated read-only data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOnlySection<'a> {
    /// The section's name, `.rodata` or `__TEXT,__cstring`; `PT_LOAD` for a segment of an ELF file without sections.
    pub name: Cow<'a, str>,
    /// Where it starts in [`Object::bytes`].
    pub offset: u64,
    /// The address (PE: RVA; relocatable objects: 0) at which its first byte is loaded.
    pub address: u64,
    /// The data.
    pub bytes: &'a [u8],
}

/// A part of the file that is a candidate.
struct Place<'a> {
    name: Cow<'a, str>,
    address: u64,
    range: Range<u64>,
}

impl<'a> Place<'a> {
    fn new(name: impl Into<Cow<'a, str>>, address: u64, offset: u64, size: u64) -> Self {
        Self { name: name.into(), address, range: offset..offset.saturating_add(size) }
    }
}

pub(crate) fn read_only_sections<'a>(object: &Object<'a>) -> Vec<ReadOnlySection<'a>> {
    let no_holes: &[Range<u64>] = &[];
    match &object.details {
        Details::Elf(facts) if facts.sections.is_empty() => {
            disjoint(object.bytes, elf_segments(facts), facts.dynamic_strings.as_slice())
        }
        Details::Elf(facts) => disjoint(object.bytes, elf_sections(facts), no_holes),
        Details::MachO(facts) => disjoint(object.bytes, macho_sections(facts), no_holes),
        Details::Pe(facts) => disjoint(object.bytes, pe_sections(facts), &facts.symbol_names),
        Details::Coff(facts) => disjoint(object.bytes, coff_sections(facts), no_holes),
    }
}

fn elf_sections<'a>(facts: &ElfFacts<'a>) -> Vec<Place<'a>> {
    const WANTED: u64 = SHF_ALLOC as u64;
    const MASK: u64 = (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR) as u64;
    const LOADERS: [&str; 4] = [".eh_frame", ".eh_frame_hdr", ".gcc_except_table", ".interp"];
    let sections = facts.sections.iter().filter(|section| {
        section.kind == SHT_PROGBITS && section.flags & MASK == WANTED && !LOADERS.contains(&section.name)
    });
    sections.map(|section| Place::new(section.name, section.address, section.offset, section.size)).collect()
}

/// Without section headers: the read-only segments. Old linkers made none, and put constants beside the code.
fn elf_segments<'a>(facts: &ElfFacts<'a>) -> Vec<Place<'a>> {
    let place = |segment: &crate::Segment| Place::new("PT_LOAD", segment.address, segment.offset, segment.file_size);
    let fixed = || facts.load_segments().filter(|segment| !segment.is_writable());
    let data: Vec<_> = fixed().filter(|segment| !segment.is_executable()).map(place).collect();
    if data.is_empty() { fixed().map(place).collect() } else { data }
}

fn macho_sections<'a>(facts: &MachOFacts<'a>) -> Vec<Place<'a>> {
    const S_REGULAR: u8 = 0;
    const S_CSTRING_LITERALS: u8 = 2;
    const UNWIND: [&str; 3] = ["__eh_frame", "__unwind_info", "__gcc_except_tab"];
    let sections = facts.sections.iter().filter(|section| match section.segment {
        "__TEXT" => {
            matches!(section.kind(), S_REGULAR | S_CSTRING_LITERALS)
                && !section.is_code()
                && !UNWIND.contains(&section.name)
        }
        "__DATA_CONST" => section.name == "__const",
        _ => false,
    });
    sections
        .map(|section| {
            let name = format!("{},{}", section.segment, section.name);
            Place::new(name, section.address, section.offset, section.size)
        })
        .collect()
}

/// Initialised and readable, neither writable nor executable, kept in memory, and no table of the linker's.
fn is_constant(name: &str, characteristics: u32) -> bool {
    const INITIALISED_AND_READABLE: u32 = 0x4000_0040;
    const MASK: u32 = 0xe200_0ac0; // with: write, execute, discardable, link information, link removal, uninitialised
    const TABLES: [&str; 8] = [".buildid", ".pdata", ".xdata", ".rsrc", ".reloc", ".edata", ".idata", ".eh_frame"];
    let table = TABLES
        .iter()
        .any(|table| name.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('$')));
    characteristics & MASK == INITIALISED_AND_READABLE && !table && !name.starts_with(".debug")
}

fn pe_sections<'a>(facts: &PeFacts<'a>) -> Vec<Place<'a>> {
    let sections = facts.sections.iter().filter(|section| is_constant(section.name, section.characteristics));
    sections
        .map(|section| {
            // What lies beyond the size in memory is padding.
            let size =
                if section.memory_size == 0 { section.file_size } else { section.file_size.min(section.memory_size) };
            Place::new(section.name, section.address.into(), section.offset.into(), size.into())
        })
        .collect()
}

fn coff_sections<'a>(facts: &CoffFacts<'a>) -> Vec<Place<'a>> {
    let sections = facts.sections.iter().filter(|section| section.offset != 0);
    let sections = sections.filter(|section| is_constant(section.name, section.characteristics));
    sections.map(|section| Place::new(section.name, 0, section.offset.into(), section.size.into())).collect()
}

/// The places in file order, none reaching into another or into a hole, and none outside the file. `holes` are disjoint
/// and in order.
fn disjoint<'a>(bytes: &'a [u8], mut places: Vec<Place<'a>>, holes: &[Range<u64>]) -> Vec<ReadOnlySection<'a>> {
    places.sort_by_key(|place| place.range.start);
    let mut found = Vec::new();
    let mut done = 0;
    let mut holes = holes.iter().peekable();
    for place in places {
        let mut start = place.range.start.max(done);
        let end = place.range.end.min(bytes.len() as u64);
        let mut keep = |start: u64, end: u64| {
            let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            if let Some(part) = part.and_then(|(start, end)| bytes.get(start..end))
                && !part.is_empty()
            {
                let address = place.address.wrapping_add(start - place.range.start);
                found.push(ReadOnlySection { name: place.name.clone(), offset: start, address, bytes: part });
            }
        };
        while holes.next_if(|hole| hole.end <= start).is_some() {}
        while let Some(hole) = holes.peek().filter(|hole| hole.start < end) {
            keep(start, hole.start.max(start));
            start = start.max(hole.end);
            if hole.end > end {
                break;
            }
            holes.next();
        }
        keep(start, end);
        done = done.max(end);
    }
    found
}

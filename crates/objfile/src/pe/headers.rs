//! The headers, the section table, and the way from an RVA to a place in the file.

use std::ops::Range;

use super::{DataDirectory, PeFacts, PeSection};
use crate::bytes::{Budget, Data, RawName, bad_value};
use crate::error::{ParseError, Problem};

pub(super) const DIR_EXPORT: usize = 0;
pub(super) const DIR_IMPORT: usize = 1;
pub(super) const DIR_CERTIFICATE: usize = 4;
pub(super) const DIR_DEBUG: usize = 6;
pub(super) const DIR_TLS: usize = 9;
pub(super) const DIR_LOAD_CONFIG: usize = 10;
pub(super) const DIR_DELAY_IMPORT: usize = 13;
pub(super) const DIR_MANAGED: usize = 14;

/// An image's headers and how its parts are mapped.
pub(super) struct Image<'a> {
    pub(super) data: Data<'a>,
    pub(super) wide: bool,
    pub(super) facts: PeFacts<'a>,
    pub(super) subsystem_version: (u16, u16),
    /// Sections with bytes in the file, by address.
    by_address: Vec<PeSection<'a>>,
    budget: Budget,
    /// Names that were read, to be kept apart from the program's own texts.
    pub(super) name_places: Vec<Range<u64>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Image<'_>, ParseError> {
    const OPTIONAL: &str = "optional header";
    let data = Data { bytes, big: false };
    let signature_offset = u64::from(data.record("DOS header", 0, 64)?.u32(0x3c));
    let signature = data.slice("PE signature", signature_offset, 4)?;
    if signature != b"PE\0\0" {
        let value = data.record("PE signature", signature_offset, 4)?.u32(0);
        return Err(bad_value("PE signature", signature_offset, "signature", value.into()));
    }
    let coff = data.record("COFF header", signature_offset + 4, 20)?;
    let (sections, optional_size) = (u64::from(coff.u16(2)), u64::from(coff.u16(16)));
    let start = signature_offset + 24;

    let magic = data.record(OPTIONAL, start, 2)?.u16(0);
    let (wide, directories_at) = match magic {
        0x10b => (false, 96),
        0x20b => (true, 112),
        _ => return Err(bad_value(OPTIONAL, start, "Magic", magic.into())),
    };
    let optional = data.record(OPTIONAL, start, directories_at)?;
    if optional_size < directories_at {
        return Err(bad_value("COFF header", signature_offset + 20, "SizeOfOptionalHeader", optional_size));
    }
    // The loader looks at no more than sixteen, whatever the header says.
    let count = u64::from(optional.u32(directories_at as usize - 4)).min(16).min((optional_size - directories_at) / 8);
    let directories_at = start + directories_at;
    let directories = data
        .table("data directories", directories_at, count, 8)?
        .map(|entry| DataDirectory { address: entry.u32(0), size: entry.u32(4) })
        .collect();

    let facts = PeFacts {
        machine: coff.u16(0),
        characteristics: coff.u16(18),
        timestamp: coff.u32(4),
        dll_characteristics: optional.u16(70),
        subsystem: optional.u16(68),
        linker_version: (optional.u8(2), optional.u8(3)),
        image_base: if wide { optional.u64(24) } else { optional.u32(28).into() },
        entry_point: optional.u32(16),
        size_of_image: optional.u32(56),
        size_of_headers: optional.u32(60),
        section_alignment: optional.u32(32),
        file_alignment: optional.u32(36),
        checksum: optional.u32(64),
        signature_offset,
        optional_header_offset: start,
        checksum_offset: start + 64,
        section_table_offset: start + optional_size,
        data_directories_offset: directories_at,
        data_directories: directories,
        ..PeFacts::default()
    };
    let mut image = Image {
        data,
        wide,
        subsystem_version: (optional.u16(48), optional.u16(50)),
        facts,
        by_address: Vec::new(),
        budget: Budget::for_bytes(bytes),
        name_places: Vec::new(),
    };
    image.read_sections(sections)?;
    Ok(image)
}

impl<'a> Image<'a> {
    fn read_sections(&mut self, count: u64) -> Result<(), ParseError> {
        let at = self.facts.section_table_offset;
        let mut header_offset = at;
        let mut end = u64::from(self.facts.size_of_headers).min(self.data.len());
        for header in self.data.table("section table", at, count, 40)? {
            let (memory_size, file_size, offset) = (header.u32(8), header.u32(16), header.u32(20));
            // The loader rounds the place of the data down to a sector.
            let offset = if self.facts.file_alignment >= 0x200 { offset & !0x1ff } else { offset };
            if file_size != 0 && offset != 0 {
                self.data.slice("section data", offset.into(), file_size.into())?;
                end = end.max(u64::from(offset) + u64::from(file_size));
            }
            self.facts.sections.push(PeSection {
                name: header.padded(0, 8),
                address: header.u32(12),
                memory_size,
                offset,
                file_size: if offset == 0 { 0 } else { file_size },
                characteristics: header.u32(36),
                slack: if memory_size == 0 { 0 } else { file_size.saturating_sub(memory_size) },
                header_offset,
            });
            header_offset += 40;
        }
        self.by_address = self.facts.sections.iter().filter(|section| section.file_size > 0).copied().collect();
        self.by_address.sort_by_key(|section| section.address);
        self.facts.overlay = (end < self.data.len()).then(|| end..self.data.len());
        // Alone among the directories this one holds a place in the file.
        if let Some(place) = self.directory(DIR_CERTIFICATE) {
            self.data.slice("certificate table", place.address.into(), place.size.into())?;
            self.facts.certificate = Some(place.address.into()..u64::from(place.address) + u64::from(place.size));
        }
        Ok(())
    }

    /// A data directory that is there.
    pub(super) fn directory(&self, index: usize) -> Option<DataDirectory> {
        self.facts
            .data_directories
            .get(index)
            .copied()
            .filter(|directory| directory.address != 0 && directory.size != 0)
    }

    fn section_at(&self, rva: u32) -> Option<&PeSection<'a>> {
        let after = self.by_address.partition_point(|section| section.address <= rva);
        let section = self.by_address.get(after.checked_sub(1)?)?;
        (rva - section.address < section.file_size.max(section.memory_size)).then_some(section)
    }

    pub(super) fn is_code(&self, rva: u32) -> bool {
        const EXECUTE: u32 = 0x2000_0000;
        self.section_at(rva).is_some_and(|section| section.characteristics & EXECUTE != 0)
    }

    /// Where an RVA lies in the file, and how many bytes follow there in the same section.
    pub(super) fn locate(&self, structure: &'static str, rva: u32) -> Result<(u64, u64), ParseError> {
        let header_end = u64::from(self.facts.size_of_headers).min(self.data.len());
        if u64::from(rva) < header_end {
            return Ok((rva.into(), header_end - u64::from(rva)));
        }
        self.section_at(rva)
            .and_then(|section| {
                let inside = rva - section.address;
                let left = section.file_size.checked_sub(inside).filter(|left| *left > 0)?;
                Some((u64::from(section.offset) + u64::from(inside), left.into()))
            })
            .ok_or(ParseError::Malformed { structure, offset: 0, problem: Problem::Unmapped { address: rva.into() } })
    }

    /// The bytes from an RVA to the end of its section, and where they start in the file.
    pub(super) fn mapped(&self, structure: &'static str, rva: u32) -> Result<(Data<'a>, u64), ParseError> {
        let (offset, size) = self.locate(structure, rva)?;
        Ok((Data { bytes: self.data.slice(structure, offset, size)?, big: false }, offset))
    }

    /// The text at an RVA. `before` is the size of what belongs to it and stands before it: an import's hint.
    pub(super) fn text(&mut self, structure: &'static str, rva: u32, before: u64) -> Result<RawName<'a>, ParseError> {
        let (rest, offset) = self.mapped(structure, rva)?;
        let name = rest.text(structure, 0, &mut self.budget).map_err(|error| error.shifted(offset))?;
        let place = offset.saturating_sub(before)..offset + name.bytes.len() as u64 + 1;
        // Linkers put these names side by side: one place for all of them, but for padding.
        match self.name_places.last_mut() {
            Some(last) if place.start >= last.start && place.start <= last.end + 2 => {
                last.end = last.end.max(place.end);
            }
            _ => self.name_places.push(place),
        }
        Ok(RawName { bytes: name.bytes, offset })
    }
}

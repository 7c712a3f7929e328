//! Notes: the build identifier and the x86 instruction set level.

use goblin::elf::note::{NT_GNU_BUILD_ID, NT_GNU_PROPERTY_TYPE_0};

use super::{Section, Segment};
use crate::bytes::{Data, Record};

#[derive(Default)]
pub(super) struct Notes<'a> {
    pub(super) build_id: Option<&'a [u8]>,
    pub(super) x86_isa_needed: Option<u32>,
}

/// Reads the notes of `PT_NOTE` segments, or of `SHT_NOTE` sections where there are no segments. The loader ignores notes
/// that it cannot read, and so does this.
pub(super) fn read<'a>(data: Data<'a>, wide: bool, segments: &[Segment], sections: &[Section<'_>]) -> Notes<'a> {
    const PT_NOTE: u32 = 4;
    const SHT_NOTE: u32 = 7;
    let in_segments = segments.iter().filter(|segment| segment.kind == PT_NOTE);
    let in_sections = sections.iter().filter(|section| section.kind == SHT_NOTE && segments.is_empty());
    let places = in_segments
        .map(|segment| (segment.offset, segment.file_size, segment.align))
        .chain(in_sections.map(|section| (section.offset, section.size, section.align)));
    let mut notes = Notes::default();
    let mut left = data.len(); // places that overlap are read no more often than the file is long
    for (offset, size, align) in places {
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
        if let Ok(bytes) = data.slice("notes", offset, size) {
            notes.add(bytes, data.big, if align == 8 { 8 } else { 4 }, wide);
        }
    }
    notes
}

impl<'a> Notes<'a> {
    fn add(&mut self, mut bytes: &'a [u8], big: bool, align: usize, wide: bool) {
        while bytes.len() >= 12 {
            let header = Record { bytes, big };
            let (name_size, size, kind) = (header.u32(0) as usize, header.u32(4) as usize, header.u32(8));
            let at = (12_usize.saturating_add(name_size)).next_multiple_of(align);
            let Some(content) = bytes.get(at..).and_then(|rest| rest.get(..size)) else { return };
            if bytes.get(12..16) == Some(b"GNU\0") && name_size == 4 {
                match kind {
                    NT_GNU_BUILD_ID => self.build_id = Some(content),
                    NT_GNU_PROPERTY_TYPE_0 => self.properties(content, big, if wide { 8 } else { 4 }),
                    _ => {}
                }
            }
            let next = at.saturating_add(size).next_multiple_of(align);
            bytes = bytes.get(next..).unwrap_or_default();
        }
    }

    fn properties(&mut self, mut bytes: &[u8], big: bool, align: usize) {
        const X86_ISA_1_NEEDED: u32 = 0xc000_8002;
        while bytes.len() >= 8 {
            let header = Record { bytes, big };
            let (kind, size) = (header.u32(0), header.u32(4) as usize);
            if kind == X86_ISA_1_NEEDED && size == 4 && bytes.len() >= 12 {
                self.x86_isa_needed = Some(header.u32(8));
            }
            let next = 8_usize.saturating_add(size).next_multiple_of(align);
            bytes = bytes.get(next..).unwrap_or_default();
        }
    }
}

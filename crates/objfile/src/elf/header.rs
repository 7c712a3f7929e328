//! The ELF header, program headers and section headers.

use goblin::elf::header::{
    EI_CLASS, EI_DATA, EI_OSABI, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, EM_386, EM_AARCH64, EM_ARM,
    EM_LOONGARCH, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64,
};
use goblin::elf::section_header::SHT_NOBITS;

use super::{Section, Segment};
use crate::bytes::{Data, Names, Record, StringTable, bad_value};
use crate::error::ParseError;
use crate::object::Architecture;

/// `SHN_XINDEX`, `PN_XNUM`: the true number stands in the first section header.
const EXTENDED: u64 = 0xffff;

pub(super) struct Header {
    pub(super) wide: bool,
    pub(super) big: bool,
    pub(super) os_abi: u8,
    pub(super) file_type: u16,
    pub(super) machine: u16,
    pub(super) flags: u32,
    segments: (u64, u64),
    sections: (u64, u64),
    section_names: u64,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ParseError> {
        const WHAT: &str = "ELF header";
        let ident = Data { bytes, big: false }.record(WHAT, 0, 16)?;
        let wide = match ident.u8(EI_CLASS) {
            ELFCLASS32 => false,
            ELFCLASS64 => true,
            class => return Err(bad_value(WHAT, EI_CLASS as u64, "EI_CLASS", class.into())),
        };
        let big = match ident.u8(EI_DATA) {
            ELFDATA2LSB => false,
            ELFDATA2MSB => true,
            order => return Err(bad_value(WHAT, EI_DATA as u64, "EI_DATA", order.into())),
        };
        let data = Data { bytes, big };
        let header = data.record(WHAT, 0, if wide { 64 } else { 52 })?;
        let (phoff, shoff, rest) = if wide { (32, 40, 48) } else { (28, 32, 36) };
        let phoff = header.word(phoff, wide);
        let shoff = header.word(shoff, wide);
        let short = |at: usize| u64::from(header.u16(rest + at));
        let (phentsize, mut phnum, shentsize, mut shnum, mut section_names) =
            (short(6), short(8), short(10), short(12), short(14));

        if shoff != 0 {
            let size = section_size(wide);
            if (shnum != 0 || phnum == EXTENDED) && shentsize != size {
                return Err(bad_value(WHAT, rest as u64 + 10, "e_shentsize", shentsize));
            }
            if shnum == 0 || phnum == EXTENDED || section_names == EXTENDED {
                let first = data.record("first section header", shoff, size)?;
                let (size_at, link_at, info_at) = if wide { (32, 40, 44) } else { (20, 24, 28) };
                if shnum == 0 {
                    shnum = first.word(size_at, wide);
                }
                if section_names == EXTENDED {
                    section_names = first.u32(link_at).into();
                }
                if phnum == EXTENDED {
                    phnum = first.u32(info_at).into();
                }
            }
        } else if shnum != 0 {
            return Err(bad_value(WHAT, rest as u64 + 12, "e_shnum without e_shoff", shnum));
        }
        if phnum != 0 && phentsize != segment_size(wide) {
            return Err(bad_value(WHAT, rest as u64 + 6, "e_phentsize", phentsize));
        }
        Ok(Self {
            wide,
            big,
            os_abi: ident.u8(EI_OSABI),
            file_type: header.u16(16),
            machine: header.u16(18),
            flags: header.u32(rest),
            segments: (phoff, phnum),
            sections: (shoff, if shoff == 0 { 0 } else { shnum }),
            section_names,
        })
    }

    pub(super) fn architecture(&self) -> Architecture {
        match (self.machine, self.wide, self.big) {
            (EM_X86_64, true, false) => Architecture::X86_64,
            (EM_AARCH64, true, false) => Architecture::Aarch64,
            (EM_386, false, false) => Architecture::I686,
            (EM_ARM, false, false) => Architecture::Armv7l,
            (EM_PPC64, true, false) => Architecture::Ppc64le,
            (EM_S390, true, true) => Architecture::S390x,
            (EM_RISCV, true, false) => Architecture::Riscv64,
            (EM_LOONGARCH, true, false) => Architecture::Loongarch64,
            (other, ..) => Architecture::Other(other.into()),
        }
    }

    pub(super) fn segments(&self, data: Data<'_>) -> Result<Vec<Segment>, ParseError> {
        let (offset, count) = self.segments;
        let wide = self.wide;
        let table = data.table("ELF program headers", offset, count, segment_size(wide))?;
        Ok(table
            .map(|header| {
                let [offset, address, file_size, memory_size, align] =
                    if wide { [8, 16, 32, 40, 48] } else { [4, 8, 16, 20, 28] }.map(|at| header.word(at, wide));
                let flags = header.u32(if wide { 4 } else { 24 });
                Segment { kind: header.u32(0), flags, offset, address, file_size, memory_size, align }
            })
            .collect())
    }

    /// All section headers. That each one's data lies in the file is checked where it is read.
    pub(super) fn sections<'a>(&self, data: Data<'a>) -> Result<Vec<Section<'a>>, ParseError> {
        const WHAT: &str = "section name table";
        let (offset, count) = self.sections;
        let wide = self.wide;
        let table = data.table("ELF section headers", offset, count, section_size(wide))?;
        let strings = match table.clone().nth(usize::try_from(self.section_names).unwrap_or(usize::MAX)) {
            Some(header) if self.section_names != 0 => section(header, wide, ""),
            _ => return Ok(table.map(|header| section(header, wide, "")).collect()),
        };
        if strings.kind == SHT_NOBITS {
            return Ok(table.map(|header| section(header, wide, "")).collect());
        }
        let mut strings = StringTable::new(WHAT, data.slice(WHAT, strings.offset, strings.size)?, strings.offset);
        let mut names = Names::default();
        table
            .map(|header| {
                let index = header.u32(0);
                // Index 0 is "no name", also where the table is empty.
                let name = if index == 0 { None } else { names.text("section", strings.get(index.into())?) };
                Ok(section(header, wide, name.unwrap_or_default()))
            })
            .collect()
    }
}

fn segment_size(wide: bool) -> u64 {
    if wide { 56 } else { 32 }
}

fn section_size(wide: bool) -> u64 {
    if wide { 64 } else { 40 }
}

fn section<'a>(header: Record<'_>, wide: bool, name: &'a str) -> Section<'a> {
    let [flags, address, offset, size, align, entry_size] =
        if wide { [8, 16, 24, 32, 48, 56] } else { [8, 12, 16, 20, 32, 36] }.map(|at| header.word(at, wide));
    let (link, info) = if wide { (header.u32(40), header.u32(44)) } else { (header.u32(24), header.u32(28)) };
    Section { name, kind: header.u32(4), flags, address, offset, size, link, info, align, entry_size }
}

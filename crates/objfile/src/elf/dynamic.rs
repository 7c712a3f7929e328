//! The dynamic table, and how many dynamic symbols there are, which it does not say.

use goblin::elf::dynamic::{
    DT_FLAGS, DT_FLAGS_1, DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_NULL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ,
    DT_RELSZ, DT_STRSZ, DT_STRTAB, DT_SYMBOLIC, DT_SYMTAB, DT_TEXTREL,
};
use goblin::elf::header::EM_S390;
use goblin::elf::section_header::SHT_DYNSYM;

use super::header::Header;
use super::{Dynamic, Section, Segment};
use crate::bytes::{Data, bad_value};
use crate::error::{ParseError, Problem};

/// The dynamic table with what is needed to follow its addresses.
pub(super) struct DynamicTable<'a> {
    pub(super) data: Data<'a>,
    pub(super) wide: bool,
    pub(super) entries: Vec<Dynamic>,
    loads: Vec<Segment>,
    machine: u16,
}

impl<'a> DynamicTable<'a> {
    pub(super) fn read(data: Data<'a>, header: &Header, segments: &[Segment]) -> Result<Option<Self>, ParseError> {
        const WHAT: &str = "dynamic table";
        const PT_DYNAMIC: u32 = 2;
        let Some(place) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) else { return Ok(None) };
        let wide = header.wide;
        let size = if wide { 16 } else { 8 };
        data.slice(WHAT, place.offset, place.file_size)?;
        let mut entries = Vec::new();
        let mut offset = place.offset;
        for entry in data.table(WHAT, place.offset, place.file_size / size, size)? {
            let (tag, value) = (entry.word(0, wide), entry.word(size as usize / 2, wide));
            if tag == DT_NULL {
                break;
            }
            entries.push(Dynamic { tag, value, offset });
            offset += size;
        }
        let mut loads: Vec<Segment> =
            segments.iter().filter(|segment| segment.kind == Segment::LOAD && segment.file_size > 0).copied().collect();
        loads.sort_by_key(|segment| segment.address);
        Ok(Some(Self { data, wide, entries, loads, machine: header.machine }))
    }

    /// The value of a tag; of several the last, as the loaders have it.
    pub(super) fn value(&self, tag: u64) -> Option<u64> {
        self.entries.iter().rev().find(|entry| entry.tag == tag).map(|entry| entry.value)
    }

    /// The values of a tag that may stand several times.
    pub(super) fn values(&self, tag: u64) -> impl Iterator<Item = u64> {
        self.entries.iter().filter(move |entry| entry.tag == tag).map(|entry| entry.value)
    }

    /// Where an address lies in the file, and how many bytes its segment has from there.
    pub(super) fn locate(&self, structure: &'static str, address: u64) -> Result<(u64, u64), ParseError> {
        let after = self.loads.partition_point(|segment| segment.address <= address);
        let segment = after.checked_sub(1).and_then(|index| self.loads.get(index));
        segment
            .filter(|segment| address - segment.address < segment.file_size)
            .and_then(|segment| {
                let inside = address - segment.address;
                Some((segment.offset.checked_add(inside)?, segment.file_size - inside))
            })
            .ok_or(ParseError::Malformed { structure, offset: 0, problem: Problem::Unmapped { address } })
    }

    /// `DT_FLAGS` with the older single tags, and `DT_FLAGS_1`.
    pub(super) fn flags(&self) -> (u64, u64) {
        const DT_BIND_NOW: u64 = 24;
        let old = [(DT_SYMBOLIC, 0x2), (DT_TEXTREL, 0x4), (DT_BIND_NOW, 0x8)];
        let old = old.iter().filter(|(tag, _)| self.value(*tag).is_some()).fold(0, |flags, (_, bit)| flags | bit);
        (self.value(DT_FLAGS).unwrap_or(0) | old, self.value(DT_FLAGS_1).unwrap_or(0))
    }

    /// The dynamic string table: where it starts, and its size.
    pub(super) fn strings(&self) -> Result<Option<(u64, u64)>, ParseError> {
        const WHAT: &str = "dynamic string table";
        let Some(address) = self.value(DT_STRTAB) else { return Ok(None) };
        let (offset, available) = self.locate(WHAT, address)?;
        let size = self.value(DT_STRSZ).unwrap_or(available);
        if size > available {
            let problem = Problem::Truncated { wanted: size, available };
            return Err(ParseError::Malformed { structure: WHAT, offset, problem });
        }
        self.data.slice(WHAT, offset, size)?;
        Ok(Some((offset, size)))
    }

    /// The dynamic symbol table: where it starts, and how many entries it has. The section header says it; without one, a
    /// System V hash table; else the highest symbol that the GNU hash table or a relocation uses.
    pub(super) fn symbols(&self, sections: &[Section<'_>]) -> Result<Option<(u64, u64)>, ParseError> {
        const WHAT: &str = "dynamic symbol table";
        let Some(address) = self.value(DT_SYMTAB) else { return Ok(None) };
        let (offset, available) = self.locate(WHAT, address)?;
        let size = self.symbol_size();
        let section = sections.iter().find(|section| section.kind == SHT_DYNSYM && section.offset == offset);
        let count = if let Some(section) = section {
            section.size / size
        } else if let Some(count) = self.sysv_count(available / size)? {
            count
        } else {
            self.gnu_count()?.unwrap_or(0).max(self.relocated_count()?)
        };
        if count > available / size {
            let problem = Problem::Count { claimed: count, possible: available / size };
            return Err(ParseError::Malformed { structure: WHAT, offset, problem });
        }
        Ok(Some((offset, count)))
    }

    pub(super) fn symbol_size(&self) -> u64 {
        if self.wide { 24 } else { 16 }
    }

    /// `DT_HASH` has as many chain entries as there are symbols. Its words have 8 bytes on 64-bit S/390 and Alpha, where LLD
    /// writes 4 all the same: those are read as 8 an impossible number.
    fn sysv_count(&self, most: u64) -> Result<Option<u64>, ParseError> {
        const WHAT: &str = "DT_HASH table";
        const EM_ALPHA: u16 = 0x9026;
        let Some(address) = self.value(DT_HASH) else { return Ok(None) };
        let (offset, _) = self.locate(WHAT, address)?;
        if self.wide && matches!(self.machine, EM_S390 | EM_ALPHA) {
            let count = self.data.record(WHAT, offset, 16)?.u64(8);
            if count <= most {
                return Ok(Some(count));
            }
        }
        Ok(Some(self.data.record(WHAT, offset, 8)?.u32(4).into()))
    }

    fn gnu_count(&self) -> Result<Option<u64>, ParseError> {
        const WHAT: &str = "DT_GNU_HASH table";
        let Some(address) = self.value(DT_GNU_HASH) else { return Ok(None) };
        let (offset, _) = self.locate(WHAT, address)?;
        let head = self.data.record(WHAT, offset, 16)?;
        let [buckets, first, bloom] = [0, 4, 8].map(|at| u64::from(head.u32(at)));
        let buckets_at = offset + 16 + bloom * if self.wide { 8 } else { 4 };
        let last = self.data.table(WHAT, buckets_at, buckets, 4)?.map(|bucket| bucket.u32(0)).max().unwrap_or(0);
        let last = u64::from(last);
        if last < first {
            return Ok(Some(first)); // every bucket is empty
        }
        // The last chain ends at the entry whose lowest bit is set.
        let chain = buckets_at + buckets * 4 + (last - first) * 4;
        let entries = self.data.len().saturating_sub(chain) / 4;
        let length = self.data.table(WHAT, chain, entries, 4)?.position(|hash| hash.u32(0) & 1 != 0);
        let length =
            length.ok_or(ParseError::Malformed { structure: WHAT, offset: chain, problem: Problem::Unterminated })?;
        Ok(Some(last + length as u64 + 1))
    }

    fn relocated_count(&self) -> Result<u64, ParseError> {
        const WHAT: &str = "relocation table";
        let plt_is_rela = self.value(DT_PLTREL) == Some(DT_RELA);
        let tables = [(DT_RELA, DT_RELASZ, true), (DT_REL, DT_RELSZ, false), (DT_JMPREL, DT_PLTRELSZ, plt_is_rela)];
        let mut count = 0;
        for (tag, size_tag, addends) in tables {
            let (Some(address), Some(size)) = (self.value(tag), self.value(size_tag)) else { continue };
            if size == 0 {
                continue;
            }
            let (offset, _) = self.locate(WHAT, address)?;
            let word = if self.wide { 8 } else { 4 };
            let entry = if addends { 3 * word } else { 2 * word };
            let shift = if self.wide { 32 } else { 8 };
            let symbols = self
                .data
                .table(WHAT, offset, size / entry, entry)?
                .map(|entry| entry.word(word as usize, self.wide) >> shift);
            count = count.max(symbols.max().map_or(0, |last| last + 1));
        }
        Ok(count)
    }
}

/// A tag whose value is an index of the string table, checked by the table.
pub(super) fn text_index(strings: Option<(u64, u64)>, index: u64) -> Result<u64, ParseError> {
    match strings {
        Some(_) => Ok(index),
        None => Err(bad_value("dynamic table", 0, "name without DT_STRTAB", index)),
    }
}

//! GNU symbol versions: `DT_VERNEED`, `DT_VERDEF` and `DT_VERSYM`.

use goblin::elf::dynamic::{DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM, DT_VERSYM};

use super::dynamic::DynamicTable;
use super::{NeededVersion, VersionDefinition, VersionNeed};
use crate::bytes::{Names, RawName, StringTable};
use crate::error::{ParseError, Problem};

const WEAK: u16 = 2;
const BASE: u16 = 1;

#[derive(Default)]
pub(super) struct Versions<'a> {
    pub(super) needs: Vec<VersionNeed<'a>>,
    pub(super) definitions: Vec<VersionDefinition<'a>>,
    /// What each index of the version table means.
    by_index: Vec<Meaning<'a>>,
    /// One entry per symbol; empty if symbols have no versions.
    table: &'a [u8],
    big: bool,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Meaning<'a> {
    pub(super) name: Option<&'a str>,
    /// The file of a version need.
    pub(super) file: Option<&'a str>,
}

/// What the version table says of a symbol.
#[derive(Clone, Copy, Default)]
pub(super) struct SymbolVersion<'a> {
    pub(super) meaning: Meaning<'a>,
    /// The symbol is only found by those who ask for this version.
    pub(super) hidden: bool,
}

impl<'a> Versions<'a> {
    pub(super) fn read(
        dynamic: &DynamicTable<'a>,
        symbols: u64,
        strings: &mut StringTable<'a>,
        names: &mut Names<'a>,
    ) -> Result<Self, ParseError> {
        let mut versions = Self { big: dynamic.data.big, ..Self::default() };
        if let Some(address) = dynamic.value(DT_VERNEED) {
            versions.read_needs(dynamic, address, strings, names)?;
        }
        if let Some(address) = dynamic.value(DT_VERDEF) {
            versions.read_definitions(dynamic, address, strings, names)?;
        }
        if let Some(address) = dynamic.value(DT_VERSYM) {
            let (offset, _) = dynamic.locate("symbol version table", address)?;
            versions.table = dynamic.data.slice("symbol version table", offset, symbols * 2)?;
        }
        Ok(versions)
    }

    pub(super) fn of_symbol(&self, symbol: usize) -> SymbolVersion<'a> {
        const HIDDEN: u16 = 0x8000;
        let entry = self.table.get(symbol * 2..).and_then(|rest| rest.first_chunk().copied());
        let Some(entry) = entry else { return SymbolVersion::default() };
        let entry = if self.big { u16::from_be_bytes(entry) } else { u16::from_le_bytes(entry) };
        let meaning = self.by_index.get(usize::from(entry & !HIDDEN)).copied().unwrap_or_default();
        SymbolVersion { meaning, hidden: entry & HIDDEN != 0 }
    }

    fn set(&mut self, index: u16, meaning: Meaning<'a>) {
        let index = usize::from(index & 0x7fff);
        if self.by_index.len() <= index {
            self.by_index.resize(index + 1, Meaning::default());
        }
        if let Some(slot) = self.by_index.get_mut(index) {
            *slot = meaning;
        }
    }

    fn read_needs(
        &mut self,
        dynamic: &DynamicTable<'a>,
        address: u64,
        strings: &mut StringTable<'a>,
        names: &mut Names<'a>,
    ) -> Result<(), ParseError> {
        const WHAT: &str = "version needs";
        let mut chain = Chain::new(WHAT, dynamic, address)?;
        let mut at = chain.start;
        for _ in 0..dynamic.value(DT_VERNEEDNUM).unwrap_or(u64::MAX) {
            let need = dynamic.data.record(WHAT, at, 16)?;
            chain.spend(at)?;
            let file = names.text("needed library", strings.get(need.u32(4).into())?).unwrap_or_default();
            let mut versions = Vec::new();
            let mut aux = at + u64::from(need.u32(8));
            for _ in 0..need.u16(2) {
                let entry = dynamic.data.record(WHAT, aux, 16)?;
                chain.spend(aux)?;
                let index = entry.u16(6);
                let name = names.text("version", strings.get(entry.u32(8).into())?);
                self.set(index, Meaning { name, file: Some(file) });
                if let Some(name) = name {
                    versions.push(NeededVersion { name, index, weak: entry.u16(4) & WEAK != 0 });
                }
                match entry.u32(12) {
                    0 => break,
                    next => aux += u64::from(next),
                }
            }
            self.needs.push(VersionNeed { file, versions, offset: at });
            match need.u32(12) {
                0 => break,
                next => at += u64::from(next),
            }
        }
        Ok(())
    }

    fn read_definitions(
        &mut self,
        dynamic: &DynamicTable<'a>,
        address: u64,
        strings: &mut StringTable<'a>,
        names: &mut Names<'a>,
    ) -> Result<(), ParseError> {
        const WHAT: &str = "version definitions";
        let mut chain = Chain::new(WHAT, dynamic, address)?;
        let mut at = chain.start;
        for _ in 0..dynamic.value(DT_VERDEFNUM).unwrap_or(u64::MAX) {
            let definition = dynamic.data.record(WHAT, at, 20)?;
            chain.spend(at)?;
            let (flags, index) = (definition.u16(2), definition.u16(4));
            let mut listed = Vec::new();
            let mut aux = at + u64::from(definition.u32(12));
            for _ in 0..definition.u16(6) {
                let entry = dynamic.data.record(WHAT, aux, 8)?;
                chain.spend(aux)?;
                let name: RawName<'a> = strings.get(entry.u32(0).into())?;
                listed.push(names.text("version", name).unwrap_or_default());
                match entry.u32(4) {
                    0 => break,
                    next => aux += u64::from(next),
                }
            }
            let name = listed.first().copied();
            let base = flags & BASE != 0;
            if !base {
                self.set(index, Meaning { name, file: None });
            }
            if let Some(name) = name {
                let parents = listed.split_off(1);
                let weak = flags & WEAK != 0;
                self.definitions.push(VersionDefinition { name, index, base, weak, parents });
            }
            match definition.u32(16) {
                0 => break,
                next => at += u64::from(next),
            }
        }
        Ok(())
    }
}

/// A chain of records where each says how far the next is. It only goes forward, but its branches may overlap: as many
/// records as would fit side by side are allowed.
struct Chain {
    structure: &'static str,
    start: u64,
    left: u64,
}

impl Chain {
    fn new(structure: &'static str, dynamic: &DynamicTable<'_>, address: u64) -> Result<Self, ParseError> {
        let (start, available) = dynamic.locate(structure, address)?;
        Ok(Self { structure, start, left: available / 8 })
    }

    fn spend(&mut self, offset: u64) -> Result<(), ParseError> {
        self.left = self.left.checked_sub(1).ok_or(ParseError::Malformed {
            structure: self.structure,
            offset,
            problem: Problem::Overlap,
        })?;
        Ok(())
    }
}

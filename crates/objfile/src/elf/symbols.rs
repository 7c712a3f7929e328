//! Symbol tables: what is taken and what is given.

use goblin::elf::section_header::{SHN_ABS, SHN_UNDEF, SHT_SYMTAB};
use goblin::elf::sym::{
    STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_COMMON, STT_FILE, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_SECTION,
    STT_TLS, STV_DEFAULT, STV_PROTECTED,
};

use super::Section;
use super::versions::Versions;
use crate::bytes::{Data, Names, Record, StringTable, bad_value};
use crate::error::ParseError;
use crate::symbol::{Export, ExportTarget, ExportVersion, Import, Provider, SymbolKind};

#[derive(Default)]
pub(super) struct Symbols<'a> {
    pub(super) imports: Vec<Import<'a>>,
    pub(super) exports: Vec<Export<'a>>,
}

/// One entry of either class's symbol table.
struct Entry {
    name: u32,
    info: u8,
    other: u8,
    section: u32,
    value: u64,
}

impl Entry {
    fn read(record: Record<'_>, wide: bool) -> Self {
        let (info, value) = if wide { (4, 8) } else { (12, 4) };
        Self {
            name: record.u32(0),
            info: record.u8(info),
            other: record.u8(info + 1),
            section: record.u16(info + 2).into(),
            value: record.word(value, wide),
        }
    }

    fn is_global(&self) -> bool {
        let global = matches!(self.info >> 4, STB_GLOBAL | STB_WEAK | STB_GNU_UNIQUE);
        global && !matches!(self.info & 0xf, STT_SECTION | STT_FILE)
    }

    fn is_visible(&self) -> bool {
        matches!(self.other & 3, STV_DEFAULT | STV_PROTECTED)
    }

    fn kind(&self) -> SymbolKind {
        match self.info & 0xf {
            STT_FUNC | STT_GNU_IFUNC => SymbolKind::Function,
            STT_OBJECT | STT_COMMON => SymbolKind::Data,
            STT_TLS => SymbolKind::Tls,
            _ => SymbolKind::Unknown,
        }
    }

    fn import<'a>(&self, name: &'a str, from: Provider<'a>, version: Option<&'a str>) -> Import<'a> {
        let weak = self.info >> 4 == STB_WEAK;
        Import { name, from, version, kind: self.kind(), weak, delayed: false, ordinal: None }
    }

    fn export<'a>(&self, name: &'a str, version: Option<ExportVersion<'a>>) -> Export<'a> {
        let binding = self.info >> 4;
        Export {
            name: name.into(),
            version,
            kind: self.kind(),
            weak: binding == STB_WEAK,
            unique: binding == STB_GNU_UNIQUE,
            ordinal: None,
            target: ExportTarget::Address(self.value),
        }
    }
}

/// The dynamic symbols. The absolute symbols that stand for the versions themselves are no exports.
pub(super) fn dynamic<'a>(
    data: Data<'a>,
    wide: bool,
    (offset, count): (u64, u64),
    strings: &mut StringTable<'a>,
    versions: &Versions<'a>,
    names: &mut Names<'a>,
) -> Result<Symbols<'a>, ParseError> {
    let mut symbols = Symbols::default();
    let table = data.table("dynamic symbol table", offset, count, if wide { 24 } else { 16 })?;
    symbols.exports.reserve(table.len());
    for (index, record) in table.enumerate() {
        let entry = Entry::read(record, wide);
        if entry.name == 0 || !entry.is_global() {
            continue;
        }
        let raw = strings.get(entry.name.into())?;
        let version = versions.of_symbol(index);
        if entry.section == SHN_UNDEF {
            if let Some(name) = names.text("import", raw) {
                let from = version.meaning.file.map_or(Provider::Unbound, Provider::Library);
                symbols.imports.push(entry.import(name, from, version.meaning.name));
            }
        } else if entry.is_visible()
            && let Some(name) = names.text("export", raw)
        {
            let defined = version.meaning.name.filter(|_| version.meaning.file.is_none());
            if entry.section == SHN_ABS && defined == Some(name) {
                continue;
            }
            // A definition may carry the index of a version need: a copy relocation's, in a program.
            let version = version.meaning.name.map(|name| ExportVersion { name, default: !version.hidden });
            symbols.exports.push(entry.export(name, version));
        }
    }
    Ok(symbols)
}

/// The symbols of a relocatable object. The linker takes a version from the name itself: `name@VERSION`.
pub(super) fn relocatable<'a>(
    data: Data<'a>,
    wide: bool,
    sections: &[Section<'a>],
    names: &mut Names<'a>,
) -> Result<Symbols<'a>, ParseError> {
    const WHAT: &str = "symbol table";
    let mut symbols = Symbols::default();
    let Some(place) = sections.iter().find(|section| section.kind == SHT_SYMTAB) else { return Ok(symbols) };
    let link =
        sections.get(place.link as usize).ok_or_else(|| bad_value(WHAT, place.offset, "sh_link", place.link.into()))?;
    let size = if wide { 24 } else { 16 };
    data.slice(WHAT, place.offset, place.size)?;
    let bytes = data.slice("symbol name table", link.offset, link.size)?;
    let mut strings = StringTable::new("symbol name table", bytes, link.offset);
    for record in data.table(WHAT, place.offset, place.size / size, size)? {
        let entry = Entry::read(record, wide);
        if entry.name == 0 || !entry.is_global() {
            continue;
        }
        let raw = strings.get(entry.name.into())?;
        let undefined = entry.section == SHN_UNDEF;
        let Some(name) = names.text(if undefined { "import" } else { "export" }, raw) else { continue };
        let (name, version) = match name.split_once('@') {
            Some((name, version)) if !name.is_empty() => (name, Some(version)),
            _ => (name, None),
        };
        if undefined {
            symbols.imports.push(entry.import(
                name,
                Provider::Unbound,
                version.map(|name| name.trim_start_matches('@')),
            ));
        } else {
            let version = version.map(|name| match name.strip_prefix('@') {
                Some(default) => ExportVersion { name: default.trim_start_matches('@'), default: true },
                None => ExportVersion { name, default: false },
            });
            symbols.exports.push(entry.export(name, version));
        }
    }
    Ok(symbols)
}

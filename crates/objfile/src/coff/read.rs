//! From bytes to an [`Object`].

use std::borrow::Cow;

use super::{BIG_OBJECT_CLASS, CoffFacts, CoffSection, architecture, c_name, import, is_64};
use crate::bytes::{Data, Names, RawName, Record, StringTable};
use crate::error::ParseError;
use crate::object::{Details, Format, Object, ObjectKind};
use crate::symbol::{Export, ExportTarget, Import, Provider, SymbolKind};

const SYMBOL_TABLE: &str = "COFF symbol table";
const STRING_TABLE: &str = "COFF string table";

/// Where everything is, in either of the two layouts.
struct Layout {
    big: bool,
    machine: u16,
    sections_at: u64,
    sections: u64,
    symbols_at: u64,
    symbols: u64,
}

impl Layout {
    fn symbol_size(&self) -> u64 {
        if self.big { 20 } else { 18 }
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Object<'_>, ParseError> {
    let data = Data { bytes, big: false };
    let head = data.record("COFF header", 0, 20)?;
    let layout = if head.u32(0) == 0xffff_0000 {
        if head.u16(4) == 0 {
            return import::read(bytes);
        }
        let head = data.record("bigobj header", 0, 56)?;
        if head.bytes.get(12..28) != Some(&BIG_OBJECT_CLASS) {
            let what = "an object with code of another kind (/GL)";
            return Err(ParseError::Unsupported { structure: "anonymous object header", offset: 12, what });
        }
        Layout {
            big: true,
            machine: head.u16(6),
            sections_at: 56,
            sections: head.u32(44).into(),
            symbols_at: head.u32(48).into(),
            symbols: head.u32(52).into(),
        }
    } else {
        Layout {
            big: false,
            machine: head.u16(0),
            sections_at: 20 + u64::from(head.u16(16)),
            sections: head.u16(2).into(),
            symbols_at: head.u32(8).into(),
            symbols: head.u32(12).into(),
        }
    };
    let mut names = Names::default();
    let mut strings = strings(data, &layout)?;
    let sections = sections(data, &layout, &mut strings, &mut names)?;
    let (imports, exports) = symbols(data, &layout, &sections, &mut strings, &mut names)?;
    Ok(Object {
        bytes,
        format: Format::Coff,
        architecture: architecture(layout.machine),
        is_64: is_64(layout.machine),
        is_big_endian: false,
        kind: ObjectKind::Relocatable,
        identity: None,
        needed: Vec::new(),
        rpaths: Vec::new(),
        minimum_os: Vec::new(),
        imports,
        exports,
        unreadable: names.unreadable,
        details: Details::Coff(CoffFacts { machine: layout.machine, big: layout.big, sections }),
    })
}

/// The string table follows the symbols and starts with its own size.
fn strings<'a>(data: Data<'a>, layout: &Layout) -> Result<StringTable<'a>, ParseError> {
    if layout.symbols_at == 0 {
        return Ok(StringTable::new(STRING_TABLE, &[], 0));
    }
    let table = data.table(SYMBOL_TABLE, layout.symbols_at, layout.symbols, layout.symbol_size())?;
    let at = layout.symbols_at + table.len() as u64 * layout.symbol_size();
    if at == data.len() {
        return Ok(StringTable::new(STRING_TABLE, &[], at));
    }
    let size = u64::from(data.record(STRING_TABLE, at, 4)?.u32(0)).max(4);
    Ok(StringTable::new(STRING_TABLE, data.slice(STRING_TABLE, at, size)?, at))
}

fn sections<'a>(
    data: Data<'a>,
    layout: &Layout,
    strings: &mut StringTable<'a>,
    names: &mut Names<'a>,
) -> Result<Vec<CoffSection<'a>>, ParseError> {
    const UNINITIALISED: u32 = 0x80;
    let mut sections = Vec::new();
    for header in data.table("COFF section table", layout.sections_at, layout.sections, 40)? {
        let short = header.padded(0, 8);
        // `/123` is the place of a longer name in the string table.
        let name = match short.strip_prefix('/').and_then(|digits| digits.parse().ok()) {
            Some(index) => names.text("section", strings.get(index)?).unwrap_or_default(),
            None => short,
        };
        let (size, offset, characteristics) = (header.u32(16), header.u32(20), header.u32(36));
        if characteristics & UNINITIALISED == 0 && offset != 0 {
            data.slice("COFF section data", offset.into(), size.into())?;
        }
        sections.push(CoffSection { name, offset, size, characteristics });
    }
    Ok(sections)
}

/// The fields of a symbol, but for name and value, which both layouts have at the same place.
struct Symbol {
    section: i32,
    kind: u16,
    class: u8,
    /// How many records follow that belong to it.
    auxiliaries: u8,
}

impl Symbol {
    fn read(record: Record<'_>, big: bool) -> Self {
        let section = if big { record.u32(12).cast_signed() } else { record.u16(12).cast_signed().into() };
        let at = if big { 16 } else { 14 };
        Self { section, kind: record.u16(at), class: record.u8(at + 2), auxiliaries: record.u8(at + 3) }
    }
}

type Found<'a> = (Vec<Import<'a>>, Vec<Export<'a>>);

fn symbols<'a>(
    data: Data<'a>,
    layout: &Layout,
    sections: &[CoffSection<'a>],
    strings: &mut StringTable<'a>,
    names: &mut Names<'a>,
) -> Result<Found<'a>, ParseError> {
    const EXTERNAL: u8 = 2;
    const WEAK_EXTERNAL: u8 = 105;
    const FUNCTION: u16 = 0x20;
    const EXECUTE: u32 = 0x2000_0000;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    if layout.symbols_at == 0 {
        return Ok((imports, exports));
    }
    let size = layout.symbol_size();
    let table = data.table(SYMBOL_TABLE, layout.symbols_at, layout.symbols, size)?;
    let mut auxiliary = 0;
    for (index, (record, at)) in table.clone().zip((layout.symbols_at..).step_by(size as usize)).enumerate() {
        if auxiliary > 0 {
            auxiliary -= 1;
            continue;
        }
        let Symbol { section, kind, class, auxiliaries } = Symbol::read(record, layout.big);
        auxiliary = auxiliaries;
        if !matches!(class, EXTERNAL | WEAK_EXTERNAL) {
            continue;
        }
        let raw = symbol_name(record, at, strings)?;
        let value = record.u32(8);
        let weak = class == WEAK_EXTERNAL;
        // A weak external stands for another symbol: where that is defined here, this is a weak definition of it.
        let default = || {
            let tag = table.clone().nth(index + 1)?.u32(0);
            Some(Symbol::read(table.clone().nth(usize::try_from(tag).ok()?)?, layout.big).section)
        };
        let section = if weak && section == 0 && auxiliaries > 0 { default().unwrap_or(0).max(0) } else { section };
        let undefined = section == 0 && (value == 0 || weak);
        let Some(name) = names.text(if undefined { "import" } else { "export" }, raw) else { continue };
        let name = c_name(name, layout.machine);
        let is_function = kind == FUNCTION;
        if undefined {
            let kind = if is_function { SymbolKind::Function } else { SymbolKind::Unknown };
            let from = Provider::Unbound;
            imports.push(Import { name, from, version: None, kind, weak, delayed: false, ordinal: None });
        } else if section >= -1 {
            let place = usize::try_from(section).ok().and_then(|section| sections.get(section.checked_sub(1)?));
            let code = place.is_some_and(|place| place.characteristics & EXECUTE != 0);
            exports.push(Export {
                name: Cow::Borrowed(name),
                version: None,
                kind: if is_function || code { SymbolKind::Function } else { SymbolKind::Data },
                weak,
                unique: false,
                ordinal: None,
                target: ExportTarget::Address(value.into()),
            });
        }
    }
    Ok((imports, exports))
}

/// A symbol's name stands in its first eight bytes, or in the string table if the first four of them are zero.
fn symbol_name<'a>(record: Record<'a>, at: u64, strings: &mut StringTable<'a>) -> Result<RawName<'a>, ParseError> {
    if record.u32(0) == 0 {
        return strings.get(record.u32(4).into());
    }
    let field = record.bytes.get(..8).unwrap_or_default();
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    Ok(RawName { bytes: field.get(..end).unwrap_or_default(), offset: at })
}

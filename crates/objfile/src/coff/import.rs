//! Short import objects: the members of a Windows import library.

use super::{CoffFacts, architecture, c_name};
use crate::bytes::{Budget, Data, Names, RawName, bad_value};
use crate::error::ParseError;
use crate::object::{Details, Format, Needed, NeededKind, Object, ObjectKind};
use crate::symbol::{Import, Provider, SymbolKind};

pub(super) fn read(bytes: &[u8]) -> Result<Object<'_>, ParseError> {
    const WHAT: &str = "import header";
    const BY_ORDINAL: u16 = 0;
    let data = Data { bytes, big: false };
    let header = data.record(WHAT, 0, 20)?;
    let (machine, size, hint, flags) = (header.u16(6), header.u32(12), header.u16(16), header.u16(18));
    let texts = Data { bytes: data.slice("import data", 20, size.into())?, big: false };
    let mut budget = Budget::for_bytes(texts.bytes);
    let mut text = |at| texts.text("import data", at, &mut budget).map_err(|error| error.shifted(20));
    let symbol = text(0)?;
    let library = text(symbol.bytes.len() as u64 + 1)?;

    let mut names = Names::default();
    let symbol = names.text("import", RawName { offset: symbol.offset + 20, ..symbol });
    let library = names.text("needed library", RawName { offset: library.offset + 20, ..library });
    let kind = match flags & 3 {
        0 => SymbolKind::Function,
        1 | 2 => SymbolKind::Data,
        kind => return Err(bad_value(WHAT, 18, "import type", kind.into())),
    };
    let by_ordinal = flags >> 2 & 7 == BY_ORDINAL;
    let import = symbol.map(|symbol| Import {
        name: c_name(symbol, machine),
        from: library.map_or(Provider::Unbound, Provider::Library),
        version: None,
        kind,
        weak: false,
        delayed: false,
        ordinal: by_ordinal.then_some(hint),
    });
    let needed = library.map(|name| Needed { name, kind: NeededKind::Normal, versions: None });
    let architecture = architecture(machine);
    Ok(Object {
        bytes,
        format: Format::Coff,
        architecture,
        is_64: super::is_64(machine),
        is_big_endian: false,
        kind: ObjectKind::ImportStub,
        identity: None,
        needed: needed.into_iter().collect(),
        rpaths: Vec::new(),
        minimum_os: Vec::new(),
        imports: import.into_iter().collect(),
        exports: Vec::new(),
        unreadable: names.unreadable,
        details: Details::Coff(CoffFacts { machine, ..CoffFacts::default() }),
    })
}

//! The symbol table: undefined symbols with their two-level ordinals, and what an object without a trie defines.

use goblin::mach::header::MH_OBJECT;

use std::collections::HashMap;

use super::binds::{self, Bind};
use super::c_name;
use super::commands::{Commands, Symtab};
use crate::bytes::{Data, Names, StringTable};
use crate::error::ParseError;
use crate::symbol::{Export, ExportTarget, Import, Provider, SymbolKind};

const N_STAB: u8 = 0xe0;
const N_PEXT: u8 = 0x10;
const N_TYPE: u8 = 0x0e;
const N_EXT: u8 = 0x01;
const N_UNDF: u8 = 0x0;
const N_PBUD: u8 = 0xc;
const N_WEAK_REF: u16 = 0x40;
const N_WEAK_DEF: u16 = 0x80;

#[derive(Default)]
pub(super) struct Symbols<'a> {
    pub(super) imports: Vec<Import<'a>>,
    pub(super) exports: Vec<Export<'a>>,
}

/// Reads the external symbols; definitions only where `definitions` says so, because an export trie is the better source.
pub(super) fn read<'a>(
    data: Data<'a>,
    commands: &Commands<'a>,
    table: Symtab,
    definitions: bool,
    names: &mut Names<'a>,
) -> Result<Symbols<'a>, ParseError> {
    const STRINGS: &str = "Mach-O string table";
    let wide = commands.wide;
    let mut strings = StringTable::new(STRINGS, data.slice(STRINGS, table.strings, table.strings_size)?, table.strings);
    let called = called(data, commands, table.count)?;
    let bound = commands.facts.two_level && commands.facts.file_type != MH_OBJECT;
    let mut symbols = Symbols::default();
    let size = if wide { 16 } else { 12 };
    for (index, entry) in data.table("Mach-O symbol table", table.symbols, table.count, size)?.enumerate() {
        let (kind, section, desc) = (entry.u8(4), entry.u8(5), entry.u16(6));
        if kind & N_STAB != 0 || kind & N_EXT == 0 {
            continue;
        }
        let value = entry.word(8, wide);
        let undefined = matches!(kind & N_TYPE, N_UNDF | N_PBUD) && value == 0;
        if !undefined && (!definitions || kind & N_PEXT != 0) {
            continue;
        }
        let raw = strings.get(entry.u32(0).into())?;
        let Some(name) = names.text(if undefined { "import" } else { "export" }, raw).map(c_name) else { continue };
        if undefined {
            let from = if bound { provider((desc >> 8) as u8, commands) } else { unbound(commands) };
            let called = called.get(index).is_some_and(|&called| called);
            let kind = if called { SymbolKind::Function } else { SymbolKind::Unknown };
            let weak = desc & N_WEAK_REF != 0;
            symbols.imports.push(Import { name, from, version: None, kind, weak, delayed: false, ordinal: None });
        } else {
            let place = commands.facts.sections.get(usize::from(section).wrapping_sub(1));
            let kind = match place {
                Some(place) if place.is_code() => SymbolKind::Function,
                Some(place) if place.kind() == 0x13 => SymbolKind::Tls, // S_THREAD_LOCAL_VARIABLES
                _ => SymbolKind::Data,
            };
            symbols.exports.push(Export {
                name: name.into(),
                version: None,
                kind,
                weak: desc & N_WEAK_DEF != 0,
                unique: false,
                ordinal: None,
                target: ExportTarget::Address(value),
            });
        }
    }
    Ok(symbols)
}

/// Takes from what dyld binds what the symbol table leaves open: the library of symbols whose ordinal is zero (a symbol
/// that the image itself defines is not undefined), and everything where there is no symbol table.
pub(super) fn complete<'a>(
    data: Data<'a>,
    commands: &Commands<'a>,
    has_table: bool,
    imports: &mut Vec<Import<'a>>,
    names: &mut Names<'a>,
) -> Result<(), ParseError> {
    if has_table && !imports.iter().any(|import| import.from == Provider::SelfImage) {
        return Ok(());
    }
    let binds = binds::read(data, commands, names)?;
    let from = |bind: &Bind| match bind.ordinal {
        -1 => Provider::MainExecutable,
        -3 | -2 => Provider::Flat,
        0 => Provider::SelfImage,
        ordinal => library(ordinal, commands),
    };
    if has_table {
        // The symbols' names have lost their underscore, those of the bindings have not.
        let by_name: HashMap<&str, Provider<'a>> =
            binds.iter().map(|(name, bind)| (c_name(name), from(bind))).collect();
        for import in imports.iter_mut().filter(|import| import.from == Provider::SelfImage) {
            import.from = by_name.get(import.name).copied().unwrap_or(Provider::SelfImage);
        }
    } else {
        imports.extend(binds.iter().filter(|(_, bind)| bind.ordinal != 0).map(|(name, bind)| Import {
            name: c_name(name),
            from: from(bind),
            version: None,
            kind: SymbolKind::Unknown,
            weak: bind.weak,
            delayed: false,
            ordinal: None,
        }));
    }
    Ok(())
}

fn library<'a>(ordinal: i64, commands: &Commands<'a>) -> Provider<'a> {
    let name = usize::try_from(ordinal).ok().and_then(|ordinal| commands.ordinals.get(ordinal.checked_sub(1)?));
    match name {
        Some(name) => Provider::Library(name.unwrap_or_default()),
        None => Provider::BadOrdinal(ordinal),
    }
}

/// What a two-level ordinal means (`mach-o/nlist.h`).
fn provider<'a>(ordinal: u8, commands: &Commands<'a>) -> Provider<'a> {
    match ordinal {
        0 => Provider::SelfImage,
        0xff => Provider::MainExecutable,
        0xfe => Provider::Flat,
        ordinal => library(ordinal.into(), commands),
    }
}

fn unbound<'a>(commands: &Commands<'a>) -> Provider<'a> {
    if commands.facts.file_type == MH_OBJECT { Provider::Unbound } else { Provider::Flat }
}

/// Which symbols are called through a stub or a lazy pointer, and so are functions.
fn called(data: Data<'_>, commands: &Commands<'_>, symbols: u64) -> Result<Vec<bool>, ParseError> {
    const S_LAZY_SYMBOL_POINTERS: u8 = 0x7;
    const S_SYMBOL_STUBS: u8 = 0x8;
    const WHAT: &str = "indirect symbol table";
    let (offset, count) = commands.indirect;
    if count == 0 || symbols > data.len() / 12 {
        return Ok(Vec::new());
    }
    let table = data.slice(WHAT, offset, count.saturating_mul(4))?;
    let table = Data { bytes: table, big: data.big };
    let mut called = vec![false; symbols as usize];
    let mut left = count; // sections that overlap are followed no more often than the table is long
    for section in &commands.facts.sections {
        let size = match section.kind() {
            S_SYMBOL_STUBS => u64::from(section.reserved2),
            S_LAZY_SYMBOL_POINTERS => {
                if commands.wide {
                    8
                } else {
                    4
                }
            }
            _ => continue,
        };
        let entries = section.size.checked_div(size).unwrap_or(0).min(left);
        left -= entries;
        let part = table.table(WHAT, u64::from(section.reserved1) * 4, entries, 4);
        for entry in part.map_err(|error| error.shifted(offset))? {
            if let Some(slot) = called.get_mut(entry.u32(0) as usize) {
                *slot = true;
            }
        }
    }
    Ok(called)
}

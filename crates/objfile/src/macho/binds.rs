//! What dyld itself binds: the opcodes of `LC_DYLD_INFO` or the imports of `LC_DYLD_CHAINED_FIXUPS`.
//!
//! The symbol table says the same in every image of Apple's and LLVM's linkers. It does not where it was stripped away, and
//! zig's linker leaves the ordinal at zero for symbols that are looked up in all images.

use std::collections::BTreeMap;

use super::commands::Commands;
use super::exports::uleb128;
use crate::bytes::{Budget, Data, Names, RawName, bad_value};
use crate::error::ParseError;

const WEAK_IMPORT: u8 = 1;

/// How a symbol is bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bind {
    /// From 1 up the library of that ordinal; 0 the image itself, -1 the program, -2 any image, -3 any image that
    /// defines it weakly.
    pub(super) ordinal: i64,
    pub(super) weak: bool,
}

/// The symbols as they are written, with how each is bound.
pub(super) fn read<'a>(
    data: Data<'a>,
    commands: &Commands<'a>,
    names: &mut Names<'a>,
) -> Result<BTreeMap<&'a str, Bind>, ParseError> {
    let mut binds = BTreeMap::new();
    for (offset, size) in commands.binds {
        const WHAT: &str = "binding opcodes";
        let part = Data { bytes: data.slice(WHAT, offset, size)?, big: data.big };
        opcodes(part, offset, names, &mut binds).map_err(|error| error.shifted(offset))?;
    }
    if let Some((offset, size)) = commands.fixups {
        let part = Data { bytes: data.slice("chained fixups", offset, size)?, big: data.big };
        chained(part, offset, names, &mut binds).map_err(|error| error.shifted(offset))?;
    }
    Ok(binds)
}

fn opcodes<'a>(
    part: Data<'a>,
    base: u64,
    names: &mut Names<'a>,
    binds: &mut BTreeMap<&'a str, Bind>,
) -> Result<(), ParseError> {
    const WHAT: &str = "binding opcodes";
    let mut budget = Budget::for_bytes(part.bytes);
    let mut bind = Bind { ordinal: 0, weak: false };
    let mut symbol = None;
    let mut at = 0;
    while at < part.len() {
        let byte = part.record(WHAT, at, 1)?.u8(0);
        let (opcode, low) = (byte >> 4, byte & 0xf);
        let here = at;
        at += 1;
        // How many numbers follow, whose values do not matter here.
        let numbers = match opcode {
            0x1 => {
                bind.ordinal = low.into();
                0
            }
            0x2 => {
                let (ordinal, next) = uleb128(part, at)?;
                bind.ordinal = i64::try_from(ordinal).map_err(|_| bad_value(WHAT, here, "ordinal", ordinal))?;
                at = next;
                0
            }
            0x3 => {
                bind.ordinal = if low == 0 { 0 } else { i64::from(low) - 16 };
                0
            }
            0x4 => {
                let RawName { bytes, offset } = part.text(WHAT, at, &mut budget)?;
                at += bytes.len() as u64 + 1;
                bind.weak = low & WEAK_IMPORT != 0;
                symbol = names.text("import", RawName { bytes, offset: offset + base });
                0
            }
            0x9..=0xc => {
                if let Some(symbol) = symbol {
                    binds.insert(symbol, bind);
                }
                match opcode {
                    0xa => 1,
                    0xc => 2,
                    _ => 0,
                }
            }
            0x6..=0x8 => 1,
            0xd if low == 0 => 1,
            // The end, which in lazy bindings stands after every symbol; the type; threaded rebasing.
            0x0 | 0x5 | 0xd => 0,
            _ => return Err(bad_value(WHAT, here, "opcode", byte.into())),
        };
        for _ in 0..numbers {
            at = uleb128(part, at)?.1;
        }
    }
    Ok(())
}

fn chained<'a>(
    part: Data<'a>,
    base: u64,
    names: &mut Names<'a>,
    binds: &mut BTreeMap<&'a str, Bind>,
) -> Result<(), ParseError> {
    const WHAT: &str = "chained fixups";
    let header = part.record(WHAT, 0, 28)?;
    let [imports, symbols, count, format, compression] = [8, 12, 16, 20, 24].map(|at| header.u32(at));
    let size = match format {
        1 => 4,
        2 => 8,
        3 => 16,
        _ => return Err(bad_value(WHAT, 20, "imports_format", format.into())),
    };
    if compression != 0 {
        let what = "a compressed symbol table";
        return Err(ParseError::Unsupported { structure: WHAT, offset: 24, what });
    }
    let mut budget = Budget::for_bytes(part.bytes);
    for import in part.table(WHAT, imports.into(), count.into(), size)? {
        // The highest ordinals stand for negative numbers.
        let (ordinal, weak, name) = if format == 3 {
            let bits = import.u64(0);
            let ordinal = bits as u16;
            let special = ordinal > 0xfff0;
            (if special { ordinal.cast_signed().into() } else { i64::from(ordinal) }, bits >> 16 & 1, bits >> 32)
        } else {
            let bits = import.u32(0);
            let ordinal = bits as u8;
            let special = ordinal > 0xf0;
            let ordinal = if special { ordinal.cast_signed().into() } else { i64::from(ordinal) };
            (ordinal, u64::from(bits >> 8 & 1), u64::from(bits >> 9))
        };
        let RawName { bytes, offset } = part.text(WHAT, u64::from(symbols) + name, &mut budget)?;
        if let Some(symbol) = names.text("import", RawName { bytes, offset: offset + base }) {
            binds.insert(symbol, Bind { ordinal, weak: weak != 0 });
        }
    }
    Ok(())
}

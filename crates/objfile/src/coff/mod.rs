//! COFF objects as compilers for Windows make them, `/bigobj` objects, and short import objects.
//!
//! Source: Microsoft's "PE Format" specification; the layout of `/bigobj` is `ANON_OBJECT_HEADER_BIGOBJ` in `winnt.h`.

mod import;
mod read;

use goblin::pe::header::{
    COFF_MACHINE_ARM64, COFF_MACHINE_ARMNT, COFF_MACHINE_LOONGARCH64, COFF_MACHINE_RISCV64, COFF_MACHINE_X86,
    COFF_MACHINE_X86_64,
};

use crate::object::Architecture;

pub(crate) use read::read;

/// The class identifier of `/bigobj` objects: D1BAA1C7-BAEE-4BA9-AF20-FAF66AA4DCB8.
pub(crate) const BIG_OBJECT_CLASS: [u8; 16] =
    [0xc7, 0xa1, 0xba, 0xd1, 0xee, 0xba, 0xa9, 0x4b, 0xaf, 0x20, 0xfa, 0xf6, 0x6a, 0xa4, 0xdc, 0xb8];

/// Arm64 code that calls and is called as x86-64, and images with both.
const ARM64EC: u16 = 0xa641;
const ARM64X: u16 = 0xa64e;

/// Whether a COFF object may be for this machine.
pub(crate) fn is_coff_machine(machine: u16) -> bool {
    machine == ARM64X || !matches!(architecture(machine), Architecture::Other(_))
}

/// The architecture of a COFF machine number.
pub(crate) fn architecture(machine: u16) -> Architecture {
    match machine {
        COFF_MACHINE_X86_64 => Architecture::X86_64,
        COFF_MACHINE_ARM64 | ARM64EC => Architecture::Aarch64,
        COFF_MACHINE_X86 => Architecture::I686,
        COFF_MACHINE_ARMNT => Architecture::Armv7l,
        COFF_MACHINE_RISCV64 => Architecture::Riscv64,
        COFF_MACHINE_LOONGARCH64 => Architecture::Loongarch64,
        other => Architecture::Other(other.into()),
    }
}

/// The C name of a symbol: `__imp_` marks the pointer through which a DLL's symbol is reached, and on i686 every C name has
/// one underscore before it.
fn c_name(symbol: &str, machine: u16) -> &str {
    let name = symbol.strip_prefix("__imp_").unwrap_or(symbol);
    if machine == COFF_MACHINE_X86 { name.strip_prefix('_').unwrap_or(name) } else { name }
}

/// What only COFF objects have.
#[derive(Debug, Clone, Default)]
pub struct CoffFacts<'a> {
    /// `Machine`.
    pub machine: u16,
    /// Whether it is a `/bigobj` object, with 32-bit section numbers.
    pub big: bool,
    /// The sections, in file order.
    pub sections: Vec<CoffSection<'a>>,
}

/// A section of a COFF object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoffSection<'a> {
    /// Its name; empty if not UTF-8.
    pub name: &'a str,
    /// Where its data lies in the object.
    pub offset: u32,
    /// Its size.
    pub size: u32,
    /// `Characteristics`.
    pub characteristics: u32,
}

fn is_64(machine: u16) -> bool {
    !matches!(machine, COFF_MACHINE_X86 | COFF_MACHINE_ARMNT)
}

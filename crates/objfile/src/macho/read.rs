//! From bytes to an [`Object`].

use goblin::mach::cputype::{CPU_TYPE_ARM, CPU_TYPE_ARM64, CPU_TYPE_I386, CPU_TYPE_POWERPC64, CPU_TYPE_X86_64};
use goblin::mach::header::{MH_BUNDLE, MH_DYLIB, MH_EXECUTE, MH_OBJECT};

use super::commands::{self, Commands};
use super::symbols::Symbols;
use super::{exports, signature, symbols};
use crate::bytes::{Data, Names};
use crate::error::ParseError;
use crate::object::{Architecture, Details, Format, Object, ObjectKind, is_init_function};

pub(crate) fn read(bytes: &[u8]) -> Result<Object<'_>, ParseError> {
    let mut names = Names::default();
    let mut commands = commands::read(bytes, &mut names)?;
    let data = Data { bytes, big: commands.big };

    let mut found = match commands.symtab {
        Some(table) if table.count > 0 => {
            let definitions = !commands.facts.export_trie;
            symbols::read(data, &commands, table, definitions, &mut names)?
        }
        _ => Symbols::default(),
    };
    let has_table = commands.symtab.is_some_and(|table| table.count > 0);
    symbols::complete(data, &commands, has_table, &mut found.imports, &mut names)?;
    let exported = match commands.trie {
        Some(place) => exports::read(data, &commands, place, &mut names)?,
        None => found.exports,
    };
    if let Some(place) = commands.signature {
        commands.facts.signature = signature::read(bytes, place, &mut names)?;
    }

    let kind = match commands.facts.file_type {
        MH_OBJECT => ObjectKind::Relocatable,
        MH_EXECUTE => ObjectKind::Executable,
        MH_DYLIB | MH_BUNDLE if exported.iter().any(|export| is_init_function(&export.name)) => ObjectKind::Extension,
        MH_DYLIB | MH_BUNDLE => ObjectKind::SharedLibrary,
        _ => ObjectKind::Other,
    };
    let Commands { facts, wide, big, identity, needed, rpaths, minimum_os, .. } = commands;
    Ok(Object {
        bytes,
        format: Format::MachO,
        architecture: architecture(facts.cpu_type, big),
        is_64: wide,
        is_big_endian: big,
        kind,
        identity,
        needed,
        rpaths,
        minimum_os,
        imports: found.imports,
        exports: exported,
        unreadable: names.unreadable,
        details: Details::MachO(Box::new(facts)),
    })
}

pub(super) fn architecture(cpu_type: u32, big: bool) -> Architecture {
    match cpu_type {
        CPU_TYPE_X86_64 => Architecture::X86_64,
        CPU_TYPE_ARM64 => Architecture::Aarch64,
        CPU_TYPE_I386 => Architecture::I686,
        CPU_TYPE_ARM => Architecture::Armv7l,
        CPU_TYPE_POWERPC64 if !big => Architecture::Ppc64le,
        other => Architecture::Other(other),
    }
}

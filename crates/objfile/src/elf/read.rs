//! From bytes to an [`Object`].

use goblin::elf::dynamic::{DT_DEBUG, DT_GNU_HASH, DT_HASH, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME};
use goblin::elf::header::{ET_DYN, ET_EXEC, ET_REL};
use goblin::elf::section_header::{SHT_DYNAMIC, SHT_NOBITS};

use super::dynamic::{DynamicTable, text_index};
use super::header::Header;
use super::symbols::{self, Symbols};
use super::versions::Versions;
use super::{ElfFacts, Section, Segment, Stack, notes};
use crate::bytes::{Budget, Data, Names, StringTable};
use crate::error::ParseError;
use crate::object::{Details, Format, Needed, NeededKind, Object, ObjectKind, Rpath, RpathKind, is_init_function};

const PT_INTERP: u32 = 3;
const PT_TLS: u32 = 7;
const PT_GNU_STACK: u32 = 0x6474_e551;
const DT_RELR: u64 = 36;
const DT_ANDROID_RELR: u64 = 0x6fff_e000;

pub(crate) fn read(bytes: &[u8]) -> Result<Object<'_>, ParseError> {
    let header = Header::read(bytes)?;
    let data = Data { bytes, big: header.big };
    let sections = header.sections(data)?;
    let segments = header.segments(data)?;
    let debug_only = is_debug_only(&sections);
    if !debug_only {
        for segment in segments.iter().filter(|segment| segment.kind == Segment::LOAD) {
            data.slice("PT_LOAD segment", segment.offset, segment.file_size)?;
        }
    }

    let mut object = Object {
        bytes,
        format: Format::Elf,
        architecture: header.architecture(),
        is_64: header.wide,
        is_big_endian: header.big,
        kind: ObjectKind::Other,
        identity: None,
        needed: Vec::new(),
        rpaths: Vec::new(),
        minimum_os: Vec::new(),
        imports: Vec::new(),
        exports: Vec::new(),
        unreadable: Vec::new(),
        details: Details::Elf(Box::default()),
    };
    let mut names = Names::default();
    let mut facts = ElfFacts {
        file_type: header.file_type,
        machine: header.machine,
        flags: header.flags,
        os_abi: header.os_abi,
        ..ElfFacts::default()
    };
    let mut found = Symbols::default();
    if header.file_type == ET_REL {
        found = symbols::relocatable(data, header.wide, &sections, &mut names)?;
    } else if !debug_only && let Some(dynamic) = DynamicTable::read(data, &header, &segments)? {
        found = read_dynamic(dynamic, &sections, &mut object, &mut facts, &mut names)?;
    }
    object.imports = found.imports;
    object.exports = found.exports;

    if !debug_only && let Some(place) = segments.iter().find(|segment| segment.kind == PT_INTERP) {
        let part = Data { bytes: data.slice("PT_INTERP segment", place.offset, place.file_size)?, big: data.big };
        let name = part.text("PT_INTERP segment", 0, &mut Budget::for_bytes(part.bytes));
        facts.interpreter = names.text("interpreter", name.map_err(|error| error.shifted(place.offset))?);
    }
    facts.stack = match segments.iter().find(|segment| segment.kind == PT_GNU_STACK) {
        None => Stack::Unstated,
        Some(segment) if segment.is_executable() => Stack::Executable,
        Some(_) => Stack::NotExecutable,
    };
    facts.tls = segments.iter().find(|segment| segment.kind == PT_TLS).copied();
    let notes = notes::read(data, header.wide, &segments, &sections);
    facts.build_id = notes.build_id;
    facts.x86_isa_needed = notes.x86_isa_needed;
    facts.segments = segments;
    facts.sections = sections;

    object.kind = match header.file_type {
        _ if debug_only => ObjectKind::Other,
        ET_REL => ObjectKind::Relocatable,
        ET_EXEC => ObjectKind::Executable,
        ET_DYN if is_program(&facts, object.identity) => ObjectKind::Executable,
        ET_DYN if object.exports.iter().any(|export| is_init_function(&export.name)) => ObjectKind::Extension,
        ET_DYN => ObjectKind::SharedLibrary,
        _ => ObjectKind::Other,
    };
    object.unreadable = names.unreadable;
    object.details = Details::Elf(Box::new(facts));
    Ok(object)
}

/// A file that `objcopy --only-keep-debug` or `eu-strip -f` made: its program headers describe another file.
fn is_debug_only(sections: &[Section<'_>]) -> bool {
    sections.iter().any(|section| {
        section.kind == SHT_NOBITS && matches!(section.name, ".dynamic" | ".dynsym" | ".text" | ".interp")
    }) && !sections.iter().any(|section| section.kind == SHT_DYNAMIC)
}

/// Programs have been shared objects too since they are position-independent. libc.so.6 and the loader itself have an
/// interpreter or can be run, but have a soname.
fn is_program(facts: &ElfFacts<'_>, soname: Option<&str>) -> bool {
    let loaded_by_another = facts.interpreter.is_some() && soname.is_none();
    facts.is_pie() || (loaded_by_another && facts.dynamic.iter().any(|entry| entry.tag == DT_DEBUG))
}

fn read_dynamic<'a>(
    dynamic: DynamicTable<'a>,
    sections: &[Section<'a>],
    object: &mut Object<'a>,
    facts: &mut ElfFacts<'a>,
    names: &mut Names<'a>,
) -> Result<Symbols<'a>, ParseError> {
    const STRINGS: &str = "dynamic string table";
    let place = dynamic.strings()?;
    let (at, size) = place.unwrap_or_default();
    let mut strings = StringTable::new(STRINGS, dynamic.data.slice(STRINGS, at, size)?, at);
    facts.dynamic_strings = place.map(|(offset, size)| offset..offset + size);

    for index in dynamic.values(DT_NEEDED) {
        let raw = strings.get(text_index(place, index)?)?;
        if let Some(name) = names.text("needed library", raw) {
            object.needed.push(Needed { name, kind: NeededKind::Normal, versions: None });
        }
    }
    if let Some(index) = dynamic.value(DT_SONAME) {
        object.identity = names.text("soname", strings.get(text_index(place, index)?)?);
    }
    for (tag, kind) in [(DT_RPATH, RpathKind::Rpath), (DT_RUNPATH, RpathKind::Runpath)] {
        if let Some(index) = dynamic.value(tag)
            && let Some(paths) = names.text("search path", strings.get(text_index(place, index)?)?)
            && !paths.is_empty()
        {
            object.rpaths.extend(paths.split(':').map(|path| Rpath { path, kind }));
        }
    }
    (facts.dt_flags, facts.dt_flags_1) = dynamic.flags();
    facts.has_relr = [DT_RELR, DT_ANDROID_RELR].iter().any(|&tag| dynamic.value(tag).is_some());
    facts.has_gnu_hash = dynamic.value(DT_GNU_HASH).is_some();
    facts.has_sysv_hash = dynamic.value(DT_HASH).is_some();

    let table = dynamic.symbols(sections)?;
    let (_, count) = table.unwrap_or_default();
    facts.dynamic_symbol_count = count as usize;
    let versions = Versions::read(&dynamic, count, &mut strings, names)?;
    let found = match table {
        Some(table) => symbols::dynamic(dynamic.data, dynamic.wide, table, &mut strings, &versions, names)?,
        None => Symbols::default(),
    };
    facts.version_needs = versions.needs;
    facts.version_definitions = versions.definitions;
    facts.dynamic = dynamic.entries;
    Ok(found)
}

//! From bytes to an [`Object`].

use super::headers::{self, DIR_DEBUG, DIR_LOAD_CONFIG, DIR_MANAGED, DIR_TLS, Image};
use super::{DebugEntry, exports, imports};
use crate::bytes::{Budget, Data, Names, RawName};
use crate::coff::architecture;
use crate::error::ParseError;
use crate::object::{Details, Format, MinimumOs, Object, ObjectKind, OsVersion, System, is_init_function};

pub(crate) fn read(bytes: &[u8]) -> Result<Object<'_>, ParseError> {
    let mut image = headers::read(bytes)?;
    let mut names = Names::default();
    let imports = imports::read(&mut image, &mut names)?;
    let exports = exports::read(&mut image, &mut names)?;
    image.facts.import_descriptors = imports.descriptors;
    image.load_config()?;
    image.debug(&mut names)?;
    image.facts.is_managed = image.directory(DIR_MANAGED).is_some();
    image.facts.has_tls = image.directory(DIR_TLS).is_some();

    let Image { facts: mut found, mut name_places, subsystem_version: (major, minor), wide, .. } = image;
    name_places.sort_unstable_by_key(|place| place.start);
    // Names stand at even places: what lies between two of them is padding.
    for place in name_places {
        match found.symbol_names.last_mut() {
            Some(last) if place.start <= last.end + 2 => last.end = last.end.max(place.end),
            _ => found.symbol_names.push(place),
        }
    }
    let kind = match found.is_dll() {
        false => ObjectKind::Executable,
        true if exports.exports.iter().any(|export| is_init_function(&export.name)) => ObjectKind::Extension,
        true => ObjectKind::SharedLibrary,
    };
    let minimum = OsVersion { major: major.into(), minor: minor.into(), patch: 0 };
    Ok(Object {
        bytes,
        format: Format::Pe,
        architecture: architecture(found.machine),
        is_64: wide,
        is_big_endian: false,
        kind,
        identity: exports.identity,
        needed: imports.needed,
        rpaths: Vec::new(),
        minimum_os: vec![MinimumOs { system: System::Windows, minimum, sdk: None }],
        imports: imports.symbols,
        exports: exports.exports,
        unreadable: names.unreadable,
        details: Details::Pe(Box::new(found)),
    })
}

impl<'a> Image<'a> {
    /// `DependentLoadFlags`, which is there if the structure says that it is long enough.
    fn load_config(&mut self) -> Result<(), ParseError> {
        const WHAT: &str = "load configuration";
        let Some(place) = self.directory(DIR_LOAD_CONFIG) else { return Ok(()) };
        let (data, offset) = self.mapped(WHAT, place.address)?;
        let at = |error: ParseError| error.shifted(offset);
        let field = if self.wide { 0x4e } else { 0x36 };
        if u64::from(data.record(WHAT, 0, 4).map_err(at)?.u32(0)) >= field + 2 {
            self.facts.dependent_load_flags = Some(data.record(WHAT, field, 2).map_err(at)?.u16(0));
            self.facts.dependent_load_flags_offset = Some(offset + field);
        }
        Ok(())
    }

    /// The debug directory. Its data may lie where nothing is mapped, or be cut off: it is only described.
    fn debug(&mut self, names: &mut Names<'a>) -> Result<(), ParseError> {
        const WHAT: &str = "debug directory";
        let Some(place) = self.directory(DIR_DEBUG) else { return Ok(()) };
        let (data, offset) = self.mapped(WHAT, place.address)?;
        let mut budget = Budget::for_bytes(self.data.bytes);
        for entry in data.table(WHAT, 0, u64::from(place.size) / 28, 28).map_err(|error| error.shifted(offset))? {
            let (kind, size, at) = (entry.u32(12), entry.u32(16), entry.u32(24));
            let mut pdb = None;
            if let Ok(bytes) = self.data.slice(WHAT, at.into(), size.into())
                && kind == 2
                && bytes.starts_with(b"RSDS")
                && let Ok(RawName { bytes, .. }) = (Data { bytes, big: false }).text(WHAT, 24, &mut budget)
            {
                pdb = names.text("PDB path", RawName { bytes, offset: u64::from(at) + 24 });
            }
            self.facts.debug.push(DebugEntry { kind, offset: at, size, pdb });
        }
        Ok(())
    }
}

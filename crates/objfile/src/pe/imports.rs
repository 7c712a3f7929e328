//! Imports and delay imports.

use super::ImportDescriptor;
use super::headers::{DIR_DELAY_IMPORT, DIR_IMPORT, Image};
use crate::bytes::{Names, RawName, Record};
use crate::error::{ParseError, Problem};
use crate::object::{Needed, NeededKind};
use crate::symbol::{Import, Provider, SymbolKind};

#[derive(Default)]
pub(super) struct Imports<'a> {
    pub(super) needed: Vec<Needed<'a>>,
    pub(super) symbols: Vec<Import<'a>>,
    pub(super) descriptors: Vec<ImportDescriptor<'a>>,
}

/// One of the two kinds of descriptor table.
struct Form {
    structure: &'static str,
    directory: usize,
    delayed: bool,
    size: u64,
    /// Where in a descriptor the RVA of the DLL's name stands.
    name: usize,
    /// Where the RVA of the table of names stands, and of the one that serves if that is zero.
    thunks: [usize; 2],
}

const FORMS: [Form; 2] = [
    Form { structure: "import table", directory: DIR_IMPORT, delayed: false, size: 20, name: 12, thunks: [0, 16] },
    Form {
        structure: "delay import table",
        directory: DIR_DELAY_IMPORT,
        delayed: true,
        size: 32,
        name: 4,
        thunks: [16, 16],
    },
];

pub(super) fn read<'a>(image: &mut Image<'a>, names: &mut Names<'a>) -> Result<Imports<'a>, ParseError> {
    let mut found = Imports::default();
    // Tables may overlap, but there are no more entries than fit side by side.
    let mut left = image.data.len() / 4;
    for form in &FORMS {
        let Some(place) = image.directory(form.directory) else { continue };
        let (table, offset) = image.mapped(form.structure, place.address)?;
        let mut at = 0;
        loop {
            let descriptor = table.record(form.structure, at, form.size).map_err(|error| error.shifted(offset))?;
            if descriptor.u32(form.name) == 0 {
                break;
            }
            found.library(image, form, descriptor, offset + at, &mut left, names)?;
            at += form.size;
        }
    }
    Ok(found)
}

impl<'a> Imports<'a> {
    fn library(
        &mut self,
        image: &mut Image<'a>,
        form: &Form,
        descriptor: Record<'a>,
        at: u64,
        left: &mut u64,
        names: &mut Names<'a>,
    ) -> Result<(), ParseError> {
        const THUNKS: &str = "import lookup table";
        // Delay imports of old linkers hold addresses: `Attributes` says which.
        let is_address = form.delayed && descriptor.u32(0) & 1 == 0;
        let base = if is_address { image.facts.image_base as u32 } else { 0 };
        let rva = |field: usize| descriptor.u32(field).wrapping_sub(base);

        let raw = image.text("name of a DLL", rva(form.name), 0)?;
        let Some(library) = names.text("needed library", raw) else { return Ok(()) };
        self.descriptors.push(ImportDescriptor {
            library,
            delayed: form.delayed,
            name_field_offset: at + form.name as u64,
            name_offset: raw.offset,
            name_is_address: is_address,
        });
        let kind = if form.delayed { NeededKind::Lazy } else { NeededKind::Normal };
        self.needed.push(Needed { name: library, kind, versions: None });

        let table = form.thunks.into_iter().find(|field| descriptor.u32(*field) != 0);
        let Some(table) = table else { return Ok(()) };
        let (thunks, offset) = image.mapped(THUNKS, rva(table))?;
        let size = if image.wide { 8 } else { 4 };
        let mut at = 0;
        loop {
            let thunk = thunks.record(THUNKS, at, size).map_err(|error| error.shifted(offset))?;
            let thunk = thunk.word(0, image.wide);
            if thunk == 0 {
                return Ok(());
            }
            *left = left.checked_sub(1).ok_or(ParseError::Malformed {
                structure: THUNKS,
                offset: offset + at,
                problem: Problem::Overlap,
            })?;
            let by_ordinal = thunk >> (size * 8 - 1) != 0;
            let (name, ordinal) = if by_ordinal {
                (Some(""), Some(thunk as u16))
            } else {
                let hint = (thunk as u32 & 0x7fff_ffff).wrapping_sub(base);
                let RawName { bytes, offset } = image.text("name of an import", hint.wrapping_add(2), 2)?;
                (names.text("import", RawName { bytes, offset }), None)
            };
            if let Some(name) = name {
                self.symbols.push(Import {
                    name,
                    from: Provider::Library(library),
                    version: None,
                    kind: SymbolKind::Unknown,
                    weak: false,
                    delayed: form.delayed,
                    ordinal,
                });
            }
            at += size;
        }
    }
}

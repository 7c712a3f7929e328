//! The export directory.

use super::headers::{DIR_EXPORT, Image};
use crate::bytes::{Names, bad_value};
use crate::error::ParseError;
use crate::symbol::{Export, ExportTarget, SymbolKind};

const WHAT: &str = "export directory";

/// The exports and the name the DLL was linked as.
#[derive(Default)]
pub(super) struct Exports<'a> {
    pub(super) identity: Option<&'a str>,
    pub(super) exports: Vec<Export<'a>>,
}

pub(super) fn read<'a>(image: &mut Image<'a>, names: &mut Names<'a>) -> Result<Exports<'a>, ParseError> {
    let mut found = Exports::default();
    let Some(place) = image.directory(DIR_EXPORT) else { return Ok(found) };
    let (head, offset) = image.mapped(WHAT, place.address)?;
    let head = head.record(WHAT, 0, 40).map_err(|error| error.shifted(offset))?;
    let [name, base, function_count, name_count, functions, names_table, ordinals] =
        [12, 16, 20, 24, 28, 32, 36].map(|at| head.u32(at));
    if name != 0 {
        found.identity = names.text("name of the DLL", image.text(WHAT, name, 0)?);
    }
    if function_count == 0 {
        return Ok(found);
    }
    let table = |image: &Image<'a>, structure, rva, count: u32, size| {
        let (data, offset) = image.mapped(structure, rva)?;
        let table = data.table(structure, 0, count.into(), size);
        table.map_err(|error: ParseError| error.shifted(offset))
    };
    let addresses: Vec<u32> =
        table(image, "export address table", functions, function_count, 4)?.map(|entry| entry.u32(0)).collect();
    let mut has_name = vec![false; addresses.len()];

    if name_count > 0 {
        let texts = table(image, "export name table", names_table, name_count, 4)?;
        let indices = table(image, "export ordinal table", ordinals, name_count, 2)?;
        for (text, index) in texts.zip(indices) {
            let index = index.u16(0);
            let Some(&address) = addresses.get(usize::from(index)) else {
                return Err(bad_value("export ordinal table", offset, "index of a function", index.into()));
            };
            if let Some(has_name) = has_name.get_mut(usize::from(index)) {
                *has_name = true;
            }
            let raw = image.text("name of an export", text.u32(0), 0)?;
            if let Some(name) = names.text("export", raw) {
                let target = target(image, place.address, place.size, address, names)?;
                found.exports.push(export(image, name, base.wrapping_add(index.into()), address, target));
            }
        }
    }
    for (index, (&address, _)) in addresses.iter().zip(&has_name).enumerate().filter(|(_, (_, has_name))| !**has_name) {
        if address != 0 {
            let target = target(image, place.address, place.size, address, names)?;
            found.exports.push(export(image, "", base.wrapping_add(index as u32), address, target));
        }
    }
    Ok(found)
}

/// An address inside the export directory is that of a forwarder's text: `DLL.name` or `DLL.#ordinal`.
fn target<'a>(
    image: &mut Image<'a>,
    start: u32,
    size: u32,
    address: u32,
    names: &mut Names<'a>,
) -> Result<ExportTarget<'a>, ParseError> {
    if address.wrapping_sub(start) >= size {
        return Ok(ExportTarget::Address(address.into()));
    }
    let raw = image.text("forwarder", address, 0)?;
    let text = names.text("forwarder", raw).unwrap_or_default();
    let Some((library, symbol)) = text.rsplit_once('.') else {
        return Err(bad_value("forwarder", raw.offset, "place of its dot", raw.bytes.len() as u64));
    };
    Ok(ExportTarget::Forward { library, symbol })
}

fn export<'a>(image: &Image<'a>, name: &'a str, ordinal: u32, address: u32, target: ExportTarget<'a>) -> Export<'a> {
    let kind = match target {
        ExportTarget::Forward { .. } => SymbolKind::Unknown,
        ExportTarget::Address(_) if image.is_code(address) => SymbolKind::Function,
        ExportTarget::Address(_) => SymbolKind::Data,
    };
    Export {
        name: name.into(),
        version: None,
        kind,
        weak: false,
        unique: false,
        ordinal: u16::try_from(ordinal).ok(),
        target,
    }
}

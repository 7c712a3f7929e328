//! Universal files: one image for each of several architectures.

use goblin::mach::fat::FAT_MAGIC;

use super::read::architecture;
use crate::archive::Archive;
use crate::bytes::{Data, bad_value};
use crate::error::ParseError;
use crate::object::Format;
use crate::sniff::{FileKind, sniff};
use crate::{Slice, SliceContent};

/// `FAT_MAGIC_64`.
const FAT_MAGIC_64: u32 = 0xcafe_babf;

pub(crate) fn slices(bytes: &[u8]) -> Result<Vec<Slice<'_>>, ParseError> {
    const WHAT: &str = "universal header";
    let data = Data { bytes, big: true };
    let header = data.record(WHAT, 0, 8)?;
    let (wide, size) = match header.u32(0) {
        FAT_MAGIC => (false, 20),
        FAT_MAGIC_64 => (true, 32),
        magic => return Err(bad_value(WHAT, 0, "magic", magic.into())),
    };
    let mut places = Vec::new();
    for entry in data.table(WHAT, 8, header.u32(4).into(), size)? {
        let (offset, length) = (entry.word(8, wide), entry.word(if wide { 16 } else { 12 }, wide));
        places.push((offset, length, entry.u32(0)));
    }
    let mut in_order = places.clone();
    in_order.sort_unstable();
    for pair in in_order.windows(2) {
        if let [(offset, length, _), (next, ..)] = *pair
            && offset.saturating_add(length) > next
        {
            return Err(bad_value(WHAT, 8, "offset of a slice inside another", next));
        }
    }
    let slice = |(offset, length, cpu_type)| {
        let bytes = data.slice("slice of a universal file", offset, length)?;
        let content = match sniff(bytes) {
            Some(FileKind::Object(Format::MachO)) => {
                SliceContent::Object(Box::new(super::read(bytes).map_err(|error| error.shifted(offset))?))
            }
            Some(FileKind::Archive) => SliceContent::Archive(Archive::new(bytes)),
            _ => {
                let what = "anything but Mach-O and archives";
                return Err(ParseError::Unsupported { structure: "slice of a universal file", offset, what });
            }
        };
        Ok(Slice { architecture: architecture(cpu_type, false), offset, bytes, content })
    };
    places.into_iter().map(slice).collect()
}

//! Telling formats apart by their first bytes.

use goblin::mach::cputype::{CPU_ARCH_ABI64, CPU_ARCH_ABI64_32};

use crate::bytes::Record;
use crate::coff::{BIG_OBJECT_CLASS, is_coff_machine};
use crate::object::Format;

/// What a file is, as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// One object.
    Object(Format),
    /// A universal Mach-O file.
    Universal,
    /// A static archive, of any format's objects.
    Archive,
    /// A thin archive.
    ThinArchive,
}

/// Tells what a file is from its start. 4 KiB are enough, and fewer will do for most. No false alarm for Java classes
/// (which share a magic number with universal Mach-O files), DOS programs or texts: COFF objects, which have no magic
/// number, must have a header that is plausible in every field.
pub fn sniff(start: &[u8]) -> Option<FileKind> {
    let object = |format| Some(FileKind::Object(format));
    match start {
        [0x7f, b'E', b'L', b'F', ..] => object(Format::Elf),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => object(Format::MachO),
        [0xca, 0xfe, 0xba, 0xbe, ..] => is_universal(start, 20).then_some(FileKind::Universal),
        [0xca, 0xfe, 0xba, 0xbf, ..] => is_universal(start, 32).then_some(FileKind::Universal),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => Some(FileKind::Archive),
        [b'!', b'<', b't', b'h', b'i', b'n', b'>', b'\n', ..] => Some(FileKind::ThinArchive),
        [b'M', b'Z', ..] => is_pe(start).then_some(FileKind::Object(Format::Pe)),
        [0, 0, 0xff, 0xff, ..] => is_anonymous_object(start).then_some(FileKind::Object(Format::Coff)),
        _ => is_coff(start).then_some(FileKind::Object(Format::Coff)),
    }
}

/// A Java class has its version where a universal file has the number of slices: 45 and up in the low half. No universal
/// file has as many slices, and each has a processor and room for the header before it.
fn is_universal(start: &[u8], entry: usize) -> bool {
    let header = Record { bytes: start, big: true };
    let count = header.u32(4) as usize;
    let first_offset = if entry == 20 { u64::from(header.u32(16)) } else { header.u64(16) };
    (1..45).contains(&count)
        && start.len() >= 8 + entry
        && header.u32(8) & !(CPU_ARCH_ABI64 | CPU_ARCH_ABI64_32) <= 32
        && first_offset >= (8 + count * entry) as u64
}

fn is_pe(start: &[u8]) -> bool {
    /// Where linkers put the PE header, at the most; DOS programs have anything in the field that says it.
    const FAR: usize = 0x1_0000;
    let header = Record { bytes: start, big: false };
    let at = header.u32(0x3c) as usize;
    match start.get(at..).and_then(|rest| rest.get(..4)) {
        Some(signature) => signature == b"PE\0\0",
        None => start.len() >= 0x40 && (0x40..FAR).contains(&at),
    }
}

fn is_anonymous_object(start: &[u8]) -> bool {
    let header = Record { bytes: start, big: false };
    let known_machine = start.len() >= 20 && is_coff_machine(header.u16(6));
    match header.u16(4) {
        0 => known_machine && header.u16(18) >> 5 == 0,
        _ => known_machine && start.get(12..28) == Some(&BIG_OBJECT_CLASS),
    }
}

fn is_coff(start: &[u8]) -> bool {
    const EXECUTABLE_OR_DLL: u16 = 0x2002;
    let header = Record { bytes: start, big: false };
    let (sections, table, symbols) = (header.u16(2), header.u32(8), header.u32(12));
    let headers_end = 20 + 40 * u32::from(sections);
    let printable = |name: &[u8]| {
        let end = memchr::memchr(0, name).unwrap_or(name.len());
        name.iter().take(end).all(u8::is_ascii_graphic) && name.iter().skip(end).all(|&byte| byte == 0)
    };
    start.len() >= 20
        && is_coff_machine(header.u16(0))
        && header.u16(16) == 0
        && header.u16(18) & EXECUTABLE_OR_DLL == 0
        && (1..0xff00).contains(&sections)
        && (table >= headers_end || (table == 0 && symbols == 0))
        && start.get(20..28).is_none_or(printable)
}

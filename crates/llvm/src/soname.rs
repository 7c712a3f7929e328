//! What others need a library by, by a few short reads: a libLLVM is 130 MB and nothing else of it is wanted.
//!
//! Formats: System V ABI, chapters "Program Header" and "Dynamic Section"; `mach-o/loader.h`, `dylib_command`.

use std::io::{Read, Seek, SeekFrom};

use camino::Utf8Path;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const DT_NULL: u64 = 0;
const DT_STRTAB: u64 = 5;
const DT_SONAME: u64 = 14;
/// A dynamic section has some 30 entries; this bounds what a hostile file can make us read.
const LARGEST_DYNAMIC: u64 = 1 << 16;
const LONGEST_NAME: u64 = 1024;

const MH_MAGIC_64: &[u8] = &[0xcf, 0xfa, 0xed, 0xfe];
const LC_ID_DYLIB: u32 = 0xd;
/// Of a Mach-O header with 64 bits.
const MACHO_HEADER: u64 = 32;
/// A libLLVM has some 3 kB of load commands.
const LARGEST_COMMANDS: u64 = 1 << 16;

/// The soname of an ELF file, the last part of the install name of a Mach-O file; `None` if the file is neither with 64
/// bits in little-endian, or has none. Every system that wheels with LLVM are made for is one; for others, and for
/// universal files, the file's name serves.
pub(crate) fn read(file: &Utf8Path) -> Option<String> {
    let mut file = fs_err::File::open(file).ok()?;
    let header = bytes(&mut file, 0, 64)?;
    if header.starts_with(MH_MAGIC_64) {
        return install_name(&mut file, u64::from(u32_at(&header, 20)?));
    }
    // Magic, ELFCLASS64, ELFDATA2LSB.
    if header.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (offset, size, count) =
        (u64_at(&header, 32)?, u64::from(u16_at(&header, 54)?), u64::from(u16_at(&header, 56)?));
    if size < 56 {
        return None;
    }
    let table = bytes(&mut file, offset, size * count)?;
    let segments: Vec<Segment> = table.chunks_exact(size as usize).filter_map(Segment::parse).collect();
    let dynamic = segments.iter().find(|segment| segment.kind == PT_DYNAMIC)?;
    let entries = bytes(&mut file, dynamic.offset, dynamic.size.min(LARGEST_DYNAMIC))?;
    let mut names = None;
    let mut soname = None;
    for entry in entries.chunks_exact(16) {
        match u64_at(entry, 0)? {
            DT_NULL => break,
            DT_STRTAB => names = u64_at(entry, 8),
            DT_SONAME => soname = u64_at(entry, 8),
            _ => {}
        }
    }
    let address = names?.checked_add(soname?)?;
    let segment = segments.iter().find(|segment| {
        segment.kind == PT_LOAD && address.checked_sub(segment.address).is_some_and(|into| into < segment.size)
    })?;
    let into = address - segment.address;
    let text = bytes(&mut file, segment.offset.checked_add(into)?, LONGEST_NAME.min(segment.size - into))?;
    let end = text.iter().position(|byte| *byte == 0)?;
    String::from_utf8(text.get(..end)?.to_vec()).ok().filter(|name| !name.is_empty())
}

fn install_name(file: &mut fs_err::File, size: u64) -> Option<String> {
    let commands = bytes(file, MACHO_HEADER, size.min(LARGEST_COMMANDS))?;
    let mut rest = commands.as_slice();
    loop {
        let length = u32_at(rest, 4)? as usize;
        let command = rest.get(..length).filter(|_| length >= 8)?;
        if u32_at(rest, 0)? == LC_ID_DYLIB {
            let text = command.get(u32_at(command, 8)? as usize..)?;
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            let name = std::str::from_utf8(text.get(..end)?).ok()?;
            return name.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
        }
        rest = rest.get(length..)?;
    }
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

impl Segment {
    fn parse(entry: &[u8]) -> Option<Self> {
        let kind = u32::from_le_bytes(entry.get(..4)?.try_into().ok()?);
        Some(Self { kind, offset: u64_at(entry, 8)?, address: u64_at(entry, 16)?, size: u64_at(entry, 32)? })
    }
}

fn bytes(file: &mut fs_err::File, offset: u64, length: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(offset)).ok()?;
    let mut buffer = Vec::new();
    file.take(length).read_to_end(&mut buffer).ok()?;
    Some(buffer)
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

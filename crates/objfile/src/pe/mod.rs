//! PE images: what Windows' loader reads.
//!
//! Source: Microsoft's "PE Format" specification and `winnt.h`.

mod exports;
mod headers;
mod imports;
mod read;

use std::ops::Range;

pub(crate) use read::read;

/// What only PE images have.
#[derive(Debug, Clone, Default)]
pub struct PeFacts<'a> {
    /// `Machine`.
    pub machine: u16,
    /// The COFF header's `Characteristics`: 0x2000 is a DLL.
    pub characteristics: u16,
    /// `DllCharacteristics`. See [`PeFacts::high_entropy_va`] and its siblings.
    pub dll_characteristics: u16,
    /// `Subsystem`: 2 GUI, 3 console.
    pub subsystem: u16,
    /// `TimeDateStamp`.
    pub timestamp: u32,
    /// `MajorLinkerVersion`, `MinorLinkerVersion`.
    pub linker_version: (u8, u8),
    /// `ImageBase`.
    pub image_base: u64,
    /// `AddressOfEntryPoint`.
    pub entry_point: u32,
    /// `SizeOfImage`.
    pub size_of_image: u32,
    /// `SizeOfHeaders`.
    pub size_of_headers: u32,
    /// `SectionAlignment`.
    pub section_alignment: u32,
    /// `FileAlignment`.
    pub file_alignment: u32,
    /// `CheckSum`; zero means none was made. See [`crate::pe_checksum`].
    pub checksum: u32,
    /// Where the PE signature (`PE\0\0`) stands in the file; the COFF header follows 4 bytes further.
    pub signature_offset: u64,
    /// Where the optional header starts in the file.
    pub optional_header_offset: u64,
    /// Where `CheckSum` stands in the file.
    pub checksum_offset: u64,
    /// Where the section table starts in the file.
    pub section_table_offset: u64,
    /// Where the first data directory stands in the file; each has 8 bytes.
    pub data_directories_offset: u64,
    /// The data directories in the specification's order (0 export, 1 import, 2 resource, 4 certificate, 6 debug,
    /// 10 load config, 13 delay import, …).
    pub data_directories: Vec<DataDirectory>,
    /// The sections, in file order.
    pub sections: Vec<PeSection<'a>>,
    /// Data after the last section's raw data, the certificate table included. The loader does not map it.
    pub overlay: Option<Range<u64>>,
    /// The Authenticode certificate table, which lies in the overlay.
    pub certificate: Option<Range<u64>>,
    /// `DependentLoadFlags` of the load configuration: non-zero narrows where needed DLLs are searched
    /// (`LOAD_LIBRARY_SEARCH_*` bits).
    pub dependent_load_flags: Option<u16>,
    /// Where `DependentLoadFlags` stands in the file.
    pub dependent_load_flags_offset: Option<u64>,
    /// The import and delay-import descriptors, in file order; for patching.
    pub import_descriptors: Vec<ImportDescriptor<'a>>,
    /// The debug directory's entries.
    pub debug: Vec<DebugEntry<'a>>,
    /// Whether it is a managed (.NET) image.
    pub is_managed: bool,
    /// Whether it has thread-local storage (a TLS directory).
    pub has_tls: bool,
    /// Where the names of imports and exports lie in the file: disjoint, in order.
    pub(crate) symbol_names: Vec<Range<u64>>,
}

impl PeFacts<'_> {
    /// May be loaded above 4 GiB at random (`HIGH_ENTROPY_VA`).
    pub const fn high_entropy_va(&self) -> bool {
        self.dll_characteristics & 0x20 != 0
    }

    /// May be loaded anywhere (`DYNAMIC_BASE`).
    pub const fn dynamic_base(&self) -> bool {
        self.dll_characteristics & 0x40 != 0
    }

    /// The loader checks its certificate (`FORCE_INTEGRITY`).
    pub const fn force_integrity(&self) -> bool {
        self.dll_characteristics & 0x80 != 0
    }

    /// Data is not executable (`NX_COMPAT`).
    pub const fn nx_compat(&self) -> bool {
        self.dll_characteristics & 0x100 != 0
    }

    /// Has control flow guard (`GUARD_CF`).
    pub const fn guard_cf(&self) -> bool {
        self.dll_characteristics & 0x4000 != 0
    }

    /// Whether it is a DLL.
    pub const fn is_dll(&self) -> bool {
        self.characteristics & 0x2000 != 0
    }

    /// Where an RVA lies in the file; `None` where it has no bytes there.
    pub fn file_offset(&self, rva: u32) -> Option<u64> {
        if rva < self.size_of_headers {
            return Some(rva.into());
        }
        self.sections.iter().find_map(|section| {
            let inside = rva.checked_sub(section.address)?;
            (inside < section.file_size).then(|| u64::from(section.offset) + u64::from(inside))
        })
    }
}

/// A data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DataDirectory {
    /// `VirtualAddress` (for the certificate table a file offset).
    pub address: u32,
    /// `Size`.
    pub size: u32,
}

/// A section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeSection<'a> {
    /// Its name; empty if not UTF-8.
    pub name: &'a str,
    /// `VirtualAddress`, an RVA.
    pub address: u32,
    /// `VirtualSize`.
    pub memory_size: u32,
    /// `PointerToRawData`, rounded down to 512 as the loader does.
    pub offset: u32,
    /// `SizeOfRawData`.
    pub file_size: u32,
    /// `Characteristics`: 0x20000000 execute, 0x40000000 read, 0x80000000 write.
    pub characteristics: u32,
    /// Free bytes between what the section uses in memory and the end of its raw data.
    pub slack: u32,
    /// Where its header stands in the file.
    pub header_offset: u64,
}

/// What a PE image imports from one DLL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportDescriptor<'a> {
    /// The DLL's name.
    pub library: &'a str,
    /// Whether it is a delay import.
    pub delayed: bool,
    /// Where the descriptor's field with the name's RVA stands in the file.
    pub name_field_offset: u64,
    /// Where the name stands in the file.
    pub name_offset: u64,
    /// Whether the field holds a virtual address instead of an RVA (delay imports made by old linkers).
    pub name_is_address: bool,
}

/// An entry of the debug directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebugEntry<'a> {
    /// `Type`: 2 CodeView, 16 reproducible build, …
    pub kind: u32,
    /// Where its data lies in the file.
    pub offset: u32,
    /// The data's size.
    pub size: u32,
    /// The path of the PDB that a CodeView entry names.
    pub pdb: Option<&'a str>,
}

/// The checksum that a PE image with these bytes must have in `CheckSum`, whose place in the file is
/// [`PeFacts::checksum_offset`] (its four bytes count as zero).
pub fn pe_checksum(bytes: &[u8], checksum_offset: u64) -> u32 {
    let field = usize::try_from(checksum_offset).unwrap_or(usize::MAX);
    let field = field..field.saturating_add(4);
    let mut sum: u64 = 0;
    for (index, pair) in bytes.chunks(2).enumerate() {
        let byte = |at: usize| match pair.get(at) {
            Some(byte) if !field.contains(&(index * 2 + at)) => u64::from(*byte),
            _ => 0,
        };
        sum += byte(0) | byte(1) << 8;
    }
    // One's-complement sum of 16-bit words: adding all the carries at the end gives the same.
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (sum as u32).wrapping_add(bytes.len() as u32)
}

//! Zip records as wheels use them: sizes known beforehand, no data descriptors, zip64 only where needed.
//!
//! Layouts: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16.

use std::io::{self, Write};

use super::WriteError;
use crate::archive::{DosTime, Method};

/// One member as it shall stand in the archive.
pub(super) struct Item<'a> {
    pub(super) name: &'a str,
    pub(super) method: Method,
    pub(super) crc32: u32,
    pub(super) size: u64,
    /// `st_mode` of a regular file.
    pub(super) mode: u32,
    /// The bytes as they shall stand in the archive.
    pub(super) data: &'a [u8],
}

/// Writes members one after the other and keeps the directory until the end.
pub(super) struct ZipWriter<W> {
    out: W,
    time: DosTime,
    offset: u64,
    directory: Vec<u8>,
    count: u64,
}

const NARROW: u64 = u32::MAX as u64;

/// A field of 32 bits: the value, or all ones where the zip64 field has it.
fn narrow(value: u64) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

impl<W: Write> ZipWriter<W> {
    pub(super) fn new(out: W, time: DosTime) -> Self {
        Self { out, time, offset: 0, directory: Vec::new(), count: 0 }
    }

    pub(super) fn add(&mut self, item: &Item<'_>) -> Result<(), WriteError> {
        let name_length = u16::try_from(item.name.len()).map_err(|_| WriteError::NameTooLong)?;
        let compressed = item.data.len() as u64;
        let wide_sizes = item.size >= NARROW || compressed >= NARROW;
        let wide_offset = self.offset >= NARROW;
        let version: u16 = if wide_sizes || wide_offset { 45 } else { 20 };
        let method: u16 = match item.method {
            Method::Stored => 0,
            Method::Deflated => 8,
            Method::Other(number) => number,
        };
        // With one of the two sizes wide, the local header must give both there.
        let (size, stated) = if wide_sizes { (NARROW, NARROW) } else { (item.size, compressed) };
        let mut extra = Vec::new();
        if wide_sizes {
            extra.extend(item.size.to_le_bytes());
            extra.extend(compressed.to_le_bytes());
        }
        let local_extra = zip64_field(&extra);
        if wide_offset {
            extra.extend(self.offset.to_le_bytes());
        }
        let central_extra = zip64_field(&extra);

        let mut common = Vec::new();
        common.extend(version.to_le_bytes());
        let utf8: u16 = if item.name.is_ascii() { 0 } else { 1 << 11 };
        common.extend(utf8.to_le_bytes());
        common.extend(method.to_le_bytes());
        common.extend(self.time.time.to_le_bytes());
        common.extend(self.time.date.to_le_bytes());
        common.extend(item.crc32.to_le_bytes());
        common.extend(narrow(stated));
        common.extend(narrow(size));
        common.extend(name_length.to_le_bytes());

        let mut local = b"PK\x03\x04".to_vec();
        local.extend(&common);
        local.extend((local_extra.len() as u16).to_le_bytes());
        local.extend(item.name.as_bytes());
        local.extend(&local_extra);

        let unix = 3_u16 << 8;
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend((unix | version).to_le_bytes());
        self.directory.extend(&common);
        self.directory.extend((central_extra.len() as u16).to_le_bytes());
        // No comment, first disk, no internal attributes.
        self.directory.extend([0; 6]);
        self.directory.extend((item.mode << 16).to_le_bytes());
        self.directory.extend(narrow(self.offset));
        self.directory.extend(item.name.as_bytes());
        self.directory.extend(&central_extra);

        self.out.write_all(&local)?;
        self.out.write_all(item.data)?;
        self.offset += local.len() as u64 + compressed;
        self.count += 1;
        Ok(())
    }

    /// Writes the directory; gives the archive's size.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        let (start, length) = (self.offset, self.directory.len() as u64);
        let mut end = Vec::new();
        if self.count >= u64::from(u16::MAX) || length >= NARROW || start >= NARROW {
            end.extend(b"PK\x06\x06");
            end.extend(44_u64.to_le_bytes());
            end.extend([45, 3, 45, 0]);
            end.extend([0; 8]);
            end.extend(self.count.to_le_bytes());
            end.extend(self.count.to_le_bytes());
            end.extend(length.to_le_bytes());
            end.extend(start.to_le_bytes());
            end.extend(b"PK\x06\x07");
            end.extend([0; 4]);
            end.extend((start + length).to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        let count = u16::try_from(self.count).unwrap_or(u16::MAX).to_le_bytes();
        end.extend(b"PK\x05\x06");
        end.extend([0; 4]);
        end.extend(count);
        end.extend(count);
        end.extend(narrow(length));
        end.extend(narrow(start));
        end.extend([0; 2]);
        self.out.write_all(&self.directory)?;
        self.out.write_all(&end)?;
        self.out.flush()?;
        Ok(start + length + end.len() as u64)
    }
}

/// The extra field for values that are too wide; nothing if there are none.
fn zip64_field(values: &[u8]) -> Vec<u8> {
    if values.is_empty() {
        return Vec::new();
    }
    let mut field = vec![1, 0];
    field.extend((values.len() as u16).to_le_bytes());
    field.extend(values);
    field
}

//! Getting at a member's bytes.

use std::borrow::Cow;
use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{DecompressionError, Decompressor};

use super::Archive;
use super::member::{Member, Method};
use super::problem::{MemberError, MemberErrorKind, ProblemKind};

thread_local! {
    static DECOMPRESSOR: RefCell<Decompressor> = RefCell::new(Decompressor::new());
}

impl Archive {
    /// All bytes of a member, their checksum verified. A stored member is borrowed from the archive; a deflated one
    /// takes a buffer of exactly its size.
    pub fn read(&self, member: &Member) -> Result<Cow<'_, [u8]>, MemberError> {
        let raw = self.raw(member)?;
        let bytes = match member.method {
            Method::Stored => Cow::Borrowed(raw),
            Method::Deflated => Cow::Owned(inflate(raw, member)?),
            Method::Other(method) => return Err(member.error(ProblemKind::UnsupportedMethod { method })),
        };
        let found = crc32fast::hash(&bytes);
        if found != member.crc32 {
            return Err(member.error(MemberErrorKind::BadChecksum { claimed: member.crc32, found }));
        }
        Ok(bytes)
    }

    /// The first `length` bytes of a member, or all if it is shorter, without inflating the rest.
    /// The checksum is of the whole and is not verified.
    pub fn read_prefix(&self, member: &Member, length: usize) -> Result<Cow<'_, [u8]>, MemberError> {
        let raw = self.raw(member)?;
        let length = usize::try_from(member.size).map_or(length, |size| size.min(length));
        match member.method {
            Method::Stored => Ok(Cow::Borrowed(raw.get(..length).unwrap_or(raw))),
            Method::Deflated => {
                inflate_prefix(raw, length).map(Cow::Owned).ok_or_else(|| member.error(MemberErrorKind::BadDeflate))
            }
            Method::Other(method) => Err(member.error(ProblemKind::UnsupportedMethod { method })),
        }
    }
}

/// Inflates to exactly the claimed size.
fn inflate(raw: &[u8], member: &Member) -> Result<Vec<u8>, MemberError> {
    let out_of_memory = || member.error(MemberErrorKind::OutOfMemory { size: member.size });
    let size = usize::try_from(member.size).map_err(|_| out_of_memory())?;
    // Asked for first in the way that can be refused; zeroed memory then comes from the kernel page by page as it is
    // used, so that a claim alone takes nothing.
    Vec::<u8>::new().try_reserve_exact(size).map_err(|_| out_of_memory())?;
    let mut buffer = vec![0; size];
    let claimed = member.size;
    match DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.deflate_decompress(raw, &mut buffer)) {
        Ok(written) if written == size => Ok(buffer),
        Ok(written) => Err(member.error(MemberErrorKind::TooShort { claimed, found: written as u64 })),
        Err(DecompressionError::InsufficientSpace) => Err(member.error(MemberErrorKind::TooLong { claimed })),
        Err(DecompressionError::BadData) => Err(member.error(MemberErrorKind::BadDeflate)),
    }
}

fn inflate_prefix(raw: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(length).ok()?;
    buffer.resize(length, 0);
    let mut stream = Decompress::new(false);
    loop {
        let (read, written) = (usize::try_from(stream.total_in()).ok()?, usize::try_from(stream.total_out()).ok()?);
        if written >= length {
            return Some(buffer);
        }
        let status = stream.decompress(raw.get(read..)?, buffer.get_mut(written..)?, FlushDecompress::None).ok()?;
        let progress = (stream.total_in(), stream.total_out()) != (read as u64, written as u64);
        match status {
            Status::StreamEnd if stream.total_out() == length as u64 => return Some(buffer),
            Status::Ok if progress => {}
            // The data end before the claimed size.
            _ => return None,
        }
    }
}

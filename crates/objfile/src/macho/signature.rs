//! Code signatures: reading what they say, checking the page hashes.
//!
//! A signature is a `SuperBlob` of blobs, all big-endian; the page hashes are in a `CodeDirectory`, of which there may be
//! several with different hashes (`kern/cs_blobs.h`).

use sha2::{Digest, Sha256};

use super::CodeSignature;
use crate::bytes::{Budget, Data, Names, RawName, Record, bad_value};
use crate::error::{ParseError, Problem};
use crate::object::Object;

const SUPER_BLOB: &str = "code signature";
const DIRECTORY: &str = "code directory";
const SHA256: u8 = 2;
const SHA256_TRUNCATED: u8 = 3;

/// Whether a Mach-O object's code signature is true of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureState {
    /// There is none: macOS on arm64 refuses to run it.
    Unsigned,
    /// All pages have the hashes the signature says.
    Valid {
        /// How many pages were checked.
        pages: u64,
    },
    /// A page differs from its hash: macOS kills the process that touches it.
    Mismatch {
        /// The first page that differs, counted from 0.
        page: u64,
        /// Where it starts in the object.
        offset: u64,
        /// How many pages differ in all.
        mismatches: u64,
    },
    /// The hashes do not cover all bytes before the signature (`codeLimit` is less than the signature's offset).
    Uncovered {
        /// Where the covered part ends.
        code_limit: u64,
        /// Where the signature starts.
        signature: u64,
    },
    /// Its hashes are of a kind not checked here (SHA-1 alone, SHA-384).
    UnknownHash {
        /// `hashType`.
        hash_type: u8,
    },
}

/// The code directory that was chosen, with the place of its hashes.
struct Directory<'a> {
    header: Record<'a>,
    /// Where it starts in the object.
    offset: u64,
    /// All of it.
    blob: Data<'a>,
}

/// Finds the code directory: that with SHA-256 hashes if there is one, else the first.
fn directory<'a>(bytes: &'a [u8], (offset, size): (u64, u64)) -> Result<Option<(Directory<'a>, bool)>, ParseError> {
    const MAGIC: u32 = 0xfade_0cc0;
    const DIRECTORY_MAGIC: u32 = 0xfade_0c02;
    const CERTIFICATE_SLOT: u32 = 0x1_0000;
    let object = Data { bytes, big: true };
    let data = Data { bytes: object.slice(SUPER_BLOB, offset, size)?, big: true };
    let at = |error: ParseError| error.shifted(offset);
    let head = data.record(SUPER_BLOB, 0, 12).map_err(at)?;
    if head.u32(0) != MAGIC {
        return Err(bad_value(SUPER_BLOB, offset, "magic", head.u32(0).into()));
    }
    let mut chosen: Option<Directory<'a>> = None;
    let mut certificate = false;
    for entry in data.table(SUPER_BLOB, 12, head.u32(8).into(), 8).map_err(at)? {
        let (slot, place) = (entry.u32(0), u64::from(entry.u32(4)));
        let blob = data.record(SUPER_BLOB, place, 8).map_err(at)?;
        match (slot, blob.u32(0)) {
            (CERTIFICATE_SLOT, _) => certificate = blob.u32(4) > 8,
            (0 | 0x1000..=0x1005, DIRECTORY_MAGIC) => {
                let blob = Data { bytes: data.slice(DIRECTORY, place, blob.u32(4).into()).map_err(at)?, big: true };
                let offset = offset + place;
                let header = blob.record(DIRECTORY, 0, 44).map_err(|error| error.shifted(offset))?;
                if chosen.as_ref().is_none_or(|_| header.u8(37) == SHA256) {
                    chosen = Some(Directory { header, offset, blob });
                }
            }
            _ => {}
        }
    }
    Ok(chosen.map(|directory| (directory, certificate)))
}

impl Directory<'_> {
    fn code_limit(&self) -> u64 {
        let short = u64::from(self.header.u32(32));
        let version = self.header.u32(8);
        let long =
            if version >= 0x2_0300 { self.blob.record(DIRECTORY, 56, 8).map_or(0, |field| field.u64(0)) } else { 0 };
        if long != 0 { long } else { short }
    }

    /// Bytes in a page; zero if all is one page.
    fn page_size(&self) -> u32 {
        1_u32.checked_shl(self.header.u8(39).into()).filter(|size| *size > 1).unwrap_or(0)
    }
}

/// What the signature at this place says; none if it has no code directory.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    place: (u64, u64),
    names: &mut Names<'a>,
) -> Result<Option<CodeSignature<'a>>, ParseError> {
    let Some((directory, has_certificate)) = directory(bytes, place)? else { return Ok(None) };
    let at = directory.offset;
    let start = directory.header.u32(20).into();
    let RawName { bytes, offset } = directory
        .blob
        .text(DIRECTORY, start, &mut Budget::for_bytes(directory.blob.bytes))
        .map_err(|error| error.shifted(at))?;
    let identifier = names.text("signing identifier", RawName { bytes, offset: at + offset }).unwrap_or_default();
    Ok(Some(CodeSignature {
        offset: place.0,
        size: place.1,
        identifier,
        flags: directory.header.u32(12),
        code_limit: directory.code_limit(),
        page_size: directory.page_size(),
        hash_type: directory.header.u8(37),
        has_certificate,
    }))
}

/// Checks every page of a Mach-O object against its code signature's SHA-256 page hashes. Reads the whole object once.
/// Objects of other formats are [`SignatureState::Unsigned`]. That the signature was made by somebody in particular is not
/// checked.
pub fn verify_signature(object: &Object<'_>) -> Result<SignatureState, ParseError> {
    let Some(signature) = object.macho().and_then(|facts| facts.signature) else { return Ok(SignatureState::Unsigned) };
    let Some((directory, _)) = directory(object.bytes, (signature.offset, signature.size))? else {
        return Ok(SignatureState::Unsigned);
    };
    let hash_type = directory.header.u8(37);
    let full = match hash_type {
        SHA256 => 32,
        SHA256_TRUNCATED => 20,
        _ => return Ok(SignatureState::UnknownHash { hash_type }),
    };
    let hash_size = usize::from(directory.header.u8(36));
    if hash_size != full {
        return Err(bad_value(DIRECTORY, directory.offset + 36, "hashSize", hash_size as u64));
    }
    let code_limit = directory.code_limit();
    if code_limit < signature.offset {
        return Ok(SignatureState::Uncovered { code_limit, signature: signature.offset });
    }
    let code = Data { bytes: object.bytes, big: true }.slice("code under a signature", 0, code_limit)?;
    let page_size = match directory.page_size() {
        0 => code.len().max(1),
        size => size as usize,
    };
    let (hashes_at, slots) = (u64::from(directory.header.u32(16)), u64::from(directory.header.u32(28)));
    let pages = code.len().div_ceil(page_size) as u64;
    if slots != pages {
        let problem = Problem::Count { claimed: slots, possible: pages };
        return Err(ParseError::Malformed { structure: DIRECTORY, offset: directory.offset + 28, problem });
    }
    let hashes = directory
        .blob
        .table(DIRECTORY, hashes_at, slots, hash_size as u64)
        .map_err(|error| error.shifted(directory.offset))?;
    let mut first = None;
    let mut mismatches = 0;
    for (index, (page, hash)) in code.chunks(page_size).zip(hashes).enumerate() {
        if !Sha256::digest(page).starts_with(hash.bytes) {
            first.get_or_insert(index as u64);
            mismatches += 1;
        }
    }
    Ok(match first {
        None => SignatureState::Valid { pages },
        Some(page) => SignatureState::Mismatch { page, offset: page * page_size as u64, mismatches },
    })
}

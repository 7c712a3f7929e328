//! Bounded reading: every access says which structure it is for, so that an error can name it.

use crate::error::{ParseError, Problem};
use crate::object::Unreadable;

/// The bytes of one object, with its byte order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Data<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) big: bool,
}

impl<'a> Data<'a> {
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// `size` bytes at `offset`.
    pub(crate) fn slice(&self, structure: &'static str, offset: u64, size: u64) -> Result<&'a [u8], ParseError> {
        let found = offset.checked_add(size).and_then(|end| {
            let range = usize::try_from(offset).ok()?..usize::try_from(end).ok()?;
            self.bytes.get(range)
        });
        found.ok_or(ParseError::Malformed {
            structure,
            offset,
            problem: Problem::Truncated { wanted: size, available: self.len().saturating_sub(offset) },
        })
    }

    /// A record of `size` bytes at `offset`, to be read field by field.
    pub(crate) fn record(&self, structure: &'static str, offset: u64, size: u64) -> Result<Record<'a>, ParseError> {
        Ok(Record { bytes: self.slice(structure, offset, size)?, big: self.big })
    }

    /// A table of `count` records of `size` bytes each. A count that the file cannot hold is refused before anything is
    /// allocated for it.
    pub(crate) fn table(
        &self,
        structure: &'static str,
        offset: u64,
        count: u64,
        size: u64,
    ) -> Result<impl ExactSizeIterator<Item = Record<'a>> + Clone + use<'a>, ParseError> {
        let possible = self.len().saturating_sub(offset) / size;
        if count > possible {
            let problem = Problem::Count { claimed: count, possible };
            return Err(ParseError::Malformed { structure, offset, problem });
        }
        let big = self.big;
        let bytes = self.slice(structure, offset, count * size)?;
        Ok(bytes.chunks_exact(size as usize).map(move |bytes| Record { bytes, big }))
    }

    /// The text that starts at `offset` and ends at a NUL.
    pub(crate) fn text(
        &self,
        structure: &'static str,
        offset: u64,
        budget: &mut Budget,
    ) -> Result<RawName<'a>, ParseError> {
        let rest = self.slice(structure, offset, self.len().saturating_sub(offset))?;
        terminated(structure, rest, offset, budget)
    }
}

/// A structure of fixed size whose bytes are known to be there. Fields beyond its end read as zero: callers ask for
/// fields of the size they took the record with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) big: bool,
}

impl<'a> Record<'a> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
    }

    pub(crate) fn u8(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    pub(crate) fn u16(&self, at: usize) -> u16 {
        let bytes = self.array(at);
        if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    pub(crate) fn u32(&self, at: usize) -> u32 {
        let bytes = self.array(at);
        if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    pub(crate) fn u64(&self, at: usize) -> u64 {
        let bytes = self.array(at);
        if self.big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    }

    /// A field of 8 bytes in 64-bit objects, of 4 in others.
    pub(crate) fn word(&self, at: usize, wide: bool) -> u64 {
        if wide { self.u64(at) } else { u64::from(self.u32(at)) }
    }

    /// A text in a field of fixed width, padded with NULs; empty if it is not UTF-8.
    pub(crate) fn padded(&self, at: usize, width: usize) -> &'a str {
        let field = self.bytes.get(at..at + width).unwrap_or_default();
        let end = memchr::memchr(0, field).unwrap_or(field.len());
        str::from_utf8(field.get(..end).unwrap_or_default()).unwrap_or_default()
    }
}

/// How many bytes of names may still be read. Names may share their bytes, so a small file could otherwise claim millions
/// of names of a megabyte each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget(u64);

impl Budget {
    /// Ample for every linker's way of sharing: sixteen times the bytes there are, and never less than 1 MiB.
    pub(crate) fn for_bytes(bytes: &[u8]) -> Self {
        Self((bytes.len() as u64).saturating_mul(16).saturating_add(1 << 20))
    }

    pub(crate) fn spend(&mut self, structure: &'static str, offset: u64, bytes: usize) -> Result<(), ParseError> {
        match self.0.checked_sub(bytes as u64 + 1) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(ParseError::Malformed { structure, offset, problem: Problem::Overlap }),
        }
    }
}

/// A name as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawName<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) offset: u64,
}

fn terminated<'a>(
    structure: &'static str,
    rest: &'a [u8],
    offset: u64,
    budget: &mut Budget,
) -> Result<RawName<'a>, ParseError> {
    let Some(end) = memchr::memchr(0, rest) else {
        return Err(ParseError::Malformed { structure, offset, problem: Problem::Unterminated });
    };
    budget.spend(structure, offset, end)?;
    Ok(RawName { bytes: rest.get(..end).unwrap_or_default(), offset })
}

/// A string table: NUL-terminated names, referred to by the offset of their first byte.
#[derive(Debug)]
pub(crate) struct StringTable<'a> {
    structure: &'static str,
    bytes: &'a [u8],
    offset: u64,
    budget: Budget,
}

impl<'a> StringTable<'a> {
    pub(crate) fn new(structure: &'static str, bytes: &'a [u8], offset: u64) -> Self {
        Self { structure, bytes, offset, budget: Budget::for_bytes(bytes) }
    }

    pub(crate) fn get(&mut self, index: u64) -> Result<RawName<'a>, ParseError> {
        let rest = usize::try_from(index).ok().and_then(|index| self.bytes.get(index..));
        let Some(rest) = rest else {
            let problem = Problem::Value { field: "index of a name", value: index };
            return Err(ParseError::Malformed { structure: self.structure, offset: self.offset, problem });
        };
        terminated(self.structure, rest, self.offset + index, &mut self.budget)
    }
}

/// Turns names into text, keeping aside those that are not UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    pub(crate) unreadable: Vec<Unreadable<'a>>,
}

impl<'a> Names<'a> {
    pub(crate) fn text(&mut self, what: &'static str, name: RawName<'a>) -> Option<&'a str> {
        let text = str::from_utf8(name.bytes).ok();
        if text.is_none() {
            self.unreadable.push(Unreadable { what, offset: name.offset, bytes: name.bytes.into() });
        }
        text
    }
}

/// Shorthand for the commonest error.
pub(crate) fn bad_value(structure: &'static str, offset: u64, field: &'static str, value: u64) -> ParseError {
    ParseError::Malformed { structure, offset, problem: Problem::Value { field, value } }
}

//! Static archives: `ar` in its System V/GNU, BSD and Microsoft forms.
//!
//! Source: `ar(5)` of FreeBSD and of binutils, Microsoft's "PE Format" specification for `.lib`.

use crate::bytes::{Data, bad_value};
use crate::{File, ParseError};

const MAGIC: u64 = 8;
const HEADER: u64 = 60;

/// A static archive or Windows import library. Members are read one by one as they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Archive<'a> {
    bytes: &'a [u8],
}

impl<'a> Archive<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The whole archive.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The members in file order, without symbol tables and name tables. After an error there are no more.
    pub fn members(&self) -> Members<'a> {
        Members { data: Data { bytes: self.bytes, big: false }, next: MAGIC, long_names: &[] }
    }
}

/// The members of an archive.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    data: Data<'a>,
    next: u64,
    long_names: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.data.len() {
            match self.read() {
                Ok(Some(member)) => return Some(Ok(member)),
                Ok(None) => {}
                Err(error) => {
                    self.next = u64::MAX;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl<'a> Members<'a> {
    /// The member at `next`, or none if it is one of the archive's own tables.
    fn read(&mut self) -> Result<Option<Member<'a>>, ParseError> {
        let at = self.next;
        let header = self.data.record("archive member header", at, HEADER)?;
        if header.bytes.get(58..) != Some(b"`\n") {
            return Err(bad_value("archive member header", at, "end mark", u64::from(header.u16(58))));
        }
        let size = header.bytes.get(48..58).and_then(decimal);
        let size = size.ok_or_else(|| bad_value("archive member header", at, "size", header.u64(48)))?;
        let offset = at + HEADER;
        let bytes = self.data.slice("archive member", offset, size)?;
        // Every member starts at an even offset; the padding is not part of the size.
        self.next = (offset + size).next_multiple_of(2);

        let field = header.bytes.get(..16).unwrap_or_default().trim_ascii_end();
        match field {
            // The symbol tables, and Microsoft's `/<ECSYMBOLS>/` and `/<HYBRIDMAP>/`.
            b"/" | b"/SYM64/" | [b'/', b'<', ..] => Ok(None),
            b"//" => {
                self.long_names = bytes;
                Ok(None)
            }
            [b'/', digits @ ..] => {
                let name = decimal(digits).and_then(|index| long_name(self.long_names, index));
                let name = name.ok_or_else(|| bad_value("archive member header", at, "long name", header.u64(1)))?;
                Ok(Some(Member { name, offset, bytes }))
            }
            [b'#', b'1', b'/', digits @ ..] => {
                let split = decimal(digits).and_then(|length| bytes.split_at_checked(usize::try_from(length).ok()?));
                let (name, content) =
                    split.ok_or_else(|| bad_value("archive member header", at, "name's length", header.u64(3)))?;
                let used = name.len() as u64;
                let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
                let member = Member { name, offset: offset + used, bytes: content };
                Ok((!name.starts_with(b"__.SYMDEF")).then_some(member))
            }
            name if name.starts_with(b"__.SYMDEF") => Ok(None),
            name => Ok(Some(Member { name: name.strip_suffix(b"/").unwrap_or(name), offset, bytes })),
        }
    }
}

/// A name of the table `//`: GNU ends it with `/` and a line feed, Microsoft with a NUL.
fn long_name(table: &[u8], index: u64) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(index).ok()?..)?;
    let name = rest.get(..memchr::memchr2(b'\n', 0, rest)?)?;
    Some(name.strip_suffix(b"/").unwrap_or(name))
}

fn decimal(field: &[u8]) -> Option<u64> {
    str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

/// One member of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name, as bytes: the format knows no encoding.
    pub name: &'a [u8],
    /// Where its data starts in the archive.
    pub offset: u64,
    /// Its data.
    pub bytes: &'a [u8],
}

impl<'a> Member<'a> {
    /// What is in it. Members that are no objects (bitcode, texts) are [`ParseError::Unrecognised`]; a member may itself be
    /// an archive. Offsets in errors count from the start of the archive.
    pub fn parse(&self) -> Result<File<'a>, ParseError> {
        crate::parse(self.bytes).map_err(|error| error.shifted(self.offset))
    }
}

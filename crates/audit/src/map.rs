//! Files on disk as bytes, without reading what is not looked at.

use camino::Utf8Path;
use std::io::{self, Read};

/// Enough of a file's start to tell what it is.
pub(crate) const START: usize = 4096;

/// The first [`START`] bytes, or fewer if the file is shorter.
pub(crate) fn start(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(START);
    fs_err::File::open(path)?.take(START as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file's bytes.
pub(crate) enum Bytes {
    Mapped(memmap2::Mmap),
    Empty,
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Empty => &[],
        }
    }
}

/// Maps a whole file.
#[allow(unsafe_code)]
pub(crate) fn whole(path: &Utf8Path) -> io::Result<Bytes> {
    let file = fs_err::File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::Empty);
    }
    // SAFETY: the mapping is read-only and private. Should another process cut the file short meanwhile, the kernel ends
    // us with a signal; should it overwrite it, bytes change under checks that have passed already. Every access goes
    // through bounds-checked slices of bytes, for which any value is valid, so neither breaks memory.
    let map = unsafe { memmap2::Mmap::map(file.file()) };
    map.map(Bytes::Mapped).map_err(|error| io::Error::new(error.kind(), format!("`{path}`: {error}")))
}

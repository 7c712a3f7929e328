//! Compressing what is new.

use flate2::{Compress, Compression, FlushCompress, Status};
use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;

use super::WriteError;

/// How hard to compress, in libdeflate's levels from 1 (fast) to 12 (small).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

impl Level {
    /// The fastest.
    pub const FASTEST: Self = Self(1);
    /// The one that packs best, many times slower than the default.
    pub const SMALLEST: Self = Self(12);

    /// A level from 1 to 12; what lies outside is taken as the nearest.
    pub fn new(level: u8) -> Self {
        Self(level.clamp(1, 12))
    }
}

impl Default for Level {
    /// Level 6, which packs as well as zlib's 9.
    fn default() -> Self {
        Self(6)
    }
}

/// What to spend threads on. The bytes that come out depend on this choice, never on the number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// Every member by one thread: a few percent smaller.
    #[default]
    Dense,
    /// Members of 16 MiB and more are cut into pieces that all threads share: faster where one library is most of
    /// the wheel.
    Split,
}

/// From that many bytes on a member is cut under [`Packing::Split`].
const SPLIT_FROM: usize = 16 << 20;
/// The size of the pieces.
const PIECE: usize = 2 << 20;
/// As far back as deflate can refer.
const WINDOW: usize = 32 << 10;

/// Compresses one member after the other.
pub(super) struct Packer {
    whole: Compressor,
    level: Level,
    packing: Packing,
}

impl Packer {
    pub(super) fn new(level: Level, packing: Packing) -> Self {
        let whole = Compressor::new(CompressionLvl::new(i32::from(level.0)).unwrap_or_default());
        Self { whole, level, packing }
    }

    /// The bytes deflated; nothing if that does not make them fewer.
    pub(super) fn pack(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, WriteError> {
        if self.packing == Packing::Split && bytes.len() >= SPLIT_FROM {
            let packed = pack_split(bytes, self.level)?;
            return Ok(Some(packed).filter(|packed| packed.len() < bytes.len()));
        }
        let room = bytes.len().saturating_sub(1);
        let mut packed = Vec::new();
        packed.try_reserve_exact(room).map_err(|_| std::io::Error::from(std::io::ErrorKind::OutOfMemory))?;
        packed.resize(room, 0);
        match self.whole.deflate_compress(bytes, &mut packed) {
            Ok(length) => {
                packed.truncate(length);
                packed.shrink_to_fit();
                Ok(Some(packed))
            }
            Err(libdeflater::CompressionError::InsufficientSpace) => Ok(None),
        }
    }
}

/// Compresses the pieces in parallel, each with the end of the one before as dictionary. A piece ends at a byte
/// boundary (an empty stored block: RFC 1951, section 3.2.4), so that the pieces in a row are one deflate stream.
fn pack_split(bytes: &[u8], level: Level) -> Result<Vec<u8>, WriteError> {
    let last = bytes.len().saturating_sub(1) / PIECE;
    let pieces = bytes.par_chunks(PIECE).enumerate().map(|(number, piece)| {
        let start = number * PIECE;
        let window = &bytes[start.saturating_sub(WINDOW)..start];
        let flush = if number == last { FlushCompress::Finish } else { FlushCompress::Sync };
        pack_piece(piece, window, flush, level).map_err(|error| std::io::Error::other(error).into())
    });
    Ok(pieces.collect::<Result<Vec<_>, WriteError>>()?.concat())
}

fn pack_piece(
    piece: &[u8],
    window: &[u8],
    flush: FlushCompress,
    level: Level,
) -> Result<Vec<u8>, flate2::CompressError> {
    let mut stream = Compress::new(Compression::new(u32::from(level.0.min(9))), false);
    if !window.is_empty() {
        stream.set_dictionary(window)?;
    }
    let mut out = Vec::with_capacity(piece.len() / 2 + 64);
    loop {
        let rest = piece.get(stream.total_in() as usize..).unwrap_or_default();
        let status = stream.compress_vec(rest, &mut out, flush)?;
        // Room left over means that nothing waits to be written.
        let done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => stream.total_in() == piece.len() as u64 && out.len() < out.capacity(),
        };
        if done {
            return Ok(out);
        }
        out.reserve(piece.len() / 4 + 64);
    }
}

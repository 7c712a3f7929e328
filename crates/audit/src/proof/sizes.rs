//! Sizes of members and wheels.

use serde::Serialize;

/// Bytes in the archive and after unpacking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Compressed, as downloaded.
    pub packed: u64,
    /// Uncompressed, as installed.
    pub unpacked: u64,
}

impl std::iter::Sum for Sizes {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), |sum, size| Self {
            packed: sum.packed.saturating_add(size.packed),
            unpacked: sum.unpacked.saturating_add(size.unpacked),
        })
    }
}

/// For people: `44.9 MB`, in powers of ten.
pub fn spoken(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..100_000 => format!("{:.1} kB", value / 1e3),
        100_000..1_000_000 => format!("{:.0} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.2} GB", value / 1e9),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn spoken_sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_500, "1.5 kB"),
            (250_000, "250 kB"),
            (44_900_000, "44.9 MB"),
            (2_500_000_000, "2.50 GB"),
        ] {
            assert_eq!(super::spoken(bytes), text);
        }
    }
}

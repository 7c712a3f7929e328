//! The hash of a name: one definition for the build script, which places the names, and for the look-up.

/// Slots of the open-addressed table: a power of two, more than three times the number of names.
pub(crate) const SLOTS: usize = 1 << 14;

/// An unoccupied slot.
pub(crate) const EMPTY: u16 = u16::MAX;

/// Eight bytes a round (multiply and rotate), which is a handful of rounds for a name of the C API.
#[inline]
pub(crate) fn slot(name: &[u8]) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = name.len() as u64;
    let (words, rest) = name.as_chunks::<8>();
    for word in words {
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(ODD);
    }
    let mut last = [0; 8];
    if let Some(tail) = last.get_mut(..rest.len()) {
        tail.copy_from_slice(rest);
    }
    hash = (hash.rotate_left(23) ^ u64::from_le_bytes(last)).wrapping_mul(ODD);
    (hash >> 40) as usize & (SLOTS - 1)
}

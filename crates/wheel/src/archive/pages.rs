//! Giving back the memory pages of the archive's own bytes: they are the file's, but count as ours while mapped.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::member::Member;
use super::{Archive, Bytes};

/// From that many bytes on a member's pages are given back on their own; below, it costs more than it saves.
const ALONE: usize = 1 << 20;
/// That many bytes of smaller members are given back together.
const TOGETHER: usize = 8 << 20;

impl Archive {
    /// Lets the kernel take back the pages of a member's compressed bytes, which were read and are not needed any more.
    pub(super) fn release(&self, member: &Member) {
        let (Bytes::Mapped(map), Ok(range)) = (&self.bytes, &member.data) else { return };
        if range.len() >= ALONE {
            forget(map, range.clone());
        } else if self.lingering.fetch_add(range.len(), Ordering::Relaxed) >= TOGETHER {
            self.lingering.store(0, Ordering::Relaxed);
            forget(map, 0..map.len());
        }
    }
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn forget(map: &memmap2::Mmap, range: Range<usize>) {
    // SAFETY: the mapping is of a file and read-only, so that dropped pages are read from the file again when they
    // are touched, be it by another thread in this moment; nothing that was written can be lost.
    // That the advice fails is without consequence.
    let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
}

/// Elsewhere the system takes what it needs by itself.
#[cfg(not(unix))]
fn forget(_: &memmap2::Mmap, _: Range<usize>) {}

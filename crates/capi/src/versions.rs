//! Sets of minor versions, small enough to stand in every row.

use std::fmt;

/// The oldest minor version (3.x) that the table covers.
pub const OLDEST: u8 = 8;
/// The newest minor version (3.x) that the table covers.
pub const NEWEST: u8 = 15;

/// A set of minor versions of Python 3, from [`OLDEST`] to [`NEWEST`]. Printed as `3.8-3.10, 3.12`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Versions(pub(crate) u16);

impl Versions {
    /// Every version of the table.
    pub const ALL: Self = Self(((1_u32 << (NEWEST - OLDEST + 1)) - 1) as u16);
    /// No version.
    pub const NONE: Self = Self(0);

    const fn bit(minor: u8) -> u16 {
        if minor < OLDEST || minor > NEWEST { 0 } else { 1 << (minor - OLDEST) }
    }

    /// Whether 3.`minor` is in the set; never for versions outside the table.
    pub const fn contains(self, minor: u8) -> bool {
        self.0 & Self::bit(minor) != 0
    }

    /// Whether no version is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The oldest minor of the set.
    pub const fn first(self) -> Option<u8> {
        if self.is_empty() { None } else { Some(OLDEST + self.0.trailing_zeros() as u8) }
    }

    /// The newest minor of the set.
    pub const fn last(self) -> Option<u8> {
        if self.is_empty() { None } else { Some(OLDEST + self.0.ilog2() as u8) }
    }

    /// The minors of the set, oldest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (OLDEST..=NEWEST).filter(move |&minor| self.contains(minor))
    }

    /// The first minor of the set that is newer than `minor`.
    pub const fn after(self, minor: u8) -> Option<u8> {
        self.intersection(Self::from(minor.saturating_add(1))).first()
    }

    /// The last minor of the set that is older than `minor`.
    pub const fn before(self, minor: u8) -> Option<u8> {
        self.without(Self::from(minor)).last()
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// 3.`first` and everything newer that the table covers.
    #[must_use]
    pub const fn from(first: u8) -> Self {
        if first <= OLDEST {
            Self::ALL
        } else if first > NEWEST {
            Self::NONE
        } else {
            Self(Self::ALL.0 << (first - OLDEST) & Self::ALL.0)
        }
    }
}

impl FromIterator<u8> for Versions {
    fn from_iter<I: IntoIterator<Item = u8>>(minors: I) -> Self {
        Self(minors.into_iter().fold(0, |set, minor| set | Self::bit(minor)))
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut minors = self.iter().peekable();
        let mut separator = "";
        while let Some(first) = minors.next() {
            let mut last = first;
            while let Some(next) = minors.next_if(|&next| next == last + 1) {
                last = next;
            }
            write!(f, "{separator}3.{first}")?;
            if last != first {
                write!(f, "-3.{last}")?;
            }
            separator = ", ";
        }
        Ok(())
    }
}

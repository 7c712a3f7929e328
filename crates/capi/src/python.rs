//! Which Python is meant, and how well its exports are known.

use std::fmt;

use crate::{NEWEST, OLDEST};

/// With the global interpreter lock, or without.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Build {
    /// The usual build, `cp313`.
    Gil,
    /// The free-threaded build, `cp313t` (PEP 703).
    FreeThreaded,
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gil => "with the GIL",
            Self::FreeThreaded => "free-threaded",
        })
    }
}

/// A minor version of CPython 3 and its build. Printed as `3.13` or `3.13t`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Python {
    /// The 13 of 3.13.
    pub minor: u8,
    /// With or without the GIL.
    pub build: Build,
}

impl Python {
    /// The usual build of 3.`minor`.
    pub const fn gil(minor: u8) -> Self {
        Self { minor, build: Build::Gil }
    }

    /// The free-threaded build of 3.`minor`.
    pub const fn free_threaded(minor: u8) -> Self {
        Self { minor, build: Build::FreeThreaded }
    }

    /// Every Python that the table covers, oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (OLDEST..=NEWEST).map(Self::gil).chain((FIRST_FREE_THREADED..=NEWEST).map(Self::free_threaded))
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}{}", self.minor, if self.build == Build::FreeThreaded { "t" } else { "" })
    }
}

/// The operating system whose Python is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum System {
    /// glibc or musl.
    Linux,
    /// x86-64 or arm64.
    MacOs,
    /// python3*.dll.
    Windows,
}

impl System {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Linux, Self::MacOs, Self::Windows];
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "Linux",
            Self::MacOs => "macOS",
            Self::Windows => "Windows",
        })
    }
}

/// A bug-fix release, printed as `3.13.5`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Release {
    /// The 13 of 3.13.5.
    pub minor: u8,
    /// The 5 of 3.13.5.
    pub micro: u8,
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}.{}", self.minor, self.micro)
    }
}

/// How the exports of a Python on a system are known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Evidence {
    /// Read from a binary of that version, or from its module-definition file.
    Measured,
    /// Worked out from another system, build or version and from the headers (`data/README.md` says how).
    Derived,
    /// Not in the table: nothing may be concluded.
    None,
}

/// The first version that has a free-threaded build.
pub(crate) const FIRST_FREE_THREADED: u8 = 13;

/// How the exports of `python` on `system` are known.
pub const fn evidence(python: Python, system: System) -> Evidence {
    match (python.minor, python.build, system) {
        (OLDEST..=NEWEST, Build::Gil, System::Linux)
        | (OLDEST..=14, Build::Gil, System::Windows)
        | (FIRST_FREE_THREADED..=14, Build::FreeThreaded, System::Windows) => Evidence::Measured,
        (OLDEST..=NEWEST, Build::Gil, _) | (FIRST_FREE_THREADED..=NEWEST, Build::FreeThreaded, _) => Evidence::Derived,
        _ => Evidence::None,
    }
}

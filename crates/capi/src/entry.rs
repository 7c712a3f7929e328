//! One name of the C API and everything the table says about it.

use crate::hash::{self, EMPTY};
use crate::python::FIRST_FREE_THREADED;
use crate::{Build, Framework, Frameworks, Release, System, Versions};

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// What kind of thing a name is in C.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A function; in some versions it may be a macro or inline instead.
    Function,
    /// A variable: a type object, an exception, a constant.
    Data,
    /// A macro or an inline function, never more.
    MacroOnly,
    /// A function that headers declare and no build exports.
    Hidden,
}

/// How public a name is as of the newest version that has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tier {
    /// In the limited API, and so in the stable ABI.
    Limited,
    /// In the stable ABI for old binaries' sake, or because limited macros name it; not in the limited API.
    LimitedAbiOnly,
    /// Public, not stable across minor versions.
    CpythonPublic,
    /// `PyUnstable_…` (PEP 689): public, may change in any minor version.
    Unstable,
    /// Underscored, in public headers.
    Private,
    /// Underscored, exported, in no header.
    PrivateUndeclared,
    /// In `Include/internal` only.
    Internal,
    /// Exported without underscore, in no header.
    Undeclared,
    /// `PyInit_…` of a module that some distributors link into the library.
    BuiltinInit,
}

/// Where the stable ABI promises a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// On every system.
    Everywhere,
    /// On Windows only (`MS_WINDOWS`, `USE_STACKCHECK`).
    Windows,
    /// Where there is `fork`.
    Unix,
    /// In builds with `Py_REF_DEBUG`; a release build need not export it.
    DebugBuilds,
}

/// A public macro or inline function whose expansion names an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Through {
    /// The macro's name.
    pub name: &'static str,
    /// Where its expansion does so.
    pub versions: Versions,
}

/// What to use instead of a name: curated advice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Replacement {
    /// The name to use; always a row of the table.
    pub instead: &'static str,
    /// The first minor that offers it, as a function or a macro; `None`: every version of the table.
    pub since: Option<u8>,
    /// How to use it, or what differs; may be empty.
    pub note: &'static str,
    /// The page of docs.python.org/3 that says so, as `whatsnew/3.13` or `c-api/set`.
    pub source: &'static str,
}

/// A name that only later bug-fix releases of a minor version export.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Late {
    /// The latest release known to lack it.
    pub absent: Release,
    /// The earliest release known to have it; `None`: a later one than `absent`, which is not known.
    pub present: Option<Release>,
}

/// A name of the C API.
#[derive(Debug)]
pub struct Entry {
    name: &'static str,
    kind: Kind,
    tier: Tier,
    /// 0: not in the stable ABI.
    abi3: u8,
    place: Place,
    linux: Versions,
    macos: Versions,
    windows: Versions,
    ft_only: Versions,
    ft_not: Versions,
    declared: Versions,
    macros: Versions,
    inlines: Versions,
    internal: Versions,
    through: &'static [Through],
    documented: bool,
    late: &'static [Late],
    replacement: Option<&'static Replacement>,
    frameworks: Frameworks,
}

impl Entry {
    /// The C name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Function, data, or macro.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How public it is as of the newest version that has it; [`Entry::class`] says it for one version.
    pub const fn tier(&self) -> Tier {
        self.tier
    }

    /// The minor version since which it belongs to the stable ABI (the manifest as of 3.15, which names one for 3.16).
    pub const fn abi3_since(&self) -> Option<u8> {
        if self.abi3 == 0 { None } else { Some(self.abi3) }
    }

    /// Where the stable ABI promises it, if it does at all.
    pub const fn abi3_place(&self) -> Place {
        self.place
    }

    /// Whether the stable ABI promises it on `system`. python3.dll lacks what needs `fork`, Unix what is Windows' own.
    pub const fn abi3_on(&self, system: System) -> bool {
        self.abi3 != 0
            && match self.place {
                Place::Everywhere | Place::DebugBuilds => true,
                Place::Windows => matches!(system, System::Windows),
                Place::Unix => !matches!(system, System::Windows),
            }
    }

    /// The versions whose `build` exports it on `system`, as the measured release of each does; where bug-fix releases
    /// differ, [`Entry::late`] says so, and [`Entry::presence`] takes both into account.
    pub fn exported(&self, build: Build, system: System) -> Versions {
        let gil = match system {
            System::Linux => self.linux,
            System::MacOs => self.macos,
            System::Windows => self.windows,
        };
        match build {
            Build::Gil => gil,
            Build::FreeThreaded => {
                gil.intersection(Versions::from(FIRST_FREE_THREADED)).without(self.ft_not).union(self.ft_only)
            }
        }
    }

    /// The versions that export it somewhere, on any system and in any build.
    pub const fn exported_anywhere(&self) -> Versions {
        self.linux.union(self.macos).union(self.windows).union(self.ft_only)
    }

    /// Where it is declared as a function or variable in public headers.
    pub const fn declared_in(&self) -> Versions {
        self.declared
    }

    /// Where the name itself is a macro in the public headers.
    pub const fn macro_in(&self) -> Versions {
        self.macros
    }

    /// Where the name itself is a `static inline` function in the public headers.
    pub const fn inline_in(&self) -> Versions {
        self.inlines
    }

    /// Where internal headers alone declare it.
    pub const fn internal_in(&self) -> Versions {
        self.internal
    }

    /// The public macros and inline functions whose expansion names it (the nearest one for each version).
    pub const fn through(&self) -> &'static [Through] {
        self.through
    }

    /// The public macro or inline function whose expansion names it in 3.`minor`.
    pub fn through_in(&self, minor: u8) -> Option<&'static str> {
        self.through.iter().find(|through| through.versions.contains(minor)).map(|through| through.name)
    }

    /// Whether the documentation has an entry for it.
    pub const fn documented(&self) -> bool {
        self.documented
    }

    /// What to use instead, if somebody wrote it down.
    pub const fn replacement(&self) -> Option<&'static Replacement> {
        self.replacement
    }

    /// Whose generated or compiled-in code names it.
    pub const fn frameworks(&self) -> Frameworks {
        self.frameworks
    }

    /// Which releases of 3.`minor` export it, if only later ones do.
    pub fn late(&self, minor: u8) -> Option<Late> {
        self.late.iter().copied().find(|late| late.absent.minor == minor)
    }

    /// The minor versions of which only later releases export it.
    pub(crate) fn late_in(&self) -> Versions {
        self.late.iter().map(|late| late.absent.minor).collect()
    }

    /// Whether the name starts with an underscore.
    pub fn is_underscored(&self) -> bool {
        self.name.starts_with('_')
    }
}

/// Two entries are the same if their name is.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Entry {}

/// The row of a C name.
#[inline]
pub fn lookup(name: &str) -> Option<&'static Entry> {
    lookup_bytes(name.as_bytes())
}

/// The row of a C name that need not be UTF-8.
#[inline]
pub fn lookup_bytes(name: &[u8]) -> Option<&'static Entry> {
    if name.len() > LONGEST {
        return None;
    }
    let mut slot = hash::slot(name);
    loop {
        let index = *SLOTS.get(slot)?;
        if index == EMPTY {
            return None;
        }
        let entry = ENTRIES.get(usize::from(index))?;
        if entry.name.as_bytes() == name {
            return Some(entry);
        }
        slot = (slot + 1) % hash::SLOTS;
    }
}

/// Every row, sorted by name.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// Every name of the table, sorted.
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// The longest name of the table that `text` begins with.
pub(crate) fn longest_prefix(text: &[u8]) -> Option<&'static Entry> {
    let text = text.get(..LONGEST).unwrap_or(text);
    // The last name that is not greater than the text either is a prefix of it or shares one with it: every name that the
    // text begins with is a prefix of that one, too.
    let mut index = ENTRIES.partition_point(|entry| entry.name.as_bytes() <= text).checked_sub(1)?;
    loop {
        let entry = ENTRIES.get(index)?;
        if text.starts_with(entry.name.as_bytes()) {
            return Some(entry);
        }
        index = match *PREFIX.get(index)? {
            EMPTY => return None,
            shorter => shorter.into(),
        };
    }
}

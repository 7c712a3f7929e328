//! What lies outside of the files that are looked at: answered by the caller.

use crate::image::{Import, label};
use objfile::SymbolKind;
use std::borrow::Cow;
use std::fmt;

/// The libraries of the system and the program, as far as they are not files of the view.
///
/// Every method has a default that makes no claim, so that a provider says only what it knows.
pub trait Providers {
    /// The libraries that the process has before anything is opened, in the order of the global scope, without the
    /// program itself: `libpython3.13.so.1.0`, `libm.so.6`, `libc.so.6`; `python313.dll`, `KERNEL32.dll`.
    fn loaded(&self) -> &[String] {
        &[]
    }

    /// Whether the program itself (the interpreter) exports a symbol.
    fn program(&self, _wanted: Wanted<'_>) -> Verdict {
        Verdict::No(Lack::Absent)
    }

    /// Whether a library is in the system's folders; for dyld the name is the install name as written. Asked when the
    /// loader's search gets there.
    fn library(&self, _name: &str) -> Presence {
        Presence::Absent(None)
    }

    /// Whether a library that is loaded, present or assumed exports a symbol. `library` is the name it was asked
    /// for by.
    fn provides(&self, _library: &str, _wanted: Wanted<'_>) -> Verdict {
        Verdict::Unknown
    }

    /// ELF: whether such a library defines a version at all, which is checked when a requirer is loaded.
    fn version(&self, _library: &str, _version: &str) -> Verdict {
        Verdict::Unknown
    }
}

/// A provider that knows nothing: every library is absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;
impl Providers for Nothing {}

/// A symbol that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The C name; empty where it is asked for by ordinal alone.
    pub name: &'a str,
    /// ELF: the version.
    pub version: Option<&'a str>,
    /// PE: the ordinal.
    pub ordinal: Option<u16>,
    /// What it is, if known.
    pub kind: SymbolKind,
    /// Loading succeeds without it.
    pub weak: bool,
}

impl<'a> Wanted<'a> {
    pub(crate) const fn of(import: &Import<'a>) -> Self {
        Self {
            name: import.name,
            version: import.version,
            ordinal: import.ordinal,
            kind: import.kind,
            weak: import.weak,
        }
    }

    /// The name with its version, or `#12`: for people.
    pub fn label(&self) -> Cow<'a, str> {
        label(self.name, self.version, self.ordinal)
    }
}

/// A provider's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has it.
    Yes,
    /// It does not have it.
    No(Lack),
    /// There is no list of what it has.
    Unknown,
}

/// In what way something is not there. Displayed, it ends a sentence that begins with who lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// Not at all.
    Absent,
    /// Only with these versions.
    OtherVersions(Vec<String>),
    /// For a reason that the provider words: `exports it from 2.34 on`.
    Because(String),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("does not have it"),
            Self::OtherVersions(versions) => {
                write!(f, "has it only as {}", crate::words::list(versions.iter().map(String::as_str)))
            }
            Self::Because(why) => f.write_str(why),
        }
    }
}

/// Whether a library that is no file of the view is there at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It is taken to be, for this reason: another distribution brings it, the package preloads it.
    Assumed(String),
    /// It is not; the provider may say why.
    Absent(Option<String>),
}

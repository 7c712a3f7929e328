//! What a name means to one Python on one system: is it there, and whose is it.

use std::fmt;

use crate::{Build, Entry, Evidence, Kind, Python, Release, System, Tier, Versions, evidence, lookup};

/// What the table says of a name for one Python on one system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The name's row.
    pub entry: &'static Entry,
    /// Whether this Python exports it.
    pub presence: Presence,
    /// Whose name it is, in this very version.
    pub class: Class,
    /// It is exported here, and 3.x does not export it any more.
    pub dropped_in: Option<u8>,
    /// How well the exports of this Python are known.
    pub evidence: Evidence,
}

/// Whether a Python exports a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Presence {
    /// Every release of this minor version does.
    Exported,
    /// Only later releases do: an extension that needs the name fails on `absent`.
    FromMicro {
        /// The latest release known to lack it.
        absent: Release,
        /// The earliest release known to export it, if one was measured.
        present: Option<Release>,
    },
    /// It does not: an import of it fails, as does a look-up at run time.
    Missing(Missing),
    /// Nothing can be said: the Python is outside the table, or the distributor decides (`PyInit_…` of built-in modules).
    Unknown,
}

impl Presence {
    /// Whether the name is certainly missing.
    pub const fn is_missing(self) -> bool {
        matches!(self, Self::Missing(_))
    }
}

/// Why a name is missing: the reason that helps most. Printed as the end of a sentence that begins with the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Missing {
    /// A macro in this version's headers, so there is no symbol; 3.`from` is the next that exports it.
    Macro {
        /// The next version that exports it.
        from: Option<u8>,
    },
    /// A `static inline` function in this version's headers, so there is no symbol.
    Inline {
        /// The next version that exports it.
        from: Option<u8>,
    },
    /// Not before 3.`from`.
    NotYet {
        /// The next version that exports it.
        from: u8,
    },
    /// Not any more since 3.`since`.
    Gone {
        /// The first version that did not export it any more.
        since: u8,
    },
    /// Only the other build of this version exports it.
    OtherBuild(Build),
    /// The same version exports it on these systems only.
    OtherSystem(&'static [System]),
    /// No version exports it on any system.
    Never,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exported_from = |f: &mut fmt::Formatter<'_>, from: &Option<u8>| match from {
            Some(from) => write!(f, "; exported from 3.{from} on"),
            None => Ok(()),
        };
        match self {
            Self::Macro { from } => {
                f.write_str("is a macro and has no symbol")?;
                exported_from(f, from)
            }
            Self::Inline { from } => {
                f.write_str("is an inline function and has no symbol")?;
                exported_from(f, from)
            }
            Self::NotYet { from } => write!(f, "is exported from 3.{from} on"),
            Self::Gone { since } => write!(f, "is no longer exported since 3.{since}"),
            Self::OtherBuild(Build::FreeThreaded) => f.write_str("is exported by free-threaded builds only"),
            Self::OtherBuild(Build::Gil) => f.write_str("is exported by builds with the GIL only"),
            Self::OtherSystem(systems) => {
                f.write_str("is exported on ")?;
                for (index, system) in systems.iter().enumerate() {
                    write!(f, "{}{system}", if index == 0 { "" } else { " and " })?;
                }
                f.write_str(" only")
            }
            Self::Never => f.write_str("is not exported by any Python"),
        }
    }
}

/// Whose name it is, as the headers of one version say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// In the stable ABI since 3.`since`, underscore or not.
    Stable {
        /// The version that the manifest names.
        since: u8,
    },
    /// Public, for this version only.
    Public,
    /// Underscored, yet documented.
    Documented,
    /// `PyUnstable_…` (PEP 689).
    Unstable,
    /// Private, but a public macro or inline function of this name expands to it: the author may have written nothing wrong.
    ThroughMacro(&'static str),
    /// Underscored, in public headers.
    Private,
    /// In internal headers only.
    Internal,
    /// In no header at all.
    Undeclared,
    /// `PyInit_…` of a module that some distributors link into the library.
    BuiltinInit,
}

/// What the table says of `name` (a C name) for `python` on `system`; `None` if it is not a name of the C API.
pub fn judge(name: &str, python: &Python, system: System) -> Option<Standing> {
    lookup(name).map(|entry| entry.standing(*python, system))
}

impl Entry {
    /// What the table says of this name for `python` on `system`.
    pub fn standing(&'static self, python: Python, system: System) -> Standing {
        let presence = self.presence(python, system);
        let dropped_in = match presence {
            Presence::Exported => self.dropped_after(python, system),
            _ => None,
        };
        Standing {
            entry: self,
            presence,
            class: self.class(python.minor),
            dropped_in,
            evidence: evidence(python, system),
        }
    }

    /// Whether `python` exports the name on `system`, and if not, why.
    pub fn presence(&self, python: Python, system: System) -> Presence {
        if evidence(python, system) == Evidence::None {
            return Presence::Unknown;
        }
        let here = self.exported(python.build, system);
        if let Some(late) = self.late(python.minor) {
            return Presence::FromMicro { absent: late.absent, present: late.present };
        }
        if here.contains(python.minor) {
            return Presence::Exported;
        }
        if self.tier() == Tier::BuiltinInit {
            return Presence::Unknown;
        }
        Presence::Missing(self.why_missing(python, system, here))
    }

    fn why_missing(&self, python: Python, system: System, here: Versions) -> Missing {
        let minor = python.minor;
        let other = match python.build {
            Build::Gil => Build::FreeThreaded,
            Build::FreeThreaded => Build::Gil,
        };
        if self.exported(other, system).contains(minor) {
            return Missing::OtherBuild(other);
        }
        let has = |system| self.exported(python.build, system).contains(minor);
        match (has(System::Linux), has(System::MacOs), has(System::Windows)) {
            (true, true, true) | (false, false, false) => {}
            (true, true, false) => return Missing::OtherSystem(&[System::Linux, System::MacOs]),
            (true, false, true) => return Missing::OtherSystem(&[System::Linux, System::Windows]),
            (false, true, true) => return Missing::OtherSystem(&[System::MacOs, System::Windows]),
            (true, false, false) => return Missing::OtherSystem(&[System::Linux]),
            (false, true, false) => return Missing::OtherSystem(&[System::MacOs]),
            (false, false, true) => return Missing::OtherSystem(&[System::Windows]),
        }
        // Where this build and system never have it, what the others did in other versions tells most.
        let ever = if here.is_empty() { self.exported_anywhere() } else { here };
        let from = ever.after(minor);
        let last = ever.before(minor);
        match (from, last) {
            // It had a symbol once and became a macro for good: that it is gone explains more.
            (None, Some(last)) => Missing::Gone { since: last + 1 },
            _ if self.inline_in().contains(minor) => Missing::Inline { from },
            _ if self.macro_in().contains(minor) || self.kind() == Kind::MacroOnly => Missing::Macro { from },
            (Some(from), _) => Missing::NotYet { from },
            (None, None) => Missing::Never,
        }
    }

    /// The first minor after `python` that does not export the name any more.
    fn dropped_after(&self, python: Python, system: System) -> Option<u8> {
        if self.tier() == Tier::BuiltinInit {
            return None;
        }
        let here = self.exported(python.build, system);
        // Where only later releases have it, it is not dropped.
        Versions::from(python.minor.saturating_add(1)).without(here).without(self.late_in()).first()
    }

    /// Whose name it is in 3.`minor`; for a version that does not know the name, in the nearest one that does.
    pub fn class(&self, minor: u8) -> Class {
        if let Some(since) = self.abi3_since() {
            return Class::Stable { since };
        }
        match self.tier() {
            Tier::BuiltinInit => return Class::BuiltinInit,
            Tier::Unstable => return Class::Unstable,
            _ => {}
        }
        let public = self.declared_in().union(self.macro_in()).union(self.inline_in());
        let known = public.union(self.internal_in()).union(self.exported_anywhere());
        let nearest = || known.iter().min_by_key(|known| known.abs_diff(minor)).unwrap_or(minor);
        let minor = if known.contains(minor) { minor } else { nearest() };
        if let Some(origin) = self.through_in(minor) {
            Class::ThroughMacro(origin)
        } else if self.is_underscored() && self.documented() {
            Class::Documented
        } else if self.internal_in().contains(minor) {
            Class::Internal
        } else if public.contains(minor) {
            if self.is_underscored() { Class::Private } else { Class::Public }
        } else if self.tier() == Tier::Internal {
            Class::Internal
        } else {
            Class::Undeclared
        }
    }
}

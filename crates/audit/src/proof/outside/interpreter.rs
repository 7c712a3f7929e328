//! What the interpreters of the tags export, asked all at once: a name that one of them lacks is lacking.

use crate::proof::aim::{Platform, Pythons};
use crate::python::spoken;
use capi::{Abi3, Presence, Python, System};
use linkage::{Lack, Verdict};

/// The interpreters of one platform.
#[derive(Debug, Clone, Copy)]
pub(in crate::proof) struct Interpreter<'a> {
    pythons: &'a Pythons,
    system: System,
}

/// What one interpreter says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Exports,
    Unknown,
    Lacks(capi::Missing),
}

impl<'a> Interpreter<'a> {
    pub(in crate::proof) const fn new(platform: &Platform, pythons: &'a Pythons) -> Self {
        Self { pythons, system: platform.python_system() }
    }

    /// The oldest minor version among them.
    pub(super) fn oldest(&self) -> Option<u8> {
        self.pythons.list.iter().map(|python| python.minor).min()
    }

    /// Whether the wheel is for this one.
    pub(super) fn has(&self, python: Python) -> bool {
        self.pythons.list.contains(&python)
    }

    /// Whether the wheel is for another implementation.
    pub(super) const fn is_foreign(&self) -> bool {
        self.pythons.foreign
    }

    /// Whether all of them export `name`.
    pub(super) fn exports(&self, name: &str) -> Verdict {
        let Some(entry) = capi::lookup(name) else {
            // Newer names than the table has, and other implementations' own.
            return if is_python_name(name) && (self.is_foreign() || self.pythons.list.is_empty()) {
                Verdict::Unknown
            } else {
                Verdict::No(Lack::Absent)
            };
        };
        if self.pythons.list.is_empty() {
            return Verdict::Unknown;
        }
        let answers = self.pythons.list.iter().map(|python| (*python, self.answer(entry, *python)));
        let (mut unknown, mut lacking, mut why) = (false, Vec::new(), None);
        for (python, answer) in answers {
            match answer {
                Answer::Exports => {}
                Answer::Unknown => unknown = true,
                Answer::Lacks(missing) => {
                    lacking.push(python);
                    why.get_or_insert(missing);
                }
            }
        }
        match why {
            Some(missing) => {
                Verdict::No(Lack::Because(format!("does not export it in {}: it {missing}", spoken(&lacking))))
            }
            None if unknown => Verdict::Unknown,
            None => Verdict::Yes,
        }
    }

    fn answer(&self, entry: &'static capi::Entry, python: Python) -> Answer {
        match entry.presence(python, self.system) {
            Presence::Exported => Answer::Exports,
            Presence::FromMicro { .. } | Presence::Unknown => Answer::Unknown,
            Presence::Missing(missing) => Answer::Lacks(missing),
        }
    }

    /// Those of the Pythons that certainly lack `name`.
    pub(in crate::proof) fn lacking(&self, name: &str) -> Vec<Python> {
        let Some(entry) = capi::lookup(name) else { return self.pythons.list.clone() };
        let lacks = |python: &Python| matches!(self.answer(entry, *python), Answer::Lacks(_));
        self.pythons.list.iter().copied().filter(lacks).collect()
    }

    /// Why nothing certain can be said of `name`, if that is so: for the list of assumptions.
    pub(in crate::proof) fn doubt(&self, name: &str) -> Option<String> {
        let entry = capi::lookup(name)?;
        let late = self.pythons.list.iter().find_map(|python| match entry.presence(*python, self.system) {
            Presence::FromMicro { absent, present } => Some((absent, present)),
            _ => None,
        })?;
        Some(match late {
            (_, Some(present)) => format!("Python {present} or later"),
            (absent, None) => format!("a Python later than {absent}"),
        })
    }

    /// Whether python3.dll forwards `name`, at the floor of the stable ABI that the wheel promises.
    pub(super) fn stable_dll(&self, name: &str) -> Verdict {
        let floor = self.pythons.stable.or_else(|| self.oldest()).unwrap_or(capi::OLDEST).max(capi::OLDEST);
        match capi::judge_abi3(name, floor, System::Windows) {
            Some(Abi3::Stable { .. }) => Verdict::Yes,
            Some(Abi3::Newer { since }) => {
                Verdict::No(Lack::Because(format!("has it from Python 3.{since} on, and the tag says 3.{floor}")))
            }
            Some(Abi3::OtherSystem { .. }) => Verdict::No(Lack::Because("does not have it on Windows".to_owned())),
            Some(Abi3::NotStable) => {
                Verdict::No(Lack::Because("has the stable ABI alone, and it is not in it".to_owned()))
            }
            None => Verdict::No(Lack::Absent),
        }
    }
}

/// Whether a name looks like one of Python's own.
pub(in crate::proof) fn is_python_name(name: &str) -> bool {
    let rest = name.trim_start_matches('_');
    rest.strip_prefix("Py").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '_'))
}

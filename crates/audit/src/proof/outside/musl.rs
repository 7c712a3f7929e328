//! Linux with musl: one library is the C library, the loader and all that glibc has in several.

use super::{Interpreter, Neighbours};
use crate::python::is_python_library;
use linkage::{Lack, Presence, Providers, Verdict, Wanted};
use platform::Arch;
use platform::exports;
use platform::policy::{Policy, musl_soname};

/// Present on every system of the policy, and what it exports.
pub(super) struct Musl<'a> {
    policy: &'static Policy,
    list: exports::Musl,
    interpreter: Interpreter<'a>,
    neighbours: &'a Neighbours,
    loaded: Vec<String>,
}

impl<'a> Musl<'a> {
    pub(super) fn new(
        arch: Arch,
        policy: &'static Policy,
        interpreter: Interpreter<'a>,
        neighbours: &'a Neighbours,
    ) -> Self {
        let loaded = vec![musl_soname(arch).to_owned()];
        Self { policy, list: exports::musl(arch), interpreter, neighbours, loaded }
    }
}

impl Providers for Musl<'_> {
    fn loaded(&self) -> &[String] {
        &self.loaded
    }

    fn program(&self, wanted: Wanted<'_>) -> Verdict {
        self.interpreter.exports(wanted.name)
    }

    fn library(&self, name: &str) -> Presence {
        if self.policy.allows_library(name) || self.list.knows(name) {
            return Presence::Present;
        }
        if is_python_library(name) {
            return Presence::Absent(Some("not every Python has a library of its own".to_owned()));
        }
        self.neighbours.bring(name).unwrap_or(Presence::Absent(None))
    }

    fn provides(&self, library: &str, wanted: Wanted<'_>) -> Verdict {
        if !self.list.knows(library) {
            return Verdict::Unknown;
        }
        if self.list.find(wanted.name).is_some() { Verdict::Yes } else { Verdict::No(Lack::Absent) }
    }
}

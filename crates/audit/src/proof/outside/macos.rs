//! macOS: libSystem by its list; of all other system libraries nothing is known but that they are there.

use super::{Interpreter, Neighbours};
use crate::python::is_python_library;
use linkage::{Lack, Presence, Providers, Verdict, Wanted};
use platform::Arch;
use platform::exports;
use platform::policy::macos::is_system_library;

/// The shared cache and the interpreter.
pub(super) struct MacOs<'a> {
    arch: Arch,
    interpreter: Interpreter<'a>,
    neighbours: &'a Neighbours,
    loaded: Vec<String>,
}

impl<'a> MacOs<'a> {
    pub(super) fn new(arch: Arch, interpreter: Interpreter<'a>, neighbours: &'a Neighbours) -> Self {
        Self { arch, interpreter, neighbours, loaded: vec!["/usr/lib/libSystem.B.dylib".to_owned()] }
    }
}

impl Providers for MacOs<'_> {
    fn loaded(&self) -> &[String] {
        &self.loaded
    }

    fn program(&self, wanted: Wanted<'_>) -> Verdict {
        self.interpreter.exports(wanted.name)
    }

    fn library(&self, name: &str) -> Presence {
        if is_system_library(name) {
            return Presence::Present;
        }
        if is_python_library(name) {
            let why = "it ties the wheel to one installation of Python; others have it elsewhere or not at all";
            return Presence::Absent(Some(why.to_owned()));
        }
        self.neighbours.bring(name).unwrap_or(Presence::Absent(None))
    }

    fn provides(&self, library: &str, wanted: Wanted<'_>) -> Verdict {
        let list = exports::macos();
        if !list.knows(library) {
            return Verdict::Unknown;
        }
        match list.find(library, &format!("_{}", wanted.name), self.arch) {
            Some(_) => Verdict::Yes,
            // The few names that have no leading underscore in the file.
            None if list.find(library, wanted.name, self.arch).is_some() => Verdict::Yes,
            None => Verdict::No(Lack::Absent),
        }
    }
}

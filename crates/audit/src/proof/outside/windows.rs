//! Windows: system DLLs, API sets, the interpreter's DLLs, and the runtime that Python carries.

use super::{Interpreter, Neighbours};
use crate::python::{self, PythonDll};
use capi::Python;
use linkage::{Lack, Presence, Providers, Verdict, Wanted};
use platform::Arch;
use platform::exports::{self, Wanted as Asked};
use platform::policy::windows::{Provided, is_vc_redistributable, provided};

/// The system and the interpreter.
pub(super) struct Windows<'a> {
    arch: Arch,
    list: Option<&'static exports::Windows>,
    interpreter: Interpreter<'a>,
    neighbours: &'a Neighbours,
    loaded: Vec<String>,
}

/// What vcruntime140_1.dll exports: the newer exception handler of 64-bit code (Visual Studio 2019 and later).
const VCRUNTIME140_1: [&str; 3] = ["__CxxFrameHandler4", "__NLG_Dispatch2", "__NLG_Return2"];

/// Why a DLL of the redistributable is taken to be there.
pub(in crate::proof) const REDISTRIBUTABLE: &str = "the Visual C++ redistributable is installed";

impl<'a> Windows<'a> {
    pub(super) fn new(arch: Arch, interpreter: Interpreter<'a>, neighbours: &'a Neighbours) -> Self {
        Self { arch, list: exports::windows(arch), interpreter, neighbours, loaded: vec!["KERNEL32.dll".to_owned()] }
    }

    fn python(&self, dll: PythonDll) -> Presence {
        if self.interpreter.is_foreign() {
            return Presence::Assumed("another implementation of Python may have it".to_owned());
        }
        if dll.debug {
            return Presence::Absent(Some("only debug builds of Python have it".to_owned()));
        }
        match dll.minor {
            None => Presence::Present,
            Some(minor) if self.interpreter.has(Python { minor, build: dll.build }) => Presence::Present,
            Some(_) => Presence::Absent(Some("the wheel's tags name another Python".to_owned())),
        }
    }
}

impl Providers for Windows<'_> {
    fn loaded(&self) -> &[String] {
        &self.loaded
    }

    fn library(&self, name: &str) -> Presence {
        if let Some(dll) = python::python_dll(name) {
            return self.python(dll);
        }
        match provided(self.arch, name, self.interpreter.oldest()) {
            Some(Provided::Python) if !self.interpreter.is_foreign() => {
                Presence::Absent(Some("it belongs to another implementation of Python".to_owned()))
            }
            Some(_) => Presence::Present,
            None if is_vc_redistributable(name) => Presence::Assumed(REDISTRIBUTABLE.to_owned()),
            None => self.neighbours.bring(name).unwrap_or(Presence::Absent(None)),
        }
    }

    fn provides(&self, library: &str, wanted: Wanted<'_>) -> Verdict {
        if let Some(dll) = python::python_dll(library) {
            return match dll.minor {
                None => self.interpreter.stable_dll(wanted.name),
                Some(_) => self.interpreter.exports(wanted.name),
            };
        }
        if library.eq_ignore_ascii_case("vcruntime140_1.dll") && VCRUNTIME140_1.contains(&wanted.name) {
            return Verdict::Yes;
        }
        let Some(list) = self.list else { return Verdict::Unknown };
        let asked = match wanted.ordinal {
            Some(ordinal) if wanted.name.is_empty() => Asked::Ordinal(ordinal),
            _ => Asked::Name(wanted.name),
        };
        let known = match asked {
            Asked::Ordinal(_) => list.knows_ordinals(library),
            Asked::Name(_) => list.knows(library),
        };
        match (list.find(library, asked), known) {
            (Some(_), _) => Verdict::Yes,
            (None, true) => Verdict::No(Lack::Absent),
            (None, false) => Verdict::Unknown,
        }
    }
}

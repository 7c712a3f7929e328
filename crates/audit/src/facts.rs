//! What is kept of one object after it was read once: owned and small, whatever the size of the file.

use crate::signs::{self, Signs};
use capi::{Entry, Framework};
use objfile::{Architecture, Format, Object, ObjectKind, Provider, ReadOnlySection};
use std::collections::BTreeMap;

/// Facts of one object.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its format.
    pub format: Format,
    /// The processor it is for.
    pub architecture: Architecture,
    /// What it is for.
    pub kind: ObjectKind,
    /// The name it gives itself.
    pub identity: Option<String>,
    /// The libraries it asks for.
    pub needed: Vec<String>,
    /// The names of the C API that it imports, each once, in the order of the file.
    pub imports: Vec<Taken>,
    /// Imports that look like names of the C API and are in no version of it.
    pub strangers: Vec<Stranger>,
    /// The names of the C API, or that look so, that it exports itself.
    pub defines: Vec<String>,
    /// The names of the C API that stand in its constant data, each once.
    pub named: Vec<Named>,
    /// Its entry points as a Python module: `PyInit_…`, `PyInitU_…`, `PyModExport_…` (PEP 793).
    pub entry_points: Vec<String>,
    /// What it exports besides.
    pub surface: Surface,
    /// Its own names with a leading underscore.
    pub underscored: Vec<Underscored>,
    /// Its exports with STB_GNU_UNIQUE binding.
    pub unique: Sample,
    /// The frameworks that made it, of those that matter for the names it has.
    pub frameworks: Vec<Framework>,
    /// What it gives away about itself.
    pub signs: Signs,
    /// How many of its names are not UTF-8.
    pub unreadable_names: usize,
}

/// A name of the C API that is imported.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Its row.
    pub entry: &'static Entry,
    /// Loading succeeds without it.
    pub weak: bool,
}

/// An import that looks like a name of the C API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// The name.
    pub name: String,
    /// Loading succeeds without it.
    pub weak: bool,
    /// It is bound to a Python DLL: nobody else can provide it.
    pub from_python: bool,
}

/// A name of the C API in constant data.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its row.
    pub entry: &'static Entry,
    /// The section.
    pub section: String,
    /// Where it first stands, from the start of the object.
    pub offset: u64,
    /// Nothing that could belong to a longer word touches it.
    pub bounded: bool,
}

/// A number and a few examples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// How many.
    pub count: usize,
    /// The first few.
    pub examples: Vec<String>,
}

impl Sample {
    const EXAMPLES: usize = 3;

    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(name.to_owned());
        }
    }
}

/// What an object exports besides its entry points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surface {
    /// Everything but entry points and what the linker adds.
    pub others: Sample,
    /// Of these, mangled C++ names.
    pub cxx: usize,
    /// Of these, LLVM's.
    pub llvm: usize,
}

/// A name of the extension's own with a leading underscore: one that it exports, or in a binary that generates code one
/// that stands among its strings and is not CPython's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Underscored {
    /// The C name.
    pub name: String,
    /// It is exported.
    pub exported: bool,
    /// It stands as a string in the constant data.
    pub looked_up: bool,
}

impl Facts {
    /// Whether it has to do with Python: uses its API or is a module.
    pub fn is_python(&self) -> bool {
        !self.imports.is_empty()
            || !self.entry_points.is_empty()
            || !self.strangers.is_empty()
            || self.needed.iter().any(|needed| crate::python::is_python_library(needed))
    }

    /// Whether this is LLVM itself as a library (and not an extension that has LLVM in it).
    pub fn is_llvm_itself(&self) -> bool {
        self.entry_points.is_empty() && self.imports.is_empty() && self.signs.llvm == signs::LlvmSign::Carried
    }

    /// Reads an object.
    pub(crate) fn of(object: &Object<'_>) -> Self {
        let mut facts = Self {
            format: object.format,
            architecture: object.architecture,
            kind: object.kind,
            identity: object.identity.map(str::to_owned),
            needed: object.needed.iter().map(|needed| needed.name.to_owned()).collect(),
            imports: Vec::new(),
            strangers: Vec::new(),
            defines: Vec::new(),
            named: Vec::new(),
            entry_points: Vec::new(),
            surface: Surface::default(),
            underscored: Vec::new(),
            unique: Sample::default(),
            frameworks: Vec::new(),
            signs: Signs::default(),
            unreadable_names: object.unreadable.len(),
        };
        facts.add_imports(object);
        facts.add_exports(object);
        facts.signs = signs::of_symbols(object);
        if object.kind != ObjectKind::ImportStub && (facts.is_python() || facts.signs.jit) && !facts.is_llvm_itself() {
            facts.add_constants(object);
        }
        facts
    }

    fn add_imports(&mut self, object: &Object<'_>) {
        for import in &object.imports {
            let name = import.name;
            // What is bound to another library is that library's business, whatever it is called.
            let from_python = match import.from {
                Provider::Library(library) => Some(crate::python::is_python_library(library)),
                Provider::SelfImage => Some(false),
                Provider::Unbound | Provider::MainExecutable | Provider::Flat | Provider::BadOrdinal(_) => None,
            };
            if !looks_like_python(name) || from_python == Some(false) {
                continue;
            }
            if let Some(entry) = capi::lookup(name) {
                match self.imports.iter_mut().find(|taken| taken.entry == entry) {
                    Some(taken) => taken.weak &= import.weak,
                    None => self.imports.push(Taken { entry, weak: import.weak }),
                }
            } else if self.strangers.iter().all(|stranger| stranger.name != name) {
                let from_python = from_python == Some(true);
                self.strangers.push(Stranger { name: name.to_owned(), weak: import.weak, from_python });
            }
        }
    }

    fn add_exports(&mut self, object: &Object<'_>) {
        for export in &object.exports {
            let name = &*export.name;
            if is_entry_point(name) {
                self.entry_points.push(name.to_owned());
                continue;
            }
            if name.is_empty() || LINKERS.contains(&name) {
                continue;
            }
            self.surface.others.add(name);
            self.surface.cxx += usize::from(name.starts_with("_Z") || name.starts_with('?'));
            self.surface.llvm += usize::from(signs::is_llvm_symbol(name));
            if looks_like_python(name) {
                self.defines.push(name.to_owned());
            }
            if is_underscored(name) && export.forward().is_none() {
                self.underscored.push(Underscored { name: name.to_owned(), exported: true, looked_up: false });
            }
            if export.unique {
                self.unique.add(name);
            }
        }
    }

    /// Looks through the constant data, which is what costs time in large objects.
    fn add_constants(&mut self, object: &Object<'_>) {
        let sections = object.read_only_sections();
        signs::add_texts(&mut self.signs, &sections);
        self.add_named(&sections);
        // A framework matters only where one of its names is there.
        let of_imports = self.imports.iter().map(|taken| taken.entry);
        let entries: Vec<_> = of_imports.chain(self.named.iter().map(|named| named.entry)).collect();
        let matters = |framework| entries.iter().any(|entry| entry.frameworks().contains(framework));
        self.frameworks = Framework::ALL
            .into_iter()
            .filter(|&framework| matters(framework) && signs::made_by(framework, object, &sections))
            .collect();
        if self.entry_points.is_empty() || self.underscored.len() > UNDERSCORED {
            return;
        }
        for own in &mut self.underscored {
            let text = [b"\0", own.name.as_bytes(), b"\0"].concat();
            let whole = text.get(1..).unwrap_or_default();
            own.looked_up = sections.iter().any(|section| {
                section.bytes.starts_with(whole) || memchr::memmem::find(section.bytes, &text).is_some()
            });
        }
        if self.signs.generates_code() {
            self.add_looked_up(&sections);
        }
    }

    /// Names like `_PyJIT_call` among the strings, which nobody but the generated code has a use for.
    fn add_looked_up(&mut self, sections: &[ReadOnlySection<'_>]) {
        for section in sections {
            for at in memchr::memmem::find_iter(section.bytes, b"_Py") {
                let (before, rest) = section.bytes.split_at(at);
                let window = rest.get(..LONGEST_NAME).unwrap_or(rest);
                let name = memchr::memchr(0, window).and_then(|end| str::from_utf8(window.get(..end)?).ok());
                let Some(name) =
                    name.filter(|name| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()))
                else {
                    continue;
                };
                let whole = before.last().is_none_or(|&byte| byte == 0);
                let known = capi::lookup(name).is_some() || self.underscored.iter().any(|own| own.name == name);
                if whole && !known && looks_like_python(name) && self.underscored.len() < UNDERSCORED {
                    self.underscored.push(Underscored { name: name.to_owned(), exported: false, looked_up: true });
                }
            }
        }
    }

    fn add_named(&mut self, sections: &[ReadOnlySection<'_>]) {
        let mut found: BTreeMap<&'static str, Named> = BTreeMap::new();
        for section in sections {
            let hit = |hit: capi::Hit| {
                let named = || Named {
                    entry: hit.entry,
                    section: section.name.clone().into_owned(),
                    offset: section.offset + hit.offset as u64,
                    bounded: hit.bounded,
                };
                let kept = found.entry(hit.entry.name()).or_insert_with(named);
                if hit.bounded && !kept.bounded {
                    *kept = named();
                }
            };
            if self.signs.rust {
                capi::scan_packed(section.bytes, hit);
            } else {
                capi::scan_cstrings(section.bytes, hit);
            }
        }
        self.named = found.into_values().collect();
    }
}

/// Beyond that many the names are no interface, and looking for each of them would take long.
const UNDERSCORED: usize = 64;
/// No C name of an API is longer.
const LONGEST_NAME: usize = 128;

/// What linkers define in every shared library.
const LINKERS: [&str; 14] = [
    "_init",
    "_fini",
    "_end",
    "_edata",
    "__bss_start",
    "_start",
    "_DYNAMIC",
    "_GLOBAL_OFFSET_TABLE_",
    "__data_start",
    "_etext",
    "_IO_stdin_used",
    "_mh_bundle_header",
    "_mh_dylib_header",
    "_mh_execute_header",
];

fn is_entry_point(name: &str) -> bool {
    objfile::is_init_function(name) || name.strip_prefix("PyModExport_").is_some_and(|module| !module.is_empty())
}

/// `Py…`, `PY…`, `_Py…` with a capital or underscore behind.
fn looks_like_python(name: &str) -> bool {
    let name = name.strip_prefix('_').unwrap_or(name);
    match name.as_bytes() {
        [b'P', b'y' | b'Y', next, ..] => next.is_ascii_uppercase() || *next == b'_',
        _ => false,
    }
}

/// An underscore and a name that neither the compiler nor its run-time library makes.
fn is_underscored(name: &str) -> bool {
    match name.as_bytes() {
        [b'_', b'Z' | b'R', ..] => false,
        [b'_', b'_', rest @ ..] => rest.starts_with(b"Py") && !rest.starts_with(b"Pyx_"),
        [b'_', next, ..] => next.is_ascii_alphabetic() && !RUNTIMES.iter().any(|prefix| name.starts_with(prefix)),
        _ => false,
    }
}

/// Compiler runtimes whose functions are linked in and may be exported: unwinder, Windows start-up, OpenMP, Objective-C, Fortran.
const RUNTIMES: [&str; 8] = ["_Unwind_", "_DllMain", "_CRT_", "_gfortran", "_QM", "_OBJC_", "_tls_", "_nm_"];

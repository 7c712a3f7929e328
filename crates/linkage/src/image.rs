//! [`Image`]: what the loader's questions need to know of one binary, owned and small, made once.

use crate::symbols::{self, FromRecord, Symbols};
use crate::traits::{ElfTraits, MachOTraits, PeTraits, Signature};
use camino::{Utf8Path, Utf8PathBuf};
use objfile::{
    Architecture, DylibVersions, ExportVersion, Format, MinimumOs, NeededKind, Object, ObjectKind, RpathKind,
    SignatureState, SymbolKind,
};
use std::borrow::Cow;

/// The facts of one binary.
#[derive(Debug, Clone)]
pub struct Image {
    /// Where it lies: for a member of a wheel its place below site-packages, else an absolute path.
    pub path: Utf8PathBuf,
    /// Its format.
    pub format: Format,
    /// The processor it is for.
    pub architecture: Architecture,
    /// What it is for.
    pub kind: ObjectKind,
    /// The name it gives itself: soname, install name, name in the export directory.
    pub identity: Option<Box<str>>,
    /// The libraries it asks for, in the order of the file.
    pub needed: Vec<Need>,
    /// Its own search path, in the order of the file.
    pub rpaths: Vec<SearchPath>,
    /// The systems it says it runs on.
    pub minimum_os: Vec<MinimumOs>,
    /// What only ELF has.
    pub elf: Option<Box<ElfTraits>>,
    /// What only Mach-O has.
    pub macho: Option<Box<MachOTraits>>,
    /// What only PE has.
    pub pe: Option<PeTraits>,
    /// How many names are not UTF-8, or were left out because the file names far more text than it holds.
    pub unreadable: usize,
    pub(crate) symbols: Symbols,
}

/// A library that an image asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The name as written.
    pub name: Box<str>,
    /// How it is asked for.
    pub kind: NeededKind,
    /// Mach-O: the versions it was linked against.
    pub versions: Option<DylibVersions>,
}

/// One entry of an image's search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    /// As written.
    pub path: Box<str>,
    /// Which kind.
    pub kind: RpathKind,
}

/// A symbol that an image takes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import<'a> {
    /// The C name; empty for a PE import by ordinal.
    pub name: &'a str,
    /// Where the file says it comes from.
    pub from: objfile::Provider<'a>,
    /// ELF: the version asked for.
    pub version: Option<&'a str>,
    /// What it is.
    pub kind: SymbolKind,
    /// Loading succeeds without it.
    pub weak: bool,
    /// PE: bound at the first call only.
    pub delayed: bool,
    /// PE: its ordinal, if it is imported by that.
    pub ordinal: Option<u16>,
}

impl<'a> Import<'a> {
    /// The name, with its version (`memcpy@GLIBC_2.14`), or `#12` for an ordinal: for people.
    pub fn label(&self) -> Cow<'a, str> {
        label(self.name, self.version, self.ordinal)
    }
}

pub(crate) fn label<'a>(name: &'a str, version: Option<&str>, ordinal: Option<u16>) -> Cow<'a, str> {
    match (version, ordinal) {
        (Some(version), _) => format!("{name}@{version}").into(),
        (None, Some(ordinal)) if name.is_empty() => format!("#{ordinal}").into(),
        _ => name.into(),
    }
}

/// A symbol that an image gives to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export<'a> {
    /// The C name; empty for a PE export by ordinal alone.
    pub name: &'a str,
    /// ELF: the version it is defined at.
    pub version: Option<ExportVersion<'a>>,
    /// What it is.
    pub kind: SymbolKind,
    /// A weak definition.
    pub weak: bool,
    /// ELF `STB_GNU_UNIQUE`.
    pub unique: bool,
    /// PE: its ordinal.
    pub ordinal: Option<u16>,
    /// For a forwarded export, the library and the name there.
    pub forward: Option<(&'a str, &'a str)>,
}

impl Image {
    /// Takes what is needed out of an object. `path` is where the loader will find it.
    pub fn from_object(path: impl Into<Utf8PathBuf>, object: &Object<'_>) -> Self {
        let symbols = Symbols::of(object);
        let offered = object.imports.len() + object.exports.len();
        let left_out = offered - symbols.imports.len() - symbols.exports.len();
        Self {
            path: path.into(),
            format: object.format,
            architecture: object.architecture,
            kind: object.kind,
            identity: object.identity.map(Into::into),
            needed: object
                .needed
                .iter()
                .map(|need| Need { name: need.name.into(), kind: need.kind, versions: need.versions })
                .collect(),
            rpaths: object
                .rpaths
                .iter()
                .map(|rpath| SearchPath { path: rpath.path.into(), kind: rpath.kind })
                .collect(),
            minimum_os: object.minimum_os.clone(),
            elf: object.elf().map(|facts| Box::new(ElfTraits::of(facts))),
            macho: object.macho().map(|facts| Box::new(MachOTraits::of(facts))),
            pe: object.pe().map(PeTraits::of),
            unreadable: object.unreadable.len() + left_out,
            symbols,
        }
    }

    /// What was found out about the Mach-O code signature ([`objfile::verify_signature`]). Without it the state is
    /// [`Signature::Unverified`] for an image that carries a signature.
    pub fn set_signature(&mut self, state: &SignatureState) {
        if let Some(macho) = &mut self.macho {
            macho.signature = Signature::of(state);
        }
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Utf8Path {
        self.path.parent().unwrap_or_else(|| Utf8Path::new(""))
    }

    /// How many symbols it imports.
    pub fn import_count(&self) -> usize {
        self.symbols.imports.len()
    }

    /// The symbols it takes from elsewhere, in the order of the file.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = Import<'_>> {
        self.symbols.imports.iter().map(|record| self.import_of(record))
    }

    /// One of [`Image::imports`].
    pub fn import(&self, import: u32) -> Option<Import<'_>> {
        self.symbols.imports.get(import as usize).map(|record| self.import_of(record))
    }

    /// The symbols it gives to others, in the order of the file.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = Export<'_>> {
        (0..self.symbols.exports.len() as u32).map(|export| self.export_of(export))
    }

    /// One of [`Image::exports`].
    pub fn export(&self, export: u32) -> Option<Export<'_>> {
        ((export as usize) < self.symbols.exports.len()).then(|| self.export_of(export))
    }

    /// The exports of this name: one for each version.
    pub fn exports_named(&self, name: &str) -> impl Iterator<Item = Export<'_>> {
        self.symbols.find(name, symbols::hash(name)).map(|export| self.export_of(export))
    }

    fn import_of(&self, record: &symbols::ImportRecord) -> Import<'_> {
        let symbols = &self.symbols;
        let from = match record.from {
            FromRecord::Unbound => objfile::Provider::Unbound,
            FromRecord::Library(library) => match symbols.libraries.get(library as usize) {
                Some(span) => objfile::Provider::Library(symbols.text.get(*span)),
                None => objfile::Provider::Unbound,
            },
            FromRecord::SelfImage => objfile::Provider::SelfImage,
            FromRecord::MainExecutable => objfile::Provider::MainExecutable,
            FromRecord::Flat => objfile::Provider::Flat,
            FromRecord::BadOrdinal(ordinal) => objfile::Provider::BadOrdinal(ordinal.into()),
        };
        Import {
            name: symbols.text.get(record.name),
            from,
            version: symbols.version(record.version),
            kind: record.kind,
            weak: record.flags & symbols::WEAK != 0,
            delayed: record.flags & symbols::DELAYED != 0,
            ordinal: record.ordinal,
        }
    }

    fn export_of(&self, export: u32) -> Export<'_> {
        let symbols = &self.symbols;
        let Some(record) = symbols.exports.get(export as usize) else {
            return Export {
                name: "",
                version: None,
                kind: SymbolKind::Unknown,
                weak: false,
                unique: false,
                ordinal: None,
                forward: None,
            };
        };
        let default = record.flags & symbols::DEFAULT != 0;
        Export {
            name: symbols.text.get(record.name),
            version: symbols.version(record.version).map(|name| ExportVersion { name, default }),
            kind: record.kind,
            weak: record.flags & symbols::WEAK != 0,
            unique: record.flags & symbols::UNIQUE != 0,
            ordinal: record.ordinal,
            forward: if record.flags & symbols::FORWARD != 0 { symbols.forward(export) } else { None },
        }
    }
}

//! Images made of values, for rules that no linker here can be made to show and for graphs too large to build.

#![allow(dead_code)] // each test file uses its part

use objfile::{
    Architecture, Details, DylibVersions, ElfFacts, Export, ExportTarget, ExportVersion, Format, Import, MachOFacts,
    Needed, NeededKind, Object, ObjectKind, OsVersion, PeFacts, Provider, Rpath, RpathKind, Stack, SymbolKind,
    VersionDefinition,
};
use wheelproof_linkage::Image;

/// A file, short to write down. Symbols are written as `name`, `name@VERSION` (hidden) or `name@@VERSION`; imports
/// from a library as `library!name`, exports that are forwarded as `name>library!symbol`, weak ones with `?` at the
/// end, unique ones with `*`, `#7` is an ordinal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made<'a> {
    pub(crate) path: &'a str,
    pub(crate) identity: Option<&'a str>,
    pub(crate) needed: &'a [(&'a str, Kind)],
    pub(crate) rpath: &'a [&'a str],
    pub(crate) runpath: &'a [&'a str],
    pub(crate) imports: &'a [&'a str],
    pub(crate) exports: &'a [&'a str],
    pub(crate) arm: bool,
    /// ELF: changes to facts that are otherwise harmless.
    pub(crate) facts: Option<fn(&mut ElfFacts<'_>)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Normal,
    Weak,
    Reexport,
    Lazy,
}

impl Kind {
    fn needed(self) -> NeededKind {
        match self {
            Self::Normal => NeededKind::Normal,
            Self::Weak => NeededKind::Weak,
            Self::Reexport => NeededKind::Reexport,
            Self::Lazy => NeededKind::Lazy,
        }
    }
}

impl Made<'_> {
    pub(crate) fn elf(&self) -> Image {
        self.image(Format::Elf)
    }

    pub(crate) fn macho(&self) -> Image {
        self.image(Format::MachO)
    }

    pub(crate) fn pe(&self) -> Image {
        self.image(Format::Pe)
    }

    fn image(&self, format: Format) -> Image {
        let version = OsVersion { major: 1, minor: 0, patch: 0 };
        let versions = (format == Format::MachO).then_some(DylibVersions { current: version, compatibility: version });
        let search = if format == Format::MachO { RpathKind::LcRpath } else { RpathKind::Rpath };
        let rpaths = self.rpath.iter().map(|path| Rpath { path, kind: search });
        let runpaths = self.runpath.iter().map(|path| Rpath { path, kind: RpathKind::Runpath });
        let exports: Vec<Export<'_>> = self.exports.iter().map(|text| export(text)).collect();
        let mut definitions: Vec<VersionDefinition<'_>> = Vec::new();
        for name in exports.iter().filter_map(|export| export.version.map(|version| version.name)) {
            if definitions.iter().all(|known| known.name != name) {
                let index = definitions.len() as u16 + 2;
                definitions.push(VersionDefinition { name, index, base: false, weak: false, parents: Vec::new() });
            }
        }
        let details = match format {
            Format::Elf => {
                let stack = Stack::NotExecutable;
                let mut facts =
                    ElfFacts { version_definitions: definitions, stack, has_gnu_hash: true, ..ElfFacts::default() };
                if let Some(change) = self.facts {
                    change(&mut facts);
                }
                Details::Elf(Box::new(facts))
            }
            Format::MachO => Details::MachO(Box::new(MachOFacts { two_level: true, ..MachOFacts::default() })),
            _ => Details::Pe(Box::new(PeFacts::default())),
        };
        // A file is at least as long as the names in it.
        let length: usize = self.imports.iter().chain(self.exports).map(|name| name.len()).sum();
        let bytes = vec![0; length];
        let object = Object {
            bytes: &bytes,
            format,
            architecture: if self.arm { Architecture::Aarch64 } else { Architecture::X86_64 },
            is_64: true,
            is_big_endian: false,
            kind: ObjectKind::SharedLibrary,
            identity: self.identity,
            needed: self.needed.iter().map(|(name, kind)| Needed { name, kind: kind.needed(), versions }).collect(),
            rpaths: rpaths.chain(runpaths).collect(),
            minimum_os: Vec::new(),
            imports: self.imports.iter().map(|text| import(text, format)).collect(),
            exports,
            unreadable: Vec::new(),
            details,
        };
        Image::from_object(self.path, &object)
    }
}

fn import(text: &str, format: Format) -> Import<'_> {
    let (text, weak) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
    let (library, text) = text.split_once('!').map_or((None, text), |(library, text)| (Some(library), text));
    let (name, version) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
    let ordinal = name.strip_prefix('#').and_then(|number| number.parse().ok());
    let unbound = if format == Format::MachO { Provider::Flat } else { Provider::Unbound };
    let from = match library {
        Some("self") => Provider::SelfImage,
        Some("program") => Provider::MainExecutable,
        Some("bad") => Provider::BadOrdinal(99),
        Some(library) => Provider::Library(library),
        None => unbound,
    };
    let name = if ordinal.is_some() { "" } else { name };
    Import { name, from, version, kind: SymbolKind::Function, weak, delayed: false, ordinal }
}

fn export(text: &str) -> Export<'_> {
    let (text, unique) = text.strip_suffix('*').map_or((text, false), |text| (text, true));
    let (text, weak) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
    let (text, target) = match text.split_once('>') {
        Some((name, forward)) => {
            let (library, symbol) = forward.split_once('!').unwrap();
            (name, ExportTarget::Forward { library, symbol })
        }
        None => (text, ExportTarget::Address(1)),
    };
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => {
            let default = version.starts_with('@');
            (name, Some(ExportVersion { name: version.trim_start_matches('@'), default }))
        }
        None => (text, None),
    };
    let (name, ordinal) = match name.split_once('#') {
        Some((name, number)) => (name, number.parse().ok()),
        None => (name, None),
    };
    Export { name: name.into(), version, kind: SymbolKind::Function, weak, unique, ordinal, target }
}

//! What a loader accepts and what should still not be there.

use crate::closure::{Closure, MemberId, What};
use crate::image::{Image, Import};
use crate::loader::Loader;
use crate::resolve::{Binding, Definers, Resolution, find_elf};
use crate::scope::{Source, scopes};
use crate::stem::stem;
use crate::words;
use objfile::{Format, Stack};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// Something that works today and may not tomorrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hazard {
    /// Two libraries in one scope define the same strong symbols, and a third uses them: it gets those of the
    /// first, and so may the second.
    Interposition {
        /// Whose definitions are used.
        first: String,
        /// Whose are not.
        second: String,
        /// Who uses them.
        importer: String,
        /// How many.
        count: usize,
        /// A few of them.
        examples: Vec<String>,
    },
    /// Two copies of one library in one process.
    TwoCopies {
        /// What their names have in common.
        stem: String,
        /// Their paths or names.
        members: Vec<String>,
    },
    /// Two libraries with the same `STB_GNU_UNIQUE` symbols: the whole process gets those of the first, whatever
    /// the scope.
    SharedUnique {
        /// The first.
        first: String,
        /// The second.
        second: String,
        /// How many.
        count: usize,
        /// A few of them.
        examples: Vec<String>,
    },
    /// It uses the static TLS model, of which little is set aside: opening fails when other libraries have used it up.
    StaticTls {
        /// Which.
        path: String,
        /// Bytes.
        size: u64,
    },
    /// It has relocations in its code: refused where memory may not be writable and executable (SELinux, musl).
    TextRelocations {
        /// Which.
        path: String,
    },
    /// It asks for an executable stack, which older glibc grants to the whole process.
    ExecutableStack {
        /// Which.
        path: String,
    },
    /// Mach-O: a dylib is older than what was linked against says it must be.
    OlderThanLinked {
        /// Who links.
        path: String,
        /// Which dylib.
        library: String,
        /// What it must be compatible with.
        wanted: objfile::OsVersion,
        /// What it is compatible with.
        has: objfile::OsVersion,
    },
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interposition { first, second, importer, count, examples } => write!(
                f,
                "`{first}` and `{second}` both define {} that `{importer}` uses, and it gets those of `{first}`: {}",
                symbols(*count),
                words::list(examples.iter().map(String::as_str)),
            ),
            Self::TwoCopies { stem, members } => {
                write!(
                    f,
                    "one process loads `{stem}` more than once: {}",
                    words::list(members.iter().map(String::as_str))
                )
            }
            Self::SharedUnique { first, second, count, examples } => write!(
                f,
                "`{first}` and `{second}` share {} that exist once in a process: {}",
                symbols(*count),
                words::list(examples.iter().map(String::as_str)),
            ),
            Self::StaticTls { path, size } => {
                write!(f, "`{path}` takes {size} bytes of the little static thread-local storage there is")
            }
            Self::TextRelocations { path } => write!(f, "`{path}` has relocations in its code"),
            Self::ExecutableStack { path } => write!(f, "`{path}` asks for an executable stack"),
            Self::OlderThanLinked { path, library, wanted, has } => {
                write!(
                    f,
                    "`{path}` was linked against `{library}` {wanted}, and the one found is compatible with {has}"
                )
            }
        }
    }
}

fn symbols(count: usize) -> String {
    if count == 1 { "a symbol".into() } else { format!("{count} symbols") }
}

const EXAMPLES: usize = 5;

/// All of a closure.
pub fn hazards(closure: &Closure, loader: &Loader, resolution: &Resolution) -> Vec<Hazard> {
    let mut hazards = interpositions(closure, loader, resolution);
    hazards.extend(copies(closure));
    hazards.extend(uniques(closure));
    for (member, image) in closure.images() {
        let path = || image.path.to_string();
        if let Some(elf) = &image.elf {
            let at_start = closure.member(member).and_then(|member| member.opening).is_some_and(|opening| {
                closure.openings.get(opening as usize).is_some_and(|(opening, _)| opening.mode == crate::Mode::Program)
            });
            if elf.static_tls && elf.tls_size > 0 && !at_start {
                hazards.push(Hazard::StaticTls { path: path(), size: elf.tls_size });
            }
            if elf.text_relocations {
                hazards.push(Hazard::TextRelocations { path: path() });
            }
            if elf.stack == Stack::Executable {
                hazards.push(Hazard::ExecutableStack { path: path() });
            }
        }
        if image.format == Format::MachO {
            older_than_linked(closure, member, image, &mut hazards);
        }
    }
    hazards
}

fn older_than_linked(closure: &Closure, member: MemberId, image: &Image, hazards: &mut Vec<Hazard>) {
    for edge in closure.edges_of(member) {
        let need = edge.need.and_then(|need| image.needed.get(need as usize));
        let Some(wanted) = need.and_then(|need| need.versions).map(|versions| versions.compatibility) else { continue };
        let library = crate::resolve::found(edge).and_then(|to| closure.image(to));
        let Some(library) = library else { continue };
        let has = library.macho.as_ref().and_then(|macho| macho.versions).map(|versions| versions.compatibility);
        if let Some(has) = has.filter(|has| *has < wanted) {
            let (path, library) = (image.path.to_string(), library.path.to_string());
            hazards.push(Hazard::OlderThanLinked { path, library, wanted, has });
        }
    }
}

/// ELF: definitions in the scope after the one that is taken.
fn interpositions(closure: &Closure, loader: &Loader, resolution: &Resolution) -> Vec<Hazard> {
    let versioned = matches!(loader, Loader::Glibc(_));
    let mut scopes: Vec<Definitions<'_>> =
        scopes(closure).iter().map(|scope| Definitions::of(closure, scope, versioned)).collect();
    let mut found: BTreeMap<(MemberId, MemberId, MemberId), (usize, Vec<String>)> = BTreeMap::new();
    for (importer, image) in closure.images().filter(|(_, image)| image.format == Format::Elf) {
        let opening = closure.member(importer).and_then(|member| member.opening);
        let Some(scope) = opening.and_then(|opening| scopes.get_mut(opening as usize)) else { continue };
        if scope.images.len() < 2 {
            continue;
        }
        let bindings = resolution.bindings(importer);
        for ((binding, import), record) in bindings.iter().zip(image.imports()).zip(&image.symbols.imports) {
            let Binding::Export { member: first, export } = *binding else { continue };
            let Some(definition) = closure.image(first).and_then(|image| image.export(export)) else { continue };
            if definition.weak || definition.unique || is_runtime(import.name) {
                continue;
            }
            for second in scope.later(first, &import, record.hash).iter().filter(|id| **id != importer) {
                let entry = found.entry((first, *second, importer)).or_default();
                entry.0 += 1;
                if entry.1.len() < EXAMPLES {
                    entry.1.push(import.name.to_owned());
                }
            }
        }
    }
    let name = |id| closure.name(id).to_owned();
    found
        .into_iter()
        .map(|((first, second, importer), (count, examples))| Hazard::Interposition {
            first: name(first),
            second: name(second),
            importer: name(importer),
            count,
            examples,
        })
        .collect()
}

/// Who in a scope defines what, each name looked up once.
struct Definitions<'a> {
    /// In the order of the scope.
    images: Vec<(MemberId, &'a Image)>,
    rank: HashMap<MemberId, u32>,
    index: Option<Definers>,
    known: HashMap<(MemberId, &'a str, Option<&'a str>), Vec<MemberId>>,
    versioned: bool,
}

impl<'a> Definitions<'a> {
    fn of(closure: &'a Closure, scope: &[Source], versioned: bool) -> Self {
        let images = scope.iter().filter_map(|source| match source {
            Source::Member(id) => closure.image(*id).map(|image| (*id, &**image)),
            Source::Program => None,
        });
        let images: Vec<_> = images.collect();
        let rank = images.iter().zip(0..).map(|((id, _), rank)| (*id, rank)).collect();
        Self { images, rank, index: None, known: HashMap::new(), versioned }
    }

    /// Those after `first` that define the name strongly as well.
    fn later(&mut self, first: MemberId, import: &Import<'a>, hash: u32) -> &[MemberId] {
        let Self { images, rank, index, known, versioned } = self;
        known.entry((first, import.name, import.version)).or_insert_with(|| {
            let Some(first) = rank.get(&first) else { return Vec::new() };
            let defines = |image: &Image| {
                let again = find_elf(image, import.name, hash, import.version, *versioned);
                again.and_then(|export| image.export(export)).is_some_and(|export| !export.weak && !export.unique)
            };
            if images.len() <= Definers::WORTH_IT {
                let later = images.iter().skip(*first as usize + 1);
                return later.filter(|(_, image)| defines(image)).map(|(id, _)| *id).collect();
            }
            let all = || images.iter().zip(0..).map(|((_, image), rank)| (rank, *image));
            let index = index.get_or_insert_with(|| Definers::of(all()));
            let later = index.of_hash(hash).filter(|rank| rank > first).filter_map(|rank| images.get(rank as usize));
            later.filter(|(_, image)| defines(image)).map(|(id, _)| *id).collect()
        })
    }
}

/// Functions of the compilers' own run-time libraries (libgcc, compiler-rt, the unwinder), which every library may
/// carry and which are the same everywhere, and what linkers define.
fn is_runtime(name: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        "_Unwind_",
        "__gcc_",
        "__gxx_",
        "__cpu_",
        "__register_frame",
        "__deregister_frame",
        "__emutls_",
        "__unw_",
        "unw_",
    ];
    const LINKERS: [&str; 8] = ["_init", "_fini", "_end", "end", "_edata", "edata", "__bss_start", "_etext"];
    /// Modes of libgcc's arithmetic: `__udivti3`, `__extendhfsf2`, `__floattidf`.
    const MODES: [&str; 12] = ["qi", "hi", "si", "di", "ti", "bf", "hf", "sf", "df", "xf", "tf", "tc"];
    if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || LINKERS.contains(&name) {
        return true;
    }
    let Some(rest) = name.strip_prefix("__") else { return false };
    let base = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    rest.len() <= 16
        && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && MODES.iter().any(|mode| base.ends_with(mode))
}

/// Libraries of one stem.
fn copies(closure: &Closure) -> Vec<Hazard> {
    let mut by_stem: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for member in &closure.members {
        let name = match &member.what {
            What::Image(image) if image.kind == objfile::ObjectKind::SharedLibrary => {
                image.identity.as_deref().unwrap_or(member.path.as_str())
            }
            What::Image(_) => continue,
            What::External(_) => member.path.as_str(),
        };
        by_stem.entry(stem(name).to_ascii_lowercase()).or_default().insert(member.path.to_string());
    }
    by_stem
        .into_iter()
        .filter(|(stem, members)| members.len() > 1 && !stem.is_empty())
        .map(|(stem, members)| Hazard::TwoCopies { stem, members: members.into_iter().collect() })
        .collect()
}

/// Pairs of images with the same unique symbols; each symbol counts for its first two.
fn uniques(closure: &Closure) -> Vec<Hazard> {
    let mut owners: HashMap<&str, MemberId> = HashMap::new();
    let mut shared: BTreeMap<(MemberId, MemberId), (usize, Vec<String>)> = BTreeMap::new();
    for (member, image) in closure.images().filter(|(_, image)| image.format == Format::Elf) {
        for export in image.exports().filter(|export| export.unique) {
            match owners.get(export.name) {
                Some(first) if *first != member => {
                    let entry = shared.entry((*first, member)).or_default();
                    entry.0 += 1;
                    if entry.1.len() < EXAMPLES {
                        entry.1.push(export.name.to_owned());
                    }
                }
                Some(_) => {}
                None => {
                    owners.insert(export.name, member);
                }
            }
        }
    }
    shared
        .into_iter()
        .map(|((first, second), (count, examples))| Hazard::SharedUnique {
            first: closure.name(first).to_owned(),
            second: closure.name(second).to_owned(),
            count,
            examples,
        })
        .collect()
}

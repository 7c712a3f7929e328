//! The tree of a wheel's binaries: who needs what, how it was found, whose symbols are used.

use super::contents::{Binary, Contents};
use super::outside::is_python_name;
use super::process::{Process, Role};
use super::sizes::Sizes;
use camino::Utf8PathBuf;
use linkage::{Binding, Closure, Edge, Image, MemberId, Outcome, Presence, Source, What};
use objfile::ObjectKind;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A binary of the wheel.
#[derive(Debug, Clone, Serialize)]
pub struct BinaryNode {
    /// Its name in the archive.
    pub member: String,
    /// What it is: `extension module`, `library`, `program`.
    pub kind: &'static str,
    /// The module it is imported as.
    pub module: Option<String>,
    /// Its name of its own: soname, install name.
    pub identity: Option<String>,
    /// Its size.
    pub sizes: Sizes,
    /// One for each architecture in it.
    pub slices: Vec<Slice>,
}

/// What a binary is for one architecture.
#[derive(Debug, Clone, Serialize)]
pub struct Slice {
    /// As in platform tags of Linux: `x86_64`, `aarch64`.
    pub architecture: String,
    /// The oldest system it says it runs on.
    pub minimum_os: Option<String>,
    /// How many symbols it takes from elsewhere.
    pub imports: usize,
    /// How many it gives to others.
    pub exports: usize,
    /// The libraries it needs, in the order of the file.
    pub needs: Vec<NeedNode>,
    /// How many of its symbols come from whom; a member, `Python`, a library of the system.
    pub owners: BTreeMap<String, usize>,
    /// The names of Python's C API among them, sorted.
    pub python: Vec<String>,
}

/// A library that a binary needs.
#[derive(Debug, Clone, Serialize)]
pub struct NeedNode {
    /// The name as written.
    pub name: String,
    /// Who has it.
    pub provider: Provider,
    /// The member, for one of the wheel; the path, for one outside.
    pub found: Option<String>,
    /// What led the loader there, or why it is assumed or missing.
    pub by: String,
}

/// Who has a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The wheel.
    Wheel,
    /// Every system of the tag, or Python.
    System,
    /// It is assumed to be there.
    Assumed,
    /// A folder that the user named, or this machine.
    Outside,
    /// Nobody.
    Missing,
}

/// What one image needs, and whose symbols it uses.
type Use = (Vec<NeedNode>, BTreeMap<String, usize>);

/// What processes showed of each image.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By path and architecture.
    by_image: BTreeMap<(Utf8PathBuf, String), Use>,
}

impl Seen {
    /// Takes what one process shows of the images that are its own to show.
    pub(super) fn add(&mut self, contents: &Contents, process: &Process, claimed: &HashSet<MemberId>) {
        let closure = &process.closure;
        for (id, image) in closure.images().filter(|(id, _)| claimed.contains(id)) {
            let key = (image.path.clone(), image.architecture.name().to_owned());
            if image.path.is_absolute() || self.by_image.contains_key(&key) {
                continue;
            }
            let needs = closure.edges_of(id).iter().filter(|edge| edge.need.is_some());
            let needs = needs.map(|edge| need(contents, closure, edge)).collect();
            self.by_image.insert(key, (needs, owners(contents, process, id)));
        }
    }

    /// Adds those of other processes; what is there stays.
    pub(super) fn extend(&mut self, other: Self) {
        for (key, value) in other.by_image {
            self.by_image.entry(key).or_insert(value);
        }
    }

    /// The nodes of all binaries.
    pub(super) fn nodes(&self, contents: &Contents, roles: &BTreeMap<Utf8PathBuf, Role>) -> Vec<BinaryNode> {
        contents.binaries.iter().map(|binary| self.node(binary, roles)).collect()
    }

    fn node(&self, binary: &Binary, roles: &BTreeMap<Utf8PathBuf, Role>) -> BinaryNode {
        let module = match roles.get(&binary.path) {
            Some(Role::Module(name)) => Some(name.clone()),
            _ => None,
        };
        let kind = match (&module, binary.images.first().map(|image| image.kind)) {
            (Some(_), _) => "extension module",
            (None, Some(ObjectKind::Executable)) => "program",
            (None, _) => "library",
        };
        BinaryNode {
            member: binary.member.clone(),
            kind,
            module,
            identity: binary.images.iter().find_map(|image| image.identity.as_deref().map(str::to_owned)),
            sizes: binary.sizes,
            slices: binary.images.iter().map(|image| self.slice(image)).collect(),
        }
    }

    fn slice(&self, image: &Image) -> Slice {
        let architecture = image.architecture.name().to_owned();
        let seen = self.by_image.get(&(image.path.clone(), architecture.clone()));
        // What no process brought is shown by what it says itself.
        let unseen = || {
            let need = |need: &linkage::Need| NeedNode {
                name: need.name.to_string(),
                provider: Provider::Missing,
                found: None,
                by: "nothing loads this binary".to_owned(),
            };
            (image.needed.iter().map(need).collect(), BTreeMap::new())
        };
        let names = image.imports().map(|import| import.name).filter(|name| is_python_name(name));
        let python: BTreeSet<&str> = names.collect();
        let python = python.into_iter().map(str::to_owned).collect();
        let (needs, owners) = seen.cloned().unwrap_or_else(unseen);
        Slice {
            architecture,
            minimum_os: image.minimum_os.first().map(|os| format!("{:?} {}", os.system, os.minimum)),
            imports: image.import_count(),
            exports: image.exports().len(),
            needs,
            owners,
            python,
        }
    }
}

fn need(contents: &Contents, closure: &Closure, edge: &Edge) -> NeedNode {
    let name = edge.name.to_string();
    match &edge.outcome {
        Outcome::Missing(missing) => NeedNode {
            name,
            provider: Provider::Missing,
            found: None,
            by: missing.hints.first().map_or_else(|| "not found".to_owned(), ToString::to_string),
        },
        Outcome::Found { to, by } => match closure.member(*to).map(|member| &member.what) {
            Some(What::Image(image)) => {
                let member = contents.member_at(&image.path);
                NeedNode {
                    name,
                    provider: if member.is_some() { Provider::Wheel } else { Provider::Outside },
                    found: Some(member.unwrap_or(image.path.as_str()).to_owned()),
                    by: closure.by(*by),
                }
            }
            Some(What::External(Presence::Assumed(why))) => {
                NeedNode { name, provider: Provider::Assumed, found: None, by: why.clone() }
            }
            _ => NeedNode { name, provider: Provider::System, found: None, by: closure.by(*by) },
        },
    }
}

fn owners(contents: &Contents, process: &Process, id: MemberId) -> BTreeMap<String, usize> {
    let closure = &process.closure;
    let named = |member: MemberId| {
        let path = closure.name(member);
        contents.member_at(path.into()).unwrap_or(path).to_owned()
    };
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for (owner, count) in counts(process.resolution.bindings(id)) {
        let name = match owner {
            Owner::Member(member) => named(member),
            Owner::Python => "Python".to_owned(),
            Owner::Nobody => "nobody".to_owned(),
        };
        *owners.entry(name).or_default() += count;
    }
    owners
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Member(MemberId),
    Python,
    Nobody,
}

fn counts(bindings: &[Binding]) -> BTreeMap<Owner, usize> {
    let mut counts = BTreeMap::new();
    for binding in bindings {
        let owner = match binding {
            Binding::Export { member, .. } | Binding::External(member) | Binding::Assumed(Source::Member(member)) => {
                Owner::Member(*member)
            }
            Binding::Program | Binding::Assumed(Source::Program) => Owner::Python,
            Binding::WeakMissing => continue,
            Binding::Unresolved(_) => Owner::Nobody,
        };
        *counts.entry(owner).or_default() += 1;
    }
    counts
}

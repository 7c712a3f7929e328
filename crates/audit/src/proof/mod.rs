//! The import proof: will every extension module of a wheel import, on a clean machine of the oldest kind that its tags
//! stand for? For any platform, on any host; nothing is run.
//!
//! A wheel is opened once ([`contents`]): every member is inflated, hashed and read in one pass. For each platform of the
//! tags ([`aim`]) one process is made per extension module ([`process`]) by the rules of that system's loader (crate
//! `linkage`), against what is [`outside`]: the interpreter (`capi`), the policy's libraries with their export lists
//! (`platform`), other distributions. What stays open refutes the wheel ([`judge`]); what rests on something that could not
//! be looked at is assumed and listed ([`assumption`]). The rules on the wheel as a package ([`facts`]) never change the
//! verdict.

mod aim;
mod assumption;
mod contents;
mod facts;
mod host;
mod judge;
mod node;
mod optional;
mod options;
mod outside;
mod policy;
mod process;
pub mod rules;
mod sizes;
mod sources;
mod trouble;
mod unopened;

pub use assumption::Assumption;
pub use facts::rules as fact_rules;
pub use node::{BinaryNode, NeedNode, Provider, Slice};
pub use options::ProofOptions;
pub use policy::{Narrower, PolicyReached};
pub use sizes::{Sizes, spoken as spoken_size};

use crate::open::OpenError;
use crate::python::tag;
use aim::{Platform, Pythons};
use assumption::Assumptions;
use camino::{Utf8Path, Utf8PathBuf};
use contents::Contents;
use diagnostics::{Finding, Rule};
use judge::Bench;
use node::Seen;
use outside::Neighbours;
use process::{Role, Root};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use trouble::{Trouble, Troubles};

/// The rules of the proof and of the wheel as a package, each exactly once.
pub const RULES: &[&Rule] = &{
    const COUNT: usize = rules::PROOF.len() + facts::rules::FACTS.len();
    let mut all: [&Rule; COUNT] = [rules::PROOF[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = if at < rules::PROOF.len() { rules::PROOF[at] } else { facts::rules::FACTS[at - rules::PROOF.len()] };
        at += 1;
    }
    all
};

/// What the proof came to, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything that any import needs is there.
    Proven,
    /// Everything is there as far as it could be looked at; the assumptions say what could not.
    Assumed,
    /// An import or a first call fails.
    Refuted,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Proven => "proven",
            Self::Assumed => "assumed",
            Self::Refuted => "refuted",
        })
    }
}

/// The proof of one wheel.
#[derive(Debug, Serialize)]
pub struct Proof {
    /// The wheel as it is named in findings.
    pub path: Utf8PathBuf,
    /// The worst of `results`.
    pub verdict: Verdict,
    /// The distribution and its version, from METADATA.
    pub distribution: Option<(String, String)>,
    /// The wheel's tags, compressed, and what it says of Pythons.
    pub tags: Option<String>,
    /// `Requires-Python` of METADATA.
    pub requires_python: Option<String>,
    /// For each platform, the Pythons with the same result.
    pub results: Vec<PlatformResult>,
    /// What the proof rests on.
    pub assumptions: Vec<Assumption>,
    /// What refutes it, hazards, and facts about the wheel as a package.
    pub findings: Vec<Finding>,
    /// The packages and modules that it gives to import, namespaces left out.
    pub packages: Vec<String>,
    /// The extension modules.
    pub modules: Vec<Module>,
    /// All binaries.
    pub binaries: Vec<BinaryNode>,
    /// Of the whole wheel.
    pub sizes: Sizes,
    /// The largest members, binaries or not.
    pub largest: Vec<(String, Sizes)>,
    /// Which tags the binaries meet.
    pub policies: Vec<PolicyReached>,
}

/// What came of one platform and the Pythons that agree.
#[derive(Debug, Clone, Serialize)]
pub struct PlatformResult {
    /// The platform's tag.
    pub platform: String,
    /// `cp313`, `cp314t`; none where the wheel names none.
    pub pythons: Vec<String>,
    /// What came of it.
    pub verdict: Verdict,
    /// Why it is refuted.
    pub why: Vec<String>,
}

/// An extension module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Module {
    /// As it is imported: `pkg._core`.
    pub name: String,
    /// Its name in the archive.
    pub member: String,
    /// The platforms it is for.
    pub platforms: Vec<String>,
}

/// The findings of a wheel for whoever runs a pipeline: its verdict, what is wrong, what is assumed. They name the wheel by its
/// file name.
///
/// # Errors
/// If the wheel cannot be opened at all; everything less is a finding.
pub fn wheel_findings(
    path: &Utf8Path,
    options: &ProofOptions,
) -> Result<(Verdict, Vec<Finding>, Vec<String>), OpenError> {
    let shown = options.shown.clone().or_else(|| path.file_name().map(Utf8PathBuf::from));
    let proof = prove(path, &ProofOptions { shown, ..options.clone() })?;
    Ok((proof.verdict, proof.findings, proof.assumptions.iter().map(ToString::to_string).collect()))
}

/// Proves a wheel.
///
/// # Errors
/// If the path cannot be read or is no wheel; what is wrong inside is a finding.
pub fn prove(path: &Utf8Path, options: &ProofOptions) -> Result<Proof, OpenError> {
    let mut contents = Contents::read(path, options.shown.as_deref())?;
    if let Some(open) = host::on_demand(options) {
        contents.tree.on_demand(open);
    }
    let contents = contents;
    let (platforms, unknown) = aim::platforms(&contents);
    let pythons = aim::pythons(&contents, &options.pythons);
    let neighbours = neighbours(&contents).without(&options.excluded);
    let mut found = Found::default();
    for platform in &platforms {
        let outcome = of_platform(&contents, platform, &pythons, &neighbours, options, &mut found);
        let several = platforms.len() > 1;
        found.findings.extend(outcome.findings(&contents.shown, several.then_some(platform)));
    }
    for tag in unknown {
        found.assumptions.note(&tag, "the rules of this platform's loader are not known here");
        found.results.push(PlatformResult {
            platform: tag,
            pythons: spoken(&pythons.list),
            verdict: Verdict::Assumed,
            why: Vec::new(),
        });
    }
    let unreadable = unopened::findings(&contents, &platforms);
    if !unreadable.is_empty() {
        let why: Vec<String> = unreadable.iter().map(|finding| finding.message.clone()).collect();
        for result in &mut found.results {
            result.verdict = Verdict::Refuted;
            result.why.extend(why.iter().cloned());
        }
        found.worst = Verdict::Refuted;
    }
    let mut findings = unreadable;
    findings.append(&mut found.findings);
    findings.extend(facts::findings(&contents, &platforms, &pythons, &found.roles, options.budget));
    let verdict = found.results.iter().map(|result| result.verdict).max().unwrap_or(Verdict::Proven).max(found.worst);
    Ok(Proof {
        path: contents.shown.clone(),
        verdict,
        distribution: contents
            .wheel
            .metadata
            .as_ref()
            .map(|metadata| (metadata.name.clone(), metadata.version.clone())),
        tags: contents.tags.as_ref().map(ToString::to_string),
        requires_python: contents.wheel.metadata.as_ref().and_then(|metadata| metadata.requires_python.clone()),
        results: found.results,
        assumptions: found.assumptions.list(),
        findings,
        packages: packages(&contents),
        modules: found.modules.into_values().collect(),
        binaries: found.seen.nodes(&contents, &found.roles),
        sizes: Sizes {
            packed: contents.wheel.archive.file_size(),
            unpacked: contents.wheel.archive.members().iter().map(|member| member.size).sum(),
        },
        largest: facts::largest(&contents, 8),
        policies: platforms.iter().map(|platform| policy::reached(&contents, platform)).collect(),
    })
}

/// What is gathered over all platforms.
struct Found {
    results: Vec<PlatformResult>,
    assumptions: Assumptions,
    findings: Vec<Finding>,
    modules: BTreeMap<(String, String), Module>,
    roles: BTreeMap<Utf8PathBuf, Role>,
    seen: Seen,
    worst: Verdict,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            results: Vec::new(),
            assumptions: Assumptions::default(),
            findings: Vec::new(),
            modules: BTreeMap::new(),
            roles: BTreeMap::new(),
            seen: Seen::default(),
            worst: Verdict::Proven,
        }
    }
}

/// What one process showed.
struct Shown {
    troubles: Vec<Trouble>,
    assumptions: Assumptions,
    seen: Seen,
    brought: Vec<Utf8PathBuf>,
}

/// All processes of one platform.
fn of_platform(
    contents: &Contents,
    platform: &Platform,
    pythons: &Pythons,
    neighbours: &Neighbours,
    options: &ProofOptions,
    found: &mut Found,
) -> Troubles {
    let show = |root: &Root<'_>| -> Shown {
        let pythons = Pythons { list: root.pythons.clone(), ..pythons.clone() };
        let providers = outside::providers(platform, &pythons, neighbours);
        let loader = process::loader(contents, platform, options, root);
        let process = process::run(contents, &loader, &*providers, root);
        let bench = Bench { contents, platform, pythons: &pythons };
        let mut shown = Shown {
            troubles: Vec::new(),
            assumptions: Assumptions::default(),
            seen: Seen::default(),
            brought: process::brought(&process.closure).collect(),
        };
        bench.judge(root, &process, &loader, &mut shown.troubles, &mut shown.assumptions);
        for (folder, source) in process::added_folders(contents, platform, root) {
            let used = shown.brought.iter().any(|path| path.parent() == Some(&folder));
            if used && !source.runs_before(root.binary.path.as_str()) && root.role.refutes() {
                shown.assumptions.note(folder.as_str(), &format!("`{}` adds this folder before", source.path));
            }
        }
        shown.seen.add(contents, &process);
        shown
    };
    let mut troubles = Troubles::default();
    let mut assumptions = Assumptions::default();
    let mut covered: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    let mut take = |roots: &[Root<'_>], shown: Vec<Shown>, covered: &mut BTreeSet<Utf8PathBuf>, found: &mut Found| {
        for (root, mut shown) in roots.iter().zip(shown) {
            let role = expected(contents, root, &mut shown);
            for trouble in shown.troubles {
                troubles.add(&role, trouble);
            }
            if role.refutes() || role == Role::Optional {
                assumptions.extend(shown.assumptions);
            }
            found.seen.extend(shown.seen);
            found.roles.entry(root.binary.path.clone()).or_insert_with(|| root.role.clone());
            covered.extend(shown.brought);
            if let Role::Module(name) = &root.role {
                let key = (name.clone(), root.binary.member.clone());
                let module = found.modules.entry(key).or_insert_with(|| Module {
                    name: name.clone(),
                    member: root.binary.member.clone(),
                    platforms: Vec::new(),
                });
                module.platforms.push(platform.tag.clone());
            }
        }
    };
    let modules = process::modules(contents, platform, pythons);
    let shown: Vec<Shown> = modules.par_iter().map(show).collect();
    take(&modules, shown, &mut covered, found);
    // First what nobody needs, then what is still not covered.
    for _ in 0..2 {
        let mut rest = process::leftovers(contents, platform, pythons, &covered, !modules.is_empty());
        let first: Vec<Root<'_>> = rest.extract_if(.., |root| root.role != Role::Unknown).collect();
        let batch = if first.is_empty() { rest } else { first };
        let shown: Vec<Shown> = batch.par_iter().map(show).collect();
        take(&batch, shown, &mut covered, found);
    }
    let refuted = troubles.refuted(&pythons.list);
    let (bad, good): (Vec<_>, Vec<_>) = pythons.list.iter().copied().partition(|python| refuted.contains(python));
    let fine = if assumptions.is_empty() { Verdict::Proven } else { Verdict::Assumed };
    let result = |pythons: &[capi::Python], verdict, why| PlatformResult {
        platform: platform.tag.clone(),
        pythons: spoken(pythons),
        verdict,
        why,
    };
    if pythons.list.is_empty() {
        let (verdict, why) =
            if troubles.any_refutes() { (Verdict::Refuted, troubles.why(None)) } else { (fine, Vec::new()) };
        found.results.push(result(&[], verdict, why));
    }
    if !good.is_empty() {
        found.results.push(result(&good, fine, Vec::new()));
    }
    if !bad.is_empty() {
        found.results.push(result(&bad, Verdict::Refuted, troubles.why(bad.first().copied())));
    }
    found.assumptions.extend(assumptions);
    troubles
}

/// A module that lacks nothing but libraries which were left out, and whose every import stands inside a `try`, is one that
/// the package does without.
fn expected(contents: &Contents, root: &Root<'_>, shown: &mut Shown) -> Role {
    let Role::Module(name) = &root.role else { return root.role.clone() };
    let mut refuting = shown.troubles.iter().filter(|trouble| trouble.only.is_none()).peekable();
    if refuting.peek().is_none() || !refuting.all(optional::is_left_out) {
        return root.role.clone();
    }
    let Some(guard) = optional::guarded_by(contents, name) else { return root.role.clone() };
    shown.assumptions = Assumptions::default();
    let why = format!("it does not import, and `{guard}` imports it inside `try` alone: the package does without");
    shown.assumptions.note(name, &why);
    Role::Optional
}

fn spoken(pythons: &[capi::Python]) -> Vec<String> {
    pythons.iter().map(|python| tag(*python)).collect()
}

/// Folders without code of their own, such as those of grafted libraries, are no packages.
fn packages(contents: &Contents) -> Vec<String> {
    let Ok(info) = &contents.wheel.dist_info else { return Vec::new() };
    let packages = wheel::packages(&contents.wheel.archive, info).into_iter();
    packages.filter(|package| package.kind != wheel::PackageKind::Namespace).map(|package| package.name).collect()
}

fn neighbours(contents: &Contents) -> Neighbours {
    let required = contents.wheel.metadata.iter().flat_map(|metadata| &metadata.requires_dist);
    let required = required.filter(|requirement| !requirement.extra_only).map(|requirement| requirement.name.clone());
    let roots = contents.wheel.archive.members().iter().filter_map(|member| member.name.split('/').next());
    let paths = contents.images().flat_map(|(binary, image)| {
        let folder = binary.path.parent().unwrap_or(Utf8Path::new("")).to_owned();
        let own = image.rpaths.iter().flat_map(|rpath| rpath.path.split(':').map(str::to_owned));
        let written = image.needed.iter().filter(|need| need.name.starts_with("@loader_path"));
        let written = written.map(|need| need.name.to_string());
        own.chain(written).map(move |path| (folder.clone(), path)).collect::<Vec<_>>()
    });
    Neighbours::new(required.collect(), roots.map(str::to_owned).collect(), paths, &contents.sources)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_pages_are_whole() {
        assert_eq!(diagnostics::Registry::new([super::RULES, crate::RULES]).faults(), []);
    }
}

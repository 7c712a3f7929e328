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
mod modules;
mod node;
mod optional;
mod options;
mod outside;
mod policy;
mod process;
pub mod rules;
mod run;
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
use camino::{Utf8Path, Utf8PathBuf};
use contents::Contents;
use diagnostics::{Finding, Rule, Subject};
use outside::Neighbours;
use run::{Found, of_platform};
use serde::Serialize;
use std::fmt;

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
    let mut contents = Contents::read(path, options.shown.as_deref(), &options.stop)?;
    if let Some(open) = host::on_demand(options) {
        contents.tree.on_demand(open);
    }
    let contents = contents;
    let (platforms, unknown) = aim::platforms(&contents);
    let pythons = aim::pythons(&contents, &options.pythons);
    let neighbours = neighbours(&contents).without(&options.excluded);
    let mut found = Found::default();
    for platform in &platforms {
        // Where no Python that was asked for takes the wheel there is no process to follow.
        if pythons.refused.is_empty() || !pythons.list.is_empty() {
            let outcome = of_platform(&contents, platform, &pythons, &neighbours, options, &mut found)?;
            let several = platforms.len() > 1;
            found.findings.extend(outcome.findings(&contents.shown, several.then_some(platform)));
        }
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
    options.stop.check()?;
    found.findings.extend(not_taken(&contents, &pythons, &platforms, &mut found.results));
    let unreadable = unopened::findings(&contents, &platforms, &pythons);
    let uninstallable = facts::uninstallable(&contents);
    if !unreadable.is_empty() || !uninstallable.is_empty() {
        let why = unreadable.iter().map(|finding| finding.message.clone()).chain(uninstallable);
        let why: Vec<String> = why.collect();
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

/// Pythons that were asked for and that no tag takes: refuted, for no installer puts the wheel there.
fn not_taken(
    contents: &Contents,
    pythons: &Pythons,
    platforms: &[Platform],
    results: &mut Vec<PlatformResult>,
) -> Option<Finding> {
    let asked = crate::python::spoken(&pythons.refused);
    let tags = contents.tags.as_ref().filter(|_| !pythons.refused.is_empty())?;
    let message = format!("the tags `{tags}` are not for Python {asked}, so that no installer puts the wheel there");
    let any = ["any".to_owned()];
    let platforms: Vec<String> = platforms.iter().map(|platform| platform.tag.clone()).collect();
    let platforms = if platforms.is_empty() { any.as_slice() } else { platforms.as_slice() };
    results.extend(platforms.iter().map(|platform| PlatformResult {
        platform: platform.clone(),
        pythons: spoken(&pythons.refused),
        verdict: Verdict::Refuted,
        why: vec![message.clone()],
    }));
    let finding = Finding::new(&rules::PYTHON_NOT_IN_TAGS, Subject::file(contents.shown.clone()), message);
    Some(finding.help("name another wheel, or other Pythons with `--python`"))
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

//! All processes of one platform: run side by side, judged, put together to one result for each Python.

use super::aim::{Platform, Pythons};
use super::assumption::Assumptions;
use super::contents::Contents;
use super::judge::Bench;
use super::node::Seen;
use super::options::ProofOptions;
use super::outside::{self, Neighbours};
use super::process::{self, Role, Root, Turn};
use super::trouble::{Trouble, Troubles};
use super::{Module, PlatformResult, Verdict, modules, optional, spoken};
use crate::open::OpenError;
use camino::Utf8PathBuf;
use diagnostics::Finding;
use linkage::{Closure, Image, MemberId};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What is gathered over all platforms.
pub(super) struct Found {
    pub(super) results: Vec<PlatformResult>,
    pub(super) assumptions: Assumptions,
    pub(super) findings: Vec<Finding>,
    pub(super) modules: BTreeMap<(String, String), Module>,
    pub(super) roles: BTreeMap<Utf8PathBuf, Role>,
    pub(super) seen: Seen,
    pub(super) worst: Verdict,
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
#[derive(Default)]
struct Shown {
    troubles: Vec<Trouble>,
    assumptions: Assumptions,
    seen: Seen,
    brought: Vec<Utf8PathBuf>,
}

/// All processes of one platform.
pub(super) fn of_platform(
    contents: &Contents,
    platform: &Platform,
    pythons: &Pythons,
    neighbours: &Neighbours,
    options: &ProofOptions,
    found: &mut Found,
) -> Result<Troubles, OpenError> {
    let claims = Claims::default();
    let show = |(order, root): (usize, &Root<'_>)| -> Shown {
        if options.stop.is_due() {
            return Shown::default();
        }
        let pythons = Pythons { list: root.pythons.clone(), ..pythons.clone() };
        let providers = outside::providers(platform, &pythons, neighbours);
        let loader = process::loader(contents, platform, options, root);
        let process = process::run(contents, &loader, &*providers, root);
        let bench = Bench { contents, platform, pythons: &pythons };
        let claimed = claims.of(&process.closure, order);
        let mut shown = Shown { brought: process::brought(&process.closure, &claimed), ..Shown::default() };
        bench.judge(root, &process, &loader, &mut shown.troubles, &mut shown.assumptions);
        for (folder, source) in process::added_folders(contents, platform, root) {
            let used = process.closure.images().any(|(_, image)| image.path.parent() == Some(&folder));
            if used && !source.runs_before(root.binary.path.as_str()) && root.role.refutes() {
                shown.assumptions.note(folder.as_str(), &format!("`{}` adds this folder before", source.path));
            }
        }
        shown.seen.add(contents, &process, &claimed);
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
    let modules = modules::roots(contents, platform, pythons);
    let shown: Vec<Shown> = modules.par_iter().enumerate().map(|(at, root)| show((at, root))).collect();
    options.stop.check()?;
    take(&modules, shown, &mut covered, found);
    let mut before = modules.len();
    // First what somebody opens, then what nobody needs, then what is still not covered: each brings most of the next.
    for turn in [Turn::Opened, Turn::Heads, Turn::Rest] {
        let batch = process::leftovers(contents, platform, pythons, &covered, !modules.is_empty(), turn);
        let shown: Vec<Shown> = batch.par_iter().enumerate().map(|(at, root)| show((before + at, root))).collect();
        options.stop.check()?;
        before += batch.len();
        take(&batch, shown, &mut covered, found);
    }
    modules::judge(contents, platform, pythons, &modules, &mut troubles, &mut assumptions);
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
    Ok(troubles)
}

/// Which process shows an image: of all that bring it the first, in the order of the roots, whatever order they run in.
#[derive(Default)]
struct Claims(Mutex<HashMap<usize, usize>>);

impl Claims {
    /// Those of a process that no earlier one shows.
    fn of(&self, closure: &Closure, order: usize) -> HashSet<MemberId> {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_first = |image: &Arc<Image>| {
            let claim = first.entry(Arc::as_ptr(image).addr()).or_insert(order);
            *claim = order.min(*claim);
            *claim == order
        };
        closure.images().filter(|(_, image)| is_first(image)).map(|(id, _)| id).collect()
    }
}

/// A module that lacks nothing but libraries which were left out, and whose every import stands inside a `try`, is one that
/// the package does without.
fn expected(contents: &Contents, root: &Root<'_>, shown: &mut Shown) -> Role {
    let Role::Module(name) = &root.role else { return root.role.clone() };
    let mut refuting = shown.troubles.iter().filter(|trouble| trouble.only.is_none()).peekable();
    if refuting.peek().is_none() || !refuting.all(optional::is_left_out) {
        return root.role.clone();
    }
    let Some(guard) = contents.mentions().guard(name) else { return root.role.clone() };
    shown.assumptions = Assumptions::default();
    let why = format!("it does not import, and `{guard}` imports it inside `try` alone: the package does without");
    shown.assumptions.note(name, &why);
    Role::Optional
}

//! Post-conditions of a repair, read back from the wheel that the tool made: the same for every tool.

mod changes;
mod grafts;
mod libllvm;
mod needs;
mod record;
mod tags;

use crate::binary::{Binary, Inflated, Snapshot};
use crate::error::RepairError;
use crate::place::is_moved_program;
use crate::request::Request;
use diagnostics::{Finding, Severity};
pub use needs::Assumed;
use objfile::Format;
use platform::WheelName;
use platform::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};
pub(crate) use tags::{libc, needs, policy_of};
use wheel::Member;

/// A library in the wheel that the build did not put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grafted {
    /// Its path in the wheel.
    pub name: String,
    /// Its unpacked size.
    pub bytes: u64,
}

/// What was read back from a repaired wheel.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Libraries that were not in the wheel before, biggest first.
    pub(crate) grafted: Vec<Grafted>,
    /// What was left out on purpose and is still needed.
    pub(crate) assumed: Vec<Assumed>,
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
    /// Why the wheel does not meet the next more widely usable policy.
    pub(crate) why_not_wider: Vec<String>,
}

impl Facts {
    /// Whether nothing stands against shipping it.
    pub(crate) fn hold(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }
}

/// What all checks look at.
struct Context<'a> {
    request: &'a Request,
    /// The file's name, for messages.
    name: &'a str,
    parsed: WheelName,
    before: &'a Snapshot,
    after: &'a Snapshot,
    /// The files after the repair, by where they are installed.
    files: BTreeMap<String, &'a Member>,
    /// The same, names alone.
    places: BTreeSet<String>,
    /// The files before the repair, by where they are installed.
    known: BTreeMap<String, &'a Member>,
    /// By the index of a binary: who needs it directly.
    requirers: Vec<Vec<usize>>,
    /// The lowest CPython 3 that the wheel is for.
    python_minor: Option<u8>,
}

impl<'a> Context<'a> {
    fn new(request: &'a Request, name: &'a str, parsed: WheelName, before: &'a Snapshot, after: &'a Snapshot) -> Self {
        let files = after.files();
        let places = files.keys().cloned().collect();
        let known = before.files();
        let python_minor = lowest_minor(&parsed);
        let mut context =
            Self { request, name, parsed, before, after, files, places, known, requirers: Vec::new(), python_minor };
        context.requirers = context.graph();
        context
    }

    /// Who needs whom, by index.
    fn graph(&self) -> Vec<Vec<usize>> {
        let binaries = &self.after.binaries;
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, binary) in binaries.iter().enumerate() {
            let names: BTreeSet<String> =
                [Some(binary.file_name()), binary.identity.as_deref().map(crate::binary::file_name)]
                    .into_iter()
                    .flatten()
                    .map(str::to_ascii_lowercase)
                    .collect();
            for name in names {
                by_name.entry(name).or_default().push(index);
            }
        }
        let mut requirers = vec![Vec::new(); binaries.len()];
        for (index, binary) in binaries.iter().enumerate() {
            for needed in &binary.needed {
                let name = crate::binary::file_name(&needed.name).to_ascii_lowercase();
                for provider in by_name.get(&name).into_iter().flatten().copied() {
                    if provider != index && binaries[provider].architecture == binary.architecture {
                        requirers[provider].push(index);
                    }
                }
            }
        }
        requirers
    }

    /// A binary and everyone in the wheel whose loading brings it in.
    fn loaders(&self, binary: &Binary) -> Vec<&'a Binary> {
        let binaries = &self.after.binaries;
        let Some(start) = binaries.iter().position(|other| std::ptr::eq(other, binary)) else { return Vec::new() };
        let mut seen = BTreeSet::from([start]);
        let mut queue = vec![start];
        while let Some(index) = queue.pop() {
            for requirer in self.requirers.get(index).into_iter().flatten() {
                if seen.insert(*requirer) {
                    queue.push(*requirer);
                }
            }
        }
        seen.into_iter().filter_map(|index| binaries.get(index)).collect()
    }

    /// The wheel's other binaries for the same processor.
    fn others<'b>(&self, binary: &'b Binary) -> impl Iterator<Item = &'a Binary> + use<'a, 'b> {
        let same = |other: &&Binary| other.architecture == binary.architecture && other.member != binary.member;
        self.after.binaries.iter().filter(same)
    }

    /// The policies that the tags name.
    fn policies(&self) -> impl Iterator<Item = &'static Policy> {
        self.parsed.tags.platforms().filter_map(|tag| policy_of(&tag.to_string(), &self.request.target))
    }

    /// Whether the tool put the library there.
    fn grafted(&self, binary: &Binary) -> bool {
        !self.known.contains_key(&binary.place) && self.moved_from(binary).is_none()
    }

    /// The program that this one was, where the tool moved it and put a script in its place.
    fn moved_from(&self, binary: &Binary) -> Option<&'a Binary> {
        if !is_moved_program(&binary.place) || self.known.contains_key(&binary.place) {
            return None;
        }
        let place = format!("../bin/{}", binary.file_name());
        let is_it = |old: &&Binary| old.place == place && old.architecture == binary.architecture;
        self.before.binaries.iter().find(is_it)
    }

    /// Whether what is installed at this place is new or has changed.
    fn touched(&self, place: &str) -> bool {
        match (self.known.get(place), self.files.get(place)) {
            (Some(before), Some(now)) => !self.before.has_same(before, self.after, now),
            _ => true,
        }
    }

    fn has_pe(&self) -> bool {
        self.after.binaries.iter().any(|binary| binary.format == Format::Pe)
    }
}

/// The lowest CPython 3 that may load the wheel's extensions: `cp39-abi3` and `cp313-cp313` say it, `py3-none` does not.
fn lowest_minor(name: &WheelName) -> Option<u8> {
    name.tags
        .pythons()
        .filter(|python| python.implementation() == "cp")
        .filter_map(|python| match python.version() {
            Some((3, minor)) => minor,
            _ => None,
        })
        .min()
}

/// What a repair would have to do. RECORD is held against the files' digests only where nothing else stands against the
/// wheel: every repair makes it anew.
///
/// # Errors
/// The file's name is no wheel's.
pub(crate) fn facts_of_given(
    request: &Request,
    name: &str,
    given: &mut Snapshot,
    inflated: &Inflated,
) -> Result<Facts, RepairError> {
    let mut facts = Facts::default();
    structure(&context(request, name, given, given)?, &mut facts);
    // A pure wheel goes to no tool either.
    if facts.hold() || given.binaries.is_empty() {
        given.hash_the_rest(inflated);
        record::check(&context(request, name, given, given)?, &mut facts);
    }
    Ok(facts)
}

/// Reads a wheel back. `before` is the one that the build made, `after` what became of it.
///
/// # Errors
/// The file's name is no wheel's.
pub(crate) fn facts(request: &Request, name: &str, before: &Snapshot, after: &Snapshot) -> Result<Facts, RepairError> {
    let context = context(request, name, before, after)?;
    let mut facts = Facts::default();
    structure(&context, &mut facts);
    record::check(&context, &mut facts);
    changes::check(&context, &mut facts);
    Ok(facts)
}

fn context<'a>(
    request: &'a Request,
    name: &'a str,
    before: &'a Snapshot,
    after: &'a Snapshot,
) -> Result<Context<'a>, RepairError> {
    let parsed: WheelName = name.parse().map_err(|error: platform::WheelNameError| RepairError::BadWheel {
        wheel: name.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Context::new(request, name, parsed, before, after))
}

/// What the binaries and the tags say, without the digests.
fn structure(context: &Context<'_>, facts: &mut Facts) {
    let mut grafted: BTreeMap<&str, u64> = BTreeMap::new();
    for binary in context.after.binaries.iter().filter(|binary| context.grafted(binary)) {
        grafted.insert(&binary.member, binary.size);
    }
    facts.grafted = grafted.into_iter().map(|(name, bytes)| Grafted { name: name.to_owned(), bytes }).collect();
    facts.grafted.sort_by_key(|grafted| std::cmp::Reverse(grafted.bytes));
    tags::check(context, facts);
    needs::check(context, facts);
    libllvm::check(context, facts);
    grafts::check(context, facts);
}

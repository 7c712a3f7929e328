//! What is wrong with processes, gathered over all of them: one finding for each thing, however many imports it ends.

use super::aim::Platform;
use super::process::Role;
use crate::python::spoken;
use capi::Python;
use diagnostics::{Finding, Rule, Severity, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) rule: &'static Rule,
    /// The member it is about, as the archive spells it, or a path outside; empty for the wheel as a whole.
    pub(super) member: String,
    /// The symbol or library.
    pub(super) symbol: Option<String>,
    /// What is wrong, without a full stop.
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) notes: Vec<String>,
    /// Less than the import or a call depends on it.
    pub(super) only: Option<Severity>,
    /// The Pythons it is about, where not all.
    pub(super) pythons: Option<Vec<Python>>,
}

/// What makes two troubles the same: rule, member, symbol, message.
type Key = (&'static str, String, Option<String>, String);

/// A trouble and whom it troubles.
#[derive(Debug)]
struct Entry {
    trouble: Trouble,
    /// The modules whose import it ends; an empty name for what is no module.
    roots: BTreeSet<String>,
    /// One of them is needed.
    refutes: bool,
}

/// The same for all processes of a platform.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    found: BTreeMap<Key, Entry>,
    /// In the order in which they came up.
    order: Vec<Key>,
}

impl Troubles {
    /// Adds what is wrong with the process of `role`.
    pub(super) fn add(&mut self, role: &Role, trouble: Trouble) {
        let key = (trouble.rule.code, trouble.member.clone(), trouble.symbol.clone(), trouble.message.clone());
        let refutes = role.refutes() && trouble.only.is_none();
        let entry = self.found.entry(key.clone()).or_insert_with(|| {
            self.order.push(key);
            Entry { trouble: trouble.clone(), roots: BTreeSet::new(), refutes: false }
        });
        entry.refutes |= refutes;
        entry.roots.insert(match role {
            Role::Module(name) => name.clone(),
            Role::Optional | Role::Opened(_) | Role::Program | Role::Unknown => String::new(),
        });
        if let (Some(known), Some(more)) = (&mut entry.trouble.pythons, trouble.pythons) {
            known.extend(more);
            known.sort();
            known.dedup();
        }
    }

    /// The Pythons for which something refutes the wheel.
    pub(super) fn refuted<'a>(&'a self, all: &'a [Python]) -> BTreeSet<Python> {
        let refuting = self.found.values().filter(|entry| entry.refutes);
        refuting.flat_map(|entry| entry.trouble.pythons.as_deref().unwrap_or(all).iter().copied()).collect()
    }

    /// Whether anything refutes the wheel.
    pub(super) fn any_refutes(&self) -> bool {
        self.found.values().any(|entry| entry.refutes)
    }

    /// What refutes, in short, for the table of results.
    pub(super) fn why(&self, python: Option<Python>) -> Vec<String> {
        let fits = |trouble: &Trouble| match (&trouble.pythons, python) {
            (Some(pythons), Some(python)) => pythons.contains(&python),
            _ => true,
        };
        let refuting = self.order.iter().filter_map(|key| self.found.get(key)).filter(|entry| entry.refutes);
        refuting.filter(|entry| fits(&entry.trouble)).map(|entry| entry.trouble.message.clone()).collect()
    }

    /// As findings, in the order in which they came up.
    pub(super) fn findings(mut self, file: &camino::Utf8Path, platform: Option<&Platform>) -> Vec<Finding> {
        /// More of one rule in one member nobody reads.
        const EACH: usize = 20;
        let mut counts: BTreeMap<(&'static str, String, bool), usize> = BTreeMap::new();
        let mut findings = Vec::new();
        let mut more: BTreeMap<(&'static str, String, bool), (Finding, usize)> = BTreeMap::new();
        for key in &self.order {
            let Some(Entry { trouble, roots, refutes }) = self.found.remove(key) else { continue };
            let slot = (trouble.rule.code, trouble.member.clone(), refutes);
            let count = counts.entry(slot.clone()).or_default();
            *count += 1;
            let above = *count > EACH;
            let finding = finding(trouble, &roots, refutes, file, platform);
            if above {
                more.entry(slot).or_insert((finding, 0)).1 += 1;
            } else {
                findings.push(finding);
            }
        }
        for (finding, count) in more.into_values() {
            let subject = Subject { symbol: None, ..finding.subject };
            let message = format!("{count} more of this kind");
            findings.push(Finding::new(finding.rule, subject, message).severity(finding.severity));
        }
        findings
    }
}

fn finding(
    trouble: Trouble,
    roots: &BTreeSet<String>,
    refutes: bool,
    file: &camino::Utf8Path,
    platform: Option<&Platform>,
) -> Finding {
    let Trouble { rule, member, symbol, mut message, help, notes, only, pythons } = trouble;
    if let Some(platform) = platform {
        message = format!("{message} ({})", platform.tag);
    }
    let severity = match only {
        Some(severity) => severity,
        None if refutes => Severity::Error,
        // Nobody is known to open it.
        None => Severity::Warning,
    };
    let subject =
        Subject { file: Some(file.to_owned()), member: Some(member).filter(|member| !member.is_empty()), symbol };
    let mut finding = Finding::new(rule, subject, message).severity(severity);
    finding.help = help;
    let names: Vec<&str> = roots.iter().map(String::as_str).filter(|root| !root.is_empty()).collect();
    if only.is_none() {
        finding = match names.as_slice() {
            [] if refutes => finding.note("the package's own code opens this library"),
            [] => finding.note("the package does without, as far as is known: the verdict does not depend on it"),
            [one] => finding.note(format!("it ends the import of `{one}`")),
            [first, second] => finding.note(format!("it ends the import of `{first}` and `{second}`")),
            [first, rest @ ..] => {
                finding.note(format!("it ends the import of `{first}` and {} other modules", rest.len()))
            }
        };
    }
    if let Some(pythons) = pythons.filter(|pythons| !pythons.is_empty()) {
        finding = finding.note(format!("in Python {}", spoken(&pythons)));
    }
    notes.into_iter().fold(finding, Finding::note)
}

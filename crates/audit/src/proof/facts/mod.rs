//! A wheel as a package: RECORD, tags, names, layout, size. These findings never change the proof's verdict.

mod layout;
pub mod rules;
mod tags;
mod texts;
mod windows_names;

use super::aim::{Platform, Pythons};
use super::contents::Contents;
use super::process::Role;
use super::sizes::{Sizes, spoken};
use camino::Utf8PathBuf;
use diagnostics::{Finding, Severity, Subject};
use std::collections::BTreeMap;

/// PyPI's limit for a file, unless it grants a project more.
const USUAL_BUDGET: u64 = 100_000_000;

/// All of them.
pub(super) fn findings(
    contents: &Contents,
    platforms: &[Platform],
    pythons: &Pythons,
    roles: &BTreeMap<Utf8PathBuf, Role>,
    budget: Option<u64>,
) -> Vec<Finding> {
    let mut findings = texts::findings(contents);
    findings.extend(tags::findings(contents, platforms, pythons, roles));
    findings.extend(layout::findings(contents));
    findings.extend(windows_names::findings(contents));
    findings.extend(size(contents, budget));
    findings
}

/// What keeps every installer from installing the wheel at all: then nothing of it can be imported.
pub(super) fn uninstallable(contents: &Contents) -> Vec<String> {
    let wheel = &contents.wheel;
    match &wheel.dist_info {
        Err(error) => vec![error.to_string()],
        Ok(_) => {
            let missing = wheel.problems.iter().filter(|problem| problem.kind == wheel::TextProblemKind::Missing);
            missing.map(|problem| format!("no installer takes the wheel: {problem}")).collect()
        }
    }
}

/// The largest members by what they take in the archive.
pub(super) fn largest(contents: &Contents, count: usize) -> Vec<(String, Sizes)> {
    let mut members: Vec<_> = contents.wheel.archive.members().iter().filter(|member| !member.is_dir).collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.compressed_size));
    let sizes = |member: &wheel::Member| Sizes { packed: member.compressed_size, unpacked: member.size };
    members.into_iter().take(count).map(|member| (member.name.clone(), sizes(member))).collect()
}

fn size(contents: &Contents, budget: Option<u64>) -> Option<Finding> {
    let size = contents.wheel.archive.file_size();
    let most = budget.unwrap_or(USUAL_BUDGET);
    if size <= most {
        return None;
    }
    let biggest: Vec<String> =
        largest(contents, 3).iter().map(|(name, sizes)| format!("`{name}` ({})", spoken(sizes.packed))).collect();
    let message =
        format!("the wheel has {}, its budget is {}; most of it: {}", spoken(size), spoken(most), biggest.join(", "));
    let severity = if budget.is_some() { Severity::Error } else { Severity::Warning };
    Some(Finding::new(&rules::WHEEL_TOO_LARGE, Subject::file(contents.shown.clone()), message).severity(severity))
}

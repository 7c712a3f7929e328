//! What the tool touched must hold together: images, run paths, install names, signatures.

use super::{Context, Facts};
use crate::binary::Binary;
use crate::image::Signature;
use crate::rules;
use diagnostics::{Finding, Severity, Subject};
use objfile::{Architecture, Format, RpathKind};
use platform::policy::macos;
use std::collections::BTreeMap;

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    for binary in context.after.binaries.iter().filter(|binary| context.touched(&binary.member)) {
        let subject = || Subject::file(context.name).member(&binary.member);
        for fault in &binary.faults {
            facts.findings.push(Finding::new(fault.rule, subject(), format!("`{}` {}", binary.member, fault.what)));
        }
        match binary.format {
            Format::Elf => run_paths(context, binary, facts),
            Format::MachO => names_and_paths(context, binary, facts),
            Format::Pe | Format::Coff => {}
        }
    }
    for binary in &context.after.binaries {
        hides(context, binary, facts);
        // Not only what was touched: one page that does not fit its hash gets the process killed.
        let subject = Subject::file(context.name).member(&binary.member);
        let what = match (binary.signature, binary.architecture) {
            (Signature::Broken, _) => "has a signature that does not fit its pages",
            (Signature::Unsigned, Architecture::Aarch64) => "is not signed",
            _ => continue,
        };
        let message = format!("`{}` {what}", binary.member);
        facts.findings.push(Finding::new(&rules::SIGNATURE_BROKEN, subject, message));
    }
    for (member, reason) in &context.after.unreadable {
        if context.touched(member) {
            let message = format!("`{member}` cannot be read any more: {reason}");
            facts.findings.push(Finding::new(
                &rules::IMAGE_DAMAGED,
                Subject::file(context.name).member(member),
                message,
            ));
        }
    }
    twice(context, facts);
}

/// A RUNPATH counts for direct needs alone: one that leads to none of them hides the RPATH of the requirer.
fn hides(context: &Context<'_>, binary: &Binary, facts: &mut Facts) {
    if !binary.has_runpath() {
        return;
    }
    for needed in &binary.needed {
        let Some(provider) = context.others(binary).find(|other| other.answers_to(&needed.name)) else { continue };
        let reached = binary
            .paths(RpathKind::Runpath)
            .any(|path| super::needs::elf_leads_to(path, binary.folder(), provider.folder()));
        if !reached {
            let message = format!(
                "`{}` has the RUNPATH `{}`, which does not lead to `{}` that it needs",
                binary.member,
                binary.paths(RpathKind::Runpath).collect::<Vec<_>>().join(":"),
                provider.member
            );
            let subject = Subject::file(context.name).member(&binary.member).symbol(&needed.name);
            facts.findings.push(Finding::new(&rules::RUNPATH_HIDES_RPATH, subject, message));
        }
    }
}

/// Paths of the machine that built it have no place in what was grafted: whoever may write there decides what is loaded.
fn run_paths(context: &Context<'_>, binary: &Binary, facts: &mut Facts) {
    let outside = binary
        .rpaths
        .iter()
        .flat_map(|(path, _)| path.split(':'))
        .find(|path| !path.is_empty() && !path.starts_with("$ORIGIN") && !path.starts_with("${ORIGIN}"));
    if let Some(path) = outside {
        let message =
            format!("`{}` looks for libraries in `{path}`, a folder of the machine that built it", binary.member);
        let subject = Subject::file(context.name).member(&binary.member);
        facts.findings.push(Finding::new(&rules::PATH_LEADS_OUTSIDE, subject, message));
    }
}

fn names_and_paths(context: &Context<'_>, binary: &Binary, facts: &mut Facts) {
    let subject = || Subject::file(context.name).member(&binary.member);
    let outside = binary.rpaths.iter().map(|(path, _)| path.as_str()).find(|path| {
        !path.starts_with("@loader_path") && !path.starts_with("@executable_path") && !macos::is_system_library(path)
    });
    if let Some(path) = outside {
        let message =
            format!("`{}` looks for libraries in `{path}`, a folder of the machine that built it", binary.member);
        facts.findings.push(Finding::new(&rules::PATH_LEADS_OUTSIDE, subject(), message));
    }
    if !context.grafted(&binary.member) {
        return;
    }
    // dyld takes two images with one install name for the same: it has to be this wheel's alone.
    let Some(identity) = &binary.identity else { return };
    if !identity.starts_with("/DLC/") && !identity.starts_with('@') {
        let message =
            format!("`{}` calls itself `{identity}`, as it did on the machine that it was copied from", binary.member);
        facts.findings.push(Finding::new(&rules::INSTALL_NAME, subject(), message));
    }
}

/// The same library under two names is loaded twice.
fn twice(context: &Context<'_>, facts: &mut Facts) {
    let mut by_content: BTreeMap<(usize, u64, u64), Vec<&Binary>> = BTreeMap::new();
    for binary in context.after.binaries.iter().filter(|binary| context.grafted(&binary.member)) {
        by_content.entry((binary.exports.0, binary.exports.1, binary.size)).or_default().push(binary);
    }
    for same in by_content.into_values() {
        let [first, rest @ ..] = same.as_slice() else { continue };
        for other in rest.iter().filter(|other| other.member != first.member && alike(first, other)) {
            let message = format!("`{}` and `{}` are two copies of one library", first.member, other.member);
            let subject = Subject::file(context.name).member(&other.member);
            facts.findings.push(Finding::new(&rules::GRAFTED_TWICE, subject, message).severity(Severity::Warning));
        }
    }
}

/// Names that differ by nothing but a digest that the tool put in.
fn alike(one: &Binary, other: &Binary) -> bool {
    let stem = |binary: &Binary| binary.file_name().split(['-', '.']).next().unwrap_or_default().to_ascii_lowercase();
    stem(one) == stem(other)
}

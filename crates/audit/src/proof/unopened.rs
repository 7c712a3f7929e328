//! What the loader never opens, though somebody will ask it to: damaged files, files that only the name makes binaries, modules
//! for another machine.

use super::aim::{Platform, Pythons};
use super::contents::{self, Binary, Contents};
use super::{modules, process, rules};
use crate::importing::{Importers, NoBinary};
use diagnostics::{Finding, Severity, Subject};
use linkage::Image;
use std::collections::BTreeSet;
use std::sync::Arc;
use wheel::Harm;

/// What keeps the wheel from being installed or an extension from being opened at all: each refutes it.
pub(super) fn findings(contents: &Contents, platforms: &[Platform], pythons: &Pythons) -> Vec<Finding> {
    let mut findings = unreadable(contents);
    findings.extend(strangers(contents, platforms, pythons));
    findings
}

/// Modules for a machine that no tag stands for: the loader of every tag passes them over.
fn strangers(contents: &Contents, platforms: &[Platform], pythons: &Pythons) -> Vec<Finding> {
    let any =
        contents.tags.iter().flat_map(platform::TagSet::platforms).any(|tag| matches!(tag, platform::PlatformTag::Any));
    if any || platforms.is_empty() {
        return Vec::new();
    }
    let is_stranger = |binary: &&Binary| {
        let taken = |image: &Arc<Image>| platforms.iter().any(|platform| platform.takes(image));
        // The function that `import` calls, or else the name alone where no code opens the file as a library.
        let module = |platform: &Platform| {
            binary.images.iter().any(|image| modules::is_module(&binary.path, image, platform))
                || (modules::is_looked_for(&binary.path, platform, pythons) && contents.opener(&binary.path).is_none())
        };
        !binary.images.iter().any(taken) && platforms.iter().any(module)
    };
    let finding = |binary: &Binary| {
        let kinds: BTreeSet<String> =
            binary.images.iter().map(|image| format!("{} {}", image.format, image.architecture)).collect();
        let kinds: Vec<String> = kinds.into_iter().collect();
        let message = format!("the module is {}, which the loader of no tag of the wheel takes", kinds.join(" and "));
        let subject = Subject::file(contents.shown.clone()).member(&binary.member);
        Finding::new(&rules::LOADER_REFUSES, subject, message)
            .help("build it for the processor and system of the wheel's tags")
    };
    contents.binaries.iter().filter(is_stranger).map(finding).collect()
}

/// What keeps the wheel from being installed or an extension from being opened at all.
fn unreadable(contents: &Contents) -> Vec<Finding> {
    let file = || Subject::file(contents.shown.clone());
    let mut findings = Vec::new();
    for member in contents.wheel.archive.members().iter().filter(|member| !member.is_dir) {
        if let Some(Err(error)) = contents.hashes.get(member) {
            let message = error.kind.to_string().trim_end_matches('.').to_owned();
            findings.push(Finding::new(&crate::rules::UNREADABLE_MEMBER, file().member(&member.name), message));
        }
    }
    for problem in contents.wheel.archive.problems() {
        let whole = problem.member.is_none();
        if whole && problem.kind.harm() == Harm::Unreadable {
            findings.push(Finding::new(&crate::rules::UNREADABLE_MEMBER, file(), problem.to_string()));
        }
    }
    for (member, what) in pretenders(contents) {
        let finding = Finding::new(&crate::rules::UNREADABLE_BINARY, file().member(member), what.what())
            .help("`import` opens it by its name, and the loader refuses it: build the extension again");
        findings.push(finding);
    }
    for (member, error) in &contents.broken {
        let message = error.to_string().trim_end_matches('.').to_owned();
        let finding = Finding::new(&crate::rules::UNREADABLE_BINARY, file().member(member), message);
        findings.push(finding.severity(Severity::Error));
    }
    findings
}

/// What `import` opens by its name and no loader takes.
fn pretenders(contents: &Contents) -> Vec<(&str, NoBinary)> {
    let never_linked = |binary: &&Binary| !binary.images.iter().any(|image| process::is_opened(image.kind));
    let objects = contents.binaries.iter().filter(never_linked);
    let objects = objects.map(|binary| (binary.member.as_str(), NoBinary::ForLinkers));
    let called = contents.pretenders.iter().map(|(member, what)| (member.as_str(), *what)).chain(objects);
    let called: Vec<(&str, NoBinary)> = called.collect();
    if called.is_empty() {
        return called;
    }
    let importers = Importers::of(contents.tags.as_ref());
    let layout = contents.wheel.dist_info.as_ref().ok();
    let place = |member: &str| contents::installed(layout.map(|info| info.place(member)), member);
    let members = contents.wheel.archive.members().iter().map(|member| place(&member.name));
    let packages: BTreeSet<String> =
        members.filter_map(|place| place.strip_suffix("/__init__.py").map(str::to_owned)).collect();
    let opens = |member: &str, what: NoBinary| {
        let place = place(member);
        // A suffix that names no Python says little: such a script lies beside the library that it leads to.
        let script = what == NoBinary::LinkerScript && place.matches('.').count() < 2;
        !script && importers.open(&place, |folder| packages.contains(folder))
    };
    called.into_iter().filter(|(member, what)| opens(member, *what)).collect()
}

//! The platform tag as a promise: is it kept by every binary?

use super::rules;
use crate::proof::aim::{Platform, Pythons, System};
use crate::proof::contents::Contents;
use crate::proof::modules;
use crate::proof::policy::{minimum, needs};
use crate::proof::process::Role;
use camino::Utf8PathBuf;
use diagnostics::{Finding, Severity, Subject};
use objfile::ObjectKind;
use platform::policy::macos::satisfies;
use platform::policy::{Need, why_not};
use platform::{Arch, PlatformTag};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn findings(
    contents: &Contents,
    platforms: &[Platform],
    pythons: &Pythons,
    roles: &BTreeMap<Utf8PathBuf, Role>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(tags) = &contents.tags else { return findings };
    if !tags.is_publishable() {
        let linux: Vec<String> = tags
            .platforms()
            .filter(|tag| matches!(tag, PlatformTag::Linux { .. }))
            .map(|tag| format!("`{tag}`"))
            .collect();
        let message = format!("{} promises nothing about other machines", linux.join(", "));
        findings.push(Finding::new(&rules::TAG_NOT_PUBLISHABLE, Subject::file(contents.shown.clone()), message));
    }
    for platform in platforms {
        match platform.system {
            System::Linux { policy, promised: true, .. } => {
                for refusal in why_not(policy, platform.arch, &needs(contents, platform)) {
                    // A library that is missing is the proof's; here only what the system's libraries lack.
                    if matches!(refusal.need, Need::Library(_)) {
                        continue;
                    }
                    let subject = match refusal.needed_by.as_slice() {
                        [one] => Subject::file(contents.shown.clone()).member(*one),
                        _ => Subject::file(contents.shown.clone()),
                    };
                    let mut finding =
                        Finding::new(&rules::TAG_TOO_WIDE, subject, format!("`{}`: {refusal}", platform.tag));
                    if let Some(policy) = refusal.met_from {
                        finding =
                            finding.help(format!("`{}` is the first that has it", policy.platform_tag(platform.arch)));
                    }
                    findings.push(finding);
                }
            }
            System::MacOs { oldest } => findings.extend(macos(contents, platform, oldest)),
            System::Linux { .. } | System::Windows => {}
        }
    }
    findings.extend(architectures(contents, platforms, pythons, roles));
    findings
}

fn macos(contents: &Contents, platform: &Platform, oldest: (u16, u16)) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (binary, image) in contents.images().filter(|(_, image)| platform.takes(image)) {
        let Some(minimum) = minimum(image) else { continue };
        // The first macOS on arm64 is 11: older numbers there mean nothing.
        let oldest = if platform.arch == Arch::Arm64 { oldest.max((11, 0)) } else { oldest };
        if minimum <= oldest {
            continue;
        }
        let ((major, minor), (promised, promised_minor)) = (minimum, oldest);
        let message = format!(
            "it is built for macOS {major}.{minor}, and `{}` promises {promised}.{promised_minor}",
            platform.tag
        );
        let subject = Subject::file(contents.shown.clone()).member(&binary.member);
        let finding = Finding::new(&rules::TAG_TOO_WIDE, subject, message);
        // Tags compare by the major version: what the minor one adds may be missing on a few machines.
        findings.push(if satisfies(oldest, minimum) { finding.severity(Severity::Warning) } else { finding });
    }
    findings
}

/// Binaries for other systems and processors than the tags', and modules that lack one of several.
fn architectures(
    contents: &Contents,
    platforms: &[Platform],
    pythons: &Pythons,
    roles: &BTreeMap<Utf8PathBuf, Role>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Executables and data for other systems are carried by tools on purpose; a tag `any` promises nothing.
    let universal =
        contents.tags.iter().flat_map(platform::TagSet::platforms).any(|tag| matches!(tag, PlatformTag::Any));
    if platforms.is_empty() || universal {
        return findings;
    }
    for binary in &contents.binaries {
        let is_library = binary.images.iter().any(|image| image.kind != ObjectKind::Executable);
        if !is_library {
            continue;
        }
        let subject = || Subject::file(contents.shown.clone()).member(&binary.member);
        let has = |platform: &&Platform| binary.images.iter().any(|image| platform.takes(image));
        let fitting: BTreeSet<&str> = platforms.iter().filter(has).map(|platform| platform.tag.as_str()).collect();
        let names: BTreeSet<String> =
            binary.images.iter().map(|image| format!("{} {}", image.format, image.architecture)).collect();
        let names: Vec<String> = names.into_iter().collect();
        if fitting.is_empty() {
            let looked_for = |platform: &Platform| modules::is_looked_for(&binary.path, platform, pythons);
            let importable = platforms.iter().any(looked_for);
            let severity = if importable { Severity::Error } else { Severity::Warning };
            let message = format!("it is {}, which no tag of the wheel stands for", names.join(" and "));
            findings.push(Finding::new(&rules::TAG_ARCHITECTURE, subject(), message).severity(severity));
        } else if matches!(roles.get(&binary.path), Some(Role::Module(_))) {
            let lacking: Vec<String> = platforms
                .iter()
                .filter(|platform| !has(platform))
                .filter(|platform| !has_twin(contents, binary.path.as_path(), platform))
                .map(|platform| format!("{} ({})", platform.arch, platform.tag))
                .collect();
            if !lacking.is_empty() {
                let message = format!(
                    "it is {} alone; nothing in the wheel is imported in its place on {}",
                    names.join(" and "),
                    lacking.join(", ")
                );
                findings.push(Finding::new(&rules::TAG_ARCHITECTURE, subject(), message));
            }
        }
    }
    findings
}

/// Whether another file gives the same module on a platform.
fn has_twin(contents: &Contents, path: &camino::Utf8Path, platform: &Platform) -> bool {
    let stem = |path: &camino::Utf8Path| path.as_str().split('.').next().unwrap_or_default().to_owned();
    contents
        .images()
        .any(|(other, image)| other.path != path && platform.takes(image) && stem(&other.path) == stem(path))
}

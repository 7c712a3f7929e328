//! Whether the tags promise no more than the binaries allow, computed here and not taken from the tool.

use super::{Context, Facts};
use crate::binary::{Binary, Snapshot, arch_of};
use crate::rules;
use diagnostics::{Finding, Severity, Subject};
use objfile::Format;
use platform::policy::{self, Libc, Need, Needs, Policy, macos};
use platform::{Arch, Os, PlatformTag, TargetPlatform};
use std::collections::BTreeSet;

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    let subject = || Subject::file(context.name);
    let tags = &context.parsed.tags;
    if !tags.is_publishable() {
        let message = format!("`{}` promises nothing about the machines that it runs on", context.name);
        facts.findings.push(Finding::new(&rules::LINUX_TAG, subject(), message));
    }
    let any = tags.platforms().any(|tag| *tag == PlatformTag::Any);
    if context.after.binaries.is_empty() {
        if !any {
            let message = format!("`{}` holds no binary, but is tagged for one platform", context.name);
            facts.findings.push(Finding::new(&rules::NEEDLESS_PLATFORM, subject(), message));
        }
        return;
    }
    if any && let Some(first) = context.after.binaries.first() {
        let message = format!("tagged `any`, but `{}` is a binary for {}", first.member, first.architecture.name());
        facts.findings.push(Finding::new(&rules::TAG_TOO_WIDE, subject().member(&first.member), message));
    }
    architectures(context, facts);
    asked_for(context, facts);
    match context.request.target.os {
        Os::Linux => linux(context, facts),
        Os::MacOs => macosx(context, facts),
        Os::Windows => {}
    }
}

/// Every binary has to be for every architecture of the tags; the slices of a universal file count together.
fn architectures(context: &Context<'_>, facts: &mut Facts) {
    let wanted = Snapshot::arches(&context.parsed.tags);
    if wanted.is_empty() {
        return;
    }
    for member in context.after.members() {
        let slices = context.after.binaries.iter().filter(|binary| binary.member == member);
        let has: BTreeSet<Arch> = slices.clone().filter_map(|binary| arch_of(binary.architecture)).collect();
        let lacks: Vec<&str> = wanted.difference(&has).map(|arch| arch.tag(context.request.target.os)).collect();
        if !lacks.is_empty() {
            let names: Vec<&str> = slices.map(|binary| binary.architecture.name()).collect();
            let message =
                format!("`{member}` is for {}, the tag promises {}", names.join(" and "), lacks.join(" and "));
            let subject = Subject::file(context.name).member(member);
            facts.findings.push(Finding::new(&rules::WRONG_ARCHITECTURE, subject, message));
        }
    }
    let of_system = match context.request.target.os {
        Os::Linux => Format::Elf,
        Os::MacOs => Format::MachO,
        Os::Windows => Format::Pe,
    };
    for binary in context.after.binaries.iter().filter(|binary| binary.format != of_system) {
        let message = format!("`{}` is a binary of another system than the tag's", binary.member);
        let subject = Subject::file(context.name).member(&binary.member);
        facts.findings.push(Finding::new(&rules::WRONG_ARCHITECTURE, subject, message));
    }
}

/// What was asked for must be among the tags, or something that is at least as widely usable.
fn asked_for(context: &Context<'_>, facts: &mut Facts) {
    let TargetPlatform::Policy(_) = context.request.platform else { return };
    let Some(asked) = context.request.platform.platform_tag(&context.request.target) else { return };
    if context.parsed.tags.platforms().any(|tag| covers(tag, &asked)) {
        return;
    }
    let has: Vec<String> = context.parsed.tags.platforms().map(ToString::to_string).collect();
    let message = format!("`{asked}` was asked for, the wheel is tagged `{}`", has.join("."));
    facts.findings.push(Finding::new(&rules::TAG_NOT_MET, Subject::file(context.name), message));
}

/// Whether a wheel with one tag may be installed wherever one with the other may.
pub(crate) fn covers(tag: &PlatformTag, asked: &PlatformTag) -> bool {
    match (tag.canonical(), asked.canonical()) {
        (PlatformTag::Manylinux { glibc, arch, .. }, PlatformTag::Manylinux { glibc: wanted, arch: of, .. })
        | (PlatformTag::Musllinux { musl: glibc, arch }, PlatformTag::Musllinux { musl: wanted, arch: of })
        | (PlatformTag::Macosx { version: glibc, arch }, PlatformTag::Macosx { version: wanted, arch: of }) => {
            glibc <= wanted && (arch == of || arch == "universal2")
        }
        (tag, asked) => tag == asked,
    }
}

fn linux(context: &Context<'_>, facts: &mut Facts) {
    let (libc, arch) = (libc(&context.after.binaries), context.request.target.arch);
    let needs = needs(&context.after.binaries, |library| context.request.excludes(library));
    let mut reached: Option<&'static Policy> = None;
    for tag in context.parsed.tags.platforms() {
        let text = tag.to_string();
        let Some(policy) = policy_of(&text, &context.request.target) else { continue };
        let refusals = policy::why_not(policy, arch, &needs);
        // A library outside the policy is the business of the needs.
        for refusal in refusals.iter().filter(|refusal| !matches!(refusal.need, Need::Library(_))) {
            let subject = Subject::file(context.name);
            facts.findings.push(Finding::new(&rules::TAG_TOO_WIDE, subject, format!("tagged `{text}`, but {refusal}")));
        }
        if refusals.is_empty() && reached.is_none_or(|reached| policy.version < reached.version) {
            reached = Some(policy);
        }
    }
    let Some(reached) = reached else { return };
    // The next more widely usable policy is the interesting one: what it refuses is what to change.
    let wider = policy::policies(libc, arch).rfind(|policy| policy.version < reached.version);
    if let Some(wider) = wider {
        facts.why_not_wider =
            policy::why_not(wider, arch, &needs).iter().map(|refusal| format!("{}: {refusal}", wider.name)).collect();
    }
}

fn macosx(context: &Context<'_>, facts: &mut Facts) {
    for tag in context.parsed.tags.platforms() {
        let PlatformTag::Macosx { version, .. } = tag else { continue };
        let arches = tag.arches();
        for binary in &context.after.binaries {
            let (Some(minimum), Some(arch)) = (binary.minimum_macos, arch_of(binary.architecture)) else { continue };
            if !arches.contains(&arch) {
                continue;
            }
            let subject = || Subject::file(context.name).member(&binary.member);
            let (major, minor) = minimum;
            if !macos::satisfies(oldest(*version, arch), minimum) {
                let message =
                    format!("tagged `{tag}`, but `{}` is built for macOS {major}.{minor} and newer", binary.member);
                facts.findings.push(Finding::new(&rules::TAG_TOO_WIDE, subject(), message));
            } else if major >= 11 && minimum > oldest(*version, arch) {
                // Installers compare by the major version; the loader does not.
                let message = format!(
                    "tagged `{tag}`, but `{}` is built for macOS {major}.{minor}, which older {major}.x are not",
                    binary.member
                );
                facts.findings.push(Finding::new(&rules::TAG_TOO_WIDE, subject(), message).severity(Severity::Warning));
            }
        }
    }
    // The next older system is what a maintainer would want, and what stands in the way are the newest binaries.
    let newest = context.after.binaries.iter().filter_map(|binary| binary.minimum_macos).max();
    if let Some((major, minor)) = newest {
        let first = context.after.binaries.iter().find(|binary| binary.minimum_macos == newest);
        facts.why_not_wider =
            first.map(|binary| format!("`{}` is built for macOS {major}.{minor}", binary.member)).into_iter().collect();
    }
}

/// The oldest macOS of a tag that there is for a processor: none before 11 runs on arm64, whatever a universal wheel's tag says
/// for the other one.
fn oldest(version: (u16, u16), arch: Arch) -> (u16, u16) {
    if arch == Arch::Arm64 { version.max((11, 0)) } else { version }
}

/// The policy of a platform tag such as `manylinux_2_28_x86_64`.
pub(crate) fn policy_of(tag: &str, target: &platform::TargetKey) -> Option<&'static Policy> {
    Policy::by_name(tag.strip_suffix(&format!("_{}", target.arch.tag(target.os)))?)
}

/// What the wheel's own binaries do not provide to each other: the needs that a policy has to meet.
pub(crate) fn needs(binaries: &[Binary], excluded: impl Fn(&str) -> bool) -> Needs<'_> {
    let own: BTreeSet<&str> =
        binaries.iter().flat_map(|binary| [Some(binary.file_name()), binary.identity.as_deref()]).flatten().collect();
    let mut needs = Needs::default();
    for binary in binaries {
        let outside = |library: &&str| !own.contains(library) && !excluded(library);
        needs.add(
            &binary.member,
            binary.needed.iter().map(|needed| needed.name.as_str()).filter(outside),
            binary
                .versions
                .iter()
                .map(|(library, version)| (library.as_str(), version.as_str()))
                .filter(|(library, _)| outside(library)),
            binary.strong_undefined.iter().map(String::as_str),
        );
    }
    needs
}

/// musl's libc is called by another name than glibc's.
pub(crate) fn libc(binaries: &[Binary]) -> Libc {
    let mut needed = binaries.iter().flat_map(|binary| &binary.needed);
    let musl = needed.any(|needed| needed.name.starts_with("libc.musl-") || needed.name == "libc.so");
    if musl { Libc::Musl } else { Libc::Glibc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_universal_tag_promises_each_processor_its_own_floor() {
        for (tag, arch, minimum, kept) in [
            ((10, 13), Arch::Arm64, (11, 0), true),
            ((10, 13), Arch::Arm64, (10, 9), true),
            ((10, 13), Arch::Arm64, (12, 0), false),
            ((10, 13), Arch::X86_64, (11, 0), false),
            ((10, 13), Arch::X86_64, (10, 13), true),
            ((12, 0), Arch::Arm64, (12, 0), true),
        ] {
            assert_eq!(macos::satisfies(oldest(tag, arch), minimum), kept, "{tag:?} {arch:?} {minimum:?}");
        }
    }

    #[test]
    fn a_wider_tag_covers_a_narrower_wish() {
        for (tag, asked, covered) in [
            ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", true),
            ("manylinux2014_x86_64", "manylinux_2_17_x86_64", true),
            ("manylinux_2_36_x86_64", "manylinux_2_28_x86_64", false),
            ("manylinux_2_17_aarch64", "manylinux_2_28_x86_64", false),
            ("musllinux_1_2_x86_64", "manylinux_2_28_x86_64", false),
            ("linux_x86_64", "manylinux_2_28_x86_64", false),
            ("macosx_11_0_universal2", "macosx_12_0_arm64", true),
            ("macosx_13_0_arm64", "macosx_12_0_arm64", false),
            ("win_amd64", "win_amd64", true),
        ] {
            assert_eq!(covers(&tag.parse().unwrap(), &asked.parse().unwrap()), covered, "{tag} for {asked}");
        }
    }
}

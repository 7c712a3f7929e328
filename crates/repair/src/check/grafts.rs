//! Every binary of the wheel must hold together: images, run paths, install names, signatures. What the tool touched is held to
//! more than what the build left.

use super::{Context, Facts};
use crate::binary::{Binary, file_name};
use crate::image::Signature;
use crate::rules;
use diagnostics::{Finding, Severity, Subject};
use objfile::{Architecture, Format, ObjectKind, RpathKind};
use platform::policy::macos;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    for binary in &context.after.binaries {
        let subject = || Subject::file(context.name).member(&binary.member);
        let touched = context.touched(&binary.place);
        for fault in &binary.faults {
            let message = format!("`{}` {}", binary.member, fault.what);
            let finding = Finding::new(fault.rule, subject(), message);
            let mild = fault.loads && !touched;
            facts.findings.push(if mild { finding.severity(Severity::Warning) } else { finding });
        }
        if let Some(path) = leads_outside(binary) {
            let message =
                format!("`{}` looks for libraries in `{path}`, a folder of the machine that built it", binary.member);
            let finding = Finding::new(&rules::PATH_LEADS_OUTSIDE, subject(), message);
            facts.findings.push(if touched { finding } else { finding.severity(Severity::Warning) });
        }
        if binary.format == Format::MachO && context.grafted(binary) {
            install_name(context, binary, facts);
        }
        hides(context, binary, facts);
        // One page that does not fit its hash gets the process killed.
        let what = match (binary.signature, binary.architecture) {
            (Signature::Broken, _) => "has a signature that does not fit its pages",
            (Signature::Unsigned, Architecture::Aarch64) => "is not signed",
            _ => continue,
        };
        facts.findings.push(Finding::new(&rules::SIGNATURE_BROKEN, subject(), format!("`{}` {what}", binary.member)));
    }
    for file in context.after.unreadable.iter().filter(|file| context.touched(&file.place)) {
        let message = format!("`{}` cannot be read any more: {}", file.member, file.reason);
        let subject = Subject::file(context.name).member(&file.member);
        facts.findings.push(Finding::new(&rules::IMAGE_DAMAGED, subject, message));
    }
    twice(context, facts);
    carried(context, facts);
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

/// A run path of the machine that built the binary: whoever may write there decides what is loaded.
fn leads_outside(binary: &Binary) -> Option<&str> {
    let paths = || binary.rpaths.iter().map(|(path, _)| path.as_str());
    let relative = |path: &&str, marks: &[&str]| marks.iter().any(|mark| path.starts_with(mark));
    match binary.format {
        Format::Elf => paths()
            .flat_map(|path| path.split(':'))
            .find(|path| !path.is_empty() && !relative(path, &["$ORIGIN", "${ORIGIN}"])),
        Format::MachO => paths()
            .find(|path| !relative(path, &["@loader_path", "@executable_path"]) && !macos::is_system_library(path)),
        Format::Pe | Format::Coff => None,
    }
}

/// dyld takes two images with one install name for the same: it has to be this wheel's alone.
fn install_name(context: &Context<'_>, binary: &Binary, facts: &mut Facts) {
    let Some(identity) = &binary.identity else { return };
    if !identity.starts_with("/DLC/") && !identity.starts_with('@') {
        let message =
            format!("`{}` calls itself `{identity}`, as it did on the machine that it was copied from", binary.member);
        let subject = Subject::file(context.name).member(&binary.member);
        facts.findings.push(Finding::new(&rules::INSTALL_NAME, subject, message));
    }
}

/// The same library under two names is loaded twice.
fn twice(context: &Context<'_>, facts: &mut Facts) {
    let mut by_content: BTreeMap<(usize, u64, u64), Vec<&Binary>> = BTreeMap::new();
    for binary in context.after.binaries.iter().filter(|binary| context.grafted(binary)) {
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

/// A library that the wheel carried already, grafted once more: the tool was not led to the copy that is there.
fn carried(context: &Context<'_>, facts: &mut Facts) {
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    let is_library = |binary: &&Binary| binary.kind != ObjectKind::Executable;
    for graft in context.after.binaries.iter().filter(is_library).filter(|binary| context.grafted(binary)) {
        let others = context.others(graft).filter(is_library).filter(|other| !context.grafted(other));
        for other in others.filter(|other| other.format == graft.format) {
            let contents = graft.exports == other.exports && alike(graft, other);
            let named = answers(graft).any(|one| answers(other).any(|two| one == two));
            if !(named || contents) || !told.insert((&graft.member, &other.member)) {
                continue;
            }
            let what = if graft.exports == other.exports { "a copy" } else { "another build" };
            let message =
                format!("`{}` is {what} of `{}`, which the wheel carries already", graft.member, other.member);
            let subject = Subject::file(context.name).member(&graft.member);
            facts.findings.push(Finding::new(&rules::GRAFTED_TWICE, subject, message).severity(Severity::Warning));
        }
    }
}

/// The names that a library goes by, without the digest that a tool put in.
fn answers(binary: &Binary) -> impl Iterator<Item = String> {
    let names = [Some(binary.file_name()), binary.identity.as_deref().map(file_name)];
    names.into_iter().flatten().map(without_digest)
}

/// `libfoo-1f2e3d4c.so.2` is `libfoo.so.2`: auditwheel puts 8 hexadecimal digits before the first dot, delvewheel 32 before
/// the last one. Names are compared in any case, as Windows does.
fn without_digest(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let cut = |dot: Option<usize>, digits: usize| {
        let (stem, ending) = name.split_at_checked(dot?)?;
        let (stem, digest) = stem.rsplit_once('-')?;
        let fits = digest.len() == digits && digest.chars().all(|c| c.is_ascii_hexdigit());
        fits.then(|| format!("{stem}{ending}"))
    };
    cut(name.find('.'), 8).or_else(|| cut(name.rfind('.'), 32)).unwrap_or(name)
}

/// Names that differ by nothing but a digest that the tool put in.
fn alike(one: &Binary, other: &Binary) -> bool {
    let stem = |binary: &Binary| binary.file_name().split(['-', '.']).next().unwrap_or_default().to_ascii_lowercase();
    stem(one) == stem(other)
}

#[cfg(test)]
mod tests {
    use super::without_digest;

    #[test]
    fn names_without_digests() {
        for (name, plain) in [
            ("libfoo-1f2e3d4c.so.2", "libfoo.so.2"),
            ("libfoo-2-1f2e3d4c.so.2", "libfoo-2.so.2"),
            ("libfoo-2.so.2", "libfoo-2.so.2"),
            ("Helper-0123456789abcdef0123456789abcdef.dll", "helper.dll"),
            ("zlib1.2-0123456789abcdef0123456789abcdef.dll", "zlib1.2.dll"),
            ("libLLVM-19.so.1", "libllvm-19.so.1"),
            ("libfoo.dylib", "libfoo.dylib"),
        ] {
            assert_eq!(without_digest(name), plain);
        }
    }
}

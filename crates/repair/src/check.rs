//! Post-conditions of a repair, read back from the wheel that the tool made.

use crate::error::RepairError;
use crate::request::Request;
use crate::rules;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Subject};
use objfile::{Object, RpathKind};
use platform::policy::{self, Libc, Needs, Policy};
use std::collections::BTreeSet;
use wheel::Wheel;

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
    /// Libraries that were not in the wheel before.
    pub(crate) grafted: Vec<Grafted>,
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
    /// Why the wheel does not meet the next more widely usable policy.
    pub(crate) why_not_wider: Vec<String>,
}

/// What one binary says of itself, owned: the archive's bytes are gone when it is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    /// Its path in the wheel.
    pub(crate) member: String,
    size: u64,
    identity: Option<String>,
    needed: Vec<String>,
    versions: Vec<(String, String)>,
    strong_undefined: Vec<String>,
    has_runpath: bool,
    /// Whether its RUNPATH leads to where its own needs lie.
    runpaths: Vec<String>,
}

impl Binary {
    fn of(member: &str, size: u64, object: &Object<'_>) -> Self {
        let versions = object.elf().into_iter().flat_map(|elf| &elf.version_needs).flat_map(|need| {
            need.versions.iter().filter(|version| !version.weak).map(|version| (need.file.to_owned(), version.name.to_owned()))
        });
        let runpaths: Vec<String> =
            object.rpaths.iter().filter(|rpath| rpath.kind == RpathKind::Runpath).map(|rpath| rpath.path.to_owned()).collect();
        Self {
            member: member.to_owned(),
            size,
            identity: object.identity.map(str::to_owned),
            needed: object.needed.iter().map(|needed| needed.name.to_owned()).collect(),
            versions: versions.collect(),
            strong_undefined: object
                .imports
                .iter()
                .filter(|import| !import.weak && import.version.is_none())
                .map(|import| import.name.to_owned())
                .collect(),
            has_runpath: !runpaths.is_empty(),
            runpaths,
        }
    }

    fn file_name(&self) -> &str {
        file_name(&self.member)
    }
}

/// Every ELF of a wheel.
pub(crate) fn binaries(wheel: &Wheel) -> Vec<Binary> {
    wheel
        .archive
        .par_process(
            |member| !member.is_dir,
            |member, bytes| match objfile::sniff(bytes) {
                Some(objfile::FileKind::Object(objfile::Format::Elf)) => {
                    let file = objfile::parse(bytes).ok()?;
                    file.objects().next().map(|object| Binary::of(&member.name, member.size, object))
                }
                _ => None,
            },
        )
        .into_iter()
        .filter_map(|processed| processed.result.ok().flatten())
        .collect()
}

/// The libraries that a repair would graft, read from where they lie: the closure of what the binaries need, in the given
/// folders and the system's usual ones, without what every policy leaves to the system.
pub(crate) fn outside(binaries: &[Binary], dirs: &[Utf8PathBuf]) -> Vec<Binary> {
    const USUAL: [&str; 6] =
        ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib"];
    const MOST: usize = 200;
    let mut found: Vec<Binary> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut queue: Vec<String> = binaries.iter().flat_map(|binary| binary.needed.clone()).collect();
    while let Some(name) = queue.pop() {
        if found.len() >= MOST || !seen.insert(name.clone()) || policy::whitelisted_anywhere(&name) || policy::is_loader_or_libc(&name) {
            continue;
        }
        let places = dirs.iter().map(|dir| dir.join(&name)).chain(USUAL.iter().map(|dir| Utf8Path::new(dir).join(&name)));
        let Some(bytes) = places.into_iter().find_map(|place| fs_err::read(place).ok()) else { continue };
        let Ok(file) = objfile::parse(&bytes) else { continue };
        if let Some(object) = file.objects().next() {
            let binary = Binary::of(&name, bytes.len() as u64, object);
            queue.extend(binary.needed.iter().cloned());
            found.push(binary);
        }
    }
    found
}

/// What the wheel's own binaries do not provide to each other: the needs that a policy has to meet.
pub(crate) fn needs(binaries: &[Binary]) -> Needs<'_> {
    let own: BTreeSet<&str> =
        binaries.iter().flat_map(|binary| [Some(binary.file_name()), binary.identity.as_deref()]).flatten().collect();
    let mut needs = Needs::default();
    for binary in binaries {
        let outside = |library: &&str| !own.contains(library);
        needs.add(
            &binary.member,
            binary.needed.iter().map(String::as_str).filter(outside),
            binary.versions.iter().map(|(library, version)| (library.as_str(), version.as_str())).filter(|(library, _)| outside(library)),
            binary.strong_undefined.iter().map(String::as_str),
        );
    }
    needs
}

/// musl's libc is called by another name than glibc's.
pub(crate) fn libc(binaries: &[Binary]) -> Libc {
    let musl = binaries.iter().flat_map(|binary| &binary.needed).any(|needed| needed.starts_with("libc.musl-") || needed == "libc.so");
    if musl { Libc::Musl } else { Libc::Glibc }
}

/// Reads a repaired wheel back; `before` names the binaries that were in it when it was built.
pub(crate) fn repaired(request: &Request, path: &Utf8Path, before: &[Binary]) -> Result<Facts, RepairError> {
    let name = path.file_name().unwrap_or_default();
    let bad = |reason: String| RepairError::BadWheel { wheel: name.to_owned(), reason };
    let wheel = Wheel::open(path).map_err(|error| bad(error.to_string()))?;
    let binaries = binaries(&wheel);
    let mut facts = Facts::default();
    let known: BTreeSet<&str> = before.iter().map(|binary| binary.member.as_str()).collect();
    facts.grafted = binaries
        .iter()
        .filter(|binary| !known.contains(binary.member.as_str()))
        .map(|binary| Grafted { name: binary.member.clone(), bytes: binary.size })
        .collect();
    facts.grafted.sort_by_key(|grafted| std::cmp::Reverse(grafted.bytes));
    let parsed: platform::WheelName = name.parse().map_err(|error: platform::WheelNameError| bad(error.to_string()))?;
    if !parsed.tags.is_publishable() {
        let message = format!("`{name}` promises nothing about the machines that it runs on");
        facts.findings.push(Finding::new(&rules::LINUX_TAG, Subject::file(name), message));
    }
    tags(request, name, &parsed, &binaries, &mut facts);
    libllvm(request, name, &binaries, &mut facts);
    runpaths(name, &binaries, &mut facts);
    record(name, &wheel, &mut facts);
    Ok(facts)
}

/// The tag against what the binaries need, computed here and not taken from the tool.
fn tags(request: &Request, name: &str, parsed: &platform::WheelName, binaries: &[Binary], facts: &mut Facts) {
    if binaries.is_empty() {
        return;
    }
    let (libc, arch) = (libc(binaries), request.target.arch);
    let needs = needs(binaries);
    let mut reached: Option<&'static Policy> = None;
    for tag in parsed.tags.platforms() {
        let text = tag.to_string();
        let Some(policy) = policy_of(&text, &request.target) else { continue };
        let refusals = policy::why_not(policy, arch, &needs);
        for refusal in &refusals {
            let subject = Subject::file(name);
            facts.findings.push(Finding::new(&rules::TAG_NOT_MET, subject, format!("tagged `{text}`, but {refusal}")));
        }
        if refusals.is_empty() && reached.is_none_or(|reached| policy.version < reached.version) {
            reached = Some(policy);
        }
    }
    let Some(reached) = reached else { return };
    // The next more widely usable policy is the interesting one: what it refuses is what to change.
    let wider = policy::policies(libc, arch).filter(|policy| policy.version < reached.version).last();
    if let Some(wider) = wider {
        facts.why_not_wider =
            policy::why_not(wider, arch, &needs).iter().map(|refusal| format!("{}: {refusal}", wider.name)).collect();
    }
}

/// The policy of a platform tag such as `manylinux_2_28_x86_64`.
pub(crate) fn policy_of(tag: &str, target: &platform::TargetKey) -> Option<&'static Policy> {
    Policy::by_name(tag.strip_suffix(&format!("_{}", target.arch.tag(target.os)))?)
}

fn libllvm(request: &Request, name: &str, binaries: &[Binary], facts: &mut Facts) {
    let copies: Vec<&Binary> = binaries.iter().filter(|binary| llvm::recognise(binary.file_name()).is_some()).collect();
    let excluded = request.exclude.iter().any(|pattern| pattern.contains("LLVM"));
    let Some(major) = request.llvm_major else {
        for copy in copies {
            let message = format!("`{}` is in the wheel, but no shared libLLVM was planned", copy.member);
            facts.findings.push(Finding::new(&rules::LIBLLVM_COPIES, Subject::file(name).member(&copy.member), message));
        }
        return;
    };
    if excluded && copies.is_empty() {
        return;
    }
    let right = |binary: &&&Binary| llvm::recognise(binary.file_name()).and_then(|name| name.major).is_none_or(|m| m == major);
    if copies.len() == 1 && copies.iter().filter(right).count() == 1 {
        return;
    }
    let message = match copies.as_slice() {
        [] => format!("there is no libLLVM in `{name}`, but LLVM {major} was linked as a shared library"),
        [one] => format!("`{}` is not of LLVM {major}, with which the extension was linked", one.member),
        many => format!(
            "there are {} copies of libLLVM in `{name}`: {}",
            many.len(),
            many.iter().map(|binary| format!("`{}`", binary.member)).collect::<Vec<_>>().join(", ")
        ),
    };
    facts.findings.push(Finding::new(&rules::LIBLLVM_COPIES, Subject::file(name), message));
}

/// A RUNPATH of a binary that needs others of the wheel must itself lead there.
fn runpaths(name: &str, binaries: &[Binary], facts: &mut Facts) {
    for binary in binaries.iter().filter(|binary| binary.has_runpath) {
        for needed in &binary.needed {
            let Some(provider) = binaries.iter().find(|other| other.file_name() == needed) else { continue };
            let reached = binary.runpaths.iter().any(|path| leads_to(path, &binary.member, folder(&provider.member)));
            if !reached {
                let message = format!(
                    "`{}` has the RUNPATH `{}`, which does not lead to `{}` that it needs",
                    binary.member,
                    binary.runpaths.join(":"),
                    provider.member
                );
                let subject = Subject::file(name).member(&binary.member).symbol(needed);
                facts.findings.push(Finding::new(&rules::RUNPATH_HIDES_RPATH, subject, message));
            }
        }
    }
}

/// Whether a run path with `$ORIGIN`, of a member, leads to a folder of the wheel.
fn leads_to(path: &str, member: &str, wanted: &str) -> bool {
    let Some(rest) = path.strip_prefix("$ORIGIN").or_else(|| path.strip_prefix("${ORIGIN}")) else { return false };
    let mut parts: Vec<&str> = folder(member).split('/').filter(|part| !part.is_empty()).collect();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    parts.join("/") == wanted
}

fn record(name: &str, wheel: &Wheel, facts: &mut Facts) {
    let (Ok(dist_info), Some(record)) = (&wheel.dist_info, &wheel.record) else {
        let message = format!("`{name}` has no RECORD that can be read");
        facts.findings.push(Finding::new(&rules::RECORD_BROKEN, Subject::file(name), message));
        return;
    };
    let hashes = wheel.archive.hash_all();
    for fault in wheel::check_record(&wheel.archive, dist_info, record, &hashes).faults {
        let subject = Subject::file(name).member(fault.path());
        facts.findings.push(Finding::new(&rules::RECORD_BROKEN, subject, fault.to_string()));
    }
}

fn file_name(member: &str) -> &str {
    member.rsplit('/').next().unwrap_or(member)
}

fn folder(member: &str) -> &str {
    member.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_paths_inside_a_wheel() {
        for (path, member, wanted, leads) in [
            ("$ORIGIN", "x.libs/a.so", "x.libs", true),
            ("$ORIGIN/../x.libs", "pkg/_core.so", "x.libs", true),
            ("${ORIGIN}/../../x.libs", "pkg/sub/_core.so", "x.libs", true),
            ("$ORIGIN/../lib", "x.libs/libLLVM.so", "x.libs", false),
            ("/usr/lib", "x.libs/a.so", "x.libs", false),
            ("$ORIGIN/../../..", "a/b.so", "", false),
        ] {
            assert_eq!(leads_to(path, member, wanted), leads, "{path} of {member}");
        }
    }
}

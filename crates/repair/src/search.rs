//! After a tool failed: which libraries the wheel needs that lie nowhere, and what lies where they were looked for.

use crate::binary::{Binary, arch_of, file_name};
use crate::check;
use crate::error::RepairError;
use crate::request::Request;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use objfile::{Format, RpathKind};
use platform::Os;
use platform::policy::{self, Libc, Need, macos, windows};
use std::collections::BTreeSet;
use std::time::Duration;

/// A library that lies nowhere that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) library: String,
    pub(crate) needed_by: Vec<String>,
    /// What lies under its name and cannot be it.
    pub(crate) notes: Vec<String>,
}

/// The libraries that a repair would graft, read from where they lie, and those that it would not find.
#[derive(Debug, Default)]
pub(crate) struct Closure {
    pub(crate) found: Vec<Binary>,
    pub(crate) missing: Vec<Missing>,
}

/// The closure of what the binaries need, in the request's folders and the system's usual ones.
pub(crate) fn closure(request: &Request, binaries: &[Binary]) -> Closure {
    const MOST: usize = 400;
    let mut closure = Closure::default();
    // A universal binary is one for each of its processors, and each needs the library for itself.
    let mut seen: BTreeSet<(String, objfile::Architecture)> = BTreeSet::new();
    let mut queue: Vec<(String, Binary)> = Vec::new();
    let push = |binary: &Binary, queue: &mut Vec<(String, Binary)>| {
        queue.extend(
            binary.needed.iter().filter(|needed| !needed.optional).map(|needed| (needed.name.clone(), binary.clone())),
        );
    };
    for binary in binaries {
        push(binary, &mut queue);
    }
    while let Some((name, requirer)) = queue.pop() {
        let own = binaries.iter().any(|binary| file_name(&binary.member).eq_ignore_ascii_case(file_name(&name)));
        if own || is_systems(request, &name) || request.excludes(&name) {
            continue;
        }
        if !seen.insert((name.clone(), requirer.architecture)) {
            let known = closure.missing.iter_mut().find(|missing| missing.library == name);
            if let Some(missing) = known.filter(|missing| !missing.needed_by.contains(&requirer.member)) {
                missing.needed_by.push(requirer.member.clone());
            }
            continue;
        }
        if seen.len() > MOST {
            break;
        }
        let mut notes = Vec::new();
        let read = candidates(request, &name, &requirer)
            .into_iter()
            .find_map(|path| open(&path, &name, &requirer, &mut notes));
        match read {
            Some(binary) => {
                push(&binary, &mut queue);
                closure.found.push(binary);
            }
            None => closure.missing.push(Missing { library: name, needed_by: vec![requirer.member.clone()], notes }),
        }
    }
    closure.missing.sort_by(|a, b| a.library.cmp(&b.library));
    closure
}

fn is_systems(request: &Request, name: &str) -> bool {
    match request.target.os {
        Os::Linux => policy::whitelisted_anywhere(name) || policy::is_loader_or_libc(name),
        Os::MacOs => macos::is_system_library(name),
        // Any Python's runtime counts here: this only explains a failure.
        Os::Windows => windows::is_system_library(request.target.arch, name, Some(13)),
    }
}

/// A policy that was asked for, of another C library than the one that the binaries need: no tool can meet it, and what
/// auditwheel says of it is a list of its options.
///
/// # Errors
/// [`RepairError::OtherLibc`].
pub(crate) fn fits_libc(request: &Request, binaries: &[Binary]) -> Result<(), RepairError> {
    let Some(tag) = request.asked() else { return Ok(()) };
    let Some(asked) = check::policy_of(&tag, &request.target) else { return Ok(()) };
    let mut needs: BTreeSet<String> = BTreeSet::new();
    let mut own = None;
    for binary in binaries {
        for needed in &binary.needed {
            if let Some(libc) = Libc::of_library(&needed.name).filter(|libc| *libc != asked.libc) {
                own = Some(libc);
                needs.insert(format!("`{}`, needed by `{}`", needed.name, binary.member));
            }
        }
    }
    let Some(libc) = own else { return Ok(()) };
    let of = check::needs(binaries, |library| request.excludes(library));
    // Libraries are what a repair would graft.
    let meets = policy::policies(libc, request.target.arch).find(|policy| {
        let refusals = policy::why_not(policy, request.target.arch, &of);
        refusals.iter().all(|refusal| matches!(refusal.need, Need::Library(_)))
    });
    Err(RepairError::OtherLibc {
        policy: tag,
        libc,
        needs: needs.into_iter().collect(),
        meets: meets.map(|policy| policy.name),
    })
}

/// Where a library of that name may lie.
fn candidates(request: &Request, name: &str, requirer: &Binary) -> Vec<Utf8PathBuf> {
    const USUAL: [&str; 7] = [
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/lib/aarch64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/lib64",
        "/usr/lib64",
        "/usr/lib",
    ];
    let base = file_name(name);
    let mut found: Vec<Utf8PathBuf> = Vec::new();
    match requirer.format {
        Format::Elf => {
            let rpaths =
                requirer.rpaths.iter().flat_map(|(path, _)| path.split(':')).filter(|path| path.starts_with('/'));
            found.extend(rpaths.map(|dir| Utf8Path::new(dir).join(base)));
            found.extend(request.library_dirs.iter().map(|dir| dir.join(base)));
            found.extend(USUAL.iter().map(|dir| Utf8Path::new(dir).join(base)));
        }
        Format::MachO => {
            found.extend(name.starts_with('/').then(|| Utf8PathBuf::from(name)));
            let rpaths = requirer.paths(RpathKind::LcRpath).filter(|path| path.starts_with('/'));
            found.extend(rpaths.map(|dir| Utf8Path::new(dir).join(base)));
            found.extend(request.library_dirs.iter().map(|dir| dir.join(base)));
        }
        Format::Pe | Format::Coff => {
            for dir in &request.library_dirs {
                let Ok(entries) = dir.read_dir_utf8() else { continue };
                let same = |entry: &camino::Utf8DirEntry| entry.file_name().eq_ignore_ascii_case(base);
                found.extend(entries.flatten().filter(same).map(camino::Utf8DirEntry::into_path));
            }
        }
    }
    found
}

/// The library at a path, if it is one for the same processor; else what it is.
fn open(path: &Utf8Path, name: &str, requirer: &Binary, notes: &mut Vec<String>) -> Option<Binary> {
    const MOST: u64 = 1 << 31;
    let size = fs_err::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len();
    if size > MOST {
        return None;
    }
    let bytes = fs_err::read(path).ok()?;
    let file = match objfile::parse(&bytes) {
        Ok(file) => file,
        Err(error) => {
            notes.push(format!("`{path}` cannot be read: {error}"));
            return None;
        }
    };
    let mut others = BTreeSet::new();
    for object in file.objects() {
        if object.architecture == requirer.architecture && object.format == requirer.format {
            return Some(Binary::of(name, name, size, object));
        }
        others.insert(object.architecture.name());
    }
    if !others.is_empty() {
        let names: Vec<&str> = others.into_iter().collect();
        notes.push(format!(
            "`{path}` is for {}, `{}` for {}",
            names.join(" and "),
            requirer.member,
            requirer.architecture.name()
        ));
    }
    None
}

/// Which package of a Debian-like system has a library, as far as the system knows without the network: an installed one
/// that has it elsewhere, or one of the name that Debian's policy (8.1) gives to a library of that soname.
pub(crate) fn package_of(library: &str, runner: &Runner<'_>) -> Option<String> {
    let base = file_name(library);
    if !base.contains(".so") || base.contains(['*', '?', '[']) {
        return None;
    }
    let ask = |argv: [&str; 3]| {
        let query = Query::new(argv).timeout(Duration::from_secs(10)).limit(1 << 20);
        runner.capture(&query).ok().filter(|answer| answer.status.success())
    };
    if let Some(answer) = ask(["dpkg", "-S", &format!("*/{base}")])
        && let Some((package, path)) = answer.stdout_text().lines().next().and_then(|line| line.split_once(": "))
        && let Some(dir) = Utf8Path::new(path.trim()).parent()
    {
        let package = package.split([',', ':']).next().unwrap_or(package);
        return Some(format!("the installed package `{package}` has it in `{dir}`"));
    }
    let name = debian_name(base)?;
    ask(["apt-cache", "show", &name])
        .map(|_| format!("the package `{name}` has a library of that name (`apt-get install {name}`)"))
}

/// `libffi.so.8` → `libffi8`, `libLLVM-14.so.1` → `libllvm14` (an exception of LLVM's packages), `libfoo2.so.1` → `libfoo2-1`.
fn debian_name(soname: &str) -> Option<String> {
    if let Some(llvm) = llvm::recognise(soname) {
        return llvm.major.map(|major| format!("libllvm{major}"));
    }
    let (name, version) = soname.split_once(".so.")?;
    let dash = if name.ends_with(|c: char| c.is_ascii_digit()) { "-" } else { "" };
    Some(format!("{name}{dash}{version}").to_lowercase().replace('_', "-"))
}

/// The processor of a request's wheel, in a binary's words, is what a library must be for.
pub(crate) fn is_for(request: &Request, binary: &Binary) -> bool {
    arch_of(binary.architecture) == Some(request.target.arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages() {
        for (soname, package) in [
            ("libffi.so.8", Some("libffi8")),
            ("libLLVM-14.so.1", Some("libllvm14")),
            ("libLLVM.so.19.1", Some("libllvm19")),
            ("libglib-2.0.so.0", Some("libglib-2.0-0")),
            ("libfoo_bar.so.2", Some("libfoo-bar2")),
            ("libfoo.so", None),
        ] {
            assert_eq!(debian_name(soname).as_deref(), package, "{soname}");
        }
    }
}

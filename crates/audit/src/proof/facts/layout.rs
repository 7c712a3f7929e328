//! What lies where in a wheel, and what should not be in it.

use super::rules;
use crate::proof::contents::Contents;
use diagnostics::{Finding, Severity, Subject};
use objfile::ObjectKind;
use std::collections::BTreeMap;
use wheel::{Harm, Place};

/// Top-level names that all packages share: two wheels with the same overwrite each other.
const COMMON: [&str; 17] = [
    "tests",
    "test",
    "docs",
    "doc",
    "examples",
    "example",
    "benchmarks",
    "scripts",
    "tools",
    "build",
    "dist",
    "src",
    "setup.py",
    "conftest.py",
    "pyproject.toml",
    "CMakeLists.txt",
    "noxfile.py",
];
/// Files by the end of their names that only a build needs.
const STRAY_ENDINGS: [&str; 14] = [
    ".o",
    ".obj",
    ".pdb",
    ".ilk",
    ".exp",
    ".idb",
    ".gch",
    ".pch",
    ".lo",
    ".la",
    ".tlog",
    ".lastbuildstate",
    ".gcno",
    ".gcda",
];
/// Files by their names.
const STRAY_NAMES: [&str; 9] = [
    "CMakeCache.txt",
    "cmake_install.cmake",
    "CTestTestfile.cmake",
    ".ninja_log",
    ".ninja_deps",
    "build.ninja",
    ".DS_Store",
    "Thumbs.db",
    "compile_commands.json",
];
/// Folders.
const STRAY_FOLDERS: [&str; 6] = ["CMakeFiles", "__pycache__", ".git", ".dSYM", ".pytest_cache", ".mypy_cache"];
/// More of one kind are counted, not listed.
const EACH: usize = 5;

pub(super) fn findings(contents: &Contents) -> Vec<Finding> {
    let mut findings = problems(contents);
    findings.extend(places(contents));
    findings.extend(strays(contents));
    findings.extend(programs(contents));
    findings
}

/// What is wrong with the archive as such, and names that collide.
fn problems(contents: &Contents) -> Vec<Finding> {
    let mut findings = Vec::new();
    for problem in contents.wheel.archive.problems() {
        let rule = match problem.kind.harm() {
            Harm::Unreadable => continue, // the proof says so already
            _ if problem.kind.name() == "case-collision" => continue,
            Harm::Unsafe => &crate::rules::UNSAFE_MEMBER,
            Harm::Odd => &crate::rules::ODD_MEMBER,
        };
        let subject = Subject { member: problem.member.clone(), ..Subject::file(contents.shown.clone()) };
        let text = if problem.member.is_some() { problem.kind.to_string() } else { problem.to_string() };
        findings.push(Finding::new(rule, subject, text.trim_end_matches('.').to_owned()));
    }
    let mut folded: BTreeMap<String, &str> = BTreeMap::new();
    for member in contents.wheel.archive.members().iter().filter(|member| !member.is_dir) {
        let name = member.name.as_str();
        match folded.insert(name.to_lowercase(), name) {
            Some(other) if other != name => {
                let message = format!("`{other}` is the same file where case does not count");
                let subject = Subject::file(contents.shown.clone()).member(name);
                findings.push(Finding::new(&rules::CASE_COLLISION, subject, message));
            }
            _ => {}
        }
    }
    findings
}

fn places(contents: &Contents) -> Vec<Finding> {
    let Ok(info) = &contents.wheel.dist_info else { return Vec::new() };
    let own = contents.wheel.metadata.as_ref().map(|metadata| wheel::normalised(&metadata.name)).unwrap_or_default();
    let mut nowhere = Vec::new();
    let mut common: BTreeMap<&str, &str> = BTreeMap::new();
    for member in contents.wheel.archive.members().iter().filter(|member| !member.is_dir) {
        match info.place(&member.name) {
            Place::Outside(_) => nowhere.push(member.name.as_str()),
            Place::Site(path) => {
                let top = path.split('/').next().unwrap_or(path);
                let is_text = !path.contains('/') && is_loose_text(top);
                if (COMMON.contains(&top) && wheel::normalised(top) != own) || is_text {
                    common.entry(top).or_insert(&member.name);
                }
            }
            Place::Scheme(..) | Place::DistInfo(_) => {}
        }
    }
    let mut findings = Vec::new();
    for name in nowhere.iter().take(EACH) {
        let subject = Subject::file(contents.shown.clone()).member(*name);
        let message = format!("no installation scheme has this folder of `{}`", info.data_dir());
        findings.push(Finding::new(&rules::OUTSIDE_ROOTS, subject, message).severity(Severity::Error));
    }
    for (top, member) in common {
        let subject = Subject::file(contents.shown.clone()).member(member);
        let message = format!("`{top}` is installed into the folder that all packages share");
        findings.push(Finding::new(&rules::OUTSIDE_ROOTS, subject, message));
    }
    findings
}

/// `README.md`, `LICENSE.txt` at the root.
fn is_loose_text(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_uppercase();
    ["README", "LICENSE", "LICENCE", "COPYING", "CHANGELOG", "CHANGES", "AUTHORS", "NOTICE"].contains(&stem.as_str())
        && !name.ends_with(".py")
}

fn strays(contents: &Contents) -> Vec<Finding> {
    let mut by_kind: BTreeMap<String, (Vec<&str>, u64)> = BTreeMap::new();
    for member in contents.wheel.archive.members().iter().filter(|member| !member.is_dir) {
        if let Some(kind) = stray(&member.name) {
            let entry = by_kind.entry(kind).or_default();
            entry.0.push(&member.name);
            entry.1 += member.compressed_size;
        }
    }
    by_kind
        .into_iter()
        .filter_map(|(kind, (names, bytes))| {
            let first = names.first()?;
            let subject = Subject::file(contents.shown.clone()).member(*first);
            let size = super::spoken(bytes);
            let message = match names.len() {
                1 => format!("{kind}: nobody needs it at run time ({size})"),
                count => format!("{kind}: {count} of them, which nobody needs at run time ({size})"),
            };
            Some(Finding::new(&rules::STRAY_FILE, subject, message))
        })
        .collect()
}

/// What kind of left-over a member is.
fn stray(name: &str) -> Option<String> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let folder = name.split('/').rev().skip(1).find(|part| {
        STRAY_FOLDERS.iter().any(|stray| part == stray || (stray.starts_with(".d") && part.ends_with(stray)))
    });
    if let Some(folder) = folder {
        return Some(format!("`{folder}`"));
    }
    if STRAY_NAMES.contains(&file) {
        return Some(format!("`{file}`"));
    }
    let lower = file.to_ascii_lowercase();
    STRAY_ENDINGS.iter().find(|ending| lower.ends_with(**ending)).map(|ending| format!("a `{ending}` file"))
}

/// Programs without the permission to be executed. Windows has no such thing, and what goes to `scripts` is given it by the
/// installer.
fn programs(contents: &Contents) -> Vec<Finding> {
    let lacking = contents.binaries.iter().filter(|binary| {
        !binary.executable
            && !binary.path.as_str().starts_with("../../../bin/")
            && binary.images.iter().any(|image| image.kind == ObjectKind::Executable && image.pe.is_none())
            // A shared object that can be run as well (`ld.so`, PIE libraries) need not be.
            && !binary.path.file_name().is_some_and(|name| name.contains(".so"))
    });
    lacking
        .take(EACH)
        .map(|binary| {
            let subject = Subject::file(contents.shown.clone()).member(&binary.member);
            Finding::new(&rules::NOT_EXECUTABLE, subject, "it is a program and has no permission to be executed")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strays_by_name() {
        for (name, is_stray) in [
            ("demo/CMakeFiles/x.dir/core.cpp.o", true),
            ("demo/CMakeCache.txt", true),
            ("demo/_core.pdb", true),
            ("demo/_core.OBJ", true),
            ("demo/__pycache__/a.cpython-313.pyc", true),
            ("demo/.DS_Store", true),
            ("demo/_core.so.dSYM/Contents/Info.plist", true),
            ("demo/model.o2", false),
            ("demo/lib/libnpymath.a", false),
            ("demo/build/info.py", false),
            ("demo/CMakeFilesX/a", false),
        ] {
            assert_eq!(stray(name).is_some(), is_stray, "{name}");
        }
    }
}

//! The files that may be Pythons, by the places where Pythons are. Nothing is run.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{InterpreterOrigin, Rejected};

/// A file to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) path: Utf8PathBuf,
    pub(crate) real_path: Utf8PathBuf,
    pub(crate) origin: InterpreterOrigin,
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places<'a> {
    pub(crate) configured: &'a [Utf8PathBuf],
    pub(crate) pyenv: Option<Utf8PathBuf>,
    pub(crate) manylinux: Utf8PathBuf,
    pub(crate) tool_cache: Option<Utf8PathBuf>,
    pub(crate) path: &'a [Utf8PathBuf],
}

/// Below an installation's folder, per system.
const PROGRAMS: &[&str] = &["bin/python", "bin/python3", "python.exe"];

/// Every candidate once by its real file, in the order of preference, and what is not worth asking.
pub(crate) fn candidates(places: &Places<'_>) -> (Vec<Candidate>, Vec<Rejected>) {
    let mut found = Found::default();
    for path in places.configured {
        found.add(path.clone(), InterpreterOrigin::Configured);
    }
    let installations = [
        (places.pyenv.as_ref().map(|root| root.join("versions")), 1, InterpreterOrigin::Pyenv),
        (Some(places.manylinux.clone()), 1, InterpreterOrigin::Manylinux),
        // Python/3.13.0/x64
        (places.tool_cache.as_ref().map(|cache| cache.join("Python")), 2, InterpreterOrigin::ToolCache),
    ];
    for (folder, depth, origin) in installations {
        for installation in folder.map_or(Vec::new(), |folder| below(&folder, depth)) {
            if let Some(program) = PROGRAMS.iter().map(|name| installation.join(name)).find(|path| path.is_file()) {
                found.add(program, origin);
            }
        }
    }
    for folder in places.path {
        // A shim of pyenv starts a shell that looks for the version of the folder one happens to be in; of asdf too.
        if folder.file_name() == Some("shims") {
            continue;
        }
        let mut programs = entries(folder, is_python);
        // Of several names for one file the one that says most: `python3.11` before `python3`.
        programs.sort_by_key(|path| std::cmp::Reverse(path.as_str().len()));
        for program in programs {
            found.add(program, InterpreterOrigin::Path);
        }
    }
    (found.candidates, found.rejected)
}

#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    rejected: Vec<Rejected>,
    seen: BTreeSet<Utf8PathBuf>,
}

impl Found {
    fn add(&mut self, path: Utf8PathBuf, origin: InterpreterOrigin) {
        let real_path = match path.canonicalize_utf8() {
            Ok(real_path) => real_path,
            Err(error) => {
                if self.seen.insert(path.clone()) {
                    self.rejected.push(Rejected { path, origin, reason: error.to_string() });
                }
                return;
            }
        };
        if !self.seen.insert(real_path.clone()) {
            return;
        }
        // The python of a virtual environment is a link to its base, or a copy that nothing can be built with.
        if is_of_environment(&real_path) {
            let reason = "it belongs to a virtual environment".to_owned();
            self.rejected.push(Rejected { path, origin, reason });
            return;
        }
        let path = if is_of_environment(&path) { real_path.clone() } else { path };
        self.candidates.push(Candidate { path, real_path, origin });
    }
}

fn is_of_environment(program: &Utf8Path) -> bool {
    program.parent().is_some_and(|folder| {
        folder.join("pyvenv.cfg").is_file() || folder.parent().is_some_and(|prefix| prefix.join("pyvenv.cfg").is_file())
    })
}

/// `python`, `python3`, `python3.13`, `python3.13t`, each also with `.exe`. Not `python3-config` and `python2`.
fn is_python(name: &str) -> bool {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    match name.strip_prefix("python") {
        None => false,
        Some("" | "3" | "3t") => true,
        Some(rest) => rest.strip_prefix("3.").is_some_and(|rest| {
            let rest = rest.trim_end_matches(['t', 'd']);
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())
        }),
    }
}

/// The folders so many levels below, newest version first by their names.
fn below(folder: &Utf8Path, depth: usize) -> Vec<Utf8PathBuf> {
    let mut folders = entries(folder, |_| true);
    folders.retain(|path| path.is_dir());
    folders.sort_by_cached_key(|path| std::cmp::Reverse(numbers(path.file_name().unwrap_or_default())));
    if depth <= 1 { folders } else { folders.iter().flat_map(|folder| below(folder, depth - 1)).collect() }
}

/// Those with a name that is wanted; none if the folder cannot be read. Names that are not UTF-8 are no Pythons.
fn entries(folder: &Utf8Path, wanted: impl Fn(&str) -> bool) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let entries = entries.filter_map(Result::ok).filter(|entry| wanted(entry.file_name()));
    let mut found: Vec<Utf8PathBuf> = entries.map(camino::Utf8DirEntry::into_path).collect();
    found.sort();
    found
}

/// `3.13.0rc1` → [3, 13, 0, 1]: enough to put versions in order.
pub(crate) fn numbers(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pythons() {
        for name in ["python", "python3", "python3.9", "python3.13", "python3.13t", "python.exe", "python3.14td"] {
            assert!(is_python(name), "{name}");
        }
        for name in [
            "python2",
            "python2.7",
            "python3-config",
            "python3.11-config",
            "pythonw",
            "python3.",
            "ipython",
            "python-argcomplete",
        ] {
            assert!(!is_python(name), "{name}");
        }
    }

    #[test]
    fn versions_in_order() {
        assert!(numbers("3.13.0") > numbers("3.9.18"));
        assert!(numbers("3.12.10") > numbers("3.12.9"));
    }
}

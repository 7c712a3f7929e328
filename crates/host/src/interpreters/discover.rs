//! The files that may be Pythons, by the places where Pythons are. Nothing is run.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use platform::Os;

use super::{
    InterpreterOrigin, Rejected,
    places::{self, PLACES},
};
use crate::environment::Environment;

/// A file to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) path: Utf8PathBuf,
    pub(crate) real_path: Utf8PathBuf,
    pub(crate) origin: InterpreterOrigin,
}

/// Where to look.
#[derive(Debug, Clone)]
pub(crate) struct Places<'a> {
    pub(crate) os: Os,
    pub(crate) root: &'a Utf8Path,
    pub(crate) env: Environment<'a>,
    pub(crate) configured: &'a [Utf8PathBuf],
    /// What launchers and registries name.
    pub(crate) listed: Vec<(Utf8PathBuf, InterpreterOrigin)>,
    /// The folder that uv says it installs into.
    pub(crate) uv: Option<Utf8PathBuf>,
    pub(crate) path: &'a [Utf8PathBuf],
    /// macOS: whether `/usr/bin/python3` would run a Python.
    pub(crate) developer_tools: bool,
}

/// Every candidate once by its real file, in the order of preference, and what is not worth asking.
pub(crate) fn candidates(places: &Places<'_>) -> (Vec<Candidate>, Vec<Rejected>) {
    let mut found = Found { places, candidates: Vec::new(), rejected: Vec::new(), seen: BTreeSet::new() };
    for path in places.configured {
        found.add(path.clone(), InterpreterOrigin::Configured);
    }
    for place in PLACES {
        for installation in place.installations(places.os, places.root, &places.env) {
            found.add_installation(&installation, place.origin);
        }
    }
    for installation in places.uv.iter().flat_map(|folder| places::expand(folder, "cpython-*")) {
        found.add_installation(&installation, InterpreterOrigin::Uv);
    }
    for (path, origin) in &places.listed {
        found.add(path.clone(), *origin);
    }
    for folder in places.path {
        // A shim of pyenv starts a shell that looks for the version of the folder one happens to be in; of asdf and mise too.
        if folder.file_name().is_some_and(|name| name.eq_ignore_ascii_case("shims")) {
            continue;
        }
        for program in programs_in(folder, places.os) {
            found.add(program, InterpreterOrigin::Path);
        }
    }
    (found.candidates, found.rejected)
}

/// The Pythons of one folder. Of several names for one file the one that says most goes first: `python3.11` before
/// `python3`.
fn programs_in(folder: &Utf8Path, os: Os) -> Vec<Utf8PathBuf> {
    let mut programs = entries(folder, |name| is_python(name, os));
    programs.sort_by_key(|path| std::cmp::Reverse(path.as_str().len()));
    programs
}

/// Installations that are not finished have no such file beside them (actions/tool-cache).
const FINISHED: &str = ".complete";

struct Found<'a> {
    places: &'a Places<'a>,
    candidates: Vec<Candidate>,
    rejected: Vec<Rejected>,
    seen: BTreeSet<Utf8PathBuf>,
}

impl Found<'_> {
    fn add_installation(&mut self, installation: &Utf8Path, origin: InterpreterOrigin) {
        let windows = self.places.os == Os::Windows;
        let programs = if windows {
            // python.exe and, of the same installer, python3.13t.exe beside it.
            programs_in(installation, self.places.os)
        } else {
            let bin = installation.join("bin");
            let plain = ["python", "python3"].map(|name| bin.join(name)).into_iter().find(|path| path.is_file());
            // Homebrew and python.org's frameworks have names with a version only.
            plain.map_or_else(|| programs_in(&bin, self.places.os), |program| vec![program])
        };
        if programs.is_empty() {
            return;
        }
        if origin == InterpreterOrigin::ToolCache {
            let marker = Utf8PathBuf::from(format!("{installation}{FINISHED}"));
            if !marker.is_file() {
                let reason = format!("its installation is not finished: `{marker}` is missing");
                self.rejected.extend(programs.into_iter().map(|path| Rejected {
                    path,
                    origin,
                    reason: reason.clone(),
                }));
                return;
            }
        }
        for program in programs {
            self.add(program, origin);
        }
    }

    fn add(&mut self, path: Utf8PathBuf, origin: InterpreterOrigin) {
        // Before anything touches the file: these are opened by looking at them, or open something themselves.
        if let Some(reason) = self.places.only_an_advertisement(&path) {
            if self.seen.insert(path.clone()) {
                self.rejected.push(Rejected { path, origin, reason });
            }
            return;
        }
        let real_path = match disk::real(&path) {
            Ok(real_path) => real_path,
            Err(error) => {
                if self.seen.insert(path.clone()) {
                    let gone = error.kind() == std::io::ErrorKind::NotFound;
                    let reason = if gone && matches!(origin, InterpreterOrigin::Launcher | InterpreterOrigin::Registry)
                    {
                        format!("the {origin} names it, but it is not there (any more)")
                    } else {
                        error.to_string()
                    };
                    self.rejected.push(Rejected { path, origin, reason });
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

impl Places<'_> {
    /// A file that is called Python and, when run, opens a window that offers to install one.
    fn only_an_advertisement(&self, path: &Utf8Path) -> Option<String> {
        let folder = path.parent()?;
        match self.os {
            Os::Windows => {
                let mut names = folder.as_str().rsplit(['\\', '/']).filter(|name| !name.is_empty());
                let of_store = ["WindowsApps", "Microsoft"]
                    .into_iter()
                    .all(|expected| names.next().is_some_and(|name| name.eq_ignore_ascii_case(expected)));
                of_store.then(|| {
                    "it is an alias of the Microsoft Store, which may open the Store instead of a Python; one that is \
                     installed is found by its launcher or the registry"
                        .to_owned()
                })
            }
            Os::MacOs => (folder == self.root.join("usr/bin") && !self.developer_tools).then(|| {
                "it only asks to install Apple's command line tools, which are not there (`xcode-select --install`)"
                    .to_owned()
            }),
            Os::Linux => None,
        }
    }
}

fn is_of_environment(program: &Utf8Path) -> bool {
    program.parent().is_some_and(|folder| {
        folder.join("pyvenv.cfg").is_file() || folder.parent().is_some_and(|prefix| prefix.join("pyvenv.cfg").is_file())
    })
}

/// `python`, `python3`, `python3.13`, `python3.13t`; on Windows each with `.exe`. Not `python3-config` and `python2`.
fn is_python(name: &str, os: Os) -> bool {
    let name = match os {
        Os::Windows => name.to_ascii_lowercase().strip_suffix(".exe").map(str::to_owned),
        Os::Linux | Os::MacOs => Some(name.to_owned()),
    };
    let Some(rest) = name.as_deref().and_then(|name| name.strip_prefix("python")) else { return false };
    match rest {
        "" | "3" | "3t" => true,
        _ => rest.strip_prefix("3.").is_some_and(|rest| {
            let rest = rest.trim_end_matches(['t', 'd']);
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())
        }),
    }
}

/// Those with a name that is wanted; none if the folder cannot be read. Names that are not UTF-8 are no Pythons.
pub(super) fn entries(folder: &Utf8Path, wanted: impl Fn(&str) -> bool) -> Vec<Utf8PathBuf> {
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
        for name in ["python", "python3", "python3.9", "python3.13", "python3.13t", "python3.14td"] {
            assert!(is_python(name, Os::Linux), "{name}");
            assert!(!is_python(name, Os::Windows), "{name}");
            assert!(is_python(&format!("{name}.exe"), Os::Windows), "{name}");
            assert!(is_python(&format!("{name}.EXE").to_uppercase(), Os::Windows), "{name}");
        }
        for name in [
            "python2",
            "python2.7",
            "python3-config",
            "python3.11-config",
            "python3.13-intel64",
            "pythonw",
            "python3.",
            "python.exe",
            "ipython",
            "python-argcomplete",
        ] {
            assert!(!is_python(name, Os::MacOs), "{name}");
        }
        for name in ["pythonw.exe", "python_d.exe", "python.bat", "python3.13"] {
            assert!(!is_python(name, Os::Windows), "{name}");
        }
    }

    #[test]
    fn versions_in_order() {
        assert!(numbers("3.13.0") > numbers("3.9.18"));
        assert!(numbers("3.12.10") > numbers("3.12.9"));
    }
}

//! The places where Pythons are, as data: per system, below which folder, and what is found there called.

use camino::{Utf8Path, Utf8PathBuf};
use platform::Os;

use super::{
    InterpreterOrigin,
    discover::{entries, numbers},
};
use crate::environment::Environment;

/// Folders of installations that one tool or vendor makes.
pub(super) struct Place {
    /// Where it is looked at.
    pub(super) systems: &'static [Os],
    /// Below what: a variable and a folder below its value; the first variable that is set counts. [`ROOT`] and [`HOME`]
    /// are always set.
    pub(super) bases: &'static [(&'static str, &'static str)],
    /// The installation's folder, each `*` any text within a name.
    pub(super) pattern: &'static str,
    /// What a Python there is called.
    pub(super) origin: InterpreterOrigin,
}

/// In place of a variable: where the file system begins.
pub(super) const ROOT: &str = "/";
/// In place of a variable: the user's folder.
pub(super) const HOME: &str = "~";

const ALL: &[Os] = &[Os::Linux, Os::MacOs, Os::Windows];
const POSIX: &[Os] = &[Os::Linux, Os::MacOs];

/// Sources: the documentation of pyenv and pyenv-win; the manylinux images; actions/python-versions (`installers/`) and
/// actions/tool-cache for the tool cache; python.org's installers ("Using Python on macOS", "Using Python on Windows"); PEP
/// 773 for the install manager's folder; uv's "Storage" page; Homebrew's and MacPorts' layouts; Xcode.
pub(super) const PLACES: &[Place] = &[
    Place {
        systems: POSIX,
        bases: &[("PYENV_ROOT", ""), (HOME, ".pyenv")],
        pattern: "versions/*",
        origin: InterpreterOrigin::Pyenv,
    },
    Place {
        systems: &[Os::Windows],
        bases: &[("PYENV_ROOT", ""), ("PYENV", ""), (HOME, ".pyenv/pyenv-win")],
        pattern: "versions/*",
        origin: InterpreterOrigin::Pyenv,
    },
    Place {
        systems: &[Os::Linux],
        bases: &[(ROOT, "")],
        pattern: "opt/python/*",
        origin: InterpreterOrigin::Manylinux,
    },
    // 3.13.1/x64, 3.13.1/arm64, 3.13.1/x64-freethreaded, 3.13.1/x86
    Place {
        systems: ALL,
        bases: &[("RUNNER_TOOL_CACHE", ""), ("AGENT_TOOLSDIRECTORY", "")],
        pattern: "Python/*/*",
        origin: InterpreterOrigin::ToolCache,
    },
    Place {
        systems: &[Os::MacOs],
        bases: &[(ROOT, "Library/Frameworks")],
        pattern: "Python.framework/Versions/*",
        origin: InterpreterOrigin::Framework,
    },
    Place {
        systems: &[Os::MacOs],
        bases: &[(ROOT, "Library/Frameworks")],
        pattern: "PythonT.framework/Versions/*",
        origin: InterpreterOrigin::Framework,
    },
    Place {
        systems: &[Os::Windows],
        bases: &[("LOCALAPPDATA", "")],
        pattern: "Python/pythoncore-*",
        origin: InterpreterOrigin::Installer,
    },
    Place {
        systems: &[Os::Windows],
        bases: &[("LOCALAPPDATA", "")],
        pattern: "Programs/Python/Python*",
        origin: InterpreterOrigin::Installer,
    },
    Place {
        systems: &[Os::Windows],
        bases: &[("ProgramFiles", "")],
        pattern: "Python3*",
        origin: InterpreterOrigin::Installer,
    },
    Place {
        systems: &[Os::Windows],
        bases: &[("ProgramFiles(x86)", "")],
        pattern: "Python3*",
        origin: InterpreterOrigin::Installer,
    },
    // Chocolatey's python313
    Place { systems: &[Os::Windows], bases: &[(ROOT, "")], pattern: "Python3*", origin: InterpreterOrigin::Installer },
    Place {
        systems: POSIX,
        bases: &[("UV_PYTHON_INSTALL_DIR", ""), ("XDG_DATA_HOME", "uv/python"), (HOME, ".local/share/uv/python")],
        pattern: "cpython-*",
        origin: InterpreterOrigin::Uv,
    },
    Place {
        systems: &[Os::Windows],
        bases: &[("UV_PYTHON_INSTALL_DIR", ""), ("APPDATA", "uv/python")],
        pattern: "cpython-*",
        origin: InterpreterOrigin::Uv,
    },
    Place {
        systems: &[Os::Windows],
        bases: &[("APPDATA", "uv/data/python")],
        pattern: "cpython-*",
        origin: InterpreterOrigin::Uv,
    },
    Place { systems: ALL, bases: &[("CONDA_PREFIX", "")], pattern: "", origin: InterpreterOrigin::Conda },
    Place {
        systems: &[Os::MacOs],
        bases: &[("HOMEBREW_PREFIX", ""), (ROOT, "opt/homebrew")],
        pattern: "opt/python*",
        origin: InterpreterOrigin::Homebrew,
    },
    Place {
        systems: &[Os::MacOs],
        bases: &[(ROOT, "usr/local")],
        pattern: "opt/python*",
        origin: InterpreterOrigin::Homebrew,
    },
    Place {
        systems: &[Os::Linux],
        bases: &[("HOMEBREW_PREFIX", ""), (ROOT, "home/linuxbrew/.linuxbrew")],
        pattern: "opt/python*",
        origin: InterpreterOrigin::Homebrew,
    },
    Place {
        systems: &[Os::MacOs],
        bases: &[(ROOT, "opt/local/Library/Frameworks")],
        pattern: "Python.framework/Versions/*",
        origin: InterpreterOrigin::MacPorts,
    },
    Place {
        systems: &[Os::MacOs],
        bases: &[(ROOT, "Library/Developer/CommandLineTools/Library/Frameworks")],
        pattern: "Python3.framework/Versions/*",
        origin: InterpreterOrigin::Xcode,
    },
    Place {
        systems: &[Os::MacOs],
        bases: &[(ROOT, "Applications")],
        pattern: "Xcode*.app/Contents/Developer/Library/Frameworks/Python3.framework/Versions/*",
        origin: InterpreterOrigin::Xcode,
    },
];

impl Place {
    /// The installations that are there, newest first.
    pub(super) fn installations(&self, os: Os, root: &Utf8Path, env: &Environment<'_>) -> Vec<Utf8PathBuf> {
        if !self.systems.contains(&os) {
            return Vec::new();
        }
        let base = self.bases.iter().find_map(|(variable, below)| {
            let base = match *variable {
                ROOT => Some(root.to_owned()),
                HOME => env.home(),
                name => env.folder(name),
            };
            base.map(|base| if below.is_empty() { base } else { base.join(below) })
        });
        base.map_or(Vec::new(), |base| expand(&base, self.pattern))
    }
}

/// The folders that a pattern means below a folder, newest version first by their names, links after what they point to.
pub(super) fn expand(base: &Utf8Path, pattern: &str) -> Vec<Utf8PathBuf> {
    let mut folders = vec![base.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        folders = match part.split_once('*') {
            None => folders.into_iter().map(|folder| folder.join(part)).collect(),
            Some((start, end)) => folders.iter().flat_map(|folder| matching(folder, start, end)).collect(),
        };
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

fn matching(folder: &Utf8Path, start: &str, end: &str) -> Vec<Utf8PathBuf> {
    let mut found =
        entries(folder, |name| name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end));
    found.retain(|path| path.is_dir());
    found.sort_by_cached_key(|path| {
        (path.is_symlink(), std::cmp::Reverse(numbers(path.file_name().unwrap_or_default())))
    });
    found
}

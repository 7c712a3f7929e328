//! The Pythons of this machine: where they are looked for, and what each says of itself.

mod ask;
mod discover;
pub(crate) mod listed;
mod places;

use camino::Utf8PathBuf;
use platform::PythonVersion;
use serde::{Deserialize, Serialize};

pub(crate) use ask::ask_all;
pub(crate) use discover::{Candidate, Places, candidates, numbers};

use crate::Libc;

/// One Python that can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interpreter {
    /// As it was found: what to run and to show.
    pub path: Utf8PathBuf,
    /// The file behind it.
    pub real_path: Utf8PathBuf,
    /// How it was found first.
    pub origin: InterpreterOrigin,
    /// Other Pythons with the same tag, which are not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<Duplicate>,
    /// What changes when the file does: goes into cache keys.
    pub fingerprint: String,
    /// In full: `3.13.0`, `3.14.0rc1`.
    pub version: String,
    /// Its release line, and whether it was built without the global lock: `cp313`, `cp313t`.
    pub python: PythonVersion,
    /// `cpython`.
    pub implementation: String,
    /// Built with `Py_DEBUG`.
    pub debug: bool,
    /// `sys.abiflags`.
    #[serde(default)]
    pub abi_flags: String,
    /// `cpython-313-x86_64-linux-gnu`; on Windows mostly none.
    #[serde(default)]
    pub soabi: Option<String>,
    /// `.cpython-313-x86_64-linux-gnu.so`.
    pub ext_suffix: String,
    /// `sysconfig.get_platform()`: `linux-x86_64`, `macosx-11.0-arm64`, `win-amd64`.
    pub platform: String,
    /// 32 or 64.
    pub bits: u8,
    /// `sys.base_prefix`.
    pub prefix: Utf8PathBuf,
    /// Where `Python.h` is or would be.
    pub include_dir: Option<Utf8PathBuf>,
    /// Whether it is there, and on Windows the import library too, without which nothing links.
    pub has_headers: bool,
    /// Folders that may hold libpython.
    #[serde(default)]
    pub library_dirs: Vec<Utf8PathBuf>,
    /// The standard library.
    pub stdlib: Option<Utf8PathBuf>,
    /// Whether it can make virtual environments with pip in them.
    pub has_venv: bool,
    /// Why not: the error of importing `venv`, `ensurepip` or `zlib`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venv_error: Option<String>,
    /// Its own code lies in a shared libpython.
    pub shared_libpython: bool,
    /// Linux only: the C library it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libc: Option<Libc>,
    /// macOS only: the oldest system it was built for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macos_deployment_target: Option<String>,
}

impl Interpreter {
    /// An alpha, beta or release candidate, whose ABI may not be final.
    pub fn is_prerelease(&self) -> bool {
        self.version.contains(|c: char| c.is_ascii_alphabetic())
    }

    /// Whether extensions can be built with it and tried in fresh environments.
    pub fn is_complete(&self) -> bool {
        self.has_headers && self.has_venv
    }
}

/// How an interpreter was found. The order is that of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InterpreterOrigin {
    /// Somebody named the file.
    Configured,
    /// A version of pyenv.
    Pyenv,
    /// `/opt/python` of the manylinux and musllinux images.
    Manylinux,
    /// The tool cache of GitHub's and Azure's runners.
    ToolCache,
    /// A framework of python.org's installer for macOS.
    Framework,
    /// The `py` launcher of Windows, or the install manager that follows it, names it.
    Launcher,
    /// The registry of Windows names it (PEP 514).
    Registry,
    /// The folder that python.org's installers and install manager for Windows take by themselves.
    Installer,
    /// uv installed it.
    Uv,
    /// The active conda environment.
    Conda,
    /// A folder of PATH.
    Path,
    /// A keg of Homebrew. It is built for the system that it runs on, so its wheels are for no older one.
    Homebrew,
    /// MacPorts installed it.
    MacPorts,
    /// It came with Xcode or Apple's command line tools.
    Xcode,
}

impl std::fmt::Display for InterpreterOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Configured => "configured",
            Self::Pyenv => "pyenv",
            Self::Manylinux => "/opt/python",
            Self::ToolCache => "tool cache",
            Self::Framework => "framework",
            Self::Launcher => "py launcher",
            Self::Registry => "registry",
            Self::Installer => "installer's folder",
            Self::Uv => "uv",
            Self::Conda => "conda",
            Self::Path => "PATH",
            Self::Homebrew => "Homebrew",
            Self::MacPorts => "MacPorts",
            Self::Xcode => "Xcode",
        })
    }
}

/// A Python whose tag another one has too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// As it was found.
    pub path: Utf8PathBuf,
    /// How it was found.
    pub origin: InterpreterOrigin,
    /// In full.
    pub version: String,
}

/// A file that looked like a Python and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// As it was found.
    pub path: Utf8PathBuf,
    /// How it was found.
    pub origin: InterpreterOrigin,
    /// Why not.
    pub reason: String,
}

/// Of those with the same tag keeps one: a complete one before one that lacks headers or venv, then by origin, then
/// the newest. Oldest Python first.
pub(crate) fn one_of_each(mut all: Vec<Interpreter>) -> Vec<Interpreter> {
    all.sort_by(|a, b| {
        order_of(a)
            .cmp(&order_of(b))
            .then_with(|| b.is_complete().cmp(&a.is_complete()))
            .then_with(|| a.origin.cmp(&b.origin))
            .then_with(|| patch_of(b).cmp(&patch_of(a)))
            .then_with(|| a.path.cmp(&b.path))
    });
    let mut kept: Vec<Interpreter> = Vec::new();
    for interpreter in all {
        match kept.last_mut().filter(|last| order_of(last) == order_of(&interpreter)) {
            Some(last) => last.duplicates.push(Duplicate {
                path: interpreter.path,
                origin: interpreter.origin,
                version: interpreter.version,
            }),
            None => kept.push(interpreter),
        }
    }
    kept
}

/// What makes Pythons different ones. On Windows for ARM those of both architectures run, and have as many bits.
fn order_of(interpreter: &Interpreter) -> (&str, PythonVersion, bool, u8, bool) {
    let arm = interpreter.platform.eq_ignore_ascii_case("win-arm64");
    (&interpreter.implementation, interpreter.python, interpreter.debug, interpreter.bits, arm)
}

/// A release counts for more than a candidate for it.
fn patch_of(interpreter: &Interpreter) -> (Vec<u32>, bool) {
    (numbers(&interpreter.version), !interpreter.is_prerelease())
}

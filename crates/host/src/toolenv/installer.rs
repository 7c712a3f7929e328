//! What makes environments and installs into them: uv where it is there and may be used, else `venv` and pip.
//!
//! Both make the same environment from the same requirements: the folder, the interpreter, what is in it. Neither puts a
//! pip inside.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use exec::Step;
use serde::{Deserialize, Serialize};

/// The script that runs the pip of the interpreter that it is run with. Where environments are made with pip it has to lie
/// where [`Installer::install`] was told.
pub const BUNDLED_PIP: &str = include_str!("bundled_pip.py");

/// What makes environments on a machine. Without anything known of a machine: `venv` and pip, which every Python has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installer {
    /// uv, if it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uv: Option<Uv>,
    /// Why uv is not used although it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// uv, and what it has to be told of what pip is told by its own configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uv {
    /// The program.
    pub path: Utf8PathBuf,
    /// `0.9.5`.
    pub version: String,
    /// The user's own uv.toml, or the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Utf8PathBuf>,
    /// Arguments of `uv pip install` that say what pip's configuration says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Variables that say it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// Whether the files of an environment may be the same ones as in uv's cache (hard links, several times faster than
/// copies). pip always copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// For an environment that nobody alters.
    Shared,
    /// For one in which somebody else's tests run: what they do to it must not reach the cache.
    Own,
}

impl Installer {
    /// Whether nothing is known but the usual.
    pub(crate) fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The name to show.
    pub fn name(&self) -> &'static str {
        if self.uv.is_some() { "uv" } else { "pip" }
    }

    /// Whether an environment can be made for an interpreter without its `venv` and `ensurepip`, which some systems have
    /// in a package of their own.
    pub fn needs_venv(&self) -> bool {
        self.uv.is_none()
    }

    /// The command line that makes an empty environment in `dir`, replacing what is there.
    pub fn make(&self, base_python: &Utf8Path, dir: &Utf8Path) -> Vec<String> {
        let (base_python, dir) = (base_python.as_str(), dir.as_str());
        match &self.uv {
            // `--no-project`: what lies around the folder must not say which Python is right.
            Some(uv) => {
                let mut argv = uv.words("venv");
                argv.extend(words(&["--clear", "--no-project", "--no-python-downloads", "--python", base_python, dir]));
                argv
            }
            None => words(&[base_python, "-m", "venv", "--clear", "--without-pip", dir]),
        }
    }

    /// The command line that installs into the environment whose interpreter is `python`. `wanted` are requirements, wheels
    /// and the options that pip and uv share (`-r`, `--require-hashes`); `bundled_pip` is where [`BUNDLED_PIP`] lies.
    pub fn install(&self, python: &Utf8Path, files: Files, bundled_pip: &Utf8Path, wanted: &[&str]) -> Vec<String> {
        let mut argv = match &self.uv {
            Some(uv) => {
                let mut argv = uv.words("pip");
                argv.extend(words(&["install", "--no-progress", "--python", python.as_str()]));
                if files == Files::Own {
                    argv.extend(words(&["--link-mode", "copy"]));
                }
                argv.extend(uv.arguments.iter().cloned());
                argv
            }
            None => {
                words(&[python.as_str(), bundled_pip.as_str(), "install", "--disable-pip-version-check", "--no-input"])
            }
        };
        argv.extend(words(wanted));
        argv
    }

    /// A step that runs one of these command lines: with what it needs of the environment and what it has to be told by
    /// variables.
    #[must_use]
    pub fn prepared(&self, mut step: Step) -> Step {
        step.network = true;
        for (name, value) in self.uv.iter().flat_map(|uv| &uv.variables) {
            step = step.with_env(name, value);
        }
        step
    }
}

impl Uv {
    /// A command of uv's. By itself it would take the settings of the nearest pyproject.toml upwards, constraints and all;
    /// those of the project that is built are not meant for its tools.
    fn words(&self, command: &str) -> Vec<String> {
        let mut argv = words(&[self.path.as_str(), command]);
        match &self.config {
            Some(file) => argv.extend(words(&["--config-file", file.as_str()])),
            None => argv.push("--no-config".to_owned()),
        }
        argv
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

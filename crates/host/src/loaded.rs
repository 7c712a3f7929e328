//! The script that lists the shared libraries of a Python process, and the shape of what it writes.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// The script: to be written to a file and run as `python FILE import …` or `python FILE hook`; its docstring has the
/// arguments. Python 3.6 or newer.
pub const SCRIPT: &str = include_str!("loaded.py");

/// With this variable set to a folder, every process of an environment into which the script was hooked writes a file
/// there at its exit.
pub const HOOK_VARIABLE: &str = "WHEELPROOF_LOADED_DIR";

/// What one process had loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// The version of this format; 1.
    pub schema_version: u32,
    /// The number of the process.
    pub pid: u64,
    /// What it was started with.
    #[serde(default)]
    pub argv: Vec<String>,
    /// `sys.platform`.
    pub platform: String,
    /// `sys.executable`; `None` where an embedded interpreter has none.
    pub executable: Option<Utf8PathBuf>,
    /// `sys.prefix`: the environment.
    pub prefix: Utf8PathBuf,
    /// `sys.base_prefix`: the interpreter that the environment was made from.
    pub base_prefix: Utf8PathBuf,
    /// Of Python.
    pub version: String,
    /// The module that was being imported when the process ended, if it did not live to say more.
    #[serde(default)]
    pub current: Option<String>,
    /// In the order of time; each with what it added.
    pub phases: Vec<Phase>,
}

/// A moment at which the libraries were listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Which moment.
    pub phase: PhaseKind,
    /// Of an import: why it was imported.
    pub role: Option<Role>,
    /// Of an import: the name.
    pub module: Option<String>,
    /// Of an import that worked: where the module lies.
    pub file: Option<Utf8PathBuf>,
    /// Of an import: how long it took.
    pub seconds: Option<f64>,
    /// Why it failed.
    pub error: Option<ImportFailure>,
    /// Libraries that were not there in the phases before.
    pub libraries: Vec<Library>,
}

/// The moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseKind {
    /// The interpreter alone.
    Baseline,
    /// After a module was imported, or could not be.
    Import,
    /// The end of the process.
    Exit,
}

/// Why a module is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A neighbour that must get along, imported first.
    Before,
    /// What is proven.
    Subject,
    /// A neighbour that must get along, imported last.
    After,
}

/// The exception of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFailure {
    /// `ImportError`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its text.
    pub message: String,
    /// As Python prints it.
    pub traceback: String,
}

/// A library in the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// As the system names it.
    pub path: Utf8PathBuf,
    /// The file was removed or replaced since it was loaded.
    #[serde(default)]
    pub deleted: bool,
    /// It was brought in by the listing itself (`ctypes` on macOS and Windows).
    #[serde(default)]
    pub listing: bool,
}

/// Text that the script did not write.
#[derive(Debug, thiserror::Error)]
#[error("the list of loaded libraries cannot be read: {0}")]
pub struct LoadedError(#[from] serde_json::Error);

/// Reads what the script wrote.
pub fn parse(text: &str) -> Result<Loaded, LoadedError> {
    Ok(serde_json::from_str(text)?)
}

impl Loaded {
    /// Every library of the process, in the order of loading as far as it is known.
    pub fn libraries(&self) -> impl Iterator<Item = &Library> {
        self.phases.iter().flat_map(|phase| &phase.libraries)
    }

    /// The imports that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &ImportFailure)> {
        self.phases.iter().filter_map(|phase| Some((phase.module.as_deref()?, phase.error.as_ref()?)))
    }
}

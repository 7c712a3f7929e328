//! What is known about the machine, as one value that can be written down and read back.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use platform::{Arch, Os};
use serde::{Deserialize, Serialize};

use crate::{
    interpreters::{Interpreter, Rejected},
    packages::PackageManager,
    sources::SourceDigest,
};

/// Everything a plan depends on that is not in the configuration. Written by `probe`; a file of it (`--world FILE`)
/// makes plans for other machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The version of this format; see [`World::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The operating system.
    pub os: Os,
    /// The processor's architecture, of the system that runs (not of a single interpreter).
    pub arch: Arch,
    /// Linux only: the C library programs are linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libc: Option<Libc>,
    /// How many processors may be used.
    pub cpus: usize,
    /// Memory in bytes, where the system says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Whether the process may install packages without asking for more rights.
    pub is_root: bool,
    /// Every usable Python, oldest version first; one per version, implementation and ABI.
    #[serde(default)]
    pub interpreters: Vec<Interpreter>,
    /// Pythons that were found and cannot be used, with the reason.
    #[serde(default)]
    pub rejected: Vec<Rejected>,
    /// Programs found on PATH by name (`git`, `c++`, `ninja`, …); what is not here was not found.
    #[serde(default)]
    pub tools: BTreeMap<String, Utf8PathBuf>,
    /// The system's package manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_manager: Option<PackageManager>,
    /// Every LLVM, and every place that was looked at.
    #[serde(default)]
    pub llvm: llvm::Findings,
    /// The part of the environment that changes what a build makes.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The state of each project's sources, by the project's key.
    #[serde(default)]
    pub sources: BTreeMap<String, SourceDigest>,
}

/// The C library of a Linux system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Libc {
    /// Which one.
    pub kind: LibcKind,
    /// `2.36`, `1.2.4`.
    pub version: String,
}

/// The C libraries for which Python has platform tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LibcKind {
    /// GNU, the `manylinux` tags.
    Glibc,
    /// The `musllinux` tags.
    Musl,
}

/// A file that holds no World this program can use.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not JSON of the expected shape.
    #[error("`{path}` does not describe a machine: {reason}")]
    Malformed {
        /// The file.
        path: Utf8PathBuf,
        /// The JSON error with line and column.
        reason: String,
    },
    /// It was written by another version of the format.
    #[error("`{path}` has schema_version {found}; this program reads {}", World::SCHEMA_VERSION)]
    Schema {
        /// The file.
        path: Utf8PathBuf,
        /// The version the file says.
        found: u64,
    },
}

impl World {
    /// The version of the format this program writes and reads.
    pub const SCHEMA_VERSION: u32 = 1;

    /// Reads what [`World::write`] wrote. The version is looked at before the rest, so that a file of another version
    /// is called that and not a list of unknown fields.
    pub fn read(file: &Utf8Path) -> Result<Self, WorldError> {
        let malformed =
            |error: serde_json::Error| WorldError::Malformed { path: file.to_owned(), reason: error.to_string() };
        let text = fs_err::read_to_string(file)?;
        let value: serde_json::Value = serde_json::from_str(&text).map_err(malformed)?;
        match value.get("schema_version").and_then(serde_json::Value::as_u64) {
            Some(found) if found != u64::from(Self::SCHEMA_VERSION) => {
                Err(WorldError::Schema { path: file.to_owned(), found })
            }
            // From the text again, because only then an error has its line.
            _ => serde_json::from_str(&text).map_err(malformed),
        }
    }

    /// Writes it as JSON, for `--world` and for bug reports.
    pub fn write(&self, file: &Utf8Path) -> Result<(), WorldError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| WorldError::Malformed { path: file.to_owned(), reason: error.to_string() })?;
        Ok(fs_err::write(file, text + "\n")?)
    }
}

//! What is known about the machine, as one value that can be written down and read back.

use std::collections::BTreeMap;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use platform::{Arch, Os};
use serde::{Deserialize, Serialize};

use crate::{
    interpreters::{Interpreter, Rejected},
    packages::PackageManager,
    sources::SourceDigest,
    toolenv::Installer,
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
    /// The folder that plans are made for, as this machine writes it: where the project lies there. Only files have it
    /// (`doctor --save-world` writes it); a plan for a recorded machine is so the same wherever it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout: Option<Utf8PathBuf>,
    /// Every usable Python, oldest version first; one per version, implementation and ABI.
    #[serde(default)]
    pub interpreters: Vec<Interpreter>,
    /// Pythons that were found and cannot be used, with the reason.
    #[serde(default)]
    pub rejected: Vec<Rejected>,
    /// Programs found on PATH by name (`git`, `c++`, `ninja`, …); what is not here was not found.
    #[serde(default)]
    pub tools: BTreeMap<String, Utf8PathBuf>,
    /// Windows only: the folders of the Visual Studios (Build Tools too) that have a C++ compiler for this machine. Build systems
    /// find it there though it is not on PATH. Files that were written before this was asked have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visual_studios: Option<Vec<Utf8PathBuf>>,
    /// What tells the compilers here from others of the same names, by the variables that name them (`CC`, `CXX`, `RUSTC`).
    #[serde(default)]
    pub compilers: BTreeMap<String, String>,
    /// What makes Python environments here.
    #[serde(default, skip_serializing_if = "Installer::is_unknown")]
    pub installer: Installer,
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
    /// It is no file.
    #[error("`{path}` is a folder, not the description of a machine")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
    },
    /// It is larger than the description of any machine.
    #[error("`{path}` is larger than {} MB, which no description of a machine is", World::LARGEST / 1_000_000)]
    TooLarge {
        /// The file.
        path: Utf8PathBuf,
    },
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

impl WorldError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io(_) => None,
            Self::Folder { .. } | Self::TooLarge { .. } | Self::Malformed { .. } => {
                Some("`cargo xtask doctor --save-world FILE` writes one, on the machine that it describes")
            }
            Self::Schema { .. } => Some(
                "write it anew with this version, on the machine that it describes: `cargo xtask doctor --save-world FILE`",
            ),
        }
    }
}

impl World {
    /// The version of the format this program writes and reads.
    pub const SCHEMA_VERSION: u32 = 1;

    /// Bytes that a file of it may have. A machine with forty Pythons has 100 kB.
    const LARGEST: u64 = 16_000_000;

    /// Reads what [`World::write`] wrote. The version is looked at before the rest, so that a file of another version
    /// is called that and not a list of unknown fields.
    ///
    /// # Errors
    /// [`WorldError`]; no file makes it take more than [`World::LARGEST`] bytes.
    pub fn read(file: &Utf8Path) -> Result<Self, WorldError> {
        let malformed = |reason: String| WorldError::Malformed { path: file.to_owned(), reason };
        let text = text_of(file)?;
        // What PowerShell writes begins with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if text.trim().is_empty() {
            return Err(malformed("the file is empty".to_owned()));
        }
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
            let cut = error.is_eof().then(|| format!("it ends in line {}, before it is whole", error.line()));
            malformed(cut.unwrap_or_else(|| error.to_string()))
        })?;
        let Some(version) = value.get("schema_version") else {
            return Err(malformed("it says no schema_version".to_owned()));
        };
        match version.as_u64() {
            Some(found) if found != u64::from(Self::SCHEMA_VERSION) => {
                Err(WorldError::Schema { path: file.to_owned(), found })
            }
            // From the text again, because only then an error has its line.
            _ => serde_json::from_str(text).map_err(|error| malformed(error.to_string())),
        }
    }

    /// Writes it as JSON, for `--world` and for bug reports.
    ///
    /// # Errors
    /// [`WorldError::Io`].
    pub fn write(&self, file: &Utf8Path) -> Result<(), WorldError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| WorldError::Malformed { path: file.to_owned(), reason: error.to_string() })?;
        Ok(fs_err::write(file, text + "\n")?)
    }

    /// The folder that a plan for this machine is made for: the recorded one; without one `here` if this machine could
    /// have it, else a folder of its own in the machine's way of writing.
    pub fn checkout_for(&self, here: &Utf8Path) -> Utf8PathBuf {
        let style = self.os.path_style();
        match &self.checkout {
            Some(checkout) => checkout.clone(),
            None if platform::PathStyle::of(here.as_str()) == Some(style) => here.to_owned(),
            None if style == platform::PathStyle::Windows => "C:\\checkout".into(),
            None => "/checkout".into(),
        }
    }
}

/// A file's text, as long as it may be.
fn text_of(file: &Utf8Path) -> Result<String, WorldError> {
    if file.is_dir() {
        return Err(WorldError::Folder { path: file.to_owned() });
    }
    let mut bytes = Vec::new();
    fs_err::File::open(file)?.take(World::LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > World::LARGEST {
        return Err(WorldError::TooLarge { path: file.to_owned() });
    }
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let reason = if utf16 { "it is UTF-16, not UTF-8".to_owned() } else { format!("byte {place} is not UTF-8") };
        WorldError::Malformed { path: file.to_owned(), reason }
    })
}

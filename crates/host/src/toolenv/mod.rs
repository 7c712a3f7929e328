//! Python environments that hold tools (build front end and backend, auditwheel …): made once from a lock, kept below
//! target/wheelproof/tools, used offline afterwards.
//!
//! Which program made one is no part of it: what is inside is the same, so uv on PATH or not makes no other environment.

mod installer;
mod pip_settings;
mod uv;

use crate::Interpreter;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Runner, Step, StepError};
use platform::paths;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use installer::{BUNDLED_PIP, Files, Installer, Uv};
pub(crate) use uv::installer;

/// An environment of tools. Its folder's name is a digest of everything that makes it up, so that a change of the lock
/// or of the interpreter makes a new one and an old one is never altered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolEnvironment {
    /// What it is for: `build`, `repair`.
    pub purpose: String,
    /// Its folder.
    pub dir: Utf8PathBuf,
    /// The interpreter inside.
    pub python: Utf8PathBuf,
    /// The folder of its programs, to be put on PATH first.
    pub programs: Utf8PathBuf,
    /// The interpreter that it is made with.
    pub base_python: Utf8PathBuf,
    /// The text of a requirements file.
    pub requirements: String,
    /// True when every requirement is pinned with hashes.
    pub locked: bool,
}

/// Seconds that making an environment may take: cmake and ninja are 30 MB together.
const TIME_LIMIT: u64 = 900;

impl ToolEnvironment {
    /// The environment for a purpose, an interpreter and a text of requirements, below `tools_dir`.
    pub fn new(tools_dir: &Utf8Path, purpose: &str, base: &Interpreter, requirements: &str, windows: bool) -> Self {
        let mut digest = Sha256::new();
        for part in [purpose, base.path.as_str(), &base.fingerprint, requirements] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        let hex: String = crate::sources::hex(&digest.finalize()).chars().take(16).collect();
        let dir = paths::join(tools_dir, format!("{purpose}-{}-{hex}", base.python));
        let programs = paths::join(&dir, if windows { "Scripts" } else { "bin" });
        Self {
            purpose: purpose.to_owned(),
            python: paths::join(&programs, if windows { "python.exe" } else { "python" }),
            programs,
            base_python: base.path.clone(),
            requirements: requirements.to_owned(),
            locked: requirements.contains("--hash="),
            dir,
        }
    }

    fn requirements_file(&self) -> Utf8PathBuf {
        paths::with_ending(&self.dir, ".txt")
    }

    /// Written last: without it the environment is taken to be half made.
    fn marker(&self) -> Utf8PathBuf {
        paths::join(&self.dir, "wheelproof-complete")
    }

    /// Whether it is there and whole.
    pub fn is_complete(&self) -> bool {
        self.marker().is_file() && self.python.is_file()
    }

    /// Where the script lies that runs pip; one for all environments of a folder.
    fn bundled_pip(&self) -> Utf8PathBuf {
        paths::join(self.parent(), "bundled_pip.py")
    }

    fn parent(&self) -> &Utf8Path {
        paths::parent(&self.dir).unwrap_or(&self.dir)
    }

    /// The steps that make it with what every Python has. See [`ToolEnvironment::steps_by`].
    pub fn steps(&self, log_dir: &Utf8Path) -> Vec<Step> {
        self.steps_by(&Installer::default(), log_dir)
    }

    /// The steps that make it: an environment, then what it holds, wheels only. Each environment logs to a folder of its own
    /// name below `log_dir`: several are made at once.
    pub fn steps_by(&self, installer: &Installer, log_dir: &Utf8Path) -> Vec<Step> {
        let log_dir = paths::join(log_dir, paths::file_name(&self.dir).unwrap_or_default());
        let step = |name: &str, argv: Vec<String>| {
            let name = format!("tools-{}-{name}", self.purpose);
            let log = paths::join(&log_dir, format!("{name}.log"));
            let mut step = Step::new(name, argv, self.parent(), log).with_timeout(TIME_LIMIT);
            step.clean_env = true;
            installer.prepared(step)
        };
        let requirements = self.requirements_file();
        let mut wanted = Vec::new();
        if self.locked {
            wanted.extend(["--require-hashes", "--only-binary=:all:"]);
        }
        wanted.extend(["-r", requirements.as_str()]);
        vec![
            step("venv", installer.make(&self.base_python, &self.dir)),
            step("install", installer.install(&self.python, Files::Shared, &self.bundled_pip(), &wanted)),
        ]
    }

    /// Makes it unless it is there; nothing half-made is ever taken for whole. Returns whether it was made now.
    ///
    /// # Errors
    /// What the steps say (no network, a hash that does not fit), or the file that could not be written.
    pub fn ensure(&self, steps: &[Step], runner: &Runner<'_>) -> Result<bool, ToolEnvironmentError> {
        if self.is_complete() {
            return Ok(false);
        }
        fs_err::create_dir_all(self.parent())?;
        disk::write(&self.bundled_pip(), BUNDLED_PIP.as_bytes())?;
        fs_err::write(self.requirements_file(), &self.requirements)?;
        for step in steps {
            runner.run(step)?;
        }
        fs_err::write(self.marker(), b"")?;
        Ok(true)
    }
}

/// Why an environment of tools could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ToolEnvironmentError {
    /// A step failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A file could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

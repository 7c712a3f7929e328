//! Python environments that hold tools (build front end and backend, auditwheel …): made once from a lock, kept below
//! target/wheelproof/tools, used offline afterwards.

use crate::Interpreter;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Runner, Step, StepError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
        let dir = tools_dir.join(format!("{purpose}-{}-{hex}", base.python));
        let programs = dir.join(if windows { "Scripts" } else { "bin" });
        Self {
            purpose: purpose.to_owned(),
            python: programs.join(if windows { "python.exe" } else { "python" }),
            programs,
            base_python: base.path.clone(),
            requirements: requirements.to_owned(),
            locked: requirements.contains("--hash="),
            dir,
        }
    }

    fn requirements_file(&self) -> Utf8PathBuf {
        self.dir.with_extension("txt")
    }

    /// Written last: without it the environment is taken to be half made.
    fn marker(&self) -> Utf8PathBuf {
        self.dir.join("wheelproof-complete")
    }

    /// Whether it is there and whole.
    pub fn is_complete(&self) -> bool {
        self.marker().is_file() && self.python.is_file()
    }

    /// The steps that make it: an environment, then what it holds, wheels only.
    pub fn steps(&self, log_dir: &Utf8Path) -> Vec<Step> {
        let parent = self.dir.parent().unwrap_or(&self.dir).to_owned();
        let step = |name: &str, argv: Vec<String>| {
            let name = format!("tools-{}-{name}", self.purpose);
            let log = log_dir.join(format!("{name}.log"));
            let mut step = Step::new(name, argv, parent.clone(), log).with_timeout(TIME_LIMIT);
            step.clean_env = true;
            step.network = true;
            step
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let requirements = self.requirements_file();
        let mut install =
            words(&[self.python.as_str(), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]);
        if self.locked {
            install.extend(words(&["--require-hashes", "--only-binary=:all:"]));
        }
        install.extend(words(&["-r", requirements.as_str()]));
        vec![
            step("venv", words(&[self.base_python.as_str(), "-m", "venv", "--clear", self.dir.as_str()])),
            step("install", install),
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
        if let Some(parent) = self.dir.parent() {
            fs_err::create_dir_all(parent)?;
        }
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

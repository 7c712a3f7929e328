//! What one build is asked to do: a value that the plan makes and `steps` and `run` read.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One wheel to be built: which project, for which interpreter, with which tools, where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The project's key, the normalised distribution name.
    pub project: String,
    /// The folder with pyproject.toml. It is read, never written.
    pub project_dir: Utf8PathBuf,
    /// Which sources the wheel is built from.
    pub sources: Sources,
    /// The interpreter that the wheel is for.
    pub interpreter: host::Interpreter,
    /// Where build backend and front end come from.
    pub tools: host::toolenv::ToolEnvironment,
    /// The system and processor that the wheel is for.
    pub target: platform::TargetKey,
    /// The policy that was asked for, or `auto`.
    pub platform: platform::TargetPlatform,
    /// LLVM, when the project uses it.
    pub llvm: Option<LlvmUse>,
    /// `build-system.build-backend` of the project.
    pub backend: String,
    /// PEP 517 `config_settings`: each key with one or several values.
    pub config_settings: BTreeMap<String, Vec<String>>,
    /// Environment variables set while building.
    pub variables: BTreeMap<String, String>,
    /// Command lines run in the copy of the sources before the build, each split into words.
    pub before_build: Vec<Vec<String>>,
    /// Modules that are to be imported later: a wheel that cannot hold them is refused at once.
    pub imports: Vec<String>,
    /// The folder that the build owns: the copy of the sources, the built wheel.
    pub work_dir: Utf8PathBuf,
    /// Where each step's log goes.
    pub log_dir: Utf8PathBuf,
    /// Seconds that the build may take.
    pub time_limit: u64,
    /// `SOURCE_DATE_EPOCH`: the time, in seconds, that is written into archives.
    pub source_date_epoch: u64,
}

/// Which sources a wheel is built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sources {
    /// A copy of what git knows and would add.
    Tree,
    /// The project's own sdist, made first: the proof that the sdist is whole.
    Sdist,
}

/// The LLVM that a build is given and must end up with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LlvmUse {
    /// The installation.
    pub installation: llvm::Installation,
    /// Shared or static.
    pub linkage: llvm::Linkage,
}

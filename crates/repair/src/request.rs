//! What one repair is asked to do.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// One wheel to be repaired: for which platform, with which tool, where the libraries lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The system and processor of the wheel.
    pub target: platform::TargetKey,
    /// The policy that was asked for, or `auto`.
    pub platform: platform::TargetPlatform,
    /// Where the repair tool comes from (auditwheel and patchelf on Linux).
    pub tools: host::toolenv::ToolEnvironment,
    /// Absolute folders to look for libraries in, LLVM's first.
    pub library_dirs: Vec<Utf8PathBuf>,
    /// Libraries (globs over their names) that are left out.
    pub exclude: Vec<String>,
    /// Whether binaries are stripped before they are grafted.
    pub strip: bool,
    /// The folder that the repair owns; the repaired wheel is found there, nothing else is.
    pub work_dir: Utf8PathBuf,
    /// Where the step's log goes.
    pub log_dir: Utf8PathBuf,
    /// Seconds that the repair may take.
    pub time_limit: u64,
    /// `SOURCE_DATE_EPOCH`.
    pub source_date_epoch: u64,
    /// The LLVM major version whose library must be grafted exactly once; none when LLVM is not linked as a shared library.
    pub llvm_major: Option<u32>,
}

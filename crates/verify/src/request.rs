//! What one verification is asked to do.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// One wheel to be imported and tested in a fresh environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The folder with pyproject.toml: what `{project}` in a test command stands for.
    pub project_dir: Utf8PathBuf,
    /// The interpreter that the environment is made with.
    pub interpreter: host::Interpreter,
    /// Modules that must import.
    pub imports: Vec<String>,
    /// Packages that are imported before and after ours in one process.
    pub coexist: Vec<String>,
    /// Test commands, each split into words; `python` as the first word is the environment's.
    pub tests: Vec<Vec<String>>,
    /// What the tests need from the index.
    pub test_requires: Vec<String>,
    /// Extras of the wheel that the tests need.
    pub test_extras: Vec<String>,
    /// The folder that the verification owns: the environment, and the empty folder that tests run from.
    pub work_dir: Utf8PathBuf,
    /// Where each step's log goes.
    pub log_dir: Utf8PathBuf,
    /// Seconds that one test command may take.
    pub test_time_limit: u64,
    /// Seconds that any other step may take.
    pub step_time_limit: u64,
    /// The LLVM major version that must be loaded from the wheel; none when LLVM is not linked as a shared library.
    pub llvm_major: Option<u32>,
}

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

#[cfg(test)]
pub(crate) mod tests {
    use super::Request;

    /// A request for an interpreter at /opt/python that is not asked.
    pub(crate) fn request() -> Request {
        let interpreter = serde_json::json!({
            "path": "/opt/python/bin/python3.13", "real_path": "/opt/python/bin/python3.13", "origin": "path",
            "duplicates": [], "fingerprint": "f", "version": "3.13.0", "python": "cp313", "implementation": "cpython",
            "debug": false, "abi_flags": "", "soabi": null, "ext_suffix": ".so", "platform": "linux-x86_64", "bits": 64,
            "prefix": "/opt/python", "include_dir": null, "has_headers": true, "library_dirs": [],
            "stdlib": "/opt/python/lib/python3.13", "has_venv": true, "venv_error": null, "shared_libpython": false,
            "libc": null, "macos_deployment_target": null,
        });
        serde_json::from_value(serde_json::json!({
            "project_dir": "/p", "interpreter": interpreter, "imports": ["pkg"], "coexist": [], "tests": [],
            "test_requires": [], "test_extras": [], "work_dir": "/w", "log_dir": "/l", "test_time_limit": 1,
            "step_time_limit": 1, "llvm_major": 19,
        }))
        .unwrap()
    }
}

//! What one repair is asked to do.

use camino::Utf8PathBuf;
use platform::library_pattern;
use serde::{Deserialize, Serialize};

/// One wheel to be repaired: for which platform, with which tool, where the libraries lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The system and processor of the wheel.
    pub target: platform::TargetKey,
    /// The policy that was asked for, or `auto`.
    pub platform: platform::TargetPlatform,
    /// Where the repair tool comes from (auditwheel and patchelf, delocate, or delvewheel).
    pub tools: host::toolenv::ToolEnvironment,
    /// Absolute folders to look for libraries in, LLVM's first.
    pub library_dirs: Vec<Utf8PathBuf>,
    /// Libraries that are left out, by patterns as [`platform::library_pattern`] reads them.
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
    /// What only some wheels need.
    #[serde(default)]
    pub options: Options,
}

/// What only some wheels need; the default suits the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Windows: DLLs that keep their names, because something looks for them by name; patterns too.
    pub no_mangle: Vec<String>,
    /// Windows: namespace packages, `a.b`; they get no `__init__.py`.
    pub namespace_packages: Vec<String>,
    /// Windows: what to do with DLLs that the wheel carries already.
    pub existing: Existing,
    /// Folders that lead PATH, before the tool's own: its helpers (otool, install_name_tool, …) where they are elsewhere.
    pub program_dirs: Vec<Utf8PathBuf>,
    /// Whose word counts on which libLLVM has to be in the wheel.
    pub expected_llvm: ExpectedLlvm,
}

/// What happens to DLLs that lie in the wheel already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// They stay where they are, under their names (`--ignore-existing`); what they need is grafted all the same.
    #[default]
    Keep,
    /// The same, and the names of what they need are made unique (`--with-mangle`).
    KeepAndMangleTheirNeeds,
    /// They are treated like any other library.
    Graft,
}

/// Whose word counts on which libLLVM has to be in the wheel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectedLlvm {
    /// The plan's: [`Request::llvm_major`].
    #[default]
    AsPlanned,
    /// The binaries': what the given wheel needs by name. For wheels that come from elsewhere.
    AsNeeded,
}

impl Request {
    /// Whether a library is left out on purpose. Names of Windows' libraries are compared in any case.
    pub fn excludes(&self, library: &str) -> bool {
        library_pattern::any_means(&self.exclude, library, self.target.os)
    }

    /// The tag that was asked for, such as `manylinux_2_28_x86_64`.
    pub(crate) fn asked(&self) -> Option<String> {
        match &self.platform {
            platform::TargetPlatform::Policy(_) => self.platform.platform_tag(&self.target).map(|tag| tag.to_string()),
            platform::TargetPlatform::Auto => None,
        }
    }
}

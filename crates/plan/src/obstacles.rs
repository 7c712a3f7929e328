//! What a build needs of this machine, and what stands in its way when that is not there.

use crate::make::{Planner, interpreter_for, lacks, target_of};
use crate::plan::Obstacle;
use host::Interpreter;
use host::packages::Need;
use llvm::{Linkage, NoLlvm};
use platform::PythonVersion;

/// What stands in the way, what would help, what would have to be installed.
pub(crate) struct Refusal {
    pub(crate) obstacle: Obstacle,
    pub(crate) reason: String,
    pub(crate) remedy: String,
    pub(crate) needs: Vec<Need>,
}

impl Planner<'_> {
    /// The interpreter and LLVM, or what stands in the way.
    pub(crate) fn resolve(&self, python: PythonVersion) -> Result<(&Interpreter, Option<build::LlvmUse>), Refusal> {
        let here = target_of(self.world);
        if !self.target.key.same_system(&here) {
            let runner = self
                .target
                .runner
                .as_deref()
                .map_or_else(String::new, |runner| format!(", such as the runner `{runner}`"));
            return Err(Refusal {
                obstacle: Obstacle::OtherSystem,
                reason: format!("{} cannot be built on {here}", self.target.key),
                remedy: format!("run it on a {} machine{runner}", self.target.key),
                needs: Vec::new(),
            });
        }
        let Some(interpreter) = interpreter_for(self.world, python) else {
            return Err(Refusal {
                obstacle: Obstacle::NoInterpreter,
                reason: format!("no CPython {} was found", python.dotted()),
                remedy: format!(
                    "install it (pyenv install {}, or your system's package) so that `python{}` is on PATH",
                    python.dotted(),
                    python.dotted()
                ),
                needs: Vec::new(),
            });
        };
        let own = self.own_needs(interpreter, python);
        let common = self.common_needs();
        let mut needs: Vec<Need> = common.iter().chain(&own).cloned().collect();
        let llvm = match self.llvm() {
            Ok(llvm) => llvm,
            Err(none) => return Err(self.without_llvm(&none, needs)),
        };
        if let Some(llvm) = &llvm {
            needs.extend(self.cmake_packages(llvm));
        }
        if needs.is_empty() {
            return Ok((interpreter, llvm));
        }
        let obstacle =
            if common.is_empty() && needs.len() == own.len() { Obstacle::Installable } else { Obstacle::Missing };
        let what = needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(Refusal { obstacle, reason: format!("missing: {what}"), remedy: self.how_to_install(&needs), needs })
    }

    /// What this build's interpreter lacks.
    fn own_needs(&self, interpreter: &Interpreter, python: PythonVersion) -> Vec<Need> {
        let series = format!("{}.{}", python.major, python.minor);
        let mut own = Vec::new();
        if !interpreter.has_venv {
            own.push(Need::PythonVenv(series.clone()));
        }
        if self.compiles() && !interpreter.has_headers {
            own.push(Need::PythonHeaders(series));
        }
        own
    }

    /// The refusal for want of an LLVM; names everything else that is missing too, so that one installation mends all.
    fn without_llvm(&self, none: &NoLlvm, mut needs: Vec<Need>) -> Refusal {
        let manager = self.world.package_manager.as_ref();
        let remedy = match manager.and_then(|manager| manager.newest_llvm(&none.requirement.version)) {
            Some(candidate) => {
                needs.push(Need::Llvm { major: candidate.version.major, linkage: none.requirement.linkage });
                self.how_to_install(&needs)
            }
            None => {
                "set LLVM_DIR to the folder of LLVMConfig.cmake, or `llvm: { dir: … }` in ci/wheels.yaml".to_owned()
            }
        };
        Refusal { obstacle: Obstacle::Missing, reason: none.to_string(), remedy, needs }
    }

    fn how_to_install(&self, needs: &[Need]) -> String {
        match &self.world.package_manager {
            Some(manager) => {
                let installation = host::packages::installation(needs, manager, self.world.is_root);
                if installation.packages.is_empty() {
                    "install it by hand; the package manager here is not known to have it".to_owned()
                } else {
                    format!("{} (or the same command with --provision)", installation.shell_line())
                }
            }
            None => "install it by hand: no package manager that is known was found".to_owned(),
        }
    }

    /// Whether a compiler has work to do: a pure-Python backend needs none.
    fn compiles(&self) -> bool {
        const PURE: [&str; 4] = ["hatchling", "flit_core", "poetry.core", "pdm.backend"];
        !PURE.iter().any(|pure| self.project.pyproject.backend.starts_with(pure))
    }

    fn common_needs(&self) -> Vec<Need> {
        let compiler = ["c++", "g++", "clang++"].iter().any(|name| self.world.tools.contains_key(*name))
            || self.options.environment.contains_key("CXX")
            || self.world.env.contains_key("CXX");
        if self.compiles() && !compiler && self.target.key.os != platform::Os::Windows {
            vec![Need::CxxCompiler]
        } else {
            Vec::new()
        }
    }

    /// What LLVM's own CMake files demand besides LLVM, as far as the package manager knows it and lacks it.
    fn cmake_packages(&self, llvm: &build::LlvmUse) -> Vec<Need> {
        let Some(manager) = &self.world.package_manager else { return Vec::new() };
        llvm.installation
            .needed_cmake_packages(llvm.linkage)
            .iter()
            .map(|package| Need::CmakePackage(package.clone()))
            .filter(|need| lacks(need, manager))
            .collect()
    }

    fn llvm(&self) -> Result<Option<build::LlvmUse>, NoLlvm> {
        if self.options.llvm.used != Some(true) {
            return Ok(None);
        }
        let version = self.options.llvm.version.clone().unwrap_or_default();
        let linkage = self.options.llvm.linkage.unwrap_or(Linkage::Shared);
        let installation = self.world.llvm.pick(&llvm::Requirement { version, linkage })?;
        Ok(Some(build::LlvmUse { installation: installation.clone(), linkage }))
    }
}

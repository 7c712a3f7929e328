//! What a build needs of this machine, and what stands in its way when that is not there.

use crate::make::{Planner, interpreter_for, lacks, target_of, versions};
use crate::plan::Obstacle;
use host::Interpreter;
use host::LibcKind;
use host::packages::{ManagerKind, Need};
use llvm::{Linkage, NoLlvm};
use platform::{Os, PolicyStem, PythonVersion, TargetPlatform};

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
        if let Some(refusal) = self.other_libc() {
            return Err(refusal);
        }
        let Some(interpreter) = interpreter_for(self.world, python, &self.target.key) else {
            return Err(self.without_python(python));
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

    /// The refusal of a wheel for musl on a machine with glibc, or the other way round.
    fn other_libc(&self) -> Option<Refusal> {
        let TargetPlatform::Policy(stem) = &self.target.platform else { return None };
        let wanted = match stem {
            PolicyStem::Musllinux(_) => LibcKind::Musl,
            PolicyStem::Manylinux(_) | PolicyStem::LegacyManylinux(..) => LibcKind::Glibc,
            PolicyStem::Macosx(_) | PolicyStem::Win => return None,
        };
        let here = self.world.libc.as_ref().filter(|libc| libc.kind != wanted)?;
        let name = |kind| if kind == LibcKind::Musl { "musl" } else { "glibc" };
        let image = self.target.container.as_deref();
        let image = image.map_or_else(String::new, |image| format!(", such as the image `{image}`"));
        Some(Refusal {
            obstacle: Obstacle::OtherSystem,
            reason: format!("{stem} is for {}; this machine has {} {}", name(wanted), name(here.kind), here.version),
            remedy: format!("run it on a machine with {}{image}", name(wanted)),
            needs: Vec::new(),
        })
    }

    /// What is probably refused by the policy later on: a glibc here that is newer than the policy's.
    pub(crate) fn newer_glibc(&self) -> Option<String> {
        let TargetPlatform::Policy(stem) = &self.target.platform else { return None };
        let (PolicyStem::Manylinux(oldest) | PolicyStem::LegacyManylinux(_, oldest)) = *stem else { return None };
        let here = self.world.libc.as_ref().filter(|libc| libc.kind == LibcKind::Glibc)?;
        let mut numbers = here.version.split('.').map(|part| part.parse::<u16>().ok());
        let found = (numbers.next()??, numbers.next()??);
        if (u32::from(found.0), u32::from(found.1)) <= (oldest.0.into(), oldest.1.into()) {
            return None;
        }
        let image = self.target.container.as_deref();
        let image = image.map_or_else(String::new, |image| format!("; the image `{image}` is meant for it"));
        Some(format!(
            "this machine has glibc {}: what is built here may need a newer one than {stem} has, and is refused then{image}",
            here.version
        ))
    }

    /// The refusal for want of an interpreter; one for another processor is named.
    fn without_python(&self, python: PythonVersion) -> Refusal {
        let dotted = python.dotted();
        let found = versions(self.world, python).next();
        let reason = match found {
            Some(other) => format!(
                "no CPython {dotted} for {} was found; `{}` is one for {}",
                self.target.key.arch, other.path, other.platform
            ),
            None => format!("no CPython {dotted} was found"),
        };
        let image = self.world.interpreters.iter().any(|i| i.origin == host::InterpreterOrigin::Manylinux);
        let ways = match self.world.os {
            Os::Linux if image => {
                let release = format!("cp{}{}", python.major, python.minor);
                vec![format!("`manylinux-interpreters ensure {release}-{}`", python.abi_tag())]
            }
            Os::Linux => vec![format!("`pyenv install {dotted}`"), "your system's package".to_owned()],
            // Homebrew's package has the interpreter with the lock alone.
            Os::MacOs if python.free_threaded => vec!["the installer of python.org".to_owned()],
            Os::MacOs => vec![format!("`brew install python@{dotted}`"), "the installer of python.org".to_owned()],
            Os::Windows if python.free_threaded => vec!["the installer of python.org".to_owned()],
            Os::Windows => {
                vec![format!("`winget install Python.Python.{dotted}`"), "the installer of python.org".to_owned()]
            }
        };
        let uv = format!("`uv python install {dotted}`");
        let mut ways: Vec<String> = if image { ways } else { std::iter::once(uv).chain(ways).collect() };
        let last = ways.pop().unwrap_or_default();
        let ways = if ways.is_empty() { last } else { format!("{} or {last}", ways.join(", ")) };
        let remedy = match self.world.os {
            Os::Windows => format!("install it with {ways}"),
            _ if image => format!("install it with {ways}"),
            _ => format!("install it with {ways}, so that `python{dotted}` is on PATH"),
        };
        Refusal { obstacle: Obstacle::NoInterpreter, reason, remedy, needs: Vec::new() }
    }

    /// What this build's interpreter lacks.
    fn own_needs(&self, interpreter: &Interpreter, python: PythonVersion) -> Vec<Need> {
        let series = format!("{}.{}", python.major, python.minor);
        let mut own = Vec::new();
        // uv makes environments without it.
        if !interpreter.has_venv && self.world.installer.needs_venv() {
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
            None => self.llvm_unasked(&none.requirement).map_or_else(
                || llvm_by_hand(self.world.os, &none.requirement),
                |need| {
                    needs.push(need);
                    self.how_to_install(&needs)
                },
            ),
        };
        Refusal { obstacle: Obstacle::Missing, reason: none.to_string(), remedy, needs }
    }

    /// The LLVM to ask a package manager for that did not say which ones it has: the newest series that will do.
    fn llvm_unasked(&self, requirement: &llvm::Requirement) -> Option<Need> {
        let manager = self.world.package_manager.as_ref().filter(|manager| manager.llvm.is_empty())?;
        let need = Need::Llvm { major: newest_series(requirement)?, linkage: requirement.linkage };
        // Debian's lists say what there is.
        (manager.kind != ManagerKind::Apt && lacks(&need, manager)).then_some(need)
    }

    fn how_to_install(&self, needs: &[Need]) -> String {
        match &self.world.package_manager {
            Some(manager) => {
                let installation = host::packages::installation(needs, manager, self.world.is_root);
                let why: Vec<&str> = installation.unknown.iter().filter_map(|unknown| unknown.why.as_deref()).collect();
                match (installation.packages.is_empty(), why.is_empty()) {
                    (false, _) => format!("{} (or the same command with --provision)", installation.shell_line()),
                    (true, false) => why.join("; "),
                    (true, true) => "install it by hand; the package manager here is not known to have it".to_owned(),
                }
            }
            None if needs.contains(&Need::CxxCompiler) && self.world.os == Os::MacOs => {
                "Apple's compiler: `xcode-select --install`".to_owned()
            }
            None if needs.contains(&Need::CxxCompiler) && self.world.os == Os::Windows => {
                "the Build Tools for Visual Studio from visualstudio.microsoft.com, with `Desktop development with C++`"
                    .to_owned()
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
        if self.compiles() && !self.has_compiler() { vec![Need::CxxCompiler] } else { Vec::new() }
    }

    /// Whether there is a C++ compiler that build systems find.
    fn has_compiler(&self) -> bool {
        const ANYWHERE: &[&str] = &["c++", "g++", "clang++"];
        const ON_WINDOWS: &[&str] = &["cl", "clang-cl", "clang", "gcc"];
        let world = self.world;
        let (names, visual_studio) = match world.os {
            // A recorded machine of which nobody asked may have one.
            Os::Windows => (ON_WINDOWS, world.visual_studios.as_ref().is_none_or(|found| !found.is_empty())),
            Os::Linux | Os::MacOs => (&[][..], false),
        };
        visual_studio
            || ANYWHERE.iter().chain(names).any(|name| world.tools.contains_key(*name))
            || self.options.environment.contains_key("CXX")
            || world.env.contains_key("CXX")
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

/// The newest series in use that a requirement takes.
fn newest_series(requirement: &llvm::Requirement) -> Option<u32> {
    llvm::SERIES.rev().find(|major| requirement.version.may_contain_major(*major))
}

/// How an LLVM that no package manager here is known to have is got, on a system.
fn llvm_by_hand(os: Os, requirement: &llvm::Requirement) -> String {
    const DIR: &str = "`LLVM_DIR`, or with `llvm: { dir: … }` in ci/wheels.yaml";
    match (os, newest_series(requirement)) {
        (Os::Windows, _) if requirement.linkage == Linkage::Shared => {
            "LLVM for Windows has no shared library with the C++ API; link it statically: \
             `targets: { windows-x86_64: { llvm: { linkage: static } } }`"
                .to_owned()
        }
        (Os::Windows, Some(series)) => format!(
            "the installer of llvm.org brings no files to build with; conda-forge has them: \
             `conda create -y -p C:\\llvm --override-channels -c conda-forge llvmdev={series}`, then name `C:\\llvm\\Library` with {DIR}"
        ),
        _ => format!("name the folder of LLVMConfig.cmake with {DIR}"),
    }
}

//! The tools that repair wheels, one for each system, under one contract: what is needed → how → what came out.

use crate::auditwheel::Auditwheel;
use crate::binary::Snapshot;
use crate::delocate::Delocate;
use crate::delvewheel::Delvewheel;
use crate::error::RepairError;
use crate::request::Request;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Runner, Step};
use host::World;
use platform::Os;
use platform::paths::join;
use wheel::{Edits, Wheel};

/// A tool that repairs the wheels of one system. What it is told, what it says, what it leaves for us to do; what every
/// repaired wheel must hold is not its business.
pub(crate) trait Repairer: Sync {
    /// Its name: `auditwheel`.
    fn name(&self) -> &'static str;

    /// The oldest versions that are taken, with the reason.
    fn minimums(&self) -> &'static [Minimum];

    /// Programs besides its Python environment that must be on PATH for this request.
    fn programs(&self, request: &Request) -> Vec<&'static str>;

    /// The system that it runs on; none if any does.
    fn runs_on(&self) -> Option<Os>;

    /// The steps of a repair, in order. `{wheel}` is the wheel that was built, `{PATH}` this process's PATH.
    fn steps(&self, request: &Request, world: &World) -> Vec<Step>;

    /// The step as it suits the wheel at hand, where the tool has to be told something that only its binaries say.
    fn suited(&self, request: &Request, before: &Snapshot, step: Step) -> Step {
        let _ = (request, before);
        step
    }

    /// What a failed run's log says, if it is one of the ways in which the tool is known to fail.
    fn understand(&self, log: &str) -> Option<Said>;

    /// Who repaired the wheel before, if that shows and the tool cannot do it again.
    fn repaired_before(&self, wheel: &Wheel) -> Option<String>;

    /// What remains to be done to the archive that it leaves.
    fn archive(&self) -> Left;

    /// What the tool leaves undone that the system asks for, as changes to the wheel that it made.
    ///
    /// # Errors
    /// A program that failed.
    fn complete(&self, request: &Request, made: &Snapshot, runner: &Runner<'_>) -> Result<Option<Edits>, RepairError> {
        let _ = (request, made, runner);
        Ok(None)
    }
}

/// What a tool leaves to be done to its archive, so that the same input gives the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// To be put in canonical form.
    InDisorder,
    /// The same, and to be compressed: it was told not to, because it does that slowly, one file after the other.
    Uncompressed,
}

/// The oldest version of a distribution that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minimum {
    /// The distribution on PyPI.
    pub(crate) distribution: &'static str,
    /// Major and minor version.
    pub(crate) version: (u32, u32),
    /// What older ones do wrong.
    pub(crate) reason: &'static str,
}

/// What a tool says when it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A library lies nowhere that was looked at.
    LibraryNotFound {
        /// Its name, where the tool says it.
        library: Option<String>,
    },
    /// The binaries do not meet the policy.
    PolicyRefused,
    /// Libraries are built for a newer system than was asked for: (file, version).
    TooNew(Vec<(String, String)>),
    /// A binary of another processor than the wheel's.
    WrongArchitecture(String),
    /// No room for longer load commands in this file.
    NoHeaderRoom(String),
    /// Data behind the sections of this file is in the way.
    Overlay(String),
    /// Libraries lie in the part of the wheel that is for pure Python.
    Purelib,
}

/// The tool for the wheels of a system.
pub(crate) fn repairer(os: Os) -> &'static dyn Repairer {
    match os {
        Os::Linux => &Auditwheel,
        Os::MacOs => &Delocate,
        Os::Windows => &Delvewheel,
    }
}

/// The name of the tool for the wheels of a system: `auditwheel`, `delocate`, `delvewheel`.
pub fn tool_name(os: Os) -> &'static str {
    repairer(os).name()
}

/// The steps of a repair with the tool of the target's system.
pub fn steps(request: &Request, world: &World) -> Vec<Step> {
    repairer(request.target.os).steps(request, world)
}

/// The folder that the tool writes into: private, so that an unrepaired wheel which it leaves there by a failure is never
/// mistaken for a result.
pub(crate) fn out_dir(request: &Request) -> Utf8PathBuf {
    join(&request.work_dir, "wheel")
}

/// The folder for what the tool unpacks: it goes with the rest when the tool is killed.
pub(crate) fn temp_dir(request: &Request) -> Utf8PathBuf {
    join(&request.work_dir, "tmp")
}

/// What all steps of a repair share: nothing of the user's environment, a private folder for temporary files, the tool's
/// programs first, one time, one order of sets.
pub(crate) fn step(request: &Request, world: &World, argv: Vec<String>) -> Step {
    let separator = path_separator(world.os);
    let mut path: Vec<&str> = request.options.program_dirs.iter().map(|dir| dir.as_str()).collect();
    path.extend([request.tools.programs.as_str(), "{PATH}"]);
    let temp = temp_dir(request);
    let mut step = Step::new("repair", argv, request.work_dir.clone(), join(&request.log_dir, "repair.log"))
        .with_timeout(request.time_limit)
        .with_env("PATH", path.join(separator))
        .with_env("SOURCE_DATE_EPOCH", request.source_date_epoch.to_string())
        .with_env("PYTHONHASHSEED", "0");
    for variable in if world.os == Os::Windows { &["TEMP", "TMP"][..] } else { &["TMPDIR"][..] } {
        step = step.with_env(*variable, temp.as_str());
    }
    step.clean_env = true;
    step
}

/// Between the folders of a list, on the system that the tool runs on.
pub(crate) fn path_separator(os: Os) -> &'static str {
    if os == Os::Windows { ";" } else { ":" }
}

/// Folders as a list for a variable or an option.
pub(crate) fn list(dirs: &[Utf8PathBuf], os: Os) -> String {
    dirs.iter().map(|dir| dir.as_str()).collect::<Vec<_>>().join(path_separator(os))
}

/// The version of a distribution in an environment: `lib/python3.13/site-packages/auditwheel-6.8.2.dist-info`, or
/// `Lib/site-packages/…` on Windows.
pub(crate) fn installed(environment: &Utf8Path, distribution: &str) -> Option<String> {
    let mut folders = vec![environment.join("Lib/site-packages")];
    if let Ok(pythons) = environment.join("lib").read_dir_utf8() {
        folders.extend(pythons.flatten().map(|python| python.path().join("site-packages")));
    }
    for folder in folders {
        let Ok(entries) = folder.read_dir_utf8() else { continue };
        for entry in entries.flatten() {
            if let Some(rest) = entry.file_name().strip_prefix(distribution).and_then(|rest| rest.strip_prefix('-'))
                && let Some(version) = rest.strip_suffix(".dist-info")
            {
                return Some(version.to_owned());
            }
        }
    }
    None
}

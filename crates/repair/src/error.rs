//! Why a wheel was not repaired.

use crate::rules;
use camino::Utf8PathBuf;
use diagnostics::{Finding, Subject};
use exec::{Blame, Explain, StepError};
use platform::policy::Libc;

/// Why a wheel was not repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The tool failed for a reason that is not known better.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A file or folder of the repair could not be made.
    #[error("the repair's own folder: {0}")]
    Io(#[from] std::io::Error),
    /// A wheel could not be rewritten.
    #[error("the wheel could not be rewritten: {0}")]
    Write(#[from] wheel::WriteError),
    /// A library that the wheel needs lies nowhere that was looked at.
    #[error("the library `{library}`, needed by {}, was not found{}", requirers(.needed_by), lines(.notes))]
    LibraryNotFound {
        /// Its name.
        library: String,
        /// The members that need it; empty if that is not known.
        needed_by: Vec<String>,
        /// What lies under its name and cannot be it; which package has it.
        notes: Vec<String>,
        /// Where it was looked for besides the system's folders.
        searched: Vec<Utf8PathBuf>,
        /// What the tool said.
        step: Box<StepError>,
    },
    /// The wheel does not meet the policy that was asked for.
    #[error("the wheel does not meet `{policy}`:{}", lines(.responsible))]
    PolicyNotMet {
        /// The policy.
        policy: String,
        /// The libraries and symbols that are responsible.
        responsible: Vec<String>,
        /// What the tool said.
        step: Option<Box<StepError>>,
    },
    /// The policy that was asked for is of another C library than the wheel's binaries.
    #[error("`{policy}` was asked for, but the wheel's binaries are linked with {libc}: {}", some(.needs))]
    OtherLibc {
        /// The policy.
        policy: String,
        /// The binaries' own.
        libc: Libc,
        /// Which library of it is needed by which binary.
        needs: Vec<String>,
        /// The most widely usable policy of their own C library that they meet by themselves.
        meets: Option<&'static str>,
    },
    /// A binary or library is for another processor or system than the wheel.
    #[error("a binary is not for the wheel's platform:{}", lines(.what))]
    WrongArchitecture {
        /// Which, and what it is for.
        what: Vec<String>,
    },
    /// Files that a loader will be asked to open, and that are no binaries or damaged ones.
    #[error("the wheel holds what no loader opens:{}", lines(.what))]
    Unreadable {
        /// Which, and why.
        what: Vec<String>,
    },
    /// The load commands of a Mach-O cannot be made longer.
    #[error("`{file}` has no room in its header for the new library paths")]
    NoHeaderRoom {
        /// The file in the wheel.
        file: String,
        /// What the tool said.
        step: Box<StepError>,
    },
    /// Data behind the sections of a PE is in the way of a new section.
    #[error("`{file}` carries data behind its sections (an overlay), so that the names of its DLLs cannot be changed")]
    Overlay {
        /// The file.
        file: String,
        /// What the tool said.
        step: Box<StepError>,
    },
    /// Libraries lie where only pure Python may.
    #[error(
        "the wheel has libraries in its purelib part, which installers may put elsewhere than the platform's files"
    )]
    Purelib {
        /// What the tool said.
        step: Box<StepError>,
    },
    /// The wheel was repaired before, and is not right.
    #[error("the wheel was repaired before, by {by}, and is not right:{}", lines(.why))]
    RepairedBefore {
        /// The tool that did.
        by: String,
        /// What is not right.
        why: Vec<String>,
    },
    /// The tool reported success and left no wheel.
    #[error("`{tool}` reported success and left no wheel")]
    Nothing {
        /// The tool.
        tool: &'static str,
    },
    /// The tool left more than one wheel.
    #[error("`{tool}` left {} wheels where one was asked for: {}", .found.len(), .found.join(", "))]
    Several {
        /// The tool.
        tool: &'static str,
        /// Their names.
        found: Vec<String>,
    },
    /// The tool reported success and wrote what it was given.
    #[error("`{tool}` reported success and left the wheel as it was:{}", lines(.why))]
    Unrepaired {
        /// The tool.
        tool: &'static str,
        /// What it should have mended.
        why: Vec<String>,
    },
    /// What is there cannot be read.
    #[error("`{wheel}` cannot be read: {reason}")]
    BadWheel {
        /// Its name.
        wheel: String,
        /// Why.
        reason: String,
    },
    /// The tool reported success and left something that is no wheel.
    #[error("`{tool}` reported success and left `{wheel}`, which cannot be read: {reason}")]
    BadResult {
        /// The tool.
        tool: &'static str,
        /// The file's name.
        wheel: String,
        /// Why.
        reason: String,
    },
    /// The environment with the tool was not made yet.
    #[error("{tool} is not installed in `{dir}`")]
    NoEnvironment {
        /// The tool.
        tool: &'static str,
        /// The environment's folder.
        dir: Utf8PathBuf,
    },
    /// The tool for wheels of this system does not run here.
    #[error("wheels for {target} cannot be repaired here: {tool} runs on that system only")]
    NoTool {
        /// The tool.
        tool: &'static str,
        /// The target.
        target: String,
    },
    /// Programs that the tool calls are not there.
    #[error("{tool} needs {}, which {} not on PATH", names(.programs), if .programs.len() == 1 { "is" } else { "are" })]
    ProgramMissing {
        /// The tool.
        tool: &'static str,
        /// The programs.
        programs: Vec<&'static str>,
    },
    /// A tool is too old.
    #[error("{tool} {found} is too old, {minimum} is needed: {reason}")]
    TooOld {
        /// The tool.
        tool: &'static str,
        /// Its version.
        found: String,
        /// The oldest that is taken.
        minimum: String,
        /// What older ones do wrong.
        reason: &'static str,
    },
}

fn names(programs: &[&str]) -> String {
    programs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn requirers(needed_by: &[String]) -> String {
    match needed_by {
        [] => "the wheel".to_owned(),
        [one] => format!("`{one}`"),
        [one, rest @ ..] => format!("`{one}` and {} more", rest.len()),
    }
}

/// In one line, for a finding's message.
fn some(needs: &[String]) -> String {
    const SHOWN: usize = 3;
    let more = needs.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("{more} more"));
    needs.iter().take(SHOWN).cloned().chain(more).collect::<Vec<_>>().join("; ")
}

fn lines(responsible: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text: String = responsible.iter().take(SHOWN).flat_map(|line| ["\n  ", line]).collect();
    if let Some(more) = responsible.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str("\n  and ");
        text.push_str(&more.to_string());
        text.push_str(" more");
    }
    text
}

impl RepairError {
    /// The finding that it amounts to, where a rule says the same of a wheel: nothing was tried, what was asked for cannot be.
    pub fn finding(&self, file: &str) -> Option<Finding> {
        let Self::OtherLibc { .. } = self else { return None };
        let finding = Finding::new(&rules::TAG_NOT_MET, Subject::file(file), self.to_string());
        Some(self.hint().into_iter().fold(finding, Finding::help))
    }

    /// The command behind it, with its log.
    pub fn step_error(&self) -> Option<&StepError> {
        match self {
            Self::Step(step) => Some(step),
            Self::LibraryNotFound { step, .. }
            | Self::PolicyNotMet { step: Some(step), .. }
            | Self::NoHeaderRoom { step, .. }
            | Self::Overlay { step, .. }
            | Self::Purelib { step } => Some(step),
            Self::Io(_)
            | Self::Write(_)
            | Self::PolicyNotMet { step: None, .. }
            | Self::OtherLibc { .. }
            | Self::WrongArchitecture { .. }
            | Self::Unreadable { .. }
            | Self::RepairedBefore { .. }
            | Self::Nothing { .. }
            | Self::Several { .. }
            | Self::Unrepaired { .. }
            | Self::BadWheel { .. }
            | Self::BadResult { .. }
            | Self::NoEnvironment { .. }
            | Self::NoTool { .. }
            | Self::ProgramMissing { .. }
            | Self::TooOld { .. } => None,
        }
    }
}

impl Explain for RepairError {
    fn blame(&self) -> Blame {
        match self {
            Self::Step(step) => step.blame(),
            Self::Io(_)
            | Self::Write(_)
            | Self::LibraryNotFound { .. }
            | Self::TooOld { .. }
            | Self::ProgramMissing { .. }
            | Self::NoEnvironment { .. }
            | Self::NoTool { .. } => Blame::Environment,
            Self::PolicyNotMet { .. }
            | Self::BadWheel { .. }
            | Self::WrongArchitecture { .. }
            | Self::Unreadable { .. }
            | Self::NoHeaderRoom { .. }
            | Self::Overlay { .. }
            | Self::Purelib { .. } => Blame::Project,
            Self::Nothing { .. } | Self::Several { .. } | Self::Unrepaired { .. } | Self::BadResult { .. } => {
                Blame::Tool
            }
            Self::RepairedBefore { .. } | Self::OtherLibc { .. } => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Step(step) => step.hint(),
            Self::Io(_) | Self::Write(_) => Some("target/wheelproof must be writable and have room".to_owned()),
            Self::LibraryNotFound { searched, .. } => {
                let looked = searched.iter().map(|dir| format!("`{dir}`")).collect::<Vec<_>>().join(", ");
                let looked = if looked.is_empty() { "the system's folders only".to_owned() } else { format!("{looked} and the system's folders") };
                Some(format!("looked in {looked}; name its folder (`--lib-dir DIR`, or in ci/wheels.yaml repair: {{ lib_dirs: [DIR] }}), or, if another wheel brings it, leave it out (`--exclude LIB`, repair: {{ exclude: [LIB] }})"))
            }
            Self::PolicyNotMet { policy, .. } if policy.starts_with("mac") || policy.starts_with("MAC") => {
                Some("build these libraries for the older macOS (MACOSX_DEPLOYMENT_TARGET), or ask for a newer platform".to_owned())
            }
            Self::PolicyNotMet { .. } => Some(
                "build in an image of that policy (its glibc and libraries are old enough), or ask for `platform: auto`".to_owned(),
            ),
            Self::OtherLibc { libc, meets, .. } => {
                let (family, other) = match libc {
                    Libc::Glibc => ("manylinux", Libc::Musl),
                    Libc::Musl => ("musllinux", Libc::Glibc),
                };
                let ask = match meets {
                    Some(policy) => format!("ask for `{policy}`"),
                    None => format!("ask for a {family} policy"),
                };
                Some(format!("{ask}, or leave it to `auto`; a wheel for {other} has to be built with {other}"))
            }
            Self::WrongArchitecture { .. } => Some("build it, and get its libraries, for the processor that the tag names".to_owned()),
            Self::Unreadable { .. } => Some(
                "build the wheel again with room on the disk and every file fetched (`git lfs pull`); no repair mends such a file".to_owned(),
            ),
            Self::NoHeaderRoom { .. } => Some("link it with `-Wl,-headerpad_max_install_names`".to_owned()),
            Self::Overlay { .. } => Some(
                "most often it is debug information: run `strip -s` on the file, or repair with `--strip` (repair: { strip: true })".to_owned(),
            ),
            Self::Purelib { .. } => Some("the build must mark the wheel as a platform's: `Root-Is-Purelib: false` in WHEEL".to_owned()),
            Self::RepairedBefore { .. } => Some("repair the wheel that the build made, not one that was repaired".to_owned()),
            Self::Nothing { .. } | Self::Several { .. } | Self::Unrepaired { .. } | Self::BadResult { .. } => {
                Some("the log says what it did; this is worth a report to the tool".to_owned())
            }
            Self::BadWheel { .. } => None,
            Self::NoEnvironment { .. } => Some("its environment is made before the repair".to_owned()),
            Self::NoTool { .. } => Some("run it on that system".to_owned()),
            Self::ProgramMissing { programs, .. } => Some(if programs.contains(&"otool") || programs.contains(&"codesign") {
                "on macOS they come with `xcode-select --install`; elsewhere LLVM's llvm-otool, llvm-install-name-tool and llvm-lipo can \
                 stand in for all but codesign (docs/repair.md)"
                    .to_owned()
            } else {
                "install it with the system's package manager (`strip` is in binutils)".to_owned()
            }),
            Self::TooOld { .. } => Some("remove target/wheelproof/tools; the pinned version is installed again".to_owned()),
        }
    }
}

//! Why a wheel was not repaired.

use camino::Utf8PathBuf;
use exec::{Blame, Explain, StepError};

/// Why a wheel was not repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The tool failed for a reason that is not known better.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A file or folder of the repair could not be made.
    #[error("the repair's own folder: {0}")]
    Io(#[from] std::io::Error),
    /// A library that the wheel needs lies nowhere that was looked at.
    #[error("the library `{library}`, needed by the wheel, was not found")]
    LibraryNotFound {
        /// Its name.
        library: String,
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
    /// What is there cannot be read.
    #[error("`{wheel}` cannot be read: {reason}")]
    BadWheel {
        /// Its name.
        wheel: String,
        /// Why.
        reason: String,
    },
    /// Nothing here repairs wheels of this system.
    #[error("wheels for {target} cannot be repaired here")]
    NoTool {
        /// The target.
        target: String,
    },
    /// A tool is too old.
    #[error("{tool} {found} is too old: {minimum} is needed")]
    TooOld {
        /// The tool.
        tool: &'static str,
        /// Its version.
        found: String,
        /// The oldest that is taken.
        minimum: String,
    },
}

fn lines(responsible: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = String::new();
    for line in responsible.iter().take(SHOWN) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    if responsible.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", responsible.len() - SHOWN));
    }
    text
}

impl RepairError {
    /// The command behind it, with its log.
    pub fn step_error(&self) -> Option<&StepError> {
        match self {
            Self::Step(step) => Some(step),
            Self::LibraryNotFound { step, .. } | Self::PolicyNotMet { step: Some(step), .. } => Some(step),
            _ => None,
        }
    }
}

impl Explain for RepairError {
    fn blame(&self) -> Blame {
        match self {
            Self::Step(step) => step.blame(),
            Self::Io(_) | Self::LibraryNotFound { .. } | Self::TooOld { .. } => Blame::Environment,
            Self::PolicyNotMet { .. } | Self::BadWheel { .. } => Blame::Project,
            Self::Nothing { .. } | Self::Several { .. } => Blame::Tool,
            Self::NoTool { .. } => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Step(step) => step.hint(),
            Self::Io(_) => Some("target/wheelproof must be writable and have room".to_owned()),
            Self::LibraryNotFound { searched, .. } => {
                let looked = searched.iter().map(|dir| format!("`{dir}`")).collect::<Vec<_>>().join(", ");
                let looked = if looked.is_empty() { "the system's folders only".to_owned() } else { format!("{looked} and the system's folders") };
                Some(format!("looked in {looked}; name its folder in ci/wheels.yaml: repair: {{ lib_dirs: [DIR] }}"))
            }
            Self::PolicyNotMet { .. } => Some(
                "build in an image of that policy (its glibc and libraries are old enough), or ask for `platform: auto`".to_owned(),
            ),
            Self::Nothing { .. } | Self::Several { .. } => Some("the log says what it did; this is worth a report to the tool".to_owned()),
            Self::BadWheel { .. } => None,
            Self::NoTool { .. } => Some("run it on that system".to_owned()),
            Self::TooOld { .. } => Some("remove target/wheelproof/tools; the pinned version is installed again".to_owned()),
        }
    }
}

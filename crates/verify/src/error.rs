//! Why a wheel did not pass.

use exec::{Blame, Explain, StepError};
use host::sources::SourcesError;

/// Why a wheel did not pass.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A command failed, took too long, or was stopped.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A module does not import.
    #[error("`import {module}` failed{}: {kind}: {message}", .with.as_ref().map(|with| format!(" {with}")).unwrap_or_default())]
    Import {
        /// The module.
        module: String,
        /// The exception's type.
        kind: String,
        /// Its text.
        message: String,
        /// With which neighbours.
        with: Option<String>,
        /// The command.
        step: Box<StepError>,
    },
    /// A test command failed.
    #[error("the wheel imports, but its tests fail: `{command}` {}", ending(.step))]
    Tests {
        /// The command as the user wrote it.
        command: String,
        /// The same as it ran.
        step: Box<StepError>,
        /// The modules that were imported before.
        imported: Vec<String>,
        /// The test commands that passed before.
        tested: Vec<String>,
    },
    /// The process that imported died.
    #[error("the process died while it imported `{module}`: it {}", ending(.step))]
    Died {
        /// The module.
        module: String,
        /// The command.
        step: Box<StepError>,
    },
    /// The tests' sources could not be copied.
    #[error("the project could not be copied for its tests: {0}")]
    Sources(#[from] SourcesError),
    /// A file or folder of the verification could not be made or read.
    #[error("the verification's own folder: {0}")]
    Io(#[from] std::io::Error),
    /// What a process wrote about its libraries cannot be read.
    #[error(transparent)]
    Loaded(#[from] host::loaded::LoadedError),
    /// The wheel cannot be read.
    #[error("`{wheel}` cannot be read: {reason}")]
    BadWheel {
        /// Its name.
        wheel: String,
        /// Why.
        reason: String,
    },
}

/// How the command ended, without the path of the environment's interpreter.
fn ending(step: &StepError) -> String {
    match step {
        StepError::Failed { status, .. } => format!("ended with {status}"),
        StepError::TimedOut { limit_seconds, .. } => format!("was stopped: it took longer than {limit_seconds} s"),
        other => format!("failed: {other}"),
    }
}

/// The setting that a step's time comes from.
fn longer(key: &str) -> String {
    format!("if it only needs longer, raise `time_limits: {{ {key}: … }}` in ci/wheels.yaml")
}

impl VerifyError {
    /// What passed before it came to this: the modules that were imported, and the test commands.
    pub fn passed(&self) -> (&[String], &[String]) {
        match self {
            Self::Tests { imported, tested, .. } => (imported, tested),
            _ => (&[], &[]),
        }
    }

    /// The command behind it, with its log.
    pub fn step_error(&self) -> Option<&StepError> {
        match self {
            // Copying asks git; what stopped git stopped the verification.
            Self::Step(step) | Self::Sources(SourcesError::Step(step)) => Some(step),
            Self::Import { step, .. } | Self::Tests { step, .. } | Self::Died { step, .. } => Some(step),
            _ => None,
        }
    }
}

impl Explain for VerifyError {
    fn blame(&self) -> Blame {
        match self {
            Self::Step(step) | Self::Sources(SourcesError::Step(step)) => step.blame(),
            Self::Import { .. } | Self::Tests { .. } | Self::Died { .. } | Self::BadWheel { .. } => Blame::Project,
            Self::Sources(_) | Self::Io(_) => Blame::Environment,
            Self::Loaded(_) => Blame::Ours,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Step(StepError::TimedOut { .. }) => Some(longer("step")),
            Self::Tests { step, .. } if matches!(**step, StepError::TimedOut { .. }) => Some(longer("test")),
            Self::Step(step) | Self::Sources(SourcesError::Step(step)) => step.hint(),
            Self::Import { kind, message, .. } if kind == "ImportError" && message.contains("cannot open shared object file") => {
                Some("a library that the wheel needs is neither in it nor on this machine; the repair log says what was grafted".to_owned())
            }
            Self::Import { kind, message, .. } if kind == "ImportError" && message.contains("undefined symbol") => {
                Some("a symbol is missing from the libraries in the wheel or from this Python: `cargo xtask symbols` says which and why".to_owned())
            }
            Self::Import { kind, .. } if kind == "ModuleNotFoundError" => {
                Some("a dependency is missing from the wheel's Requires-Dist, or `import:` names the wrong module".to_owned())
            }
            Self::Import { .. } => Some("the traceback stands in the log".to_owned()),
            Self::Tests { step, .. } => step.hint().or_else(|| Some("the tests ran against the repaired wheel, from an empty folder".to_owned())),
            Self::Died { .. } => Some("a crash while importing is mostly an ABI mismatch or two copies of one library".to_owned()),
            Self::Sources(_) => None,
            Self::Io(_) => Some("target/wheelproof must be writable and have room".to_owned()),
            Self::Loaded(_) => Some("please report this".to_owned()),
            Self::BadWheel { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exec::CancelReason;

    #[test]
    fn ctrl_c_while_git_is_asked_is_ctrl_c() {
        let cancelled = StepError::Cancelled { step: "git".to_owned(), reason: CancelReason::Interrupt };
        let error = VerifyError::from(SourcesError::from(cancelled));
        assert!(matches!(error.step_error(), Some(StepError::Cancelled { .. })));
        assert_eq!(error.blame(), Blame::User);
    }
}

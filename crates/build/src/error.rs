//! Why there is no wheel.

use camino::Utf8PathBuf;
use exec::{Blame, Explain, StepError};
use host::sources::SourcesError;

/// Why a build gave no wheel.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A command failed, took too long, or was stopped.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The backend ran and said no.
    #[error("`{backend}` could not make the {what}: {}", ending(.step))]
    Backend {
        /// Wheel or sdist.
        what: &'static str,
        /// The backend.
        backend: String,
        /// The command.
        step: Box<StepError>,
    },
    /// The sources could not be copied.
    #[error("the sources could not be copied: {0}")]
    Sources(#[from] SourcesError),
    /// A file or folder of the build could not be made.
    #[error("the build's own folder: {0}")]
    Io(#[from] std::io::Error),
    /// The backend succeeded and made nothing.
    #[error("`{backend}` reported success and made no {what}")]
    Nothing {
        /// Wheel or sdist.
        what: &'static str,
        /// The backend.
        backend: String,
        /// Where it should lie.
        place: Utf8PathBuf,
    },
    /// The backend made more than one.
    #[error("`{backend}` made {} {what}s where one was asked for: {}", .found.len(), .found.join(", "))]
    Several {
        /// Wheel or sdist.
        what: &'static str,
        /// The backend.
        backend: String,
        /// Their names.
        found: Vec<String>,
    },
    /// The sdist holds no project.
    #[error("the sdist `{sdist}` does not hold one folder with a pyproject.toml")]
    BadSdist {
        /// Its name.
        sdist: String,
    },
    /// What was built is no wheel.
    #[error("what was built is no wheel: {0}")]
    BadWheel(String),
}

/// How the command ended, without its path: which program ran is the backend's business.
fn ending(step: &StepError) -> String {
    match step {
        StepError::Failed { status, .. } => status.to_string(),
        StepError::TimedOut { limit_seconds, .. } => format!("it took longer than {limit_seconds} s"),
        other => other.to_string(),
    }
}

impl BuildError {
    /// The command behind it, with its log.
    pub fn step_error(&self) -> Option<&StepError> {
        match self {
            // Copying asks git; what stopped git stopped the build.
            Self::Step(error) | Self::Sources(SourcesError::Step(error)) => Some(error),
            Self::Backend { step, .. } => Some(step),
            _ => None,
        }
    }
}

impl Explain for BuildError {
    fn blame(&self) -> Blame {
        match self {
            Self::Step(error) | Self::Sources(SourcesError::Step(error)) => error.blame(),
            Self::Backend { step, .. } => step.blame(),
            Self::Sources(_) | Self::Io(_) => Blame::Environment,
            Self::Nothing { .. } | Self::Several { .. } | Self::BadSdist { .. } | Self::BadWheel(_) => Blame::Project,
        }
    }

    fn hint(&self) -> Option<String> {
        if matches!(self.step_error(), Some(StepError::TimedOut { .. })) {
            return Some("if it only needs longer, raise `time_limits: { build: … }` in ci/wheels.yaml".to_owned());
        }
        match self {
            Self::Step(error) | Self::Sources(SourcesError::Step(error)) => error.hint(),
            Self::Backend { step, .. } => step.hint(),
            Self::Sources(_) => Some("`git status` in the project shows what git makes of it".to_owned()),
            Self::Io(_) => Some("target/wheelproof must be writable and have room".to_owned()),
            Self::Nothing { place, .. } => {
                Some(format!("the backend should have put it into `{place}`; its log says what it did"))
            }
            Self::Several { .. } => {
                Some("a project builds one distribution; list each as a project of its own".to_owned())
            }
            Self::BadSdist { .. } => {
                Some("the backend decides what the sdist holds; look at its include and exclude settings".to_owned())
            }
            Self::BadWheel(_) => None,
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
        let error = BuildError::from(SourcesError::from(cancelled));
        assert!(matches!(error.step_error(), Some(StepError::Cancelled { .. })));
        assert_eq!(error.blame(), Blame::User);
    }
}

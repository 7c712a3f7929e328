//! Why a build came to no wheel, before it is a report.

use crate::report::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Explain, StepError};

/// What a build came to, before it is a report.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// A stage's error: the sentence, the advice, and the step behind it.
    Stage { reason: String, help: Option<String>, failure: Failure, log: Option<Utf8PathBuf>, excerpt: Vec<String> },
    /// A finding at error level.
    Findings(String),
}

impl Stop {
    /// From any stage's error.
    pub(crate) fn stage(error: &dyn Explain, step: Option<&StepError>) -> Self {
        let failure = match step {
            Some(StepError::Cancelled { .. }) => Failure::Interrupted,
            Some(StepError::NotFound { .. }) => Failure::Environment,
            _ => Failure::Step,
        };
        Self::Stage {
            reason: error.to_string(),
            help: error.hint(),
            failure,
            log: step.and_then(StepError::log).map(Utf8Path::to_owned),
            excerpt: step.map(|step| step.excerpt().to_vec()).unwrap_or_default(),
        }
    }

    pub(crate) fn io(what: &str, error: &std::io::Error) -> Self {
        Self::Stage {
            reason: format!("{what}: {error}"),
            help: None,
            failure: Failure::Step,
            log: None,
            excerpt: Vec::new(),
        }
    }
}

/// A wheel that one stage made and the next cannot open.
pub(crate) fn unreadable(stage: &str, error: &dyn std::error::Error) -> Stop {
    Stop::Stage {
        reason: format!("{stage}: {error}"),
        help: None,
        failure: Failure::Step,
        log: None,
        excerpt: Vec::new(),
    }
}

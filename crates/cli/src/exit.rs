//! Exit codes: the contract with whoever calls this program.

/// Everything is as it should be.
pub const FINE: u8 = 0;
/// Findings at error level.
pub const FINDINGS: u8 = 1;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// A tool or program of the environment is missing or too old.
pub const ENVIRONMENT: u8 = 3;
/// A step failed: build, repair, import.
pub const STEP: u8 = 4;
/// Nothing was selected.
pub const NOTHING: u8 = 5;
/// A fault of ours.
pub const OURS: u8 = 70;
/// Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// An error that ends the program, with its exit code and advice.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Failure {
    /// A failure with a code.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Usage or configuration.
    #[allow(clippy::needless_pass_by_value)] // so that it can be named in `map_err`
    pub fn usage(message: impl ToString) -> Self {
        Self::new(USAGE, message.to_string())
    }
}

impl From<plan::ConfigError> for Failure {
    fn from(error: plan::ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<exec::StepError> for Failure {
    fn from(error: exec::StepError) -> Self {
        use exec::Explain as _;
        let code = match &error {
            exec::StepError::Cancelled { .. } => INTERRUPTED,
            exec::StepError::NotFound { .. } => ENVIRONMENT,
            _ => STEP,
        };
        let mut message = error.to_string();
        for line in error.excerpt() {
            message.push_str("\n  | ");
            message.push_str(&diagnostics::printable(line));
        }
        if let Some(log) = error.log() {
            message.push_str("\n  log: ");
            message.push_str(log.as_str());
        }
        Self { code, message, help: error.hint() }
    }
}

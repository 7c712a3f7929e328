//! Why a step did not succeed: what, where, whose fault, and what to do.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::cancel::CancelReason;
use crate::status::Status;

/// Whose fault a failure is, which decides what to tell the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The person at the keyboard: a wrong argument or configuration, or Ctrl-C.
    User,
    /// The machine: a missing program, a full disk, no network, no permission.
    Environment,
    /// A program that we ran broke or hung.
    Tool,
    /// The project that is built or tested.
    Project,
    /// This program.
    Ours,
}

/// An error that answers whose fault it is and what to do next; its `Display` says what went wrong and where.
pub trait Explain: std::error::Error {
    /// Whose fault it is.
    fn blame(&self) -> Blame;
    /// What to do next, as one or more whole sentences.
    fn hint(&self) -> Option<String>;
}

/// Why a step or query did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The program does not exist where it was looked for.
    #[error("{step}: the program `{program}` was not found{}", place(searched))]
    NotFound {
        /// The step's name, or the program's for a query.
        step: String,
        /// The program as it was asked for.
        program: String,
        /// Where it was looked for, in order; for a program given with its folder, that path alone.
        searched: Vec<Utf8PathBuf>,
    },
    /// The program is there but the system would not start it.
    #[error("{step}: cannot start `{program}`: {source}")]
    CannotStart {
        /// The step's name.
        step: String,
        /// The program's path.
        program: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ran and reported failure. (Boxed where it keeps the type small enough to be returned by value.)
    #[error("{step}: `{program}` failed with {status}")]
    Failed {
        /// The step's name.
        step: String,
        /// The program as it was asked for.
        program: Box<str>,
        /// How it ended.
        status: Status,
        /// The lines of its output that tell why; at most about twenty.
        excerpt: Vec<String>,
        /// Where the whole output is; none for a query.
        log: Option<Utf8PathBuf>,
        /// The command as a person can repeat it in a shell.
        command_line: Box<str>,
    },
    /// It was stopped at its time limit.
    #[error("{step}: `{program}` was stopped: it took longer than {limit_seconds} s")]
    TimedOut {
        /// The step's name.
        step: String,
        /// The program as it was asked for.
        program: String,
        /// The limit in seconds.
        limit_seconds: u64,
        /// The last lines it printed.
        excerpt: Vec<String>,
        /// Where the whole output is; none for a query.
        log: Option<Utf8PathBuf>,
    },
    /// It was stopped, or not started, because the run was cancelled.
    #[error("{step}: {reason}")]
    Cancelled {
        /// The step's name.
        step: String,
        /// Why the run was cancelled.
        reason: CancelReason,
    },
    /// A query printed more than it may.
    #[error("{step}: `{program}` printed more than {limit_bytes} bytes and was stopped")]
    TooMuchOutput {
        /// The query's name.
        step: String,
        /// The program as it was asked for.
        program: String,
        /// The limit in bytes, for each of the two streams.
        limit_bytes: usize,
    },
    /// There is no room for the log.
    #[error("{step}: no space left on the disk while writing `{path}`")]
    DiskFull {
        /// The step's name.
        step: String,
        /// The file that could not be written.
        path: Utf8PathBuf,
    },
    /// The log cannot be written there.
    #[error("{step}: cannot write `{path}`: {source}")]
    ReadOnly {
        /// The step's name.
        step: String,
        /// The file or folder that could not be written.
        path: Utf8PathBuf,
        /// What the system said: no permission, or a read-only file system.
        source: io::Error,
    },
    /// The step itself makes no sense.
    #[error("{step}: {reason}")]
    Malformed {
        /// The step's name.
        step: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else that the system refused.
    #[error("{step}: cannot {action} `{path}`: {source}")]
    Io {
        /// The step's name.
        step: String,
        /// What was tried, as in `cannot {action} …`.
        action: &'static str,
        /// With which file, folder or program.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn place(searched: &[Utf8PathBuf]) -> String {
    match searched {
        [] => " (PATH is empty)".to_owned(),
        [only] => format!(" at `{only}`"),
        many => format!(" in the {} folders of PATH", many.len()),
    }
}

impl StepError {
    /// An error while writing `path`, as the variant that says most.
    pub(crate) fn writing(step: &str, action: &'static str, path: &Utf8Path, source: io::Error) -> Self {
        let (step, path) = (step.to_owned(), path.to_owned());
        // fs-err's own text would name the path twice.
        let source = if source.get_ref().is_some() { io::Error::from(source.kind()) } else { source };
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { step, path },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { step, path, source }
            }
            _ => Self::Io { step, action, path, source },
        }
    }

    /// The step's name.
    pub fn step(&self) -> &str {
        match self {
            Self::NotFound { step, .. }
            | Self::CannotStart { step, .. }
            | Self::Failed { step, .. }
            | Self::TimedOut { step, .. }
            | Self::Cancelled { step, .. }
            | Self::TooMuchOutput { step, .. }
            | Self::DiskFull { step, .. }
            | Self::ReadOnly { step, .. }
            | Self::Malformed { step, .. }
            | Self::Io { step, .. } => step,
        }
    }

    /// The lines of output that tell why, if the step got so far.
    pub fn excerpt(&self) -> &[String] {
        match self {
            Self::Failed { excerpt, .. } | Self::TimedOut { excerpt, .. } => excerpt,
            Self::NotFound { .. }
            | Self::CannotStart { .. }
            | Self::Cancelled { .. }
            | Self::TooMuchOutput { .. }
            | Self::DiskFull { .. }
            | Self::ReadOnly { .. }
            | Self::Malformed { .. }
            | Self::Io { .. } => &[],
        }
    }

    /// Where the whole output is, if there is any.
    pub fn log(&self) -> Option<&Utf8Path> {
        match self {
            Self::Failed { log, .. } | Self::TimedOut { log, .. } => log.as_deref(),
            Self::NotFound { .. }
            | Self::CannotStart { .. }
            | Self::Cancelled { .. }
            | Self::TooMuchOutput { .. }
            | Self::DiskFull { .. }
            | Self::ReadOnly { .. }
            | Self::Malformed { .. }
            | Self::Io { .. } => None,
        }
    }
}

fn is_windows() -> bool {
    matches!(crate::Naming::host(), crate::Naming::Windows { .. })
}

impl Explain for StepError {
    fn blame(&self) -> Blame {
        match self {
            Self::NotFound { .. }
            | Self::CannotStart { .. }
            | Self::DiskFull { .. }
            | Self::ReadOnly { .. }
            | Self::Io { .. }
            | Self::Failed { status: Status::Signal(9), .. } => Blame::Environment,
            Self::Failed { status: Status::Signal(_), .. } | Self::TooMuchOutput { .. } => Blame::Tool,
            Self::Failed { excerpt, .. } if environment_trouble(excerpt).is_some() => Blame::Environment,
            Self::Failed { .. } | Self::TimedOut { .. } => Blame::Project,
            Self::Cancelled { .. } => Blame::User,
            Self::Malformed { .. } => Blame::Ours,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { program, searched, .. } => {
                let list: Vec<String> = searched.iter().map(|path| format!("`{path}`")).collect();
                Some(match list.as_slice() {
                    [] => format!("Set PATH, or give `{program}` with its folder."),
                    _ => format!("Install `{program}`, or put it on PATH. Looked at: {}.", list.join(", ")),
                })
            }
            Self::CannotStart { program, source, .. } => Some(match source.kind() {
                io::ErrorKind::PermissionDenied => format!("Make `{program}` executable: `chmod +x {program}`."),
                io::ErrorKind::NotFound if is_windows() && program.as_str().len() >= MAX_PATH => format!(
                    "The path of `{program}` is longer than the {MAX_PATH} characters from which Windows starts programs: \
                     use a shorter folder."
                ),
                io::ErrorKind::NotFound => format!(
                    "`{program}` exists, so what is missing is the interpreter in its first line (a virtual environment \
                     that was moved, a Python that was removed) or the loader of its architecture."
                ),
                io::ErrorKind::InvalidInput => format!(
                    "`{program}` is a batch file, and one of its arguments holds what cannot be said to batch files, such \
                     as a line end."
                ),
                io::ErrorKind::ArgumentListTooLong => {
                    "The arguments and environment are larger than the system allows.".to_owned()
                }
                _ => format!("`{program}` may be made for another system or architecture, or be damaged."),
            }),
            Self::Failed { status: Status::Signal(9), .. } => Some(
                "Something outside killed it, most often the kernel because memory ran out: try with fewer parallel jobs."
                    .to_owned(),
            ),
            Self::Failed { excerpt, command_line, log, .. } => Some(match (environment_trouble(excerpt), log) {
                (Some(advice), _) => advice.to_owned(),
                (None, Some(_)) => "The log begins with the exact command line, to repeat it by hand.".to_owned(),
                (None, None) => format!("To repeat it by hand: {command_line}"),
            }),
            Self::TimedOut { .. } => Some("If it only needs longer, raise its time limit.".to_owned()),
            Self::Cancelled { .. } | Self::Io { .. } => None,
            Self::TooMuchOutput { program, .. } => {
                Some(format!("`{program}` is probably not the program that was expected."))
            }
            Self::DiskFull { .. } => Some("Free some space, or choose another folder.".to_owned()),
            Self::ReadOnly { .. } => Some("Make it writable, or choose another folder.".to_owned()),
            Self::Malformed { .. } => Some("This is a fault of the program; please report it.".to_owned()),
        }
    }
}

/// `MAX_PATH` of Windows (minwindef.h), which holds for programs that are started even where longer paths are enabled.
const MAX_PATH: usize = 260;

/// What a tool prints when the machine is at fault rather than the project, and what helps.
const ENVIRONMENT_TROUBLE: &[(&str, &str)] = &[
    ("No space left on device", "The disk is full: free some space, or choose another folder."),
    ("Disk quota exceeded", "The disk quota is used up: free some space, or choose another folder."),
    ("Read-only file system", "The file system is read-only: choose another folder."),
    ("Could not resolve host", NO_NETWORK),
    ("name resolution", NO_NETWORK),
    ("Failed to establish a new connection", NO_NETWORK),
    ("Network is unreachable", NO_NETWORK),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "A certificate was refused: behind a proxy, set SSL_CERT_FILE or PIP_CERT to its certificate.",
    ),
];

const NO_NETWORK: &str = "The network, or the server that was asked, cannot be reached: check the connection, the proxy variables and the \
     package index.";

fn environment_trouble(excerpt: &[String]) -> Option<&'static str> {
    ENVIRONMENT_TROUBLE
        .iter()
        .find(|(sign, _)| excerpt.iter().any(|line| line.contains(sign)))
        .map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_enough_to_be_returned_by_value() {
        assert!(size_of::<StepError>() <= 120, "{}", size_of::<StepError>());
    }
}

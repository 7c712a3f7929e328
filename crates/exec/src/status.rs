//! How a process ended.

use std::fmt;
use std::process::ExitStatus;

use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It exited with this code; 0 is success.
    Code(i32),
    /// It was ended by this signal.
    Signal(i32),
}

impl Status {
    /// Exit code 0?
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl From<ExitStatus> for Status {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(signal);
        }
        Self::Code(status.code().unwrap_or(-1))
    }
}

/// Signals that tools really die of, by the numbers that Linux and macOS share (POSIX.1-2017, kill(1), and SIGSEGV 11).
const SIGNALS: [(i32, &str); 9] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (15, "SIGTERM"),
];

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            // Windows reports crashes as NTSTATUS values, which people know in hexadecimal.
            Self::Code(code) if code < -0xffff => write!(f, "exit code {:#010x}", code.cast_unsigned()),
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match SIGNALS.iter().find(|(number, _)| *number == signal) {
                Some((_, name)) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown() {
        for (status, text) in [
            (Status::Code(0), "exit code 0"),
            (Status::Code(-1), "exit code -1"),
            (Status::Code(0xC000_0005_u32.cast_signed()), "exit code 0xc0000005"),
            (Status::Signal(9), "signal 9 (SIGKILL)"),
            (Status::Signal(33), "signal 33"),
        ] {
            assert_eq!(status.to_string(), text);
        }
    }
}

//! Talk to stderr while a run goes on: plain lines, log groups in CI, nothing when told to be quiet.

use exec::{Ending, Event, Events};
use std::io::{IsTerminal, Write};

/// How talkative the program is and who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// `-q`: the verdict only.
    Quiet,
    /// Each step when it starts and ends.
    Plain,
    /// The same inside GitHub's log groups, with the tools' own output.
    Groups,
    /// `-v`: the tools' own output between the lines.
    Verbose,
}

impl Talk {
    /// From the flags and the environment.
    pub(crate) fn choose(quiet: bool, verbose: bool, github: bool) -> Self {
        match (quiet, verbose, github) {
            (true, ..) => Self::Quiet,
            (_, _, true) => Self::Groups,
            (_, true, _) => Self::Verbose,
            _ => Self::Plain,
        }
    }

    /// Whether the tools' own output is wanted.
    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::Groups | Self::Verbose)
    }
}

/// Writes events to stderr as they come.
#[derive(Debug)]
pub(crate) struct Console {
    talk: Talk,
    colour: bool,
}

impl Console {
    /// A console on stderr; colour only on a terminal, and not where NO_COLOR is set.
    pub(crate) fn new(talk: Talk) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { talk, colour: !plain && std::io::stderr().is_terminal() }
    }

    /// Whether stderr shows colour.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// One line, whole; a pipe that was closed is nobody's fault.
    #[allow(clippy::unused_self)] // where the line goes is the console's business
    pub(crate) fn line(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// `error: …` with its advice.
    pub(crate) fn error(&self, message: &str, help: Option<&str>) {
        self.line(&format!("{}: {message}", self.paint("1;31", "error")));
        if let Some(help) = help {
            self.line(&format!("  = help: {help}"));
        }
    }

    /// `warning: …`.
    pub(crate) fn warning(&self, message: &str) {
        self.line(&format!("{}: {message}", self.paint("1;33", "warning")));
    }
}

impl Events for Console {
    fn emit(&self, event: &Event) {
        if self.talk == Talk::Quiet {
            return;
        }
        let prefix = |scope: &str| if scope.is_empty() { String::new() } else { format!("{scope}  ") };
        match event {
            Event::Started { scope, step, .. } => {
                let head = if self.talk == Talk::Groups { "::group::" } else { "" };
                self.line(&format!("{head}{}{step} …", prefix(scope)));
            }
            Event::Output { line, .. } => {
                if self.talk.streams() {
                    self.line(&diagnostics::printable(line));
                }
            }
            Event::Ended { scope, step, seconds, status, .. } => {
                if self.talk == Talk::Groups {
                    self.line("::endgroup::");
                }
                let (word, code) = match status {
                    Ending::Succeeded => ("done", "32"),
                    Ending::Failed => ("FAILED", "1;31"),
                    Ending::TimedOut => ("TIMED OUT", "1;31"),
                    Ending::Cancelled => ("stopped", "33"),
                };
                let time = pipeline::report::duration(*seconds);
                self.line(&format!("{}{step} {} in {time}", prefix(scope), self.paint(code, word)));
            }
            Event::Note { scope, text } => self.line(&format!("{}{text}", prefix(scope))),
            Event::Warning { scope, text } => self.warning(&format!("{}{text}", prefix(scope))),
        }
    }
}

//! Talk to stderr while a run goes on: plain lines, log groups in CI, live lines on a terminal, nothing when told to be
//! quiet.

mod display;
mod line;
mod screen;

pub(crate) use display::Display;

use exec::{Ending, Event, Events};
use screen::Screen;
use std::io::IsTerminal;
use std::sync::Arc;

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
pub(crate) struct Console {
    talk: Talk,
    colour: bool,
    screen: Arc<Screen>,
}

impl Console {
    /// A console on stderr; colour only on a terminal that knows it, and not where NO_COLOR is set.
    pub(crate) fn new(talk: Talk) -> Self {
        let colour = understands() && !anstyle_query::no_color();
        Self { talk, colour, screen: Arc::new(Screen::new(Box::new(std::io::stderr()))) }
    }

    /// Whether stderr shows colour.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// One line or several, whole; a pipe that was closed is nobody's fault.
    pub(crate) fn line(&self, text: &str) {
        self.screen.print(&format!("{text}\n"));
    }

    /// `error: …` with its advice.
    pub(crate) fn error(&self, message: &str, help: Option<&str>) {
        let help = help.map(|help| format!("\n  = help: {help}")).unwrap_or_default();
        self.line(&format!("{}: {message}{help}", self.paint("1;31", "error")));
    }

    /// `warning: …`.
    pub(crate) fn warning(&self, message: &str) {
        self.line(&self.warned(message));
    }

    fn warned(&self, message: &str) -> String {
        format!("{}: {message}", self.paint("1;33", "warning"))
    }

    /// `minijit/cp313-linux_x86_64  build done in 12 s`.
    fn ended(&self, scope: &str, step: &str, seconds: f64, ending: Ending) -> String {
        let (word, code) = match ending {
            Ending::Succeeded => ("done", "32"),
            Ending::Failed => ("FAILED", "1;31"),
            Ending::TimedOut => ("TIMED OUT", "1;31"),
            Ending::Cancelled => ("stopped", "33"),
        };
        format!("{}{step} {} in {}", prefix(scope), self.paint(code, word), pipeline::report::duration(seconds))
    }
}

/// Whether stderr is a terminal that understands escape sequences. On Windows they are switched on by this.
fn understands() -> bool {
    let able = anstyle_query::windows::enable_ansi_colors().unwrap_or_else(anstyle_query::term_supports_ansi_color);
    able && std::io::stderr().is_terminal()
}

fn prefix(scope: &str) -> String {
    if scope.is_empty() { String::new() } else { format!("{scope}  ") }
}

impl Events for Console {
    fn emit(&self, event: &Event) {
        if self.talk == Talk::Quiet && !matches!(event, Event::Waiting { .. }) {
            return;
        }
        let groups = self.talk == Talk::Groups;
        match event {
            Event::Started { scope, step, .. } => {
                let head = if groups { "::group::" } else { "" };
                self.line(&format!("{head}{}{step} …", prefix(scope)));
            }
            Event::Output { line, .. } => {
                if self.talk.streams() {
                    self.line(&diagnostics::printable(line));
                }
            }
            Event::Ended { scope, step, seconds, status, .. } => {
                let foot = if groups { "::endgroup::\n" } else { "" };
                self.line(&format!("{foot}{}", self.ended(scope, step, *seconds, *status)));
            }
            Event::Note { scope, text } | Event::Waiting { scope, text } => {
                self.line(&format!("{}{text}", prefix(scope)));
            }
            Event::Warning { scope, text } => self.warning(&format!("{}{text}", prefix(scope))),
        }
    }
}

//! How text looks: colour and width, decided by whoever knows the terminal.

use crate::Severity;

/// How text for a terminal looks. The caller knows whether there is one, and about NO_COLOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Columns to fill; at least 40 are used.
    pub width: usize,
    /// How many findings of one block, and how many places, are shown before the rest is only counted.
    pub limit: usize,
    /// The command that explains a rule, e.g. `cargo xtask explain`; named below the findings.
    pub explain: Option<&'static str>,
}

impl Default for Style {
    /// Plain text of 100 columns, ten findings of a block.
    fn default() -> Self {
        Self { colour: false, width: 100, limit: 10, explain: None }
    }
}

impl Style {
    pub(crate) fn columns(&self) -> usize {
        self.width.max(40)
    }

    /// Bold.
    pub(crate) fn strong(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// The lines that frame a finding.
    pub(crate) fn frame(&self, text: &str) -> String {
        self.paint("1;34", text)
    }

    pub(crate) fn severity(&self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Info => "1;36",
            Severity::Off => "2",
        };
        self.paint(code, text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

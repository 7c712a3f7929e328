//! Data to stdout.

use std::io::Write;

/// Writes a text and a line end; a reader that went away early (`| head`) is nobody's fault.
pub(crate) fn line(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
}

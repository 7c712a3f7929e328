//! Text for people, written whole; on a terminal with a few lines below it that are written anew.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where text goes. Every piece is one write: what others write to the same place stands before or after it, never within.
pub(super) struct Screen(Mutex<State>);

struct State {
    out: Box<dyn Write + Send>,
    /// The lines that stand below the text now.
    shown: Vec<String>,
}

impl Screen {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(State { out, shown: Vec::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes text, which ends with a line end, above the lines that are shown.
    pub(super) fn print(&self, text: &str) {
        let mut state = self.lock();
        let shown = state.shown.clone();
        state.draw(text, shown);
    }

    /// Writes text and replaces the lines that are shown, if anything changed.
    pub(super) fn show(&self, text: &str, lines: Vec<String>) {
        let mut state = self.lock();
        if !text.is_empty() || state.shown != lines {
            state.draw(text, lines);
        }
    }

    /// Writes a long text piece by piece; nothing else is written meanwhile.
    pub(super) fn stream(&self, write: &mut dyn FnMut(&mut dyn Write)) {
        write(&mut *self.lock().out);
    }

    /// Takes the shown lines away, unless somebody is writing: then who calls this is within that write.
    pub(super) fn try_clear(&self) {
        if let Ok(mut state) = self.0.try_lock() {
            state.draw("", Vec::new());
        }
    }
}

impl State {
    /// The cursor stands at the start of the last shown line: there a `^C` that the terminal echoes is overwritten, and
    /// whatever is written by others begins a line. It is never moved above what was shown, so that no text is lost when the
    /// terminal was made narrower; what then stands on more lines than before stays behind. (Only where it is nonzero does
    /// moving up mean what it says: `ESC [ 0 A` moves by one.)
    fn draw(&mut self, text: &str, lines: Vec<String>) {
        let before = self.shown.len();
        let mut piece = String::new();
        if before > 1 {
            let _ = write!(piece, "\x1b[{}A", before - 1);
        }
        if before > 0 {
            piece.push_str("\r\x1b[J");
        }
        piece.push_str(text);
        piece.push_str(&lines.join("\n"));
        if !lines.is_empty() {
            piece.push('\r');
        }
        self.shown = lines;
        // A reader that went away is nobody's fault.
        let _ = self.out.write_all(piece.as_bytes()).and_then(|()| self.out.flush());
    }
}

//! Reading a log while it grows.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use camino::Utf8Path;

use crate::text;

/// How long a line may wait to be seen.
const PAUSE: Duration = Duration::from_millis(25);

/// A longer line is told in pieces, so that output without line ends needs no memory.
const LONGEST_LINE: usize = 64 * 1024;

/// Tells every line that is written to `path` after `start`, until the other end of `done` is dropped and all that was
/// written by then is told; it does not return before. A log that cannot be read is not told at all: it is there for looking on, not for the result.
pub(crate) fn follow(path: &Utf8Path, start: u64, done: &Receiver<()>, tell: &dyn Fn(String)) {
    let open = || -> std::io::Result<File> {
        let (mut file, _) = fs_err::File::open(path)?.into_parts();
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    };
    let Ok(mut file) = open() else {
        let _ = done.recv();
        return;
    };
    let mut lines = Lines { pending: Vec::new(), tell };
    loop {
        let last = matches!(done.recv_timeout(PAUSE), Err(RecvTimeoutError::Disconnected));
        // What is written after the end (by a process that outlives the step) is not waited for.
        let end = file.metadata().map_or(0, |metadata| metadata.len());
        read_until(&mut file, end, &mut lines);
        if last {
            break;
        }
    }
    lines.finish();
}

fn read_until(file: &mut File, end: u64, lines: &mut Lines<'_>) {
    let Ok(position) = file.stream_position() else { return };
    let mut wanted = file.take(end.saturating_sub(position));
    let mut piece = vec![0; LONGEST_LINE];
    while let Ok(length @ 1..) = wanted.read(&mut piece) {
        lines.push(piece.get(..length).unwrap_or_default());
    }
}

struct Lines<'a> {
    pending: Vec<u8>,
    tell: &'a dyn Fn(String),
}

impl Lines<'_> {
    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            self.pending.extend_from_slice(line);
            self.emit();
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= LONGEST_LINE {
            self.emit();
        }
    }

    fn emit(&mut self) {
        (self.tell)(text::shown(visible(&self.pending)).into_owned());
        self.pending.clear();
    }

    fn finish(&mut self) {
        if !self.pending.is_empty() {
            self.emit();
        }
    }
}

/// What of a line is to be seen: the carriage returns of its end are part of the line end (a program that opens its
/// output as text on Windows writes two if it is given one), and what another one overwrote, as progress bars do, is
/// gone.
fn visible(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    let line = line.get(..end).unwrap_or_default();
    let start = line.iter().rposition(|byte| *byte == b'\r').map_or(0, |last| last + 1);
    line.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn lines_are_cut_at_line_ends_however_they_arrive() {
        let text = b"one\r\ntwo caf\xc3\xa9\n\n\r\r\n 10%\r 50%\r100%\r\r\nlast\r";
        for size in 1..text.len() {
            let told = RefCell::new(Vec::new());
            let tell = |line| told.borrow_mut().push(line);
            let mut lines = Lines { pending: Vec::new(), tell: &tell };
            for piece in text.chunks(size) {
                lines.push(piece);
            }
            lines.finish();
            assert_eq!(*told.borrow(), ["one", "two caf\u{e9}", "", "", "100%", "last"], "pieces of {size}");
        }
    }
}

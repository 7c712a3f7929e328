//! Data to stdout.

use crate::exit::{self, Failure};
use std::io::{self, ErrorKind, Write};

/// Writes a text and a line end to stdout. A reader that went away early (`| head`) is nobody's fault.
///
/// # Errors
/// When what stdout leads to does not take it, such as a full disk: whoever reads it must not take a part for the whole.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    written(write(&mut io::stdout().lock(), text))
}

fn write(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    out.flush()
}

fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let message = format!("the result could not be written to standard output: {error}");
            let help =
                "what is there is not the whole; look at where the output goes (is its disk full?) and run it again";
            Err(Failure::new(exit::STEP, message).help(help))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes and then fails.
    struct Full(usize, ErrorKind);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_not_taken_is_an_error_but_for_a_reader_that_left() {
        let code = |room: usize, kind: ErrorKind| {
            written(write(&mut Full(room, kind), "a text\n\n")).err().map(|failure| failure.code)
        };
        assert_eq!(code(7, ErrorKind::StorageFull), None);
        assert_eq!(code(6, ErrorKind::StorageFull), Some(exit::STEP));
        assert_eq!(code(0, ErrorKind::PermissionDenied), Some(exit::STEP));
        assert_eq!(code(3, ErrorKind::BrokenPipe), None);
    }
}

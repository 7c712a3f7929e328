//! One run at a time in a folder: the second waits and says for whom.

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, CancelReason, Event, Events};
use std::fs::TryLockError;
use std::io::{Read, Seek, Write};
use std::time::Duration;

/// Held while a run writes below target/wheelproof and dist/; given back when dropped, also by a crash.
#[derive(Debug)]
pub(crate) struct RunLock {
    file: fs_err::File,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The folder cannot be written.
    #[error("`{path}` cannot be locked: {source}")]
    Io {
        /// The lock file.
        path: Utf8PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The user gave up waiting.
    #[error("stopped while waiting for another run: {0}")]
    Cancelled(CancelReason),
}

impl RunLock {
    /// Takes the lock of `state` (target/wheelproof); waits while another run holds it and says so.
    ///
    /// # Errors
    /// [`LockError`].
    pub(crate) fn take(state: &Utf8Path, events: &dyn Events, cancel: &Cancel) -> Result<Self, LockError> {
        let path = state.join("lock");
        let io = |source: std::io::Error| LockError::Io { path: path.clone(), source };
        fs_err::create_dir_all(state).map_err(io)?;
        ignore_itself(state).map_err(io)?;
        let mut file =
            fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        let mut said = false;
        loop {
            match file.file().try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    if !said {
                        let mut holder = String::new();
                        let _ = file.rewind();
                        let _ = (&mut file).take(200).read_to_string(&mut holder);
                        let holder =
                            if holder.is_empty() { "another run".to_owned() } else { holder.trim().to_owned() };
                        let text = format!("waiting: {holder} works in `{state}`");
                        events.emit(&Event::Note { scope: String::new(), text });
                        said = true;
                    }
                    if let Some(reason) = cancel.reason() {
                        return Err(LockError::Cancelled(reason));
                    }
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "process {}", std::process::id()).map_err(io)?;
        Ok(Self { file })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // The lock itself goes with the file handle.
        let _ = self.file.set_len(0);
    }
}

/// What lies here is made anew at will: version control leaves it alone.
fn ignore_itself(state: &Utf8Path) -> std::io::Result<()> {
    let path = state.join(".gitignore");
    if path.exists() { Ok(()) } else { fs_err::write(path, "*\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exec::{Recorder, Silent};

    #[test]
    fn the_second_run_says_who_holds_the_folder_and_stops_when_told() {
        let dir = tempfile::tempdir().unwrap();
        let state = Utf8Path::from_path(dir.path()).unwrap();
        let cancel = Cancel::new();
        let held = RunLock::take(state, &Silent, &cancel).unwrap();
        cancel.cancel(CancelReason::Requested);
        let recorder = Recorder::default();
        let error = RunLock::take(state, &recorder, &cancel).unwrap_err();
        assert!(matches!(error, LockError::Cancelled(_)));
        let said = format!("{:?}", recorder.events());
        assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
        drop(held);
        assert!(RunLock::take(state, &Silent, &Cancel::new()).is_ok());
        assert_eq!(std::fs::read_to_string(state.join(".gitignore")).unwrap(), "*\n");
    }
}

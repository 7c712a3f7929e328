//! Where one repair works, apart from any other.

use camino::{Utf8Path, Utf8PathBuf};
use std::fs::TryLockError;

/// A place of its own for the repair of one wheel: two repairs at once of wheels that are called the same never meet, nor
/// do their logs.
pub(super) struct Desk {
    /// The wheel's name without `.whl`, and a number if other repairs are at it.
    pub(super) name: String,
    /// Its folder, gone when the repair has ended, however it did.
    pub(super) work: Utf8PathBuf,
    /// Held as long as the repair lasts; the system lets it go even when the process is killed.
    _lock: fs_err::File,
}

impl Desk {
    pub(super) fn take(state: &Utf8Path, stem: &str) -> std::io::Result<Self> {
        const MOST: u32 = 1000;
        let dir = state.join("work/repair");
        fs_err::create_dir_all(&dir)?;
        for number in 1..=MOST {
            let name = if number == 1 { stem.to_owned() } else { format!("{stem}.{number}") };
            let lock = fs_err::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(dir.join(format!("{name}.lock")))?;
            match lock.file().try_lock() {
                Ok(()) => return Ok(Self { work: dir.join(&name), name, _lock: lock }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(std::io::Error::other(format!("{MOST} repairs of `{stem}` are at work in `{dir}`")))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next repair of that name, before it begins.
        let _ = fs_err::remove_dir_all(&self.work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_repairs_of_one_name_have_two_desks() {
        let dir =
            Utf8PathBuf::from_path_buf(std::env::temp_dir()).unwrap().join(format!("desk-{}", std::process::id()));
        let first = Desk::take(&dir, "x-1").unwrap();
        let second = Desk::take(&dir, "x-1").unwrap();
        assert_eq!((first.name.as_str(), second.name.as_str()), ("x-1", "x-1.2"));
        fs_err::create_dir_all(first.work.join("tmp")).unwrap();
        let work = first.work.clone();
        drop(first);
        assert!(!work.exists());
        assert_eq!(Desk::take(&dir, "x-1").unwrap().name, "x-1");
        drop(second);
        fs_err::remove_dir_all(&dir).unwrap();
    }
}

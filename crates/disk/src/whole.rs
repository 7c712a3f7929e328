//! Files that are there whole or not at all.

use std::io::{self, ErrorKind, Write as _};
use std::time::{Duration, Instant};

use camino::Utf8Path;

/// How long it is tried to replace a file that somebody holds. Whoever reads it, or looks through it for viruses, is done
/// sooner.
const HELD: Duration = Duration::from_secs(2);

/// How long to wait before the next try.
const PAUSE: Duration = Duration::from_millis(10);

/// Writes a file beside its place and renames it there, and makes its folder. If that fails, whatever was at `path` stays,
/// and what was written is removed. Any number of threads and programs may write the same file at once.
///
/// It guards against failure and interruption of the program, not against loss of power.
///
/// # Errors
/// What the file system says; the error names the file.
pub fn write(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    fs_err::create_dir_all(folder_of(path))?;
    write_with(path, |file| file.write_all(bytes))
}

/// The same with what `write` writes, in a folder that is there. The file's mode is that of any new file.
///
/// # Errors
/// Those of `write`, and what the file system says.
pub fn write_with<T, E: From<io::Error>>(
    path: &Utf8Path,
    write: impl FnOnce(&mut fs_err::File) -> Result<T, E>,
) -> Result<T, E> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("`{path}`: {error}"));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wheelproof-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let (file, temporary) = builder.tempfile_in(folder_of(path)).map_err(named)?.into_parts();
    let mut file = fs_err::File::from_parts(file, &temporary);
    let value = write(&mut file)?;
    // Windows renames no file that is open.
    drop(file);
    let mut temporary = Some(temporary);
    patiently(|| match temporary.take().map(|file| file.persist(path)) {
        Some(Err(error)) => {
            temporary = Some(error.path);
            Err(error.error)
        }
        _ => Ok(()),
    })
    .map_err(named)?;
    Ok(value)
}

/// Renames a file to another name in the same file system; what is there under that name is replaced.
///
/// # Errors
/// What the file system says; the error names both.
pub fn replace(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    patiently(|| fs_err::rename(from, to))
}

/// Tries again for a while what Windows refuses as long as somebody else has the file open.
fn patiently(mut attempt: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let until = Instant::now() + HELD;
    loop {
        match attempt() {
            Err(error) if is_held(&error) && Instant::now() < until => std::thread::sleep(PAUSE),
            ended => return ended,
        }
    }
}

/// Whether the error may be that somebody has the file open. Elsewhere than on Windows that keeps nobody from replacing it,
/// and whoever has no right to gets none by waiting.
fn is_held(error: &io::Error) -> bool {
    /// `ERROR_SHARING_VIOLATION` (winerror.h).
    const SHARING_VIOLATION: i32 = 32;
    std::env::consts::OS == "windows"
        && (error.kind() == ErrorKind::PermissionDenied || error.raw_os_error() == Some(SHARING_VIOLATION))
}

/// The folder that a file lies in: `.` for a name alone.
pub fn folder_of(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(folder) if folder != "" => folder,
        _ => Utf8Path::new("."),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    #[test]
    fn many_may_write_one_file_at_once() {
        let (_kept, folder) = folder();
        let file = folder.join("new/file.py");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..100).for_each(|_| write(&file, b"whole").unwrap()));
            }
        });
        assert_eq!(fs_err::read(&file).unwrap(), b"whole");
        assert_eq!(file.parent().unwrap().read_dir_utf8().unwrap().count(), 1);
    }

    #[test]
    fn what_fails_leaves_what_was_there() {
        let (_kept, folder) = folder();
        let file = folder.join("file");
        write(&file, b"before").unwrap();
        let failed: io::Result<()> = write_with(&file, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no");
        assert_eq!(fs_err::read(&file).unwrap(), b"before");
        assert_eq!(folder.read_dir_utf8().unwrap().count(), 1);
        let error = write(&folder, b"a folder is there").unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{folder}`: ")), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_is_that_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let (_kept, folder) = folder();
        let (file, other) = (folder.join("file"), folder.join("other"));
        write(&file, b"").unwrap();
        fs_err::write(&other, "").unwrap();
        let mode = |path| fs_err::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&other));
    }

    /// Windows lets nobody replace a file that a program reads; the program is soon done.
    #[test]
    fn a_file_that_is_being_read() {
        let (_kept, folder) = folder();
        let (file, other) = (folder.join("file"), folder.join("other"));
        fs_err::write(&file, "old").unwrap();
        fs_err::write(&other, "new").unwrap();
        let reader = fs_err::File::open(&file).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(100));
                drop(reader);
            });
            replace(&other, &file).unwrap();
        });
        assert_eq!(fs_err::read(&file).unwrap(), b"new");
    }
}

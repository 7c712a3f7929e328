//! Files on this disk: the one spelling of each, for everything that compares files or hands their paths on, and how one is
//! written so that it is there whole or as it was before.
//!
//! Knows that a file has many names (links, `..`, another case, short names), that Windows gives its real ones as
//! `\\?\C:\…`, which CMake, MSVC, batch files and much of Python do not take, and that Windows replaces no file while
//! somebody has it open. Must not know what the files are for. How paths are written without a disk is in `platform::paths`.
#![forbid(unsafe_code)]

mod whole;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

pub use whole::{folder_of, replace, write, write_with};

/// The real path of a file or folder: absolute, links followed, in the case in which it is stored (macOS and Windows), and
/// on Windows in the plain form (`C:\x`, `\\server\share\x`) wherever every program means the same file by it. Two paths
/// of one file give the same.
///
/// # Errors
/// There is no such file, or its path is not UTF-8. As `std`'s, the error does not name the path: messages do.
pub fn real(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let real = path.canonicalize_utf8()?;
    Ok(platform::paths::simplified(&real).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_file_gives_one_path_that_programs_take() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let file = folder.join("with space é/Name.txt");
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(&file, "").unwrap();
        let one = real(&file).unwrap();
        assert!(!one.as_str().starts_with(r"\\?\"), "{one}");
        assert!(one.is_absolute() && one.is_file() && one.as_str().ends_with("Name.txt"));
        assert_eq!(real(&folder.join("with space é/../with space é/./Name.txt")).unwrap(), one);
        if cfg!(any(windows, target_os = "macos")) {
            assert_eq!(real(&folder.join("WITH SPACE é/name.TXT")).unwrap(), one);
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&file, folder.join("link")).unwrap();
            assert_eq!(real(&folder.join("link")).unwrap(), one);
        }
        assert_eq!(real(&folder.join("gone")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// A path beyond what programs take by itself keeps the prefix, and is the file all the same.
    #[test]
    fn a_long_path_is_still_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut deep = real(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        while deep.as_str().len() < 300 {
            deep.push("a-folder-with-a-long-name");
        }
        if let Err(error) = fs_err::create_dir_all(&deep) {
            println!("skipped: {error}");
            return;
        }
        let found = match real(&deep) {
            // ERROR_MORE_DATA: wine's GetFinalPathNameByHandle has no room for long paths, which that of Windows has.
            Err(error) if error.raw_os_error() == Some(234) => {
                println!("skipped: {error}");
                return;
            }
            found => found.unwrap(),
        };
        assert!(found.is_dir());
        assert_eq!(found.as_str().starts_with(r"\\?\"), cfg!(windows), "{found}");
    }
}

//! The files under a folder, each once.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashSet;

/// What lies under a folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Regular files in the order of their paths. A file that several links name is there once, by its own path if that
    /// lies under the folder.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// What could not be looked at, with the reason.
    pub(crate) unreadable: Vec<(Utf8PathBuf, String)>,
}

/// Version control and Python's own caches: nothing there is anybody's binary.
const SKIPPED: [&str; 4] = [".git", ".hg", ".svn", "__pycache__"];
/// No source or build tree is deeper; a file system with a loop would be.
const DEPTH: usize = 64;

/// Every file under `root`. Links to folders are not followed, so there are no loops.
pub(crate) fn files(root: &Utf8Path) -> Listing {
    let mut listing = Listing::default();
    let mut links = Vec::new();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match folder.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) => {
                listing.unreadable.push((folder, format!("the folder cannot be read: {error}")));
                continue;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    listing
                        .unreadable
                        .push((folder.clone(), format!("an entry of the folder cannot be read: {error}")));
                    continue;
                }
            };
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path().to_owned();
            if kind.is_symlink() {
                links.push(path);
            } else if kind.is_dir() {
                if depth < DEPTH && !SKIPPED.contains(&entry.file_name()) {
                    folders.push((path, depth + 1));
                }
            } else if kind.is_file() {
                listing.files.push(path);
            }
        }
    }
    add_linked(&mut listing, links);
    listing.files.sort();
    listing
}

/// Links to files that are not listed already. A link to nothing is no binary.
fn add_linked(listing: &mut Listing, mut links: Vec<Utf8PathBuf>) {
    if links.is_empty() {
        return;
    }
    links.sort();
    let mut seen: HashSet<_> = listing.files.iter().filter_map(|file| file.canonicalize().ok()).collect();
    for link in links {
        let Ok(target) = link.canonicalize() else { continue };
        if target.is_file() && seen.insert(target) {
            listing.files.push(link);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::files;
    use camino::Utf8Path;

    #[test]
    fn every_file_is_there_once_and_version_control_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        for folder in ["a/b", ".git"] {
            fs_err::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["a/one", "a/b/two", ".git/three"] {
            fs_err::write(root.join(file), b"x").unwrap();
        }
        #[cfg(unix)]
        {
            fs_err::os::unix::fs::symlink(root.join("a"), root.join("a/b/loop")).unwrap();
            fs_err::os::unix::fs::symlink("one", root.join("a/again")).unwrap();
            fs_err::os::unix::fs::symlink("nothing", root.join("a/dead")).unwrap();
        }
        let listing = files(root);
        let names: Vec<_> = listing.files.iter().map(|file| file.strip_prefix(root).unwrap().as_str()).collect();
        assert_eq!(names, ["a/b/two", "a/one"]);
        assert!(listing.unreadable.is_empty());
    }
}

//! What lies in dist/: a wheel gets there by rename after everything passed, and replaces a former one only then.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::time::UNIX_EPOCH;

/// What is remembered of a proven build: with this key, this wheel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The cache key of everything that went into it.
    pub key: String,
    /// The wheel in dist/.
    pub wheel: String,
    /// Its modification time in nanoseconds since 1970, so that it need not be hashed again.
    pub modified: u128,
    /// The sdist that was proven along with it.
    pub sdist: Option<crate::report::FileReport>,
    /// What was grafted from outside of the sources, which no key knows before it was looked for.
    pub libraries: Vec<Library>,
    /// Grafted libraries of which nobody found out where they came from, by their names in the wheel.
    pub untraced: Vec<String>,
    /// What the report said.
    pub report: crate::report::BuildReport,
}

/// A library as it lay on this machine when it was grafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Library {
    /// Where it lies.
    pub path: Utf8PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its modification time in nanoseconds since 1970.
    pub modified: u128,
    /// Its SHA-256, in hex: a library that was only touched is the same.
    pub sha256: String,
    /// Where it was looked for before and nothing was.
    pub passed: Vec<Utf8PathBuf>,
}

impl From<repair::Origin> for Library {
    fn from(origin: repair::Origin) -> Self {
        let repair::Origin { path, size, modified, sha256, passed, .. } = origin;
        Self { path, bytes: size, modified, sha256, passed }
    }
}

impl Library {
    /// What became of it, if a repair would not graft the same bytes again.
    fn changed(&self) -> Option<String> {
        let path = &self.path;
        if let Some(earlier) = self.passed.iter().find(|earlier| earlier.exists()) {
            return Some(format!("`{earlier}` comes before `{path}`, which was grafted"));
        }
        let Ok(metadata) = fs_err::metadata(path) else {
            return Some(format!("`{path}` is gone since it was grafted"));
        };
        let same = metadata.len() == self.bytes
            && (modified(&metadata) == Some(self.modified) || sha256(path).ok().as_ref() == Some(&self.sha256));
        (!same).then(|| format!("`{path}` has changed since it was grafted"))
    }
}

impl Record {
    /// The record in a file; none when it is not there or not readable, which only costs a rebuild.
    pub(crate) fn read(path: &Utf8Path) -> Option<Self> {
        serde_json::from_slice(&fs_err::read(path).ok()?).ok()
    }

    /// Writes it beside its place and renames it there.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(&self, path: &Utf8Path) -> io::Result<()> {
        write_whole(path, &serde_json::to_vec_pretty(self)?)
    }

    /// Whether the wheel still lies in dist/ as it was put there, and the sdist that it was built from, if any.
    pub(crate) fn holds(&self, dist: &Utf8Path) -> bool {
        self.sdist.as_ref().is_none_or(|sdist| is_there(sdist, dist)) && self.wheel_holds(dist)
    }

    /// Why the wheel would come out otherwise than it lies there, although nothing changed that its key knows.
    pub(crate) fn outdated(&self) -> Option<String> {
        if let Some(name) = self.untraced.first() {
            return Some(format!("where `{name}` was grafted from is not known, so it may be another by now"));
        }
        self.libraries.iter().find_map(Library::changed)
    }

    fn wheel_holds(&self, dist: &Utf8Path) -> bool {
        let path = dist.join(&self.wheel);
        let Ok(metadata) = fs_err::metadata(&path) else { return false };
        if Some(metadata.len()) != self.report.bytes {
            return false;
        }
        modified(&metadata) == Some(self.modified) || sha256(&path).ok().as_ref() == self.report.sha256.as_ref()
    }

    /// Removes what this record put into dist/ and `newer` did not replace because it has another name, such as another
    /// version: it would linger. What somebody else changed meanwhile is left alone, and so is what `landed` in this run.
    pub(crate) fn retire(&self, newer: &Self, dist: &Utf8Path, landed: &dyn Fn(&str) -> bool) {
        if self.wheel != newer.wheel && !landed(&self.wheel) && self.wheel_holds(dist) {
            let _ = fs_err::remove_file(dist.join(&self.wheel));
        }
        if let (Some(former), Some(newer)) = (&self.sdist, &newer.sdist)
            && former.name != newer.name
            && !landed(&former.name)
            && is_there(former, dist)
        {
            let _ = fs_err::remove_file(dist.join(&former.name));
        }
    }
}

fn is_there(sdist: &crate::report::FileReport, dist: &Utf8Path) -> bool {
    fs_err::metadata(dist.join(&sdist.name)).is_ok_and(|metadata| metadata.len() == sdist.bytes)
}

/// A file's time of modification, in nanoseconds since 1970.
pub(crate) fn modified(metadata: &std::fs::Metadata) -> Option<u128> {
    Some(metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos())
}

/// The SHA-256 of a file, in hex.
///
/// # Errors
/// What the file system says.
pub(crate) fn sha256(path: &Utf8Path) -> io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        digest.update(&buffer[..read]);
    }
}

/// Makes the folder. One that was made here is no part of the sources, whoever forgot to tell git: else the wheels of one
/// run would count as a change of the sources in the next, and be copied along with them.
///
/// # Errors
/// What the file system says.
pub(crate) fn make(dist: &Utf8Path) -> io::Result<()> {
    if dist.is_dir() {
        return Ok(());
    }
    fs_err::create_dir_all(dist)?;
    fs_err::write(dist.join(".gitignore"), "*\n")
}

/// Puts a finished file into a folder under its own name: copied beside its place when it lies on another file system,
/// renamed there last. Returns where it lies now.
///
/// # Errors
/// What the file system says; nothing half-written stays.
pub(crate) fn land(file: &Utf8Path, dist: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let name = file.file_name().ok_or_else(|| io::Error::other(format!("`{file}` has no file name")))?;
    fs_err::create_dir_all(dist)?;
    let place = dist.join(name);
    // The copy is made first, so that what the stages own stays theirs and a full disk shows before anything changes.
    let beside = dist.join(format!(".{name}.{}.part", std::process::id()));
    let landed = fs_err::hard_link(file, &beside)
        .or_else(|_| fs_err::copy(file, &beside).map(drop))
        .and_then(|()| disk::replace(&beside, &place));
    if let Err(error) = landed {
        let _ = fs_err::remove_file(&beside);
        return Err(error);
    }
    // Renaming a link over another link to the same file does nothing and leaves both.
    let _ = fs_err::remove_file(&beside);
    Ok(place)
}

/// Removes what killed runs left behind: files beside their place that never got there.
pub(crate) fn sweep(dist: &Utf8Path) {
    let Ok(entries) = dist.read_dir_utf8() else { return };
    for entry in entries.flatten() {
        if entry.file_name().starts_with('.') && entry.file_name().ends_with(".part") {
            let _ = fs_err::remove_file(entry.path());
        }
    }
}

/// Writes a file whole or not at all, and the folder that it needs. The error is the system's word alone: whoever asked
/// knows the path and says it.
///
/// # Errors
/// What the file system says; nothing half-written stays.
pub(crate) fn write_whole(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    disk::write(path, bytes).map_err(|error| error.kind().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_made_here_is_no_source_and_one_that_was_there_is_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        make(&dir.join("dist")).unwrap();
        assert_eq!(fs_err::read_to_string(dir.join("dist/.gitignore")).unwrap(), "*\n");
        make(dir).unwrap();
        assert!(!dir.join(".gitignore").exists());
    }

    #[test]
    fn landing_replaces_whole_files_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let (made, dist) = (dir.join("work/x.whl"), dir.join("dist"));
        fs_err::create_dir_all(dir.join("work")).unwrap();
        for content in ["one", "two", "two"] {
            write_whole(&made, content.as_bytes()).unwrap();
            land(&made, &dist).unwrap();
            land(&made, &dist).unwrap();
            assert_eq!(fs_err::read_to_string(dist.join("x.whl")).unwrap(), content);
            assert_eq!(fs_err::read_dir(&dist).unwrap().count(), 1);
        }
        fs_err::write(dist.join(".y.whl.1.part"), "half").unwrap();
        sweep(&dist);
        assert_eq!(fs_err::read_dir(&dist).unwrap().count(), 1);
    }
}

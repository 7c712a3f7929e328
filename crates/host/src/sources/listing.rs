//! Which files belong to a folder's sources.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use camino::{Utf8Path, Utf8PathBuf};
use exec::Runner;

use super::{
    SourcesError,
    git::{self, Known},
};

/// What builds and tools leave behind, anywhere in a folder, as far as git does not track it.
const NEVER: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".bzr",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".nox",
    ".venv",
    ".eggs",
    "node_modules",
    "_skbuild",
    ".DS_Store",
];

/// The same, but only at the top: further down such a name may be a package's.
const NEVER_AT_THE_TOP: &[&str] =
    &["build", "dist", "target", "wheelhouse", "venv", "cmake-build-debug", "cmake-build-release"];

/// Endings of what is left behind.
const NEVER_ENDING: &[&str] = &[".egg-info", ".pyc", ".pyo"];

/// What belongs to a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Files and links relative to the folder, sorted; some may not be there any more.
    pub(super) files: BTreeSet<PathBuf>,
    /// Repositories below it (submodules), relative to it, whose files are among `files`.
    pub(super) repositories: Vec<Utf8PathBuf>,
    /// Submodules that were not checked out: empty folders.
    pub(super) empty: Vec<PathBuf>,
    /// Whether git said so.
    pub(super) known_to_git: bool,
}

/// Lists what belongs to a folder; `project` is where below it the project lies, at whose top builds leave their own.
pub(super) fn list(folder: &Utf8Path, project: &Utf8Path, runner: &Runner<'_>) -> Result<Listing, SourcesError> {
    if !folder.is_dir() {
        return Err(SourcesError::NotAFolder(folder.to_owned()));
    }
    let mut listing = Listing::default();
    // A folder that git ignores (below a home folder under git, say) has sources all the same.
    if from_git(folder, Utf8Path::new(""), project, &mut listing, runner)? && !listing.files.is_empty() {
        listing.known_to_git = true;
    } else {
        listing = Listing::default();
        walk(folder.as_std_path(), Path::new(""), &mut listing.files)?;
    }
    Ok(listing)
}

/// Adds the files of the repository at `top`/`below`; false if there is none.
fn from_git(
    top: &Utf8Path,
    below: &Utf8Path,
    project: &Utf8Path,
    listing: &mut Listing,
    runner: &Runner<'_>,
) -> Result<bool, SourcesError> {
    // Joining nothing would put a slash at the end.
    let folder = if below.as_str().is_empty() { top.to_owned() } else { top.join(below) };
    let Some(names) = git::files(&folder, runner)? else { return Ok(false) };
    for (known, name) in names {
        if known == Known::New && is_left_behind(&below.as_std_path().join(&name), project.as_std_path()) {
            continue;
        }
        let on_disk = folder.as_std_path().join(&name);
        if !std::fs::symlink_metadata(&on_disk).is_ok_and(|metadata| metadata.is_dir()) {
            listing.files.insert(below.as_std_path().join(name));
        } else if on_disk.join(".git").exists() {
            // A submodule, or a repository inside this one that nobody registered.
            let name = Utf8PathBuf::from_path_buf(name).map_err(|name| git::not_utf8(&name))?;
            let nested = Utf8PathBuf::from(below.join(name).as_str().trim_end_matches('/'));
            if from_git(top, &nested, project, listing, runner)? {
                listing.repositories.push(nested);
            }
        } else if on_disk.read_dir().is_ok_and(|mut entries| entries.next().is_none()) {
            listing.empty.push(below.as_std_path().join(name));
        }
        // Else a folder stands where a file was tracked; its own files are listed too.
    }
    Ok(true)
}

/// Whether a build or a tool left it behind: a `dist/` that nobody told git to ignore holds the wheels of the last run, a
/// `build/` what setuptools would take for its own.
fn is_left_behind(file: &Path, project: &Path) -> bool {
    let tops = [Some(file), file.strip_prefix(project).ok()];
    let name = |part: std::path::Component<'_>| part.as_os_str().to_string_lossy().into_owned();
    file.components().map(name).any(|name| is_never(&name))
        || tops.into_iter().flatten().any(|below| {
            let mut parts = below.components();
            let first = parts.next().map(name);
            // A file of that name is somebody's script.
            parts.next().is_some() && first.is_some_and(|first| NEVER_AT_THE_TOP.contains(&first.as_str()))
        })
}

fn is_never(name: &str) -> bool {
    NEVER.contains(&name) || NEVER_ENDING.iter().any(|ending| name.ends_with(ending))
}

/// The folder itself, links not followed.
fn walk(top: &Path, below: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), SourcesError> {
    let at_the_top = below.as_os_str().is_empty();
    for entry in fs_err::read_dir(top.join(below))? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let left_behind = is_never(&text) || at_the_top && NEVER_AT_THE_TOP.contains(&&*text);
        let kind = entry.file_type()?;
        let path = below.join(&name);
        if left_behind {
            continue;
        }
        if kind.is_dir() {
            // A virtual environment under any name.
            if !top.join(&path).join("pyvenv.cfg").exists() {
                walk(top, &path, files)?;
            }
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

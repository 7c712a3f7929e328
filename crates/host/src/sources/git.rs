//! The questions that git is asked.

use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Captured, Query, Runner, StepError};

use super::SourcesError;

/// Variables with which git's hooks tell the programs they start which repository they are in. A run started by a hook
/// would ask about that one.
const MISLEADING: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_TEMPLATE_DIR",
    "GIT_DEFAULT_REF_FORMAT",
];

/// In every call: a checkout may be another user's (containers), and no program named by it may be started.
const ALWAYS: &[&str] = &["-c", "safe.directory=*", "-c", "core.fsmonitor=false"];

/// Asks git about a folder.
pub(super) fn ask(folder: &Utf8Path, arguments: &[&str], runner: &Runner<'_>) -> Result<Captured, StepError> {
    let argv =
        ["git", "-C", folder.as_str()].into_iter().chain(ALWAYS.iter().copied()).chain(arguments.iter().copied());
    let query = MISLEADING.iter().fold(Query::new(argv), |query, name| query.without_env(*name));
    // Without optional locks, `status` and `describe --dirty` do not write the index they refreshed.
    runner.capture(&query.named("ask git").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").limit(1 << 30))
}

/// Its answer, or why there is none.
pub(super) fn answer(folder: &Utf8Path, arguments: &[&str], runner: &Runner<'_>) -> Result<Vec<u8>, SourcesError> {
    let captured = ask(folder, arguments, runner)?;
    if captured.status.success() {
        return Ok(captured.stdout);
    }
    let complaint = captured.stderr_text();
    let reason = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing").to_owned();
    Err(SourcesError::Git { folder: folder.to_owned(), reason })
}

/// Its answer as one line of text; `None` if it has none.
pub(super) fn line(folder: &Utf8Path, arguments: &[&str], runner: &Runner<'_>) -> Result<Option<String>, SourcesError> {
    let captured = ask(folder, arguments, runner)?;
    let text = captured.stdout_text().trim_end_matches(['\r', '\n']).to_owned();
    Ok((captured.status.success() && !text.is_empty()).then_some(text))
}

/// What git knows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is in the index.
    Tracked,
    /// `git add` would put it there.
    New,
}

/// The files below a folder that git tracks or would add, relative to it; `None` if the folder is in no repository or
/// there is no git.
pub(super) fn files(folder: &Utf8Path, runner: &Runner<'_>) -> Result<Option<Vec<(Known, PathBuf)>>, SourcesError> {
    // With a letter before each name, `?` for those that are not tracked.
    let arguments = ["ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard"];
    let captured = match ask(folder, &arguments, runner) {
        Ok(captured) => captured,
        Err(StepError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !captured.status.success() {
        let complaint = captured.stderr_text();
        // In the words that LC_ALL=C makes sure of.
        if complaint.contains("not a git repository") || complaint.contains("must be run in a work tree") {
            return Ok(None);
        }
        let reason = complaint.lines().next().unwrap_or("it says nothing").to_owned();
        return Err(SourcesError::Git { folder: folder.to_owned(), reason });
    }
    let entry = |line: &[u8]| match line {
        [letter, b' ', name @ ..] if !name.is_empty() => {
            Some((if *letter == b'?' { Known::New } else { Known::Tracked }, path_of(name)))
        }
        _ => None,
    };
    Ok(Some(captured.stdout.split(|byte| *byte == 0).filter_map(entry).collect()))
}

/// Where a repository keeps its parts. Both folders differ in a work tree that `git worktree` made.
pub(super) struct Repository {
    /// The top folder of the work tree.
    pub(super) top: Utf8PathBuf,
    /// `HEAD` and the index.
    pub(super) git_dir: Utf8PathBuf,
    /// Objects, refs, configuration.
    pub(super) common_dir: Utf8PathBuf,
    /// `sha1` or `sha256`.
    pub(super) object_format: String,
}

impl Repository {
    /// The one that a folder lies in.
    pub(super) fn around(folder: &Utf8Path, runner: &Runner<'_>) -> Result<Option<Self>, SourcesError> {
        let arguments = ["rev-parse", "--show-toplevel", "--git-dir", "--git-common-dir", "--show-object-format"];
        let captured = match ask(folder, &arguments, runner) {
            Ok(captured) => captured,
            Err(StepError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let text = captured.stdout_text();
        let mut lines = text.lines();
        let (Some(top), Some(git_dir), Some(common_dir), true) =
            (lines.next(), lines.next(), lines.next(), captured.status.success())
        else {
            return Ok(None);
        };
        // Relative to where git was asked; `--path-format=absolute` is too new for the oldest git in use.
        let absolute = |path: &str| real(&folder.join(path));
        Ok(Some(Self {
            top: absolute(top)?,
            git_dir: absolute(git_dir)?,
            common_dir: absolute(common_dir)?,
            object_format: lines.next().unwrap_or("sha1").to_owned(),
        }))
    }
}

/// The real path of a folder, an error naming it.
pub(super) fn real(path: &Utf8Path) -> Result<Utf8PathBuf, SourcesError> {
    disk::real(path).map_err(|error| std::io::Error::new(error.kind(), format!("`{path}`: {error}")).into())
}

/// The error for a path that cannot be handed on as text.
pub(super) fn not_utf8(path: &std::path::Path) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidFilename, format!("`{}` is not UTF-8", path.display()))
}

/// A path as git prints it. Names that are not UTF-8 are rare and legal on Unix.
#[cfg(unix)]
pub(super) fn path_of(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(name))
}

/// A path as git prints it; on Windows always UTF-8.
#[cfg(not(unix))]
pub(super) fn path_of(name: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(name).into_owned())
}

//! One hash over everything a project is built from.

use std::{borrow::Cow, path::Path};

use camino::{Utf8Path, Utf8PathBuf};
use exec::Runner;
use sha2::{Digest as _, Sha256};

use super::{SourceDigest, SourcesError, git, listing, stat, version_tools};

/// The state of a project's sources. The hashes of files that did not change since the last time are taken from
/// `cache_file`. Deleted, renamed and newly added files, execute bits and the targets of links count; `own` are folders
/// that do not, because the run itself writes there.
///
/// The names are the same on every system. The rest is as it was checked out: where git makes CRLF of LF, keeps no execute
/// bits or writes links as files with the target's name (Windows), the digest is another one.
pub fn digest(
    project_dir: &Utf8Path,
    own: &[Utf8PathBuf],
    cache_file: Option<&Utf8Path>,
    runner: &Runner<'_>,
) -> Result<SourceDigest, SourcesError> {
    let listing = listing::list(project_dir, Utf8Path::new(""), runner)?;
    let mut hashes = stat::Hashes::open(cache_file);
    let mut whole = Sha256::new();
    let mut files = 0;
    for file in &listing.files {
        let path = project_dir.as_std_path().join(file);
        if own.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        // Tracked and deleted: it does not count, and that it did before changes the whole.
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        let name = &*portable(file);
        let (kind, content) = if metadata.is_symlink() {
            ("link", Sha256::digest(portable(&fs_err::read_link(&path)?)).into())
        } else if metadata.is_file() {
            (if is_executable(&metadata) { "program" } else { "file" }, hashes.of(name, &path, &metadata)?)
        } else {
            continue;
        };
        add(&mut whole, &[kind.as_bytes(), name, &content]);
        files += 1;
    }
    hashes.save();
    let commit = if listing.known_to_git && version_tools::used_by(project_dir) {
        let arguments = ["describe", "--tags", "--always", "--long", "--dirty", "--abbrev=40"];
        git::line(project_dir, &arguments, runner)?
    } else {
        None
    };
    let commit_time = if listing.known_to_git {
        git::line(project_dir, &["log", "-1", "--format=%ct"], runner)?.and_then(|seconds| seconds.parse().ok())
    } else {
        None
    };
    add(&mut whole, &[b"commit", commit.as_deref().unwrap_or_default().as_bytes()]);
    Ok(SourceDigest { hex: stat::hex(&whole.finalize()), files, commit, commit_time })
}

/// A path with `/` between its parts, as git has it; a backslash in a name of another system stays.
fn portable(path: &Path) -> Cow<'_, [u8]> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if std::path::MAIN_SEPARATOR == '/' {
        return Cow::Borrowed(bytes);
    }
    bytes.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect::<Vec<_>>().into()
}

/// Each part with its length in front, so that no two lists of parts look alike.
fn add(hasher: &mut Sha256, parts: &[&[u8]]) {
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
}

/// The one bit of the mode that git keeps.
#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

//! One hash over everything a project is built from.

use camino::Utf8Path;
use exec::Runner;
use sha2::{Digest as _, Sha256};

use super::{SourceDigest, SourcesError, git, listing, stat, version_tools};

/// The state of a project's sources. The hashes of files that did not change since the last time are taken from
/// `cache_file`. Deleted, renamed and newly added files, execute bits and the targets of links count.
pub fn digest(
    project_dir: &Utf8Path,
    cache_file: Option<&Utf8Path>,
    runner: &Runner<'_>,
) -> Result<SourceDigest, SourcesError> {
    let listing = listing::list(project_dir, runner)?;
    let mut hashes = stat::Hashes::open(cache_file);
    let mut whole = Sha256::new();
    let mut files = 0;
    for file in &listing.files {
        let path = project_dir.as_std_path().join(file);
        // Tracked and deleted: it does not count, and that it did before changes the whole.
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        let name = file.as_os_str().as_encoded_bytes();
        let (kind, content) = if metadata.is_symlink() {
            let target = fs_err::read_link(&path)?;
            ("link", Sha256::digest(target.as_os_str().as_encoded_bytes()).into())
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

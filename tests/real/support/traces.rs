//! Traces that a run may leave: processes, files.

use camino::Utf8Path;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// The processes that were started on behalf of a token, with their arguments.
pub(super) fn processes(token: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let environment = String::from_utf8_lossy(&environment);
        let ours = environment.split('\0').any(|variable| {
            variable.strip_prefix("WHEELPROOF_STEP=").is_some_and(|marks| marks.split(':').any(|mark| mark == token))
        });
        if ours {
            let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&arguments).replace('\0', " ")));
        }
    }
    found
}

/// Wheels and sdists of a folder, by name.
pub(super) fn wheels_in(dist: &Utf8Path) -> BTreeMap<String, u64> {
    let mut files = BTreeMap::new();
    for entry in dist.read_dir_utf8().into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.starts_with('.') && !name.starts_with("report.") {
            files.insert(name.to_owned(), fingerprint(entry.path()));
        }
    }
    files
}

pub(super) fn fingerprint(path: &Utf8Path) -> u64 {
    hash(&std::fs::read(path).unwrap_or_default())
}

pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn walk(folder: &Utf8Path, visit: &mut dyn FnMut(&Utf8Path)) {
    for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
        // Links are not followed: the shared tools are another's.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(entry.path(), visit),
            _ => visit(entry.path()),
        }
    }
}

//! Which tools a build and a repair get: the lock files under ci/lock, carried inside the program so that another
//! repository has them too.

use crate::settings::Project;
use platform::{Os, PythonVersion};

/// What goes into an environment of tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirements {
    /// The text of a requirements file.
    pub(crate) text: String,
    /// What the user should know about it.
    pub(crate) remark: Option<String>,
}

const SCIKIT: &str = include_str!("../../../ci/lock/build-scikit.txt");
const SETUPTOOLS: &str = include_str!("../../../ci/lock/build-setuptools.txt");
const MATURIN: &str = include_str!("../../../ci/lock/build-maturin.txt");
const REPAIR_LINUX: &str = include_str!("../../../ci/lock/repair-linux.txt");
const REPAIR_MACOS: &str = include_str!("../../../ci/lock/repair-macos.txt");
const REPAIR_WINDOWS: &str = include_str!("../../../ci/lock/repair-windows.txt");

/// The lock for each build backend, by the start of its name.
const BY_BACKEND: [(&str, &str); 3] = [("scikit_build_core", SCIKIT), ("setuptools", SETUPTOOLS), ("maturin", MATURIN)];

/// The oldest Python that auditwheel 6.8 runs on.
pub const OLDEST_FOR_REPAIR: PythonVersion = PythonVersion::new(3, 10);

/// The lock of the repair tool.
pub fn for_repair(os: Os) -> &'static str {
    match os {
        Os::Linux => REPAIR_LINUX,
        Os::MacOs => REPAIR_MACOS,
        Os::Windows => REPAIR_WINDOWS,
    }
}

/// The project's own lock; else the carried one of its backend, when that holds all that the project requires; else
/// what the project requires, unpinned.
pub(crate) fn for_build(project: &Project) -> Requirements {
    if let Some(text) = &project.lock {
        return Requirements { text: text.clone(), remark: None };
    }
    let pyproject = &project.pyproject;
    let carried =
        BY_BACKEND.iter().find(|(backend, _)| pyproject.backend.starts_with(backend) && !pyproject.in_tree_backend);
    if let Some((_, lock)) = carried
        && pyproject.requires.iter().all(|requirement| locks(lock, requirement))
    {
        return Requirements { text: (*lock).to_owned(), remark: None };
    }
    // Without a version: the lock's `build==X` may be for newer Pythons only; the installer chooses.
    let mut text = "build\n".to_owned();
    for requirement in &pyproject.requires {
        text.push_str(requirement);
        text.push('\n');
    }
    let remark = format!("the build requirements of `{}` are not pinned; name a lock file with `lock:`", project.key);
    Requirements { text, remark: Some(remark) }
}

/// Whether a lock holds the distribution that a requirement names; whether its version fits, the front end checks.
fn locks(lock: &str, requirement: &str) -> bool {
    let name: String =
        requirement.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    pinned(lock, &name.to_lowercase().replace(['_', '.'], "-")).is_some()
}

fn pinned<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    lock.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with("==")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_is_pinned_with_hashes() {
        for lock in [SCIKIT, SETUPTOOLS, MATURIN, REPAIR_LINUX, REPAIR_MACOS, REPAIR_WINDOWS] {
            let names = lock.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric())).count();
            let pins = lock.lines().filter(|line| line.contains("==")).count();
            assert!(names > 0 && names == pins, "{lock}");
            assert!(lock.matches("--hash=sha256:").count() >= names);
        }
        for (_, lock) in BY_BACKEND {
            assert!(pinned(lock, "build").is_some());
        }
    }

    #[test]
    fn requirements_are_found_by_name() {
        for (requirement, held) in [
            ("nanobind>=2", true),
            ("scikit_build_core [wheels] >= 0.10; python_version > '3'", true),
            ("numpy", false),
        ] {
            assert_eq!(locks(SCIKIT, requirement), held, "{requirement}");
        }
    }
}

//! Windows' limits for paths: what of a plan would run into them.
//!
//! A program that does not say that it can do without ends at 260 characters, and CMake, MSVC and many others are such,
//! whatever the registry's `LongPathsEnabled` says. The place of the checkout decides, so it is said before anything runs.

use camino::Utf8Path;
use exec::Step;
use platform::PathStyle;
use platform::paths::{WINDOWS_MAX_PATH, utf16_len};

/// What lies below a folder that the plan makes: the longest path in an environment of tools is CMake's, with 117
/// characters (cmake 4.4 from PyPI, below `Lib\site-packages`).
const BELOW_A_FOLDER: usize = 120;

/// What the limit means for the steps of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TooLong {
    /// This path is named by a step and cannot be.
    Planned(String),
    /// What will lie below this folder has too few characters left.
    Probably {
        /// The folder.
        folder: String,
        /// By how many characters the root would have to be shorter.
        excess: usize,
    },
}

/// The worst that the limit does to a build, if anything. `folders` are those that the build fills.
pub(crate) fn worst<'a>(steps: &[Step], folders: impl IntoIterator<Item = &'a Utf8Path>) -> Option<TooLong> {
    let planned = steps
        .iter()
        .flat_map(|step| step.argv.iter().map(String::as_str).chain([step.cwd.as_str(), step.log.as_str()]))
        .filter(|word| counts(word) && utf16_len(word) > WINDOWS_MAX_PATH)
        .max_by_key(|word| utf16_len(word));
    if let Some(path) = planned {
        return Some(TooLong::Planned(path.to_owned()));
    }
    folders
        .into_iter()
        .filter(|folder| counts(folder.as_str()))
        .map(|folder| (utf16_len(folder.as_str()) + BELOW_A_FOLDER, folder))
        .filter(|(length, _)| *length > WINDOWS_MAX_PATH)
        .max()
        .map(|(length, folder)| TooLong::Probably { folder: folder.to_string(), excess: length - WINDOWS_MAX_PATH })
}

/// What is to know of a project that lies on a network share.
pub(crate) fn of_a_share(root: &Utf8Path) -> Option<String> {
    let share = root.as_str().starts_with(r"\\") && !root.as_str().starts_with(r"\\?\")
        || root.as_str().starts_with(r"\\?\UNC\");
    share.then(|| {
        format!(
            "`{root}` is a network share; cmd.exe, which MSBuild and CMake run commands with, takes no such folder as the \
             current one: give it a drive letter (`net use X: \\\\server\\share`)"
        )
    })
}

/// A path with the prefix `\\?\` is told to have no limit.
fn counts(path: &str) -> bool {
    PathStyle::of(path) == Some(PathStyle::Windows) && !path.starts_with(r"\\?\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::paths::join;

    fn found(root: &str) -> Option<TooLong> {
        let work = join(Utf8Path::new(root), "target/wheelproof/work/jit/cp313-win_amd64/build");
        let step = Step::new("build", ["python", join(&work, "wheel").as_str()], &work, join(&work, "build.log"));
        worst(&[step], [work.as_path()])
    }

    #[test]
    fn a_share_is_no_drive() {
        for (root, share) in [
            (r"\\server\share\repo", true),
            (r"\\?\UNC\server\share\repo", true),
            (r"\\?\C:\repo", false),
            (r"C:\repo", false),
            ("/repo", false),
        ] {
            assert_eq!(of_a_share(Utf8Path::new(root)).is_some(), share, "{root}");
        }
    }

    #[test]
    fn the_place_of_the_checkout_decides() {
        let deep = |count: usize| format!(r"C:\{}", "d".repeat(count));
        assert_eq!(found(r"D:\a\project\project"), None);
        assert_eq!(found(&format!("/{}", "d".repeat(300))), None, "no limit elsewhere");
        assert_eq!(found(&format!(r"\\?\C:\{}", "d".repeat(300))), None);
        assert!(matches!(found(&deep(100)), Some(TooLong::Probably { excess, .. }) if excess > 0 && excess < 60));
        assert!(matches!(found(&deep(250)), Some(TooLong::Planned(path)) if path.ends_with("build.log")));
        // Windows counts UTF-16 units.
        assert_eq!(found(&format!(r"C:\{}", "é".repeat(20))), None);
        assert!(matches!(found(&format!(r"C:\{}", "𝄞".repeat(60))), Some(TooLong::Probably { .. })));
    }
}

//! Whether a project makes its version from git.

use camino::Utf8Path;

/// Tools that read tags and commits, by the names with which projects mention them.
const TOOLS: &[&str] = &[
    "setuptools_scm",
    "setuptools-scm",
    "hatch-vcs",
    "hatch.version.source",
    "versioningit",
    "dunamai",
    "poetry-dynamic-versioning",
    "uv-dynamic-versioning",
    "pdm.version",
    "pbr",
    "versioneer",
    "setuptools-git-versioning",
    "setuptools-vcs-versioning",
    "vcs-versioning",
    "miniver",
    "better-setuptools-git-version",
    "incremental",
    "git describe",
    "git rev-parse",
];

/// Where they are mentioned.
const FILES: &[&str] = &["pyproject.toml", "setup.cfg", "setup.py", "CMakeLists.txt", "meson.build"];

/// Whether some file that steers the build mentions such a tool. Text is enough: a mention too many costs a build after a
/// commit, one too few a wrong version.
pub(super) fn used_by(project: &Utf8Path) -> bool {
    FILES.iter().any(|file| {
        fs_err::read_to_string(project.join(file)).is_ok_and(|text| {
            text.lines()
                .filter(|line| !line.trim_start().starts_with('#'))
                .any(|line| TOOLS.iter().any(|tool| mentions(line, tool)))
        })
    })
}

/// As a word: `pbr` is not in `subprocess`.
fn mentions(line: &str, tool: &str) -> bool {
    line.match_indices(tool).any(|(at, _)| {
        let joined = |c: char| c.is_ascii_alphanumeric();
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + tool.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(joined) && !after.is_some_and(joined)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_only() {
        for line in
            ["requires = [\"setuptools_scm[toml]>=8\"]", "[tool.setuptools_scm]", "  \"pbr>=2\",", "source = hatch-vcs"]
        {
            assert!(TOOLS.iter().any(|tool| mentions(line, tool)), "{line}");
        }
        for line in ["import xpbrx", "incrementally = 1", "requires = [\"scikit-build-core\", \"nanobind\"]"] {
            assert!(!TOOLS.iter().any(|tool| mentions(line, tool)), "{line}");
        }
    }
}

//! The projects that the golden configurations speak of.

use crate::Project;

/// Projects that configurations speak of.
const PROJECTS: [(&str, &str); 9] = [
    (
        "jit/pyproject.toml",
        "[build-system]\nrequires = [\"scikit-build-core\", \"nanobind\"]\nbuild-backend = \"scikit_build_core.build\"\n\
         [project]\nname = \"jit\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n",
    ),
    (
        "rusty/pyproject.toml",
        "[build-system]\nrequires = [\"maturin>=1\"]\nbuild-backend = \"maturin\"\n[project]\nname = \"rusty\"\n",
    ),
    (
        "rusty/tools.txt",
        "maturin==1.9.0 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
    ),
    (
        "pure/pyproject.toml",
        "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n[project]\nname = \"Pure\"\n",
    ),
    ("empty/README", "no pyproject.toml here\n"),
    ("broken/pyproject.toml", "[project]\nname = \"broken\"\nversion = \n"),
    ("misnamed/pyproject.toml", "[project]\nname = \"-what?\"\n"),
    ("pickled/pyproject.toml", "[project]\nname = \"pickled\"\nrequires-python = \"three\"\n"),
    ("vendor/lib/README", "libraries\n"),
];

/// A folder with the projects that the configurations below tests/golden speak of: good ones and broken ones.
pub fn with_projects() -> Project {
    PROJECTS.iter().fold(Project::new(), |project, (path, text)| project.file(path, text))
}

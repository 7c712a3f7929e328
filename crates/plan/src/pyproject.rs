//! What a project's pyproject.toml says that a build has to know.

use crate::config::yaml::{ConfigError, Place};
use camino::Utf8Path;
use serde::Deserialize;

/// The parts of pyproject.toml that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pyproject {
    /// The distribution's name; the folder's where the file leaves it to the backend.
    pub name: String,
    /// `project.requires-python`.
    pub requires_python: Option<String>,
    /// `build-system.requires`.
    pub requires: Vec<String>,
    /// `build-system.build-backend`.
    pub backend: String,
    /// Whether the backend lies inside the project.
    pub in_tree_backend: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    project: Option<ProjectTable>,
    build_system: Option<BuildSystem>,
    tool: Option<ToolTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ProjectTable {
    name: Option<String>,
    requires_python: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BuildSystem {
    requires: Vec<String>,
    build_backend: Option<String>,
    backend_path: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ToolTable {
    poetry: Option<ProjectTable>,
}

impl Pyproject {
    /// Reads `dir`/pyproject.toml; `shown` is how the file is named in messages.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the file when it cannot be read or is no valid TOML.
    pub fn read(dir: &Utf8Path, shown: &Utf8Path) -> Result<Self, ConfigError> {
        let file = platform::paths::join(shown, "pyproject.toml");
        let text = fs_err::read_to_string(dir.join("pyproject.toml")).map_err(|error| {
            let message = if error.kind() == std::io::ErrorKind::NotFound {
                format!("the project `{shown}` has no pyproject.toml")
            } else {
                format!("`{file}` cannot be read: {error}")
            };
            ConfigError::new(&file, "", Place::default(), message)
                .help("a project is a folder with a pyproject.toml (PEP 518); check `path:` in ci/wheels.yaml")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Self::parse(text, dir.file_name().unwrap_or("project"))
            .map_err(|(place, message)| ConfigError::new(&file, text, place, message))
    }

    fn parse(text: &str, folder: &str) -> Result<Self, (Place, String)> {
        let document: Document = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or_else(Place::default, |span| place_of(text, span.start));
            (place, error.message().to_owned())
        })?;
        // Without a [build-system] table front ends use setuptools (PEP 518).
        let system = document.build_system.unwrap_or_else(|| BuildSystem {
            requires: vec!["setuptools".to_owned()],
            build_backend: None,
            backend_path: None,
        });
        let poetry = document.tool.and_then(|tool| tool.poetry);
        let (name, requires_python) = document.project.map_or((None, None), |p| (p.name, p.requires_python));
        Ok(Self {
            name: name.or_else(|| poetry.and_then(|p| p.name)).unwrap_or_else(|| folder.to_owned()),
            requires_python,
            requires: system.requires,
            backend: system.build_backend.unwrap_or_else(|| "setuptools.build_meta:__legacy__".to_owned()),
            in_tree_backend: system.backend_path.is_some(),
        })
    }

    /// Whether a Rust compiler has to do with it.
    pub fn uses_rust(&self) -> bool {
        let asks = |requirement: &String| {
            let name = requirement.to_lowercase().replace('_', "-");
            name.starts_with("maturin") || name.starts_with("setuptools-rust")
        };
        self.backend.starts_with("maturin") || self.requires.iter().any(asks)
    }

    /// The name that `import` most probably takes: the distribution's, as an identifier.
    pub fn likely_module(&self) -> String {
        self.name.to_lowercase().replace(['-', '.'], "_")
    }
}

fn place_of(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) as u64 + 1;
    Place { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_backends() {
        for (text, name, backend) in [
            (
                "[project]\nname='A-B'\n[build-system]\nrequires=['maturin']\nbuild-backend='maturin'\n",
                "A-B",
                "maturin",
            ),
            ("[tool.poetry]\nname='p'\n", "p", "setuptools.build_meta:__legacy__"),
            ("", "folder", "setuptools.build_meta:__legacy__"),
        ] {
            let read = Pyproject::parse(text, "folder").unwrap();
            assert_eq!((read.name.as_str(), read.backend.as_str()), (name, backend), "{text}");
        }
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let (place, message) = Pyproject::parse("[project]\nname = 'a'\nversion = \n", "f").unwrap_err();
        assert_eq!(place.line, 3, "{message}");
    }
}

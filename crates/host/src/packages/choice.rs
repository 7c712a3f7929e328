//! Which of several package managers is asked.
//!
//! 1. The one of the environment that is active: pixi's (`PIXI_PROJECT_MANIFEST`), else conda's (`CONDA_PREFIX`). Who
//!    works in an environment wants what is needed there. conda's `base` is none: many shells begin in it.
//! 2. The system's own, in the order of [`ManagerKind::ALL`]: its own before those that can be added.
//! 3. conda without an environment, where there is nothing else.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use platform::Os;

use super::{ManagerKind, PackageManager, dialect};

/// A package manager that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub kind: ManagerKind,
    /// Its program.
    pub path: Utf8PathBuf,
    /// The environment it works in: a prefix, for pixi the manifest.
    pub environment: Option<Utf8PathBuf>,
}

impl Found {
    /// The manager, without anything being asked of it.
    pub fn unasked(self, sudo: Option<Utf8PathBuf>) -> PackageManager {
        PackageManager {
            kind: self.kind,
            path: self.path,
            environment: self.environment,
            lists_empty: false,
            installed: BTreeMap::new(),
            llvm: Vec::new(),
            pythons: Vec::new(),
            sudo,
        }
    }
}

/// The package manager to ask, of those among `tools`, in this environment of variables.
pub fn choose(os: Os, tools: &BTreeMap<String, Utf8PathBuf>, env: &BTreeMap<String, String>) -> Option<Found> {
    active(tools, env).or_else(|| present(os, tools).into_iter().next())
}

/// Every package manager that is here, the one that comes first if no environment is active first. A program of a
/// manager's name on a foreign system is none: Debian's `apt-get` in a PATH on Windows.
pub fn present(os: Os, tools: &BTreeMap<String, Utf8PathBuf>) -> Vec<Found> {
    let here = dialect::MANAGERS.iter().filter(|facts| facts.systems.contains(&os));
    here.filter_map(|facts| {
        let mut programs = facts.programs.iter().filter(|program| **program != "pixi");
        let path = programs.find_map(|name| tools.get(*name))?;
        Some(Found { kind: facts.kind, path: path.clone(), environment: None })
    })
    .collect()
}

fn active(tools: &BTreeMap<String, Utf8PathBuf>, env: &BTreeMap<String, String>) -> Option<Found> {
    let value = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    let found =
        |path: Utf8PathBuf, environment| Found { kind: ManagerKind::Conda, path, environment: Some(environment) };
    if let Some(manifest) = value("PIXI_PROJECT_MANIFEST")
        && let Some(pixi) = value("PIXI_EXE").or_else(|| tools.get("pixi").cloned())
    {
        return Some(found(pixi, manifest));
    }
    let prefix = value("CONDA_PREFIX")?;
    let is_base = env.get("CONDA_DEFAULT_ENV").is_some_and(|name| name == "base")
        || value("MAMBA_ROOT_PREFIX").or_else(|| value("CONDA_ROOT")).is_some_and(|root| root == prefix);
    if is_base {
        return None;
    }
    // An activated shell knows conda as a function; the program that it calls stands in a variable.
    let program = ["micromamba", "mamba", "conda"].into_iter().find_map(|name| tools.get(name).cloned());
    Some(found(program.or_else(|| value("MAMBA_EXE")).or_else(|| value("CONDA_EXE"))?, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(os: Os, tools: &[&str], env: &[(&str, &str)]) -> Option<String> {
        let tools = tools.iter().map(|name| ((*name).to_owned(), format!("/x/{name}").into())).collect();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = choose(os, &tools, &env)?;
        let place = found.environment.map(|place| format!(" {place}")).unwrap_or_default();
        Some(format!("{} {}{place}", found.kind, found.path))
    }

    #[test]
    fn of_several_the_one_that_is_meant() {
        let conda = ("CONDA_PREFIX", "/envs/jit");
        let pixi = ("PIXI_PROJECT_MANIFEST", "/p/pixi.toml");
        for (os, tools, env, expected) in [
            (Os::Linux, &["apt-get", "conda"][..], &[][..], Some("apt /x/apt-get")),
            (Os::Linux, &["apt-get", "conda"], &[conda], Some("conda /x/conda /envs/jit")),
            (Os::Linux, &["apt-get", "conda"], &[conda, ("CONDA_DEFAULT_ENV", "base")], Some("apt /x/apt-get")),
            (
                Os::Linux,
                &["apt-get", "conda"],
                &[conda, ("CONDA_DEFAULT_ENV", "jit")],
                Some("conda /x/conda /envs/jit"),
            ),
            (
                Os::Linux,
                &["apt-get", "micromamba"],
                &[("CONDA_PREFIX", "/m"), ("MAMBA_ROOT_PREFIX", "/m")],
                Some("apt /x/apt-get"),
            ),
            // pixi sets CONDA_PREFIX too, but only it may change its environments.
            (Os::Linux, &["apt-get", "conda", "pixi"], &[conda, pixi], Some("conda /x/pixi /p/pixi.toml")),
            (Os::Linux, &["apt-get", "pixi"], &[], Some("apt /x/apt-get")),
            (Os::Linux, &["pixi"], &[], None),
            (Os::Linux, &["apt-get"], &[conda], Some("apt /x/apt-get")),
            (Os::Linux, &["apt-get"], &[conda, ("CONDA_EXE", "/c/conda")], Some("conda /c/conda /envs/jit")),
            (Os::Linux, &["dnf", "brew"], &[], Some("dnf /x/dnf")),
            (Os::Linux, &["microdnf"], &[], Some("dnf /x/microdnf")),
            (Os::MacOs, &["apt-get", "brew", "conda"], &[], Some("brew /x/brew")),
            (Os::MacOs, &["conda"], &[], Some("conda /x/conda")),
            (Os::Windows, &["apt-get", "choco", "conda", "winget"], &[], Some("winget /x/winget")),
            (Os::Windows, &["choco", "conda"], &[], Some("choco /x/choco")),
            (Os::Windows, &["choco", "conda"], &[conda], Some("conda /x/conda /envs/jit")),
            (Os::Windows, &["brew", "dnf"], &[], None),
        ] {
            assert_eq!(chosen(os, tools, env).as_deref(), expected, "{os:?} {tools:?} {env:?}");
        }
    }
}

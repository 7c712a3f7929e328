//! The command lines of a verification: pure, from the request.
//!
//! Placeholders: `{wheel}` is the repaired wheel, `{project}` a copy of the project's sources (tests may write caches
//! beside themselves), `{PATH}` the search path of the program's own environment.

use crate::request::Request;
use camino::Utf8PathBuf;
use exec::Step;
use host::World;
use host::toolenv::{Files, Installer};
use platform::Os;
use platform::paths::{join, join_list};

/// The folders below a request's `work_dir`.
pub(crate) struct Folders {
    /// The virtual environment.
    pub(crate) venv: Utf8PathBuf,
    /// Its interpreter.
    pub(crate) python: Utf8PathBuf,
    /// Its programs.
    pub(crate) programs: Utf8PathBuf,
    /// The empty folder that everything runs from, so that no source is imported by accident.
    pub(crate) empty: Utf8PathBuf,
    /// The copy of the project's sources that the tests are taken from.
    pub(crate) project: Utf8PathBuf,
    /// The script that lists a process's libraries.
    pub(crate) script: Utf8PathBuf,
    /// The script that runs pip, where it is pip that installs.
    pub(crate) bundled_pip: Utf8PathBuf,
    /// What it wrote after the imports.
    pub(crate) imported: Utf8PathBuf,
    /// The same with neighbours, imported first and imported last.
    pub(crate) neighbours: [Utf8PathBuf; 2],
    /// Where every process of the tests writes at its end.
    pub(crate) tested: Utf8PathBuf,
}

impl Folders {
    pub(crate) fn of(request: &Request) -> Self {
        let windows = is_windows(request);
        let below = |name: &str| join(&request.work_dir, name);
        let venv = below("venv");
        let programs = join(&venv, if windows { "Scripts" } else { "bin" });
        Self {
            python: join(&programs, if windows { "python.exe" } else { "python" }),
            programs,
            venv,
            empty: below("empty"),
            project: below("project"),
            script: below("loaded.py"),
            bundled_pip: below("bundled_pip.py"),
            imported: below("imported.json"),
            neighbours: [below("neighbours-first.json"), below("neighbours-last.json")],
            tested: below("tested"),
        }
    }
}

/// Whether the interpreter is one for Windows, by its own word (`win-amd64`).
fn is_windows(request: &Request) -> bool {
    request.interpreter.platform.starts_with("win")
}

/// The steps of a verification, in order.
pub fn steps(request: &Request, world: &World) -> Vec<Step> {
    let folders = Folders::of(request);
    let maker = Maker { request, folders: &folders, installer: &world.installer };
    let python = folders.python.as_str();
    let mut steps = vec![
        maker.environment(),
        maker.install("install", &["{wheel}"]),
        maker.step("import", &script(&folders, &folders.imported, &[], &request.imports)),
    ];
    if !request.coexist.is_empty() {
        let coexist: Vec<&str> = request.coexist.iter().map(String::as_str).collect();
        steps.push(maker.install("install-coexist", &coexist));
        let modules: Vec<String> = request.coexist.iter().map(|package| module_of(package)).collect();
        for (index, flag) in ["--before", "--after"].into_iter().enumerate() {
            let flags: Vec<&str> = modules.iter().flat_map(|module| [flag, module.as_str()]).collect();
            let name = if index == 0 { "coexist-first" } else { "coexist-last" };
            steps.push(maker.step(name, &script(&folders, &folders.neighbours[index], &flags, &request.imports)));
        }
    }
    if request.tests.is_empty() {
        return steps;
    }
    let mut wanted: Vec<&str> = request.test_requires.iter().map(String::as_str).collect();
    let with_extras = format!("{{wheel}}[{}]", request.test_extras.join(","));
    if !request.test_extras.is_empty() {
        wanted.push(&with_extras);
    }
    // The environment has none by itself.
    if request.tests.iter().flatten().any(|word| word == "pip") {
        wanted.push("pip");
    }
    if !wanted.is_empty() {
        steps.push(maker.install("install-test", &wanted));
    }
    steps.push(maker.step("hook", &[python, "-I", folders.script.as_str(), "hook"]));
    for (index, words) in request.tests.iter().enumerate() {
        let name = if index == 0 { "test".to_owned() } else { format!("test-{}", index + 1) };
        let mut argv: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Some(first) = argv.first_mut()
            && matches!(*first, "python" | "python3")
        {
            *first = python;
        }
        let mut step = maker.step(&name, &argv).with_env(host::loaded::HOOK_VARIABLE, folders.tested.as_str());
        step.timeout_seconds = Some(request.test_time_limit);
        steps.push(step);
    }
    steps
}

fn script<'a>(folders: &'a Folders, out: &'a Utf8PathBuf, flags: &[&'a str], modules: &'a [String]) -> Vec<&'a str> {
    // Isolated: neither the user's variables nor the current folder add anything to import from.
    let mut argv = vec![folders.python.as_str(), "-I", folders.script.as_str(), "import"];
    argv.extend_from_slice(flags);
    argv.extend(["--json-out", out.as_str()]);
    argv.extend(modules.iter().map(String::as_str));
    argv
}

/// The module that a requirement such as `llvmlite>=0.43` is imported by.
fn module_of(requirement: &str) -> String {
    let name: String =
        requirement.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    name.replace('-', "_")
}

struct Maker<'a> {
    request: &'a Request,
    folders: &'a Folders,
    installer: &'a Installer,
}

impl Maker<'_> {
    /// A step in a scrubbed environment, from the empty folder.
    fn step(&self, name: &str, argv: &[&str]) -> Step {
        let log = join(&self.request.log_dir, format!("{name}.log"));
        let argv = argv.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut step =
            Step::new(name, argv, self.folders.empty.clone(), log).with_timeout(self.request.step_time_limit);
        step.clean_env = true;
        let os = if is_windows(self.request) { Os::Windows } else { Os::Linux };
        step.with_env("PATH", join_list(os, [self.folders.programs.as_str(), "{PATH}"]))
            .with_env("VIRTUAL_ENV", self.folders.venv.as_str())
            .with_env("PYTHONNOUSERSITE", "1")
            .with_env("PYTHONDONTWRITEBYTECODE", "1")
    }

    /// The step that makes the environment.
    fn environment(&self) -> Step {
        let argv = self.installer.make(&self.request.interpreter.path, &self.folders.venv);
        self.installer.prepared(self.step("venv", &argv.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// A step that installs into it.
    fn install(&self, name: &str, wanted: &[&str]) -> Step {
        let argv = self.installer.install(&self.folders.python, Files::Own, &self.folders.bundled_pip, wanted);
        self.installer.prepared(self.step(name, &argv.iter().map(String::as_str).collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_requirements() {
        for (requirement, module) in [("llvmlite", "llvmlite"), ("my-pkg>=1", "my_pkg"), ("a.b[x]", "a.b")] {
            assert_eq!(module_of(requirement), module);
        }
    }
}

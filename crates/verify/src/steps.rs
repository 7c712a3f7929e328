//! The command lines of a verification: pure, from the request.
//!
//! Placeholders: `{wheel}` is the repaired wheel, `{project}` a copy of the project's sources (tests may write caches
//! beside themselves), `{PATH}` the search path of the program's own environment.

use crate::request::Request;
use camino::Utf8PathBuf;
use exec::Step;
use host::World;

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
        let below = |name: &str| request.work_dir.join(name);
        let venv = below("venv");
        let programs = venv.join(if windows { "Scripts" } else { "bin" });
        Self {
            python: programs.join(if windows { "python.exe" } else { "python" }),
            programs,
            venv,
            empty: below("empty"),
            project: below("project"),
            script: below("loaded.py"),
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
    let _ = world;
    let folders = Folders::of(request);
    let maker = Maker { request, folders: &folders };
    let python = folders.python.as_str();
    let mut steps = vec![
        maker.step("venv", &[request.interpreter.path.as_str(), "-m", "venv", "--clear", folders.venv.as_str()]),
        maker.online("install", &pip(python, &["{wheel}"])),
        maker.step("import", &script(&folders, &folders.imported, &[], &request.imports)),
    ];
    if !request.coexist.is_empty() {
        let coexist: Vec<&str> = request.coexist.iter().map(String::as_str).collect();
        steps.push(maker.online("install-coexist", &pip(python, &coexist)));
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
    if !wanted.is_empty() {
        steps.push(maker.online("install-test", &pip(python, &wanted)));
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

fn pip<'a>(python: &'a str, wanted: &[&'a str]) -> Vec<&'a str> {
    let mut argv = vec![python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"];
    argv.extend_from_slice(wanted);
    argv
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
}

impl Maker<'_> {
    /// A step in a scrubbed environment, from the empty folder.
    fn step(&self, name: &str, argv: &[&str]) -> Step {
        let log = self.request.log_dir.join(format!("{name}.log"));
        let argv = argv.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut step =
            Step::new(name, argv, self.folders.empty.clone(), log).with_timeout(self.request.step_time_limit);
        step.clean_env = true;
        let separator = if is_windows(self.request) { ';' } else { ':' };
        step.with_env("PATH", format!("{}{separator}{{PATH}}", self.folders.programs))
            .with_env("VIRTUAL_ENV", self.folders.venv.as_str())
            .with_env("PYTHONNOUSERSITE", "1")
            .with_env("PYTHONDONTWRITEBYTECODE", "1")
    }

    /// The same, with what a client of the package index needs.
    fn online(&self, name: &str, argv: &[&str]) -> Step {
        let mut step = self.step(name, argv);
        step.network = true;
        step
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

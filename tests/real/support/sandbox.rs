//! A folder with a project to try the program in.

use super::call::Call;
use super::shared::{FORMER_FOLDERS, copy_folder, former_plain, former_wayward, newest_python, shared_tools};
use super::traces::{fingerprint, hash, walk, wheels_in};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;
use wheelproof_tests::{Project, program};

/// A root with one project and a configuration, which finds its tools where all others do.
pub(crate) struct Sandbox {
    pub(crate) project: Project,
    name: String,
    pub(crate) root: Utf8PathBuf,
    begun: Instant,
}

/// What stands in a generated ci/wheels.yaml.
#[derive(Clone, Default)]
pub(crate) struct Asked<'a> {
    /// Lines of the project's entry.
    pub(crate) project: &'a [&'a str],
    /// Lines of the top level.
    pub(crate) top: &'a [&'a str],
    /// The Pythons; none means the newest one here.
    pub(crate) python: &'a [&'a str],
}

impl Asked<'_> {
    fn yaml(&self, path: &str) -> String {
        let newest;
        let python: Vec<&str> = if self.python.is_empty() {
            newest = newest_python();
            vec![newest.as_str()]
        } else {
            self.python.to_vec()
        };
        let mut text = format!("version: 1\nprojects:\n  - path: {path}\n");
        for line in self.project {
            let _ = writeln!(text, "    {line}");
        }
        let _ = writeln!(text, "python: {python:?}");
        for line in self.top {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

impl Sandbox {
    /// With a copy of tests/projects/`name`, committed.
    pub(crate) fn of(name: &str, asked: &Asked<'_>) -> Self {
        let project = Project::of(name, &asked.yaml(name)).commit();
        let sandbox = Self { name: name.to_owned(), root: project.root().to_owned(), project, begun: Instant::now() };
        sandbox.share_tools();
        sandbox
    }

    /// The little C extension, with a wheel of a former run in dist/.
    pub(crate) fn plain(asked: &Asked<'_>) -> Self {
        Self::with_former("plain", former_plain(), asked)
    }

    /// The project with the backend that misbehaves, with a wheel of a former run in dist/.
    pub(crate) fn wayward(mood: &str) -> Self {
        let environment = format!("environment: {{ WAYWARD: {mood} }}");
        let asked = Asked { project: &["import: [wayward]", &environment], ..Asked::default() };
        Self::with_former("wayward", former_wayward(), &asked)
    }

    /// The JIT extension on LLVM.
    pub(crate) fn minijit(asked: &Asked<'_>) -> Self {
        let _ = former_plain();
        Self::of("minijit", asked)
    }

    /// The extension in Rust, which maturin builds.
    pub(crate) fn rusty(asked: &Asked<'_>) -> Self {
        // The tools for repairs are made by one project alone.
        let _ = former_plain();
        Self::of("rusty", asked)
    }

    fn with_former(name: &str, former: &Utf8Path, asked: &Asked<'_>) -> Self {
        let sandbox = Self::of(name, asked);
        for folder in FORMER_FOLDERS {
            copy_folder(&former.join(folder), &sandbox.root.join(folder));
        }
        sandbox
    }

    fn share_tools(&self) {
        let state = self.root.join("target/wheelproof");
        fs_err::create_dir_all(&state).unwrap();
        fs_err::write(state.join(".gitignore"), "*\n").unwrap();
        fs_err::os::unix::fs::symlink(shared_tools(), state.join("tools")).unwrap();
    }

    /// Takes the shared tools away again: the next run is a first run.
    pub(crate) fn without_tools(self) -> Self {
        fs_err::remove_file(self.root.join("target/wheelproof/tools")).unwrap();
        self
    }

    /// Replaces the configuration.
    pub(crate) fn ask(&self, asked: &Asked<'_>) {
        self.project.write("ci/wheels.yaml", asked.yaml(&self.name));
    }

    /// A call of `wheels`, not yet made.
    pub(crate) fn wheels(&self, args: &[&str]) -> Call<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let token = format!("story-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut command = program(&self.root).command();
        let outer = std::env::var("WHEELPROOF_STEP").map(|outer| outer + ":").unwrap_or_default();
        command.arg("wheels").args(args).env("WHEELPROOF_STEP", outer + &token);
        // No index is asked five times in a row.
        command.env("PIP_RETRIES", "1").env_remove("GITHUB_ACTIONS").env_remove("CI").env_remove("NO_COLOR");
        Call::new(self, command, token)
    }

    /// Every file of the user's own, and what git says of the tree.
    pub(super) fn sources(&self) -> BTreeMap<String, u64> {
        let mut files = BTreeMap::new();
        walk(&self.root, &mut |path| {
            let below = path.strip_prefix(&self.root).unwrap();
            let ours = below.starts_with("dist") || below.starts_with("target") || below.starts_with(".git");
            if !ours {
                files.insert(below.to_string(), fingerprint(path));
            }
        });
        files.insert("git status".to_owned(), hash(self.git_status().as_bytes()));
        files
    }

    pub(super) fn git_status(&self) -> String {
        let output = Command::new("git")
            .args([
                "--no-optional-locks",
                "status",
                "--porcelain",
                "--untracked-files=all",
                "--",
                ".",
                ":!dist",
                ":!target",
            ])
            .current_dir(&self.root)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The one wheel in dist/.
    pub(crate) fn wheel(&self) -> Utf8PathBuf {
        let wheels: Vec<_> =
            wheels_in(&self.root.join("dist")).into_keys().filter(|name| name.ends_with(".whl")).collect();
        assert_eq!(wheels.len(), 1, "{wheels:?}");
        self.root.join("dist").join(&wheels[0])
    }
}

/// The identifier of a build for a Python, as long as no policy is asked for.
pub(crate) fn id(python: &str) -> String {
    format!("{python}-linux_{}", std::env::consts::ARCH)
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let test = thread::current().name().unwrap_or("?").to_owned();
        // Past the harness's capture: how long each story takes is always shown.
        let _ = writeln!(std::io::stderr(), "{:6.1} s  {test} ({})", self.begun.elapsed().as_secs_f64(), self.name);
    }
}

/// What `plain` asks for when nothing is wrong.
pub(crate) const PLAIN: Asked<'_> =
    Asked { project: &["import: [plain]", "test: python {project}/tests/check.py"], top: &[], python: &[] };

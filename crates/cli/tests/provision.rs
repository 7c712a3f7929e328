//! `--provision` when the package manager fails: what it had installed is said, what is missing, and in its own words why.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

struct Project {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Project {
    /// A project that needs nothing but what its `provision:` names.
    fn new(provision: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let project = Self { _folder: folder, root };
        project.write("ci/wheels.yaml", &format!("version: 1\nprojects: [{{ path: . }}]\nprovision: {provision}\n"));
        project.write(
            "pyproject.toml",
            "[project]\nname = \"nothing\"\nversion = \"1\"\n[build-system]\nrequires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"\n",
        );
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn script(&self, path: &str, text: &str) {
        self.write(path, text);
        fs_err::set_permissions(self.root.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Exit code and what was said.
    fn provision(&self, env: &[(&str, String)]) -> (i32, String) {
        let output = self.command(env).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn command(&self, env: &[(&str, String)]) -> Command {
        // The plan is not what is tested here: nothing is asked for that any machine would have.
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelproof"));
        command.args(["wheels", "--provision", "--only", "nothing/none-*"]).current_dir(&self.root);
        for variable in ["CONDA_PREFIX", "CONDA_DEFAULT_ENV", "MAMBA_ROOT_PREFIX", "PIXI_PROJECT_MANIFEST"] {
            command.env_remove(variable);
        }
        command.envs(env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it, and comes back when the package manager is at work.
    fn begin(&self, env: &[(&str, String)]) -> Child {
        let child = self.command(env).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while !self.root.join("env/began").is_file() {
            assert!(Instant::now() < until, "the package manager was not started");
            std::thread::sleep(Duration::from_millis(10));
        }
        child
    }

    /// Installs zlib as conda does, and no more.
    fn half_a_conda(&self) -> Vec<(&'static str, String)> {
        self.conda(
            "echo \"$@\" >>\"$CONDA_PREFIX/asked\"\n\
             echo '{}' >\"$CONDA_PREFIX/conda-meta/zlib-1.3.1-hb9d3cd8_2.json\"\n\
             case \"$*\" in *no-such-thing*) echo 'PackagesNotFoundError: not available: no-such-thing' >&2; exit 1;; esac\n",
        )
    }

    /// Is in the middle of something for three seconds, longer than other programs are waited for, whatever it is told.
    fn conda_at_work(&self) -> Vec<(&'static str, String)> {
        self.conda(
            "trap 'echo INT >>\"$CONDA_PREFIX/told\"' INT\ntrap 'echo TERM >>\"$CONDA_PREFIX/told\"' TERM\n\
             : >\"$CONDA_PREFIX/began\"\n\
             n=0; while [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); done\n\
             echo '{}' >\"$CONDA_PREFIX/conda-meta/zlib-1.3.1-hb9d3cd8_2.json\"\n: >\"$CONDA_PREFIX/ended\"\n",
        )
    }

    fn conda(&self, script: &str) -> Vec<(&'static str, String)> {
        self.script("bin/conda", &format!("#!/bin/sh\n{script}"));
        self.write("env/conda-meta/history", "");
        let path = std::env::var("PATH").unwrap();
        vec![("PATH", format!("{}/bin:{path}", self.root)), ("CONDA_PREFIX", self.root.join("env").to_string())]
    }

    fn asked(&self) -> Vec<String> {
        let asked = fs_err::read_to_string(self.root.join("env/asked")).unwrap_or_default();
        asked.lines().map(|line| line.replace(self.root.as_str(), "ROOT")).collect()
    }
}

#[test]
fn half_installed_is_said_to_be_half() {
    let project = Project::new("{ conda: [zlib, no-such-thing], apt: [not-asked] }");
    let env = project.half_a_conda();
    let (code, said) = project.provision(&env);
    assert_eq!(code, 3, "{said}");
    for text in [
        "PackagesNotFoundError: not available: no-such-thing",
        "before it failed it had installed zlib 1.3.1",
        "still missing: no-such-thing",
    ] {
        assert!(said.contains(text), "`{text}`: {said}");
    }
    assert_eq!(
        project.asked(),
        ["install --yes --override-channels --channel conda-forge --prefix ROOT/env no-such-thing zlib"]
    );
    // The next time only what is missing is asked for, and nothing is claimed for what was there.
    let (code, said) = project.provision(&env);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("before it failed it had installed none of them"), "{said}");
    assert_eq!(
        project.asked()[1],
        "install --yes --override-channels --channel conda-forge --prefix ROOT/env no-such-thing"
    );
}

#[test]
fn what_is_there_is_not_installed_again() {
    let project = Project::new("{ conda: [zlib] }");
    let env = project.half_a_conda();
    let (_, said) = project.provision(&env);
    assert!(said.contains("install --yes --override-channels --channel conda-forge"), "said before it is done: {said}");
    let (_, said) = project.provision(&env);
    assert!(!said.contains("install"), "{said}");
    assert_eq!(project.asked().len(), 1);
}

/// What Ctrl-C sends to `child`, as a terminal does or as `kill` does.
fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Exit code and what was said.
fn end(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A package manager that is killed in its transaction leaves a system half installed.
#[test]
fn a_manager_that_is_interrupted_finishes_what_it_began_and_what_it_did_is_said() {
    for sent in ["-INT", "-TERM"] {
        let project = Project::new("{ conda: [zlib, openblas] }");
        let child = project.begin(&project.conda_at_work());
        signal(&child, sent);
        let (code, said) = end(child);
        assert_eq!(code, 130, "{said}");
        assert!(project.root.join("env/ended").is_file(), "it was killed: {said}");
        let told = fs_err::read_to_string(project.root.join("env/told")).unwrap_or_default();
        assert_eq!(told, "INT\n", "asked once, as Ctrl-C asks: {said}");
        for text in [
            "waiting for conda to finish what it began; Ctrl-C again ends it at once",
            "before it ended it had installed zlib 1.3.1",
            "still missing: openblas",
        ] {
            assert!(said.contains(text), "`{text}`: {said}");
        }
    }
}

#[test]
fn a_second_interrupt_ends_the_manager_at_once() {
    let project = Project::new("{ conda: [zlib] }");
    let child = project.begin(&project.conda_at_work());
    let begun = Instant::now();
    signal(&child, "-INT");
    // The two would be one if they came together.
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "-INT");
    let (code, said) = end(child);
    assert_eq!(code, 130, "{said}");
    assert!(!project.root.join("env/ended").exists(), "after {:?}: {said}", begun.elapsed());
    assert!(said.contains("before it ended it had installed none of them\n  still missing: zlib"), "{said}");
}

/// Its questions go to a log, so nobody would answer; what comes from a pipe is not meant for it.
#[test]
fn a_manager_has_nothing_to_read() {
    let project = Project::new("{ conda: [zlib] }");
    let env = project.conda("if read answer; then echo \"$answer\" >\"$CONDA_PREFIX/answer\"; fi\n");
    let mut child = project.command(&env).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"y\n").unwrap();
    let (_, said) = end(child);
    assert!(!project.root.join("env/answer").exists(), "{said}");
}

/// What conda's own way of naming packages is, is looked up by the name in it.
#[test]
fn what_is_there_by_another_way_of_writing_is_not_installed_again() {
    for spec in ["'zlib>=1.2'", "conda-forge::zlib", "'zlib[version=\">=1.3\"]'", "'zlib >=1.2,<2'", "'zlib~=1.3'"] {
        let project = Project::new(&format!("{{ conda: [{spec}] }}"));
        let env = project.half_a_conda();
        let (_, said) = project.provision(&env);
        assert_eq!(project.asked().len(), 1, "{spec}: {said}");
        let (_, said) = project.provision(&env);
        assert_eq!(project.asked().len(), 1, "{spec}: {said}");
    }
}

/// Whether this one is there is more than can be told: it is installed each time, and not called missing.
#[test]
fn what_cannot_be_looked_up_is_not_known() {
    let project = Project::new("{ conda: ['zlib=1.3.1=hb9d3cd8_9', no-such-thing] }");
    let (code, said) = project.provision(&project.half_a_conda());
    assert_eq!(code, 3, "{said}");
    for text in ["still missing: no-such-thing", "not known to be there: zlib=1.3.1=hb9d3cd8_9"] {
        assert!(said.contains(text), "`{text}`: {said}");
    }
}

/// The real one, with a package that no archive has: it fails before it changes anything.
#[test]
fn apt_with_a_package_that_does_not_exist() {
    let root = fs_err::read_to_string("/proc/self/status").is_ok_and(|text| text.contains("\nUid:\t0\t0\t"));
    let lists = Utf8Path::new("/var/lib/apt/lists").read_dir_utf8().is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().contains("_Packages") || entry.file_name().contains("InRelease"))
    });
    if !root || !lists {
        return println!("skipped: apt-get with its lists, as root");
    }
    let project = Project::new("{ apt: [coreutils, wheelproof-no-such-package] }");
    let (code, said) = project.provision(&[]);
    assert_eq!(code, 3, "{said}");
    for text in [
        // coreutils is there.
        "apt-get install -y --no-install-recommends wheelproof-no-such-package",
        "E: Unable to locate package wheelproof-no-such-package",
        "before it failed it had installed none of them",
        "still missing: wheelproof-no-such-package",
    ] {
        assert!(said.contains(text), "`{text}`: {said}");
    }
}

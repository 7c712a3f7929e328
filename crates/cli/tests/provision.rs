//! `--provision` when the package manager fails: what it had installed is said, what is missing, and in its own words why.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

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
        // The plan is not what is tested here: nothing is asked for that any machine would have.
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelproof"));
        command.args(["wheels", "--provision", "--only", "nothing/none-*"]).current_dir(&self.root);
        for variable in ["CONDA_PREFIX", "CONDA_DEFAULT_ENV", "MAMBA_ROOT_PREFIX", "PIXI_PROJECT_MANIFEST"] {
            command.env_remove(variable);
        }
        let output = command.envs(env.iter().map(|(name, value)| (name, value))).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Installs zlib as conda does, and no more.
    fn half_a_conda(&self) -> Vec<(&'static str, String)> {
        self.script(
            "bin/conda",
            "#!/bin/sh\necho \"$@\" >>\"$CONDA_PREFIX/asked\"\n\
             echo '{}' >\"$CONDA_PREFIX/conda-meta/zlib-1.3.1-hb9d3cd8_2.json\"\n\
             case \"$*\" in *no-such-thing*) echo 'PackagesNotFoundError: not available: no-such-thing' >&2; exit 1;; esac\n",
        );
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
    assert_eq!(project.asked(), ["install --yes --channel conda-forge --prefix ROOT/env no-such-thing zlib"]);
    // The next time only what is missing is asked for, and nothing is claimed for what was there.
    let (code, said) = project.provision(&env);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("before it failed it had installed none of them"), "{said}");
    assert_eq!(project.asked()[1], "install --yes --channel conda-forge --prefix ROOT/env no-such-thing");
}

#[test]
fn what_is_there_is_not_installed_again() {
    let project = Project::new("{ conda: [zlib] }");
    let env = project.half_a_conda();
    let (_, said) = project.provision(&env);
    assert!(said.contains("install --yes --channel conda-forge"), "said before it is done: {said}");
    let (_, said) = project.provision(&env);
    assert!(!said.contains("install"), "{said}");
    assert_eq!(project.asked().len(), 1);
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

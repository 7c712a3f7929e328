//! A machine in a folder: programs that play others, and the look at it.

use std::{
    collections::BTreeMap,
    os::unix::fs::{PermissionsExt, symlink},
};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Runner, Silent};
use platform::Os;
use wheelproof_host::{Probe, World, probe};

pub(crate) struct Machine {
    _folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) probe: Probe,
}

impl Machine {
    /// With a PATH of its own folders, and a shell behind them for the programs that play others.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap().canonicalize_utf8().unwrap();
        let env = BTreeMap::from([
            ("PATH".to_owned(), format!("{root}/shims:{root}/usr/bin")),
            ("HOME".to_owned(), format!("{root}/home")),
            ("RUNNER_TOOL_CACHE".to_owned(), format!("{root}/hostedtoolcache")),
            ("CXXFLAGS".to_owned(), "-O1".to_owned()),
            ("CMAKE_GENERATOR".to_owned(), "Ninja".to_owned()),
            ("EDITOR".to_owned(), "vi".to_owned()),
        ]);
        let probe = Probe { cache_dir: Some(root.join("cache")), env, root: root.clone(), ..Probe::default() };
        Self { _folder: folder, root, probe }
    }

    /// One of another system, with an environment of its own in which `{root}` is the tree's.
    pub(crate) fn of(os: Os, env: &[(&str, &str)]) -> Self {
        let mut machine = Self::new();
        machine.probe.os = Some(os);
        machine.probe.env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.replace("{root}", machine.root.as_str())))
            .collect();
        machine
    }

    pub(crate) fn program(&self, path: &str, script: &str) {
        let path = self.root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, script).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A Python that counts how often it is asked, by a line in a file beside it.
    pub(crate) fn python(&self, path: &str, version: &str, changes: &[(&str, &str)]) {
        let prefix = self.root.join("lib").join(version);
        let (include, stdlib) = (prefix.join("include"), prefix.join("stdlib"));
        fs_err::create_dir_all(&include).unwrap();
        fs_err::create_dir_all(&stdlib).unwrap();
        fs_err::write(include.join("Python.h"), "").unwrap();
        let mut answer = format!(
            r#"{{"version": "{version}", "implementation": "cpython", "abi_flags": "", "free_threaded": false, "debug": false,
               "soabi": "cpython-x", "ext_suffix": ".cpython-x.so", "platform": "linux-x86_64", "bits": 64, "executable": "x",
               "prefix": "{prefix}", "base_prefix": "{prefix}", "include": ["{include}"], "library_dirs": [],
               "stdlib": "{stdlib}", "shared_libpython": false, "macos_deployment_target": null, "venv_error": null,
               "libc": {{"kind": "glibc", "version": "2.28"}}}}"#
        )
        .replace('\n', " ");
        for (from, to) in changes {
            assert!(answer.contains(from), "{from}");
            answer = answer.replace(from, to);
        }
        self.program(
            path,
            &format!("#!/bin/sh\necho asked >>\"$0.asked\"\necho noise from sitecustomize\necho 'wheelproof-answer:{answer}'\n"),
        );
    }

    pub(crate) fn asked(&self, path: &str) -> usize {
        fs_err::read_to_string(self.root.join(format!("{path}.asked"))).unwrap_or_default().lines().count()
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        let path = self.root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    pub(crate) fn look(&self) -> World {
        look(&self.probe)
    }
}

pub(crate) fn look(what: &Probe) -> World {
    probe(what, &Runner::new(&Silent, &Cancel::new()))
}

pub(crate) fn reason<'a>(world: &'a World, path: &Utf8Path) -> &'a str {
    world.rejected.iter().find(|rejected| rejected.path == path).map_or("not rejected", |rejected| &rejected.reason)
}

//! A folder to try the program in: files written, Git if wanted, gone at the end.

use camino::{Utf8Path, Utf8PathBuf};
use std::process::{Command, Stdio};

/// A temporary folder that is a root for the program: ci/wheels.yaml, projects, dist/ lie in it.
#[derive(Debug)]
pub struct Project {
    dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Project {
    /// An empty folder.
    ///
    /// # Panics
    /// When no folder can be made.
    #[allow(clippy::new_without_default)] // it makes a folder; no value comes out of nothing
    pub fn new() -> Self {
        let made = tempfile::Builder::new().prefix("wheelproof-test-").tempdir();
        let Ok(dir) = made else { panic!("no temporary folder: {made:?}") };
        // macOS hands out /var/…, which is a link to /private/var/…; messages show the real one.
        let Some(root) = dir.path().canonicalize().ok().and_then(|root| Utf8PathBuf::from_path_buf(root).ok()) else {
            panic!("the temporary folder has no UTF-8 path")
        };
        Self { dir, root }
    }

    /// With a copy of one of the repository's tests/projects/ in a folder of its own name, and a ci/wheels.yaml.
    pub fn of(name: &str, configuration: &str) -> Self {
        let project = Self::new();
        copy_tree(&crate::repository().join("tests/projects").join(name), &project.root.join(name));
        project.file("ci/wheels.yaml", configuration)
    }

    /// The folder.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Writes a file and the folders that it needs.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content);
        self
    }

    /// The same, later.
    ///
    /// # Panics
    /// When it cannot be written.
    #[track_caller]
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        let folder = path.parent().map_or(Ok(()), fs_err::create_dir_all);
        if let Err(error) = folder.and_then(|()| fs_err::write(&path, content)) {
            panic!("{error}");
        }
    }

    /// What a file holds.
    ///
    /// # Panics
    /// When it cannot be read.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The names in a folder, sorted; none when it is not there.
    pub fn names(&self, path: &str) -> Vec<String> {
        let Ok(entries) = self.root.join(path).read_dir_utf8() else { return Vec::new() };
        let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_owned()).collect();
        names.sort();
        names
    }

    /// Makes it a Git repository with one commit of everything.
    ///
    /// # Panics
    /// When Git says no.
    #[must_use]
    pub fn commit(self) -> Self {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=tried"]);
        self
    }

    /// One call of Git in it, with an identity and without the user's own configuration.
    ///
    /// # Panics
    /// When Git says no.
    #[track_caller]
    pub fn git(&self, args: &[&str]) {
        let output = Command::new("git")
            .current_dir(&self.root)
            .args(["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" })
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {}
            Ok(output) => panic!("git {args:?}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => panic!("git does not start: {error}"),
        }
    }

    /// Keeps the folder when the test ends, to look into it, and says where it is.
    #[allow(clippy::print_stdout)] // for whoever debugs a test
    pub fn keep(self) -> Utf8PathBuf {
        println!("kept: {}", self.root);
        let _ = self.dir.keep();
        self.root
    }
}

/// Copies a folder with all that is in it, but for what builds leave (`__pycache__`, `.pytest_cache`, `build`, `target`).
///
/// # Panics
/// When something cannot be read or written.
#[track_caller]
pub fn copy_tree(from: &Utf8Path, to: &Utf8Path) {
    let copied = copy(from, to);
    assert!(copied.is_ok(), "`{from}` cannot be copied: {copied:?}");
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    const LEFT_OUT: [&str; 4] = ["__pycache__", ".pytest_cache", "build", "target"];
    fs_err::create_dir_all(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if LEFT_OUT.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(path, &place)?;
        } else {
            fs_err::copy(path, &place)?;
        }
    }
    Ok(())
}

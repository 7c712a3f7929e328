//! The wheel crate against archives built byte by byte, against Python's own tools, and against itself.

// The lints' exemption for tests covers test functions only, not what they share.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod malformed;
mod reading;
mod texts;
mod writing;
mod zip;

use camino::{Utf8Path, Utf8PathBuf};

/// A folder that goes away with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn join(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.0.path()).unwrap().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs_err::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Runs a program if the host has it; its standard output, or a panic if it fails.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let Ok(output) = std::process::Command::new(program).args(arguments).output() else {
        println!("skipped: there is no `{program}`");
        return None;
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "`{program} {}` failed:\n{out}\n{err}", arguments.join(" "));
    Some(out.into_owned())
}

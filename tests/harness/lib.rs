//! What the tests of the whole program stand on: the built program, folders to try it in, and a word for what cannot run.
//!
//! Knows: where the repository, the program and the optional tools are. Must not know: what any test is about.
#![forbid(unsafe_code)]

mod project;
mod run;
mod samples;

pub use project::{Project, copy_tree};
pub use run::{Program, Run, program};
pub use samples::with_projects;

use camino::{Utf8Path, Utf8PathBuf};

/// The repository's root.
pub fn repository() -> &'static Utf8Path {
    let tests = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// Says that a test cannot run here and why; `cargo xtask test` counts these lines. The test returns right after.
#[allow(clippy::print_stdout)] // this line is the interface
pub fn skip(reason: &str) {
    println!("skipped: {reason}");
}

/// A program on PATH, or none.
pub fn on_path(name: &str) -> Option<Utf8PathBuf> {
    let path = std::env::var("PATH").ok()?;
    std::env::split_paths(&path)
        .filter_map(|dir| Utf8PathBuf::from_path_buf(dir).ok())
        .map(|dir| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| file.is_file())
}

/// The Python of the environment with auditwheel, delvewheel, jsonschema and packaging (`cargo xtask test` makes it);
/// none, said so, where it was not made.
pub fn oracle_python() -> Option<Utf8PathBuf> {
    from_environment(
        "WHEELPROOF_ORACLE_PYTHON",
        "the environment of the oracles was not made; `cargo xtask test` makes it",
    )
}

/// The folder of published wheels (`cargo xtask test --tier published` fills it); none, said so, where it is not there.
pub fn wheelhouse() -> Option<Utf8PathBuf> {
    from_environment(
        "WHEELPROOF_WHEELHOUSE",
        "no published wheels here; `cargo xtask test --tier published` fetches them",
    )
}

fn from_environment(variable: &str, otherwise: &str) -> Option<Utf8PathBuf> {
    let found = std::env::var(variable).ok().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    if found.is_none() {
        skip(otherwise);
    }
    found
}

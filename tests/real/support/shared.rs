//! What all stories share: the Pythons of this machine, the environments of tools, what a former run left.

use super::sandbox::{Asked, PLAIN, Sandbox};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::process::Command;
use std::sync::OnceLock;

/// Where the environments of tools lie; they outlive a run of the tests, as they do for a user.
pub(super) fn shared_tools() -> &'static Utf8Path {
    static TOOLS: OnceLock<Utf8PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let tools = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/tools");
        fs_err::create_dir_all(&tools).unwrap();
        tools
    })
}

/// The Pythons that an extension can be built for here, newest first, as `cp313`.
pub(crate) fn pythons() -> &'static [String] {
    static PYTHONS: OnceLock<Vec<String>> = OnceLock::new();
    PYTHONS.get_or_init(|| {
        let all = Asked { project: &["import: [plain]"], python: &[">=3.9"], ..Asked::default() };
        let sandbox = Sandbox::of("plain", &all);
        let outcome = sandbox.wheels(&["--plan", "--format", "json"]).run().exits(0);
        let plan: Value = serde_json::from_str(outcome.stdout()).unwrap();
        let builds = plan["builds"].as_array().unwrap().iter().filter(|build| build["runnable"] == true);
        let found: Vec<String> = builds.filter_map(|build| Some(build["python"].as_str()?.to_owned())).collect();
        found.into_iter().rev().filter(|python| !python.ends_with('t')).collect()
    })
}

pub(crate) fn newest_python() -> String {
    pythons().first().expect("a Python with headers and venv is needed for any of this").clone()
}

/// What a run of the little C extension leaves; made once for all, and with it the tools that the others share.
pub(super) fn former_plain() -> &'static Utf8Path {
    static FORMER: OnceLock<Utf8PathBuf> = OnceLock::new();
    FORMER.get_or_init(|| former("plain", &PLAIN))
}

pub(super) fn former_wayward() -> &'static Utf8Path {
    static FORMER: OnceLock<Utf8PathBuf> = OnceLock::new();
    FORMER.get_or_init(|| {
        let _ = former_plain();
        former("wayward", &Asked { project: &["import: [wayward]"], ..Asked::default() })
    })
}

/// Proves a project and keeps what stays of it: dist/ and what is remembered.
fn former(name: &str, asked: &Asked<'_>) -> Utf8PathBuf {
    let sandbox = Sandbox::of(name, asked);
    let _ = sandbox.wheels(&[]).run().exits(0);
    let kept = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/former").join(name);
    let _ = fs_err::remove_dir_all(&kept);
    for folder in FORMER_FOLDERS {
        copy_folder(&sandbox.root.join(folder), &kept.join(folder));
    }
    kept
}

pub(super) const FORMER_FOLDERS: [&str; 2] = ["dist", "target/wheelproof/proven"];

pub(super) fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    fs_err::create_dir_all(to.parent().unwrap()).unwrap();
    let copied = Command::new("cp").args(["-a", from.as_str(), to.as_str()]).status().unwrap();
    assert!(copied.success());
}

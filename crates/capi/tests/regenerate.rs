//! Makes one installed Python's column anew with `data/make.py` and compares it with the table.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Programs named `python3` or `python3.X` that can be run: on PATH, and where pyenv keeps versions.
fn pythons() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").iter().flat_map(|path| env::split_paths(path).collect::<Vec<_>>()).collect();
    let pyenv =
        env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".pyenv")));
    let versions = pyenv.and_then(|root| fs::read_dir(root.join("versions")).ok());
    folders.extend(versions.into_iter().flatten().flatten().map(|version| version.path().join("bin")));
    let mut found = Vec::new();
    for folder in folders {
        for name in ["python3".to_owned()].into_iter().chain((8..=20).map(|minor| format!("python3.{minor}"))) {
            let Ok(real) = folder.join(&name).canonicalize() else { continue };
            // pyenv's shims are scripts that run whatever is selected; the versions themselves are listed above.
            if !folder.ends_with("shims") && !found.contains(&real) {
                found.push(real);
            }
        }
    }
    found
}

/// `make.py` needs 3.9 or later.
fn runs_make(python: &Path) -> bool {
    let ask = Command::new(python).args(["-I", "-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).output();
    ask.is_ok_and(|answer| answer.status.success())
}

#[test]
fn an_installed_pythons_column_is_what_the_table_says() {
    let pythons = pythons();
    let Some(runner) = pythons.iter().find(|python| runs_make(python)) else {
        return println!("skipped: no Python 3.9 or later was found");
    };
    for python in &pythons {
        let out = Command::new(runner)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/data/make.py"))
            .args(["check", "--python"])
            .arg(python)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        print!("{said}");
        let code = out.status.code();
        assert!(
            matches!(code, Some(0 | 77)),
            "{}: {code:?}\n{said}{}",
            python.display(),
            String::from_utf8_lossy(&out.stderr)
        );
    }
}

//! Projects in places where tools stumble: no git, work trees, submodules, names with spaces.

use super::support::{Asked, PLAIN, Sandbox};
use std::process::Command;

fn git(folder: &camino::Utf8Path, args: &[&str]) {
    let base = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"];
    let output = Command::new("git").args(base).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_project_without_git() {
    let sandbox = Sandbox::plain(&PLAIN);
    fs_err::remove_dir_all(sandbox.root.join(".git")).unwrap();
    let _ = sandbox.wheels(&[]).run().exits(0);
    let second = sandbox.wheels(&[]).run().exits(0);
    assert_eq!(second.first_build()["status"], "cached");
}

#[test]
fn a_folder_with_spaces_and_letters_of_another_script() {
    let mut sandbox = Sandbox::plain(&PLAIN);
    let odd = "mit Leerzeichen und Ümläuten, 日本 'q'";
    for folder in ["plain", "ci", "target", ".git"] {
        let to = sandbox.root.join(odd).join(folder);
        fs_err::create_dir_all(to.parent().unwrap()).unwrap();
        fs_err::rename(sandbox.root.join(folder), to).unwrap();
    }
    sandbox.root = sandbox.root.join(odd);
    let outcome = sandbox.wheels(&[]).run().exits(0);
    assert_eq!(outcome.first_build()["tested"][0], "python {project}/tests/check.py");
}

#[test]
fn a_work_tree_and_a_submodule() {
    let sandbox = Sandbox::plain(&PLAIN);
    // The project's C source moves into a submodule; the whole is built in a second work tree.
    let library = sandbox.root.join("target/library");
    fs_err::create_dir_all(&library).unwrap();
    fs_err::rename(sandbox.root.join("plain/src/plain/_core.c"), library.join("_core.c")).unwrap();
    git(&library, &["init", "--quiet", "--initial-branch=main"]);
    git(&library, &["add", "--all"]);
    git(&library, &["commit", "--quiet", "-m", "core"]);
    git(&sandbox.root, &["submodule", "--quiet", "add", library.as_str(), "plain/vendor"]);
    let setup = sandbox.project.read("plain/setup.py").replace("src/plain/_core.c", "vendor/_core.c");
    sandbox.project.write("plain/setup.py", setup);
    sandbox.project.write("plain/MANIFEST.in", "include vendor/*.c\n");
    git(&sandbox.root, &["add", "--all", "plain", ".gitmodules"]);
    git(&sandbox.root, &["commit", "--quiet", "-m", "submodule"]);
    let _ = sandbox.wheels(&[]).run().exits(0);

    let tree = sandbox.root.join("target/tree");
    git(&sandbox.root, &["worktree", "add", "--quiet", tree.as_str()]);
    git(&tree, &["submodule", "--quiet", "update", "--init"]);
    let project = format!("--project={tree}");
    let _ = sandbox.wheels(&[&project]).run().exits(0);
    assert!(tree.join("dist/report.json").is_file());
    // A change in the submodule is a change of the sources.
    let source = tree.join("plain/vendor/_core.c");
    fs_err::write(&source, fs_err::read_to_string(&source).unwrap() + "\n").unwrap();
    let _ = sandbox.wheels(&[&project]).run().exits(0).says(&["proven"]).never_says(&["unchanged"]);
}

#[test]
fn a_project_at_the_root_and_its_own_dist_folder() {
    // dist/ lies inside the project and nobody told git to ignore it: it is no source all the same.
    let mut sandbox = Sandbox::plain(&Asked { ..PLAIN });
    fs_err::remove_dir_all(sandbox.root.join("dist")).unwrap();
    sandbox.root = sandbox.root.join("plain");
    git(&sandbox.root, &["init", "--quiet"]);
    git(&sandbox.root, &["add", "--all"]);
    git(&sandbox.root, &["commit", "--quiet", "-m", "all"]);
    fs_err::create_dir_all(sandbox.root.join("target")).unwrap();
    fs_err::rename(sandbox.root.join("../target/wheelproof"), sandbox.root.join("target/wheelproof")).unwrap();
    // No ci/wheels.yaml: what holds for a folder with a pyproject.toml and nothing else.
    let python = super::support::newest_python();
    let args = [format!("--project={}", sandbox.root), "--python".to_owned(), python];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let _ = sandbox.wheels(&args).run().exits(0).says(&["proven"]);
    let second = sandbox.wheels(&args).run().exits(0).says(&["unchanged"]);
    assert_eq!(second.steps(), Vec::<String>::new());
}

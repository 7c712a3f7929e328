//! The real JIT extension: from source to wheels that compute on a machine without LLVM.

use super::support::{Asked, Outcome, Sandbox, pythons};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use wheelproof_tests::{on_path, skip};

/// One at a time: each fills the machine, and they make the same tools.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

const TEST: &str = "test: python -m pytest -q -p no:cacheprovider {project}/tests";
const PROJECT: &[&str] = &["import: [minijit]", TEST, "test_requires: [pytest]"];

fn llvm(version: &str) -> String {
    format!("llvm: {{ version: \"{version}\", linkage: shared }}")
}

/// Whether an LLVM of this version is here with what its own CMake files ask for; else says why not.
fn has(sandbox: &Sandbox) -> bool {
    let outcome = sandbox.wheels(&["--plan", "--format", "json"]).run().exits(0);
    let plan: Value = serde_json::from_str(outcome.stdout()).unwrap();
    let blocked = plan["builds"].as_array().unwrap().iter().find(|build| build["runnable"] == false);
    if let Some(build) = blocked {
        skip(build["reason"].as_str().unwrap_or("?"));
    }
    blocked.is_none()
}

fn builds(outcome: &Outcome<'_>) -> Vec<Value> {
    outcome.report()["builds"].as_array().unwrap().clone()
}

/// Name, policy, library: what the report says of a proven build, held against the file itself.
fn is_whole(sandbox: &Sandbox, build: &Value, version: &str, python: &str) {
    assert_eq!(build["status"], "proven", "{build:#}");
    let name = build["wheel"].as_str().unwrap();
    let start = format!("minijit-0.1.0-{python}-{python}-manylinux_2_");
    assert!(name.starts_with(&start) && name.ends_with(&format!("_{}.whl", std::env::consts::ARCH)), "{name}");
    assert_eq!(name.trim_end_matches(".whl").rsplit('-').next(), build["platform"].as_str());
    let llvm = &build["llvm"];
    assert!(
        llvm["version"].as_str().unwrap().starts_with(&format!("{version}.")) && llvm["linkage"] == "shared",
        "{llvm}"
    );
    let in_archive: Vec<String> = members(&sandbox.root.join("dist").join(name));
    let copies: Vec<&String> = in_archive.iter().filter(|member| member.contains("libLLVM")).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    let libraries: BTreeSet<String> =
        in_archive.iter().filter(|member| member.starts_with("minijit.libs/")).cloned().collect();
    let grafted: BTreeSet<String> =
        build["grafted"].as_array().unwrap().iter().map(|g| g["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(grafted, libraries);
    assert_eq!(build["imported"][0], "minijit");
    assert!(build["tested"][0].as_str().unwrap().contains("pytest"), "{build:#}");
    assert!(!build["why_not_wider"].as_array().unwrap().is_empty(), "{build:#}");
}

fn members(wheel: &Utf8Path) -> Vec<String> {
    let script = "import sys, zipfile; print('\\n'.join(n for n in zipfile.ZipFile(sys.argv[1]).namelist() if not n.endswith('/')))";
    let output = Command::new("python3").args(["-c", script, wheel.as_str()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn llvm_19_for_two_pythons_beside_another_llvm_and_without_any() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = pythons().first().unwrap().as_str();
    let oldest = pythons().last().unwrap().as_str();
    let wanted: BTreeSet<&str> = BTreeSet::from([newest, oldest]);
    if wanted.len() == 1 {
        skip("only one Python is here; the second is left out");
    }
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let project = [PROJECT, &["coexist: [llvmlite]"]].concat();
    let top = llvm("19");
    let sandbox = Sandbox::minijit(&Asked { project: &project, top: &[&top], python: &wanted });
    if !has(&sandbox) {
        return;
    }
    let outcome = sandbox.wheels(&["--keep-going"]).run().exits(0);
    let outcome = outcome.says(&["coexist-first done", "coexist-last done", "not more widely usable: "]);
    let all = builds(&outcome);
    assert_eq!(all.len(), wanted.len());
    for build in &all {
        is_whole(&sandbox, build, "19", build["python"].as_str().unwrap());
    }
    assert_eq!(outcome.report()["sdists"][0]["name"], "minijit-0.1.0.tar.gz");

    let second = sandbox.wheels(&[]).run().exits(0);
    assert_eq!((second.stderr(), second.steps().len()), ("", 0));
    assert!(builds(&second).iter().all(|build| build["status"] == "cached"));

    without_llvm(&sandbox, newest);
}

#[test]
fn llvm_14() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = pythons().first().unwrap().as_str();
    let top = llvm("14");
    let sandbox = Sandbox::minijit(&Asked { project: PROJECT, top: &[&top], python: &[newest] });
    if !has(&sandbox) {
        return;
    }
    let outcome = sandbox.wheels(&[]).run().exits(0);
    is_whole(&sandbox, &builds(&outcome)[0], "14", newest);
    without_llvm(&sandbox, newest);
}

#[test]
fn a_cpp_error_is_shown_and_not_ninjas_noise() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let top = llvm(">=14");
    let sandbox = Sandbox::minijit(&Asked { project: &["import: [minijit]"], top: &[&top], python: &[] });
    if !has(&sandbox) {
        return;
    }
    let source = sandbox.project.read("minijit/src/core/lexer.cpp") + "\nint broken() { return undeclared_name; }\n";
    sandbox.project.write("minijit/src/core/lexer.cpp", source);
    let outcome = sandbox.wheels(&[]).run().fails(4).says(&["undeclared_name", "lexer.cpp:"]);
    let build = outcome.first_build();
    let excerpt = build["excerpt"].as_array().unwrap();
    assert!(
        excerpt.len() <= 25 && excerpt.iter().any(|line| line.as_str().unwrap().contains("error: ")),
        "{excerpt:#?}"
    );
    for noise in ["ninja: build stopped", "Traceback", "subprocess-exited"] {
        assert!(!excerpt.iter().any(|line| line.as_str().unwrap().contains(noise)), "{noise}: {excerpt:#?}");
    }
}

#[test]
fn a_wheel_without_its_llvm_is_never_shipped() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let top = llvm(">=14");
    let asked =
        Asked { project: &["import: [minijit]"], top: &[&top, "repair: { exclude: [\"libLLVM*\"] }"], python: &[] };
    let sandbox = Sandbox::minijit(&asked);
    if !has(&sandbox) {
        return;
    }
    let outcome = sandbox.wheels(&[]).run().fails(1).finds("llvm-not-from-wheel");
    let _ = outcome.says(&["libLLVM was loaded from `"]);
}

/// In a root that has the interpreter, libc and what every policy promises, and nothing else: the wheel as it was built
/// does not import there, the repaired one computes.
fn without_llvm(sandbox: &Sandbox, python: &str) {
    if on_path("bwrap").is_none() {
        skip("bubblewrap is not here: the wheel is not tried in a root without LLVM");
        return;
    }
    let work = sandbox.root.join("target/wheelproof/work/minijit").join(super::support::id(python));
    let venv = work.join("verify/venv/bin/python");
    let bare = Bare::make(&venv, &sandbox.root.join("target/bare"));
    if !bare.starts() {
        skip("bubblewrap may not make namespaces here");
        return;
    }
    let built = only_wheel(&work.join("build/wheel"));
    let repaired = only_wheel(&work.join("repair/repaired"));
    let unrepaired = bare.try_wheel(&venv, &built, "built");
    let error = String::from_utf8_lossy(&unrepaired.stderr).into_owned();
    assert!(!unrepaired.status.success() && error.contains("ImportError: libLLVM"), "{error}");
    let computed = bare.try_wheel(&venv, &repaired, "repaired");
    assert_eq!(
        (String::from_utf8_lossy(&computed.stdout).trim(), computed.status.success()),
        ("7.0", true),
        "{}",
        String::from_utf8_lossy(&computed.stderr)
    );
}

fn only_wheel(folder: &Utf8Path) -> Utf8PathBuf {
    let mut wheels: Vec<_> = folder.read_dir_utf8().unwrap().flatten().map(camino::Utf8DirEntry::into_path).collect();
    assert_eq!(wheels.len(), 1, "{wheels:?}");
    wheels.remove(0)
}

/// A root with an interpreter and the libraries that every policy promises.
struct Bare {
    root: Utf8PathBuf,
    /// What is seen of this machine besides: the interpreter's own folder.
    interpreter: Utf8PathBuf,
    executable: Utf8PathBuf,
}

/// What manylinux policies promise, as far as minijit and LLVM need it; and the loader.
const PROMISED: [&str; 11] = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libutil.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libz.so.1",
    "libresolv.so.2",
    "ld-linux",
];

impl Bare {
    fn make(venv: &Utf8Path, root: &Utf8Path) -> Self {
        let ask = "import os, sys, sysconfig; own = sys.base_prefix not in ('/usr', '/usr/local'); \
                   print(sys.base_prefix if own else sysconfig.get_path('stdlib')); print(os.path.realpath(sys.executable)); \
                   print(os.path.dirname(__import__('array').__file__) if hasattr(__import__('array'), '__file__') else '')";
        let answer = output(Command::new(venv).args(["-c", ask]));
        let lines: Vec<&str> = answer.lines().collect();
        let (interpreter, executable) = (Utf8PathBuf::from(lines[0]), Utf8PathBuf::from(lines[1]));
        fs_err::create_dir_all(root).unwrap();
        let mut objects = vec![executable.clone()];
        if let Some(folder) = lines.get(2).filter(|folder| !folder.is_empty()) {
            objects
                .extend(Utf8Path::new(folder).read_dir_utf8().unwrap().flatten().map(camino::Utf8DirEntry::into_path));
        }
        // libstdc++ is not the interpreter's: an extension's needs show where it lies.
        let mut libraries = BTreeSet::new();
        for object in &objects {
            libraries.extend(needs(object).into_iter().filter(|library| !library.as_str().contains("LLVM")));
        }
        let compiler =
            |name: &str| output(Command::new("c++").arg(format!("-print-file-name={name}"))).trim().to_owned();
        for name in PROMISED.iter().filter(|name| !name.starts_with("ld-")) {
            let path = Utf8PathBuf::from(compiler(name));
            if path.is_absolute() && !libraries.iter().any(|library| library.file_name() == Some(name)) {
                libraries.extend(needs(&path));
                let place = Utf8PathBuf::from(format!("/lib/{}-linux-gnu/{name}", std::env::consts::ARCH));
                put(&path, &root.join(place.strip_prefix("/").unwrap()));
            }
        }
        for library in &libraries {
            put(library, &root.join(library.strip_prefix("/").unwrap()));
        }
        if !executable.starts_with(&interpreter) {
            put(&executable, &root.join(executable.strip_prefix("/").unwrap()));
        }
        for folder in ["proc", "dev", "tmp", "site", interpreter.strip_prefix("/").unwrap().as_str()] {
            fs_err::create_dir_all(root.join(folder)).unwrap();
        }
        Self { root: root.to_owned(), interpreter, executable }
    }

    fn command(&self, site: &Utf8Path) -> Command {
        let mut command = Command::new("bwrap");
        command.args([
            "--ro-bind",
            self.root.as_str(),
            "/",
            "--ro-bind",
            self.interpreter.as_str(),
            self.interpreter.as_str(),
        ]);
        command.args(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--ro-bind", site.as_str(), "/site"]);
        command.args(["--unshare-all", "--clearenv", "--setenv", "PYTHONPATH", "/site", "--chdir", "/tmp"]);
        command.args([self.executable.as_str(), "-B", "-c"]);
        command
    }

    fn starts(&self) -> bool {
        self.command(&self.root).arg("pass").output().is_ok_and(|output| output.status.success())
    }

    fn try_wheel(&self, venv: &Utf8Path, wheel: &Utf8Path, name: &str) -> Output {
        let site = self.root.with_extension(name);
        // The environment has no pip; beside it lies the script that runs the one of its Python.
        let pip = venv.ancestors().nth(3).unwrap().join("bundled_pip.py");
        let install = [pip.as_str(), "install", "--quiet", "--no-deps", "--target", site.as_str(), wheel.as_str()];
        let _ = output(Command::new(venv).args(install));
        self.command(&site).arg("import minijit; print(minijit.compile('x*x + 3', ['x'])(2.0))").output().unwrap()
    }
}

fn needs(object: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
    let text = Command::new("ldd").arg(object).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')).map(Utf8PathBuf::from))
        .collect()
}

fn put(from: &Utf8Path, to: &Utf8Path) {
    fs_err::create_dir_all(to.parent().unwrap()).unwrap();
    fs_err::copy(from, to).unwrap();
}

#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

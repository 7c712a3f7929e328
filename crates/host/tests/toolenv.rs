//! Environments of tools, made for real with pip and with uv from a wheel that is made here: nothing is downloaded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Runner, Silent};
use wheelproof_host::toolenv::{Installer, ToolEnvironment, ToolEnvironmentError};
use wheelproof_host::{Interpreter, Probe, World, probe};

/// Makes a wheel with one module and one program, and prints its digest.
const WHEEL: &str = r#"
import base64, hashlib, sys, zipfile
files = {
    "tiny.py": "def main():\n    print('tiny runs')\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
}
digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
record = "".join("%s,sha256=%s,%d\n" % (name, digest(text), len(text)) for name, text in files.items())
files["tiny-1.0.dist-info/RECORD"] = record + "tiny-1.0.dist-info/RECORD,,\n"
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name, text in files.items():
        archive.writestr(name, text)
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())
"#;

struct Place {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    base: Interpreter,
    requirements: String,
    cancel: Cancel,
}

impl Place {
    fn new(world: &World) -> Option<Self> {
        let base =
            world.interpreters.iter().rfind(|i| i.has_venv && i.implementation == "cpython" && !i.debug)?.clone();
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("with a space");
        fs_err::create_dir_all(root.join("wheels")).unwrap();
        let wheel = root.join("wheels/tiny-1.0-py3-none-any.whl");
        let made = Command::new(&base.path).args(["-c", WHEEL, wheel.as_str()]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let digest = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        // A relative folder would be relative to who knows what; a name with spaces needs a URL in a requirements file.
        let wheels = format!("file://{}", root.join("wheels").as_str().replace(' ', "%20"));
        let requirements = format!("--no-index\n--find-links {wheels}\ntiny==1.0 --hash=sha256:{digest}\n");
        // What a project says to uv is no matter of its tools.
        fs_err::write(
            root.join("pyproject.toml"),
            "[project]\nname = \"x\"\nversion = \"1\"\nrequires-python = \">=4\"\n\
             [tool.uv]\nno-binary-package = [\"tiny\"]\nconstraint-dependencies = [\"tiny==2\"]\n",
        )
        .unwrap();
        Some(Self { _folder: folder, root, base, requirements, cancel: Cancel::new() })
    }

    fn environment(&self, tools: &str, requirements: &str) -> ToolEnvironment {
        ToolEnvironment::new(&self.root.join(tools), "test", &self.base, requirements, cfg!(windows))
    }

    fn make(&self, environment: &ToolEnvironment, by: &Installer) -> Result<bool, ToolEnvironmentError> {
        let steps = environment.steps_by(by, &self.root.join("logs").join(by.name()));
        environment.ensure(&steps, &Runner::new(&Silent, &self.cancel))
    }
}

/// This machine, remembered between tests.
fn world() -> World {
    let cancel = Cancel::new();
    let mut asked = Probe::of_this_process(Some(Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("toolenv")));
    // A uv of one's own for this test, beside what is on PATH.
    if let Ok(uv) = std::env::var("WHEELPROOF_TEST_UV") {
        let folder = Utf8Path::new(&uv).parent().unwrap().to_owned();
        let path = asked.env.get("PATH").cloned().unwrap_or_default();
        asked.env.insert("PATH".to_owned(), format!("{folder}:{path}"));
    }
    probe(&asked, &Runner::new(&Silent, &cancel))
}

/// Everything inside, as far as it is no matter of who made it.
fn contents(environment: &ToolEnvironment) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![environment.dir.clone()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path().to_owned());
            }
            let name = entry.path().strip_prefix(&environment.dir).unwrap().as_str().replace('\\', "/");
            let inside =
                name.contains("site-packages/") && !name.contains("__pycache__") && !name.contains("_virtualenv");
            let program = ["bin/tiny", "bin/python", "Scripts/tiny.exe", "Scripts/python.exe"].contains(&name.as_str());
            if inside
                && !name.ends_with("direct_url.json")
                && !name.ends_with("uv_cache.json")
                && !name.ends_with("REQUESTED")
                || program
            {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn pip_and_uv_make_the_same_environment() {
    let world = world();
    let Some(place) = Place::new(&world) else { return println!("skipped: no Python with venv") };
    let with_pip = place.environment("pip tools", &place.requirements);
    assert!(place.make(&with_pip, &Installer::default()).unwrap(), "made now");
    assert!(with_pip.is_complete());
    assert!(!place.make(&with_pip, &Installer::default()).unwrap(), "nothing is made twice");
    let said = Command::new(with_pip.programs.join(if cfg!(windows) { "tiny.exe" } else { "tiny" })).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "tiny runs");
    let inside = contents(&with_pip);
    assert!(inside.iter().any(|name| name.ends_with("site-packages/tiny.py")), "{inside:?}");
    assert!(!inside.iter().any(|name| name.contains("pip")), "no pip inside: {inside:?}");

    let Some(uv) = &world.installer.uv else {
        let why = world.installer.remark.unwrap_or_else(|| "no uv on PATH".to_owned());
        return println!("skipped: {why}");
    };
    // What pip is told on this machine is no matter of this test.
    let uv = wheelproof_host::toolenv::Uv { arguments: Vec::new(), ..uv.clone() };
    let uv = Installer { uv: Some(uv), remark: None };
    let with_uv = place.environment("uv tools", &place.requirements);
    assert_eq!(with_uv.dir.file_name(), with_pip.dir.file_name(), "who makes it is no part of its name");
    place.make(&with_uv, &uv).unwrap();
    assert_eq!(contents(&with_uv), inside);
    let said = Command::new(with_uv.programs.join(if cfg!(windows) { "tiny.exe" } else { "tiny" })).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "tiny runs");
    // Taken for whole by whoever comes next, whatever he would make it with.
    assert!(!place.make(&with_uv, &Installer::default()).unwrap());
    // A half-made one is made anew.
    fs_err::remove_file(with_uv.dir.join("wheelproof-complete")).unwrap();
    fs_err::write(with_uv.dir.join("left over"), "").unwrap();
    assert!(place.make(&with_uv, &uv).unwrap());
    assert!(!with_uv.dir.join("left over").exists());
}

#[test]
fn a_wheel_that_is_not_the_pinned_one_is_refused_by_both() {
    let world = world();
    let Some(place) = Place::new(&world) else { return println!("skipped: no Python with venv") };
    let (start, digest) = place.requirements.trim().rsplit_once(':').unwrap();
    let other: String = digest.chars().map(|digit| if digit == 'a' { 'b' } else { 'a' }).collect();
    let by = [Installer::default(), world.installer.clone()];
    for installer in by.iter().filter(|installer| installer.uv.is_some() || **installer == by[0]) {
        let environment = place.environment(installer.name(), &format!("{start}:{other}\n"));
        let Err(ToolEnvironmentError::Step(error)) = place.make(&environment, installer) else {
            panic!("{} took it", installer.name());
        };
        let said = exec::StepError::excerpt(&error).join("\n").to_lowercase();
        assert!(said.contains("hash"), "{}: {said}", installer.name());
        assert!(!environment.is_complete());
    }
}

/// A uv that cannot serve is not used, and why is said.
#[cfg(unix)]
#[test]
fn a_uv_that_does_not_serve() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
    let uv = root.join("uv");
    let cancel = Cancel::new();
    let look = |script: &str, env: &[(&str, &str)]| {
        fs_err::write(&uv, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&uv, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut asked = Probe { root: root.clone(), ..Probe::default() };
        asked.env.insert("PATH".to_owned(), root.to_string());
        asked.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        probe(&asked, &Runner::new(&Silent, &cancel)).installer
    };
    for (script, env, why) in [
        ("echo 'uv 0.7.22'", &[][..], Some("is not used: it is 0.7.22, and 0.8.0 is the oldest that serves")),
        ("exit 2", &[], Some("is not used: it does not say its version")),
        ("echo 'uv 0.9.5'", &[("PIP_INDEX_URL", "https://me:secret@i/simple")], Some("`index-url` holds a password")),
        ("echo 'uv 0.9.5'", &[("PIP_INDEX_URL", "https://i/simple")], None),
    ] {
        let found = look(script, env);
        let remark = found.remark.clone().unwrap_or_default();
        assert_eq!(found.uv.is_some(), why.is_none(), "{found:?}");
        assert!(remark.contains(why.unwrap_or_default()) && !remark.contains("secret"), "{remark}");
    }
}

#[test]
fn the_steps_say_what_makes_it() {
    let installer = |json: &str| serde_json::from_str::<Installer>(json).unwrap();
    let environment = ToolEnvironment {
        purpose: "build".to_owned(),
        dir: "/t/build-1".into(),
        python: "/t/build-1/bin/python".into(),
        programs: "/t/build-1/bin".into(),
        base_python: "/usr/bin/python3".into(),
        requirements: String::new(),
        locked: true,
    };
    let lines = |installer: &Installer| {
        let steps = environment.steps_by(installer, "/logs".into());
        steps.iter().map(exec::Step::command_line).collect::<Vec<_>>()
    };
    let clean = "env -i HOME=\"$HOME\" PATH=\"$PATH\" ";
    let shown = |lines: Vec<String>| lines.into_iter().map(|line| line.replace(clean, "")).collect::<Vec<_>>();
    assert_eq!(
        shown(lines(&Installer::default())),
        [
            "/usr/bin/python3 -m venv --clear --without-pip /t/build-1",
            "/t/build-1/bin/python /t/bundled_pip.py install --disable-pip-version-check --no-input --require-hashes \
             --only-binary=:all: -r /t/build-1.txt",
        ]
    );
    let uv = installer(
        r#"{"uv": {"path": "/opt/uv", "version": "0.9.5", "arguments": ["--default-index", "https://i/simple"],
                   "variables": {"UV_HTTP_TIMEOUT": "60"}}}"#,
    );
    let found = shown(lines(&uv));
    assert!(
        found[0].ends_with(
            "/opt/uv venv --no-config --clear --no-project --no-python-downloads --python /usr/bin/python3 /t/build-1"
        ),
        "{found:?}"
    );
    assert!(found[1].contains("UV_HTTP_TIMEOUT=60"), "{found:?}");
    assert!(
        found[1].ends_with(
            "/opt/uv pip --no-config install --no-progress --python /t/build-1/bin/python --default-index https://i/simple \
             --require-hashes --only-binary=:all: -r /t/build-1.txt"
        ),
        "{found:?}"
    );
    assert_eq!(installer("{}"), Installer::default(), "a world that was recorded before says nothing");
}

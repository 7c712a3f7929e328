//! The tools that tests compare with and check with: made once below target/wheelproof/tools, from pinned versions.

use super::Session;
use camino::Utf8PathBuf;
use exec::{Query, Runner, Silent, Step};
use host::World;
use host::toolenv::ToolEnvironment;
use std::collections::BTreeSet;
use std::time::Duration;

/// Pinned with hashes; see its first lines for how it is made.
const ORACLE_LOCK: &str = include_str!("../../../ci/lock/oracle.txt");

/// The oldest Python that the lock is for.
const OLDEST_PYTHON: (u8, u8) = (3, 10);

/// The npm package that carries the SARIF standard's own schema, which OASIS publishes at no stable place.
const SARIF: &str = "@microsoft/jest-sarif@1.0.0-beta.0";

/// cargo-deny is compiled once; its minutes are paid only where something may be installed at all.
const DENY_VERSION: &str = "0.20.2";

/// What was found and made.
pub(crate) struct Tools {
    pub(crate) cargo: String,
    /// `rustfmt`, `clippy`: what this Rust has.
    pub(crate) components: BTreeSet<&'static str>,
    /// This very program, which the tests run.
    pub(crate) program: Utf8PathBuf,
    /// The environment with auditwheel, delvewheel, jsonschema, zizmor …, or why there is none.
    pub(crate) oracle: Result<ToolEnvironment, String>,
    /// The schema's file, where npm could get it.
    pub(crate) sarif_schema: Option<Utf8PathBuf>,
    pub(crate) deny: Deny,
    /// Where published wheels lie, or will.
    pub(crate) wheelhouse: Utf8PathBuf,
}

impl Tools {
    /// As if everything were there, to show what would be run.
    pub(crate) fn planned(session: &Session) -> Self {
        let dir = session.state.join("tools/oracle");
        let programs = dir.join("bin");
        Self {
            cargo: cargo(),
            components: ["rustfmt", "clippy"].into(),
            program: program(),
            oracle: Ok(ToolEnvironment {
                purpose: "oracle".to_owned(),
                python: programs.join("python"),
                base_python: Utf8PathBuf::new(),
                requirements: String::new(),
                locked: true,
                programs,
                dir,
            }),
            sarif_schema: None,
            deny: Deny::Here("cargo-deny".into()),
            wheelhouse: wheelhouse(session),
        }
    }

    /// What the tests find their tools by.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("WHEELPROOF_BIN", self.program.to_string())];
        if let Ok(oracle) = &self.oracle {
            variables.push(("WHEELPROOF_ORACLE_PYTHON", oracle.python.to_string()));
        }
        if let Some(schema) = &self.sarif_schema {
            variables.push(("WHEELPROOF_SARIF_SCHEMA", schema.to_string()));
        }
        variables
    }
}

/// Cargo says to what it runs where it is itself.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn program() -> Utf8PathBuf {
    let own = std::env::current_exe().ok().and_then(|file| Utf8PathBuf::from_path_buf(file).ok());
    own.unwrap_or_else(|| "wheelproof".into())
}

fn wheelhouse(session: &Session) -> Utf8PathBuf {
    std::env::var("WHEELPROOF_WHEELHOUSE").map_or_else(|_| session.state.join("wheelhouse"), Utf8PathBuf::from)
}

/// Makes what can be made. What cannot is no failure: the steps and tests that need it say so.
pub(crate) fn prepare(session: &Session, world: &World, install: bool) -> Tools {
    Tools {
        cargo: cargo(),
        components: components(session),
        program: program(),
        oracle: oracle(session, world),
        sarif_schema: sarif_schema(session, world),
        deny: deny(session, world, install),
        wheelhouse: wheelhouse(session),
    }
}

fn components(session: &Session) -> BTreeSet<&'static str> {
    let runner = Runner::new(&Silent, &session.cancel);
    let there = |command: &str| {
        let query = Query::new([cargo(), command.to_owned(), "--version".to_owned()]).timeout(Duration::from_secs(30));
        runner.capture(&query).is_ok_and(|captured| captured.status.success())
    };
    [("rustfmt", "fmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(_, command)| there(command))
        .map(|(name, _)| name)
        .collect()
}

/// The newest released Python with what our own environments need.
pub(crate) fn scripting_python(world: &World) -> Option<&host::Interpreter> {
    let usable = |interpreter: &&host::Interpreter| {
        let version = (interpreter.python.major, interpreter.python.minor);
        interpreter.has_venv
            && interpreter.implementation == "cpython"
            && !interpreter.debug
            && !interpreter.python.free_threaded
            && version >= OLDEST_PYTHON
            && !interpreter.version.contains(['a', 'b', 'r'])
    };
    world.interpreters.iter().filter(usable).max_by_key(|interpreter| interpreter.python)
}

fn oracle(session: &Session, world: &World) -> Result<ToolEnvironment, String> {
    let Some(base) = scripting_python(world) else {
        return Err("no Python from 3.10 on with venv, so no auditwheel, delvewheel, jsonschema, zizmor".to_owned());
    };
    let windows = world.os == platform::Os::Windows;
    let environment = ToolEnvironment::new(&session.state.join("tools"), "oracle", base, ORACLE_LOCK, windows);
    let runner = Runner::new(&session.console, &session.cancel);
    let steps = environment.steps_by(&world.installer, &session.logs());
    match environment.ensure(&steps, &runner) {
        Ok(_) => Ok(environment),
        Err(error) => {
            Err(format!("the environment of auditwheel, delvewheel, jsonschema, zizmor was not made: {error}"))
        }
    }
}

/// npm gets the package (and checks its digest), Python unpacks it: every tar archive opens there.
fn sarif_schema(session: &Session, world: &World) -> Option<Utf8PathBuf> {
    let folder = session.state.join("tools/sarif");
    let schema = folder.join("package/lib/schemas/sarif-2.1.0-rtm.5.json");
    if schema.is_file() {
        return Some(schema);
    }
    let npm = world.tools.get("npm")?;
    let python = &world.interpreters.last()?.path;
    fs_err::create_dir_all(&folder).ok()?;
    let runner = Runner::new(&session.console, &session.cancel);
    let step = |name: &str, argv: Vec<String>| {
        runner.run(&Step::new(name, argv, &folder, session.logs().join(format!("{name}.log"))).with_timeout(120)).ok()
    };
    step("sarif-schema", vec![npm.to_string(), "pack".to_owned(), SARIF.to_owned()])?;
    let names = folder.read_dir_utf8().ok()?.flatten().map(|entry| entry.file_name().to_owned());
    let archive = names.into_iter().find(|name| name.ends_with(".tgz"))?;
    step("sarif-unpack", [python.as_str(), "-m", "tarfile", "-e", &archive].map(str::to_owned).to_vec())?;
    schema.is_file().then_some(schema)
}

/// cargo-deny: here already, to be compiled first, or not to be had.
pub(crate) enum Deny {
    Here(Utf8PathBuf),
    AfterCompiling { program: Utf8PathBuf, step: Box<Step> },
    Absent(String),
}

fn deny(session: &Session, world: &World, install: bool) -> Deny {
    let folder = session.state.join("tools/cargo-deny");
    let program = folder.join(format!("bin/cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if let Some(found) = world.tools.get("cargo-deny").or(program.is_file().then_some(&program)) {
        return Deny::Here(found.clone());
    }
    if !install {
        return Deny::Absent(
            "no cargo-deny here; --provision compiles it, or `cargo install cargo-deny --locked`".to_owned(),
        );
    }
    let argv = ["install", "cargo-deny", "--locked", "--version", DENY_VERSION, "--root", folder.as_str()];
    let argv = std::iter::once(cargo()).chain(argv.map(str::to_owned));
    // 160 s of processor time. In cargo's own temporary folder, so that nothing of ours is rebuilt for it.
    let step = Step::new("cargo-deny", argv, &session.root, session.logs().join("cargo-deny.log"))
        .without_env("CARGO_TARGET_DIR")
        .with_timeout(600);
    Deny::AfterCompiling { program, step: Box::new(step) }
}

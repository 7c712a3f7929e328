//! The tools that tests compare with and check with: made once below target/wheelproof/tools, from pinned versions.

use super::{Session, Tier};
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
    /// cargo-deny's program, or why there is none.
    pub(crate) deny: Result<Utf8PathBuf, String>,
    /// Where published wheels lie; only once that tier is asked for.
    pub(crate) wheelhouse: Utf8PathBuf,
    published: bool,
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
            deny: Ok("cargo-deny".into()),
            wheelhouse: wheelhouse(session),
            published: true,
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
        if self.published && self.wheelhouse.is_dir() {
            variables.push(("WHEELPROOF_WHEELHOUSE", self.wheelhouse.to_string()));
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
pub(crate) fn prepare(session: &Session, world: &World, tiers: &[Tier], install: bool) -> Tools {
    Tools {
        cargo: cargo(),
        components: components(session),
        program: program(),
        oracle: oracle(session, world),
        sarif_schema: sarif_schema(session, world),
        deny: if tiers.contains(&Tier::Quick) {
            deny(session, world, install)
        } else {
            Err("not asked for".to_owned())
        },
        wheelhouse: wheelhouse(session),
        published: tiers.contains(&Tier::Published),
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

fn oracle(session: &Session, world: &World) -> Result<ToolEnvironment, String> {
    let usable = |interpreter: &&host::Interpreter| {
        let version = (interpreter.python.major, interpreter.python.minor);
        interpreter.has_venv
            && interpreter.implementation == "cpython"
            && !interpreter.debug
            && !interpreter.python.free_threaded
            && version >= OLDEST_PYTHON
            && !interpreter.version.contains(['a', 'b', 'r'])
    };
    let Some(base) = world.interpreters.iter().filter(usable).max_by_key(|interpreter| interpreter.python) else {
        return Err("no Python from 3.10 on with venv, so no auditwheel, delvewheel, jsonschema, zizmor".to_owned());
    };
    let windows = world.os == platform::Os::Windows;
    let environment = ToolEnvironment::new(&session.state.join("tools"), "oracle", base, ORACLE_LOCK, windows);
    let runner = Runner::new(&session.console, &session.cancel);
    let steps = environment.steps(&session.logs());
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

fn deny(session: &Session, world: &World, install: bool) -> Result<Utf8PathBuf, String> {
    if let Some(found) = world.tools.get("cargo-deny") {
        return Ok(found.clone());
    }
    let folder = session.state.join("tools/cargo-deny");
    let program = folder.join(format!("bin/cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    if !install {
        return Err("no cargo-deny here; --provision compiles it, or `cargo install cargo-deny --locked`".to_owned());
    }
    let argv = ["install", "cargo-deny", "--locked", "--version", DENY_VERSION, "--root", folder.as_str()];
    let argv = std::iter::once(cargo()).chain(argv.map(str::to_owned));
    let step = Step::new("cargo-deny", argv, &session.root, session.logs().join("cargo-deny.log"))
        // Its own target folder: nothing of ours may be rebuilt for it.
        .with_env("CARGO_TARGET_DIR", folder.join("target").as_str())
        .with_timeout(600);
    let made = Runner::new(&session.console, &session.cancel).run(&step);
    let _ = fs_err::remove_dir_all(folder.join("target"));
    made.map(|_| program).map_err(|error| format!("cargo-deny was not to be had: {error}"))
}

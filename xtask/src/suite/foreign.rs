//! The program for Windows and macOS, made here: what it takes to build it, and to run it under wine.
//!
//! Nothing of this is a failure when it is not to be had: each part is there or has a reason, and the steps say it.

mod debian;
mod zig;

use super::Session;
use super::tools::{Tools, scripting_python};
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Query, Runner, Silent, Step};
use host::World;
use std::time::Duration;

/// The test switch for where the standard library comes from: `debian` takes no other way than Debian's packages.
const STD_SWITCH: &str = "WHEELPROOF_TEST_STD";

/// A system that the program is built for besides the one that builds.
pub(crate) struct Target {
    /// What people call it.
    pub(crate) system: &'static str,
    /// Rust's name.
    pub(crate) triple: &'static str,
    /// Zig's name, with the oldest version of macOS that is supported.
    zig: &'static str,
    /// How its programs end.
    pub(crate) suffix: &'static str,
}

/// Windows with LLVM's runtime, which needs nothing that is Microsoft's to build; and the Macs that are sold.
pub(crate) const TARGETS: [Target; 2] = [
    Target { system: "windows", triple: "x86_64-pc-windows-gnullvm", zig: "x86_64-windows-gnu", suffix: ".exe" },
    Target { system: "macos", triple: "aarch64-apple-darwin", zig: "aarch64-macos.12.0", suffix: "" },
];

/// What cargo needs to build for a target.
#[derive(Clone)]
pub(crate) struct Toolchain {
    pub(crate) env: Vec<(String, String)>,
    /// Options of cargo.
    pub(crate) options: Vec<String>,
    /// Where it builds.
    target_dir: Utf8PathBuf,
    /// Whether clippy goes with the compiler.
    pub(crate) lints: bool,
}

impl Toolchain {
    /// The program that a build leaves.
    pub(crate) fn program(&self, target: &Target) -> Utf8PathBuf {
        self.target_dir.join(target.triple).join("debug").join(format!("wheelproof{}", target.suffix))
    }
}

/// All of it.
pub(crate) struct Foreign {
    /// In the order of [`TARGETS`].
    pub(crate) toolchains: Vec<Result<Toolchain, String>>,
    /// What starts a Windows program.
    pub(crate) wine: Result<Wine, String>,
}

/// Wine with a folder of its own.
pub(crate) struct Wine {
    /// Starts the program that is its first argument.
    pub(crate) runner: Utf8PathBuf,
    /// Ends whatever still runs in that folder.
    server: Option<(Utf8PathBuf, Utf8PathBuf)>,
}

impl Drop for Wine {
    fn drop(&mut self) {
        let Some((server, prefix)) = &self.server else { return };
        // Also after Ctrl-C: hence a cancellation of its own.
        let query = Query::new([server.as_str(), "-k"]).env("WINEPREFIX", prefix.as_str());
        let _ = Runner::new(&Silent, &Cancel::new()).capture(&query.timeout(Duration::from_secs(20)));
    }
}

impl Foreign {
    /// As if everything were there, to show what would be run.
    pub(crate) fn planned(session: &Session) -> Self {
        let toolchain = |_: &Target| {
            Ok(Toolchain { env: Vec::new(), options: Vec::new(), target_dir: target_dir(session), lints: true })
        };
        let runner = folder(session).join("run-windows");
        Self { toolchains: TARGETS.iter().map(toolchain).collect(), wine: Ok(Wine { runner, server: None }) }
    }

    /// Makes what can be made; with `install` also what changes the Rust that is installed, or downloads packages.
    pub(crate) fn prepare(session: &Session, world: &World, tools: &Tools, install: bool) -> Self {
        let compiler = compilers(session, world);
        let toolchain = |target: &Target| {
            let compiler = compiler.as_ref().map_err(Clone::clone)?;
            toolchain(session, tools, target, compiler, install)
        };
        let toolchains = TARGETS.iter().map(toolchain).collect();
        let wine = compiler.as_ref().map_err(Clone::clone).and_then(|compiler| wine(session, world, compiler));
        Self { toolchains, wine }
    }
}

fn compilers(session: &Session, world: &World) -> Result<zig::Compilers, String> {
    if world.os != platform::Os::Linux {
        return Err("the program is built for other systems on Linux".to_owned());
    }
    let python = scripting_python(world).ok_or("no Python from 3.10 on with venv, so no ziglang")?;
    zig::Compilers::make(session, python)
}

/// Below it lies what this tier makes once.
fn folder(session: &Session) -> Utf8PathBuf {
    session.state.join("tools/foreign")
}

fn target_dir(session: &Session) -> Utf8PathBuf {
    std::env::var("CARGO_TARGET_DIR").map_or_else(|_| session.root.join("target"), |dir| session.root.join(dir))
}

/// Where the target's standard library comes from: it is installed, rustup gets it, Debian has its source.
fn toolchain(
    session: &Session,
    tools: &Tools,
    target: &Target,
    compilers: &zig::Compilers,
    install: bool,
) -> Result<Toolchain, String> {
    let env = compilers.variables(session, target)?;
    let ordinary = || Toolchain { env: env.clone(), options: Vec::new(), target_dir: target_dir(session), lints: true };
    let only_debian = std::env::var(STD_SWITCH).is_ok_and(|way| way == "debian");
    if !only_debian && (is_installed(session, target) || install && added(session, target)) {
        return Ok(ordinary());
    }
    let rust = debian::Rust::make(session, &tools.cargo, install).map_err(|reason| {
        format!("no standard library for {0}: `rustup target add {0}` gets it; {reason}", target.triple)
    })?;
    let mut toolchain = ordinary();
    toolchain.env.extend(rust.variables());
    toolchain.options = vec!["-Zbuild-std=std,panic_abort".to_owned()];
    // Another compiler: what the ordinary one built stays as it is.
    toolchain.target_dir = folder(session).join("target");
    toolchain.env.push(("CARGO_TARGET_DIR".to_owned(), toolchain.target_dir.to_string()));
    // Nobody edits between two of its builds: half of the folder would be for nothing.
    toolchain.env.push(("CARGO_INCREMENTAL".to_owned(), "0".to_owned()));
    // For Macs that takes `rust-objcopy`, which Debian does not package.
    toolchain.env.push(("CARGO_PROFILE_DEV_STRIP".to_owned(), "none".to_owned()));
    toolchain.lints = false;
    Ok(toolchain)
}

fn is_installed(session: &Session, target: &Target) -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let query = Query::new([rustc.as_str(), "--print", "target-libdir", "--target", target.triple])
        .cwd(&session.root)
        .timeout(Duration::from_secs(30));
    let Ok(answer) = Runner::new(&Silent, &session.cancel).capture(&query) else { return false };
    let folder = Utf8PathBuf::from(answer.stdout_text().trim());
    let mut files = folder.read_dir_utf8().into_iter().flatten().flatten();
    answer.status.success() && files.any(|file| file.file_name().starts_with("libstd-"))
}

/// rustup fetches it where its server can be reached.
fn added(session: &Session, target: &Target) -> bool {
    let step = Step::new(
        format!("rust for {}", target.system),
        ["rustup", "target", "add", target.triple],
        &session.root,
        session.logs().join(format!("rustup-{}.log", target.system)),
    );
    Runner::new(&session.console, &session.cancel).run(&step.with_timeout(180)).is_ok() && is_installed(session, target)
}

/// Wine's own folder, the library that old wines lack, and what starts a program with both.
fn wine(session: &Session, world: &World, compilers: &zig::Compilers) -> Result<Wine, String> {
    let absent = || "no wine here; --provision installs it".to_owned();
    let wine = world.tools.get("wine").ok_or_else(absent)?;
    // Beside each other, whatever the packages are called; Debian keeps links to both on PATH.
    let server = wine.with_file_name("wineserver");
    let server = if server.is_file() { server } else { Utf8PathBuf::from("wineserver") };
    let (folder, prefix) = (folder(session), folder(session).join("wine"));
    let shim = folder.join("bcryptprimitives.dll");
    let source = session.root.join("tests/shims/bcryptprimitives.c");
    compilers.library(session, &TARGETS[0], &source, &shim, &["-ladvapi32"])?;
    let runner = folder.join("run-windows");
    let [quoted_prefix, quoted_shim, quoted_wine, quoted_server] =
        [prefix.as_str(), shim.as_str(), wine.as_str(), server.as_str()].map(quoted);
    let text = format!(
        "#!/bin/sh\n\
         # Written by `cargo xtask test`: starts a Windows program with its arguments.\n\
         export WINEPREFIX={quoted_prefix} WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe='\n\
         # What wine leaves in the background belongs to no step, and nobody is to wait for its output.\n\
         unset WHEELPROOF_STEP\n\
         if {quoted_server} -p60 </dev/null >/dev/null 2>&1; then\n\
         {quoted_wine} wineboot </dev/null >/dev/null 2>&1\n\
         fi\n\
         beside=$(dirname -- \"$1\")/bcryptprimitives.dll\n\
         [ ! -f \"$1\" ] || cmp -s {quoted_shim} \"$beside\" || {{ cp {quoted_shim} \"$beside.$$\" && mv -f \"$beside.$$\" \"$beside\"; }}\n\
         exec {quoted_wine} \"$@\"\n"
    );
    zig::script(session, &runner, &text)?;
    fs_err::create_dir_all(&prefix).map_err(|error| error.to_string())?;
    let wine = Wine { runner, server: Some((server.clone(), prefix.clone())) };
    // Its first start makes the folder: a minute on a small machine.
    let step =
        Step::new("wine", [wine.runner.as_str(), "wineboot", "--init"], &session.root, session.logs().join("wine.log"));
    let step = step.with_timeout(300);
    Runner::new(&session.console, &session.cancel).run(&step).map_err(|error| error.to_string())?;
    Ok(wine)
}

/// A word for a shell script.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Writes a file unless it says the same already; whoever uses it may run.
fn write(file: &Utf8Path, text: &str) -> Result<(), String> {
    if fs_err::read_to_string(file).is_ok_and(|found| found == text) {
        return Ok(());
    }
    let folder = file.parent().map_or(Ok(()), fs_err::create_dir_all);
    folder.and_then(|()| fs_err::write(file, text)).map_err(|error| error.to_string())
}

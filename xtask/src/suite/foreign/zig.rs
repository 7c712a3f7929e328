//! Zig as C compiler and linker: an environment with the package, and a program of each target's own name.

use super::{Target, folder, quoted, write};
use crate::suite::Session;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner, Silent, Step};
use host::toolenv::ToolEnvironment;

/// Pinned with hashes; see its first lines for how it is made.
const LOCK: &str = include_str!("../../../../ci/lock/zig.txt");

/// What compiles and links for other systems.
pub(super) struct Compilers {
    folder: Utf8PathBuf,
    /// Runs `ci/zig-cc.py`, with the variables that keep zig's own files below target/.
    call: String,
    archiver: String,
}

impl Compilers {
    /// Installs zig, once.
    pub(super) fn make(session: &Session, python: &host::Interpreter) -> Result<Self, String> {
        let environment = ToolEnvironment::new(&session.state.join("tools"), "zig", python, LOCK, false);
        let runner = Runner::new(&session.console, &session.cancel);
        environment
            .ensure(&environment.steps(&session.logs()), &runner)
            .map_err(|error| format!("zig was not installed: {error}"))?;
        let folder = folder(session);
        let cache = quoted(folder.join("zig").as_str());
        let [python, wrapper] = [environment.python.as_str(), session.root.join("ci/zig-cc.py").as_str()].map(quoted);
        let variables = format!("ZIG_GLOBAL_CACHE_DIR={cache} ZIG_LOCAL_CACHE_DIR={cache}");
        Ok(Self {
            folder,
            call: format!("#!/bin/sh\n{variables} exec {python} -I {wrapper}"),
            archiver: format!("#!/bin/sh\n{variables} exec {python} -I -m ziglang ar \"$@\"\n"),
        })
    }

    fn compiler(&self, session: &Session, target: &Target) -> Result<Utf8PathBuf, String> {
        let file = self.folder.join(format!("cc-{}", target.system));
        script(session, &file, &format!("{} {} \"$@\"\n", self.call, target.zig))?;
        Ok(file)
    }

    /// By which cargo and cc-rs find them.
    pub(super) fn variables(&self, session: &Session, target: &Target) -> Result<Vec<(String, String)>, String> {
        let compiler = self.compiler(session, target)?.into_string();
        let archiver = self.folder.join("ar");
        script(session, &archiver, &self.archiver)?;
        let triple = target.triple.replace('-', "_");
        Ok(vec![
            (format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase()), compiler.clone()),
            (format!("CC_{triple}"), compiler),
            (format!("AR_{triple}"), archiver.into_string()),
        ])
    }

    /// Compiles a shared library of one source file.
    pub(super) fn library(
        &self,
        session: &Session,
        target: &Target,
        source: &Utf8Path,
        to: &Utf8Path,
        further: &[&str],
    ) -> Result<(), String> {
        let compiler = self.compiler(session, target)?;
        let argv = [compiler.as_str(), "-shared", "-O1", "-s", "-o", to.as_str(), source.as_str()];
        let argv = argv.into_iter().chain(further.iter().copied());
        let name = format!("{} for {}", to.file_stem().unwrap_or("library"), target.system);
        let log = session.logs().join(format!("{}.log", name.replace(' ', "-")));
        // The first use of a target compiles its C library: minutes.
        let step = Step::new(name, argv, &self.folder, log).with_timeout(900);
        let ended = Runner::new(&session.console, &session.cancel).run(&step);
        ended.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// A file that can be run.
pub(super) fn script(session: &Session, file: &Utf8Path, text: &str) -> Result<(), String> {
    write(file, text)?;
    let runner = Runner::new(&Silent, &session.cancel);
    let made = runner.capture(&Query::new(["chmod", "755", file.as_str()])).and_then(exec::Captured::checked);
    made.map(|_| ()).map_err(|error| error.to_string())
}

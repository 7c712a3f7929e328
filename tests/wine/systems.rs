//! The programs under test, and one call of both.

use crate::compare;
use camino::{Utf8Path, Utf8PathBuf};
use std::process::Stdio;
use std::sync::Once;
use wheelproof_tests::{Program, Run, program, repository, skip};

/// A program that `cargo xtask test` built; none, said so, without it.
pub(crate) fn built_for(system: &str) -> Option<Utf8PathBuf> {
    let named = std::env::var(format!("WHEELPROOF_{}_BIN", system.to_uppercase())).ok().map(Utf8PathBuf::from);
    let found = named.filter(|file| file.is_file());
    if found.is_none() {
        skip(&format!("the program for {system} was not built; `cargo xtask test --tier systems` builds it"));
    }
    found
}

/// How wine begins what it says when a thread of a program still starts while the program ends: it has closed its own
/// connection by then, and complains of that on the program's stderr, sometimes with an exit code of its own.
const WINES_OWN_FAULT: &str = "wine client error:";

/// Windows, as far as wine is it.
pub(crate) struct Windows {
    runner: Utf8PathBuf,
    file: Utf8PathBuf,
}

impl Windows {
    /// What starts the Windows program; none, said so, without it or without wine.
    pub(crate) fn find() -> Option<Self> {
        let file = built_for("windows")?;
        let Ok(runner) = std::env::var("WHEELPROOF_WINE") else {
            skip("no wine here; `cargo xtask test --provision` installs it");
            return None;
        };
        let runner = Utf8PathBuf::from(runner);
        // What the first Windows program starts in the background would keep its output open.
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let mut command = Program::new(&runner, repository()).args(["wineboot"]).command();
            let begun = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(begun.is_ok_and(|status| status.success()), "wine does not start");
        });
        Some(Self { runner, file })
    }

    /// The Windows program in a folder.
    pub(crate) fn program(&self, dir: &Utf8Path) -> Program {
        Program::new(&self.runner, dir).args([&self.file]).spoiled_by(WINES_OWN_FAULT)
    }

    /// The same call of both programs in the same folder: this system's answer, and Windows'.
    pub(crate) fn both(&self, dir: &Utf8Path, args: &[&str]) -> (Run, Run) {
        (program(dir).args(args).run(), self.program(dir).args(args).run())
    }

    /// The same call of both programs; what is not the same is added to the list. Returns the exit code.
    pub(crate) fn agree(&self, dir: &Utf8Path, args: &[&str], wrong: &mut Vec<String>) -> i32 {
        let (here, there) = self.both(dir, args);
        let differences = compare::runs(&here, &there, dir);
        if !differences.is_empty() {
            wrong.push(format!("{}\n    {}", args.join(" "), differences.join("\n    ")));
        }
        here.status
    }
}

/// How wine shows a folder of this system: `Z:\tmp\x`.
pub(crate) fn on_drive(path: &Utf8Path) -> String {
    format!("Z:{path}").replace('/', "\\")
}

/// Ends a test that collected what is wrong; many cases that differ alike are told by the first few.
#[track_caller]
pub(crate) fn settle(wrong: &[String]) {
    let shown = wrong.get(..wrong.len().min(12)).unwrap_or_default().join("\n");
    assert!(wrong.is_empty(), "{} differ, this system's answer first:\n{shown}", wrong.len());
}

/// A call that wine spoiled is made again; one that it spoils every time is judged as it is.
#[cfg(unix)]
#[test]
fn what_wine_spoils_is_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    let call = |limit: usize| {
        let script = format!(
            "echo . >> calls; [ $(wc -l < calls) -gt {limit} ] || {{ echo '{WINES_OWN_FAULT}2e4: sendmsg' >&2; exit 1; }}"
        );
        fs_err::remove_file(dir.join("calls")).ok();
        let run = Program::new(Utf8Path::new("/bin/sh"), dir).args(["-c", &script]).spoiled_by(WINES_OWN_FAULT).run();
        (run.status, fs_err::read_to_string(dir.join("calls")).unwrap().lines().count())
    };
    assert_eq!(call(0), (0, 1));
    assert_eq!(call(2), (0, 3));
    assert_eq!(call(9), (1, 4));
}

//! Process trees through `taskkill`, the least that needs no further dependency.

use std::process::{Command, Stdio};
use std::time::Duration;

use duct::Handle;

use crate::runner::Terminal;

/// `CREATE_NEW_PROCESS_GROUP` (winbase.h): our Ctrl-C does not reach the child; we end it.
const NEW_PROCESS_GROUP: u32 = 0x200;

pub(super) fn prepare(command: &mut Command, terminal: Terminal) {
    use std::os::windows::process::CommandExt;

    if terminal == Terminal::Detached {
        command.creation_flags(NEW_PROCESS_GROUP);
    }
}

pub(super) struct Watch {
    pid: Option<u32>,
    success: Option<bool>,
}

impl Watch {
    pub(super) fn new(handle: &Handle, _mark: &str, _terminal: Terminal) -> Self {
        Self { pid: handle.pids().first().copied(), success: None }
    }

    pub(super) fn wait(&mut self, handle: &Handle, at_most: Duration) -> Option<bool> {
        if self.success.is_none() {
            self.success = match handle.wait_timeout(at_most) {
                Ok(Some(output)) => Some(output.status.success()),
                Ok(None) => None,
                Err(_) => Some(false),
            };
        }
        self.success
    }

    /// A console program that has its own process group cannot be asked with Ctrl-C, so there is nothing to wait for.
    pub(super) fn ask(&self, handle: &Handle) {
        self.kill(handle);
    }

    pub(super) fn kill(&self, handle: &Handle) {
        // The open handle keeps the number from being given to another process.
        if let (Some(pid), None) = (self.pid, self.success) {
            let system = std::env::var_os("SYSTEMROOT").unwrap_or_else(|| r"C:\Windows".into());
            let taskkill = std::path::Path::new(&system).join(r"System32\taskkill.exe");
            let _ = Command::new(taskkill)
                .args(["/T", "/F", "/PID", &pid.to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
        let _ = handle.kill();
    }

    #[allow(clippy::unused_self)]
    pub(super) fn others_run(&self) -> bool {
        false
    }

    #[allow(clippy::unused_self)]
    pub(super) fn left_behind(&self) -> bool {
        false
    }
}

//! Job objects: the child is started suspended, put into a job of its own, and only then runs, so that whatever it
//! starts is in the job too.

use std::io;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use duct::Handle;

use super::Asking;
use crate::runner::Terminal;
use crate::win32::{Job, Suspended, has_console, keep_streams, send_break};

/// How long what a child started may take to end after it, without being left behind.
const SETTLING: Duration = Duration::from_millis(250);

/// What outlives those who started it as a matter of course, and ends by itself: the console's own process, and the
/// servers of Microsoft's compiler (debug information, telemetry) and of MSBuild.
const EXPECTED: [&str; 5] = ["conhost.exe", "mspdbsrv.exe", "msbuild.exe", "vbcscompiler.exe", "vctip.exe"];

/// Process creation flags (winbase.h).
const CREATE_SUSPENDED: u32 = 0x4;
/// Our Ctrl-C does not reach the child; we end it, and can ask it to end with Ctrl-Break.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
/// A console without a window: what a program without a console starts would open a window each time.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

pub(super) fn prepare(command: &mut Command, terminal: Terminal) {
    use std::os::windows::process::CommandExt;

    keep_streams();
    let group = if terminal == Terminal::Detached { CREATE_NEW_PROCESS_GROUP } else { 0 };
    let window = if has_console() { 0 } else { CREATE_NO_WINDOW };
    command.creation_flags(CREATE_SUSPENDED | group | window);
}

/// The child's number and the job it is in.
pub(super) struct Watch {
    pid: u32,
    terminal: Terminal,
    /// None if the system refused (a job around ours may forbid it): then only the child itself is ended.
    job: Option<Job>,
    success: Option<bool>,
}

impl Watch {
    /// Lets the child run, in its job.
    pub(super) fn new(handle: &Handle, _mark: &str, terminal: Terminal) -> io::Result<Self> {
        let pid = handle.pids().first().copied().ok_or(io::ErrorKind::NotFound)?;
        let child = Suspended::open(pid)?;
        let job = Job::new().and_then(|job| job.take(&child).map(|()| job)).ok();
        child.resume()?;
        Ok(Self { pid, terminal, job, success: None })
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

    /// Asks with Ctrl-Break. What shares our console heard the person's Ctrl-C itself, and cannot be asked without us.
    pub(super) fn ask(&self, _handle: &Handle, asking: Asking) -> bool {
        asking == Asking::Nobody || self.terminal == Terminal::Shared || send_break(self.pid).is_ok()
    }

    pub(super) fn kill(&self, handle: &Handle) {
        if let Some(job) = &self.job {
            job.terminate();
        }
        if self.success.is_none() {
            let _ = handle.kill();
        }
    }

    /// Does anything but the ended child still run?
    pub(super) fn others_run(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.running().is_ok_and(|count| count > 0))
    }

    /// After the child was waited for: does it leave something running that a person should know of? What is just
    /// ending gets a moment.
    pub(super) fn left_behind(&self) -> bool {
        let until = Instant::now() + SETTLING;
        while self.others_run() {
            let programs = self.job.as_ref().and_then(|job| job.programs().ok()).unwrap_or_default();
            if programs.iter().all(|program| EXPECTED.contains(&program.as_str())) {
                return false;
            }
            if Instant::now() > until {
                return true;
            }
            thread::sleep(super::LOOK);
        }
        false
    }

    /// What the child leaves behind is to live on.
    pub(super) fn let_live(&self) {
        if let Some(job) = &self.job {
            let _ = job.let_live();
        }
    }
}

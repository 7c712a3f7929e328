//! Sessions, process groups and signals.

use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use std::{io, thread};

use duct::Handle;

use super::Asking;
#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(target_os = "macos")]
use super::macos as system;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use super::process::{Process, members};
use crate::runner::Terminal;

/// What is done to the child between `fork` and `exec`.
#[allow(unsafe_code)]
pub(super) fn prepare(command: &mut Command, terminal: Terminal) {
    use std::os::unix::process::CommandExt;

    if terminal == Terminal::Shared {
        return;
    }
    #[cfg(target_os = "linux")]
    let parent = std::process::id();
    let hook = move || {
        // SAFETY: `setsid` is async-signal-safe and touches no memory.
        if unsafe { libc::setsid() } == -1 {
            return Err(io::Error::last_os_error());
        }
        #[cfg(target_os = "linux")]
        super::linux::end_with(parent)?;
        Ok(())
    };
    // SAFETY: the hook only makes async-signal-safe calls and does not allocate: `last_os_error` reads errno.
    unsafe { command.pre_exec(hook) };
}

/// The child's number and what is known of its end.
pub(super) struct Watch {
    pid: libc::pid_t,
    #[cfg_attr(not(any(target_os = "linux", target_os = "macos")), allow(dead_code))]
    mark: String,
    terminal: Terminal,
    ended: Receiver<bool>,
    success: Option<bool>,
}

impl Watch {
    pub(super) fn new(handle: &Handle, mark: &str, terminal: Terminal) -> io::Result<Self> {
        let pid = handle.pids().first().ok_or(io::ErrorKind::NotFound)?.cast_signed();
        let (sender, ended) = channel();
        // A thread, because no portable call waits for a process with a time limit and leaves it unreaped.
        let watcher = move || {
            let _ = sender.send(wait_unreaped(pid));
        };
        // Should the system have no thread left, the sender is dropped and `wait` looks by itself.
        let _ = thread::Builder::new().name("child".to_owned()).stack_size(64 * 1024).spawn(watcher);
        Ok(Self { pid, mark: mark.to_owned(), terminal, ended, success: None })
    }

    pub(super) fn wait(&mut self, _handle: &Handle, at_most: Duration) -> Option<bool> {
        if self.success.is_none() {
            self.success = match self.ended.recv_timeout(at_most) {
                Ok(success) => Some(success),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(at_most.min(super::LOOK));
                    look(self.pid, libc::WNOHANG)
                }
            };
        }
        self.success
    }

    /// Always asked, so always worth waiting for.
    pub(super) fn ask(&self, handle: &Handle, asking: Asking) -> bool {
        use duct::unix::HandleExt;

        match asking {
            Asking::Everyone => self.signal(handle, libc::SIGTERM),
            // What ended meanwhile, and `sudo`, which belongs to root, cannot be signalled: they are waited for.
            Asking::Alone => drop(handle.send_signal(libc::SIGINT)),
            Asking::Nobody => {}
        }
        true
    }

    pub(super) fn kill(&self, handle: &Handle) {
        self.signal(handle, libc::SIGKILL);
    }

    fn signal(&self, handle: &Handle, signal: libc::c_int) {
        use duct::unix::HandleExt;

        #[cfg(any(target_os = "linux", target_os = "macos"))]
        let strays = self.members();
        match self.terminal {
            Terminal::Detached => signal_group(self.pid, signal),
            Terminal::Shared => {
                let _ = handle.send_signal(signal);
            }
        }
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        for stray in strays.unwrap_or_default() {
            // One signal reached the whole group, unless the child shares ours.
            if self.terminal == Terminal::Shared || stray.group != self.pid {
                system::signal(&stray, signal);
            }
        }
    }

    /// All that belongs to the child and runs. None if this system does not tell.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    fn members(&self) -> Option<Vec<Process>> {
        let processes = system::processes()?;
        Some(members(&processes, self.pid, &|process| system::carries(process, &self.mark)))
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    #[allow(clippy::unused_self)]
    fn members(&self) -> Option<Vec<()>> {
        None
    }

    /// Does anything but the ended child still run?
    pub(super) fn others_run(&self) -> bool {
        self.members().map_or_else(|| self.group_answers(), |members| !members.is_empty())
    }

    /// After the child was waited for: is there something of its group left? Asks only, so that a number which belongs
    /// to others by now does no harm.
    pub(super) fn left_behind(&self) -> bool {
        self.group_answers() && self.members().is_none_or(|members| !members.is_empty())
    }

    /// What the child leaves behind lives on by itself.
    #[allow(clippy::unused_self)]
    pub(super) fn let_live(&self) {}

    #[allow(unsafe_code)]
    fn group_answers(&self) -> bool {
        // SAFETY: signal 0 is only a question.
        self.terminal == Terminal::Detached && self.pid > 1 && unsafe { libc::kill(-self.pid, 0) } == 0
    }
}

/// To the whole group of a child that is not yet waited for.
#[allow(unsafe_code)]
fn signal_group(leader: libc::pid_t, signal: libc::c_int) {
    // -1 and 0 would mean everything and our own group.
    if leader > 1 {
        // SAFETY: no memory is involved. The group is the child's own since `prepare`, and its number is not given to
        // others while the child is unreaped.
        unsafe { libc::kill(-leader, signal) };
    }
}

/// Waits until the child has ended and leaves it to be reaped; tells whether it succeeded.
fn wait_unreaped(pid: libc::pid_t) -> bool {
    loop {
        if let Some(success) = look(pid, 0) {
            return success;
        }
    }
}

/// `None` if it still runs (or the call was interrupted).
#[allow(unsafe_code)]
fn look(pid: libc::pid_t, options: libc::c_int) -> Option<bool> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: `info` is a valid place for the answer, and all-zero bytes are a valid `siginfo_t`.
    let (answer, info) = unsafe {
        let answer =
            libc::waitid(libc::P_PID, pid.cast_unsigned(), info.as_mut_ptr(), libc::WEXITED | libc::WNOWAIT | options);
        (answer, info.assume_init())
    };
    if answer == -1 {
        // No such child: it ended and somebody else reaped it, so its success is unknown.
        return (io::Error::last_os_error().kind() != io::ErrorKind::Interrupted).then_some(false);
    }
    // SAFETY: these fields are filled by `waitid`, or zero if nothing has ended yet.
    let (ended, status) = unsafe { (info.si_pid(), info.si_status()) };
    (ended != 0).then_some(info.si_code == libc::CLD_EXITED && status == 0)
}

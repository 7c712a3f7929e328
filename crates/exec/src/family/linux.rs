//! What Linux tells of processes (`/proc`), and a handle on a process that no other process can inherit.

use std::collections::HashMap;
use std::io;
use std::io::Read;

use camino::Utf8PathBuf;

use super::process::{Process, is_marked};

/// An environment larger than this is not searched to its end.
const ENVIRONMENT_LIMIT: u64 = 4 << 20;

/// Called in the child: have it asked to end when the thread that started it does, so that nothing stays behind even if
/// this program is killed. That thread waits for the child, so it ends earlier only together with the program.
#[allow(unsafe_code)]
pub(super) fn end_with(parent: u32) -> io::Result<()> {
    // SAFETY: async-signal-safe system calls without memory.
    let (answer, parent_now) =
        unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM), libc::getppid().cast_unsigned()) };
    // A parent that died before the call would never be noticed. (0 is a parent outside of our PID namespace.)
    if answer == 0 && parent_now != parent && parent_now != 0 {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

/// All processes. None if there is no `/proc` to look at.
pub(super) fn processes() -> Option<HashMap<libc::pid_t, Process>> {
    // Our own entry tells whether /proc is that of our processes.
    read(std::process::id().cast_signed())?;
    let numbers = fs_err::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Some(numbers.filter_map(|pid| Some((pid, read(pid)?))).collect())
}

fn read(pid: libc::pid_t) -> Option<Process> {
    let stat = fs_err::read(format!("/proc/{pid}/stat")).ok()?;
    parse(pid, &String::from_utf8_lossy(&stat))
}

/// A process as `/proc/PID/stat` shows it (proc(5)). It starts in ticks since boot.
fn parse(pid: libc::pid_t, stat: &str) -> Option<Process> {
    // The second field is the name in parentheses, which may hold blanks and parentheses itself.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<libc::pid_t>().ok();
    Some(Process {
        pid,
        zombie: matches!(*fields.first()?, "Z" | "X" | "x"),
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        start: fields.get(19)?.parse().ok()?,
    })
}

/// Was it given our mark, and did it keep it?
pub(super) fn carries(process: &Process, mark: &str) -> bool {
    let mut environment = Vec::new();
    let path = Utf8PathBuf::from(format!("/proc/{}/environ", process.pid));
    let Ok(file) = fs_err::File::open(path) else { return false };
    // A process that ends meanwhile reads short, and an error leaves what was read.
    let _ = file.take(ENVIRONMENT_LIMIT).read_to_end(&mut environment);
    is_marked(&environment, mark)
}

/// Sends a signal to this very process, or to none.
#[allow(unsafe_code)]
pub(super) fn signal(process: &Process, signal: libc::c_int) {
    // SAFETY: plain system calls; the descriptor is closed by `OwnedFd`, and null means no `siginfo_t`.
    unsafe {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

        let descriptor = libc::syscall(libc::SYS_pidfd_open, process.pid, 0);
        let handle = (descriptor >= 0).then(|| OwnedFd::from_raw_fd(descriptor as libc::c_int));
        // The handle stays with the process it was opened for. If the number still means the one we saw, that is it.
        if read(process.pid).is_none_or(|now| now.start != process.start) {
            return;
        }
        match handle {
            Some(handle) => {
                libc::syscall(
                    libc::SYS_pidfd_send_signal,
                    handle.as_raw_fd(),
                    signal,
                    std::ptr::null::<libc::siginfo_t>(),
                    0,
                );
            }
            // Before Linux 5.3, or forbidden by a container's filter. The number would have to be given away and all
            // others used up within the microsecond since it was read.
            None => {
                libc::kill(process.pid, signal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines() {
        let stat = "77 (a) Z (b) S 70 71 72 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 1234567 9 9";
        let process = parse(77, stat).unwrap();
        assert_eq!(process, Process { pid: 77, parent: 70, group: 71, session: 72, zombie: false, start: 1_234_567 });
        assert!(parse(77, "77 (gone) Z 1 2 3 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 5").unwrap().zombie);
        for broken in ["", "77 (a", "77 (a) S", "77 (a) S 1 2 3", "77 (a) S x 2 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 5"] {
            assert_eq!(parse(77, broken), None, "{broken}");
        }
    }

    #[test]
    fn a_process_is_not_signalled_under_anothers_number() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id().cast_signed();
        let real = read(pid).unwrap();
        signal(&Process { start: real.start + 1, ..real }, libc::SIGKILL);
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(child.try_wait().unwrap().is_none(), "another process was hit");
        signal(&real, libc::SIGKILL);
        assert!(!child.wait().unwrap().success());
    }
}

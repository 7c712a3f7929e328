//! What macOS tells of processes: `libproc.h`, and `sysctl` for their environment.
#![allow(unsafe_code)]

use std::collections::HashMap;

use super::arguments::environment_of;
use super::process::{Process, is_marked};

/// All processes of this user (the system tells nothing of others'). Zombies are not among them.
pub(super) fn processes() -> Option<HashMap<libc::pid_t, Process>> {
    // Twice what there are, because there may be more in a moment.
    // SAFETY: without a buffer the call only counts.
    let count = usize::try_from(unsafe { libc::proc_listallpids(std::ptr::null_mut(), 0) }).ok()? * 2;
    let mut pids: Vec<libc::pid_t> = vec![0; count];
    let size = libc::c_int::try_from(size_of_val(pids.as_slice())).ok()?;
    // SAFETY: the buffer has the size that is given.
    let listed = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), size) };
    pids.truncate(usize::try_from(listed).ok()?);
    Some(pids.into_iter().filter_map(|pid| Some((pid, read(pid)?))).collect())
}

fn read(pid: libc::pid_t) -> Option<Process> {
    let mut info = std::mem::MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = libc::c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the buffer is of the type that belongs to this flavour, and all-zero bytes are valid for it.
    let (written, info) = unsafe {
        let written = libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size);
        (written, info.assume_init())
    };
    (written == size).then(|| Process {
        pid,
        parent: info.pbi_ppid.cast_signed(),
        group: info.pbi_pgid.cast_signed(),
        // SAFETY: no memory is involved; -1 belongs to nobody.
        session: unsafe { libc::getsid(pid) },
        zombie: info.pbi_status == libc::SZOMB,
        start: info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec),
    })
}

/// Was it given our mark? The system's own protected programs show nobody their environment.
pub(super) fn carries(process: &Process, mark: &str) -> bool {
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, process.pid];
    let mut size = 0;
    // SAFETY: `name` has the length that is given, and without a buffer the call only tells the size.
    let told =
        unsafe { libc::sysctl(name.as_mut_ptr(), 3, std::ptr::null_mut(), &raw mut size, std::ptr::null_mut(), 0) };
    if told != 0 {
        return false;
    }
    let mut arguments = vec![0_u8; size];
    // SAFETY: the buffer has the size that is given; the call gives back how much of it is used.
    let told = unsafe {
        let buffer = arguments.as_mut_ptr().cast();
        libc::sysctl(name.as_mut_ptr(), 3, buffer, &raw mut size, std::ptr::null_mut(), 0)
    };
    told == 0 && arguments.get(..size).and_then(environment_of).is_some_and(|entries| is_marked(entries, mark))
}

/// Sends a signal to this very process, or to none: the number would have to be given away and all others used up
/// within the microsecond since it was read.
pub(super) fn signal(process: &Process, signal: libc::c_int) {
    if process.pid > 1 && read(process.pid).is_some_and(|now| now.start == process.start) {
        // SAFETY: no memory is involved.
        unsafe { libc::kill(process.pid, signal) };
    }
}

//! Every call of the Windows API that this crate makes, each behind a safe function. What they are for is said where
//! they are used: `family/windows.rs`, `cancel.rs` and `text.rs`.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{from_mut, from_ref, null, null_mut};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_MORE_DATA, HANDLE, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, SetHandleInformation,
};
use windows_sys::Win32::Globalization::{GetACP, MultiByteToWideChar};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, GenerateConsoleCtrlEvent, GetConsoleCP, GetConsoleOutputCP,
    GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectBasicAccountingInformation,
    JobObjectBasicProcessIdList, JobObjectExtendedLimitInformation, QueryInformationJobObject, SetInformationJobObject,
    TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SET_QUOTA, PROCESS_SUSPEND_RESUME, PROCESS_TERMINATE,
    QueryFullProcessImageNameW,
};
use windows_sys::core::BOOL;

const TRUE: BOOL = 1;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    /// Starts all threads of a process that was created suspended. The documented way needs the handle of its main
    /// thread, which `std` does not give away, or a list of all threads of the machine.
    fn NtResumeProcess(process: HANDLE) -> i32;
}

/// The system's last error, if a call that gives 0 for failure failed.
fn check(answer: BOOL) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes over a handle that a call returned; null is its failure.
fn own(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is valid, closed by `CloseHandle`, and nobody else owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// A child that was started suspended.
pub(crate) struct Suspended {
    process: OwnedHandle,
}

impl Suspended {
    /// By its number, which is its own as long as somebody keeps a handle of it.
    pub(crate) fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: no memory is involved.
        let handle = unsafe { OpenProcess(PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME, 0, pid) };
        Ok(Self { process: own(handle)? })
    }

    /// Lets it run.
    pub(crate) fn resume(self) -> io::Result<()> {
        // SAFETY: the handle is open and has the right to resume.
        let status = unsafe { NtResumeProcess(self.process.as_raw_handle()) };
        if status < 0 { Err(io::Error::other(format!("NtResumeProcess: {status:#010x}"))) } else { Ok(()) }
    }
}

/// A job object: what is put into it, and all that this starts. Dropping it ends what is in it, also when the system
/// drops it because we were killed; its handle is not inherited by anybody.
pub(crate) struct Job {
    handle: OwnedHandle,
}

impl Job {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: null means the default security and no name.
        let job = Self { handle: own(unsafe { CreateJobObjectW(null(), null()) })? };
        job.limit(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)?;
        Ok(job)
    }

    fn limit(&self, flags: u32) -> io::Result<()> {
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = flags;
        // SAFETY: the structure is the one that belongs to this class, and its size is given.
        check(unsafe {
            SetInformationJobObject(
                self.handle.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                from_ref(&limits).cast::<c_void>(),
                size_of_val(&limits) as u32,
            )
        })
    }

    /// Puts a process into it.
    pub(crate) fn take(&self, child: &Suspended) -> io::Result<()> {
        // SAFETY: both handles are open.
        check(unsafe { AssignProcessToJobObject(self.handle.as_raw_handle(), child.process.as_raw_handle()) })
    }

    /// How many processes are running in it.
    pub(crate) fn running(&self) -> io::Result<u32> {
        let mut accounting = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        // SAFETY: the structure is the one that belongs to this class, and its size is given.
        check(unsafe {
            QueryInformationJobObject(
                self.handle.as_raw_handle(),
                JobObjectBasicAccountingInformation,
                from_mut(&mut accounting).cast::<c_void>(),
                size_of_val(&accounting) as u32,
                null_mut(),
            )
        })?;
        Ok(accounting.ActiveProcesses)
    }

    /// The file names of the programs that are running in it, in small letters; of many the first.
    pub(crate) fn programs(&self) -> io::Result<Vec<String>> {
        /// `JOBOBJECT_BASIC_PROCESS_ID_LIST` with room for more than one.
        #[repr(C)]
        struct List {
            assigned: u32,
            listed: u32,
            ids: [usize; MANY],
        }
        const MANY: usize = 64;
        let mut list = List { assigned: 0, listed: 0, ids: [0; MANY] };
        // SAFETY: the structure begins as the one that belongs to this class and ends with its array, and its size is
        // given.
        let answer = check(unsafe {
            QueryInformationJobObject(
                self.handle.as_raw_handle(),
                JobObjectBasicProcessIdList,
                from_mut(&mut list).cast::<c_void>(),
                size_of_val(&list) as u32,
                null_mut(),
            )
        });
        match answer {
            Err(error) if error.raw_os_error() != Some(ERROR_MORE_DATA.cast_signed()) => Err(error),
            _ => Ok(list.ids.iter().take(list.listed as usize).filter_map(|pid| program_of(*pid as u32)).collect()),
        }
    }

    /// Ends all that is in it, with exit code 1.
    pub(crate) fn terminate(&self) {
        // SAFETY: the handle is open. What fails here (everything ended already) needs nothing done.
        unsafe { TerminateJobObject(self.handle.as_raw_handle(), 1) };
    }

    /// Lets what still runs in it live on when we let go of it.
    pub(crate) fn let_live(&self) -> io::Result<()> {
        self.limit(0)
    }
}

/// The file name of the program that a process runs, in small letters. None if it has ended, or hides it from us.
fn program_of(pid: u32) -> Option<String> {
    // SAFETY: no memory is involved.
    let process = own(unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) }).ok()?;
    let mut path = vec![0_u16; 32_768];
    let mut length = path.len() as u32;
    // SAFETY: the buffer has the length that is given, and the call gives back how much of it is used.
    let answer = unsafe { QueryFullProcessImageNameW(process.as_raw_handle(), 0, path.as_mut_ptr(), &raw mut length) };
    check(answer).ok()?;
    let path = String::from_utf16_lossy(path.get(..length as usize)?);
    path.rsplit('\\').next().map(str::to_lowercase)
}

/// Sends Ctrl-Break to the process group that the child with this number leads, as far as it uses our console.
pub(crate) fn send_break(leader: u32) -> io::Result<()> {
    if leader == 0 {
        // 0 would be everything at our console, with us.
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: no memory is involved.
    check(unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, leader) })
}

/// Are we attached to a console, visible or not?
pub(crate) fn has_console() -> bool {
    // SAFETY: no memory is involved; 0 is the answer of a process without console.
    unsafe { GetConsoleCP() != 0 }
}

/// Keeps our own standard streams from being inherited by children that are given others. Windows hands down every
/// inheritable handle, so a server that a tool leaves in the background would hold our output open, and whoever reads
/// that to its end would wait for the server. (`std` hands down streams as duplicates, so sharing them still works.)
pub(crate) fn keep_streams() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for stream in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
            // SAFETY: the handle is ours for as long as we live, or none.
            unsafe {
                let handle = GetStdHandle(stream);
                if !handle.is_null() && handle != INVALID_HANDLE_VALUE {
                    SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0);
                }
            }
        }
    });
}

/// What the console tells its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsoleEvent {
    /// Ctrl-C or Ctrl-Break.
    Interrupt,
    /// Its window is closed.
    Closed,
    /// The user logs off or the machine shuts down.
    Ending,
}

static LISTENER: OnceLock<Box<dyn Fn(ConsoleEvent) + Send + Sync>> = OnceLock::new();

/// Calls `listener` on a thread of its own at each event from now on. There can be one listener.
pub(crate) fn listen(listener: Box<dyn Fn(ConsoleEvent) + Send + Sync>) -> io::Result<()> {
    if LISTENER.set(listener).is_err() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // SAFETY: the handler is a function, valid for ever.
    check(unsafe { SetConsoleCtrlHandler(Some(heard), TRUE) })
}

unsafe extern "system" fn heard(event: u32) -> BOOL {
    let event = match event {
        CTRL_C_EVENT | CTRL_BREAK_EVENT => ConsoleEvent::Interrupt,
        CTRL_CLOSE_EVENT => ConsoleEvent::Closed,
        _ => ConsoleEvent::Ending,
    };
    if let Some(listener) = LISTENER.get() {
        listener(event);
    }
    if event != ConsoleEvent::Interrupt {
        // Returning would end this process at once. It has about five seconds to end by itself.
        loop {
            std::thread::sleep(Duration::from_secs(60));
        }
    }
    TRUE
}

/// The code page in which programs that know no better print: the console's, or without one the system's.
pub(crate) fn code_page() -> u32 {
    // SAFETY: no memory is involved; 0 is the answer of a process without console.
    let (console, system) = unsafe { (GetConsoleOutputCP(), GetACP()) };
    if console == 0 { system } else { console }
}

/// `bytes` as text of this code page; what is invalid in it is replaced. None if the system does not know the page.
pub(crate) fn decode(bytes: &[u8], code_page: u32) -> Option<String> {
    let length = i32::try_from(bytes.len()).ok()?;
    if length == 0 {
        return Some(String::new());
    }
    // SAFETY: without a buffer the call only counts.
    let needed = unsafe { MultiByteToWideChar(code_page, 0, bytes.as_ptr(), length, null_mut(), 0) };
    let mut wide = vec![0_u16; usize::try_from(needed).ok()?];
    // SAFETY: the buffer has the length that is given.
    let written = unsafe { MultiByteToWideChar(code_page, 0, bytes.as_ptr(), length, wide.as_mut_ptr(), needed) };
    let written = usize::try_from(written).ok().filter(|written| *written > 0)?;
    Some(String::from_utf16_lossy(wide.get(..written)?))
}

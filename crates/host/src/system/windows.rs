//! What only Windows itself can be asked. Documentation: `GlobalMemoryStatusEx`, `GetTokenInformation` with
//! `TokenElevation`, both of Microsoft's Win32 reference.
#![allow(unsafe_code)]

use windows_sys::Win32::{
    Foundation::{CloseHandle, HANDLE},
    Security::{GetTokenInformation, TOKEN_ELEVATION, TOKEN_QUERY, TokenElevation},
    System::{
        SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX},
        Threading::{GetCurrentProcess, OpenProcessToken},
    },
};

/// Bytes of memory that the machine, or the container, has.
pub(super) fn memory() -> Option<u64> {
    let length = u32::try_from(size_of::<MEMORYSTATUSEX>()).ok()?;
    let mut status = MEMORYSTATUSEX { dwLength: length, ..MEMORYSTATUSEX::default() };
    // SAFETY: the structure is ours, says its own length, and is written to during the call only.
    let done = unsafe { GlobalMemoryStatusEx(&raw mut status) };
    (done != 0).then_some(status.ullTotalPhys)
}

/// Whether this process was started as administrator.
pub(super) fn is_elevated() -> bool {
    let mut token: HANDLE = std::ptr::null_mut();
    // SAFETY: the handle of the current process is always valid; `token` is ours and is written to during the call only.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return false;
    }
    let mut elevation = TOKEN_ELEVATION::default();
    let length = u32::try_from(size_of::<TOKEN_ELEVATION>()).unwrap_or_default();
    let mut written = 0;
    // SAFETY: `token` was opened above; the structure is ours and as long as is said.
    let done =
        unsafe { GetTokenInformation(token, TokenElevation, (&raw mut elevation).cast(), length, &raw mut written) };
    // SAFETY: opened above, closed once.
    unsafe { CloseHandle(token) };
    done != 0 && elevation.TokenIsElevated != 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_machine_has_memory() {
        let memory = super::memory().unwrap();
        assert!((1 << 27..1 << 50).contains(&memory), "{memory}");
        let _ = super::is_elevated();
    }
}

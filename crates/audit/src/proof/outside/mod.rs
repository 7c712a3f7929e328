//! What is outside of the wheel: the interpreter, the system, other distributions.

mod glibc;
mod interpreter;
mod macos;
mod musl;
mod neighbours;
mod windows;

pub(super) use interpreter::{Interpreter, is_python_name};
pub(super) use neighbours::Neighbours;
pub(super) use windows::REDISTRIBUTABLE;

use super::aim::{Platform, Pythons, System};
use linkage::Providers;
use platform::policy::Libc;

/// Everything outside, as the loader of `platform` sees it.
pub(super) fn providers<'a>(
    platform: &'a Platform,
    pythons: &'a Pythons,
    neighbours: &'a Neighbours,
) -> Box<dyn Providers + Sync + 'a> {
    let interpreter = Interpreter::new(platform, pythons);
    match platform.system {
        System::Linux { libc: Libc::Glibc, policy, .. } => {
            Box::new(glibc::Glibc::new(platform, policy, interpreter, neighbours))
        }
        System::Linux { libc: Libc::Musl, policy, .. } => {
            Box::new(musl::Musl::new(platform.arch, policy, interpreter, neighbours))
        }
        System::MacOs { .. } => Box::new(macos::MacOs::new(platform.arch, interpreter, neighbours)),
        System::Windows => Box::new(windows::Windows::new(platform.arch, interpreter, neighbours)),
    }
}

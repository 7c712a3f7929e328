//! The C libraries of Linux and the names under which they and their loaders are needed.

use crate::target::Arch;
use std::fmt;

/// A C library of Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Libc {
    /// The GNU C library: manylinux.
    Glibc,
    /// musl: musllinux.
    Musl,
}

impl Libc {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Glibc, Self::Musl];

    /// The C library that a needed library or a program interpreter's file name belongs to, where it tells:
    /// `libc.so.6`, `ld-linux-x86-64.so.2`, `ld-musl-x86_64.so.1`, `libc.musl-x86_64.so.1`.
    pub fn of_library(name: &str) -> Option<Self> {
        if name.starts_with("ld-musl-") || is_musl_libc(name) {
            Some(Self::Musl)
        } else if name == "libc.so.6" || is_loader(name) {
            Some(Self::Glibc)
        } else {
            None
        }
    }
}

impl fmt::Display for Libc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
        })
    }
}

/// The soname of musl's C library, as Alpine Linux builds it (auditwheel 6.8: `_fixup_musl_libc_soname`).
pub const fn musl_soname(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "libc.musl-x86_64.so.1",
        Arch::Arm64 => "libc.musl-aarch64.so.1",
        Arch::I686 => "libc.musl-x86.so.1",
        Arch::Armv7l => "libc.musl-armv7.so.1",
        Arch::Ppc64le => "libc.musl-ppc64le.so.1",
        Arch::S390x => "libc.musl-s390x.so.1",
        Arch::Riscv64 => "libc.musl-riscv64.so.1",
    }
}

/// musl's C library by its soname or by the file name that musl itself gives it.
pub(super) fn is_musl_libc(name: &str) -> bool {
    name == "libc.so" || Arch::ALL.into_iter().any(|arch| musl_soname(arch) == name)
}

/// Whether musl's loader answers this needed library itself, whatever file there may be: it is a part of the C library
/// in other systems (musl, ldso/dynlink.c, `load_library`: `lib` and one of these words before the first dot).
pub fn musl_reserved(name: &str) -> bool {
    let part = name.strip_prefix("lib").and_then(|rest| rest.split_once('.')).map(|(part, _)| part);
    part.is_some_and(|part| ["c", "pthread", "rt", "m", "dl", "util", "xnet"].contains(&part))
}

/// Whether a needed library is the program interpreter: there whenever anything runs, and on no policy's whitelist.
/// `ld64.so.1` is s390x's, `ld64.so.2` ppc64le's (glibc, sysdeps/**/shlib-versions).
pub fn is_loader(name: &str) -> bool {
    name.starts_with("ld-linux")
        || name.starts_with("ld-musl-")
        || matches!(name, "ld64.so.1" | "ld64.so.2" | "ld.so.1")
}

/// Whether a needed library is the program interpreter or the C library itself (`libc.so.6`, musl's sonames).
pub fn is_loader_or_libc(name: &str) -> bool {
    is_loader(name) || name == "libc.so.6" || is_musl_libc(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_and_c_libraries_by_name() {
        for (name, loader, loader_or_libc, libc) in [
            ("ld-linux-x86-64.so.2", true, true, Some(Libc::Glibc)),
            ("ld-linux-aarch64.so.1", true, true, Some(Libc::Glibc)),
            ("ld64.so.2", true, true, Some(Libc::Glibc)),
            ("ld-musl-x86_64.so.1", true, true, Some(Libc::Musl)),
            ("libc.so.6", false, true, Some(Libc::Glibc)),
            ("libc.musl-armv7.so.1", false, true, Some(Libc::Musl)),
            ("libc.so", false, true, Some(Libc::Musl)),
            ("libc++.so.1", false, false, None),
            ("libm.so.6", false, false, None),
            ("libld-linux.so", false, false, None),
            ("", false, false, None),
        ] {
            assert_eq!(
                (is_loader(name), is_loader_or_libc(name), Libc::of_library(name)),
                (loader, loader_or_libc, libc),
                "{name}"
            );
        }
    }

    #[test]
    fn musl_answers_the_parts_of_other_c_libraries_itself() {
        for name in ["libc.so.6", "libm.so.6", "libpthread.so.0", "libc.musl-x86_64.so.1", "libdl.so.2", "librt.so.1"] {
            assert!(musl_reserved(name), "{name}");
        }
        for name in ["libcrypt.so.1", "libc++.so.1", "libc", "libmvec.so.1", "libnsl.so.1", "c.so", ""] {
            assert!(!musl_reserved(name), "{name}");
        }
    }
}

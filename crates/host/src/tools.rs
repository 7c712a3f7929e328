//! Which programs are on PATH.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use exec::Naming;
use platform::Os;

use crate::environment::Environment;

/// Programs that some stage may want, or that `doctor` shows.
const TOOLS: &[&str] = &[
    "git",
    "c++",
    "g++",
    "clang++",
    "cc",
    "gcc",
    "clang",
    "cl",
    "clang-cl",
    "ld",
    "lld",
    "mold",
    "make",
    "cmake",
    "ninja",
    "ccache",
    "sccache",
    "patchelf",
    "auditwheel",
    "bwrap",
    "cargo",
    "rustc",
    "maturin",
    "uv",
    "sudo",
    "docker",
    "podman",
    "wine64",
    "codesign",
    "install_name_tool",
    "pkg-config",
];

/// How a system names programs; on Windows with the endings of its environment's `PATHEXT`.
pub(crate) fn naming(os: Os, env: &Environment<'_>) -> Naming {
    match os {
        Os::Windows => {
            let endings = env.get("PATHEXT").unwrap_or(".COM;.EXE;.BAT;.CMD");
            let pathext = endings.split(';').filter(|ending| !ending.is_empty()).map(str::to_owned);
            Naming::Windows { pathext: pathext.collect() }
        }
        Os::Linux | Os::MacOs => Naming::Posix,
    }
}

/// Every known program that is there, and those of `more`.
pub(crate) fn find(
    path: &str,
    cwd: &Utf8Path,
    naming: &Naming,
    more: &[String],
    managers: impl Iterator<Item = &'static str>,
) -> BTreeMap<String, Utf8PathBuf> {
    let known = TOOLS.iter().copied().chain(managers).map(str::to_owned);
    known
        .chain(more.iter().cloned())
        .filter_map(|name| Some((exec::find_program(&name, path, cwd, naming).ok()?, name)))
        .map(|(program, name)| (name, program))
        .collect()
}

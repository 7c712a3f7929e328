//! Windows: which libraries every system has, and which come with the Python that loads the wheel.

use crate::target::{Arch, Os};
use std::collections::HashMap;
use std::sync::LazyLock;

const SYSTEM: &str = include_str!("../../policies/windows.tsv");

/// Why a library need not be in the wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provided {
    /// It lies in the system folder of every Windows that is served.
    System,
    /// An API set (`api-ms-win-…`, `ext-ms-…`): a name that the loader maps to system libraries.
    ApiSet,
    /// The interpreter itself: `python3.dll`, `python313.dll`, `python313t.dll`, PyPy's and GraalPy's.
    Python,
    /// The part of the Visual C++ runtime that Python's installers carry.
    Vcruntime,
}

/// What provides a library (its file name, in any case) on every Windows on `arch` and every Python that a wheel is
/// for; `None` where the wheel has to carry it.
///
/// `python_minor` is the lowest minor version of CPython 3 among the wheel's Python tags, for the stable ABI and for
/// free-threaded builds as well. `None` for a wheel that names no CPython (`py3-none-win_amd64`): then no Python's
/// runtime can be counted on.
pub fn provided(arch: Arch, library: &str, python_minor: Option<u8>) -> Option<Provided> {
    let name = library.to_ascii_lowercase();
    if name.starts_with("api-") || name.starts_with("ext-ms-") {
        Some(Provided::ApiSet)
    } else if is_python(&name) {
        Some(Provided::Python)
    } else if python_minor.is_some_and(|minor| carried_by_cpython(arch, &name, minor)) {
        Some(Provided::Vcruntime)
    } else if SYSTEM_LIBRARIES.get(name.as_str()).is_some_and(|arches| arches.contains(&arch)) {
        Some(Provided::System)
    } else {
        None
    }
}

/// Whether the wheel need not carry a library: [`provided`] says by what it is provided.
pub fn is_system_library(arch: Arch, library: &str, python_minor: Option<u8>) -> bool {
    provided(arch, library, python_minor).is_some()
}

/// Whether a library (its file name, in any case) is one of Microsoft's Visual C++ redistributables: it may be carried
/// along, and its name has to stay as it is to be shared with others in the process.
pub fn is_vc_redistributable(library: &str) -> bool {
    let name = library.to_ascii_lowercase();
    let Some(stem) = name.strip_suffix(".dll") else { return false };
    // A family, and what may follow at once; source: the file list of the redistributables, delvewheel's `vc_redist`.
    let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let families = ["vcruntime", "vccorlib", "msvcp", "msvcr", "concrt", "mfcmifc", "mfcm", "mfc", "vcamp", "vcomp"];
    families.into_iter().any(|family| stem.strip_prefix(family).is_some_and(digit))
        || stem.starts_with("msvcp_")
        || matches!(stem, "msvcrt" | "vcomp" | "ucrtbase" | "ucrtbased")
        || stem.starts_with("ucrtbase_")
}

/// The system libraries per architecture.
static SYSTEM_LIBRARIES: LazyLock<HashMap<String, Vec<Arch>>> = LazyLock::new(|| {
    let mut libraries: HashMap<String, Vec<Arch>> = rows().map(|(arches, name)| (name, arches)).collect();
    // Not on Windows 7, where no copy of it would work either (delvewheel).
    libraries.insert("combase.dll".to_owned(), Os::Windows.arches().to_vec());
    libraries
});

fn rows() -> impl Iterator<Item = (Vec<Arch>, String)> {
    SYSTEM.lines().filter(|line| !line.starts_with('#')).flat_map(|line| {
        let mut cells = line.split('\t');
        let arches: Vec<Arch> = cells.next().unwrap_or_default().split(' ').filter_map(Arch::from_machine).collect();
        let names = cells.nth(1).unwrap_or_default().split(' ').filter(|name| !name.is_empty());
        names.map(move |name| {
            let has_extension = name.strip_suffix(".drv").is_some();
            (arches.clone(), if has_extension { name.to_owned() } else { format!("{name}.dll") })
        })
    })
}

/// `python3.dll`, `python313.dll`, `python313t_d.dll`; `libpypy3.11-c.dll`; `python-native.dll` (GraalPy).
fn is_python(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".dll") else { return false };
    if let Some(version) = stem.strip_prefix("libpypy").and_then(|rest| rest.strip_suffix("-c")) {
        return !version.is_empty()
            && version.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    }
    let Some(version) = stem.strip_prefix("python") else { return false };
    let version = version.strip_suffix("_d").unwrap_or(version);
    let version = version.strip_suffix('t').unwrap_or(version);
    stem == "python-native" || (!version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()))
}

/// What every distribution of CPython for Windows has beside `python.exe`: `vcruntime140.dll` since 3.5, and for 64-bit
/// code `vcruntime140_1.dll` since 3.9 (delvewheel's `ignore_by_abi_platform`).
fn carried_by_cpython(arch: Arch, name: &str, minor: u8) -> bool {
    match name {
        "vcruntime140.dll" => minor >= 5,
        "vcruntime140_1.dll" => minor >= 9 && arch != Arch::I686,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Provided::{ApiSet, Python, System, Vcruntime};

    #[test]
    fn what_provides_a_library() {
        for (arch, library, python, by) in [
            (Arch::X86_64, "KERNEL32.dll", None, Some(System)),
            (Arch::Arm64, "ntdll.dll", Some(13), Some(System)),
            (Arch::X86_64, "combase.dll", None, Some(System)),
            (Arch::X86_64, "WINSPOOL.DRV", None, Some(System)),
            (Arch::Arm64, "d3d12.dll", None, Some(System)),
            (Arch::X86_64, "d3d12.dll", None, None),
            (Arch::X86_64, "api-ms-win-crt-heap-l1-1-0.dll", None, Some(ApiSet)),
            (Arch::X86_64, "python3.dll", None, Some(Python)),
            (Arch::X86_64, "python313t.dll", None, Some(Python)),
            (Arch::X86_64, "PYTHON313_D.DLL", None, Some(Python)),
            (Arch::X86_64, "libpypy3.11-c.dll", None, Some(Python)),
            (Arch::X86_64, "libpypy-c.dll", None, None),
            (Arch::X86_64, "pythoncom313.dll", None, None),
            (Arch::X86_64, "python.dll", None, None),
            (Arch::X86_64, "VCRUNTIME140.dll", Some(8), Some(Vcruntime)),
            (Arch::X86_64, "VCRUNTIME140.dll", None, None),
            (Arch::X86_64, "vcruntime140_1.dll", Some(8), None),
            (Arch::X86_64, "vcruntime140_1.dll", Some(9), Some(Vcruntime)),
            (Arch::I686, "vcruntime140_1.dll", Some(13), None),
            (Arch::X86_64, "msvcp140.dll", Some(13), None),
            (Arch::X86_64, "libLLVM-19.dll", Some(13), None),
            (Arch::X86_64, "", Some(13), None),
        ] {
            assert_eq!(provided(arch, library, python), by, "{library} on {arch} with {python:?}");
        }
    }

    #[test]
    fn redistributables() {
        for name in [
            "msvcp140.dll",
            "MSVCP140_1.dll",
            "vcruntime140d.dll",
            "concrt140.dll",
            "vcomp140.dll",
            "mfc140u.dll",
            "ucrtbase.dll",
        ] {
            assert!(is_vc_redistributable(name), "{name}");
        }
        for name in ["msvcp.dll", "msvcp140.so", "kernel32.dll", "libomp140.x86_64.dll", "mfc.dll", ""] {
            assert!(!is_vc_redistributable(name), "{name}");
        }
    }

    #[test]
    fn every_row_has_architectures() {
        assert!(rows().all(|(arches, name)| !arches.is_empty() && name == name.to_ascii_lowercase()));
        assert!(rows().count() > 2000, "{}", rows().count());
    }
}

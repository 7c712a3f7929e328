//! Which Python a binary is for: by the wheel's tags, by its file name, by the Python DLL it imports.

use crate::binary::{Binary, WheelPlace};
use camino::Utf8Path;
use capi::{Build, NEWEST, Python};
use platform::{PythonVersion, TagSet};

/// The oldest Python that is asked where nothing says which one is meant.
pub(crate) const OLDEST_SUPPORTED: u8 = 9;

/// What a tag, a file name or a DLL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// These Pythons and no others.
    Exact(Vec<Python>),
    /// The stable ABI from a floor on, if one is known.
    Stable {
        /// The 9 of cp39.
        floor: Option<u8>,
        /// Which builds.
        builds: Vec<Build>,
    },
    /// Another implementation, whose names nothing is known of.
    Foreign,
    /// Nothing.
    Unstated,
}

/// By which Pythons a binary is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The Pythons, oldest first; none for another implementation.
    pub pythons: Vec<Python>,
    /// It promises the stable ABI.
    pub stable: Option<StableAbi>,
    /// Something says which Pythons are meant.
    pub stated: bool,
    /// The file's name is for a Python that the wheel's tags do not name.
    pub stray: bool,
}

/// A promise of the stable ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StableAbi {
    /// From which minor version on, if that is known.
    pub floor: Option<u8>,
    /// The file alone promises it; the wheel's tag is for exact versions.
    pub by_name_only: bool,
}

/// By which Pythons `binary` is judged; `asked` takes precedence over what it says of itself.
pub(crate) fn by(binary: &Binary, wheel: Option<&WheelPlace>, asked: &[Python]) -> By {
    let of_wheel = wheel.and_then(|wheel| wheel.tags.as_ref()).map_or(Aim::Unstated, of_tags);
    // Where the tags say it, a DLL of another Python is a mistake and no statement.
    let of_file = if of_wheel == Aim::Unstated { of_file(binary) } else { of_file_name(binary.file_name()) };
    if !asked.is_empty() {
        let mut pythons = asked.to_vec();
        pythons.sort();
        let floor = match &of_wheel {
            Aim::Stable { floor, .. } => *floor,
            _ => pythons.first().map(|python| python.minor),
        };
        let stable = matches!(of_wheel, Aim::Stable { .. }) || matches!(of_file, Aim::Stable { .. });
        let stable = stable.then_some(StableAbi { floor, by_name_only: false });
        return By { pythons, stable, stated: true, stray: false };
    }
    let exact = |pythons: Vec<Python>, stray| By { pythons, stable: None, stated: true, stray };
    match (of_wheel, of_file) {
        (Aim::Foreign, _) | (Aim::Unstated, Aim::Foreign) => exact(Vec::new(), false),
        // What another implementation imports is nothing to judge, and nothing that CPython meets.
        (Aim::Exact(_) | Aim::Stable { .. }, Aim::Foreign) => exact(Vec::new(), true),
        (Aim::Exact(wheel), Aim::Exact(file)) => {
            let both: Vec<_> = file.iter().copied().filter(|python| wheel.contains(python)).collect();
            if both.is_empty() { exact(file, true) } else { exact(both, false) }
        }
        (Aim::Exact(wheel), Aim::Stable { .. }) => {
            let floor = wheel.first().map(|python| python.minor);
            let stable = Some(StableAbi { floor, by_name_only: true });
            By { stable, ..exact(wheel, false) }
        }
        (Aim::Exact(wheel), Aim::Unstated) => exact(wheel, false),
        (Aim::Stable { .. }, Aim::Exact(file)) => exact(file, true),
        (Aim::Stable { floor, builds }, _) | (Aim::Unstated, Aim::Stable { floor, builds }) => {
            let stable = Some(StableAbi { floor, by_name_only: false });
            By {
                pythons: from(floor.unwrap_or(OLDEST_SUPPORTED), &builds),
                stable,
                stated: floor.is_some(),
                stray: false,
            }
        }
        (Aim::Unstated, Aim::Exact(file)) => exact(file, false),
        (Aim::Unstated, Aim::Unstated) => {
            By { pythons: from(OLDEST_SUPPORTED, &[Build::Gil]), stable: None, stated: false, stray: false }
        }
    }
}

fn from(floor: u8, builds: &[Build]) -> Vec<Python> {
    let all = Python::all().filter(|python| python.minor >= floor && builds.contains(&python.build));
    let mut pythons: Vec<_> = all.collect();
    if pythons.is_empty() {
        // A floor that is newer than the table: the newest version says most.
        pythons.push(Python::gil(NEWEST));
    }
    pythons.sort();
    pythons
}

/// What a wheel's tags say.
pub(crate) fn of_tags(tags: &TagSet) -> Aim {
    let mut exact = Vec::new();
    let mut stable: Option<(u8, Vec<Build>)> = None;
    let mut foreign = false;
    for tag in tags.expand() {
        let abi = tag.abi.as_str();
        let implementation = tag.python.implementation();
        let Some((3, minor)) = tag.python.version() else { continue };
        match (implementation, abi, minor) {
            ("cp", "abi3" | "abi3t", Some(minor)) => {
                let build = if abi == "abi3" { Build::Gil } else { Build::FreeThreaded };
                let (floor, builds) = stable.get_or_insert_with(|| (minor, Vec::new()));
                *floor = minor.min(*floor);
                if !builds.contains(&build) {
                    builds.push(build);
                }
            }
            ("cp", "none", Some(minor)) => exact.push(Python::gil(minor)),
            ("cp", abi, _) => exact.extend(of_abi(abi)),
            ("py", ..) => {}
            _ => foreign = true,
        }
    }
    exact.sort();
    exact.dedup();
    match stable {
        Some((floor, builds)) => Aim::Stable { floor: Some(floor), builds },
        None if !exact.is_empty() => Aim::Exact(exact),
        None if foreign => Aim::Foreign,
        None => Aim::Unstated,
    }
}

/// Whether an installer puts a wheel of these tags into a Python: `cp313-cp313`, `cp39-abi3`, `py3-none`, `cp313-none`.
pub(crate) fn takes(tags: &TagSet, python: Python) -> bool {
    tags.expand().any(|tag| {
        let abi = tag.abi.as_str();
        match (tag.python.implementation(), tag.python.version()) {
            ("py", Some((3, minor))) => abi == "none" && minor.is_none_or(|minor| minor <= python.minor),
            ("cp", Some((3, minor))) => match abi {
                "none" => minor == Some(python.minor),
                "abi3" => minor.is_none_or(|minor| minor <= python.minor) && python.build == Build::Gil,
                "abi3t" => minor.is_none_or(|minor| minor <= python.minor),
                abi => of_abi(abi) == Some(python),
            },
            _ => false,
        }
    })
}

/// `cp313`, `cp313t`, `cp37m`, also with the `d` of debug builds.
fn of_abi(abi: &str) -> Option<Python> {
    let rest = abi.strip_prefix("cp3")?;
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let minor = digits.parse().ok()?;
    let flags = rest.get(digits.len()..)?;
    Some(if flags.contains('t') { Python::free_threaded(minor) } else { Python::gil(minor) })
}

/// What the file itself says: its name, the DLL it imports, the folder it was built in.
fn of_file(binary: &Binary) -> Aim {
    let by_name = of_file_name(binary.file_name());
    if by_name != Aim::Unstated {
        return by_name;
    }
    let by_dll = binary.facts.needed.iter().find_map(|needed| python_dll(needed)).map(|dll| match dll.minor {
        Some(minor) => Aim::Exact(vec![Python { minor, build: dll.build }]),
        None => Aim::Stable { floor: None, builds: vec![dll.build] },
    });
    by_dll.unwrap_or_else(|| of_folders(&binary.file))
}

/// By the suffix that CPython's import system looks for: `importlib.machinery.EXTENSION_SUFFIXES`.
pub(crate) fn of_file_name(name: &str) -> Aim {
    let mut parts = name.split('.');
    let last = parts.next_back();
    if !matches!(last, Some("so" | "pyd")) {
        return Aim::Unstated;
    }
    match parts.skip(1).last() {
        Some("abi3") => Aim::Stable { floor: None, builds: vec![Build::Gil] },
        Some("abi3t") => Aim::Stable { floor: None, builds: vec![Build::FreeThreaded] },
        Some(part) if part.starts_with("pypy") || part.starts_with("graalpy") => Aim::Foreign,
        Some(part) => {
            let abi = part.split('-').nth(usize::from(part.starts_with("cpython-"))).unwrap_or_default();
            let abi = if part.starts_with("cpython-") { format!("cp{abi}") } else { abi.to_owned() };
            of_abi(&abi).map_or(Aim::Unstated, |python| Aim::Exact(vec![python]))
        }
        None => Aim::Unstated,
    }
}

/// Build trees carry the version in a folder's name: `temp.linux-x86_64-cpython-313`, `cp313-cp313-linux_x86_64`.
fn of_folders(path: &Utf8Path) -> Aim {
    let of_folder = |folder: &str| {
        let words: Vec<_> = folder.split(['-', '.']).collect();
        let after_cpython = words.windows(2).find(|pair| pair.first() == Some(&"cpython")).and_then(|pair| pair.get(1));
        let abi = match after_cpython {
            Some(digits) => format!("cp{digits}"),
            None => (*words.iter().rev().find(|word| word.starts_with("cp3"))?).to_owned(),
        };
        of_abi(&abi)
    };
    let folders = path.parent().into_iter().flat_map(Utf8Path::components);
    let found: Vec<_> = folders.filter_map(|folder| of_folder(folder.as_str())).collect();
    found.last().map_or(Aim::Unstated, |python| Aim::Exact(vec![*python]))
}

/// A Python DLL: `python313.dll`, `python313t.dll`, `python3.dll`, `python3t.dll`, with `_d` for debug builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PythonDll {
    pub(crate) minor: Option<u8>,
    pub(crate) build: Build,
    pub(crate) debug: bool,
}

pub(crate) fn python_dll(name: &str) -> Option<PythonDll> {
    let name = name.to_ascii_lowercase();
    let rest = name.strip_prefix("python3")?.strip_suffix(".dll")?;
    let (rest, debug) = rest.strip_suffix("_d").map_or((rest, false), |rest| (rest, true));
    let (rest, build) = rest.strip_suffix('t').map_or((rest, Build::Gil), |rest| (rest, Build::FreeThreaded));
    let minor = if rest.is_empty() { None } else { Some(rest.parse().ok()?) };
    Some(PythonDll { minor, build, debug })
}

/// Whether a needed library is Python itself.
pub(crate) fn is_python_library(needed: &str) -> bool {
    let name = needed.rsplit(['/', '\\']).next().unwrap_or(needed);
    python_dll(name).is_some()
        || name.strip_prefix("libpython").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        || (name == "Python" && needed.contains("Python.framework"))
        || name == "Python3" && needed.contains("Python3.framework")
}

/// As wheels spell it: `cp313`, `cp313t`.
pub(crate) fn tag(python: Python) -> String {
    let version = PythonVersion::new(3, python.minor);
    match python.build {
        Build::Gil => version,
        Build::FreeThreaded => version.without_gil(),
    }
    .to_string()
}

/// For people: `3.9-3.11, 3.13t`.
pub(crate) fn spoken(pythons: &[Python]) -> String {
    let minors = |build| -> capi::Versions {
        pythons.iter().filter(|python| python.build == build).map(|python| python.minor).collect()
    };
    let mut parts = Vec::new();
    let gil = minors(Build::Gil);
    if !gil.is_empty() {
        parts.push(gil.to_string());
    }
    parts.extend(minors(Build::FreeThreaded).iter().map(|minor| format!("3.{minor}t")));
    parts.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn file_names_tell() {
        let gil = |minor| Aim::Exact(vec![Python::gil(minor)]);
        let table = [
            ("_core.cpython-313-x86_64-linux-gnu.so", gil(13)),
            ("_core.cpython-39-darwin.so", gil(9)),
            ("_core.cpython-313t-darwin.so", Aim::Exact(vec![Python::free_threaded(13)])),
            ("_core.cpython-38m-darwin.so", gil(8)),
            ("_core.cp313-win_amd64.pyd", gil(13)),
            ("_core.cp314t-win_amd64.pyd", Aim::Exact(vec![Python::free_threaded(14)])),
            ("_core.abi3.so", Aim::Stable { floor: None, builds: vec![Build::Gil] }),
            ("_core.abi3t.so", Aim::Stable { floor: None, builds: vec![Build::FreeThreaded] }),
            ("_core.pypy311-pp73-x86_64-linux-gnu.so", Aim::Foreign),
            ("_core.so", Aim::Unstated),
            ("_core.pyd", Aim::Unstated),
            ("libLLVM.so.19.1", Aim::Unstated),
            ("abi3.so", Aim::Unstated),
            ("cpython-313.o", Aim::Unstated),
        ];
        for (name, aim) in table {
            assert_eq!(of_file_name(name), aim, "{name}");
        }
    }

    #[test]
    fn tags_tell() {
        let exact = |pythons: &[Python]| Aim::Exact(pythons.to_vec());
        let table = [
            ("cp313-cp313-win_amd64", exact(&[Python::gil(13)])),
            ("cp313-cp313t-win_amd64", exact(&[Python::free_threaded(13)])),
            ("cp37-cp37m-win_amd64", exact(&[Python::gil(7)])),
            ("cp39-abi3-win_amd64", Aim::Stable { floor: Some(9), builds: vec![Build::Gil] }),
            ("cp310.cp39-abi3-win_amd64", Aim::Stable { floor: Some(9), builds: vec![Build::Gil] }),
            (
                "cp315-abi3.abi3t-win_amd64",
                Aim::Stable { floor: Some(15), builds: vec![Build::Gil, Build::FreeThreaded] },
            ),
            ("py3-none-win_amd64", Aim::Unstated),
            ("cp312-none-win_amd64", exact(&[Python::gil(12)])),
            ("pp311-pypy311_pp73-win_amd64", Aim::Foreign),
        ];
        for (tags, aim) in table {
            assert_eq!(of_tags(&tags.parse().unwrap()), aim, "{tags}");
        }
    }

    #[test]
    fn tags_take_pythons() {
        let (gil, free) = (Python::gil, Python::free_threaded);
        for (tags, python, taken) in [
            ("cp312-cp312-win_amd64", gil(12), true),
            ("cp312-cp312-win_amd64", gil(13), false),
            ("cp313-cp313-win_amd64", free(13), false),
            ("cp313-cp313t-win_amd64", free(13), true),
            ("cp39-abi3-win_amd64", gil(13), true),
            ("cp39-abi3-win_amd64", free(13), false),
            ("cp313-abi3-win_amd64", gil(12), false),
            ("cp315-abi3.abi3t-win_amd64", free(15), true),
            ("py3-none-any", gil(13), true),
            ("py2.py3-none-any", free(14), true),
            ("py313-none-any", gil(12), false),
            ("cp312-none-win_amd64", gil(12), true),
            ("cp312-none-win_amd64", gil(13), false),
            ("py2-none-any", gil(13), false),
            ("pp311-pypy311_pp73-win_amd64", gil(11), false),
            ("cp312.cp313-cp312.cp313-win_amd64", gil(13), true),
        ] {
            assert_eq!(takes(&tags.parse().unwrap(), python), taken, "{tags} {python:?}");
        }
    }

    #[test]
    fn folders_tell() {
        let table = [
            ("build/temp.linux-x86_64-cpython-313/a.o", Aim::Exact(vec![Python::gil(13)])),
            ("build/cp312-cp312-linux_x86_64/a.o", Aim::Exact(vec![Python::gil(12)])),
            ("build/cp313-cp313t-linux_x86_64/a.o", Aim::Exact(vec![Python::free_threaded(13)])),
            ("build/Release/cp3po/a.o", Aim::Unstated),
        ];
        for (path, aim) in table {
            assert_eq!(of_folders(Utf8Path::new(path)), aim, "{path}");
        }
    }

    #[test]
    fn libraries_tell() {
        for name in [
            "python313.dll",
            "PYTHON39.DLL",
            "python3.dll",
            "python313t_d.dll",
            "libpython3.13.so.1.0",
            "@rpath/libpython3.12.dylib",
            "/Library/Frameworks/Python.framework/Versions/3.13/Python",
        ] {
            assert!(is_python_library(name), "{name}");
        }
        for name in ["python.dll", "python3x.dll", "libpythonic.so", "/usr/lib/Python", "pythoncom313.dll"] {
            assert!(!is_python_library(name), "{name}");
        }
    }
}

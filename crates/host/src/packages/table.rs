//! What each package manager calls what we need. Names as of 2026; where they are from:
//!
//! | manager | source |
//! |---|---|
//! | apt | `apt-cache`, Debian 12 and 13, Ubuntu 24.04; apt.llvm.org names its packages alike |
//! | dnf | the spec files of Fedora's `llvm` (`llvm-devel`, compatibility packages `llvm19-devel`) and `python3.X`; RHEL 8 and 9 have `llvm-devel` in AppStream, `llvm-static` and `libedit-devel` in CRB (PowerTools on 8), `patchelf` in EPEL; the manylinux images have EPEL and CRB switched on |
//! | apk | pkgs.alpinelinux.org: one Python per release, `llvmN-dev`, `llvmN-static` |
//! | brew | homebrew-core: `llvm@N` has libLLVM and the archives; the newest is `llvm`, which `llvm@N` is an alias of |
//! | winget | microsoft/winget-pkgs: `LLVM.LLVM` is the Windows installer, see [`super::why`] |
//! | choco | community.chocolatey.org: `visualstudio2022-workload-vctools` depends on `visualstudio2022buildtools`; `python313` |
//! | conda | conda-forge/llvmdev-feedstock: `llvmdev` has headers, archives and CMake files, libLLVM besides except on Windows |

use super::{ManagerKind, Need, PackageManager};
use llvm::{Linkage, SERIES, VersionRange};
use platform::Os;

/// The columns of [`PACKAGES`].
const COLUMNS: [ManagerKind; 7] = ManagerKind::ALL;

/// One row per need: its key, then packages per manager in the order of [`COLUMNS`], separated by spaces. `{v}` is the
/// series or major number (`{V}` without the dot), `{llvm}` and `{llvm-static}` what the manager itself calls that LLVM.
/// `-` means that the manager has nothing, an empty text that nothing has to be installed.
const PACKAGES: &[(&str, [&str; 7])] = &[
    // need               apt                          dnf                          apk                  brew                 winget                                  choco                               conda
    (
        "cxx-compiler",
        [
            "g++ make",
            "gcc-c++ make",
            "g++ make",
            "-",
            "Microsoft.VisualStudio.2022.BuildTools",
            "visualstudio2022-workload-vctools",
            "cxx-compiler make",
        ],
    ),
    ("git", ["git", "git", "git", "git", "Git.Git", "git", "git"]),
    ("bubblewrap", ["bubblewrap", "bubblewrap", "bubblewrap", "-", "-", "-", "-"]),
    ("patchelf", ["patchelf", "patchelf", "patchelf", "patchelf", "-", "-", "patchelf"]),
    ("python", ["python{v}", "python{v}", "python3", "python@{v}", "Python.Python.{v}", "python{V}", "python={v}"]),
    ("python-venv", ["python{v}-venv", "python{v}", "py3-pip", "", "", "", ""]),
    ("python-headers", ["python{v}-dev", "python{v}-devel", "python3-dev", "", "", "", ""]),
    ("llvm-shared", ["llvm-{v}-dev", "{llvm}", "llvm{v}-dev", "llvm@{v}", "-", "-", "llvmdev={v}"]),
    (
        "llvm-static",
        ["llvm-{v}-dev", "{llvm} {llvm-static}", "llvm{v}-dev llvm{v}-static", "llvm@{v}", "-", "-", "llvmdev={v}"],
    ),
    // What find_package in LLVMConfig.cmake names. Debian's llvm-N-dev does not depend on all of them.
    ("cmake:FFI", ["libffi-dev", "libffi-devel", "libffi-dev", "libffi", "-", "-", "libffi"]),
    ("cmake:Terminfo", ["libncurses-dev", "ncurses-devel", "ncurses-dev", "ncurses", "-", "-", "ncurses"]),
    ("cmake:LibEdit", ["libedit-dev", "libedit-devel", "libedit-dev", "libedit", "-", "-", "libedit"]),
    ("cmake:ZLIB", ["zlib1g-dev", "zlib-devel", "zlib-dev", "zlib", "-", "-", "zlib"]),
    ("cmake:zstd", ["libzstd-dev", "libzstd-devel", "zstd-dev", "zstd", "-", "-", "zstd"]),
    ("cmake:LibXml2", ["libxml2-dev", "libxml2-devel", "libxml2-dev", "libxml2", "-", "-", "libxml2-devel"]),
    ("cmake:CURL", ["libcurl4-openssl-dev", "libcurl-devel", "curl-dev", "curl", "-", "-", "libcurl"]),
    ("cmake:Z3", ["libz3-dev", "z3-devel", "z3-dev", "z3", "-", "-", "z3"]),
    (
        "cmake:httplib",
        ["libcpp-httplib-dev", "cpp-httplib-devel", "cpp-httplib", "cpp-httplib", "-", "-", "cpp-httplib"],
    ),
];

/// Where a manager that runs on several systems has something else on one of them.
const EXCEPTIONS: &[(ManagerKind, Os, &str, &str)] = &[
    // Apple's SDK has these, and CMake finds them there.
    (ManagerKind::Brew, Os::MacOs, "cmake:FFI", ""),
    (ManagerKind::Brew, Os::MacOs, "cmake:Terminfo", ""),
    (ManagerKind::Brew, Os::MacOs, "cmake:LibEdit", ""),
    (ManagerKind::Brew, Os::MacOs, "cmake:ZLIB", ""),
    (ManagerKind::Brew, Os::MacOs, "cmake:LibXml2", ""),
    (ManagerKind::Brew, Os::MacOs, "cmake:CURL", ""),
    (ManagerKind::Brew, Os::Linux, "cxx-compiler", "gcc make"),
    (ManagerKind::Conda, Os::Windows, "cxx-compiler", "-"),
    (ManagerKind::Conda, Os::Windows, "llvm-shared", "-"),
    (ManagerKind::Conda, Os::Windows, "patchelf", "-"),
    (ManagerKind::Conda, Os::Windows, "cmake:Terminfo", "-"),
    (ManagerKind::Conda, Os::Windows, "cmake:LibEdit", "-"),
];

/// LLVMs that a manager is known to have without being asked: of each release series the newest.
///
/// conda-forge never takes a package away. homebrew-core had these formulae in 2026; it takes one away years after its
/// last release. Both have a new series within weeks.
const OFFERS: &[(ManagerKind, std::ops::RangeInclusive<u32>)] =
    &[(ManagerKind::Brew, 15..=*SERIES.end()), (ManagerKind::Conda, SERIES)];

/// The packages that a need means for a manager; `None` if it has none for it.
pub(crate) fn packages(manager: &PackageManager, need: &Need) -> Option<Vec<String>> {
    if let Need::Package(name) = need {
        return Some(vec![name.clone()]);
    }
    let (key, version) = key(need);
    let names = match need {
        // A series that came after this table was written: the newest that there is.
        Need::Llvm { major, .. } if manager.kind == ManagerKind::Brew && major > SERIES.end() => "llvm",
        _ => text(manager.kind, manager.os(), &key)?,
    };
    let names = names.replace("{v}", &version).replace("{V}", &version.replace('.', ""));
    if !names.contains("{llvm") {
        return Some(names.split_whitespace().map(str::to_owned).collect());
    }
    let llvm = own_llvm(manager, &version)?;
    let archives = llvm.strip_suffix("-devel").map_or_else(|| llvm.clone(), |start| format!("{start}-static"));
    let names = names.replace("{llvm-static}", &archives).replace("{llvm}", &llvm);
    Some(names.split_whitespace().map(str::to_owned).collect())
}

/// What the manager calls the LLVM of this series: as it said itself; where it was not asked, its newest.
fn own_llvm(manager: &PackageManager, major: &str) -> Option<String> {
    if manager.llvm.is_empty() {
        return Some("llvm-devel".to_owned());
    }
    let candidate = manager.llvm.iter().find(|candidate| candidate.version.major.to_string() == major)?;
    Some(candidate.package.clone())
}

fn text(kind: ManagerKind, os: Os, key: &str) -> Option<&'static str> {
    let exception = EXCEPTIONS.iter().find(|row| (row.0, row.1, row.2) == (kind, os, key)).map(|row| row.3);
    let column = COLUMNS.iter().position(|known| *known == kind)?;
    let ordinary = || PACKAGES.iter().find(|(known, _)| *known == key).and_then(|(_, row)| row.get(column).copied());
    exception.or_else(ordinary).filter(|names| *names != "-")
}

/// The release series of LLVM that the manager has although it was not asked.
pub(crate) fn offered(manager: &PackageManager) -> impl DoubleEndedIterator<Item = u32> {
    let rows = OFFERS.iter().filter(|(kind, _)| *kind == manager.kind);
    rows.flat_map(|(_, majors)| majors.clone())
}

/// A series newer than every one that is known here, where a manager has a package for whatever is the newest, and a range goes
/// on above.
pub(crate) fn unknown_newest(manager: &PackageManager, range: &VersionRange) -> Option<u32> {
    (manager.kind == ManagerKind::Brew).then(|| range.first_major_above(*SERIES.end())).flatten()
}

/// Every package of a manager's column that has no version in its name: what to ask about being installed.
pub(crate) fn unversioned(kind: ManagerKind) -> impl Iterator<Item = &'static str> {
    words(kind).filter(|name| !name.contains('{'))
}

/// Whether a package is one of a manager's column, whatever its version.
pub(crate) fn is_ours(kind: ManagerKind, package: &str) -> bool {
    words(kind).any(|pattern| match pattern {
        "{llvm}" | "{llvm-static}" => {
            package.starts_with("llvm") && (package.ends_with("-devel") || package.ends_with("-static"))
        }
        _ => fits(super::asked::name(kind, pattern), package) || kind == ManagerKind::Brew && package == "llvm",
    })
}

/// `python{v}-dev` fits `python3.11-dev`.
fn fits(pattern: &str, package: &str) -> bool {
    let Some((before, after)) = pattern.split_once(['{']) else { return pattern.eq_ignore_ascii_case(package) };
    let after = after.split_once('}').map_or("", |(_, after)| after);
    let number = package.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

fn words(kind: ManagerKind) -> impl Iterator<Item = &'static str> {
    let column = COLUMNS.iter().position(|known| *known == kind);
    let ordinary = PACKAGES.iter().filter_map(move |(_, row)| row.get(column?).copied());
    let exceptions = EXCEPTIONS.iter().filter(move |row| row.0 == kind).map(|row| row.3);
    ordinary.chain(exceptions).flat_map(str::split_whitespace).filter(|name| *name != "-")
}

/// The row of a need and the version that it fills in.
pub(crate) fn key(need: &Need) -> (String, String) {
    let plain = |key: &str| (key.to_owned(), String::new());
    match need {
        Need::CxxCompiler => plain("cxx-compiler"),
        Need::Git => plain("git"),
        Need::Bubblewrap => plain("bubblewrap"),
        Need::Patchelf => plain("patchelf"),
        Need::Python(series) => ("python".to_owned(), series.clone()),
        Need::PythonVenv(series) => ("python-venv".to_owned(), series.clone()),
        Need::PythonHeaders(series) => ("python-headers".to_owned(), series.clone()),
        Need::Llvm { major, linkage: Linkage::Shared } => ("llvm-shared".to_owned(), major.to_string()),
        Need::Llvm { major, linkage: Linkage::Static } => ("llvm-static".to_owned(), major.to_string()),
        Need::CmakePackage(name) => plain(&format!("cmake:{name}")),
        Need::Package(name) => plain(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours() {
        for (kind, package, ours) in [
            (ManagerKind::Apt, "python3.11-dev", true),
            (ManagerKind::Apt, "python-dev", false),
            (ManagerKind::Apt, "llvm-19-dev", true),
            (ManagerKind::Apt, "llvm-19-tools", false),
            (ManagerKind::Dnf, "llvm-devel", true),
            (ManagerKind::Dnf, "llvm19-static", true),
            (ManagerKind::Dnf, "python3.12", true),
            (ManagerKind::Brew, "llvm", true),
            (ManagerKind::Brew, "llvm@19", true),
            (ManagerKind::Brew, "gcc", true),
            (ManagerKind::Brew, "wget", false),
            (ManagerKind::Conda, "llvmdev", true),
            (ManagerKind::Conda, "python", true),
            (ManagerKind::Conda, "python_abi", false),
            (ManagerKind::Choco, "Git", true),
            (ManagerKind::Choco, "python313", true),
        ] {
            assert_eq!(is_ours(kind, package), ours, "{kind} {package}");
        }
    }

    #[test]
    fn every_exception_is_of_a_row() {
        for (kind, os, key, _) in EXCEPTIONS {
            assert!(PACKAGES.iter().any(|(known, _)| known == key), "{kind} {os:?} {key}");
        }
    }
}

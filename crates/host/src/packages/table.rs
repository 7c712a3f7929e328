//! What each package manager is called with, and what it calls what we need.

use super::{ManagerKind, Need, PackageManager};
use llvm::Linkage;

/// How a manager is used.
pub(crate) struct ManagerFacts {
    pub(crate) kind: ManagerKind,
    /// Programs, in the order of preference.
    pub(crate) programs: &'static [&'static str],
    /// Words before the packages.
    pub(crate) install: &'static [&'static str],
    /// Words that fetch the lists; none if the manager does so by itself.
    pub(crate) update: &'static [&'static str],
    /// What keeps it from asking questions.
    pub(crate) env: &'static [(&'static str, &'static str)],
    /// Whether only root may install. Homebrew refuses root.
    pub(crate) wants_root: bool,
}

/// Every manager, in the order of [`ManagerKind::ALL`].
pub(crate) const MANAGERS: [ManagerFacts; 6] = [
    ManagerFacts {
        kind: ManagerKind::Apt,
        programs: &["apt-get"],
        install: &["install", "-y", "--no-install-recommends"],
        update: &["update"],
        env: &[("DEBIAN_FRONTEND", "noninteractive")],
        wants_root: true,
    },
    ManagerFacts {
        kind: ManagerKind::Dnf,
        programs: &["dnf", "microdnf", "yum"],
        install: &["install", "-y"],
        update: &[],
        env: &[],
        wants_root: true,
    },
    ManagerFacts {
        kind: ManagerKind::Apk,
        programs: &["apk"],
        install: &["add"],
        update: &["update"],
        env: &[],
        wants_root: true,
    },
    ManagerFacts {
        kind: ManagerKind::Brew,
        programs: &["brew"],
        install: &["install"],
        update: &[],
        env: &[("HOMEBREW_NO_AUTO_UPDATE", "1"), ("NONINTERACTIVE", "1")],
        wants_root: false,
    },
    ManagerFacts {
        kind: ManagerKind::Choco,
        programs: &["choco"],
        install: &["install", "-y"],
        update: &[],
        env: &[],
        wants_root: false,
    },
    ManagerFacts {
        kind: ManagerKind::Conda,
        programs: &["micromamba", "mamba", "conda"],
        install: &["install", "-y", "-c", "conda-forge"],
        update: &[],
        env: &[],
        wants_root: false,
    },
];

/// The row of a manager.
pub(crate) fn facts(kind: ManagerKind) -> &'static ManagerFacts {
    let index = ManagerKind::ALL.iter().position(|known| *known == kind).unwrap_or(0);
    MANAGERS.get(index).unwrap_or(&MANAGERS[0])
}

/// The columns of [`PACKAGES`].
const COLUMNS: [ManagerKind; 6] = ManagerKind::ALL;

/// One row per need: its key, then packages per manager in the order of [`COLUMNS`], separated by spaces. `{v}` is the
/// series or major number (`{V}` without the dot). `-` means that the manager has nothing, an empty text that
/// nothing has to be installed.
const PACKAGES: &[(&str, [&str; 6])] = &[
    // need               apt                          dnf                          apk                  brew                 choco                                  conda
    (
        "cxx-compiler",
        ["g++ make", "gcc-c++ make", "g++ make", "", "visualstudio2022-workload-vctools", "cxx-compiler make"],
    ),
    ("git", ["git", "git", "git", "git", "git", "git"]),
    ("bubblewrap", ["bubblewrap", "bubblewrap", "bubblewrap", "-", "-", "-"]),
    ("patchelf", ["patchelf", "patchelf", "patchelf", "patchelf", "-", "patchelf"]),
    ("python", ["python{v}", "python{v}", "python3", "python@{v}", "python{V}", "python={v}"]),
    ("python-venv", ["python{v}-venv", "python{v}", "py3-pip", "", "", ""]),
    ("python-headers", ["python{v}-dev", "python{v}-devel", "python3-dev", "", "", ""]),
    ("llvm-shared", ["llvm-{v}-dev", "llvm-devel", "llvm{v}-dev", "llvm@{v}", "-", "llvmdev={v}"]),
    (
        "llvm-static",
        ["llvm-{v}-dev", "llvm-devel llvm-static", "llvm{v}-dev llvm{v}-static", "llvm@{v}", "-", "llvmdev={v}"],
    ),
    // What find_package in LLVMConfig.cmake names. Debian's llvm-N-dev does not depend on all of them.
    ("cmake:FFI", ["libffi-dev", "libffi-devel", "libffi-dev", "libffi", "-", "libffi"]),
    ("cmake:Terminfo", ["libncurses-dev", "ncurses-devel", "ncurses-dev", "ncurses", "-", "ncurses"]),
    ("cmake:LibEdit", ["libedit-dev", "libedit-devel", "libedit-dev", "libedit", "-", "libedit"]),
    ("cmake:ZLIB", ["zlib1g-dev", "zlib-devel", "zlib-dev", "zlib", "-", "zlib"]),
    ("cmake:zstd", ["libzstd-dev", "libzstd-devel", "zstd-dev", "zstd", "-", "zstd"]),
    ("cmake:LibXml2", ["libxml2-dev", "libxml2-devel", "libxml2-dev", "libxml2", "-", "libxml2"]),
    ("cmake:CURL", ["libcurl4-openssl-dev", "libcurl-devel", "curl-dev", "curl", "-", "libcurl"]),
    ("cmake:Z3", ["libz3-dev", "z3-devel", "z3-dev", "z3", "-", "z3"]),
    ("cmake:httplib", ["libcpp-httplib-dev", "cpp-httplib-devel", "cpp-httplib", "cpp-httplib", "-", "cpp-httplib"]),
];

/// The packages that a need means for a manager; `None` if it has none for it.
pub(crate) fn packages(manager: &PackageManager, need: &Need) -> Option<Vec<String>> {
    if let Need::Package(name) = need {
        return Some(vec![name.clone()]);
    }
    let (key, version) = key(need);
    let column = COLUMNS.iter().position(|kind| *kind == manager.kind)?;
    let (_, row) = PACKAGES.iter().find(|(known, _)| *known == key)?;
    let names = row.get(column).filter(|names| **names != "-")?;
    let names = names.replace("{v}", &version).replace("{V}", &version.replace('.', ""));
    Some(names.split_whitespace().map(str::to_owned).collect())
}

/// Every package of a manager's column that has no version in its name: what to ask about being installed.
pub(crate) fn unversioned(kind: ManagerKind) -> impl Iterator<Item = &'static str> {
    let column = COLUMNS.iter().position(|known| *known == kind);
    PACKAGES
        .iter()
        .filter_map(move |(_, row)| row.get(column?))
        .flat_map(|names| names.split_whitespace())
        .filter(|name| !name.contains('{') && *name != "-")
}

fn key(need: &Need) -> (String, String) {
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

//! Why a package manager has nothing for a need, and where it is to be had instead.

use super::{ManagerKind, Need, PackageManager, table};
use ManagerKind::{Apk, Apt, Brew, Choco, Conda, Dnf, Winget};

/// Rows: the need's key (or what stands before its colon), managers, the reason. `{v}` is the version.
///
/// That LLVM's Windows installer, which winget and choco run, is a compiler without LLVMConfig.cmake and without the
/// libraries: llvm/llvm-project#53052, #66608.
const REASONS: &[(&str, &[ManagerKind], &str)] = &[
    (
        "llvm-shared",
        &[Winget, Choco],
        "its LLVM is the compiler alone, without LLVMConfig.cmake and libraries; on Windows LLVM is linked statically \
         (`llvm: { linkage: static }`), and conda-forge has that: `conda create -n llvm --override-channels -c conda-forge llvmdev={v}`, \
         then `conda activate llvm`",
    ),
    (
        "llvm-static",
        &[Winget, Choco],
        "its LLVM is the compiler alone, without LLVMConfig.cmake and libraries; conda-forge has both: \
         `conda create -n llvm --override-channels -c conda-forge llvmdev={v}`, then `conda activate llvm`",
    ),
    (
        "llvm-shared",
        &[Conda],
        "on Windows conda-forge's `llvmdev` has static libraries and LLVM-C.dll alone: `llvm: { linkage: static }`",
    ),
    ("cxx-compiler", &[Brew], "on macOS it is Apple's: `xcode-select --install`"),
    (
        "cxx-compiler",
        &[Conda],
        "on Windows conda's compiler packages use the Visual Studio that is installed: \
         `winget install --id Microsoft.VisualStudio.2022.BuildTools`, with the workload for C++",
    ),
    ("bubblewrap", &[Brew, Winget, Choco, Conda], "it is taken from a Linux system's own packages alone"),
    ("patchelf", &[Winget, Choco, Conda], "it is for ELF files; nothing on Windows needs it"),
    ("cmake", &[Winget, Choco], "it installs programs, not libraries to link with; conda-forge has it"),
    ("cmake:Terminfo", &[Conda], NOT_FOR_WINDOWS),
    ("cmake:LibEdit", &[Conda], NOT_FOR_WINDOWS),
    ("cmake", &[Apt, Dnf, Apk, Brew, Conda], "its package is not in this program's table; name it under `provision:`"),
];

/// Where packages come from that a manager does not find as it is set up: manager, packages (`*` for any ending), what
/// helps.
const ELSEWHERE: &[(ManagerKind, &[&str], &str)] = &[
    (
        Dnf,
        &["llvm-static", "libedit-devel", "z3-devel"],
        "on RHEL and its likes it is in CRB, which is off at first: `dnf install -y dnf-plugins-core && \
         dnf config-manager --set-enabled crb` (`powertools` on version 8)",
    ),
    (Dnf, &["patchelf", "cpp-httplib-devel"], "on RHEL and its likes it is in EPEL: `dnf install -y epel-release`"),
    (Apt, &["llvm-*"], "other releases of LLVM for Debian and Ubuntu are at apt.llvm.org"),
    (Apt, &["python3.*"], "a Debian or Ubuntu has one Python; others come from `uv python install` or pyenv"),
    (
        Apk,
        &["bubblewrap", "patchelf", "llvm*"],
        "it may be in Alpine's `community` repository: see /etc/apk/repositories",
    ),
    (Winget, &["Python.Python.*"], "`winget search --id Python.Python` lists the releases that there are"),
    (Choco, &["python3*"], "the Python releases are listed by `choco search python3 --by-id-only`"),
];

/// What may be wrong where packages are there and what they are for is not.
const IN_VAIN: &[(ManagerKind, &str, &str)] = &[
    (Winget, "Microsoft.VisualStudio.2022.BuildTools", WITHOUT_COMPILER),
    (Choco, "visualstudio2022-workload-vctools", WITHOUT_COMPILER),
];

const WITHOUT_COMPILER: &str = "the Build Tools are there without their compiler: in the Visual Studio Installer choose Modify and add \
    `Desktop development with C++`";

/// What may be wrong where these packages are there and what they are for is not.
pub(crate) fn in_vain(manager: &PackageManager, packages: &[String]) -> Option<&'static str> {
    let row = |package: &String| IN_VAIN.iter().find(|row| row.0 == manager.kind && row.1 == package);
    packages.iter().find_map(row).map(|row| row.2)
}

/// Where one of these packages, which were not found, is to be had.
pub(crate) fn elsewhere(manager: &PackageManager, missing: &[&str]) -> Option<String> {
    let fits = |known: &str, package: &str| match known.strip_suffix('*') {
        Some(start) => package.starts_with(start),
        None => package == known,
    };
    missing.iter().find_map(|package| {
        let row =
            ELSEWHERE.iter().find(|row| row.0 == manager.kind && row.1.iter().any(|known| fits(known, package)))?;
        Some(format!("`{package}`: {}", row.2))
    })
}

const NOT_FOR_WINDOWS: &str = "conda-forge does not have it for Windows, where LLVM does not use it";

/// The reason, where one is known.
pub(crate) fn reason(manager: &PackageManager, need: &Need) -> Option<String> {
    let (key, version) = table::key(need);
    if matches!(need, Need::Llvm { .. }) && !manager.llvm.is_empty() && manager.kind == Dnf {
        let majors: Vec<String> = manager.llvm.iter().map(|candidate| candidate.version.major.to_string()).collect();
        return Some(format!("its repositories have LLVM {}", majors.join(", ")));
    }
    let group = key.split_once(':').map_or(key.as_str(), |(group, _)| group);
    let row = |wanted: &str| REASONS.iter().find(|row| row.0 == wanted && row.1.contains(&manager.kind));
    let row = row(&key).or_else(|| row(group))?;
    Some(row.2.replace("{v}", &version))
}

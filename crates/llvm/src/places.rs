//! The places where LLVM is installed, as data: per system, below what, and what is said of those that are not for
//! building.

use camino::Utf8Path;
use platform::Os;

use crate::Origin;

/// Folders below a file system's root.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Where it is looked at.
    pub systems: &'static [Os],
    /// The prefixes, with at most one `*` in a part.
    pub pattern: &'static str,
    /// What is said when the folder is there and has no files to build with; without it only a library that lies there is
    /// named.
    pub otherwise: Option<&'static str>,
}

const LINUX: &[Os] = &[Os::Linux];
const MACOS: &[Os] = &[Os::MacOs];
const POSIX: &[Os] = &[Os::Linux, Os::MacOs];
const WINDOWS: &[Os] = &[Os::Windows];

const APPLES: &str = "Apple's toolchain is built with an LLVM and has none to build with; `brew install llvm` has";
const OF_INSTALLER: &str = "llvm.org's installer brings programs and LLVM-C.dll, neither CMake files nor static libraries; the \
    archive `clang+llvm-<version>-x86_64-pc-windows-msvc.tar.xz` of the same release has them, as conda's `llvmdev` has";
const OF_MSYS2: &str = "it is MSYS2's, made with MinGW: what is compiled for python.org's Python does not link to it";

const fn place(systems: &'static [Os], pattern: &'static str) -> Place {
    Place { systems, pattern, otherwise: None }
}

/// Below a root.
pub const SYSTEM_PLACES: &[Place] = &[
    // Debian, Ubuntu (llvm-19); Alpine, Arch's older ones (llvm19)
    place(LINUX, "usr/lib/llvm*"),
    // RHEL, Fedora: the default in /usr, others beside it
    place(LINUX, "usr/lib64/llvm*"),
    place(LINUX, "usr"),
    // what people install by hand or from llvm.org
    place(POSIX, "usr/local"),
    place(POSIX, "usr/local/llvm*"),
    place(POSIX, "opt/llvm*"),
    // MacPorts
    place(MACOS, "opt/local/libexec/llvm-*"),
    Place { systems: MACOS, pattern: "Library/Developer/CommandLineTools/usr", otherwise: Some(APPLES) },
    Place {
        systems: MACOS,
        pattern: "Applications/Xcode*.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
        otherwise: Some(APPLES),
    },
    // an archive of llvm.org, unpacked
    place(WINDOWS, "LLVM*"),
    place(WINDOWS, "clang+llvm-*"),
    place(WINDOWS, "msys64/ucrt64"),
    place(WINDOWS, "msys64/mingw64"),
    place(WINDOWS, "msys64/clang64"),
];

/// Below `%ProgramFiles%`: the installer of llvm.org, and Chocolatey and winget, which run it.
pub(crate) const PROGRAM_FILES: Place = Place { systems: WINDOWS, pattern: "LLVM", otherwise: Some(OF_INSTALLER) };

/// Below a prefix of Homebrew.
pub(crate) const KEGS: &[&str] = &["opt/llvm", "opt/llvm@*"];

/// Below the folder of Scoop, which unpacks llvm.org's installer.
pub(crate) const SCOOP: Place = Place { systems: WINDOWS, pattern: "apps/llvm/current", otherwise: Some(OF_INSTALLER) };

/// Below a conda prefix.
pub(crate) const CONDA_PLACES: &[Place] = &[place(POSIX, ""), place(WINDOWS, "Library")];

/// Where libraries lie below a prefix, and CMake files below that; on Windows DLLs lie with the programs.
pub(crate) const LIBRARY_FOLDERS: &[&str] = &["lib", "lib64"];

/// Below a prefix: where CMake files lie. The last is vcpkg's.
pub(crate) const CMAKE_FOLDERS: &[&str] = &["lib/cmake/llvm", "lib64/cmake/llvm", "share/llvm"];

/// Below a root: the folders where a distribution puts a libLLVM without its development files.
pub(crate) const RUNTIME_FOLDERS: &[Place] =
    &[place(LINUX, "usr/lib64"), place(LINUX, "usr/lib"), place(LINUX, "usr/lib/*-linux-gnu*")];

/// MSYS2's environments, each a prefix of its own.
const MSYS2_PREFIXES: &[&str] = &["ucrt64", "mingw64", "mingw32", "clang64", "clangarm64"];

/// Why an installation cannot be built with although it is whole. One that somebody names is taken at their word.
pub(crate) fn foreign(prefix: &Utf8Path, origin: &Origin) -> Option<&'static str> {
    let named = matches!(origin, Origin::LlvmDir | Origin::Configuration);
    let name = prefix.file_name()?;
    (!named && MSYS2_PREFIXES.iter().any(|msys2| msys2.eq_ignore_ascii_case(name))).then_some(OF_MSYS2)
}

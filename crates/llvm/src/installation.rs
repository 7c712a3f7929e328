//! What is known of one installed LLVM.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{Linkage, LlvmVersion};

/// One LLVM that can be built against: its development files lie under one prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The real folder that holds `include`, `lib` and `bin`.
    pub prefix: Utf8PathBuf,
    /// From its CMake files.
    pub version: LlvmVersion,
    /// The folder with `LLVMConfig.cmake`: what CMake wants as `LLVM_DIR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmake_dir: Option<Utf8PathBuf>,
    /// The folder of the libraries (`lib` or `lib64` under the prefix).
    pub library_dir: Utf8PathBuf,
    /// The one library that holds all of LLVM, if it is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedLibrary>,
    /// Whether the components' static archives are there.
    pub static_archives: bool,
    /// The program that describes this installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llvm_config: Option<Utf8PathBuf>,
    /// How it was found first.
    pub origin: Origin,
    /// `LLVM_ENABLE_RTTI`, where the CMake files say it. C++ that uses RTTI on LLVM's classes needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtti: Option<bool>,
    /// `LLVM_ENABLE_ASSERTIONS`, where the CMake files say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertions: Option<bool>,
    /// What its CMake files look for with `find_package`: `ZLIB`, `zstd`, `LibXml2`, … The archives refer to them, the
    /// shared library does not; see [`Installation::needed_cmake_packages`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cmake_packages: Vec<String>,
}

impl Installation {
    /// What a build is given so that it finds this LLVM and no other: the folder for `LLVM_DIR`.
    pub fn llvm_dir(&self) -> &Utf8Path {
        self.cmake_dir.as_deref().unwrap_or(&self.prefix)
    }

    /// What must be installed besides for a build that links so. A package that is missing is not noticed by
    /// `find_package(LLVM)` but when CMake generates, as an unknown target `ZLIB::ZLIB`.
    pub fn needed_cmake_packages(&self, linkage: Linkage) -> &[String] {
        match linkage {
            Linkage::Shared => &[],
            Linkage::Static => &self.cmake_packages,
        }
    }

    /// What tells this LLVM from another with the same path: the version and the library's size and time. Goes into
    /// cache keys.
    pub fn fingerprint(&self) -> String {
        let shared = self.shared.as_ref().map_or(String::new(), |s| format!("{}:{}:{}", s.path, s.size, s.modified));
        format!("{} {} {shared}", self.prefix, self.version)
    }
}

/// libLLVM, or on Windows a DLL of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedLibrary {
    /// The real file.
    pub path: Utf8PathBuf,
    /// What a binary linked to it will need by: the ELF soname, or the name that the install name of Mach-O ends with, or
    /// the file's where it has none.
    pub soname: String,
    /// It offers the C API only (`LLVM-C.dll`, `libLLVM-C.dylib`); C++ cannot link to it.
    pub c_api_only: bool,
    /// In bytes.
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified: u64,
}

/// How an installation was found. The order is the order in which places are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The environment's `LLVM_DIR`.
    LlvmDir,
    /// The configuration names the folder.
    Configuration,
    /// An `llvm-config` on PATH, with its name.
    LlvmConfigOnPath(String),
    /// Below the system's folders, with the place as it is written in the table of places.
    System(String),
    /// A keg of Homebrew.
    Homebrew,
    /// A conda environment.
    Conda,
    /// vcpkg installed it.
    Vcpkg,
    /// Scoop installed it.
    Scoop,
}

/// Whether somebody named the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explicit {
    /// By `LLVM_DIR` or in the configuration.
    Yes,
    /// It was found by looking around.
    No,
}

impl Origin {
    /// Whether somebody named the place, so that it goes before a newer one found elsewhere.
    pub fn explicit(&self) -> Explicit {
        match self {
            Self::LlvmDir | Self::Configuration => Explicit::Yes,
            Self::LlvmConfigOnPath(_) | Self::System(_) | Self::Homebrew | Self::Conda | Self::Vcpkg | Self::Scoop => {
                Explicit::No
            }
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LlvmDir => f.write_str("LLVM_DIR"),
            Self::Configuration => f.write_str("configuration"),
            Self::LlvmConfigOnPath(name) => write!(f, "{name} on PATH"),
            Self::System(place) => f.write_str(place),
            Self::Homebrew => f.write_str("Homebrew"),
            Self::Conda => f.write_str("conda"),
            Self::Vcpkg => f.write_str("vcpkg"),
            Self::Scoop => f.write_str("Scoop"),
        }
    }
}

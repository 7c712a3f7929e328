//! The rules on a wheel as a package: they never change the proof's verdict.

use diagnostics::{Rule, Severity};

/// RECORD and the archive disagree.
pub static RECORD_MISMATCH: Rule = Rule {
    code: "WH351",
    name: "record-mismatch",
    severity: Severity::Error,
    summary: "RECORD does not list exactly what the wheel holds",
    why: "RECORD names every file with its SHA-256 and size. Installers check it, `pip uninstall` removes what it lists, and a package index \
          may refuse the upload. A file that was patched after RECORD was written is the usual reason.",
    fix: "Let the tool that changes the wheel write RECORD again (`python -m wheel unpack`, change, `python -m wheel pack`).",
    example: "demo/_core.so,sha256=…,12345      (the file has 12400 bytes)",
};

/// WHEEL's tags are not the file name's.
pub static TAGS_DIFFER: Rule = Rule {
    code: "WH352",
    name: "tags-differ",
    severity: Severity::Error,
    summary: "the tags in the file WHEEL are not those of the file name",
    why: "Installers choose by the file name; what checks an installed environment (`pip check`, `pip debug`) reads WHEEL. A wheel that was \
          renamed instead of retagged says two different things of itself.",
    fix: "`python -m wheel tags` changes both.",
    example: "demo-1.0-cp313-cp313-manylinux_2_28_x86_64.whl\nWHEEL: Tag: cp313-cp313-linux_x86_64",
};

/// The platform tag promises too much.
pub static TAG_TOO_WIDE: Rule = Rule {
    code: "WH353",
    name: "tag-too-wide",
    severity: Severity::Error,
    summary: "a platform tag that stands for systems on which the binaries do not run",
    why: "The tag is a promise: manylinux_2_28 that every symbol version is in glibc 2.28 and every library in the wheel or on the policy's \
          list; macosx_12_0 that nothing was built for a newer macOS (compared by major version from 11 on, as the tags are). Installers \
          take the promise as it stands; the user of an older system gets an import error.",
    fix: "Build for the older system (`MACOSX_DEPLOYMENT_TARGET`, an image of the policy), or retag the wheel with what it meets: \
          `cargo xtask show` says what that is, and why nothing wider.",
    example: "demo-1.0-cp313-cp313-macosx_11_0_arm64.whl: demo/.dylibs/libzstd.1.dylib is built for macOS 14.0",
};

/// Another architecture than the tag's.
pub static TAG_ARCHITECTURE: Rule = Rule {
    code: "WH354",
    name: "tag-architecture",
    severity: Severity::Error,
    summary: "binaries for another system or architecture than the platform tag, or not for all of them",
    why: "A `universal2` wheel serves both arm64 and x86_64, so each of its extension modules needs both slices. In any other wheel a binary \
          for another processor is dead weight at best.",
    fix: "Build for each architecture (`-arch arm64 -arch x86_64`, `lipo`), or tag the wheel for the one it has.",
    example: "demo-1.0-cp313-cp313-macosx_11_0_universal2.whl: demo/_core.so has arm64 only",
};

/// A tag that no index takes.
pub static TAG_NOT_PUBLISHABLE: Rule = Rule {
    code: "WH355",
    name: "tag-not-publishable",
    severity: Severity::Warning,
    summary: "a `linux_*` platform tag, which package indexes refuse",
    why: "`linux_x86_64` says that the wheel was built on some Linux and promises nothing about others. PyPI answers an upload with HTTP 400.",
    fix: "Repair the wheel; the repaired one carries a manylinux or musllinux tag.",
    example: "demo-1.0-cp313-cp313-linux_x86_64.whl",
};

/// METADATA says something else than the file name.
pub static METADATA_DIFFERS: Rule = Rule {
    code: "WH356",
    name: "metadata-differs",
    severity: Severity::Error,
    summary: "name or version in METADATA or the dist-info folder are not those of the file name",
    why: "pip refuses a wheel whose METADATA has another name or version than its file name, and an index files it under the wrong one.",
    fix: "Do not rename wheels; set the version where the build backend reads it.",
    example: "demo-1.1-cp313-cp313-win_amd64.whl\nMETADATA: Version: 1.0",
};

/// A text of the dist-info that is missing or cannot be read.
pub static METADATA_BROKEN: Rule = Rule {
    code: "WH357",
    name: "metadata-broken",
    severity: Severity::Error,
    summary: "METADATA, WHEEL or RECORD is missing or not as it should be",
    why: "Installers need all three; an index reads METADATA.",
    fix: "Build the wheel with a current build backend.",
    example: "WHEEL: Root-Is-Purelib is missing",
};

/// A file that belongs to nobody.
pub static OUTSIDE_ROOTS: Rule = Rule {
    code: "WH358",
    name: "outside-roots",
    severity: Severity::Warning,
    summary: "files that are installed where they collide with other packages, or nowhere",
    why: "What lies at the root of a wheel goes into site-packages, which all packages share: a top-level `tests` or `docs`, a `README.md` or \
          `LICENSE` there overwrite each other's and are removed by each other. A folder of `.data` that no scheme knows is refused by \
          some installers.",
    fix: "Name the packages in the build backend's settings (setuptools `packages`, hatch `only-include`, scikit-build-core \
          `wheel.packages`), and put licences into `license-files`.",
    example: "demo-1.0-cp313-cp313-win_amd64.whl: tests/__init__.py",
};

/// Names that are one file on Windows and macOS.
pub static CASE_COLLISION: Rule = Rule {
    code: "WH359",
    name: "case-collision",
    severity: Severity::Error,
    summary: "two files whose names differ in case alone",
    why: "On Windows and macOS one overwrites the other when the wheel is installed.",
    fix: "Rename one.",
    example: "demo/Core.py and demo/core.py",
};

/// Names that Windows does not take.
pub static WINDOWS_NAME: Rule = Rule {
    code: "WH363",
    name: "windows-name",
    severity: Severity::Error,
    summary: "a file name that Windows cannot hold, in a wheel that is installed there too",
    why: "Windows has no names with `< > : \" | ? *` or control characters, drops dots and blanks at the end, and takes `con`, `prn`, \
          `aux`, `nul`, `com1` to `com9` and `lpt1` to `lpt9` for devices, whatever ending follows. Installing such a file fails, or \
          leaves one that is not found again. Looked for in wheels for Windows and in those for any platform.",
    fix: "Rename it, or leave it out of the wheels for Windows.",
    example: "demo/aux.py in demo-1.0-py3-none-any.whl",
};

/// A program that cannot be run.
pub static NOT_EXECUTABLE: Rule = Rule {
    code: "WH360",
    name: "not-executable",
    severity: Severity::Warning,
    summary: "a program in the wheel without permission to be executed",
    why: "Installers take the permission bits from the archive for what lies in site-packages. A helper program without them fails with \
          `Permission denied` when the package starts it.",
    fix: "Give it mode 755 before the wheel is made; zip on Windows loses the bits.",
    example: "demo/bin/demo-helper (mode 644)",
};

/// What the build left behind.
pub static STRAY_FILE: Rule = Rule {
    code: "WH361",
    name: "stray-build-file",
    severity: Severity::Warning,
    summary: "files that a build leaves behind and nobody needs at run time",
    why: "Objects, linker by-products, debug databases, CMake's and ninja's own files cost every user download and disk, and tell the paths of \
          the machine that built them.",
    fix: "Install named targets instead of copying the build folder, and keep them out in the build backend's settings.",
    example: "demo/CMakeFiles/_core.dir/core.cpp.o",
};

/// Larger than what may be uploaded.
pub static WHEEL_TOO_LARGE: Rule = Rule {
    code: "WH362",
    name: "wheel-too-large",
    severity: Severity::Warning,
    summary: "a wheel above its budget of size",
    why: "PyPI takes files up to 100 MB unless it grants a project more; every install downloads the whole. The finding names the members that \
          take the most of it. It is an error where the project set a budget of its own.",
    fix: "Strip what is not needed at run time; build LLVM with the targets that are used; compress with a higher level.",
    example: "demo.libs/libLLVM-e7f2b360.so.19.1: 44.9 MB of 104.1 MB",
};

/// The rules on a wheel as a package.
pub(crate) const FACTS: &[&Rule] = &[
    &RECORD_MISMATCH,
    &TAGS_DIFFER,
    &TAG_TOO_WIDE,
    &TAG_ARCHITECTURE,
    &TAG_NOT_PUBLISHABLE,
    &METADATA_DIFFERS,
    &METADATA_BROKEN,
    &OUTSIDE_ROOTS,
    &CASE_COLLISION,
    &NOT_EXECUTABLE,
    &STRAY_FILE,
    &WHEEL_TOO_LARGE,
    &WINDOWS_NAME,
];

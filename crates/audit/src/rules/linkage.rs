//! Rules on what a binary links and what it shows to others.

use super::source;
use diagnostics::{Rule, Severity};

/// An extension that links libpython, or the wrong one.
pub static LINKS_LIBPYTHON: Rule = Rule {
    code: "LD221",
    name: "links-libpython",
    severity: Severity::Error,
    summary: "an extension that asks for a Python library of its own",
    why: "An extension finds Python's symbols in the process that loads it. One that names `libpython3.13.so.1.0` needs that file: \
          it is missing where Python is linked statically (conda, python-build-standalone, Debian, manylinux images), and where it is \
          present a second interpreter comes into the process, whose state nobody initialised: a crash at the first call. On macOS a \
          `Python.framework` path ties the wheel to one installation. The manylinux policies forbid it.\n\n\
          On Windows every extension imports `python313.dll`; there this rule finds a DLL of another version or build than the tag \
          says, and the debug DLL.",
    fix: "Do not link it: CMake `Python::Module` instead of `Python::Python`, or `Python_add_library(… MODULE)`; on macOS \
          `-undefined dynamic_lookup`; with PyO3 the feature `extension-module`; no `python3-config --embed`.",
    example: source!("links-libpython.c"),
};

/// An extension that exports more than its entry point.
pub static EXPORTED_SURFACE: Rule = Rule {
    code: "LD222",
    name: "exported-surface",
    severity: Severity::Info,
    summary: "an extension that exports much more than its PyInit function",
    why: "Python needs one exported function. Each further one costs load time and size, and on Linux takes part in symbol \
          interposition: another library in the process that exports the same name may be used in its place, or use yours. With \
          C++ templates and a statically linked LLVM these are thousands.\n\n\
          It is a warning where an extension exports LLVM's own symbols: two such extensions in one process mix their LLVMs.",
    fix: "Compile with `-fvisibility=hidden -fvisibility-inlines-hidden`, link static libraries with `-Wl,--exclude-libs,ALL`, or give \
          the linker a version script (`{ global: PyInit_*; local: *; };`); on macOS `-exported_symbol _PyInit__core`.",
    example: source!("exported-surface.c"),
};

/// Symbols that are unique in the process.
pub static UNIQUE_SYMBOLS: Rule = Rule {
    code: "LD223",
    name: "unique-symbols",
    severity: Severity::Info,
    summary: "symbols with STB_GNU_UNIQUE binding, which the whole process shares",
    why: "GCC gives static variables of inline functions and templates the binding STB_GNU_UNIQUE: the first definition in the \
          process serves all libraries, even those loaded with `RTLD_LOCAL`. Two extensions with different releases of one C++ \
          library then share such a variable though its layout differs. A library that defines one is never unloaded.",
    fix: "Compile with `-fvisibility=hidden -fvisibility-inlines-hidden`, or with GCC's `-fno-gnu-unique`.",
    example: source!("unique-symbols.cpp"),
};

/// A binary that cannot be read.
pub static UNREADABLE_BINARY: Rule = Rule {
    code: "LD224",
    name: "unreadable-binary",
    severity: Severity::Error,
    summary: "a file that is called a binary, or begins as one, and cannot be read as one",
    why: "The file has the mark of an object file, library or archive, and its structures point outside of it or contradict each \
          other. A file cut short by a full disk or a broken download looks so, and so does one that a patching tool damaged. Or it \
          has the name of an extension module and begins as something else: empty, a text, a pointer of Git LFS. No loader takes \
          it, and nothing can be said of its symbols.",
    fix: "Make the file again. If another tool (`readelf -a`, `otool -l`, `dumpbin /headers`) reads it without complaint, report it \
          to this project with the file.",
    example: "7f 45 4c 46 02 01 01 00 00 00 00 00 00 00 00 00  |.ELF............|\n03 00 3e 00                                      |..>.|",
};

/// More than one LLVM.
pub static TWO_LLVM: Rule = Rule {
    code: "LL431",
    name: "two-llvm",
    severity: Severity::Error,
    summary: "a wheel that brings more than one copy of LLVM into the process",
    why: "LLVM keeps its command-line options, passes and targets in global variables. Two copies whose symbols see each other \
          register them twice (`CommandLine Error: Option … registered more than once`, then abort) or crash when the process \
          ends. It happens when one library links libLLVM and another has LLVM linked in statically, or when repair grafted two \
          versions.\n\n\
          `symbols` and `repair` look at what the wheel holds, whoever loads it. `verify` follows what one import really loads, by the \
          loader's own search, and is refuted where two are in one process: two files of libLLVM, or on Linux one and a library that \
          shows an LLVM of its own. Copies that are linked in and hidden do not see each other: a warning of `symbols` for their size.",
    fix: "Link one libLLVM from all of them, or link LLVM statically into exactly one library and hide its symbols \
          (`-Wl,--exclude-libs,ALL`).",
    example: "demo.libs/libLLVM-18-1b2c3d4e.so\ndemo.libs/libLLVM-5f6a7b8c.so.19.1",
};

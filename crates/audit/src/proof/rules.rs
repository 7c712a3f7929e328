//! The rules of the proof: what refutes a wheel, and what a loader accepts and should not be there.

use crate::rules::{UNREADABLE_BINARY, UNREADABLE_MEMBER};
use diagnostics::{Rule, Severity};

/// A library that is nowhere.
pub static MISSING_LIBRARY: Rule = Rule {
    code: "LD250",
    name: "missing-library",
    severity: Severity::Error,
    summary: "a library that the loader finds neither in the wheel nor on the systems that the tag stands for",
    why: "When Python imports an extension module the loader first brings in every library it needs, and what those need. One that \
          is not found ends the import: `ImportError: libfoo.so.1: cannot open shared object file`, `Library not loaded: @rpath/…`, \
          `DLL load failed while importing …`. On the machine that built the wheel the library was there, which is why nobody \
          notices.\n\n\
          The search is the loader's own: on Linux the RPATH of who needs it and of those who loaded that one (unless there is a \
          RUNPATH, which counts for direct needs alone), then the system's folders, of which only the libraries of the wheel's \
          policy count; on macOS the install name with `@rpath`, `@loader_path` and `@executable_path`; on Windows the folder of the \
          extension, the folders that the package adds with `os.add_dll_directory`, and System32.",
    fix: "Repair the wheel (`cargo xtask repair`), which copies the library into it and points its users there. If it was repaired, the \
          finding says what kept the loader from the copy. If another distribution brings the library, name it in `Requires-Dist` \
          and import it first.",
    example: "demo-1.0-cp313-cp313-manylinux_2_28_x86_64.whl: demo/_core.so: libLLVM.so.19.1",
};

/// A symbol that nobody gives.
pub static UNRESOLVED_SYMBOL: Rule = Rule {
    code: "LD251",
    name: "unresolved-symbol",
    severity: Severity::Error,
    summary: "a symbol that nothing in the importing process defines",
    why: "Every symbol that a binary takes from elsewhere has to be defined by something that the loader searches for it: on Linux the \
          program, the libraries it started with, and the extension with all it needs, in breadth-first order; on macOS the one \
          library that was named when it was linked; on Windows the DLL that the import table names. Another extension of the \
          same wheel that happens to define the name provides nothing.\n\n\
          Data and, with immediate binding, functions are looked up when the file is loaded: `ImportError: undefined symbol: …`. \
          With lazy binding a missing function goes unnoticed until the first call, which then ends the process. Both refute a \
          wheel: the import or the first call fails.",
    fix: "Link the library that defines it (`-Wl,--no-undefined` or `-Wl,-z,defs` finds this at link time, the C API of Python \
          excepted), or compile with the declaration that the linked version has. The finding says where the name was looked for and who \
          has it under another version or hidden.",
    example: "demo/_core.so: LLVMContextCreate: `libLLVM.so.19.1` does not have it",
};

/// A version that a library does not define.
pub static MISSING_VERSION: Rule = Rule {
    code: "LD252",
    name: "missing-version",
    severity: Severity::Error,
    summary: "a symbol version that the library does not define",
    why: "glibc's loader compares the versions that a file needs of each library with those that the library defines, before any \
          symbol is looked at: `/lib64/libc.so.6: version `GLIBC_2.34' not found (required by …)`. It happens where the wheel is \
          tagged for older systems than it was linked on, and where a grafted library was replaced by another build.",
    fix: "Build in an image of the policy that the tag names, or give the wheel the tag that it meets (`cargo xtask show` says which, \
          and which symbols decide it).",
    example: "demo/_core.so needs GLIBC_2.34 of libc.so.6, which manylinux_2_28 has up to GLIBC_2.28",
};

/// A name of the C API that this Python lacks.
pub static PYTHON_LACKS_SYMBOL: Rule = Rule {
    code: "PY150",
    name: "python-lacks-symbol",
    severity: Severity::Error,
    summary: "a name of Python's C API that an interpreter of the wheel's tags does not export",
    why: "The interpreter is judged by what that very version exports, on that system, with or without the GIL; for the stable ABI \
          every version from the tag's floor on, and on Windows what python3.dll forwards. The import fails with `undefined symbol`, \
          `symbol not found in flat namespace` or `The specified procedure could not be found`, or the first call ends the process.",
    fix: "See the rule `missing-symbol` and the others of its family, which `cargo xtask symbols` applies: they say what to use instead.",
    example: "demo/_core.abi3.so in a wheel tagged cp39-abi3: PyObject_GetAIter is exported from 3.10 on",
};

/// A file for `import` without what it calls.
pub static NO_INIT_FUNCTION: Rule = Rule {
    code: "PY151",
    name: "no-init-function",
    severity: Severity::Error,
    summary: "a file named like an extension module without the function that `import` calls in it",
    why: "`import pkg._core` looks for `_core.cpython-313-x86_64-linux-gnu.so` or its like, loads it, and calls `PyInit__core` there \
          (`PyInitU_…` with the name in punycode if it is not ASCII; Python 3.15 tries `PyModExport__core` first). Without it: \
          `ImportError: dynamic module does not define module export function (PyInit__core)`. It happens where a module was renamed, or \
          the function is hidden (`-fvisibility=hidden` without `PyMODINIT_FUNC`, a version script, an over-eager strip).\n\n\
          The name alone does not make a module: setuptools builds libraries for ctypes under such names, and they import nowhere and need \
          not. So the finding refutes a wheel only if a module of the wheel imports this one in plain sight, or if nothing else can be meant: \
          no other extension module for that Python, no Python code that opens any library, no `try` around the import. Otherwise it is a \
          warning, and the proof assumes that something else than `import` opens the file. Files whose names begin with `lib`, which \
          another binary needs, or which the wheel's own code opens by name are libraries and no matter of this rule.",
    fix: "Give the file the module's name, or the module the file's (`PyMODINIT_FUNC PyInit__core(void)`), and export the function. A library \
          for ctypes is better named `libcore.so`.",
    example: "demo/_core.cpython-313-x86_64-linux-gnu.so has `PyInit__old` instead",
};

/// A module with files for other Pythons only.
pub static NO_FILE_FOR_PYTHON: Rule = Rule {
    code: "PY152",
    name: "no-file-for-python",
    severity: Severity::Error,
    summary: "a module whose files are all for other Pythons or machines than some that the tags stand for",
    why: "The suffix of an extension module says which Python looks for it: 3.12 on x86-64 Linux tries `.cpython-312-x86_64-linux-gnu.so`, \
          `.abi3.so` and `.so`, and sees no other. In a wheel for cp312 a `_core.cpython-311-…so` might as well not be there: \
          `ModuleNotFoundError: No module named 'demo._core'`. It happens where a build folder of another Python was not cleaned, or a \
          wheel was retagged by hand.\n\n\
          A Python that the tags name and for which no extension module of the wheel fits refutes the wheel there. It is a warning where \
          others fit (the module may be for certain Pythons on purpose) and under a tag that names no version (`py3`), whose packages do \
          without; a module that is imported inside `try` alone is assumed to be done without.",
    fix: "Build in a clean folder with the Python that the tag names, or give the wheel the tag that it is for.",
    example: "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl: demo/_core.cpython-311-x86_64-linux-gnu.so",
};

/// A Python that was asked for and that the tags do not name.
pub static PYTHON_NOT_IN_TAGS: Rule = Rule {
    code: "PY153",
    name: "python-not-in-tags",
    severity: Severity::Error,
    summary: "a wheel that no installer puts into the Python that was asked for with `--python`",
    why: "Installers take a wheel by its tags: `cp312-cp312` is for Python 3.12 with a GIL and no other, `cp39-abi3` for 3.9 and all later ones \
          with a GIL, `py3-none` for any. Asked whether a wheel imports on a Python that its tags do not name, the answer is no, whatever its \
          binaries would do there.",
    fix: "Ask for the Pythons of the tag, or build a wheel for that Python.",
    example: "cargo xtask verify --python 3.13 demo-1.0-cp312-cp312-win_amd64.whl",
};

/// An executable stack.
pub static EXECUTABLE_STACK: Rule = Rule {
    code: "LD253",
    name: "executable-stack",
    severity: Severity::Error,
    summary: "a library that asks for an executable stack, which glibc 2.41 refuses to give",
    why: "Since glibc 2.41 `dlopen` fails for a library with an executable `PT_GNU_STACK` (`cannot enable executable stack as shared object \
          requires`), and so does SELinux on many systems. Usually one assembler file without the `.note.GNU-stack` section caused it.",
    fix: "Add `.section .note.GNU-stack,\"\",%progbits` to the assembler source, or link with `-Wl,-z,noexecstack`; `patchelf \
          --clear-execstack` mends a file that was built already.",
    example: "$ readelf -lW libdemo.so | grep STACK\n  GNU_STACK 0x000000 … RWE 0x10",
};

/// Static TLS.
pub static STATIC_TLS: Rule = Rule {
    code: "LD254",
    name: "static-tls",
    severity: Severity::Error,
    summary: "thread-local storage of a kind that a library opened later may not get",
    why: "Code compiled for the initial-exec model (`DF_STATIC_TLS`) takes its variables from a block of fixed size that the process \
          reserves when it starts. A library opened later shares what is left, with glibc by default less than 2 KiB for all of them: \
          `cannot allocate memory in static TLS block`. Whether it works depends on what was imported before.",
    fix: "Compile without `-ftls-model=initial-exec` (jemalloc: `--disable-initial-exec-tls`; libgomp and libunwind in their usual builds \
          are small enough).",
    example: "cc -shared -fPIC -ftls-model=initial-exec big_tls.c -o libdemo.so",
};

/// Instructions that old processors lack.
pub static ISA_LEVEL: Rule = Rule {
    code: "LD255",
    name: "isa-level",
    severity: Severity::Error,
    summary: "a file marked for newer processors than the platform tag stands for",
    why: "A file that says it needs x86-64-v2 or more (`-Wl,-z,x86-64-v3`, or the default of some distributions' compilers) is refused by the \
          loader on older processors: `CPU ISA level is lower than required`. The tag `x86_64` promises the baseline.",
    fix: "Build for the baseline (`-march=x86-64`) and choose newer instructions at run time.",
    example: "$ readelf -n _core.so\n  x86 ISA needed: x86-64-v3",
};

/// Packed relocations on a loader that cannot read them.
pub static PACKED_RELOCATIONS: Rule = Rule {
    code: "LD256",
    name: "packed-relocations",
    severity: Severity::Error,
    summary: "packed relocations (DT_RELR), which the oldest loader of the tag does not know",
    why: "glibc reads `DT_RELR` from 2.36 on, musl from 1.2.4 on. An older loader ignores it: pointers keep their link-time values, and \
          the process crashes. Files linked by GNU ld carry the version need `GLIBC_ABI_DT_RELR`, so that an old glibc refuses them.",
    fix: "Link without `-Wl,-z,pack-relative-relocs`, or tag the wheel for systems that know it.",
    example: "cc -shared -Wl,-z,pack-relative-relocs core.c -o _core.so",
};

/// Segments that do not fit the page size.
pub static SEGMENT_ALIGNMENT: Rule = Rule {
    code: "LD257",
    name: "segment-alignment",
    severity: Severity::Error,
    summary: "segments that cannot be mapped with the page size of the systems that the tag stands for",
    why: "A segment has to begin at the same place within a page in the file and in memory. Linked for 4 KiB pages a file does not load on \
          systems with 16 or 64 KiB pages (`ELF load command alignment not page-aligned`): arm64 and ppc64le have those. A file that was \
          patched badly does not load anywhere.",
    fix: "Link with `-Wl,-z,max-page-size=65536` on arm64 and ppc64le; strip before patching, never after.",
    example: "cc -shared -Wl,-z,max-page-size=4096 core.c -o _core.so    # for aarch64",
};

/// Anything else that a loader refuses.
pub static LOADER_REFUSES: Rule = Rule {
    code: "LD258",
    name: "loader-refuses",
    severity: Severity::Error,
    summary: "a file that the loader finds and does not take",
    why: "The file is there and all it needs as well, but something about it keeps the loader of the tag's systems from using it: a program \
          instead of a library, a file marked as not to be opened (`DF_1_NOOPEN`), encrypted code, relocations in read-only \
          memory, an ELF hash table that musl or glibc does not read, dylib versions older than asked for.",
    fix: "The finding names what it is.",
    example: "cc -pie core.c -o _core.so    # dlopen: cannot dynamically load position-independent executable",
};

/// Code that macOS kills.
pub static UNSIGNED_CODE: Rule = Rule {
    code: "LD259",
    name: "unsigned-code",
    severity: Severity::Error,
    summary: "arm64 code for macOS without a signature, or with one that does not fit its bytes",
    why: "On Apple silicon every page of code is checked against the signature when it is first touched; without a signature the file is not \
          loaded (`code signature … not valid for use in process`), with a stale one the process is killed. Linkers sign ad hoc by \
          themselves; `install_name_tool`, `strip` and hand-made patches change the file afterwards.",
    fix: "Sign again as the last step: `codesign --force --sign - FILE`. `cargo xtask repair` does so.",
    example: "printf '\\0' | dd of=_core.so bs=1 seek=20000 conv=notrunc",
};

/// One name, two definitions.
pub static INTERPOSED_SYMBOL: Rule = Rule {
    code: "LD260",
    name: "interposed-symbol",
    severity: Severity::Warning,
    summary: "two libraries of one process define the same symbol, and a third takes whichever comes first",
    why: "ELF has one namespace: of several definitions the first in the order of loading serves everybody, also the library that brings its \
          own. If the two are different builds, one of them runs with the other's code.",
    fix: "Hide what is not the library's interface (`-fvisibility=hidden`, `-Wl,--exclude-libs,ALL`, a version script), or link one copy.",
    example: "liba.so and libb.so both define crc32; _core.so needs both and calls crc32",
};

/// Two copies of a library.
pub static TWO_COPIES: Rule = Rule {
    code: "LD261",
    name: "two-copies",
    severity: Severity::Warning,
    summary: "one process gets two copies of a library",
    why: "Each copy has its own state: memory allocated by one and freed by the other, two thread pools, two registries. It happens when a \
          library was grafted twice under different names, or lies in the wheel though the system's copy is loaded as well.",
    fix: "Let all users of the library name the same file.",
    example: "demo.libs/libgomp-a34b3233.so.1.0.0 and demo.libs/libgomp-24e2ab19.so.1.0.0",
};

/// A hazard of loading order, or a binding that only luck makes work.
pub static LOADING_HAZARD: Rule = Rule {
    code: "LD262",
    name: "loading-hazard",
    severity: Severity::Warning,
    summary: "something that works by the order in which libraries happen to be loaded",
    why: "Libraries that need each other in a circle are initialised in an order that nobody wrote down; a definition that is unique in the \
          process may come from another package. It works until something else is imported first.",
    fix: "The finding names the libraries; break the circle, or hide the definition.",
    example: "liba.so needs libb.so, and libb.so needs liba.so",
};

/// Microsoft's runtime is not in the wheel.
pub static NEEDS_VC_REDISTRIBUTABLE: Rule = Rule {
    code: "LD263",
    name: "needs-vc-redistributable",
    severity: Severity::Warning,
    summary: "a DLL of the Visual C++ redistributable that neither Windows nor Python brings",
    why: "python.org's installers bring vcruntime140.dll (and vcruntime140_1.dll on 64-bit systems from 3.9 on), but not the C++ library \
          msvcp140.dll and its kin. Many machines have them because something else installed the redistributable; a fresh one does \
          not, and the import fails there: `DLL load failed while importing …: The specified module could not be found`.",
    fix: "Put the DLL into the wheel (`cargo xtask repair`), or link the C++ runtime statically (`/MT`, CMake \
          `MSVC_RUNTIME_LIBRARY`).",
    example: "demo/_core.cp313-win_amd64.pyd needs MSVCP140.dll",
};

/// The rules of the proof itself.
pub const PROOF: &[&Rule] = &[
    &MISSING_LIBRARY,
    &UNRESOLVED_SYMBOL,
    &MISSING_VERSION,
    &PYTHON_LACKS_SYMBOL,
    &NO_INIT_FUNCTION,
    &NO_FILE_FOR_PYTHON,
    &PYTHON_NOT_IN_TAGS,
    &EXECUTABLE_STACK,
    &STATIC_TLS,
    &ISA_LEVEL,
    &PACKED_RELOCATIONS,
    &SEGMENT_ALIGNMENT,
    &LOADER_REFUSES,
    &UNSIGNED_CODE,
    &INTERPOSED_SYMBOL,
    &TWO_COPIES,
    &LOADING_HAZARD,
    &NEEDS_VC_REDISTRIBUTABLE,
];

/// Whether a finding of this rule can be what refutes a wheel: the proof's own, and what keeps a file from being read.
pub fn refutes(rule: &Rule) -> bool {
    PROOF.contains(&rule) || [&UNREADABLE_BINARY, &UNREADABLE_MEMBER].contains(&rule)
}

//! Rules on what an extension module promises: the stable ABI, its entry point, the names it looks up while it runs.

use super::source;
use diagnostics::{Rule, Severity};

/// A name outside the stable ABI in a file that promises it.
pub static ABI3_VIOLATION: Rule = Rule {
    code: "PY121",
    name: "abi3-violation",
    severity: Severity::Error,
    summary: "a symbol outside the stable ABI in a file that promises the stable ABI",
    why: "The tag `abi3` (or the file name `.abi3.so`, or an import of `python3.dll`) promises that the module loads on every \
          CPython from its floor on. Only the names of the stable ABI's manifest are promised in turn. Any other may be missing in \
          a version that was not tested, and `python3.dll` does not export it at all.\n\n\
          On Windows a module that imports `python313.dll` instead of `python3.dll` loads on 3.13 only, whatever its tag says.",
    fix: "Compile with `Py_LIMITED_API` set to the floor (`0x03090000`), so that the compiler refuses such names, and link \
          `python3.lib` on Windows; or give up the tag and build for each version.",
    example: source!("abi3-violation.c"),
};

/// A name of the stable ABI that is newer than the tag's floor.
pub static ABI3_NEWER_THAN_TAG: Rule = Rule {
    code: "PY122",
    name: "abi3-newer-than-tag",
    severity: Severity::Error,
    summary: "a symbol of the stable ABI that is newer than the wheel's tag",
    why: "The stable ABI grows: `PyObject_CallNoArgs` belongs to it since 3.10. A wheel tagged `cp39-abi3` is installed on 3.9, \
          where such a name is missing or not promised. It happens when `Py_LIMITED_API` is defined as `3` or as the version of \
          the Python that builds, and the tag comes from elsewhere.",
    fix: "Define `Py_LIMITED_API` as the tag's version (`0x03090000` for cp39) so that headers and tag agree, or raise the tag to \
          the version that the finding names (setuptools: `[bdist_wheel] py_limited_api`; scikit-build-core: `wheel.py-api`; \
          maturin: the feature `abi3-py310`).",
    example: source!("abi3-newer-than-tag.c"),
};

/// A name of the C API in constant data, which is looked up at run time.
pub static RUNTIME_NAMED: Rule = Rule {
    code: "PY131",
    name: "runtime-named",
    severity: Severity::Warning,
    summary: "a symbol that stands as a string and will be looked up by name at run time",
    why: "A JIT compiler emits calls to functions that it names in strings and resolves with ORC, `dlsym` or `GetProcAddress`. \
          None of these names stands in an import table, so no linker, loader or audit tool sees them: the module imports, and \
          the generated code fails later, on the user's machine, on one version or platform only.\n\n\
          This rule takes every string in allocated read-only data that is exactly a name of the C API, and judges it as if it were \
          imported; `because` names the rule behind it. It is a warning where the binary shows signs of a JIT or of dynamic look-up \
          of such names (LLVM, ORC, `dlsym` or `GetProcAddress` beside many of them), and information elsewhere, since `assert` and error messages leave \
          names behind, too. Harmless names are not reported.",
    fix: "Generate calls to public functions, those that the finding proposes. Resolve optional names once at start and test for \
          null. For macros and inline functions export a wrapper of your own and name that.\n\n\
          On macOS, ORC's look-up takes the mangled name, with one more underscore; `dlsym` takes the C name.",
    example: source!("runtime-named.c"),
};

/// An exported C name with a leading underscore.
pub static UNDERSCORE_EXPORT: Rule = Rule {
    code: "PY141",
    name: "underscore-export",
    severity: Severity::Warning,
    summary: "a function of the extension's own, exported or looked up, whose name starts with an underscore",
    why: "Mach-O puts an underscore before every C name: `_PyJIT_call` becomes `__PyJIT_call` in the symbol table. `dlsym` adds it \
          by itself, ORC and everything else that reads symbol tables does not. Code that strips or adds underscores by guessing \
          works for `PyJIT_call` and fails for `_PyJIT_call`, on macOS only, when the generated code is linked. Leading \
          underscores at file scope are reserved to the C implementation besides, and `_Py…` to CPython.\n\n\
          It is a warning in an extension with signs of a JIT, where such names are looked up, and information elsewhere. There, \
          strings of the form `_Py…` that are no names of CPython's count as well.",
    fix: "Rename it without the underscore, or do not export it: `static`, `-fvisibility=hidden`. Give ORC the name through its \
          `MangleAndInterner`, never by hand.",
    example: source!("underscore-export.c"),
};

/// No entry point, or that of another module.
pub static INIT_FUNCTION: Rule = Rule {
    code: "PY142",
    name: "init-function",
    severity: Severity::Error,
    summary: "an extension module without the PyInit function that its file name asks for",
    why: "`import pkg._core` loads `pkg/_core.….so` and calls `PyInit__core`. If the file does not export exactly that name the \
          import ends in `dynamic module does not define module export function`. Usual reasons: the file was renamed, the name in \
          `PYBIND11_MODULE`, `NB_MODULE` or `#[pymodule]` differs from the target's, a linker script or `-fvisibility=hidden` hides \
          it, C++ mangles it because `extern \"C\"` is missing.",
    fix: "Make both names the same: the last part of the module's name, `PyInit_` and that. Use `PyMODINIT_FUNC`, which makes it \
          visible and `extern \"C\"`.",
    example: source!("init-function.c"),
};

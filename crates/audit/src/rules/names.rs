//! Rules on the names that a binary takes from Python: are they there, whose are they.

use super::source;
use diagnostics::{Rule, Severity};

/// A name that is imported and that this Python, build or system does not export.
pub static MISSING_SYMBOL: Rule = Rule {
    code: "PY101",
    name: "missing-symbol",
    severity: Severity::Error,
    summary: "a symbol that this Python, build or platform does not export",
    why: "The dynamic loader resolves every imported name when the module is loaded, or at the first call. A name that the \
          interpreter does not export ends in `ImportError: undefined symbol` (Linux), `Symbol not found` (macOS) or `The \
          specified procedure could not be found` (Windows), or in a crash at the first call.\n\n\
          Which names are exported differs by version (names come and go with every minor release), by build (free-threaded \
          builds export what the usual ones do not, and the other way round) and by platform (Windows exports what is marked \
          `PyAPI_FUNC`, Linux and macOS also some of what is not). The linker notices nothing of it on Linux and macOS: extensions \
          are linked with undefined symbols allowed.\n\n\
          Where no tag, file name or `--python` says which Python is meant, all supported ones are asked: a name that some of \
          them lack is a warning then, one that none of them has is an error. A weak import is information, since it is null \
          where the name is missing.",
    fix: "Use the public name that the finding proposes, or guard the use by `#if PY_VERSION_HEX` so that each version gets the \
          name it has. If the finding says that a framework's own code names it, build with a newer release of that framework.\n\n\
          If only some Pythons lack the name and you do not support them, narrow `requires-python`, or judge by the ones you \
          mean: `--python '>=3.11'`.",
    example: source!("missing-symbol.c"),
};

/// A name that only later bug-fix releases export.
pub static NEEDS_BUGFIX_RELEASE: Rule = Rule {
    code: "PY102",
    name: "needs-bugfix-release",
    severity: Severity::Warning,
    summary: "a symbol that only later bug-fix releases of this Python export",
    why: "CPython adds exports even in bug-fix releases: 3.13.5 exports names that 3.13.0 lacks. A wheel tag knows minor versions \
          only, so pip installs the wheel on 3.13.0 as well, where the import fails.\n\n\
          These names are all private, and mostly reach an extension through headers of the newer release.",
    fix: "Use the public name that the finding proposes. Where a header's macro brings the name in, build with the oldest \
          bug-fix release of the minor version that you support.",
    example: source!("needs-bugfix-release.c"),
};

/// A name that is only a macro or an inline function.
pub static MACRO_ONLY: Rule = Rule {
    code: "PY103",
    name: "macro-only",
    severity: Severity::Error,
    summary: "a macro or inline function of the headers, taken for a function",
    why: "Much of the documented C API is macros and `static inline` functions: `PyList_GET_SIZE`, `Py_TYPE`, `PyCoro_CheckExact`. \
          They have no symbol in libpython. An extension that declares such a name itself, or that was compiled without the \
          right header (an implicit declaration), imports a symbol that no interpreter exports.\n\n\
          What is a macro changes between versions: `PyObject_CallOneArg` was inline in 3.9 and 3.10 and is a function from 3.11 \
          on. Languages other than C and code generated at run time meet this most, since they see no headers.",
    fix: "Include `<Python.h>` and let the macro expand; from other languages and from generated code call the function that the \
          finding proposes, or wrap the macro in a function of your own.",
    example: source!("macro-only.c"),
};

/// A public name that a later Python drops.
pub static REMOVED_LATER: Rule = Rule {
    code: "PY104",
    name: "removed-later",
    severity: Severity::Info,
    summary: "a public symbol that a later Python does not export any more",
    why: "The wheel works on the Python it is for. The same sources will not link or import on a later one that is known already. \
          Knowing it now leaves a year to change.",
    fix: "Plan the move to the name that the finding proposes; it says from which version on that one is there. For private names \
          the finding on the name itself says so.",
    example: source!("removed-later.c"),
};

/// A name of internal headers.
pub static INTERNAL_SYMBOL: Rule = Rule {
    code: "PY111",
    name: "internal-symbol",
    severity: Severity::Warning,
    summary: "a symbol that only CPython's internal headers declare",
    why: "Names declared in `Include/internal` only are exported for CPython's own shared modules. They may change their meaning \
          in a bug-fix release, and over 200 of them became internal in 3.13 alone while staying exported, so nothing but this \
          check tells that an extension leans on them.",
    fix: "Use the public name that the finding proposes. Where there is none, copy the few lines that you need into your own \
          code, or ask for a public API at github.com/capi-workgroup.\n\n\
          Names from a framework's own code are information: update the framework.",
    example: source!("internal-symbol.c"),
};

/// An underscored name.
pub static PRIVATE_SYMBOL: Rule = Rule {
    code: "PY112",
    name: "private-symbol",
    severity: Severity::Warning,
    summary: "a private symbol of CPython, which may go without notice",
    why: "Names with a leading underscore are private (PEP 387): any minor release may remove them or change what they do, and \
          does. `_Py_HashBytes` and `_PyBytes_Join` went in 3.14, `_PyByteArray_empty_string` in 3.15.\n\n\
          Not all underscored names are private. 34 belong to the stable ABI (`_Py_Dealloc`, `_Py_NoneStruct`), and are not \
          reported at all; a few are documented (`_PyBytes_Resize`) and are information.",
    fix: "Use the public name that the finding proposes, if need be only where it exists:\n\n\
          `#if PY_VERSION_HEX >= 0x030D0000`\n\n\
          Names from a framework's own code (Cython, mypyc, nanobind …) are information: its authors follow CPython; build with a \
          current release of it.",
    example: source!("private-symbol.c"),
};

/// A private name behind a public macro.
pub static PRIVATE_THROUGH_MACRO: Rule = Rule {
    code: "PY113",
    name: "private-through-macro",
    severity: Severity::Info,
    summary: "a private symbol that a public macro or inline function expands to",
    why: "The sources say `Py_FatalError`, which is public; the headers expand it to `_Py_FatalErrorFunc`. The author did nothing \
          wrong, and the name is in the headers of every version for which the wheel is built. It is information because it ties \
          the binary to this minor version: such a name may be gone in the next one, while the sources compile unchanged.",
    fix: "Nothing for a wheel of one version. For the stable ABI build with `Py_LIMITED_API`, under which the macros expand to \
          stable names.",
    example: source!("private-through-macro.c"),
};

/// `PyUnstable_*`.
pub static UNSTABLE_SYMBOL: Rule = Rule {
    code: "PY114",
    name: "unstable-symbol",
    severity: Severity::Info,
    summary: "a symbol of the unstable API tier",
    why: "`PyUnstable_…` (PEP 689) is public and documented API for debuggers and JIT compilers. It stays the same within a minor \
          version and may change in the next without a deprecation.",
    fix: "Build and test for every minor version that you support; guard by `PY_VERSION_HEX` what differs.",
    example: source!("unstable-symbol.c"),
};

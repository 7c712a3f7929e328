//! What a wheel that was just built must hold.

use diagnostics::{Rule, Severity};

/// The rules of this crate.
pub const RULES: &[&Rule] = &[&IMPORT_NOT_IN_WHEEL, &WRONG_PYTHON_TAG, &LLVM_NOT_LINKED, &WRONG_LLVM];

/// A module of `import:` is not in the wheel.
pub static IMPORT_NOT_IN_WHEEL: Rule = Rule {
    code: "WH301",
    name: "import-not-in-wheel",
    severity: Severity::Error,
    summary: "a module that must import is not in the wheel",
    why: "`import:` in ci/wheels.yaml says what must import from the repaired wheel. A module that the wheel does not hold \
          can only be imported when something else on the machine provides it, which is what nobody must rely on.",
    fix: "Compare the name with the wheel's content, which the finding lists. Either the name is misspelt, or the build \
          backend leaves the package out: look at `wheel.packages` (scikit-build-core), `module-name` (maturin) or \
          `packages` (setuptools).",
    example: "projects:\n  - path: .\n    import: [mypakage]   # the wheel holds mypackage",
};

/// The wheel's tags do not fit the interpreter that it was built with.
pub static WRONG_PYTHON_TAG: Rule = Rule {
    code: "WH302",
    name: "wrong-python-tag",
    severity: Severity::Error,
    summary: "the wheel's tags do not take the Python that it was built for",
    why: "Installers choose a wheel by its tags alone. A wheel that was built for one Python and says another is installed \
          where it cannot be imported, and not where it could.",
    fix: "Look for a setting that fixes the tag: `wheel.py-api` (scikit-build-core), an `abi3` feature (maturin), \
          `bdist_wheel --py-limited-api` (setuptools).",
    example: "x-1.0-cp312-cp312-linux_x86_64.whl, built with CPython 3.13",
};

/// No binary of the wheel needs libLLVM although it was to be linked.
pub static LLVM_NOT_LINKED: Rule = Rule {
    code: "LL401",
    name: "llvm-not-linked",
    severity: Severity::Error,
    summary: "no binary of the wheel needs the libLLVM that was planned",
    why: "The plan gave the build a shared libLLVM, and no binary of the wheel names it as a library that it needs. Then the \
          build linked LLVM in some other way: statically, or against a library that the host happened to have under another \
          name. Nothing that is said about the bundled LLVM would be true.",
    fix: "If static linking is meant, say `llvm: { linkage: static }`; if the project does not use LLVM, `llvm: false`. \
          Otherwise look at the link line in the build's log: `find_package(LLVM CONFIG)` with the target `LLVM`, or \
          `llvm-config --link-shared --libs`.",
    example: "target_link_libraries(_core PRIVATE ${llvm_component_libraries})   # archives, not libLLVM",
};

/// A binary of the wheel needs a libLLVM that was not planned.
pub static WRONG_LLVM: Rule = Rule {
    code: "LL402",
    name: "wrong-llvm",
    severity: Severity::Error,
    summary: "a binary of the wheel needs another libLLVM than the one that was planned",
    why: "The build found another LLVM than the one that it was given. The wheel would carry that one, or two, and two LLVMs \
          in one process register the same command-line options twice and crash.",
    fix: "Look for what overrides `LLVM_DIR` in the build's log: a `CMAKE_PREFIX_PATH`, a cached `LLVM_DIR`, an `llvm-config` \
          that comes first on PATH, a version written in CMakeLists.txt.",
    example: "planned: LLVM 19 in /usr/lib/llvm-19; _core.so needs libLLVM-14.so.1",
};

#[cfg(test)]
mod tests {
    #[test]
    fn the_pages_are_whole() {
        static FAMILIES: &[&[&diagnostics::Rule]] = &[super::RULES];
        assert_eq!(diagnostics::Registry::new(FAMILIES).faults(), []);
    }
}

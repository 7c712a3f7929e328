//! What a repaired wheel must hold.

use diagnostics::{Rule, Severity};

/// The rules of this crate.
pub const RULES: &[&Rule] =
    &[&LINUX_TAG, &TAG_NOT_MET, &LIBLLVM_COPIES, &LIBRARY_LEFT_OUT, &RECORD_BROKEN, &RUNPATH_HIDES_RPATH];

/// The wheel still has a `linux_*` tag.
pub static LINUX_TAG: Rule = Rule {
    code: "WH311",
    name: "linux-tag",
    severity: Severity::Error,
    summary: "the repaired wheel still has a linux_* platform tag",
    why: "A `linux_x86_64` tag promises nothing about glibc or other libraries; PyPI refuses such a wheel, and an index that \
          takes it gives it to machines on which it cannot be imported.",
    fix: "Repair the wheel with a policy: `platform: auto` finds the most widely usable one that it meets.",
    example: "x-1.0-cp313-cp313-linux_x86_64.whl",
};

/// The wheel's tag is wider than what its binaries allow.
pub static TAG_NOT_MET: Rule = Rule {
    code: "WH312",
    name: "tag-not-met",
    severity: Severity::Error,
    summary: "the platform tag promises more than the wheel's binaries allow",
    why: "The tag says on which machines installers may put the wheel. A binary that needs a newer glibc, a library outside \
          the policy or a symbol version above it fails there with an ImportError.",
    fix: "Use the tag that the binaries meet (`platform: auto`), or build in an older environment so that they meet the tag.",
    example: "tag manylinux_2_17_x86_64, but pkg/_core.so needs GLIBC_2.34 of libc.so.6",
};

/// There is not exactly one libLLVM.
pub static LIBLLVM_COPIES: Rule = Rule {
    code: "LL411",
    name: "libllvm-copies",
    severity: Severity::Error,
    summary: "the repaired wheel does not hold exactly the one libLLVM that was asked for",
    why: "A wheel that was linked to a shared libLLVM must carry one: without it the import fails on a clean machine. Two \
          copies in one process register the same command-line options twice and crash; another version than the one the \
          extension was linked with lacks its versioned symbols.",
    fix: "Look at the repair log. None: the library was excluded or taken for a system library. Two: two extensions were \
          linked with different files; link all with the same LLVM.",
    example: "minijit.libs/libLLVM-14-0fe2.so.1 and minijit.libs/libLLVM-e7f2.so.19.1",
};

/// A needed library is neither in the wheel nor the platform's.
pub static LIBRARY_LEFT_OUT: Rule = Rule {
    code: "LD211",
    name: "library-left-out",
    severity: Severity::Error,
    summary: "a binary of the repaired wheel needs a library that is neither in the wheel nor the platform's",
    why: "On a clean machine the loader finds only what the wheel carries and what the policy promises. Anything else is \
          there by chance.",
    fix: "Let the repair graft it, or, if another wheel brings it, exclude it and name that wheel in Requires-Dist.",
    example: "pkg/_core.so needs libfoo.so.2",
};

/// RECORD does not fit the archive.
pub static RECORD_BROKEN: Rule = Rule {
    code: "WH313",
    name: "record-broken",
    severity: Severity::Error,
    summary: "RECORD does not list what the wheel holds",
    why: "Installers check every file against RECORD (PEP 427); a wrong hash or a missing line makes a strict installer refuse \
          the wheel, and a lenient one leave files behind when it is uninstalled.",
    fix: "Nothing may change a wheel after RECORD was written; repack it with `python -m wheel pack`.",
    example: "pkg/_core.so: RECORD says sha256=abc…, the file has sha256=def…",
};

/// A grafted library's RUNPATH hides the RPATH of who needs it.
pub static RUNPATH_HIDES_RPATH: Rule = Rule {
    code: "LD212",
    name: "runpath-hides-rpath",
    severity: Severity::Error,
    summary: "a library's own RUNPATH makes the loader ignore the path that would find its needs",
    why: "ld.so searches the RPATH of a requirer and of those who loaded it, but not when the library itself has a RUNPATH, \
          which counts for its direct needs alone. A grafted library that kept the RUNPATH of its old home finds nothing.",
    fix: "Set an RPATH of `$ORIGIN` instead (patchelf --force-rpath --set-rpath), or remove the RUNPATH.",
    example: "pkg.libs/libLLVM-e7f2b360.so.19.1 has RUNPATH [$ORIGIN/../lib] and needs libffi-1f2e.so.8, which lies beside it",
};

#[cfg(test)]
mod tests {
    #[test]
    fn the_pages_are_whole() {
        static FAMILIES: &[&[&diagnostics::Rule]] = &[super::RULES];
        assert_eq!(diagnostics::Registry::new(FAMILIES).faults(), []);
    }
}

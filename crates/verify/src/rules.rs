//! What a process that imported the wheel may have loaded.

use diagnostics::{Rule, Severity};

/// The rules of this crate.
pub const RULES: &[&Rule] = &[&HOST_LIBRARY_LEAK, &LIBRARIES_NOT_SEEN, &UNEXPLAINED_LIBRARY, &LLVM_NOT_FROM_WHEEL];

/// The import worked because the host had the library.
pub static HOST_LIBRARY_LEAK: Rule = Rule {
    code: "LD201",
    name: "host-library-leak",
    severity: Severity::Error,
    summary: "a library that the wheel needs came from this machine, not from the wheel",
    why: "The import worked here, but a binary of the wheel needs a library that the wheel does not carry and its policy does \
          not promise; the loader found it on this machine. On a machine without it the import fails.",
    fix: "Let the repair graft the library (it must not be in `repair.exclude`). If another wheel brings it, add that wheel to \
          the dependencies. If it is a system library that every machine of the policy has, the policy is the wrong one.",
    example: "pkg/_core.so needs libxml2.so.2; loaded from /usr/lib/x86_64-linux-gnu/libxml2.so.2",
};

/// libLLVM was loaded, or should have been, and not from the wheel.
pub static LLVM_NOT_FROM_WHEEL: Rule = Rule {
    code: "LL421",
    name: "llvm-not-from-wheel",
    severity: Severity::Error,
    summary: "the libLLVM in the process is not the wheel's own",
    why: "The wheel was linked to a shared libLLVM, so it must carry one and load that. Another one in the process is the \
          host's: on a clean machine the import fails, and with both loaded the process crashes.",
    fix: "Look at the repair: was libLLVM grafted, and does the extension's RPATH lead to it? A library that is loaded with \
          dlopen by an absolute path is not seen by the repair; load it relative to the package.",
    example: "loaded: /usr/lib/llvm-19/lib/libLLVM.so.19.1",
};

/// A library of this machine was opened by name.
pub static UNEXPLAINED_LIBRARY: Rule = Rule {
    code: "LD203",
    name: "unexplained-library",
    severity: Severity::Warning,
    summary: "a library of this machine was loaded that nothing in the process is known to need",
    why: "Every library of the process must come from the interpreter, the wheel, another installed wheel or the policy. This \
          one came from the machine, and no loaded binary names it as needed: somebody opened it by name (dlopen, \
          ctypes.CDLL). Where it is absent, that call fails.",
    fix: "If your code opens it, put it into the wheel or make its absence harmless, and accept the finding with that reason. \
          If a test tool opens it, accept the finding.",
    example: "ctypes.CDLL(\"libxml2.so.2\")",
};

/// The tests ended without saying what they had loaded.
pub static LIBRARIES_NOT_SEEN: Rule = Rule {
    code: "LD202",
    name: "libraries-not-seen",
    severity: Severity::Info,
    summary: "the test processes ended without telling which libraries they had loaded",
    why: "Every Python process of the test environment lists its libraries when it ends normally. None did: the tests ran in \
          another interpreter, or ended with os._exit or a crash. What a later import loaded is then not known.",
    fix: "Run the tests with the environment's own `python`, such as `python -m pytest`.",
    example: "test: ./run-tests.sh   # starts /usr/bin/python3",
};

#[cfg(test)]
mod tests {
    #[test]
    fn the_pages_are_whole() {
        static FAMILIES: &[&[&diagnostics::Rule]] = &[super::RULES];
        assert_eq!(diagnostics::Registry::new(FAMILIES).faults(), []);
    }
}

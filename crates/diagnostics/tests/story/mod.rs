//! A few rules and the findings of one run, for all tests of this crate.
#![allow(dead_code)] // each test file uses its part

use std::collections::BTreeMap;

use wheelproof_diagnostics::{
    Acceptance, Adjustments, Examined, Finding, Judged, Location, Registry, Rule, RuleSettings, Severity, Subject, Tool,
};

pub(crate) static MISSING: Rule = Rule {
    code: "PY101",
    name: "missing-symbol",
    severity: Severity::Error,
    summary: "a symbol that this Python does not export",
    why: "The loader cannot bind the name, so the import fails, or with lazy binding the first call does.\n\nIt worked on \
          the machine that built it because that Python exports it.",
    fix: "Use what the documentation offers:\n\n- `PyObject_CallNoArgs` for calls\n- a version check\n\n```c\n#if PY_VERSION_HEX \
          < 0x030d0000\n```",
    example: "extern PyObject *_PyGone_New(void);\nPyObject *x = _PyGone_New();   // `x`\n",
};
pub(crate) static INTERNAL: Rule = Rule {
    code: "PY102",
    name: "internal-symbol",
    severity: Severity::Warning,
    summary: "a symbol of CPython's | internals",
    why: "It changes without notice.",
    fix: "Use the public API.",
    example: "```c\n_PySet_Update\n```",
};
pub(crate) static RUNTIME: Rule = Rule {
    code: "PY120",
    name: "runtime-named",
    severity: Severity::Info,
    summary: "a C API name that stands as a string",
    why: "A JIT looks it up at run time.",
    fix: "As for the rule behind it.",
    example: "dlsym(RTLD_DEFAULT, \"_PySet_Update\")",
};
pub(crate) static TWO_LLVM: Rule = Rule {
    code: "LL401",
    name: "two-llvm",
    severity: Severity::Error,
    summary: "two copies of libLLVM in one wheel",
    why: "Their command line options collide.",
    fix: "Link one of them.",
    example: "pkg.libs/libLLVM-14.so, pkg.libs/libLLVM-19.so",
};
pub(crate) const RULES: &[&Rule] = &[&RUNTIME, &MISSING, &INTERNAL];

pub(crate) fn registry() -> Registry {
    Registry::new([wheelproof_diagnostics::RULES, &[&TWO_LLVM], RULES])
}

pub(crate) const TOOL: Tool<'_> = Tool {
    name: "wheelproof",
    version: "0.1.0",
    information_uri: "https://example.org/wheelproof",
    rules_uri: "https://example.org/wheelproof/docs/rules.md",
};

pub(crate) const LINUX: &str = "dist/jit-1.0-cp313-cp313-manylinux_2_28_x86_64.whl";
pub(crate) const OLDER: &str = "dist/jit-1.0-cp312-cp312-manylinux_2_28_x86_64.whl";
pub(crate) const CORE: &str = "jit/_core.so";

pub(crate) fn core(file: &str) -> Subject {
    Subject::file(file).member(CORE)
}

/// What a run on two wheels found.
pub(crate) fn findings() -> Vec<Finding> {
    let missing = |file: &str, name: &str| {
        Finding::new(&MISSING, core(file).symbol(name), format!("`{name}` is not exported by CPython 3.13"))
    };
    vec![
        missing(LINUX, "_PyGone_New")
            .help("use `PyHere_New`")
            .at(Location::new("src/core.cpp", 41))
            .at(Location::new("src/other.cpp", 7)),
        Finding::new(&RUNTIME, core(LINUX).symbol("_PySet_Update"), "`_PySet_Update` stands in `.rodata` at 0x1f40")
            .severity(Severity::Warning)
            .because(&INTERNAL)
            .note("every extension of this framework has it"),
        missing(LINUX, "_PyGone_Old").help("use `PyHere_New`"),
        missing(LINUX, "_PyGone_Older").help("use `PyHere_New`"),
        Finding::new(&TWO_LLVM, Subject::file(LINUX), "`libLLVM-14.so` and `libLLVM-19.so` are both in the wheel"),
        Finding::new(&INTERNAL, core(LINUX).symbol("_PyX"), "belongs to nobody").help("ask"),
        Finding::new(&INTERNAL, core(OLDER).symbol("_PyX"), "belongs to nobody").help("ask"),
        Finding::new(&INTERNAL, core(LINUX).symbol("_PyAccepted"), "`_PyAccepted` is internal"),
    ]
}

/// The same run under a configuration that accepts one finding and has one stale acceptance.
pub(crate) fn judged() -> Judged {
    let accept = |symbol: &str, reason: &str, line| Acceptance {
        symbol: Some(symbol.to_owned()),
        reason: reason.to_owned(),
        at: Some(Location::new("ci/wheels.yaml", line)),
        ..Acceptance::default()
    };
    let accept = vec![accept("_PyAcc*", "guarded by a version check", 20), accept("_PyNever", "was once there", 23)];
    let settings = BTreeMap::from([("internal-symbol".to_owned(), RuleSettings { severity: None, accept })]);
    let adjustments = Adjustments::new(&registry(), settings).unwrap();
    adjustments.apply(findings(), &Examined::of(registry().iter()).member(LINUX, CORE).member(OLDER, CORE))
}

/// Findings whose every name was made by somebody who wishes us ill.
pub(crate) fn hostile() -> Judged {
    let name = "a\u{1b}[2J\n::error::x|`<img src=x>`%0A##[add-mask]y ::set-env name=A::b \u{202e}gnp";
    let subject = Subject::file(format!("dist/{name}.whl")).member(name).symbol(name);
    let mut judged = Judged::from(vec![
        Finding::new(&MISSING, subject.clone(), format!("`{name}` is not exported"))
            .help(format!("drop `{name}`"))
            .note(name)
            .at(Location::new(name, 1)),
        Finding::new(&INTERNAL, subject.clone(), "the message does not name it"),
        Finding::new(&INTERNAL, subject, format!("{name} {name}")),
    ]);
    judged.accepted.push(wheelproof_diagnostics::Accepted {
        finding: judged.findings[0].clone(),
        reason: name.to_owned(),
        acceptance: 0,
    });
    judged
}

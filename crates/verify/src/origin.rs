//! Where each loaded library came from, and whether it may have.

use crate::request::Request;
use crate::rules;
use camino::Utf8Path;
use diagnostics::{Finding, Subject};
use host::loaded::Loaded;
use platform::policy::{self, Policy};
use std::collections::{BTreeMap, BTreeSet};

/// What has to be known of a wheel to judge by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    /// The wheel's file name.
    pub(crate) name: String,
    /// The paths that its members have below site-packages.
    pub(crate) files: BTreeSet<String>,
    /// The libraries that its binaries need, each with one that needs it.
    pub(crate) needed: BTreeMap<String, String>,
    /// The policies of its tags.
    pub(crate) policies: Vec<&'static Policy>,
}

/// Where a library came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The wheel that is verified.
    Wheel,
    /// Another wheel in the environment.
    OtherWheel,
    /// The interpreter and its standard library.
    Interpreter,
    /// The system, by the policy's leave.
    Policy,
    /// This machine.
    Host,
}

/// Where a library came from; `venv` is the environment's folder.
pub(crate) fn origin(path: &Utf8Path, loaded: &Loaded, request: &Request, contents: &Contents) -> Origin {
    if let Ok(inside) = path.strip_prefix(&loaded.prefix) {
        let inside = inside.as_str().replace('\\', "/");
        let site = inside.split_once("site-packages/").map(|(_, rest)| rest);
        return if site.is_some_and(|site| contents.files.contains(site)) { Origin::Wheel } else { Origin::OtherWheel };
    }
    let name = path.file_name().unwrap_or_default();
    let own_prefix = !matches!(loaded.base_prefix.as_str(), "/usr" | "/usr/local" | "/");
    if request.interpreter.stdlib.as_ref().is_some_and(|stdlib| path.starts_with(stdlib))
        || (own_prefix && path.starts_with(&loaded.base_prefix))
        || name.starts_with("libpython")
    {
        return Origin::Interpreter;
    }
    let promised = policy::is_loader_or_libc(name)
        || contents.policies.iter().any(|policy| policy.allows_library(name))
        || (contents.policies.is_empty() && policy::whitelisted_anywhere(name));
    if promised { Origin::Policy } else { Origin::Host }
}

/// What is wrong with what one process had loaded.
pub(crate) fn judge(loaded: &Loaded, request: &Request, contents: &Contents) -> Vec<Finding> {
    let mut findings = Vec::new();
    for library in loaded.libraries() {
        let path = &library.path;
        let from = origin(path, loaded, request, contents);
        let name = path.file_name().unwrap_or_default();
        if llvm::recognise(name).is_some() && from == Origin::Host {
            let message = format!("libLLVM was loaded from `{path}`, not from the wheel");
            findings.push(Finding::new(
                &rules::LLVM_NOT_FROM_WHEEL,
                Subject::file(&contents.name).symbol(name),
                message,
            ));
            continue;
        }
        // What the interpreter's own modules load (libffi, libssl) is the interpreter's, unless the wheel needs it too.
        if from == Origin::Host
            && let Some(member) = contents.needed.get(name)
        {
            let message = format!("`{member}` needs `{name}`, which was loaded from `{path}`, not from the wheel");
            let subject = Subject::file(&contents.name).member(member).symbol(name);
            findings.push(Finding::new(&rules::HOST_LIBRARY_LEAK, subject, message));
        }
    }
    findings
}

/// With a shared libLLVM, one must have been loaded, and from the wheel.
pub(crate) fn llvm_from_wheel(loaded: &Loaded, request: &Request, contents: &Contents) -> Option<Finding> {
    request.llvm_major?;
    let seen = loaded.libraries().any(|library| {
        llvm::recognise(library.path.file_name().unwrap_or_default()).is_some()
            && origin(&library.path, loaded, request, contents) == Origin::Wheel
    });
    let carried = contents.files.iter().any(|file| llvm::recognise(file.rsplit('/').next().unwrap_or(file)).is_some());
    (carried && !seen).then(|| {
        let message = "the wheel carries a libLLVM, but the imports did not load it".to_owned();
        Finding::new(&rules::LLVM_NOT_FROM_WHEEL, Subject::file(&contents.name), message)
    })
}

impl Contents {
    /// Notes what one binary of the wheel needs.
    pub(crate) fn needs(&mut self, member: &str, library: &str) {
        self.needed.entry(library.to_owned()).or_insert_with(|| member.to_owned());
    }
}

//! One process: what is wrong with it, and what its proof rests on.

use super::aim::{Platform, Pythons, System};
use super::assumption::Assumptions;
use super::contents::Contents;
use super::outside::{Interpreter, REDISTRIBUTABLE, is_python_name};
use super::process::{Process, Role, Root};
use super::rules;
use super::trouble::Trouble;
use crate::signs::LLVM_CORE;
use diagnostics::{Rule, Severity};
use linkage::{
    Binding, Closure, Edge, Hazard, Hint, Image, Lack, Loader, Machine, MemberId, Miss, Missing, Presence, Reason,
    RefusalKind, Source, Unresolved, What, demangle, hazards, refusals,
};
use objfile::{Architecture, OsVersion};
use platform::exports;
use platform::policy::Libc;
use std::collections::BTreeMap;

/// What all processes of a platform share.
pub(super) struct Bench<'a> {
    pub(super) contents: &'a Contents,
    pub(super) platform: &'a Platform,
    pub(super) pythons: &'a Pythons,
}

impl Bench<'_> {
    /// Judges one process.
    pub(super) fn judge(
        &self,
        root: &Root<'_>,
        process: &Process,
        loader: &Loader,
        troubles: &mut Vec<Trouble>,
        assumptions: &mut Assumptions,
    ) {
        self.openings(process, troubles);
        let blamed = self.missing(process, troubles);
        self.symbols(process, &blamed, troubles);
        self.versions(process, troubles);
        if root.role != Role::Program {
            self.refused(process, troubles);
        }
        self.hazards(process, loader, troubles);
        self.llvms(process, troubles);
        self.assumed(process, troubles, assumptions);
    }

    fn member(&self, closure: &Closure, id: MemberId) -> String {
        let path = closure.name(id);
        self.contents.member_at(path.into()).unwrap_or(path).to_owned()
    }

    fn openings(&self, process: &Process, troubles: &mut Vec<Trouble>) {
        for (opening, outcome) in &process.closure.openings {
            if let Err(missing) = outcome {
                let why = self.reason(&process.closure, missing);
                troubles.push(Trouble {
                    rule: &rules::LOADER_REFUSES,
                    member: self.contents.member_at(&opening.path).unwrap_or(opening.path.as_str()).to_owned(),
                    symbol: None,
                    message: format!("the loader cannot open it: {why}"),
                    help: None,
                    notes: Vec::new(),
                    only: None,
                    pythons: None,
                });
            }
        }
    }

    /// Libraries that are not found; gives for each requirer the first one, on which its open symbols are blamed.
    fn missing(&self, process: &Process, troubles: &mut Vec<Trouble>) -> BTreeMap<MemberId, String> {
        let closure = &process.closure;
        let mut blamed = BTreeMap::new();
        for (edge, missing) in closure.missing() {
            blamed.entry(edge.from).or_insert_with(|| edge.name.to_string());
            let member = self.member(closure, edge.from);
            let taken = taken_from(process, edge);
            let symbols = match taken.as_slice() {
                [] => String::new(),
                [one] => format!("; `{one}` is taken from it"),
                [first, ..] => format!("; {} symbols are taken from it, such as `{first}`", taken.len()),
            };
            let mut notes = Vec::new();
            let looked: Vec<String> = missing.looked.iter().take(6).map(|look| format!("`{}`", look.path)).collect();
            if !looked.is_empty() {
                notes.push(format!("looked for at {}", looked.join(", ")));
            }
            let why = self.reason(closure, missing);
            troubles.push(Trouble {
                rule: &rules::MISSING_LIBRARY,
                message: format!("`{member}` needs `{}`: {why}{symbols}", edge.name),
                member,
                symbol: Some(edge.name.to_string()),
                help: self.advice(missing),
                notes,
                only: None,
                pythons: None,
            });
        }
        blamed
    }

    /// Why a library is not there, as the end of a sentence.
    fn reason(&self, closure: &Closure, missing: &Missing) -> String {
        if let Some(refused) = &missing.refused {
            return refused.clone();
        }
        let telling = |hint: &&Hint| !matches!(hint, Hint::Elsewhere(_));
        if let Some(hint) = missing.hints.iter().find(telling).or(missing.hints.first()) {
            return hint.to_string();
        }
        let met = missing.looked.iter().find(|look| look.miss != Miss::Absent);
        if let Some(look) = met {
            let by = closure.by(look.by);
            return match &look.miss {
                Miss::OtherArchitecture(other) => format!("`{}`, which {by} leads to, is for {other}", look.path),
                Miss::Unusable(why) => format!("`{}`, which {by} leads to, cannot be used: {why}", look.path),
                Miss::Absent => String::new(),
            };
        }
        match &missing.outside {
            Some(why) => why.clone(),
            None => format!("it is neither in the wheel nor a system library of {}", self.platform.spoken()),
        }
    }

    fn advice(&self, missing: &Missing) -> Option<String> {
        let shadowed = missing
            .hints
            .iter()
            .any(|hint| matches!(hint, Hint::ShadowedByRunpath { .. } | Hint::RunpathNotTransitive { .. }));
        if shadowed {
            return Some("set an RPATH of `$ORIGIN` in it instead (patchelf --force-rpath), or repair the unrepaired wheel again".into());
        }
        let unrepaired = matches!(self.platform.system, System::Linux { promised: false, .. });
        unrepaired.then(|| "repair the wheel: `cargo xtask repair` copies the library into it".into())
    }

    fn symbols(&self, process: &Process, blamed: &BTreeMap<MemberId, String>, troubles: &mut Vec<Trouble>) {
        let closure = &process.closure;
        let interpreter = Interpreter::new(self.platform, self.pythons);
        for unresolved in &process.resolution.unresolved {
            let Some(import) = closure.image(unresolved.member).and_then(|image| image.import(unresolved.import))
            else {
                continue;
            };
            let required = closure.member(unresolved.member).is_some_and(|member| member.required);
            let python = is_python_name(import.name);
            if !python && is_blamed(unresolved, blamed) {
                continue;
            }
            let member = self.member(closure, unresolved.member);
            let label = import.label();
            let plain = demangle(import.name);
            let shown = if plain == import.name { format!("`{label}`") } else { format!("`{plain}` (`{label}`)") };
            let reasons: Vec<String> = unresolved.reasons.iter().map(|reason| self.because(reason)).collect();
            let (rule, pythons): (&'static Rule, _) = if python {
                let lacking = interpreter.lacking(import.name);
                (&rules::PYTHON_LACKS_SYMBOL, (!lacking.is_empty()).then_some(lacking))
            } else {
                (&rules::UNRESOLVED_SYMBOL, None)
            };
            let only = (!unresolved.eager || !required).then_some(Severity::Warning);
            let late = if unresolved.eager { "" } else { "; it is bound late, so that only its first call fails" };
            troubles.push(Trouble {
                rule,
                message: format!("`{member}` needs {shown}: {}{late}", reasons.join("; ")),
                member,
                symbol: Some(label.into_owned()),
                help: None,
                notes: Vec::new(),
                only,
                pythons,
            });
        }
    }

    /// A reason in the words of this proof: the program is Python.
    fn because(&self, reason: &Reason) -> String {
        match reason {
            Reason::Lacks { library, lack } if library == "the program" => match lack {
                Lack::Absent => "Python does not export it".to_owned(),
                lack => format!("Python {lack}"),
            },
            Reason::Absent => {
                format!("neither the wheel's libraries nor {} nor Python define it", self.platform.spoken())
            }
            reason => reason.to_string(),
        }
    }

    fn versions(&self, process: &Process, troubles: &mut Vec<Trouble>) {
        for fault in process.resolution.versions.iter().filter(|fault| fault.is_fatal()) {
            let member = self.member(&process.closure, fault.member);
            troubles.push(Trouble {
                rule: &rules::MISSING_VERSION,
                message: fault.to_string(),
                member,
                symbol: Some(fault.version.clone()),
                help: None,
                notes: Vec::new(),
                only: None,
                pythons: None,
            });
        }
    }

    fn refused(&self, process: &Process, troubles: &mut Vec<Trouble>) {
        let machine = machine(self.platform);
        for refusal in refusals(&process.closure, &machine) {
            // The tag is judged by the rules on the wheel: dyld takes newer code and fails at what it lacks.
            if matches!(refusal.kind, RefusalKind::MinimumMacOs { .. }) {
                continue;
            }
            self.refusal(process, refusal.member, refusal.kind, None, troubles);
        }
        // Larger pages are rarer machines of the same tag.
        if matches!(self.platform.architecture(), Architecture::Aarch64 | Architecture::Ppc64le)
            && machine.glibc.is_some()
        {
            let large = Machine { page_sizes: vec![1 << 16], ..machine };
            for refusal in refusals(&process.closure, &large) {
                if matches!(refusal.kind, RefusalKind::Alignment { .. }) {
                    let only = Some(Severity::Warning);
                    self.refusal(process, refusal.member, refusal.kind, only, troubles);
                }
            }
        }
    }

    fn refusal(
        &self,
        process: &Process,
        id: MemberId,
        kind: RefusalKind,
        only: Option<Severity>,
        troubles: &mut Vec<Trouble>,
    ) {
        let member = self.member(&process.closure, id);
        let rule = match kind {
            RefusalKind::ExecutableStack { .. } => &rules::EXECUTABLE_STACK,
            RefusalKind::StaticTls { .. } => &rules::STATIC_TLS,
            RefusalKind::IsaLevel { .. } => &rules::ISA_LEVEL,
            RefusalKind::RelativeRelocations { .. } | RefusalKind::RelativeRelocationsUnmarked => {
                &rules::PACKED_RELOCATIONS
            }
            RefusalKind::Alignment { .. } | RefusalKind::NotCongruent => &rules::SEGMENT_ALIGNMENT,
            RefusalKind::Unsigned | RefusalKind::BrokenSignature { .. } => &rules::UNSIGNED_CODE,
            RefusalKind::Architecture { .. }
            | RefusalKind::NoOpen
            | RefusalKind::Program
            | RefusalKind::NoHash
            | RefusalKind::MinimumMacOs { .. }
            | RefusalKind::OtherSystem(_)
            | RefusalKind::ChainedFixups
            | RefusalKind::Encrypted
            | RefusalKind::ForceIntegrity => &rules::LOADER_REFUSES,
        };
        // What static storage others have taken is not known: a warning until it exceeds all there is.
        troubles.push(Trouble {
            rule,
            message: format!("`{member}` {kind}"),
            member,
            symbol: None,
            help: None,
            notes: Vec::new(),
            only,
            pythons: None,
        });
    }

    fn hazards(&self, process: &Process, loader: &Loader, troubles: &mut Vec<Trouble>) {
        for hazard in hazards(&process.closure, loader, &process.resolution) {
            let (rule, path, severity): (&'static Rule, &str, Severity) = match &hazard {
                // Told as such below.
                Hazard::TwoCopies { members, .. } if members.iter().all(|member| is_libllvm(member)) => continue,
                Hazard::TwoCopies { stem, members } => {
                    (&rules::TWO_COPIES, members.first().unwrap_or(stem), Severity::Warning)
                }
                Hazard::Interposition { first, .. } => (&rules::INTERPOSED_SYMBOL, first, Severity::Info),
                Hazard::SharedUnique { first, .. } => (&rules::LOADING_HAZARD, first, Severity::Info),
                // Executable stacks are refusals already; the rest is only worth knowing.
                Hazard::ExecutableStack { .. } => continue,
                Hazard::StaticTls { path, .. } => (&rules::STATIC_TLS, path, Severity::Info),
                Hazard::TextRelocations { path } => (&rules::LOADING_HAZARD, path, Severity::Info),
                Hazard::OlderThanLinked { path, .. } => (&rules::LOADING_HAZARD, path, Severity::Warning),
            };
            troubles.push(Trouble {
                rule,
                member: self.contents.member_at(path.into()).unwrap_or(path).to_owned(),
                symbol: None,
                message: hazard.to_string(),
                help: None,
                notes: Vec::new(),
                only: Some(severity),
                pythons: None,
            });
        }
    }

    /// Two LLVMs in one process: their options and targets are registered twice, and in ELF's one namespace the first
    /// defines the other's symbols too. Copies that are hidden in the libraries that use them do not meet.
    fn llvms(&self, process: &Process, troubles: &mut Vec<Trouble>) {
        let closure = &process.closure;
        let is_one = |member: &linkage::Member| match &member.what {
            What::External(_) => is_libllvm(member.path.as_str()),
            What::Image(image) => {
                is_libllvm(image.path.as_str())
                    || image.identity.as_deref().is_some_and(is_libllvm)
                    || (image.format == objfile::Format::Elf && shows_llvm(image))
            }
        };
        let mut copies: Vec<String> = closure
            .members
            .iter()
            .filter(|member| is_one(member))
            .map(|member| self.contents.member_at(&member.path).unwrap_or(member.path.as_str()).to_owned())
            .collect();
        copies.sort();
        copies.dedup();
        if copies.len() < 2 {
            return;
        }
        let names: Vec<String> = copies.iter().map(|name| format!("`{name}`")).collect();
        troubles.push(Trouble {
            rule: &crate::rules::TWO_LLVM,
            // Of none of them more than of another.
            member: String::new(),
            symbol: None,
            message: format!("one process loads {} copies of LLVM: {}", copies.len(), names.join(", ")),
            help: Some("link one libLLVM from all of them".to_owned()),
            notes: Vec::new(),
            only: None,
            pythons: None,
        });
    }

    /// Whether the tag's systems have a library anyway that was found on this one.
    fn is_promised(&self, image: &Image) -> bool {
        let name = image.identity.as_deref().or(image.path.file_name()).unwrap_or_default();
        matches!(self.platform.system, System::Linux { policy, .. } if policy.allows_library(name))
    }

    fn assumed(&self, process: &Process, troubles: &mut Vec<Trouble>, assumptions: &mut Assumptions) {
        let closure = &process.closure;
        let interpreter = Interpreter::new(self.platform, self.pythons);
        for (_, name, presence) in closure.externals() {
            if let Presence::Assumed(why) = presence {
                assumptions.note(name, why);
            }
            if presence == &Presence::Assumed(REDISTRIBUTABLE.to_owned()) {
                let users = closure.edges.iter().filter(|edge| edge.name.eq_ignore_ascii_case(name));
                for edge in users {
                    let member = self.member(closure, edge.from);
                    troubles.push(Trouble {
                        rule: &rules::NEEDS_VC_REDISTRIBUTABLE,
                        message: format!("`{member}` needs `{}`, which is not in the wheel", edge.name),
                        member,
                        symbol: Some(edge.name.to_string()),
                        help: None,
                        notes: Vec::new(),
                        only: Some(Severity::Warning),
                        pythons: None,
                    });
                }
            }
        }
        for (path, source) in &process.preloaded {
            assumptions.note(path.as_str(), &format!("`{source}` opens it before"));
        }
        for member in &closure.members {
            if let What::Image(image) = &member.what
                && image.path.is_absolute()
                && !self.is_promised(image)
            {
                let name = image.path.file_name().unwrap_or(image.path.as_str());
                assumptions.note(name, &format!("it was found at `{}`, outside of the wheel", image.path));
            }
        }
        for (source, id, import) in process.resolution.assumed() {
            let Some(import) = closure.image(id).and_then(|image| image.import(import)) else { continue };
            match source {
                Source::Program => {
                    let doubt = interpreter.doubt(import.name);
                    let why = doubt.unwrap_or_else(|| "which names it exports is not known".to_owned());
                    assumptions.symbol("Python", &why, import.name);
                }
                Source::Member(library) => {
                    let name = closure.name(library);
                    let why = match closure.member(library).map(|member| &member.what) {
                        Some(What::External(Presence::Assumed(why))) => why.as_str(),
                        _ => "a system library whose exports are in no list here",
                    };
                    assumptions.symbol(name, why, import.label());
                }
            }
        }
    }
}

/// Whether a symbol is open only because a library is missing: then that is the finding.
fn is_blamed(unresolved: &Unresolved, blamed: &BTreeMap<MemberId, String>) -> bool {
    !blamed.is_empty()
        && unresolved.reasons.iter().all(|reason| match reason {
            Reason::LibraryMissing { .. } | Reason::Absent => true,
            Reason::OutsideScope { .. } => true,
            Reason::Lacks { lack, .. } => *lack == Lack::Absent && blamed.contains_key(&unresolved.member),
            Reason::OtherVersions { .. } | Reason::OtherArchitecture { .. } | Reason::BadOrdinal(_) => false,
        })
}

/// The symbols that would have come from a missing library.
fn taken_from(process: &Process, edge: &Edge) -> Vec<String> {
    let Some(image) = process.closure.image(edge.from) else { return Vec::new() };
    let bindings = process.resolution.bindings(edge.from);
    let open = bindings.iter().zip(0_u32..).filter(|(binding, _)| matches!(binding, Binding::Unresolved(_)));
    open.filter_map(|(_, import)| image.import(import))
        .filter(|import| match import.from {
            objfile::Provider::Library(library) => library == &*edge.name,
            objfile::Provider::Unbound | objfile::Provider::Flat => !is_python_name(import.name),
            _ => false,
        })
        .map(|import| demangle(import.name).into_owned())
        .collect()
}

/// The machines that a platform tag stands for.
fn machine(platform: &Platform) -> Machine {
    let mut machine = Machine::new(platform.architecture());
    match platform.system {
        System::Linux { libc: Libc::Glibc, oldest, .. } => {
            let newest = exports::glibc(platform.arch).map_or((2, 41), exports::Glibc::latest_known).max((2, 41));
            machine.glibc = Some((oldest, newest));
        }
        // The tag says 1.2, which began with 1.2.0.
        System::Linux { libc: Libc::Musl, oldest: (major, minor), .. } => machine.musl = Some((major, minor, 0)),
        System::MacOs { oldest: (major, minor) } => {
            machine.macos = Some(OsVersion { major: major.into(), minor: minor.into(), patch: 0 });
        }
        System::Windows => {}
    }
    machine
}

/// libLLVM by its name; the library of the C API alone has none inside where it comes with it.
fn is_libllvm(path: &str) -> bool {
    llvm::recognise(path.rsplit('/').next().unwrap_or(path)).is_some_and(|name| !name.c_api_only)
}

/// Whether LLVM's core is linked in and shown to others.
fn shows_llvm(image: &Image) -> bool {
    LLVM_CORE.iter().any(|name| image.exports_named(name).any(|export| !export.weak))
}

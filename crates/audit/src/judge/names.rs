//! The names a binary takes from Python: in its import table, and in its constant data.

use super::verdict::{Use, Verdict, verdict};
use super::{Case, Draft};
use crate::facts::{Named, Stranger};
use crate::rules;
use diagnostics::{Finding, Severity};
use objfile::{Format, ObjectKind};

/// Names of the C API in the import table.
pub(super) fn imports(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    for taken in &case.binary.facts.imports {
        let usage = if taken.weak { Use::WeakImport } else { Use::Import };
        let Some(found) = verdict(case, taken.entry, usage) else { continue };
        if case.is_provided(taken.entry.name()) {
            continue;
        }
        let words = found.through;
        let mut draft = Draft::new(finding(case, taken.entry.name(), found)).word(taken.entry.name());
        draft.words.extend(words.map(str::to_owned));
        drafts.push(draft);
    }
}

fn finding(case: &Case<'_>, name: &str, verdict: Verdict) -> Finding {
    let subject = case.binary.subject().symbol(name);
    let mut finding = Finding::new(verdict.rule, subject, verdict.message).severity(verdict.severity);
    finding.help = verdict.help;
    finding.notes = verdict.notes;
    finding
}

/// Imports that look like Python's and are in no version of its API.
pub(super) fn strangers(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    // Objects may get anything from others they are linked with.
    if case.by.pythons.is_empty() || case.binary.facts.kind == ObjectKind::Relocatable {
        return;
    }
    for stranger in &case.binary.facts.strangers {
        if is_for_others(case, stranger) || case.is_provided(&stranger.name) {
            continue;
        }
        let rule = &rules::MISSING_SYMBOL;
        let message =
            format!("`{}` is not exported by any Python from 3.{} to 3.{}", stranger.name, capi::OLDEST, capi::NEWEST);
        let severity = if stranger.weak { Severity::Info } else { rule.severity };
        let finding = Finding::new(rule, case.binary.subject().symbol(&stranger.name), message).severity(severity);
        let finding = finding.help(
            "if it is your own, link the file that defines it; if it is a macro's, include the header that has it",
        );
        drafts.push(Draft::new(finding).word(&stranger.name));
    }
}

/// Whether a library that was not looked at may define the name: all needed ones but Python and the system's own.
fn is_for_others(case: &Case<'_>, stranger: &Stranger) -> bool {
    !stranger.from_python && case.binary.facts.needed.iter().any(|needed| !is_systems(case.binary.facts.format, needed))
}

/// Libraries of the system's C and C++ run time, which define nothing of Python's.
fn is_systems(format: Format, needed: &str) -> bool {
    const LINUX: [&str; 12] = [
        "libc.",
        "libm.",
        "libdl.",
        "librt.",
        "libpthread.",
        "libutil.",
        "libgcc_s.",
        "libstdc++.",
        "libc++.",
        "ld-linux",
        "ld-musl",
        "libpython3",
    ];
    match format {
        Format::Elf => LINUX.iter().any(|prefix| needed.starts_with(prefix)),
        Format::MachO => needed.starts_with("/usr/lib/") || needed.starts_with("/System/"),
        // A PE import is bound to its DLL.
        Format::Pe | Format::Coff => false,
    }
}

/// Names of the C API among the strings.
pub(super) fn named(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let facts = &case.binary.facts;
    for named in &facts.named {
        let entry = named.entry;
        // An import says it already; what the binary defines itself it may name as it likes.
        let imported = facts.imports.iter().any(|taken| taken.entry == entry);
        if imported || facts.defines.iter().any(|name| name == entry.name()) {
            continue;
        }
        let Some(found) = verdict(case, entry, Use::Named) else { continue };
        let weighs = is_looked_up(case, named) && found.severity > Severity::Info;
        drafts.push(named_draft(case, named, found, if weighs { Severity::Warning } else { Severity::Info }));
    }
}

/// Whether a name among the strings is there to be looked up, as far as the binary tells.
fn is_looked_up(case: &Case<'_>, named: &Named) -> bool {
    let signs = case.binary.facts.signs;
    // `assert` in an inline function of CPython's headers leaves that function's name in whoever includes them.
    let left_by_assert = signs.asserts && !named.entry.inline_in().is_empty();
    named.bounded && (signs.generates_code() || (signs.lookup && !left_by_assert))
}

fn named_draft(case: &Case<'_>, named: &Named, found: Verdict, severity: Severity) -> Draft {
    let name = named.entry.name();
    let place = format!("a string in {} at offset {:#x}", named.section, named.offset);
    let mut finding = finding(case, name, found);
    finding.because = Some(finding.rule);
    finding.rule = &rules::RUNTIME_NAMED;
    finding.severity = severity;
    finding.message = format!("{}; it is named by {place}", finding.message);
    let mut draft = Draft::new(finding).word(name);
    draft.in_strings = true;
    draft
}

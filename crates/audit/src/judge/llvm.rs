//! How many LLVMs a wheel brings.

use super::Draft;
use crate::binary::{Binary, Inspection};
use crate::rules;
use crate::signs::LlvmSign;
use diagnostics::{Finding, Severity, Subject};
use std::collections::BTreeMap;

/// Every wheel with more than one copy, and every binary that has one inside and asks for another.
pub(super) fn copies(inspection: &Inspection, drafts: &mut Vec<Draft>) {
    let mut by_wheel: BTreeMap<usize, Vec<&Binary>> = BTreeMap::new();
    for binary in inspection.binaries.iter().filter(|binary| binary.facts.kind.is_loadable()) {
        if carries(binary) && links_shared(binary) {
            let message = "has LLVM linked in and asks for libLLVM as well".to_owned();
            drafts.push(draft(binary.subject(), message, Severity::Error));
        }
        if let Some(wheel) = binary.wheel.filter(|_| carries(binary) || is_shared(binary)) {
            by_wheel.entry(wheel).or_default().push(binary);
        }
    }
    for (wheel, mut binaries) in by_wheel {
        // The slices of a universal file are one copy.
        binaries.dedup_by(|a, b| a.member == b.member);
        let Some(place) = inspection.wheels.get(wheel) else { continue };
        if binaries.len() < 2 {
            continue;
        }
        let names: Vec<_> =
            binaries.iter().filter_map(|binary| binary.member.as_deref()).map(|name| format!("`{name}`")).collect();
        let message = format!("holds {} copies of LLVM: {}", names.len(), names.join(", "));
        // Copies whose symbols are hidden do not see each other; they cost size alone.
        let visible = binaries.iter().filter(|binary| is_shared(binary) || binary.facts.surface.llvm > 0).count();
        let severity = if visible > 0 { rules::TWO_LLVM.severity } else { Severity::Warning };
        drafts.push(draft(Subject::file(place.path.clone()), message, severity));
    }
}

fn draft(subject: Subject, message: String, severity: Severity) -> Draft {
    let finding = Finding::new(&rules::TWO_LLVM, subject, message).severity(severity);
    Draft::new(
        finding.help("link one libLLVM from all of them, or link LLVM into one library only and hide its symbols"),
    )
}

fn carries(binary: &Binary) -> bool {
    binary.facts.signs.llvm == LlvmSign::Carried
}

/// libLLVM by its name; the library of the C API alone (`LLVM-C.dll`) counts where LLVM is in it.
fn is_shared(binary: &Binary) -> bool {
    ::llvm::recognise(binary.file_name()).is_some_and(|name| !name.c_api_only)
}

fn links_shared(binary: &Binary) -> bool {
    let is_itself = is_shared(binary);
    !is_itself && binary.facts.needed.iter().any(|needed| ::llvm::recognise(needed).is_some())
}

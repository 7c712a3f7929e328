//! One libLLVM, and the one that was asked for.

use super::{Context, Facts};
use crate::binary::Binary;
use crate::request::ExpectedLlvm;
use crate::rules;
use diagnostics::{Finding, Subject};
use std::collections::BTreeMap;

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    let by_member: BTreeMap<&str, &Binary> = context
        .after
        .binaries
        .iter()
        .filter(|binary| llvm::recognise(binary.file_name()).is_some())
        .map(|binary| (binary.member.as_str(), binary))
        .collect();
    let copies: Vec<&Binary> = by_member.into_values().collect();
    if copies.len() > 1 {
        let names: Vec<String> = copies.iter().map(|binary| format!("`{}`", binary.member)).collect();
        let message =
            format!("there are {} copies of libLLVM in `{}`: {}", copies.len(), context.name, names.join(", "));
        facts.findings.push(Finding::new(&rules::TWO_LLVM, Subject::file(context.name), message));
        return;
    }
    let Some(major) = expected(context) else {
        let planned = context.request.options.expected_llvm == ExpectedLlvm::AsPlanned;
        for copy in copies.iter().filter(|_| planned) {
            let message = format!("`{}` is in the wheel, but no shared libLLVM was planned", copy.member);
            let subject = Subject::file(context.name).member(&copy.member);
            facts.findings.push(Finding::new(&rules::LIBLLVM_COPIES, subject, message));
        }
        return;
    };
    // Left out on purpose: the proof names it as assumed.
    if copies.is_empty()
        && facts.assumed.iter().any(|assumed| llvm::recognise(crate::binary::file_name(&assumed.library)).is_some())
    {
        return;
    }
    let right = |binary: &Binary| {
        llvm::recognise(binary.file_name()).and_then(|name| name.major).is_none_or(|found| found == major)
    };
    let message = match copies.as_slice() {
        [one] if right(one) => return,
        [] => format!("there is no libLLVM in `{}`, but LLVM {major} was linked as a shared library", context.name),
        [one] => format!("`{}` is not of LLVM {major}, with which the extension was linked", one.member),
        _ => return,
    };
    facts.findings.push(Finding::new(&rules::LIBLLVM_COPIES, Subject::file(context.name), message));
}

/// The major version that has to be there; none when there may be none.
fn expected(context: &Context<'_>) -> Option<u32> {
    match context.request.options.expected_llvm {
        ExpectedLlvm::AsPlanned => context.request.llvm_major,
        // Nobody planned: what the binaries of the given wheel themselves need is what was asked for.
        ExpectedLlvm::AsNeeded => context
            .before
            .binaries
            .iter()
            .flat_map(|binary| &binary.needed)
            .find_map(|needed| llvm::recognise(crate::binary::file_name(&needed.name)).and_then(|name| name.major)),
    }
}

//! RECORD lists what the wheel holds, and nothing else.

use super::{Context, Facts};
use crate::rules;
use diagnostics::{Finding, Subject};

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    let wheel = &context.after.wheel;
    let (Ok(dist_info), Some(record)) = (&wheel.dist_info, &wheel.record) else {
        let message = format!("`{}` has no RECORD that can be read", context.name);
        facts.findings.push(Finding::new(&rules::RECORD_MISMATCH, Subject::file(context.name), message));
        return;
    };
    for fault in wheel::check_record(&wheel.archive, dist_info, record, &context.after.hashes).faults {
        let subject = Subject::file(context.name).member(fault.path());
        facts.findings.push(Finding::new(&rules::RECORD_MISMATCH, subject, fault.to_string()));
    }
}

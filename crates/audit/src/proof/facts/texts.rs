//! METADATA, WHEEL and RECORD against the file name and the archive.

use super::rules;
use crate::proof::contents::Contents;
use diagnostics::{Finding, Severity, Subject};
use platform::{Distribution, TagSet, Version};
use std::collections::BTreeSet;
use wheel::{TextProblemKind, check_record};

pub(super) fn findings(contents: &Contents) -> Vec<Finding> {
    let file = || Subject::file(contents.shown.clone());
    let wheel = &contents.wheel;
    let mut findings = Vec::new();
    let info = match &wheel.dist_info {
        Ok(info) => info,
        Err(error) => return vec![Finding::new(&rules::METADATA_BROKEN, file(), error.to_string())],
    };
    for problem in &wheel.problems {
        let severity = match problem.kind {
            TextProblemKind::Missing
            | TextProblemKind::Unreadable { .. }
            | TextProblemKind::TooLarge { .. }
            | TextProblemKind::MissingField { .. } => Severity::Error,
            // What installers do not read twice.
            TextProblemKind::RepeatedField { .. } => Severity::Info,
            _ => Severity::Warning,
        };
        let subject = file().member(info.path(problem.file));
        findings.push(Finding::new(&rules::METADATA_BROKEN, subject, problem.to_string()).severity(severity));
    }
    if let Some(record) = &wheel.record {
        for fault in check_record(&wheel.archive, info, record, &contents.hashes).faults {
            let subject = file().member(fault.path());
            findings.push(Finding::new(&rules::RECORD_MISMATCH, subject, fault.of_the_file()));
        }
    }
    findings.extend(names(contents, info));
    findings.extend(tags(contents));
    findings
}

/// Name and version: file name, dist-info folder, METADATA.
fn names(contents: &Contents, info: &wheel::DistInfo) -> Vec<Finding> {
    let (Some(name), Some(metadata)) = (&contents.name, &contents.wheel.metadata) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut differs = |member: String, what: &str, has: &str, wanted: &str| {
        let message = format!("{what} is `{has}`, and `{wanted}` in the file name");
        let subject = Subject::file(contents.shown.clone()).member(member);
        findings.push(Finding::new(&rules::METADATA_DIFFERS, subject, message));
    };
    let same_name = |text: &str| Distribution::new(text).is_ok_and(|found| found == name.distribution);
    let same_version = |text: &str| {
        text.replace('_', "-").parse::<Version>().is_ok_and(|found| found == name.version)
            || text.parse::<Version>().is_ok_and(|found| found == name.version)
    };
    if !metadata.name.is_empty() && !same_name(&metadata.name) {
        differs(info.path("METADATA"), "Name", &metadata.name, name.distribution.as_str());
    }
    if !metadata.version.is_empty() && !same_version(&metadata.version) {
        differs(info.path("METADATA"), "Version", &metadata.version, &name.version.to_string());
    }
    if !same_name(&info.name) || !same_version(&info.version) {
        differs(info.dir.clone(), "the folder", &info.dir, &format!("{}-{}", name.distribution.as_str(), name.version));
    }
    findings
}

/// The tags in WHEEL against those of the file name.
fn tags(contents: &Contents) -> Option<Finding> {
    let (name, file) = (contents.name.as_ref()?, contents.wheel.wheel_file.as_ref()?);
    let written: BTreeSet<String> = file
        .tags
        .iter()
        .filter_map(|text| text.parse::<TagSet>().ok())
        .flat_map(|set| set.expand().map(|tag| tag.to_string()).collect::<Vec<_>>())
        .collect();
    let named: BTreeSet<String> = name.tags.expand().map(|tag| tag.to_string()).collect();
    if written.is_empty() || written == named {
        return None;
    }
    let list = |tags: Vec<&String>| tags.iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", ");
    let only_name: Vec<&String> = named.difference(&written).collect();
    let only_file: Vec<&String> = written.difference(&named).collect();
    let mut parts = Vec::new();
    if !only_name.is_empty() {
        parts.push(format!("only the file name has {}", list(only_name)));
    }
    if !only_file.is_empty() {
        parts.push(format!("only WHEEL has {}", list(only_file)));
    }
    Some(Finding::new(&rules::TAGS_DIFFER, Subject::file(contents.shown.clone()), parts.join("; ")))
}

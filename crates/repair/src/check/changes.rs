//! What was in the wheel before has to be in it after, unchanged except where a repair has to change it.

use super::{Context, Facts};
use crate::binary::Binary;
use crate::rules;
use diagnostics::{Finding, Subject};
use std::collections::BTreeSet;
use wheel::Member;

/// What a repair may do to a file of the wheel.
enum May {
    /// Nothing.
    Nothing,
    /// It is made anew.
    BeMadeAnew,
    /// Lines may be added.
    Grow,
    /// The tags and the name of the generator.
    BeTaggedAnew,
    /// Patched: the same symbols for whoever uses it.
    BePatched,
}

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    let before = context.before.files();
    let binaries = context.before.members();
    for (place, old) in &before {
        let subject = || Subject::file(context.name).member(&old.name);
        if is_signature(&old.name) {
            continue;
        }
        let Some(new) = context.files.get(place) else {
            let message = format!("`{}` was in the wheel before the repair and is not any more", old.name);
            facts.findings.push(Finding::new(&rules::MEMBER_LOST, subject(), message));
            continue;
        };
        if old.is_executable() && !new.is_executable() {
            let message = format!("`{}` was executable before the repair and is not any more", old.name);
            facts.findings.push(Finding::new(&rules::MEMBER_CHANGED, subject(), message));
        }
        if context.before.has_same(old, context.after, new) {
            continue;
        }
        let fault = match may(&old.name, &binaries) {
            May::BeMadeAnew => None,
            May::Nothing => Some("is another file than before the repair".to_owned()),
            May::Grow => grew(context, old, new),
            May::BeTaggedAnew => tagged(context, old, new),
            May::BePatched => patched(context, old, new),
        };
        if let Some(what) = fault {
            let message = format!("`{}` {what}", new.name);
            facts.findings.push(Finding::new(&rules::MEMBER_CHANGED, subject(), message));
        }
    }
}

fn may(member: &str, binaries: &BTreeSet<&str>) -> May {
    if binaries.contains(member) {
        return May::BePatched;
    }
    match member.rsplit_once(".dist-info/").map(|(_, file)| file) {
        Some("RECORD") => May::BeMadeAnew,
        Some("WHEEL") => May::BeTaggedAnew,
        Some(file) if file.starts_with("sboms/") || file == "DELVEWHEEL" => May::BeMadeAnew,
        Some(_) => May::Nothing,
        // delvewheel adds lines that tell Windows where the DLLs are.
        None if member.ends_with(".py") => May::Grow,
        None => May::Nothing,
    }
}

fn is_signature(member: &str) -> bool {
    member.ends_with(".dist-info/RECORD.jws") || member.ends_with(".dist-info/RECORD.p7s")
}

fn text(snapshot: &crate::binary::Snapshot, file: &Member) -> Option<String> {
    const MOST: u64 = 64 << 20;
    if file.size > MOST {
        return None;
    }
    snapshot.wheel.archive.read(file).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Every line of the old text has to be in the new one, in order.
fn grew(context: &Context<'_>, old: &Member, new: &Member) -> Option<String> {
    let (Some(old), Some(new)) = (text(context.before, old), text(context.after, new)) else {
        return Some("is too big to be compared with what it was".to_owned());
    };
    let mut lines = new.lines();
    let lost = old
        .lines()
        .filter(|line| !line.trim().is_empty())
        .find(|line| !lines.any(|found| found.trim_end() == line.trim_end()));
    lost.map(|line| format!("has lost the line `{}`", line.trim()))
}

fn tagged(context: &Context<'_>, old: &Member, new: &Member) -> Option<String> {
    let (Some(old), Some(new)) = (text(context.before, old), text(context.after, new)) else {
        return Some("cannot be read".to_owned());
    };
    let of_tool = |line: &&str| !["Tag:", "Generator:", "Root-Is-Purelib:"].iter().any(|key| line.starts_with(key));
    let new: BTreeSet<&str> = new.lines().map(str::trim_end).collect();
    let lost = old.lines().map(str::trim_end).filter(of_tool).find(|line| !new.contains(line));
    lost.map(|line| format!("has lost the line `{line}`"))
}

/// A patched binary offers the same to whoever uses it.
fn patched(context: &Context<'_>, old: &Member, new: &Member) -> Option<String> {
    let of = |snapshot: &'_ crate::binary::Snapshot, member: &str| -> Vec<Binary> {
        snapshot.binaries.iter().filter(|binary| binary.member == member).cloned().collect()
    };
    let was = of(context.before, &old.name);
    let is = of(context.after, &new.name);
    if is.is_empty() {
        // auditwheel puts a script in the place of a program that needs grafted libraries, and the program elsewhere.
        let moved =
            context.after.binaries.iter().any(|binary| {
                binary.file_name() == crate::binary::file_name(&old.name) && context.grafted(&binary.member)
            });
        return (!moved).then(|| "is no binary any more".to_owned());
    }
    for old in &was {
        let Some(new) = is.iter().find(|new| new.architecture == old.architecture) else {
            return Some(format!("has lost its code for {}", old.architecture.name()));
        };
        if new.format != old.format || new.kind != old.kind {
            return Some(format!("was of the kind {} and is of the kind {}", old.kind.name(), new.kind.name()));
        }
        if new.exports != old.exports {
            return Some(format!(
                "does not export the {} symbols that it did before the repair, but {} others",
                old.exports.0, new.exports.0
            ));
        }
        if new.needed.len() < old.needed.len() && old.needed.iter().all(|needed| !needed.name.starts_with("libpython"))
        {
            return Some(format!(
                "needed {} libraries before the repair and needs {}",
                old.needed.len(),
                new.needed.len()
            ));
        }
    }
    None
}

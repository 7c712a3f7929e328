//! What was in the wheel before has to be in it after, unchanged except where a repair has to change it.

use super::{Context, Facts};
use crate::binary::{Binary, Snapshot};
use crate::rules;
use diagnostics::{Finding, Subject};
use platform::Os;
use std::collections::BTreeSet;
use wheel::Member;

/// What a repair may do to a file of the wheel.
enum May {
    /// Nothing.
    Nothing,
    /// It is made anew.
    BeMadeAnew,
    /// delvewheel's lines may be added.
    Grow,
    /// The tags and the name of the generator.
    BeTaggedAnew,
    /// Patched: the same code, the same symbols for whoever uses it.
    BePatched,
}

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    let binaries = context.before.members();
    for (place, old) in &context.known {
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
        let fault = match may(context, place, old, &binaries) {
            May::BeMadeAnew => None,
            May::Nothing => Some(format!("`{}` is another file than before the repair", new.name)),
            May::Grow => grew(context, old, new).map(|what| format!("`{}` {what}", new.name)),
            May::BeTaggedAnew => tagged(context, old, new).map(|what| format!("`{}` {what}", new.name)),
            May::BePatched => patched(context, old, new),
        };
        if let Some(message) = fault {
            facts.findings.push(Finding::new(&rules::MEMBER_CHANGED, subject(), message));
        }
    }
}

fn may(context: &Context<'_>, place: &str, old: &Member, binaries: &BTreeSet<&str>) -> May {
    if binaries.contains(old.name.as_str()) {
        return May::BePatched;
    }
    match old.name.rsplit_once(".dist-info/").map(|(_, file)| file) {
        Some("RECORD") => May::BeMadeAnew,
        Some("WHEEL") => May::BeTaggedAnew,
        Some(file) if file.starts_with("sboms/") || file == "DELVEWHEEL" => May::BeMadeAnew,
        Some(_) => May::Nothing,
        None if context.request.target.os == Os::Windows => {
            let namespaces = &context.request.options.namespace_packages;
            let namespaces: Vec<Vec<&str>> = namespaces.iter().map(|name| name.split('.').collect()).collect();
            let path: Vec<&str> = place.split('/').collect();
            if is_patched_by_delvewheel(&path, &namespaces) { May::Grow } else { May::Nothing }
        }
        None => May::Nothing,
    }
}

/// Whether delvewheel 1.13 writes into a Python file: into the `__init__.py` of each folder at the root, which is imported
/// before all that is below; of a namespace package, which has none of its own, into the modules and packages in it.
fn is_patched_by_delvewheel(path: &[&str], namespaces: &[Vec<&str>]) -> bool {
    let Some((folder, rest @ [name, ..])) = path.split_first() else { return false };
    let init = name.eq_ignore_ascii_case("__init__.py");
    let inner: Vec<&Vec<&str>> = namespaces.iter().filter(|namespace| namespace.first() == Some(folder)).collect();
    match rest {
        [_] if inner.is_empty() => init,
        [module] => !init && module.to_ascii_lowercase().ends_with(".py"),
        _ if inner.is_empty() => false,
        _ => {
            let below = inner.into_iter().filter_map(|namespace| namespace.get(1..)).map(<[&str]>::to_vec);
            is_patched_by_delvewheel(rest, &below.collect::<Vec<_>>())
        }
    }
}

fn is_signature(member: &str) -> bool {
    member.ends_with(".dist-info/RECORD.jws") || member.ends_with(".dist-info/RECORD.p7s")
}

fn text(snapshot: &Snapshot, file: &Member) -> Option<String> {
    const MOST: u64 = 64 << 20;
    if file.size > MOST {
        return None;
    }
    snapshot.wheel.archive.read(file).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// What differs between two lists of lines, the first of it.
fn difference<'a>(old: &[&'a str], new: &[&'a str]) -> Option<String> {
    let same = old.iter().zip(new).take_while(|(one, two)| one == two).count();
    let (lost, gained) = (old.get(same), new.get(same));
    match (lost, gained) {
        (None, None) => None,
        // Which of the two it is shows further down.
        (Some(lost), _) if !new.iter().skip(same).any(|line| line == lost) => {
            Some(format!("has lost the line `{}`", lost.trim()))
        }
        (Some(lost), None) => Some(format!("has lost the line `{}`", lost.trim())),
        (_, Some(gained)) => Some(format!("has gained the line `{}`", gained.trim())),
    }
}

/// All lines but delvewheel's own have to be the same.
fn grew(context: &Context<'_>, old: &Member, new: &Member) -> Option<String> {
    let (Some(old), Some(new)) = (text(context.before, old), text(context.after, new)) else {
        return Some("is too big to be compared with what it was".to_owned());
    };
    difference(&own_lines(&old), &own_lines(&new))
}

/// The lines outside of delvewheel's block, without the empty ones, whose number it changes.
fn own_lines(text: &str) -> Vec<&str> {
    const START: [&str; 2] = ["# start delvewheel patch", "\"\"\"\"\"\" # start delvewheel patch"];
    const END: &str = "# end delvewheel patch";
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty()) {
        match line {
            _ if START.contains(&line) => inside = true,
            END if inside => inside = false,
            _ if inside => {}
            _ => lines.push(line),
        }
    }
    lines
}

/// Tags, the name of the generator, and whether the root is for pure Python where that had to change.
fn tagged(context: &Context<'_>, old: &Member, new: &Member) -> Option<String> {
    let (Some(old), Some(new)) = (text(context.before, old), text(context.after, new)) else {
        return Some("cannot be read".to_owned());
    };
    let root = |snapshot: &Snapshot| snapshot.wheel.wheel_file.as_ref().map(|file| file.root_is_purelib);
    if let (Some(was), Some(is)) = (root(context.before), root(context.after))
        && was != is
        && !(was && is_platforms(context))
    {
        return Some(format!("says `Root-Is-Purelib: {is}`, and did not before the repair"));
    }
    difference(&kept_lines(&old), &kept_lines(&new))
}

/// The lines of WHEEL that no repair has to change.
fn kept_lines(text: &str) -> Vec<&str> {
    let is_kept = |line: &&str| {
        let key = line.split(':').next().unwrap_or_default().trim();
        !line.is_empty() && !["Tag", "Generator", "Root-Is-Purelib"].iter().any(|own| key.eq_ignore_ascii_case(own))
    };
    text.lines().map(str::trim_end).filter(is_kept).collect()
}

/// Whether the root holds what is for one platform, and did not, or did not say so: extensions were moved there from
/// `.data/platlib`, or the tag was `any`.
fn is_platforms(context: &Context<'_>) -> bool {
    let in_platlib =
        |snapshot: &Snapshot| snapshot.binaries.iter().any(|binary| binary.member.contains(".data/platlib/"));
    let any = context.before.wheel.wheel_file.iter().flat_map(|file| &file.tags).any(|tag| tag.ends_with("-any"));
    any || in_platlib(context.before) && !in_platlib(context.after)
}

/// A patched binary does the same, and offers the same to whoever uses it. A sentence about the member.
fn patched(context: &Context<'_>, old: &Member, new: &Member) -> Option<String> {
    let of = |snapshot: &'_ Snapshot, member: &str| -> Vec<Binary> {
        snapshot.binaries.iter().filter(|binary| binary.member == member).cloned().collect()
    };
    let was = of(context.before, &old.name);
    let mut is = of(context.after, &new.name);
    let mut name = &new.name;
    let moved;
    if is.is_empty() {
        // auditwheel puts a script in the place of a program that needs grafted libraries, and the program elsewhere.
        let is_it = |binary: &&Binary| context.moved_from(binary).is_some_and(|from| from.member == old.name);
        is = context.after.binaries.iter().filter(is_it).cloned().collect();
        let Some(first) = is.first() else { return Some(format!("`{name}` is no binary any more")) };
        let script = text(context.after, new).unwrap_or_default();
        if !script.starts_with("#!") || !script.contains(&first.place) {
            return Some(format!("`{name}` is a script that does not start `{}`", first.member));
        }
        moved = first.member.clone();
        name = &moved;
    }
    was.iter().find_map(|old| differs(old, &is)).map(|what| format!("`{name}` {what}"))
}

fn differs(old: &Binary, is: &[Binary]) -> Option<String> {
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
    if new.code != old.code {
        let changed = old.code.iter().zip(&new.code).find(|(old, new)| old != new).map(|(old, _)| &old.section);
        let section = changed.map(|section| format!(" in its section `{section}`")).unwrap_or_default();
        return Some(format!("has other code{section} than before the repair"));
    }
    if new.needed.len() < old.needed.len() && old.needed.iter().all(|needed| !needed.name.starts_with("libpython")) {
        return Some(format!("needed {} libraries before the repair and needs {}", old.needed.len(), new.needed.len()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_not_delvewheels() {
        let patch = "# start delvewheel patch\nimport os\n\n\ndel os\n# end delvewheel patch\n";
        for (old, new, said) in [
            ("x = 1\n", format!("\"\"\"\"\"\" {patch}\nx = 1\n"), None),
            ("\"\"\"Doc.\"\"\"\r\nx = 1", format!("\"\"\"Doc.\"\"\"\n\n\n{patch}\nx = 1\n"), None),
            ("x = 1\n", format!("{patch}x = 1\ny = 2\n"), Some("has gained the line `y = 2`")),
            ("x = 1\n", format!("y = 2\n{patch}x = 1\n"), Some("has gained the line `y = 2`")),
            ("x = 1\nz = 3\n", format!("{patch}x = 1\n"), Some("has lost the line `z = 3`")),
            ("x = 1\n", "# start delvewheel patch\nx = 1\n".to_owned(), Some("has lost the line `x = 1`")),
        ] {
            assert_eq!(difference(&own_lines(old), &own_lines(&new)).as_deref(), said, "{new}");
        }
    }
}

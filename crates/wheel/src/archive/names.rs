//! What members' names must not be, alone and together.

use super::member::Member;
use super::problem::{Problem, ProblemKind};

/// Checks every name; `by_name` are the members' indices sorted by name.
pub(super) fn check_all(members: &[Member], by_name: &[usize], problems: &mut Vec<Problem>) {
    for member in members {
        let found = check(&member.name);
        problems.extend(found.into_iter().map(|kind| Problem { member: Some(member.name.clone()), kind }));
    }
    let name = |place: usize| by_name.get(place).map_or("", |&index| members[index].name.as_str());
    let mut under = String::new();
    let mut place = 0;
    while place < by_name.len() {
        let this = name(place);
        let after = place + by_name[place..].partition_point(|&index| members[index].name == this);
        let mut report = |kind| problems.push(Problem { member: Some(this.to_owned()), kind });
        if after - place > 1 {
            report(ProblemKind::Duplicate { count: after - place });
        }
        under.clear();
        under.push_str(this);
        under.push('/');
        let below = after + by_name[after..].partition_point(|&index| members[index].name < under);
        if !this.ends_with('/') && name(below).starts_with(&under) {
            report(ProblemKind::FileAndFolder { other: name(below).to_owned() });
        }
        place = after;
    }
}

/// What is wrong with one name.
pub(crate) fn check(name: &str) -> Vec<ProblemKind> {
    let mut found = Vec::new();
    if name.is_empty() {
        return vec![ProblemKind::EmptyName];
    }
    if let Some(control) = name.chars().find(|c| c.is_control()) {
        found.push(ProblemKind::ControlName { code: control.into() });
    }
    if name.contains('\\') {
        found.push(ProblemKind::BackslashName);
    }
    if name.starts_with(['/', '\\']) {
        found.push(ProblemKind::AbsoluteName);
    }
    if matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic()) {
        found.push(ProblemKind::DriveName);
    }
    // A backslash is a separator where it does harm, so `..\x` counts too.
    let inner = name.strip_suffix('/').unwrap_or(name);
    if inner.split(['/', '\\']).any(|part| part == "..") {
        found.push(ProblemKind::ParentName);
    }
    if inner.strip_prefix('/').unwrap_or(inner).split('/').any(|part| part.is_empty() || part == ".") {
        found.push(ProblemKind::UncleanName);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let table: &[(&str, &[&str])] = &[
            ("pkg/__init__.py", &[]),
            ("pkg/", &[]),
            ("pkg/..hidden", &[]),
            ("", &["empty-name"]),
            ("/", &["absolute-name", "unclean-name"]),
            ("/etc/passwd", &["absolute-name"]),
            ("//x", &["absolute-name", "unclean-name"]),
            ("../x", &["parent-name"]),
            ("a/../../x", &["parent-name"]),
            ("a/..", &["parent-name"]),
            ("..\\x", &["backslash-name", "parent-name"]),
            ("\\x", &["backslash-name", "absolute-name"]),
            ("C:/x", &["drive-name"]),
            ("c:x", &["drive-name"]),
            ("a//b", &["unclean-name"]),
            ("./a", &["unclean-name"]),
            ("a\0b", &["control-name"]),
            ("a\nb", &["control-name"]),
        ];
        for (name, expected) in table {
            let found: Vec<_> = check(name).iter().map(ProblemKind::name).collect();
            assert_eq!(&found, expected, "{name:?}");
        }
    }
}

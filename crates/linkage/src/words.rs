//! Lists in sentences.

/// `a`, `b` and 3 more: at most four names, in backticks.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 4;
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.count() {
        0 => {
            let Some(last) = shown.pop() else { return String::new() };
            if shown.is_empty() { last } else { format!("{} and {last}", shown.join(", ")) }
        }
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
#[test]
fn lists() {
    for (names, expected) in [
        (&[][..], ""),
        (&["a"], "`a`"),
        (&["a", "b"], "`a` and `b`"),
        (&["a", "b", "c", "d", "e"], "`a`, `b`, `c`, `d` and 1 more"),
    ] {
        assert_eq!(list(names.iter().copied()), expected);
    }
}

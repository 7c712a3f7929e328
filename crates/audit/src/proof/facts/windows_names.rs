//! Names that Windows cannot hold, or holds under another name.
//!
//! Source: Microsoft's "Naming Files, Paths, and Namespaces".

use super::rules;
use crate::proof::contents::Contents;
use diagnostics::{Finding, Subject};
use platform::PlatformTag;

/// Characters that no name may hold; `:` besides begins a stream of another file, and `\` is another rule's.
const RESERVED: &[char] = &['<', '>', ':', '"', '|', '?', '*'];
/// Names of devices, whatever ending they have.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// The same, numbered; the superscript digits count as digits.
const NUMBERED: [&str; 2] = ["com", "lpt"];
/// More are counted, not listed.
const EACH: usize = 5;

/// Members that a wheel which is installed on Windows too must not have.
pub(super) fn findings(contents: &Contents) -> Vec<Finding> {
    let mut platforms = contents.tags.iter().flat_map(platform::TagSet::platforms);
    if !platforms.any(|tag| matches!(tag, PlatformTag::Any | PlatformTag::Windows { .. })) {
        return Vec::new();
    }
    let names = contents.wheel.archive.members().iter().map(|member| member.name.as_str());
    let wrong: Vec<(&str, String)> = names.filter_map(|name| Some((name, trouble(name)?))).collect();
    let more = wrong.len().saturating_sub(EACH);
    let mut findings: Vec<Finding> = Vec::new();
    for (index, (name, message)) in wrong.into_iter().take(EACH).enumerate() {
        let more = if index + 1 == EACH && more > 0 { format!("; so have {more} more") } else { String::new() };
        let subject = Subject::file(contents.shown.clone()).member(name);
        findings.push(Finding::new(&rules::WINDOWS_NAME, subject, format!("{message}{more}")));
    }
    findings
}

/// What Windows makes of the first part of a member's name that it does not take.
fn trouble(name: &str) -> Option<String> {
    // A drive at the beginning is unsafe everywhere, which is another rule's.
    let parts = name.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..");
    let is_drive = |part: &str| part.len() == 2 && part.ends_with(':') && name.starts_with(part);
    parts.filter(|part| !is_drive(part)).find_map(|part| {
        if let Some(letter) = part.chars().find(|letter| RESERVED.contains(letter) || *letter < ' ') {
            return Some(format!("Windows has no file name with {}", spoken(letter)));
        }
        if part.ends_with(['.', ' ']) {
            return Some(format!("Windows drops the {} at the end of `{part}`", spoken(part.chars().last()?)));
        }
        let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ').to_lowercase();
        let numbered = NUMBERED.iter().any(|device| {
            let mut number = stem.strip_prefix(device).unwrap_or("").chars();
            number.next().is_some_and(|digit| "123456789¹²³".contains(digit)) && number.next().is_none()
        });
        (numbered || DEVICES.contains(&stem.as_str())).then(|| format!("`{part}` is a device on Windows, not a file"))
    })
}

fn spoken(letter: char) -> String {
    match letter {
        ' ' => "blank".to_owned(),
        '.' => "dot".to_owned(),
        letter if letter < ' ' => "a control character".to_owned(),
        letter => format!("`{letter}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_takes_and_those_that_it_does_not() {
        for name in [
            "demo/__init__.py",
            "demo/auxiliary.py",
            "demo/com.py",
            "demo/com10.txt",
            "demo/.hidden",
            "demo/console/nullable.py",
            "demo/größe.py",
            "demo/",
            "C:/demo.py",
            "../demo.py",
            "./demo.py",
        ] {
            assert_eq!(trouble(name), None, "{name}");
        }
        for (name, says) in [
            ("demo/aux.py", "`aux.py` is a device"),
            ("demo/AUX.tar.gz", "is a device"),
            ("nul/x.py", "`nul` is a device"),
            ("demo/Con", "is a device"),
            ("demo/com1.so", "is a device"),
            ("demo/LPT².txt", "is a device"),
            ("demo/a:b.py", "with `:`"),
            ("demo/what?.py", "with `?`"),
            ("demo/a\u{7}.py", "a control character"),
            ("demo/end.", "the dot at the end of `end.`"),
            ("demo/end /x.py", "the blank at the end of `end `"),
        ] {
            assert!(trouble(name).is_some_and(|found| found.contains(says)), "{name}: {:?}", trouble(name));
        }
    }
}

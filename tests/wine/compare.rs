//! When two answers are the same although one was given on Windows.
//!
//! Three things may differ, and nothing else: how the folder of the call is written, `\` for `/` in a word that is otherwise
//! the same (a path, shown as the system shows it), and the system's own words in front of `(os error N)`. A member of an
//! archive is not a path of any system: in JSON it must be the same to the letter.

use crate::systems::on_drive;
use camino::Utf8Path;
use serde_json::Value;
use wheelproof_tests::Run;

/// The keys whose values are paths of the system that runs, or sentences with such paths.
const PATHS: [&str; 9] = ["path", "file", "old", "new", "message", "text", "help", "why", "reason"];

/// Differences that are told of one call.
const SHOWN: usize = 4;

/// What differs between this system's answer and Windows'.
pub(crate) fn runs(here: &Run, there: &Run, dir: &Utf8Path) -> Vec<String> {
    let mut wrong = Vec::new();
    if here.status != there.status {
        wrong.push(format!("exit code {} and {}: {}", here.status, there.status, there.stderr.trim_end()));
    }
    if there.stdout.contains('\r') || there.stderr.contains('\r') {
        wrong.push("a carriage return in the output".to_owned());
    }
    match (serde_json::from_str(&here.stdout), serde_json::from_str(&there.stdout)) {
        (Ok(one), Ok(other)) => values("", "", &one, &other, dir, &mut wrong),
        (Err(_), Err(_)) => texts("stdout", &here.stdout, &there.stdout, dir, &mut wrong),
        _ => wrong.push(format!("one answer is JSON:\n{}\n{}", here.stdout, there.stdout)),
    }
    texts("stderr", &here.stderr, &there.stderr, dir, &mut wrong);
    let more = wrong.len().saturating_sub(SHOWN);
    wrong.truncate(SHOWN);
    wrong.extend((more > 0).then(|| format!("and {more} more")));
    wrong
}

fn texts(what: &str, here: &str, there: &str, dir: &Utf8Path, wrong: &mut Vec<String>) {
    let (here, there) = (rooted(here, dir), rooted(there, dir));
    let mut lines = here.lines().zip(there.lines()).enumerate();
    if let Some((number, (one, other))) = lines.find(|(_, (one, other))| !same_line(one, other)) {
        wrong.push(format!("{what}, line {}:\n      {one}\n      {other}", number + 1));
    } else if here.lines().count() != there.lines().count() {
        let longer = if here.len() > there.len() { &here } else { &there };
        let rest = longer.lines().nth(here.lines().count().min(there.lines().count())).unwrap_or_default();
        wrong.push(format!("{what}: one has more lines, from `{rest}`"));
    }
}

/// JSON is compared value by value; only under the keys of paths may separators differ.
fn values(key: &str, place: &str, here: &Value, there: &Value, dir: &Utf8Path, wrong: &mut Vec<String>) {
    match (here, there) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            for (key, value) in one {
                values(key, &format!("{place}/{key}"), value, &other[key], dir, wrong);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (value, beside)) in one.iter().zip(other).enumerate() {
                values(key, &format!("{place}/{index}"), value, beside, dir, wrong);
            }
        }
        (Value::String(one), Value::String(other)) if PATHS.contains(&key) => {
            let (one, other) = (rooted(one, dir), rooted(other, dir));
            let same = one.lines().count() == other.lines().count()
                && one.lines().zip(other.lines()).all(|(one, other)| same_line(one, other));
            if !same {
                wrong.push(format!("{place}:\n      {one}\n      {other}"));
            }
        }
        _ if here == there => {}
        _ => wrong.push(format!("{place}:\n      {here}\n      {there}")),
    }
}

/// The folder of the call, in whichever way it is written, is `{root}`.
fn rooted(text: &str, dir: &Utf8Path) -> String {
    let drive = on_drive(dir);
    let slashed = drive.replace('\\', "/");
    [drive.as_str(), slashed.as_str(), dir.as_str()]
        .iter()
        .fold(text.to_owned(), |text, dir| text.replace(dir, "{root}"))
}

fn same_line(here: &str, there: &str) -> bool {
    let (here, there) = (without_system_words(here), without_system_words(there));
    let same_word = |(one, other): (&str, &str)| one == other || one == other.replace('\\', "/");
    here.split(' ').count() == there.split(' ').count() && here.split(' ').zip(there.split(' ')).all(same_word)
}

/// `…: No such file or directory (os error 2)` and `…: Path not found. (os error 3)` are `…: (os error)`.
fn without_system_words(line: &str) -> String {
    let Some((before, after)) = line.split_once(" (os error ") else { return line.to_owned() };
    let (words, rest) = (before.rsplit_once(": "), after.split_once(')').map_or("", |(_, rest)| rest));
    format!("{}: (os error){rest}", words.map_or("", |(words, _)| words))
}

#[test]
fn only_what_may_differ_may_differ() {
    let run = |stdout: &str| Run { status: 0, stdout: stdout.to_owned(), stderr: String::new() };
    let differ = |one: &str, other: &str| !runs(&run(one), &run(other), Utf8Path::new("/any/x")).is_empty();
    for (one, other) in [
        ("in `/any/x/a/b`: 3", r"in `Z:\any\x\a\b`: 3"),
        ("`a/b`: No such file or directory (os error 2)!", r"`a\b`: File not found. (os error 2)!"),
        (r#"{"path": "/any/x/a"}"#, r#"{"path": "Z:\\any\\x\\a"}"#),
        (r#"{"a": [1, {"b": null}]}"#, r#"{"a": [1, {"b": null}]}"#),
    ] {
        assert!(!differ(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("a b", "a c"),
        ("a", "a\nb"),
        ("a\n", "a\r\n"),
        ("in `/any/x/a`", r"in `\\?\Z:\any\x\a`"),
        (r"a\b", "a/b"),
        (r#"{"member": "a/b"}"#, r#"{"member": "a\\b"}"#),
        (r#"{"path": "a"}"#, r#"{"path": "b"}"#),
        (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#),
        (r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#),
        (r#"{"a": 1}"#, "a"),
    ] {
        assert!(differ(one, other), "{one} {other}");
    }
}

//! What is shown of the logs of real failures.
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;
use wheelproof_exec::{excerpt, excerpt_of};

fn logs() -> Vec<Utf8PathBuf> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let entries = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let mut logs: Vec<_> = entries.filter(|path| path.extension() == Some("log")).collect();
    logs.sort();
    logs
}

#[test]
fn of_each_log_the_lines_that_tell_why() {
    let mut wrong = Vec::new();
    for log in logs() {
        let shown = excerpt_of(&log).unwrap();
        assert!(!shown.is_empty() && shown.len() <= 20, "{log}: {} lines", shown.len());
        let shown = shown.join("\n") + "\n";
        let expected = log.with_extension("excerpt");
        if std::env::var_os("WHEELPROOF_BLESS").is_some() {
            fs_err::write(&expected, &shown).unwrap();
        }
        let known = fs_err::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n");
        if known != shown {
            wrong.push(format!("{log}\n--- expected\n{known}--- shown\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn colours_and_indentation_change_nothing() {
    let plain = "x.c: In function 'f':\nx.c:3:1: error: no\n    3 | y\n      | ^\nmake: *** [x] Error 1\n";
    let coloured = plain.replace("error: ", "\u{1b}[01;31m\u{1b}[Kerror: \u{1b}[m\u{1b}[K");
    let indented = format!("      {}", plain.replace('\n', "\r\n      "));
    let expected = ["x.c: In function 'f':", "x.c:3:1: error: no", "    3 | y", "      | ^"];
    for log in [plain, &coloured, &indented] {
        assert_eq!(excerpt(log), expected, "{log:?}");
    }
}

#[test]
fn of_many_errors_the_first_and_each_once() {
    let one = |number: usize| format!("x{number}.c:1:1: error: bad\n");
    let shown = excerpt(&(0..1000).map(one).collect::<Vec<_>>().concat());
    assert_eq!(shown.len(), 20);
    assert_eq!(shown[0], "x0.c:1:1: error: bad");
    assert_eq!(excerpt(&one(1).repeat(1000)), ["x1.c:1:1: error: bad"]);
}

#[test]
fn what_ninja_printed_before_its_failure_is_not_the_cause() {
    let log = "probe.c:1:1: error: no such feature\n[3/9] Building y.o\nFAILED: y.o \ncc y.c\ny.c:2:2: error: real\n";
    assert_eq!(excerpt(log), ["FAILED: y.o", "y.c:2:2: error: real"]);
}

#[test]
fn a_log_of_any_size_and_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().join("log");
    let mut bytes = b"early.c:1:1: error: out of reach\n".to_vec();
    bytes.resize(8 << 20, b'.');
    bytes.extend_from_slice(b"\ncaf\xe9.c:1:1: error: \xff\xfe\n");
    fs_err::write(&path, &bytes).unwrap();
    let shown = excerpt_of(&path).unwrap();
    // On Windows the bytes mean something in the machine's code page; what, is its own affair.
    assert!(shown.len() == 1 && shown[0].starts_with("caf") && shown[0].contains(".c:1:1: error: "), "{shown:?}");
    assert!(cfg!(windows) || shown == ["caf\u{fffd}.c:1:1: error: \u{fffd}\u{fffd}"], "{shown:?}");
    // A hole of a terabyte reads as fast as any other log.
    let file = fs_err::OpenOptions::new().write(true).open(&path).unwrap();
    if file.set_len(1 << 40).is_ok() {
        assert!(excerpt_of(&path).unwrap().len() <= 20);
    }
    assert!(excerpt_of(&path.join("gone")).is_err());
    assert_eq!(excerpt(""), Vec::<String>::new());
}

proptest! {
    #[test]
    fn any_text_gives_few_short_lines(text in "((error: |CMake Error|E   |: error: |FAILED: |FAILED |Traceback \\(most recent call last\\):|  File \"x\"|\\PC|\u{1b}\\[|\r| |\\|){0,6}\n){0,60}") {
        let shown = excerpt(&text);
        prop_assert!(shown.len() <= 20);
        let clean = shown.iter().all(|line| line.chars().count() <= 302 && !line.contains(['\n', '\u{1b}']));
        prop_assert!(clean, "{:?}", shown);
    }

    #[test]
    fn any_bytes_do_no_harm(text in any::<String>()) {
        prop_assert!(excerpt(&text).len() <= 20);
    }
}

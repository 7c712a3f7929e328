//! How the tools of a build say that something is wrong.
//!
//! The formats are those of GCC 12, Clang 19, MSVC 19, rustc 1.9x, GNU ld 2.40, LLD, Apple's ld, CMake 3 and 4, ninja,
//! make, CPython, pytest 8 and 9, and pip; tests/logs holds what they really print.

use std::ops::Range;

/// How much a sighting tells, most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// What went wrong.
    Cause,
    /// What it made fail: a target, a test, a requirement.
    Verdict,
    /// The end of a Python traceback; the cause, unless a tool that Python called gave one.
    Exception,
    /// Somebody who was told of a failure.
    Summary,
}

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) rank: Rank,
    pub(super) lines: Range<usize>,
}

/// How far a sighting reaches beyond the line that gave it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Line,
    /// GCC, Clang: where it was included or instantiated before, the source line and its carets after.
    Compiler,
    /// rustc, cargo: until a blank line.
    Paragraph,
    /// CMake: the lines indented below it, blank ones between them included.
    Indented,
    /// Linkers: the function before it, the references after it.
    Linker,
    /// CPython's fault handler: the innermost frames.
    Crash,
    /// pytest: all lines that explain the same failure.
    Explanation,
    /// The line, and no other that reaches as far: a connection that is tried again and again.
    Once,
    /// Apple's ld: everything up to the line that begins with `ld:`.
    Symbols,
}

/// No sighting has more lines.
const LONGEST: usize = 12;

/// Where a text is looked for in a line whose indentation is gone.
enum At {
    Start(&'static str),
    Within(&'static str),
}

impl At {
    fn matches(&self, line: &str) -> bool {
        match self {
            Self::Start(text) => line.starts_with(text),
            Self::Within(text) => line.contains(text),
        }
    }
}

use At::{Start, Within};

/// The first that matches decides.
const SIGNS: &[(At, Rank, Reach)] = &[
    (Within("collect2: error: ld returned"), Rank::Summary, Reach::Line),
    (Within(": error: linker command failed"), Rank::Summary, Reach::Line),
    (Within(": fatal error LNK1120"), Rank::Summary, Reach::Line),
    (Start("error: could not compile"), Rank::Summary, Reach::Line),
    (Start("error: linking with"), Rank::Summary, Reach::Line),
    (Start("error: aborting due to"), Rank::Summary, Reach::Line),
    (Start("error: subprocess-exited-with-error"), Rank::Summary, Reach::Line),
    (Start("error: metadata-generation-failed"), Rank::Summary, Reach::Line),
    (Start("error: command "), Rank::Summary, Reach::Line),
    (Start("CMake Error"), Rank::Cause, Reach::Indented),
    (Within("Undefined symbols for architecture"), Rank::Cause, Reach::Symbols),
    (Within("undefined reference to"), Rank::Cause, Reach::Linker),
    (Within("undefined symbol"), Rank::Cause, Reach::Linker),
    (Within("unresolved external symbol"), Rank::Cause, Reach::Line),
    (Within("multiple definition of"), Rank::Cause, Reach::Linker),
    (Within("ld: cannot find "), Rank::Cause, Reach::Line),
    (Within("ld: error: "), Rank::Cause, Reach::Linker),
    (Within("lld: error: "), Rank::Cause, Reach::Linker),
    (Within("mold: error: "), Rank::Cause, Reach::Linker),
    (Start("ld: warning"), Rank::Summary, Reach::Line),
    (Start("ld: "), Rank::Cause, Reach::Line),
    (Within("LINK : fatal error"), Rank::Cause, Reach::Line),
    (Start("error["), Rank::Cause, Reach::Paragraph),
    (Within(": error: "), Rank::Cause, Reach::Compiler),
    (Within(": fatal error: "), Rank::Cause, Reach::Compiler),
    (Within("): error C"), Rank::Cause, Reach::Line),
    (Within("): fatal error C"), Rank::Cause, Reach::Line),
    (Within(": error LNK"), Rank::Cause, Reach::Line),
    (Within(": fatal error LNK"), Rank::Cause, Reach::Line),
    (Start("LLVM ERROR:"), Rank::Cause, Reach::Line),
    (Within("Fatal Python error:"), Rank::Cause, Reach::Crash),
    (Start("terminate called"), Rank::Cause, Reach::Line),
    (Within("Assertion `"), Rank::Cause, Reach::Line),
    (Within("Segmentation fault"), Rank::Cause, Reach::Line),
    (Within("No space left on device"), Rank::Cause, Reach::Line),
    (Within("Disk quota exceeded"), Rank::Cause, Reach::Line),
    (Within("Failed to establish a new connection"), Rank::Cause, Reach::Once),
    (Within("name resolution"), Rank::Cause, Reach::Once),
    (Within("Could not resolve host"), Rank::Cause, Reach::Once),
    (Within("Network is unreachable"), Rank::Cause, Reach::Once),
    (Within("CERTIFICATE_VERIFY_FAILED"), Rank::Cause, Reach::Once),
    (Within(": command not found"), Rank::Cause, Reach::Line),
    (Start("meson.build:"), Rank::Cause, Reach::Line),
    (Start("E   "), Rank::Cause, Reach::Explanation),
    (Start("FAILED: "), Rank::Verdict, Reach::Line),
    (Start("FAILED "), Rank::Verdict, Reach::Line),
    (Start("ERROR collecting"), Rank::Summary, Reach::Line),
    (Start("ERROR Backend subprocess"), Rank::Summary, Reach::Line),
    (Start("ERROR: Failed "), Rank::Summary, Reach::Line),
    (Start("ERROR: Could not build wheels"), Rank::Summary, Reach::Line),
    (Start("ERROR Unmet dependencies"), Rank::Verdict, Reach::Indented),
    (Start("ERROR: "), Rank::Verdict, Reach::Line),
    (Start("ERROR "), Rank::Verdict, Reach::Line),
    (Start("INTERNALERROR>"), Rank::Exception, Reach::Line),
    (Start("fatal: "), Rank::Exception, Reach::Line),
    (Start("E: "), Rank::Exception, Reach::Line),
    (Start("Caused by:"), Rank::Summary, Reach::Line),
    (Start("Failed to build"), Rank::Summary, Reach::Line),
    (Start("make: *** "), Rank::Summary, Reach::Line),
    (Start("make["), Rank::Summary, Reach::Line),
    (Start("× "), Rank::Summary, Reach::Line),
    (Start("*** "), Rank::Summary, Reach::Line),
];

/// Everything that looks like trouble, in the order of the lines.
pub(super) fn find(lines: &[String]) -> Vec<Sighting> {
    let mut sightings = Vec::new();
    let mut once = false;
    // What a ninja build printed before its first failure (feature tests, warnings) did not make it fail.
    let mut number = lines.iter().position(|line| line.trim_start().starts_with("FAILED: ")).unwrap_or_default();
    while let Some(line) = lines.get(number) {
        let next = if let Some(sighting) = traceback(lines, number) {
            sightings.push(sighting);
            sightings.last()
        } else if let Some((rank, reach)) = sign(lines, number, line) {
            let range = reach.range(lines, number);
            let seen = reach == Reach::Once && once;
            once |= reach == Reach::Once;
            let end = range.end.min(range.start + LONGEST).min(lines.len());
            let rank = if seen { Rank::Summary } else { rank };
            sightings.push(Sighting { rank, lines: range.start..end.max(number + 1) });
            sightings.last()
        } else {
            None
        };
        number = next.map_or(number, |found| found.lines.end - 1) + 1;
    }
    sightings
}

fn sign(lines: &[String], number: usize, line: &str) -> Option<(Rank, Reach)> {
    let words = line.trim_start();
    if words.starts_with("error: ") {
        return Some(error_without_place(lines, number, words));
    }
    // Older releases of uv. pip begins so too, and goes on with `│`.
    let reasons = |next: &String| next.trim_start().starts_with(['╰', '├']) && next.contains("─▶");
    if words.starts_with("× ") && lines.get(number + 1).is_some_and(reasons) {
        return Some((Rank::Exception, Reach::Paragraph));
    }
    SIGNS.iter().find(|(at, _, _)| at.matches(words)).map(|(_, rank, reach)| (*rank, *reach))
}

/// `error: …` alone is rustc's if a place follows, and otherwise that of whoever gave up.
fn error_without_place(lines: &[String], number: usize, words: &str) -> (Rank, Reach) {
    let known = SIGNS.iter().find(|(at, _, _)| matches!(at, Start(_)) && at.matches(words));
    let follows = |sign: &str| lines.get(number + 1).is_some_and(|next| next.trim_start().starts_with(sign));
    match known {
        Some((_, rank, reach)) => (*rank, *reach),
        None if follows("-->") => (Rank::Cause, Reach::Paragraph),
        // uv, newer and older: the sentence behind it is the one that tells.
        None if follows("cause: ") || follows("Caused by: ") => (Rank::Exception, Reach::Indented),
        None => (Rank::Exception, Reach::Line),
    }
}

impl Reach {
    fn range(self, lines: &[String], number: usize) -> Range<usize> {
        let after = |belongs: &dyn Fn(&str) -> bool| {
            number + 1 + lines.iter().skip(number + 1).take_while(|line| belongs(line)).count()
        };
        let before = |most: usize, belongs: &dyn Fn(&str) -> bool| {
            let earlier = lines.get(..number).unwrap_or_default();
            number - earlier.iter().rev().take(most).take_while(|line| belongs(line)).count()
        };
        let indent = |line: &str| line.len() - line.trim_start().len();
        let own = lines.get(number).map_or(0, |line| indent(line));
        match self {
            Self::Line | Self::Once => number..number + 1,
            Self::Compiler => before(2, &leads_in)..after_source(lines, number),
            Self::Paragraph => number..after(&|line| !line.is_empty()),
            Self::Indented => number..after(&|line| line.is_empty() || indent(line) > own),
            Self::Linker => {
                before(1, &|line| line.contains("in function"))..after(&|line| line.trim_start().starts_with(">>>"))
            }
            Self::Crash => number..number + 6,
            Self::Explanation => number..after(&|line| line.trim_start().starts_with("E ")),
            Self::Symbols => number..after(&|line| !line.trim_start().starts_with("ld: ")),
        }
    }
}

/// Does GCC or Clang say here where the next error is seen from?
fn leads_in(line: &str) -> bool {
    ["In file included from ", "required from ", "required by ", ": In ", "in instantiation of "]
        .iter()
        .any(|text| line.contains(text))
}

/// Behind the source line and the carets below an error: `  12 |   code` and `     |   ^~~` of newer compilers, or the
/// bare code with the carets on the next line.
fn after_source(lines: &[String], number: usize) -> usize {
    let is_margin = |line: &String| {
        line.split_once('|').is_some_and(|(margin, _)| margin.chars().all(|c| c == ' ' || c.is_ascii_digit()))
    };
    let is_caret = |line: &String| {
        let marks = line.trim();
        marks.contains('^') && marks.chars().all(|mark| matches!(mark, '^' | '~' | ' ' | '-'))
    };
    let source = |next: usize| {
        let margins = lines.iter().skip(next).take(4).take_while(|line| is_margin(line)).count();
        if margins == 0 && lines.get(next + 1).is_some_and(is_caret) { next + 2 } else { next + margins }
    };
    let end = source(number + 1);
    // Clang says after the error which line of one's own code led there, outermost last.
    let notes = lines.iter().skip(end).take(1).filter(|line| line.contains("note: in instantiation of ")).count();
    if notes > 0 { source(end + notes) } else { end }
}

/// The end of a Python traceback: its last place and the exception, without the frames between.
fn traceback(lines: &[String], number: usize) -> Option<Sighting> {
    const LONGEST_TRACEBACK: usize = 5_000;
    let heading = lines.get(number)?;
    let indent = heading.strip_suffix("Traceback (most recent call last):")?;
    if !indent.trim_matches([' ', '|', '│', '+', '-']).is_empty() {
        return None;
    }
    let is_frame =
        |line: &str| line.len() > indent.len() && line.get(indent.len()..).is_none_or(|rest| rest.starts_with(' '));
    let frames = lines.iter().skip(number + 1).take(LONGEST_TRACEBACK).take_while(|line| is_frame(line)).count();
    let exception = number + 1 + frames;
    lines.get(exception).filter(|line| !line.trim().is_empty())?;
    let place = lines.get(number..exception)?.iter().rposition(|line| line.trim_start().starts_with("File \""));
    let start = place.map_or(exception, |place| number + place);
    Some(Sighting { rank: Rank::Exception, lines: start.max(exception.saturating_sub(LONGEST - 1))..exception + 1 })
}

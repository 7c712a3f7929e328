//! One line about a running step, cut to the width that there is.

use std::borrow::Cow;
use std::time::Duration;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands for what was cut off.
const CUT: &str = "…";

/// The narrowest that a cut name is worth showing.
const LEAST: usize = 4;

/// A step that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// `minijit/cp313-linux_x86_64`.
    pub(super) scope: &'a str,
    pub(super) step: &'a str,
    pub(super) elapsed: Duration,
    /// What it took the last time.
    pub(super) expected: Option<Duration>,
}

impl Line<'_> {
    /// The line in at most so many columns. What is given up, in this order: the estimate, the project's name from its
    /// start, the end of the build's identifier (which says the system, and that is the same for all), the identifier, the
    /// end of the step's name.
    pub(super) fn fit(&self, columns: usize) -> String {
        let (scope, step) = (diagnostics::printable(self.scope), diagnostics::printable(self.step));
        let time = clock(self.elapsed);
        if let Some(expected) = self.expected.filter(|expected| expected.as_secs_f64() >= 1.0) {
            let whole = joined(&scope, &format!("{step}  {time} of ~{}", clock(expected)));
            if whole.width() <= columns {
                return whole;
            }
        }
        let rest = format!("{step}  {time}");
        let id = scope.rsplit('/').next().unwrap_or(&scope);
        let room = columns.saturating_sub(rest.width() + 2);
        let whole = match room {
            room if room >= scope.width() => Some(joined(&scope, &rest)),
            room if room >= id.width() + LEAST => Some(joined(&end(&scope, room), &rest)),
            room if room >= id.width() => Some(joined(id, &rest)),
            _ => None,
        };
        if let Some(whole) = whole.filter(|whole| whole.width() <= columns) {
            return whole;
        }
        let rest = format!("{step} {time}");
        let room = columns.saturating_sub(rest.width() + 1);
        if room >= LEAST && !id.is_empty() {
            return format!("{} {rest}", start(id, room));
        }
        match columns.saturating_sub(time.width() + 1) {
            0 => start(&time, columns).into_owned(),
            room => format!("{} {time}", start(&step, room)),
        }
    }
}

fn joined(scope: &str, rest: &str) -> String {
    if scope.is_empty() { rest.to_owned() } else { format!("{scope}  {rest}") }
}

/// `12 s`, `3 min 05 s`, `2 h 07 min`: whole units, so that a line changes once a second.
fn clock(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// The start of a text in at most so many columns.
pub(super) fn start(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return text.into();
    }
    let kept = within(text.chars(), columns);
    if kept.is_empty() && columns == 0 { "".into() } else { format!("{}{CUT}", kept.iter().collect::<String>()).into() }
}

/// The end of a text in at most so many columns.
fn end(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns || columns == 0 {
        return if columns == 0 { "".into() } else { text.into() };
    }
    let kept = within(text.chars().rev(), columns);
    format!("{CUT}{}", kept.iter().rev().collect::<String>()).into()
}

/// As many characters as fit beside the sign of the cut.
fn within(letters: impl Iterator<Item = char>, columns: usize) -> Vec<char> {
    let mut left = columns.saturating_sub(CUT.width());
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    letters
        .take_while({
            let mut fits = fits;
            move |letter| fits(letter)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line<'a>(scope: &'a str, step: &'a str, elapsed: u64, expected: Option<u64>) -> Line<'a> {
        let expected = expected.map(Duration::from_secs);
        Line { scope, step, elapsed: Duration::from_secs(elapsed), expected }
    }

    #[test]
    fn what_is_given_up_as_it_gets_narrow() {
        let build = line("mypackage/cp313-linux_x86_64", "build", 12, Some(40));
        for (columns, text) in [
            (80, "mypackage/cp313-linux_x86_64  build  12 s of ~40 s"),
            (50, "mypackage/cp313-linux_x86_64  build  12 s of ~40 s"),
            (49, "mypackage/cp313-linux_x86_64  build  12 s"),
            (40, "…package/cp313-linux_x86_64  build  12 s"),
            (31, "cp313-linux_x86_64  build  12 s"),
            (30, "cp313-linux_x86_64 build 12 s"),
            (20, "cp313-li… build 12 s"),
            (19, "cp313-l… build 12 s"),
            (15, "cp3… build 12 s"),
            (14, "build 12 s"),
            (9, "bui… 12 s"),
            (5, "12 s"),
            (4, "12 s"),
            (3, "12…"),
            (1, "…"),
            (0, ""),
        ] {
            assert_eq!(build.fit(columns), text, "{columns}");
        }
    }

    #[test]
    fn times_and_estimates() {
        for (elapsed, expected, text) in [
            (0, None, "s  b  0 s"),
            (119, Some(0), "s  b  119 s"),
            (125, Some(1), "s  b  2 min 05 s of ~1 s"),
            (7265, Some(7200), "s  b  2 h 01 min of ~2 h 00 min"),
        ] {
            assert_eq!(line("s", "b", elapsed, expected).fit(80), text);
        }
        assert_eq!(line("", "before-all", 3, None).fit(80), "before-all  3 s");
        assert_eq!(line("", "before-all", 3, None).fit(12), "before-… 3 s");
    }

    #[test]
    fn no_line_is_ever_wider_than_the_terminal() {
        let scopes = [
            "",
            "a/b",
            "包装/cp313-linux_x86_64",
            "mypackage/cp314t-manylinux_2_28_x86_64",
            "e\u{301}\u{301}/\u{1b}[2J",
        ];
        for scope in scopes {
            for step in ["build", "tools-build-install", "検査", ""] {
                for columns in 0..100 {
                    let text = line(scope, step, 3599, Some(90)).fit(columns);
                    assert!(text.width() <= columns, "{columns}: {text:?}");
                    assert!(!text.contains('\u{1b}'), "{text:?}");
                }
            }
        }
    }
}

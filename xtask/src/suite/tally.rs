//! Results in numbers: what `cargo test` printed, and the table at the end.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// How many passed, failed, were skipped, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// Each reason with how often it was said.
    pub(crate) reasons: BTreeMap<String, usize>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl Tally {
    pub(crate) fn passed() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    pub(crate) fn failed() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    pub(crate) fn skipped(reason: &str) -> Self {
        let mut tally = Self::default();
        tally.skip(reason);
        tally
    }

    fn skip(&mut self, reason: &str) {
        self.skipped += 1;
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
    }

    /// From what `cargo test … -- --show-output` printed. A test that says `skipped: …` did not pass, whatever the
    /// harness thinks; each such line counts.
    pub(crate) fn of_cargo_test(text: &str) -> Self {
        let mut tally = Self::default();
        // Tests that the harness counts as passed and that said they were skipped, at least in part.
        let mut hollow = 0;
        let (mut in_successes, mut said) = (false, false);
        // How many tests the program at hand runs: a result that says otherwise is the output of a test.
        let mut running = None;
        for line in text.lines() {
            let line = line.trim();
            if line == "successes:" || line == "failures:" {
                in_successes = line == "successes:";
            } else if line.starts_with("---- ") && line.ends_with(" ----") {
                said = false;
            } else if let Some(reason) = line.strip_prefix("skipped: ") {
                tally.skip(reason.trim());
                hollow += usize::from(in_successes && !said);
                said = true;
            } else if let Some(rest) = line.strip_prefix("running ").filter(|_| running.is_none()) {
                running = rest.split_once(" test").and_then(|(number, _)| number.parse::<usize>().ok());
            } else if let Some(numbers) = line.strip_prefix("test result: ") {
                let [passed, failed, ignored] =
                    [" passed;", " failed;", " ignored;"].map(|word| number_before(numbers, word));
                if running == Some(passed + failed + ignored) {
                    tally.passed += passed;
                    tally.failed += failed;
                    (running, in_successes) = (None, false);
                }
            } else if let Some((_, reason)) =
                line.strip_prefix("test ").and_then(|line| line.split_once(" ... ignored"))
            {
                let reason = reason.trim_start_matches([',', ' ']);
                tally.skip(if reason.is_empty() { "ignored" } else { reason });
            }
        }
        tally.passed = tally.passed.saturating_sub(hollow);
        tally
    }
}

fn number_before(text: &str, word: &str) -> usize {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// One step in the table.
pub(crate) struct Row {
    pub(crate) tier: &'static str,
    pub(crate) step: String,
    pub(crate) tally: Tally,
    pub(crate) seconds: f64,
}

/// All rows in one.
pub(crate) fn total(rows: &[Row]) -> Tally {
    let mut total = Tally::default();
    for row in rows {
        total.add(&row.tally);
    }
    total
}

/// The reasons for what was skipped, then the table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out = String::new();
    let total = total(rows);
    if !total.reasons.is_empty() {
        out.push_str("Skipped:\n");
        for (reason, count) in &total.reasons {
            let times = if *count == 1 { String::new() } else { format!(" ({count} times)") };
            let _ = writeln!(out, "  {reason}{times}");
        }
        out.push('\n');
    }
    let width = rows.iter().map(|row| row.step.chars().count()).max().unwrap_or(0).max("step".len());
    let _ = writeln!(
        out,
        "{:<10} {:<width$} {:>7} {:>7} {:>7} {:>8}",
        "tier", "step", "passed", "failed", "skipped", "seconds"
    );
    for Row { tier, step, tally, seconds } in rows {
        let Tally { passed, failed, skipped, .. } = tally;
        let _ = writeln!(out, "{tier:<10} {step:<width$} {passed:>7} {failed:>7} {skipped:>7} {seconds:>8.1}");
    }
    out
}

/// What a person wants to see of a failed `cargo test`: for each program that failed, what its failed tests said; else
/// the end.
pub(crate) fn failures(text: &str) -> String {
    const TAIL: usize = 120;
    let mut shown = String::new();
    let (mut program, mut inside) = ("", false);
    for line in text.lines() {
        if line.trim_start().starts_with("Running ") || line.trim_start().starts_with("Doc-tests ") {
            program = line;
        } else if line == "failures:" {
            if !inside {
                let _ = writeln!(shown, "{program}");
            }
            inside = true;
        }
        if inside {
            let _ = writeln!(shown, "{line}");
        }
        inside &= !line.starts_with("test result: FAILED");
    }
    if shown.is_empty() || text.contains("could not compile") {
        let lines: Vec<&str> = text.lines().collect();
        let start = lines.iter().position(|line| line.starts_with("error")).unwrap_or(lines.len().saturating_sub(TAIL));
        let end = (start + TAIL).min(lines.len());
        return lines.get(start..end).unwrap_or_default().join("\n");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
     Running unittests src/lib.rs (target/debug/deps/a-1)

running 4 tests
test one ... ok
test two ... ok
test old ... ignored, needs the moon
test bad ... FAILED

successes:

---- two stdout ----
skipped: there is no `readelf`
skipped: there is no `otool`

---- one stdout ----
some talk


successes:
    one
    two

failures:

---- bad stdout ----
thread 'bad' panicked at src/lib.rs:1:1:
left is not right
test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s


failures:
    bad

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests a

running 1 test
test src/lib.rs - x (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.40s
";

    #[test]
    fn what_cargo_printed_is_counted() {
        let tally = Tally::of_cargo_test(PRINTED);
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 3 skipped");
        let reasons: Vec<&str> = tally.reasons.keys().map(String::as_str).collect();
        assert_eq!(reasons, ["needs the moon", "there is no `otool`", "there is no `readelf`"]);
    }

    #[test]
    fn failures_are_shown_with_their_program_and_nothing_else() {
        let shown = failures(PRINTED);
        assert!(shown.trim_start().starts_with("Running unittests src/lib.rs"), "{shown}");
        assert!(shown.contains("left is not right") && !shown.contains("some talk"), "{shown}");
        assert!(shown.trim_end().ends_with("finished in 0.01s"), "{shown}");
        let broken = "   Compiling a\nerror[E0425]: cannot find value `x`\nerror: could not compile `a`\n";
        assert!(failures(broken).starts_with("error[E0425]"));
    }

    #[test]
    fn the_table_ends_with_the_steps_and_begins_with_reasons() {
        let rows = [
            Row { tier: "quick", step: "tests".to_owned(), tally: Tally::of_cargo_test(PRINTED), seconds: 1.25 },
            Row { tier: "real", step: "tests".to_owned(), tally: Tally::skipped("needs the moon"), seconds: 0.0 },
        ];
        let table = table(&rows);
        assert!(table.contains("  needs the moon (2 times)\n"), "{table}");
        assert!(table.contains("quick      tests       2       1       3      1.2\n"), "{table}");
        assert_eq!(total(&rows).to_string(), "2 passed, 1 failed, 4 skipped");
    }
}

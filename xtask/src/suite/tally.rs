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
        // Inside `successes:`, whether the output that is being read has said so already.
        let mut successes = false;
        let mut said = false;
        for line in text.lines() {
            let line = line.trim_end();
            if line == "successes:" || line == "failures:" {
                successes = line == "successes:";
            } else if line.starts_with("---- ") && line.ends_with(" ----") {
                said = false;
            } else if let Some(reason) = line.trim_start().strip_prefix("skipped: ") {
                tally.skip(reason.trim());
                if successes && !said {
                    tally.passed = tally.passed.saturating_sub(1);
                    // The harness counts it later, in its result line: take it off in advance.
                    said = true;
                    tally.early += 1;
                }
            }
        }
        tally
    }
}

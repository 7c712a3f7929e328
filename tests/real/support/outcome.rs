//! What a call left: its words, its report, and what must not be there.

use super::sandbox::Sandbox;
use super::traces::{processes, walk, wheels_in};
use serde_json::Value;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};
use wheelproof_tests::Run;

/// A call that has ended.
pub(crate) struct Outcome<'a> {
    sandbox: &'a Sandbox,
    run: Run,
    dist: BTreeMap<String, u64>,
    pub(crate) seconds: f64,
}

impl<'a> Outcome<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, run: Run, dist: BTreeMap<String, u64>, seconds: f64) -> Self {
        Self { sandbox, run, dist, seconds }
    }

    #[track_caller]
    pub(super) fn left_nothing(&self, token: &str, sources: &BTreeMap<String, u64>) {
        // What was killed a moment ago may not be gone yet.
        let begun = Instant::now();
        while !processes(token).is_empty() && begun.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(20));
        }
        let orphans = processes(token);
        assert!(orphans.is_empty(), "processes were left behind: {orphans:?}\n{}", self.said());
        let mut halves = Vec::new();
        for folder in ["dist", "target"] {
            walk(&self.sandbox.root.join(folder), &mut |path| {
                if path.as_str().ends_with(".part") {
                    halves.push(path.to_owned());
                }
            });
        }
        assert!(halves.is_empty(), "half files were left behind: {halves:?}\n{}", self.said());
        let after = self.sandbox.sources();
        assert!(*sources == after, "the project was changed:\n{sources:?}\n{after:?}\n{}", self.sandbox.git_status());
    }

    fn said(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.run.stdout, self.run.stderr)
    }

    pub(crate) fn stdout(&self) -> &str {
        &self.run.stdout
    }

    pub(crate) fn stderr(&self) -> &str {
        &self.run.stderr
    }

    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert!(self.run.status == status, "exit code {} instead of {status}\n{}", self.run.status, self.said());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            let said = self.run.stdout.contains(text) || self.run.stderr.contains(text);
            assert!(said, "`{text}` was not said\n{}", self.said());
        }
        self
    }

    #[track_caller]
    pub(crate) fn never_says(self, texts: &[&str]) -> Self {
        for text in texts {
            let said = self.run.stdout.contains(text) || self.run.stderr.contains(text);
            assert!(!said, "`{text}` was said\n{}", self.said());
        }
        self
    }

    /// It failed, and what a former run had put into dist/ is as it was.
    #[track_caller]
    pub(crate) fn fails(self, status: i32) -> Self {
        let outcome = self.exits(status);
        let dist = wheels_in(&outcome.sandbox.root.join("dist"));
        assert!(outcome.dist == dist, "dist/ changed: {:?} {dist:?}\n{}", outcome.dist, outcome.said());
        outcome
    }

    /// dist/report.json.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&fs_err::read_to_string(self.sandbox.root.join("dist/report.json")).unwrap()).unwrap()
    }

    /// The status and reason of the first build that is not skipped, as dist/report.json has them.
    #[track_caller]
    pub(crate) fn first_build(&self) -> Value {
        let report = self.report();
        let builds = report["builds"].as_array().unwrap();
        builds.iter().find(|build| build["status"] != "skipped").unwrap_or(&builds[0]).clone()
    }

    /// The first build failed with this finding.
    #[track_caller]
    pub(crate) fn finds(self, rule: &str) -> Self {
        let build = self.first_build();
        let found = build["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == rule);
        assert!(build["status"] == "failed" && found, "no finding `{rule}`: {build:#}\n{}", self.said());
        self
    }

    /// The steps that ran, by name.
    pub(crate) fn steps(&self) -> Vec<String> {
        let started = self.run.stderr.lines().filter_map(|line| line.strip_suffix(" …"));
        started.filter_map(|line| line.rsplit(' ').next()).map(str::to_owned).collect()
    }
}

//! How long the steps of the last runs took, so that a display can say how long one may take now.

use crate::dist::write_whole;
use crate::report::StepReport;
use crate::schedule::lock;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Ending, Event, Events};
use plan::Layout;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

/// The version of the file; another one is not read.
const VERSION: u32 = 1;

/// A file longer than this is not ours.
const LONGEST: u64 = 4 << 20;

/// Builds that are remembered; beyond that those of other plans are forgotten.
const MOST_BUILDS: usize = 1_000;

/// Seconds of each step that succeeded, from the last run in which it did; by the build's scope and the step's name.
///
/// Kept below target/wheelproof. It is there for people to look at: when it cannot be read or written, nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    version: u32,
    builds: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Timings {
    /// What is remembered; nothing when there is no such file or it holds something else.
    pub fn read(layout: &Layout) -> Self {
        Self::load(&place(layout)).unwrap_or_default()
    }

    fn load(path: &Utf8Path) -> io::Result<Self> {
        let mut text = Vec::new();
        fs_err::File::open(path)?.take(LONGEST + 1).read_to_end(&mut text)?;
        let read: Self = if text.len() as u64 > LONGEST { Self::default() } else { serde_json::from_slice(&text)? };
        Ok(if read.version == VERSION { read } else { Self::default() })
    }

    /// Seconds that a step took the last time.
    pub fn seconds(&self, scope: &str, step: &str) -> Option<f64> {
        self.builds.get(scope)?.get(step).copied().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
    }

    /// Remembers one step.
    pub(crate) fn note(&mut self, scope: &str, step: &str, seconds: f64) {
        self.version = VERSION;
        let few = self.builds.len() < MOST_BUILDS;
        if few || self.builds.contains_key(scope) {
            self.builds.entry(scope.to_owned()).or_default().insert(step.to_owned(), seconds);
        }
    }

    /// Forgets what belongs to other plans when there is too much of it.
    pub(crate) fn forget_all_but(&mut self, scopes: &[String]) {
        if self.builds.len() + scopes.len() > MOST_BUILDS {
            self.builds.retain(|scope, _| scopes.contains(scope));
        }
    }

    pub(crate) fn write(&self, layout: &Layout) {
        if let Ok(text) = serde_json::to_vec(self) {
            let _ = write_whole(&place(layout), &text);
        }
    }
}

fn place(layout: &Layout) -> Utf8PathBuf {
    layout.cache().join("timings.json")
}

/// Passes a build's events on and keeps what its steps took.
pub(crate) struct Stopwatch<'a> {
    inner: &'a dyn Events,
    steps: Mutex<Vec<(StepReport, Ending)>>,
    /// What was announced and has not ended.
    open: Mutex<Option<Open>>,
}

struct Open {
    scope: String,
    step: String,
    begun: Instant,
    log: Utf8PathBuf,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn new(inner: &'a dyn Events) -> Self {
        Self { inner, steps: Mutex::default(), open: Mutex::default() }
    }

    /// Every step that ended.
    pub(crate) fn steps(&self) -> Vec<StepReport> {
        lock(&self.steps).iter().map(|(step, _)| step.clone()).collect()
    }

    /// The steps that succeeded, with their seconds.
    pub(crate) fn succeeded(&self) -> Vec<(String, f64)> {
        let steps = lock(&self.steps);
        let good = steps.iter().filter(|(_, ending)| *ending == Ending::Succeeded);
        good.map(|(step, _)| (step.name.clone(), step.seconds)).collect()
    }
}

impl Drop for Stopwatch<'_> {
    /// Ends what a panic left open: whoever shows it would show it for ever.
    fn drop(&mut self) {
        if let Some(Open { scope, step, begun, log }) = lock(&self.open).take() {
            let ended =
                Event::Ended { scope, step, seconds: begun.elapsed().as_secs_f64(), status: Ending::Failed, log };
            // A listener that is what panicked must not make it two.
            let _ = catch_unwind(AssertUnwindSafe(|| self.inner.emit(&ended)));
        }
    }
}

impl Events for Stopwatch<'_> {
    fn emit(&self, event: &Event) {
        match event {
            Event::Started { scope, step, log, .. } => {
                *lock(&self.open) =
                    Some(Open { scope: scope.clone(), step: step.clone(), begun: Instant::now(), log: log.clone() });
            }
            Event::Ended { step, seconds, status, log, .. } => {
                *lock(&self.open) = None;
                let report = StepReport { name: step.clone(), seconds: *seconds, log: log.clone() };
                lock(&self.steps).push((report, *status));
            }
            Event::Output { .. } | Event::Note { .. } | Event::Warning { .. } | Event::Waiting { .. } => {}
        }
        self.inner.emit(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> (tempfile::TempDir, Layout) {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(Utf8Path::from_path(dir.path()).unwrap(), None);
        (dir, layout)
    }

    #[test]
    fn what_is_written_is_read_and_anything_else_is_nothing() {
        let (_dir, layout) = layout();
        assert_eq!(Timings::read(&layout), Timings::default());
        let mut timings = Timings::default();
        timings.note("p/a", "build", 12.5);
        timings.note("p/a", "build", 13.5);
        timings.write(&layout);
        let read = Timings::read(&layout);
        assert_eq!((read.seconds("p/a", "build"), read.seconds("p/a", "test")), (Some(13.5), None));
        for text in [
            "",
            "{",
            "[]",
            "\u{0}\u{1}",
            r#"{"version":2,"builds":{"p/a":{"build":1.0}}}"#,
            r#"{"version":1,"builds":{"p/a":{"build":-1.0}}}"#,
            r#"{"version":1,"builds":{"p/a":{"build":"soon"}}}"#,
        ] {
            fs_err::write(place(&layout), text).unwrap();
            assert_eq!(Timings::read(&layout).seconds("p/a", "build"), None, "{text}");
        }
        fs_err::write(place(&layout), vec![b' '; 5 << 20]).unwrap();
        assert_eq!(Timings::read(&layout), Timings::default());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut timings = Timings::default();
        for index in 0..3 * MOST_BUILDS {
            timings.note(&format!("p/{index}"), "build", 1.0);
        }
        assert_eq!(timings.builds.len(), MOST_BUILDS);
        let plan = ["p/7".to_owned(), "q/1".to_owned()];
        timings.forget_all_but(&plan);
        timings.note("q/1", "build", 2.0);
        assert_eq!(timings.builds.keys().collect::<Vec<_>>(), ["p/7", "q/1"]);
    }
}

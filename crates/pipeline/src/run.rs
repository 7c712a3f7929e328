//! A run of `wheels`: the lock, the builds side by side, and the report that is made of them in the plan's order.

use crate::dist;
use crate::jobs::Jobs;
use crate::lock::{LockError, RunLock};
use crate::report::{self, BuildReport, Failure, Report, Status};
use crate::schedule::{Work, side_by_side};
use crate::timings::Timings;
use crate::walk::{Walk, Walked, blank};
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Adjustments, Examined, Judged};
use exec::{Cancel, Event, Events};
use host::World;
use plan::{Layout, Plan, PlannedBuild};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What a run is told besides the plan.
#[derive(Debug)]
pub struct Options<'a> {
    /// The folder that paths in findings are shown relative to.
    pub root: &'a Utf8Path,
    /// Where everything lies.
    pub layout: &'a Layout,
    /// Severities and accepted findings.
    pub adjustments: &'a Adjustments,
    /// The rules of every stage, for judging which acceptances are stale.
    pub rules: &'a [&'static diagnostics::Rule],
    /// Bytes that a wheel may have.
    pub budget: u64,
    /// Build although nothing changed.
    pub force: bool,
    /// Begin other builds after one failed. Those that run already are finished in any case.
    pub keep_going: bool,
    /// How many builds run at once.
    pub jobs: Jobs,
    /// Builds that were named one by one: what keeps one of them from running is a failure, not a skip.
    pub named: bool,
    /// Stream the tools' own output.
    pub verbose: bool,
}

/// A run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another run holds the folder, or it cannot be written.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file could not be written.
    #[error("`{path}` cannot be written: {source}")]
    Write {
        /// Which.
        path: Utf8PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Walks the plan; the report lies in dist/ when this returns, unless there was nothing to do. What it says does not depend on how many builds run at once,
/// but for times, and for what was not begun after a failure.
///
/// # Errors
/// [`RunError`] when the run could not begin or its report could not be written; what befalls a build stands in the report.
pub fn run(
    plan: &Plan,
    world: &World,
    options: &Options<'_>,
    events: &dyn Events,
    cancel: &Cancel,
) -> Result<(Report, Judged), RunError> {
    let started = Instant::now();
    let layout = options.layout;
    let _lock = RunLock::take(&layout.state, events, cancel)?;
    writable(&layout.dist)?;
    dist::sweep(&layout.dist);
    let walk = Walk::new(plan, world, options, events, cancel);
    let stopped = AtomicBool::new(false);
    let ended = |walked: Walked| {
        let failed = walked.report.status == Status::Failed && !options.keep_going;
        if failed || cancel.is_cancelled() {
            let first = !stopped.swap(true, Ordering::SeqCst);
            // With one at a time the report comes at once and says it.
            if first && options.jobs.at_once > 1 && !cancel.is_cancelled() {
                let scope = format!("{}/{}", walked.report.project, walked.report.id);
                let text = "failed: what runs is finished, nothing more is begun".to_owned();
                events.emit(&Event::Note { scope, text });
            }
        }
        walked
    };
    let work = Work {
        run: &|index, planned| ended(walk.build(index, planned)),
        fallen: &|planned, said| ended(fallen(planned, said)),
        stopped: &stopped,
    };
    let walked = side_by_side(&plan.builds, options.jobs.at_once, &work);
    let (mut builds, mut sdists, mut judged) = (Vec::new(), Vec::new(), Judged::default());
    let mut timings = Timings::read(layout);
    timings.forget_all_but(&plan.builds.iter().map(PlannedBuild::scope).collect::<Vec<_>>());
    for (planned, walked) in plan.builds.iter().zip(walked) {
        let walked = walked.unwrap_or_else(|| walk.not_begun(planned));
        for (step, seconds) in &walked.took {
            timings.note(&planned.scope(), step, *seconds);
        }
        builds.push(walked.report);
        sdists.extend(walked.sdist);
        judged.extend(walked.judged);
    }
    timings.write(layout);
    let examined = builds
        .iter()
        .filter(|build| matches!(build.status, Status::Proven))
        .filter_map(|build| build.wheel.as_ref())
        .fold(Examined::of(options.rules.iter().copied()), |examined, wheel| examined.file(wheel.as_str()));
    judged.stale = options.adjustments.stale(&judged.accepted, &examined);
    let report = Report {
        schema_version: report::SCHEMA_VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        seconds: started.elapsed().as_secs_f64(),
        builds,
        sdists,
    };
    if report.is_of_nothing() {
        // What dist/ holds is what the run before says.
        return Ok((report, judged));
    }
    if let Err(error) = write_report(&report, &layout.dist) {
        // Why a build failed is worth more than that its report could not be written, which often has the same reason.
        if report.count(Status::Failed) == 0 {
            return Err(error);
        }
        events.emit(&Event::Warning { scope: String::new(), text: error.to_string() });
    }
    Ok((report, judged))
}

/// A panic costs its own build and no other.
fn fallen(planned: &PlannedBuild, said: &str) -> Walked {
    Walked::of(BuildReport {
        reason: Some(format!("a fault of this program: {said}")),
        help: Some("please report the message, the command line and, if you can, the project".to_owned()),
        failure: Some(Failure::Ours),
        ..blank(planned, Status::Failed)
    })
}

fn write_report(report: &Report, dist: &Utf8Path) -> Result<(), RunError> {
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| RunError::Write { path, source }
    };
    let json = dist.join("report.json");
    let text = serde_json::to_vec_pretty(report).map_err(|error| failed(&json)(error.into()))?;
    dist::write_whole(&json, &text).map_err(failed(&json))?;
    let markdown = dist.join("report.md");
    dist::write_whole(&markdown, crate::show::markdown(report).as_bytes()).map_err(failed(&markdown))
}

/// A folder that cannot be written is found out before anything is built.
fn writable(dist: &Utf8Path) -> Result<(), RunError> {
    let probe = dist.join(format!(".probe.{}.part", std::process::id()));
    dist::make(dist)
        .and_then(|()| fs_err::write(&probe, b""))
        .and_then(|()| fs_err::remove_file(&probe))
        .map_err(|source| RunError::Write { path: dist.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_outweighs_every_other_failure() {
        let report = |failure| {
            let text = r#"{"id":"i","project":"p","python":"cp313","target":"t","status":"failed","why_not_wider":[],
                "grafted":[],"biggest":[],"imported":[],"tested":[],"steps":[],"findings":[],"excerpt":[]}"#;
            BuildReport { failure, ..serde_json::from_str(text).unwrap() }
        };
        for (failures, code) in [
            (vec![Some(Failure::Step), Some(Failure::Ours)], 70),
            (vec![Some(Failure::Interrupted), Some(Failure::Ours)], 70),
            (vec![Some(Failure::Step), Some(Failure::Interrupted)], 130),
            (vec![Some(Failure::Finding), Some(Failure::Step)], 4),
        ] {
            let builds = failures.iter().map(|failure| report(*failure)).collect();
            let report = Report { schema_version: 1, program: String::new(), seconds: 0.0, builds, sdists: Vec::new() };
            assert_eq!(report.exit_code(), code, "{failures:?}");
        }
    }
}

//! The story of `wheels`: each planned build walked through its stages; what passes lands in dist/.

use crate::dist::{self, Record};
use crate::lock::{LockError, RunLock};
use crate::report::{self, BuildReport, Failure, FileReport, Report, Status, StepReport};
use audit::proof::ProofOptions;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Adjustments, Examined, Finding, Judged, Severity};
use exec::{Cancel, Event, Events, Explain, Runner, StepError};
use host::World;
use plan::{Layout, Obstacle, Plan, PlannedBuild, Stages};
use std::collections::BTreeSet;
use std::sync::Mutex;
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
    /// Go on with the other builds after one failed.
    pub keep_going: bool,
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

/// Walks the plan; the report lies in dist/ when this returns.
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
    let mut walk = Walk {
        world,
        options,
        events,
        cancel,
        judged: Judged::default(),
        prepared: BTreeSet::new(),
        sdists: Vec::new(),
    };
    let mut builds = Vec::new();
    let mut stopped = false;
    for planned in &plan.builds {
        let report = if stopped && planned.runnable {
            skipped(planned, "not reached: a build before it failed", Some("--keep-going goes on with the others"))
        } else {
            walk.build(planned)
        };
        stopped |= cancel.is_cancelled() || (report.status == Status::Failed && !options.keep_going);
        builds.push(report);
    }
    let Walk { mut judged, sdists, .. } = walk;
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
    if let Err(error) = write_report(&report, &layout.dist) {
        // Why a build failed is worth more than that its report could not be written, which often has the same reason.
        if report.count(Status::Failed) == 0 {
            return Err(error);
        }
        events.emit(&Event::Warning { scope: String::new(), text: error.to_string() });
    }
    Ok((report, judged))
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

fn blank(planned: &PlannedBuild, status: Status) -> BuildReport {
    let llvm = planned.stages.as_ref().and_then(|stages| stages.build.llvm.as_ref()).map(|llvm| report::Llvm {
        version: llvm.installation.version.to_string(),
        linkage: llvm.linkage.to_string(),
        prefix: llvm.installation.prefix.clone(),
    });
    BuildReport {
        id: planned.id.to_string(),
        project: planned.project.clone(),
        python: planned.python.clone(),
        target: planned.target.clone(),
        status,
        reason: None,
        help: None,
        failure: None,
        log: None,
        excerpt: Vec::new(),
        wheel: None,
        sha256: None,
        bytes: None,
        platform: None,
        why_not_wider: Vec::new(),
        proof: None,
        grafted: Vec::new(),
        biggest: Vec::new(),
        llvm,
        imported: Vec::new(),
        tested: Vec::new(),
        steps: Vec::new(),
        findings: Vec::new(),
    }
}

fn skipped(planned: &PlannedBuild, reason: &str, help: Option<&str>) -> BuildReport {
    BuildReport { reason: Some(reason.to_owned()), help: help.map(str::to_owned), ..blank(planned, Status::Skipped) }
}

/// What a build came to, before it is a report.
enum Stop {
    /// A stage's error: the sentence, the advice, and the step behind it.
    Stage { reason: String, help: Option<String>, failure: Failure, log: Option<Utf8PathBuf>, excerpt: Vec<String> },
    /// A finding at error level.
    Findings(String),
}

impl Stop {
    /// From any stage's error.
    fn stage(error: &dyn Explain, step: Option<&StepError>) -> Self {
        let failure = match step {
            Some(StepError::Cancelled { .. }) => Failure::Interrupted,
            Some(StepError::NotFound { .. }) => Failure::Environment,
            _ => Failure::Step,
        };
        Self::Stage {
            reason: error.to_string(),
            help: error.hint(),
            failure,
            log: step.and_then(StepError::log).map(Utf8Path::to_owned),
            excerpt: step.map(|step| step.excerpt().to_vec()).unwrap_or_default(),
        }
    }

    fn io(what: &str, error: &std::io::Error) -> Self {
        Self::Stage {
            reason: format!("{what}: {error}"),
            help: None,
            failure: Failure::Step,
            log: None,
            excerpt: Vec::new(),
        }
    }
}

/// A wheel that one stage made and the next cannot open.
fn unreadable(stage: &str, error: &dyn std::error::Error) -> Stop {
    Stop::Stage {
        reason: format!("{stage}: {error}"),
        help: None,
        failure: Failure::Step,
        log: None,
        excerpt: Vec::new(),
    }
}

struct Walk<'a> {
    world: &'a World,
    options: &'a Options<'a>,
    events: &'a dyn Events,
    cancel: &'a Cancel,
    judged: Judged,
    /// Projects whose `before_all` ran.
    prepared: BTreeSet<String>,
    sdists: Vec<FileReport>,
}

impl Walk<'_> {
    fn build(&mut self, planned: &PlannedBuild) -> BuildReport {
        let Some(stages) = &planned.stages else { return self.unrunnable(planned) };
        let layout = self.options.layout;
        let record_path = layout.record(&planned.project, &planned.id.to_string());
        let record = Record::read(&record_path);
        if !self.options.force
            && let Some(record) =
                record.as_ref().filter(|record| record.key == planned.key && record.holds(&layout.dist))
        {
            self.sdists.extend(record.sdist.clone());
            return BuildReport { status: Status::Cached, ..record.report.clone() };
        }
        let timings = Timings { inner: self.events, steps: Mutex::default() };
        let mut report = blank(planned, Status::Failed);
        let outcome = self.stages(planned, stages, &timings, &mut report);
        report.steps = timings.steps.into_inner().unwrap_or_default();
        match outcome {
            Ok(landed) => {
                report.status = Status::Proven;
                let newer = Record {
                    key: planned.key.clone(),
                    wheel: landed.wheel,
                    modified: landed.modified,
                    sdist: landed.sdist,
                    report: report.clone(),
                };
                if let Some(former) = record {
                    former.retire(&newer, &layout.dist);
                }
                if let Err(error) = newer.write(&record_path) {
                    let text = format!("the next run will build this again: {error}");
                    self.events.emit(&Event::Warning { scope: planned.scope(), text });
                }
            }
            Err(Stop::Stage { reason, help, failure, log, excerpt }) => {
                report.reason = Some(self.relative(&reason));
                report.help = help;
                report.failure = Some(failure);
                report.log = log;
                report.excerpt = excerpt;
            }
            Err(Stop::Findings(reason)) => {
                report.reason = Some(reason);
                report.failure = Some(Failure::Finding);
            }
        }
        report
    }

    /// A sentence with the paths below the root as a person there would write them. Command lines are left alone: they
    /// are to be repeated from anywhere.
    fn relative(&self, sentence: &str) -> String {
        let root = self.options.layout.state.parent().and_then(Utf8Path::parent);
        root.map_or_else(|| sentence.to_owned(), |root| sentence.replace(&format!("{root}/"), ""))
    }

    fn unrunnable(&self, planned: &PlannedBuild) -> BuildReport {
        let reason = planned.reason.as_deref().unwrap_or("it cannot run here");
        let mut report = skipped(planned, reason, planned.remedy.as_deref());
        let missing = match planned.obstacle {
            Some(Obstacle::Missing) => true,
            Some(Obstacle::Installable) => self.options.named,
            _ => false,
        };
        if missing {
            report.failure = Some(Failure::Missing);
        }
        report
    }

    fn stages(
        &mut self,
        planned: &PlannedBuild,
        stages: &Stages,
        events: &Timings<'_>,
        report: &mut BuildReport,
    ) -> Result<Landed, Stop> {
        let scope = planned.scope();
        let runner = Runner::new(events, self.cancel).scope(&scope).streaming(self.options.verbose);
        for (tools, steps) in &stages.tools {
            tools.ensure(steps, &runner).map_err(|error| match error {
                host::toolenv::ToolEnvironmentError::Step(error) => Stop::stage(&error, Some(&error)),
                host::toolenv::ToolEnvironmentError::Io(error) => Stop::io("the tools could not be installed", &error),
            })?;
        }
        if self.prepared.insert(planned.project.clone()) {
            self.before_all(planned, stages, &runner)?;
        }
        let built = build::run(&stages.build, &stages.build_steps, self.world, &runner)
            .map_err(|error| Stop::stage(&error, error.step_error()))?;
        self.judge(built.findings, report)?;

        let findings = self.inside(&scope, "symbols", &stages.build.log_dir, events, || {
            let sources = std::slice::from_ref(&stages.build.project_dir);
            audit::wheel_findings(&built.wheel, sources).map_err(|error| unreadable("symbols", &error))
        })?;
        self.judge(findings, report)?;

        let repaired = repair::run(&stages.repair, &stages.repair_steps, &built.wheel, &runner)
            .map_err(|error| Stop::stage(&error, error.step_error()))?;
        report.platform = Some(repaired.platform.clone());
        report.why_not_wider.clone_from(&repaired.why_not_wider);
        report.grafted =
            repaired.grafted.iter().map(|g| report::Grafted { name: g.name.clone(), bytes: g.bytes }).collect();
        self.judge(repaired.findings, report)?;

        let findings = self.inside(&scope, "prove", &stages.repair.log_dir, events, || {
            let budget = Some(self.options.budget).filter(|budget| *budget != plan::settings::DEFAULT_BUDGET);
            // The host's own libraries are never asked: a clean machine has others.
            let excluded = stages.repair.exclude.clone();
            let options = ProofOptions { budget, excluded, ..ProofOptions::default() };
            let (verdict, findings, assumptions) =
                audit::proof::wheel_findings(&repaired.wheel, &options).map_err(|error| unreadable("prove", &error))?;
            report.proof = Some(report::Proof { verdict: verdict.to_string(), assumptions });
            Ok(findings)
        })?;
        self.judge(findings, report)?;

        let verified = verify::run(&stages.verify, &stages.verify_steps, &repaired.wheel, &runner)
            .map_err(|error| Stop::stage(&error, error.step_error()))?;
        report.imported.clone_from(&verified.imported);
        report.tested.clone_from(&verified.tested);
        self.judge(verified.findings, report)?;
        self.land(planned, &repaired.wheel, built.sdist.as_deref(), report)
    }

    /// Once per project, in a copy of it.
    fn before_all(&self, planned: &PlannedBuild, stages: &Stages, runner: &Runner<'_>) -> Result<(), Stop> {
        if stages.before_all.is_empty() {
            return Ok(());
        }
        let copy = self.options.layout.work(&planned.project, "before-all");
        let failed = |error: std::io::Error| Stop::io("the copy for before_all could not be made", &error);
        if copy.exists() {
            fs_err::remove_dir_all(&copy).map_err(failed)?;
        }
        let copied = host::sources::copy(&stages.build.project_dir, &copy, runner).map_err(|error| match error {
            host::sources::SourcesError::Step(error) => Stop::stage(&error, Some(&error)),
            other => failed(std::io::Error::other(other.to_string())),
        })?;
        for step in &stages.before_all {
            let step = step.resolve(&[("project", copied.project.as_str())]);
            runner.run(&step).map_err(|error| Stop::stage(&error, Some(&error)))?;
        }
        Ok(())
    }

    /// A step that runs inside this process: announced, timed and logged as the others are.
    fn inside(
        &self,
        scope: &str,
        name: &str,
        log_dir: &Utf8Path,
        events: &dyn Events,
        body: impl FnOnce() -> Result<Vec<Finding>, Stop>,
    ) -> Result<Vec<Finding>, Stop> {
        self.cancel.check(name).map_err(|error| Stop::stage(&error, Some(&error)))?;
        let log = log_dir.join(format!("{name}.log"));
        let argv = vec!["wheelproof".to_owned(), name.to_owned()];
        let (scope, step) = (scope.to_owned(), name.to_owned());
        let command_line = argv.join(" ");
        events.emit(&Event::Started { scope: scope.clone(), step: step.clone(), argv, command_line, log: log.clone() });
        let started = Instant::now();
        let mut outcome = body();
        if let Ok(findings) = &mut outcome {
            for location in findings.iter_mut().flat_map(|finding| &mut finding.locations) {
                if let Ok(inside) = location.path.strip_prefix(self.options.root) {
                    location.path = inside.to_owned();
                }
            }
            let text = diagnostics::render::text(&Judged::from(findings.clone()), &diagnostics::Style::default());
            if let Err(error) = fs_err::create_dir_all(log_dir).and_then(|()| fs_err::write(&log, text)) {
                events.emit(&Event::Warning { scope: scope.clone(), text: error.to_string() });
            }
        }
        let status = if outcome.is_ok() { exec::Ending::Succeeded } else { exec::Ending::Failed };
        events.emit(&Event::Ended { scope, step, seconds: started.elapsed().as_secs_f64(), status, log });
        outcome
    }

    /// Applies severities and acceptances; an error that remains stops the build.
    fn judge(&mut self, findings: Vec<Finding>, report: &mut BuildReport) -> Result<(), Stop> {
        let judged = self.options.adjustments.judge(findings);
        for finding in &judged.findings {
            if let Ok(value) = serde_json::to_value(finding) {
                report.findings.push(value);
            }
        }
        let errors: Vec<&Finding> = judged.findings.iter().filter(|f| f.severity == Severity::Error).collect();
        let stop = errors.first().map(|first| {
            let more = match errors.len() - 1 {
                0 => String::new(),
                1 => ", and one more error".to_owned(),
                n => format!(", and {n} more errors"),
            };
            Stop::Findings(format!("{}: {}{more}", first.rule.name, first.message))
        });
        self.judged.extend(judged);
        stop.map_or(Ok(()), Err)
    }

    fn land(
        &mut self,
        planned: &PlannedBuild,
        wheel: &Utf8Path,
        sdist: Option<&Utf8Path>,
        report: &mut BuildReport,
    ) -> Result<Landed, Stop> {
        let failed = |error: std::io::Error| Stop::io("the wheel could not be put into dist/", &error);
        self.cancel.check("land").map_err(|error| Stop::stage(&error, Some(&error)))?;
        let dist = &self.options.layout.dist;
        let sum = dist::sha256(wheel).map_err(failed)?;
        let archive = wheel::Archive::open(wheel)
            .map_err(|error| Stop::io("the wheel cannot be read back", &std::io::Error::other(error.to_string())))?;
        let mut members: Vec<_> = archive.members().iter().filter(|member| !member.is_dir).collect();
        members.sort_by_key(|member| std::cmp::Reverse((member.compressed_size, member.name.clone())));
        report.biggest = members
            .iter()
            .take(3)
            .map(|m| report::Member { name: m.name.clone(), bytes: m.size, compressed: m.compressed_size })
            .collect();
        let place = dist::land(wheel, dist).map_err(failed)?;
        let metadata = fs_err::metadata(&place).map_err(failed)?;
        let name = place.file_name().unwrap_or_default().to_owned();
        report.wheel = Some(name.clone());
        report.sha256 = Some(sum);
        report.bytes = Some(metadata.len());
        let mut proven_sdist = None;
        if let Some(sdist) = sdist {
            let place = dist::land(sdist, dist).map_err(failed)?;
            let sdist = FileReport {
                project: planned.project.clone(),
                name: place.file_name().unwrap_or_default().to_owned(),
                sha256: dist::sha256(&place).map_err(failed)?,
                bytes: fs_err::metadata(&place).map_err(failed)?.len(),
            };
            proven_sdist = Some(sdist.clone());
            self.sdists.push(sdist);
        }
        Ok(Landed { wheel: name, modified: dist::modified(&metadata).unwrap_or(0), sdist: proven_sdist })
    }
}

struct Landed {
    wheel: String,
    modified: u128,
    sdist: Option<FileReport>,
}

/// Passes events on and remembers how long each step took.
struct Timings<'a> {
    inner: &'a dyn Events,
    steps: Mutex<Vec<StepReport>>,
}

impl Events for Timings<'_> {
    fn emit(&self, event: &Event) {
        if let Event::Ended { step, seconds, log, .. } = event
            && let Ok(mut steps) = self.steps.lock()
        {
            steps.push(StepReport { name: step.clone(), seconds: *seconds, log: log.clone() });
        }
        self.inner.emit(event);
    }
}

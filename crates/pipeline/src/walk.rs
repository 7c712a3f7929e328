//! One build's way through the stages; what passes lands in dist/.

use crate::dist::{self, Library, Record};
use crate::report::{self, BuildReport, Failure, FileReport, Status};
use crate::run::Options;
use crate::schedule::{Turns, lock};
use crate::stop::{Stop, unreadable};
use crate::timings::Stopwatch;
use audit::proof::ProofOptions;
use camino::Utf8Path;
use diagnostics::{Finding, Judged, Severity};
use exec::{Cancel, Event, Events, Runner, Step};
use host::World;
use plan::{Obstacle, Plan, PlannedBuild, Stages};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

/// What all builds of a run share.
pub(crate) struct Walk<'a> {
    world: &'a World,
    options: &'a Options<'a>,
    events: &'a dyn Events,
    cancel: &'a Cancel,
    /// Who makes what several builds need.
    turns: Turns,
    /// What `before_all` came to, by project.
    prepared: Mutex<BTreeMap<String, Result<(), Stop>>>,
    /// What this run put into dist/, with the number of the build that did. Held while dist/ changes.
    landed: Mutex<BTreeMap<String, usize>>,
}

/// What a build came to.
pub(crate) struct Walked {
    pub(crate) report: BuildReport,
    pub(crate) judged: Judged,
    pub(crate) sdist: Option<FileReport>,
    /// The steps that succeeded, with their seconds.
    pub(crate) took: Vec<(String, f64)>,
}

impl Walked {
    /// Without any findings or files.
    pub(crate) fn of(report: BuildReport) -> Self {
        Self { report, judged: Judged::default(), sdist: None, took: Vec::new() }
    }
}

/// A build under way.
struct Building<'a> {
    /// Its number in the plan.
    index: usize,
    planned: &'a PlannedBuild,
    stages: &'a Stages,
    report: BuildReport,
    judged: Judged,
}

/// However a build ends, others need not wait for it any more.
struct Leaving<'a>(&'a Turns, usize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

fn preparing(project: &str) -> String {
    format!("before_all of {project}")
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        world: &'a World,
        options: &'a Options<'a>,
        events: &'a dyn Events,
        cancel: &'a Cancel,
    ) -> Self {
        let wants = plan
            .builds
            .iter()
            .enumerate()
            .filter_map(|(index, planned)| Some((index, planned, planned.stages.as_ref()?)));
        let wants = wants.flat_map(|(index, planned, stages)| {
            let tools = stages.tools.iter().map(|(tools, _)| tools.dir.to_string());
            let prepares = (!stages.before_all.is_empty()).then(|| preparing(&planned.project));
            tools.chain(prepares).map(move |key| (index, key))
        });
        Self {
            world,
            options,
            events,
            cancel,
            turns: Turns::new(wants),
            prepared: Mutex::default(),
            landed: Mutex::default(),
        }
    }

    /// Carries out the build of this number.
    pub(crate) fn build(&self, index: usize, planned: &PlannedBuild) -> Walked {
        let _leaving = Leaving(&self.turns, index);
        let Some(stages) = &planned.stages else { return Walked::of(self.unrunnable(planned)) };
        let layout = self.options.layout;
        let record_path = layout.record(&planned.project, &planned.id.to_string());
        let record = Record::read(&record_path);
        if !self.options.force
            && let Some(record) = record.as_ref().filter(|record| record.key == planned.key)
            && record.holds(&layout.dist)
        {
            let Some(why) = record.outdated() else {
                let report = BuildReport { status: Status::Cached, ..record.report.clone() };
                return Walked { sdist: record.sdist.clone(), ..Walked::of(report) };
            };
            self.events.emit(&Event::Note { scope: planned.scope(), text: format!("built again: {why}") });
        }
        let watch = Stopwatch::new(self.events);
        let report = blank(planned, Status::Failed);
        let mut building = Building { index, planned, stages, report, judged: Judged::default() };
        let outcome = self.stages(&mut building, &watch);
        let Building { mut report, judged, .. } = building;
        report.steps = watch.steps();
        let mut sdist = None;
        match outcome {
            Ok(landed) => {
                report.status = Status::Proven;
                sdist.clone_from(&landed.sdist);
                let newer = Record {
                    key: planned.key.clone(),
                    wheel: landed.wheel,
                    modified: landed.modified,
                    sdist: landed.sdist,
                    libraries: landed.libraries,
                    untraced: landed.untraced,
                    report: report.clone(),
                };
                if let Some(former) = record {
                    let landed = lock(&self.landed);
                    former.retire(&newer, &layout.dist, &|name| landed.contains_key(name));
                }
                if let Err(error) = newer.write(&record_path) {
                    let text =
                        format!("the next run will build this again: `{record_path}` cannot be written: {error}");
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
        Walked { report, judged, sdist, took: watch.succeeded() }
    }

    /// A build that was not begun, because another one failed or the run was stopped.
    pub(crate) fn not_begun(&self, planned: &PlannedBuild) -> Walked {
        let reason = "not reached: a build before it failed";
        let help = "--keep-going goes on with the others";
        Walked::of(if planned.runnable { skipped(planned, reason, Some(help)) } else { self.unrunnable(planned) })
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
            Some(Obstacle::Missing | Obstacle::PathTooLong) => true,
            Some(Obstacle::Installable) => self.options.named,
            _ => false,
        };
        if missing {
            report.failure = Some(Failure::Missing);
        }
        report
    }

    fn stages(&self, building: &mut Building<'_>, events: &Stopwatch<'_>) -> Result<Landed, Stop> {
        let Building { planned, stages, .. } = *building;
        let scope = planned.scope();
        let runner = Runner::new(events, self.cancel).scope(&scope).streaming(self.options.verbose);
        self.prepare(building, &runner)?;
        let built = build::run(&stages.build, &self.with_share(&stages.build_steps), self.world, &runner)
            .map_err(|error| Stop::stage(&error, error.step_error()))?;
        self.judge(built.findings, building)?;

        let findings = self.inside(&scope, "symbols", &stages.build.log_dir, events, || {
            let sources = std::slice::from_ref(&stages.build.project_dir);
            audit::wheel_findings(&built.wheel, sources).map_err(|error| unreadable("symbols", &error))
        })?;
        self.judge(findings, building)?;

        let repaired = repair::run(&stages.repair, &stages.repair_steps, &built.wheel, &runner)
            .map_err(|error| Stop::stage(&error, error.step_error()))?;
        let report = &mut building.report;
        report.platform = Some(repaired.platform.clone());
        report.why_not_wider.clone_from(&repaired.why_not_wider);
        report.grafted =
            repaired.grafted.iter().map(|g| report::Grafted { name: g.name.clone(), bytes: g.bytes }).collect();
        report.assumed = repaired
            .assumed
            .into_iter()
            .map(|assumed| report::Assumed { library: assumed.library, needed_by: assumed.needed_by })
            .collect();
        self.judge(repaired.findings.clone(), building)?;

        let findings = self.inside(&scope, "prove", &stages.repair.log_dir, events, || {
            let budget = Some(self.options.budget).filter(|budget| *budget != plan::settings::DEFAULT_BUDGET);
            // The host's own libraries are never asked: a clean machine has others.
            let excluded = stages.repair.exclude.clone();
            let options = ProofOptions { budget, excluded, ..ProofOptions::default() };
            let (verdict, mut findings, assumptions) =
                audit::proof::wheel_findings(&repaired.wheel, &options).map_err(|error| unreadable("prove", &error))?;
            // One fault is told once. An error is not: the repair's own would have ended the build, unless it was accepted.
            findings.retain(|finding| {
                finding.severity == Severity::Error || !repair::rules::is_told(&repaired.findings, finding)
            });
            building.report.proof = Some(report::Proof { verdict: verdict.to_string(), assumptions });
            Ok(findings)
        })?;
        self.judge(findings, building)?;

        let verified =
            verify::run(&stages.verify, &stages.verify_steps, &repaired.wheel, &runner).map_err(|error| {
                let (imported, tested) = error.passed();
                building.report.imported = imported.to_vec();
                building.report.tested = tested.to_vec();
                Stop::stage(&error, error.step_error())
            })?;
        building.report.imported = verified.imported;
        building.report.tested = verified.tested;
        self.judge(verified.findings, building)?;
        let landed = self.land(building, &repaired.wheel, built.sdist.as_deref())?;
        // What this run made itself is made of the sources, which the key knows.
        let own = |origin: &repair::Origin| origin.path.starts_with(&self.options.layout.state);
        let repair::Origins { known, unknown } = repaired.origins;
        let libraries = known.into_iter().filter(|origin| !own(origin)).map(Library::from).collect();
        Ok(Landed { libraries, untraced: unknown, ..landed })
    }

    /// What this build shares with others: it makes it, or waits for the one that does.
    fn prepare(&self, building: &Building<'_>, runner: &Runner<'_>) -> Result<(), Stop> {
        let Building { index, planned, stages, .. } = *building;
        for (tools, steps) in &stages.tools {
            self.turns.wait(tools.dir.as_str(), index, &|| tools.is_complete());
            tools.ensure(steps, runner).map_err(|error| match error {
                host::toolenv::ToolEnvironmentError::Step(error) => Stop::stage(&error, Some(&error)),
                host::toolenv::ToolEnvironmentError::Io(error) => Stop::io("the tools could not be installed", &error),
            })?;
            self.turns.pass(tools.dir.as_str(), index);
        }
        if stages.before_all.is_empty() {
            return Ok(());
        }
        let (key, project) = (preparing(&planned.project), &planned.project);
        self.turns.wait(&key, index, &|| lock(&self.prepared).contains_key(project));
        let known = lock(&self.prepared).get(project).cloned();
        let outcome = known.unwrap_or_else(|| {
            let outcome = self.before_all(planned, stages, runner);
            lock(&self.prepared).insert(project.clone(), outcome.clone());
            outcome
        });
        self.turns.pass(&key, index);
        outcome
    }

    /// The steps with the share of the cores that each build has.
    fn with_share(&self, steps: &[Step]) -> Vec<Step> {
        let mut steps = steps.to_vec();
        for step in &mut steps {
            let told = |name: &str| step.env.contains_key(name) || self.world.env.contains_key(name);
            for (name, value) in self.options.jobs.variables(&told) {
                step.env.insert(name.to_owned(), Some(value));
            }
        }
        steps
    }

    /// Once per project, in a copy of it.
    fn before_all(&self, planned: &PlannedBuild, stages: &Stages, runner: &Runner<'_>) -> Result<(), Stop> {
        let copy = self.options.layout.work(&planned.project, "before-all");
        let failed = |error: std::io::Error| Stop::io("the copy for before_all could not be made", &error);
        if copy.exists() {
            fs_err::remove_dir_all(&copy).map_err(failed)?;
        }
        let copied = host::sources::copy(&stages.build.project_dir, &copy, runner).map_err(|error| match error {
            host::sources::SourcesError::Step(error) => Stop::stage(&error, Some(&error)),
            other => failed(std::io::Error::other(other.to_string())),
        })?;
        for step in &self.with_share(&stages.before_all) {
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
    fn judge(&self, findings: Vec<Finding>, building: &mut Building<'_>) -> Result<(), Stop> {
        let judged = self.options.adjustments.judge(findings);
        for finding in &judged.findings {
            if let Ok(value) = serde_json::to_value(finding) {
                building.report.findings.push(value);
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
        building.judged.extend(judged);
        stop.map_or(Ok(()), Err)
    }

    fn land(&self, building: &mut Building<'_>, wheel: &Utf8Path, sdist: Option<&Utf8Path>) -> Result<Landed, Stop> {
        let failed = |error: std::io::Error| Stop::io("the wheel could not be put into dist/", &error);
        self.cancel.check("land").map_err(|error| Stop::stage(&error, Some(&error)))?;
        let sum = dist::sha256(wheel).map_err(failed)?;
        let archive = wheel::Archive::open(wheel)
            .map_err(|error| Stop::io("the wheel cannot be read back", &std::io::Error::other(error.to_string())))?;
        let mut members: Vec<_> = archive.members().iter().filter(|member| !member.is_dir).collect();
        members.sort_by_key(|member| std::cmp::Reverse((member.compressed_size, member.name.clone())));
        building.report.biggest = members
            .iter()
            .take(3)
            .map(|m| report::Member { name: m.name.clone(), bytes: m.size, compressed: m.compressed_size })
            .collect();
        let (name, metadata) = self.put(building.index, wheel).map_err(failed)?;
        building.report.wheel = Some(name.clone());
        building.report.sha256 = Some(sum);
        building.report.bytes = Some(metadata.len());
        let mut proven = None;
        if let Some(sdist) = sdist {
            let (name, metadata) = self.put(building.index, sdist).map_err(failed)?;
            let sha256 = dist::sha256(sdist).map_err(failed)?;
            proven =
                Some(FileReport { project: building.planned.project.clone(), name, sha256, bytes: metadata.len() });
        }
        let modified = dist::modified(&metadata).unwrap_or(0);
        Ok(Landed { wheel: name, modified, sdist: proven, libraries: Vec::new(), untraced: Vec::new() })
    }

    /// Puts a file into dist/; gives its name and what is known of it. Of several builds that make a file of one name, such
    /// as a wheel for every Python, the last of the plan stays, whatever order they end in.
    fn put(&self, index: usize, file: &Utf8Path) -> std::io::Result<(String, std::fs::Metadata)> {
        let mut landed = lock(&self.landed);
        let name = file.file_name().unwrap_or_default().to_owned();
        if landed.get(&name).is_some_and(|other| *other > index) {
            return Ok((name, fs_err::metadata(file)?));
        }
        let place = dist::land(file, &self.options.layout.dist)?;
        landed.insert(name.clone(), index);
        Ok((name, fs_err::metadata(&place)?))
    }
}

struct Landed {
    wheel: String,
    modified: u128,
    sdist: Option<FileReport>,
    libraries: Vec<Library>,
    untraced: Vec<String>,
}

pub(crate) fn blank(planned: &PlannedBuild, status: Status) -> BuildReport {
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
        assumed: Vec::new(),
        biggest: Vec::new(),
        llvm,
        imported: Vec::new(),
        tested: Vec::new(),
        steps: Vec::new(),
        findings: Vec::new(),
    }
}

pub(crate) fn skipped(planned: &PlannedBuild, reason: &str, help: Option<&str>) -> BuildReport {
    BuildReport { reason: Some(reason.to_owned()), help: help.map(str::to_owned), ..blank(planned, Status::Skipped) }
}

//! `repair`: a wheel of any platform gets the libraries that it needs, by the tool of its platform.

mod asked;
mod deliver;
mod desk;
mod epoch;
mod needless;
mod outcome;

use crate::args::Global;
use crate::console::Console;
use crate::context;
use crate::exit::{self, Failure};
use crate::registry::REGISTRY;
use asked::{Asked, Given};
use audit::proof::{ProofOptions, Verdict};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use deliver::Delivery;
use desk::Desk;
use diagnostics::{Adjustments, Examined, Finding, Judged, Severity};
use exec::{Cancel, Explain, Runner, Silent};
use host::World;
use host::toolenv::ToolEnvironment;
use outcome::{Entry, Status};
use plan::Layout;
use platform::{Os, TargetKey};
use repair::{Existing, ExpectedLlvm, RepairError, Repaired, Request};

/// `repair`.
#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// Wheels of any platform, as the build made them
    #[arg(required = true, value_name = "WHEEL")]
    pub(crate) wheels: Vec<Utf8PathBuf>,
    /// Where the repaired wheels go, and nothing else: never a folder that a given wheel lies in
    #[arg(short = 'w', long, value_name = "DIR", env = "WHEELPROOF_OUT")]
    pub(crate) out: Utf8PathBuf,
    /// Who repairs: the tool of the wheel's platform (auditwheel, delocate, delvewheel)
    #[arg(long, value_enum, default_value_t = RepairerChoice::Tool, env = "WHEELPROOF_REPAIRER")]
    pub(crate) repairer: RepairerChoice,
    /// Look for libraries here first; LLVM's own folders are looked at without saying so
    #[arg(long, value_name = "DIR")]
    pub(crate) lib_dir: Vec<Utf8PathBuf>,
    /// Leave a library out that another wheel brings: its name, in which `*` stands for any characters and `?` for any one
    #[arg(long, value_name = "LIB")]
    pub(crate) exclude: Vec<String>,
    /// The platform that the wheel has to meet, without the processor: manylinux_2_28, macosx_12_0; by default the most
    /// widely usable one that it does meet
    #[arg(long, value_name = "PLATFORM", default_value = "auto")]
    pub(crate) plat: String,
    /// Strip binaries of a wheel that needs a repair (before they are patched, never after)
    #[arg(long)]
    pub(crate) strip: bool,
    /// Windows: DLLs that keep their names; `*` and `?` as in --exclude
    #[arg(long, value_name = "DLL")]
    pub(crate) no_mangle: Vec<String>,
    /// Windows: namespace packages, which get no `__init__.py`
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) namespace_package: Vec<String>,
    /// Windows: graft DLLs that the wheel carries already, instead of leaving them where they are
    #[arg(long)]
    pub(crate) graft_existing: bool,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "sarif", "github", "markdown"], env = "WHEELPROOF_FORMAT")]
    pub(crate) format: String,
}

/// Who repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RepairerChoice {
    /// The platform's own tool
    Tool,
    /// Not built yet
    #[value(hide = true)]
    Native,
}

/// Of several exit codes the one that counts.
const BY_WEIGHT: [u8; 8] = [
    exit::OURS,
    exit::INTERRUPTED,
    exit::USAGE,
    exit::ENVIRONMENT,
    exit::STEP,
    exit::FINDINGS,
    exit::NOTHING,
    exit::FINE,
];

pub(crate) fn run(global: &Global, args: &RepairArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let console = context::console(global);
    let root = context::root(global)?;
    let here = context::root(&Global { project: Some(".".into()), ..global.clone() })?;
    let layout = Layout::new(&root, None);
    let asked = Asked::read(args, &here)?;
    let adjustments = plan::settings::rules(&root, &REGISTRY)?;
    ignored(&layout.state).map_err(Failure::usage)?;
    let mut delivery = Delivery::to(asked::out(&args.out, &here, &asked.wheels)?);
    let silent = Runner::new(&Silent, cancel);
    let world = host::probe(&host::Probe::of_this_process(Some(layout.cache())), &silent);
    let job = Job {
        args,
        asked: &asked,
        world: &world,
        layout: &layout,
        console: &console,
        streams: context::talk(global).streams(),
    };
    let rules = repair::RULES.iter().chain(repair::rules::SHARED).copied();
    let mut tally = Tally { examined: Examined::of(rules), ..Tally::default() };
    for given in &asked.wheels {
        if cancel.check("repair").is_err() {
            tally.code = exit::INTERRUPTED;
            break;
        }
        match job.repair(given, cancel) {
            Ok(repaired) => job.accept(given, &repaired, &adjustments, &mut delivery, &mut tally),
            Err(trouble) => job.give_up(given, trouble, &adjustments, &mut tally),
        }
        if tally.code == exit::INTERRUPTED {
            break;
        }
    }
    let stale = adjustments.stale(&tally.judged.accepted, &tally.examined);
    tally.judged.stale.extend(stale);
    for said in needless::options(args, &asked.wheels, &tally.entries, world.os) {
        console.warning(&said);
    }
    outcome::render(args, &tally.entries, &tally.judged, &here, &console)?;
    Ok(tally.code)
}

/// What a call has come to so far.
#[derive(Default)]
struct Tally {
    entries: Vec<Entry>,
    judged: Judged,
    examined: Examined,
    code: u8,
}

impl Tally {
    fn add(&mut self, entry: Entry, code: u8) {
        self.entries.push(entry);
        self.code = heavier(self.code, code);
    }
}

/// Why a wheel was not repaired.
enum Trouble {
    Repair(RepairError),
    Other(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

fn heavier(one: u8, other: u8) -> u8 {
    BY_WEIGHT.into_iter().find(|code| *code == one || *code == other).unwrap_or(one)
}

fn name_of(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or_default()
}

/// target/wheelproof is nothing that git should see.
fn ignored(state: &Utf8Path) -> std::io::Result<()> {
    fs_err::create_dir_all(state)?;
    let file = state.join(".gitignore");
    if file.exists() { Ok(()) } else { fs_err::write(file, "*\n") }
}

struct Job<'a> {
    args: &'a RepairArgs,
    asked: &'a Asked,
    world: &'a World,
    layout: &'a Layout,
    console: &'a Console,
    streams: bool,
}

impl Job<'_> {
    fn repair(&self, given: &Given, cancel: &Cancel) -> Result<Work, Trouble> {
        let desk = Desk::take(&self.layout.state, given.path.file_stem().unwrap_or_default())
            .map_err(|error| Failure::new(exit::ENVIRONMENT, error.to_string()))?;
        let runner = Runner::new(self.console, cancel).scope(name_of(&given.path)).streaming(self.streams);
        // A pure wheel is like one of this machine.
        let target = given.target.clone().unwrap_or_else(|| TargetKey::new(self.world.os, self.world.arch));
        let base = self.interpreter(target.os);
        // A wheel that needs no tool needs no Python either.
        let tools = base.as_ref().map_or_else(|_| self.no_tools(), |base| self.tools(base, target.os));
        let request = self.request(given, target, tools, &desk);
        let steps = repair::steps(&request, self.world);
        let made = match repair::run(&request, &steps, &given.path, &runner) {
            Err(RepairError::NoEnvironment { .. }) => {
                let _ = base?;
                request
                    .tools
                    .ensure(
                        &request.tools.steps_by(&self.world.installer, &self.layout.state.join("logs/tools")),
                        &runner,
                    )
                    .map_err(|error| match error {
                        host::toolenv::ToolEnvironmentError::Step(step) => Failure::from(step),
                        host::toolenv::ToolEnvironmentError::Io(error) => {
                            Failure::new(exit::ENVIRONMENT, error.to_string())
                        }
                    })?;
                repair::run(&request, &steps, &given.path, &runner)
            }
            other => other,
        };
        made.map(|repaired| Work { repaired, _desk: desk }).map_err(Trouble::Repair)
    }

    /// Judges what came out and, if nothing stands against it, delivers it.
    fn accept(
        &self,
        given: &Given,
        work: &Work,
        adjustments: &Adjustments,
        delivery: &mut Delivery,
        tally: &mut Tally,
    ) {
        let repaired = &work.repaired;
        let reported = adjustments.judge(repaired.findings.clone()).findings;
        let own = adjustments.judge(self.findings(repaired, &reported));
        tally.examined = std::mem::take(&mut tally.examined).file(Utf8PathBuf::from(name_of(&repaired.wheel)));
        let mut entry = Entry::read_back(&given.path, repaired, own.has_errors());
        let mut code = if own.has_errors() { exit::FINDINGS } else { exit::FINE };
        tally.judged.extend(own);
        if code == exit::FINE {
            match delivery.put(&given.typed, repaired) {
                Ok(place) => entry.wheel = Some(place),
                Err(error) => {
                    self.console.error(&format!("{}: {error}", name_of(&given.path)), None);
                    (entry.status, entry.error, code) = (Status::Failed, Some(error), exit::STEP);
                }
            }
        }
        tally.add(entry, code);
    }

    /// Says why a wheel was not repaired; where a rule says it, as a finding.
    fn give_up(&self, given: &Given, trouble: Trouble, adjustments: &Adjustments, tally: &mut Tally) {
        let name = name_of(&given.path);
        let failure = match trouble {
            Trouble::Repair(error) => {
                if let Some(finding) = error.finding(name) {
                    let judged = adjustments.judge(vec![finding]);
                    let told = judged.has_errors();
                    tally.judged.extend(judged);
                    if !told {
                        // Accepted or switched off: there is still no wheel, and the reason must not be lost.
                        self.console.error(&format!("{name}: {error}"), error.hint().as_deref());
                    }
                    return tally.add(Entry::of(&given.path, Status::Refused), exit::FINDINGS);
                }
                failure(&error)
            }
            Trouble::Other(failure) => failure,
        };
        self.console.error(&format!("{name}: {}", failure.message), failure.help.as_deref());
        tally.add(Entry::failed(&given.path, failure.message), failure.code);
    }

    /// The newest Python that the tool of a system runs on.
    fn interpreter(&self, os: Os) -> Result<&host::Interpreter, Failure> {
        let usable = |i: &&host::Interpreter| {
            (i.has_venv || !self.world.installer.needs_venv())
                && i.implementation == "cpython"
                && !i.python.free_threaded
                && !i.debug
                && i.python >= plan::OLDEST_FOR_REPAIR
        };
        self.world.interpreters.iter().filter(usable).max_by_key(|i| i.python).ok_or_else(|| {
            let oldest = plan::OLDEST_FOR_REPAIR.dotted();
            Failure::new(
                exit::ENVIRONMENT,
                format!("{} needs a CPython {oldest} or newer with venv", repair::tool_name(os)),
            )
            .help("install one so that `python3` on PATH is it, on Debian and Ubuntu with the package python3-venv")
        })
    }

    /// The environment of the system's tool.
    fn tools(&self, base: &host::Interpreter, os: Os) -> ToolEnvironment {
        let windows = self.world.os == Os::Windows;
        ToolEnvironment::new(&self.layout.tools(), "repair", base, plan::for_repair(os), windows)
    }

    /// An environment that is not there, where no Python could make one.
    fn no_tools(&self) -> ToolEnvironment {
        let dir = self.layout.tools().join("none");
        ToolEnvironment {
            purpose: "repair".to_owned(),
            python: dir.join("python"),
            programs: dir.clone(),
            base_python: Utf8PathBuf::new(),
            requirements: String::new(),
            locked: false,
            dir,
        }
    }

    fn request(&self, given: &Given, target: TargetKey, tools: ToolEnvironment, desk: &Desk) -> Request {
        const TIME_LIMIT: u64 = 3600;
        let mut library_dirs = self.asked.library_dirs.clone();
        if target.os == self.world.os {
            let own = self.world.llvm.installations.iter().map(|llvm| llvm.library_dir.clone());
            library_dirs.extend(own.filter(|dir| !dir.as_str().contains(asked::separator())));
        }
        Request {
            target,
            platform: given.platform.clone(),
            tools,
            library_dirs,
            exclude: self.args.exclude.clone(),
            strip: self.args.strip,
            work_dir: desk.work.clone(),
            log_dir: self.layout.state.join("logs/repair").join(&desk.name),
            time_limit: TIME_LIMIT,
            source_date_epoch: self.asked.epoch.unwrap_or_else(|| epoch::of_wheel(&given.path)),
            llvm_major: None,
            options: repair::Options {
                no_mangle: self.args.no_mangle.clone(),
                namespace_packages: self.args.namespace_package.clone(),
                existing: if self.args.graft_existing { Existing::Graft } else { Existing::Keep },
                program_dirs: Vec::new(),
                expected_llvm: ExpectedLlvm::AsNeeded,
            },
        }
    }

    /// What the repair found, and what keeps the result from importing on a clean machine; the host's libraries are never
    /// asked. Facts about the wheel as a package are `verify`'s to tell.
    fn findings(&self, repaired: &Repaired, reported: &[Finding]) -> Vec<Finding> {
        let mut findings = repaired.findings.clone();
        let options = ProofOptions { excluded: self.args.exclude.clone(), ..ProofOptions::default() };
        match audit::proof::wheel_findings(&repaired.wheel, &options) {
            Ok((Verdict::Refuted, more, _)) => {
                let proof = |finding: &Finding| {
                    finding.severity == Severity::Error
                        && audit::proof::rules::refutes(finding.rule)
                        && !repair::rules::is_told(reported, finding)
                };
                findings.extend(more.into_iter().filter(proof));
            }
            Ok(_) => {}
            Err(error) => self.console.warning(&format!("the result could not be proven: {error}")),
        }
        findings
    }
}

/// A repaired wheel and the place where it lies until it is delivered.
struct Work {
    repaired: Repaired,
    _desk: Desk,
}

/// The error with the tool's own words, the log's place and what to try.
fn failure(error: &RepairError) -> Failure {
    let code = match error {
        RepairError::Step(exec::StepError::Cancelled { .. }) => exit::INTERRUPTED,
        RepairError::Step(exec::StepError::NotFound { .. })
        | RepairError::NoTool { .. }
        | RepairError::ProgramMissing { .. }
        | RepairError::TooOld { .. } => exit::ENVIRONMENT,
        RepairError::BadWheel { .. } => exit::USAGE,
        _ => exit::STEP,
    };
    let mut message = error.to_string();
    if let Some(step) = error.step_error() {
        if matches!(error, RepairError::Step(_)) {
            for line in step.excerpt() {
                message.push_str("\n  | ");
                message.push_str(&diagnostics::printable(line));
            }
        }
        if let Some(log) = step.log() {
            message.push_str("\n  log: ");
            message.push_str(log.as_str());
        }
    }
    Failure { code, message, help: error.hint() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_code_by_weight() {
        for (one, other, counts) in [(0, 1, 1), (1, 4, 4), (4, 3, 3), (3, 2, 2), (2, 130, 130), (0, 5, 5)] {
            assert_eq!(heavier(one, other), counts);
            assert_eq!(heavier(other, one), counts);
        }
    }
}

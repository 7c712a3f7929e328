//! `repair`: a wheel of any platform gets the libraries that it needs, by the tool of its platform.

mod desk;
mod epoch;

use crate::args::Global;
use crate::console::Console;
use crate::context;
use crate::exit::{self, Failure};
use crate::output;
use crate::registry::REGISTRY;
use audit::proof::{ProofOptions, Verdict};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use desk::Desk;
use diagnostics::{Examined, Finding, Judged, Severity, Style};
use exec::{Cancel, Explain, Runner, Silent};
use host::World;
use host::toolenv::ToolEnvironment;
use plan::Layout;
use platform::{Os, TargetKey, TargetPlatform, WheelName};
use repair::{Existing, ExpectedLlvm, How, RepairError, Repaired, Request};
use serde::Serialize;
use std::io::{Read as _, Write as _};

/// `repair`.
#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// Wheels of any platform, as the build made them
    #[arg(required = true, value_name = "WHEEL")]
    pub(crate) wheels: Vec<Utf8PathBuf>,
    /// Where the repaired wheels go; nothing else is ever put there
    #[arg(short = 'w', long, value_name = "DIR", env = "WHEELPROOF_OUT")]
    pub(crate) out: Utf8PathBuf,
    /// Who repairs: the tool of the wheel's platform (auditwheel, delocate, delvewheel)
    #[arg(long, value_enum, default_value_t = RepairerChoice::Tool, env = "WHEELPROOF_REPAIRER")]
    pub(crate) repairer: RepairerChoice,
    /// Look for libraries here first; LLVM's own folders are looked at without saying so
    #[arg(long, value_name = "DIR")]
    pub(crate) lib_dir: Vec<Utf8PathBuf>,
    /// Leave a library out that another wheel brings; `*` and `?` stand for anything
    #[arg(long, value_name = "LIB")]
    pub(crate) exclude: Vec<String>,
    /// The platform that the wheel has to meet, without the processor: manylinux_2_28, macosx_12_0; by default the most
    /// widely usable one that it does meet
    #[arg(long, value_name = "PLATFORM", default_value = "auto")]
    pub(crate) plat: String,
    /// Strip binaries (before they are patched, never after)
    #[arg(long)]
    pub(crate) strip: bool,
    /// Windows: DLLs that keep their names
    #[arg(long, value_name = "DLL")]
    pub(crate) no_mangle: Vec<String>,
    /// Windows: namespace packages, which get no `__init__.py`
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) namespace_package: Vec<String>,
    /// Windows: graft DLLs that the wheel carries already, instead of leaving them where they are
    #[arg(long)]
    pub(crate) graft_existing: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = RepairFormat::Text, env = "WHEELPROOF_FORMAT")]
    pub(crate) format: RepairFormat,
}

/// Who repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RepairerChoice {
    /// The platform's own tool
    Tool,
}

/// How the result of a repair is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RepairFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What became of one wheel, as JSON shows it.
#[derive(Debug, Serialize)]
struct Entry {
    /// The wheel that was given.
    given: Utf8PathBuf,
    /// `repaired`, `unchanged`, `refused` (findings at error level) or `failed`.
    status: &'static str,
    /// The wheel in the output folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    wheel: Option<Utf8PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    grafted: Vec<Graft>,
    assumed: Vec<Assumption>,
    why_not_wider: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Graft {
    name: String,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Assumption {
    library: String,
    needed_by: String,
}

#[derive(Debug, Serialize)]
struct Output<'a> {
    schema_version: u32,
    wheels: &'a [Entry],
    findings: Vec<&'a diagnostics::Finding>,
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
    let given = wheels(args, &here)?;
    let adjustments = plan::settings::rules(&root, &REGISTRY)?;
    ignored(&layout.state).map_err(Failure::usage)?;
    let silent = Runner::new(&Silent, cancel);
    let world = host::probe(&host::Probe::of_this_process(Some(layout.cache())), &silent);
    let job = Job {
        args,
        world: &world,
        layout: &layout,
        here: &here,
        console: &console,
        streams: context::talk(global).streams(),
    };
    let rules = repair::RULES.iter().chain(repair::rules::SHARED).copied();
    let (mut entries, mut judged, mut examined, mut code) =
        (Vec::new(), Judged::default(), Examined::of(rules), exit::FINE);
    for (path, name) in &given {
        cancel.check("repair")?;
        let desk = Desk::take(&layout.state, path.file_stem().unwrap_or_default())
            .map_err(|error| Failure::new(exit::ENVIRONMENT, error.to_string()))?;
        let entry = match job.repair(path, name, &desk, cancel) {
            Ok(repaired) => {
                let reported = adjustments.judge(repaired.findings.clone()).findings;
                let own = adjustments.judge(job.findings(&repaired, &reported));
                examined = examined.file(file_name(&repaired.wheel));
                let entry = job.deliver(path, &repaired, own.has_errors())?;
                if own.has_errors() {
                    code = heavier(code, exit::FINDINGS);
                }
                judged.extend(own);
                entry
            }
            Err(failure) => {
                console.error(
                    &format!("{}: {}", path.file_name().unwrap_or_default(), failure.message),
                    failure.help.as_deref(),
                );
                code = heavier(code, failure.code);
                Entry { error: Some(failure.message), ..Entry::of(path, "failed") }
            }
        };
        entries.push(entry);
        if code == exit::INTERRUPTED {
            break;
        }
    }
    let stale = adjustments.stale(&judged.accepted, &examined);
    judged.stale.extend(stale);
    render(args, &entries, &judged, &console)?;
    Ok(code)
}

fn heavier(one: u8, other: u8) -> u8 {
    BY_WEIGHT.into_iter().find(|code| *code == one || *code == other).unwrap_or(one)
}

fn file_name(path: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(path.file_name().unwrap_or_default())
}

/// Every wheel that was named: there, and named as a wheel is.
fn wheels(args: &RepairArgs, here: &Utf8Path) -> Result<Vec<(Utf8PathBuf, WheelName)>, Failure> {
    let mut found = Vec::new();
    for path in &args.wheels {
        let absolute = here.join(path);
        if !absolute.is_file() {
            return Err(Failure::usage(format!("`{path}` is no file that can be read")));
        }
        let name: WheelName = path.file_name().unwrap_or_default().parse().map_err(Failure::usage)?;
        found.push((absolute, name));
    }
    Ok(found)
}

/// target/wheelproof is nothing that git should see.
fn ignored(state: &Utf8Path) -> std::io::Result<()> {
    fs_err::create_dir_all(state)?;
    let file = state.join(".gitignore");
    if file.exists() { Ok(()) } else { fs_err::write(file, "*\n") }
}

struct Job<'a> {
    args: &'a RepairArgs,
    world: &'a World,
    layout: &'a Layout,
    here: &'a Utf8Path,
    console: &'a Console,
    streams: bool,
}

impl Job<'_> {
    fn repair(&self, path: &Utf8Path, name: &WheelName, desk: &Desk, cancel: &Cancel) -> Result<Repaired, Failure> {
        let target = self.target(name)?;
        let platform = TargetPlatform::parse(&self.args.plat, &target)
            .map_err(|error| Failure::usage(format!("--plat: {error}")))?;
        let runner =
            Runner::new(self.console, cancel).scope(path.file_name().unwrap_or_default()).streaming(self.streams);
        let tools = self.tools(target.os)?;
        let request = self.request(path, target, platform, tools, desk);
        let steps = repair::steps(&request, self.world);
        // A wheel that needs no tool gets none installed.
        let made = match repair::run(&request, &steps, path, &runner) {
            Err(RepairError::NoEnvironment { .. }) => {
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
                repair::run(&request, &steps, path, &runner)
            }
            other => other,
        };
        made.map_err(|error| failure(&error))
    }

    /// The system and processor of a wheel's tag; a pure wheel is like one of this machine.
    fn target(&self, name: &WheelName) -> Result<TargetKey, Failure> {
        let mut platforms = name.tags.platforms().filter(|tag| tag.os().is_some());
        let Some(tag) = platforms.next() else { return Ok(TargetKey::new(self.world.os, self.world.arch)) };
        let os = tag.os().unwrap_or(self.world.os);
        if platforms.any(|other| other.os() != Some(os)) {
            return Err(Failure::usage(format!(
                "`{name}` is tagged for several systems; no tool repairs such a wheel"
            )));
        }
        // The last of `universal2` is arm64: what holds for it is the stricter part.
        let arch = tag.arches().last().copied();
        let arch = arch.ok_or_else(|| Failure::usage(format!("`{tag}` names a processor that is not known here")))?;
        Ok(TargetKey::new(os, arch))
    }

    /// The environment of the system's tool, made with the newest Python that it runs on.
    fn tools(&self, os: Os) -> Result<ToolEnvironment, Failure> {
        let usable = |i: &&host::Interpreter| {
            (i.has_venv || !self.world.installer.needs_venv())
                && i.implementation == "cpython"
                && !i.python.free_threaded
                && !i.debug
                && i.python >= plan::OLDEST_FOR_REPAIR
        };
        let base = self.world.interpreters.iter().filter(usable).max_by_key(|i| i.python).ok_or_else(|| {
            let oldest = plan::OLDEST_FOR_REPAIR.dotted();
            Failure::new(
                exit::ENVIRONMENT,
                format!("{} needs a CPython {oldest} or newer with venv", repair::tool_name(os)),
            )
            .help("install one so that `python3` on PATH is it, on Debian and Ubuntu with the package python3-venv")
        })?;
        let windows = self.world.os == Os::Windows;
        Ok(ToolEnvironment::new(&self.layout.tools(), "repair", base, plan::for_repair(os), windows))
    }

    fn request(
        &self,
        path: &Utf8Path,
        target: TargetKey,
        platform: TargetPlatform,
        tools: ToolEnvironment,
        desk: &Desk,
    ) -> Request {
        const TIME_LIMIT: u64 = 3600;
        let mut library_dirs: Vec<Utf8PathBuf> = self.args.lib_dir.iter().map(|dir| self.here.join(dir)).collect();
        if target.os == self.world.os {
            library_dirs.extend(self.world.llvm.installations.iter().map(|llvm| llvm.library_dir.clone()));
        }
        Request {
            target,
            platform,
            tools,
            library_dirs,
            exclude: self.args.exclude.clone(),
            strip: self.args.strip,
            work_dir: desk.work.clone(),
            log_dir: self.layout.state.join("logs/repair").join(&desk.name),
            time_limit: TIME_LIMIT,
            source_date_epoch: epoch::source_date_epoch(path),
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

    /// Puts a wheel that passed into the output folder, by rename.
    fn deliver(&self, given: &Utf8Path, repaired: &Repaired, refused: bool) -> Result<Entry, Failure> {
        let status = match (refused, repaired.how) {
            (true, _) => "refused",
            (false, How::Repaired) => "repaired",
            (false, How::Pure | How::HeldAlready) => "unchanged",
        };
        let mut entry = Entry::of(given, status);
        entry.platform = Some(repaired.platform.clone());
        entry.grafted =
            repaired.grafted.iter().map(|graft| Graft { name: graft.name.clone(), bytes: graft.bytes }).collect();
        entry.assumed = repaired
            .assumed
            .iter()
            .map(|assumed| Assumption { library: assumed.library.clone(), needed_by: assumed.needed_by.clone() })
            .collect();
        entry.why_not_wider.clone_from(&repaired.why_not_wider);
        if refused {
            return Ok(entry);
        }
        let out = self.here.join(&self.args.out);
        let place = out.join(repaired.wheel.file_name().unwrap_or_default());
        let failed = |error: std::io::Error| Failure::new(exit::STEP, error.to_string());
        fs_err::create_dir_all(&out).map_err(failed)?;
        let same = realpath::real(&place).ok().is_some_and(|place| realpath::real(&repaired.wheel).ok() == Some(place));
        // What was made here is moved where that is possible; the given wheel stays where it is.
        let moved = !same && repaired.how == How::Repaired && fs_err::rename(&repaired.wheel, &place).is_ok();
        if !same && !moved {
            copy(&repaired.wheel, &place).map_err(failed)?;
        }
        entry.wheel = Some(place);
        Ok(entry)
    }
}

/// Beside its place first, then renamed there.
fn copy(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    const PIECE: usize = 1 << 20;
    let mut source = fs_err::File::open(from)?;
    wheel::atomic_write::<_, std::io::Error>(to, |file| {
        let mut piece = vec![0; PIECE];
        loop {
            let count = source.read(&mut piece)?;
            let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { return Ok(()) };
            file.write_all(read)?;
        }
    })
}

impl Entry {
    fn of(given: &Utf8Path, status: &'static str) -> Self {
        Self {
            given: given.to_owned(),
            status,
            wheel: None,
            platform: None,
            grafted: Vec::new(),
            assumed: Vec::new(),
            why_not_wider: Vec::new(),
            error: None,
        }
    }
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

fn render(args: &RepairArgs, entries: &[Entry], judged: &Judged, console: &Console) -> Result<(), Failure> {
    if args.format == RepairFormat::Json {
        let findings = judged.reported().collect();
        let output = Output { schema_version: 1, wheels: entries, findings };
        output::line(&serde_json::to_string_pretty(&output).map_err(Failure::usage)?);
        return Ok(());
    }
    if judged.reported().next().is_some() {
        let style = Style { colour: console.colour(), explain: Some("cargo xtask explain"), ..Style::default() };
        console.line(&diagnostics::render::text(judged, &style));
    }
    for entry in entries {
        output::line(&text(entry));
    }
    Ok(())
}

fn text(entry: &Entry) -> String {
    const MEGABYTE: f64 = 1e6;
    const REASONS: usize = 3;
    let name = entry.given.file_name().unwrap_or_default();
    let place = entry.wheel.as_ref().map(|wheel| format!(" → {wheel}")).unwrap_or_default();
    let grafted =
        entry.grafted.iter().map(|graft| format!("  grafted {} ({:.1} MB)", graft.name, graft.bytes as f64 / MEGABYTE));
    let assumed = entry.assumed.iter().map(|assumed| {
        format!("  assumed {}, needed by {}: another wheel has to bring it", assumed.library, assumed.needed_by)
    });
    let why = entry.why_not_wider.iter().take(REASONS).map(|why| format!("  not more widely usable: {why}"));
    let first = format!("{name}: {}{place}", entry.status);
    std::iter::once(first).chain(grafted).chain(assumed).chain(why).collect::<Vec<_>>().join("\n")
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

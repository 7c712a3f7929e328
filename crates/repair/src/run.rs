//! Carries a repair out: what is there, the tool, its messages turned into ours, post-conditions.

use crate::binary::Snapshot;
use crate::check::{self, Assumed, Facts, Grafted};
use crate::error::RepairError;
use crate::origin::{self, Origins};
use crate::repairer::{Repairer, Said, installed, out_dir, repairer, temp_dir};
use crate::request::Request;
use crate::search;
use crate::settle;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Severity};
use exec::{Runner, Step, StepError};
use platform::Os;

/// What a repair gave.
#[derive(Debug)]
pub struct Repaired {
    /// The wheel that carries what it needs; the given one where nothing had to be done.
    pub wheel: Utf8PathBuf,
    /// Whether the tool had to run.
    pub how: How,
    /// The libraries that were copied into it, biggest first.
    pub grafted: Vec<Grafted>,
    /// Where they lay on this machine, as far as it was found out.
    pub origins: Origins,
    /// Libraries that were left out on purpose and are still needed: another wheel has to bring them.
    pub assumed: Vec<Assumed>,
    /// Its platform tags, such as `manylinux_2_36_x86_64`.
    pub platform: String,
    /// Why it does not meet a more widely usable policy.
    pub why_not_wider: Vec<String>,
    /// What the post-conditions found.
    pub findings: Vec<Finding>,
}

/// How a wheel came to be as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The tool made it.
    Repaired,
    /// There is no binary in it.
    Pure,
    /// It needs nothing that it has not, and its tags are true: it was repaired before, or there was nothing to graft.
    HeldAlready,
}

/// Repairs one wheel. `steps` are the ones that [`crate::steps()`] gave for the same request.
///
/// # Errors
/// [`RepairError`]; the given wheel is as it was in any case.
pub fn run(request: &Request, steps: &[Step], given: &Utf8Path, runner: &Runner<'_>) -> Result<Repaired, RepairError> {
    let tool = repairer(request.target.os);
    let name = given.file_name().unwrap_or_default();
    let (mut before, inflated) = Snapshot::given(given)?;
    readable(&before)?;
    let facts = check::facts_of_given(request, name, &mut before, &inflated)?;
    if facts.hold() || before.binaries.is_empty() || is_beyond_repair(&facts) {
        // Nothing that a tool could do: the wheel passes through, with its tag checked.
        let how = if before.binaries.is_empty() { How::Pure } else { How::HeldAlready };
        return Ok(outcome(given.to_owned(), how, facts));
    }
    refuse(request, tool, &before, &facts)?;
    check_tools(request, tool)?;
    prepare(request)?;
    let input = settle::input(request, given, &mut before, &inflated)?;
    drop(inflated);
    let path = std::env::var("PATH").unwrap_or_default();
    for step in steps {
        let step = tool.suited(request, &before, step.clone()).resolve(&[("wheel", input.as_str()), ("PATH", &path)]);
        if let Err(error) = runner.run(&step) {
            return Err(understood(request, tool, error, &before, runner));
        }
    }
    let made = the_one(request, tool)?;
    let left = |error: RepairError| match error {
        RepairError::BadWheel { wheel, reason } => RepairError::BadResult { tool: tool.name(), wheel, reason },
        error => error,
    };
    let after = settle::finish(request, tool, &before, &made, runner).map_err(left)?;
    let finished = after.wheel.archive.path().to_owned();
    let name = finished.file_name().unwrap_or_default();
    let facts = check::facts(request, name, &before, &after)?;
    if !facts.hold() && is_same(&before, &after) {
        // It reported success and wrote what it was given.
        return Err(RepairError::Unrepaired { tool: tool.name(), why: errors(&facts) });
    }
    let origins = origin::find(request, &before, &after, &facts.grafted);
    // Uncompressed copies, and what the tool made of them: the result is elsewhere, and they may be the biggest files here.
    for dir in [request.work_dir.join("input"), out_dir(request), temp_dir(request)] {
        let _ = fs_err::remove_dir_all(dir);
    }
    Ok(Repaired { origins, ..outcome(finished, How::Repaired, facts) })
}

fn outcome(wheel: Utf8PathBuf, how: How, facts: Facts) -> Repaired {
    let platform = wheel
        .file_name()
        .and_then(|name| name.parse::<platform::WheelName>().ok())
        .map(|name| name.tags.platforms().map(ToString::to_string).collect::<Vec<_>>().join("."))
        .unwrap_or_default();
    Repaired {
        wheel,
        how,
        grafted: facts.grafted,
        origins: Origins::default(),
        assumed: facts.assumed,
        platform,
        why_not_wider: facts.why_not_wider,
        findings: facts.findings,
    }
}

fn errors(facts: &Facts) -> Vec<String> {
    let errors = facts.findings.iter().filter(|finding| finding.severity >= Severity::Error);
    errors.map(|finding| finding.message.clone()).collect()
}

/// The tool wrote what it was given: the same files with the same bytes.
fn is_same(before: &Snapshot, after: &Snapshot) -> bool {
    let files = |snapshot| -> Vec<_> {
        let kept = |name: &str| !name.ends_with(".dist-info/RECORD") && !name.ends_with(".dist-info/WHEEL");
        Snapshot::files(snapshot).into_iter().filter(|(place, _)| kept(place)).collect()
    };
    let (was, is) = (files(before), files(after));
    before.wheel.archive.path().file_name() == after.wheel.archive.path().file_name()
        && was.len() == is.len()
        && was.iter().zip(&is).all(|(old, new)| old.0 == new.0 && before.has_same(old.1, after, new.1))
}

/// A binary that cannot be read is not looked at by anything that follows.
fn readable(before: &Snapshot) -> Result<(), RepairError> {
    let opened = before.unreadable.iter().filter(|file| file.is_opened);
    let what: Vec<String> = opened.map(|file| format!("`{}`: {}", file.member, file.reason)).collect();
    if what.is_empty() { Ok(()) } else { Err(RepairError::Unreadable { what }) }
}

/// Whether nothing is wrong but what the build broke: a tool would leave it as it is.
fn is_beyond_repair(facts: &Facts) -> bool {
    let broken = [&crate::rules::IMAGE_DAMAGED, &crate::rules::VERSION_NEED_STRANDED];
    let mut errors = facts.findings.iter().filter(|finding| finding.severity >= Severity::Error);
    errors.all(|finding| broken.contains(&finding.rule))
}

/// What no tool can mend, said before one is started.
fn refuse(request: &Request, tool: &dyn Repairer, before: &Snapshot, facts: &Facts) -> Result<(), RepairError> {
    if let Some(by) = tool.repaired_before(&before.wheel) {
        return Err(RepairError::RepairedBefore { by, why: errors(facts) });
    }
    let wrong: Vec<String> = facts
        .findings
        .iter()
        .filter(|finding| finding.rule == &crate::rules::WRONG_ARCHITECTURE)
        .map(|finding| finding.message.clone())
        .collect();
    if !wrong.is_empty() {
        return Err(RepairError::WrongArchitecture { what: wrong });
    }
    search::fits_libc(request, &before.binaries)?;
    if !before.binaries.iter().any(|binary| search::is_for(request, binary)) {
        let found =
            before.binaries.first().map(|binary| format!("`{}` is for {}", binary.member, binary.architecture.name()));
        return Err(RepairError::WrongArchitecture { what: found.into_iter().collect() });
    }
    Ok(())
}

/// Whether the tool runs here: the system, its version, its programs. The installed versions are read from the
/// environment's own metadata; no process is started for that.
fn check_tools(request: &Request, tool: &dyn Repairer) -> Result<(), RepairError> {
    let windows = std::env::consts::OS == "windows";
    runs_on(std::env::consts::OS, &request.target, tool)?;
    let mut folders: Vec<String> = request.options.program_dirs.iter().map(ToString::to_string).collect();
    folders.push(request.tools.programs.to_string());
    folders.push(std::env::var("PATH").unwrap_or_default());
    let path = folders.join(if windows { ";" } else { ":" });
    let naming = exec::Naming::host();
    let has_environment = request.tools.python.is_file();
    let here = request.tools.dir.clone();
    let missing: Vec<&'static str> = tool
        .programs(request)
        .into_iter()
        // What its environment brings is there when that is.
        .filter(|program| has_environment || !tool.minimums().iter().any(|own| own.distribution == *program))
        .filter(|program| exec::find_program(program, &path, &here, &naming).is_err())
        .collect();
    if !missing.is_empty() {
        return Err(RepairError::ProgramMissing { tool: tool.name(), programs: missing });
    }
    if !has_environment {
        return Err(RepairError::NoEnvironment { tool: tool.name(), dir: request.tools.dir.clone() });
    }
    for minimum in tool.minimums() {
        let Some(found) = installed(&request.tools.dir, minimum.distribution) else { continue };
        let mut numbers = found.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < minimum.version {
            return Err(RepairError::TooOld {
                tool: minimum.distribution,
                found,
                minimum: format!("{}.{}", minimum.version.0, minimum.version.1),
                reason: minimum.reason,
            });
        }
    }
    Ok(())
}

fn runs_on(host: &str, target: &platform::TargetKey, tool: &dyn Repairer) -> Result<(), RepairError> {
    match tool.runs_on() {
        Some(os) if os.name() != host => Err(RepairError::NoTool { tool: tool.name(), target: target.to_string() }),
        _ => Ok(()),
    }
}

fn prepare(request: &Request) -> Result<(), RepairError> {
    if request.work_dir.exists() {
        fs_err::remove_dir_all(&request.work_dir)?;
    }
    fs_err::create_dir_all(out_dir(request))?;
    fs_err::create_dir_all(temp_dir(request))?;
    Ok(())
}

/// The wheel in the tool's folder; anything but one is a lie about its success.
fn the_one(request: &Request, tool: &dyn Repairer) -> Result<Utf8PathBuf, RepairError> {
    let mut made = Vec::new();
    for entry in out_dir(request).read_dir_utf8()? {
        let path = entry?.into_path();
        if path.extension() == Some("whl") {
            made.push(path);
        }
    }
    made.sort();
    match made.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(RepairError::Nothing { tool: tool.name() }),
        many => Err(RepairError::Several {
            tool: tool.name(),
            found: many.iter().filter_map(|path| path.file_name()).map(str::to_owned).collect(),
        }),
    }
}

/// The tool's message as an error of ours: which library, which symbols, whose fault.
fn understood(
    request: &Request,
    tool: &dyn Repairer,
    error: StepError,
    before: &Snapshot,
    runner: &Runner<'_>,
) -> RepairError {
    if !matches!(error, StepError::Failed { .. }) {
        return error.into();
    }
    let log = error.log().and_then(|log| fs_err::read(log).ok()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let Some(said) = tool.understand(&log) else { return error.into() };
    let step = Box::new(error);
    match said {
        Said::LibraryNotFound { library } => not_found(request, library, before, runner, step),
        Said::PolicyRefused => {
            let policy = request.asked().unwrap_or_else(|| "any manylinux policy".to_owned());
            let responsible = responsible(request, &policy, before, &log);
            RepairError::PolicyNotMet { policy, responsible, step: Some(step) }
        }
        Said::TooNew(libraries) => {
            let policy = request.asked().unwrap_or_else(|| "MACOSX_DEPLOYMENT_TARGET".to_owned());
            let responsible = libraries
                .into_iter()
                .map(|(file, version)| format!("`{file}` is built for macOS {version} and newer"))
                .collect();
            RepairError::PolicyNotMet { policy, responsible, step: Some(step) }
        }
        Said::WrongArchitecture(what) => {
            let mut notes: Vec<String> =
                search::closure(request, &before.binaries).missing.into_iter().flat_map(|one| one.notes).collect();
            notes.push(what);
            RepairError::WrongArchitecture { what: notes }
        }
        Said::NoHeaderRoom(file) => RepairError::NoHeaderRoom { file, step },
        Said::Overlay(file) => RepairError::Overlay { file, step },
        Said::Purelib => RepairError::Purelib { step },
    }
}

fn not_found(
    request: &Request,
    said: Option<String>,
    before: &Snapshot,
    runner: &Runner<'_>,
    step: Box<StepError>,
) -> RepairError {
    let missing = search::closure(request, &before.binaries).missing;
    let named = missing.iter().find(|one| said.as_deref().is_some_and(|said| said.eq_ignore_ascii_case(&one.library)));
    let first = named.or(missing.first());
    let library = said.or_else(|| first.map(|one| one.library.clone())).unwrap_or_else(|| "a library".to_owned());
    let mut notes = first.map(|one| one.notes.clone()).unwrap_or_default();
    if request.target.os == Os::Linux {
        notes.extend(search::package_of(&library, runner));
    }
    let others =
        missing.iter().filter(|one| Some(*one) != first).map(|one| format!("`{}` is missing too", one.library));
    notes.extend(others);
    RepairError::LibraryNotFound {
        needed_by: first.map(|one| one.needed_by.clone()).unwrap_or_default(),
        library,
        notes,
        searched: request.library_dirs.clone(),
        step,
    }
}

/// The symbols and libraries that keep a wheel from its policy: the extension's own needs, and those of the libraries
/// that would be grafted, read from where they lie.
fn responsible(request: &Request, tag: &str, before: &Snapshot, log: &str) -> Vec<String> {
    let Some(policy) = check::policy_of(tag, &request.target) else {
        return vec![log.lines().last().unwrap_or_default().to_owned()];
    };
    let mut all = before.binaries.clone();
    all.extend(search::closure(request, &before.binaries).found);
    let needs = check::needs(&all, |library| request.excludes(library));
    platform::policy::why_not(policy, request.target.arch, &needs).iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use exec::{Blame, Explain};

    #[test]
    fn where_a_tool_runs() {
        for (host, target, runs) in [
            ("linux", Os::Linux, true),
            ("macos", Os::Linux, false),
            ("windows", Os::Linux, false),
            ("linux", Os::MacOs, true),
            ("linux", Os::Windows, true),
            ("macos", Os::Windows, true),
        ] {
            let key = platform::TargetKey::new(target, platform::Arch::X86_64);
            match runs_on(host, &key, repairer(target)) {
                Ok(()) => assert!(runs, "{target} on {host}"),
                Err(error) => {
                    assert!(!runs, "{target} on {host}");
                    let said = "wheels for linux-x86_64 cannot be repaired here: auditwheel runs on that system only";
                    assert_eq!((error.to_string().as_str(), error.blame()), (said, Blame::Environment));
                }
            }
        }
    }
}

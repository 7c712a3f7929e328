//! Carries a build out: copy, before-build, sdist, wheel, post-conditions.

use crate::check;
use crate::error::BuildError;
use crate::request::{Request, Sources};
use crate::steps::Folders;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::Finding;
use exec::{Runner, Step, StepError};
use host::World;

/// What a build gave.
#[derive(Debug)]
pub struct Built {
    /// The wheel, as the backend made it.
    pub wheel: Utf8PathBuf,
    /// The sdist that it was built from, when it was.
    pub sdist: Option<Utf8PathBuf>,
    /// What the post-conditions found.
    pub findings: Vec<Finding>,
}

/// Builds one wheel. `steps` are the ones that [`crate::steps()`] gave for the same request.
///
/// # Errors
/// [`BuildError`]; the project's own folder is as it was in any case.
pub fn run(request: &Request, steps: &[Step], world: &World, runner: &Runner<'_>) -> Result<Built, BuildError> {
    let folders = Folders::of(request);
    // A build starts from nothing: what a former one left could make this one pass.
    if request.work_dir.exists() {
        fs_err::remove_dir_all(&request.work_dir)?;
    }
    fs_err::create_dir_all(&request.work_dir)?;
    let copied = host::sources::copy(&request.project_dir, &folders.copy, runner)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut source = copied.project;
    let mut sdist = None;
    for step in steps {
        let sdist_path = sdist.as_ref().map_or("", |sdist: &Utf8PathBuf| sdist.as_str());
        let step = step.resolve(&[("source", source.as_str()), ("sdist", sdist_path), ("PATH", &path)]);
        runner.run(&step).map_err(|error| said_no(request, &step.name, error))?;
        match step.name.as_str() {
            "sdist" => sdist = Some(the_one(&folders.sdist, ".tar.gz", "sdist", request)?),
            "unpack" => source = unpacked(&folders.unpacked, sdist.as_deref())?,
            _ => {}
        }
    }
    debug_assert_eq!(sdist.is_some(), request.sources == Sources::Sdist);
    let wheel = the_one(&folders.wheel, ".whl", "wheel", request)?;
    let findings = check::wheel(request, world, &wheel)?;
    Ok(Built { wheel, sdist, findings })
}

/// A failure of the backend is called by the backend's name, not by the interpreter's that ran it.
fn said_no(request: &Request, step: &str, error: StepError) -> BuildError {
    let what = match step {
        "sdist" => "sdist",
        "build" => "wheel",
        _ => return error.into(),
    };
    match error {
        StepError::Failed { .. } | StepError::TimedOut { .. } => {
            BuildError::Backend { what, backend: request.backend.clone(), step: Box::new(error) }
        }
        other => other.into(),
    }
}

fn the_one(dir: &Utf8Path, ending: &str, what: &'static str, request: &Request) -> Result<Utf8PathBuf, BuildError> {
    let mut found = Vec::new();
    if dir.is_dir() {
        for entry in dir.read_dir_utf8()? {
            let path = entry?.into_path();
            if path.as_str().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let backend = request.backend.clone();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(BuildError::Nothing { what, backend, place: dir.to_owned() }),
        _ => {
            found.sort();
            let found = found.iter().filter_map(|path| path.file_name()).map(|name| format!("`{name}`")).collect();
            Err(BuildError::Several { what, backend, found })
        }
    }
}

/// The one folder that an sdist holds.
fn unpacked(dir: &Utf8Path, sdist: Option<&Utf8Path>) -> Result<Utf8PathBuf, BuildError> {
    let mut folders = Vec::new();
    for entry in dir.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.join("pyproject.toml").is_file() {
            folders.push(path);
        }
    }
    match folders.len() {
        1 => Ok(folders.remove(0)),
        _ => Err(BuildError::BadSdist { sdist: sdist.and_then(Utf8Path::file_name).unwrap_or_default().to_owned() }),
    }
}

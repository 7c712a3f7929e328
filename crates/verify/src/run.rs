//! Carries a verification out: environment, install, import, neighbours, tests, and what was loaded.

use crate::error::VerifyError;
use crate::origin::{self, Contents, Files};
use crate::request::Request;
use crate::rules;
use crate::steps::Folders;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Subject};
use exec::{Runner, Shell, Step, StepError};
use host::loaded::{self, Loaded, Role};
use wheel::{Place, Scheme, Wheel};

/// What a verification showed.
#[derive(Debug)]
pub struct Verified {
    /// The modules that were imported.
    pub imported: Vec<String>,
    /// The test commands that passed.
    pub tested: Vec<String>,
    /// What is wrong although everything ran.
    pub findings: Vec<Finding>,
}

/// Installs, imports and tests one wheel. `steps` are the ones that [`crate::steps()`] gave for the same request.
///
/// # Errors
/// [`VerifyError`].
pub fn run(request: &Request, steps: &[Step], wheel: &Utf8Path, runner: &Runner<'_>) -> Result<Verified, VerifyError> {
    let folders = Folders::of(request);
    if request.work_dir.exists() {
        fs_err::remove_dir_all(&request.work_dir)?;
    }
    for dir in [&folders.empty, &folders.tested] {
        fs_err::create_dir_all(dir)?;
    }
    fs_err::write(&folders.script, loaded::SCRIPT)?;
    fs_err::write(&folders.bundled_pip, host::toolenv::BUNDLED_PIP)?;
    let contents = contents(request, wheel)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut project = folders.project.clone();
    if !request.tests.is_empty() {
        project = host::sources::copy(&request.project_dir, &folders.project, runner)?.project;
    }
    let mut files = Files::default();
    let mut verified = Verified { imported: Vec::new(), tested: Vec::new(), findings: Vec::new() };
    for step in steps {
        let step = step.resolve(&[("wheel", wheel.as_str()), ("project", project.as_str()), ("PATH", &path)]);
        let result = runner.run(&step);
        match step.name.as_str() {
            "import" => {
                let loaded = imported(&folders.imported, result)?;
                verified.findings.extend(origin::judge(&loaded, request, &contents, &mut files));
                verified.findings.extend(origin::llvm_from_wheel(&loaded, request, &contents));
                verified.imported.clone_from(&request.imports);
            }
            "coexist-first" | "coexist-last" => {
                let file = &folders.neighbours[usize::from(step.name == "coexist-last")];
                let loaded = imported(file, result)?;
                verified.findings.extend(origin::judge(&loaded, request, &contents, &mut files));
            }
            name if name.starts_with("test") => {
                let command = shown(&step, &folders, &project);
                result.map_err(|error| test_failure(&command, error, &verified))?;
                verified.tested.push(command);
            }
            _ => {
                result?;
            }
        }
    }
    if !verified.tested.is_empty() {
        at_the_end(request, &folders, &contents, &mut files, &mut verified)?;
    }
    dedup(&mut verified.findings);
    Ok(verified)
}

fn test_failure(command: &str, step: StepError, so_far: &Verified) -> VerifyError {
    match step {
        StepError::Failed { .. } | StepError::TimedOut { .. } => VerifyError::Tests {
            command: command.to_owned(),
            step: Box::new(step),
            imported: so_far.imported.clone(),
            tested: so_far.tested.clone(),
        },
        other => VerifyError::Step(other),
    }
}

/// A test command as the user may have written it, without the folders of this run.
fn shown(step: &Step, folders: &Folders, project: &Utf8Path) -> String {
    let word = |word: &String| {
        if *word == folders.python {
            return "python".to_owned();
        }
        let word = word.replace(project.as_str(), "{project}");
        // Braces alone need no quotes in ci/wheels.yaml, and `{project}` reads better without.
        let plain = !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\'));
        if plain { word } else { exec::quote(&word, Shell::Posix).into_owned() }
    };
    step.argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// What the importing process wrote; its failure becomes ours, with the exception.
fn imported(file: &Utf8Path, result: Result<exec::Finished, StepError>) -> Result<Loaded, VerifyError> {
    let text = fs_err::read_to_string(file);
    let Err(step) = result else { return Ok(loaded::parse(&text?)?) };
    if !matches!(step, StepError::Failed { .. }) {
        return Err(step.into());
    }
    let Some(loaded) = text.ok().and_then(|text| loaded::parse(&text).ok()) else { return Err(step.into()) };
    let neighbours: Vec<&str> = loaded
        .phases
        .iter()
        .filter(|phase| phase.role != Some(Role::Subject))
        .filter_map(|phase| phase.module.as_deref())
        .collect();
    let with = (!neighbours.is_empty()).then(|| format!("in one process with {}", neighbours.join(", ")));
    if let Some((module, failure)) = loaded.failures().next() {
        return Err(VerifyError::Import {
            module: module.to_owned(),
            kind: failure.kind.clone(),
            message: failure.message.clone(),
            with,
            step: Box::new(step),
        });
    }
    match loaded.current {
        Some(module) => Err(VerifyError::Died { module, step: Box::new(step) }),
        None => Err(step.into()),
    }
}

/// What every process of the tests had loaded when it ended.
fn at_the_end(
    request: &Request,
    folders: &Folders,
    contents: &Contents,
    files: &mut Files,
    verified: &mut Verified,
) -> Result<(), VerifyError> {
    let mut seen = 0;
    for entry in folders.tested.read_dir_utf8()? {
        let path: Utf8PathBuf = entry?.into_path();
        // A process that was killed may have left half a file; the others still speak.
        let Ok(loaded) = loaded::parse(&fs_err::read_to_string(&path)?) else { continue };
        verified.findings.extend(origin::judge(&loaded, request, contents, files));
        seen += 1;
    }
    if seen == 0 {
        let message = "no process of the tests listed its libraries when it ended".to_owned();
        verified.findings.push(Finding::new(&rules::LIBRARIES_NOT_SEEN, Subject::file(&contents.name), message));
    }
    Ok(())
}

/// The same library in ten processes is one finding.
fn dedup(findings: &mut Vec<Finding>) {
    let mut seen = std::collections::BTreeSet::new();
    findings.retain(|finding| seen.insert((finding.rule.code, finding.message.clone())));
}

fn contents(request: &Request, path: &Utf8Path) -> Result<Contents, VerifyError> {
    let name = path.file_name().unwrap_or_default().to_owned();
    let bad = |reason: String| VerifyError::BadWheel { wheel: name.clone(), reason };
    let wheel = Wheel::open(path).map_err(|error| bad(error.to_string()))?;
    let dist_info = wheel.dist_info.as_ref().map_err(|error| bad(error.to_string()))?;
    let mut contents = Contents { name: name.clone(), ..Contents::default() };
    for member in wheel.archive.members().iter().filter(|member| !member.is_dir) {
        if let Place::Site(path) | Place::Scheme(Scheme::Purelib | Scheme::Platlib, path) =
            dist_info.place(&member.name)
        {
            contents.files.insert(path.to_owned());
        }
    }
    let needs = wheel.archive.par_process(
        |member| !member.is_dir,
        |member, bytes| {
            objfile::sniff(bytes)?;
            let file = objfile::parse(bytes).ok()?;
            let needed = file.objects().flat_map(|object| object.needed.iter().map(|needed| needed.name.to_owned()));
            Some((member.name.clone(), needed.collect::<Vec<_>>()))
        },
    );
    for (member, libraries) in needs.into_iter().filter_map(|processed| processed.result.ok().flatten()) {
        for library in libraries {
            let base = library.rsplit(['/', '\\']).next().unwrap_or(&library);
            contents.needs(&member, base);
        }
    }
    if let Ok(parsed) = name.parse::<platform::WheelName>() {
        let arch = format!("_{}", platform_arch(request));
        contents.policies = parsed
            .tags
            .platforms()
            .filter_map(|tag| tag.to_string().strip_suffix(&arch).and_then(platform::policy::Policy::by_name))
            .collect();
    }
    Ok(contents)
}

/// The architecture as platform tags spell it: the end of the interpreter's own platform, `linux-x86_64`.
fn platform_arch(request: &Request) -> &str {
    request.interpreter.platform.rsplit('-').next().unwrap_or_default()
}

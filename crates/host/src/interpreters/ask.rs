//! Asking Pythons what they are, several at once, each once.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use camino::Utf8PathBuf;
use exec::{Query, Runner};
use platform::PythonVersion;
use serde::{Deserialize, Serialize};

use super::{Candidate, Interpreter, Rejected};
use crate::{
    Libc,
    cached::{Answers, Stamp, Witness},
};

/// Works from Python 2.7 on.
const SCRIPT: &str = include_str!("../query.py");

/// What stands before the answer in the output, which a `sitecustomize` may have written to as well.
const MARK: &str = "wheelproof-answer:";

/// A Python starts in 20 ms; one on a slow network drive may take seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the script answers. Its own type, because it holds what a Python says, and [`Interpreter`] what we conclude.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answer {
    version: String,
    implementation: String,
    abi_flags: String,
    free_threaded: bool,
    debug: bool,
    soabi: Option<String>,
    ext_suffix: Option<String>,
    platform: String,
    bits: u8,
    prefix: Utf8PathBuf,
    base_prefix: Utf8PathBuf,
    include: Vec<Utf8PathBuf>,
    library_dirs: Vec<Utf8PathBuf>,
    #[serde(default)]
    import_library: Option<Utf8PathBuf>,
    stdlib: Option<Utf8PathBuf>,
    shared_libpython: bool,
    macos_deployment_target: Option<String>,
    venv_error: Option<String>,
    libc: Option<Libc>,
}

/// Asks every candidate that is not known yet. What cannot be used comes back with the reason.
pub(crate) fn ask_all(
    candidates: &[Candidate],
    cache: Option<Utf8PathBuf>,
    runner: &Runner<'_>,
) -> (Vec<Interpreter>, Vec<Rejected>) {
    let mut known = Answers::<Answer>::open(cache, SCRIPT);
    let new: Vec<&Candidate> = candidates.iter().filter(|c| known.get(c.real_path.as_str()).is_none()).collect();
    let mut failures = Vec::new();
    for (candidate, answer) in in_parallel(&new, |candidate| ask(candidate, runner)) {
        match answer {
            Ok(answer) => {
                let witnesses = witnesses(candidate, &answer);
                known.put(candidate.real_path.as_str(), witnesses, answer);
            }
            Err(reason) => failures.push((candidate.real_path.clone(), reason)),
        }
    }
    let mut usable = Vec::new();
    let mut rejected = Vec::new();
    for candidate in candidates {
        let result = match known.get(candidate.real_path.as_str()) {
            Some(answer) => conclude(candidate, answer),
            None => Err(failures
                .iter()
                .find(|(path, _)| *path == candidate.real_path)
                .map_or_else(|| "it changed while it was asked".to_owned(), |(_, reason)| reason.clone())),
        };
        match result {
            Ok(interpreter) => usable.push(interpreter),
            Err(reason) => rejected.push(Rejected { path: candidate.path.clone(), origin: candidate.origin, reason }),
        }
    }
    known.save();
    (usable, rejected)
}

/// The results in the order of the inputs.
pub(super) fn in_parallel<'a, T: Sync, R: Send>(inputs: &[&'a T], work: impl Fn(&T) -> R + Sync) -> Vec<(&'a T, R)> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    // A Python that starts mostly waits for files, so more of them than processors.
    let threads = inputs.len().min(8);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, input)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    inputs.get(index).map(|input| (index, *input))
                } {
                    let result = work(input);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, input, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _, _)| *index);
    results.into_iter().map(|(_, input, result)| (input, result)).collect()
}

fn ask(candidate: &Candidate, runner: &Runner<'_>) -> Result<Answer, String> {
    // -E and -s are all that Python 2.7 has of -I.
    let query = Query::new([candidate.path.as_str(), "-E", "-s", "-c", SCRIPT])
        .named(format!("ask {}", candidate.path))
        .without_env("__PYVENV_LAUNCHER__")
        .timeout(PATIENCE)
        .limit(1 << 20);
    let captured = runner.capture(&query).map_err(|error| error.to_string())?;
    if !captured.status.success() {
        let complaint = captured.stderr_text();
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no output").trim();
        return Err(format!("it does not work: {last}"));
    }
    let text = captured.stdout_text();
    let line = text.lines().rev().find_map(|line| line.strip_prefix(MARK));
    let line = line.ok_or_else(|| "it does not answer as a Python does".to_owned())?;
    serde_json::from_str(line).map_err(|error| format!("its answer cannot be read: {error}"))
}

/// The files by whose coming and going the answer becomes another: besides the program, what a system's packages for
/// headers and virtual environments bring.
fn witnesses(candidate: &Candidate, answer: &Answer) -> Vec<Witness> {
    let mut files = vec![candidate.real_path.clone()];
    files.extend(answer.include.iter().map(|folder| folder.join("Python.h")));
    files.extend(answer.import_library.clone());
    if let Some(stdlib) = &answer.stdlib {
        files.extend(["ensurepip/__init__.py", "venv/__init__.py"].map(|file| stdlib.join(file)));
    }
    files.sort();
    files.dedup();
    files.into_iter().map(Witness::of).collect()
}

fn conclude(candidate: &Candidate, answer: &Answer) -> Result<Interpreter, String> {
    if answer.prefix != answer.base_prefix {
        return Err(format!("it belongs to a virtual environment of `{}`", answer.base_prefix));
    }
    if answer.implementation != "cpython" {
        return Err(format!("it is {} {}, not CPython", answer.implementation, answer.version));
    }
    if ["mingw", "msys", "cygwin"].iter().any(|other| answer.platform.starts_with(other)) {
        return Err(format!("it is a Python for {}, whose wheels no Python of Windows takes", answer.platform));
    }
    let python = match super::numbers(&answer.version).as_slice() {
        [3, minor, ..] if *minor <= 255 => {
            PythonVersion { major: 3, minor: *minor as u8, free_threaded: answer.free_threaded }
        }
        _ => return Err(format!("Python {} is not a Python 3", answer.version)),
    };
    let ext_suffix = answer.ext_suffix.clone().ok_or_else(|| "it does not say how extensions are named".to_owned())?;
    let headers = answer.include.iter().find(|folder| folder.join("Python.h").is_file());
    let linkable = answer.import_library.as_ref().is_none_or(|library| library.is_file());
    let stamp = Stamp::of(&candidate.real_path);
    Ok(Interpreter {
        path: candidate.path.clone(),
        real_path: candidate.real_path.clone(),
        origin: candidate.origin,
        duplicates: Vec::new(),
        fingerprint: format!("{} {} {}", candidate.real_path, answer.version, stamp.map_or(String::new(), Stamp::text)),
        version: answer.version.clone(),
        python,
        implementation: answer.implementation.clone(),
        debug: answer.debug,
        abi_flags: answer.abi_flags.clone(),
        soabi: answer.soabi.clone(),
        ext_suffix,
        platform: answer.platform.clone(),
        bits: answer.bits,
        prefix: answer.base_prefix.clone(),
        include_dir: headers.or_else(|| answer.include.first()).cloned(),
        has_headers: headers.is_some() && linkable,
        library_dirs: answer.library_dirs.clone(),
        stdlib: answer.stdlib.clone(),
        has_venv: answer.venv_error.is_none(),
        venv_error: answer.venv_error.clone(),
        shared_libpython: answer.shared_libpython,
        libc: answer.libc.clone(),
        macos_deployment_target: answer.macos_deployment_target.clone(),
    })
}

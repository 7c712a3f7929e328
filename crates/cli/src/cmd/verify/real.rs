//! The import of a wheel for `verify`: in a fresh environment with the wheel's requirements, every extension module in a process
//! of its own.

use crate::args::Global;
use crate::console::Console;
use crate::context;
use crate::exit::Failure;
use crate::registry::REGISTRY;
use audit::proof::Proof;
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Query, Runner, Silent};
use host::{Interpreter, World};
use platform::{HostPlatform, HostSystem, Os, WheelName, compatible_tags};
use serde::Serialize;
use std::fmt;
use std::time::Duration;
use verify::{Request, VerifyError};

/// What came of importing.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Imported {
    /// Whether anything was run.
    pub(crate) ran: bool,
    /// Whether all that the loader has to do with went well.
    pub(crate) ok: bool,
    /// With which Python.
    pub(crate) python: Option<String>,
    /// Why it was not run, or did not go well.
    pub(crate) reason: Option<String>,
    /// What was imported together, in one process: the packages, or what ci/wheels.yaml names.
    pub(crate) imports: Vec<String>,
    /// Each extension module.
    pub(crate) modules: Vec<ModuleImport>,
}

/// One extension module in a process of its own.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ModuleImport {
    /// As it is imported.
    pub(crate) name: String,
    /// Whether that went well.
    pub(crate) ok: bool,
    /// The exception, if not.
    pub(crate) error: Option<String>,
    /// Whether the loader is to blame, rather than the module's own code or something that it requires.
    pub(crate) loader: bool,
}

impl Imported {
    pub(crate) fn not_run(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.as_deref().unwrap_or("for no known reason");
        if !self.ran {
            return write!(f, "not run: {}", diagnostics::printable(reason));
        }
        let python = self.python.as_deref().unwrap_or("?");
        if !self.ok {
            return write!(f, "FAILED with {python}: {}", diagnostics::printable(reason));
        }
        let good = self.modules.iter().filter(|module| module.ok).count();
        write!(f, "works with {python}: {}", diagnostics::printable(&listed(&self.imports)))?;
        if !self.modules.is_empty() {
            write!(f, ", and {good} of {} extension modules each in a process of its own", self.modules.len())?;
        }
        match self.modules.iter().find(|module| !module.ok) {
            Some(module) => {
                let error = module.error.as_deref().unwrap_or_default();
                write!(f, "; `{}` raises {}", module.name, diagnostics::shortened(error, 160))
            }
            None => Ok(()),
        }
    }
}

/// The import statement, of the first few names.
fn listed(names: &[String]) -> String {
    const FEW: usize = 4;
    let more = names.len().saturating_sub(FEW);
    let shown = names.get(..FEW.min(names.len())).unwrap_or_default().join(", ");
    if more == 0 { format!("`import {shown}`") } else { format!("`import {shown}` and {more} more") }
}

/// What ci/wheels.yaml says that the wheel's project has to import; nothing if it has no such project.
fn configured(global: &Global, name: &WheelName) -> Vec<String> {
    // A configuration that cannot be read is for the commands that follow it to say; what was imported is printed.
    let settings = context::root(global).ok().and_then(|root| {
        let file = root.join(plan::settings::CONFIG_FILE);
        file.is_file().then(|| plan::Settings::load(&root, &plan::Given::default(), &REGISTRY).ok()).flatten()
    });
    let projects = settings.map(|settings| settings.projects).unwrap_or_default();
    let own = projects.into_iter().find(|project| project.key == name.distribution.to_string());
    own.map(|project| project.imports).unwrap_or_default()
}

/// Imports the wheel, if this machine has a Python that takes it.
pub(crate) fn run(global: &Global, path: &Utf8Path, proof: &Proof, cancel: &Cancel) -> Result<Imported, Failure> {
    let Some(name) = path.file_name().and_then(|name| name.parse::<WheelName>().ok()) else {
        return Ok(Imported::not_run("no installer takes a file of this name"));
    };
    let foreign = name.tags.platforms().all(|tag| tag.os().is_some_and(|os| os.name() != std::env::consts::OS));
    if foreign {
        return Ok(Imported::not_run("the wheel is for another system"));
    }
    let console = context::console(global);
    let probing = Runner::new(&Silent, cancel);
    let world = host::probe(&host::Probe::of_this_process(None), &probing);
    let Some(interpreter) = pick(&world, &name) else {
        return Ok(Imported::not_run("no Python on this machine takes the wheel"));
    };
    let folder = Folder::make()?;
    let named = configured(global, &name);
    let outcome = import(&console, global, &folder.0, &world, interpreter, path, proof, named, cancel);
    outcome.map(|imported| Imported { python: Some(interpreter.version.clone()), ..imported })
}

/// A folder of this process, removed in the end.
struct Folder(Utf8PathBuf);

impl Folder {
    fn make() -> Result<Self, Failure> {
        let temporary = Utf8PathBuf::from_path_buf(std::env::temp_dir())
            .map_err(|path| Failure::usage(format!("`{}` is not UTF-8", path.display())))?;
        let folder = temporary.join(format!("wheelproof-verify-{}", std::process::id()));
        fs_err::create_dir_all(&folder).map_err(|error| Failure::usage(format!("`{folder}`: {error}")))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed from the temporary folder is the system's to clean.
        let _ = fs_err::remove_dir_all(&self.0);
    }
}

/// The newest interpreter that can make an environment and takes the wheel.
fn pick<'a>(world: &'a World, name: &WheelName) -> Option<&'a Interpreter> {
    let can = |interpreter: &Interpreter| interpreter.has_venv || !world.installer.needs_venv();
    let usable = world.interpreters.iter().filter(|interpreter| can(interpreter) && !interpreter.is_prerelease());
    let taking = usable.filter(|interpreter| {
        interpreter.implementation == "cpython"
            && machine(world, interpreter)
                .is_some_and(|machine| name.tags.rank(&compatible_tags(interpreter.python, &machine)).is_some())
    });
    taking.max_by_key(|interpreter| interpreter.python)
}

fn machine(world: &World, interpreter: &Interpreter) -> Option<HostPlatform> {
    let version = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next().flatten().unwrap_or(0)))
    };
    let system = match world.os {
        Os::Windows => HostSystem::Windows,
        Os::MacOs => HostSystem::MacOs(version(interpreter.platform.split('-').nth(1)?)?),
        Os::Linux => {
            let libc = interpreter.libc.as_ref().or(world.libc.as_ref())?;
            match libc.kind {
                host::LibcKind::Glibc => HostSystem::Glibc(version(&libc.version)?),
                host::LibcKind::Musl => HostSystem::Musl(version(&libc.version)?),
            }
        }
    };
    Some(HostPlatform { arch: world.arch, system })
}

#[allow(clippy::too_many_arguments)] // one call, and each is something else
fn import(
    console: &Console,
    global: &Global,
    folder: &Utf8Path,
    world: &World,
    interpreter: &Interpreter,
    path: &Utf8Path,
    proof: &Proof,
    named: Vec<String>,
    cancel: &Cancel,
) -> Result<Imported, Failure> {
    let whole = disk::real(path).map_err(|error| Failure::usage(format!("`{path}`: {error}")))?;
    // Tests are nobody's import. Where all packages are namespaces, the extension modules are what there is to import.
    let packages = proof.packages.iter().filter(|name| !matches!(name.as_str(), "tests" | "test"));
    let mut imports: Vec<String> = if named.is_empty() { packages.cloned().collect() } else { named };
    if imports.is_empty() {
        imports.extend(proof.modules.iter().map(|module| module.name.clone()));
    }
    if imports.is_empty() {
        return Ok(Imported::not_run("the wheel gives nothing to import"));
    }
    let request = Request {
        project_dir: folder.to_owned(),
        interpreter: interpreter.clone(),
        imports,
        coexist: Vec::new(),
        tests: Vec::new(),
        test_requires: Vec::new(),
        test_extras: Vec::new(),
        work_dir: folder.join("work"),
        log_dir: folder.join("log"),
        test_time_limit: 600,
        step_time_limit: 600,
        llvm_major: None,
    };
    let runner = Runner::new(console, cancel).streaming(global.verbose);
    let steps = verify::steps(&request, world);
    match verify::run(&request, &steps, &whole, &runner) {
        Ok(_) => {}
        Err(VerifyError::Step(error)) => return Err(error.into()),
        Err(error @ (VerifyError::Import { .. } | VerifyError::Died { .. })) => {
            return Ok(Imported { ran: true, reason: Some(error.to_string()), ..Imported::default() });
        }
        Err(error) => return Ok(Imported::not_run(error.to_string())),
    }
    let python = request.work_dir.join("venv").join(match world.os {
        Os::Windows => "Scripts/python.exe",
        Os::Linux | Os::MacOs => "bin/python",
    });
    let mut modules = Vec::new();
    for module in &proof.modules {
        cancel.check("import")?;
        modules.push(one(&runner, &python, &module.name)?);
    }
    let blamed = modules.iter().find(|module| module.loader);
    let reason =
        blamed.map(|module| format!("`import {}`: {}", module.name, module.error.as_deref().unwrap_or_default()));
    Ok(Imported { ran: true, ok: blamed.is_none(), python: None, reason, imports: request.imports, modules })
}

fn one(runner: &Runner<'_>, python: &Utf8Path, module: &str) -> Result<ModuleImport, Failure> {
    let code = format!("import importlib; importlib.import_module({module:?})");
    let query = Query::new([python.as_str(), "-I", "-c", &code]).named("import").timeout(Duration::from_secs(120));
    let captured = runner.capture(&query)?;
    if captured.status.success() {
        return Ok(ModuleImport { name: module.to_owned(), ok: true, error: None, loader: false });
    }
    let text = captured.stderr_text().into_owned();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    let died = matches!(captured.status, exec::Status::Signal(_));
    Ok(ModuleImport { name: module.to_owned(), ok: false, loader: died || is_loader_error(&last), error: Some(last) })
}

/// The words of the loaders: glibc, musl, dyld, Windows through CPython.
fn is_loader_error(line: &str) -> bool {
    const WORDS: [&str; 10] = [
        "cannot open shared object",
        "undefined symbol",
        "symbol not found",
        "Symbol not found",
        "not found (required by",
        "Library not loaded",
        "DLL load failed",
        "Error relocating",
        "cannot enable executable stack",
        "static TLS",
    ];
    WORDS.iter().any(|word| line.contains(word))
}

//! The command lines of a build: pure, from the request.
//!
//! Placeholders stand for what is not known before: `{source}` is the project's folder in the copy (or the unpacked
//! sdist), `{sdist}` the sdist, `{PATH}` the search path of the program's own environment.

use crate::macos;
use crate::request::{Request, Sources};
use camino::Utf8PathBuf;
use exec::Step;
use host::World;
use platform::paths::{join, join_list};

/// The folders below a request's `work_dir`.
pub(crate) struct Folders {
    /// The copy of the sources.
    pub(crate) copy: Utf8PathBuf,
    /// Where the sdist is put.
    pub(crate) sdist: Utf8PathBuf,
    /// Where it is unpacked.
    pub(crate) unpacked: Utf8PathBuf,
    /// Where the wheel is put.
    pub(crate) wheel: Utf8PathBuf,
}

impl Folders {
    pub(crate) fn of(request: &Request) -> Self {
        let below = |name: &str| join(&request.work_dir, name);
        Self { copy: below("copy"), sdist: below("sdist"), unpacked: below("unpacked"), wheel: below("wheel") }
    }
}

/// The steps of a build, in order.
pub fn steps(request: &Request, world: &World) -> Vec<Step> {
    let folders = Folders::of(request);
    let mut steps = Vec::new();
    for (index, words) in request.before_build.iter().enumerate() {
        let name = if index == 0 { "before-build".to_owned() } else { format!("before-build-{}", index + 1) };
        let argv = words.iter().map(|word| word.replace("{project}", "{source}")).collect();
        steps.push(step(request, world, &name, argv));
    }
    let python = request.tools.python.as_str();
    if request.sources == Sources::Sdist {
        steps.push(step(request, world, "sdist", front_end(request, "--sdist", folders.sdist.as_str(), "{source}")));
        let unpack = [python, "-m", "tarfile", "-e", "{sdist}", folders.unpacked.as_str()].map(str::to_owned).to_vec();
        let mut unpack = step(request, world, "unpack", unpack);
        unpack.cwd.clone_from(&request.work_dir);
        steps.push(unpack);
    }
    steps.push(step(request, world, "build", front_end(request, "--wheel", folders.wheel.as_str(), "{source}")));
    steps
}

fn front_end(request: &Request, what: &str, out: &str, source: &str) -> Vec<String> {
    let mut argv = [request.tools.python.as_str(), "-m", "build", what, "--no-isolation", "--outdir", out]
        .map(str::to_owned)
        .to_vec();
    for (key, values) in &request.config_settings {
        for value in values {
            argv.push(format!("--config-setting={key}={value}"));
        }
    }
    argv.push(source.to_owned());
    argv
}

fn step(request: &Request, world: &World, name: &str, argv: Vec<String>) -> Step {
    let log = join(&request.log_dir, format!("{name}.log"));
    let mut step = Step::new(name, argv, Utf8PathBuf::from("{source}"), log).with_timeout(request.time_limit);
    step = step
        .with_env("PATH", join_list(world.os, [request.tools.programs.as_str(), "{PATH}"]))
        .with_env("VIRTUAL_ENV", request.tools.dir.as_str())
        .with_env("PYTHONNOUSERSITE", "1")
        .with_env("SOURCE_DATE_EPOCH", request.source_date_epoch.to_string())
        .without_env("PYTHONPATH")
        .without_env("PYTHONHOME");
    let own = llvm_variables(request, world).into_iter().chain(backend_variables(request));
    for (variable, value) in own.chain(macos::variables(request, &world.env)) {
        step = step.with_env(&variable, value);
    }
    for (variable, value) in &request.variables {
        step = step.with_env(variable, value.clone());
    }
    step
}

/// How the build systems that are in use are told where LLVM lies: CMake's `find_package` reads `LLVM_DIR`, scripts ask
/// `LLVM_CONFIG`, and Rust's llvm-sys reads a prefix per major version (from LLVM 18 on always with a minor version of 1).
fn llvm_variables(request: &Request, world: &World) -> Vec<(String, String)> {
    let Some(llvm) = &request.llvm else { return Vec::new() };
    let installation = &llvm.installation;
    let mut variables = vec![("LLVM_DIR".to_owned(), installation.llvm_dir().to_string())];
    if let Some(config) = &installation.llvm_config {
        variables.push(("LLVM_CONFIG".to_owned(), config.to_string()));
    }
    let version = &installation.version;
    let minor = if version.major >= 18 { 1 } else { version.minor };
    variables.push((format!("LLVM_SYS_{}{minor}_PREFIX", version.major), installation.prefix.to_string()));
    // What the archives need (zlib, zstd) lies beside them in a conda environment, where CMake would not look.
    if llvm.linkage == llvm::Linkage::Static && !installation.prefix.as_str().starts_with("/usr/") {
        let inherited = world.env.get("CMAKE_PREFIX_PATH").map(String::as_str);
        let folders = [Some(installation.prefix.as_str()), inherited];
        variables.push(("CMAKE_PREFIX_PATH".to_owned(), join_list(world.os, folders.into_iter().flatten())));
    }
    variables
}

/// maturin would repair on its own, without the checks; its own step is switched off.
fn backend_variables(request: &Request) -> Vec<(String, String)> {
    if request.backend.starts_with("maturin") {
        vec![("MATURIN_PEP517_ARGS".to_owned(), "--auditwheel skip".to_owned())]
    } else {
        Vec::new()
    }
}

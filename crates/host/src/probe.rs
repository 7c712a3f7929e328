//! The whole look at the machine.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use platform::Os;

use crate::{
    World, compilers,
    environment::Environment,
    fingerprints,
    interpreters::{self, Places, listed},
    packages::{self, PackageManager},
    system, toolenv, tools,
};

/// Variables that change what a build makes; with those that begin with [`RELEVANT_PREFIXES`] they are the `env` of
/// [`World`], and through it in cache keys.
const RELEVANT: &[&str] = &[
    "AR",
    "ARCHFLAGS",
    "CC",
    "CFLAGS",
    "CL",
    "CONDA_PREFIX",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "C_INCLUDE_PATH",
    "INCLUDE",
    "LD",
    "LDFLAGS",
    "LIB",
    "LIBRARY_PATH",
    "LLVM_DIR",
    "MACOSX_DEPLOYMENT_TARGET",
    "PKG_CONFIG_PATH",
    "RUSTFLAGS",
    "SDKROOT",
    "SKBUILD_CMAKE_ARGS",
    "SOURCE_DATE_EPOCH",
    "_LINK_",
    "LINK",
];

/// Of whole families every member counts.
const RELEVANT_PREFIXES: &[&str] = &[
    "CMAKE_",
    "CARGO_BUILD_",
    "CARGO_PROFILE_",
    "LLVM_SYS_",
    "MATURIN_",
    "PYO3_",
    "SETUPTOOLS_SCM_PRETEND_VERSION",
    "SKBUILD_",
];

/// What to look at; a value, so that a test looks at a tree of its own.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// Where answers are kept that cost time; without it everything is asked again.
    pub cache_dir: Option<Utf8PathBuf>,
    /// The environment: PATH, HOME, PYENV_ROOT, RUNNER_TOOL_CACHE, LLVM_DIR, CONDA_PREFIX are read from it.
    pub env: BTreeMap<String, String>,
    /// Where the file system begins: `/`, `C:\`.
    pub root: Utf8PathBuf,
    /// The system that the tree below `root` is one of; without it this machine's.
    pub os: Option<Os>,
    /// Interpreters that somebody names.
    pub configured_pythons: Vec<Utf8PathBuf>,
    /// The LLVM that somebody names.
    pub configured_llvm: Option<Utf8PathBuf>,
    /// Compilers that the configuration names (`CC` and `CXX` of an `environment:`).
    pub configured_compilers: Vec<String>,
    /// Programs to look for beyond the usual ones.
    pub tools: Vec<String>,
    /// Ask the package manager what it could install. It takes its time, so only when something is missing.
    pub probe_packages: bool,
}

impl Probe {
    /// This machine as this process sees it. Variables that are not UTF-8 are left out.
    pub fn of_this_process(cache_dir: Option<Utf8PathBuf>) -> Self {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let drive = Environment::new(host_os(), &env).get("SystemDrive").unwrap_or("C:");
        let root = if cfg!(windows) { format!("{drive}\\") } else { "/".to_owned() };
        Self { cache_dir, env, root: root.into(), ..Self::default() }
    }

    fn environment(&self) -> Environment<'_> {
        Environment::new(self.os(), &self.env)
    }

    fn os(&self) -> Os {
        self.os.unwrap_or_else(host_os)
    }

    fn folder(&self, name: &str) -> Option<Utf8PathBuf> {
        self.environment().folder(name)
    }

    /// The folders of PATH, each once, `/bin` being `/usr/bin` nowadays and `C:\X` being `c:\x`. Relative ones are left
    /// out, `C:x` and `\x` too: what they mean depends on where one stands.
    fn path(&self) -> Vec<Utf8PathBuf> {
        let mut real = BTreeSet::new();
        let mut folders = self.environment().path();
        folders.retain(|folder| folder.is_absolute() && disk::real(folder).is_ok_and(|folder| real.insert(folder)));
        folders
    }

    fn cache(&self, name: &str) -> Option<Utf8PathBuf> {
        self.cache_dir.as_ref().map(|folder| folder.join(name))
    }
}

/// The part of a system's environment that changes what a build makes. On Windows, where `Lib` is `LIB`, names are given
/// in capitals.
pub fn relevant_environment(os: Os, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    env.iter()
        .map(|(name, value)| (if os == Os::Windows { name.to_ascii_uppercase() } else { name.clone() }, value))
        .filter(|(name, _)| {
            RELEVANT.contains(&name.as_str()) || RELEVANT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
        .map(|(name, value)| (name, value.clone()))
        .collect()
}

/// Looks at the machine. Never fails: what is broken or missing is said in its place. `sources` stays empty; see
/// [`crate::sources::digest`].
pub fn probe(probe: &Probe, runner: &Runner<'_>) -> World {
    let (os, arch) = (probe.os(), host_arch());
    let path = probe.path();
    let programs = packages::MANAGERS.iter().flat_map(|facts| facts.programs.iter().copied());
    let search_path = platform::paths::join_list(os, &path);
    let asked = || listed::PROGRAMS.iter().copied().chain(["ldd"]);
    let naming = tools::naming(os, &probe.environment());
    let mut tools = tools::find(&search_path, &probe.root, &naming, &probe.tools, programs.chain(asked()));
    let developer = listed::developer_folder(os, tools.get("xcode-select").map(|program| &**program), runner);
    if os == Os::MacOs && !compilers::has_apples(developer.as_deref()) {
        compilers::without_shims(&mut tools, &probe.root, &path, &naming);
    }
    let env = probe.environment();
    let visual_studios = compilers::visual_studios(os, arch, &probe.root, &env, runner);
    let studios = visual_studios.as_deref().unwrap_or_default();
    let compilers = fingerprints::compilers(os, &env, &path, &probe.root, &probe.configured_compilers, studios);
    let (interpreters, rejected) = pythons(probe, &path, &tools, developer.as_deref(), runner);
    // An image without ldd still has a Python that knows.
    let libc = system::libc(os, &probe.root, tools.get("ldd").map(|ldd| &**ldd), probe.cache("libc.json"), runner)
        .or_else(|| interpreters.iter().find_map(|interpreter| interpreter.libc.clone()));
    let package_manager = package_manager(probe, os, &tools, runner);
    let installer =
        toolenv::installer(tools.get("uv"), os, &probe.root, &probe.env, probe.cache("uv-version.json"), runner);
    tools.retain(|name, _| !asked().any(|asked| asked == name));
    World {
        schema_version: World::SCHEMA_VERSION,
        os,
        arch,
        libc,
        cpus: system::cpus(),
        memory: system::memory(os, &probe.root, runner),
        is_root: system::is_root(os, &probe.root, runner),
        checkout: None,
        interpreters,
        rejected,
        tools,
        visual_studios,
        compilers,
        installer,
        package_manager,
        llvm: llvm(probe, os, arch, path, runner),
        env: relevant_environment(os, &probe.env),
        sources: BTreeMap::new(),
    }
}

fn pythons(
    probe: &Probe,
    path: &[Utf8PathBuf],
    tools: &BTreeMap<String, Utf8PathBuf>,
    developer: Option<&Utf8Path>,
    runner: &Runner<'_>,
) -> (Vec<interpreters::Interpreter>, Vec<interpreters::Rejected>) {
    let (os, env) = (probe.os(), probe.environment());
    let program = |name: &str| tools.get(name).map(Utf8PathBuf::as_path);
    let places = Places {
        os,
        root: &probe.root,
        env,
        configured: &probe.configured_pythons,
        listed: listed::listed(os, program, runner),
        uv: listed::uv_folder(program("uv"), &env, probe.cache("uv.json"), runner),
        path,
        developer_tools: developer.is_some_and(|folder| folder.join("usr/bin/python3").is_file()),
    };
    let (candidates, mut rejected) = interpreters::candidates(&places);
    let (usable, unusable) = interpreters::ask_all(&candidates, probe.cache("interpreters.json"), runner);
    rejected.extend(unusable);
    (interpreters::one_of_each(usable), rejected)
}

fn llvm(probe: &Probe, os: Os, arch: platform::Arch, path: Vec<Utf8PathBuf>, runner: &Runner<'_>) -> llvm::Findings {
    let under = |folder: &str| platform::paths::join(&probe.root, folder);
    let mut homebrew = match os {
        Os::MacOs => vec![under("opt/homebrew"), under("usr/local")],
        Os::Linux => vec![under("home/linuxbrew/.linuxbrew")],
        Os::Windows => Vec::new(),
    };
    homebrew.extend(probe.folder("HOMEBREW_PREFIX").filter(|folder| !homebrew.contains(folder)));
    let mut vcpkg: Vec<Utf8PathBuf> =
        ["VCPKG_ROOT", "VCPKG_INSTALLATION_ROOT"].iter().filter_map(|name| probe.folder(name)).collect();
    vcpkg.extend((os == Os::Windows).then(|| under("vcpkg")));
    vcpkg.dedup();
    let scoop = probe.folder("SCOOP").or_else(|| Some(probe.environment().home()?.join("scoop")));
    let search = llvm::Search {
        os: Some(os),
        llvm_dir: probe.folder("LLVM_DIR"),
        configured: probe.configured_llvm.clone(),
        path,
        roots: vec![probe.root.clone()],
        program_files: (os == Os::Windows)
            .then(|| probe.folder("ProgramFiles").unwrap_or_else(|| under("Program Files")))
            .into_iter()
            .collect(),
        conda: probe.folder("CONDA_PREFIX").into_iter().collect(),
        homebrew: homebrew.into_iter().filter(|folder| folder.is_dir()).collect(),
        vcpkg: vcpkg
            .iter()
            .map(|root| platform::paths::join(root, format!("installed/{}*", triplet(os, arch))))
            .collect(),
        scoop: scoop.into_iter().filter(|_| os == Os::Windows).collect(),
    };
    llvm::find(&search, &|program: &Utf8Path, arguments: &[&str]| {
        let argv = std::iter::once(program.as_str()).chain(arguments.iter().copied());
        let captured = runner.capture(&Query::new(argv).timeout(std::time::Duration::from_secs(10))).ok()?;
        captured.status.success().then(|| captured.stdout_text().into_owned())
    })
}

/// How the names of vcpkg's triplets for a machine begin; what follows says how it is linked.
fn triplet(os: Os, arch: platform::Arch) -> String {
    let arch = match arch {
        platform::Arch::X86_64 => "x64",
        platform::Arch::I686 => "x86",
        other => other.name(),
    };
    let os = match os {
        Os::Linux => "linux",
        Os::MacOs => "osx",
        Os::Windows => "windows",
    };
    format!("{arch}-{os}")
}

/// The package manager that is meant here, of those that there are.
fn package_manager(
    probe: &Probe,
    os: Os,
    tools: &BTreeMap<String, Utf8PathBuf>,
    runner: &Runner<'_>,
) -> Option<PackageManager> {
    let found = packages::choose(os, tools, &probe.env)?;
    let sudo = tools.get("sudo").filter(|_| os != Os::Windows).cloned();
    let runner = probe.probe_packages.then_some(runner);
    Some(packages::ask(found, sudo, &probe.root, &probe.env, probe.cache_dir.as_deref(), runner))
}

/// The host's name for itself, in the words of targets.
fn host_os() -> Os {
    match std::env::consts::OS {
        "windows" => Os::Windows,
        "macos" => Os::MacOs,
        _ => Os::Linux,
    }
}

fn host_arch() -> platform::Arch {
    platform::Arch::from_machine(std::env::consts::ARCH).unwrap_or(platform::Arch::X86_64)
}

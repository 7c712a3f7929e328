//! The whole look at the machine.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use platform::Os;

use crate::{
    World,
    interpreters::{self, Places},
    packages::{self, ManagerKind, PackageManager},
    system, tools,
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
    /// Interpreters that somebody names.
    pub configured_pythons: Vec<Utf8PathBuf>,
    /// The LLVM that somebody names.
    pub configured_llvm: Option<Utf8PathBuf>,
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
        let drive = env.get("SystemDrive").map_or_else(|| "C:".to_owned(), Clone::clone);
        let root = if cfg!(windows) { format!("{drive}\\") } else { "/".to_owned() };
        Self { cache_dir, env, root: root.into(), ..Self::default() }
    }

    fn folder(&self, name: &str) -> Option<Utf8PathBuf> {
        self.env.get(name).filter(|value| !value.is_empty()).map(Utf8PathBuf::from)
    }

    /// The folders of PATH, each once, `/bin` being `/usr/bin` nowadays. Relative ones are left out: what they mean
    /// depends on where one stands.
    fn path(&self) -> Vec<Utf8PathBuf> {
        let mut folders = Vec::new();
        let mut real = BTreeSet::new();
        for folder in std::env::split_paths(self.env.get("PATH").map_or("", String::as_str)) {
            if let Ok(folder) = Utf8PathBuf::try_from(folder)
                && folder.is_absolute()
                && folder.canonicalize_utf8().is_ok_and(|folder| real.insert(folder))
            {
                folders.push(folder);
            }
        }
        folders
    }

    fn cache(&self, name: &str) -> Option<Utf8PathBuf> {
        self.cache_dir.as_ref().map(|folder| folder.join(name))
    }
}

/// The part of an environment that changes what a build makes.
pub fn relevant_environment(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    env.iter()
        .filter(|(name, _)| {
            RELEVANT.contains(&name.as_str()) || RELEVANT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Looks at the machine. Never fails: what is broken or missing is said in its place. `sources` stays empty; see
/// [`crate::sources::digest`].
pub fn probe(probe: &Probe, runner: &Runner<'_>) -> World {
    let (os, arch) = (host_os(), host_arch());
    let path = probe.path();
    let programs = packages::MANAGERS.iter().flat_map(|facts| facts.programs.iter().copied());
    let search_path = std::env::join_paths(&path).unwrap_or_default();
    let search_path = search_path.to_string_lossy();
    let mut tools = tools::find(&search_path, &probe.root, &probe.tools, programs.chain(["ldd"]));
    let (interpreters, rejected) = pythons(probe, &path, runner);
    // An image without ldd still has a Python that knows.
    let libc = system::libc(os, &probe.root, tools.get("ldd").map(|ldd| &**ldd), probe.cache("libc.json"), runner)
        .or_else(|| interpreters.iter().find_map(|interpreter| interpreter.libc.clone()));
    let package_manager = package_manager(probe, os, &tools, runner);
    tools.retain(|name, _| name != "ldd");
    World {
        schema_version: World::SCHEMA_VERSION,
        os,
        arch,
        libc,
        cpus: system::cpus(),
        memory: system::memory(os, &probe.root, runner),
        is_root: system::is_root(os, &probe.root, runner),
        interpreters,
        rejected,
        tools,
        package_manager,
        llvm: llvm(probe, os, path, runner),
        env: relevant_environment(&probe.env),
        sources: BTreeMap::new(),
    }
}

fn pythons(
    probe: &Probe,
    path: &[Utf8PathBuf],
    runner: &Runner<'_>,
) -> (Vec<interpreters::Interpreter>, Vec<interpreters::Rejected>) {
    let home = probe.folder("HOME").or_else(|| probe.folder("USERPROFILE"));
    let places = Places {
        configured: &probe.configured_pythons,
        pyenv: probe.folder("PYENV_ROOT").or_else(|| home.map(|home| home.join(".pyenv"))),
        manylinux: probe.root.join("opt/python"),
        tool_cache: probe.folder("RUNNER_TOOL_CACHE").or_else(|| probe.folder("AGENT_TOOLSDIRECTORY")),
        path,
    };
    let (candidates, mut rejected) = interpreters::candidates(&places);
    let (usable, unusable) = interpreters::ask_all(&candidates, probe.cache("interpreters.json"), runner);
    rejected.extend(unusable);
    (interpreters::one_of_each(usable), rejected)
}

fn llvm(probe: &Probe, os: Os, path: Vec<Utf8PathBuf>, runner: &Runner<'_>) -> llvm::Findings {
    let homebrew = match os {
        Os::MacOs => ["opt/homebrew", "usr/local"].map(|folder| probe.root.join(folder)).to_vec(),
        Os::Linux => vec![probe.root.join("home/linuxbrew/.linuxbrew")],
        Os::Windows => Vec::new(),
    };
    let search = llvm::Search {
        llvm_dir: probe.folder("LLVM_DIR"),
        configured: probe.configured_llvm.clone(),
        path,
        roots: vec![probe.root.clone()],
        conda: probe.folder("CONDA_PREFIX").into_iter().collect(),
        homebrew: homebrew.into_iter().filter(|folder| folder.is_dir()).collect(),
    };
    llvm::find(&search, &|program: &Utf8Path, arguments: &[&str]| {
        let argv = std::iter::once(program.as_str()).chain(arguments.iter().copied());
        let captured = runner.capture(&Query::new(argv).timeout(std::time::Duration::from_secs(10))).ok()?;
        captured.status.success().then(|| captured.stdout_text().into_owned())
    })
}

/// The first manager of the table that is there. On Windows and macOS, Debian's `apt` in a foreign PATH is none.
fn package_manager(
    probe: &Probe,
    os: Os,
    tools: &BTreeMap<String, Utf8PathBuf>,
    runner: &Runner<'_>,
) -> Option<PackageManager> {
    let fits = |kind| match kind {
        ManagerKind::Apt | ManagerKind::Dnf | ManagerKind::Apk => os == Os::Linux,
        ManagerKind::Choco => os == Os::Windows,
        ManagerKind::Brew => os != Os::Windows,
        ManagerKind::Conda => true,
    };
    let (kind, path) = packages::MANAGERS
        .iter()
        .filter(|facts| fits(facts.kind))
        .find_map(|facts| Some((facts.kind, facts.programs.iter().find_map(|name| tools.get(*name))?)))?;
    let sudo = tools.get("sudo").cloned();
    if kind == ManagerKind::Apt {
        let ask = probe.probe_packages.then_some(runner);
        return Some(packages::ask_apt(path.clone(), sudo, &probe.root, probe.cache("apt.json"), ask));
    }
    Some(PackageManager {
        kind,
        path: path.clone(),
        lists_empty: false,
        installed: BTreeMap::new(),
        llvm: Vec::new(),
        pythons: Vec::new(),
        sudo,
    })
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

//! What is asked for: ci/wheels.yaml, pyproject.toml and the command line resolved into one value that remembers where
//! each part came from.

mod project;
mod resolve;
mod units;

use crate::config::file::WheelsFile;
use crate::config::yaml::{self, ConfigError, Place};
use crate::pyproject::Pyproject;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Adjustments, Registry};
use platform::{PythonRequest, TargetKey, TargetPlatform};
use resolve::{Resolver, without_file};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Where ci/wheels.yaml lies below the root.
pub const CONFIG_FILE: &str = "ci/wheels.yaml";

/// Where a value came from; what stands first wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[derive(Default)]
pub enum Origin {
    /// A flag.
    CommandLine(String),
    /// A `WHEELPROOF_…` variable.
    Environment(String),
    /// ci/wheels.yaml, or another configuration file.
    File(Utf8PathBuf, Place),
    /// The project's pyproject.toml.
    Pyproject(Utf8PathBuf),
    /// Nobody said anything.
    #[default]
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine(flag) => write!(f, "command line, {flag}"),
            Self::Environment(variable) => write!(f, "environment, {variable}"),
            Self::File(file, Place { line: 0, .. }) => write!(f, "{file}"),
            Self::File(file, place) => write!(f, "{file}:{}:{}", place.line, place.column),
            Self::Pyproject(file) => write!(f, "{file}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One line of `--plan --explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The key, dotted.
    pub key: String,
    /// The value, as text.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// What the command line and the environment say, each with its origin.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// What the program is, for the cache keys: another one may judge otherwise.
    pub program: String,
    /// `--python`.
    pub python: Option<(Vec<String>, Origin)>,
    /// `--target`.
    pub targets: Option<(Vec<String>, Origin)>,
}

/// Everything that is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// [`Given::program`].
    pub program: String,
    /// The folder that holds ci/wheels.yaml, dist/ and target/wheelproof.
    pub root: Utf8PathBuf,
    /// What is built.
    pub projects: Vec<Project>,
    /// For which Pythons.
    pub python: Vec<PythonRequest>,
    /// For which systems; empty means this machine's, with platform `auto`.
    pub targets: Vec<Target>,
    /// LLVM, as far as it is said for all.
    pub llvm: LlvmOptions,
    /// Further packages for each package manager.
    pub provision: BTreeMap<String, Vec<String>>,
    /// How wheels are repaired.
    pub repair: Repair,
    /// Bytes that a wheel may have.
    pub budget: u64,
    /// Seconds that steps may take.
    pub time_limits: TimeLimits,
    /// Severities and accepted findings.
    pub adjustments: Adjustments,
    /// Where each value came from.
    pub explained: Vec<Explained>,
    /// The text of ci/wheels.yaml, for errors that show up when the plan is made.
    text: String,
}

/// One project.
#[derive(Debug, Clone)]
pub struct Project {
    /// The normalised distribution name.
    pub key: String,
    /// The folder with pyproject.toml, absolute.
    pub dir: Utf8PathBuf,
    /// The same, as the user wrote it.
    pub shown: Utf8PathBuf,
    /// What pyproject.toml says.
    pub pyproject: Pyproject,
    /// `requires-python`, understood.
    pub requires_python: Option<PythonRequest>,
    /// Modules to import.
    pub imports: Vec<String>,
    /// Test commands, split into words.
    pub tests: Vec<Vec<String>>,
    /// Packages to get along with.
    pub coexist: Vec<String>,
    /// The text of its own lock file.
    pub lock: Option<String>,
    options: Options,
    targets: BTreeMap<String, ProjectTarget>,
}

#[derive(Debug, Clone, Default)]
struct ProjectTarget {
    skip: bool,
    options: Options,
}

/// One target.
#[derive(Debug, Clone)]
pub struct Target {
    /// `linux-x86_64`.
    pub key: TargetKey,
    /// Where ci/wheels.yaml names it.
    pub place: Place,
    /// `auto` or a policy.
    pub platform: TargetPlatform,
    /// The CI runner's label.
    pub runner: Option<String>,
    /// The image that CI builds in.
    pub container: Option<String>,
    options: Options,
}

impl Target {
    /// A target that nobody configured: as widely usable as the result can be.
    pub fn auto(key: TargetKey) -> Self {
        Self {
            key,
            place: Place::default(),
            platform: TargetPlatform::Auto,
            runner: None,
            container: None,
            options: Options::default(),
        }
    }
}

/// What may be said per project, per target and per target of a project. Maps merge, lists replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// PEP 517.
    pub config_settings: BTreeMap<String, Vec<String>>,
    /// Set while building.
    pub environment: BTreeMap<String, String>,
    /// Run once, split into words.
    pub before_all: Option<Vec<Vec<String>>>,
    /// Run before each build, split into words.
    pub before_build: Option<Vec<Vec<String>>>,
    /// From the index, for the tests.
    pub test_requires: Option<Vec<String>>,
    /// Extras of the wheel.
    pub test_extras: Option<Vec<String>>,
    /// LLVM: what was said so far.
    pub llvm: LlvmOptions,
}

/// What was said of LLVM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LlvmOptions {
    /// Whether it is used at all.
    pub used: Option<bool>,
    /// Which versions.
    pub version: Option<llvm::VersionRange>,
    /// How.
    pub linkage: Option<llvm::Linkage>,
    /// Where.
    pub dir: Option<Utf8PathBuf>,
}

impl Options {
    fn over(&self, weaker: &Self) -> Self {
        let mut config_settings = weaker.config_settings.clone();
        config_settings.extend(self.config_settings.clone());
        let mut environment = weaker.environment.clone();
        environment.extend(self.environment.clone());
        Self {
            config_settings,
            environment,
            before_all: self.before_all.clone().or_else(|| weaker.before_all.clone()),
            before_build: self.before_build.clone().or_else(|| weaker.before_build.clone()),
            test_requires: self.test_requires.clone().or_else(|| weaker.test_requires.clone()),
            test_extras: self.test_extras.clone().or_else(|| weaker.test_extras.clone()),
            llvm: LlvmOptions {
                used: self.llvm.used.or(weaker.llvm.used),
                version: self.llvm.version.clone().or_else(|| weaker.llvm.version.clone()),
                linkage: self.llvm.linkage.or(weaker.llvm.linkage),
                dir: self.llvm.dir.clone().or_else(|| weaker.llvm.dir.clone()),
            },
        }
    }
}

impl Project {
    /// What holds for this project on a target; none when the project is not built for it.
    pub fn options_for(&self, target: &Target, llvm: &LlvmOptions) -> Option<Options> {
        let own = self.targets.get(&target.key.to_string());
        if own.is_some_and(|own| own.skip) {
            return None;
        }
        let for_all = Options { llvm: llvm.clone(), ..Options::default() };
        let merged = self.options.over(&target.options.over(&for_all));
        Some(own.map_or(merged.clone(), |own| own.options.over(&merged)))
    }
}

/// How wheels are repaired.
#[derive(Debug, Clone)]
pub struct Repair {
    /// Libraries that stay out.
    pub exclude: Vec<String>,
    /// Strip before grafting.
    pub strip: bool,
    /// Further folders, absolute.
    pub lib_dirs: Vec<Utf8PathBuf>,
    /// Windows: DLLs that keep their names.
    pub no_mangle: Vec<String>,
    /// Windows: namespace packages, which get no `__init__.py`.
    pub namespace_packages: Vec<String>,
    /// Windows: graft DLLs that the wheel carries already.
    pub graft_existing: bool,
}

/// Seconds that steps may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// One build.
    pub build: u64,
    /// One test command.
    pub test: u64,
    /// Any other step.
    pub step: u64,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { build: 2 * 3600, test: 1800, step: 900 }
    }
}

/// PyPI's limit for one file.
pub const DEFAULT_BUDGET: u64 = 100_000_000;

impl Settings {
    /// Reads and resolves everything below `root`; `registry` knows the rules that may be named.
    ///
    /// # Errors
    /// A [`ConfigError`] with file, line, column and the line itself.
    pub fn load(root: &Utf8Path, given: &Given, registry: &Registry) -> Result<Self, ConfigError> {
        match text(root)? {
            Some(text) => {
                let file: WheelsFile = yaml::from_str(CONFIG_FILE.into(), &text)?;
                Resolver::new(root, &text).resolve(file, given, registry)
            }
            None if root.join("pyproject.toml").is_file() => {
                Resolver::new(root, "").resolve(without_file(), given, registry)
            }
            None => Err(ConfigError::new(
                CONFIG_FILE.into(),
                "",
                Place::default(),
                format!("`{root}` has neither {CONFIG_FILE} nor a pyproject.toml"),
            )
            .help("name the project's folder with --project DIR, or write ci/wheels.yaml (docs/configuration.md)")),
        }
    }
}

/// What ci/wheels.yaml says of rules, for commands that look at files and build nothing: its projects may be absent.
///
/// # Errors
/// A [`ConfigError`] as [`Settings::load`] gives it.
pub fn rules(root: &Utf8Path, registry: &Registry) -> Result<Adjustments, ConfigError> {
    let Some(text) = text(root)? else { return Ok(Adjustments::none()) };
    let file: WheelsFile = yaml::from_str(CONFIG_FILE.into(), &text)?;
    let resolver = Resolver::new(root, &text);
    resolver.version(&file)?;
    resolver.rules(file.rules.unwrap_or_default(), registry)
}

/// The text of ci/wheels.yaml; none when there is no such file.
fn text(root: &Utf8Path) -> Result<Option<String>, ConfigError> {
    match fs_err::read(root.join(CONFIG_FILE)) {
        Ok(bytes) => Ok(Some(String::from_utf8(bytes).map_err(|error| not_utf8(&error))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("`{CONFIG_FILE}` cannot be read: {error}");
            Err(ConfigError::new(CONFIG_FILE.into(), "", Place::default(), message))
        }
    }
}

/// The error for a file in another encoding, at the first byte that is not UTF-8.
fn not_utf8(error: &std::string::FromUtf8Error) -> ConfigError {
    let bytes = error.as_bytes();
    let good = bytes.get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let line = good.split(|byte| *byte == b'\n').count() as u64;
    let before = good.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let column = String::from_utf8_lossy(before).chars().count() as u64 + 1;
    let text = String::from_utf8_lossy(bytes);
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let help = if utf16 { "this is UTF-16; save it as UTF-8" } else { "save the file as UTF-8" };
    ConfigError::new(CONFIG_FILE.into(), &text, Place { line, column }, "the file is not UTF-8").help(help)
}

impl Settings {
    /// The same settings for a copy of the project that lies elsewhere, on a machine of any system: every path below the
    /// root, or beside it, is as it would be there. What was read stays as it was read here.
    #[must_use]
    pub fn moved_to(&self, root: &Utf8Path) -> Self {
        let moved = |path: &Utf8PathBuf| platform::paths::moved(path, &self.root, root);
        let mut there = self.clone();
        for project in &mut there.projects {
            project.dir = moved(&project.dir);
        }
        there.repair.lib_dirs = self.repair.lib_dirs.iter().map(moved).collect();
        root.clone_into(&mut there.root);
        there
    }

    /// An error about what the file says of a target.
    pub fn error_at_target(&self, target: &str, message: impl Into<String>) -> ConfigError {
        let found = self.targets.iter().find(|known| known.key.to_string() == target);
        ConfigError::new(CONFIG_FILE.into(), &self.text, found.map(|found| found.place).unwrap_or_default(), message)
    }

    /// Why no build is asked for, where nothing was selected among them: at the place that says so.
    pub fn nothing_to_build(&self) -> ConfigError {
        let built = |project: &Project, target: &Target| project.options_for(target, &self.llvm).is_some();
        if !self.targets.is_empty()
            && !self.projects.iter().any(|project| self.targets.iter().any(|target| built(project, target)))
        {
            let place = self.targets.first().map(|target| target.place).unwrap_or_default();
            let message = "nothing is asked for: every project is skipped for every target";
            return ConfigError::new(CONFIG_FILE.into(), &self.text, place, message)
                .help("take out a `skip: true`, or name a target that is built (`--target`)");
        }
        let limits = self.projects.iter().map(|project| match &project.pyproject.requires_python {
            Some(limit) => format!("`{}` takes {limit}", project.key),
            None => format!("`{}` takes any", project.key),
        });
        let help =
            format!("{}; `python:` (or `--python`) has to name one of these", limits.collect::<Vec<_>>().join(", "));
        let message = "nothing is asked for: no Python is both one of `python:` and one that a project takes";
        let origin = self.explained.iter().find(|line| line.key == "python").map(|line| &line.origin);
        let error = match origin {
            Some(Origin::File(file, place)) => ConfigError::new(file, &self.text, *place, message),
            Some(origin @ (Origin::CommandLine(_) | Origin::Environment(_))) => {
                ConfigError::new(Utf8Path::new(&origin.to_string()), "", Place::default(), message)
            }
            _ => ConfigError::new(CONFIG_FILE.into(), &self.text, Place::default(), message),
        };
        error.help(help)
    }

    /// The compilers that the configuration names, for any build.
    pub fn compilers(&self) -> Vec<String> {
        let targets = self.targets.iter().map(|target| &target.options);
        let projects = self.projects.iter().flat_map(|project| {
            std::iter::once(&project.options).chain(project.targets.values().map(|target| &target.options))
        });
        let named = targets.chain(projects).flat_map(|options| {
            ["CC", "CXX", "RUSTC"].into_iter().filter_map(|name| options.environment.get(name).cloned())
        });
        let mut named: Vec<String> = named.collect();
        named.sort();
        named.dedup();
        named
    }

    /// The LLVM that the configuration points to, of the first project that does.
    pub fn llvm_dir(&self) -> Option<Utf8PathBuf> {
        let projects = self.projects.iter().map(|project| &project.options.llvm);
        let targets = self.targets.iter().map(|target| &target.options.llvm);
        projects.chain(targets).find_map(|llvm| llvm.dir.clone()).or_else(|| self.llvm.dir.clone())
    }
}

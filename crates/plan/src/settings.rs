//! What is asked for: ci/wheels.yaml, pyproject.toml and the command line resolved into one value that remembers where
//! each part came from.

use crate::config::file::{
    AcceptEntry, LlvmEntry, OptionsRef, ProjectEntry, ProjectTargetEntry, Repairer, RuleEntry, TargetEntry, WheelsFile,
};
use crate::config::yaml::{self, ConfigError, Located, Place};
use crate::pyproject::Pyproject;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Acceptance, Adjustments, Registry, RuleSettings};
use platform::{Distribution, PythonRequest, TargetKey, TargetPlatform};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
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
    /// `--python`.
    pub python: Option<(Vec<String>, Origin)>,
    /// `--target`.
    pub targets: Option<(Vec<String>, Origin)>,
}

/// Everything that is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
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
        Self { key, platform: TargetPlatform::Auto, runner: None, container: None, options: Options::default() }
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
    /// Who repairs.
    pub repairer: Repairer,
    /// Libraries that stay out.
    pub exclude: Vec<String>,
    /// Strip before grafting.
    pub strip: bool,
    /// Further folders, absolute.
    pub lib_dirs: Vec<Utf8PathBuf>,
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
        let path = root.join(CONFIG_FILE);
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                let message = format!("`{CONFIG_FILE}` cannot be read: {error}");
                return Err(ConfigError::new(CONFIG_FILE.into(), "", Place::default(), message));
            }
        };
        match text {
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

impl Settings {
    /// The LLVM that the configuration points to, of the first project that does.
    pub fn llvm_dir(&self) -> Option<Utf8PathBuf> {
        let projects = self.projects.iter().map(|project| &project.options.llvm);
        let targets = self.targets.iter().map(|target| &target.options.llvm);
        projects.chain(targets).find_map(|llvm| llvm.dir.clone()).or_else(|| self.llvm.dir.clone())
    }
}

/// What holds for a folder with a pyproject.toml and nothing else.
fn without_file() -> WheelsFile {
    let project =
        ProjectEntry { path: Located { value: ".".to_owned(), place: Place::default() }, ..Default::default() };
    WheelsFile {
        version: Located { value: 1, place: Place::default() },
        projects: Some(Located { value: vec![project], place: Place::default() }),
        python: None,
        llvm: None,
        targets: None,
        provision: None,
        repair: None,
        budget: None,
        time_limits: None,
        rules: None,
    }
}

/// Resolves one file; collects where each value came from on the way.
struct Resolver<'a> {
    root: &'a Utf8Path,
    text: &'a str,
    explained: Vec<Explained>,
}

impl<'a> Resolver<'a> {
    fn new(root: &'a Utf8Path, text: &'a str) -> Self {
        Self { root, text, explained: Vec::new() }
    }

    fn error(&self, place: Place, message: impl Into<String>) -> ConfigError {
        ConfigError::new(CONFIG_FILE.into(), self.text, place, message)
    }

    fn note(&mut self, key: impl Into<String>, value: impl fmt::Display, origin: Origin) {
        self.explained.push(Explained { key: key.into(), value: value.to_string(), origin });
    }

    fn at(place: Place) -> Origin {
        if place == Place::default() { Origin::Default } else { Origin::File(CONFIG_FILE.into(), place) }
    }

    fn resolve(mut self, file: WheelsFile, given: &Given, registry: &Registry) -> Result<Settings, ConfigError> {
        if file.version.value != 1 {
            let message = format!("version {} of this format is not known", file.version.value);
            return Err(self.error(file.version.place, message).help("this program reads `version: 1`"));
        }
        let python = self.python(file.python.as_ref(), given)?;
        let llvm = file.llvm.as_ref().map(|llvm| self.llvm("llvm", llvm)).transpose()?.unwrap_or_default();
        let targets = self.targets(file.targets.as_ref(), given)?;
        let projects = self.projects(file.projects.as_ref(), &targets)?;
        let repair = self.repair(file.repair.unwrap_or_default());
        let budget = match file.budget.and_then(|budget| budget.wheel) {
            Some(wheel) => {
                let bytes = parse_size(&wheel.value).map_err(|reason| self.error(wheel.place, reason))?;
                self.note("budget.wheel", &wheel.value, Self::at(wheel.place));
                bytes
            }
            None => {
                self.note("budget.wheel", "100MB (PyPI's default limit)", Origin::Default);
                DEFAULT_BUDGET
            }
        };
        let limits = file.time_limits.unwrap_or_default();
        let default = TimeLimits::default();
        let time_limits = TimeLimits {
            build: self.limit("time_limits.build", limits.build, default.build)?,
            test: self.limit("time_limits.test", limits.test, default.test)?,
            step: self.limit("time_limits.step", limits.step, default.step)?,
        };
        let provision = self.provision(file.provision.unwrap_or_default())?;
        let adjustments = self.rules(file.rules.unwrap_or_default(), registry)?;
        Ok(Settings {
            root: self.root.to_owned(),
            projects,
            python,
            targets,
            llvm,
            provision,
            repair,
            budget,
            time_limits,
            adjustments,
            explained: self.explained,
        })
    }

    fn python(
        &mut self,
        entry: Option<&Located<crate::config::file::PythonLines>>,
        given: &Given,
    ) -> Result<Vec<PythonRequest>, ConfigError> {
        if let Some((texts, origin)) = &given.python {
            self.note("python", texts.join(", "), origin.clone());
            return texts.iter().map(|text| parse_given(text, origin, "a Python such as `3.13` or `>=3.9`")).collect();
        }
        let Some(entry) = entry else {
            self.note("python", ">=3.9", Origin::Default);
            return Ok(vec![default_python()]);
        };
        self.note(
            "python",
            entry.value.0.iter().map(|line| line.value.as_str()).collect::<Vec<_>>().join(", "),
            Self::at(entry.place),
        );
        if entry.value.0.is_empty() {
            return Err(self.error(entry.place, "`python:` names no Python").help("for example: python: [\">=3.9\"]"));
        }
        entry
            .value
            .0
            .iter()
            .map(|line| {
                line.value.parse::<PythonRequest>().map_err(|error| {
                    self.error(line.place, error.to_string())
                        .help("a version (`3.13`, `cp313t`) or specifiers (`>=3.9,<3.14`)")
                })
            })
            .collect()
    }

    fn targets(
        &mut self,
        entry: Option<&Located<BTreeMap<String, Located<TargetEntry>>>>,
        given: &Given,
    ) -> Result<Vec<Target>, ConfigError> {
        let mut targets = Vec::new();
        for (name, located) in entry.map(|entry| &entry.value).into_iter().flatten() {
            let key: TargetKey = name.parse().map_err(|error: platform::TargetKeyError| {
                self.error(self.place_of_key(name, located.place), error.to_string())
                    .help("a target is `os-arch[-name]`: linux-x86_64, linux-arm64, macos-arm64, windows-x86_64 …")
            })?;
            let platform = match &located.value.platform {
                Some(text) => {
                    self.note(format!("targets.{name}.platform"), &text.value, Self::at(text.place));
                    TargetPlatform::parse(&text.value, &key)
                        .map_err(|error| self.error(text.place, error.to_string()))?
                }
                None => {
                    self.note(format!("targets.{name}.platform"), "auto", Origin::Default);
                    TargetPlatform::Auto
                }
            };
            let options = self.options(&format!("targets.{name}"), located.value.options())?;
            targets.push(Target {
                key,
                platform,
                runner: located.value.runner.clone(),
                container: located.value.container.clone(),
                options,
            });
        }
        let Some((wanted, origin)) = &given.targets else { return Ok(targets) };
        self.note("targets", wanted.join(", "), origin.clone());
        let names: Vec<String> = targets.iter().map(|target| target.key.to_string()).collect();
        for name in wanted {
            if names.contains(name) {
                continue;
            }
            if !names.is_empty() {
                let message = format!("there is no target `{name}`");
                return Err(from_origin(origin, message).help(yaml::choose(name, &names)));
            }
            targets.push(Target::auto(parse_given(name, origin, "a target such as `linux-x86_64`")?));
        }
        targets.retain(|target| wanted.contains(&target.key.to_string()));
        Ok(targets)
    }

    /// A map's key has no place of its own: the line that starts with it, before its value.
    fn place_of_key(&self, key: &str, value: Place) -> Place {
        let lines: Vec<&str> = self.text.lines().collect();
        let upto = usize::try_from(value.line).unwrap_or(0).min(lines.len());
        let found = lines.iter().take(upto).enumerate().rev().find_map(|(index, line)| {
            let column = line.find(key)?;
            line[column + key.len()..]
                .trim_start_matches(['"', '\''])
                .trim_start()
                .starts_with(':')
                .then_some(Place { line: index as u64 + 1, column: line[..column].chars().count() as u64 + 1 })
        });
        found.unwrap_or(value)
    }

    fn projects(
        &mut self,
        entry: Option<&Located<Vec<ProjectEntry>>>,
        targets: &[Target],
    ) -> Result<Vec<Project>, ConfigError> {
        let Some(entry) = entry else {
            return Err(self
                .error(Place::default(), "`projects:` is missing")
                .help("list at least one folder with a pyproject.toml: projects: [{ path: ., import: [mypackage] }]"));
        };
        if entry.value.is_empty() {
            return Err(self.error(entry.place, "`projects:` lists no project"));
        }
        let mut seen = BTreeSet::new();
        let mut projects = Vec::new();
        for (index, project) in entry.value.iter().enumerate() {
            let resolved = self.project(index, project, targets)?;
            if !seen.insert(resolved.key.clone()) {
                let message = format!("the project `{}` is listed twice", resolved.key);
                return Err(self.error(project.path.place, message));
            }
            projects.push(resolved);
        }
        Ok(projects)
    }

    fn project(&mut self, index: usize, entry: &ProjectEntry, targets: &[Target]) -> Result<Project, ConfigError> {
        let at = format!("projects[{index}]");
        let place = entry.path.place;
        let shown = Utf8PathBuf::from(&entry.path.value);
        let dir = tidy(&self.root.join(&shown));
        if !dir.is_dir() {
            let message = format!("the project folder `{shown}` does not exist");
            return Err(self.error(place, message).help(format!("`path:` is relative to `{}`", self.root)));
        }
        let pyproject = Pyproject::read(&dir, &shown).map_err(|error| {
            // A project without the file is the configuration's fault, so that is what is shown.
            if error.place == Place::default() && place != Place::default() {
                let shown = self.error(place, error.message.clone());
                if let Some(help) = error.help { shown.help(help) } else { shown }
            } else {
                error
            }
        })?;
        self.note(format!("{at}.path"), &shown, Self::at(place));
        let file = shown.join("pyproject.toml");
        let key = Distribution::new(&pyproject.name)
            .map_err(|error| ConfigError::new(&file, "", Place::default(), error.to_string()))?;
        let imports = match &entry.import {
            Some(modules) => {
                self.note(format!("{at}.import"), join(&modules.value, |m| &m.value), Self::at(modules.place));
                for module in &modules.value {
                    if !is_module_name(&module.value) {
                        let message = format!("`{}` is not a module name", module.value);
                        return Err(self
                            .error(module.place, message)
                            .help("dotted identifiers, as in an import statement"));
                    }
                }
                modules.value.iter().map(|module| module.value.clone()).collect()
            }
            None => {
                let module = pyproject.likely_module();
                self.note(format!("{at}.import"), &module, Origin::Pyproject(file.clone()));
                vec![module]
            }
        };
        let requires_python = match &pyproject.requires_python {
            Some(text) => {
                self.note(format!("{at}.requires-python"), text, Origin::Pyproject(file.clone()));
                Some(PythonRequest::from_specifiers(text).map_err(|error| {
                    ConfigError::new(&file, "", Place::default(), format!("requires-python: {error}"))
                })?)
            }
            None => None,
        };
        let tests = self.commands(&format!("{at}.test"), entry.test.as_ref())?.unwrap_or_default();
        let lock = match &entry.lock {
            Some(lock) => {
                self.note(format!("{at}.lock"), &lock.value, Self::at(lock.place));
                let text = fs_err::read_to_string(self.root.join(&lock.value)).map_err(|error| {
                    let why = if error.kind() == std::io::ErrorKind::NotFound {
                        "does not exist".to_owned()
                    } else {
                        error.to_string()
                    };
                    self.error(lock.place, format!("the lock file `{}` {why}", lock.value))
                })?;
                Some(text)
            }
            None => None,
        };
        let options = self.options(&at, entry.options())?;
        let mut own = BTreeMap::new();
        let known: Vec<String> = targets.iter().map(|target| target.key.to_string()).collect();
        for (name, located) in entry.targets.iter().flatten() {
            let located: &Located<ProjectTargetEntry> = located;
            if name.parse::<TargetKey>().is_err() || (!known.is_empty() && !known.contains(name)) {
                let message = format!("`{name}` is no target of this file");
                let help = yaml::choose(name, &known);
                return Err(self.error(self.place_of_key(name, located.place), message).help(help));
            }
            let options = self.options(&format!("{at}.targets.{name}"), located.value.options())?;
            own.insert(name.clone(), ProjectTarget { skip: located.value.skip.unwrap_or(false), options });
        }
        if let Some(coexist) = &entry.coexist {
            self.note(format!("{at}.coexist"), coexist.join(", "), Self::at(place));
        }
        Ok(Project {
            key: key.to_string(),
            dir,
            shown,
            pyproject,
            requires_python,
            imports,
            tests,
            coexist: entry.coexist.clone().unwrap_or_default(),
            lock,
            options,
            targets: own,
        })
    }

    fn options(&mut self, at: &str, options: OptionsRef<'_>) -> Result<Options, ConfigError> {
        let own_llvm =
            options.llvm.map(|entry| self.llvm(&format!("{at}.llvm"), entry)).transpose()?.unwrap_or_default();
        if let Some(environment) = options.environment {
            for (name, value) in environment {
                if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                    let message = format!("`{at}.environment`: `{name}` is not a variable that can be set");
                    return Err(self.error(Place::default(), message));
                }
            }
        }
        Ok(Options {
            config_settings: options
                .config_settings
                .map(|map| map.iter().map(|(key, lines)| (key.clone(), lines.0.clone())).collect())
                .unwrap_or_default(),
            environment: options.environment.cloned().unwrap_or_default(),
            before_all: self.commands(&format!("{at}.before_all"), options.before_all)?,
            before_build: self.commands(&format!("{at}.before_build"), options.before_build)?,
            test_requires: options.test_requires.cloned(),
            test_extras: options.test_extras.cloned(),
            llvm: own_llvm,
        })
    }

    fn llvm(&mut self, at: &str, entry: &Located<LlvmEntry>) -> Result<LlvmOptions, ConfigError> {
        match &entry.value {
            LlvmEntry::No => {
                self.note(at, "false", Self::at(entry.place));
                Ok(LlvmOptions { used: Some(false), ..LlvmOptions::default() })
            }
            LlvmEntry::Wanted(wish) => {
                let version = match &wish.version {
                    Some(text) => {
                        self.note(format!("{at}.version"), text, Self::at(entry.place));
                        let range = text.parse::<llvm::VersionRange>().map_err(|error| {
                            self.error(entry.place, error.to_string()).help("for example `>=14`, `>=15,<20`, `19`")
                        })?;
                        Some(range)
                    }
                    None => None,
                };
                let linkage = wish.linkage.map(|linkage| match linkage {
                    crate::config::file::Linkage::Shared => llvm::Linkage::Shared,
                    crate::config::file::Linkage::Static => llvm::Linkage::Static,
                });
                if let Some(linkage) = linkage {
                    let shown = if linkage == llvm::Linkage::Static { "static" } else { "shared" };
                    self.note(format!("{at}.linkage"), shown, Self::at(entry.place));
                }
                let dir = wish.dir.as_ref().map(|dir| tidy(&self.root.join(dir)));
                if let Some(dir) = &dir {
                    self.note(format!("{at}.dir"), dir, Self::at(entry.place));
                }
                Ok(LlvmOptions { used: Some(true), version, linkage, dir })
            }
        }
    }

    fn commands(
        &mut self,
        at: &str,
        lines: Option<&Located<crate::config::file::Lines>>,
    ) -> Result<Option<Vec<Vec<String>>>, ConfigError> {
        let Some(lines) = lines else { return Ok(None) };
        self.note(at, lines.value.0.join(" && "), Self::at(lines.place));
        let mut commands = Vec::new();
        for line in &lines.value.0 {
            let words = shell_words::split(line).map_err(|error| {
                self.error(lines.place, format!("`{line}` cannot be split into words: {error}"))
                    .help("a command is split as a shell would, and run without one")
            })?;
            if words.is_empty() {
                return Err(self.error(lines.place, format!("`{at}` has an empty command")));
            }
            if let Some(operator) =
                words.iter().find(|word| matches!(word.as_str(), "&&" | "||" | "|" | ";" | ">" | "<"))
            {
                return Err(self
                    .error(lines.place, format!("`{operator}` stands in `{line}`, but no shell runs it"))
                    .help("write a list of commands, or `sh -c '…'`"));
            }
            commands.push(words);
        }
        Ok(Some(commands))
    }

    fn limit(&mut self, key: &str, entry: Option<Located<String>>, default: u64) -> Result<u64, ConfigError> {
        match entry {
            Some(text) => {
                let seconds = parse_duration(&text.value).map_err(|reason| self.error(text.place, reason))?;
                self.note(key, &text.value, Self::at(text.place));
                Ok(seconds)
            }
            None => {
                self.note(key, format!("{default}s"), Origin::Default);
                Ok(default)
            }
        }
    }

    fn repair(&mut self, entry: crate::config::file::RepairEntry) -> Repair {
        let repairer = entry.repairer.unwrap_or(Repairer::Tool);
        Repair {
            repairer,
            exclude: entry.exclude.unwrap_or_default(),
            strip: entry.strip.unwrap_or(false),
            lib_dirs: entry.lib_dirs.unwrap_or_default().iter().map(|dir| tidy(&self.root.join(dir))).collect(),
        }
    }

    fn provision(&self, entry: BTreeMap<String, Vec<String>>) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
        const MANAGERS: [&str; 6] = ["apt", "dnf", "apk", "brew", "conda", "choco"];
        for (name, packages) in &entry {
            if !MANAGERS.contains(&name.as_str()) {
                let message = format!("`provision.{name}` is not a package manager that is known");
                return Err(self
                    .error(self.place_of_key(name, Place { line: u64::MAX, column: 0 }), message)
                    .help(yaml::choose(name, &MANAGERS)));
            }
            if let Some(odd) = packages.iter().find(|package| package.is_empty() || package.starts_with('-')) {
                return Err(self.error(Place::default(), format!("`provision.{name}`: `{odd}` is not a package name")));
            }
        }
        Ok(entry)
    }

    fn rules(
        &self,
        entries: BTreeMap<String, Located<RuleEntry>>,
        registry: &Registry,
    ) -> Result<Adjustments, ConfigError> {
        let mut settings = Vec::new();
        for (name, located) in entries {
            if let Err(unknown) = registry.find(&name) {
                let place = self.place_of_key(&name, located.place);
                return Err(self.error(place, unknown.to_string()).help("docs/rules.md lists all rules"));
            }
            let mut accept = Vec::new();
            for Located { value, place } in located.value.accept {
                if value.reason.trim().is_empty() {
                    return Err(self.error(place, "an accepted finding needs a reason"));
                }
                if value.file.is_none() && value.member.is_none() && value.symbol.is_none() {
                    let help = "say at least one of `file`, `member`, `symbol`; to silence the rule: severity: off";
                    return Err(self.error(place, "what is accepted is not said").help(help));
                }
                let line = u32::try_from(place.line).unwrap_or(0);
                let AcceptEntry { file, member, symbol, reason } = value;
                let at = Some(diagnostics::Location::new(CONFIG_FILE, line));
                accept.push(Acceptance { file, member, symbol, reason, at });
            }
            settings.push((name, RuleSettings { severity: located.value.severity, accept }));
        }
        Adjustments::new(registry, settings).map_err(|error| self.error(Place::default(), error.to_string()))
    }
}

fn default_python() -> PythonRequest {
    // The oldest Python that still had security releases when this was written.
    PythonRequest::from_specifiers(">=3.9").unwrap_or_else(|_| unreachable!("a constant that a test parses"))
}

fn join<T>(items: &[T], text: impl Fn(&T) -> &String) -> String {
    items.iter().map(|item| text(item).as_str()).collect::<Vec<_>>().join(", ")
}

fn is_module_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('.').all(|part| {
            let mut letters = part.chars();
            letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
                && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        })
}

/// The same path without `.` and `..` where they can be resolved by text alone.
pub(crate) fn tidy(path: &Utf8Path) -> Utf8PathBuf {
    let mut tidy = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            other => tidy.push(other.as_str()),
        }
    }
    tidy
}

fn from_origin(origin: &Origin, message: impl Into<String>) -> ConfigError {
    ConfigError::new(Utf8Path::new(&origin.to_string()), "", Place::default(), message)
}

fn parse_given<T>(text: &str, origin: &Origin, expected: &str) -> Result<T, ConfigError>
where
    T: std::str::FromStr,
    T::Err: fmt::Display,
{
    text.parse().map_err(|error: T::Err| from_origin(origin, error.to_string()).help(format!("expected {expected}")))
}

/// `100MB`, `64MiB`, `5000000`: bytes; `MB` is 10^6.
fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000),
        ("KB", 1000),
        ("B", 1),
    ];
    let text = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number.trim(), *unit)))
        .unwrap_or((text, 1));
    let number: f64 = number.parse().map_err(|_| format!("`{text}` is not a size; write `100MB` or `64MiB`"))?;
    if !number.is_finite() || number < 0.0 {
        return Err(format!("`{text}` is not a size; write `100MB` or `64MiB`"));
    }
    #[allow(clippy::cast_sign_loss)] // checked just above
    Ok((number * unit as f64) as u64)
}

/// `90s`, `30m`, `2h`: seconds.
fn parse_duration(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit = |suffix: char, seconds: u64| text.strip_suffix(suffix).map(|number| (number, seconds));
    let parsed = unit('s', 1).or_else(|| unit('m', 60)).or_else(|| unit('h', 3600)).and_then(|(number, seconds)| {
        number.trim().parse::<u64>().ok().filter(|n| *n > 0).and_then(|n| n.checked_mul(seconds))
    });
    parsed.ok_or_else(|| format!("`{text}` is not a duration; write `90s`, `30m` or `2h`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations() {
        for (text, bytes) in
            [("100MB", Some(100_000_000)), ("64 MiB", Some(64 << 20)), ("12", Some(12)), ("ten", None), ("-1MB", None)]
        {
            assert_eq!(parse_size(text).ok(), bytes, "{text}");
        }
        for (text, seconds) in [("90s", Some(90)), ("30m", Some(1800)), ("2h", Some(7200)), ("0s", None), ("5", None)] {
            assert_eq!(parse_duration(text).ok(), seconds, "{text}");
        }
    }

    #[test]
    fn the_default_python_parses() {
        assert!(PythonRequest::from_specifiers(">=3.9").is_ok());
    }

    #[test]
    fn module_names() {
        for (name, good) in
            [("a", true), ("a.b_c", true), ("_x", true), ("a-b", false), ("", false), ("a..b", false), ("3d", false)]
        {
            assert_eq!(is_module_name(name), good, "{name}");
        }
    }
}

//! The Plan: (Settings, World) → every build, every step with its exact command line, environment, log and cache key, and
//! for what will not run here the reason and what would make it run. Pure: nothing is read, written or started here.

use crate::keys;
use crate::locks;
use crate::settings::{Options, Project, Settings, Target};
use camino::{Utf8Path, Utf8PathBuf};
use exec::Step;
use host::packages::{Need, PackageManager};
use host::toolenv::ToolEnvironment;
use host::{Interpreter, World};
use llvm::Linkage;
use platform::{BuildId, PythonVersion, TargetKey};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// Every build that is asked for, in the order in which it is run.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The version of this form.
    pub schema_version: u32,
    /// The builds.
    pub builds: Vec<PlannedBuild>,
}

/// One build: a project for a Python on a target.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedBuild {
    /// `cp313-manylinux_2_28_x86_64`; `cp313-linux_x86_64` where the policy is known only after repair.
    pub id: BuildId,
    /// The project's normalised distribution name.
    pub project: String,
    /// The project's folder, as the user wrote it.
    pub project_dir: Utf8PathBuf,
    /// `cp313`.
    pub python: String,
    /// The same as a value.
    #[serde(skip)]
    pub version: PythonVersion,
    /// `linux-x86_64`.
    pub target: String,
    /// `auto`, or the policy that is asked for.
    pub platform: String,
    /// The CI runner's label.
    pub runner: Option<String>,
    /// The image that CI builds in.
    pub container: Option<String>,
    /// Whether it runs here, now.
    pub runnable: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What would make it run.
    pub remedy: Option<String>,
    /// What sort of obstacle that is.
    pub obstacle: Option<Obstacle>,
    /// What `--provision` would have to install for it.
    pub needs: Vec<Need>,
    /// The LLVM that it is linked with: version and prefix.
    pub llvm: Option<String>,
    /// What is to know that does not stop it.
    pub remarks: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The cache key of the whole.
    pub key: String,
    /// The same as values, for the stages.
    #[serde(skip)]
    pub stages: Option<Stages>,
}

impl PlannedBuild {
    /// `minijit/cp313-linux_x86_64`: unique in a plan.
    pub fn scope(&self) -> String {
        format!("{}/{}", self.project, self.id)
    }
}

/// What stands in a build's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// The target is another system's.
    OtherSystem,
    /// The interpreter is not here, and nothing that this program does brings it.
    NoInterpreter,
    /// Something that a package manager has: for this build alone.
    Installable,
    /// Something that all builds need and a package manager may have: a compiler, LLVM.
    Missing,
}

/// The requests to the stages.
#[derive(Debug, Clone)]
pub struct Stages {
    /// Environments of tools that must be there, each with the steps that make it.
    pub tools: Vec<(ToolEnvironment, Vec<Step>)>,
    /// Commands run once per project.
    pub before_all: Vec<Step>,
    /// Source to wheel.
    pub build: build::Request,
    /// Its steps.
    pub build_steps: Vec<Step>,
    /// Wheel to repaired wheel.
    pub repair: repair::Request,
    /// Its steps.
    pub repair_steps: Vec<Step>,
    /// The real import.
    pub verify: verify::Request,
    /// Its steps.
    pub verify_steps: Vec<Step>,
}

/// Where everything of a run lies below the root.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The finished wheels and the report.
    pub dist: Utf8PathBuf,
    /// Everything else: `target/wheelproof`.
    pub state: Utf8PathBuf,
}

impl Layout {
    /// The layout below a root; `out` replaces `dist/`.
    pub fn new(root: &Utf8Path, out: Option<&Utf8Path>) -> Self {
        let dist = out.map_or_else(|| root.join("dist"), |out| root.join(out));
        Self { dist, state: root.join("target/wheelproof") }
    }

    /// Environments of tools.
    pub fn tools(&self) -> Utf8PathBuf {
        self.state.join("tools")
    }

    /// The folder that a build owns.
    pub fn work(&self, project: &str, id: &str) -> Utf8PathBuf {
        self.state.join("work").join(project).join(id)
    }

    /// The logs of a build.
    pub fn logs(&self, project: &str, id: &str) -> Utf8PathBuf {
        self.state.join("logs").join(project).join(id)
    }

    /// Answers that are asked once: interpreters, digests of sources.
    pub fn cache(&self) -> Utf8PathBuf {
        self.state.join("cache")
    }

    /// What is known of a proven wheel.
    pub fn record(&self, project: &str, id: &str) -> Utf8PathBuf {
        self.state.join("proven").join(project).join(format!("{id}.json"))
    }
}

/// Makes the plan. `only` selects builds by globs over `id` or `project/id`; empty selects all.
///
/// # Errors
/// A glob that cannot be read.
pub fn make(settings: &Settings, world: &World, layout: &Layout, only: &[String]) -> Result<Plan, SelectionError> {
    let selection = Selection::new(only)?;
    let mut builds = Vec::new();
    for project in &settings.projects {
        let mut first = true;
        for target in targets(settings, world) {
            let Some(options) = project.options_for(&target, &settings.llvm) else { continue };
            for python in pythons(settings, project, world) {
                let id = BuildId::new(python, &target.platform, &target.key);
                if !selection.takes(&project.key, &id.to_string()) {
                    continue;
                }
                let planner = Planner { settings, world, layout, project, target: &target, options: &options };
                let build = planner.build(python, id, first);
                // One wheel of each project is built from its sdist: the first that runs.
                first &= !build.runnable;
                builds.push(build);
            }
        }
    }
    Ok(Plan { schema_version: SCHEMA_VERSION, builds })
}

/// `--only` is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("`--only {pattern}` cannot be read: {reason}")]
pub struct SelectionError {
    pattern: String,
    reason: String,
}

struct Selection(Vec<globset::GlobMatcher>);

impl Selection {
    fn new(only: &[String]) -> Result<Self, SelectionError> {
        let matcher = |pattern: &String| {
            globset::Glob::new(pattern)
                .map(|glob| glob.compile_matcher())
                .map_err(|error| SelectionError { pattern: pattern.clone(), reason: error.kind().to_string() })
        };
        only.iter().map(matcher).collect::<Result<_, _>>().map(Self)
    }

    fn takes(&self, project: &str, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|glob| glob.is_match(id) || glob.is_match(format!("{project}/{id}")))
    }
}

fn targets(settings: &Settings, world: &World) -> Vec<Target> {
    if settings.targets.is_empty() { vec![Target::auto(target_of(world))] } else { settings.targets.clone() }
}

/// The target that a machine is.
pub fn target_of(world: &World) -> TargetKey {
    TargetKey::new(world.os, world.arch)
}

/// The CPython of a version, if the machine has it.
fn interpreter_for(world: &World, python: PythonVersion) -> Option<&Interpreter> {
    world.interpreters.iter().find(|i| i.python == python && i.implementation == "cpython" && !i.debug)
}

/// Whether a package manager knows a need and has not installed it; what it does not know is not ours to ask for.
pub fn lacks(need: &Need, manager: &PackageManager) -> bool {
    !host::packages::installation(std::slice::from_ref(need), manager, true).packages.is_empty()
}

/// Which Pythons are meant: every release that the requests name or match, whether it is here or not, so that the plan
/// of a machine lacks nothing that another's has; and whatever is here besides that they match.
fn pythons(settings: &Settings, project: &Project, world: &World) -> Vec<PythonVersion> {
    let found = world.interpreters.iter().filter(|i| i.implementation == "cpython" && !i.debug).map(|i| i.python);
    let wanted: BTreeSet<PythonVersion> = PythonVersion::released()
        .chain(found)
        .filter(|python| settings.python.iter().any(|request| request.matches(*python)))
        .chain(settings.python.iter().filter_map(platform::PythonRequest::exact))
        .filter(|python| project.requires_python.as_ref().is_none_or(|request| request.matches_ignoring_build(*python)))
        .collect();
    wanted.into_iter().collect()
}

/// What stands in the way, what would help, what would have to be installed.
struct Refusal {
    obstacle: Obstacle,
    reason: String,
    remedy: String,
    needs: Vec<Need>,
}

struct Planner<'a> {
    settings: &'a Settings,
    world: &'a World,
    layout: &'a Layout,
    project: &'a Project,
    target: &'a Target,
    options: &'a Options,
}

impl Planner<'_> {
    fn build(&self, python: PythonVersion, id: BuildId, from_sdist: bool) -> PlannedBuild {
        let mut planned = PlannedBuild {
            project: self.project.key.clone(),
            project_dir: self.project.shown.clone(),
            python: python.to_string(),
            version: python,
            target: self.target.key.to_string(),
            platform: self.target.platform.to_string(),
            runner: self.target.runner.clone(),
            container: self.target.container.clone(),
            runnable: false,
            reason: None,
            remedy: None,
            obstacle: None,
            needs: Vec::new(),
            llvm: None,
            remarks: Vec::new(),
            steps: Vec::new(),
            key: String::new(),
            stages: None,
            id,
        };
        match self.resolve(python) {
            Ok((interpreter, llvm)) => {
                planned.llvm = llvm.as_ref().map(|llvm| {
                    format!("{} ({}) in {}", llvm.installation.version, llvm.linkage, llvm.installation.prefix)
                });
                let (stages, remarks) = self.stages(&planned, interpreter, llvm, from_sdist);
                planned.steps = self.steps(&planned, &stages, interpreter);
                planned.key = planned.steps.last().map(|step| step.key.clone()).unwrap_or_default();
                planned.remarks = remarks;
                planned.stages = Some(stages);
                planned.runnable = true;
            }
            Err(refusal) => {
                planned.reason = Some(refusal.reason);
                planned.remedy = Some(refusal.remedy);
                planned.obstacle = Some(refusal.obstacle);
                planned.needs = refusal.needs;
            }
        }
        planned
    }

    /// The interpreter and LLVM, or what stands in the way.
    fn resolve(&self, python: PythonVersion) -> Result<(&Interpreter, Option<build::LlvmUse>), Refusal> {
        let here = target_of(self.world);
        if !self.target.key.same_system(&here) {
            let runner = self
                .target
                .runner
                .as_deref()
                .map_or_else(String::new, |runner| format!(", such as the runner `{runner}`"));
            return Err(Refusal {
                obstacle: Obstacle::OtherSystem,
                reason: format!("{} cannot be built on {here}", self.target.key),
                remedy: format!("run it on a {} machine{runner}", self.target.key),
                needs: Vec::new(),
            });
        }
        let Some(interpreter) = interpreter_for(self.world, python) else {
            return Err(Refusal {
                obstacle: Obstacle::NoInterpreter,
                reason: format!("no CPython {} was found", python.dotted()),
                remedy: format!(
                    "install it (pyenv install {}, or your system's package) so that `python{}` is on PATH",
                    python.dotted(),
                    python.dotted()
                ),
                needs: Vec::new(),
            });
        };
        let mut own = Vec::new();
        let (major, minor) = (python.major, python.minor);
        if !interpreter.has_venv {
            own.push(Need::PythonVenv(format!("{major}.{minor}")));
        }
        if self.compiles() && !interpreter.has_headers {
            own.push(Need::PythonHeaders(format!("{major}.{minor}")));
        }
        let common = self.common_needs();
        let llvm = self.llvm()?;
        let mut needs: Vec<Need> = common.iter().cloned().chain(own.iter().cloned()).collect();
        if let Some(llvm) = &llvm {
            needs.extend(self.cmake_packages(llvm));
        }
        if needs.is_empty() {
            return Ok((interpreter, llvm));
        }
        let obstacle =
            if common.is_empty() && needs.len() == own.len() { Obstacle::Installable } else { Obstacle::Missing };
        let what = needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(Refusal { obstacle, reason: format!("missing: {what}"), remedy: self.how_to_install(&needs), needs })
    }

    fn how_to_install(&self, needs: &[Need]) -> String {
        match &self.world.package_manager {
            Some(manager) => {
                let installation = host::packages::installation(needs, manager, self.world.is_root);
                if installation.packages.is_empty() {
                    "install it by hand; the package manager here is not known to have it".to_owned()
                } else {
                    format!("{} (or the same command with --provision)", installation.shell_line())
                }
            }
            None => "install it by hand: no package manager that is known was found".to_owned(),
        }
    }

    /// Whether a compiler has work to do: a pure-Python backend needs none.
    fn compiles(&self) -> bool {
        const PURE: [&str; 4] = ["hatchling", "flit_core", "poetry.core", "pdm.backend"];
        !PURE.iter().any(|pure| self.project.pyproject.backend.starts_with(pure))
    }

    fn common_needs(&self) -> Vec<Need> {
        let compiler = ["c++", "g++", "clang++"].iter().any(|name| self.world.tools.contains_key(*name))
            || self.options.environment.contains_key("CXX")
            || self.world.env.contains_key("CXX");
        if self.compiles() && !compiler && self.target.key.os != platform::Os::Windows {
            vec![Need::CxxCompiler]
        } else {
            Vec::new()
        }
    }

    /// What LLVM's own CMake files demand besides LLVM, as far as the package manager knows it and lacks it.
    fn cmake_packages(&self, llvm: &build::LlvmUse) -> Vec<Need> {
        let Some(manager) = &self.world.package_manager else { return Vec::new() };
        llvm.installation
            .needed_cmake_packages(llvm.linkage)
            .iter()
            .map(|package| Need::CmakePackage(package.clone()))
            .filter(|need| lacks(need, manager))
            .collect()
    }

    fn llvm(&self) -> Result<Option<build::LlvmUse>, Refusal> {
        if self.options.llvm.used != Some(true) {
            return Ok(None);
        }
        let version = self.options.llvm.version.clone().unwrap_or_default();
        let linkage = self.options.llvm.linkage.unwrap_or(Linkage::Shared);
        let requirement = llvm::Requirement { version: version.clone(), linkage };
        match self.world.llvm.pick(&requirement) {
            Ok(installation) => Ok(Some(build::LlvmUse { installation: installation.clone(), linkage })),
            Err(none) => {
                let candidate = self.world.package_manager.as_ref().and_then(|manager| manager.newest_llvm(&version));
                let mut needs = self.common_needs();
                let remedy = match candidate {
                    Some(candidate) => {
                        needs.push(Need::Llvm { major: candidate.version.major, linkage });
                        self.how_to_install(&needs)
                    }
                    None => "set LLVM_DIR to the folder of LLVMConfig.cmake, or `llvm: { dir: … }` in ci/wheels.yaml"
                        .to_owned(),
                };
                Err(Refusal { obstacle: Obstacle::Missing, reason: none.to_string(), remedy, needs })
            }
        }
    }

    fn stages(
        &self,
        planned: &PlannedBuild,
        interpreter: &Interpreter,
        llvm: Option<build::LlvmUse>,
        from_sdist: bool,
    ) -> (Stages, Vec<String>) {
        let id = planned.id.to_string();
        let work = self.layout.work(&planned.project, &id);
        let log_dir = self.layout.logs(&planned.project, &id);
        let windows = self.target.key.os == platform::Os::Windows;
        let mut remarks = Vec::new();
        let requirements = locks::for_build(self.project);
        if let Some(remark) = &requirements.remark {
            remarks.push(remark.clone());
        }
        let tools_dir = self.layout.tools();
        let build_tools = ToolEnvironment::new(&tools_dir, "build", interpreter, &requirements.text, windows);
        let repair_base = self.repair_interpreter(interpreter);
        let repair_tools =
            ToolEnvironment::new(&tools_dir, "repair", repair_base, locks::for_repair(self.target.key.os), windows);
        let tool_logs = self.layout.state.join("logs/tools");
        let tools = [&build_tools, &repair_tools].into_iter().map(|env| (env.clone(), env.steps(&tool_logs))).collect();
        let epoch = self.source_date_epoch();
        let limits = self.settings.time_limits;
        let llvm_major =
            llvm.as_ref().filter(|llvm| llvm.linkage == Linkage::Shared).map(|llvm| llvm.installation.version.major);
        let mut library_dirs: Vec<Utf8PathBuf> =
            llvm.as_ref().map(|llvm| llvm.installation.library_dir.clone()).into_iter().collect();
        library_dirs.extend(self.settings.repair.lib_dirs.iter().cloned());
        let build = build::Request {
            project: planned.project.clone(),
            project_dir: self.project.dir.clone(),
            sources: if from_sdist { build::Sources::Sdist } else { build::Sources::Tree },
            interpreter: interpreter.clone(),
            tools: build_tools,
            llvm,
            backend: self.project.pyproject.backend.clone(),
            config_settings: self.options.config_settings.clone(),
            variables: self.options.environment.clone(),
            before_build: self.options.before_build.clone().unwrap_or_default(),
            imports: self.project.imports.clone(),
            work_dir: work.join("build"),
            log_dir: log_dir.clone(),
            time_limit: limits.build,
            source_date_epoch: epoch,
        };
        let repair = repair::Request {
            target: self.target.key.clone(),
            platform: self.target.platform.clone(),
            tools: repair_tools,
            library_dirs,
            exclude: self.settings.repair.exclude.clone(),
            strip: self.settings.repair.strip,
            work_dir: work.join("repair"),
            log_dir: log_dir.clone(),
            time_limit: limits.step,
            source_date_epoch: epoch,
            llvm_major,
        };
        let verify = verify::Request {
            project_dir: self.project.dir.clone(),
            interpreter: interpreter.clone(),
            imports: self.project.imports.clone(),
            coexist: self.project.coexist.clone(),
            tests: self.project.tests.clone(),
            test_requires: self.options.test_requires.clone().unwrap_or_default(),
            test_extras: self.options.test_extras.clone().unwrap_or_default(),
            work_dir: work.join("verify"),
            log_dir: log_dir.clone(),
            test_time_limit: limits.test,
            step_time_limit: limits.step,
            llvm_major,
        };
        let before_all = self.before_all();
        let stages = Stages {
            tools,
            before_all,
            build_steps: build::steps(&build, self.world),
            repair_steps: repair::steps(&repair, self.world),
            verify_steps: verify::steps(&verify, self.world),
            build,
            repair,
            verify,
        };
        (stages, remarks)
    }

    /// auditwheel wants a newer Python than the wheel may be for; the newest stable one here serves all builds.
    fn repair_interpreter<'b>(&'b self, own: &'b Interpreter) -> &'b Interpreter {
        let usable = |i: &&Interpreter| {
            i.has_venv && !i.python.free_threaded && !i.debug && i.python >= locks::OLDEST_FOR_REPAIR
        };
        self.world.interpreters.iter().filter(usable).max_by_key(|i| i.python).unwrap_or(own)
    }

    /// Run once per project in a copy of it (`{project}`): what they change on the system stays, the project is as it was.
    fn before_all(&self) -> Vec<Step> {
        let logs = self.layout.state.join("logs").join(&self.project.key);
        let commands = self.options.before_all.iter().flatten();
        commands
            .enumerate()
            .map(|(index, words)| {
                let name = if index == 0 { "before-all".to_owned() } else { format!("before-all-{}", index + 1) };
                let log = logs.join(format!("{name}.log"));
                let mut step = Step::new(&name, words.clone(), Utf8PathBuf::from("{project}"), log)
                    .with_timeout(self.settings.time_limits.build);
                for (variable, value) in &self.options.environment {
                    step = step.with_env(variable, value);
                }
                step
            })
            .collect()
    }

    /// `SOURCE_DATE_EPOCH` of the environment, else a fixed time: 1980-02-01, which every archive format can hold.
    fn source_date_epoch(&self) -> u64 {
        const FALLBACK: u64 = 318_211_200;
        let own = self.options.environment.get("SOURCE_DATE_EPOCH").or_else(|| self.world.env.get("SOURCE_DATE_EPOCH"));
        own.and_then(|text| text.parse().ok()).unwrap_or(FALLBACK)
    }

    /// All steps in order, each with a key that takes in the ones before it and everything that they read.
    fn steps(&self, planned: &PlannedBuild, stages: &Stages, interpreter: &Interpreter) -> Vec<Step> {
        let inside = |name: &str, words: &[&str]| {
            let argv =
                std::iter::once("wheelproof").chain(words.iter().copied()).map(str::to_owned).collect::<Vec<_>>();
            Step::new(name, argv, self.settings.root.clone(), stages.build.log_dir.join(format!("{name}.log")))
        };
        let mut steps: Vec<Step> = stages.tools.iter().flat_map(|(_, steps)| steps.iter().cloned()).collect();
        steps.extend(stages.before_all.iter().cloned());
        steps.extend(stages.build_steps.iter().cloned());
        steps.push(inside("symbols", &["symbols", "{wheel}"]));
        steps.extend(stages.repair_steps.iter().cloned());
        steps.extend(stages.verify_steps.iter().cloned());
        let seed = keys::Seed {
            sources: self.world.sources.get(&planned.project).map(|digest| digest.hex.as_str()).unwrap_or_default(),
            id: &planned.id.to_string(),
            interpreter: &interpreter.fingerprint,
            llvm: stages.build.llvm.as_ref().map(|llvm| llvm.installation.fingerprint()),
            environment: &self.world.env,
            compiler: self.world.tools.get("c++").map(|path| path.as_str()),
            settings: format!("{:?} {:?} {}", self.settings.repair, self.settings.adjustments, self.settings.budget),
        };
        keys::chain(&seed, &mut steps);
        steps
    }
}

/// What the blocked builds of a plan would need, once each.
pub fn needs(plan: &Plan) -> Vec<Need> {
    let all: BTreeSet<Need> = plan.builds.iter().flat_map(|build| build.needs.iter().cloned()).collect();
    all.into_iter().collect()
}

/// How many builds run and how many do not, by obstacle.
pub fn count(plan: &Plan) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for build in &plan.builds {
        let word = match build.obstacle {
            None => "runnable",
            Some(Obstacle::OtherSystem) => "other system",
            Some(Obstacle::NoInterpreter) => "no interpreter",
            Some(Obstacle::Installable | Obstacle::Missing) => "missing",
        };
        *counts.entry(word).or_default() += 1;
    }
    counts
}

//! The Plan as a value: every build, every step with its exact command line, environment, log and cache key, and for what
//! will not run here the reason and what would make it run.

use camino::Utf8PathBuf;
use exec::Step;
use host::packages::Need;
use host::toolenv::ToolEnvironment;
use platform::{BuildId, PythonVersion};
use serde::Serialize;
use std::collections::BTreeSet;

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
    /// A path would be longer than Windows takes.
    PathTooLong,
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

/// What the blocked builds of a plan would need, once each.
pub fn needs(plan: &Plan) -> Vec<Need> {
    let all: BTreeSet<Need> = plan.builds.iter().flat_map(|build| build.needs.iter().cloned()).collect();
    all.into_iter().collect()
}

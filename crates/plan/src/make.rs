//! (Settings, World) → Plan. Pure: nothing is read, written or started here.

use crate::epoch::{EpochError, source_date_epoch};
use crate::keys;
use crate::layout::Layout;
use crate::long_paths::{self, TooLong};
use crate::matrix::default_runner;
use crate::plan::{Obstacle, Plan, PlannedBuild, SCHEMA_VERSION, Stages};
use crate::settings::{Options, Project, Settings, Target};
use exec::Step;
use host::packages::{Need, PackageManager};
use host::{Interpreter, World};
use platform::{Arch, BuildId, PythonVersion, TargetKey};
use std::collections::BTreeSet;

/// Makes the plan. `only` selects builds by globs over `id` or `project/id`; empty selects all.
///
/// # Errors
/// A glob that cannot be read; a time that is none.
pub fn make(settings: &Settings, world: &World, layout: &Layout, only: &[String]) -> Result<Plan, PlanError> {
    let selection = Selection::new(only)?;
    let mut builds = Vec::new();
    for project in &settings.projects {
        let mut first = true;
        for target in targets(settings, world) {
            let Some(options) = project.options_for(&target, &settings.llvm) else { continue };
            let epoch = epoch_of(project, &options, world)?;
            for python in pythons(settings, project, world) {
                let id = BuildId::new(python, &target.platform, &target.key);
                if !selection.takes(&project.key, &id.to_string()) {
                    continue;
                }
                let planner = Planner { settings, world, layout, project, target: &target, options: &options, epoch };
                let build = planner.build(python, id, first);
                // One wheel of each project is built from its sdist: the first that runs.
                first &= !build.runnable;
                builds.push(build);
            }
        }
    }
    Ok(Plan { schema_version: SCHEMA_VERSION, builds })
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// `--only` is no pattern.
    #[error("`--only {pattern}` cannot be read: {reason}")]
    Only {
        /// What was given.
        pattern: String,
        /// Why it is none.
        reason: String,
    },
    /// A time that is none.
    #[error(transparent)]
    Epoch(#[from] EpochError),
}

const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// `SOURCE_DATE_EPOCH` of the project's `environment:`, else of the caller's, else the time of the commit that is checked
/// out, else a fixed one: 1980-02-01, which every archive format can hold.
fn epoch_of(project: &Project, options: &Options, world: &World) -> Result<u64, EpochError> {
    const FALLBACK: u64 = 318_211_200;
    let read = |text: Option<&String>, place: String| match text {
        Some(text) => source_date_epoch(text).map_err(|error| EpochError { place, ..error }),
        None => Ok(None),
    };
    let own = read(options.environment.get(EPOCH), format!(" in `environment:` of the project `{}`", project.key))?;
    let callers = read(world.env.get(EPOCH), String::new())?;
    let committed = world.sources.get(&project.key).and_then(|sources| sources.commit_time);
    Ok(own.or(callers).or(committed).unwrap_or(FALLBACK))
}

struct Selection(Vec<globset::GlobMatcher>);

impl Selection {
    fn new(only: &[String]) -> Result<Self, PlanError> {
        let matcher = |pattern: &String| {
            // Build identifiers are no paths: nothing about them follows the system that this runs on.
            globset::GlobBuilder::new(pattern)
                .backslash_escape(false)
                .build()
                .map(|glob| glob.compile_matcher())
                .map_err(|error| PlanError::Only { pattern: pattern.clone(), reason: error.kind().to_string() })
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

/// The CPython of a version for a target, if the machine has it.
pub(crate) fn interpreter_for<'a>(
    world: &'a World,
    python: PythonVersion,
    target: &TargetKey,
) -> Option<&'a Interpreter> {
    versions(world, python).find(|interpreter| fits(interpreter, target))
}

/// Every CPython of a version that extensions are built for, whatever its processor.
pub(crate) fn versions(world: &World, python: PythonVersion) -> impl Iterator<Item = &Interpreter> {
    world.interpreters.iter().filter(move |i| i.python == python && i.implementation == "cpython" && !i.debug)
}

/// Whether an interpreter runs as the target's processor: a tool cache on Windows may have the same version for 32 and
/// for 64 bits, a Mac may have one for Intel.
pub(crate) fn fits(interpreter: &Interpreter, target: &TargetKey) -> bool {
    let bits = if matches!(target.arch, Arch::I686 | Arch::Armv7l) { 32 } else { 64 };
    // `linux-x86_64`, `macosx-11.0-universal2`, `win-amd64`, `win32`
    let machine = interpreter.platform.rsplit('-').next().unwrap_or_default();
    interpreter.bits == bits
        && (machine == "universal2" || Arch::from_machine(machine).is_none_or(|arch| arch == target.arch || bits == 32))
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

/// One build in the making.
pub(crate) struct Planner<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) world: &'a World,
    pub(crate) layout: &'a Layout,
    pub(crate) project: &'a Project,
    pub(crate) target: &'a Target,
    pub(crate) options: &'a Options,
    /// The time in archives.
    pub(crate) epoch: u64,
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
            runner: self.target.runner.clone().or_else(|| default_runner(&self.target.key).map(str::to_owned)),
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
                let steps = self.steps(&planned, &stages, interpreter);
                let folders = [&stages.build.tools.dir, &stages.build.work_dir, &stages.verify.work_dir];
                planned.remarks = remarks;
                planned.remarks.extend(long_paths::of_a_share(&self.settings.root));
                match long_paths::worst(&steps, folders.map(camino::Utf8PathBuf::as_path)) {
                    Some(TooLong::Planned(path)) => {
                        planned.obstacle = Some(Obstacle::PathTooLong);
                        planned.reason = Some(format!(
                            "`{path}` has {} characters; Windows takes {}",
                            platform::paths::utf16_len(&path),
                            platform::paths::WINDOWS_MAX_PATH
                        ));
                        planned.remedy = Some("move the project to a shorter path, such as `C:\\src`".to_owned());
                        return planned;
                    }
                    Some(TooLong::Probably { folder, excess }) => planned.remarks.push(format!(
                        "what is put below `{folder}` may get paths longer than the {} characters that Windows takes; \
                         a path of the project that is {excess} characters shorter is safe",
                        platform::paths::WINDOWS_MAX_PATH
                    )),
                    None => {}
                }
                planned.key = steps.last().map(|step| step.key.clone()).unwrap_or_default();
                planned.steps = steps;
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

    /// All steps in order, each with a key that takes in the ones before it and everything that they read.
    fn steps(&self, planned: &PlannedBuild, stages: &Stages, interpreter: &Interpreter) -> Vec<Step> {
        let inside = |name: &str, words: &[&str]| {
            let argv =
                std::iter::once("wheelproof").chain(words.iter().copied()).map(str::to_owned).collect::<Vec<_>>();
            Step::new(
                name,
                argv,
                self.settings.root.clone(),
                platform::paths::join(&stages.build.log_dir, format!("{name}.log")),
            )
        };
        let mut steps: Vec<Step> = stages.tools.iter().flat_map(|(_, steps)| steps.iter().cloned()).collect();
        steps.extend(stages.before_all.iter().cloned());
        steps.extend(stages.build_steps.iter().cloned());
        steps.push(inside("symbols", &["symbols", "{wheel}"]));
        steps.extend(stages.repair_steps.iter().cloned());
        steps.push(inside("prove", &["verify", "--no-import", "{wheel}"]));
        steps.extend(stages.verify_steps.iter().cloned());
        let seed = keys::Seed {
            sources: self.world.sources.get(&planned.project).map(|digest| digest.hex.as_str()).unwrap_or_default(),
            id: &planned.id.to_string(),
            interpreter: &interpreter.fingerprint,
            llvm: stages.build.llvm.as_ref().map(|llvm| llvm.installation.fingerprint()),
            environment: &self.world.env,
            program: &self.settings.program,
            compilers: self.compilers(),
            settings: format!(
                "{:?} {:?} {} {:?}",
                self.settings.repair,
                self.settings.adjustments,
                self.settings.budget,
                self.options.environment.get(EPOCH)
            ),
        };
        keys::chain(&seed, &mut steps);
        steps
    }

    /// What tells the compilers that this project may be built with from others of the same names.
    fn compilers(&self) -> String {
        let rust = self.project.pyproject.uses_rust();
        let all = self.world.compilers.iter();
        let meant = all.filter(|(name, _)| rust || !matches!(name.as_str(), "RUSTC" | "rustup"));
        meant.map(|(name, found)| format!("{name} {found}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_for_the_targets_processor() {
        let table = [
            ("linux-x86_64", "linux-x86_64", 64, true),
            // A 32-bit Python on a 64-bit kernel says the kernel's.
            ("linux-x86_64", "linux-x86_64", 32, false),
            ("linux-i686", "linux-x86_64", 32, true),
            ("linux-arm64", "linux-aarch64", 64, true),
            ("windows-x86_64", "win-amd64", 64, true),
            ("windows-x86_64", "win32", 32, false),
            ("windows-i686", "win32", 32, true),
            ("windows-i686", "win-amd64", 64, false),
            ("windows-arm64", "win-arm64", 64, true),
            ("windows-arm64", "win-amd64", 64, false),
            ("macos-arm64", "macosx-11.0-universal2", 64, true),
            ("macos-x86_64", "macosx-11.0-universal2", 64, true),
            ("macos-arm64", "macosx-14.0-arm64", 64, true),
            ("macos-arm64", "macosx-13.0-x86_64", 64, false),
        ];
        for (target, platform, bits, expected) in table {
            let interpreter: Interpreter = serde_json::from_value(serde_json::json!({
                "path": "/p", "real_path": "/p", "origin": "path", "fingerprint": "f", "version": "3.13.0",
                "python": "cp313", "implementation": "cpython", "debug": false, "ext_suffix": ".so",
                "platform": platform, "bits": bits, "prefix": "/p", "include_dir": null, "has_headers": true,
                "stdlib": null, "has_venv": true, "shared_libpython": false,
            }))
            .unwrap();
            let key: TargetKey = target.parse().unwrap();
            assert_eq!(fits(&interpreter, &key), expected, "{platform} with {bits} bits for {target}");
        }
    }
}

//! What most commands need first: the root, the settings, what this machine has.

use crate::args::{Global, Selection};
use crate::console::{Console, Talk};
use crate::exit::{self, Failure};
use crate::registry::REGISTRY;
use crate::variables::{self, Typed};
use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Runner, Silent};
use host::World;
use plan::settings::CONFIG_FILE;
use plan::{Given, Layout, Origin, Plan, Settings};

/// Root, settings and world of one call.
pub(crate) struct Context {
    pub(crate) root: Utf8PathBuf,
    pub(crate) settings: Settings,
    pub(crate) layout: Layout,
    pub(crate) world: World,
    pub(crate) only: Vec<String>,
    /// The world was read from a file: nothing may be run by it.
    pub(crate) recorded: bool,
}

impl Context {
    /// Reads the configuration and asks the machine, or the recorded world.
    pub(crate) fn load(
        global: &Global,
        selection: &Selection,
        out: Option<&Utf8Path>,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let root = root(global)?;
        let given = Given {
            program: env!("WHEELPROOF_IDENTITY").to_owned(),
            python: given(&selection.python, "--python", "WHEELPROOF_PYTHON"),
            targets: given(&selection.target, "--target", "WHEELPROOF_TARGET"),
        };
        let settings = Settings::load(&root, &given, &REGISTRY)?;
        let only = selection.only.clone();
        if let Some(file) = &global.world {
            let world = World::read(file).map_err(|error| {
                let failure = Failure::usage(&error);
                if let Some(hint) = error.hint() { failure.help(hint) } else { failure }
            })?;
            // A plan for that machine has that machine's paths, wherever it is made.
            let root = world.checkout_for(&root);
            let (settings, layout) = (settings.moved_to(&root), Layout::new(&root, out));
            return Ok(Self { root, settings, layout, world, only, recorded: true });
        }
        let layout = Layout::new(&root, out);
        let world = ask(&settings, &layout, cancel)?;
        let context = Self { root, settings, layout, world, only, recorded: false };
        Ok(context)
    }

    /// Asks the machine again, as after something was installed.
    pub(crate) fn ask_again(&mut self, cancel: &Cancel) -> Result<(), Failure> {
        self.world = ask(&self.settings, &self.layout, cancel)?;
        Ok(())
    }

    /// The plan of the selected builds.
    pub(crate) fn plan(&self) -> Result<Plan, Failure> {
        let named = |message: String| {
            // What was said by a variable is named so.
            let typed = Typed::of_this_process().has("--only");
            if typed { message } else { message.replacen("`--only ", "`WHEELPROOF_ONLY=", 1) }
        };
        let plan = plan::make(&self.settings, &self.world, &self.layout, &self.only)
            .map_err(|error| Failure::usage(named(error.to_string())))?;
        if !plan.builds.is_empty() {
            return Ok(plan);
        }
        let all = plan::make(&self.settings, &self.world, &self.layout, &[]).map_err(Failure::usage)?;
        let ids: Vec<String> = all.builds.iter().map(plan::PlannedBuild::scope).collect();
        let failure = if self.only.is_empty() {
            Failure::new(exit::NOTHING, self.settings.nothing_to_build().to_string())
        } else {
            Failure::new(exit::NOTHING, named(format!("`--only {}` selects no build", self.only.join(","))))
                .help(format!("there are: {}", ids.join(", ")))
        };
        Err(failure)
    }
}

/// What this machine has, and the state of the projects' sources.
fn ask(settings: &Settings, layout: &Layout, cancel: &Cancel) -> Result<World, Failure> {
    let cache = layout.cache();
    let runner = Runner::new(&Silent, cancel);
    let mut probe = host::Probe::of_this_process(Some(cache.clone()));
    probe.configured_llvm = settings.llvm_dir();
    probe.configured_compilers = settings.compilers();
    probe.probe_packages = true;
    let mut world = host::probe(&probe, &runner);
    let own = [layout.dist.clone(), layout.state.clone()];
    for project in &settings.projects {
        let file = cache.join(format!("sources-{}.json", project.key));
        let digest = host::sources::digest(&project.dir, &own, Some(&file), &runner).map_err(|error| match error {
            host::sources::SourcesError::Step(error) => Failure::from(error),
            other => Failure::new(exit::STEP, other.to_string()),
        })?;
        world.sources.insert(project.key.clone(), digest);
    }
    cancel.check("looking at this machine")?;
    Ok(world)
}

fn given(values: &[String], flag: &str, variable: &str) -> Option<(Vec<String>, Origin)> {
    if values.is_empty() {
        return None;
    }
    // clap does not say where a value came from once it is parsed; the flag's presence does.
    let origin = if Typed::of_this_process().has(flag) {
        Origin::CommandLine(flag.to_owned())
    } else {
        Origin::Environment(variable.to_owned())
    };
    Some((values.to_vec(), origin))
}

/// `--project`, else the nearest folder upwards that has ci/wheels.yaml, else here.
pub(crate) fn root(global: &Global) -> Result<Utf8PathBuf, Failure> {
    let here =
        std::env::current_dir().map_err(|error| Failure::usage(format!("there is no current folder: {error}")))?;
    let here = Utf8PathBuf::from_path_buf(here)
        .map_err(|path| Failure::usage(format!("`{}` is not UTF-8; paths here must be", path.display())))?;
    match &global.project {
        Some(project) => {
            let said = || variables::said("--project", project.as_str());
            let root = here.join(project);
            let root = disk::real(&root).map_err(|error| Failure::usage(format!("`{}`: {error}", said())))?;
            if root.is_dir() { Ok(root) } else { Err(Failure::usage(format!("`{}` is not a folder", said()))) }
        }
        None => Ok(here.ancestors().find(|dir| dir.join(CONFIG_FILE).is_file()).unwrap_or(&here).to_owned()),
    }
}

/// How talkative this call is.
pub(crate) fn console(global: &Global) -> Console {
    Console::new(talk(global))
}

/// The same as a value.
pub(crate) fn talk(global: &Global) -> Talk {
    let github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    Talk::choose(global.quiet, global.verbose, github)
}

//! The requests to the stages of one build, and their steps.

use crate::locks;
use crate::make::{Planner, fits};
use crate::plan::{PlannedBuild, Stages};
use camino::{Utf8Path, Utf8PathBuf};
use exec::Step;
use host::Interpreter;
use host::toolenv::ToolEnvironment;
use llvm::Linkage;
use platform::paths::join;

impl Planner<'_> {
    pub(crate) fn stages(
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
        remarks.extend(self.newer_glibc());
        let tools_dir = self.layout.tools();
        let build_tools = ToolEnvironment::new(&tools_dir, "build", interpreter, &requirements.text, windows);
        let repair_base = self.repair_interpreter(interpreter);
        let repair_tools =
            ToolEnvironment::new(&tools_dir, "repair", repair_base, locks::for_repair(self.target.key.os), windows);
        let tool_logs = join(&self.layout.state, "logs/tools");
        let steps = |env: &ToolEnvironment| env.steps_by(&self.world.installer, &tool_logs);
        let tools = [&build_tools, &repair_tools].into_iter().map(|env| (env.clone(), steps(env))).collect();
        let epoch = self.epoch;
        let limits = self.settings.time_limits;
        let llvm_major =
            llvm.as_ref().filter(|llvm| llvm.linkage == Linkage::Shared).map(|llvm| llvm.installation.version.major);
        let library_dirs = self.library_dirs(llvm.as_ref());
        let build = build::Request {
            project: planned.project.clone(),
            project_dir: self.project.dir.clone(),
            sources: if from_sdist { build::Sources::Sdist } else { build::Sources::Tree },
            interpreter: interpreter.clone(),
            tools: build_tools,
            target: self.target.key.clone(),
            platform: self.target.platform.clone(),
            llvm,
            backend: self.project.pyproject.backend.clone(),
            config_settings: self.options.config_settings.clone(),
            variables: self.options.environment.clone(),
            before_build: self.options.before_build.clone().unwrap_or_default(),
            imports: self.project.imports.clone(),
            work_dir: join(&work, "build"),
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
            work_dir: join(&work, "repair"),
            log_dir: log_dir.clone(),
            time_limit: limits.step,
            source_date_epoch: epoch,
            llvm_major,
            options: self.repair_options(),
        };
        let verify = verify::Request {
            project_dir: self.project.dir.clone(),
            interpreter: interpreter.clone(),
            imports: self.project.imports.clone(),
            coexist: self.project.coexist.clone(),
            tests: self.project.tests.clone(),
            test_requires: self.options.test_requires.clone().unwrap_or_default(),
            test_extras: self.options.test_extras.clone().unwrap_or_default(),
            work_dir: join(&work, "verify"),
            log_dir: log_dir.clone(),
            test_time_limit: limits.test,
            step_time_limit: limits.step,
            llvm_major,
        };
        let before_all = self.before_all(&build.tools);
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

    fn repair_options(&self) -> repair::Options {
        let asked = &self.settings.repair;
        repair::Options {
            no_mangle: asked.no_mangle.clone(),
            namespace_packages: asked.namespace_packages.clone(),
            existing: if asked.graft_existing { repair::Existing::Graft } else { repair::Existing::Keep },
            ..repair::Options::default()
        }
    }

    /// auditwheel wants a newer Python than the wheel may be for; the newest stable one here serves all builds.
    fn repair_interpreter<'b>(&'b self, own: &'b Interpreter) -> &'b Interpreter {
        let usable = |i: &&Interpreter| {
            (i.has_venv || !self.world.installer.needs_venv())
                && !i.python.free_threaded
                && !i.debug
                && i.python >= locks::OLDEST_FOR_REPAIR
        };
        let candidates = || self.world.interpreters.iter().filter(usable);
        let fitting = candidates().filter(|i| fits(i, &self.target.key)).max_by_key(|i| i.python);
        fitting.or_else(|| candidates().max_by_key(|i| i.python)).unwrap_or(own)
    }

    /// Where the repair looks for libraries: LLVM's first, then what the configuration names.
    fn library_dirs(&self, llvm: Option<&build::LlvmUse>) -> Vec<Utf8PathBuf> {
        let mut dirs = Vec::new();
        if let Some(installation) = llvm.map(|llvm| &llvm.installation) {
            // On Windows a DLL lies with the programs, and the folder of libraries has what it is linked by.
            let beside = installation.shared.as_ref().and_then(|shared| platform::paths::parent(&shared.path));
            if self.target.key.os == platform::Os::Windows {
                dirs.extend(beside.map(Utf8Path::to_owned));
            }
            dirs.push(installation.library_dir.clone());
        }
        dirs.extend(self.settings.repair.lib_dirs.iter().cloned());
        dirs.dedup();
        dirs
    }

    /// Run once per project in a copy of it (`{project}`): what they change on the system stays, the project is as it was.
    /// `python` is the one that the build runs in: not every machine has a program of that name.
    fn before_all(&self, tools: &ToolEnvironment) -> Vec<Step> {
        let logs = join(&self.layout.state, format!("logs/{}", self.project.key));
        let commands = self.options.before_all.iter().flatten();
        commands
            .enumerate()
            .map(|(index, words)| {
                let name = if index == 0 { "before-all".to_owned() } else { format!("before-all-{}", index + 1) };
                let log = join(&logs, format!("{name}.log"));
                let mut words = words.clone();
                if let Some(first) = words.first_mut()
                    && matches!(first.as_str(), "python" | "python3")
                {
                    *first = tools.python.to_string();
                }
                let mut step = Step::new(&name, words, Utf8PathBuf::from("{project}"), log)
                    .with_timeout(self.settings.time_limits.build);
                for (variable, value) in &self.options.environment {
                    step = step.with_env(variable, value);
                }
                step
            })
            .collect()
    }
}

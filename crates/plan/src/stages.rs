//! The requests to the stages of one build, and their steps.

use crate::locks;
use crate::make::Planner;
use crate::plan::{PlannedBuild, Stages};
use camino::Utf8PathBuf;
use exec::Step;
use host::Interpreter;
use host::toolenv::ToolEnvironment;
use llvm::Linkage;

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
            options: repair::Options::default(),
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

    /// `SOURCE_DATE_EPOCH` of the environment, else the time of the commit that is checked out, else a fixed one:
    /// 1980-02-01, which every archive format can hold.
    fn source_date_epoch(&self) -> u64 {
        const FALLBACK: u64 = 318_211_200;
        let own = self.options.environment.get("SOURCE_DATE_EPOCH").or_else(|| self.world.env.get("SOURCE_DATE_EPOCH"));
        let committed = || self.world.sources.get(&self.project.key).and_then(|sources| sources.commit_time);
        own.and_then(|text| text.parse().ok()).or_else(committed).unwrap_or(FALLBACK)
    }
}

//! The steps of each tier: what is run, how long it may take, and what its end means.

use super::foreign::{Foreign, TARGETS, Target, Toolchain};
use super::tally::{self, Tally};
use super::tools::{Deny, Tools};
use super::{Session, Tier, say};
use exec::{Runner, StepError};
use std::fmt::Write as _;

/// How the result of a step is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// As one check.
    One,
    /// As many tests as `cargo test` says.
    Tests,
}

/// One step of a tier: a command, or why there is none.
pub(crate) struct TestStep {
    pub(crate) name: String,
    work: Result<Work, String>,
}

struct Work {
    argv: Vec<String>,
    env: Vec<(String, String)>,
    /// Seconds.
    limit: u64,
    counts: Counts,
    /// What has to be made before; when that fails the check is skipped.
    first: Option<exec::Step>,
}

impl TestStep {
    fn check(name: &str, argv: &[&str], minutes: u64) -> Self {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        Self {
            name: name.to_owned(),
            work: Ok(Work { argv, env: Vec::new(), limit: minutes * 60, counts: Counts::One, first: None }),
        }
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        if let Ok(work) = &mut self.work {
            work.env.push((variable.to_owned(), value.to_owned()));
        }
        self
    }

    fn without(mut self, variable: &str) -> Self {
        if let Ok(work) = &mut self.work {
            work.env.retain(|(name, _)| name != variable);
        }
        self
    }

    /// With further arguments at the end.
    fn and(mut self, arguments: &[&str]) -> Self {
        if let Ok(work) = &mut self.work {
            work.argv.extend(arguments.iter().map(|word| (*word).to_owned()));
        }
        self
    }

    fn counting_tests(mut self) -> Self {
        if let Ok(work) = &mut self.work {
            work.counts = Counts::Tests;
        }
        self
    }

    fn after(mut self, step: &exec::Step) -> Self {
        if let Ok(work) = &mut self.work {
            work.first = Some(step.clone());
        }
        self
    }

    fn absent(name: &str, reason: &str) -> Self {
        Self { name: name.to_owned(), work: Err(reason.to_owned()) }
    }

    /// `cargo test` with what the tests find their tools by.
    fn tests(name: &str, selection: &[&str], minutes: u64, tools: &Tools) -> Self {
        let mut argv = vec![tools.cargo.clone(), "test".to_owned(), "--workspace".to_owned()];
        argv.extend(selection.iter().map(|word| (*word).to_owned()));
        argv.extend(["--no-fail-fast", "--", "--show-output"].map(str::to_owned));
        let env = tools.variables().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let work = Work { argv, env, limit: minutes * 60, counts: Counts::Tests, first: None };
        Self { name: name.to_owned(), work: Ok(work) }
    }

    /// Runs it, in what is left of the hour; says what went wrong.
    pub(crate) fn carry_out(&self, session: &Session) -> Tally {
        let work = match &self.work {
            Ok(work) => work,
            Err(reason) => {
                session.console.note(&format!("{}: skipped: {reason}", self.name));
                return Tally::skipped(reason);
            }
        };
        let log = session.logs().join(format!("{}.log", self.name.replace(' ', "-")));
        let limit = work.limit.min(session.left().as_secs().max(1));
        let mut step = exec::Step::new(&self.name, work.argv.iter().cloned(), &session.root, &log).with_timeout(limit);
        for (name, value) in &work.env {
            step = step.with_env(name, value);
        }
        let runner = Runner::new(&session.console, &session.cancel).streaming(session.console.streaming);
        if let Some(Err(error)) = work.first.as_ref().map(|first| runner.run(first)) {
            return Tally::skipped(&error.to_string());
        }
        let ended = runner.run(&step);
        let text = fs_err::read_to_string(&log).unwrap_or_default();
        let mut tally = match (work.counts, &ended) {
            (Counts::Tests, _) => Tally::of_cargo_test(&text),
            (Counts::One, Ok(_)) => Tally::passed(),
            (Counts::One, Err(_)) => Tally::default(),
        };
        if let Err(error) = &ended {
            // It did not get as far as its tests, or not to their end.
            tally.failed = tally.failed.max(1);
            if !session.console.streaming && !matches!(error, StepError::Cancelled { .. }) {
                say(&shown(work.counts, &text));
            }
            say(&format!("{error}\n  log: {log}"));
        } else if work.counts == Counts::Tests && tally == Tally::default() {
            say(&format!("{}: no test ran at all\n  log: {log}", self.name));
            tally = Tally::failed();
        }
        tally
    }
}

fn shown(counts: Counts, text: &str) -> String {
    match counts {
        Counts::Tests => tally::failures(text),
        Counts::One => {
            const PROGRESS: [&str; 5] = ["Checking ", "Compiling ", "Downloaded ", "Downloading ", "# "];
            let progress = |line: &&str| PROGRESS.iter().any(|word| line.trim_start().starts_with(word));
            let lines: Vec<&str> = text.lines().filter(|line| !progress(line)).collect();
            lines.get(lines.len().saturating_sub(200)..).unwrap_or_default().join("\n")
        }
    }
}

/// The steps of a tier, in order.
pub(crate) fn of(tier: Tier, session: &Session, tools: &Tools, foreign: Option<&Foreign>) -> Vec<TestStep> {
    match tier {
        Tier::Systems => foreign.map(|foreign| systems(tools, foreign)).unwrap_or_default(),
        Tier::Quick => quick(session, tools),
        Tier::Real => vec![
            TestStep::tests("real tests", &["--test", "real"], 30, tools),
            TestStep::tests("real repairs", &["--test", "repairing"], 12, tools).with("WHEELPROOF_REAL", "1"),
        ],
        Tier::Published => published(session, tools, foreign),
    }
}

fn quick(session: &Session, tools: &Tools) -> Vec<TestStep> {
    let cargo = tools.cargo.as_str();
    let component = |name: &str, component: &str, argv: &[&str], minutes: u64| {
        if tools.components.contains(component) {
            return TestStep::check(name, argv, minutes);
        }
        TestStep::absent(name, &format!("this Rust has no {component}; `rustup component add {component}`"))
    };
    let mut steps = vec![
        component("formatting", "rustfmt", &[cargo, "fmt", "--all", "--check"], 2),
        component("lints", "clippy", &[cargo, "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], 15),
        TestStep::check("generated pages", &[tools.program.as_str(), "docs", "--check"], 1),
        TestStep::tests("quick tests", &[], 25, tools),
    ];
    let workflows = session.root.join(".github/workflows");
    match &tools.oracle {
        Ok(oracle) => {
            let zizmor = oracle.programs.join("zizmor");
            let configuration = session.root.join("ci/zizmor.yml");
            steps.push(TestStep::check(
                "workflow security",
                &[zizmor.as_str(), "--offline", "--config", configuration.as_str(), workflows.as_str()],
                2,
            ));
            let mut argv = vec![oracle.python.to_string(), "-m".to_owned(), "check_jsonschema".to_owned()];
            argv.extend(["--builtin-schema", "vendor.github-workflows"].map(str::to_owned));
            argv.extend(yaml_files(&workflows));
            steps.push(TestStep::check("workflow syntax", &argv.iter().map(String::as_str).collect::<Vec<_>>(), 2));
        }
        Err(reason) => {
            steps.push(TestStep::absent("workflow security", reason));
            steps.push(TestStep::absent("workflow syntax", reason));
        }
    }
    let deny = |program: &str| TestStep::check("dependencies", &[program, "check", "bans", "licenses", "sources"], 3);
    steps.push(match &tools.deny {
        Deny::Here(program) => deny(program.as_str()),
        Deny::AfterCompiling { program, step } => deny(program.as_str()).after(step),
        Deny::Absent(reason) => TestStep::absent("dependencies", reason),
    });
    steps
}

/// The crates whose own tests run on Windows too: what calls the system, what reads and writes files, what handles paths.
const ON_WINDOWS: [&str; 9] = [
    "wheelproof-exec",
    "wheelproof-disk",
    "wheelproof-wheel",
    "wheelproof-objfile",
    "wheelproof-diagnostics",
    "wheelproof-platform",
    "wheelproof-linkage",
    "wheelproof-llvm",
    "wheelproof-host",
];

/// The program for Windows and macOS: built, linted, run under wine and read back.
fn systems(tools: &Tools, foreign: &Foreign) -> Vec<TestStep> {
    let mut steps = Vec::new();
    for (target, toolchain) in TARGETS.iter().zip(&foreign.toolchains) {
        let name = format!("{} program", target.system);
        match toolchain {
            Ok(toolchain) => {
                steps.push(for_target(&name, &["build"], &["-p", "wheelproof"], 20, tools, (target, toolchain)));
            }
            Err(reason) => steps.push(TestStep::absent(&name, reason)),
        }
    }
    if let Err(reason) = &foreign.wine {
        steps.push(TestStep::absent("wine", reason));
    }
    steps.push(both("both systems", tools, foreign).and(&["--skip", PUBLISHED_UNDER_WINE]));
    for (target, toolchain) in TARGETS.iter().zip(&foreign.toolchains) {
        let name = format!("{} lints", target.system);
        if let Ok(toolchain) = toolchain
            && toolchain.lints
            && tools.components.contains("clippy")
        {
            let selection = ["--workspace", "--all-targets"];
            let step = for_target(&name, &["clippy"], &selection, 15, tools, (target, toolchain));
            steps.push(step.and(&["--", "-D", "warnings"]));
        } else {
            steps.push(TestStep::absent(&name, "clippy needs the target in the Rust that it belongs to"));
        }
    }
    if let (Some(Ok(toolchain)), Ok(wine)) = (foreign.toolchains.first(), &foreign.wine) {
        let target = &TARGETS[0];
        let runner = format!("target.{}.runner=['{}']", target.triple, wine.runner);
        let selection: Vec<&str> = ON_WINDOWS.iter().flat_map(|name| ["-p", name]).collect();
        let step =
            for_target("windows tests", &["test", "--config", &runner], &selection, 15, tools, (target, toolchain));
        // Programs of this system, which wine would find there and cannot talk to.
        let step = step.with("PYENV_ROOT", "");
        steps.push(step.and(&["--no-fail-fast", "--", "--show-output"]).counting_tests());
    }
    steps
}

/// The test of tests/wine on wheels that others published, which come with a later tier.
const PUBLISHED_UNDER_WINE: &str = "published_wheels_are_proven_the_same";

/// What the programs of both systems say, compared.
fn both(name: &str, tools: &Tools, foreign: &Foreign) -> TestStep {
    // The program itself, not the one with this repository's own commands.
    let mut step = TestStep::tests(name, &["--test", "wine"], 12, tools).without("WHEELPROOF_BIN");
    for (target, toolchain) in TARGETS.iter().zip(&foreign.toolchains) {
        if let Ok(toolchain) = toolchain {
            let variable = format!("WHEELPROOF_{}_BIN", target.system.to_uppercase());
            step = step.with(&variable, toolchain.program(target).as_str());
        }
    }
    match &foreign.wine {
        Ok(wine) => step.with("WHEELPROOF_WINE", wine.runner.as_str()),
        Err(_) => step,
    }
}

/// Cargo for another system.
fn for_target(
    name: &str,
    command: &[&str],
    selection: &[&str],
    minutes: u64,
    tools: &Tools,
    (target, toolchain): (&Target, &Toolchain),
) -> TestStep {
    let mut argv = vec![tools.cargo.as_str()];
    argv.extend(command);
    argv.extend(toolchain.options.iter().map(String::as_str));
    argv.extend(["--target", target.triple]);
    argv.extend(selection);
    let step = TestStep::check(name, &argv, minutes);
    toolchain.env.iter().fold(step, |step, (variable, value)| step.with(variable, value))
}

fn published(session: &Session, tools: &Tools, foreign: Option<&Foreign>) -> Vec<TestStep> {
    let (name, under_wine) = ("published wheels", "published on windows");
    let there = session
        .root
        .join("crates")
        .read_dir_utf8()
        .is_ok_and(|crates| crates.flatten().any(|one| one.path().join("tests/published.rs").is_file()));
    match (&tools.oracle, there) {
        (_, false) => vec![TestStep::absent(name, "no crate has tests on published wheels yet")],
        (Err(reason), _) => vec![TestStep::absent(name, reason)],
        (Ok(oracle), true) => {
            let script = session.root.join("ci/wheelhouse.py");
            let folder = tools.wheelhouse.as_str();
            let python = oracle.python.as_str();
            vec![
                TestStep::check("wheelhouse", &[python, script.as_str(), folder, "--minutes", "8"], 10),
                TestStep::tests(name, &["--test", "published", "--test", "proof_published"], 15, tools)
                    .with("WHEELPROOF_WHEELHOUSE", folder),
                foreign.map_or_else(
                    || TestStep::absent(under_wine, "the systems tier builds the program for it; run all tiers"),
                    |foreign| {
                        let step = both(under_wine, tools, foreign).and(&[PUBLISHED_UNDER_WINE]);
                        step.with("WHEELPROOF_WHEELHOUSE", folder)
                    },
                ),
            ]
        }
    }
}

fn yaml_files(folder: &camino::Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut files: Vec<String> = entries
        .map(|entry| entry.path().to_string())
        .filter(|path| [".yml", ".yaml"].iter().any(|ending| path.ends_with(ending)))
        .collect();
    files.sort();
    files
}

/// What would be run, one line each.
pub(crate) fn listed(session: &Session, tiers: &[Tier]) -> String {
    let tools = Tools::planned(session);
    let foreign = Foreign::planned(session);
    let mut out = String::new();
    for tier in tiers {
        for step in of(*tier, session, &tools, Some(&foreign)) {
            let what = match &step.work {
                Ok(work) => work.argv.join(" ").replace(&format!("{}/", session.root), ""),
                Err(reason) => format!("skipped: {reason}"),
            };
            let _ = writeln!(out, "{:<10} {:<18} {what}", tier.name(), step.name);
        }
    }
    out
}

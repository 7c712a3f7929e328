//! `test`: the project's own tests, all tiers, with what they need.
//!
//! A tier is a list of steps; each step is one child process with a log, a time limit and a result in numbers. What a test
//! needs and does not find makes it say `skipped: <reason>`; those lines are counted and shown.

mod foreign;
mod provide;
mod steps;
mod tally;
mod tools;

use camino::{Utf8Path, Utf8PathBuf};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use exec::{Cancel, Ending, Event, Events};
use foreign::Foreign;
use std::time::{Duration, Instant};
use tally::{Row, Tally};
use wheelproof::{Extra, exit};

/// The whole run: README promises an hour on two cores, from nothing.
const BUDGET: Duration = Duration::from_secs(58 * 60);

/// The command.
pub(crate) fn extra() -> Extra {
    let tier = Arg::new("tier")
        .long("tier")
        .value_name("TIER")
        .default_value("all")
        .value_parser(PossibleValuesParser::new(["quick", "systems", "real", "published", "all"]))
        .help("quick: no build, no system package; systems: the program for Windows and macOS; real: builds and imports; published: other people's wheels");
    let provision = Arg::new("provision")
        .long("provision")
        .action(ArgAction::SetTrue)
        .help("Install what the tests need with the system's package manager");
    let list = Arg::new("list")
        .long("list")
        .action(ArgAction::SetTrue)
        .help("Show the steps and what is missing here, and run nothing");
    let command = Command::new("test").about("Run the project's own tests, all tiers").args([tier, provision, list]);
    Extra { command, run }
}

/// How much is tested, from what runs everywhere to what needs most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Nothing but Rust, git and Python; seconds, once compiled.
    Quick,
    /// The program for the other systems, and under wine.
    Systems,
    /// Real compilers, real LLVM, real imports.
    Real,
    /// Wheels that others published.
    Published,
}

impl Tier {
    const ALL: [Self; 4] = [Self::Quick, Self::Systems, Self::Real, Self::Published];

    fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Systems => "systems",
            Self::Real => "real",
            Self::Published => "published",
        }
    }
}

/// What every step needs to know.
pub(crate) struct Session {
    /// The repository.
    root: Utf8PathBuf,
    /// target/wheelproof of the repository.
    state: Utf8PathBuf,
    cancel: Cancel,
    console: Console,
    begun: Instant,
}

impl Session {
    fn logs(&self) -> Utf8PathBuf {
        self.state.join("logs/test")
    }

    /// What is left of the hour.
    fn left(&self) -> Duration {
        BUDGET.saturating_sub(self.begun.elapsed())
    }
}

fn run(matches: &ArgMatches) -> u8 {
    match tested(matches) {
        Ok(code) => code,
        Err(trouble) => {
            say(&format!("error: {}", trouble.message));
            if let Some(help) = &trouble.help {
                say(&format!("  = help: {help}"));
            }
            trouble.code
        }
    }
}

/// What ends the run before its table.
pub(crate) struct Trouble {
    code: u8,
    message: String,
    help: Option<String>,
}

impl Trouble {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }
}

fn tested(matches: &ArgMatches) -> Result<u8, Trouble> {
    let flag = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false);
    let tier = matches.get_one::<String>("tier").map_or("all", String::as_str);
    let tiers: Vec<Tier> = Tier::ALL.into_iter().filter(|one| tier == "all" || tier == one.name()).collect();
    let manifest = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.parent().unwrap_or(manifest).to_owned();
    let cancel = Cancel::on_interrupt()
        .map_err(|error| Trouble::new(exit::OURS, format!("signals cannot be handled: {error}")))?;
    let session = Session {
        state: root.join("target/wheelproof"),
        root,
        cancel,
        console: Console { quiet: flag("quiet"), streaming: flag("verbose") },
        begun: Instant::now(),
    };
    let mut world = provide::ask(&session);
    if flag("list") {
        print(&steps::listed(&session, &tiers));
        print(&provide::missing(&world).unwrap_or_else(|| "Nothing is missing.".to_owned()));
        return Ok(exit::FINE);
    }
    if flag("provision") {
        provide::install(&session, &mut world)?;
    }
    if let Some(missing) = provide::missing(&world) {
        say(&missing);
    }
    let tools = tools::prepare(&session, &world, flag("provision"));
    let mut rows = Vec::new();
    let mut foreign = None;
    for tier in tiers {
        if tier == Tier::Systems {
            // Only now: installing compilers for other systems would keep the first answers waiting.
            foreign = Some(Foreign::prepare(&session, &world, &tools, flag("provision")));
        }
        for step in steps::of(tier, &session, &tools, foreign.as_ref()) {
            if let Some(reason) = session.cancel.reason() {
                return Err(Trouble::new(exit::INTERRUPTED, reason.to_string()));
            }
            let begun = Instant::now();
            let tally = if session.left().is_zero() {
                Tally::skipped("the run's hour is over")
            } else {
                step.carry_out(&session)
            };
            rows.push(Row { tier: tier.name(), step: step.name, tally, seconds: begun.elapsed().as_secs_f64() });
        }
    }
    if let Some(reason) = session.cancel.reason() {
        return Err(Trouble::new(exit::INTERRUPTED, reason.to_string()));
    }
    print(&tally::table(&rows));
    let total = tally::total(&rows);
    print(&total.to_string());
    Ok(if total.failed == 0 { exit::FINE } else { exit::STEP })
}

/// Tells on stderr what goes on.
pub(crate) struct Console {
    quiet: bool,
    streaming: bool,
}

impl Console {
    fn note(&self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }
}

impl Events for Console {
    fn emit(&self, event: &Event) {
        let text = match event {
            Event::Started { step, command_line, .. } => format!("{step}: {command_line}"),
            Event::Ended { step, seconds, status, .. } => {
                let word = match status {
                    Ending::Succeeded => "done",
                    Ending::Failed => "FAILED",
                    Ending::TimedOut => "TIMED OUT",
                    Ending::Cancelled => "stopped",
                };
                format!("{step}: {word} in {seconds:.1} s")
            }
            Event::Output { line, .. } => line.clone(),
            Event::Note { text, .. } | Event::Warning { text, .. } | Event::Waiting { text, .. } => text.clone(),
        };
        self.note(&text);
    }
}

#[allow(clippy::print_stderr)] // a command of this repository alone: it talks to whoever typed it
fn say(text: &str) {
    eprintln!("{text}");
}

#[allow(clippy::print_stdout)] // the result is data
fn print(text: &str) {
    println!("{text}");
}

//! What can be typed. What it means is each command's own business.

use crate::cmd::{diff::DiffArgs, repair::RepairArgs, show::ShowArgs, verify::VerifyArgs};
use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;

/// Builds wheels that import anywhere, or says exactly why not.
#[derive(Debug, Parser)]
#[command(name = "wheelproof", bin_name = "cargo xtask", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 findings at error level, 2 usage or configuration, 3 something of the environment is \
missing, 4 a step failed, 5 nothing selected, 70 a fault of this program, 130 interrupted.";

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The folder with ci/wheels.yaml (or with a pyproject.toml); by default the nearest one upwards from here
    #[arg(long, global = true, value_name = "DIR", env = "WHEELPROOF_PROJECT")]
    pub project: Option<Utf8PathBuf>,
    /// Stream the tools' own output
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print the verdict only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Take what is known of the machine from a file instead of asking it (only for commands that change nothing)
    #[arg(long, global = true, value_name = "FILE", env = "WHEELPROOF_WORLD")]
    pub world: Option<Utf8PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build, repair, prove: dist/ holds the wheels that passed
    Wheels(WheelsArgs),
    /// The CI matrix of the same plan, as JSON
    Matrix(MatrixArgs),
    /// What the plan needs here, what was found where, and how to get the rest
    Doctor(DoctorArgs),
    /// Which symbols will break, on which Python, on which platform, and what to use instead
    Symbols(SymbolsArgs),
    /// What is in a wheel: the tree of libraries, who needs what, sizes, policy, why not a more widely usable one
    Show(ShowArgs),
    /// Will it import on a clean machine: proven, refuted (why) or assumed (what), and the import itself where it can run
    Verify(VerifyArgs),
    /// What changed between two wheels: libraries, symbols, floors, sizes, tags
    Diff(DiffArgs),
    /// Give a wheel the libraries that it needs, by the tool of its platform
    Repair(RepairArgs),
    /// The page of a rule: why it is there, how to fix what it finds, an example
    Explain(ExplainArgs),
}

/// Which builds.
#[derive(Debug, Clone, Args)]
pub(crate) struct Selection {
    /// Only builds that match, by globs over `id` or `project/id`, such as `cp313-*`
    #[arg(long, value_name = "GLOB", value_delimiter = ',', env = "WHEELPROOF_ONLY")]
    pub only: Vec<String>,
    /// For these Pythons instead of the configured ones: `3.13`, `cp313t`, `>=3.11`
    #[arg(long, value_name = "PYTHON", env = "WHEELPROOF_PYTHON", num_args = 1)]
    pub python: Vec<String>,
    /// For these targets only, such as `linux-x86_64`
    #[arg(long, value_name = "TARGET", value_delimiter = ',', env = "WHEELPROOF_TARGET")]
    pub target: Vec<String>,
}

/// `wheels`.
#[derive(Debug, Args)]
pub(crate) struct WheelsArgs {
    /// Which builds.
    #[command(flatten)]
    pub selection: Selection,
    /// Show what would be done, with every command line, and why something will not run here
    #[arg(long)]
    pub plan: bool,
    /// With --plan: show where each setting came from
    #[arg(long, requires = "plan")]
    pub explain: bool,
    /// Install what the plan needs with the system's package manager
    #[arg(long, conflicts_with = "plan", env = "WHEELPROOF_PROVISION")]
    pub provision: bool,
    /// Build even if nothing changed since the last time
    #[arg(long, env = "WHEELPROOF_FORCE")]
    pub force: bool,
    /// Go on with the other builds after one failed
    #[arg(long, env = "WHEELPROOF_KEEP_GOING")]
    pub keep_going: bool,
    /// How many builds run at once; by default as many as cores and memory allow
    #[arg(short, long, value_name = "N", value_parser = jobs, env = "WHEELPROOF_JOBS")]
    pub jobs: Option<NonZeroUsize>,
    /// Where the wheels go instead of dist/
    #[arg(short = 'w', long, value_name = "DIR", env = "WHEELPROOF_OUT")]
    pub out: Option<Utf8PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
}

/// A number of builds; the error is the end of a sentence that clap begins.
fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "it is a number from 1 on; without it, cores and memory decide".to_owned())
}

/// How a plan or a run is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a step summary.
    Markdown,
}

/// `matrix`.
#[derive(Debug, Args)]
pub(crate) struct MatrixArgs {
    /// Which builds.
    #[command(flatten)]
    pub selection: Selection,
    /// For which CI system
    #[arg(long, value_enum, default_value_t = MatrixFormat::Json)]
    pub format: MatrixFormat,
}

/// For which CI system a matrix is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    /// One line for `strategy.matrix`: {"include": […]}
    Github,
    /// A list of jobs, indented
    Json,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Which builds.
    #[command(flatten)]
    pub selection: Selection,
    /// Write what is known of this machine to a file, for --world
    #[arg(long, value_name = "FILE")]
    pub save_world: Option<Utf8PathBuf>,
}

/// `symbols`.
#[derive(Debug, Args)]
pub(crate) struct SymbolsArgs {
    /// Wheels, extensions, libraries, objects, archives, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,
    /// Judge by these Pythons instead of the ones that tags and file names say: `3.13`, `cp313t`, `>=3.11`
    #[arg(long, value_name = "PYTHON", num_args = 1)]
    pub python: Vec<String>,
    /// Look for the names in these sources and point to the lines
    #[arg(long, value_name = "DIR")]
    pub source: Vec<Utf8PathBuf>,
    /// How the findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "sarif", "github", "markdown"])]
    pub format: String,
}

/// `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A rule's name or code, such as `missing-symbol` or `PY101`; without one, all are listed
    pub rule: Option<String>,
    /// How the page is printed
    #[arg(long, default_value = "text", value_parser = ["text", "markdown"])]
    pub format: String,
}

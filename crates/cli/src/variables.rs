//! The `WHEELPROOF_…` variables: what each says, which of them says nothing, and what none of them is.
//!
//! clap reads them beside the flags. What it does not do is done here: an empty one is as good as none, a switch takes every
//! usual word, a format counts for the commands that have it, and an error names the variable, not a flag nobody typed.

use crate::exit::Failure;
use clap::builder::{BoolishValueParser, Resettable};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use std::error::Error as _;
use std::ffi::OsString;

const PREFIX: &str = "WHEELPROOF_";

/// How results are printed, for every command that has the format.
const FORMAT: &str = "WHEELPROOF_FORMAT";

/// Its format says for which CI system the jobs are, and is no matter of taste.
const WITHOUT_FORMAT: &str = "matrix";

/// What steps and tests of this program tell each other; docs/testing.md has the tests'. Those that begin with
/// `WHEELPROOF_TEST_` are the tests' too.
const INTERNAL: [&str; 15] = [
    "WHEELPROOF_AUDITWHEEL",
    "WHEELPROOF_BIN",
    "WHEELPROOF_BLESS",
    "WHEELPROOF_LOADED_DIR",
    "WHEELPROOF_MACOS_BIN",
    "WHEELPROOF_ORACLE_PYTHON",
    "WHEELPROOF_PAIRS",
    "WHEELPROOF_REAL",
    "WHEELPROOF_SARIF_SCHEMA",
    "WHEELPROOF_STEP",
    "WHEELPROOF_TOOLS",
    "WHEELPROOF_VERBOSE",
    "WHEELPROOF_WHEELHOUSE",
    "WHEELPROOF_WINDOWS_BIN",
    "WHEELPROOF_WINE",
];

/// What was typed.
pub(crate) struct Typed(Vec<String>);

impl Typed {
    /// The arguments of this process.
    pub(crate) fn of_this_process() -> Self {
        Self(std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect())
    }

    /// Whether the flag stands among them, such as `--jobs`; a value is none, as none begins so.
    pub(crate) fn has(&self, flag: &str) -> bool {
        let given = self.0.iter().skip(1).take_while(|argument| *argument != "--");
        given
            .into_iter()
            .any(|argument| argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
    }

    fn asks_for_help(&self) -> bool {
        self.0.iter().any(|argument| matches!(argument.as_str(), "-h" | "--help" | "help"))
    }

    fn has_arg(&self, arg: &Arg) -> bool {
        let short = |letter: char| self.0.iter().any(|argument| argument.starts_with(&format!("-{letter}")));
        arg.get_long().is_some_and(|long| self.has(&format!("--{long}"))) || arg.get_short().is_some_and(short)
    }
}

/// What is said by a flag or by its variable, as an error is to name it: `--only cp313-*`, `WHEELPROOF_ONLY=cp313-*`.
pub(crate) fn said(flag: &str, value: &str) -> String {
    if Typed::of_this_process().has(flag) { format!("{flag} {value}") } else { format!("{}={value}", variable(flag)) }
}

/// `WHEELPROOF_ONLY` of `--only`.
pub(crate) fn variable(flag: &str) -> String {
    format!("{PREFIX}{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase())
}

fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.to_string_lossy().trim().is_empty())
}

/// Whether any variable could be one of ours: without one there is nothing to look after, which most calls are spared.
fn any_is_set() -> bool {
    std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with(PREFIX))
}

/// The commands with the variables as they count in this call, and as a help shows them.
pub(crate) fn counted(command: Command, typed: &Typed) -> Command {
    if !any_is_set() && !typed.asks_for_help() {
        return command;
    }
    let formats: Vec<String> = command.get_subcommands().flat_map(formats_of).collect();
    own(command, typed).mut_subcommands(|command| {
        let offered = formats_of(&command);
        let mut command = own(command, typed);
        if !offered.is_empty() {
            let asked = value(FORMAT).map(|value| value.to_string_lossy().into_owned());
            // A word that no command knows is a mistake; one that another command knows is not meant for this one.
            let passes = asked.as_ref().is_some_and(|asked| offered.contains(asked) || !formats.contains(asked));
            let set = std::env::var_os(FORMAT).is_some();
            let reads = if passes || !set { Resettable::Value(FORMAT.into()) } else { Resettable::Reset };
            command = command.mut_arg("format", |arg| arg.env(reads));
        }
        command
    })
}

/// The formats that a command offers.
fn formats_of(command: &Command) -> Vec<String> {
    let format = command.get_arguments().find(|arg| arg.get_id() == "format" && command.get_name() != WITHOUT_FORMAT);
    let values = format.into_iter().flat_map(Arg::get_possible_values);
    values.map(|value| value.get_name().to_owned()).collect()
}

/// A command's own arguments: switches in every usual word, without variables that are empty or that cannot be meant
/// together with what was typed.
fn own(command: Command, typed: &Typed) -> Command {
    let known = command.clone();
    command.mut_args(|arg| {
        let Some(name) = arg.get_env().map(|name| name.to_string_lossy().into_owned()) else { return arg };
        let out = known.get_arg_conflicts_with(&arg).into_iter().any(|other| typed.has_arg(other));
        let arg = if matches!(arg.get_action(), ArgAction::SetTrue) {
            arg.value_parser(BoolishValueParser::new())
        } else {
            arg
        };
        let empty = std::env::var_os(&name).is_some() && value(&name).is_none();
        if empty || out { arg.env(Resettable::Reset) } else { arg }
    })
}

/// The error of a variable; none if it is one of what was typed.
pub(crate) fn fault(error: &clap::Error, command: &Command, typed: &Typed) -> Option<Failure> {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let flag = text(ContextKind::InvalidArg)?.split([' ', '=']).next()?.strip_prefix("--")?;
    let all = command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments));
    let arg = all.into_iter().find(|arg| arg.get_long() == Some(flag) && arg.get_env().is_some())?;
    if typed.has_arg(arg) {
        return None;
    }
    let name = arg.get_env()?.to_string_lossy().into_owned();
    let given = value(&name)?.to_string_lossy().into_owned();
    let message = format!("`{name}={}` is not what can stand there", diagnostics::printable(&given));
    let failure = Failure::usage(message);
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return Some(failure.help("it is `1`, `true` or `yes`, or `0`, `false` or `no`"));
    }
    let allowed: Vec<String> = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(allowed)) => allowed.clone(),
        _ => Vec::new(),
    };
    if allowed.is_empty() {
        return Some(match error.source() {
            Some(reason) => failure.help(reason.to_string()),
            None => failure,
        });
    }
    let all = allowed.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    Some(failure.help(match diagnostics::nearest(&given, allowed.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? There are {all}"),
        None => format!("there are {all}"),
    }))
}

/// A sentence for each variable that looks like one of ours and is none; `command` as it was before [`counted`].
pub(crate) fn strangers(command: impl FnOnce() -> Command) -> Vec<String> {
    if !any_is_set() {
        return Vec::new();
    }
    let command = command();
    let own = command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments));
    let mut known: Vec<String> = own.filter_map(|arg| Some(arg.get_env()?.to_string_lossy().into_owned())).collect();
    known.push(FORMAT.to_owned());
    known.sort();
    known.dedup();
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut strangers: Vec<String> = set
        .filter(|name| name.starts_with(PREFIX) && !name.starts_with("WHEELPROOF_TEST_"))
        .filter(|name| !known.contains(name) && !INTERNAL.contains(&name.as_str()))
        .collect();
    strangers.sort();
    let told = |name: String| {
        let near = diagnostics::nearest(&name, known.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("`{}` is set and is no variable of this program{near}", diagnostics::printable(&name))
    };
    strangers.into_iter().map(told).collect()
}

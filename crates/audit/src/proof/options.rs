//! What a proof is asked.

use crate::stop::Stop;
use camino::Utf8PathBuf;
use capi::Python;

/// How a wheel is proven. The default is what holds before a release: a clean machine of the oldest kind that the tags
/// stand for.
#[derive(Debug, Clone, Default)]
pub struct ProofOptions {
    /// Folders (absolute) where libraries lie that a wheel which is not repaired yet needs. What is found there is assumed.
    pub lib_dirs: Vec<Utf8PathBuf>,
    /// Look into this machine's own library folders as well. What is found there is assumed.
    pub host: bool,
    /// Libraries (`*` and `?` in their names stand for anything) that were left out of the wheel on purpose: somebody else has to bring them,
    /// which is assumed and named.
    pub excluded: Vec<String>,
    /// These Pythons instead of those that the tags stand for.
    pub pythons: Vec<Python>,
    /// The most bytes that the wheel may have; without it 100 MB, and more is only a warning.
    pub budget: Option<u64>,
    /// The path that findings name instead of the given one.
    pub shown: Option<Utf8PathBuf>,
    /// Ends the proof early, with [`crate::OpenError::Stopped`].
    pub stop: Stop,
}

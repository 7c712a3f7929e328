//! Where everything of a run lies below the root.

use camino::{Utf8Path, Utf8PathBuf};
use platform::paths::join;

/// Where everything of a run lies below the root.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The finished wheels and the report.
    pub dist: Utf8PathBuf,
    /// Everything else: `target/wheelproof`.
    pub state: Utf8PathBuf,
}

impl Layout {
    /// The layout below a root, written as the root is; `out` replaces `dist/`.
    pub fn new(root: &Utf8Path, out: Option<&Utf8Path>) -> Self {
        Self { dist: join(root, out.map_or("dist", Utf8Path::as_str)), state: join(root, "target/wheelproof") }
    }

    /// Environments of tools.
    pub fn tools(&self) -> Utf8PathBuf {
        join(&self.state, "tools")
    }

    /// The folder that a build owns.
    pub fn work(&self, project: &str, id: &str) -> Utf8PathBuf {
        join(&self.state, format!("work/{project}/{id}"))
    }

    /// The logs of a build.
    pub fn logs(&self, project: &str, id: &str) -> Utf8PathBuf {
        join(&self.state, format!("logs/{project}/{id}"))
    }

    /// Answers that are asked once: interpreters, digests of sources.
    pub fn cache(&self) -> Utf8PathBuf {
        join(&self.state, "cache")
    }

    /// What is known of a proven wheel.
    pub fn record(&self, project: &str, id: &str) -> Utf8PathBuf {
        join(&self.state, format!("proven/{project}/{id}.json"))
    }
}

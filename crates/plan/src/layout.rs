//! Where everything of a run lies below the root.

use camino::{Utf8Path, Utf8PathBuf};

/// Where everything of a run lies below the root.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The finished wheels and the report.
    pub dist: Utf8PathBuf,
    /// Everything else: `target/wheelproof`.
    pub state: Utf8PathBuf,
}

impl Layout {
    /// The layout below a root; `out` replaces `dist/`.
    pub fn new(root: &Utf8Path, out: Option<&Utf8Path>) -> Self {
        let dist = out.map_or_else(|| root.join("dist"), |out| root.join(out));
        Self { dist, state: root.join("target/wheelproof") }
    }

    /// Environments of tools.
    pub fn tools(&self) -> Utf8PathBuf {
        self.state.join("tools")
    }

    /// The folder that a build owns.
    pub fn work(&self, project: &str, id: &str) -> Utf8PathBuf {
        self.state.join("work").join(project).join(id)
    }

    /// The logs of a build.
    pub fn logs(&self, project: &str, id: &str) -> Utf8PathBuf {
        self.state.join("logs").join(project).join(id)
    }

    /// Answers that are asked once: interpreters, digests of sources.
    pub fn cache(&self) -> Utf8PathBuf {
        self.state.join("cache")
    }

    /// What is known of a proven wheel.
    pub fn record(&self, project: &str, id: &str) -> Utf8PathBuf {
        self.state.join("proven").join(project).join(format!("{id}.json"))
    }
}

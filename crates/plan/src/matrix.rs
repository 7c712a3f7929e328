//! The CI matrix of a Plan: include-only, one entry per build, each with runner and reason.

use crate::plan::Plan;
use platform::{Arch, Os, TargetKey};
use serde::Serialize;

/// GitHub's runners that are the machine of a target, as they were called in 2026. They are free for public repositories;
/// a 32-bit Python runs on 64-bit Windows.
const RUNNERS: [(Os, Arch, &str); 7] = [
    (Os::Linux, Arch::X86_64, "ubuntu-24.04"),
    (Os::Linux, Arch::Arm64, "ubuntu-24.04-arm"),
    (Os::MacOs, Arch::Arm64, "macos-14"),
    (Os::MacOs, Arch::X86_64, "macos-15-intel"),
    (Os::Windows, Arch::X86_64, "windows-2025"),
    (Os::Windows, Arch::I686, "windows-2025"),
    (Os::Windows, Arch::Arm64, "windows-11-arm"),
];

/// Where CI builds a target whose `runner:` says nothing.
pub fn default_runner(target: &TargetKey) -> Option<&'static str> {
    RUNNERS.iter().find(|(os, arch, _)| (*os, *arch) == (target.os, target.arch)).map(|(_, _, runner)| *runner)
}

/// One job.
#[derive(Debug, Clone, Serialize)]
pub struct Job {
    /// The build identifier.
    pub id: String,
    /// The project.
    pub project: String,
    /// `3.13`, `3.13t`: what `actions/setup-python` takes.
    pub python: String,
    /// The target.
    pub target: String,
    /// The runner's label.
    pub runner: String,
    /// The image, empty for none.
    pub container: String,
    /// What `cargo xtask wheels --only` takes for exactly this build.
    pub only: String,
    /// Why the job is there, in words.
    pub reason: String,
}

/// The form that GitHub's `strategy.matrix` takes.
#[derive(Debug, Clone, Serialize)]
pub struct GithubMatrix {
    /// The jobs.
    pub include: Vec<Job>,
}

/// A build has no runner to go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no runner is known for `{target}`, so no CI job can build {id}")]
pub struct NoRunner {
    /// The build.
    pub id: String,
    /// Its target.
    pub target: String,
}

/// The jobs of a plan: every build, wherever it can run; what this machine has does not matter.
///
/// # Errors
/// [`NoRunner`] when a target names none.
pub fn jobs(plan: &Plan) -> Result<Vec<Job>, NoRunner> {
    plan.builds
        .iter()
        .map(|build| {
            let id = build.id.to_string();
            let Some(runner) = build.runner.clone() else {
                return Err(NoRunner { id, target: build.target.clone() });
            };
            let python = build.version.dotted();
            Ok(Job {
                only: format!("{}/{id}", build.project),
                reason: format!(
                    "{} for CPython {python} on {}, platform {}",
                    build.project, build.target, build.platform
                ),
                id,
                project: build.project.clone(),
                python,
                target: build.target.clone(),
                runner,
                container: build.container.clone().unwrap_or_default(),
            })
        })
        .collect()
}

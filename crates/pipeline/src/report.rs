//! What came out of a run: dist/report.json, dist/report.md and the table on the terminal are made from this value.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// The version of dist/report.json.
pub const SCHEMA_VERSION: u32 = 1;

/// The exit code of a run that had nothing to do.
const NOTHING: u8 = 5;

/// A run's result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The version of this form.
    pub schema_version: u32,
    /// The program's own version.
    pub program: String,
    /// Seconds that the run took.
    pub seconds: f64,
    /// Every planned build, run or not, in the plan's order.
    pub builds: Vec<BuildReport>,
    /// Sdists that were proven: a wheel was built from each.
    pub sdists: Vec<FileReport>,
}

/// What became of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Built, repaired and proven now; it lies in dist/.
    Proven,
    /// Nothing changed since it was proven; it lies in dist/.
    Cached,
    /// A step failed or a finding forbids it; dist/ does not have it from this run.
    Failed,
    /// Not run here.
    Skipped,
}

/// One build.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuildReport {
    /// The build identifier.
    pub id: String,
    /// The project.
    pub project: String,
    /// `cp313`.
    pub python: String,
    /// `linux-x86_64`.
    pub target: String,
    /// What became of it.
    pub status: Status,
    /// Why it failed or was skipped, in a sentence.
    pub reason: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// What sort of failure it is.
    pub failure: Option<Failure>,
    /// The log that has more.
    pub log: Option<Utf8PathBuf>,
    /// The relevant lines of that log.
    pub excerpt: Vec<String>,
    /// The wheel's file name in dist/.
    pub wheel: Option<String>,
    /// Its SHA-256, in hex.
    pub sha256: Option<String>,
    /// Its size in bytes.
    pub bytes: Option<u64>,
    /// The policy that it really meets, such as `manylinux_2_36_x86_64`.
    pub platform: Option<String>,
    /// Why it does not meet a more widely usable one.
    pub why_not_wider: Vec<String>,
    /// What the import proof came to.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// Libraries that were copied into it.
    pub grafted: Vec<Grafted>,
    /// Libraries that were left out on purpose: another wheel has to bring them.
    #[serde(default)]
    pub assumed: Vec<Assumed>,
    /// The biggest members, with their sizes: why the wheel is as big as it is.
    pub biggest: Vec<Member>,
    /// The LLVM that it was built with.
    pub llvm: Option<Llvm>,
    /// The modules that were imported.
    pub imported: Vec<String>,
    /// The tests that passed, as command lines.
    pub tested: Vec<String>,
    /// Every step that ran.
    pub steps: Vec<StepReport>,
    /// What the checks found, in the JSON form of a finding.
    pub findings: Vec<serde_json::Value>,
}

/// What sort of failure stopped a build; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// A step failed.
    Step,
    /// A finding at error level.
    Finding,
    /// A program is not there or too old.
    Environment,
    /// Ctrl-C.
    Interrupted,
    /// Something is missing that `--provision` would install.
    Missing,
    /// A fault of this program: it panicked in this build.
    Ours,
}

/// The import proof of a wheel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proof {
    /// `proven`, `assumed` or `refuted`.
    pub verdict: String,
    /// What it rests on that could not be looked at.
    pub assumptions: Vec<String>,
}

/// A library in the wheel that the build did not put there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grafted {
    /// Its name in the wheel.
    pub name: String,
    /// Its size in bytes, unpacked.
    pub bytes: u64,
}

/// A library that is needed and was left out of the wheel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assumed {
    /// Its name, as it is needed.
    pub library: String,
    /// The member that needs it.
    pub needed_by: String,
}

/// A member of the wheel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// Its path in the wheel.
    pub name: String,
    /// Unpacked bytes.
    pub bytes: u64,
    /// Bytes in the archive.
    pub compressed: u64,
}

/// An LLVM.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Llvm {
    /// `19.1.7`.
    pub version: String,
    /// `shared` or `static`.
    pub linkage: String,
    /// Where it lies on the build machine.
    pub prefix: Utf8PathBuf,
}

/// A step that ran.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// Its log.
    pub log: Utf8PathBuf,
}

/// A file in dist/ that is no wheel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileReport {
    /// The project.
    pub project: String,
    /// Its name in dist/.
    pub name: String,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Report {
    /// How many builds have a status.
    pub fn count(&self, status: Status) -> usize {
        self.builds.iter().filter(|build| build.status == status).count()
    }

    /// Whether nothing was built, nothing failed, and nothing was found to be as it was: exit code 5.
    pub fn is_of_nothing(&self) -> bool {
        self.exit_code() == NOTHING
    }

    /// The exit code, by the first of 70, 130, 3, 4, 1, 5, 0 that applies.
    pub fn exit_code(&self) -> u8 {
        const ORDER: [(Failure, u8); 6] = [
            (Failure::Ours, 70),
            (Failure::Interrupted, 130),
            (Failure::Environment, 3),
            (Failure::Missing, 3),
            (Failure::Step, 4),
            (Failure::Finding, 1),
        ];
        let failed = |failure| self.builds.iter().any(|build| build.failure == Some(failure));
        match ORDER.iter().find(|(failure, _)| failed(*failure)) {
            Some((_, code)) => *code,
            None if self.count(Status::Proven) + self.count(Status::Cached) > 0 => 0,
            None => NOTHING,
        }
    }
}

/// `64.1 MB`, `48 kB`: decimal units, as PyPI counts.
pub fn size(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.2} GB", value / 1e9),
    }
}

/// `0.4 s`, `12 s`, `3 min 05 s`.
pub fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 119.5 {
        format!("{seconds:.0} s")
    } else {
        let whole = seconds.round();
        format!("{:.0} min {:02.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_for_people() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (48_300, "48 kB"), (64_100_000, "64.1 MB"), (2_500_000_000, "2.50 GB")]
        {
            assert_eq!(size(bytes), text);
        }
        for (seconds, text) in [(0.04, "0.0 s"), (9.9, "9.9 s"), (12.4, "12 s"), (185.0, "3 min 05 s")] {
            assert_eq!(duration(seconds), text);
        }
    }
}

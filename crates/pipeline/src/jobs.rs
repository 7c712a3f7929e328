//! How many builds run at once, and how many processor cores each may use. Pure.

use host::World;
use plan::Plan;
use std::num::NonZeroUsize;

/// What a build may need at its worst: a C++ compiler on LLVM's headers takes up to 1 GB, linking a static LLVM up to 2 GB.
const MEMORY_PER_BUILD: u64 = 2_000_000_000;

/// What tools read to learn how many processes or threads to start, where nobody told them: CMake's build driver (ninja
/// alone would start two more than there are cores) and Cargo. `MAKEFLAGS` is not among them: make works one by one unless
/// told otherwise, and not every Makefile can be worked on in parallel.
const SHARE_VARIABLES: [&str; 2] = ["CMAKE_BUILD_PARALLEL_LEVEL", "CARGO_BUILD_JOBS"];

/// How many builds run at once, and what each may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jobs {
    /// Builds that run at once; at least 1.
    pub at_once: usize,
    /// Cores for each of them; none says nothing to the tools, which then take what they take.
    pub cores: Option<usize>,
}

impl Jobs {
    /// One build after the other.
    pub const ONE: Self = Self { at_once: 1, cores: None };

    /// As many as are asked for; else as far as cores and memory allow.
    ///
    /// A build is a line of steps, most of which use one core or wait: only compiling may use several. So by default there
    /// are as many builds as cores, as long as there are 2 GB of memory for each, and each is given its share of the cores:
    /// builds times compilers stay as many as there are cores. Memory that is not known bounds nothing. Never are there
    /// more than builds that can run.
    pub fn choose(asked: Option<NonZeroUsize>, plan: &Plan, world: &World) -> Self {
        let runnable = plan.builds.iter().filter(|build| build.runnable).count();
        Self::of(asked, runnable, world.cpus, world.memory)
    }

    fn of(asked: Option<NonZeroUsize>, runnable: usize, cpus: usize, memory: Option<u64>) -> Self {
        let cpus = cpus.max(1);
        let by_memory =
            memory.map_or(usize::MAX, |bytes| usize::try_from(bytes / MEMORY_PER_BUILD).unwrap_or(usize::MAX));
        let wanted = asked.map_or_else(|| cpus.min(by_memory), NonZeroUsize::get);
        let at_once = wanted.min(runnable).max(1);
        let cores = (at_once > 1).then(|| (cpus / at_once).max(1));
        Self { at_once, cores }
    }

    /// The variables that tell a build's tools their share, but for those that `told` knows already. They stand in no plan
    /// and in no cache key: they change how fast something is made and not what.
    pub(crate) fn variables(self, told: &dyn Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let Some(cores) = self.cores else { return Vec::new() };
        SHARE_VARIABLES.into_iter().filter(|name| !told(name)).map(|name| (name, cores.to_string())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_cores_and_memory_allow() {
        const GB: u64 = 1_000_000_000;
        for (runnable, cpus, memory, at_once, cores) in [
            // GitHub's ubuntu-24.04, macos-14 and windows-2025, each with five Pythons.
            (5, 4, Some(16 * GB), 4, Some(1)),
            (5, 3, Some(7 * GB), 3, Some(1)),
            (5, 4, Some(16 * GB), 4, Some(1)),
            // A big machine: few builds that compile in parallel.
            (5, 64, Some(256 * GB), 5, Some(12)),
            // Many cores and little memory.
            (10, 16, Some(8 * GB), 4, Some(4)),
            (10, 16, Some(3 * GB), 1, None),
            (10, 16, Some(GB / 2), 1, None),
            // Nothing is known.
            (10, 0, None, 1, None),
            (10, 2, None, 2, Some(1)),
            // Nothing to do side by side.
            (1, 8, Some(64 * GB), 1, None),
            (0, 8, Some(64 * GB), 1, None),
        ] {
            assert_eq!(
                Jobs::of(None, runnable, cpus, memory),
                Jobs { at_once, cores },
                "{runnable} on {cpus}, {memory:?}"
            );
        }
    }

    #[test]
    fn what_is_asked_for_is_done_as_far_as_there_are_builds() {
        for (asked, runnable, expected) in [
            (1, 10, Jobs::ONE),
            (3, 10, Jobs { at_once: 3, cores: Some(1) }),
            (10, 10, Jobs { at_once: 10, cores: Some(1) }),
            (10, 2, Jobs { at_once: 2, cores: Some(2) }),
            (10, 1, Jobs::ONE),
        ] {
            assert_eq!(Jobs::of(NonZeroUsize::new(asked), runnable, 4, Some(1_000)), expected, "{asked} of {runnable}");
        }
    }

    #[test]
    fn a_share_is_told_unless_somebody_told_another() {
        let told = |name: &str| name == "CARGO_BUILD_JOBS";
        let jobs = Jobs { at_once: 2, cores: Some(4) };
        assert_eq!(jobs.variables(&told), [("CMAKE_BUILD_PARALLEL_LEVEL", "4".to_owned())]);
        assert_eq!(Jobs::ONE.variables(&|_| false), []);
    }
}

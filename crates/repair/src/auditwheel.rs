//! auditwheel and patchelf, for Linux: their command line, and what they say when they fail.

use crate::binary::{Binary, Snapshot};
use crate::check;
use crate::repairer::{Left, Minimum, Repairer, Said, list, out_dir, step};
use crate::request::Request;
use crate::search;
use exec::Step;
use host::World;
use platform::policy::{self, Need, Policy};
use platform::{Os, TargetPlatform, library_pattern};
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use wheel::Wheel;

/// How auditwheel names a library that it cannot find.
#[allow(clippy::expect_used)] // a constant that a test compiles
static MISSING_LIBRARY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"required library "([^"]+)"[ \n]+could not be located"#).expect("a constant pattern")
});

/// auditwheel with patchelf.
#[derive(Debug)]
pub(crate) struct Auditwheel;

const MINIMUMS: &[Minimum] = &[
    Minimum {
        distribution: "auditwheel",
        version: (6, 8),
        reason: "before 6.8 it stripped what patchelf had patched already, which the loader then refuses (auditwheel#716), \
                 and before 6.7 it did not know AUDITWHEEL_LD_LIBRARY_PATH",
    },
    Minimum {
        distribution: "patchelf",
        version: (0, 19),
        reason: "before 0.14 version needs kept the old names (patchelf#84), and 0.18 misaligns segments on RHEL-likes (patchelf#492)",
    },
];

impl Repairer for Auditwheel {
    fn name(&self) -> &'static str {
        "auditwheel"
    }

    fn minimums(&self) -> &'static [Minimum] {
        MINIMUMS
    }

    fn programs(&self, request: &Request) -> Vec<&'static str> {
        if request.strip { vec!["patchelf", "strip"] } else { vec!["patchelf"] }
    }

    fn runs_on(&self) -> Option<Os> {
        Some(Os::Linux)
    }

    fn steps(&self, request: &Request, world: &World) -> Vec<Step> {
        let out = out_dir(request);
        let python = request.tools.python.as_str();
        let mut argv =
            [python, "-m", "auditwheel", "repair", "--only-plat", "-w", out.as_str()].map(str::to_owned).to_vec();
        if let Some(tag) = request.asked() {
            argv.extend(["--plat".to_owned(), tag]);
        }
        for library in &request.exclude {
            // It asks fnmatch.
            argv.extend(["--exclude".to_owned(), library_pattern::for_fnmatch(library)]);
        }
        if request.strip {
            argv.push("--strip".to_owned());
        }
        argv.push("{wheel}".to_owned());
        // Relative folders resolve nothing in auditwheel; these are absolute. LD_LIBRARY_PATH would reach Python and
        // patchelf themselves, which are not to be linked with what lies beside LLVM. More than half of its time would go
        // into compressing libLLVM by zlib on one thread: that is done afterwards, faster and smaller.
        vec![
            step(request, world, argv)
                .with_env("AUDITWHEEL_ZIP_COMPRESSION_LEVEL", "0")
                .with_env("AUDITWHEEL_LD_LIBRARY_PATH", list(&request.library_dirs, world.os))
                .without_env("LD_LIBRARY_PATH"),
        ]
    }

    /// It takes the libc from the needed libraries or the name's `-linux-gnu`, and stops at an extension that has neither,
    /// as those for the stable ABI that use no function of libc (auditwheel 6.8: InvalidLibcError). A policy by name says
    /// it too: the most widely usable one that the binaries and the libraries to be grafted meet.
    fn suited(&self, request: &Request, before: &Snapshot, mut step: Step) -> Step {
        let says = |binary: &Binary| {
            let named = ["-linux-gnu", "-linux-musl"].iter().any(|triple| binary.file_name().contains(triple));
            named || binary.needed.iter().any(|needed| policy::is_loader_or_libc(&needed.name))
        };
        if request.platform != TargetPlatform::Auto || before.binaries.iter().all(says) {
            return step;
        }
        let mut all = before.binaries.clone();
        all.extend(search::closure(request, &before.binaries).found);
        let arch = request.target.arch;
        let needs = check::needs(&all, |library| request.excludes(library));
        // What will be grafted is no need of the policy's; its versions are.
        let own: BTreeSet<&str> =
            all.iter().flat_map(|binary| [Some(binary.file_name()), binary.identity.as_deref()]).flatten().collect();
        let unmet = |policy: &'static Policy| {
            policy::why_not(policy, arch, &needs).into_iter().any(|refusal| match refusal.need {
                Need::Library(name) => !own.contains(name),
                _ => true,
            })
        };
        if let Some(policy) = policy::policies(check::libc(&all), arch).find(|policy| !unmet(policy)) {
            let at = step.argv.len().saturating_sub(1);
            step.argv.splice(at..at, ["--plat".to_owned(), policy.platform_tag(arch)]);
        }
        step
    }

    fn understand(&self, log: &str) -> Option<Said> {
        // The last one is the message; what stands before may be a traceback's line of source.
        if let Some(found) = MISSING_LIBRARY.captures_iter(log).last() {
            return Some(Said::LibraryNotFound { library: found.get(1).map(|name| name.as_str().to_owned()) });
        }
        if log.contains("too-recent versioned symbols")
            || log.contains("because it uses blacklisted symbols")
            || log.contains("ABI because")
        {
            return Some(Said::PolicyRefused);
        }
        if log.contains("in purelib folder") {
            return Some(Said::Purelib);
        }
        None
    }

    fn repaired_before(&self, _wheel: &Wheel) -> Option<String> {
        // It can: what is in the wheel already stays.
        None
    }

    fn archive(&self) -> Left {
        Left::Uncompressed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says() {
        for (log, said) in [
            (
                "ValueError: Cannot repair wheel, because required library \"libLLVM-14.so.1\" could not be located",
                Some(Said::LibraryNotFound { library: Some("libLLVM-14.so.1".to_owned()) }),
            ),
            (
                "auditwheel: error: cannot repair \"x.whl\" to \"manylinux_2_17_x86_64\" ABI because of the presence of too-recent versioned symbols.",
                Some(Said::PolicyRefused),
            ),
            (
                "RuntimeError: Invalid binary wheel, found the following shared library/libraries in purelib folder:\n\tx.so",
                Some(Said::Purelib),
            ),
            ("nothing of the sort", None),
        ] {
            assert_eq!(Auditwheel.understand(log), said, "{log}");
        }
    }
}

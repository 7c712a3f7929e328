//! What the operating system is and has. Linux is read from files, macOS is asked by its own programs, Windows by calls.

mod memory;
#[cfg(windows)]
mod windows;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use platform::Os;

use crate::{
    Libc, LibcKind,
    cached::{Answers, Witness},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// The C library that programs are linked to, as `ldd` says it: both have an `ldd` of their own.
pub(crate) fn libc(
    os: Os,
    root: &Utf8Path,
    ldd: Option<&Utf8Path>,
    cache: Option<Utf8PathBuf>,
    runner: &Runner<'_>,
) -> Option<Libc> {
    let ldd = (os == Os::Linux).then_some(ldd).flatten()?;
    let mut answers = Answers::<Option<Libc>>::open(cache, "ldd 1");
    let known = answers.get("libc").cloned();
    let answer = known.unwrap_or_else(|| {
        let witnesses = vec![Witness::of(ldd), Witness::of(root.join("etc/ld.so.cache"))];
        let query = Query::new([ldd.as_str(), "--version"]).env("LC_ALL", "C").timeout(PATIENCE);
        let found = runner
            .capture(&query)
            .ok()
            .and_then(|captured| parse_ldd(&captured.stdout_text()).or_else(|| parse_ldd(&captured.stderr_text())));
        answers.put("libc", witnesses, found.clone());
        found
    });
    answers.save();
    answer
}

/// glibc prints `ldd (Debian GLIBC 2.36-9+deb12u9) 2.36`; musl prints `musl libc (x86_64)` and below it `Version 1.2.4`.
fn parse_ldd(text: &str) -> Option<Libc> {
    let first = text.lines().next()?;
    if first.starts_with("musl libc") {
        let version = text.lines().find_map(|line| line.strip_prefix("Version "))?.trim();
        return Some(Libc { kind: LibcKind::Musl, version: version.to_owned() });
    }
    let version = first.split_whitespace().next_back()?;
    let is_version = version.split('.').count() >= 2 && version.split('.').all(|part| part.parse::<u32>().is_ok());
    (first.starts_with("ldd") && is_version).then(|| Libc { kind: LibcKind::Glibc, version: version.to_owned() })
}

/// How many processors this process may use: the quotas of control groups and the mask of allowed ones count, as `std`
/// has it for Linux.
pub(crate) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Bytes of memory that this process may use at most. Not what is free just now: a plan must not change by that.
pub(crate) fn memory(os: Os, root: &Utf8Path, runner: &Runner<'_>) -> Option<u64> {
    match os {
        Os::Linux => memory::of_linux(root),
        #[cfg(windows)]
        Os::Windows => windows::memory(),
        Os::MacOs => ask(runner, &["sysctl", "-n", "hw.memsize"])?.trim().parse().ok(),
        #[cfg(not(windows))]
        Os::Windows => None,
    }
}

/// Whether this process may install for the whole system without asking: root, or started as administrator.
pub(crate) fn is_root(os: Os, root: &Utf8Path, runner: &Runner<'_>) -> bool {
    match os {
        Os::Linux => fs_err::read_to_string(root.join("proc/self/status")).is_ok_and(|text| is_root_status(&text)),
        #[cfg(windows)]
        Os::Windows => windows::is_elevated(),
        Os::MacOs => ask(runner, &["id", "-u"]).is_some_and(|text| text.trim() == "0"),
        #[cfg(not(windows))]
        Os::Windows => false,
    }
}

/// The line has the real, effective, saved and file-system user; the effective one counts.
fn is_root_status(text: &str) -> bool {
    let line = text.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|line| line.split_whitespace().nth(1)) == Some("0")
}

fn ask(runner: &Runner<'_>, argv: &[&str]) -> Option<String> {
    let captured = runner.capture(&Query::new(argv.iter().copied()).timeout(PATIENCE)).ok()?;
    captured.status.success().then(|| captured.stdout_text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ldd_says() {
        for (text, kind, version) in [
            ("ldd (Debian GLIBC 2.36-9+deb12u9) 2.36\nCopyright", LibcKind::Glibc, "2.36"),
            ("ldd (GNU libc) 2.28\n", LibcKind::Glibc, "2.28"),
            ("ldd (Ubuntu GLIBC 2.39-0ubuntu8.4) 2.39\n", LibcKind::Glibc, "2.39"),
            ("musl libc (x86_64)\nVersion 1.2.4\nDynamic Program Loader\n", LibcKind::Musl, "1.2.4"),
        ] {
            assert_eq!(parse_ldd(text), Some(Libc { kind, version: version.to_owned() }), "{text}");
        }
        for text in ["", "ldd: command not found", "something 2.36"] {
            assert_eq!(parse_ldd(text), None, "{text}");
        }
    }

    #[test]
    fn who_runs_this() {
        assert!(is_root_status("Name:\tx\nUid:\t1000\t0\t0\t0\n"));
        assert!(!is_root_status("Name:\tx\nUid:\t0\t1000\t0\t0\n"));
    }
}

//! Rust's standard library for other systems where rustup's server cannot be reached: Debian has a current compiler
//! (`rustc-web`, for browsers) and the library's source; both are unpacked below target/ and the system stays as it is.

use super::{folder, quoted, zig};
use crate::suite::Session;
use camino::Utf8PathBuf;
use exec::{Query, Runner, Silent, Step};
use std::collections::BTreeSet;
use std::time::Duration;

/// The compiler, its host's library and the source.
const PACKAGES: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];

/// Kinds of dependency that do not matter for a compiler that is only unpacked.
const LEFT_OUT: [&str; 6] = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];

/// What a system that runs Rust has anyway, and must have from one source.
const OF_THE_SYSTEM: [&str; 5] = ["libc6", "libgcc-s1", "libstdc++6", "libcrypt1", "gcc-"];

/// An unpacked compiler.
pub(super) struct Rust {
    rustc: Utf8PathBuf,
}

impl Rust {
    /// Takes what was unpacked before, or with `install` downloads and unpacks it.
    pub(super) fn make(session: &Session, cargo: &str, install: bool) -> Result<Self, String> {
        let root = folder(session).join("debian");
        let rustc = root.join("rustc");
        let complete = root.join("complete");
        if !complete.is_file() {
            if !install {
                return Err("--provision tries that, and Debian's compiler otherwise".to_owned());
            }
            unpack(session, &root)?;
            let folders = libraries(&root);
            let text = format!(
                "#!/bin/sh\nLD_LIBRARY_PATH={} exec {} \"$@\"\n",
                quoted(&folders.join(":")),
                quoted(root.join("usr/bin/rustc").as_str())
            );
            zig::script(session, &rustc, &text)?;
        }
        recent_enough(session, cargo, &rustc)?;
        fs_err::write(&complete, b"").map_err(|error| error.to_string())?;
        Ok(Self { rustc })
    }

    /// With which cargo takes it, and lets itself be told to build the library.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        [("RUSTC", self.rustc.as_str()), ("RUSTC_BOOTSTRAP", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }
}

fn unpack(session: &Session, root: &Utf8PathBuf) -> Result<(), String> {
    let runner = Runner::new(&session.console, &session.cancel);
    let quiet = Runner::new(&Silent, &session.cancel);
    let mut argv = vec!["apt-cache".to_owned(), "depends".to_owned(), "--recurse".to_owned()];
    argv.extend(LEFT_OUT.map(|kind| format!("--no-{kind}")));
    argv.extend(PACKAGES.iter().skip(1).map(|package| (*package).to_owned()));
    let asked = quiet.capture(&Query::new(argv).timeout(Duration::from_secs(120))).and_then(exec::Captured::checked);
    let asked = asked.map_err(|_| "and Debian's `rustc-web` is not to be had here".to_owned())?;
    let mut packages = closure(&asked.stdout_text());
    packages.insert(PACKAGES[0].to_owned());

    let archives = root.join("archives");
    fs_err::create_dir_all(&archives).map_err(|error| error.to_string())?;
    let mut argv = vec!["apt-get".to_owned(), "download".to_owned(), "-q".to_owned()];
    argv.extend(packages);
    let step = Step::new("debian rust", argv, &archives, session.logs().join("debian-rust.log")).with_timeout(600);
    runner.run(&step).map_err(|error| format!("and Debian's packages were not downloaded: {error}"))?;
    for archive in archives.read_dir_utf8().map_err(|error| error.to_string())?.flatten() {
        let query =
            Query::new(["dpkg", "-x", archive.path().as_str(), root.as_str()]).timeout(Duration::from_secs(300));
        let unpacked = quiet.capture(&query).and_then(exec::Captured::checked);
        unpacked.map_err(|error| format!("and {} was not unpacked: {error}", archive.file_name()))?;
    }
    fs_err::remove_dir_all(&archives).map_err(|error| error.to_string())
}

/// Package names are the lines that are not indented; `<…>` are names without a package.
fn closure(printed: &str) -> BTreeSet<String> {
    printed
        .lines()
        .filter(|line| line.starts_with(|letter: char| letter.is_ascii_alphanumeric()))
        .filter(|line| !OF_THE_SYSTEM.iter().any(|name| line == name || name.ends_with('-') && line.starts_with(name)))
        .map(str::to_owned)
        .collect()
}

/// `usr/lib/x86_64-linux-gnu` and the like, as far as they hold shared libraries.
fn libraries(root: &Utf8PathBuf) -> Vec<String> {
    let lib = ["usr/lib", "lib"].map(|lib| root.join(lib));
    let below = |folder: &Utf8PathBuf| {
        let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
        entries.map(|entry| entry.path().to_owned()).filter(|path| path.as_str().ends_with("-linux-gnu")).collect()
    };
    lib.iter().flat_map(|folder| -> Vec<Utf8PathBuf> { below(folder) }).map(Utf8PathBuf::into_string).collect()
}

/// Older than the workspace's `rust-version` is of no use.
fn recent_enough(session: &Session, cargo: &str, rustc: &Utf8PathBuf) -> Result<(), String> {
    let runner = Runner::new(&Silent, &session.cancel);
    let ask = |argv: &[&str]| {
        let query = Query::new(argv.iter().copied()).cwd(&session.root).timeout(Duration::from_secs(60));
        runner.capture(&query).and_then(exec::Captured::checked).map(|answer| answer.stdout_text().into_owned())
    };
    let version = ask(&[rustc.as_str(), "--version"]).map_err(|error| format!("and Debian's does not run: {error}"))?;
    let wanted = ask(&[cargo, "metadata", "--no-deps", "--offline", "--format-version", "1"]).unwrap_or_default();
    let wanted: serde_json::Value = serde_json::from_str(&wanted).unwrap_or_default();
    let wanted = wanted["packages"][0]["rust_version"].as_str().unwrap_or("1.0").to_owned();
    let found = version.split_whitespace().nth(1).unwrap_or_default();
    if series(found) >= series(&wanted) {
        return Ok(());
    }
    Err(format!("and Debian's is {found}, older than {wanted}"))
}

/// `1.96.0` is (1, 96).
fn series(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_the_system_stay_the_systems() {
        let printed = "libstd-rust-web-dev\n  Depends: libllvm22\nlibllvm22\n  Depends: libc6\n  Depends: <gone>\nlibc6\n\
                       gcc-12-base\n<gone>\nlibgcc-s1\nzlib1g\n";
        let found: Vec<String> = closure(printed).into_iter().collect();
        assert_eq!(found, ["libllvm22", "libstd-rust-web-dev", "zlib1g"]);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(series("1.96.0") >= series("1.89"));
        assert!(series("1.100.0") > series("1.89"));
        assert!(series("1.85.0") < series("1.89"));
    }
}

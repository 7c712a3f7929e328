//! What rpm and dnf say, remembered as long as their files stay as they are. `rpm -qa` takes 0.3 s, dnf a second.

use std::{collections::BTreeMap, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use serde::{Deserialize, Serialize};

use super::{Found, LlvmCandidate, ManagerKind, PackageManager, Presence, table};
use crate::cached::{Answers, Witness};

const PATIENCE: Duration = Duration::from_secs(60);

/// Changed when what is asked changes.
const ASKER: &str = "dnf 1";

/// Where rpm keeps what is installed (older and newer) and dnf 4 and 5 what there is.
const FILES: [&str; 6] = [
    "var/lib/rpm/Packages",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "var/cache/dnf",
    "var/cache/libdnf5",
    "etc/yum.repos.d",
];

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Answer {
    lists_empty: bool,
    llvm: Vec<LlvmCandidate>,
    pythons: Vec<String>,
    installed: BTreeMap<String, String>,
}

/// What dnf could install, and which packages of ours there are. Without a runner: what was known already.
pub(super) fn ask(
    found: Found,
    sudo: Option<Utf8PathBuf>,
    root: &Utf8Path,
    cache: Option<Utf8PathBuf>,
    runner: Option<&Runner<'_>>,
) -> PackageManager {
    let mut answers = Answers::<Answer>::open(cache, ASKER);
    let answer = answers.get("dnf").cloned().unwrap_or_else(|| {
        let Some(runner) = runner else { return Answer::default() };
        // Before asking, so that a change meanwhile is noticed the next time.
        let witnesses = FILES.map(|file| Witness::of(root.join(file))).to_vec();
        let answer = ask_now(&found.path, runner);
        answers.put("dnf", witnesses, answer.clone());
        answer
    });
    answers.save();
    PackageManager {
        lists_empty: answer.lists_empty,
        installed: answer.installed,
        llvm: answer.llvm,
        pythons: answer.pythons,
        ..found.unasked(sudo)
    }
}

fn ask_now(dnf: &Utf8Path, runner: &Runner<'_>) -> Answer {
    let rpm = Query::new(["rpm", "-qa", "--qf", INSTALLED]).env("LC_ALL", "C").timeout(PATIENCE);
    let installed = runner.capture(&rpm).map_or_else(|_| String::new(), |said| said.stdout_text().into_owned());
    let mut installed = parse_installed(&installed);
    installed.retain(|name, _| table::is_ours(ManagerKind::Dnf, name));
    // microdnf cannot be asked in this way; it installs by the names of the table.
    if dnf.file_name() == Some("microdnf") {
        return Answer { installed, ..Answer::default() };
    }
    // From its own lists (`-C`), so that nothing waits for a network; without lists it fails.
    let query = [dnf.as_str(), "-q", "-C", "repoquery", "--qf", "%{name}|%{version}\n", "llvm-devel"];
    let query = query.into_iter().chain(["llvm[0-9]*-devel", "python3.[0-9]*"]);
    let said = runner.capture(&Query::new(query).env("LC_ALL", "C").timeout(PATIENCE));
    let Ok(said) = said else { return Answer { installed, ..Answer::default() } };
    let offered = said.stdout_text();
    Answer {
        lists_empty: !said.status.success() && offered.trim().is_empty(),
        llvm: parse_llvm(&offered),
        pythons: parse_pythons(&offered),
        installed,
    }
}

/// Which of these packages are there right now, with their versions: `name`, `name.x86_64`, `name-1.2`, `pkgconfig(zlib)`,
/// `/usr/bin/cmake`. `ask` gives the words that are put to `rpm -q` and its answer, `None` if it cannot be asked.
pub(super) fn look(packages: &[String], ask: &dyn Fn(&[&str]) -> Option<String>) -> Vec<Presence> {
    let plain: Vec<&str> = packages.iter().map(String::as_str).filter(|name| is_plain(name)).collect();
    let installed = if plain.is_empty() { None } else { ask(&plain) };
    let installed = installed.map(|said| parse_installed(&said)).unwrap_or_default();
    let looked = packages.iter().map(|asked| {
        if let Some(version) = installed.get(asked) {
            return Presence::There(version.clone());
        }
        // A group, a file or an address of a package, a pattern, a comparison: dnf's own, which rpm does not know.
        if asked.starts_with('@') || asked.ends_with(".rpm") || asked.contains(['*', '?', '[', ' ', ':']) {
            return Presence::NotKnown;
        }
        let by_name = [asked.as_str()];
        let by_what_it_provides = ["--whatprovides", asked.as_str()];
        let questions: [&[&str]; 2] = [&by_name, &by_what_it_provides];
        // Only a plain name can be that of a package with its version and architecture.
        let questions = questions.iter().skip(usize::from(!is_plain(asked)));
        let mut missing = Presence::Missing;
        for words in questions {
            match ask(words).map(|said| parse_installed(&said)) {
                None => missing = Presence::NotKnown,
                Some(found) => {
                    if let Some((name, version)) = found.into_iter().next() {
                        let other = name != *asked && words.len() > 1;
                        return Presence::There(if other { format!("{version} of {name}") } else { version });
                    }
                }
            }
        }
        missing
    });
    looked.collect()
}

fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
}

/// The answer of `rpm -q`, which fails if one of the packages is not there; `None` if there is no rpm.
pub(super) fn ask_rpm(words: &[&str], runner: &Runner<'_>) -> Option<String> {
    let argv = ["rpm", "-q", "--qf", INSTALLED];
    let query = Query::new(argv.iter().chain(words).copied()).env("LC_ALL", "C").timeout(PATIENCE);
    runner.capture(&query).ok().map(|said| said.stdout_text().into_owned())
}

/// The form of a line that [`parse_installed`] reads.
const INSTALLED: &str = "%{NAME}|%{VERSION}-%{RELEASE}\n";

/// `gcc-c++|8.5.0-22.el8_10`; what is not installed has a sentence without a bar.
fn parse_installed(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once('|'));
    lines.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

/// Of several versions of a package, in several repositories, the newest.
fn parse_llvm(text: &str) -> Vec<LlvmCandidate> {
    let mut newest: BTreeMap<String, LlvmCandidate> = BTreeMap::new();
    for (package, version) in text.lines().filter_map(|line| line.trim().split_once('|')) {
        let Some(version) = version.parse().ok().filter(|_| package.starts_with("llvm")) else { continue };
        let candidate = LlvmCandidate { version, package: package.to_owned() };
        let known = newest.entry(package.to_owned()).or_insert_with(|| candidate.clone());
        if candidate.version > known.version {
            *known = candidate;
        }
    }
    let mut found: Vec<LlvmCandidate> = newest.into_values().collect();
    found.sort_by(|a, b| a.version.cmp(&b.version));
    found
}

fn parse_pythons(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.trim().split_once('|')).map(|(name, _)| name);
    let mut series: Vec<String> = names
        .filter_map(|name| name.strip_prefix("python"))
        .filter(|series| series.split('.').all(|part| part.parse::<u32>().is_ok()))
        .map(str::to_owned)
        .collect();
    series.sort_by_key(|name| crate::interpreters::numbers(name));
    series.dedup();
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of dnf 4 on AlmaLinux 8 with several versions in AppStream, and of dnf 5 on Fedora.
    #[test]
    fn what_is_offered() {
        let alma = "llvm-devel|17.0.6\nllvm-devel|18.1.8\nllvm-devel|19.1.7\npython3.11|3.11.9\npython3.11-devel|3.11.9\n\
                    python3.12|3.12.8\npython3.12-libs|3.12.8\n";
        let text = |found: &[LlvmCandidate]| {
            found.iter().map(|one| format!("{} {}", one.package, one.version)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(text(&parse_llvm(alma)), "llvm-devel 19.1.7");
        assert_eq!(parse_pythons(alma), ["3.11", "3.12"]);
        let fedora = "llvm-devel|21.1.4\n\nllvm18-devel|18.1.8\nllvm19-devel|19.1.7\nllvm20-devel|20.1.8\n\
                      python3.6|3.6.15\npython3.13|3.13.9\npython3.9|3.9.24\n";
        assert_eq!(
            text(&parse_llvm(fedora)),
            "llvm18-devel 18.1.8, llvm19-devel 19.1.7, llvm20-devel 20.1.8, llvm-devel 21.1.4"
        );
        assert_eq!(parse_pythons(fedora), ["3.6", "3.9", "3.13"]);
        assert!(parse_llvm("Error: Cache-only enabled but no cache for 'appstream'").is_empty());
    }

    /// An rpm with zlib-devel, git and cmake.
    #[test]
    fn every_way_of_writing() {
        let rpm = |words: &[&str]| {
            let mut said = String::new();
            for word in words.iter().filter(|word| **word != "--whatprovides") {
                let found = match (*word, words.first() == Some(&"--whatprovides")) {
                    ("zlib-devel" | "zlib-devel.x86_64" | "zlib-devel-1.2.11", _) | ("pkgconfig(zlib)", true) => {
                        "zlib-devel|1.2.11-25.el8\n".to_owned()
                    }
                    ("/usr/bin/cmake", true) => "cmake|3.26.5-2.el8\n".to_owned(),
                    ("git", _) => "git|2.43.5-2.el8_10\n".to_owned(),
                    (other, true) => format!("no package provides {other}\n"),
                    (other, false) => format!("package {other} is not installed\n"),
                };
                said.push_str(&found);
            }
            Some(said)
        };
        let there = |version: &str| Presence::There(version.to_owned());
        for (asked, expected) in [
            ("git", there("2.43.5-2.el8_10")),
            ("zlib-devel.x86_64", there("1.2.11-25.el8")),
            ("zlib-devel-1.2.11", there("1.2.11-25.el8")),
            ("pkgconfig(zlib)", there("1.2.11-25.el8 of zlib-devel")),
            ("/usr/bin/cmake", there("3.26.5-2.el8 of cmake")),
            ("pkgconfig(libxml-2.0)", Presence::Missing),
            ("zlib-devel-1.3", Presence::Missing),
            ("/usr/bin/none", Presence::Missing),
            ("@development-tools", Presence::NotKnown),
            ("llvm:rhel8", Presence::NotKnown),
            ("python3.1*", Presence::NotKnown),
            ("zlib-devel >= 1.2", Presence::NotKnown),
            ("./local.rpm", Presence::NotKnown),
            ("https://example.org/x.rpm", Presence::NotKnown),
        ] {
            assert_eq!(look(&["git".to_owned(), asked.to_owned()], &rpm)[1], expected, "{asked}");
        }
        assert_eq!(look(&["git".to_owned()], &|_| None), [Presence::NotKnown], "there is no rpm");
    }

    #[test]
    fn what_is_installed() {
        let text = "gcc-c++|8.5.0-22.el8_10\npackage llvm-devel is not installed\ngit|2.43.5-2.el8_10\n";
        let found = parse_installed(text);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["gcc-c++", "git"]);
        assert_eq!(found["git"], "2.43.5-2.el8_10");
    }
}

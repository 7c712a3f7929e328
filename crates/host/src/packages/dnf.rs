//! What rpm and dnf say, remembered as long as their files stay as they are. `rpm -qa` takes 0.3 s, dnf a second.

use std::{collections::BTreeMap, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use serde::{Deserialize, Serialize};

use super::{Found, LlvmCandidate, ManagerKind, PackageManager, table};
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

/// The form of a line that [`parse_installed`] reads.
pub(super) const INSTALLED: &str = "%{NAME}|%{VERSION}-%{RELEASE}\n";

/// `gcc-c++|8.5.0-22.el8_10`; what is not installed has a sentence without a bar.
pub(super) fn parse_installed(text: &str) -> BTreeMap<String, String> {
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

    #[test]
    fn what_is_installed() {
        let text = "gcc-c++|8.5.0-22.el8_10\npackage llvm-devel is not installed\ngit|2.43.5-2.el8_10\n";
        let found = parse_installed(text);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["gcc-c++", "git"]);
        assert_eq!(found["git"], "2.43.5-2.el8_10");
    }
}

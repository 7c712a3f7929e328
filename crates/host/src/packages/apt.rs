//! What apt and dpkg say, asked with their programs that scripts are meant to use, and remembered as long as their
//! files stay as they are (`apt-cache` takes 0.3 s a time).

use std::{collections::BTreeMap, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use llvm::LlvmVersion;
use serde::{Deserialize, Serialize};

use super::{Found, LlvmCandidate, ManagerKind, PackageManager, Presence, table};
use crate::cached::{Answers, Witness};

const PATIENCE: Duration = Duration::from_secs(60);

/// Changed when what is asked changes.
const ASKER: &str = "apt 1";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Answer {
    llvm: Vec<LlvmCandidate>,
    pythons: Vec<String>,
    installed: BTreeMap<String, String>,
}

/// What apt could install, and which packages of ours there are. Without a runner: what was known already.
pub(crate) fn ask(
    found: Found,
    sudo: Option<Utf8PathBuf>,
    root: &Utf8Path,
    cache: Option<Utf8PathBuf>,
    runner: Option<&Runner<'_>>,
) -> PackageManager {
    let lists = root.join("var/lib/apt/lists");
    let mut answers = Answers::<Answer>::open(cache, ASKER);
    let answer = answers.get("apt").cloned().unwrap_or_else(|| {
        let Some(runner) = runner else { return Answer::default() };
        // Before asking, so that a change meanwhile is noticed the next time.
        let witnesses = ["var/lib/apt/lists", "var/lib/dpkg/status", "etc/apt/preferences.d", "etc/apt/sources.list.d"];
        let witnesses = witnesses.map(|file| Witness::of(root.join(file))).to_vec();
        let answer = ask_now(runner);
        answers.put("apt", witnesses, answer.clone());
        answer
    });
    answers.save();
    PackageManager {
        lists_empty: !has_lists(&lists),
        installed: answer.installed,
        llvm: answer.llvm,
        pythons: answer.pythons,
        ..found.unasked(sudo)
    }
}

/// Fresh containers have none: images are made without them.
fn has_lists(lists: &Utf8Path) -> bool {
    lists.read_dir_utf8().is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| {
            let name = entry.file_name();
            name.contains("_Packages") || name.ends_with("_InRelease") || name.ends_with("_Release")
        })
    })
}

fn ask_now(runner: &Runner<'_>) -> Answer {
    let names = output(runner, &["apt-cache", "pkgnames"]);
    let names: Vec<&str> = names.lines().collect();
    let packages: Vec<&str> = names.iter().copied().filter(|name| series(name, "llvm-", "-dev").is_some()).collect();
    let policy = match packages.as_slice() {
        [] => String::new(),
        packages => output(runner, &[&["apt-cache", "policy"], packages].concat()),
    };
    let mut pythons: Vec<String> =
        names.iter().filter_map(|name| Some(format!("3.{}", series(name, "python3.", "")?))).collect();
    pythons.sort_by_key(|name| crate::interpreters::numbers(name));
    let mut asked: Vec<&str> = vec!["dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${Package}|${Version}\n"];
    asked.extend(["llvm-*-dev", "python3.*-venv", "python3.*-dev"]);
    asked.extend(table::unversioned(ManagerKind::Apt));
    // Its status is 1 as soon as one of them is not installed.
    let installed = parse_installed(&output(runner, &asked));
    Answer { llvm: parse_policy(&policy), pythons, installed }
}

fn output(runner: &Runner<'_>, argv: &[&str]) -> String {
    let query = Query::new(argv.iter().copied()).env("LC_ALL", "C").timeout(PATIENCE);
    runner.capture(&query).map_or(String::new(), |captured| captured.stdout_text().into_owned())
}

/// The number between two texts.
fn series(name: &str, before: &str, after: &str) -> Option<u32> {
    name.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

/// `apt-cache policy`: a package's name on a line of its own, what it would be under it.
fn parse_policy(text: &str) -> Vec<LlvmCandidate> {
    let mut found = Vec::new();
    let mut package = "";
    for line in text.lines() {
        if !line.starts_with(' ') {
            package = line.trim_end_matches(':');
        } else if let Some(version) = line.trim().strip_prefix("Candidate:")
            && let Some(version) = upstream_version(version.trim())
        {
            found.push(LlvmCandidate { version, package: package.to_owned() });
        }
    }
    found.sort_by(|a, b| a.version.cmp(&b.version));
    found
}

/// `1:19.1.7-3~deb12u1` → 19.1.7; `1:18.1.0~rc2-1` → 18.1.0-rc2; `(none)` is none.
fn upstream_version(version: &str) -> Option<LlvmVersion> {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    let version = version.rsplit_once('-').map_or(version, |(version, _)| version);
    let (numbers, suffix) = version.split_once(['~', '+']).unwrap_or((version, ""));
    let suffix = if suffix.starts_with("rc") { format!("-{suffix}") } else { String::new() };
    format!("{numbers}{suffix}").parse().ok()
}

/// Which of these packages are there right now, with their versions; asked of dpkg, which every call of apt-get asks too.
pub(super) fn look(packages: &[String], runner: &Runner<'_>) -> Vec<Presence> {
    // All of them: what provides a virtual package is known by looking at each.
    let form = "${db:Status-Abbrev}|${Package}|${Architecture}|${Version}|${Provides}\n";
    let installed = output(runner, &["dpkg-query", "-W", "-f", form]);
    packages.iter().map(|package| Dpkg(&installed).look(package)).collect()
}

/// What dpkg has, as [`look`] asks it.
struct Dpkg<'a>(&'a str);

/// One package of it.
struct Package<'a> {
    name: &'a str,
    architecture: &'a str,
    version: &'a str,
    provides: &'a str,
}

impl<'a> Dpkg<'a> {
    fn packages(&self) -> impl Iterator<Item = Package<'a>> {
        self.0.lines().filter(|line| line.as_bytes().get(1) == Some(&b'i')).filter_map(|line| {
            let mut fields = line.splitn(5, '|').skip(1);
            let mut next = || fields.next();
            Some(Package { name: next()?, architecture: next()?, version: next()?, provides: next()? })
        })
    }

    /// A package by name, `name:architecture`, `name=version`, or by what another one provides.
    fn look(&self, asked: &str) -> Presence {
        let (asked, wanted) = asked.split_once('=').map_or((asked, None), |(name, version)| (name, Some(version)));
        let (name, architecture) = asked.split_once(':').map_or((asked, None), |(name, of)| (name, Some(of)));
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
        // `name/release`, a file, a pattern, `name-` (to be removed), a task; or dpkg did not answer.
        if name.is_empty() || !name.chars().all(letters) || name.ends_with('-') || self.packages().next().is_none() {
            return Presence::NotKnown;
        }
        // The machine's own architecture, which apt-get takes if none is named, is dpkg's.
        let own = self.packages().find(|package| package.name == "dpkg").map(|dpkg| dpkg.architecture);
        let of = architecture.or(own).filter(|of| *of != "any");
        let fits = |package: &Package<'_>| {
            package.architecture == "all" || of.is_none_or(|of| of == "native" || of == package.architecture)
        };
        if let Some(there) = self.packages().find(|package| package.name == name && fits(package)) {
            let same = wanted.is_none_or(|wanted| match wanted.split_once('*') {
                Some((start, _)) => there.version.starts_with(start),
                None => there.version == wanted,
            });
            return if same { Presence::There(there.version.to_owned()) } else { Presence::Missing };
        }
        // `mail-transport-agent`, `libz-dev (= 1.3)`
        let provided = |package: &Package<'_>| {
            let names = package.provides.split(',').filter_map(|one| one.split_whitespace().next());
            fits(package) && names.map(|one| one.split(':').next().unwrap_or(one)).any(|one| one == name)
        };
        match self.packages().find(provided) {
            Some(by) if wanted.is_none() => Presence::There(format!("{} of {}", by.version, by.name)),
            Some(_) => Presence::NotKnown,
            // `name+` is `name`, to be installed, if no package is called so.
            None if name.ends_with('+') && self.packages().all(|package| package.name != name) => Presence::NotKnown,
            None => Presence::Missing,
        }
    }
}

/// What `dpkg-query` prints in the form that is asked when machines are probed.
fn parse_installed(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split('|');
            let (status, package, version) = (fields.next()?, fields.next()?, fields.next()?);
            // The second letter is what is: i for installed; the first only what is wanted.
            (status.as_bytes().get(1) == Some(&b'i')).then(|| (package.to_owned(), version.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_is_read() {
        let text = "llvm-13-dev:\n  Installed: (none)\n  Candidate: 1:13.0.1-11+b2\n  Version table:\n     1:13.0.1-11+b2 500\n\
                    llvm-22-dev:\n  Installed: (none)\n  Candidate: 1:22.1.8-1~deb12u1\n\
                    llvm-19-dev:\n  Installed: 1:19.1.7-3~deb12u1\n  Candidate: 1:19.1.7-3~deb12u1\n\
                    llvm-9-dev:\n  Installed: (none)\n  Candidate: (none)\n";
        let found: Vec<_> = parse_policy(text).iter().map(|c| format!("{} {}", c.package, c.version)).collect();
        assert_eq!(found, ["llvm-13-dev 13.0.1", "llvm-19-dev 19.1.7", "llvm-22-dev 22.1.8"]);
    }

    #[test]
    fn upstream_versions() {
        for (debian, upstream) in [
            ("1:19.1.7-3~deb12u1", "19.1.7"),
            ("1:18.1.0~rc2-1", "18.1.0-rc2"),
            ("1:20.1.8~++20250804090239+87f0227cb601-1~exp1", "20.1.8"),
            ("1:14.0.0-1ubuntu1.1", "14.0.0"),
        ] {
            assert_eq!(upstream_version(debian).map(|v| v.to_string()).as_deref(), Some(upstream), "{debian}");
        }
        assert_eq!(upstream_version("(none)"), None);
    }

    #[test]
    fn every_way_of_writing() {
        let installed = "ii |dpkg|amd64|1.22.6|\nii |g++|amd64|4:13.2.0|c++-compiler\nii |zlib1g-dev|amd64|1:1.3|libz-dev (= 1:1.3)\n\
                         ii |libc6|amd64|2.39|\nii |libc6|i386|2.39|\nii |libpng-dev|i386|1.6|\nii |tzdata|all|2026a|tzdata-trixie\n\
                         rc |git|amd64|1:2.43|git-core\nii |postfix|amd64|3.8|default-mta, mail-transport-agent\n";
        let (there, missing, unknown) = (Some(true), Some(false), None);
        for (asked, expected) in [
            ("g++", there),
            ("g++=4:13.2.0", there),
            ("g++=4:13*", there),
            ("g++=4:14.1.0", missing),
            ("libc6:i386", there),
            ("g++:i386", missing),
            ("libpng-dev", missing),
            ("libpng-dev:any", there),
            ("tzdata:i386", there),
            ("zlib1g-dev:amd64=1:1.3", there),
            ("libz-dev", there),
            ("mail-transport-agent", there),
            ("git", missing),
            ("git-core", missing),
            ("zlib1g-dev/stable", unknown),
            ("python3.*-dev", unknown),
            ("./local.deb", unknown),
            ("lamp-server^", unknown),
            ("g++-", unknown),
            ("git+", unknown),
        ] {
            let found = match Dpkg(installed).look(asked) {
                Presence::There(_) => there,
                Presence::Missing => missing,
                Presence::NotKnown => unknown,
            };
            assert_eq!(found, expected, "{asked}");
        }
        assert_eq!(Dpkg(installed).look("libz-dev"), Presence::There("1:1.3 of zlib1g-dev".to_owned()));
        assert_eq!(Dpkg("").look("git"), Presence::NotKnown, "dpkg did not answer");
    }

    #[test]
    fn installed_and_removed() {
        let text = "ii |git|1:2.39.5\nrc |llvm-14-dev|1:14.0.6-12\nun |g++|\nhi |zlib1g-dev|1.2\n";
        let found = parse_installed(text);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["git", "zlib1g-dev"]);
    }
}

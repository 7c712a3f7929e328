//! What a package is asked for by, in each manager's own way of writing, and whether what is installed is that.
//!
//! Sources: conda's "Package match specifications", apk-world(5), brew(1). What dpkg and rpm have is asked of them: [`super::apt`],
//! [`super::dnf`].

use super::{ManagerKind, PackageManager};
use ManagerKind::{Apk, Apt, Brew, Choco, Conda, Dnf, Winget};

/// Whether a package that is asked for is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It is, in this version.
    There(String),
    /// It is not.
    Missing,
    /// That cannot be told: it is asked for by a file, a group, a pattern or a build, or the manager did not answer.
    NotKnown,
}

/// A package as it is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    name: &'a str,
    /// What its version must be; every clause.
    clauses: Vec<Clause<'a>>,
    /// Something is asked besides that is not compared here, such as a build.
    more: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clause<'a> {
    sign: Sign,
    version: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    AtLeast,
    AtMost,
    Less,
    Greater,
    Exactly,
    Not,
    /// Of this series: `19` is 19.1.7.
    Series,
}

/// Longest first, so that `>=` is not taken for `>`.
const SIGNS: [(&str, Sign); 8] = [
    (">=", Sign::AtLeast),
    ("<=", Sign::AtMost),
    ("==", Sign::Exactly),
    ("!=", Sign::Not),
    ("<", Sign::Less),
    (">", Sign::Greater),
    ("=", Sign::Series),
    ("~", Sign::Series),
];

/// Whether a package is among those that a manager of this kind has installed.
pub(super) fn presence(manager: &PackageManager, package: &str) -> Presence {
    let installed = |name: &str| {
        let folds = matches!(manager.kind, Choco | Winget | Conda);
        let known = |known: &String| known == name || folds && known.eq_ignore_ascii_case(name);
        manager.installed.iter().find(|(name, _)| known(name)).map(|(_, version)| version.clone())
    };
    if let Some(version) = manager.installed.get(package) {
        return Presence::There(version.clone());
    }
    let Some(asked) = read(manager.kind, package) else { return Presence::NotKnown };
    if let Some(there) = installed(asked.name) {
        return asked.compare(there);
    }
    // Homebrew's newest release of a formula goes by the bare name.
    if manager.kind == Brew
        && let Some((name, version)) = asked.name.split_once('@')
        && let Some(there) = installed(name)
    {
        return Asked { name, clauses: vec![Clause { sign: Sign::Series, version }], more: false }.compare(there);
    }
    Presence::Missing
}

/// The name alone, by which a manager that takes names only is asked.
pub(super) fn name(kind: ManagerKind, package: &str) -> &str {
    read(kind, package).map_or(package, |asked| asked.name)
}

/// `None` for what is not asked for by a name.
fn read(kind: ManagerKind, text: &str) -> Option<Asked<'_>> {
    let plain = |name| Asked { name, clauses: Vec::new(), more: false };
    let odd = |name: &str| name.is_empty() || name.contains(['*', '?', '/', '\\', ' ', '^', '!']);
    let asked = match kind {
        Conda => conda(text.rsplit_once("::").map_or(text, |(_channel, rest)| rest)),
        Apk => apk(text),
        // `tap/of/formula`
        Brew => plain(text.rsplit_once('/').map_or(text, |(_tap, formula)| formula)),
        Choco | Winget | Apt | Dnf => plain(text),
    };
    let file = [".conda", ".tar.bz2", ".apk", ".rb", ".nupkg", ".config"].iter().any(|end| text.ends_with(end));
    (!file && !text.contains("://") && !odd(asked.name)).then_some(asked)
}

/// `zlib`, `zlib=1.2`, `zlib>=1.2,<2`, `zlib 1.2.* build`, `zlib=1.2.13=build`, `zlib[version='>=1.2', build=x]`.
fn conda(text: &str) -> Asked<'_> {
    let (name, rest) = cut(text, &['<', '>', '=', '!', '~', ' ', '[']);
    let (rest, bracket) = rest.split_once('[').unwrap_or((rest, ""));
    let mut asked = Asked { name, clauses: Vec::new(), more: false };
    asked.version(rest.trim());
    asked.bracket(bracket.trim_end().trim_end_matches(']'));
    asked
}

/// `zlib-dev`, `zlib-dev>1.2`, `zlib-dev=1.3.1-r2`, `zlib-dev~1.3`, `zlib-dev@edge`, `so:libz.so.1`.
fn apk(text: &str) -> Asked<'_> {
    let (text, _repository) = text.split_once('@').unwrap_or((text, ""));
    let (name, rest) = cut(text, &['<', '>', '=', '~']);
    let mut asked = Asked { name, clauses: Vec::new(), more: false };
    let rest = rest.trim();
    let exact = rest.strip_prefix('=').filter(|rest| !rest.starts_with(['=', '~']));
    match (exact, rest.is_empty()) {
        (_, true) => {}
        (Some(version), _) => asked.clauses.push(Clause { sign: Sign::Exactly, version }),
        // `~=` is what `~` is, `><` a checksum.
        (None, _) if rest.starts_with("~=") => asked.version(rest.trim_start_matches('~')),
        (None, _) => asked.version(rest),
    }
    asked
}

fn cut<'a>(text: &'a str, at: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(at).unwrap_or(text.len()))
}

impl<'a> Asked<'a> {
    /// A version that is asked for, as it stands behind the name.
    fn version(&mut self, text: &'a str) {
        if text.is_empty() {
            return;
        }
        // One of several: not compared here.
        if text.contains('|') {
            self.more = true;
            return;
        }
        // What stands behind the version is a build. `>=1.2, <2` is one version all the same.
        let (version, build) = match text.strip_prefix('=').filter(|rest| !rest.starts_with('=')) {
            Some(rest) => rest.split_once(['=', ' ']).map_or((text, ""), |(version, build)| (version, build)),
            None if text.contains(',') => (text, ""),
            None => text.split_once(|c: char| c.is_whitespace()).map_or((text, ""), |(version, build)| {
                if SIGNS.iter().any(|(sign, _)| *sign == version) { (text, "") } else { (version, build) }
            }),
        };
        self.more |= !build.trim().is_empty();
        for clause in version.split(',').map(str::trim) {
            // `~=1.2.3` is any 1.2 from 1.2.3 on.
            let series = clause.strip_prefix("~=").and_then(|version| Some((version, version.rsplit_once('.')?.0)));
            match (series, Clause::read(clause)) {
                (Some((version, series)), _) => self.clauses.extend([
                    Clause { sign: Sign::AtLeast, version: version.trim() },
                    Clause { sign: Sign::Series, version: series.trim() },
                ]),
                (None, Some(clause)) => self.clauses.push(clause),
                (None, None) => self.more = true,
            }
        }
    }

    /// `version='>=1.2', build=x`: a channel says where it comes from, all else what it is.
    fn bracket(&mut self, text: &'a str) {
        let mut rest = text.trim();
        while let Some((key, after)) = rest.split_once('=') {
            let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let after = quote.map_or(after, |quote| after.strip_prefix(quote).unwrap_or(after));
            let (value, behind) = after.split_once(quote.unwrap_or(',')).unwrap_or((after, ""));
            match key.trim().trim_start_matches(',').trim() {
                "version" => self.version(value.trim()),
                "channel" | "subdir" => {}
                _ => self.more = true,
            }
            rest = behind.trim().trim_start_matches(',').trim();
        }
    }

    fn compare(&self, there: String) -> Presence {
        let held: Vec<Option<bool>> = self.clauses.iter().map(|clause| clause.holds(&there)).collect();
        if held.contains(&Some(false)) {
            Presence::Missing
        } else if self.more || held.contains(&None) {
            Presence::NotKnown
        } else {
            Presence::There(there)
        }
    }
}

impl<'a> Clause<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let found = SIGNS.iter().find_map(|(sign, meaning)| Some((*meaning, text.strip_prefix(sign)?.trim())));
        let (sign, version) = found.unwrap_or((Sign::Exactly, text));
        if version.is_empty() || version.starts_with('=') || text.starts_with("~=") {
            return None;
        }
        match version.strip_suffix(".*").or_else(|| version.strip_suffix('*')) {
            None => Some(Self { sign, version }),
            Some(version) if matches!(sign, Sign::Exactly | Sign::Series) => Some(Self { sign: Sign::Series, version }),
            Some(_) => None,
        }
    }

    /// `None` where these versions have no order that is known here.
    fn holds(self, there: &str) -> Option<bool> {
        let order = || Some(numbers(there)?.cmp(&numbers(self.version)?));
        match self.sign {
            Sign::Series => {
                let rest = there.strip_prefix(self.version);
                Some(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_', '-'])))
            }
            Sign::Exactly if there == self.version => Some(true),
            Sign::Exactly => Some(order().is_some_and(std::cmp::Ordering::is_eq)),
            Sign::Not => Some(there != self.version && order().is_none_or(std::cmp::Ordering::is_ne)),
            Sign::AtLeast => order().map(std::cmp::Ordering::is_ge),
            Sign::AtMost => order().map(std::cmp::Ordering::is_le),
            Sign::Less => order().map(std::cmp::Ordering::is_lt),
            Sign::Greater => order().map(std::cmp::Ordering::is_gt),
        }
    }
}

/// `1.2.0` → 1, 2; `1.3.1-r2` → 1, 3, 1 in Alpine's second release. Zeros at the end say nothing.
fn numbers(version: &str) -> Option<(Vec<u64>, u64)> {
    let (version, release) = version.split_once("-r").unwrap_or((version, "0"));
    let mut numbers: Vec<u64> = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some((numbers, release.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;
    use std::collections::BTreeMap;

    fn look(kind: ManagerKind, there: (&str, &str), package: &str) -> Presence {
        let manager = PackageManager {
            kind,
            path: Utf8PathBuf::from("/x"),
            environment: None,
            lists_empty: false,
            installed: BTreeMap::from([(there.0.to_owned(), there.1.to_owned())]),
            llvm: Vec::new(),
            pythons: Vec::new(),
            sudo: None,
        };
        presence(&manager, package)
    }

    #[test]
    fn every_way_of_writing() {
        const XML: (&str, &str) = ("libxml2-devel", "2.14.3");
        const ZLIB: (&str, &str) = ("zlib-dev", "1.3.1-r2");
        let (there, missing, unknown) = (Some(true), Some(false), None);
        for (kind, installed, package, expected) in [
            (Conda, XML, "libxml2-devel", there),
            (Conda, XML, "LibXML2-devel", there),
            (Conda, XML, "libxml2-devel>=2.14", there),
            (Conda, XML, "libxml2-devel >=2.14,<3", there),
            (Conda, XML, "libxml2-devel>=2.14, <3", there),
            (Conda, XML, "libxml2-devel >= 2.14", there),
            (Conda, XML, "libxml2-devel>=2.15", missing),
            (Conda, XML, "libxml2-devel<2.14.3", missing),
            (Conda, XML, "libxml2-devel<=2.14.3.0", there),
            (Conda, XML, "libxml2-devel!=2.14.3", missing),
            (Conda, XML, "libxml2-devel!=2.13", there),
            (Conda, XML, "conda-forge::libxml2-devel", there),
            (Conda, XML, "conda-forge/linux-64::libxml2-devel=2.14", there),
            (Conda, XML, "libxml2-devel=2.1", missing),
            (Conda, XML, "libxml2-devel==2.14", missing),
            (Conda, XML, "libxml2-devel==2.14.3", there),
            (Conda, XML, "libxml2-devel 2.14.*", there),
            (Conda, XML, "libxml2-devel 2.14.3 h123_0", unknown),
            (Conda, XML, "libxml2-devel=2.14.3=h123_0", unknown),
            (Conda, XML, "libxml2-devel=2.15=h123_0", missing),
            (Conda, XML, "libxml2-devel[version=2.14.3]", there),
            (Conda, XML, "libxml2-devel[version='>=2.14,<3', channel=conda-forge]", there),
            (Conda, XML, "libxml2-devel[channel=conda-forge, version='>=2.15']", missing),
            (Conda, XML, "libxml2-devel[version=\">=2.14\",build=h1*]", unknown),
            (Conda, XML, "libxml2-devel=2.13|=2.14", unknown),
            (Conda, XML, "libxml2-devel~=2.14.1", there),
            (Conda, XML, "libxml2-devel~=2.14.4", missing),
            (Conda, XML, "libxml2-devel~=2.13.1", missing),
            (Conda, XML, "libxml2-devel~=2", unknown),
            (Conda, ("jpeg", "9e"), "jpeg>=9", unknown),
            (Conda, ("jpeg", "9e"), "jpeg=9e", there),
            (Conda, XML, "libxml2", missing),
            (Conda, XML, "libxml2*", unknown),
            (Conda, XML, "./libxml2-devel-2.14.3-h1_0.conda", unknown),
            (Apk, ZLIB, "zlib-dev", there),
            (Apk, ZLIB, "zlib-dev@edge", there),
            (Apk, ZLIB, "zlib-dev=1.3.1-r2", there),
            (Apk, ZLIB, "zlib-dev=1.3.1-r1", missing),
            (Apk, ZLIB, "zlib-dev>1.3.1-r1", there),
            (Apk, ZLIB, "zlib-dev>=1.4", missing),
            (Apk, ZLIB, "zlib-dev~1.3", there),
            (Apk, ZLIB, "zlib-dev~=1.3", there),
            (Apk, ZLIB, "!zlib-dev", unknown),
            (Apk, ("so:libz.so.1", "1.3.1"), "so:libz.so.1", there),
            (Brew, ("llvm", "22.1.8_1"), "llvm@22", there),
            (Brew, ("llvm", "22.1.8_1"), "homebrew/core/llvm", there),
            (Brew, ("llvm", "22.1.8_1"), "llvm@2", missing),
            (Choco, ("Git", "2.50"), "git", there),
            (Choco, ("Git", "2.50"), "gitea", missing),
        ] {
            let found = match look(kind, installed, package) {
                Presence::There(version) => {
                    assert_eq!(version, installed.1, "{kind} {package}");
                    there
                }
                Presence::Missing => missing,
                Presence::NotKnown => unknown,
            };
            assert_eq!(found, expected, "{kind} {package}");
        }
    }
}

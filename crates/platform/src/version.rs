//! Versions of distributions (PEP 440, now the "Version specifiers" page of the PyPA specifications).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A version. Any spelling PEP 440 allows is read; the normal one is printed: `v1.0-ALPHA.1` becomes `1.0a1`.
///
/// Comparing follows PEP 440, where `1.0` and `1.0.0` are the same version; they are printed as they were read.
#[derive(Debug, Clone)]
pub struct Version {
    epoch: u64,
    release: Vec<u64>,
    pre: Option<(PreRelease, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<LocalPart>,
}

/// The kind of a pre-release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PreRelease {
    /// `a`
    Alpha,
    /// `b`
    Beta,
    /// `rc`
    Candidate,
}

/// A part of a local version label. Text sorts before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum LocalPart {
    Text(String),
    Number(u64),
}

/// A text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {reason}")]
pub struct VersionError {
    /// What was given.
    pub text: String,
    /// Why it is none.
    pub reason: &'static str,
}

impl Version {
    /// A final release: `[3, 13]` is `3.13`. An empty slice is `0`.
    pub fn release_of(parts: &[u64]) -> Self {
        let release = if parts.is_empty() { vec![0] } else { parts.to_vec() };
        Self { epoch: 0, release, pre: None, post: None, dev: None, local: Vec::new() }
    }

    /// The epoch, 0 where none is written.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The numbers of the release, as many as were written, at least one.
    pub fn release(&self) -> &[u64] {
        &self.release
    }

    /// The pre-release: `rc1` is a candidate and 1.
    pub const fn pre(&self) -> Option<(PreRelease, u64)> {
        self.pre
    }

    /// The number of the post-release.
    pub const fn post(&self) -> Option<u64> {
        self.post
    }

    /// The number of the developmental release.
    pub const fn dev(&self) -> Option<u64> {
        self.dev
    }

    /// The local version label, normalised, without its `+`.
    pub fn local(&self) -> Option<String> {
        let parts: Vec<String> = self.local.iter().map(LocalPart::to_string).collect();
        (!parts.is_empty()).then(|| parts.join("."))
    }

    /// Whether installers leave it out unless asked: an alpha, a beta, a candidate or a developmental release.
    pub const fn is_prerelease(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// Whether it is a post-release.
    pub const fn is_postrelease(&self) -> bool {
        self.post.is_some()
    }

    /// Without the local label.
    #[must_use]
    pub fn public(&self) -> Self {
        Self { local: Vec::new(), ..self.clone() }
    }

    /// Epoch and release alone.
    #[must_use]
    pub fn base(&self) -> Self {
        Self { epoch: self.epoch, ..Self::release_of(&self.release) }
    }

    /// The first of its own pre-releases: `1.0.dev0` of 1.0.
    pub(crate) fn first_dev(&self) -> Self {
        Self { dev: Some(0), ..self.public() }
    }

    /// What it is a post-release of: `1.0a1` for `1.0a1.post2.dev3+local`.
    pub(crate) fn without_post(&self) -> Self {
        Self { post: None, dev: None, ..self.public() }
    }

    /// The release without the zeros at its end, which mean nothing when versions are compared.
    fn significant(&self) -> &[u64] {
        let zeros = self.release.iter().rev().take_while(|part| **part == 0).count();
        self.release.split_at(self.release.len() - zeros).0
    }

    /// What versions are ordered by.
    fn key(&self) -> impl Ord + Hash + '_ {
        #[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
        enum Pre {
            // 1.0.dev1 comes before 1.0a1, and 1.0.post1.dev1 after 1.0.
            DevelopmentOfRelease,
            Named(PreRelease, u64),
            None,
        }
        #[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
        enum Dev {
            Dev(u64),
            None,
        }
        let pre = match (self.pre, self.post, self.dev) {
            (Some((kind, number)), _, _) => Pre::Named(kind, number),
            (None, None, Some(_)) => Pre::DevelopmentOfRelease,
            (None, _, _) => Pre::None,
        };
        (self.epoch, self.significant(), pre, self.post, self.dev.map_or(Dev::None, Dev::Dev), self.local.as_slice())
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::fmt::Write as _;
        let mut text = String::new();
        if self.epoch != 0 {
            write!(text, "{}!", self.epoch)?;
        }
        for (index, part) in self.release.iter().enumerate() {
            write!(text, "{}{part}", if index == 0 { "" } else { "." })?;
        }
        if let Some((kind, number)) = self.pre {
            let kind = match kind {
                PreRelease::Alpha => "a",
                PreRelease::Beta => "b",
                PreRelease::Candidate => "rc",
            };
            write!(text, "{kind}{number}")?;
        }
        if let Some(number) = self.post {
            write!(text, ".post{number}")?;
        }
        if let Some(number) = self.dev {
            write!(text, ".dev{number}")?;
        }
        if let Some(local) = self.local() {
            write!(text, "+{local}")?;
        }
        f.pad(&text)
    }
}

const PRE: [(&str, PreRelease); 8] = [
    // The longer name first where one begins with the other.
    ("alpha", PreRelease::Alpha),
    ("a", PreRelease::Alpha),
    ("beta", PreRelease::Beta),
    ("b", PreRelease::Beta),
    ("preview", PreRelease::Candidate),
    ("pre", PreRelease::Candidate),
    ("rc", PreRelease::Candidate),
    ("c", PreRelease::Candidate),
];
const POST: [(&str, ()); 3] = [("post", ()), ("rev", ()), ("r", ())];
const DEV: [(&str, ()); 1] = [("dev", ())];

const FORM: &str =
    "it has the form `1.2.3`, with `a1`, `b1`, `rc1`, `.post1`, `.dev1`, `+local` where needed (PEP 440)";
const TOO_LARGE: &str = "a number in it is too large";

/// What is left to read of a version, in lower case.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn eat(&mut self, prefix: &str) -> bool {
        match self.0.strip_prefix(prefix) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn number(&mut self) -> Result<Option<u64>, &'static str> {
        let digits = self.0.len() - self.0.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = self.0.split_at(digits);
        if number.is_empty() {
            return Ok(None);
        }
        self.0 = rest;
        number.parse().map(Some).map_err(|_| TOO_LARGE)
    }

    /// `[-_.]? word [-_.]? number?`: the separators mean nothing, a missing number is 0.
    fn segment<T: Copy>(&mut self, words: &[(&str, T)]) -> Result<Option<(T, u64)>, &'static str> {
        let from = self.0.strip_prefix(SEPARATORS).unwrap_or(self.0);
        let found = words.iter().find_map(|(word, kind)| Some((from.strip_prefix(word)?, *kind)));
        let Some((rest, kind)) = found else { return Ok(None) };
        self.0 = rest.strip_prefix(SEPARATORS).unwrap_or(rest);
        Ok(Some((kind, self.number()?.unwrap_or(0))))
    }

    fn release(&mut self) -> Result<Vec<u64>, &'static str> {
        let mut release = vec![self.number()?.ok_or(FORM)?];
        while self.0.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            self.eat(".");
            release.push(self.number()?.ok_or(FORM)?);
        }
        Ok(release)
    }

    fn local(&mut self) -> Result<Vec<LocalPart>, &'static str> {
        if !self.eat("+") {
            return Ok(Vec::new());
        }
        let text: &'a str = std::mem::take(&mut self.0);
        let part = |part: &str| {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err("its local label (after `+`) is of letters and digits with `.` between");
            }
            if part.bytes().all(|b| b.is_ascii_digit()) {
                return part.parse().map(LocalPart::Number).map_err(|_| TOO_LARGE);
            }
            Ok(LocalPart::Text(part.to_owned()))
        };
        text.split(SEPARATORS).map(part).collect()
    }

    fn version(&mut self) -> Result<Version, &'static str> {
        self.eat("v");
        let mut release = self.release()?;
        let mut epoch = 0;
        if let (true, [number]) = (self.0.starts_with('!'), release.as_slice()) {
            epoch = *number;
            self.eat("!");
            release = self.release()?;
        }
        let pre = self.segment(&PRE)?;
        let post = match self.0.strip_prefix('-') {
            // `1.0-1` is the post-release 1.
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
                self.eat("-");
                self.number()?
            }
            _ => self.segment(&POST)?.map(|((), number)| number),
        };
        let dev = self.segment(&DEV)?.map(|((), number)| number);
        let local = self.local()?;
        if self.0.is_empty() { Ok(Version { epoch, release, pre, post, dev, local }) } else { Err(FORM) }
    }
}

const SEPARATORS: [char; 3] = ['-', '_', '.'];

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        Reader(&lower).version().map_err(|reason| VersionError { text: text.to_owned(), reason })
    }
}

crate::text::serde_as_text!(Version);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_one_normal_form() {
        for (text, normal) in [
            ("1.0", "1.0"),
            ("01.00", "1.0"),
            ("v1.0-ALPHA.1", "1.0a1"),
            ("1.0_beta2", "1.0b2"),
            ("1.0c", "1.0rc0"),
            ("1.0-preview_3", "1.0rc3"),
            ("1.0-1", "1.0.post1"),
            ("1.0rev", "1.0.post0"),
            ("1.0.r4", "1.0.post4"),
            ("1.0DEV", "1.0.dev0"),
            ("1!2.3a1.post2.dev3+Ubuntu-01", "1!2.3a1.post2.dev3+ubuntu.1"),
            (" 1.0 ", "1.0"),
        ] {
            let version: Version = text.parse().unwrap();
            assert_eq!(version.to_string(), normal);
            assert_eq!(normal.parse(), Ok(version));
        }
    }

    #[test]
    fn versions_stand_in_the_order_of_pep_440() {
        let ordered = [
            "0.9",
            "1.dev1",
            "1.0a1.dev1",
            "1.0a1",
            "1.0a1.post1",
            "1.0b1",
            "1.0rc1",
            "1.0",
            "1.0+a",
            "1.0+a.1",
            "1.0+1",
            "1.0.post1.dev1",
            "1.0.post1",
            "1.0.1",
            "1.1",
            "1.10",
            "1!0.1",
        ]
        .map(|text| text.parse::<Version>().unwrap());
        assert!(ordered.is_sorted_by(|a, b| a < b));
        let [a, b] = ["1.0", "1.0.0"].map(|text| text.parse::<Version>().unwrap());
        assert_eq!(a, b);
        assert_eq!(std::collections::HashSet::from([a, b]).len(), 1, "equal ones hash alike");
    }

    #[test]
    fn what_is_no_version_says_why() {
        for (text, reason) in [
            ("", FORM),
            ("one", FORM),
            ("1..2", FORM),
            ("1.0-", FORM),
            ("1.0a1-", FORM),
            ("1.*", FORM),
            ("v1!v1", FORM),
            ("1!", FORM),
            ("1.0é", FORM),
            ("99999999999999999999", TOO_LARGE),
            ("1.0+", "its local label (after `+`) is of letters and digits with `.` between"),
            ("1.0+a+b", "its local label (after `+`) is of letters and digits with `.` between"),
        ] {
            let error = text.parse::<Version>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a version: {reason}"));
        }
    }

    #[test]
    fn parts_of_a_version() {
        let version: Version = "1!2.3rc4.post5.dev6+local.7".parse().unwrap();
        assert_eq!((version.epoch(), version.release()), (1, &[2, 3][..]));
        assert_eq!(version.pre(), Some((PreRelease::Candidate, 4)));
        assert_eq!((version.post(), version.dev()), (Some(5), Some(6)));
        assert_eq!(version.local().as_deref(), Some("local.7"));
        assert_eq!(version.public().to_string(), "1!2.3rc4.post5.dev6");
        assert_eq!(version.base().to_string(), "1!2.3");
        assert!(version.is_prerelease() && version.is_postrelease());
        assert_eq!(Version::release_of(&[]).to_string(), "0");
    }
}

//! Version specifiers (PEP 440): `>=3.9,<4`, `~=1.4`, `==2.*`, `!=1.5`, `===1.0+downstream`.

use std::fmt;
use std::str::FromStr;

use crate::version::{Version, VersionError};

/// How a clause compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `~=`: at least this one, within the release series one level above.
    Compatible,
    /// `==`, with or without `.*`.
    Equal,
    /// `!=`, with or without `.*`.
    NotEqual,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `===`: the same text.
    Identical,
}

/// The longer operator first where one begins with another.
const OPERATORS: [(&str, Operator); 8] = [
    ("===", Operator::Identical),
    ("~=", Operator::Compatible),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OPERATORS.iter().find(|(_, operator)| operator == self).map_or("", |(text, _)| *text);
        f.pad(text)
    }
}

/// What stands after the operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Operand {
    Version(Version),
    /// `1.2.*`: only after `==` and `!=`.
    Series(Version),
    /// After `===`, where it need not be a version.
    Text(String),
}

/// One clause of a specifier set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Specifier {
    operator: Operator,
    operand: Operand,
}

/// A text is no version specifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version specifier: {reason}")]
pub struct SpecifierError {
    /// The clause that was given.
    pub text: String,
    /// Why it is none.
    pub reason: String,
}

impl Specifier {
    /// How it compares.
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// The version it compares with: `1.2` for `==1.2.*`; `None` for a `===` whose text is no version.
    pub fn version(&self) -> Option<Version> {
        match &self.operand {
            Operand::Version(version) | Operand::Series(version) => Some(version.clone()),
            Operand::Text(text) => text.parse().ok(),
        }
    }

    /// Whether it ends in `.*`.
    pub const fn is_series(&self) -> bool {
        matches!(self.operand, Operand::Series(_))
    }

    /// Whether `version` meets the clause, pre-releases included.
    pub fn matches(&self, version: &Version) -> bool {
        match &self.operand {
            Operand::Series(series) => in_series(version, series) == (self.operator == Operator::Equal),
            Operand::Text(text) => version.to_string().eq_ignore_ascii_case(text),
            Operand::Version(operand) => compare(self.operator, version, operand),
        }
    }

    /// Whether the clause names a pre-release itself and so asks for them.
    fn names_prerelease(&self) -> bool {
        self.operator != Operator::NotEqual && self.version().is_some_and(|version| version.is_prerelease())
    }
}

fn in_series(version: &Version, series: &Version) -> bool {
    version.epoch() == series.epoch() && begins_with(version, series.release())
}

/// Whether the numbers of the release begin so; numbers that are not written are 0.
fn begins_with(version: &Version, numbers: &[u64]) -> bool {
    let padded = version.release().iter().copied().chain(std::iter::repeat(0));
    padded.zip(numbers).all(|(part, wanted)| part == *wanted)
}

fn compare(operator: Operator, version: &Version, operand: &Version) -> bool {
    // Local labels are of the version's side alone, but for a `==` that names one.
    let public = || version.public();
    match operator {
        Operator::Compatible => {
            let series = operand.release().split_last().map_or(&[][..], |(_, above)| above);
            version.epoch() == operand.epoch() && begins_with(version, series) && public() >= *operand
        }
        Operator::Equal | Operator::NotEqual | Operator::Identical => {
            let equal = if operand.local().is_some() { version == operand } else { public() == *operand };
            equal == (operator != Operator::NotEqual)
        }
        Operator::AtMost => public() <= *operand,
        Operator::AtLeast => public() >= *operand,
        // `<1.0` leaves out the pre-releases of 1.0, unless it names one.
        Operator::Less => {
            version < operand && (operand.is_prerelease() || !version.is_prerelease() || *version < operand.first_dev())
        }
        // `>1.0` leaves out the post-releases of 1.0, unless it names one, and its local versions.
        Operator::Greater => {
            version > operand
                && (operand.is_postrelease() || !version.is_postrelease() || version.without_post() != *operand)
                && (version.local().is_none() || public() != *operand)
        }
    }
}

impl FromStr for Specifier {
    type Err = SpecifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let clause = text.trim();
        let fail = |reason: &str| SpecifierError { text: clause.to_owned(), reason: reason.to_owned() };
        let Some((rest, operator)) =
            OPERATORS.iter().find_map(|(sign, operator)| Some((clause.strip_prefix(sign)?, *operator)))
        else {
            return Err(fail("it begins with one of `>=`, `<=`, `>`, `<`, `==`, `!=`, `~=`, `===`"));
        };
        let rest = rest.trim();
        if operator == Operator::Identical {
            if rest.is_empty() || rest.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ')')) {
                return Err(fail("after `===` stands one word"));
            }
            return Ok(Self { operator, operand: Operand::Text(rest.to_owned()) });
        }
        let (number, series) = match rest.strip_suffix(".*") {
            Some(number) => (number, true),
            None => (rest, false),
        };
        let version: Version = number.parse().map_err(|error: VersionError| fail(&error.to_string()))?;
        let plain = version.pre().is_none() && version.post().is_none() && version.dev().is_none();
        if series && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            return Err(fail("`.*` stands only after `==` and `!=`"));
        }
        if series && (!plain || version.local().is_some()) {
            return Err(fail("`.*` stands only after a release such as `1.2`"));
        }
        if !matches!(operator, Operator::Equal | Operator::NotEqual) && version.local().is_some() {
            return Err(fail("a local label (after `+`) stands only after `==`, `!=` and `===`"));
        }
        if operator == Operator::Compatible && version.release().len() < 2 {
            return Err(fail("`~=` needs at least two numbers, such as `~=1.2`"));
        }
        let operand = if series { Operand::Series(version) } else { Operand::Version(version) };
        Ok(Self { operator, operand })
    }
}

impl fmt::Display for Specifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operand {
            Operand::Version(version) => f.pad(&format!("{}{version}", self.operator)),
            Operand::Series(version) => f.pad(&format!("{}{version}.*", self.operator)),
            Operand::Text(text) => f.pad(&format!("{}{text}", self.operator)),
        }
    }
}

/// Clauses that all have to be met; none at all is met by every version. Printed in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SpecifierSet(Vec<Specifier>);

impl SpecifierSet {
    /// The clauses, in the order given.
    pub fn clauses(&self) -> &[Specifier] {
        &self.0
    }

    /// Whether `version` meets every clause, pre-releases included.
    pub fn matches(&self, version: &Version) -> bool {
        self.0.iter().all(|clause| clause.matches(version))
    }

    /// Whether one of the clauses names a pre-release itself. Installers then take pre-releases that match; without one
    /// they take them only if asked, or if nothing else matches (PEP 440), which a single version cannot tell.
    pub fn names_prerelease(&self) -> bool {
        self.0.iter().any(Specifier::names_prerelease)
    }
}

impl FromStr for SpecifierSet {
    type Err = SpecifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').filter(|clause| !clause.trim().is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromIterator<Specifier> for SpecifierSet {
    fn from_iter<I: IntoIterator<Item = Specifier>>(clauses: I) -> Self {
        Self(clauses.into_iter().collect())
    }
}

impl fmt::Display for SpecifierSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clauses: Vec<String> = self.0.iter().map(Specifier::to_string).collect();
        f.pad(&clauses.join(","))
    }
}

crate::text::serde_as_text!(Specifier, SpecifierSet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_match_as_pep_440_says() {
        for (clause, yes, no) in [
            ("~=2.2", vec!["2.2", "2.9", "2.2.post1"], vec!["2.1", "3.0", "2.2rc1"]),
            ("~=1.4.5a4", vec!["1.4.5a4", "1.4.9"], vec!["1.4.5a3", "1.5"]),
            ("==1.1", vec!["1.1", "1.1.0", "1.1+local"], vec!["1.1.post1", "1.1a1", "1.10"]),
            ("==1.1+a", vec!["1.1+a"], vec!["1.1", "1.1+b"]),
            ("==1.1.*", vec!["1.1", "1.1.5", "1.1a1", "1.1.post1+a"], vec!["1.2", "1.10", "1!1.1"]),
            ("!=1.1.*", vec!["1.2", "1"], vec!["1.1", "1.1.dev1"]),
            ("!=1.1", vec!["1.1.1", "1.1.post1"], vec!["1.1", "1.1+local"]),
            ("<=1.0", vec!["1.0", "1.0+local", "1.0a1"], vec!["1.0.post1"]),
            (">=1.0", vec!["1.0", "1.0+local"], vec!["1.0rc1"]),
            ("<1.0", vec!["0.9", "0.9rc1"], vec!["1.0", "1.0rc1", "1.0.dev0"]),
            ("<1.0rc1", vec!["1.0a1", "0.9"], vec!["1.0rc1"]),
            (">1.0", vec!["1.0.1", "1.1a1"], vec!["1.0", "1.0.post1", "1.0+local"]),
            (">1.0.post1", vec!["1.0.post2", "1.1"], vec!["1.0.post1"]),
            ("===1.0", vec!["1.0"], vec!["1.0.0", "1.0+local"]),
        ] {
            let specifier: Specifier = clause.parse().unwrap();
            assert_eq!(specifier.to_string(), clause);
            for version in yes {
                assert!(specifier.matches(&version.parse().unwrap()), "{clause} takes {version}");
            }
            for version in no {
                assert!(!specifier.matches(&version.parse().unwrap()), "{clause} leaves {version}");
            }
        }
    }

    #[test]
    fn a_set_is_all_of_its_clauses() {
        let set: SpecifierSet = ">=1.0, <2.0,!=1.5.* ,".parse().unwrap();
        assert_eq!(set.to_string(), ">=1.0,<2.0,!=1.5.*");
        assert_eq!(set.to_string().parse(), Ok(set.clone()));
        for (version, met) in [("1.0", true), ("1.5.1", false), ("2.0", false), ("1.6", true)] {
            assert_eq!(set.matches(&version.parse().unwrap()), met, "{version}");
        }
        assert!(SpecifierSet::default().matches(&"0".parse().unwrap()));
        assert!(!set.names_prerelease());
        assert!(">=1.0rc1".parse::<SpecifierSet>().unwrap().names_prerelease());
        assert!(!"!=1.0rc1".parse::<SpecifierSet>().unwrap().names_prerelease());
    }

    #[test]
    fn what_is_no_clause_says_why() {
        for (text, clause, reason) in [
            ("1.0", "1.0", "it begins with one of `>=`, `<=`, `>`, `<`, `==`, `!=`, `~=`, `===`"),
            (">=1, =2", "=2", "it begins with one of `>=`, `<=`, `>`, `<`, `==`, `!=`, `~=`, `===`"),
            (">=1.*", ">=1.*", "`.*` stands only after `==` and `!=`"),
            ("==1a1.*", "==1a1.*", "`.*` stands only after a release such as `1.2`"),
            (">=1+a", ">=1+a", "a local label (after `+`) stands only after `==`, `!=` and `===`"),
            ("~=1", "~=1", "`~=` needs at least two numbers, such as `~=1.2`"),
            ("===", "===", "after `===` stands one word"),
            ("===a b", "===a b", "after `===` stands one word"),
        ] {
            let error = text.parse::<SpecifierSet>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{clause}` is not a version specifier: {reason}"));
        }
        let error = ">=one".parse::<Specifier>().unwrap_err().to_string();
        assert!(error.starts_with("`>=one` is not a version specifier: `one` is not a version: "), "{error}");
    }
}

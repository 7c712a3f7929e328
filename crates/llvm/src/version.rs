//! LLVM's own version numbers, ranges of them, and the way of linking.
//!
//! LLVM does not number as PEP 440 does (`20.0.0git`, `18.1.0-rc2`), and a bare `19` in a configuration means "any
//! 19", so both have their own types here.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A version of LLVM: `19.1.7`, `20.0.0git`, `18.1.0-rc2`, or a shorter `19.1`, whose missing parts are 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LlvmVersion {
    /// The release series; what libraries and packages are named by.
    pub major: u32,
    /// 0 in development trees, 1 in releases from 18 on.
    pub minor: u32,
    /// The bug-fix release.
    pub patch: u32,
    /// `git`, `-rc2` and the like; empty for a release.
    pub suffix: String,
}

impl LlvmVersion {
    /// A release.
    pub fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch, suffix: String::new() }
    }

    fn numbers(&self) -> [u32; 3] {
        [self.major, self.minor, self.patch]
    }
}

/// What is not a version of LLVM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version of LLVM: {reason}")]
pub struct LlvmVersionError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for LlvmVersion {
    type Err = LlvmVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| LlvmVersionError { text: text.to_owned(), reason };
        let numeric = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, suffix) = text.split_at(numeric);
        let mut parts = [0; 3];
        for (index, part) in numbers.split('.').enumerate() {
            let slot = parts.get_mut(index).ok_or_else(|| error("it has more than three numbers"))?;
            *slot = part.parse().map_err(|_| error("it should read like 19.1.7"))?;
        }
        if suffix.chars().any(|c| !(c.is_ascii_alphanumeric() || "-+._".contains(c))) {
            return Err(error("it ends in something that is no suffix"));
        }
        let [major, minor, patch] = parts;
        Ok(Self { major, minor, patch, suffix: suffix.to_owned() })
    }
}

impl fmt::Display for LlvmVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}{}", self.major, self.minor, self.patch, self.suffix)
    }
}

impl TryFrom<String> for LlvmVersion {
    type Error = LlvmVersionError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LlvmVersion> for String {
    fn from(version: LlvmVersion) -> Self {
        version.to_string()
    }
}

impl Ord for LlvmVersion {
    /// A version with a suffix comes before its release: both `git` and `-rcN` are made before it.
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers()
            .cmp(&other.numbers())
            .then_with(|| self.suffix.is_empty().cmp(&other.suffix.is_empty()))
            .then_with(|| self.suffix.cmp(&other.suffix))
    }
}

impl PartialOrd for LlvmVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Which versions of LLVM will do: `>=14`, `>=15,<20`, `19`, `==19.1.*`, `!=17`; empty means any.
///
/// Comparison is over the numbers that are given: `19` and `==19` are any 19, `<=19` includes 19.1.7, `>19` begins
/// with 20. That is what people who write such a line mean; LLVM's interfaces change by the major number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionRange(Vec<Clause>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    numbers: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Equal,
    NotEqual,
    Less,
    Greater,
    Compatible,
}

/// Longest first, so that `>=` is not taken for `>`.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("~=", Operator::Compatible),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// The release series that are in use: what is looked for and offered where nobody says which one. The last is the newest.
pub const SERIES: std::ops::RangeInclusive<u32> = 14..=23;

impl VersionRange {
    /// The first series above this one that may lie in the range, if the range has no upper end.
    pub fn first_major_above(&self, major: u32) -> Option<u32> {
        if !self.may_contain_major(u32::MAX) {
            return None;
        }
        // Between the numbers that are named nothing changes.
        let named = self.0.iter().filter_map(|clause| clause.numbers.first());
        let mut candidates: Vec<u32> = named.flat_map(|named| [*named, named.saturating_add(1)]).collect();
        candidates.push(major.saturating_add(1));
        candidates.sort_unstable();
        candidates.into_iter().find(|candidate| *candidate > major && self.may_contain_major(*candidate))
    }

    /// Whether the version lies in the range.
    pub fn contains(&self, version: &LlvmVersion) -> bool {
        self.0.iter().all(|clause| clause.holds(&version.numbers()))
    }

    /// Whether some version of this series may lie in the range: what to ask before a package's exact version is
    /// known.
    pub fn may_contain_major(&self, major: u32) -> bool {
        self.0.iter().all(|clause| {
            let named = clause.numbers.first().copied().unwrap_or(0);
            let exact = clause.numbers.len() > 1;
            match clause.operator {
                Operator::AtLeast => major >= named,
                Operator::AtMost => major <= named,
                Operator::Equal | Operator::Compatible if clause.operator == Operator::Compatible && !exact => {
                    major >= named
                }
                Operator::Equal | Operator::Compatible => major == named,
                Operator::NotEqual => exact || major != named,
                Operator::Less => major < named || (exact && major == named),
                Operator::Greater => major > named || (exact && major == named),
            }
        })
    }
}

impl Clause {
    fn holds(&self, version: &[u32; 3]) -> bool {
        let version = version.get(..self.numbers.len()).unwrap_or(version);
        let order = version.cmp(self.numbers.as_slice());
        match self.operator {
            Operator::AtLeast => order.is_ge(),
            Operator::AtMost => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::Greater => order.is_gt(),
            Operator::Compatible => {
                let kept = self.numbers.len().saturating_sub(1);
                order.is_ge() && version.get(..kept) == self.numbers.get(..kept)
            }
        }
    }
}

/// What is not a range of versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a range of LLVM versions: {reason}; write `19`, `>=14` or `>=15,<20`")]
pub struct VersionRangeError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for VersionRange {
    type Err = VersionRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let error = |reason| VersionRangeError { text: text.to_owned(), reason };
        text.split(',').map(|clause| parse_clause(clause.trim()).map_err(error)).collect::<Result<_, _>>().map(Self)
    }
}

fn parse_clause(text: &str) -> Result<Clause, &'static str> {
    let (operator, rest) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))
        .unwrap_or((Operator::Equal, text));
    let rest = rest.trim();
    // `.*` says what leaving the number out says already; it makes no sense with an order.
    let rest = match rest.strip_suffix(".*") {
        Some(rest) if matches!(operator, Operator::Equal | Operator::NotEqual) => rest,
        Some(_) => return Err("`.*` goes with `==` and `!=` only"),
        None => rest,
    };
    let numbers: Vec<u32> =
        rest.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| "a number is missing")?;
    if numbers.len() > 3 { Err("it has more than three numbers") } else { Ok(Clause { operator, numbers }) }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let sign = OPERATORS.iter().find(|(_, operator)| *operator == clause.operator).map_or("", |(sign, _)| sign);
            let numbers = clause.numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            write!(f, "{comma}{sign}{numbers}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for VersionRange {
    type Error = VersionRangeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<VersionRange> for String {
    fn from(range: VersionRange) -> Self {
        range.to_string()
    }
}

/// How an extension takes LLVM in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linkage {
    /// By the one shared library `libLLVM`.
    #[default]
    Shared,
    /// By the static archives of the components it uses.
    Static,
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared",
            Self::Static => "static",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_printed() {
        for (text, printed) in [
            ("19.1.7", "19.1.7"),
            ("19", "19.0.0"),
            ("20.0.0git", "20.0.0git"),
            ("18.1.0-rc2", "18.1.0-rc2"),
            ("17.0.6jl", "17.0.6jl"),
        ] {
            assert_eq!(text.parse::<LlvmVersion>().unwrap().to_string(), printed);
        }
        for text in ["", "git", "19.", ".1", "1.2.3.4", "19.1.7 x", "99999999999", "-1", "19..1"] {
            assert!(text.parse::<LlvmVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_made_before_a_release_comes_before_it() {
        let order = ["14.0.6", "18.1.0-rc1", "18.1.0-rc2", "18.1.0", "20.0.0git", "20.1.0"];
        let versions: Vec<LlvmVersion> = order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted(), "{versions:?}");
    }

    #[test]
    fn ranges() {
        for (range, inside, outside) in [
            ("", &["3.0.0", "99.1.0"][..], &[][..]),
            ("19", &["19.0.0", "19.1.7"], &["18.1.8", "20.1.0"]),
            ("==19.1.*", &["19.1.7"], &["19.0.0", "19.2.0"]),
            (">=14", &["14.0.0", "22.1.8"], &["13.0.1"]),
            (">=15, <20", &["15.0.6", "19.1.7"], &["14.0.6", "20.1.0"]),
            (">19", &["20.1.0"], &["19.1.7"]),
            ("<=19", &["19.1.7"], &["20.1.0"]),
            ("!=17", &["16.0.6", "18.1.0"], &["17.0.6"]),
            ("~=18.1", &["18.1.8", "18.2.0"], &["19.1.0", "18.0.0"]),
            ("~=18.1.2", &["18.1.8"], &["18.1.1", "18.2.0"]),
        ] {
            let parsed: VersionRange = range.parse().unwrap();
            for version in inside {
                let version: LlvmVersion = version.parse().unwrap();
                assert!(parsed.contains(&version), "{version} in {range}");
                assert!(parsed.may_contain_major(version.major), "{} may be in {range}", version.major);
            }
            for version in outside {
                assert!(!parsed.contains(&version.parse().unwrap()), "{version} not in {range}");
            }
        }
        for range in [">=", "=>14", ">=14,", "fourteen", ">=14.*", "1.2.3.4", "==", "14 15"] {
            let error = range.parse::<VersionRange>().unwrap_err().to_string();
            assert!(error.contains(range), "{error}");
        }
        assert!(!">=20".parse::<VersionRange>().unwrap().may_contain_major(19));
        assert!(!"<19".parse::<VersionRange>().unwrap().may_contain_major(19));
        for (range, first) in [
            ("", Some(24)),
            (">=14", Some(24)),
            (">=25", Some(25)),
            (">25", Some(26)),
            ("!=24", Some(25)),
            (">=4294967295", Some(u32::MAX)),
            ("24", None),
            (">=24,<26", None),
        ] {
            assert_eq!(range.parse::<VersionRange>().unwrap().first_major_above(23), first, "{range}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_range_is_read_as_it_is_printed(text in "((>=|<=|==|!=|~=|<|>)[0-9]{1,2}(\\.[0-9]){0,2}(,(>=|<)[0-9]{1,2})?)?") {
            let range: VersionRange = text.parse().unwrap();
            proptest::prop_assert_eq!(range.to_string().parse::<VersionRange>().unwrap(), range);
        }

        #[test]
        fn a_version_inside_is_of_a_series_that_may_be(
            text in "(>=|<=|==|!=|~=|<|>)[0-9](\\.[0-2]){0,2}", major in 0u32..10, minor in 0u32..3, patch in 0u32..3,
        ) {
            let range: VersionRange = text.parse().unwrap();
            if range.contains(&LlvmVersion::new(major, minor, patch)) {
                proptest::prop_assert!(range.may_contain_major(major));
            }
        }
    }
}

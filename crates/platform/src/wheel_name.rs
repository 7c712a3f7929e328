//! File names of wheels: `minijit-1.0-cp313-cp313-manylinux_2_28_x86_64.whl`.
//!
//! Source: "Binary distribution format" of the PyPA specifications (PEP 427).

use std::fmt;
use std::str::FromStr;

use crate::distribution::{Distribution, NameError};
use crate::platform_tag::TagError;
use crate::tags::TagSet;
use crate::version::{Version, VersionError};

/// A wheel's file name, taken apart.
///
/// It is printed normalised (`foo_bar`, `1.0`, tags in order), while older build backends wrote `Foo.Bar-1.0.0-…`: to
/// find a file keep its path, to name a new one print this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WheelName {
    /// The project.
    pub distribution: Distribution,
    /// Its version.
    pub version: Version,
    /// What tells two builds of one version apart.
    pub build: Option<BuildTag>,
    /// What the wheel runs on.
    pub tags: TagSet,
}

/// A build tag: a number, and whatever comes after it. A higher one is preferred by installers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildTag {
    number: u64,
    rest: String,
    /// The digits as they stand in the name: `01` stays `01`.
    digits: String,
}

/// A text is no wheel file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a wheel file name: {reason}")]
pub struct WheelNameError {
    /// What was given.
    pub name: String,
    /// Why it is none.
    pub reason: String,
}

/// A text is no build tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a build tag: {reason}")]
pub struct BuildTagError {
    /// What was given.
    pub text: String,
    /// Why it is none.
    pub reason: &'static str,
}

impl BuildTag {
    /// The number that installers compare first.
    pub const fn number(&self) -> u64 {
        self.number
    }
}

impl FromStr for BuildTag {
    type Err = BuildTagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| BuildTagError { text: text.to_owned(), reason };
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = text.strip_suffix(rest).unwrap_or(text);
        if digits.is_empty() {
            return Err(fail("it begins with a digit"));
        }
        if !rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')) {
            return Err(fail("only letters, digits, `_` and `.` stand in it"));
        }
        let number = digits.parse().map_err(|_| fail("its number is too large"))?;
        Ok(Self { number, rest: rest.to_owned(), digits: digits.to_owned() })
    }
}

impl fmt::Display for BuildTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}{}", self.digits, self.rest))
    }
}

/// `name-version-[build-]python-abi-platform`, as its parts; the tags stay together.
fn split(stem: &str) -> Option<(&str, &str, Option<&str>, &str)> {
    let dashes: Vec<usize> = stem.match_indices('-').map(|(at, _)| at).collect();
    let tags_at = dashes.len().checked_sub(3).and_then(|third_last| dashes.get(third_last))?;
    let (before, tags) = stem.split_at(*tags_at);
    let mut parts = before.split('-');
    let (name, version, build) = (parts.next()?, parts.next()?, parts.next());
    parts.next().is_none().then(|| (name, version, build, tags.trim_start_matches('-')))
}

impl FromStr for WheelName {
    type Err = WheelNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let fail = |reason: String| WheelNameError { name: name.to_owned(), reason };
        let Some(stem) = name.strip_suffix(".whl") else {
            return Err(fail("it does not end in `.whl`".to_owned()));
        };
        if name.contains(['/', '\\']) {
            return Err(fail("it is a path; its last part is meant".to_owned()));
        }
        let Some((distribution, version, build, tags)) = split(stem) else {
            let parts = stem.split('-').count();
            return Err(fail(format!(
                "it has {parts} {} between dashes; `name-version-python-abi-platform.whl` has five, six with a build tag",
                if parts == 1 { "part" } else { "parts" }
            )));
        };
        if distribution.contains("__") {
            return Err(fail(format!("`{distribution}` is not a distribution name: `__` does not stand in it")));
        }
        let distribution = Distribution::new(distribution).map_err(|error: NameError| fail(error.to_string()))?;
        let version = version.parse().map_err(|error: VersionError| fail(error.to_string()))?;
        let build = build.map(str::parse).transpose().map_err(|error: BuildTagError| fail(error.to_string()))?;
        let tags = tags.parse().map_err(|error: TagError| fail(error.to_string()))?;
        Ok(Self { distribution, version, build, tags })
    }
}

impl fmt::Display for WheelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = self.build.as_ref().map_or_else(String::new, |build| format!("-{build}"));
        f.pad(&format!("{}-{}{build}-{}.whl", self.distribution.escaped(), self.version, self.tags))
    }
}

crate::text::serde_as_text!(BuildTag, WheelName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_printed() {
        for (name, distribution, version, build, tags, printed) in [
            (
                "minijit-1.0-cp313-cp313-manylinux_2_28_x86_64.whl",
                "minijit",
                "1.0",
                None,
                "cp313-cp313-manylinux_2_28_x86_64",
                "minijit-1.0-cp313-cp313-manylinux_2_28_x86_64.whl",
            ),
            (
                "Zope.Interface-5.0.0RC1-1foo-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                "zope-interface",
                "5.0.0rc1",
                Some("1foo"),
                "cp310.cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64",
                "zope_interface-5.0.0rc1-1foo-cp310.cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
            ),
            (
                "a_b-1!2.0+cu12.1-01-py3-none-any.whl",
                "a-b",
                "1!2.0+cu12.1",
                Some("01"),
                "py3-none-any",
                "a_b-1!2.0+cu12.1-01-py3-none-any.whl",
            ),
        ] {
            let wheel: WheelName = name.parse().unwrap();
            assert_eq!(wheel.distribution.to_string(), distribution);
            assert_eq!(wheel.version.to_string(), version);
            assert_eq!(wheel.build.as_ref().map(BuildTag::to_string).as_deref(), build);
            assert_eq!(wheel.tags.to_string(), tags);
            assert_eq!(wheel.to_string(), printed);
            assert_eq!(printed.parse(), Ok(wheel));
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        for (name, reason) in [
            ("", "it does not end in `.whl`"),
            ("a-1-py3-none-any.zip", "it does not end in `.whl`"),
            ("dist/a-1-py3-none-any.whl", "it is a path; its last part is meant"),
            (
                "a.whl",
                "it has 1 part between dashes; `name-version-python-abi-platform.whl` has five, six with a build tag",
            ),
            (
                "a-1-1-1-py3-none-any.whl",
                "it has 7 parts between dashes; `name-version-python-abi-platform.whl` has five, six with a build tag",
            ),
            ("a__b-1-py3-none-any.whl", "`a__b` is not a distribution name: `__` does not stand in it"),
            (
                "a b-1-py3-none-any.whl",
                "`a b` is not a distribution name: only ASCII letters, digits, `-`, `_` and `.` stand in it",
            ),
            ("a-1-x-py3-none-any.whl", "`x` is not a build tag: it begins with a digit"),
            ("a-1-py3..py2-none-any.whl", "`` is not a python tag: it is empty"),
            ("a-1-py3-none-.whl", "`` is not a platform tag: it is empty"),
        ] {
            let error = name.parse::<WheelName>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{name}` is not a wheel file name: {reason}"));
        }
        let error = "a-x-py3-none-any.whl".parse::<WheelName>().unwrap_err().to_string();
        assert!(error.contains("`x` is not a version: "), "{error}");
    }

    #[test]
    fn a_higher_build_tag_comes_later() {
        let tags: Vec<BuildTag> = ["1", "1a", "01b", "2", "10"].map(|text| text.parse().unwrap()).into();
        assert!(tags.is_sorted());
        assert_eq!(tags[2].number(), 1);
        for text in ["", "a1", "1-2", "1é", "99999999999999999999"] {
            assert!(text.parse::<BuildTag>().is_err(), "{text}");
        }
    }
}

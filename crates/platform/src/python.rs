//! A CPython release line and its build: `3.13`, `cp313t`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::tags::{AbiTag, PythonTag};
use crate::text::number;

/// A CPython minor version with the GIL or without (free-threaded).
///
/// Reads `3.13`, `3.13t`, `cp313`, `cp313t`; prints `cp313`, `cp313t`, which is the first part of a build identifier
/// and what serde writes. The version need not be one that is known, since machines have old ones too:
/// [`PythonVersion::is_known`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PythonVersion {
    /// The major version, 1 to 9: `cp310` can only be read as 3.10.
    pub major: u8,
    /// The minor version.
    pub minor: u8,
    /// A build without the GIL (PEP 703): its ABI tag ends in `t`.
    pub free_threaded: bool,
}

impl PythonVersion {
    /// The minor versions of CPython 3 that this program knows, all released by November 2026.
    pub const KNOWN: RangeInclusive<u8> = 8..=15;

    /// The first minor version of CPython 3 with a free-threaded build (PEP 703).
    pub const FIRST_FREE_THREADED: u8 = 13;

    /// The build with the GIL.
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor, free_threaded: false }
    }

    /// The same version's build without the GIL.
    #[must_use]
    pub const fn without_gil(self) -> Self {
        Self { free_threaded: true, ..self }
    }

    /// The builds with the GIL of every version that is known and released, oldest first.
    pub fn released() -> impl Iterator<Item = Self> {
        Self::KNOWN.map(|minor| Self::new(3, minor))
    }

    /// Whether it is a version (and, if free-threaded, a build) that exists as far as this program knows.
    pub fn is_known(self) -> bool {
        self.major == 3
            && Self::KNOWN.contains(&self.minor)
            && (!self.free_threaded || self.minor >= Self::FIRST_FREE_THREADED)
    }

    /// `3.13`, or `3.13t` for the free-threaded build; what `python3.13t` is called by.
    pub fn dotted(self) -> String {
        let Self { major, minor, .. } = self;
        format!("{major}.{minor}{}", self.suffix())
    }

    /// The python tag of a wheel for it: `cp313` with the GIL and without; the ABI tag tells them apart. The build
    /// identifier's `cp313t` is this type's own `Display`.
    pub fn tag(self) -> PythonTag {
        PythonTag::cpython(self.major, self.minor)
    }

    /// The ABI tag of a wheel that is for this build alone: `cp313`, `cp313t`; `cp37m` before 3.8 (the `m` of
    /// `sys.abiflags` went away when pymalloc was no longer a choice).
    pub fn abi_tag(self) -> AbiTag {
        let Self { major, minor, .. } = self;
        let pymalloc = if (major, minor) < (3, 8) { "m" } else { "" };
        AbiTag::of(format!("cp{major}{minor}{pymalloc}{}", self.suffix()))
    }

    const fn suffix(self) -> &'static str {
        if self.free_threaded { "t" } else { "" }
    }
}

/// A text names no CPython.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a Python version: {reason}")]
pub struct PythonVersionError {
    /// What was given.
    pub text: String,
    /// Why it is none.
    pub reason: String,
}

impl FromStr for PythonVersion {
    type Err = PythonVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| PythonVersionError { text: text.to_owned(), reason: reason.to_owned() };
        let expected = "write `3.13` or `cp313`, with a `t` at the end for the free-threaded build";
        let (version, free_threaded) = match text.strip_suffix('t') {
            Some(version) => (version, true),
            None => (text, false),
        };
        let (major, minor) = match version.strip_prefix("cp") {
            // The major version is one digit: cp39, cp310.
            Some(digits) => digits.split_at_checked(1).ok_or_else(|| fail(expected))?,
            None => version.split_once('.').ok_or_else(|| fail(expected))?,
        };
        if minor.contains('.') && number::<u8>(major).is_some() {
            return Err(fail("a Python is named by its minor version, such as `3.13`, without the patch release"));
        }
        // 3.300 is a version of a Python that is not known, rather than no version: the minor number is read wider.
        match (number(major), number::<u16>(minor)) {
            (Some(major @ 1..=9), Some(minor)) => match u8::try_from(minor) {
                Ok(minor) => Ok(Self { major, minor, free_threaded }),
                Err(_) => Err(fail("there is no such minor version")),
            },
            _ => Err(fail(expected)),
        }
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("cp{}{}{}", self.major, self.minor, self.suffix()))
    }
}

crate::text::serde_as_text!(PythonVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_one_is_printed() {
        for (texts, printed, dotted, tag, abi) in [
            (["3.13", "cp313"], "cp313", "3.13", "cp313", "cp313"),
            (["3.13t", "cp313t"], "cp313t", "3.13t", "cp313", "cp313t"),
            (["3.8", "cp38"], "cp38", "3.8", "cp38", "cp38"),
            (["3.7", "cp37"], "cp37", "3.7", "cp37", "cp37m"),
            (["3.10", "cp310"], "cp310", "3.10", "cp310", "cp310"),
        ] {
            for text in texts {
                let python: PythonVersion = text.parse().unwrap();
                assert_eq!(python.to_string(), printed);
                assert_eq!(python.dotted(), dotted);
                assert_eq!(python.tag().to_string(), tag);
                assert_eq!(python.abi_tag().to_string(), abi);
                assert_eq!(serde_json::to_value(python).unwrap(), printed);
            }
        }
        for (lower, higher) in [("3.9", "3.10"), ("3.13", "3.13t"), ("3.13t", "3.14")] {
            assert!(lower.parse::<PythonVersion>().unwrap() < higher.parse().unwrap());
        }
    }

    #[test]
    fn all_versions_are_read_as_printed() {
        for major in 1..=9 {
            for minor in 0..=u8::MAX {
                for python in [PythonVersion::new(major, minor), PythonVersion::new(major, minor).without_gil()] {
                    assert_eq!(python.to_string().parse(), Ok(python));
                    assert_eq!(python.dotted().parse(), Ok(python));
                }
            }
        }
    }

    #[test]
    fn what_is_no_version_says_why() {
        for text in ["", "3", "cp", "cp3", "python3", "3.x", "3.013", "03.13", "3.13tt", "cpé", "0.9", "10.1", "3.+9"]
        {
            let error = text.parse::<PythonVersion>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not a Python version: write `3.13`")), "{error}");
        }
        for (text, reason) in [
            ("3.13.1", "a Python is named by its minor version, such as `3.13`, without the patch release"),
            ("3.300", "there is no such minor version"),
        ] {
            assert_eq!(text.parse::<PythonVersion>().unwrap_err().reason, reason);
        }
    }

    #[test]
    fn known_are_3_8_to_3_15() {
        let released: Vec<String> = PythonVersion::released().map(PythonVersion::dotted).collect();
        assert_eq!(released, ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]);
        for (text, known) in [("3.8", true), ("3.15t", true), ("3.12t", false), ("3.16", false), ("2.7", false)] {
            assert_eq!(text.parse::<PythonVersion>().unwrap().is_known(), known, "{text}");
        }
    }
}

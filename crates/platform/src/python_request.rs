//! Which Pythons are asked for: an entry of `python:` in the configuration, or a project's `requires-python`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::python::{PythonVersion, PythonVersionError};
use crate::specifier::{Specifier, SpecifierSet};
use crate::version::Version;

/// One Python by name (`3.13`, `cp313t`), or all that meet specifiers (`>=3.9,<3.14`).
///
/// Builds are per minor version, specifiers compare patch releases, and so they are read in one of two ways:
///
/// - **In the configuration** (`FromStr`) a clause with at most two numbers means minor versions as a whole:
///   `!=3.12` leaves out 3.12, `>3.12` and `<=3.12` part at 3.12 as one. A clause with more numbers is met by a minor
///   version if one of its patch releases meets it.
/// - **In `requires-python`** ([`PythonRequest::from_specifiers`]) every clause is read as installers do (PEP 440):
///   `!=3.12` leaves out 3.12.0 alone, and 3.12 meets it by 3.12.1.
///
/// Printing gives back what the same way of reading takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PythonRequest(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Exact(PythonVersion),
    /// A Python is meant whose minor version meets `minors` and of which one patch release meets all of `patches`.
    Specifiers {
        written: SpecifierSet,
        minors: SpecifierSet,
        patches: SpecifierSet,
    },
}

/// A text asks for no Python.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` asks for no Python: {reason}")]
pub struct PythonRequestError {
    /// What was given.
    pub text: String,
    /// Why it asks for none.
    pub reason: String,
}

/// More clauses than any project has; each costs a comparison with each.
const MOST_CLAUSES: usize = 64;

impl PythonRequest {
    /// Reads `requires-python` as installers do: a minor version meets it if one of its patch releases does. Nothing at
    /// all is met by every Python. It need not be met by any Python that is known.
    ///
    /// # Errors
    /// A clause that is no version specifier, or more than 64 of them.
    pub fn from_specifiers(text: &str) -> Result<Self, PythonRequestError> {
        let written = specifiers(text)?;
        Ok(Self(Kind::Specifiers { minors: SpecifierSet::default(), patches: written.clone(), written }))
    }

    /// Whether this build is asked for. Specifiers ask for builds with the GIL alone; a free-threaded one has to be
    /// named.
    pub fn matches(&self, python: PythonVersion) -> bool {
        match &self.0 {
            Kind::Exact(exact) => *exact == python,
            Kind::Specifiers { .. } => !python.free_threaded && self.matches_ignoring_build(python),
        }
    }

    /// Whether this version is asked for, with the GIL or without.
    pub fn matches_ignoring_build(&self, python: PythonVersion) -> bool {
        match &self.0 {
            Kind::Exact(exact) => (exact.major, exact.minor) == (python.major, python.minor),
            Kind::Specifiers { minors, patches, .. } => {
                let (major, minor) = (u64::from(python.major), u64::from(python.minor));
                let patch = |patch: u64| Version::release_of(&[major, minor, patch]);
                minors.matches(&Version::release_of(&[major, minor]))
                    && telling_patches(patches).into_iter().any(|number| patches.matches(&patch(number)))
            }
        }
    }

    /// The Python that is named, if one is.
    pub const fn exact(&self) -> Option<PythonVersion> {
        match self.0 {
            Kind::Exact(python) => Some(python),
            Kind::Specifiers { .. } => None,
        }
    }
}

/// The patch releases at which an answer can change: the named ones and their neighbours, the first, and one after all.
fn telling_patches(clauses: &SpecifierSet) -> BTreeSet<u64> {
    let versions = clauses.clauses().iter().filter_map(Specifier::version);
    let named = versions.map(|version| version.release().get(2).copied().unwrap_or(0));
    let mut patches: BTreeSet<u64> =
        named.flat_map(|patch| [patch.saturating_sub(1), patch, patch.saturating_add(1)]).collect();
    patches.extend([0, u64::MAX]);
    patches
}

fn specifiers(text: &str) -> Result<SpecifierSet, PythonRequestError> {
    let fail = |reason: String| PythonRequestError { text: text.to_owned(), reason };
    if text.split(',').count() > MOST_CLAUSES {
        return Err(fail(format!("it has more than {MOST_CLAUSES} clauses")));
    }
    text.parse().map_err(|error: crate::specifier::SpecifierError| {
        let whole = error.text == text.trim();
        fail(if whole { error.reason } else { error.to_string() })
    })
}

/// `3.8 to 3.15`.
fn known() -> String {
    format!("3.{} to 3.{}", PythonVersion::KNOWN.start(), PythonVersion::KNOWN.end())
}

fn exact(text: &str) -> Result<PythonVersion, PythonRequestError> {
    let fail = |reason: String| PythonRequestError { text: text.to_owned(), reason };
    let python: PythonVersion = text.parse().map_err(|error: PythonVersionError| fail(error.reason))?;
    if python.is_known() {
        return Ok(python);
    }
    let gil = PythonVersion { free_threaded: false, ..python };
    Err(fail(if gil.is_known() {
        let first = PythonVersion::FIRST_FREE_THREADED;
        format!("CPython {} has no free-threaded build: 3.{first} is the first that has", gil.dotted())
    } else {
        format!("CPython {} is not known: {} are", python.dotted(), known())
    }))
}

impl FromStr for PythonRequest {
    type Err = PythonRequestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let fail = |reason: String| PythonRequestError { text: text.to_owned(), reason };
        if !text.starts_with(['<', '>', '=', '!', '~']) {
            return exact(text).map(|python| Self(Kind::Exact(python)));
        }
        let written = specifiers(text)?;
        let names_minor = |clause: &&Specifier| {
            let version = clause.version();
            version
                .is_some_and(|version| !clause.is_series() && version.release().len() <= 2 && version == version.base())
        };
        let (minors, patches): (Vec<&Specifier>, Vec<&Specifier>) = written.clauses().iter().partition(names_minor);
        let minors = minors.into_iter().cloned().collect();
        let patches = patches.into_iter().cloned().collect();
        let request = Self(Kind::Specifiers { written, minors, patches });
        if PythonVersion::released().any(|python| request.matches(python)) {
            return Ok(request);
        }
        Err(fail(format!("no CPython that is known meets it; {} are known", known())))
    }
}

impl fmt::Display for PythonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Exact(python) => python.fmt(f),
            Kind::Specifiers { written, .. } => written.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The minor versions of 3.8 to 3.15 that are meant.
    fn minors(request: &PythonRequest) -> Vec<u8> {
        PythonVersion::released().filter(|python| request.matches(*python)).map(|python| python.minor).collect()
    }

    #[test]
    fn entries_of_the_configuration() {
        for (text, meant) in [
            ("3.13", vec![13]),
            ("cp39", vec![9]),
            (">=3.9", vec![9, 10, 11, 12, 13, 14, 15]),
            (">=3.9,<3.14", vec![9, 10, 11, 12, 13]),
            ("!=3.12", vec![8, 9, 10, 11, 13, 14, 15]),
            ("~=3.13", vec![13, 14, 15]),
            ("~=3.13.2", vec![13]),
            (">3.12", vec![13, 14, 15]),
            ("<=3.9", vec![8, 9]),
            ("==3.10", vec![10]),
            ("==3.10.*", vec![10]),
            (">=3.14.2", vec![14, 15]),
            ("<3.9.0", vec![8]),
            ("<3.9.1", vec![8, 9]),
            ("==3.*,>=3.14", vec![14, 15]),
            (">=3.6,<3.9", vec![8]),
        ] {
            let request: PythonRequest = text.parse().unwrap();
            assert_eq!(minors(&request), meant, "{text}");
            assert_eq!(request.to_string().parse(), Ok(request), "{text}");
        }
    }

    #[test]
    fn requires_python_is_read_as_installers_read_it() {
        for (text, meant) in [
            ("", vec![8, 9, 10, 11, 12, 13, 14, 15]),
            (">=3.9.2, <4", vec![9, 10, 11, 12, 13, 14, 15]),
            ("!=3.12,>=3.12", vec![12, 13, 14, 15]),
            ("!=3.12.*,>=3.12", vec![13, 14, 15]),
            (">3.14", vec![14, 15]),
            (">3.14.0,<3.14.1", vec![]),
            (">3.14.0,<3.14.2", vec![14]),
            (">=3.15rc1", vec![15]),
            (">=3.42", vec![]),
        ] {
            let request = PythonRequest::from_specifiers(text).unwrap();
            assert_eq!(minors(&request), meant, "{text}");
            assert_eq!(PythonRequest::from_specifiers(&request.to_string()), Ok(request), "{text}");
        }
    }

    #[test]
    fn a_build_without_the_gil_has_to_be_named() {
        let [gil, free_threaded]: [PythonVersion; 2] = ["3.14", "3.14t"].map(|text| text.parse().unwrap());
        for (text, takes_gil, takes_free_threaded) in
            [("3.14", true, false), ("3.14t", false, true), ("cp314t", false, true), (">=3.9", true, false)]
        {
            let request: PythonRequest = text.parse().unwrap();
            assert_eq!(
                (request.matches(gil), request.matches(free_threaded)),
                (takes_gil, takes_free_threaded),
                "{text}"
            );
            assert!(request.matches_ignoring_build(gil) && request.matches_ignoring_build(free_threaded), "{text}");
        }
        assert_eq!("3.14t".parse::<PythonRequest>().unwrap().exact(), Some(free_threaded));
        assert_eq!(">=3.14".parse::<PythonRequest>().unwrap().exact(), None);
        assert_eq!("3.14t".parse::<PythonRequest>().unwrap().to_string(), "cp314t");
    }

    #[test]
    fn what_asks_for_no_python_says_why() {
        let form = "write `3.13` or `cp313`, with a `t` at the end for the free-threaded build";
        let first = "it begins with one of `>=`, `<=`, `>`, `<`, `==`, `!=`, `~=`, `===`";
        for (text, reason) in [
            ("3.42", "CPython 3.42 is not known: 3.8 to 3.15 are"),
            ("2.7", "CPython 2.7 is not known: 3.8 to 3.15 are"),
            ("cp36", "CPython 3.6 is not known: 3.8 to 3.15 are"),
            ("3.42t", "CPython 3.42t is not known: 3.8 to 3.15 are"),
            ("cp312t", "CPython 3.12 has no free-threaded build: 3.13 is the first that has"),
            ("3.13.1", "a Python is named by its minor version, such as `3.13`, without the patch release"),
            ("python3.13", form),
            ("", form),
            (">=3.42", "no CPython that is known meets it; 3.8 to 3.15 are known"),
            (">3.9,<3.10", "no CPython that is known meets it; 3.8 to 3.15 are known"),
            ("=3.9", first),
            (">=3.9,3.10", &format!("`3.10` is not a version specifier: {first}")),
        ] {
            let error = text.parse::<PythonRequest>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` asks for no Python: {reason}"));
        }
        let many = vec![">=3.9"; 65].join(",");
        assert_eq!(PythonRequest::from_specifiers(&many).unwrap_err().reason, "it has more than 64 clauses");
    }
}

//! The name of a project as package indexes know it.

use std::fmt;
use std::str::FromStr;

/// A distribution's name, normalised (PEP 503): lower case, runs of `-`, `_` and `.` as one `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distribution(String);

/// A text is no distribution name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a distribution name: {reason}")]
pub struct NameError {
    /// What was given.
    pub name: String,
    /// Why it is none.
    pub reason: &'static str,
}

impl Distribution {
    /// Reads and normalises a name. What is allowed: core metadata's `Name` (PEP 508): ASCII letters and digits, with
    /// `-`, `_` and `.` between them.
    ///
    /// # Errors
    /// Empty, another character, or no letter or digit at an end.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let fail = |reason| NameError { name: name.to_owned(), reason };
        let separator = |c: char| matches!(c, '-' | '_' | '.');
        if name.is_empty() {
            return Err(fail("it is empty"));
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || separator(c)) {
            return Err(fail("only ASCII letters, digits, `-`, `_` and `.` stand in it"));
        }
        if name.starts_with(separator) || name.ends_with(separator) {
            return Err(fail("it begins and ends with a letter or digit"));
        }
        let words: Vec<&str> = name.split(separator).filter(|word| !word.is_empty()).collect();
        Ok(Self(words.join("-").to_ascii_lowercase()))
    }

    /// Normalised: `a-b`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As file names of wheels and sdists have it: `a_b`.
    pub fn escaped(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl FromStr for Distribution {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

crate::text::serde_as_text!(Distribution);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        for (name, normal, escaped) in [
            ("minijit", "minijit", "minijit"),
            ("Zope.Interface", "zope-interface", "zope_interface"),
            ("a_-.b", "a-b", "a_b"),
            ("A-b_c.D", "a-b-c-d", "a_b_c_d"),
            ("0", "0", "0"),
        ] {
            let distribution = Distribution::new(name).unwrap();
            assert_eq!((distribution.to_string().as_str(), distribution.escaped().as_str()), (normal, escaped));
            assert_eq!(Distribution::new(normal), Ok(distribution));
        }
        for name in ["", "-", "a-", ".a", "a b", "ä", "a/b"] {
            assert!(Distribution::new(name).is_err(), "{name}");
        }
    }
}

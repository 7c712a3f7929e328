//! What a proof rests on without having been looked at.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Something that was taken to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// A library, a distribution, `Python`.
    pub what: String,
    /// Why it is assumed.
    pub why: String,
    /// How many symbols are taken from it.
    pub count: usize,
    /// A few of them.
    pub examples: Vec<String>,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)?;
        match (self.count, self.examples.first()) {
            (0, _) | (_, None) => Ok(()),
            (1, Some(one)) => write!(f, " ({one})"),
            (count, Some(first)) => write!(f, " ({count} symbols, such as {first})"),
        }
    }
}

/// They, while they are gathered.
#[derive(Debug, Clone, Default)]
pub(super) struct Assumptions {
    found: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Assumptions {
    /// A library is taken to be there.
    pub(super) fn note(&mut self, what: &str, why: &str) {
        self.found.entry((what.to_owned(), why.to_owned())).or_default();
    }

    /// A symbol is taken to be in a library.
    pub(super) fn symbol(&mut self, what: &str, why: &str, symbol: impl Into<String>) {
        self.found.entry((what.to_owned(), why.to_owned())).or_default().insert(symbol.into());
    }

    /// Adds those of another process.
    pub(super) fn extend(&mut self, other: Self) {
        for (key, symbols) in other.found {
            self.found.entry(key).or_default().extend(symbols);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// They, in order.
    pub(super) fn list(self) -> Vec<Assumption> {
        const EXAMPLES: usize = 5;
        let assumption = |((what, why), symbols): ((String, String), BTreeSet<String>)| Assumption {
            what,
            why,
            count: symbols.len(),
            examples: symbols.into_iter().take(EXAMPLES).collect(),
        };
        self.found.into_iter().map(assumption).collect()
    }
}

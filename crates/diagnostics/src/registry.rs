//! All rules of the program: look-up by name or code, and the check that they are well formed.

use crate::{Family, Finding, FindingRecord, Rule, nearest};

/// The rules of every crate, as the program gathered them: `Registry::new([audit::RULES, verify::RULES, …])`.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    rules: Vec<&'static Rule>,
}

/// A name or code that no rule has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule `{}`{}", crate::printable(asked), match nearest { Some(name) => format!("; did you mean `{name}`?"), None => String::new() })]
pub struct UnknownRule {
    /// What was written.
    pub asked: String,
    /// The rule's name or code that it resembles.
    pub nearest: Option<&'static str>,
}

/// What is wrong with a registry: a mistake in this program's own source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFault {
    /// Two rules have one code.
    #[error("code {code} belongs to both `{first}` and `{second}`")]
    CodeTwice {
        /// The code.
        code: &'static str,
        /// The rule that has it.
        first: &'static str,
        /// The rule that has it as well.
        second: &'static str,
    },
    /// Two rules have one name.
    #[error("name `{name}` belongs to both {first} and {second}")]
    NameTwice {
        /// The name.
        name: &'static str,
        /// The code that has it.
        first: &'static str,
        /// The code that has it as well.
        second: &'static str,
    },
    /// A field breaks the form that its documentation asks for.
    #[error("{code} `{name}`: {reason}")]
    Form {
        /// The rule's code.
        code: &'static str,
        /// The rule's name.
        name: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Registry {
    /// From slices, each being one crate's `RULES`.
    pub fn new(slices: impl IntoIterator<Item = impl AsRef<[&'static Rule]>>) -> Self {
        Self { rules: slices.into_iter().flat_map(|slice| slice.as_ref().to_vec()).collect() }
    }

    /// Every rule in the order of its code.
    pub fn rules(&self) -> Vec<&'static Rule> {
        let mut rules = self.rules.clone();
        rules.sort_by_key(|rule| {
            let family = Family::ALL.into_iter().position(|family| Some(family) == rule.family());
            (family.unwrap_or(usize::MAX), rule.code)
        });
        rules
    }

    /// Every rule in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &'static Rule> + '_ {
        self.rules.iter().copied()
    }

    /// The rule of that name (`missing-symbol`) or code (`PY101`); neither minds case.
    pub fn find(&self, asked: &str) -> Result<&'static Rule, UnknownRule> {
        let wanted = asked.trim();
        self.iter().find(|r| r.name.eq_ignore_ascii_case(wanted) || r.code.eq_ignore_ascii_case(wanted)).ok_or_else(
            || UnknownRule {
                asked: asked.to_owned(),
                nearest: nearest(wanted, self.iter().map(|r| r.name))
                    .or_else(|| nearest(wanted, self.iter().map(|r| r.code))),
            },
        )
    }

    /// A finding read back from JSON. Its notes are not there: they are not part of the JSON contract.
    pub fn revive(&self, record: FindingRecord) -> Result<Finding, UnknownRule> {
        Ok(Finding {
            rule: self.find(&record.rule)?,
            because: record.because.map(|name| self.find(&name)).transpose()?,
            severity: record.severity,
            subject: record.subject,
            message: record.message,
            help: record.help,
            locations: record.locations,
            notes: Vec::new(),
        })
    }

    /// Everything that is wrong with the rules themselves; for a test of whoever gathers them.
    pub fn faults(&self) -> Vec<RegistryFault> {
        let mut faults = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let Rule { code, name, .. } = **rule;
            for earlier in &self.rules[..index] {
                if earlier.code.eq_ignore_ascii_case(code) {
                    faults.push(RegistryFault::CodeTwice { code, first: earlier.name, second: name });
                }
                if earlier.name.eq_ignore_ascii_case(name) {
                    faults.push(RegistryFault::NameTwice { name, first: earlier.code, second: code });
                }
            }
            faults.extend(form(rule).map(|reason| RegistryFault::Form { code, name, reason }));
        }
        faults
    }
}

/// What is wrong with the form of one rule.
fn form(rule: &'static Rule) -> impl Iterator<Item = &'static str> {
    let digits = rule.code.get(2..).unwrap_or_default();
    let code = rule.family().is_some() && digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
    let words = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    [
        (code, "the code is not a family's two letters and three digits"),
        (rule.name.split('-').all(words), "the name is not lower-case words joined by hyphens"),
        (!rule.summary.trim().is_empty() && !rule.summary.contains('\n'), "the summary is not one line"),
        (!rule.summary.ends_with('.'), "the summary ends with a full stop"),
        (!rule.why.trim().is_empty(), "the page does not say why"),
        (!rule.fix.trim().is_empty(), "the page does not say how to fix it"),
        (!rule.example.trim().is_empty(), "the page has no example"),
    ]
    .into_iter()
    .filter_map(|(fine, reason)| (!fine).then_some(reason))
}

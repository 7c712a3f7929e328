//! What a project's configuration makes of findings: severities per rule, findings accepted with a reason, and
//! acceptances that have become stale.
//!
//! # Patterns
//! An acceptance names at least one of file, member and symbol; each that it names must match, and a finding that lacks
//! such a part does not match. In `file` and `member`, `*` and `?` stop at `/` and `**` does not; a pattern is also
//! tried on the last component (`*.whl` accepts in every folder). In `symbol`, `*` matches everything. `[ab]`, `{a,b}`
//! and `\` to take a character literally work everywhere, and case counts.
//!
//! # Stale acceptances
//! An acceptance is stale if it matched nothing although it could have: its rule was checked in this run (and is not
//! `off`), and what its file and member patterns name was examined. A pattern that matches none of the files or members
//! examined says that the acceptance is for another run (another platform's wheel), so it is left alone.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

use crate::{Finding, Location, Registry, Rule, Severity, Subject, Summary, UnknownRule};

/// An entry of `accept` that no longer accepts anything.
pub static STALE_ACCEPTANCE: Rule = Rule {
    code: "CI690",
    name: "stale-acceptance",
    severity: Severity::Warning,
    summary: "an accepted finding that no longer occurs",
    why: "The configuration accepts a finding that is not there any more: it was fixed, or renamed, or the pattern was never \
          right. An entry that accepts nothing today would silently accept a new finding of the same name tomorrow.",
    fix: "Remove the entry from `accept`. If it was meant for another platform's file, narrow it with `file` or `member`: an \
          entry whose file or member was not examined in a run is not called stale in it.",
    example: "rules:\n  private-symbol:\n    accept:\n      - symbol: _PyGone_Long_Ago      # no file uses it any more\n        \
              reason: guarded by a version check",
};

/// What the configuration says about one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// The severity of all its findings; none leaves each as its check reported it.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Findings that are accepted.
    #[serde(default)]
    pub accept: Vec<Acceptance>,
}

/// A kind of finding that the project accepts: patterns, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Pattern for the file's path as it is reported.
    #[serde(default)]
    pub file: Option<String>,
    /// Pattern for the member.
    #[serde(default)]
    pub member: Option<String>,
    /// Pattern for the symbol.
    #[serde(default)]
    pub symbol: Option<String>,
    /// Why it is accepted; must say something.
    pub reason: String,
    /// Where the entry stands, so that a stale one can be pointed at. Filled in by who read the file.
    #[serde(skip)]
    pub at: Option<Location>,
}

/// A mistake in what the configuration says about rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdjustmentError {
    /// There is no such rule.
    #[error(transparent)]
    UnknownRule(#[from] UnknownRule),
    /// One rule is set twice, by its name and by its code.
    #[error("rule `{rule}` is set twice, once as `{asked}`")]
    RuleTwice {
        /// The rule's name.
        rule: &'static str,
        /// How it was written the second time.
        asked: String,
    },
    /// A pattern cannot be read.
    #[error("`{}` is not a pattern that `{field}` of rule `{rule}` can accept: {reason}", crate::printable(pattern))]
    Pattern {
        /// The rule's name.
        rule: &'static str,
        /// `file`, `member` or `symbol`.
        field: &'static str,
        /// What was written.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An acceptance says nothing but the reason.
    #[error(
        "an entry in `accept` of rule `{rule}` names no file, member or symbol; to silence the rule set its severity to off"
    )]
    AcceptsEverything {
        /// The rule's name.
        rule: &'static str,
    },
    /// An acceptance gives no reason.
    #[error("an entry in `accept` of rule `{rule}` gives no reason")]
    NoReason {
        /// The rule's name.
        rule: &'static str,
    },
}

/// What the configuration makes of findings, ready to apply.
#[derive(Debug, Clone, Default)]
pub struct Adjustments {
    severities: BTreeMap<&'static str, Severity>,
    acceptances: Vec<Pattern>,
}

/// An acceptance with its patterns compiled.
#[derive(Debug, Clone)]
struct Pattern {
    rule: &'static Rule,
    file: Option<GlobMatcher>,
    member: Option<GlobMatcher>,
    symbol: Option<GlobMatcher>,
    source: Acceptance,
}

/// What a run looked at: which rules were checked, on which files and members.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    rules: HashSet<&'static Rule>,
    places: BTreeMap<Utf8PathBuf, BTreeSet<String>>,
}

/// A finding that the configuration accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The finding, with the severity it would have had.
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
    /// Which acceptance did it: its number within the [`Adjustments`].
    pub acceptance: usize,
}

/// Findings after the configuration had its say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// What is reported; none is `off`.
    pub findings: Vec<Finding>,
    /// What is accepted.
    pub accepted: Vec<Accepted>,
    /// What the acceptances themselves are reported for.
    pub stale: Vec<Finding>,
}

impl Adjustments {
    /// Nothing is changed.
    pub fn none() -> Self {
        Self::default()
    }

    /// From what the configuration says, keyed by the rule's name or code.
    pub fn new(
        registry: &Registry,
        settings: impl IntoIterator<Item = (String, RuleSettings)>,
    ) -> Result<Self, AdjustmentError> {
        let mut adjustments = Self::none();
        let mut seen = HashSet::new();
        for (asked, RuleSettings { severity, accept }) in settings {
            let rule = registry.find(&asked)?;
            if !seen.insert(rule) {
                return Err(AdjustmentError::RuleTwice { rule: rule.name, asked });
            }
            if let Some(severity) = severity {
                adjustments.severities.insert(rule.name, severity);
            }
            for acceptance in accept {
                adjustments.acceptances.push(Pattern::compile(rule, acceptance)?);
            }
        }
        Ok(adjustments)
    }

    /// [`Self::judge`] and [`Self::stale`] for a run that has all its findings together.
    pub fn apply(&self, findings: Vec<Finding>, examined: &Examined) -> Judged {
        let mut judged = self.judge(findings);
        judged.stale = self.stale(&judged.accepted, examined);
        judged
    }

    /// Sets severities, drops what is `off`, and sets aside what is accepted. Order is kept. Stale acceptances are not
    /// looked for: a run in several parts asks for them once, at its end.
    pub fn judge(&self, findings: Vec<Finding>) -> Judged {
        let mut judged = Judged::default();
        for mut finding in findings {
            finding.severity = self.severity_of(&finding);
            if finding.severity == Severity::Off {
                continue;
            }
            match self.acceptances.iter().position(|pattern| pattern.accepts(&finding)) {
                Some(acceptance) => {
                    let reason = self.acceptances[acceptance].source.reason.trim().to_owned();
                    judged.accepted.push(Accepted { finding, reason, acceptance });
                }
                None => judged.findings.push(finding),
            }
        }
        judged
    }

    /// The acceptances that matched nothing in this run although they could have. An entry whose findings an earlier entry
    /// accepts as well is not stale.
    pub fn stale<'a>(&self, accepted: impl IntoIterator<Item = &'a Accepted>, examined: &Examined) -> Vec<Finding> {
        let severity = self.severities.get(STALE_ACCEPTANCE.name).copied().unwrap_or(STALE_ACCEPTANCE.severity);
        if severity == Severity::Off {
            return Vec::new();
        }
        let mut used = vec![false; self.acceptances.len()];
        for Accepted { finding, .. } in accepted {
            for (used, pattern) in used.iter_mut().zip(&self.acceptances) {
                *used = *used || pattern.accepts(finding);
            }
        }
        let unused = self.acceptances.iter().zip(used).filter(|(_, used)| !used).map(|(pattern, _)| pattern);
        unused
            .filter(|pattern| self.severities.get(pattern.rule.name) != Some(&Severity::Off))
            .filter(|pattern| pattern.could_match(examined))
            .map(|pattern| pattern.complaint().severity(severity))
            .collect()
    }

    fn severity_of(&self, finding: &Finding) -> Severity {
        self.severities.get(finding.rule.name).copied().unwrap_or(finding.severity)
    }
}

impl Pattern {
    fn compile(rule: &'static Rule, source: Acceptance) -> Result<Self, AdjustmentError> {
        let glob = |field, text: &Option<String>, stops: bool| {
            text.as_deref()
                .map(|pattern| {
                    let built = GlobBuilder::new(pattern).literal_separator(stops).backslash_escape(true).build();
                    built.map(|glob| glob.compile_matcher()).map_err(|error| AdjustmentError::Pattern {
                        rule: rule.name,
                        field,
                        pattern: pattern.to_owned(),
                        reason: error.kind().to_string(),
                    })
                })
                .transpose()
        };
        if source.reason.trim().is_empty() {
            return Err(AdjustmentError::NoReason { rule: rule.name });
        }
        if source.file.is_none() && source.member.is_none() && source.symbol.is_none() {
            return Err(AdjustmentError::AcceptsEverything { rule: rule.name });
        }
        Ok(Self {
            rule,
            file: glob("file", &source.file, true)?,
            member: glob("member", &source.member, true)?,
            symbol: glob("symbol", &source.symbol, false)?,
            source,
        })
    }

    fn accepts(&self, finding: &Finding) -> bool {
        let Subject { file, member, symbol } = &finding.subject;
        *finding.rule == *self.rule
            && fits(self.file.as_ref(), file.as_ref().map(|file| file.as_str()), fits_path)
            && fits(self.member.as_ref(), member.as_deref(), fits_path)
            && fits(self.symbol.as_ref(), symbol.as_deref(), |glob, symbol| glob.is_match(symbol))
    }

    /// Whether the run examined anything that this acceptance could be about.
    fn could_match(&self, examined: &Examined) -> bool {
        let file = |path: &Utf8Path| fits(self.file.as_ref(), Some(path.as_str()), fits_path);
        let member = |member: &String| fits(self.member.as_ref(), Some(member), fits_path);
        examined.rules.contains(self.rule)
            && if self.file.is_none() && self.member.is_none() {
                true
            } else {
                let mut places = examined.places.iter().filter(|(path, _)| file(path));
                places.any(|(_, members)| self.member.is_none() || members.iter().any(member))
            }
    }

    fn complaint(&self) -> Finding {
        let Acceptance { file, member, symbol, at, .. } = &self.source;
        let parts = [("file", file), ("member", member), ("symbol", symbol)];
        let named: Vec<_> =
            parts.into_iter().filter_map(|(word, part)| part.as_ref().map(|part| format!("{word} `{part}`"))).collect();
        let subject = Subject {
            file: at.as_ref().map(|at| at.path.clone()),
            member: None,
            symbol: Some(format!("rules.{}.accept", self.rule.name)),
        };
        let message = format!("no `{}` finding matches the accepted {} any more", self.rule.name, named.join(", "));
        Finding::new(&STALE_ACCEPTANCE, subject, message)
            .help("remove the entry, or narrow it to the file or member it is for")
            .at_all(at.clone())
    }
}

/// Whether a pattern fits a path or its last component.
fn fits_path(glob: &GlobMatcher, path: &str) -> bool {
    let path = with_slashes(path);
    glob.is_match(&*path) || path.rsplit_once('/').is_some_and(|(_, last)| glob.is_match(last))
}

/// A Windows path with `/`, so that one pattern fits on every system. A path that has a `/` and no drive is not Windows's.
pub(crate) fn with_slashes(path: &str) -> std::borrow::Cow<'_, str> {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if path.contains('\\') && (drive || !path.contains('/')) { path.replace('\\', "/").into() } else { path.into() }
}

/// A pattern that is not there fits everything; one that is there needs something to fit.
fn fits<G>(glob: Option<&G>, text: Option<&str>, matches: impl Fn(&G, &str) -> bool) -> bool {
    match (glob, text) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(glob), Some(text)) => matches(glob, text),
    }
}

impl Examined {
    /// A run that checked these rules, on nothing yet.
    pub fn of(rules: impl IntoIterator<Item = &'static Rule>) -> Self {
        Self { rules: rules.into_iter().collect(), places: BTreeMap::new() }
    }

    /// And this file.
    #[must_use]
    pub fn file(mut self, file: impl Into<Utf8PathBuf>) -> Self {
        self.places.entry(file.into()).or_default();
        self
    }

    /// And this member of that file.
    #[must_use]
    pub fn member(mut self, file: impl Into<Utf8PathBuf>, member: impl Into<String>) -> Self {
        self.places.entry(file.into()).or_default().insert(member.into());
        self
    }

    /// And everything that another part of the run examined.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.rules.extend(other.rules);
        for (file, members) in other.places {
            self.places.entry(file).or_default().extend(members);
        }
        self
    }
}

impl Judged {
    /// Everything that is reported: findings, then stale acceptances.
    pub fn reported(&self) -> impl Iterator<Item = &Finding> + Clone {
        self.findings.iter().chain(&self.stale)
    }

    /// How many of each severity are reported.
    pub fn summary(&self) -> Summary {
        Summary::of(self.reported())
    }

    /// Whether anything is reported at error level: exit code 1.
    pub fn has_errors(&self) -> bool {
        self.reported().any(|finding| finding.severity == Severity::Error)
    }

    /// Adds what another part of the run found.
    pub fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.accepted.extend(other.accepted);
        self.stale.extend(other.stale);
    }
}

impl From<Vec<Finding>> for Judged {
    /// Findings as they are, without a configuration.
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::default() }
    }
}

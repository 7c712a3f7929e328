//! What a rule is: a stable code and name, a default severity, and the page that explains it.

use std::fmt;

use crate::Severity;

/// One thing that can be wrong. Rules are statics of the crate that checks them:
///
/// ```
/// use wheelproof_diagnostics::{Rule, Severity};
/// pub static MISSING_SYMBOL: Rule = Rule {
///     code: "PY101",
///     name: "missing-symbol",
///     severity: Severity::Error,
///     summary: "a symbol that this Python does not export",
///     why: "The import fails, or the first call does.",
///     fix: "Use the documented replacement.",
///     example: "extern PyObject *_PyGone_New(void);",
/// };
/// pub const RULES: &[&Rule] = &[&MISSING_SYMBOL];
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Two letters for the family and three digits, the first being the family's: `PY101`. Never reused.
    pub code: &'static str,
    /// Lower-case words joined by hyphens: `missing-symbol`. What people write in configuration.
    pub name: &'static str,
    /// The severity of a finding whose check does not say otherwise.
    pub severity: Severity,
    /// One line without a full stop, lower case first: completes "this rule finds …".
    pub summary: &'static str,
    /// Why it matters: Markdown paragraphs.
    pub why: &'static str,
    /// How to fix it: Markdown paragraphs.
    pub fix: &'static str,
    /// Text or code that the rule objects to, shown verbatim.
    pub example: &'static str,
}

impl Rule {
    /// The family its code belongs to; `None` if the code has an unknown form.
    pub fn family(&self) -> Option<Family> {
        Family::ALL.into_iter().find(|family| self.code.starts_with(family.prefix()))
    }
}

impl PartialEq for Rule {
    /// Rules are the same if their codes and names are: a page may be reworded.
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && self.name == other.name
    }
}

impl Eq for Rule {}

impl std::hash::Hash for Rule {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.code, self.name).hash(state);
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

/// The families of rules, by the start of their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `PY1xx`
    CApi,
    /// `LD2xx`
    Linkage,
    /// `WH3xx`
    Wheel,
    /// `LL4xx`
    Llvm,
    /// `ST5xx`
    Stencils,
    /// `CI6xx`
    Workflow,
}

impl Family {
    /// All families in the order of their codes.
    pub const ALL: [Self; 6] = [Self::CApi, Self::Linkage, Self::Wheel, Self::Llvm, Self::Stencils, Self::Workflow];

    /// What every code of the family starts with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::CApi => "PY1",
            Self::Linkage => "LD2",
            Self::Wheel => "WH3",
            Self::Llvm => "LL4",
            Self::Stencils => "ST5",
            Self::Workflow => "CI6",
        }
    }

    /// The heading over the family's rules.
    pub const fn title(self) -> &'static str {
        match self {
            Self::CApi => "C API and symbols",
            Self::Linkage => "Linkage",
            Self::Wheel => "Wheel archive and tags",
            Self::Llvm => "LLVM",
            Self::Stencils => "Stencils",
            Self::Workflow => "Workflows and plan",
        }
    }
}

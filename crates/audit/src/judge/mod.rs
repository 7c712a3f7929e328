//! From facts to findings.

mod llvm;
mod module;
mod names;
mod verdict;

use crate::binary::{Binary, Inspection};
use crate::python::{self, By};
use crate::{rules, sources};
use camino::Utf8PathBuf;
use capi::{Python, System};
use diagnostics::Finding;
use objfile::{Format, ObjectKind};
use std::collections::{HashMap, HashSet};

/// By what is judged.
#[derive(Debug, Clone, Default)]
pub struct Judge {
    /// These Pythons instead of what tags, file names and DLLs say; empty: what they say.
    pub python: Vec<Python>,
    /// Folders and files in which the names are looked for.
    pub sources: Vec<Utf8PathBuf>,
}

impl Judge {
    /// By which Pythons a binary is judged.
    pub fn by(&self, inspection: &Inspection, binary: &Binary) -> By {
        python::by(binary, inspection.wheel_of(binary), &self.python)
    }
}

/// A finding and the words that lead to it in the sources.
struct Draft {
    finding: Finding,
    words: Vec<String>,
    /// The words count inside string literals as well.
    in_strings: bool,
}

impl Draft {
    fn new(finding: Finding) -> Self {
        Self { finding, words: Vec::new(), in_strings: false }
    }

    fn word(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }
}

/// Every rule on everything that was opened: what could not be read, then binary by binary, then what concerns a wheel as
/// a whole. Where sources are given, findings carry the places where their names stand.
pub fn symbols(inspection: &Inspection, judge: &Judge) -> Vec<Finding> {
    let mut drafts: Vec<_> = inspection.troubles.iter().cloned().map(Draft::new).collect();
    let providers = Providers::of(inspection);
    for (index, binary) in inspection.binaries.iter().enumerate() {
        // Python itself may use what is its own.
        let is_python = python::is_python_library(binary.file_name());
        if is_python || matches!(binary.facts.kind, ObjectKind::ImportStub | ObjectKind::Other) {
            continue;
        }
        let by = judge.by(inspection, binary);
        let case = Case { binary, by: &by, system: system(binary), index, providers: &providers };
        names::imports(&case, &mut drafts);
        names::strangers(&case, &mut drafts);
        names::named(&case, &mut drafts);
        module::entry_point(&case, &mut drafts);
        module::stray(&case, &mut drafts);
        module::python_library(&case, &mut drafts);
        module::surface(&case, &mut drafts);
        module::underscored(&case, &mut drafts);
        module::unreadable_names(&case, &mut drafts);
    }
    llvm::copies(inspection, &mut drafts);
    let mut findings =
        sources::locate(drafts.into_iter().map(|draft| (draft.finding, draft.words, draft.in_strings)), &judge.sources);
    once(&mut findings);
    findings
}

/// The slices of a universal file say the same; once is enough.
fn once(findings: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    findings.retain(|finding| {
        seen.insert((finding.rule.code, finding.severity, finding.subject.clone(), finding.message.clone()))
    });
}

/// A binary under judgement.
struct Case<'a> {
    binary: &'a Binary,
    by: &'a By,
    system: System,
    index: usize,
    providers: &'a Providers<'a>,
}

fn system(binary: &Binary) -> System {
    match binary.facts.format {
        Format::Elf => System::Linux,
        Format::MachO => System::MacOs,
        Format::Pe | Format::Coff => System::Windows,
    }
}

impl Case<'_> {
    fn is_extension(&self) -> bool {
        !self.binary.facts.entry_points.is_empty()
    }

    /// Whether another binary that is loaded or linked together with this one defines the name.
    fn is_provided(&self, name: &str) -> bool {
        self.providers.provides(self.index, name)
    }
}

/// Who defines names that look like Python's, and who needs whom.
struct Providers<'a> {
    binaries: &'a [Binary],
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Providers<'a> {
    fn of(inspection: &'a Inspection) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, binary) in inspection.binaries.iter().enumerate() {
            // Libraries of another wheel count: a folder of wheels is no process.
            for name in &binary.facts.defines {
                by_name.entry(name).or_default().push(index);
            }
        }
        Self { binaries: &inspection.binaries, by_name }
    }

    fn provides(&self, index: usize, name: &str) -> bool {
        let Some(binary) = self.binaries.get(index) else { return false };
        let candidates = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        candidates.iter().filter_map(|&other| self.binaries.get(other)).any(|other| {
            let together = other.wheel == binary.wheel && other.facts.architecture == binary.facts.architecture;
            together && (linked_together(binary, other) || self.needs(binary, other))
        })
    }

    /// Whether `binary` needs `wanted`, directly or through others of the same wheel.
    fn needs(&self, binary: &Binary, wanted: &Binary) -> bool {
        let mut queue = vec![binary];
        let mut seen: HashSet<*const Binary> = HashSet::new();
        while let Some(one) = queue.pop() {
            if !seen.insert(std::ptr::from_ref(one)) {
                continue;
            }
            for needed in &one.facts.needed {
                if is_called(wanted, needed) {
                    return true;
                }
                let others =
                    self.binaries.iter().filter(|other| other.wheel == binary.wheel && is_called(other, needed));
                queue.extend(others);
            }
        }
        false
    }
}

/// Objects end up in one image with the others of their archive or build tree.
fn linked_together(binary: &Binary, other: &Binary) -> bool {
    let relocatable = |binary: &Binary| binary.facts.kind == ObjectKind::Relocatable;
    relocatable(binary) && relocatable(other)
}

fn is_called(binary: &Binary, needed: &str) -> bool {
    let last = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let needed = last(needed);
    last(binary.file_name()) == needed
        || binary.facts.identity.as_deref().is_some_and(|identity| last(identity) == needed)
}

/// The rule that a private name of a class falls under.
const fn class_rule(class: capi::Class) -> Option<&'static diagnostics::Rule> {
    use capi::Class;
    match class {
        Class::Stable { .. } | Class::Public | Class::BuiltinInit => None,
        Class::Documented | Class::Private | Class::Undeclared => Some(&rules::PRIVATE_SYMBOL),
        Class::ThroughMacro(_) => Some(&rules::PRIVATE_THROUGH_MACRO),
        Class::Unstable => Some(&rules::UNSTABLE_SYMBOL),
        Class::Internal => Some(&rules::INTERNAL_SYMBOL),
    }
}

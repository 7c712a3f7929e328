//! Rules on a binary as an extension module: its entry point, what it links, what it shows.

use super::{Case, Draft};
use crate::facts::Sample;
use crate::python::{self, python_dll};
use crate::rules;
use capi::{Build, Python};
use diagnostics::{Finding, Severity};
use objfile::{Format, ObjectKind};

/// `PyInit_` and the name that the file has.
pub(super) fn entry_point(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let binary = case.binary;
    let facts = &binary.facts;
    if !facts.kind.is_loadable() || binary.part.is_some() {
        return;
    }
    let name = binary.file_name();
    let suffix = Suffix::of(name);
    let Some((module, tagged)) = suffix.module(name) else { return };
    // A plain `.so` without Python in it is some library.
    if !facts.is_python() || (!tagged && facts.entry_points.is_empty()) {
        return;
    }
    let module =
        module.strip_suffix("_d").filter(|_| suffix == Suffix::Pyd && !facts.has_entry(module)).unwrap_or(module);
    // PEP 489: punycode of names that are not ASCII is not spelled out here; any such entry point may be it.
    let fits = if module.is_ascii() {
        facts.has_entry(module)
    } else {
        facts.entry_points.iter().any(|entry| entry.starts_with("PyInitU_"))
    };
    if fits {
        return;
    }
    let others = facts.entry_points.iter().take(3).map(|entry| format!("`{entry}`")).collect::<Vec<_>>().join(", ");
    let rule = &rules::INIT_FUNCTION;
    let message = if others.is_empty() {
        format!("`{name}` does not export `PyInit_{module}`, so `import {module}` fails")
    } else {
        format!("`{name}` does not export `PyInit_{module}` but {others}, so `import {module}` fails")
    };
    let severity = if tagged { rule.severity } else { Severity::Warning };
    let finding = Finding::new(rule, binary.subject().symbol(format!("PyInit_{module}")), message).severity(severity);
    let finding =
        finding.help("give the file and the module in the sources the same name, and let `PyMODINIT_FUNC` export it");
    let mut draft = Draft::new(finding);
    draft.words = facts.entry_points.iter().flat_map(|entry| [entry.clone(), module_of(entry).to_owned()]).collect();
    drafts.push(draft);
}

fn module_of(entry: &str) -> &str {
    entry.split_once('_').map_or(entry, |(_, module)| module)
}

impl crate::facts::Facts {
    fn has_entry(&self, module: &str) -> bool {
        self.entry_points
            .iter()
            .any(|entry| ["PyInit_", "PyModExport_"].iter().any(|prefix| entry.strip_prefix(prefix) == Some(module)))
    }
}

/// How the file of an extension module ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Suffix {
    Pyd,
    So,
    Other,
}

impl Suffix {
    fn of(name: &str) -> Self {
        match name.rsplit_once('.') {
            Some((_, "pyd")) => Self::Pyd,
            Some((_, "so")) => Self::So,
            _ => Self::Other,
        }
    }

    /// The module's name, and whether nothing but an extension module is called so.
    fn module(self, name: &str) -> Option<(&str, bool)> {
        let module = name.split('.').next().filter(|module| !module.is_empty())?;
        match self {
            Self::Pyd => Some((module, true)),
            Self::So => Some((module, python::of_file_name(name) != python::Aim::Unstated)),
            Self::Other => None,
        }
    }
}

/// An extension that the wheel's Pythons do not import.
pub(super) fn stray(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    if !case.by.stray {
        return;
    }
    let name = case.binary.file_name();
    let message = if case.by.pythons.is_empty() {
        format!("`{name}` is for another implementation than the wheel's tags say")
    } else {
        format!(
            "`{name}` is for CPython {} only, which is not what the wheel's tags say",
            python::spoken(&case.by.pythons)
        )
    };
    let finding = Finding::new(&rules::FOREIGN_EXTENSION, case.binary.subject(), message);
    drafts.push(Draft::new(finding.help("build the wheel from a clean folder")));
}

/// libpython, Python.framework, or a DLL of another Python.
pub(super) fn python_library(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let facts = &case.binary.facts;
    if !facts.kind.is_loadable() {
        return;
    }
    for needed in facts.needed.iter().filter(|needed| python::is_python_library(needed)) {
        let subject = case.binary.subject().symbol(needed);
        if facts.format != Format::Pe {
            let message = format!("asks for `{needed}`, which belongs to one installation of Python");
            let help = "do not link Python's library into an extension; its symbols come from the process";
            drafts.push(Draft::new(Finding::new(&rules::LINKS_LIBPYTHON, subject, message).help(help)));
            continue;
        }
        let Some(dll) = python_dll(needed) else { continue };
        let Some(wrong) = wrong_dll(case, dll, needed) else { continue };
        let rule = if case.by.stable.is_some_and(|stable| !stable.by_name_only) && !dll.debug && dll.minor.is_some() {
            &rules::ABI3_VIOLATION
        } else {
            &rules::LINKS_LIBPYTHON
        };
        drafts.push(Draft::new(Finding::new(rule, subject, wrong)));
    }
}

/// Why a Python DLL is not the one that the tags mean.
fn wrong_dll(case: &Case<'_>, dll: python::PythonDll, needed: &str) -> Option<String> {
    if dll.debug {
        return Some(format!("imports `{needed}`, which debug builds of Python have alone"));
    }
    if !case.by.stated {
        return None;
    }
    let audience = python::spoken(&case.by.pythons);
    match (dll.minor, case.by.stable) {
        (Some(_), Some(stable)) if !stable.by_name_only => {
            Some(format!("imports `{needed}` although it promises the stable ABI, whose DLL is `python3.dll`"))
        }
        (Some(minor), _) => {
            let meant = |python: &Python| python.minor == minor && python.build == dll.build;
            (!case.by.pythons.is_empty() && !case.by.pythons.iter().all(meant))
                .then(|| format!("imports `{needed}`, and the file is for CPython {audience}"))
        }
        (None, _) => {
            let build = |python: &Python| python.build == dll.build;
            let has_gil_less = dll.build == Build::FreeThreaded;
            (!case.by.pythons.is_empty() && !has_gil_less && !case.by.pythons.iter().any(build))
                .then(|| format!("imports `{needed}`, and the file is for CPython {audience}"))
        }
    }
}

/// From this many exports on a finding is worth its line.
const MUCH: usize = 20;

/// What an extension exports besides its entry point.
pub(super) fn surface(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let facts = &case.binary.facts;
    if !case.is_extension() || !facts.kind.is_loadable() {
        return;
    }
    let surface = &facts.surface;
    if surface.others.count >= MUCH {
        let cxx = if surface.cxx > 0 { format!(", {} of them C++", surface.cxx) } else { String::new() };
        let llvm = if surface.llvm > 0 { format!(", {} of LLVM's", surface.llvm) } else { String::new() };
        let message = format!(
            "exports {} symbols besides its entry point{cxx}{llvm}: {}",
            surface.others.count,
            examples(&surface.others)
        );
        // Windows binds each import to its DLL; there nothing is interposed.
        let interposes =
            facts.format == Format::Elf && facts.signs.llvm == crate::signs::LlvmSign::Carried && surface.llvm >= MUCH;
        let severity = if interposes { Severity::Warning } else { rules::EXPORTED_SURFACE.severity };
        let finding = Finding::new(&rules::EXPORTED_SURFACE, case.binary.subject(), message).severity(severity);
        drafts.push(Draft::new(finding.help(match facts.format {
            Format::Elf => "compile with `-fvisibility=hidden -fvisibility-inlines-hidden`, link with `-Wl,--exclude-libs,ALL`",
            Format::MachO => "compile with `-fvisibility=hidden -fvisibility-inlines-hidden`, or link with `-exported_symbol _PyInit_*`",
            Format::Pe | Format::Coff => "export nothing but `PyMODINIT_FUNC`; MinGW: link with `-Wl,--exclude-all-symbols`",
        })));
    }
    if facts.unique.count > 0 {
        let message =
            format!("shares {} of its symbols with the whole process: {}", facts.unique.count, examples(&facts.unique));
        let finding = Finding::new(&rules::UNIQUE_SYMBOLS, case.binary.subject(), message);
        drafts.push(Draft::new(finding.help("compile with `-fvisibility=hidden`, or with `-fno-gnu-unique`")));
    }
}

fn examples(sample: &Sample) -> String {
    let names: Vec<_> = sample.examples.iter().map(|name| format!("`{}`", diagnostics::shortened(name, 60))).collect();
    let more = if sample.count > names.len() { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

/// More than that many are a naming habit: one finding says it.
const EACH: usize = 16;

/// C names with a leading underscore that an extension exports.
pub(super) fn underscored(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let facts = &case.binary.facts;
    if !case.is_extension() || !facts.kind.is_loadable() || facts.underscored.is_empty() {
        return;
    }
    let jit = facts.signs.generates_code();
    let rule = &rules::UNDERSCORE_EXPORT;
    let severity = |looked_up: bool| if jit && looked_up { rule.severity } else { Severity::Info };
    let help = "rename it without the underscore, or do not export it";
    if facts.underscored.len() > EACH && facts.underscored.iter().all(|own| !own.looked_up) {
        let names =
            facts.underscored.iter().take(3).map(|own| format!("`{}`", own.name)).collect::<Vec<_>>().join(", ");
        let message =
            format!("exports {} names of its own with a leading underscore: {names}, …", facts.underscored.len());
        let finding = Finding::new(rule, case.binary.subject(), message).severity(severity(jit));
        drafts.push(Draft::new(finding.help(help)));
        return;
    }
    for own in &facts.underscored {
        let does = match (own.exported, own.looked_up) {
            (false, _) => "names in a string, to be looked up,",
            (true, true) => "exports and names in a string",
            (true, false) => "exports",
        };
        let message = format!("{does} `{0}`, which Mach-O spells `_{0}`", own.name);
        let finding = Finding::new(rule, case.binary.subject().symbol(&own.name), message)
            .severity(severity(own.looked_up || jit));
        let mut draft = Draft::new(finding.help(help)).word(&own.name);
        draft.in_strings = own.looked_up;
        drafts.push(draft);
    }
}

/// Names that no tool can show.
pub(super) fn unreadable_names(case: &Case<'_>, drafts: &mut Vec<Draft>) {
    let count = case.binary.facts.unreadable_names;
    if count > 0 && case.binary.facts.kind != ObjectKind::Other {
        let message =
            format!("{count} of its symbols and libraries have names that are not UTF-8; they were not judged");
        let finding = Finding::new(&rules::UNREADABLE_BINARY, case.binary.subject(), message).severity(Severity::Info);
        drafts.push(Draft::new(finding));
    }
}

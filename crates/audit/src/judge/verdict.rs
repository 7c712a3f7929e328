//! What is wrong with one name of the C API for the Pythons that a binary is for.

use super::{Case, class_rule};
use crate::{python, rules};
use capi::{Abi3, Class, Entry, Late, Missing, Presence, Python, Standing};
use diagnostics::{Rule, Severity};

/// What is wrong with a name.
pub(super) struct Verdict {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) notes: Vec<String>,
    /// The public macro that the sources name instead.
    pub(super) through: Option<&'static str>,
}

/// How a name is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Import,
    WeakImport,
    /// As a string.
    Named,
}

/// Judges a name; none if all is well with it.
pub(super) fn verdict(case: &Case<'_>, entry: &'static Entry, usage: Use) -> Option<Verdict> {
    if case.by.pythons.is_empty() {
        return None;
    }
    let mut verdict = match case.by.stable {
        Some(stable) if !stable.by_name_only => of_stable_abi(case, entry, usage, stable.floor)?,
        _ => of_pythons(case, entry, usage).or_else(|| {
            let stable = case.by.stable?;
            let verdict = of_stable_abi(case, entry, usage, stable.floor)?;
            // The tag pins the version, so nothing breaks; but the file's name promises too much.
            Some(Verdict { severity: Severity::Warning.min(verdict.severity), ..verdict })
        })?,
    };
    if usage == Use::WeakImport && verdict.severity > Severity::Info && verdict.rule.severity == Severity::Error {
        verdict.severity = Severity::Info;
        verdict.message.push_str(" (a weak import: null there)");
    }
    attribute(case, entry, &mut verdict);
    Some(verdict)
}

/// Says whose code names it, and takes the weight off what the author cannot change.
fn attribute(case: &Case<'_>, entry: &'static Entry, verdict: &mut Verdict) {
    let ours = case.binary.facts.frameworks.iter().filter(|&&framework| entry.frameworks().contains(framework));
    let names: Vec<_> = ours.map(ToString::to_string).collect();
    if names.is_empty() {
        return;
    }
    let private = verdict.rule == &rules::PRIVATE_SYMBOL || verdict.rule == &rules::INTERNAL_SYMBOL;
    if private {
        verdict.severity = Severity::Info;
    }
    let names = names.join(" and ");
    verdict.notes.push(format!("{names}'s own code names it, not yours"));
    if private || verdict.rule == &rules::PRIVATE_THROUGH_MACRO {
        verdict.help = Some(format!("nothing to change in your sources; build with a current release of {names}"));
    }
}

fn of_stable_abi(case: &Case<'_>, entry: &'static Entry, usage: Use, floor: Option<u8>) -> Option<Verdict> {
    // Without a known floor nothing is too new.
    let (rule, what) = match capi::judge_abi3(entry.name(), floor.unwrap_or(u8::MAX), case.system)? {
        Abi3::Stable { .. } => return None,
        Abi3::Newer { since } => {
            let floor = floor.unwrap_or_default();
            (
                &rules::ABI3_NEWER_THAN_TAG,
                format!("belongs to the stable ABI since 3.{since}, and the tag promises 3.{floor}"),
            )
        }
        Abi3::OtherSystem { .. } => {
            (&rules::ABI3_VIOLATION, format!("does not belong to the stable ABI on {}", case.system))
        }
        Abi3::NotStable => (&rules::ABI3_VIOLATION, "does not belong to the stable ABI".to_owned()),
    };
    let worst = of_pythons(case, entry, usage);
    let breaks = match &worst {
        Some(verdict) if verdict.rule.severity == Severity::Error => {
            let detail = verdict.message.split_once("` ").map_or("", |(_, detail)| detail);
            format!("; it {detail}")
        }
        _ => String::new(),
    };
    Some(Verdict {
        rule,
        severity: rule.severity,
        message: format!("`{}` {what}{breaks}", entry.name()),
        help: if rule == &rules::ABI3_NEWER_THAN_TAG { Some(raise_tag(entry)) } else { advice(entry) },
        notes: reading(entry),
        through: None,
    })
}

fn raise_tag(entry: &Entry) -> String {
    let since = entry.abi3_since().unwrap_or_default();
    let tag = format!("tag the wheel cp3{since}-abi3");
    match advice(entry) {
        Some(advice) => format!("{advice}, or {tag}"),
        None => format!("{tag}, or define Py_LIMITED_API as the tag's version and let the compiler say what to change"),
    }
}

/// Everything the Pythons say of a name.
#[derive(Default)]
struct Tally {
    missing: Vec<(Python, Missing)>,
    late: Vec<(Python, Late)>,
    there: Vec<(Python, Standing)>,
}

fn of_pythons(case: &Case<'_>, entry: &'static Entry, usage: Use) -> Option<Verdict> {
    let mut tally = Tally::default();
    for &python in &case.by.pythons {
        let standing = entry.standing(python, case.system);
        match standing.presence {
            Presence::Missing(missing) => tally.missing.push((python, missing)),
            Presence::FromMicro { absent, present } => {
                tally.late.push((python, Late { absent, present }));
                tally.there.push((python, standing));
            }
            Presence::Exported => tally.there.push((python, standing)),
            Presence::Unknown => {}
        }
    }
    if !tally.missing.is_empty() {
        return Some(missing(case, entry, &tally));
    }
    if !tally.late.is_empty() {
        return Some(late(entry, &tally));
    }
    class(case, entry, &tally, usage).or_else(|| dropped(entry, &tally))
}

fn missing(case: &Case<'_>, entry: &'static Entry, tally: &Tally) -> Verdict {
    let everywhere = tally.there.is_empty();
    let is_macro = |missing: &Missing| matches!(missing, Missing::Macro { .. } | Missing::Inline { .. });
    let rule = if tally.missing.iter().all(|(_, missing)| is_macro(missing)) {
        &rules::MACRO_ONLY
    } else {
        &rules::MISSING_SYMBOL
    };
    // The same reason of several versions is said once; the newest version's comes first.
    let mut reasons: Vec<(String, Vec<Python>)> = Vec::new();
    for (python, missing) in tally.missing.iter().rev() {
        let text = missing.to_string();
        match reasons.iter_mut().find(|(reason, _)| *reason == text) {
            Some((_, pythons)) => pythons.push(*python),
            None => reasons.push((text, vec![*python])),
        }
    }
    let texts: Vec<_> = match reasons.as_slice() {
        [(reason, _)] => vec![reason.clone()],
        _ => reasons
            .iter()
            .map(|(reason, pythons)| format!("{reason} (asked for {})", python::spoken(pythons)))
            .collect(),
    };
    let pythons: Vec<_> = tally.missing.iter().map(|(python, _)| *python).collect();
    let verb = if everywhere { "the file is for" } else { "the file is also for" };
    let about = if case.by.stated {
        format!("{verb} CPython {} on {}", python::spoken(&pythons), case.system)
    } else if everywhere {
        "no supported CPython has it".to_owned()
    } else {
        format!("it is missing in {} of the supported {}", python::spoken(&pythons), python::spoken(&case.by.pythons))
    };
    let severity = if everywhere || case.by.stated { rule.severity } else { Severity::Warning };
    Verdict {
        rule,
        severity,
        message: format!("`{}` {}; {about}", entry.name(), texts.join("; it ")),
        help: advice(entry),
        notes: reading(entry),
        through: None,
    }
}

fn late(entry: &'static Entry, tally: &Tally) -> Verdict {
    let said: Vec<_> = tally
        .late
        .iter()
        .map(|(_, late)| match late.present {
            Some(present) => format!("{} lacks it, {present} has it", late.absent),
            None => format!("{} lacks it, a later release has it", late.absent),
        })
        .collect();
    let rule = &rules::NEEDS_BUGFIX_RELEASE;
    Verdict {
        rule,
        severity: rule.severity,
        message: format!("`{}` is exported by later bug-fix releases only: {}", entry.name(), said.join("; ")),
        help: advice(entry),
        notes: reading(entry),
        through: None,
    }
}

const fn rank(class: Class) -> u8 {
    match class {
        Class::Stable { .. } | Class::Public | Class::BuiltinInit => 0,
        Class::Documented => 1,
        Class::ThroughMacro(_) => 2,
        Class::Unstable => 3,
        Class::Private | Class::Undeclared => 4,
        Class::Internal => 5,
    }
}

fn class(case: &Case<'_>, entry: &'static Entry, tally: &Tally, usage: Use) -> Option<Verdict> {
    let worst = tally.there.iter().map(|(_, standing)| standing.class).max_by_key(|class| rank(*class))?;
    let rule = class_rule(worst)?;
    let those: Vec<_> = tally
        .there
        .iter()
        .filter(|(_, standing)| rank(standing.class) == rank(worst))
        .map(|(python, _)| *python)
        .collect();
    let what = match worst {
        Class::Documented => "is documented though it starts with an underscore".to_owned(),
        Class::ThroughMacro(origin) if usage == Use::Named => format!("is private; the headers name it in `{origin}`"),
        Class::ThroughMacro(origin) => format!("is private and comes from the public `{origin}`"),
        Class::Unstable => "belongs to the unstable API, which may change with each minor version".to_owned(),
        Class::Undeclared => "is private: no header declares it".to_owned(),
        Class::Internal => "is declared in CPython's internal headers only".to_owned(),
        _ => "is private to CPython".to_owned(),
    };
    let versions =
        if those.len() == tally.there.len() { String::new() } else { format!(" in {}", python::spoken(&those)) };
    let gone = tally.there.iter().find_map(|(_, standing)| standing.dropped_in);
    let gone = gone.map_or(String::new(), |minor| format!(", and 3.{minor} does not export it any more"));
    let severity = match worst {
        Class::Documented => Severity::Info,
        _ => rule.severity,
    };
    let _ = case;
    Some(Verdict {
        rule,
        severity,
        message: format!("`{}` {what}{versions}{gone}", entry.name()),
        help: advice(entry),
        notes: reading(entry),
        through: if let Class::ThroughMacro(origin) = worst { Some(origin) } else { None },
    })
}

fn dropped(entry: &'static Entry, tally: &Tally) -> Option<Verdict> {
    let minor = tally.there.iter().find_map(|(_, standing)| standing.dropped_in)?;
    let rule = &rules::REMOVED_LATER;
    Some(Verdict {
        rule,
        severity: rule.severity,
        message: format!("`{}` is not exported any more by CPython 3.{minor}", entry.name()),
        help: advice(entry),
        notes: reading(entry),
        through: None,
    })
}

/// What to use instead.
fn advice(entry: &Entry) -> Option<String> {
    let replacement = entry.replacement()?;
    let since = replacement.since.map_or(String::new(), |since| format!(", from 3.{since} on"));
    let note = if replacement.note.is_empty() { String::new() } else { format!(" ({})", replacement.note) };
    Some(format!("use `{}`{since}{note}", replacement.instead))
}

fn reading(entry: &Entry) -> Vec<String> {
    let page = entry.replacement().map(|replacement| replacement.source).filter(|source| !source.is_empty());
    page.map(|page| format!("see docs.python.org/3/{page}.html")).into_iter().collect()
}

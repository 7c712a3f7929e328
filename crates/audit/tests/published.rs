//! Wheels that are published and known to work: nothing in them may be an error, and hardly anything a warning.
//!
//! Runs where `WHEELPROOF_WHEELHOUSE` names a folder that `ci/wheelhouse.py` has filled.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};
use wheelproof_audit as audit;

const SYSTEMS: [&str; 3] = ["linux", "macos", "windows"];
/// Wheels that are a JIT, or carry LLVM: they look names up by design.
const JITS: [&str; 3] = ["justjit", "llvmlite", "numba"];

/// One justified warning: distribution, rule, symbol, and why it stays.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
struct Justified {
    distribution: String,
    rule: String,
    symbol: String,
}

fn justified() -> BTreeSet<Justified> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/symbols/justified.tsv");
    let text = fs_err::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let [distribution, rule, symbol, reason] = fields[..] else { panic!("four columns: {line}") };
            assert!(reason.len() > 10, "a reason: {line}");
            Justified { distribution: distribution.into(), rule: rule.into(), symbol: symbol.into() }
        })
        .collect()
}

fn wheels(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let mut wheels: Vec<_> = entries.map(|entry| entry.unwrap().path().to_owned()).collect();
    wheels.retain(|wheel| wheel.extension() == Some("whl"));
    wheels.sort();
    wheels
}

fn distribution(wheel: &Utf8Path) -> String {
    wheel.file_name().unwrap().split('-').next().unwrap().to_lowercase().replace('_', "-")
}

fn symbol(finding: &Finding) -> String {
    finding.subject.symbol.clone().unwrap_or_else(|| "-".to_owned())
}

#[test]
fn published_wheels_have_no_error_and_hardly_a_warning() {
    let Ok(house) = std::env::var("WHEELPROOF_WHEELHOUSE") else {
        println!("skipped: WHEELPROOF_WHEELHOUSE names no folder; ci/wheelhouse.py fills one");
        return;
    };
    let justified = justified();
    let mut used = BTreeSet::new();
    let mut counts: Vec<usize> = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    let mut infos: BTreeMap<&str, usize> = BTreeMap::new();
    for system in SYSTEMS {
        for wheel in wheels(&Utf8PathBuf::from(&house).join(system)) {
            let name = distribution(&wheel);
            let findings = audit::wheel_findings(&wheel, &[]).unwrap_or_else(|error| panic!("{wheel}: {error}"));
            let mut warnings = BTreeSet::new();
            for finding in &findings {
                match finding.severity {
                    Severity::Warning => {
                        let one = Justified {
                            distribution: name.clone(),
                            rule: finding.rule.name.into(),
                            symbol: symbol(finding),
                        };
                        warnings.insert(one);
                    }
                    Severity::Error => {
                        wrong.push(format!("{}: {}: {}", finding.rule, finding.subject, finding.message));
                    }
                    _ => *infos.entry(finding.rule.name).or_default() += 1,
                }
            }
            counts.push(warnings.len());
            for warning in warnings {
                if warning.rule == "runtime-named" && !JITS.contains(&name.as_str()) {
                    wrong.push(format!("{wheel}: no JIT: {warning:?}"));
                }
                if justified.contains(&warning) {
                    used.insert(warning);
                } else {
                    wrong.push(format!(
                        "not justified: {}\t{}\t{}\t({system})",
                        warning.distribution, warning.rule, warning.symbol
                    ));
                }
            }
        }
    }
    counts.sort_unstable();
    println!(
        "{} wheels, {} warnings, at most {:?}; infos: {infos:?}",
        counts.len(),
        counts.iter().sum::<usize>(),
        counts.last()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts.get(counts.len() / 2), Some(&0), "the median");
    let stale: Vec<_> = justified.difference(&used).collect();
    assert!(counts.len() < 120 || stale.is_empty(), "no longer needed: {stale:?}");
}

#[test]
fn justjit_names_an_internal_symbol_on_every_system() {
    let Ok(house) = std::env::var("WHEELPROOF_WHEELHOUSE") else {
        println!("skipped: WHEELPROOF_WHEELHOUSE names no folder; ci/wheelhouse.py fills one");
        return;
    };
    for system in SYSTEMS {
        let folder = Utf8PathBuf::from(&house).join(system);
        let Some(wheel) = wheels(&folder).into_iter().find(|wheel| distribution(wheel) == "justjit") else {
            println!("skipped: no justjit for {system} in {house}");
            continue;
        };
        let findings = audit::wheel_findings(&wheel, &[]).unwrap();
        let update = findings.iter().find(|finding| finding.subject.symbol.as_deref() == Some("_PySet_Update"));
        let update = update.unwrap_or_else(|| panic!("{wheel}: {findings:#?}"));
        assert_eq!(update.rule.name, "runtime-named", "{system}");
        assert_eq!(update.because.map(|rule| rule.name), Some("internal-symbol"), "{system}");
        assert_eq!(update.severity, Severity::Warning, "{system}");
    }
}

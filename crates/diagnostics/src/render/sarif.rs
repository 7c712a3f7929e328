//! SARIF 2.1.0 (OASIS standard, Errata 01), for code scanning.
//!
//! A result's location is the first line of source, else the file it is about; further lines are related locations, and
//! member and symbol are logical locations. Accepted findings are results with a suppression.

use std::collections::{BTreeMap, HashMap};

use camino::Utf8Path;
use serde_json::{Map, Value, json};

use crate::adjust::with_slashes;
use crate::explain::help_markdown;
use crate::fold::PARAGRAPH;
use crate::render::Tool;
use crate::render::json::pretty;
use crate::{Finding, Judged, Location, Rule, Severity, Subject, shortened};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The SARIF log of one run. Fails never in practice: everything in it is a string, a number, a list or an object.
pub fn sarif(tool: &Tool<'_>, judged: &Judged) -> Result<String, serde_json::Error> {
    let all = || judged.reported().chain(judged.accepted.iter().map(|accepted| &accepted.finding));
    let rules: BTreeMap<&str, &'static Rule> = all()
        .flat_map(|finding| [Some(finding.rule), finding.because])
        .flatten()
        .map(|rule| (rule.code, rule))
        .collect();
    let numbers: HashMap<&str, usize> = rules.keys().enumerate().map(|(number, code)| (*code, number)).collect();
    let mut seen = HashMap::new();
    let mut results = Vec::new();
    let reported = judged.reported().map(|finding| (finding, None));
    let accepted = judged.accepted.iter().map(|accepted| (&accepted.finding, Some(accepted.reason.as_str())));
    for (finding, reason) in reported.chain(accepted) {
        let mut result = result(finding, numbers.get(finding.rule.code).copied(), &mut seen);
        // The standard (3.27.23) asks for the property on all results if any has it.
        if !judged.accepted.is_empty() {
            let suppression =
                reason.map(|reason| json!({"kind": "external", "status": "accepted", "justification": reason}));
            result.insert("suppressions".into(), Value::from_iter(suppression));
        }
        results.push(Value::Object(result));
    }
    let mut driver = object([("name", json!(tool.name)), ("version", json!(tool.version))]);
    if !tool.information_uri.is_empty() {
        driver.insert("informationUri".into(), json!(tool.information_uri));
    }
    driver.insert("rules".into(), rules.values().map(|rule| descriptor(rule, tool)).collect());
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }))
}

fn descriptor(rule: &Rule, tool: &Tool<'_>) -> Value {
    let mut out = object([
        ("id", json!(rule.code)),
        ("name", json!(rule.name)),
        ("shortDescription", json!({"text": rule.summary})),
        ("fullDescription", json!({"text": rule.why, "markdown": rule.why})),
        ("help", json!({"text": rule.fix, "markdown": help_markdown(rule)})),
        ("defaultConfiguration", json!({"enabled": rule.severity != Severity::Off, "level": level(rule.severity)})),
    ]);
    if !tool.rules_uri.is_empty() {
        out.insert("helpUri".into(), json!(format!("{}#{}", tool.rules_uri, rule.name)));
    }
    if let Some(family) = rule.family() {
        out.insert("properties".into(), json!({"tags": [family.title()]}));
    }
    Value::Object(out)
}

fn result(finding: &Finding, number: Option<usize>, seen: &mut HashMap<u64, usize>) -> Map<String, Value> {
    let Finding { rule, severity, subject, locations, .. } = finding;
    let mut out = object([
        ("ruleId", json!(rule.code)),
        ("level", json!(level(*severity))),
        ("message", json!({"text": message(finding)})),
    ]);
    out.extend(number.map(|number| ("ruleIndex".to_owned(), json!(number))));
    let logical = logical_locations(subject);
    let mut place = Map::new();
    if let Some(physical) = locations.first().map(source).or_else(|| subject.file.as_deref().map(artifact)) {
        place.insert("physicalLocation".into(), physical);
    }
    if !logical.is_empty() {
        place.insert("logicalLocations".into(), logical.into());
    }
    if !place.is_empty() {
        out.insert("locations".into(), json!([place]));
    }
    let related: Vec<_> = locations.iter().skip(1).map(|at| json!({"physicalLocation": source(at)})).collect();
    if !related.is_empty() {
        out.insert("relatedLocations".into(), related.into());
    }
    let print = fingerprint(finding);
    let count = seen.entry(print).and_modify(|count| *count += 1).or_insert(1);
    out.insert("partialFingerprints".into(), json!({"findingHash/v1": format!("{print:016x}:{count}")}));
    if let Some(because) = finding.because {
        out.insert("properties".into(), json!({"because": because.name}));
    }
    out
}

/// Message, help and notes as one plain text. The standard (3.11.5, 3.11.6) gives braces and `[…](…)` a meaning even in
/// plain text, so braces are doubled and a bracket is kept from touching a parenthesis.
fn message(finding: &Finding) -> String {
    let mut lines = vec![shortened(&finding.message, PARAGRAPH).into_owned()];
    if !finding.subject.to_string().is_empty() {
        lines.push(format!("in {}", finding.subject));
    }
    lines.extend(finding.because.map(|rule| format!("because: {}: {}", rule.name, rule.summary)));
    lines.extend(finding.help.as_deref().map(|help| format!("help: {}", shortened(help, PARAGRAPH))));
    lines.extend(finding.notes.iter().map(|note| format!("note: {}", shortened(note, PARAGRAPH))));
    lines.join("\n").replace('{', "{{").replace('}', "}}").replace("](", "] (")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Off => "none",
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn logical_locations(subject: &Subject) -> Vec<Value> {
    let mut out = Vec::new();
    if let Some(member) = &subject.member {
        let last = member.rsplit('/').next().unwrap_or(member);
        out.push(json!({"name": last, "fullyQualifiedName": member, "kind": "module"}));
    }
    if let Some(symbol) = &subject.symbol {
        let owner = subject.member.as_deref().map_or(String::new(), |member| format!("{member}: "));
        out.push(json!({"name": symbol, "fullyQualifiedName": format!("{owner}{symbol}")}));
    }
    out
}

fn source(at: &Location) -> Value {
    let mut out = artifact(&at.path);
    if at.line > 0 {
        out["region"] = json!({"startLine": at.line});
    }
    out
}

fn artifact(path: &Utf8Path) -> Value {
    json!({"artifactLocation": {"uri": uri(path)}})
}

/// A relative reference for a relative path, a `file:` URI for an absolute one (RFC 3986, RFC 8089).
fn uri(path: &Utf8Path) -> String {
    let slashed = with_slashes(path.as_str());
    let drive = matches!(slashed.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    let (start, rest): (&str, &str) = match &*slashed {
        unc if unc.starts_with("//") => ("file:", unc),
        path if drive => ("file:///", path),
        path if path.starts_with('/') => ("file://", path),
        path => ("", path.trim_start_matches("./")),
    };
    let mut out = start.to_owned();
    for (index, byte) in rest.bytes().enumerate() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'+' | b'=' | b'@' | b',' => {
                out.push(char::from(byte));
            }
            b':' if drive && index == 1 => out.push(':'),
            byte => put!(out, "%{byte:02X}"),
        }
    }
    out
}

/// What stays the same of a finding when the sources move and the version in the file's name grows: rule, the file's name
/// up to its first hyphen, member and symbol. FNV-1a of 64 bits: readers only compare it.
fn fingerprint(finding: &Finding) -> u64 {
    let Finding { rule, because, subject, .. } = finding;
    let file = subject.file.as_deref().and_then(Utf8Path::file_name).unwrap_or_default();
    let stem = file.split('-').next().unwrap_or_default();
    let parts = [
        rule.code,
        because.map_or("", |rule| rule.code),
        stem,
        subject.member.as_deref().unwrap_or_default(),
        subject.symbol.as_deref().unwrap_or_default(),
    ];
    parts
        .iter()
        .flat_map(|part| part.bytes().chain([0xff]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        let table = [
            ("src/core.cpp", "src/core.cpp"),
            ("./a b%.c", "a%20b%25.c"),
            ("a:b/c", "a%3Ab/c"),
            ("src\\win.cpp", "src/win.cpp"),
            ("/abs/ü.c", "file:///abs/%C3%BC.c"),
            ("C:\\x\\y.pyd", "file:///C:/x/y.pyd"),
            ("\\\\server\\share\\y", "file://server/share/y"),
            ("../up.c", "../up.c"),
            ("x\n\u{1b}[1m", "x%0A%1B%5B1m"),
        ];
        for (path, expected) in table {
            assert_eq!(uri(Utf8Path::new(path)), expected, "{path:?}");
        }
    }
}

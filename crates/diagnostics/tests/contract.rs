//! What machines read: the findings document against its committed schema, SARIF against the standard's, and every renderer
//! against text that nobody would choose.
//!
//! With `WHEELPROOF_ORACLE_PYTHON`, a Python that has `jsonschema`, its validator judges as well; with
//! `WHEELPROOF_SARIF_SCHEMA`, the file of the standard's schema, it judges SARIF too.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on should stop
#![allow(clippy::print_stdout)] // a test that is skipped says why

mod story;

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use wheelproof_diagnostics::render::{self, Format, Report, Style};
use wheelproof_diagnostics::{Accepted, Finding, FindingRecord, Judged, Location, Severity, Subject, shortened};

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemas/findings.schema.json");
    serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

fn document(judged: &Judged) -> Value {
    serde_json::from_str(&render::json(&[json!({"path": "x"})], judged).unwrap()).unwrap()
}

fn sarif(judged: &Judged) -> Value {
    serde_json::from_str(&render::sarif(&story::TOOL, judged).unwrap()).unwrap()
}

/// What `value` breaks of `schema`, for the keywords that our own schema uses; an unknown keyword is a failure.
fn broken(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |fine: bool, what: &str| {
        if !fine {
            faults.push(format!("{at}: {what}: {value}"));
        }
    };
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("type {other}"),
    };
    let mut below = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                below.extend(broken(value, target, root, at));
            }
            "type" => check(rule.as_array().map_or_else(|| is(rule), |kinds| kinds.iter().any(is)), "type"),
            "const" => check(value == rule, "const"),
            "enum" => check(rule.as_array().unwrap().contains(value), "enum"),
            "minimum" => check(value.as_i64() >= rule.as_i64(), "minimum"),
            // The forms of codes and names are Registry::faults' business, and the oracle's.
            "pattern" => check(value.as_str().is_some_and(|text| !text.is_empty()), "pattern"),
            "required" => {
                check(
                    rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
                    "required",
                );
            }
            "additionalProperties" => {
                let known = &schema["properties"];
                check(value.as_object().unwrap().keys().all(|key| known.get(key).is_some()), "additionalProperties");
            }
            "properties" => {
                for (key, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        below.extend(broken(value, rule, root, &format!("{at}/{key}")));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().unwrap().iter().enumerate() {
                    below.extend(broken(item, rule, root, &format!("{at}/{index}")));
                }
            }
            other => panic!("{at}: keyword {other} is not known here"),
        }
    }
    faults.extend(below);
    faults
}

/// Asks the Python validator; `None` if there is none, with the reason printed.
fn oracle(schema: &Value, instance: &Value) -> Option<String> {
    const SCRIPT: &str = "
import json, sys
from jsonschema import FormatChecker
from jsonschema.validators import validator_for
schema, instance = json.load(sys.stdin)
kind = validator_for(schema)
kind.check_schema(schema)
for error in kind(schema, format_checker=FormatChecker()).iter_errors(instance):
    print(list(error.absolute_path), error.message[:300])
";
    let Ok(python) = std::env::var("WHEELPROOF_ORACLE_PYTHON") else {
        println!("skipped: WHEELPROOF_ORACLE_PYTHON does not name a Python that has jsonschema");
        return None;
    };
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("WHEELPROOF_ORACLE_PYTHON runs");
    child.stdin.take().unwrap().write_all(json!([schema, instance]).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_findings_document_keeps_to_its_schema() {
    let schema = schema();
    for judged in [story::judged(), story::hostile(), Judged::default()] {
        let document = document(&judged);
        assert_eq!(broken(&document, &schema, &schema, ""), [""; 0]);
        assert!(oracle(&schema, &document).is_none_or(|said| said.is_empty()));
    }
}

/// A way to spoil a document.
type Change = fn(&mut Value);

#[test]
fn the_schema_is_strict() {
    let schema = schema();
    let fine = document(&story::judged());
    let changes: [(&str, Change); 10] = [
        ("another version", |doc| doc["schema_version"] = json!(2)),
        ("an unknown key", |doc| doc["accepted"] = json!([])),
        ("no summary", |doc| drop(doc.as_object_mut().unwrap().remove("summary"))),
        ("a severity that is not reported", |doc| doc["findings"][0]["severity"] = json!("off")),
        ("an unknown key in a finding", |doc| doc["findings"][0]["notes"] = json!([])),
        ("a subject without symbol", |doc| {
            drop(doc["findings"][0]["subject"].as_object_mut().unwrap().remove("symbol"));
        }),
        ("a message that is not there", |doc| doc["findings"][0]["message"] = Value::Null),
        ("a line before the first", |doc| doc["findings"][0]["locations"][0]["line"] = json!(0)),
        ("because of nothing", |doc| doc["findings"][0]["because"] = Value::Null),
        ("a negative count", |doc| doc["summary"]["errors"] = json!(-1)),
    ];
    for (name, change) in changes {
        let mut document = fine.clone();
        change(&mut document);
        assert_ne!(broken(&document, &schema, &schema, ""), [""; 0], "{name}");
        assert!(oracle(&schema, &document).is_none_or(|said| !said.is_empty()), "{name}");
    }
}

#[test]
fn a_finding_has_exactly_the_keys_of_the_contract() {
    let keys = |finding: &Finding| -> Vec<String> {
        let text = serde_json::to_string(finding).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort_by_key(|key| text.find(&format!("\"{key}\":")));
        keys
    };
    let finding = Finding::new(&story::MISSING, Subject::none(), "m").note("for people");
    let contract = ["rule", "code", "severity", "subject", "message", "help", "locations"];
    assert_eq!(keys(&finding), contract);
    assert_eq!(serde_json::to_value(finding.clone().because(&story::INTERNAL)).unwrap()["because"], "internal-symbol");
    assert_eq!(keys(&finding.clone().because(&story::INTERNAL)), [&contract[..], &["because"]].concat());
    let expected = r#"{"rule":"missing-symbol","code":"PY101","severity":"error","subject":{"file":null,"member":null,"symbol":null},"message":"m","help":null,"locations":[]}"#;
    assert_eq!(serde_json::to_string(&finding).unwrap(), expected);
}

#[test]
fn an_unknown_rule_is_not_revived() {
    let mut value = serde_json::to_value(&story::findings()[1]).unwrap();
    value["because"] = json!("internal-symbl");
    let record: FindingRecord = serde_json::from_value(value).unwrap();
    let error = story::registry().revive(record).unwrap_err();
    assert_eq!(error.to_string(), "there is no rule `internal-symbl`; did you mean `internal-symbol`?");
}

/// The properties that the standard's schema allows at each object we write; it allows no others.
const SARIF_KEYS: &[(&str, &[&str])] = &[
    ("", &["$schema", "version", "runs"]),
    ("/runs", &["tool", "results"]),
    ("/runs/tool", &["driver"]),
    ("/runs/tool/driver", &["name", "version", "informationUri", "rules"]),
    (
        "/runs/tool/driver/rules",
        &["id", "name", "shortDescription", "fullDescription", "help", "helpUri", "defaultConfiguration", "properties"],
    ),
    ("/runs/tool/driver/rules/shortDescription", &["text"]),
    ("/runs/tool/driver/rules/fullDescription", &["text", "markdown"]),
    ("/runs/tool/driver/rules/help", &["text", "markdown"]),
    ("/runs/tool/driver/rules/defaultConfiguration", &["enabled", "level"]),
    ("/runs/tool/driver/rules/properties", &["tags"]),
    (
        "/runs/results",
        &[
            "ruleId",
            "ruleIndex",
            "level",
            "message",
            "locations",
            "relatedLocations",
            "partialFingerprints",
            "properties",
            "suppressions",
        ],
    ),
    ("/runs/results/message", &["text"]),
    ("/runs/results/locations", &["physicalLocation", "logicalLocations"]),
    ("/runs/results/locations/logicalLocations", &["name", "fullyQualifiedName", "kind"]),
    ("/runs/results/locations/physicalLocation", &["artifactLocation", "region"]),
    ("/runs/results/locations/physicalLocation/artifactLocation", &["uri"]),
    ("/runs/results/locations/physicalLocation/region", &["startLine"]),
    ("/runs/results/relatedLocations", &["physicalLocation"]),
    ("/runs/results/relatedLocations/physicalLocation", &["artifactLocation", "region"]),
    ("/runs/results/relatedLocations/physicalLocation/artifactLocation", &["uri"]),
    ("/runs/results/relatedLocations/physicalLocation/region", &["startLine"]),
    ("/runs/results/partialFingerprints", &["findingHash/v1"]),
    ("/runs/results/properties", &["because"]),
    ("/runs/results/suppressions", &["kind", "status", "justification"]),
];

fn check_sarif(value: &Value, at: &str) {
    match value {
        Value::Object(map) => {
            let (_, keys) = SARIF_KEYS.iter().find(|(path, _)| *path == at).unwrap_or_else(|| panic!("{at}"));
            for (key, value) in map {
                assert!(keys.contains(&key.as_str()), "{at}/{key}");
                check_sarif(value, &format!("{at}/{key}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_sarif(item, at)),
        Value::String(text) if at.ends_with("/uri") => {
            assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}[]#?".contains(&b)), "{text}");
        }
        Value::String(level) if at.ends_with("/level") => {
            assert!(["none", "note", "warning", "error"].contains(&level.as_str()));
        }
        Value::Number(line) if at.ends_with("/startLine") => assert!(line.as_u64() >= Some(1)),
        _ => {}
    }
}

fn check_sarif_run(sarif: &Value) {
    check_sarif(sarif, "");
    let run = &sarif["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let suppressed = run["results"].as_array().unwrap().iter().filter(|result| result.get("suppressions").is_some());
    assert!([0, run["results"].as_array().unwrap().len()].contains(&suppressed.count()));
}

#[test]
fn sarif_keeps_to_the_standard() {
    let schema = std::env::var("WHEELPROOF_SARIF_SCHEMA").ok();
    if schema.is_none() {
        println!("skipped: the standard's own schema: WHEELPROOF_SARIF_SCHEMA does not name its file");
    }
    let schema: Option<Value> =
        schema.map(|path| serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap());
    let plain = Judged::from(story::findings());
    let bare = Judged::from(vec![Finding::new(&story::MISSING, Subject::none(), "about the run as a whole")]);
    for judged in [story::judged(), story::hostile(), Judged::default(), plain, bare] {
        let sarif = sarif(&judged);
        check_sarif_run(&sarif);
        if let Some(schema) = &schema {
            assert_eq!(oracle(schema, &sarif).unwrap_or_default(), "");
            let mut wrong = sarif;
            wrong["runs"][0]["tool"]["driver"]["name"] = json!(7);
            assert_ne!(oracle(schema, &wrong), Some(String::new()));
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    let spice =
        ["\n", "\r", "\u{1b}[2K", "|", "`", "\\", "::error::", " ", "%", "<b>", "##[x]", "\u{202e}", "#", ":", ","];
    let piece = prop_oneof![any::<String>(), proptest::sample::select(spice.to_vec()).prop_map(str::to_owned)];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn finding() -> impl Strategy<Value = Finding> {
    let rule = || proptest::sample::select(story::RULES.to_vec());
    let subject = (option::of(text()), option::of(text()), option::of(text()));
    let subject = subject.prop_map(|(file, member, symbol)| Subject { file: file.map(Into::into), member, symbol });
    let severity = proptest::sample::select(vec![Severity::Info, Severity::Warning, Severity::Error]);
    let location = (text(), 1u32..).prop_map(|(path, line)| Location::new(path, line));
    let extra = (option::of(text()), vec(location, 0..3), option::of(rule()), vec(text(), 0..2));
    (rule(), subject, severity, text(), extra).prop_map(
        |(rule, subject, severity, message, (help, locations, because, notes))| Finding {
            rule,
            severity,
            subject,
            message,
            help,
            locations,
            because,
            notes,
        },
    )
}

/// The cells of a row of a GitHub table: a `|` with no backslash before it ends one.
fn cells(row: &str) -> usize {
    let mut before = ' ';
    row.chars().filter(|c| std::mem::replace(&mut before, *c) != '\\' && *c == '|').count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_the_names_are(findings in vec(finding(), 0..6), reason in text(), width in 0usize..120) {
        let mut judged = Judged::from(findings.clone());
        judged.accepted.extend(findings.first().map(|finding| Accepted { finding: finding.clone(), reason, acceptance: 0 }));
        let subjects = [json!({})];
        let report = Report { tool: story::TOOL, subjects: &subjects, judged: &judged };
        let style = Style { width, ..Style::default() };
        let [text, json, sarif, github, markdown] = Format::ALL.map(|format| format.render(&report, &style).unwrap());

        // JSON parses back to the same findings, all but the notes.
        let value: Value = serde_json::from_str(&json).unwrap();
        let schema = schema();
        prop_assert_eq!(broken(&value, &schema, &schema, ""), Vec::<String>::new());
        let records: Vec<FindingRecord> = serde_json::from_value(value["findings"].clone()).unwrap();
        let revived: Vec<_> = records.into_iter().map(|record| story::registry().revive(record).unwrap()).collect();
        let silent: Vec<_> = findings.into_iter().map(|finding| Finding { notes: Vec::new(), ..finding }).collect();
        prop_assert_eq!(revived, silent);
        check_sarif_run(&serde_json::from_str(&sarif).unwrap());

        // Nothing a terminal or a CI system would obey; our own warning sign alone has a hidden character.
        for shown in [&text, &json, &sarif, &github, &markdown.replace("⚠️", "").replace("ℹ️", "")] {
            for line in shown.lines() {
                prop_assert_eq!(shortened(line, usize::MAX), line);
            }
        }
        for line in text.lines().chain(json.lines()).chain(sarif.lines()).map(str::trim_start) {
            prop_assert!(!line.starts_with("::") || line.starts_with("::: "), "{}", line);
        }
        for line in github.lines() {
            prop_assert!(["::error ", "::warning ", "::notice "].iter().any(|start| line.starts_with(start)), "{}", line);
            let (properties, _) = line[2..].split_once("::").unwrap();
            prop_assert!(properties.matches('=').count() >= 1 && properties.contains("title="), "{}", line);
        }
        // Every row of every table has the cells that its head has.
        let mut head = None;
        for line in markdown.lines() {
            if line.starts_with('|') {
                prop_assert_eq!(cells(line), *head.get_or_insert(cells(line)), "{}", line);
            } else {
                prop_assert!(!line.contains("<b>") && !line.contains("::error"), "{}", line);
                head = None;
            }
        }
    }
}

//! Every renderer beside its golden file. `WHEELPROOF_BLESS=1` writes the files anew; look at the difference then.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on should stop

mod story;

use serde_json::json;
use wheelproof_diagnostics::render::{self, Format, Report, Style};
use wheelproof_diagnostics::{Finding, Judged, Subject, explain, explain_markdown, rules_markdown};

fn golden(name: &str, actual: &str) {
    let path = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("WHEELPROOF_BLESS").is_some() {
        fs_err::write(&path, actual).unwrap();
    }
    let expected = fs_err::read_to_string(&path).unwrap().replace("\r\n", "\n");
    assert!(actual == expected, "{path} differs; this is what came out:\n{actual}");
}

#[test]
fn every_format() {
    let judged = story::judged();
    let subjects = [json!({"path": story::LINUX, "format": "wheel", "python": ["cp313"]})];
    let report = Report { tool: story::TOOL, subjects: &subjects, judged: &judged };
    let style = Style { width: 80, explain: Some("cargo xtask explain"), ..Style::default() };
    for format in Format::ALL {
        golden(&format!("story.{format}"), &format.render(&report, &style).unwrap());
    }
    golden("story-colour.text", &render::text(&judged, &Style { colour: true, limit: 2, ..style }));
}

#[test]
fn hostile_names() {
    let judged = story::hostile();
    let report = Report { tool: story::TOOL, subjects: &[json!({})], judged: &judged };
    for format in Format::ALL {
        golden(&format!("hostile.{format}"), &format.render(&report, &Style::default()).unwrap());
    }
}

#[test]
fn nothing_found() {
    let nothing = Judged::default();
    assert_eq!(render::text(&nothing, &Style::default()), "no findings\n");
    assert_eq!(render::github(&nothing), "");
    assert_eq!(render::markdown(&nothing), "No findings.\n");
    let json: serde_json::Value = serde_json::from_str(&render::json(&[(); 0], &nothing).unwrap()).unwrap();
    let expected = json!({"schema_version": 1, "subjects": [], "findings": [],
        "summary": {"errors": 0, "warnings": 0, "infos": 0}});
    assert_eq!(json, expected);
}

#[test]
fn many_findings_stay_short_for_people() {
    let finding = |index: usize| {
        let subject = Subject::file(format!("dist/{}.whl", index % 300)).symbol(format!("_Py{index}"));
        Finding::new(
            &story::MISSING,
            subject,
            format!("`_Py{index}` is {}", "very ".repeat(if index == 0 { 20_000 } else { 50 })),
        )
    };
    let judged = Judged::from((0..3000).map(finding).collect::<Vec<_>>());
    let markdown = render::markdown(&judged);
    assert!(markdown.contains("… and 1000 more findings.") && markdown.len() < 5 << 20, "{}", markdown.len());
    assert_eq!(render::github(&judged).lines().count(), 300);

    let one = |index: usize| Finding::new(&story::MISSING, story::core("a.whl"), format!("`_Py{index}` is missing"));
    let text = render::text(&Judged::from((0..3000).map(one).collect::<Vec<_>>()), &Style::default());
    assert!(text.contains("3000 findings: ") && text.contains("… and 2990 more"), "{text}");
    assert_eq!(text.lines().count(), 15);
}

#[test]
fn the_same_finding_twice_is_shown_once() {
    let finding = Finding::new(&story::MISSING, story::core("a.whl").symbol("_PyX"), "`_PyX` is missing");
    let twice = Judged::from(vec![finding.clone(), finding.clone()]);
    let once = Judged::from(vec![finding]);
    let body = |judged| render::text(judged, &Style::default()).lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&twice), body(&once));
    assert_eq!(body(&once), ["error[missing-symbol]: `_PyX` is missing", "  --> a.whl: jit/_core.so", ""]);
}

#[test]
fn pages() {
    let style = Style { width: 60, ..Style::default() };
    golden("explain.text", &explain(&story::MISSING, &style));
    golden("explain.md", &explain_markdown(&story::MISSING));
    golden("rules.md", &rules_markdown(&story::registry()));
}

#[test]
fn formats_read_as_they_print() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let said = |word: &str| word.parse::<Format>().unwrap_err().to_string();
    assert_eq!(said("jsn"), "`jsn` is not a format; did you mean `json`?");
    assert_eq!(said("yaml-ish"), "`yaml-ish` is not a format; one of text, json, sarif, github, markdown");
}

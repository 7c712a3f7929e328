//! What a configuration makes of findings.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on should stop

mod story;

use story::{CORE, LINUX, OLDER, registry};
use wheelproof_diagnostics::{
    Acceptance, Adjustments, Examined, Finding, Judged, Location, RuleSettings, Severity, Subject, Summary,
};

fn settings(json: &str) -> Vec<(String, RuleSettings)> {
    let map: std::collections::BTreeMap<String, RuleSettings> = serde_json::from_str(json).unwrap();
    map.into_iter().collect()
}

fn adjustments(json: &str) -> Adjustments {
    Adjustments::new(&registry(), settings(json)).unwrap()
}

fn examined() -> Examined {
    Examined::of(registry().iter()).member(LINUX, CORE)
}

fn internal(file: &str, member: &str, symbol: &str) -> Finding {
    Finding::new(&story::INTERNAL, Subject::file(file).member(member).symbol(symbol), "m")
}

#[test]
fn severities_are_set_by_name_or_code() {
    let judged = adjustments(
        r#"{"missing-symbol": {"severity": "warning"}, "PY102": {"severity": "error"}, "two-llvm": {"severity": "off"}}"#,
    )
    .judge(story::findings());
    let seen: Vec<_> = judged.findings.iter().map(|finding| (finding.rule.name, finding.severity)).collect();
    let (warning, error) = (Severity::Warning, Severity::Error);
    let missing = ("missing-symbol", warning);
    let internal = ("internal-symbol", error);
    // The check itself raised `runtime-named` above its default; nothing set says otherwise.
    assert_eq!(seen, [missing, ("runtime-named", warning), missing, missing, internal, internal, internal]);
    assert_eq!(judged.summary(), Summary { errors: 3, warnings: 4, infos: 0 });
    assert_eq!(judged.summary().to_string(), "3 errors, 4 warnings");
}

#[test]
fn patterns() {
    let cases = [
        (r#""symbol": "_PyFoo""#, true),
        (r#""symbol": "_Py*""#, true),
        (r#""symbol": "_pyfoo""#, false),
        (r#""symbol": "_Py{Foo,Bar}""#, true),
        (r#""symbol": "PyFoo""#, false),
        (r#""member": "pkg/sub/_core.so""#, true),
        (r#""member": "_core*.so""#, true),
        (r#""member": "pkg/*.so""#, false),
        (r#""member": "pkg/**/*.so""#, true),
        (r#""member": "sub/_core.so""#, false),
        (r#""file": "dist/*.whl""#, true),
        (r#""file": "*-1.0-*.whl""#, true),
        (r#""file": "**/x-1.0-py3-none-any.whl""#, true),
        (r#""file": "other/*.whl""#, false),
        (r#""file": "dist/*.whl", "symbol": "_PyFoo""#, true),
        (r#""file": "dist/*.whl", "symbol": "_PyBar""#, false),
    ];
    for (entry, accepted) in cases {
        let json = format!(r#"{{"internal-symbol": {{"accept": [{{{entry}, "reason": " because "}}]}}}}"#);
        for file in ["dist/x-1.0-py3-none-any.whl", "dist\\x-1.0-py3-none-any.whl"] {
            let judged = adjustments(&json).judge(vec![internal(file, "pkg/sub/_core.so", "_PyFoo")]);
            assert_eq!(judged.accepted.len() == 1 && judged.findings.is_empty(), accepted, "{entry} on {file}");
            assert!(judged.accepted.iter().all(|accepted| accepted.reason == "because"));
        }
    }
    // A pattern for what a finding does not have does not match it.
    let json = r#"{"internal-symbol": {"accept": [{"symbol": "*", "reason": "r"}]}}"#;
    let judged = adjustments(json).judge(vec![Finding::new(&story::INTERNAL, Subject::file("x"), "m")]);
    assert_eq!(judged.findings.len(), 1);
    // C++ names: `*` crosses what would be a folder.
    let json = r#"{"internal-symbol": {"accept": [{"symbol": "ns::operator*", "reason": "r"}]}}"#;
    assert_eq!(adjustments(json).judge(vec![internal("x", "y", "ns::operator/(int)")]).accepted.len(), 1);
}

#[test]
fn stale_acceptances() {
    let elsewhere = Examined::of(registry().iter()).member("dist/x-win_amd64.whl", "jit/_core.pyd");
    let other_rules = Examined::of([&story::TWO_LLVM]).member(LINUX, CORE);
    let part = Examined::of([&story::INTERNAL]).file(LINUX);
    let cases = [
        ("symbol only, rule checked", r#""symbol": "_PyNever""#, examined(), true),
        ("symbol only, rule not checked", r#""symbol": "_PyNever""#, other_rules.clone(), false),
        ("still there", r#""symbol": "_PyX""#, examined(), false),
        ("file examined", r#""file": "*manylinux*", "symbol": "_PyNever""#, examined(), true),
        ("file not examined", r#""file": "*win_amd64.whl""#, examined(), false),
        ("file of the other run", r#""file": "*win_amd64.whl""#, elsewhere.clone(), true),
        ("member examined", r#""member": "_core.so", "symbol": "_PyNever""#, examined(), true),
        ("member not examined", r#""member": "_core.pyd""#, examined(), false),
        ("member of an unopened file", r#""member": "_core.so", "symbol": "_PyNever""#, part, false),
        ("member in another file", r#""file": "*manylinux*", "member": "_core.pyd""#, examined().and(elsewhere), false),
        ("examined, by two parts", r#""symbol": "_PyNever""#, other_rules.and(examined()), true),
    ];
    for (name, entry, examined, stale) in cases {
        let json = format!(r#"{{"internal-symbol": {{"accept": [{{{entry}, "reason": "r"}}]}}}}"#);
        let judged = adjustments(&json).apply(story::findings(), &examined);
        assert_eq!(judged.stale.len(), usize::from(stale), "{name}");
    }
}

#[test]
fn a_stale_acceptance_says_which() {
    let judged = story::judged();
    let [stale] = judged.stale.as_slice() else { panic!("{:?}", judged.stale) };
    assert_eq!((stale.rule.name, stale.severity), ("stale-acceptance", Severity::Warning));
    assert_eq!(stale.message, "no `internal-symbol` finding matches the accepted symbol `_PyNever` any more");
    assert_eq!(stale.locations, [Location::new("ci/wheels.yaml", 23)]);
    assert_eq!(stale.subject.file.as_deref(), Some("ci/wheels.yaml".into()));
}

#[test]
fn what_is_off_is_not_stale_either() {
    let never = r#""accept": [{"symbol": "_PyNever", "reason": "r"}]"#;
    let cases = [
        (format!(r#"{{"internal-symbol": {{"severity": "off", {never}}}}}"#), None),
        (format!(r#"{{"internal-symbol": {{{never}}}, "stale-acceptance": {{"severity": "off"}}}}"#), None),
        (
            format!(r#"{{"internal-symbol": {{{never}}}, "stale-acceptance": {{"severity": "error"}}}}"#),
            Some(Severity::Error),
        ),
    ];
    for (json, expected) in cases {
        let judged = adjustments(&json).apply(Vec::new(), &examined());
        assert_eq!(judged.stale.first().map(|stale| stale.severity), expected, "{json}");
        assert_eq!(judged.has_errors(), expected.is_some());
    }
}

#[test]
fn one_run_in_several_parts() {
    let adjustments = adjustments(
        r#"{"internal-symbol": {"accept": [
            {"file": "*cp312*", "reason": "old"}, {"symbol": "_PyX", "reason": "x"}, {"symbol": "_PyX*", "reason": "twice"}]}}"#,
    );
    let (newer, older): (Vec<_>, Vec<_>) =
        story::findings().into_iter().partition(|finding| finding.subject.file.as_deref() == Some(LINUX.into()));
    let mut judged = Judged::default();
    for part in [newer, older] {
        judged.extend(adjustments.judge(part));
    }
    assert_eq!(judged.accepted.iter().map(|accepted| accepted.acceptance).collect::<Vec<_>>(), [1, 0]);
    // The third entry is shadowed by the second but still true.
    let examined = examined().and(Examined::of(None).member(OLDER, CORE));
    assert_eq!(adjustments.stale(&judged.accepted, &examined), []);
    assert_eq!(adjustments.stale(&judged.accepted[..1], &examined).len(), 1);
}

#[test]
fn mistakes_in_the_configuration() {
    let accept = |entry: &str| format!(r#"{{"two-llvm": {{"accept": [{entry}]}}}}"#);
    let table = [
        (r#"{"two-llmv": {}}"#.to_owned(), "there is no rule `two-llmv`; did you mean `two-llvm`?"),
        (r#"{"LL401": {}, "two-llvm": {}}"#.to_owned(), "rule `two-llvm` is set twice, once as `two-llvm`"),
        (accept(r#"{"symbol": "x", "reason": " "}"#), "an entry in `accept` of rule `two-llvm` gives no reason"),
        (
            accept(r#"{"reason": "all"}"#),
            "an entry in `accept` of rule `two-llvm` names no file, member or symbol; to silence the rule set its severity to off",
        ),
        (
            accept(r#"{"member": "a[", "reason": "r"}"#),
            "`a[` is not a pattern that `member` of rule `two-llvm` can accept: unclosed character class; missing ']'",
        ),
    ];
    for (json, expected) in table {
        let error = Adjustments::new(&registry(), settings(&json)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{json}");
    }
    for json in [r#"{"symbol": "x"}"#, r#"{"reason": "r", "symbols": "x"}"#, r#"{"reason": "r", "at": {}}"#] {
        assert!(serde_json::from_str::<Acceptance>(json).is_err(), "{json}");
    }
    assert!(serde_json::from_str::<RuleSettings>(r#"{"severity": "fatal"}"#).is_err());
}

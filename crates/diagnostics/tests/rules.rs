//! Rules are found, and rules that are not well formed are found out.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on should stop

mod story;

use wheelproof_diagnostics::{Registry, RegistryFault, Rule, Severity, UnknownRule};

#[test]
fn our_own_rules_are_well_formed() {
    assert_eq!(story::registry().faults(), []);
}

#[test]
fn by_name_or_code() {
    for asked in ["missing-symbol", "PY101", "py101", " Missing-Symbol "] {
        assert_eq!(story::registry().find(asked), Ok(&story::MISSING), "{asked}");
    }
    let table = [
        ("mising-symbol", "there is no rule `mising-symbol`; did you mean `missing-symbol`?"),
        ("PY111", "there is no rule `PY111`; did you mean `PY101`?"),
        ("zzz\u{1b}", "there is no rule `zzz\\x1b`"),
        ("", "there is no rule ``"),
    ];
    for (asked, expected) in table {
        let error: UnknownRule = story::registry().find(asked).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn rules_are_listed_by_code() {
    let codes: Vec<_> = story::registry().rules().iter().map(|rule| rule.code).collect();
    assert_eq!(codes, ["PY101", "PY102", "PY120", "LL401", "CI690"]);
}

#[test]
fn faults_are_named() {
    static TWIN: Rule = Rule { name: "twin", ..story::MISSING };
    static NAMESAKE: Rule = Rule { code: "PY109", ..story::MISSING };
    static BAD: Rule = Rule {
        code: "XX9",
        name: "Not_Kebab",
        severity: Severity::Off,
        summary: "ends.",
        why: " ",
        fix: "",
        example: "\n",
    };
    let faults: Vec<_> = Registry::new([[&story::MISSING, &TWIN], [&NAMESAKE, &BAD]]).faults();
    let said: Vec<_> = faults.iter().map(RegistryFault::to_string).collect();
    assert_eq!(
        said,
        [
            "code PY101 belongs to both `missing-symbol` and `twin`",
            "name `missing-symbol` belongs to both PY101 and PY109",
            "XX9 `Not_Kebab`: the code is not a family's two letters and three digits",
            "XX9 `Not_Kebab`: the name is not lower-case words joined by hyphens",
            "XX9 `Not_Kebab`: the summary ends with a full stop",
            "XX9 `Not_Kebab`: the page does not say why",
            "XX9 `Not_Kebab`: the page does not say how to fix it",
            "XX9 `Not_Kebab`: the page has no example",
        ]
    );
}

#[test]
fn severities_read_as_they_print() {
    for severity in Severity::ALL {
        assert_eq!(severity.to_string().parse(), Ok(severity));
        assert_eq!(serde_json::to_string(&severity).unwrap(), format!("\"{severity}\""));
    }
    assert!(
        Severity::Off < Severity::Info && Severity::Info < Severity::Warning && Severity::Warning < Severity::Error
    );
    let said = |word: &str| word.parse::<Severity>().unwrap_err().to_string();
    assert_eq!(said("eror"), "`eror` is not a severity; did you mean `error`?");
    assert_eq!(said("none"), "`none` is not a severity; one of off, info, warning, error");
}

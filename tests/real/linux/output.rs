//! What a run prints, for whom.

use super::support::{PLAIN, Sandbox};

#[test]
fn quiet_verbose_and_groups() {
    let sandbox = Sandbox::plain(&PLAIN);
    let quiet = sandbox.wheels(&["-q"]).run().exits(0);
    assert_eq!(quiet.stderr(), "");
    let lines: Vec<&str> = quiet.stdout().lines().collect();
    assert!(lines.len() == 1 && lines[0].starts_with("1 proven in "), "{lines:?}");

    let plain = sandbox.wheels(&["--force"]).run().exits(0);
    let plain = plain.says(&["build …", "build done in ", "imports plain; passes python {project}/tests/check.py"]);
    let plain = plain.never_says(&["2 + 0.5 =", "::group::", "\u{1b}["]);
    assert_eq!(
        plain.steps(),
        ["sdist", "unpack", "build", "symbols", "repair", "prove", "venv", "install", "import", "hook", "test"]
    );

    let verbose = sandbox.wheels(&["--force", "-v"]).run().exits(0);
    let _ = verbose.says(&["2 + 0.5 = 2.5", "Successfully built plain-1.0"]).never_says(&["::group::"]);

    let summary = sandbox.root.join("target/summary.md");
    fs_err::write(&summary, "# Before\n").unwrap();
    let call = sandbox.wheels(&["--force"]).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", summary.as_str());
    let groups = call.run().exits(0).says(&["2 + 0.5 = 2.5"]);
    let opened = groups.stderr().matches("::group::").count();
    assert!(opened >= 10 && opened == groups.stderr().matches("::endgroup::").count(), "{}", groups.stderr());
    let summary = fs_err::read_to_string(&summary).unwrap();
    assert!(summary.starts_with("# Before\n# Wheels\n") && summary.contains("| proven | `plain-1.0-"), "{summary}");
    assert_eq!(summary.trim_start_matches("# Before\n"), sandbox.project.read("dist/report.md"));
}

#[test]
fn the_report_keeps_its_contract() {
    let sandbox = Sandbox::plain(&PLAIN);
    let outcome = sandbox.wheels(&["--format", "json"]).run().exits(0);
    let printed: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap();
    assert_eq!(printed, outcome.report());
    assert_eq!(printed["schema_version"], 1);
    let build = outcome.first_build();
    for (key, there) in [
        ("id", build["id"].is_string()),
        ("status", build["status"] == "proven"),
        ("reason", build["reason"].is_null()),
        ("wheel", build["wheel"].as_str() == sandbox.wheel().file_name()),
        ("sha256", build["sha256"].as_str().is_some_and(|sum| sum.len() == 64)),
        ("bytes", build["bytes"].as_u64() == Some(fs_err::metadata(sandbox.wheel()).unwrap().len())),
        ("grafted", build["grafted"].is_array()),
        ("llvm", build.get("llvm").is_some()),
        // A Python that pyenv built writes its own folder into every extension; no other fault is known of this project.
        (
            "findings",
            build["findings"].as_array().is_some_and(|all| all.iter().all(|one| one["rule"] == "path-leads-outside")),
        ),
    ] {
        assert!(there, "{key}: {build:#}");
    }
    for step in build["steps"].as_array().unwrap() {
        let log = camino::Utf8Path::new(step["log"].as_str().unwrap());
        assert!(step["name"].is_string() && step["seconds"].as_f64().is_some(), "{step}");
        assert!(log.is_file() || step["name"] == "symbols", "no log {log}");
    }
}

#[test]
fn a_failure_stands_in_the_report_and_in_the_summary() {
    let sandbox = Sandbox::wayward("no-wheel");
    let outcome = sandbox.wheels(&["-q"]).run().fails(4);
    assert!(outcome.stdout().contains("1 failed"), "{}", outcome.stdout());
    let markdown = sandbox.project.read("dist/report.md");
    assert!(markdown.contains("FAILED") && markdown.contains("made no wheel"), "{markdown}");
}

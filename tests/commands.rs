//! The commands that build nothing, called as a user calls them: what they print, in which format, with which exit code.

use wheelproof_tests::{Project, program, repository, skip};

fn fixture(name: &str) -> String {
    repository().join("tests/fixtures/symbols").join(name).to_string()
}

#[test]
fn symbols_in_every_format() {
    let wheel = fixture("internal_symbol-1-cp313-cp313-linux_x86_64.whl");
    let project = Project::new();
    let run = |format: &str| program(project.root()).args(["symbols", &wheel, "--format", format]).run();
    let json = run("json").exits(0).json();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["subjects"][0]["python"][0], "cp313");
    let rules: Vec<&str> = json["findings"].as_array().unwrap().iter().filter_map(|f| f["rule"].as_str()).collect();
    assert!(rules.contains(&"internal-symbol"), "{rules:?}");
    let sarif = run("sarif").exits(0).json();
    assert_eq!(sarif["version"], "2.1.0");
    let _ = run("github").exits(0).says(&["::warning", "internal-symbol"]);
    let _ = run("markdown").exits(0).says(&["internal-symbol"]);
    let _ = run("text").exits(0).says(&["warning[internal-symbol]", "= help:"]);
}

#[test]
fn symbols_exit_codes() {
    let project = Project::new().file("empty/readme.txt", "no binary");
    let missing = fixture("missing_symbol-1-cp313-cp313-linux_x86_64.whl");
    for (arguments, code, said) in [
        (vec!["symbols", missing.as_str()], 1, "missing-symbol"),
        (vec!["symbols", "nowhere.whl"], 2, "`nowhere.whl`"),
        (vec!["symbols", "empty"], 5, "no binary"),
        (vec!["symbols"], 2, "<PATH>..."),
        (vec!["symbols", missing.as_str(), "--python", "3.42"], 2, "3.42"),
        (vec!["symbols", missing.as_str(), "--format", "yaml"], 2, "possible values"),
    ] {
        let _ = program(project.root()).args(&arguments).run().exits(code).says(&[said]);
    }
}

/// An acceptance in ci/wheels.yaml holds for `symbols`, whether the project it lists is there or not; one that nothing
/// meets any more is reported.
#[test]
fn symbols_and_what_was_accepted() {
    let wheel = fixture("missing_symbol-1-cp313-cp313-linux_x86_64.whl");
    let accepted = |symbol: &str| {
        let rules = format!("missing-symbol: {{ accept: [{{ symbol: \"{symbol}\", reason: looked at }}] }}");
        let file = format!("version: 1\nprojects: [{{ path: not/here }}]\nrules:\n  {rules}\n");
        let project = Project::new().file("ci/wheels.yaml", file);
        program(project.root()).args(["symbols", &wheel]).run()
    };
    let _ = accepted("*").exits(0);
    let _ = accepted("PyNothingOfTheSort").exits(1).says(&["stale-acceptance"]);
}

#[test]
fn explain_lists_and_shows() {
    let project = Project::new();
    let _ = program(project.root()).args(["explain"]).run().exits(0).says(&["PY101", "host-library-leak", "CI690"]);
    for name in ["missing-symbol", "PY101"] {
        let _ = program(project.root()).args(["explain", name]).run().exits(0).says(&["missing-symbol"]);
    }
    let _ = program(project.root()).args(["explain", "mising-symbol"]).run().exits(2).says(&["missing-symbol"]);
}

/// A target without a runner gets the usual one; where there is none it cannot become a CI job.
#[test]
fn matrix_knows_the_usual_runners() {
    let pyproject = "[project]\nname = \"x\"\n[build-system]\nrequires = [\"setuptools\"]\n";
    let project = |targets: &str| {
        let file = format!("version: 1\nprojects: [{{ path: . }}]\npython: [\"3.12\"]\ntargets: {{ {targets} }}\n");
        Project::new().file("pyproject.toml", pyproject).file("ci/wheels.yaml", file)
    };
    let with = project("macos-arm64: { runner: macos-14 }");
    let json = program(with.root()).args(["matrix", "--format", "github"]).run().exits(0).json();
    assert_eq!(json["include"][0]["id"], "cp312-macosx_arm64");
    assert_eq!(json["include"][0]["runner"], "macos-14");
    for (target, runner) in [
        ("linux-x86_64", "ubuntu-24.04"),
        ("linux-x86_64-musl", "ubuntu-24.04"),
        ("linux-arm64", "ubuntu-24.04-arm"),
        ("macos-arm64", "macos-14"),
        ("macos-x86_64", "macos-15-intel"),
        ("windows-x86_64", "windows-2025"),
        ("windows-arm64", "windows-11-arm"),
    ] {
        let without = project(&format!("{target}: {{}}"));
        let json = program(without.root()).args(["matrix", "--format", "json"]).run().exits(0).json();
        assert_eq!(json[0]["runner"], runner, "{target}");
    }
    let without = project("linux-s390x: {}");
    let says = [
        "no runner is known for `linux-s390x`",
        "--> ci/wheels.yaml:4:12",
        "`targets: { linux-s390x: { runner: LABEL } }`",
    ];
    let _ = program(without.root()).args(["matrix"]).run().exits(2).says(&says);
    // The folder alone, without ci/wheels.yaml.
    let bare = Project::new().file("pyproject.toml", pyproject);
    let here = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    if here == "linux-x86_64" {
        let json = program(bare.root()).args(["matrix"]).run().exits(0).json();
        assert_eq!(json[0]["runner"], "ubuntu-24.04");
    }
}

/// What a plan is printed as, and how much of it.
#[test]
fn a_plan_in_every_format() {
    let pyproject = "[project]\nname = \"x\"\n[build-system]\nrequires = [\"setuptools\"]\n";
    let file =
        "version: 1\nprojects: [{ path: . }]\npython: [\"3.13\"]\ntargets: { linux-x86_64: {}, macos-arm64: {} }\n";
    let project = Project::new().file("pyproject.toml", pyproject).file("ci/wheels.yaml", file);
    let world = repository().join("tests/golden/worlds/bookworm.json");
    let plan = |further: &[&str]| {
        program(project.root())
            .args(["wheels", "--plan", "--world", world.as_str()])
            .args(further)
            .run()
            .exits(0)
            .stdout
    };
    let page = plan(&["--format", "markdown"]);
    assert!(page.starts_with("# Plan\n\n1 of 2 builds run here."), "{page}");
    for part in ["\n## x/cp313-linux_x86_64\n", "\n````sh\n", "\n## Not run here\n", "| x/cp313-macosx_arm64 |"] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    let explained = plan(&["--format", "markdown", "--explain"]);
    assert!(
        explained.contains("\n## Settings\n") && explained.contains("| `python` | 3.13 | ci/wheels.yaml:3:9 |"),
        "{explained}"
    );
    assert_eq!(plan(&["-q"]), "1 of 2 builds run here.\n", "the verdict only");
}

/// The proof gives the same verdict for all three systems on any host; a refuted wheel is exit 1.
#[test]
fn verify_proves_and_refutes_on_any_host() {
    let project = Project::new();
    for system in ["linux_x86_64", "win_amd64", "macosx_12_0_arm64"] {
        for (name, verdict, code) in [("internal_symbol", "proven", 0), ("missing_symbol", "refuted", 1)] {
            let wheel = fixture(&format!("{name}-1-cp313-cp313-{system}.whl"));
            let run = program(project.root()).args(["verify", "--no-import", "--format", "json", &wheel]).run();
            let json = run.exits(code).json();
            assert_eq!(json["schema_version"], 1);
            assert_eq!(json["wheels"][0]["verdict"], verdict, "{name} on {system}");
            assert_eq!(json["wheels"][0]["import"]["ran"], false);
        }
    }
    let _ =
        program(project.root()).args(["verify", "--no-import", "nowhere.whl"]).run().exits(2).says(&["nowhere.whl"]);
}

#[test]
fn show_and_diff() {
    let (one, other) = (
        fixture("internal_symbol-1-cp313-cp313-linux_x86_64.whl"),
        fixture("missing_symbol-1-cp313-cp313-linux_x86_64.whl"),
    );
    let project = Project::new();
    let show = |format: &str| program(project.root()).args(["show", "--format", format, &one]).run().exits(0);
    assert_eq!(show("json").json()["wheels"][0]["verdict"], "proven");
    let _ = show("text").says(&["extension module", "manylinux_2_5_x86_64", "1 finding: "]);
    let _ = show("markdown").says(&["internal_symbol"]);
    let page = show("html").stdout;
    assert!(page.starts_with("<!doctype html>") && !page.contains("src=\"http"), "one page that needs nothing else");
    let _ = program(project.root())
        .args(["diff", &one, &other])
        .run()
        .exits(0)
        .says(&["- _PySet_Update", "proven -> refuted"]);
    let _ = program(project.root()).args(["show", "nowhere.whl"]).run().exits(2).says(&["nowhere.whl"]);
    // It is for looking: a refuted wheel is shown like any other.
    let _ = program(project.root()).args(["show", &other]).run().exits(0).says(&["refuted", "2 findings: "]);
}

/// A tag that is met says so, one that is none is a slip of the pen.
#[test]
fn show_answers_why() {
    let project = Project::new();
    let wheel = fixture("internal_symbol-1-cp313-cp313-linux_x86_64.whl");
    let why = |tag: &str| program(project.root()).args(["show", &wheel, "--why", tag]).run();
    let _ = why("manylinux_2_28").exits(0).says(&["manylinux_2_28_x86_64 is met"]);
    let _ = why("manylinux2014_x86_64").exits(0).says(&["manylinux_2_17_x86_64 is met"]);
    let _ = why("manylinx_2_28").exits(2).says(&["--why manylinx_2_28", "did you mean `manylinux_2_28`?"]);
    let _ = why("foo").exits(2).says(&["--why foo", "there are: manylinux"]);
}

/// A time that is none would be dropped in silence, and the wheels would have another one.
#[test]
fn a_time_that_is_none_ends_the_plan() {
    let pyproject = "[project]\nname = \"x\"\n[build-system]\nrequires = [\"setuptools\"]\n";
    let project = Project::new().file("pyproject.toml", pyproject);
    for (time, code) in [("tomorrow", 2), ("1700000000", 0)] {
        let run = program(project.root()).env("SOURCE_DATE_EPOCH", time).args(["wheels", "--plan"]).run().exits(code);
        if code == 2 {
            let _ = run.says(&["SOURCE_DATE_EPOCH is `tomorrow`", "seconds"]);
        }
    }
}

/// A full disk behind `>` is no success: whoever reads the file must not take a part for the whole.
#[test]
fn a_disk_that_is_full() {
    let Ok(full) = fs_err::OpenOptions::new().write(true).open("/dev/full") else {
        return skip("there is no /dev/full");
    };
    let project = Project::new();
    let output = program(project.root()).args(["explain"]).command().stdout(full.into_file()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("could not be written to standard output") && said.contains("help:"), "{said}");
}

/// What `verify` refutes is never delivered; a file that nobody opens can be accepted, with a reason.
#[test]
fn repair_delivers_nothing_that_is_refuted() {
    let torn = &fs_err::read(repository().join("tests/fixtures/proof/linux/helper.so")).unwrap()[..900];
    let accepts = "version: 1\nprojects: [{ path: not/here }]\nrules:\n  unreadable-binary: { accept: [{ member: \"pkg/tests/*\", \
                   reason: what a reader must survive }] }\n";
    for (member, bytes, accepted, code, said) in [
        ("pkg/_core.cpython-311-x86_64-linux-gnu.so", torn, false, 4, "the wheel holds what no loader opens"),
        ("pkg/_core.abi3.so", &b"not found"[..], false, 4, "the file is a text"),
        ("pkg/tests/torn.bin", torn, false, 1, "error[unreadable-binary]"),
        ("pkg/tests/torn.bin", torn, true, 0, "unchanged"),
        ("pkg/libx.so", b"INPUT(libx.so.1)", false, 0, "unchanged"),
    ] {
        let mut project = Project::new();
        if accepted {
            project = project.file("ci/wheels.yaml", accepts);
        }
        let name = "pkg-1.0-py3-none-any.whl";
        let tree = project.root().join("tree");
        let info = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        for (path, bytes) in [
            (member, bytes),
            ("pkg/__init__.py", b""),
            ("pkg-1.0.dist-info/METADATA", b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n"),
            ("pkg-1.0.dist-info/WHEEL", info.as_bytes()),
        ] {
            let path = tree.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, bytes).unwrap();
        }
        wheel::pack_dir(&tree, &project.root().join(name), &wheel::WriteOptions::default()).unwrap();
        let _ = program(project.root()).args(["repair", name, "-w", "out"]).run().exits(code).says(&[said]);
        assert_eq!(project.root().join("out").join(name).exists(), code == 0, "{member}");
    }
}

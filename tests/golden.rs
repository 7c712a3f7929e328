//! Golden files: configuration and a recorded machine in; plan, matrix or error message out, exactly.
//!
//! `WHEELPROOF_BLESS=1 cargo test -p wheelproof-tests --test golden` writes them anew; `git diff` shows what changed.

use camino::Utf8Path;
use wheelproof_tests::{Project, Run, program, repository};

/// Projects that configurations speak of.
const PROJECTS: [(&str, &str); 9] = [
    (
        "jit/pyproject.toml",
        "[build-system]\nrequires = [\"scikit-build-core\", \"nanobind\"]\nbuild-backend = \"scikit_build_core.build\"\n\
         [project]\nname = \"jit\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n",
    ),
    (
        "rusty/pyproject.toml",
        "[build-system]\nrequires = [\"maturin>=1\"]\nbuild-backend = \"maturin\"\n[project]\nname = \"rusty\"\n",
    ),
    (
        "rusty/tools.txt",
        "maturin==1.9.0 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
    ),
    (
        "pure/pyproject.toml",
        "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n[project]\nname = \"Pure\"\n",
    ),
    ("empty/README", "no pyproject.toml here\n"),
    ("broken/pyproject.toml", "[project]\nname = \"broken\"\nversion = \n"),
    ("misnamed/pyproject.toml", "[project]\nname = \"-what?\"\n"),
    ("pickled/pyproject.toml", "[project]\nname = \"pickled\"\nrequires-python = \"three\"\n"),
    ("vendor/lib/README", "libraries\n"),
];

fn with_projects() -> Project {
    PROJECTS.iter().fold(Project::new(), |project, (path, text)| project.file(path, text))
}

fn golden(path: &str) -> camino::Utf8PathBuf {
    repository().join("tests/golden").join(path)
}

fn world(name: &str) -> String {
    golden(&format!("worlds/{name}.json")).into_string()
}

/// What does not depend on where and with which lock files the test runs: the folder is `{root}`, digests are `<digest>`.
fn normalised(text: &str, root: &Utf8Path) -> String {
    let text = text.replace(root.as_str(), "{root}");
    let mut out = String::new();
    let mut run = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_hexdigit() && !letter.is_ascii_uppercase() {
            run.push(letter);
            continue;
        }
        // Text plans show twelve digits of a key, folders of tools sixteen, JSON all; no word is as long.
        let digest = run.len() >= 12 && run.chars().any(|c| c.is_ascii_digit());
        out.push_str(if digest { "<digest>" } else { &run });
        run.clear();
        if letter != '\0' {
            out.push(letter);
        }
    }
    out
}

/// Compares with the file, or writes it; all differences of a test are told at once.
fn compare(path: &str, found: &str, wrong: &mut Vec<String>) {
    let file = golden(path);
    if std::env::var_os("WHEELPROOF_BLESS").is_some() {
        fs_err::write(file, found).unwrap();
        return;
    }
    let wanted = fs_err::read_to_string(&file).unwrap_or_default();
    if wanted != found {
        let line = wanted.lines().zip(found.lines()).position(|(wanted, found)| wanted != found);
        let line = line.unwrap_or_else(|| wanted.lines().count().min(found.lines().count()));
        let show = |text: &str| text.lines().skip(line).take(5).collect::<Vec<_>>().join("\n    ");
        wrong.push(format!(
            "tests/golden/{path}, line {}: expected\n    {}\n  found\n    {}",
            line + 1,
            show(&wanted),
            show(found)
        ));
    }
}

#[track_caller]
fn settle(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}\nWHEELPROOF_BLESS=1 writes what is found now", wrong.join("\n"));
}

#[test]
fn plans_and_matrices() {
    // configuration, machine, further arguments of the JSON form (which shows every step, so of one build only)
    let cases = [
        ("minimal", "bookworm", "cp313-*"),
        ("minimal", "bare", "cp311-*"),
        ("minimal", "macos", "cp313-*"),
        ("minimal", "windows", "cp313-*"),
        ("full", "bookworm", "jit/cp312-manylinux*x86_64"),
        ("full", "macos", "jit/cp313-macos*"),
        ("full", "windows", "rusty/cp313-win*"),
        ("old-llvm", "bookworm", "cp313-*"),
        ("no-such-llvm", "bookworm", "cp313-*"),
        ("no-such-llvm", "bare", "cp313-*"),
    ];
    let mut wrong = Vec::new();
    for (configuration, machine, only) in cases {
        let text = fs_err::read_to_string(golden(&format!("plans/{configuration}.yaml"))).unwrap();
        let project = with_projects().file("ci/wheels.yaml", text);
        let root = project.root();
        let run = |args: &[&str]| program(root).args(args).args(["--world", &world(machine)]).run();
        let name = format!("plans/{configuration}.{machine}");
        let text = run(&["wheels", "--plan"]).exits(0);
        compare(&format!("{name}.txt"), &normalised(&text.stdout, root), &mut wrong);
        let json = run(&["wheels", "--plan", "--format", "json", "--only", only]).exits(0);
        let plan = json.json();
        assert_eq!(plan["schema_version"], 1);
        for build in plan["builds"].as_array().unwrap() {
            let steps = build["steps"].as_array().unwrap();
            let mut keys: Vec<&str> = steps.iter().filter_map(|step| step["key"].as_str()).collect();
            let count = keys.len();
            assert!(keys.iter().all(|key| key.len() == 64), "{name}: {keys:?}");
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), count, "{name}: two steps have one key");
        }
        compare(&format!("{name}.json"), &normalised(&json.stdout, root), &mut wrong);
        let matrix = run(&["matrix", "--format", "json"]);
        compare(&format!("{name}.matrix"), &normalised(&whole(&matrix), root), &mut wrong);
        // A matrix is the same wherever it is asked for: only the plan says what runs here.
        assert!(
            !project.root().join("target").exists() && !project.root().join("dist").exists(),
            "planning wrote something"
        );
    }
    settle(&wrong);
}

#[test]
fn the_matrix_does_not_depend_on_the_machine() {
    let text = fs_err::read_to_string(golden("plans/full.yaml")).unwrap();
    let project = with_projects().file("ci/wheels.yaml", text);
    let on = |machine: &str| {
        program(project.root()).args(["matrix", "--format", "github", "--world", &world(machine)]).run().exits(0)
    };
    let first = on("bookworm");
    assert_eq!(first.stdout.trim().lines().count(), 1, "GITHUB_OUTPUT takes one line");
    for machine in ["bare", "macos", "windows"] {
        assert_eq!(on(machine).stdout, first.stdout, "{machine}");
    }
    // Every job can be asked for by what it says, and by nothing else.
    for job in first.json()["include"].as_array().unwrap() {
        let only = job["only"].as_str().unwrap();
        let args = ["wheels", "--plan", "--format", "json", "--only", only, "--world", &world("bare")];
        let plan = program(project.root()).args(args).run().exits(0).json();
        let builds = plan["builds"].as_array().unwrap();
        assert_eq!(builds.len(), 1, "{only}");
        assert_eq!(builds[0]["id"], job["id"]);
    }
}

#[test]
fn errors_of_the_configuration() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut entries: Vec<_> = golden("errors").read_dir_utf8().unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
    for entry in entries.iter().filter(|entry| entry.file_name().ends_with(".case")) {
        let case = fs_err::read_to_string(entry.path()).unwrap();
        let (input, _) = case.split_once("=== exit").unwrap();
        let run = configured(input.as_bytes());
        compare(&format!("errors/{}", entry.file_name()), &format!("{input}{run}"), &mut wrong);
        count += 1;
    }
    assert!(count >= 25, "{count} cases");
    settle(&wrong);
}

#[test]
fn texts_that_no_editor_writes() {
    let minimal = "version: 1\nprojects: [{ path: jit }]\n";
    let deep =
        |open: &str, close: &str, times: usize| format!("version: {}{}\n", open.repeat(times), close.repeat(times));
    let bomb: String = (1..20).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let below = format!("*a{}", level - 1);
        format!("{text}a{level}: &a{level} [{}]\n", vec![below; 9].join(", "))
    });
    let mut wrong = Vec::new();
    for (name, bytes) in [
        ("nested-brackets-5MB", deep("[", "]", 2_500_000).into_bytes()),
        ("nested-braces-unclosed", deep("{a: ", "", 1_000_000).into_bytes()),
        ("aliases-that-explode", bomb.into_bytes()),
        ("not-utf-8", b"version: 1\n# caf\xe9\nprojects: []\n".to_vec()),
        ("utf-16", "\u{feff}version: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("control-character", b"version: 1\nprojects: [{ path: \"jit\x07\" }]\n".to_vec()),
        ("nul", b"version: 1\nprojects: \0\n".to_vec()),
        ("long-line", format!("version: 1\nprojects: [{{ path: {}, pth: x }}]\n", "j".repeat(100_000)).into_bytes()),
        ("escape-sequences", "version: 1\n\"\\e[31mred\": 1\n".as_bytes().to_vec()),
    ] {
        let begun = std::time::Instant::now();
        let run = configured(&bytes);
        assert!(begun.elapsed().as_secs() < 10, "{name} took {:?}", begun.elapsed());
        assert!(run.len() < 4000 && !run.contains('\u{1b}') && !run.contains('\0'), "{name}: {run:?}");
        compare(&format!("errors/{name}.txt"), &run, &mut wrong);
    }
    // These two are fine: editors on Windows write both.
    for text in [format!("\u{feff}{minimal}"), minimal.replace('\n', "\r\n")] {
        let project = with_projects().file("ci/wheels.yaml", &text);
        let args = ["wheels", "--plan", "--world", &world("bare")];
        let _ = program(project.root()).args(args).run().exits(0).says(&["jit/cp311-linux_x86_64"]);
    }
    settle(&wrong);
}

/// The error for a ci/wheels.yaml, with the exit code in front.
fn configured(bytes: &[u8]) -> String {
    let project = with_projects().file("ci/wheels.yaml", bytes);
    let run = program(project.root()).args(["wheels", "--plan", "--world", &world("bare")]).run();
    normalised(&whole(&run), project.root())
}

fn whole(run: &Run) -> String {
    format!("=== exit {}\n{}{}", run.status, run.stdout, run.stderr)
}

#[test]
fn errors_of_the_command_line() {
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\n");
    let root = project.root();
    let bare = world("bare");
    for (args, status, says) in [
        (&["wheels", "--plan", "--python", "3.42"][..], 2, &["3.42", "--python"][..]),
        (&["wheels", "--plan", "--python", "snake"], 2, &["snake"]),
        (&["wheels", "--plan", "--target", "linux-x64"], 2, &["linux-x64"]),
        (&["wheels", "--plan", "--only", "cp313-[*"], 2, &["--only"]),
        (&["wheels", "--plan", "--only", "cp27-*"], 5, &["--only cp27-*", "there are", "jit/cp311-linux_x86_64"]),
        (&["wheels", "--plan", "--provision"], 2, &["--provision"]),
        (&["wheels", "--explain"], 2, &["--plan"]),
        (&["wheels", "-q", "-v"], 2, &["--verbose"]),
        (&["wheels"], 2, &["a recorded world can be planned for (--plan), not built on"]),
        (&["wheels", "--plan", "--format", "yaml"], 2, &["yaml", "json"]),
        (&["wheels", "--plan", "--project", "nowhere"], 2, &["nowhere"]),
        (&["wheels", "--plan", "--project", "ci/wheels.yaml"], 2, &["not a folder"]),
        (&["wheeels"], 2, &["wheels"]),
        (&["explain", "no-such-rule"], 2, &["no-such-rule"]),
    ] {
        let run = program(root).args(args).env("WHEELPROOF_WORLD", &bare).run().exits(status).says(says);
        assert!(run.stdout.is_empty(), "{args:?}: an error belongs to stderr\n{}", run.stdout);
    }
    for (content, says) in [
        ("", "does not describe a machine"),
        ("{\"schema_version\": 9}", "schema_version 9"),
        ("{\"schema_version\": 1, \"os\": \"plan9\"}", "plan9"),
    ] {
        project.write("world.json", content);
        let _ = program(root)
            .args(["wheels", "--plan", "--world", "world.json"])
            .run()
            .exits(2)
            .says(&["world.json", says]);
    }
    let nothing = Project::new();
    let run = program(nothing.root()).args(["wheels", "--plan"]).env("WHEELPROOF_WORLD", &bare).run().exits(2);
    let _ = run.says(&["neither ci/wheels.yaml nor a pyproject.toml", "--project"]);
}

/// The origin that `--plan --explain` shows for a key.
fn origin_of(run: &Run, key: &str) -> String {
    let line = run.stdout.lines().find(|line| line.split_whitespace().next() == Some(key));
    let line = line.unwrap_or_else(|| panic!("no `{key}` in\n{}", run.stdout));
    line.trim_start_matches(key).trim().to_owned()
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file_over_the_default() {
    let explain = |project: &Project, args: &[&str], variable: Option<&str>| {
        let program =
            program(project.root()).args(["wheels", "--plan", "--explain", "--world", &world("bookworm")]).args(args);
        let program = if let Some(value) = variable { program.env("WHEELPROOF_PYTHON", value) } else { program };
        program.run().exits(0)
    };
    let said = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\npython: [\"3.12\"]\n");
    let unsaid = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\n");
    for (project, args, variable, shown, build) in [
        (&said, &["--python", "3.10"][..], Some("3.11"), "3.10  (command line, --python)", "cp310"),
        (&said, &[], Some("3.11"), "3.11  (environment, WHEELPROOF_PYTHON)", "cp311"),
        (&said, &[], None, "3.12  (ci/wheels.yaml:3:9)", "cp312"),
        (&unsaid, &[], None, ">=3.9  (default)", "cp39"),
    ] {
        let run = explain(project, args, variable);
        assert_eq!(origin_of(&run, "python"), shown);
        assert!(run.stdout.contains(&format!("jit/{build}-linux_x86_64")), "{}", run.stdout);
    }
    let run = explain(&unsaid, &[], None);
    assert_eq!(origin_of(&run, "projects[0].import"), "jit  (jit/pyproject.toml)");
    assert_eq!(origin_of(&run, "projects[0].requires-python"), ">=3.9  (jit/pyproject.toml)");
    assert_eq!(origin_of(&run, "time_limits.build"), "7200s  (default)");
}

#[test]
fn every_setting_says_where_it_came_from() {
    let text = fs_err::read_to_string(golden("plans/full.yaml")).unwrap();
    let project = with_projects().file("ci/wheels.yaml", text);
    let args = ["wheels", "--plan", "--explain", "--only", "pure/cp312-macos*", "--world", &world("macos")];
    let run = program(project.root()).args(args).run().exits(0);
    let mut wrong = Vec::new();
    compare("settings/full.explained", &normalised(&run.stdout, project.root()), &mut wrong);
    settle(&wrong);
}

#[test]
fn maps_merge_and_lists_replace() {
    let text = "version: 1\nprojects:\n  - path: jit\n    environment: { A: project, B: project }\n    test_requires: [pytest, numpy]\n    \
                test: python -c 1\n    targets:\n      linux-x86_64:\n        environment: { A: both }\n        test_requires: [hypothesis]\n\
                targets:\n  linux-x86_64:\n    environment: { B: target, C: target }\n    test_requires: [tox]\npython: \"3.13\"\n";
    let project = with_projects().file("ci/wheels.yaml", text);
    let args = ["wheels", "--plan", "--format", "json", "--world", &world("bookworm")];
    let plan = program(project.root()).args(args).run().exits(0).json();
    let steps = plan["builds"][0]["steps"].as_array().unwrap();
    let build = steps.iter().find(|step| step["name"] == "build").unwrap();
    let value = |name: &str| build["env"][name].as_str().unwrap_or_default();
    assert_eq!((value("A"), value("B"), value("C")), ("both", "project", "target"), "{build}");
    let words: Vec<&str> =
        steps.iter().flat_map(|step| step["argv"].as_array().unwrap()).filter_map(|word| word.as_str()).collect();
    assert!(words.contains(&"hypothesis"), "{words:?}");
    assert!(!["pytest", "numpy", "tox"].iter().any(|word| words.contains(word)), "lists replace: {words:?}");
}

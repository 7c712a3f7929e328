//! Golden files: configuration and a recorded machine in; plan, matrix or error message out, exactly.
//!
//! `WHEELPROOF_BLESS=1 cargo test -p wheelproof-tests --test golden` writes them anew; `git diff` shows what changed.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test that cannot go on panics; what is printed shows when it fails

mod elsewhere;

use camino::Utf8Path;
use serde_json::{Value, json};
use wheelproof_tests::{Program, Project, Run, oracle_python, program, repository, with_projects};

/// The recorded machines; tests/golden/worlds/README.md says where each comes from.
const MACHINES: [&str; 7] = [
    "bookworm",
    "bare",
    "github-ubuntu-24.04",
    "github-macos-14",
    "github-windows-2025",
    "github-windows-2025-llvm",
    "manylinux_2_28",
];

fn golden(path: &str) -> camino::Utf8PathBuf {
    repository().join("tests/golden").join(path)
}

fn world(name: &str) -> String {
    golden(&format!("worlds/{name}.json")).into_string()
}

/// What does not depend on where and with which lock files the test runs: the folder is `{root}`, in whichever way it is
/// written, digests are `<digest>`.
fn normalised(text: &str, root: &Utf8Path) -> String {
    let escaped = root.as_str().replace('\\', "\\\\");
    let slashed = root.as_str().replace('\\', "/");
    let text = [escaped.as_str(), root.as_str(), slashed.as_str()]
        .into_iter()
        .fold(text.to_owned(), |text, root| text.replace(root, "{root}"));
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
        ("minimal", "github-ubuntu-24.04", "cp313-*"),
        ("minimal", "github-macos-14", "cp313-*"),
        ("minimal", "github-windows-2025", "cp313-*"),
        ("minimal", "manylinux_2_28", "cp313-*"),
        ("full", "bookworm", "jit/cp312-manylinux*x86_64"),
        ("full", "github-ubuntu-24.04", "jit/cp312-manylinux*x86_64"),
        ("full", "github-macos-14", "jit/cp313-macos*"),
        ("full", "github-windows-2025", "rusty/cp313-win*"),
        ("full", "github-windows-2025-llvm", "jit/cp313-win*"),
        ("full", "manylinux_2_28", "pure/cp313t-manylinux*x86_64"),
        ("inkwell", "github-ubuntu-24.04", "cp313-*"),
        ("inkwell", "github-macos-14", "cp313-*"),
        ("inkwell", "github-windows-2025", "cp313-*"),
        ("inkwell", "github-windows-2025-llvm", "cp313-win*"),
        ("inkwell", "manylinux_2_28", "cp313-*"),
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
        // Made for the recorded machine, so with its paths alone; the same wherever it is made.
        for output in [&text.stdout, &json.stdout] {
            assert!(!output.contains(root.file_name().unwrap()), "{name} holds a path of this machine");
        }
        compare(&format!("{name}.json"), &normalised(&json.stdout, root), &mut wrong);
        let matrix = run(&["matrix", "--format", "json"]);
        // A matrix is the same wherever it is asked for: only the plan says what runs here.
        let everywhere = fs_err::read_to_string(golden(&format!("plans/{configuration}.yaml"))).unwrap();
        let name = if everywhere.contains("targets:") { format!("plans/{configuration}") } else { name };
        compare(&format!("{name}.matrix"), &normalised(&whole(&matrix), root), &mut wrong);
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
    for machine in MACHINES {
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

/// Not after minutes, by the build's own words: a machine without a compiler is one that lacks something.
#[test]
fn a_compiler_that_is_missing_is_said_in_the_plan() {
    let project =
        with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: rusty }]\npython: [\"3.13\"]\n");
    let studio = json!([r"C:\Program Files\Microsoft Visual Studio\2022\BuildTools"]);
    let choco = "choco.exe install -y --no-progress --ignore-package-exit-codes visualstudio2022-workload-vctools";
    for (machine, studios, manager, says) in [
        ("github-windows-2025", Some(json!([])), true, Some(choco)),
        ("github-windows-2025", Some(json!([])), false, Some("Build Tools for Visual Studio")),
        ("github-windows-2025", Some(studio), true, None),
        // Written before anybody asked.
        ("github-windows-2025", None, true, None),
        ("github-macos-14", None, true, Some("`xcode-select --install`")),
        ("github-macos-14", None, false, Some("`xcode-select --install`")),
    ] {
        let mut recorded: Value = serde_json::from_str(&fs_err::read_to_string(world(machine)).unwrap()).unwrap();
        let members = recorded.as_object_mut().unwrap();
        members.remove("visual_studios");
        members.extend(studios.map(|found| ("visual_studios".to_owned(), found)));
        if !manager {
            members.remove("package_manager");
        }
        let tools = members["tools"].as_object_mut().unwrap();
        for name in ["c++", "g++", "clang++", "cc", "gcc", "clang", "ld"] {
            tools.remove(name);
        }
        project.write("world.json", recorded.to_string());
        let file = project.root().join("world.json");
        let plan = program(project.root()).args(["wheels", "--plan", "--world", file.as_str()]).run().exits(0);
        let doctor = program(project.root()).args(["doctor", "--world", file.as_str()]).run();
        let Some(says) = says else {
            assert!(!plan.stdout.contains("C++ compiler"), "{machine}: {}", plan.stdout);
            let _ = doctor.exits(0);
            continue;
        };
        for text in ["missing: a C++ compiler", says] {
            assert!(plan.stdout.contains(text), "{machine}: `{text}`: {}", plan.stdout);
            assert!(doctor.stdout.contains(text), "{machine}: `{text}`: {}", doctor.stdout);
        }
        let _ = doctor.exits(3);
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
    // These are fine: editors on Windows write the first two; an unquoted number in a list keeps its digits.
    let further = |line: &str| format!("{minimal}{line}\n");
    for text in [
        format!("\u{feff}{minimal}"),
        minimal.replace('\n', "\r\n"),
        further("python: [3.10, 3.11]"),
        further("python: \"3.11\""),
        further("python: \">=3.10\""),
        further("llvm: { version: 19 }"),
    ] {
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
    let args = ["wheels", "--plan", "--explain", "--only", "pure/cp312-macos*", "--world", &world("github-macos-14")];
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

fn schema(name: &str) -> Value {
    let file = repository().join(format!("docs/schemas/{name}.schema.json"));
    serde_json::from_str(&fs_err::read_to_string(file).unwrap()).unwrap()
}

/// The object schema behind a reference or a choice.
fn object<'a>(all: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return object(all, &all["$defs"][name]);
    }
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    choices.map(|choice| object(all, choice)).find(|choice| choice["properties"].is_object()).unwrap_or(schema)
}

fn keys_of(schema: &Value) -> Vec<String> {
    let mut keys: Vec<String> =
        schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    keys.sort();
    keys
}

/// The schema's keys and those that the program names when it meets one that it does not know.
#[test]
fn the_schema_of_the_configuration_says_what_the_program_accepts() {
    let all = schema("wheels");
    let top = &all["properties"];
    let project = object(&all, &top["projects"]["items"]);
    let target = object(&all, &top["targets"]["additionalProperties"]);
    let of_project = object(&all, &project["properties"]["targets"]["additionalProperties"]);
    let rule = object(&all, &top["rules"]["additionalProperties"]);
    let accept = object(&all, &rule["properties"]["accept"]["items"]);
    let before = "version: 1\nprojects: [{ path: jit";
    for (section, schema, text) in [
        ("top", &all, format!("{before} }}]\nzzz: 1\n")),
        ("projects", project, format!("{before}, zzz: 1 }}]\n")),
        ("projects.targets", of_project, format!("{before}, targets: {{ linux-x86_64: {{ zzz: 1 }} }} }}]\n")),
        ("targets", target, format!("{before} }}]\ntargets: {{ linux-x86_64: {{ zzz: 1 }} }}\n")),
        ("llvm", object(&all, &top["llvm"]), format!("{before} }}]\nllvm: {{ zzz: 1 }}\n")),
        ("repair", &top["repair"], format!("{before} }}]\nrepair: {{ zzz: 1 }}\n")),
        ("budget", &top["budget"], format!("{before} }}]\nbudget: {{ zzz: 1 }}\n")),
        ("time_limits", &top["time_limits"], format!("{before} }}]\ntime_limits: {{ zzz: 1 }}\n")),
        ("rules", rule, format!("{before} }}]\nrules: {{ host-library-leak: {{ zzz: 1 }} }}\n")),
        ("accept", accept, format!("{before} }}]\nrules: {{ host-library-leak: {{ accept: [{{ zzz: 1 }}] }} }}\n")),
    ] {
        assert_eq!(schema["additionalProperties"], false, "{section}: unknown keys are errors");
        let message = configured(text.as_bytes());
        assert!(message.starts_with("=== exit 2\nerror: unknown key `zzz`"), "{section}: {message}");
        let (_, allowed) = message.split_once("llowed here: ").unwrap();
        let mut accepted: Vec<String> = allowed.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        accepted.sort();
        assert_eq!(keys_of(schema), accepted, "{section}: left: the schema, right: the program");
        for (key, value) in schema["properties"].as_object().unwrap() {
            let described = value["description"].is_string();
            assert!(described, "{section}.{key} has no description");
        }
    }
    let managers: Vec<&str> =
        top["provision"]["propertyNames"]["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let message = configured(format!("{before} }}]\nprovision: {{ zzz: [a] }}\n").as_bytes());
    assert!(managers.iter().all(|name| message.contains(&format!("`{name}`"))), "{managers:?}: {message}");
}

/// What a validator says of a document (YAML or JSON); none, said so, where there is no validator.
fn violations(schema: &str, documents: &[camino::Utf8PathBuf]) -> Option<Vec<bool>> {
    const SCRIPT: &str = "import json, sys, ruamel.yaml, jsonschema\n\
        schema = json.load(open(sys.argv[1]))\n\
        jsonschema.Draft202012Validator.check_schema(schema)\n\
        check = jsonschema.Draft202012Validator(schema)\n\
        load = lambda file: ruamel.yaml.YAML(typ='safe').load(open(file, encoding='utf-8'))\n\
        said = lambda file: [error.json_path + ': ' + error.message[:300] for error in check.iter_errors(load(file))]\n\
        print(json.dumps([said(file) for file in sys.argv[2:]]))\n";
    let python = oracle_python()?;
    let file = repository().join(format!("docs/schemas/{schema}.schema.json"));
    let args = ["-c", SCRIPT, file.as_str()].into_iter().chain(documents.iter().map(|document| document.as_str()));
    let said = Program::new(&python, repository()).args(args).run().exits(0).json();
    let said = said.as_array().unwrap();
    for (document, said) in documents.iter().zip(said).filter(|(_, said)| *said != &json!([])) {
        // Shown when the test fails.
        println!("{document}: {said:#}");
    }
    Some(said.iter().map(|said| *said != json!([])).collect())
}

#[test]
fn configurations_plans_and_reports_keep_to_their_schemas() {
    let files = |folder: &str, ending: &str| -> Vec<camino::Utf8PathBuf> {
        let entries = golden(folder).read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
        entries.filter(|path| path.as_str().ends_with(ending)).collect()
    };
    let mut good = files("plans", ".yaml");
    good.push(repository().join("ci/wheels.yaml"));
    let Some(said) = violations("wheels", &good) else { return };
    assert_eq!(said, vec![false; good.len()]);

    // What the schema alone can see of the errors.
    let project = with_projects();
    let mut bad = Vec::new();
    for name in [
        "unknown-key",
        "unknown-key-in-project",
        "unknown-key-in-target",
        "unknown-key-in-llvm",
        "wrong-type-projects",
        "wrong-type-list",
        "wrong-type-bool",
        "python-as-number",
        "python-empty",
        "version-missing",
        "version-two",
        "projects-missing",
        "projects-empty",
        "path-missing",
        "path-empty",
        "target-unknown",
        "llvm-linkage-unknown",
        "llvm-as-text",
        "duration-bad",
        "duration-without-unit",
        "size-bad",
        "test-empty",
        "environment-name-bad",
        "provision-unknown-manager",
        "provision-flag",
        "repairer-unknown",
        "repairer-native",
        "severity-bare-off",
        "severity-unknown",
        "accept-without-reason",
        "accept-with-empty-reason",
        "accept-of-nothing",
        "import-not-a-name",
    ] {
        let case = fs_err::read_to_string(golden(&format!("errors/{name}.case"))).unwrap();
        project.write(&format!("{name}.yaml"), case.split("=== exit").next().unwrap());
        bad.push(project.root().join(format!("{name}.yaml")));
    }
    let said = violations("wheels", &bad).unwrap();
    let missed: Vec<_> = bad.iter().zip(said).filter(|(_, said)| !said).map(|(file, _)| file.file_name()).collect();
    assert_eq!(missed, Vec::<Option<&str>>::new(), "the schema finds nothing wrong with these");

    let text = fs_err::read_to_string(golden("plans/full.yaml")).unwrap();
    let project = project.file("ci/wheels.yaml", text);
    let mut plans = Vec::new();
    for machine in MACHINES {
        let args = ["wheels", "--plan", "--format", "json", "--world", &world(machine)];
        project.write(&format!("{machine}.json"), program(project.root()).args(args).run().exits(0).stdout);
        plans.push(project.root().join(format!("{machine}.json")));
    }
    assert_eq!(violations("plan", &plans).unwrap(), vec![false; plans.len()]);

    // A run of its own on every build of this repository leaves a report; the real tier makes them for sure.
    let report = repository().join("dist/report.json");
    if report.is_file() {
        assert_eq!(violations("report", &[report]).unwrap(), [false]);
    }
    project.write("report.json", r#"{"schema_version":1,"builds":[{"id":"cp313-linux_x86_64","status":"proven"}]}"#);
    assert_eq!(violations("report", &[project.root().join("report.json")]).unwrap(), [true]);
}

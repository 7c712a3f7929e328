//! What is read here and was written elsewhere: recorded machines, checkouts with other line ends, folders in another case.

use crate::{compare, golden, normalised, settle, whole, with_projects, world};
use serde_json::{Value, json};
use wheelproof_tests::{Project, Run, program};

/// Files that are no world: each says which file, what is wrong with it and what to do.
#[test]
fn errors_of_a_recorded_world() {
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: jit }]\n");
    let root = project.root();
    let good = fs_err::read_to_string(golden("worlds/bare.json")).unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1).into_bytes()
    };
    let mut wrong = Vec::new();
    for (name, content) in [
        ("empty", Vec::new()),
        ("no-version", b"{}".to_vec()),
        ("a-list", b"[1, 2]".to_vec()),
        ("another-version", with("\"schema_version\": 1", "\"schema_version\": 2")),
        ("version-text", with("\"schema_version\": 1", "\"schema_version\": \"1\"")),
        ("truncated", good.as_bytes()[..good.len() / 2].to_vec()),
        ("another-system", with("\"os\": \"linux\"", "\"os\": \"plan9\"")),
        ("another-python", with("\"python\": \"cp311\"", "\"python\": \"snake\"")),
        ("not-utf-8", with("linux", "l\u{0}nux").into_iter().map(|byte| if byte == 0 { 0xe9 } else { byte }).collect()),
        ("utf-16", format!("\u{feff}{good}").encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("nested", vec![b'['; 1_000_000]),
        ("too-large", format!("{{\"schema_version\": 1, \"x\": \"{}\"}}", "x".repeat(17_000_000)).into_bytes()),
    ] {
        project.write("world.json", &content);
        let run = program(root).args(["wheels", "--plan", "--world", "world.json"]).run();
        compare(&format!("errors/world-{name}.txt"), &normalised(&whole(&run), root), &mut wrong);
    }
    let folder = program(root).args(["wheels", "--plan", "--world", "jit"]).run();
    compare("errors/world-a-folder.txt", &normalised(&whole(&folder), root), &mut wrong);
    let _ = program(root).args(["wheels", "--plan", "--world", "none.json"]).run().exits(2).says(&["none.json"]);

    // These are fine: what PowerShell writes, and a machine without any Python.
    project.write("world.json", format!("\u{feff}{}", good.replace('\n', "\r\n")));
    let plan = || program(root).args(["wheels", "--plan", "--world", "world.json"]).run();
    let _ = plan().exits(0).says(&["jit/cp311-linux_x86_64"]);
    let mut none: Value = serde_json::from_str(&good).unwrap();
    none["interpreters"] = json!([]);
    project.write("world.json", none.to_string());
    compare("errors/world-without-python.txt", &normalised(&whole(&plan()), root), &mut wrong);

    // Nothing is run for a machine that is not this one.
    for (args, says) in [
        (&["wheels"][..], "a recorded world can be planned for (--plan), not built on"),
        (&["wheels", "--provision"], "a recorded world can be planned for (--plan), not built on"),
        (&["verify", "x-1-py3-none-any.whl"], "--world"),
        (&["repair", "x-1-py3-none-any.whl"], "--world"),
    ] {
        let _ = program(root).args(args).args(["--world", &world("bare")]).run().exits(2).says(&[says]);
    }
    settle(&wrong);
}

/// The plan for a Windows machine whose checkout lies there.
fn at(checkout: &str, args: &[&str]) -> Run {
    let mut machine: Value =
        serde_json::from_str(&fs_err::read_to_string(world("github-windows-2025")).unwrap()).unwrap();
    machine["checkout"] = checkout.into();
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: pure, llvm: false }]\n");
    project.write("world.json", machine.to_string());
    let args = ["wheels", "--plan", "--only", "cp313-*", "--world", "world.json"].iter().chain(args);
    program(project.root()).args(args).run().exits(0)
}

/// Drives, shares, spaces and long paths: every path of the plan lies below the checkout and is written as it is.
#[test]
fn every_kind_of_place_on_windows() {
    for checkout in [r"D:\a\project", r"C:\Users\A B\my project", r"\\server\share\project", r"\\?\C:\project", r"c:\é"]
    {
        let plan = at(checkout, &["--format", "json"]).json();
        let build = &plan["builds"][0];
        assert_eq!(build["runnable"], true, "{checkout}: {build}");
        let mut below = 0;
        for step in build["steps"].as_array().unwrap() {
            let words = step["argv"].as_array().unwrap().iter().chain([&step["cwd"], &step["log"]]);
            for word in words.filter_map(Value::as_str).filter(|word| word.starts_with(checkout)) {
                assert!(!word.contains('/') && !word.contains(r"\\target"), "{checkout}: {word}");
                below += 1;
            }
            let path = step["env"]["PATH"].as_str().unwrap_or_default();
            assert!(path.is_empty() || (path.starts_with(checkout) && path.ends_with(r"\Scripts;{PATH}")), "{path}");
        }
        assert!(below > 30, "{checkout}: {below} paths below it");
        let share = checkout == r"\\server\share\project";
        assert_eq!(build["remarks"].to_string().contains("network share"), share, "{checkout}: {}", build["remarks"]);
    }
}

/// A world that somebody wrote by hand: its plan has the paths of this checkout where they could be its own, else made-up
/// ones of its own kind.
#[test]
fn a_world_that_does_not_say_where_it_is_for() {
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: pure, llvm: false }]\n");
    let root = project.root();
    for (machine, linux) in [("github-ubuntu-24.04", true), ("github-windows-2025", false)] {
        let mut text: Value = serde_json::from_str(&fs_err::read_to_string(world(machine)).unwrap()).unwrap();
        text.as_object_mut().unwrap().remove("checkout").unwrap();
        project.write("world.json", text.to_string());
        let args = ["wheels", "--plan", "--format", "json", "--only", "cp313-*", "--world", "world.json"];
        let plan = program(root).args(args).run().exits(0).json();
        let cwd = plan["builds"][0]["steps"][0]["cwd"].as_str().unwrap();
        let own = root.as_str().starts_with('/') == linux;
        let expected = match (own, linux) {
            (true, _) => root.as_str(),
            (false, true) => "/checkout",
            (false, false) => r"C:\checkout",
        };
        assert!(cwd.starts_with(expected), "{machine}: {cwd}");
        assert!(linux || !cwd.contains('/'), "{machine}: {cwd}");
    }
}

#[test]
fn a_checkout_too_deep_for_windows() {
    let mut wrong = Vec::new();
    for (name, depth) in [("too-long", 240), ("probably-too-long", 120)] {
        let run = at(&format!(r"C:\{}", "d".repeat(depth)), &[]);
        let text = whole(&run).replace(&"d".repeat(depth), "<d…>");
        compare(&format!("errors/path-{name}.txt"), &normalised(&text, "{root}".into()), &mut wrong);
    }
    settle(&wrong);
}

/// A world that is saved here gives the plan that this machine has, wherever it is read.
#[test]
fn a_saved_world_carries_its_place() {
    let project = with_projects().file("ci/wheels.yaml", "version: 1\nprojects: [{ path: pure, llvm: false }]\n");
    let root = project.root();
    // Nothing on PATH: what is on this machine does not matter.
    let nothing = project.root().join("pure");
    let saved = program(root).args(["doctor", "--save-world", "here.json"]).env("PATH", nothing.as_str()).run();
    assert!([0, 3].contains(&saved.status), "{saved:?}");
    let world: Value = serde_json::from_str(&project.read("here.json")).unwrap();
    assert_eq!(world["checkout"], root.as_str());
    let here = program(root).args(["wheels", "--plan", "--format", "json", "--world", "here.json"]).run().exits(0);
    let elsewhere = with_projects().file("ci/wheels.yaml", project.read("ci/wheels.yaml"));
    let file = root.join("here.json");
    let args = ["wheels", "--plan", "--format", "json", "--world", file.as_str()];
    assert_eq!(program(elsewhere.root()).args(args).run().exits(0), here);
}

/// A checkout with `autocrlf` is the same project: the same plan with the same keys, though every text has other line ends
/// and an editor put a byte order mark in front.
#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    let text = fs_err::read_to_string(golden("plans/full.yaml")).unwrap();
    let plan = |change: &dyn Fn(&str) -> String| {
        let project = with_projects();
        for file in ["jit/pyproject.toml", "rusty/pyproject.toml", "rusty/tools.txt", "pure/pyproject.toml"] {
            let text = project.read(file);
            project.write(file, change(&text));
        }
        let project = project.file("ci/wheels.yaml", change(&text));
        let args = ["wheels", "--plan", "--format", "json", "--world", &world("github-ubuntu-24.04")];
        program(project.root()).args(args).run().exits(0).stdout
    };
    let untouched = plan(&str::to_owned);
    assert!(untouched.contains("MATURIN"), "{untouched}");
    assert!(plan(&|text| text.replace('\n', "\r\n")) == untouched, "CRLF changed the plan");
    assert!(plan(&|text| format!("\u{feff}{text}")) == untouched, "a byte order mark changed the plan");
    assert!(plan(&|text| format!("\u{feff}{}", text.replace('\n', "\r\n"))) == untouched, "both changed the plan");
}

/// Two folders on Linux, one on macOS and Windows: said wherever it is read.
#[test]
fn folders_that_differ_in_case_alone() {
    let pyproject = |name: &str| format!("[project]\nname = \"{name}\"\n");
    let project = Project::new().file("one/pyproject.toml", pyproject("a")).file("One/pyproject.toml", pyproject("b"));
    if project.read("one/pyproject.toml") == pyproject("b") {
        println!("skipped: this file system does not tell `one` from `One`");
        return;
    }
    let project = project.file("ci/wheels.yaml", "version: 1\nprojects: [{ path: one }, { path: One }]\n");
    let run = program(project.root()).args(["wheels", "--plan", "--world", &world("bare")]).run().exits(2);
    let _ = run.says(&["`one` and `One` are one folder on macOS and Windows", "--> ci/wheels.yaml:2:35"]);
}

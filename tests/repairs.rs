//! `repair` as a user calls it, with small wheels for which no tool has to run: what lands in the folder, what is said and
//! with which exit code when a wheel, an option or the folder is not what it should be.
#![allow(clippy::unwrap_used)] // stories: what does not hold ends them

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use wheelproof_tests::{Project, Run, oracle_python, program, repository};

const PURE: &str = "pure-1.0-py3-none-any.whl";
/// Its one binary needs nothing but what Windows has.
const HELD: &str = "held-1.0-cp313-cp313-win_amd64.whl";
/// Tagged for a processor that its binary is not for: no tool can mend that, and none is asked.
const FAILS: &str = "fails-1.0-cp313-cp313-win_arm64.whl";
/// RECORD does not say what is in it.
const REFUSED: &str = "refused-1.0-py3-none-any.whl";
/// It lacks a library, and macOS' programs are not on PATH here.
const MAC: &str = "mac-1.0-cp313-cp313-macosx_11_0_arm64.whl";
/// Its one binary needs glibc.
const GLIBC: &str = "glibc-1.0-cp313-cp313-linux_x86_64.whl";

fn fixture(path: &str) -> Vec<u8> {
    fs_err::read(repository().join("tests/fixtures").join(path)).unwrap()
}

fn binary_of(name: &str) -> Option<(&'static str, Vec<u8>)> {
    match name.split('-').next().unwrap() {
        "held" | "fails" => Some(("_core.cp313-win_amd64.pyd", fixture("repair/windows/deep.dll"))),
        "mac" => {
            let name = "_core.cpython-313-darwin.so";
            Some((name, fixture(&format!("repair/macos-arm64/{name}"))))
        }
        "glibc" => Some(("_core.cpython-313-x86_64-linux-gnu.so", fixture("proof/linux/core-arc4random.so"))),
        _ => None,
    }
}

/// Makes the wheel of that name at a place of the project.
fn make(project: &Project, place: &str) -> Utf8PathBuf {
    let out = project.root().join(place);
    let name = out.file_name().unwrap();
    let parsed: platform::WheelName = name.parse().unwrap();
    let (distribution, version) = (parsed.distribution.escaped(), parsed.version.to_string());
    let info = format!("{distribution}-{version}.dist-info");
    let tags: String =
        parsed.tags.expand().map(|tag| format!("Tag: {}-{}-{}\n", tag.python, tag.abi, tag.platform)).collect();
    let purelib = parsed.tags.platforms().all(|tag| *tag == platform::PlatformTag::Any);
    let metadata = format!("Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n");
    let mut files = vec![
        (format!("{distribution}/__init__.py"), format!("# {place}\n").into_bytes()),
        (format!("{info}/METADATA"), metadata.into_bytes()),
        (
            format!("{info}/WHEEL"),
            format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {purelib}\n{tags}").into_bytes(),
        ),
    ];
    files.extend(binary_of(name).map(|(file, bytes)| (format!("{distribution}/{file}"), bytes)));
    let tree = project.root().join("trees").join(place);
    for (path, bytes) in files {
        let path = tree.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }
    fs_err::create_dir_all(out.parent().unwrap()).unwrap();
    let options = wheel::WriteOptions { epoch: 1_700_000_000, ..wheel::WriteOptions::default() };
    wheel::pack_dir(&tree, &out, &options).unwrap();
    if distribution == "refused" {
        forge(&out);
    }
    out
}

/// Another content for `__init__.py` than RECORD says, written by another archiver than ours.
fn forge(wheel: &Utf8Path) {
    let script = "import sys, zipfile\n\
                  entries = [(e, r.read(e)) for r in [zipfile.ZipFile(sys.argv[1])] for e in r.infolist()]\n\
                  out = zipfile.ZipFile(sys.argv[1], 'w')\n\
                  for entry, data in entries:\n\
                  \x20   out.writestr(entry, b'# forged\\n' if entry.filename.endswith('.py') else data)\n\
                  out.close()\n";
    let python = if cfg!(windows) { "python" } else { "python3" };
    let made = std::process::Command::new(python).args(["-c", script, wheel.as_str()]).status();
    assert!(made.is_ok_and(|status| status.success()), "a Python is needed to forge a wheel");
}

fn project_with(places: &[&str]) -> Project {
    let project = Project::new();
    for place in places {
        make(&project, place);
    }
    project
}

fn repair(project: &Project, args: &[&str]) -> Run {
    program(project.root()).without("SOURCE_DATE_EPOCH").args(["repair"]).args(args).run()
}

fn statuses(json: &Value) -> Vec<(String, String)> {
    let wheels = json["wheels"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    wheels
        .map(|entry| {
            let given = text(&entry["given"]).replace('\\', "/");
            (given.rsplit('/').next().unwrap().to_owned(), text(&entry["status"]))
        })
        .collect()
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect()
}

#[test]
fn what_needs_nothing_passes_through_untouched() {
    let project = project_with(&[&format!("built/{PURE}"), &format!("built/{HELD}")]);
    let (pure, held) = (format!("built/{PURE}"), format!("built/{HELD}"));
    let json = repair(&project, &[&pure, &held, "--out", "out", "--format", "json"]).exits(0).json();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(statuses(&json), expected(&[(PURE, "unchanged"), (HELD, "unchanged")]));
    assert_eq!(json["findings"], serde_json::json!([]));
    for (entry, platform) in json["wheels"].as_array().unwrap().iter().zip(["any", "win_amd64"]) {
        assert_eq!(entry["platform"], platform);
        for list in ["grafted", "assumed", "why_not_wider"] {
            assert_eq!(entry[list], serde_json::json!([]), "{list}");
        }
        assert!(entry["error"].is_null());
        let (given, landed) = (entry["given"].as_str().unwrap(), entry["wheel"].as_str().unwrap());
        assert_eq!(fs_err::read(given).unwrap(), fs_err::read(landed).unwrap(), "the same bytes");
    }
    assert_eq!(project.names("out"), [HELD, PURE]);
    // Once more, into the folder that has them.
    let again = repair(&project, &[&pure, &held, "--out", "out"]).exits(0);
    assert_eq!(again.stdout.lines().count(), 2, "a line for each wheel: {}", again.stdout);
    let _ = again.says(&[&format!("{PURE}: unchanged → "), &format!("{HELD}: unchanged → ")]);
    assert_eq!(project.names("out"), [HELD, PURE]);
    assert_eq!(project.names("target/wheelproof/tools"), Vec::<String>::new(), "no tool is installed for that");
}

#[test]
fn every_exit_code_and_nothing_in_the_folder() {
    let project = project_with(&[REFUSED, MAC, FAILS]);
    project.write(PURE, "this is no archive");
    for (wheel, code, status, said) in [
        (REFUSED, 1, "refused", "error[record-mismatch]"),
        (PURE, 2, "failed", "cannot be read"),
        (MAC, 3, "failed", "`install_name_tool`"),
        (FAILS, 4, "failed", "a binary is not for the wheel's platform"),
    ] {
        let run = |format: &str| {
            let args = ["repair", wheel, "--out", "out", "--format", format];
            program(project.root()).env("PATH", "").without("SOURCE_DATE_EPOCH").args(args).run().exits(code)
        };
        let _ = run("text").says(&[said, &format!("{wheel}: {status}")]);
        let json = run("json").json();
        assert_eq!(statuses(&json), expected(&[(wheel, status)]));
        assert!(json["wheels"][0]["wheel"].is_null());
        assert_eq!(json["wheels"][0]["error"].is_string(), status == "failed", "{json}");
        assert_eq!(project.names("out"), Vec::<String>::new(), "{wheel}");
    }
}

#[test]
fn one_that_fails_does_not_keep_the_others() {
    let project = project_with(&[FAILS, PURE, REFUSED, HELD]);
    let run = repair(&project, &[FAILS, PURE, REFUSED, HELD, "-w", "deep/out", "--format", "json"]).exits(4);
    let json = run.json();
    let all = [(FAILS, "failed"), (PURE, "unchanged"), (REFUSED, "refused"), (HELD, "unchanged")];
    assert_eq!(statuses(&json), expected(&all));
    assert_eq!(json["findings"][0]["rule"], "record-mismatch");
    assert_eq!(project.names("deep/out"), [HELD, PURE], "nothing half-written, nothing refused");
    let left: Vec<String> = project.names("target/wheelproof/work/repair");
    assert!(left.iter().all(|name| name.ends_with(".lock")), "{left:?}");
}

/// What is called the same would overwrite one another.
#[test]
fn equal_names_are_refused_before_anything_is_done() {
    let project = project_with(&[&format!("a/{PURE}"), &format!("b/{PURE}")]);
    let (one, other) = (format!("a/{PURE}"), format!("b/{PURE}"));
    let run = repair(&project, &[&one, &other, "--out", "out"]).exits(2);
    let _ = run.says(&[&format!("`{one}`"), &format!("`{other}`"), "one name"]);
    assert_eq!(project.names("out"), Vec::<String>::new());
    // The same file, named twice, is one wheel.
    let dotted = format!("./a/../{one}");
    let json = repair(&project, &[&one, &dotted, "--out", "out", "--format", "json"]).exits(0).json();
    assert_eq!(statuses(&json), expected(&[(PURE, "unchanged")]));
}

/// The given wheel may be the only one there is.
#[test]
fn the_folder_of_a_given_wheel_is_no_place_for_results() {
    let project = project_with(&[&format!("built/{HELD}"), &format!("other/{PURE}")]);
    let (held, pure) = (format!("built/{HELD}"), format!("other/{PURE}"));
    let before = fs_err::read(project.root().join(&held)).unwrap();
    #[cfg(unix)]
    {
        fs_err::os::unix::fs::symlink("built", project.root().join("link")).unwrap();
        fs_err::os::unix::fs::symlink(format!("../{held}"), project.root().join("other").join(HELD)).unwrap();
    }
    let mut cases = vec![(held.clone(), "built"), (held.clone(), "./built/../built")];
    if cfg!(unix) {
        cases.extend([(held.clone(), "link"), (format!("link/{HELD}"), "built"), (format!("other/{HELD}"), "built")]);
    }
    for (wheel, out) in cases {
        let run = repair(&project, &[&pure, &wheel, "--out", out]).exits(2);
        let _ = run.says(&[&format!("`{wheel}`"), &format!("--out {out}"), "another folder"]);
    }
    assert_eq!(project.names("built"), [HELD]);
    assert_eq!(fs_err::read(project.root().join(&held)).unwrap(), before);
}

#[test]
fn a_folder_that_cannot_be_is_said_first() {
    let project = project_with(&[PURE, FAILS]).file("outfile", "a file");
    let mut cases = vec![
        ("outfile", "`outfile` is a file; --out names a folder"),
        ("outfile/below", "`outfile/below` cannot be made"),
        ("", "--out"),
    ];
    if cfg!(target_os = "linux") {
        cases.extend([("/proc/x", "`/proc/x` cannot be made"), ("/proc", "`/proc` cannot be written to")]);
    }
    for (out, said) in cases {
        let run = repair(&project, &[PURE, FAILS, "--out", out]).exits(2);
        assert!(!run.stderr.contains("a binary is not for"), "before any work: {}", run.stderr);
        assert!(!run.stderr.contains("failed to"), "what failed is said already: {}", run.stderr);
        let _ = run.says(&[said]);
    }
    assert_eq!(project.read("outfile"), "a file");
}

/// What cannot be put there is that wheel's failure alone, and the result is printed.
#[test]
fn a_place_that_is_taken_by_a_folder() {
    let project = project_with(&[PURE, HELD]).file(&format!("out/{PURE}/note.txt"), "mine");
    let run = repair(&project, &[PURE, HELD, "--out", "out", "--format", "json"]).exits(4);
    let json = run.json();
    assert_eq!(statuses(&json), expected(&[(PURE, "failed"), (HELD, "unchanged")]));
    let error = json["wheels"][0]["error"].as_str().unwrap();
    assert!(error.contains("could not be put into"), "{error}");
    assert!(json["wheels"][0]["wheel"].is_null());
    assert_eq!(project.names("out"), [HELD, PURE]);
    assert_eq!(project.names(&format!("out/{PURE}")), ["note.txt"]);
}

#[test]
fn platforms_that_do_not_exist_or_are_another_s() {
    let project = project_with(&[PURE, HELD, MAC, GLIBC]);
    for (plat, wheel, code, said) in [
        ("manylinux_2_1", GLIBC, 2, &["no such policy", "`manylinux_2_5`", "`manylinux_2_41`"][..]),
        ("manylinux_2_280", GLIBC, 2, &["no such policy", "`manylinux_2_28`"]),
        ("musllinux_1_9", GLIBC, 2, &["`musllinux_1_1`, `musllinux_1_2`"]),
        ("manylinux_2_28_x86_64", GLIBC, 2, &["write `manylinux_2_28`"]),
        ("debian", GLIBC, 2, &["`debian`", "manylinux_2_28"]),
        ("macosx_12_0", GLIBC, 2, &[GLIBC, "it is one of macos"]),
        ("manylinux_2_28", MAC, 2, &[MAC, "it is one of linux"]),
        ("manylinux_2_28", HELD, 2, &[HELD, "it is one of linux"]),
        (
            "musllinux_1_2",
            GLIBC,
            1,
            &["error[tag-not-met]", "`musllinux_1_2_x86_64`", "`libc.so.6`", "glibc", "manylinux_2_36"],
        ),
        ("manylinux_2_28", PURE, 0, &["unchanged"]),
    ] {
        let run = repair(&project, &[wheel, "--plat", plat, "--out", "out"]).exits(code);
        assert!(!run.stderr.contains("argument"), "no tool was asked: {}", run.stderr);
        let _ = run.says(said);
    }
    // What one wheel cannot meet is said before another is repaired.
    let _ = repair(&project, &[HELD, GLIBC, "--plat", "manylinux_2_28", "--out", "none"]).exits(2);
    assert_eq!(project.names("none"), Vec::<String>::new());
    let json =
        repair(&project, &[GLIBC, "--plat", "musllinux_1_2", "--out", "out", "--format", "json"]).exits(1).json();
    assert_eq!(statuses(&json), expected(&[(GLIBC, "refused")]));
    assert_eq!(json["findings"][0]["rule"], "tag-not-met");
}

#[test]
fn options_that_would_do_nothing_are_said() {
    let project = project_with(&[PURE, HELD]).file("libs/readme.txt", "").file("some;libs/a", "");
    let run = |args: &[&str]| {
        let all: Vec<&str> = [PURE, HELD, "--out", "out"].into_iter().chain(args.iter().copied()).collect();
        repair(&project, &all)
    };
    for (args, said) in [
        (&["--strip"][..], "--strip did nothing"),
        (&["--exclude", "libcuda.so.*"], "`--exclude libcuda.so.*` left nothing out"),
    ] {
        let run = run(args).exits(0);
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let fine = run(&["--lib-dir", "libs"]).exits(0);
    assert_eq!(fine.stderr, "");
    let pure = repair(&project, &[PURE, "--out", "out", "--no-mangle", "a.dll"]).exits(0);
    assert!(pure.stderr.contains("--no-mangle"), "{}", pure.stderr);
    let _ = run(&["--lib-dir", "nowhere"]).exits(2).says(&["`nowhere`", "no such folder", "--lib-dir"]);
    let _ = run(&["--lib-dir", PURE]).exits(2).says(&[&format!("`{PURE}`"), "is a file", "--lib-dir"]);
    let (apart, within) = if cfg!(windows) { (";", "some;libs") } else { (":", "some:libs") };
    if cfg!(unix) {
        project.write("some:libs/a", "");
    }
    let _ = run(&["--lib-dir", within]).exits(2).says(&[&format!("`{within}`"), &format!("`{apart}`")]);
    let two = format!("a.dll{apart}b.dll");
    let _ = run(&["--exclude", &two]).exits(2).says(&[&format!("`{two}`"), "each"]);
}

#[test]
fn a_time_that_is_none() {
    let project = project_with(&[PURE]);
    for (time, code) in [("tomorrow", 2), ("-1", 2), ("1.5", 2), ("99999999999999", 2), ("", 0), ("1700000000", 0)] {
        let args = ["repair", PURE, "--out", "out"];
        let run = program(project.root()).env("SOURCE_DATE_EPOCH", time).args(args).run().exits(code);
        if code == 2 {
            let _ = run.says(&["SOURCE_DATE_EPOCH", &format!("`{time}`"), "seconds"]);
        }
    }
}

#[test]
fn words_for_what_is_no_wheel() {
    let project = project_with(&[&format!("built/{PURE}")]).file("x-1.0.tar.gz", "").file("some.whl", "");
    for (args, said) in [
        (&["built"][..], &["`built` is a folder", PURE][..]),
        (&["built/*.musl"], &["`built/*.musl`", "pattern"]),
        (&["nowhere-1-py3-none-any.whl"], &["`nowhere-1-py3-none-any.whl`", "no such file"]),
        (&["x-1.0.tar.gz"], &["`x-1.0.tar.gz`"]),
        (&["some.whl"], &["`some.whl`"]),
        (&["x", "--repairer", "native"], &["not built yet", "--repairer tool"]),
        (&["x", "--repairer", "auditwheel"], &["auditwheel", "tool"]),
        (&["x", "--lib-dirs", "y"], &["--lib-dir"]),
        (&["x", "--format", "yaml"], &["sarif"]),
        (&[], &["WHEEL"]),
    ] {
        let all: Vec<&str> = args.iter().copied().chain(["--out", "out"]).collect();
        let _ = repair(&project, &all).exits(2).says(said);
    }
    let pure = format!("built/{PURE}");
    let _ = repair(&project, &[&pure]).exits(2).says(&["--out"]);
    let _ = repair(&project, &[&pure, "--repairer", "tool", "--out", "out"]).exits(0);
    let help = repair(&project, &["--help"]).exits(0);
    let _ = help.says(&["--repairer", "--plat", "never a folder that a given wheel lies in"]);
}

#[test]
fn the_result_in_every_format() {
    let project = project_with(&[PURE, REFUSED]);
    let run = |format: &str| repair(&project, &[PURE, REFUSED, "--out", "out", "--format", format]).exits(1);
    let markdown = run("markdown").stdout;
    assert!(markdown.contains(&format!("| `{PURE}` | unchanged |")), "{markdown}");
    assert!(
        markdown.contains(&format!("| `{REFUSED}` | refused |")) && markdown.contains("record-mismatch"),
        "{markdown}"
    );
    let _ = run("github").says(&["::error", "record-mismatch"]);
    let sarif = run("sarif").json();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"].as_str().map(|id| !id.is_empty()), Some(true));
}

#[test]
fn the_json_keeps_to_its_schema() {
    const SCRIPT: &str = "import json, sys, jsonschema\n\
        schema = json.load(open(sys.argv[1]))\n\
        jsonschema.Draft202012Validator.check_schema(schema)\n\
        check = jsonschema.Draft202012Validator(schema)\n\
        print([error.json_path + ': ' + error.message[:300] for error in check.iter_errors(json.load(open(sys.argv[2])))])\n";
    let Some(python) = oracle_python() else { return };
    let project = project_with(&[FAILS, PURE, REFUSED, HELD]);
    let json = repair(&project, &[FAILS, PURE, REFUSED, HELD, "-w", "out", "--format", "json"]).exits(4).stdout;
    project.write("out.json", json);
    let schema = repository().join("docs/schemas/repair.schema.json");
    let args = ["-c", SCRIPT, schema.as_str(), project.root().join("out.json").as_str()].map(str::to_owned);
    let output = std::process::Command::new(python).args(args).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "[]", "{}", String::from_utf8_lossy(&output.stderr));
}

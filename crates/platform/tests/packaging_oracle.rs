//! The same questions to this crate and to PyPA's `packaging`, which defines the behaviour: a few hundred versions,
//! specifiers, file names and machines. Skipped where no Python with `packaging` 22 or later is found.

#![allow(clippy::unwrap_used, reason = "the whole file is a test, which clippy sees in `#[test]` functions only")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use wheelproof_platform::{
    Arch, Distribution, HostPlatform, HostSystem, PythonRequest, PythonVersion, SpecifierSet, Tag, Version, WheelName,
    compatible_tags,
};

const SCRIPT: &str = include_str!("packaging_oracle.py");

/// Interpreters that may have `packaging`, of its own or pip's copy.
fn pythons() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["python3", "python"].map(PathBuf::from).into();
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    if let Some(versions) = pyenv.and_then(|root| fs_err::read_dir(root.join("versions")).ok()) {
        found.extend(versions.flatten().map(|version| version.path().join("bin/python3")));
    }
    found.extend((8..=15).rev().map(|minor| PathBuf::from(format!("python3.{minor}"))));
    found
}

/// The answers of the first Python that has any, or why there are none.
fn ask(questions: &Value) -> Result<Value, String> {
    let mut reason = "no Python was found".to_owned();
    for python in pythons() {
        let child = Command::new(&python)
            .args(["-W", "ignore", "-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else { continue };
        let mut stdin = child.stdin.take().unwrap();
        let text = questions.to_string();
        // A child that ends early closes the pipe: its own message says why.
        let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let Ok(answers) = serde_json::from_slice::<Value>(&output.stdout) else {
            let message = String::from_utf8_lossy(&output.stderr);
            let last = message.lines().last().unwrap_or_default().to_owned();
            // Without `packaging` there is nothing to ask; any other fault is the test's own.
            let missing = !message.contains("Traceback") || last.contains("No module named");
            assert!(missing, "{}: {message}", python.display());
            reason = last;
            continue;
        };
        match answers.get("skipped").and_then(Value::as_str) {
            Some(skipped) => skipped.clone_into(&mut reason),
            None => return Ok(answers),
        }
    }
    Err(reason)
}

/// The same texts in every run.
fn generated(pattern: &str, count: usize) -> Vec<String> {
    let strategy = proptest::string::string_regex(pattern).unwrap();
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn texts(own: &[&str], patterns: &[(&str, usize)]) -> Vec<String> {
    let own = own.iter().map(|text| (*text).to_owned());
    let all: BTreeSet<String> =
        own.chain(patterns.iter().flat_map(|(pattern, count)| generated(pattern, *count))).collect();
    all.into_iter().collect()
}

const VERSION: &str = "(v|)([0-2]!|)[0-3](\\.[0-2]){0,3}([-_.]?(a|b|c|rc|alpha|beta|pre|preview|RC)[-_.]?[0-2]?|)\
                       (-[0-2]|[-_.]?(post|rev|r)[-_.]?[0-2]?|)([-_.]?dev[-_.]?[0-2]?|)(\\+[a-b0-2]{1,2}([-_.][a-b0-2]{1,2})?|)";
const CLAUSE: &str = "(===|~=|==|!=|<=|>=|<|>) ?([0-1]!|)[0-2](\\.[0-2]){0,2}(\\.\\*|(a|rc)[0-1]|)(\\.post[0-1]|)(\\.dev[0-1]|)(\\+[a0]|)";

#[test]
fn names_mean_what_packaging_says() {
    let versions = texts(
        &[
            "1",
            "1.0",
            "1.0.0",
            "0",
            "1.0-1",
            "1.0-",
            "1.0a-",
            "1.0.dev.",
            "1.0+",
            "1.0+a..b",
            "1.0+A.1",
            "1..0",
            "",
            " 1.0 ",
            "1.0 a",
            "1.0a1.post2.dev3",
            "1.0.post1-1",
            "2024.1.31",
            "1.0+01.a",
            "1.0_rc.2",
            "01.02",
            "1!v1",
            "v1!1",
            "1.0rev",
            "1.0r",
            "1.0p",
            "1.0.a.",
            "1.*",
            "abc",
            "1.0+ubuntu-1",
            "1.0--1",
            "1.0post-1",
            "1.0-post",
            "1.0a.post",
        ],
        &[(VERSION, 250), ("[0-2.a!+v-]{1,7}", 150)],
    );
    let specifiers = texts(
        &[
            "",
            ",",
            ">=1",
            ">=1,<2",
            ">=1, !=1.5.*",
            "~=1",
            "~=1.0",
            "~=1.4.5a1",
            "~=2.2.post1",
            "~=1!1.0",
            "==1.*",
            "==1.0a1.*",
            ">=1.*",
            "===1.0",
            "===a,b",
            "=== foo",
            ">=1+a",
            "==1+a",
            "1.0",
            "=1.0",
            ">",
            "<1.0rc1",
            ">1.0.post1",
            ">=1;",
            "(>=1)",
            "==1.0.dev1.*",
            "<=1.0",
            ">1.0",
            "<1.0",
            "<1.0a0",
            ">=1.0.dev0",
            "!=1.0+a",
            "==1.0+a.1",
            "!=1.*",
            "==0!1.*",
        ],
        &[(CLAUSE, 250), (&format!("{CLAUSE},{CLAUSE}"), 100), ("[<>=!~]{1,2}[0-2.*]{1,4}", 60)],
    );
    let requires = texts(
        &[
            "",
            ">=3.9",
            ">=3.9.2",
            ">=3.9,<4",
            ">=3.9, <3.14",
            "!=3.12",
            "!=3.12.*",
            "~=3.9",
            "~=3.9.2",
            "==3.*",
            "<3.13.0a1",
            ">3.9",
            "<=3.10",
            ">=3.9rc1",
            "==3.13.0rc1",
            "===3.9",
            "===3.9.1",
            ">=3.8,!=3.9.0,!=3.9.1",
            "<3.9.1,>3.9.0",
            "<3.9.2,>3.9.0",
            "~=3.0",
            ">=3.9.post1",
            "==3.9+a",
            ">=1!3",
        ],
        &[
            ("(~=|==|!=|<=|>=|<|>)3\\.(8|9|1[0-5])(\\.[0-3]|)(rc1|)", 150),
            ("[<>=]=?3\\.(8|9|1[0-5])(\\.[0-3]|),(!=|<|<=)3\\.(9|1[0-5])(\\.[0-3]|\\.\\*)", 150),
        ],
    );
    let names = texts(&["Zope.Interface", "a-_.b", "A"], &[("[A-Za-z0-9]([A-C._-]{0,4}[a-c0-9])?", 60)]);
    let wheels = texts(
        &[
            "minijit-1.0-cp313-cp313-manylinux_2_28_x86_64.whl",
            "Zope.Interface-5.0.0-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "a-1.0-1-py3-none-any.whl",
            "a-1.0-01b-py2.py3-none-any.whl",
            "a-1.0-b-py3-none-any.whl",
            "a-1.0-py3-none-any.zip",
            "a__b-1.0-py3-none-any.whl",
            "a-py3-none-any.whl",
            "a-x-py3-none-any.whl",
            "a-1!1.0+local.1-cp313-cp313t-Win_AMD64.whl",
            "a-1.0-1-2-py3-none-any.whl",
            "a b-1.0-py3-none-any.whl",
        ],
        &[(
            "[ab](_b|\\.c)?-[0-2](\\.[0-2]|rc1|\\+a|x)?(-[0-9][ab]?)?-(cp3[89]|py2\\.py3)-(none|abi3|cp39)-(any|win32\\.win_amd64|linux_x86_64)(\\.whl)",
            80,
        )],
    );
    let hosts: Vec<(HostPlatform, PythonVersion)> = [
        (Arch::X86_64, HostSystem::Glibc((2, 39))),
        (Arch::I686, HostSystem::Glibc((2, 17))),
        (Arch::X86_64, HostSystem::Glibc((2, 4))),
        (Arch::Arm64, HostSystem::Glibc((2, 28))),
        (Arch::Arm64, HostSystem::Glibc((2, 16))),
        (Arch::Riscv64, HostSystem::Glibc((2, 41))),
        (Arch::X86_64, HostSystem::Musl((1, 2))),
        (Arch::Arm64, HostSystem::Musl((1, 1))),
        (Arch::Arm64, HostSystem::MacOs((11, 3))),
        (Arch::Arm64, HostSystem::MacOs((14, 5))),
        (Arch::Arm64, HostSystem::MacOs((26, 1))),
        (Arch::X86_64, HostSystem::MacOs((10, 15))),
        (Arch::X86_64, HostSystem::MacOs((13, 0))),
        (Arch::X86_64, HostSystem::Windows),
        (Arch::Arm64, HostSystem::Windows),
        (Arch::I686, HostSystem::Windows),
    ]
    .into_iter()
    .flat_map(|(arch, system)| {
        ["3.7", "3.9", "3.13", "3.13t", "3.15t"].map(|python| (HostPlatform { arch, system }, python.parse().unwrap()))
    })
    .collect();
    let compatible: Vec<Value> = hosts
        .iter()
        .map(|(host, python)| {
            let system = match host.system {
                HostSystem::Glibc(version) => json!(["glibc", version]),
                HostSystem::Musl(version) => json!(["musl", version]),
                HostSystem::MacOs(version) => json!(["macos", version]),
                HostSystem::Windows => json!(["windows", [0, 0]]),
            };
            let arch = host.arch.tag(host.os());
            let host = json!({"system": system, "arch": arch});
            json!({"python": [python.major, python.minor], "abi": python.abi_tag(), "host": host})
        })
        .collect();
    let questions = json!({
        "versions": versions, "specifiers": specifiers, "requires": requires, "minors": [8, 16], "names": names,
        "wheels": wheels, "compatible": compatible,
    });
    let answers = match ask(&questions) {
        Ok(answers) => answers,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let mut differences = Vec::new();
    let mut compared = 0_usize;
    let mut check = |what: String, ours: Value, theirs: &Value| {
        compared += 1;
        if ours != *theirs {
            differences.push(format!("{what}: ours {ours}, packaging {theirs}"));
        }
    };

    let ours: Vec<Option<Version>> = versions.iter().map(|text| text.parse().ok()).collect();
    for ((text, ours), theirs) in versions.iter().zip(&ours).zip(answers["versions"].as_array().unwrap()) {
        check(format!("version {text:?}"), json!(ours.as_ref().map(Version::to_string)), theirs);
    }
    let valid: Vec<&Version> = ours.iter().flatten().collect();
    for (a, row) in valid.iter().zip(answers["order"].as_array().unwrap()) {
        for (b, theirs) in valid.iter().zip(row.as_array().unwrap()) {
            let ours = match a.cmp(b) {
                std::cmp::Ordering::Less => "<",
                std::cmp::Ordering::Equal => "=",
                std::cmp::Ordering::Greater => ">",
            };
            check(format!("{a} compared with {b}"), json!(ours), theirs);
        }
    }
    for (text, theirs) in specifiers.iter().zip(answers["specifiers"].as_array().unwrap()) {
        let ours = text.parse::<SpecifierSet>().ok();
        check(format!("specifiers {text:?} are some"), json!(ours.is_some()), &json!(!theirs.is_null()));
        let (Some(ours), Some(theirs)) = (ours, theirs.as_array()) else { continue };
        let exclusive = text.replace("<=", "").replace(">=", "").contains(['<', '>']);
        for (version, theirs) in valid.iter().zip(theirs) {
            if exclusive && **version != version.base() && answers["exclusive_by_the_letter"] == json!(false) {
                continue;
            }
            check(format!("{text:?} met by {version}"), json!(ours.matches(version)), theirs);
        }
    }
    for (text, theirs) in requires.iter().zip(answers["requires"].as_array().unwrap()) {
        let request = PythonRequest::from_specifiers(text).ok();
        let ours = request.map(|request| PythonVersion::released().map(|p| request.matches(p)).collect::<Vec<_>>());
        check(format!("requires-python {text:?}"), json!(ours), theirs);
    }
    for (text, theirs) in names.iter().zip(answers["names"].as_array().unwrap()) {
        check(format!("name {text:?}"), json!(Distribution::new(text).ok()), theirs);
    }
    for (text, theirs) in wheels.iter().zip(answers["wheels"].as_array().unwrap()) {
        let ours = text.parse::<WheelName>().ok().map(|wheel| {
            let mut tags: Vec<String> = wheel.tags.expand().map(|tag| tag.to_string()).collect();
            tags.sort();
            json!([wheel.distribution, wheel.version, wheel.build.map(|build| build.number()), tags])
        });
        check(format!("wheel {text:?}"), json!(ours), theirs);
    }
    for ((host, python), theirs) in hosts.iter().zip(answers["compatible"].as_array().unwrap()) {
        if python.free_threaded && answers["has_abi3t"] == json!(false) {
            continue;
        }
        let ours: Vec<String> = compatible_tags(*python, host).iter().map(Tag::to_string).collect();
        check(format!("tags of {python} on {host:?}"), json!(ours), theirs);
    }
    println!("{compared} answers compared with packaging {}", answers["packaging"]);
    let shown = differences.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences:\n{shown}", differences.len());
}

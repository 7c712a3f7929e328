//! Repository rules: what reviewers would otherwise have to see, checked on every file that git knows or would add.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use wheelproof_tests::{repository, skip};

/// Where code may differ by system, and why. Everywhere else the platform is a value.
const SYSTEM_CODE: [(&str, &str); 16] = [
    ("crates/disk/src/whole.rs", "the mode of a new file"),
    ("crates/exec/src/cancel.rs", "signals"),
    ("crates/exec/src/family/mod.rs", "process groups and job objects"),
    ("crates/exec/src/family/unix.rs", "what Linux adds to POSIX: finding those who left the group"),
    ("crates/exec/src/lib.rs", "the calls of Win32"),
    ("crates/exec/src/program.rs", "the execute bit"),
    ("crates/exec/src/status.rs", "ended by a signal"),
    ("crates/exec/src/text.rs", "the console's code page"),
    ("crates/host/src/probe.rs", "where the file system begins"),
    ("crates/host/src/sources/copy.rs", "links and modes"),
    ("crates/host/src/sources/digest.rs", "the execute bit"),
    ("crates/host/src/sources/git.rs", "paths as bytes"),
    ("crates/host/src/sources/stat.rs", "inode and change time"),
    ("crates/host/src/system.rs", "asking a program or a system call that the other systems do not have"),
    ("crates/wheel/src/archive/pages.rs", "advice to the system about mapped pages"),
    ("crates/wheel/src/write/", "modes and syncing of folders"),
];

/// Files that are longer than a file should be, and why.
const LONG_FILES: [(&str, &str); 0] = [];

/// The two digits after a family that a crate's rules may have.
const RULE_RANGES: [(&str, &[std::ops::RangeInclusive<u32>]); 5] = [
    ("diagnostics", &[690..=699]),
    ("build", &[301..=309, 401..=409]),
    ("repair", &[311..=319, 411..=419, 211..=219]),
    ("verify", &[201..=209, 421..=429]),
    ("audit", &[101..=199, 221..=299, 321..=399, 431..=499, 501..=599]),
];

/// What std::fs may be used for: its types; opening and reading go through fs-err, which names the file.
const STD_FS: [&str; 4] = ["Metadata", "File", "TryLockError", "Permissions"];

#[test]
fn source_files_begin_with_what_they_are_for() {
    let mut odd = Vec::new();
    for file in files().filter(|file| file.extension() == Some("rs") && !file.as_str().starts_with("tests/projects/")) {
        if !text(&file).starts_with("//! ") {
            odd.push(file);
        }
    }
    assert_eq!(odd, Vec::<Utf8PathBuf>::new(), "the first line of each is to be a `//!` line that says what it is for");
}

#[test]
fn files_are_short_enough_to_be_read() {
    let long: Vec<Utf8PathBuf> = sources().filter(|file| text(file).lines().count() > 500).collect();
    let unlisted: Vec<&Utf8PathBuf> =
        long.iter().filter(|file| !LONG_FILES.iter().any(|(known, _)| file == known)).collect();
    assert_eq!(unlisted, Vec::<&Utf8PathBuf>::new(), "more than 500 lines: split it, or list it with a reason");
    let gone: Vec<&str> =
        LONG_FILES.iter().map(|(known, _)| *known).filter(|known| !long.iter().any(|file| file == known)).collect();
    assert_eq!(gone, Vec::<&str>::new(), "listed as long and no longer so");
}

#[test]
fn code_differs_by_system_only_where_it_must() {
    let mut found = BTreeSet::new();
    for file in sources() {
        for (number, line) in code(&text(&file)) {
            let differs = line.contains("cfg")
                && ["target_os", "target_family", "unix", "windows"].iter().any(|word| line.contains(word));
            if !differs {
                continue;
            }
            let known = SYSTEM_CODE.iter().find(|(known, _)| file.as_str().starts_with(known));
            assert!(known.is_some(), "{file}:{number}: `{}`: platform is data (docs/architecture.md)", line.trim());
            found.extend(known.map(|(known, _)| *known));
        }
    }
    let gone: Vec<&str> = SYSTEM_CODE.iter().map(|(known, _)| *known).filter(|known| !found.contains(known)).collect();
    assert_eq!(gone, Vec::<&str>::new(), "listed and without such code");
}

#[test]
fn files_are_opened_by_fs_err() {
    let mut odd = Vec::new();
    for file in sources() {
        for (number, line) in code(&text(&file)) {
            for use_of in line.split("std::fs::").skip(1) {
                let name: String =
                    use_of.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                let function =
                    use_of.strip_prefix("File::").is_some_and(|rest| !rest.starts_with(|c: char| c.is_uppercase()));
                // Whether a link is there is no error; fs-err's message would be thrown away.
                let quiet = name == "symlink_metadata";
                if !quiet && (function || !STD_FS.contains(&name.as_str())) {
                    odd.push(format!("{file}:{number}: std::fs::{name}"));
                }
            }
        }
    }
    assert_eq!(odd, Vec::<String>::new());
}

#[test]
fn yaml_is_read_in_one_place_by_one_library() {
    for file in sources().filter(|file| file != "crates/plan/src/config/yaml.rs") {
        for (number, line) in code(&text(&file)) {
            assert!(
                !line.contains("serde_saphyr"),
                "{file}:{number}: only crates/plan/src/config/yaml.rs knows the library"
            );
        }
    }
    for manifest in manifests() {
        let text = text(&manifest);
        assert!(!text.contains("serde_yaml"), "{manifest}: serde_yaml is archived");
        let uses = text.lines().any(|line| line.starts_with("serde-saphyr"));
        let may = manifest == "Cargo.toml" || manifest == "crates/plan/Cargo.toml";
        assert!(!uses || may, "{manifest}: only crates/plan reads YAML");
    }
}

#[test]
fn crates_and_the_architecture_table_agree_and_arrows_point_down() {
    let table = text(Utf8Path::new("docs/architecture.md"));
    let mut rank = BTreeMap::new();
    for (index, line) in table.lines().filter(|line| line.starts_with("| `")).enumerate() {
        let cell = line.split('|').nth(1).unwrap_or("");
        for name in cell.split('`').skip(1).step_by(2).filter(|name| !name.starts_with("wheelproof")) {
            rank.insert(name.to_owned(), index);
        }
    }
    let on_disk: BTreeSet<String> =
        manifests().filter_map(|file| Some(file.strip_prefix("crates").ok()?.parent()?.to_string())).collect();
    let told: BTreeSet<String> = rank.keys().cloned().collect();
    assert_eq!(on_disk, told, "left: crates/, right: the table of docs/architecture.md");
    for name in &on_disk {
        let manifest = text(&Utf8PathBuf::from(format!("crates/{name}/Cargo.toml")));
        // What only one system needs is a dependency too; what tests need is not.
        let sections = manifest.lines().filter(|line| *line == "[dependencies]" || is_target_section(line));
        for dependency in sections.flat_map(|section| keys(&manifest, section)) {
            if let Some(below) = rank.get(&dependency) {
                assert!(*below > rank[name], "crates/{name} uses {dependency}: an arrow up or sideways");
            }
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = text(Utf8Path::new("docs/dependencies.md"));
    let manifest = text(Utf8Path::new("Cargo.toml"));
    let named: BTreeSet<&str> = reasons
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split([',', ' ', '(', ')', '`']))
        .collect();
    let own = |line: &&str| !line.contains("path = \"");
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let all: Vec<String> = lines
        .take_while(|line| !line.starts_with('['))
        .filter(own)
        .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
        .collect();
    assert!(all.len() > 10, "the list of dependencies was not found");
    let missing: Vec<&String> = all.iter().filter(|name| !named.contains(name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "not in docs/dependencies.md");
    let mut used = BTreeSet::new();
    for manifest in manifests().filter(|file| file != "Cargo.toml") {
        for section in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            let text = text(&manifest);
            used.extend(keys(&text, section));
            // Versions stand in one place.
            let start = text.find(section).unwrap_or(text.len());
            let versions = text[start..].lines().skip(1).take_while(|line| !line.starts_with('['));
            let own = versions
                .filter(|line| line.contains('=') && !line.contains("workspace = true") && !line.starts_with('#'));
            assert_eq!(
                own.collect::<Vec<_>>(),
                Vec::<&str>::new(),
                "{manifest}: versions stand in the root Cargo.toml"
            );
        }
        for target in text(&manifest).lines().filter(|line| line.starts_with("[target.")) {
            used.extend(keys(&text(&manifest), target));
        }
    }
    let idle: Vec<&String> = all.iter().filter(|name| !used.contains(name.as_str())).collect();
    assert_eq!(idle, Vec::<&String>::new(), "in [workspace.dependencies] and used by no crate");
}

#[test]
fn crates_take_the_workspace_s_lints_and_forbid_unsafe_code_where_they_need_none() {
    for manifest in manifests().filter(|file| file != "Cargo.toml") {
        assert!(text(&manifest).contains("[lints]\nworkspace = true"), "{manifest}: [lints] workspace = true");
        let folder = manifest.parent().unwrap_or(Utf8Path::new(""));
        let root = folder.join("src/lib.rs");
        if !repository().join(&root).is_file() {
            continue;
        }
        let needs =
            sources().filter(|file| file.starts_with(folder)).any(|file| text(&file).contains("allow(unsafe_code)"));
        assert!(
            needs || text(&root).contains("#![forbid(unsafe_code)]"),
            "{root}: no unsafe code there, so `#![forbid(unsafe_code)]`"
        );
    }
}

#[test]
fn unsafe_code_says_why_it_is_sound() {
    for file in sources() {
        let text = text(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let begins = line.contains("unsafe {") || line.contains("unsafe impl");
            if begins && !line.trim_start().starts_with("//") {
                let above = lines.get(index.saturating_sub(4)..=index).unwrap_or_default();
                assert!(above.iter().any(|line| line.contains("SAFETY:")), "{file}:{}: no // SAFETY: line", index + 1);
            }
        }
    }
}

#[test]
fn rule_codes_are_their_crate_s_own() {
    let mut seen: BTreeMap<String, Utf8PathBuf> = BTreeMap::new();
    for file in sources() {
        for (number, line) in code(&text(&file)) {
            let Some(rest) = line.trim().strip_prefix("code: \"") else { continue };
            let Some(code) = rest.split('"').next().filter(|code| code.len() == 5) else { continue };
            let crate_name = file.components().nth(1).map_or("", |part| part.as_str());
            let digits: u32 = code[2..].parse().unwrap_or(0);
            let ranges = RULE_RANGES.iter().find(|(name, _)| *name == crate_name).map(|(_, ranges)| *ranges);
            let inside = ranges.is_some_and(|ranges| ranges.iter().any(|range| range.contains(&digits)));
            assert!(inside, "{file}:{number}: {code} is not in the range of crates/{crate_name}");
            if let Some(other) = seen.insert(code.to_owned(), file.clone()) {
                panic!("{code} is in {other} and in {file}");
            }
        }
    }
    assert!(seen.len() > 15, "the rules were not found");
}

#[test]
fn links_between_documents_resolve() {
    for file in files().filter(|file| file.extension() == Some("md") && !file.as_str().contains("/golden/")) {
        let text = text(&file);
        let folder = file.parent().unwrap_or(Utf8Path::new(""));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or("");
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") || path.contains(' ') {
                continue;
            }
            assert!(repository().join(folder).join(path).exists(), "{file}: `{target}` leads nowhere");
        }
    }
}

#[test]
fn no_path_of_a_machine_is_written_down() {
    let places = ["/root/", "/home/", "/Users/", "/tmp/"];
    let mut odd = Vec::new();
    for file in files().filter(|file| !is_test_material(file) && !file.as_str().starts_with("LICENSE")) {
        let Ok(text) = fs_err::read_to_string(repository().join(&file)) else { continue };
        // What stands below the tests of a source file is made up.
        let text = text.split("#[cfg(test)]").next().unwrap_or("");
        for (index, line) in text.lines().enumerate() {
            // `me` is anybody.
            if places.iter().any(|place| line.replace("/home/me/", "").contains(place)) {
                odd.push(format!("{file}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_eq!(odd, Vec::<String>::new());
}

#[test]
fn text_is_clean() {
    let mut odd = Vec::new();
    for file in files().filter(|file| !is_test_material(file) && !file.as_str().contains("/data/")) {
        let Ok(text) = fs_err::read_to_string(repository().join(&file)) else { continue };
        if text.contains('\r') {
            odd.push(format!("{file}: CRLF"));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            odd.push(format!("{file}: no line end at the end"));
        }
        let trailing = text.lines().enumerate().filter(|(_, line)| line.ends_with([' ', '\t']));
        odd.extend(trailing.map(|(index, _)| format!("{file}:{}: ends with a space", index + 1)));
    }
    assert_eq!(odd, Vec::<String>::new());
}

#[test]
fn what_users_are_promised_is_there() {
    let readme = text(Utf8Path::new("README.md"));
    for command in ["cargo xtask wheels --provision", "cargo xtask test --provision"] {
        assert!(readme.contains(command), "README.md does not show `{command}`");
    }
    let ci = text(Utf8Path::new(".ci/run"));
    assert!(ci.contains("cargo xtask test --provision"), ".ci/run does not call README's test command");
    assert!(
        text(Utf8Path::new("CHANGELOG.md")).lines().any(|line| line == "## Unreleased"),
        "CHANGELOG.md has no `## Unreleased`"
    );
    let codes = text(Utf8Path::new("crates/cli/src/exit.rs"));
    for code in codes.lines().filter(|line| line.starts_with("pub const ")).filter_map(|line| line.split(" = ").nth(1))
    {
        let code = code.trim_end_matches(';');
        assert!(readme.contains(&format!("{code} ")), "README.md does not say what exit code {code} means");
    }
    let alias = "xtask = \"run --quiet --package xtask --\"";
    assert!(text(Utf8Path::new(".cargo/config.toml")).contains(alias), ".cargo/config.toml has another alias");
}

#[test]
fn every_golden_file_belongs_to_a_test() {
    for file in files().filter(|file| file.as_str().starts_with("tests/golden/")) {
        let known = ["worlds/", "plans/", "errors/", "settings/"];
        let below = file.as_str().trim_start_matches("tests/golden/");
        assert!(known.iter().any(|folder| below.starts_with(folder)), "{file}: tests/golden.rs reads no such folder");
    }
    for file in files().filter(|file| file.as_str().starts_with("crates/") && file.as_str().contains("/tests/golden/"))
    {
        let name = file.file_stem().unwrap_or("");
        let folder = file.ancestors().find(|folder| folder.file_name() == Some("tests")).unwrap_or(Utf8Path::new(""));
        let used = files()
            .filter(|test| test.starts_with(folder) && test.extension() == Some("rs"))
            .any(|test| text(&test).contains(name.split('-').next().unwrap_or(name)));
        assert!(used, "{file}: no test in {folder} names it");
    }
}

/// Every file that git tracks or would add, relative to the repository; none, said so, where there is no git.
fn files() -> impl Iterator<Item = Utf8PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(repository())
        .output();
    let names = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        _ => {
            skip("this is no git repository, so its files are not known");
            String::new()
        }
    };
    let names: Vec<Utf8PathBuf> = names.split('\0').filter(|name| !name.is_empty()).map(Utf8PathBuf::from).collect();
    names.into_iter().filter(|name| repository().join(name).is_file())
}

/// The program's own sources.
fn sources() -> impl Iterator<Item = Utf8PathBuf> {
    files().filter(|file| {
        let name = file.as_str();
        (name.starts_with("crates/") || name.starts_with("xtask/")) && name.contains("/src/") && name.ends_with(".rs")
    })
}

fn manifests() -> impl Iterator<Item = Utf8PathBuf> {
    files().filter(|file| file.file_name() == Some("Cargo.toml") && !file.as_str().starts_with("tests/projects/"))
}

fn is_test_material(file: &Utf8Path) -> bool {
    file.components().any(|part| part.as_str() == "tests")
}

fn text(file: &Utf8Path) -> String {
    fs_err::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{error}"))
}

/// The lines of code with their numbers: without comments, and without the tests at a file's end.
fn code(text: &str) -> Vec<(usize, &str)> {
    let tests = text.find("\n#[cfg(test)]").unwrap_or(text.len());
    let lines = text[..tests].lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

/// The names before `=` or `.` in one section of a manifest.
/// `[target.'cfg(unix)'.dependencies]`, and not its like for tests.
fn is_target_section(line: &str) -> bool {
    line.starts_with("[target.") && line.ends_with(".dependencies]")
}

fn keys(manifest: &str, section: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != section).skip(1).take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| Some(line.split(['=', '.']).next()?.trim().to_owned()))
        .filter(|key| !key.is_empty())
        .collect()
}

//! Published wheels of a JIT extension on LLVM, their bundled libraries taken out, put together again by the real tools; and
//! Windows' loader, as far as wine is one.

use crate::bench::{Bench, environment, fixture, is_real, members, repair, run, shims, tools};
use crate::skip;
use camino::{Utf8Path, Utf8PathBuf};
use objfile::SignatureState;
use platform::Os;
use std::collections::BTreeMap;
use std::process::Command;
use wheelproof_repair::Repaired;

/// The wheel of a distribution for a platform, downloaded once.
fn published(platform: &str) -> Option<Utf8PathBuf> {
    let dir = match std::env::var("WHEELPROOF_WHEELHOUSE") {
        Ok(dir) => Utf8PathBuf::from(dir),
        Err(_) => Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wheelhouse"),
    };
    fs_err::create_dir_all(&dir).unwrap();
    let there = |dir: &Utf8Path| {
        let ending = if platform.starts_with("win") { "win_amd64.whl" } else { "arm64.whl" };
        dir.read_dir_utf8()
            .unwrap()
            .flatten()
            .map(|entry| entry.path().to_owned())
            .find(|path| path.as_str().ends_with(ending))
    };
    if there(&dir).is_none() {
        let words = [
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary=:all:",
            "--python-version",
            "3.13",
            "--platform",
            platform,
            "justjit==0.1.6",
            "-d",
            dir.as_str(),
        ];
        Command::new("python3").args(words).status().ok()?;
    }
    there(&dir)
}

fn errors(repaired: &Repaired) -> Vec<String> {
    let errors = repaired.findings.iter().filter(|finding| finding.severity == diagnostics::Severity::Error);
    errors.map(|finding| finding.message.clone()).collect()
}

/// The files as `Bench::wheel` wants them, without what it adds itself.
fn plain(files: &BTreeMap<String, Vec<u8>>, left_out: impl Fn(&str) -> bool) -> Vec<(&str, Vec<u8>)> {
    let own = |name: &str| {
        [".dist-info/RECORD", ".dist-info/WHEEL", ".dist-info/METADATA", ".dist-info/DELVEWHEEL"]
            .iter()
            .any(|file| name.ends_with(file))
    };
    files
        .iter()
        .filter(|(name, _)| !own(name) && !left_out(name))
        .map(|(name, bytes)| (name.as_str(), bytes.clone()))
        .collect()
}

#[test]
fn a_mac_wheel_on_llvm_is_put_together_again() {
    if !is_real() {
        skip!("72 MB; WHEELPROOF_REAL=1 does it");
    }
    let Some(tools) = tools(Os::MacOs) else { skip!("there is no delocate") };
    let Some(given) = published("macosx_14_0_arm64") else { skip!("the wheel cannot be downloaded") };
    let bench = Bench::new();
    let libraries = bench.folder("libraries");
    let mut files = members(&given);
    for (name, bytes) in &files {
        if let Some((_, dylib)) = name.split_once("/.dylibs/") {
            fs_err::write(libraries.join(dylib), bytes).unwrap();
        }
    }
    // As it was before delocate: the extension asks run paths for its libraries.
    let core = "justjit/_core.cpython-313-darwin.so";
    let file = bench.folder("core").join("_core.so");
    fs_err::write(&file, &files[core]).unwrap();
    let parsed = objfile::parse(&files[core]).unwrap();
    let mut words: Vec<String> = Vec::new();
    for needed in &parsed.objects().next().unwrap().needed {
        if let Some(dylib) = needed.name.strip_prefix("@loader_path/.dylibs/") {
            words.extend(["-change".to_owned(), needed.name.to_owned(), format!("@rpath/{dylib}")]);
        }
    }
    drop(parsed);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.push(file.as_str());
    if run(shims().join("install_name_tool").as_str(), &words, &bench.dir).is_none() {
        skip!("there is no install_name_tool");
    }
    files.insert(core.to_owned(), fs_err::read(file).unwrap());

    let wheel = bench
        .wheel("justjit-0.1.6-cp313-cp313-macosx_12_0_arm64.whl", &plain(&files, |name| name.contains("/.dylibs/")));
    let result = repair(&bench.request("macos-arm64", "auto", tools), &wheel).unwrap();
    assert_eq!(errors(&result), Vec::<String>::new());
    assert_eq!(result.platform, "macosx_12_0_arm64");
    assert_eq!(result.grafted[0].name, "justjit/.dylibs/libLLVM.18.1.dylib");
    let mut signed = 0;
    for (name, bytes) in members(&result.wheel) {
        if objfile::sniff(&bytes).is_some() {
            let parsed = objfile::parse(&bytes).unwrap();
            let state = objfile::verify_signature(parsed.objects().next().unwrap()).unwrap();
            assert!(matches!(state, SignatureState::Valid { pages: 1.. }), "{name}: {state:?}");
            signed += 1;
        }
    }
    assert_eq!(signed, result.grafted.len() + 1);
}

#[test]
fn a_windows_wheel_on_llvm_is_put_together_again_and_loads() {
    if !is_real() {
        skip!("27 MB; WHEELPROOF_REAL=1 does it");
    }
    let Some(tools) = tools(Os::Windows) else { skip!("there is no delvewheel") };
    let Some(given) = published("win_amd64") else { skip!("the wheel cannot be downloaded") };
    let bench = Bench::new();
    let libraries = bench.folder("libraries");
    let mut files = members(&given);
    for (name, bytes) in &files {
        if let Some(dll) = name.strip_prefix("justjit.libs/") {
            fs_err::write(libraries.join(dll), bytes).unwrap();
        }
    }
    let init = String::from_utf8(files["justjit/__init__.py"].clone()).unwrap();
    let (head, rest) = init.split_once("# start delvewheel patch").unwrap();
    let (_, tail) = rest.split_once("# end delvewheel patch").unwrap();
    files.insert("justjit/__init__.py".to_owned(), format!("{}{}", head.trim_end(), tail).into_bytes());
    let name = "justjit-0.1.6-cp313-cp313-win_amd64.whl";
    let wheel = bench.wheel(name, &plain(&files, |name| name.starts_with("justjit.libs/")));
    let result = repair(&bench.request("windows-x86_64", "auto", tools), &wheel).unwrap();
    assert_eq!(errors(&result), Vec::<String>::new());
    assert_eq!(result.grafted.len(), 3);

    let core = "justjit/_core.cp313-win_amd64.pyd";
    let Some(python) = stub(&bench, &files[core]) else { skip!("there is no zig to make a python313.dll with") };
    let Some(said) = under_wine(&bench, &wheel, core, "PyInit__core", &[], &python) else { skip!("there is no wine") };
    assert_eq!(said, "error 126");
    let said = under_wine(&bench, &result.wheel, core, "PyInit__core", &["justjit.libs"], &python).unwrap();
    assert_eq!(said, "loaded, PyInit__core found");
}

#[test]
fn a_small_windows_wheel_loads_after_repair_and_not_before() {
    if !is_real() {
        skip!("wine starts in seconds; WHEELPROOF_REAL=1 does it");
    }
    let Some(tools) = tools(Os::Windows) else { skip!("there is no delvewheel") };
    let bench = Bench::new();
    bench.libraries(&[("helper.dll", fixture("windows/helper.dll")), ("deep.dll", fixture("windows/deep.dll"))]);
    let core = "pkg/_core.cp313-win_amd64.pyd";
    let files = [("pkg/__init__.py", Vec::new()), (core, fixture("windows/_core.cp313-win_amd64.pyd"))];
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-win_amd64.whl", &files);
    let python = fixture("windows/python313.dll");
    let Some(said) = under_wine(&bench, &wheel, core, "PyInit__core", &[], &python) else { skip!("there is no wine") };
    assert_eq!(said, "error 126");
    let result = repair(&bench.request("windows-x86_64", "auto", tools), &wheel).unwrap();
    let said = under_wine(&bench, &result.wheel, core, "PyInit__core", &["pkg.libs"], &python).unwrap();
    assert_eq!(said, "loaded, PyInit__core found");
}

/// What host.exe says of an extension of an unpacked wheel.
fn under_wine(
    bench: &Bench,
    wheel: &Utf8Path,
    core: &str,
    function: &str,
    added: &[&str],
    python: &[u8],
) -> Option<String> {
    let wine = ["/usr/lib/wine/wine64", "wine64", "wine"]
        .into_iter()
        .find(|wine| Command::new(wine).arg("--version").output().is_ok())?;
    let site = bench.folder(&format!("wine-{}", added.len()));
    crate::bench::install(wheel, &site);
    fs_err::write(site.join("host.exe"), fixture("windows/host.exe")).unwrap();
    fs_err::write(site.join("python313.dll"), python).unwrap();
    let windows = |path: &str| format!("Z:{}", site.join(path)).replace('/', "\\");
    let mut words = vec![site.join("host.exe").to_string(), windows(core), function.to_owned()];
    words.extend(added.iter().map(|folder| windows(folder)));
    let prefix = Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wine");
    let out = Command::new(wine)
        .args(words)
        .env("WINEDEBUG", "-all")
        .env("WINEPREFIX", &prefix)
        .env_remove("DISPLAY")
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// A python313.dll that has every name that an extension imports from it, made with zig.
fn stub(bench: &Bench, extension: &[u8]) -> Option<Vec<u8>> {
    let zig = environment("zig", "ziglang\n")?;
    let parsed = objfile::parse(extension).unwrap();
    let names: Vec<&str> = parsed
        .objects()
        .next()
        .unwrap()
        .imports
        .iter()
        .filter(|import| matches!(import.from, objfile::Provider::Library(library) if library.eq_ignore_ascii_case("python313.dll")))
        .map(|import| import.name)
        .collect();
    assert!(names.len() > 50);
    let dir = bench.folder("stub");
    let source: String = names.iter().map(|name| format!("__declspec(dllexport) void {name}(void) {{}}\n")).collect();
    fs_err::write(dir.join("python313.c"), source).unwrap();
    run(
        zig.python.as_str(),
        &[
            "-m",
            "ziglang",
            "cc",
            "-target",
            "x86_64-windows-gnu",
            "-fno-builtin",
            "-shared",
            "python313.c",
            "-o",
            "python313.dll",
        ],
        &dir,
    )?;
    Some(fs_err::read(dir.join("python313.dll")).unwrap())
}

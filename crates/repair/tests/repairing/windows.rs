//! Windows' wheels, repaired by delvewheel on whatever host this is.

use crate::bench::{Bench, fixture, grafted, members, refused, repair, repaired, tools};
use crate::skip;
use platform::Os;
use wheelproof_repair::{Existing, How, RepairError};

const NAME: &str = "pkg-1.0-cp313-cp313-win_amd64.whl";
const CORE: &str = "pkg/_core.cp313-win_amd64.pyd";
const INIT: &str = "\"\"\"A package.\"\"\"\nfrom __future__ import annotations\n\nfrom pkg import _core\n";

fn core() -> Vec<u8> {
    fixture("windows/_core.cp313-win_amd64.pyd")
}

fn package() -> Vec<(&'static str, Vec<u8>)> {
    vec![("pkg/__init__.py", INIT.into()), (CORE, core())]
}

fn dlls(bench: &Bench) {
    bench.libraries(&[("helper.dll", fixture("windows/helper.dll")), ("deep.dll", fixture("windows/deep.dll"))]);
}

#[test]
fn a_chain_of_dlls_is_grafted() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet (WHEELPROOF_REAL=1 does)") };
    let bench = Bench::new();
    dlls(&bench);
    let wheel = bench.wheel(NAME, &package());
    let request = bench.request("windows-x86_64", "auto", tools);
    let result = repaired(&request, &wheel);
    assert_eq!(result.how, How::Repaired);
    assert_eq!(grafted(&result), ["deep.dll", "helper.dll"]);
    assert_eq!(result.platform, "win_amd64");
    let files = members(&result.wheel);
    assert!(String::from_utf8_lossy(&files["pkg/__init__.py"]).contains("add_dll_directory"));

    // What was repaired is left alone.
    let again = repaired(&request, &result.wheel.clone());
    assert_eq!(again.how, How::HeldAlready);
    assert_eq!(again.wheel, result.wheel);
}

#[test]
fn the_same_bytes_twice_in_different_folders() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let make = || {
        let bench = Bench::new();
        dlls(&bench);
        // Python before 3.10 gets a file with a list of DLLs, whose order was a set's.
        let wheel = bench.wheel("pkg-1.0-cp39-cp39-win_amd64.whl", &package());
        let mut request = bench.request("windows-x86_64", "auto", tools.clone());
        request.work_dir = bench.dir.join(format!("work-{}", bench.dir.file_name().unwrap()));
        fs_err::read(repaired(&request, &wheel).wheel).unwrap()
    };
    assert!(make() == make());
}

#[test]
fn two_extensions_share_one_copy() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    dlls(&bench);
    let mut files = package();
    files.push(("pkg/sub/__init__.py", "".into()));
    files.push(("pkg/sub/_core.cp313-win_amd64.pyd", core()));
    let wheel = bench.wheel(NAME, &files);
    assert_eq!(grafted(&repaired(&bench.request("windows-x86_64", "auto", tools), &wheel)), ["deep.dll", "helper.dll"]);
}

#[test]
fn dlls_beside_the_extension_stay_and_get_what_they_need() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    bench.libraries(&[("deep.dll", fixture("windows/deep.dll"))]);
    let mut files = package();
    files.push(("pkg/helper.dll", fixture("windows/helper.dll")));
    let wheel = bench.wheel(NAME, &files);
    let mut request = bench.request("windows-x86_64", "auto", tools);
    let result = repaired(&request, &wheel);
    assert_eq!(result.grafted.len(), 1, "{:?}", result.grafted);
    assert!(members(&result.wheel).contains_key("pkg/helper.dll"));
    request.options.existing = Existing::KeepAndMangleTheirNeeds;
    assert_eq!(grafted(&repaired(&request, &wheel)), ["deep.dll"]);
}

#[test]
fn an_extension_at_the_root_and_one_in_platlib() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    dlls(&bench);
    let wheel = bench.wheel(NAME, &[("_core.cp313-win_amd64.pyd", core())]);
    let request = bench.request("windows-x86_64", "auto", tools);
    assert_eq!(grafted(&repaired(&request, &wheel)), ["deep.dll", "helper.dll"]);
    let wheel = bench.wheel(
        "pkg-1.0-cp39-abi3-win_amd64.whl",
        &[("pkg-1.0.data/platlib/pkg/__init__.py", INIT.into()), ("pkg-1.0.data/platlib/pkg/_core.pyd", core())],
    );
    let result = repaired(&request, &wheel);
    assert_eq!(grafted(&result), ["deep.dll", "helper.dll"]);
    assert!(members(&result.wheel).contains_key("pkg/_core.pyd"));
}

#[test]
fn namespace_packages_get_no_init() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    dlls(&bench);
    let wheel = bench.wheel(NAME, &[("ns/pkg/__init__.py", INIT.into()), ("ns/pkg/_core.cp313-win_amd64.pyd", core())]);
    let mut request = bench.request("windows-x86_64", "auto", tools);
    request.options.namespace_packages = vec!["ns".to_owned()];
    let result = repaired(&request, &wheel);
    assert!(!members(&result.wheel).contains_key("ns/__init__.py"));
}

#[test]
fn what_another_wheel_owns_is_named() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    bench.libraries(&[]);
    let wheel = bench.wheel(NAME, &package());
    let mut request = bench.request("windows-x86_64", "auto", tools);
    request.exclude = vec!["Helper*.dll".to_owned()];
    let result = repaired(&request, &wheel);
    assert_eq!(result.how, How::HeldAlready, "there is nothing left to graft");
    assert_eq!(result.assumed.len(), 1);
    assert_eq!((result.assumed[0].library.as_str(), result.assumed[0].needed_by.as_str()), ("helper.dll", CORE));
}

/// `*` and `?` and nothing else, to the tool as to us: what it leaves out too much is in nobody's wheel, what too little is
/// there twice.
#[test]
fn patterns_mean_the_same_to_the_tool() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    for (pattern, left_out) in [("DE?P.dll", true), ("d*p.dll", true), ("h?.dll", false), ("d[e]*p.dll", false)] {
        let bench = Bench::new();
        bench.libraries(&[("helper.dll", fixture("windows/helper.dll")), ("deep.dll", fixture("windows/deep.dll"))]);
        let wheel = bench.wheel(NAME, &package());
        let mut request = bench.request("windows-x86_64", "auto", tools.clone());
        request.exclude = vec![pattern.to_owned()];
        let result = repaired(&request, &wheel);
        assert_eq!(result.grafted.len(), if left_out { 1 } else { 2 }, "{pattern}: {:?}", result.grafted);
        let assumed: Vec<&str> = result.assumed.iter().map(|assumed| assumed.library.as_str()).collect();
        assert_eq!(assumed, if left_out { vec!["deep.dll"] } else { vec![] }, "{pattern}");
    }
}

#[test]
fn a_dll_that_is_nowhere() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    let dir = bench.libraries(&[("helper.dll", fixture("windows/helper.dll"))]);
    let wheel = bench.wheel(NAME, &package());
    let request = bench.request("windows-x86_64", "auto", tools);
    let (error, text) = refused(&request, &wheel);
    assert_eq!(text, "the library `deep.dll`, needed by `helper.dll`, was not found");
    assert!(exec::Explain::hint(&error).unwrap().contains(dir.as_str()));

    // One of that name for another processor is not it, and that is said.
    fs_err::write(dir.join("deep.dll"), with_machine(fixture("windows/deep.dll"), 0xaa64)).unwrap();
    let (_, text) = refused(&request, &wheel);
    assert!(text.contains("is for aarch64"), "{text}");
}

/// The same image, said to be for another processor.
fn with_machine(mut pe: Vec<u8>, machine: u16) -> Vec<u8> {
    let header = u32::from_le_bytes(pe[0x3c..0x40].try_into().unwrap()) as usize;
    pe[header + 4..header + 6].copy_from_slice(&machine.to_le_bytes());
    pe
}

#[test]
fn an_extension_for_another_processor() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    dlls(&bench);
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", INIT.into()), (CORE, with_machine(core(), 0xaa64))]);
    let (error, text) = refused(&bench.request("windows-x86_64", "auto", tools), &wheel);
    assert!(matches!(error, RepairError::WrongArchitecture { .. }));
    assert!(text.contains("is for aarch64, the tag promises amd64"), "{text}");
}

#[test]
fn an_overlay_is_in_the_way() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    dlls(&bench);
    let mut overlaid = without_slack(core());
    overlaid.extend_from_slice(&[7; 4096]);
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", INIT.into()), (CORE, overlaid)]);
    let (error, text) = refused(&bench.request("windows-x86_64", "auto", tools), &wheel);
    assert!(matches!(error, RepairError::Overlay { .. }), "{text}");
    assert!(text.starts_with("`_core.cp313-win_amd64.pyd` carries data behind its sections"), "{text}");
}

/// The same image with every section using all of its bytes, so that no new name fits in.
fn without_slack(mut pe: Vec<u8>) -> Vec<u8> {
    let header = u32::from_le_bytes(pe[0x3c..0x40].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes(pe[header + 6..header + 8].try_into().unwrap()) as usize;
    let optional = u16::from_le_bytes(pe[header + 20..header + 22].try_into().unwrap()) as usize;
    for index in 0..count {
        let section = header + 24 + optional + 40 * index;
        let raw = u32::from_le_bytes(pe[section + 16..section + 20].try_into().unwrap());
        let used = u32::from_le_bytes(pe[section + 8..section + 12].try_into().unwrap());
        pe[section + 8..section + 12].copy_from_slice(&raw.max(used).to_le_bytes());
    }
    pe
}

#[test]
fn a_wheel_that_was_repaired_and_is_not_right_is_not_touched_again() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    dlls(&bench);
    let mut files = package();
    files.push(("pkg-1.0.dist-info/DELVEWHEEL", "Version: 1.12.0\nArguments: ['delvewheel']\n".into()));
    let wheel = bench.wheel(NAME, &files);
    let (_, text) = refused(&bench.request("windows-x86_64", "auto", tools), &wheel);
    assert!(text.starts_with("the wheel was repaired before, by delvewheel 1.12.0, and is not right:"), "{text}");
}

#[test]
fn a_pure_wheel_passes_through() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let bench = Bench::new();
    let wheel =
        bench.wheel_with("pkg-1.0-py3-none-any.whl", "Root-Is-Purelib: true", &[("pkg/__init__.py", "".into())]);
    let request = bench.request("windows-x86_64", "auto", tools);
    let result = repaired(&request, &wheel);
    assert_eq!((result.how, result.wheel == wheel), (How::Pure, true));

    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into())]);
    let result = repair(&request, &wheel).unwrap();
    assert_eq!(result.findings[0].rule.name, "needless-platform-tag");
}

/// The same image, said to be a program and not a DLL: IMAGE_FILE_DLL is taken from the characteristics.
fn as_program(mut pe: Vec<u8>) -> Vec<u8> {
    let header = u32::from_le_bytes(pe[0x3c..0x40].try_into().unwrap()) as usize;
    pe[header + 23] &= !0x20;
    pe
}

/// It is installed into another folder than the packages, and `os.add_dll_directory` is for the process of Python alone.
#[test]
fn a_program_finds_no_grafted_dll() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    let program = || as_program(fixture("windows/helper.dll"));
    for (place, how) in [
        ("pkg-1.0.data/scripts/tool.exe", "it is installed among the programs"),
        ("pkg/tool.exe", "a program looks in its own folder"),
    ] {
        let bench = Bench::new();
        dlls(&bench);
        let mut files = package();
        files.push((place, program()));
        let wheel = bench.wheel(NAME, &files);
        let mut request = bench.request("windows-x86_64", "auto", tools.clone());
        request.options.no_mangle = vec!["deep.dll".to_owned()];
        let findings = repair(&request, &wheel).unwrap().findings;
        let [finding] = findings.as_slice() else { panic!("{place}: {findings:#?}") };
        assert_eq!((finding.rule.name, finding.severity), ("not-reached", diagnostics::Severity::Error));
        let start = format!("`{place}` needs `deep.dll`, which lies in the wheel as `pkg.libs/deep.dll`, but {how}");
        assert!(finding.message.starts_with(&start), "{}", finding.message);
    }
    // What lies beside a program is installed beside it.
    let bench = Bench::new();
    dlls(&bench);
    let mut files = package();
    files.push(("pkg-1.0.data/scripts/tool.exe", program()));
    files.push(("pkg-1.0.data/scripts/deep.dll", fixture("windows/deep.dll")));
    let wheel = bench.wheel(NAME, &files);
    let result = repair(&bench.request("windows-x86_64", "auto", tools), &wheel).unwrap();
    let errors = result.findings.iter().filter(|finding| finding.severity == diagnostics::Severity::Error);
    assert_eq!(errors.count(), 0, "{:#?}", result.findings);
}

/// Names are written into the room behind sections, or into a section of their own; the code stays.
#[test]
fn a_stripped_dll_keeps_its_code() {
    let Some(tools) = tools(Os::Windows) else { skip!("delvewheel was not installed yet") };
    if std::process::Command::new("strip").arg("--version").output().is_err() {
        skip!("there is no strip");
    }
    let bench = Bench::new();
    dlls(&bench);
    let mut overlaid = without_slack(core());
    overlaid.extend_from_slice(&[7; 4096]);
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", INIT.into()), (CORE, overlaid)]);
    let mut request = bench.request("windows-x86_64", "auto", tools);
    request.strip = true;
    match repair(&request, &wheel) {
        Ok(result) => assert_eq!(result.findings, []),
        // Not every strip knows the format.
        Err(error) => println!("{error}"),
    }
}

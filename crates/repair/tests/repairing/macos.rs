//! macOS's wheels, repaired by delocate: with Apple's programs on macOS, elsewhere with the stand-ins of tests/shims.

use crate::bench::{Bench, fixture, grafted, members, refused, repair, repaired, run, shims, tools, without_pad};
use crate::{or_skip, skip};
use camino::Utf8Path;
use host::toolenv::ToolEnvironment;
use objfile::SignatureState;
use platform::Os;
use wheelproof_repair::{How, RepairError, Repaired};

const CORE: &str = "pkg/_core.cpython-313-darwin.so";

/// delocate and what it calls.
fn delocate() -> Result<ToolEnvironment, &'static str> {
    let tools = tools(Os::MacOs).ok_or("delocate was not installed yet (WHEELPROOF_REAL=1 does)")?;
    if cfg!(target_os = "macos") {
        return Ok(tools);
    }
    let here = shims();
    let works = |name: &str| {
        std::process::Command::new(here.join(name))
            .arg("--version")
            .output()
            .is_ok_and(|out| out.status.code() != Some(127))
    };
    if works("otool") && works("install_name_tool") && works("lipo") {
        Ok(tools)
    } else {
        Err("LLVM's otool, install_name_tool and lipo are not there")
    }
}

fn core(arch: &str) -> Vec<u8> {
    fixture(&format!("macos-{arch}/_core.cpython-313-darwin.so"))
}

fn package(arch: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![("pkg/__init__.py", "".into()), (CORE, core(arch))]
}

fn dylibs(bench: &Bench, arch: &str) {
    let of = |name: &str| fixture(&format!("macos-{arch}/{name}"));
    bench.libraries(&[("libhelper.dylib", of("libhelper.dylib")), ("libdeep.dylib", of("libdeep.dylib"))]);
}

/// Every Mach-O of a wheel has a signature whose page hashes all fit.
fn all_pages_fit(repaired: &Repaired) -> usize {
    let mut binaries = 0;
    for (name, bytes) in members(&repaired.wheel) {
        if objfile::sniff(&bytes).is_none() {
            continue;
        }
        for object in objfile::parse(&bytes).unwrap().objects() {
            let state = objfile::verify_signature(object).unwrap();
            assert!(matches!(state, SignatureState::Valid { pages: 1.. }), "{name}: {state:?}");
            binaries += 1;
        }
    }
    binaries
}

/// Takes a signature off.
fn unsigned(bytes: &[u8], bench: &Bench) -> Vec<u8> {
    let file = bench.folder("unsigned").join("it");
    fs_err::write(&file, bytes).unwrap();
    run(shims().join("codesign").as_str(), &["--remove-signature", file.as_str()], Utf8Path::new("/")).unwrap();
    fs_err::read(file).unwrap()
}

#[test]
fn a_chain_of_dylibs_is_grafted_and_signed() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_11_0_arm64.whl", &package("arm64"));
    let request = bench.request("macos-arm64", "auto", tools);
    let result = repaired(&request, &wheel);
    assert_eq!(grafted(&result), ["libdeep.dylib", "libhelper.dylib"]);
    assert_eq!(result.platform, "macosx_12_0_arm64", "what the binaries are built for, not what the build said");
    assert_eq!(all_pages_fit(&result), 3);

    let again = repaired(&request, &result.wheel.clone());
    assert_eq!((again.how, again.wheel), (How::HeldAlready, result.wheel));
}

#[test]
fn what_comes_unsigned_goes_out_signed() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    let of = |name: &str| unsigned(&fixture(&format!("macos-arm64/{name}")), &bench);
    bench.libraries(&[("libhelper.dylib", of("libhelper.dylib")), ("libdeep.dylib", of("libdeep.dylib"))]);
    let core = unsigned(&core("arm64"), &bench);
    assert_eq!(
        objfile::verify_signature(objfile::parse(&core).unwrap().objects().next().unwrap()).unwrap(),
        SignatureState::Unsigned
    );
    let wheel =
        bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl", &[("pkg/__init__.py", "".into()), (CORE, core)]);
    let result = repaired(&bench.request("macos-arm64", "macosx_12_0", tools), &wheel);
    assert_eq!(all_pages_fit(&result), 3);
}

#[test]
fn the_same_bytes_twice_in_different_folders() {
    let tools = or_skip!(delocate());
    let make = |pause: u64| {
        let bench = Bench::new();
        dylibs(&bench, "arm64");
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl", &package("arm64"));
        fs_err::read(repaired(&bench.request("macos-arm64", "auto", tools.clone()), &wheel).wheel).unwrap()
    };
    assert!(make(0) == make(2100));
}

#[test]
fn for_intel_no_signature_is_asked() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "x86_64");
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_11_0_x86_64.whl", &package("x86_64"));
    let result = repaired(&bench.request("macos-x86_64", "macosx_11_0", tools), &wheel);
    assert_eq!((grafted(&result).len(), result.platform.as_str()), (2, "macosx_11_0_x86_64"));
}

#[test]
fn two_extensions_share_one_copy_also_from_platlib_and_for_the_stable_abi() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let files = [
        ("pkg/__init__.py", Vec::new()),
        ("pkg/_core.abi3.so", core("arm64")),
        ("pkg-1.0.data/platlib/other/__init__.py", Vec::new()),
        ("pkg-1.0.data/platlib/other/_core.abi3.so", core("arm64")),
    ];
    let wheel = bench.wheel("pkg-1.0-cp39-abi3-macosx_12_0_arm64.whl", &files);
    let result = repaired(&bench.request("macos-arm64", "auto", tools), &wheel);
    assert_eq!(grafted(&result), ["libdeep.dylib", "libhelper.dylib"]);
}

#[test]
fn newer_than_the_deployment_target() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_11_0_arm64.whl", &package("arm64"));
    let (error, text) = refused(&bench.request("macos-arm64", "macosx_11_0", tools), &wheel);
    assert!(matches!(error, RepairError::PolicyNotMet { .. }), "{text}");
    assert!(text.starts_with("the wheel does not meet `macosx_11_0_arm64`:"), "{text}");
    assert!(text.contains("`pkg/.dylibs/libhelper.dylib` is built for macOS 12.0 and newer"), "{text}");
}

#[test]
fn a_dylib_that_is_nowhere_or_for_another_processor() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    let dir = bench.libraries(&[("libhelper.dylib", fixture("macos-arm64/libhelper.dylib"))]);
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl", &package("arm64"));
    let request = bench.request("macos-arm64", "auto", tools);
    let (_, text) = refused(&request, &wheel);
    assert_eq!(text, "the library `@rpath/libdeep.dylib`, needed by `@rpath/libhelper.dylib`, was not found");

    fs_err::write(dir.join("libdeep.dylib"), fixture("macos-x86_64/libdeep.dylib")).unwrap();
    let (error, text) = refused(&request, &wheel);
    assert!(matches!(error, RepairError::WrongArchitecture { .. }), "{text}");
    assert!(text.contains("libdeep.dylib` is for x86_64"), "{text}");
}

/// Both processors' files as one.
fn universal(name: &str, bench: &Bench) -> Vec<u8> {
    let folder = bench.folder("universal");
    let parts = ["arm64", "x86_64"].map(|arch| {
        let part = folder.join(format!("{arch}-{name}"));
        fs_err::write(&part, fixture(&format!("macos-{arch}/{name}"))).unwrap();
        part
    });
    let whole = folder.join(name);
    let args = ["-create", parts[0].as_str(), parts[1].as_str(), "-output", whole.as_str()];
    run(shims().join("lipo").as_str(), &args, Utf8Path::new("/")).unwrap();
    fs_err::read(whole).unwrap()
}

#[test]
fn a_universal_wheel_needs_both_processors_in_every_library() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    let files = [("pkg/__init__.py", Vec::new()), (CORE, universal("_core.cpython-313-darwin.so", &bench))];
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_universal2.whl", &files);
    let request = bench.request("macos-arm64", "auto", tools);
    let both = |name: &str| universal(name, &bench);
    let dir =
        bench.libraries(&[("libhelper.dylib", both("libhelper.dylib")), ("libdeep.dylib", both("libdeep.dylib"))]);
    let result = repaired(&request, &wheel);
    assert_eq!(grafted(&result), ["libdeep.dylib", "libhelper.dylib"]);
    assert_eq!(result.platform, "macosx_11_0_x86_64.macosx_12_0_arm64", "each with its own floor");
    assert_eq!(all_pages_fit(&result), 6);

    fs_err::write(dir.join("libdeep.dylib"), fixture("macos-arm64/libdeep.dylib")).unwrap();
    let (_, text) = refused(&request, &wheel);
    assert!(text.contains("libdeep.dylib") && text.contains("x86_64"), "{text}");
}

#[test]
fn what_another_wheel_owns_is_named() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl", &package("arm64"));
    let mut request = bench.request("macos-arm64", "auto", tools);
    request.exclude = vec!["libdeep*.dylib".to_owned()];
    let result = repaired(&request, &wheel);
    assert_eq!(grafted(&result), ["libhelper.dylib"]);
    assert_eq!(result.assumed.len(), 1);
    assert_eq!(result.assumed[0].library, "@rpath/libdeep.dylib");
}

#[test]
fn no_room_in_the_header() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let tight = without_pad(core("arm64"));
    let files = [("pkg/__init__.py", Vec::new()), ("pkg/a/b/c/__init__.py", Vec::new()), ("pkg/a/b/c/_core.so", tight)];
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl", &files);
    let request = bench.request("macos-arm64", "auto", tools);
    let (error, text) = refused(&request, &wheel);
    let log = fs_err::read_to_string(request.log_dir.join("repair.log")).unwrap_or_default();
    assert!(matches!(error, RepairError::NoHeaderRoom { .. }), "{text}\n{log}");
    assert!(text.contains("_core.so` has no room in its header"), "{text}");
}

#[test]
fn without_apples_programs_it_is_said() {
    let Some(tools) = tools(Os::MacOs) else { skip!("delocate was not installed yet") };
    if cfg!(target_os = "macos") {
        skip!("they are here");
    }
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl", &package("arm64"));
    let mut request = bench.request("macos-arm64", "auto", tools);
    request.options.program_dirs.clear();
    let (error, text) = refused(&request, &wheel);
    assert!(text.starts_with("delocate needs `otool`"), "{text}");
    assert_eq!(exec::Explain::blame(&error), exec::Blame::Environment);
}

/// The same image, said to be a program: MH_EXECUTE. Its own name (LC_ID_DYLIB), which no program has, becomes a run path.
fn as_program(mut macho: Vec<u8>) -> Vec<u8> {
    const LC_ID_DYLIB: u32 = 0xd;
    const LC_RPATH: u32 = 0x8000_001c;
    let name = {
        let file = objfile::parse(&macho).unwrap();
        let commands = &file.objects().next().unwrap().macho().unwrap().load_commands;
        commands.iter().find(|one| one.command == LC_ID_DYLIB).map(|one| (one.offset as usize, one.size as usize))
    };
    macho[12..16].copy_from_slice(&2_u32.to_le_bytes());
    if let Some((at, size)) = name {
        macho[at..at + 4].copy_from_slice(&LC_RPATH.to_le_bytes());
        macho[at + 8..at + 12].copy_from_slice(&12_u32.to_le_bytes());
        macho[at + 12..at + size].fill(0);
        macho[at + 12..at + 24].copy_from_slice(b"@loader_path");
    }
    macho
}

/// A program is installed into another folder than the packages; delocate counts from where it lies in the archive.
#[test]
fn a_program_among_the_scripts_finds_no_grafted_library() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let program = as_program(unsigned(&core("arm64"), &bench));
    let tool = "pkg-1.0.data/scripts/tool";
    let mut files = package("arm64");
    files.push((tool, program));
    let wheel = bench.wheel("pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl", &files);
    let result = repair(&bench.request("macos-arm64", "auto", tools), &wheel).unwrap();
    let errors: Vec<_> =
        result.findings.iter().filter(|finding| finding.severity == diagnostics::Severity::Error).collect();
    let [finding] = errors.as_slice() else { panic!("{errors:#?}") };
    assert_eq!(finding.rule.name, "not-reached");
    let said = "lies in the wheel as `pkg/.dylibs/libhelper.dylib`, but it is installed among the programs, and no relative \
                path leads from there into the packages' folder";
    assert!(finding.message.contains(said), "{}", finding.message);
}

/// delocate's folder beside an extension that lies in no package.
#[test]
fn a_top_level_extension_that_was_repaired_before() {
    let tools = or_skip!(delocate());
    let bench = Bench::new();
    dylibs(&bench, "arm64");
    let name = "pkg-1.0-cp313-cp313-macosx_12_0_arm64.whl";
    let wheel = bench.wheel(name, &[("_core.cpython-313-darwin.so", core("arm64"))]);
    let request = bench.request("macos-arm64", "auto", tools);
    let result = repaired(&request, &wheel);
    assert_eq!(result.grafted[0].name.split('/').next(), Some("pkg.dylibs"), "{:?}", result.grafted);
    let mut files = members(&result.wheel);
    files.remove("pkg.dylibs/libdeep.dylib");
    let own = |name: &str| name.starts_with("pkg-1.0.dist-info/");
    let files: Vec<_> =
        files.iter().filter(|(name, _)| !own(name)).map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let (error, text) = refused(&request, &bench.wheel(name, &files));
    assert!(matches!(error, RepairError::RepairedBefore { .. }), "{text}");
}

//! Finding and picking, on trees made here that look like the systems they are named after, and on what is really
//! installed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{collections::BTreeMap, os::unix::fs::symlink, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};
use platform::Os;
use wheelproof_llvm::{Findings, Linkage, Origin, Refusal, Requirement, Search, Seen, find};

struct Tree {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap().canonicalize_utf8().unwrap();
        Self { _folder: folder, root }
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
        self
    }

    fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn cmake(&self, folder: &str, version: &str) -> &Self {
        self.file(
            &format!("{folder}/LLVMConfig.cmake"),
            &format!("set(LLVM_PACKAGE_VERSION {version})\nset(LLVM_ENABLE_RTTI ON)\n"),
        )
    }

    fn system(&self) -> Search {
        Search { roots: vec![self.root.clone()], path: vec![self.root.join("usr/bin")], ..Search::default() }
    }
}

/// Looks without anything being run.
fn look(search: &Search) -> Findings {
    find(search, &|program, arguments| panic!("{program} {arguments:?} need not be run"))
}

fn want(version: &str, linkage: Linkage) -> Requirement {
    Requirement { version: version.parse().unwrap(), linkage }
}

/// Debian 12 with llvm-14-dev, llvm-19-dev and, as a dependency of something else, the library of 15.
fn debian() -> Tree {
    let tree = Tree::new();
    for (major, full, library) in [(14, "14.0.6", "libLLVM-14.so.1"), (19, "19.1.7", "libLLVM.so.19.1")] {
        let lib = format!("usr/lib/llvm-{major}/lib");
        tree.cmake(&format!("{lib}/cmake/llvm"), full)
            .file(&format!("usr/lib/x86_64-linux-gnu/{library}"), "not a real one")
            .link(&format!("{lib}/{library}"), &format!("../../x86_64-linux-gnu/{library}"))
            .link(&format!("{lib}/libLLVM.so"), library)
            .file(&format!("{lib}/libLLVMCore.a"), "")
            .file(&format!("usr/lib/llvm-{major}/bin/llvm-config"), "")
            .link(&format!("usr/bin/llvm-config-{major}"), &format!("../lib/llvm-{major}/bin/llvm-config"));
    }
    tree.link("usr/bin/llvm-config", "../lib/llvm-14/bin/llvm-config");
    tree.file("usr/lib/x86_64-linux-gnu/libLLVM-15.so.1", "")
        .link("usr/lib/x86_64-linux-gnu/libLLVM-15.so", "libLLVM-15.so.1");
    tree
}

#[test]
fn debian_has_each_once() {
    let tree = debian();
    let found = look(&tree.system());
    let installed: Vec<_> = found.installations.iter().map(|i| (i.version.to_string(), i.origin.to_string())).collect();
    assert_eq!(
        installed,
        [
            ("14.0.6".to_owned(), "llvm-config on PATH".to_owned()),
            ("19.1.7".to_owned(), "llvm-config-19 on PATH".to_owned())
        ]
    );
    let shared = found.installations[0].shared.as_ref().unwrap();
    assert_eq!(shared.path, tree.root.join("usr/lib/x86_64-linux-gnu/libLLVM-14.so.1"));
    assert_eq!(shared.soname, "libLLVM-14.so.1");
    assert!(found.installations[1].static_archives);
    assert_eq!(found.installations[1].rtti, Some(true));
    let runtime: Vec<_> = found.looked_at.iter().filter(|look| matches!(look.seen, Seen::RuntimeOnly(_))).collect();
    assert_eq!(runtime.len(), 1, "{runtime:?}");
}

#[test]
fn the_newest_that_satisfies_is_picked() {
    let tree = debian();
    let found = look(&tree.system());
    for (version, linkage, expected) in [
        ("", Linkage::Shared, "19.1.7"),
        (">=14", Linkage::Static, "19.1.7"),
        ("14", Linkage::Shared, "14.0.6"),
        (">=14,<19", Linkage::Shared, "14.0.6"),
        ("<=19", Linkage::Shared, "19.1.7"),
        ("~=19.1", Linkage::Shared, "19.1.7"),
        ("!=19", Linkage::Shared, "14.0.6"),
    ] {
        assert_eq!(found.pick(&want(version, linkage)).unwrap().version.to_string(), expected, "{version}");
    }
}

#[test]
fn a_place_somebody_named_goes_first_if_it_satisfies() {
    let tree = debian();
    let named = Search { llvm_dir: Some(tree.root.join("usr/lib/llvm-14/lib/cmake/llvm")), ..tree.system() };
    let found = look(&named);
    assert_eq!(found.installations[0].origin, Origin::LlvmDir);
    assert_eq!(found.pick(&want(">=14", Linkage::Shared)).unwrap().version.to_string(), "14.0.6");
    assert_eq!(found.pick(&want(">=15", Linkage::Shared)).unwrap().version.to_string(), "19.1.7");
    let by_prefix = Search { llvm_dir: None, configured: Some(tree.root.join("usr/lib/llvm-14")), ..tree.system() };
    assert_eq!(look(&by_prefix).installations[0].origin, Origin::Configuration);
}

#[test]
fn the_error_says_of_every_place_why_not() {
    let tree = debian();
    tree.cmake("usr/local/lib/cmake/llvm", "21.1.0").file("usr/local/lib/libLLVMCore.a", "");
    tree.cmake("opt/llvm-odd/lib/cmake/llvm", "nonsense");
    let search = Search { llvm_dir: Some(tree.root.join("nowhere")), ..tree.system() };
    let error = look(&search).pick(&want(">=20", Linkage::Shared)).unwrap_err();
    let reasons: BTreeMap<_, _> = error
        .places
        .iter()
        .map(|place| (place.place.strip_prefix(tree.root.as_str()).unwrap().to_owned(), place.why.clone()))
        .collect();
    assert_eq!(reasons["/nowhere"], Refusal::NothingThere);
    assert!(matches!(reasons["/usr/bin/llvm-config"], Refusal::Version { .. }));
    assert_eq!(reasons["/usr/local"], Refusal::NoSharedLibrary);
    assert_eq!(reasons["/usr/local/llvm*"], Refusal::NothingThere);
    assert!(!reasons.contains_key("%ProgramFiles%/LLVM"), "another system's place");
    assert!(matches!(&reasons["/opt/llvm-odd"], Refusal::Unusable(why) if why.contains("does not say a version")));
    assert_eq!(reasons["/usr/lib/x86_64-linux-gnu"], Refusal::RuntimeOnly);
    let text = error.to_string();
    for expected in [
        "no LLVM satisfies the requirement (>=20, shared)",
        "LLVM 14.0.6: version 14.0.6 is not >=20",
        "libLLVM-15.so.1: only the run-time library",
        "LLVM 21.1.0: it has no shared libLLVM",
        "no LLVM there",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
}

#[test]
fn red_hat_has_the_default_in_usr_and_others_beside_it() {
    let tree = Tree::new();
    tree.cmake("usr/lib64/cmake/llvm", "20.1.8")
        .file("usr/lib64/libLLVM.so.20.1", "")
        .link("usr/lib64/libLLVM-20.so", "libLLVM.so.20.1")
        .link("usr/lib64/libLLVM.so", "libLLVM.so.20.1")
        .file("usr/bin/llvm-config-64", "")
        .link("usr/bin/llvm-config", "llvm-config-64")
        .cmake("usr/lib64/llvm18/lib/cmake/llvm", "18.1.8")
        .file("usr/lib64/libLLVM.so.18.1", "")
        .link("usr/lib64/llvm18/lib/libLLVM.so.18.1", "../../libLLVM.so.18.1");
    let found = look(&tree.system());
    assert_eq!(found.installations.len(), 2);
    let newest = found.pick(&want(">=14", Linkage::Shared)).unwrap();
    assert_eq!(newest.prefix, tree.root.join("usr"));
    assert_eq!(newest.shared.as_ref().unwrap().soname, "libLLVM.so.20.1");
    assert!(!newest.static_archives);
    let older = found.pick(&want("18", Linkage::Shared)).unwrap();
    assert_eq!(older.shared.as_ref().unwrap().path, tree.root.join("usr/lib64/libLLVM.so.18.1"));
}

#[test]
fn homebrew_conda_and_windows() {
    let tree = Tree::new();
    tree.cmake("opt/homebrew/Cellar/llvm/21.1.0/lib/cmake/llvm", "21.1.0")
        .file("opt/homebrew/Cellar/llvm/21.1.0/lib/libLLVM.dylib", "")
        .link("opt/homebrew/opt/llvm", "../Cellar/llvm/21.1.0")
        .link("opt/homebrew/opt/llvm@21", "../Cellar/llvm/21.1.0")
        .cmake("conda/lib/cmake/llvm", "20.1.8")
        .file("conda/lib/libLLVM.20.1.dylib", "")
        .cmake("winconda/Library/lib/cmake/llvm", "19.1.7")
        .file("winconda/Library/bin/LLVM-C.dll", "")
        .file("winconda/Library/lib/LLVMCore.lib", "");
    let search = Search {
        homebrew: vec![tree.root.join("opt/homebrew")],
        conda: vec![tree.root.join("conda"), tree.root.join("winconda"), tree.root.join("noconda")],
        ..Search::default()
    };
    let found = look(&search);
    let versions: Vec<_> = found.installations.iter().map(|i| (i.version.major, i.origin.clone())).collect();
    assert_eq!(versions, [(21, Origin::Homebrew), (20, Origin::Conda), (19, Origin::Conda)]);
    assert!(found.looked_at.iter().any(|look| matches!(look.seen, Seen::SameAs(_))));
    let windows = want("19", Linkage::Static);
    assert_eq!(found.pick(&windows).unwrap().prefix, tree.root.join("winconda/Library"));
    let error = found.pick(&want("19", Linkage::Shared)).unwrap_err();
    assert!(error.places.iter().any(|place| matches!(&place.why, Refusal::CApiOnly(name) if name == "LLVM-C.dll")));
}

fn on(os: Os, tree: &Tree) -> Search {
    Search { os: Some(os), roots: vec![tree.root.clone()], ..Search::default() }
}

fn unusable<'a>(found: &'a Findings, tree: &Tree, place: &str) -> &'a str {
    let at = tree.root.join(place);
    found
        .looked_at
        .iter()
        .find_map(|look| match &look.seen {
            Seen::Unusable(reason) if look.place == at => Some(reason.as_str()),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{place} is not refused: {:?}", found.looked_at))
}

/// A Mach-O library for arm64 with no more than its install name.
fn dylib(install_name: &str) -> Vec<u8> {
    let text_length = (install_name.len() + 1).next_multiple_of(8);
    let command_length = u32::try_from(24 + text_length).unwrap();
    let words =
        [0xfeed_facf, 0x0100_000c, 0, 6, 1, command_length, 0, 0, 0xd, command_length, 24, 2, 0x0013_0100, 0x0013_0100];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    bytes.extend(install_name.bytes());
    bytes.resize(32 + command_length as usize, 0);
    bytes
}

/// Kegs that are not linked, MacPorts, conda, and what Apple's own toolchains look like.
#[test]
fn macos() {
    let tree = Tree::new();
    tree.cmake("opt/homebrew/Cellar/llvm@19/19.1.7/lib/cmake/llvm", "19.1.7")
        .link("opt/homebrew/Cellar/llvm@19/19.1.7/lib/libLLVM-19.dylib", "libLLVM.dylib")
        .link("opt/homebrew/Cellar/llvm@19/19.1.7/lib/libLLVM.19.1.dylib", "libLLVM.dylib")
        .file("opt/homebrew/Cellar/llvm@19/19.1.7/lib/libLLVM-C.dylib", "")
        .link("opt/homebrew/opt/llvm@19", "../Cellar/llvm@19/19.1.7")
        .cmake("opt/local/libexec/llvm-18/lib/cmake/llvm", "18.1.8")
        .file("opt/local/libexec/llvm-18/lib/libLLVM-18.dylib", "")
        .file("usr/local/opt/other", "")
        .cmake("conda/lib/cmake/llvm", "20.1.8")
        .file("Library/Developer/CommandLineTools/usr/lib/libLTO.dylib", "")
        .file("Library/Developer/CommandLineTools/usr/bin/clang", "")
        .file("Applications/Xcode_15.4.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/bin/clang", "");
    let bytes = dylib("/opt/homebrew/opt/llvm@19/lib/libLLVM.dylib");
    fs_err::write(tree.root.join("opt/homebrew/Cellar/llvm@19/19.1.7/lib/libLLVM.dylib"), bytes).unwrap();
    fs_err::write(tree.root.join("conda/lib/libLLVM.20.1.dylib"), dylib("@rpath/libLLVM.20.1.dylib")).unwrap();
    let search = Search {
        homebrew: vec![tree.root.join("opt/homebrew")],
        conda: vec![tree.root.join("conda")],
        ..on(Os::MacOs, &tree)
    };
    let found = look(&search);
    let shared: Vec<_> = found
        .installations
        .iter()
        .map(|i| (i.version.major, i.origin.to_string(), i.shared.as_ref().unwrap().soname.as_str()))
        .collect();
    assert_eq!(
        shared,
        [
            (18, "/opt/local/libexec/llvm-*".to_owned(), "libLLVM-18.dylib"),
            (19, "Homebrew".to_owned(), "libLLVM.dylib"),
            (20, "conda".to_owned(), "libLLVM.20.1.dylib"),
        ]
    );
    assert!(!found.installations[1].shared.as_ref().unwrap().c_api_only, "libLLVM-C.dylib lies beside it");
    for place in [
        "Library/Developer/CommandLineTools/usr",
        "Applications/Xcode_15.4.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
    ] {
        assert!(unusable(&found, &tree, place).contains("brew install llvm"));
    }
    assert!(
        !found.looked_at.iter().any(|look| look.place.as_str().contains("Program Files")),
        "another system's place"
    );
}

/// The name that others need it by is read from the load commands; of a damaged file it is the file's.
#[test]
fn the_install_name_is_read_from_the_library() {
    let tree = Tree::new();
    tree.cmake("opt/llvm/lib/cmake/llvm", "19.1.7");
    let library = tree.root.join("opt/llvm/lib/libLLVM-19.dylib");
    let whole = dylib("@rpath/libLLVM.dylib");
    let soname = || look(&on(Os::MacOs, &tree)).installations[0].shared.as_ref().unwrap().soname.clone();
    fs_err::write(&library, &whole).unwrap();
    assert_eq!(soname(), "libLLVM.dylib");
    for length in [0, 4, 20, 31, 32, 40, 55] {
        fs_err::write(&library, &whole[..length]).unwrap();
        assert_eq!(soname(), "libLLVM-19.dylib", "cut at {length}");
    }
    // A command that goes nowhere, and one that is longer than there is.
    for damage in [0u32, 4, u32::MAX] {
        let mut damaged = whole.clone();
        damaged[36..40].copy_from_slice(&damage.to_le_bytes());
        fs_err::write(&library, damaged).unwrap();
        assert_eq!(soname(), "libLLVM-19.dylib", "{damage}");
    }
}

/// The official installer, Scoop with the same, an archive of llvm.org, conda, vcpkg and MSYS2.
#[test]
fn windows() {
    let tree = Tree::new();
    tree.file("Program Files/LLVM/bin/LLVM-C.dll", "")
        .file("Program Files/LLVM/lib/LLVM-C.lib", "")
        .file("Users/me/scoop/apps/llvm/current/bin/LLVM-C.dll", "")
        .cmake("clang+llvm-20.1.8-x86_64-pc-windows-msvc/lib/cmake/llvm", "20.1.8")
        .file("clang+llvm-20.1.8-x86_64-pc-windows-msvc/lib/LLVMCore.lib", "")
        .file("clang+llvm-20.1.8-x86_64-pc-windows-msvc/bin/LLVM-C.dll", "")
        .file("clang+llvm-20.1.8-x86_64-pc-windows-msvc/bin/llvm-config.exe", "")
        .cmake("conda/Library/lib/cmake/llvm", "19.1.7")
        .file("conda/Library/lib/LLVMCore.lib", "")
        .file("conda/Library/bin/LLVM-C.dll", "")
        .cmake("vcpkg/installed/x64-windows/share/llvm", "18.1.6")
        .file("vcpkg/installed/x64-windows/lib/LLVMCore.lib", "")
        .cmake("vcpkg/installed/arm64-windows/share/llvm", "18.1.6")
        .cmake("msys64/ucrt64/lib/cmake/llvm", "21.1.0")
        .file("msys64/ucrt64/bin/libLLVM-21.dll", "")
        .file("msys64/ucrt64/bin/llvm-config.exe", "");
    let search = Search {
        path: vec![tree.root.join("msys64/ucrt64/bin"), tree.root.join("clang+llvm-20.1.8-x86_64-pc-windows-msvc/bin")],
        conda: vec![tree.root.join("conda")],
        vcpkg: vec![tree.root.join("vcpkg/installed/x64-windows*")],
        scoop: vec![tree.root.join("Users/me/scoop")],
        program_files: vec![tree.root.join("Program Files")],
        ..on(Os::Windows, &tree)
    };
    let found = look(&search);
    let all: Vec<_> = found
        .installations
        .iter()
        .map(|i| {
            (i.version.major, i.origin.to_string(), i.static_archives, i.shared.as_ref().map(|s| s.soname.as_str()))
        })
        .collect();
    assert_eq!(
        all,
        [
            (20, "llvm-config.exe on PATH".to_owned(), true, Some("LLVM-C.dll")),
            (19, "conda".to_owned(), true, Some("LLVM-C.dll")),
            (18, "vcpkg".to_owned(), true, None),
        ]
    );
    let vcpkg = &found.installations[2];
    assert_eq!(vcpkg.prefix, tree.root.join("vcpkg/installed/x64-windows"));
    assert_eq!(vcpkg.library_dir, vcpkg.prefix.join("lib"));
    for (place, why) in [
        ("Program Files/LLVM", "clang+llvm-<version>-x86_64-pc-windows-msvc.tar.xz"),
        ("Users/me/scoop/apps/llvm/current", "neither CMake files nor static libraries"),
        ("msys64/ucrt64", "MinGW"),
        ("msys64/ucrt64/bin/llvm-config.exe", "MinGW"),
    ] {
        assert!(unusable(&found, &tree, place).contains(why), "{place}");
    }
    assert_eq!(found.pick(&want(">=19", Linkage::Static)).unwrap().version.major, 20);
    let error = found.pick(&want(">=19", Linkage::Shared)).unwrap_err().to_string();
    assert!(error.contains("`LLVM-C.dll`, which has no C++ API") && error.contains("llvm.org's installer"), "{error}");
    // Whoever names it will know.
    let named = Search { llvm_dir: Some(tree.root.join("msys64/ucrt64")), ..on(Os::Windows, &tree) };
    assert_eq!(look(&named).installations[0].version.major, 21);
}

/// `llvm-config.exe` ends its lines with CR and LF and writes folders with either slash.
#[test]
fn answers_of_windows_are_read() {
    let tree = Tree::new();
    tree.file("odd/tools/llvm-config.exe", "").file("elsewhere/lib/x", "");
    let search = Search { path: vec![tree.root.join("odd/tools")], ..on(Os::Windows, &tree) };
    let root = tree.root.clone();
    let found = find(&search, &|_, arguments| match arguments {
        ["--version"] => Some("19.1.7\r\n".to_owned()),
        ["--prefix"] => Some(format!("{root}/elsewhere/./lib/..\r\n")),
        ["--libdir"] => Some(format!("{root}/elsewhere//lib\r\n")),
        _ => Some("\r\n".to_owned()),
    });
    assert_eq!(found.installations[0].version, "19.1.7".parse().unwrap());
    assert_eq!(found.installations[0].prefix, tree.root.join("elsewhere"));
    assert_eq!(found.installations[0].library_dir, tree.root.join("elsewhere/lib"));
}

#[test]
fn an_unusual_layout_is_asked() {
    let tree = Tree::new();
    tree.file("odd/tools/llvm-config", "").cmake("elsewhere/lib/cmake/llvm", "17.0.6");
    let search = Search { path: vec![tree.root.join("odd/tools")], ..Search::default() };
    let answer = tree.root.join("elsewhere/lib/cmake/llvm").to_string();
    let found = find(&search, &|_, arguments| (arguments == ["--cmakedir"]).then(|| answer.clone() + "\n"));
    assert_eq!(found.installations[0].version.major, 17);
    assert_eq!(found.installations[0].llvm_config, Some(tree.root.join("odd/tools/llvm-config")));

    let found = find(&search, &|_, arguments| match arguments {
        ["--version"] => Some("9.0.1\n".to_owned()),
        ["--prefix" | "--libdir"] => Some("/nowhere\n".to_owned()),
        _ => Some(String::new()),
    });
    let error = found.pick(&Requirement::default()).unwrap_err();
    assert_eq!(error.places[0].why, Refusal::NoCmakeFiles);

    let found = find(&search, &|_, _| None);
    assert!(matches!(found.looked_at[0].seen, Seen::Unusable(_)));
}

#[test]
fn findings_are_written_and_read() {
    let tree = debian();
    let found = look(&tree.system());
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Findings>(&text).unwrap(), found);
}

/// The file's name is one thing, what binaries need it by another.
#[test]
fn the_soname_is_read_from_the_library() {
    let tree = Tree::new();
    tree.cmake("usr/lib/llvm-99/lib/cmake/llvm", "99.1.0").file("empty.c", "int llvm;");
    let library = tree.root.join("usr/lib/llvm-99/lib/libLLVM-99.so");
    let made = std::process::Command::new("cc")
        .args(["-shared", "-nostdlib", "-Wl,-soname,libLLVM.so.99.1", "-o", library.as_str()])
        .arg(tree.root.join("empty.c"))
        .status();
    if !made.is_ok_and(|status| status.success()) || cfg!(not(target_os = "linux")) {
        println!("skipped: no C compiler that makes ELF");
        return;
    }
    let soname = || look(&tree.system()).installations[0].shared.as_ref().unwrap().soname.clone();
    assert_eq!(soname(), "libLLVM.so.99.1");
    // Cut anywhere, it still has a name: its file's.
    let whole = fs_err::read(&library).unwrap();
    for length in [0, 5, 63, 64, 100, 300, 1000] {
        fs_err::write(&library, &whole[..length]).unwrap();
        assert_eq!(soname(), "libLLVM-99.so", "cut at {length}");
    }
}

/// What is installed here, if anything: the facts agree with the file names, and looking takes no time to speak of.
#[test]
fn the_real_system() {
    let search =
        Search { path: vec![Utf8PathBuf::from("/usr/bin")], roots: vec![Utf8PathBuf::from("/")], ..Search::default() };
    let start = Instant::now();
    let found = find(&search, &|_, _| None);
    println!("looked at {} places in {:?}", found.looked_at.len(), start.elapsed());
    if found.installations.is_empty() {
        println!("skipped: no LLVM is installed");
        return;
    }
    for installation in &found.installations {
        println!("{installation:#?}");
        assert!(installation.llvm_dir().join("LLVMConfig.cmake").is_file());
        if let Some(shared) = &installation.shared {
            let name = wheelproof_llvm::recognise(&shared.soname).expect("a soname of libLLVM");
            assert!(name.major.is_none_or(|major| major == installation.version.major));
            assert!(installation.library_dir.join(&shared.soname).exists() || Utf8Path::new(&shared.path).exists());
        }
    }
}

//! The recorded machines in tests/golden/worlds were written from documents. What they say of LLVM is what the search writes on such a
//! machine: each is built here as a folder, of what the file says is installed and of what the table below adds, and looked at.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)] // each of the tests that share it needs a part
mod machine;

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use llvm::Installation;
use machine::Machine;
use platform::Os;
use serde_json::Value;
use wheelproof_host::World;

/// What lies on a machine besides the LLVMs that its file has: folders, and links with where they lead to.
struct Besides {
    world: &'static str,
    folders: &'static [&'static str],
    links: &'static [(&'static str, &'static str)],
}

const DEBIAN: &[&str] = &["usr/bin", "usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/local", "opt"];

const BESIDES: [Besides; 7] = [
    Besides { world: "bookworm", folders: DEBIAN, links: &[] },
    Besides { world: "bare", folders: DEBIAN, links: &[] },
    Besides {
        world: "github-ubuntu-24.04",
        folders: &[
            "usr/lib/x86_64-linux-gnu",
            "usr/lib64",
            "usr/local",
            "opt",
            // Homebrew, which is there and not on PATH, without a formula.
            "home/linuxbrew/.linuxbrew/opt",
        ],
        links: &[],
    },
    Besides {
        world: "github-macos-14",
        folders: &[
            "usr/local/bin",
            "Library/Developer/CommandLineTools/usr",
            "Applications/Xcode_15.0.1.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
            "Applications/Xcode_15.1.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
            "Applications/Xcode_15.2.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
            "Applications/Xcode_15.3.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
            "Applications/Xcode_15.4.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
            "Applications/Xcode_16.1.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
            "Applications/Xcode_16.2.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr",
        ],
        links: &[
            ("opt/homebrew/opt/llvm@15", "../Cellar/llvm@15/15.0.7"),
            ("Applications/Xcode.app", "Xcode_15.4.app"),
            ("Applications/Xcode_15.0.app", "Xcode_15.0.1.app"),
            ("Applications/Xcode_15.1.0.app", "Xcode_15.1.app"),
            ("Applications/Xcode_15.2.0.app", "Xcode_15.2.app"),
            ("Applications/Xcode_15.3.0.app", "Xcode_15.3.app"),
            ("Applications/Xcode_15.4.0.app", "Xcode_15.4.app"),
            ("Applications/Xcode_16.1.0.app", "Xcode_16.1.app"),
            ("Applications/Xcode_16.2.0.app", "Xcode_16.2.app"),
        ],
    },
    Besides { world: "github-windows-2025", folders: WINDOWS, links: &[] },
    Besides { world: "github-windows-2025-llvm", folders: WINDOWS, links: &[] },
    Besides { world: "manylinux_2_28", folders: &["usr/lib", "usr/lib64", "usr/local", "opt/python"], links: &[] },
];

/// LLVM of llvm.org's installer, and MSYS2 without packages.
const WINDOWS: &[&str] = &["Program Files/LLVM/bin", "msys64/ucrt64", "msys64/mingw64", "msys64/clang64", "vcpkg"];

#[test]
fn what_is_recorded_of_llvm_is_what_would_be_found() {
    let mut wrong = Vec::new();
    for besides in BESIDES {
        let file =
            Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/golden/worlds/{}.json", besides.world));
        let world = World::read(&file).unwrap();
        let recorded = told(&serde_json::to_value(&world.llvm).unwrap(), &|text| text.to_owned());
        let machine = built(&world, &besides);
        let found = serde_json::to_value(machine.look().llvm).unwrap();
        let found = told(&found, &|text| as_there(text, &machine.root, world.os));
        if found != recorded {
            wrong.push(format!("{}: found is\n{found:#}", besides.world));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The machine as a folder.
fn built(world: &World, besides: &Besides) -> Machine {
    let here = |path: &Utf8Path| path.as_str().trim_start_matches("C:").replace('\\', "/");
    let mut env = vec![("PATH".to_owned(), "{root}/usr/bin".to_owned())];
    if let Some(folder) = world.env.get("LLVM_DIR") {
        env.push(("LLVM_DIR".to_owned(), format!("{{root}}{}", here(Utf8Path::new(folder)))));
    }
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let machine = Machine::of(world.os, &env);
    for folder in besides.folders {
        fs_err::create_dir_all(machine.root.join(folder)).unwrap();
    }
    for (link, target) in besides.links {
        machine.link(link, target);
    }
    if world.os == Os::Windows {
        machine.program("Program Files/LLVM/bin/LLVM-C.dll", "");
    }
    for llvm in &world.llvm.installations {
        install(&machine, llvm, &|path| here(path).trim_start_matches('/').to_owned());
    }
    machine
}

fn install(machine: &Machine, llvm: &Installation, here: &dyn Fn(&Utf8Path) -> String) {
    let (prefix, library_dir) = (here(&llvm.prefix), here(&llvm.library_dir));
    let on = |value: Option<bool>| if value == Some(true) { "ON" } else { "OFF" };
    let mut config = format!(
        "set(LLVM_PACKAGE_VERSION {})\nset(LLVM_ENABLE_RTTI {})\nset(LLVM_ENABLE_ASSERTIONS {})\n",
        llvm.version,
        on(llvm.rtti),
        on(llvm.assertions)
    );
    for package in &llvm.cmake_packages {
        writeln!(config, "find_package({package})").unwrap();
    }
    machine.program(&format!("{}/LLVMConfig.cmake", here(llvm.cmake_dir.as_ref().unwrap())), &config);
    if llvm.static_archives {
        machine.program(&format!("{library_dir}/libLLVMCore.a"), "");
    }
    if let Some(shared) = &llvm.shared {
        let file = here(&shared.path);
        machine.program(&file, "");
        if !file.starts_with(&prefix) {
            machine.link(&format!("{library_dir}/{}", shared.soname), machine.root.join(&file).as_str());
        }
    }
    if let Some(program) = llvm.llvm_config.as_ref().map(|program| here(program)) {
        if program.starts_with(&prefix) {
            machine.program(&program, "");
        } else {
            machine.program(&format!("{prefix}/bin/llvm-config"), "");
            machine.link(&program, machine.root.join(format!("{prefix}/bin/llvm-config")).as_str());
        }
    }
}

/// A path of the folder as the machine writes it.
fn as_there(text: &str, root: &Utf8Path, os: Os) -> String {
    match (text.strip_prefix(root.as_str()), os) {
        (None, _) => text.to_owned(),
        (Some(rest), Os::Windows) => format!("C:{}", rest.replace('/', "\\")),
        (Some(rest), _) => rest.to_owned(),
    }
}

/// The findings without what is made up in the files: sizes and times.
fn told(findings: &Value, path: &dyn Fn(&str) -> String) -> Value {
    match findings {
        Value::String(text) => path(text).into(),
        Value::Array(items) => items.iter().map(|item| told(item, path)).collect(),
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !matches!(name.as_str(), "size" | "modified"));
            kept.map(|(name, value)| (name.clone(), told(value, path))).collect()
        }
        other => other.clone(),
    }
}

/// The table and the golden tests know the same machines.
#[test]
fn every_recorded_machine_is_built() {
    let folder = Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/worlds"));
    let files = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let mut recorded: Vec<String> = files
        .filter(|file| file.extension() == Some("json"))
        .map(|file| file.file_stem().unwrap().to_owned())
        .collect();
    recorded.sort();
    let mut built: Vec<&str> = BESIDES.iter().map(|besides| besides.world).collect();
    built.sort_unstable();
    assert_eq!(recorded, built);
}

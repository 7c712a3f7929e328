//! The programs themselves, read with our own reader: what they ask of the system they are for.

use crate::systems::built_for;
use objfile::{File, Object, ObjectKind, OsVersion, Provider, System};
use platform::Arch;
use platform::exports::{Wanted, macos, windows};
use platform::policy::windows::{Provided, provided};
use std::collections::BTreeSet;
use wheelproof_tests::{on_path, repository, skip};

#[track_caller]
fn only_object<'a>(file: &'a File<'a>) -> &'a Object<'a> {
    let objects: Vec<&Object<'_>> = file.objects().collect();
    assert_eq!(objects.len(), 1);
    objects[0]
}

/// Every library is Windows' own, of Windows 10 and Server 2016 on (`api-ms-win-crt-*` came with it), and has every function
/// that is imported; no compiler's runtime has to be installed.
#[test]
fn the_windows_program_needs_nothing_but_windows() {
    let Some(file) = built_for("windows") else { return };
    let bytes = fs_err::read(file).unwrap();
    let file = objfile::parse(&bytes).unwrap();
    let object = only_object(&file);
    assert_eq!((object.kind, object.architecture.name()), (ObjectKind::Executable, "x86_64"));
    let exports = windows(Arch::X86_64).unwrap();
    let mut wrong: Vec<String> = Vec::new();
    for needed in &object.needed {
        let name = needed.name.to_ascii_lowercase();
        if !matches!(provided(Arch::X86_64, &name, None), Some(Provided::System | Provided::ApiSet)) {
            wrong.push(format!("needs {name}"));
        }
    }
    let mut looked_up = 0;
    for import in &object.imports {
        let Provider::Library(library) = import.from else { panic!("{import:?}") };
        assert!(import.ordinal.is_none(), "{import:?}");
        if exports.knows(library) {
            looked_up += 1;
            if exports.find(library, Wanted::Name(import.name)).is_none() {
                wrong.push(format!("{library} has no {}", import.name));
            }
        } else {
            wrong.push(format!("nothing is known of {library}"));
        }
    }
    assert!(looked_up > 100, "{looked_up} imports looked up");
    assert_eq!(wrong, Vec::<String>::new());
}

/// It is for Macs with Apple's processors from macOS 12 on, takes nothing but what libSystem has, and its signature, without
/// which such a Mac starts nothing, holds for every page.
#[test]
fn the_macos_program_is_one_that_every_mac_starts() {
    let Some(path) = built_for("macos") else { return };
    let bytes = fs_err::read(&path).unwrap();
    let file = objfile::parse(&bytes).unwrap();
    let object = only_object(&file);
    assert_eq!((object.kind, object.architecture.name()), (ObjectKind::Executable, "aarch64"));
    let minimum: Vec<_> = object.minimum_os.iter().map(|one| (one.system, one.minimum)).collect();
    assert_eq!(minimum, [(System::MacOs, OsVersion { major: 12, minor: 0, patch: 0 })]);
    assert!(object.rpaths.is_empty(), "{:?}", object.rpaths);
    let needed: BTreeSet<&str> = object.needed.iter().map(|needed| needed.name).collect();
    assert_eq!(needed, BTreeSet::from(["/usr/lib/libSystem.B.dylib"]));
    let mut missing = Vec::new();
    for import in &object.imports {
        let Provider::Library(library) = import.from else { panic!("{import:?}") };
        // C's names have an underscore in front, the loader's own (`dyld_stub_binder`) have none.
        let names = [format!("_{}", import.name), import.name.to_owned()];
        if !names.iter().any(|name| macos().find(library, name, Arch::Arm64).is_some()) && !import.weak {
            missing.push(format!("{library}: {}", import.name));
        }
    }
    assert!(object.imports.len() > 50 && missing.is_empty(), "{missing:?} of {}", object.imports.len());
    assert!(is_signed(object));

    let mut broken = bytes.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    let broken = objfile::parse(&broken).unwrap();
    assert!(!is_signed(only_object(&broken)), "one bit is noticed");

    let Some(python) = on_path("python3") else { return skip("no python3 for the second reader of signatures") };
    let second = std::process::Command::new(python)
        .arg(repository().join("tests/shims/codesign"))
        .args(["--verify", path.as_str()])
        .output()
        .unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
}

fn is_signed(object: &Object<'_>) -> bool {
    matches!(objfile::verify_signature(object), Ok(objfile::SignatureState::Valid { pages }) if pages > 0)
}

//! Real Mach-O and PE files (`tests/fixtures/linkage`) through closure and resolution.
#![allow(clippy::unwrap_used)] // also in what the tests share

use camino::{Utf8Path, Utf8PathBuf};
use objfile::{Architecture, Details, File};
use wheelproof_linkage::{
    Binding, Dyld, Image, Lack, Loader, Machine, Opening, Presence, Providers, RefusalKind, Tree, Verdict, Wanted,
    Windows, closure, refusals, resolve,
};

fn bytes(name: &str) -> Vec<u8> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/linkage");
    fs_err::read(folder.join(name)).unwrap()
}

fn image(path: &str, bytes: &[u8]) -> Image {
    let Ok(File::Object(object)) = objfile::parse(bytes) else { panic!("`{path}` is no object") };
    Image::from_object(path, &object)
}

/// `LC_LOAD_DYLIB` of this library becomes `LC_REEXPORT_DYLIB`: the linker that made the files cannot.
fn reexport(bytes: &mut [u8]) {
    const LC_LOAD_DYLIB: u32 = 0xc;
    const LC_REEXPORT_DYLIB: u32 = 0x8000_001f;
    let at = {
        let Ok(File::Object(object)) = objfile::parse(bytes) else { panic!("no object") };
        let Details::MachO(facts) = &object.details else { panic!("no Mach-O") };
        let ours = object.needed.iter().position(|needed| needed.name.ends_with("liba.dylib")).unwrap();
        let mut loads = facts.load_commands.iter().filter(|command| command.command == LC_LOAD_DYLIB);
        loads.nth(ours).unwrap().offset as usize
    };
    bytes[at..at + 4].copy_from_slice(&LC_REEXPORT_DYLIB.to_le_bytes());
}

struct System;

impl Providers for System {
    fn program(&self, wanted: Wanted<'_>) -> Verdict {
        if wanted.name.starts_with("Py") { Verdict::Yes } else { Verdict::No(Lack::Absent) }
    }
    fn library(&self, name: &str) -> Presence {
        let is_system =
            name.starts_with("/usr/lib/") || ["kernel32.dll", "python313.dll"].contains(&&*name.to_lowercase());
        if is_system { Presence::Present } else { Presence::Absent(None) }
    }
    fn provides(&self, _library: &str, wanted: Wanted<'_>) -> Verdict {
        if wanted.name == "gone" { Verdict::No(Lack::Absent) } else { Verdict::Yes }
    }
}

/// `name = who` for each import of what was opened.
fn bound(loader: &Loader, files: Vec<Image>, open: &str) -> (Vec<String>, Vec<RefusalKind>) {
    let mut tree = Tree::new();
    for file in files {
        tree.add(file);
    }
    let closure = closure(&[Opening::local(open)], &tree, loader, &System);
    assert_eq!(closure.missing().map(|(edge, _)| closure.sentence(edge)).collect::<Vec<_>>(), Vec::<String>::new());
    let resolution = resolve(&closure, &tree, loader, &System);
    let (id, image) = closure.images().next().unwrap();
    let names = image.imports().zip(resolution.bindings(id)).map(|(import, binding)| {
        let who = match binding {
            Binding::Export { member, .. } | Binding::External(member) => closure.name(*member),
            Binding::Program => "program",
            Binding::WeakMissing => "none",
            _ => "UNRESOLVED",
        };
        format!("{} = {who}", import.label())
    });
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("dyld_stub_binder")).collect();
    names.sort();
    let machine = Machine::new(loader.architecture());
    (names, refusals(&closure, &machine).into_iter().map(|refusal| refusal.kind).collect())
}

#[test]
fn macho() {
    let loader = Loader::Dyld(Dyld::new(Architecture::X86_64));
    let mut re = bytes("libre.dylib");
    reexport(&mut re);
    let files = || {
        vec![
            image("pkg/e.so", &bytes("extension.dylib")),
            image("pkg/r.so", &bytes("reexported.dylib")),
            image("pkg/.dylibs/liba.dylib", &bytes("liba.dylib")),
            image("pkg/.dylibs/libre.dylib", &re),
        ]
    };
    let system = "/usr/lib/libSystem.B.dylib";
    let (names, refusals) = bound(&loader, files(), "pkg/e.so");
    assert_eq!(
        names,
        ["PyModule_Create2 = program", "a = pkg/.dylibs/liba.dylib", "gone = none", &format!("puts = {system}")]
    );
    assert_eq!(refusals, []);
    // `a` is bound to libre, which has it from liba.
    let (names, _) = bound(&loader, files(), "pkg/r.so");
    let expected = ["a = pkg/.dylibs/liba.dylib", "re = pkg/.dylibs/libre.dylib"];
    assert!(expected.iter().all(|line| names.iter().any(|name| name == line)), "{names:?}");
}

#[test]
fn slices_at_one_path() {
    let loader = Loader::Dyld(Dyld::new(Architecture::X86_64));
    let files = vec![
        image("pkg/.dylibs/liba.dylib", &bytes("liba-arm64.dylib")),
        image("pkg/.dylibs/liba.dylib", &bytes("liba.dylib")),
        image("pkg/e.so", &bytes("extension.dylib")),
    ];
    let (names, refusals) = bound(&loader, files, "pkg/e.so");
    assert!(names.contains(&"a = pkg/.dylibs/liba.dylib".to_owned()));
    assert_eq!(refusals, []);
}

#[test]
fn signatures_are_handed_in() {
    let data = bytes("liba-arm64.dylib");
    let Ok(File::Object(object)) = objfile::parse(&data) else { panic!() };
    let mut tree = Tree::new();
    let loader = Loader::Dyld(Dyld::new(Architecture::Aarch64));
    let mut broken = Image::from_object("broken.dylib", &object);
    broken.set_signature(&objfile::SignatureState::Mismatch { page: 1, offset: 16384, mismatches: 2 });
    tree.add(broken);
    let mut unsigned = Image::from_object("unsigned.dylib", &object);
    unsigned.set_signature(&objfile::SignatureState::Unsigned);
    tree.add(unsigned);
    let mut valid = Image::from_object("valid.dylib", &object);
    valid.set_signature(&objfile::verify_signature(&object).unwrap());
    tree.add(valid);
    let mut machine = Machine::new(Architecture::Aarch64);
    machine.macos = Some(objfile::OsVersion { major: 11, minor: 0, patch: 0 });
    let newer = RefusalKind::MinimumMacOs {
        needed: objfile::OsVersion { major: 12, minor: 0, patch: 0 },
        available: objfile::OsVersion { major: 11, minor: 0, patch: 0 },
    };
    for (path, expected) in [
        ("broken.dylib", vec![RefusalKind::BrokenSignature { pages: 2 }, newer]),
        ("unsigned.dylib", vec![RefusalKind::Unsigned, newer]),
        ("valid.dylib", vec![newer]),
    ] {
        let closure = closure(&[Opening::local(path)], &tree, &loader, &System);
        let kinds: Vec<RefusalKind> = refusals(&closure, &machine).into_iter().map(|refusal| refusal.kind).collect();
        assert_eq!(kinds, expected, "{path}");
    }
}

#[test]
fn pe() {
    let loader = Loader::Windows(Windows::new(Architecture::X86_64));
    let files = vec![
        image("pkg/extension.pyd", &bytes("extension.pyd")),
        image("pkg/a.dll", &bytes("a.dll")),
        image("pkg/b.dll", &bytes("b.dll")),
    ];
    let (names, refusals) = bound(&loader, files, "pkg/extension.pyd");
    assert_eq!(names, ["#7 = pkg/a.dll", "PyModule_Create2 = python313.dll", "a = pkg/a.dll", "forwarded = pkg/b.dll"]);
    assert_eq!(refusals, []);
}

#[test]
fn pe_without_what_it_forwards_to() {
    let loader = Loader::Windows(Windows::new(Architecture::X86_64));
    let files = vec![image("pkg/extension.pyd", &bytes("extension.pyd")), image("pkg/a.dll", &bytes("a.dll"))];
    let (names, _) = bound(&loader, files, "pkg/extension.pyd");
    assert!(names.contains(&"forwarded = UNRESOLVED".to_owned()), "{names:?}");
}

#[test]
fn a_path_keeps_its_folder() {
    let image = image("pkg/sub/x.so", &bytes("liba.dylib"));
    assert_eq!((image.folder(), &image.path), (Utf8Path::new("pkg/sub"), &Utf8PathBuf::from("pkg/sub/x.so")));
}

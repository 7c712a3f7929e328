//! The loaders' rules that no loader here can be asked about: each a few made-up files, and what must come out.
#![allow(clippy::unwrap_used)] // also in what the tests share

mod made;

use made::{Kind::*, Made};
use objfile::Architecture::X86_64;
use objfile::{ElfFacts, NeededVersion, VersionNeed};
use wheelproof_linkage::{
    Binding, Closure, Dyld, Glibc, Hint, Image, Lack, Loader, Musl, Opening, Outcome, Presence, Providers, Reason,
    Resolution, Tree, Verdict, Wanted, Windows, closure, resolve,
};

/// A system with one library that has one symbol, a program with another, and a distribution that may bring a third.
struct System;

impl Providers for System {
    fn loaded(&self) -> &[String] {
        &[]
    }
    fn program(&self, wanted: Wanted<'_>) -> Verdict {
        if wanted.name.starts_with("Py") { Verdict::Yes } else { Verdict::No(Lack::Absent) }
    }
    fn library(&self, name: &str) -> Presence {
        match name {
            "libsys.so"
            | "/usr/lib/libSystem.B.dylib"
            | "api-ms-win-crt-heap-l1-1-0.dll"
            | "KERNEL32.dll"
            | "python313.dll" => Presence::Present,
            "other.dll" | "libother.so" => Presence::Assumed("the distribution `other` brings it".into()),
            _ => Presence::Absent(None),
        }
    }
    fn provides(&self, library: &str, wanted: Wanted<'_>) -> Verdict {
        match (library, wanted.name) {
            ("libother.so" | "other.dll", _) => Verdict::Unknown,
            (_, "puts" | "malloc" | "CreateFileW") => Verdict::Yes,
            ("python313.dll", name) if name.starts_with("Py") => Verdict::Yes,
            _ => Verdict::No(Lack::Absent),
        }
    }
}

struct Asked {
    closure: Closure,
    resolution: Resolution,
}

fn ask(loader: &Loader, images: Vec<Image>, openings: &[Opening]) -> Asked {
    let mut tree = Tree::new();
    for image in images {
        tree.add(image);
    }
    let closure = closure(openings, &tree, loader, &System);
    let resolution = resolve(&closure, &tree, loader, &System);
    Asked { closure, resolution }
}

impl Asked {
    /// `who: name` for every dependency, `?` where it is missing.
    fn edges(&self) -> Vec<String> {
        let edge = |edge: &wheelproof_linkage::Edge| {
            let to = match edge.outcome {
                Outcome::Found { to, .. } => self.closure.name(to),
                Outcome::Missing(ref missing) if missing.fatal => "MISSING",
                Outcome::Missing(_) => "missing, no harm",
            };
            format!("{} -> {} = {to}", self.closure.name(edge.from), edge.name)
        };
        self.closure.edges.iter().map(edge).collect()
    }

    /// What the imports of a file are bound to, in words.
    fn bound(&self, path: &str) -> Vec<String> {
        let (id, image) = self.closure.images().find(|(id, _)| self.closure.name(*id) == path).unwrap();
        let name = |binding: &Binding| match binding {
            Binding::Export { member, export } => {
                let export = self.closure.image(*member).unwrap().export(*export).unwrap();
                format!("{}!{}", self.closure.name(*member), export.name)
            }
            Binding::External(member) => self.closure.name(*member).to_owned(),
            Binding::Program => "program".into(),
            Binding::Assumed(_) => "assumed".into(),
            Binding::WeakMissing => "none".into(),
            Binding::Unresolved(_) => "UNRESOLVED".into(),
        };
        let bindings = self.resolution.bindings(id).iter().zip(image.imports());
        bindings.map(|(binding, import)| format!("{} = {}", import.label(), name(binding))).collect()
    }

    fn reasons(&self) -> Vec<String> {
        self.resolution
            .unresolved
            .iter()
            .map(|unresolved| self.resolution.sentence(&self.closure, unresolved))
            .collect()
    }
}

fn musl() -> Loader {
    Loader::Musl(Musl::new(X86_64))
}

fn glibc() -> Loader {
    Loader::Glibc(Glibc::new(X86_64))
}

fn dyld() -> Loader {
    Loader::Dyld(Dyld::new(X86_64))
}

fn windows() -> Loader {
    Loader::Windows(Windows::new(X86_64))
}

#[test]
fn musl_inherits_both_kinds_of_path() {
    let images = vec![
        Made {
            path: "pkg/e.so",
            needed: &[("liba.so", Normal)],
            runpath: &["$ORIGIN/libs"],
            imports: &["a"],
            ..Made::default()
        }
        .elf(),
        Made {
            path: "pkg/libs/liba.so",
            needed: &[("libb.so", Normal)],
            runpath: &["/nowhere"],
            exports: &["a"],
            ..Made::default()
        }
        .elf(),
        Made { path: "pkg/libs/libb.so", exports: &["b"], ..Made::default() }.elf(),
    ];
    let musl = ask(&musl(), images.clone(), &[Opening::local("pkg/e.so")]);
    assert_eq!(
        musl.edges(),
        ["pkg/e.so -> liba.so = pkg/libs/liba.so", "pkg/libs/liba.so -> libb.so = pkg/libs/libb.so"]
    );
    let glibc = ask(&glibc(), images, &[Opening::local("pkg/e.so")]);
    assert_eq!(glibc.edges(), ["pkg/e.so -> liba.so = pkg/libs/liba.so", "pkg/libs/liba.so -> libb.so = MISSING"]);
    let (_, missing) = glibc.closure.missing().next().unwrap();
    assert!(
        matches!(&missing.hints[0], Hint::RunpathNotTransitive { owner, .. } if owner == "pkg/e.so"),
        "{:?}",
        missing.hints
    );
}

#[test]
fn musl_knows_files_not_sonames_and_answers_for_the_c_library() {
    let images = vec![
        Made { path: "x/one.so", identity: Some("liba.so"), exports: &["a"], ..Made::default() }.elf(),
        Made {
            path: "pkg/e.so",
            needed: &[("liba.so", Normal), ("libm.so.6", Normal), ("libc.musl-x86_64.so.1", Normal)],
            imports: &["puts"],
            ..Made::default()
        }
        .elf(),
    ];
    let openings = [Opening::local("x/one.so"), Opening::local("pkg/e.so")];
    let musl = ask(&musl(), images.clone(), &openings);
    assert_eq!(
        musl.edges(),
        [
            "pkg/e.so -> liba.so = MISSING",
            "pkg/e.so -> libm.so.6 = libm.so.6",
            "pkg/e.so -> libc.musl-x86_64.so.1 = libm.so.6"
        ]
    );
    assert_eq!(musl.bound("pkg/e.so"), ["puts = libm.so.6"]);
    assert_eq!(ask(&glibc(), images, &openings).edges()[0], "pkg/e.so -> liba.so = x/one.so");
}

#[test]
fn musl_stops_at_the_first_file_and_ignores_odd_paths() {
    let images = vec![
        Made {
            path: "pkg/e.so",
            needed: &[("liba.so", Normal)],
            runpath: &["$ORIGIN/arm", "$ORIGIN/libs"],
            ..Made::default()
        }
        .elf(),
        Made {
            path: "pkg/odd.so",
            needed: &[("liba.so", Normal)],
            runpath: &["$ORIGIN/libs", "$LIB"],
            ..Made::default()
        }
        .elf(),
        Made { path: "pkg/arm/liba.so", arm: true, ..Made::default() }.elf(),
        Made { path: "pkg/libs/liba.so", ..Made::default() }.elf(),
    ];
    for (loader, path, expected) in [
        (musl(), "pkg/e.so", "MISSING"),
        (glibc(), "pkg/e.so", "pkg/libs/liba.so"),
        (musl(), "pkg/odd.so", "MISSING"),
        (glibc(), "pkg/odd.so", "pkg/libs/liba.so"),
    ] {
        let edges = ask(&loader, images.clone(), &[Opening::local(path)]).edges();
        assert_eq!(edges, [format!("{path} -> liba.so = {expected}")]);
    }
}

#[test]
fn musl_ignores_versions_but_not_hidden_ones() {
    let images = vec![
        Made {
            path: "e.so",
            needed: &[("liba.so", Normal)],
            runpath: &["$ORIGIN"],
            imports: &["a@V2", "b@V1"],
            ..Made::default()
        }
        .elf(),
        Made { path: "liba.so", exports: &["a@@V1", "b@V1"], ..Made::default() }.elf(),
    ];
    let musl = ask(&musl(), images.clone(), &[Opening::local("e.so")]);
    assert_eq!(musl.bound("e.so"), ["a@V2 = liba.so!a", "b@V1 = UNRESOLVED"]);
    let glibc = ask(&glibc(), images, &[Opening::local("e.so")]);
    assert_eq!(glibc.bound("e.so"), ["a@V2 = UNRESOLVED", "b@V1 = liba.so!b"]);
    assert_eq!(
        glibc.resolution.unresolved[0].reasons,
        [Reason::OtherVersions { library: "liba.so".into(), versions: vec!["V1".into()] }]
    );
}

#[test]
fn old_glibc_stops_at_a_library_without_a_version_table() {
    let needs = |facts: &mut ElfFacts<'_>| {
        let version = NeededVersion { name: "V1", index: 2, weak: false };
        facts.version_needs = vec![VersionNeed { file: "liba.so", versions: vec![version], offset: 0 }];
    };
    let images = vec![
        Made {
            path: "e.so",
            needed: &[("liba.so", Normal)],
            runpath: &["$ORIGIN"],
            imports: &["liba.so!a@V1"],
            facts: Some(needs),
            ..Made::default()
        }
        .elf(),
        Made { path: "liba.so", exports: &["a"], ..Made::default() }.elf(),
    ];
    for (oldest, fatal) in [(None, true), (Some((2, 28)), true), (Some((2, 36)), true), (Some((2, 41)), false)] {
        let mut loader = Glibc::new(X86_64);
        loader.oldest = oldest;
        let asked = ask(&Loader::Glibc(loader), images.clone(), &[Opening::local("e.so")]);
        let faults: Vec<_> =
            asked.resolution.versions.iter().map(|fault| (fault.to_string(), fault.is_fatal())).collect();
        let said = "`e.so` needs version `V1` of `liba.so`, which defines no versions".to_owned();
        assert_eq!(faults, [(said, fatal)], "{oldest:?}");
    }
}

#[test]
fn outside_libraries_are_asked_in_their_place() {
    let images = vec![
        Made {
            path: "e.so",
            needed: &[("libsys.so", Normal)],
            imports: &["puts", "PyList_New", "nothing"],
            ..Made::default()
        }
        .elf(),
        Made {
            path: "f.so",
            needed: &[("libother.so", Normal)],
            imports: &["puts", "nothing", "weak?"],
            ..Made::default()
        }
        .elf(),
    ];
    let e = ask(&glibc(), images.clone(), &[Opening::local("e.so")]);
    assert_eq!(e.bound("e.so"), ["puts = libsys.so", "PyList_New = program", "nothing = UNRESOLVED"]);
    let f = ask(&glibc(), images, &[Opening::local("f.so")]);
    assert_eq!(f.bound("f.so"), ["puts = assumed", "nothing = assumed", "weak = assumed"]);
    assert_eq!(f.resolution.assumed().count(), 3);
}

#[test]
fn dyld_searches_the_rpaths_of_the_chain() {
    let images = vec![
        Made {
            path: "pkg/e.so",
            needed: &[("@rpath/liba.dylib", Normal)],
            rpath: &["@loader_path/.dylibs"],
            imports: &["@rpath/liba.dylib!a"],
            ..Made::default()
        }
        .macho(),
        Made {
            path: "pkg/.dylibs/liba.dylib",
            identity: Some("@rpath/liba.dylib"),
            needed: &[
                ("@rpath/libb.dylib", Normal),
                ("@loader_path/sub/libc.dylib", Normal),
                ("@rpath/gone.dylib", Weak),
            ],
            exports: &["a"],
            imports: &["@rpath/libb.dylib!b", "@rpath/libb.dylib!gone", "@rpath/gone.dylib!x"],
            ..Made::default()
        }
        .macho(),
        Made { path: "pkg/.dylibs/libb.dylib", exports: &["b"], ..Made::default() }.macho(),
        Made { path: "pkg/.dylibs/sub/libc.dylib", exports: &["gone"], ..Made::default() }.macho(),
    ];
    let asked = ask(&dyld(), images, &[Opening::local("pkg/e.so")]);
    assert_eq!(
        asked.edges(),
        [
            "pkg/e.so -> @rpath/liba.dylib = pkg/.dylibs/liba.dylib",
            "pkg/.dylibs/liba.dylib -> @rpath/libb.dylib = pkg/.dylibs/libb.dylib",
            "pkg/.dylibs/liba.dylib -> @loader_path/sub/libc.dylib = pkg/.dylibs/sub/libc.dylib",
            "pkg/.dylibs/liba.dylib -> @rpath/gone.dylib = missing, no harm",
        ]
    );
    // Two levels: what another library of the closure has is no help.
    assert_eq!(
        asked.bound("pkg/.dylibs/liba.dylib"),
        ["b = pkg/.dylibs/libb.dylib!b", "gone = UNRESOLVED", "x = none"]
    );
    assert_eq!(
        asked.reasons(),
        ["`gone`, needed by `pkg/.dylibs/liba.dylib`: `pkg/.dylibs/libb.dylib` does not have it; \
          `pkg/.dylibs/sub/libc.dylib` defines it, but is not loaded for this or not visible to it"]
    );
}

#[test]
fn dyld_binds_by_library_flat_or_to_the_program() {
    let images = vec![
        Made {
            path: "e.so",
            needed: &[
                ("@loader_path/libre.dylib", Normal),
                ("/usr/lib/libSystem.B.dylib", Normal),
                ("/usr/lib/libgone.dylib", Normal),
            ],
            imports: &[
                "@loader_path/libre.dylib!deep",
                "@loader_path/libre.dylib!renamed",
                "/usr/lib/libSystem.B.dylib!puts",
                "/usr/lib/libSystem.B.dylib!nothing",
                "PyList_New",
                "flat",
                "program!PyList_New",
                "program!nothing",
                "self!own",
                "bad!x",
                "/usr/lib/libgone.dylib!y",
                "/usr/lib/libSystem.B.dylib!weak?",
            ],
            exports: &["own"],
            ..Made::default()
        }
        .macho(),
        Made {
            path: "libre.dylib",
            needed: &[("@loader_path/liba.dylib", Reexport), ("@loader_path/libb.dylib", Normal)],
            exports: &["renamed>@loader_path/libb.dylib!b"],
            ..Made::default()
        }
        .macho(),
        Made {
            path: "liba.dylib",
            needed: &[("@loader_path/libre.dylib", Reexport), ("@loader_path/libd.dylib", Reexport)],
            ..Made::default()
        }
        .macho(),
        Made { path: "libb.dylib", exports: &["b", "flat"], ..Made::default() }.macho(),
        Made { path: "libd.dylib", exports: &["deep"], ..Made::default() }.macho(),
    ];
    let asked = ask(&dyld(), images, &[Opening::local("e.so")]);
    assert_eq!(
        asked.bound("e.so"),
        [
            "deep = libd.dylib!deep",
            "renamed = libb.dylib!b",
            "puts = /usr/lib/libSystem.B.dylib",
            "nothing = UNRESOLVED",
            "PyList_New = program",
            "flat = libb.dylib!flat",
            "PyList_New = program",
            "nothing = UNRESOLVED",
            "own = e.so!own",
            "x = UNRESOLVED",
            "y = UNRESOLVED",
            "weak = none",
        ]
    );
    assert_eq!(
        asked.reasons(),
        [
            "`nothing`, needed by `e.so`: `/usr/lib/libSystem.B.dylib` does not have it",
            "`nothing`, needed by `e.so`: `the program` does not have it",
            "`x`, needed by `e.so`: its library ordinal 99 stands for none",
            "`y`, needed by `e.so`: `/usr/lib/libgone.dylib` was not found",
        ]
    );
}

#[test]
fn dyld_knows_install_names_and_the_program() {
    let mut dyld = Dyld::new(X86_64);
    dyld.program = "/py/bin/python3".into();
    let images = vec![
        Made { path: "x/first.dylib", identity: Some("/opt/lib/liba.dylib"), exports: &["a"], ..Made::default() }
            .macho(),
        Made {
            path: "e.so",
            needed: &[("/opt/lib/liba.dylib", Normal), ("@executable_path/../lib/libp.dylib", Normal)],
            ..Made::default()
        }
        .macho(),
        Made { path: "/py/lib/libp.dylib", ..Made::default() }.macho(),
    ];
    let asked = ask(&Loader::Dyld(dyld), images, &[Opening::local("x/first.dylib"), Opening::local("e.so")]);
    assert_eq!(
        asked.edges(),
        [
            "e.so -> /opt/lib/liba.dylib = x/first.dylib",
            "e.so -> @executable_path/../lib/libp.dylib = /py/lib/libp.dylib"
        ]
    );
}

#[test]
fn a_flat_lookup_does_not_see_another_extension() {
    let images = vec![
        Made { path: "one.so", exports: &["a"], ..Made::default() }.macho(),
        Made { path: "e.so", imports: &["a"], ..Made::default() }.macho(),
    ];
    let local = ask(&dyld(), images.clone(), &[Opening::local("one.so"), Opening::local("e.so")]);
    assert_eq!(local.bound("e.so"), ["a = UNRESOLVED"]);
    let global = ask(&dyld(), images, &[Opening::global("one.so"), Opening::local("e.so")]);
    assert_eq!(global.bound("e.so"), ["a = one.so!a"]);
}

#[test]
fn windows_searches_the_folder_of_what_was_opened() {
    let images = vec![
        Made {
            path: "pkg/e.pyd",
            needed: &[
                ("A.DLL", Normal),
                ("KERNEL32.dll", Normal),
                ("api-ms-win-crt-heap-l1-1-0.dll", Normal),
                ("c.dll", Normal),
            ],
            ..Made::default()
        }
        .pe(),
        Made { path: "pkg/a.dll", needed: &[("kernel32.dll", Normal)], ..Made::default() }.pe(),
        Made { path: "pkg/kernel32.dll", ..Made::default() }.pe(),
        Made { path: "x.libs/c.dll", needed: &[("a.dll", Normal), ("d.dll", Normal)], ..Made::default() }.pe(),
        Made { path: "x.libs/d.dll", ..Made::default() }.pe(),
        Made { path: "x.libs/a.dll", ..Made::default() }.pe(),
    ];
    let mut added = Windows::new(X86_64);
    added.added.push("x.libs".into());
    let asked = ask(&Loader::Windows(added), images.clone(), &[Opening::local("pkg/e.pyd")]);
    assert_eq!(
        asked.edges(),
        [
            "pkg/e.pyd -> A.DLL = pkg/a.dll",
            "pkg/e.pyd -> KERNEL32.dll = KERNEL32.dll",
            "pkg/e.pyd -> api-ms-win-crt-heap-l1-1-0.dll = api-ms-win-crt-heap-l1-1-0.dll",
            "pkg/e.pyd -> c.dll = x.libs/c.dll",
            "pkg/a.dll -> kernel32.dll = KERNEL32.dll",
            "x.libs/c.dll -> a.dll = pkg/a.dll",
            "x.libs/c.dll -> d.dll = x.libs/d.dll",
        ]
    );
    let bare = ask(&windows(), images, &[Opening::local("pkg/e.pyd")]);
    let (edge, missing) = bare.closure.missing().next().unwrap();
    assert_eq!((&*edge.name, missing.hints.as_slice()), ("c.dll", &[Hint::Elsewhere("x.libs/c.dll".into())][..]));
}

#[test]
fn windows_delay_loads_need_not_be_there() {
    let images = vec![
        Made {
            path: "pkg/e.pyd",
            needed: &[("gone.dll", Lazy), ("a.dll", Lazy)],
            imports: &["gone.dll!x"],
            ..Made::default()
        }
        .pe(),
        Made { path: "pkg/a.dll", ..Made::default() }.pe(),
    ];
    let asked = ask(&windows(), images, &[Opening::local("pkg/e.pyd")]);
    assert_eq!(asked.edges(), ["pkg/e.pyd -> gone.dll = missing, no harm", "pkg/e.pyd -> a.dll = missing, no harm"]);
    let Outcome::Missing(missing) = &asked.closure.edges[1].outcome else { panic!() };
    assert_eq!(missing.hints, [Hint::Elsewhere("pkg/a.dll".into())]);
}

#[test]
fn windows_follows_forwarders_and_ordinals() {
    let images = vec![
        Made {
            path: "e.pyd",
            needed: &[("a.dll", Normal), ("other.dll", Normal)],
            imports: &["a.dll!x", "a.dll!#7", "a.dll!#8", "a.dll!far", "a.dll!nowhere", "a.dll!circle", "other.dll!y"],
            ..Made::default()
        }
        .pe(),
        Made {
            path: "a.dll",
            exports: &["x", "#7", "far>b!#3", "nowhere>gone!z", "circle>a!circle", "win>KERNEL32!CreateFileW"],
            ..Made::default()
        }
        .pe(),
        Made { path: "b.dll", exports: &["deep#3>KERNEL32!CreateFileW"], ..Made::default() }.pe(),
    ];
    let asked = ask(&windows(), images, &[Opening::local("e.pyd")]);
    assert_eq!(
        asked.bound("e.pyd"),
        [
            "x = a.dll!x",
            "#7 = a.dll!",
            "#8 = UNRESOLVED",
            "far = KERNEL32.dll",
            "nowhere = UNRESOLVED",
            "circle = UNRESOLVED",
            "y = assumed"
        ]
    );
    assert_eq!(
        asked.reasons()[1],
        "`nowhere`, needed by `e.pyd`: `a.dll` forwards it to `gone`, which has no `z` or was not found"
    );
}

#[test]
fn a_wrong_architecture_is_named() {
    let images = vec![
        Made {
            path: "e.so",
            needed: &[("liba.so", Normal)],
            runpath: &["$ORIGIN/libs"],
            imports: &["a"],
            ..Made::default()
        }
        .elf(),
        Made { path: "libs/liba.so", exports: &["a"], arm: true, ..Made::default() }.elf(),
    ];
    let asked = ask(&glibc(), images, &[Opening::local("e.so")]);
    let sentence = asked.closure.missing().map(|(edge, _)| asked.closure.sentence(edge)).next().unwrap();
    assert_eq!(sentence, "`liba.so`, needed by `e.so`, was not found; skipped for their architecture: `libs/liba.so`");
    assert_eq!(
        asked.reasons(),
        ["`a`, needed by `e.so`: `liba.so` was not found; `libs/liba.so` defines it, for aarch64"]
    );
}

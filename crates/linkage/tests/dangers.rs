//! Refusals and hazards: what is seen, and what is left alone.
#![allow(clippy::unwrap_used)] // also in what the tests share

mod made;

use made::{Kind::*, Made};
use objfile::{Architecture::X86_64, ElfFacts, Segment, Stack};
use wheelproof_linkage::{
    Glibc, Hazard, Image, Loader, Machine, Nothing, Opening, RefusalKind, Tree, closure, hazards, refusals, resolve,
};

fn dangers(images: Vec<Image>, openings: &[Opening]) -> Vec<Hazard> {
    let mut tree = Tree::new();
    for image in images {
        tree.add(image);
    }
    let loader = Loader::Glibc(Glibc::new(X86_64));
    let closure = closure(openings, &tree, &loader, &Nothing);
    let resolution = resolve(&closure, &tree, &loader, &Nothing);
    hazards(&closure, &loader, &resolution)
}

/// An extension and two libraries, which define these.
fn two(first: &[&str], second: &[&str], imports: &[&str]) -> Vec<Image> {
    vec![
        Made {
            path: "e.so",
            needed: &[("libone.so", Normal), ("libtwo.so", Normal)],
            rpath: &["$ORIGIN"],
            imports,
            ..Made::default()
        }
        .elf(),
        Made { path: "libone.so", exports: first, ..Made::default() }.elf(),
        Made { path: "libtwo.so", exports: second, ..Made::default() }.elf(),
    ]
}

#[test]
fn interposition() {
    let local = [Opening::local("e.so")];
    let found = dangers(two(&["shared", "own"], &["shared"], &["shared", "own"]), &local);
    assert_eq!(
        found,
        [Hazard::Interposition {
            first: "libone.so".into(),
            second: "libtwo.so".into(),
            importer: "e.so".into(),
            count: 1,
            examples: vec!["shared".into()],
        }]
    );
    assert_eq!(
        found[0].to_string(),
        "`libone.so` and `libtwo.so` both define a symbol that `e.so` uses, and it gets those of `libone.so`: `shared`"
    );
    for (first, second, imports, why) in [
        (&["shared?"][..], &["shared"][..], &["shared"][..], "a weak one that is taken"),
        (&["shared"], &["shared?"], &["shared"], "a weak one that is not"),
        (&["shared"], &["shared"], &[], "nobody asks"),
        (&["shared@@V1"], &["shared@@V2"], &["shared@V1"], "another version"),
        (
            &["__udivti3", "_Unwind_Resume"],
            &["__udivti3", "_Unwind_Resume"],
            &["__udivti3", "_Unwind_Resume"],
            "the compiler's own",
        ),
    ] {
        assert_eq!(dangers(two(first, second, imports), &local), [], "{why}");
    }
}

#[test]
fn unique_symbols_are_shared_across_scopes() {
    let images = vec![
        Made { path: "one.so", exports: &["guard*", "a"], ..Made::default() }.elf(),
        Made { path: "two.so", exports: &["guard*", "a"], ..Made::default() }.elf(),
    ];
    let found = dangers(images, &[Opening::local("one.so"), Opening::local("two.so")]);
    assert!(
        matches!(&found[..], [Hazard::SharedUnique { first, second, count: 1, .. }] if first == "one.so" && second == "two.so"),
        "{found:?}"
    );
}

#[test]
fn two_copies() {
    let images = vec![
        Made {
            path: "e.so",
            needed: &[("libLLVM-8db1eca6.so.20.1", Normal), ("libLLVM-14.so.1", Normal), ("libz.so.1", Normal)],
            rpath: &["$ORIGIN"],
            ..Made::default()
        }
        .elf(),
        Made { path: "libLLVM-8db1eca6.so.20.1", ..Made::default() }.elf(),
        Made { path: "libLLVM-14.so.1", ..Made::default() }.elf(),
        Made { path: "libz.so.1", ..Made::default() }.elf(),
    ];
    let found = dangers(images, &[Opening::local("e.so")]);
    let expected = Hazard::TwoCopies {
        stem: "libllvm".into(),
        members: vec!["libLLVM-14.so.1".into(), "libLLVM-8db1eca6.so.20.1".into()],
    };
    assert_eq!(found, [expected]);
}

fn segment(address: u64, align: u64) -> Segment {
    Segment { kind: Segment::LOAD, flags: 5, offset: 0x1000, address, file_size: 1, memory_size: 1, align }
}

/// What makes facts dangerous.
type Change = fn(&mut ElfFacts<'_>);

#[test]
fn what_machines_refuse() {
    let mut machine = Machine::new(X86_64);
    machine.glibc = Some(((2, 28), (2, 41)));
    machine.page_sizes = vec![4096];
    let mut arm = Machine { page_sizes: vec![4096, 65536], glibc: Some(((2, 36), (2, 36))), ..machine.clone() };
    arm.isa_level = 4;
    let musl = Machine { glibc: None, musl: Some((1, 2, 3)), ..machine.clone() };
    let table: [(&str, &Machine, Change, Option<RefusalKind>); 15] = [
        ("nothing", &machine, |_| {}, None),
        (
            "executable stack",
            &machine,
            |facts| facts.stack = Stack::Executable,
            Some(RefusalKind::ExecutableStack { unstated: false }),
        ),
        (
            "no word on the stack",
            &machine,
            |facts| facts.stack = Stack::Unstated,
            Some(RefusalKind::ExecutableStack { unstated: true }),
        ),
        ("executable stack before 2.41", &arm, |facts| facts.stack = Stack::Executable, None),
        (
            "relr, old glibc",
            &machine,
            |facts| facts.has_relr = true,
            Some(RefusalKind::RelativeRelocations { loader: "glibc before 2.36" }),
        ),
        ("relr, new glibc", &arm, |facts| facts.has_relr = true, None),
        (
            "relr, old musl",
            &musl,
            |facts| facts.has_relr = true,
            Some(RefusalKind::RelativeRelocations { loader: "musl before 1.2.4" }),
        ),
        (
            "level",
            &machine,
            |facts| facts.x86_isa_needed = Some(0b111),
            Some(RefusalKind::IsaLevel { needed: 3, available: 1 }),
        ),
        ("level that is there", &arm, |facts| facts.x86_isa_needed = Some(0b111), None),
        (
            "small pages",
            &arm,
            |facts| facts.segments = vec![segment(0x2000, 4096)],
            Some(RefusalKind::Alignment { file: 4096, page: 65536 }),
        ),
        ("large pages", &arm, |facts| facts.segments = vec![segment(0x11000, 65536)], None),
        ("small pages suffice", &machine, |facts| facts.segments = vec![segment(0x2000, 4096)], None),
        ("program", &machine, |facts| facts.dt_flags_1 = 0x0800_0000, Some(RefusalKind::Program)),
        ("not to be opened", &machine, |facts| facts.dt_flags_1 = 0x40, Some(RefusalKind::NoOpen)),
        ("no hash table", &machine, |facts| facts.has_gnu_hash = false, Some(RefusalKind::NoHash)),
    ];
    let loader = Loader::Glibc(Glibc::new(X86_64));
    for (name, machine, change, expected) in table {
        let mut tree = Tree::new();
        tree.add(Made { path: "e.so", exports: &["a"], facts: Some(change), ..Made::default() }.elf());
        let closure = closure(&[Opening::local("e.so")], &tree, &loader, &Nothing);
        let kinds: Vec<RefusalKind> = refusals(&closure, machine).into_iter().map(|refusal| refusal.kind).collect();
        assert_eq!(kinds, expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn static_tls_adds_up() {
    let tls: fn(&mut ElfFacts<'_>) = |facts| {
        facts.dt_flags = 0x10;
        facts.tls =
            Some(Segment { kind: 7, flags: 4, offset: 0, address: 0, file_size: 0, memory_size: 1000, align: 8 });
    };
    let mut tree = Tree::new();
    tree.add(
        Made { path: "e.so", needed: &[("liba.so", Normal)], rpath: &["$ORIGIN"], facts: Some(tls), ..Made::default() }
            .elf(),
    );
    tree.add(Made { path: "liba.so", facts: Some(tls), ..Made::default() }.elf());
    let loader = Loader::Glibc(Glibc::new(X86_64));
    let closure = closure(&[Opening::local("e.so")], &tree, &loader, &Nothing);
    let machine = Machine { glibc: Some(((2, 28), (2, 40))), ..Machine::new(X86_64) };
    let found: Vec<String> = refusals(&closure, &machine).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["`liba.so` needs 2000 bytes of static thread-local storage, and 1664 are left at run time"]);
}

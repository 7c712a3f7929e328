//! Archives that lie, in a table: each with the problems it must have, and no others.

use crate::zip::{Entry, Zip, deflate};
use proptest::prelude::*;
use wheelproof_wheel::{Archive, MemberErrorKind, WheelError};

fn a() -> Entry {
    Entry::stored("a", b"first")
}

fn b() -> Entry {
    Entry::deflated("b", &[7; 1000])
}

fn named(name: &str) -> Zip {
    Zip::of([Entry::stored(name, b"x")])
}

#[test]
fn every_lie_is_told() {
    let mode = |mode| Zip::of([a().both(|f| f.mode = mode)]);
    let lying = |change: fn(&mut crate::zip::Fields)| Zip::of([a(), b().with(|e| change(&mut e.local))]);
    let mut unicode = vec![0x75, 0x70, 10, 0, 1, 0, 0, 0, 0];
    unicode.extend(b"other");
    let table: Vec<(&str, Zip, &[&str])> = vec![
        ("fine", Zip::of([a(), b()]), &[]),
        ("empty", Zip::of([]), &[]),
        ("folder", Zip::of([Entry::stored("d/", b""), Entry::stored("d/x", b"x")]), &[]),
        ("comment", Zip::of([a()]).with(|z| z.comment = b"hello".into()), &[]),
        ("zip64", Zip::of([a().both(|f| f.wide = true), b()]).with(|z| z.zip64 = true), &[]),
        ("descriptor", Zip::of([b().streamed(true, false), a()]), &[]),
        ("bare descriptor", Zip::of([b().streamed(false, false), a()]), &[]),
        ("wide descriptor", Zip::of([b().streamed(true, true), a()]), &[]),
        ("stored descriptor", Zip::of([a().streamed(true, false), b()]), &[]),
        ("prefix", Zip::of([a(), b()]).with(|z| z.prefix = b"#!/bin/sh\n".into()), &["prefix"]),
        ("prefix, zip64", Zip::of([a()]).with(|z| (z.prefix, z.zip64) = (vec![0; 100], true)), &["prefix"]),
        ("trailing", Zip::of([a()]).with(|z| z.trailing = b"more".into()), &["trailing"]),
        ("gap", Zip::of([a(), b().with(|e| e.gap = 5)]), &["unclaimed"]),
        ("gap at the end", Zip::of([a()]).with(|z| z.before_directory = vec![1; 9]), &["unclaimed"]),
        ("count", Zip::of([a(), b()]).with(|z| z.count = Some(7)), &["count"]),
        ("disk", Zip::of([a()]).with(|z| z.disk = 1), &["multi-disk"]),
        ("second end", Zip::of([a()]).with(|z| z.comment = Zip::of([b()]).build()), &["second-directory", "prefix"]),
        ("no name", named(""), &["empty-name"]),
        ("absolute", named("/etc/x"), &["absolute-name"]),
        ("parent", named("a/../../x"), &["parent-name"]),
        ("backslash", named("a\\x"), &["backslash-name"]),
        ("drive", named("C:/x"), &["drive-name"]),
        ("nul", named("a\0.py"), &["control-name"]),
        ("double slash", named("a//b"), &["unclean-name"]),
        ("unmarked", named("ä"), &["not-utf8-name"]),
        ("marked", Zip::of([Entry::stored("ä", b"").both(|f| f.flags = 1 << 11)]), &[]),
        ("not utf-8", Zip::of([a().with(|e| e.name = vec![0xff, b'x'])]), &["not-utf8-name"]),
        ("other name", Zip::of([a().with(|e| e.central.extra.clone_from(&unicode))]), &["other-name"]),
        ("twice", Zip::of([a(), Entry::stored("a", b"second")]), &["duplicate"]),
        ("file and folder", Zip::of([a(), Entry::stored("a/x", b"")]), &["file-and-folder"]),
        ("symlink", mode(0o120_777), &["symlink"]),
        ("device", mode(0o020_666), &["special-file"]),
        ("folder with data", Zip::of([Entry::stored("d/", b"x")]), &["folder-with-data"]),
        ("encrypted", Zip::of([a().both(|f| f.flags = 1)]), &["encrypted"]),
        ("lzma", Zip::of([a().both(|f| f.method = 14)]), &["unsupported-method"]),
        ("local offset", Zip::of([a().with(|e| e.offset = Some(1 << 31))]), &["out-of-bounds"]),
        ("into the directory", Zip::of([a().both(|f| (f.size, f.compressed) = (50, 50))]), &["out-of-bounds"]),
        (
            "4 GiB stored",
            Zip::of([a().both(|f| (f.size, f.compressed, f.wide) = (1 << 32, 1 << 32, true))]),
            &["out-of-bounds"],
        ),
        ("4 GiB deflated", Zip::of([b().both(|f| (f.size, f.wide) = (1 << 32, true))]), &["impossible-size"]),
        ("2^64", Zip::of([b().both(|f| (f.size, f.wide) = (u64::MAX, true))]), &["impossible-size"]),
        ("sizes differ", Zip::of([a().both(|f| f.size = 4)]), &["impossible-size"]),
        ("no local header", Zip::of([a(), b().with(|e| e.offset = Some(3))]), &["no-local-header"]),
        ("local name", lying(|f| f.name = Some(b"c".into())), &["local-disagrees"]),
        ("local method", lying(|f| f.method = 0), &["local-disagrees"]),
        ("local crc", lying(|f| f.crc = 1), &["local-disagrees"]),
        ("local size", lying(|f| f.size = 1), &["local-disagrees"]),
        ("local packed size", lying(|f| f.compressed = 1), &["local-disagrees"]),
        ("local encryption", lying(|f| f.flags = 1), &["local-disagrees"]),
        (
            "wrong descriptor",
            Zip::of([a().streamed(true, false).with(|e| e.descriptor[5] ^= 1)]),
            &["descriptor-disagrees", "unclaimed"],
        ),
        ("same bytes twice", Zip::of([a(), a().with(|e| (e.offset, e.no_local) = (Some(0), true))]), {
            &["overlap", "overlap", "duplicate"]
        }),
        ("nested", Zip::of([a().both(|f| (f.size, f.compressed) = (20, 20)), b()]), &["overlap"]),
    ];
    for (what, zip, expected) in table {
        let archive = zip.open();
        let found: Vec<_> = archive.problems().iter().map(|problem| problem.kind.name()).collect();
        assert_eq!(found, expected, "{what}: {:#?}", archive.problems());
        for problem in archive.problems() {
            assert!(problem.to_string().len() > 20, "{problem}");
        }
        assert!(what == "second end" || archive.members().len() == zip.members.len(), "{what}");
        // Whatever is wrong, reading ends, and what is not wrong can be read.
        for processed in archive.par_process(|_| true, |_, bytes| bytes.len() as u64) {
            assert_eq!(processed.result.is_ok(), processed.member.is_readable(), "{what}: {:?}", processed.result);
        }
    }
}

#[test]
fn a_bad_member_does_not_hide_the_others() {
    let archive = Zip::of([a().both(|f| f.flags = 1), b(), Entry::stored("c", b"ccc")]).open();
    assert_eq!(archive.read(archive.member("b").unwrap()).unwrap(), vec![7; 1000]);
    assert_eq!(&*archive.read(archive.member("c").unwrap()).unwrap(), b"ccc");
    let error = archive.read(archive.member("a").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "member `a`: it is encrypted");
}

#[test]
fn data_that_lie() {
    let kind = |zip: Zip| zip.open().read(&zip.open().members()[0]).map(|_| ()).unwrap_err().kind;
    let packed = deflate(&[7; 1000]);
    assert_eq!(kind(Zip::of([b().both(|f| f.size = 999)])), MemberErrorKind::TooLong { claimed: 999 });
    let short = kind(Zip::of([b().both(|f| f.size = 1001)]));
    assert_eq!(short, MemberErrorKind::TooShort { claimed: 1001, found: 1000 });
    assert_eq!(kind(Zip::of([b().with(|e| e.data = vec![0xff; packed.len()])])), MemberErrorKind::BadDeflate);
    let crc = kind(Zip::of([a().both(|f| f.crc = 5)]));
    assert_eq!(crc, MemberErrorKind::BadChecksum { claimed: 5, found: crc32fast::hash(b"first") });
    let cut = b().both(|f| f.compressed -= 4).with(|e| e.data.truncate(e.data.len() - 4));
    assert!(matches!(kind(Zip::of([cut])), MemberErrorKind::BadDeflate));
}

#[test]
fn prefixes_of_data_that_lie() {
    let lying = Zip::of([b().both(|f| f.size = 5000)]).open();
    assert_eq!(lying.read_prefix(&lying.members()[0], 16).unwrap(), vec![7; 16]);
    assert!(lying.read_prefix(&lying.members()[0], 4000).is_err());
    let bad = Zip::of([b().with(|e| e.data.fill(0xff))]).open();
    assert!(bad.read_prefix(&bad.members()[0], 16).is_err());
}

#[test]
fn bombs() {
    let zeros = deflate(&vec![0; 200 << 20]);
    let bomb = |name: &str, packed: &[u8], size: u64| {
        Entry::stored(name, b"").both(|f| (f.method, f.compressed, f.size) = (8, packed.len() as u64, size)).with(|e| {
            e.data = packed.to_vec();
        })
    };
    let archive = Zip::of([bomb("big", &zeros, 200 << 20), a()]).open();
    let names: Vec<_> = archive.problems().iter().map(|p| (p.member.as_deref(), p.kind.name())).collect();
    assert_eq!(names, [(Some("big"), "bomb")]);
    assert!(archive.read(&archive.members()[0]).is_err());

    let zeros = deflate(&vec![0; 100 << 20]);
    let many: Vec<_> = (0..20).map(|i| bomb(&format!("m{i}"), &zeros, 100 << 20)).collect();
    let archive = Zip::of(many.into_iter().chain([b()])).open();
    assert_eq!(archive.problems().iter().filter(|p| p.kind.name() == "bomb").count(), 20);
    assert!(archive.members()[20].is_readable());
}

#[test]
fn no_archive_at_all() {
    let table: [(&[u8], &str); 7] = [
        (b"", "it is empty"),
        (b"hello", "it is no zip archive (no end of central directory)"),
        (b"\x1f\x8b\x08aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "it is a gzip file, as source distributions are"),
        (b"\x7fELF", "it is an ELF binary"),
        (b"<!DOCTYPE html><html></html>", "it is an HTML or XML page"),
        (&Zip::of([a(), b()]).build()[..100], "it is cut off: a zip archive without its end of central directory"),
        (
            b"PK\x05\x06\0\0\0\0\x01\0\x01\0\xff\0\0\0\0\0\0\0\0\0",
            "its end of central directory at offset 0x0 points outside the file",
        ),
    ];
    for (bytes, expected) in table {
        match Archive::from_bytes("x.whl".into(), bytes.to_vec()) {
            Err(WheelError::NotAZip { reason, .. }) => assert_eq!(reason, expected),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(Archive::open("/".into()), Err(WheelError::NotAFile { .. } | WheelError::Io(_))));
    let missing = Archive::open("no/such.whl".into()).unwrap_err();
    assert!(missing.to_string().contains("no/such.whl"), "{missing}");
    let folder = crate::Folder::new();
    fs_err::write(folder.join("empty.whl"), b"").unwrap();
    let empty = Archive::open(&folder.join("empty.whl")).unwrap_err();
    assert!(empty.to_string().ends_with("it is empty"), "{empty}");
}

#[test]
fn a_cut_directory_gives_what_is_left() {
    let zip = Zip::of([a(), b()]);
    let mut bytes = zip.build();
    let second = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    bytes[second] = b'X';
    let archive = Archive::from_bytes("x.whl".into(), bytes).unwrap();
    assert_eq!(archive.members().len(), 1);
    assert_eq!(archive.problems().iter().map(|p| p.kind.name()).collect::<Vec<_>>(), ["directory"]);
    assert_eq!(&*archive.read(&archive.members()[0]).unwrap(), b"first");
}

/// Touches everything that a caller can.
fn exhaust(bytes: Vec<u8>) {
    let Ok(archive) = Archive::from_bytes("x.whl".into(), bytes) else { return };
    for member in archive.members() {
        let _ = (archive.read(member).is_ok(), archive.read_prefix(member, 64).is_ok(), member.file_name());
    }
    archive.problems().iter().for_each(|problem| drop(problem.to_string()));
    let whole = wheelproof_wheel::Wheel::of(archive);
    if let (Ok(info), Some(record)) = (&whole.dist_info, &whole.record) {
        wheelproof_wheel::check_record(&whole.archive, info, record, &whole.archive.hash_all());
        wheelproof_wheel::packages(&whole.archive, info);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any damage to a valid archive is borne.
    #[test]
    fn damage_is_borne(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<prop::sample::Index>(), cuts in prop::bool::weighted(0.2)) {
        let record = b"p/x.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n";
        let zip = Zip::of([
            a(), b().streamed(true, false), a().both(|f| f.wide = true),
            Entry::deflated("p-1.dist-info/RECORD", record), Entry::stored("p/x.py", b""),
        ]).with(|z| z.zip64 = true);
        let mut bytes = zip.build();
        for (place, value) in hits {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        exhaust(bytes);
    }
}

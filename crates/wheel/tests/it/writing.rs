//! Writing: canonical, whole or not at all, and read back by other readers than the one that wrote it.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::zip::{Entry, Zip};
use crate::{Folder, run};
use wheelproof_wheel::{
    Archive, Content, DosTime, Edits, Level, Packing, Wheel, WriteError, WriteOptions, canonicalise, check_record,
    pack_dir, rewrite, with_stored,
};

const OPTIONS: WriteOptions = WriteOptions { epoch: 1_700_000_000, level: LEVEL, packing: Packing::Dense };
const LEVEL: Level = Level::SMALLEST;

fn sample() -> Zip {
    let metadata = b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n";
    Zip::of([
        Entry::stored("pkg/", b""),
        Entry::stored("pkg-1.0.dist-info/RECORD", b"stale,,\n"),
        Entry::deflated("pkg-1.0.dist-info/METADATA", metadata),
        Entry::deflated("pkg-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        Entry::stored("pkg-1.0.dist-info/RECORD.jws", b"{}"),
        Entry::deflated("pkg/__init__.py", &b"answer = 42\n".repeat(50)).streamed(true, false),
        Entry::stored("pkg/tool.sh", b"#!/bin/sh\n").both(|f| f.mode = 0o100_775),
        Entry::stored("a\u{e4}.txt", b"").both(|f| f.flags |= 1 << 11),
    ])
}

fn names(archive: &Archive) -> Vec<&str> {
    archive.members().iter().map(|member| member.name.as_str()).collect()
}

/// The `zip` crate finds the same members with the same bytes.
fn assert_read_by_another(path: &Utf8Path, ours: &Archive) {
    use std::io::Read;
    let mut theirs = ::zip::ZipArchive::new(fs_err::File::open(path).unwrap()).unwrap();
    assert_eq!(theirs.len(), ours.members().len());
    for (index, member) in ours.members().iter().enumerate() {
        let mut bytes = Vec::new();
        let mut entry = theirs.by_index(index).unwrap();
        assert_eq!((&*entry.name().unwrap(), entry.size()), (member.name.as_str(), member.size));
        entry.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, *ours.read(member).unwrap(), "{}", member.name);
    }
}

/// The archive is fault-free for our reader, for Python's and for unzip; RECORD is complete.
fn assert_sound(path: &Utf8Path) {
    let whole = Wheel::open(path).unwrap();
    assert_eq!((whole.archive.problems(), &whole.problems[..]), (&[][..], &[][..]));
    let (info, record) = (whole.dist_info.as_ref().unwrap(), whole.record.as_ref().unwrap());
    assert_eq!(check_record(&whole.archive, info, record, &whole.archive.hash_all()).faults, []);
    assert_read_by_another(path, &whole.archive);
    run("python3", &["-m", "zipfile", "-t", path.as_str()]);
    run("unzip", &["-tqq", path.as_str()]);
}

#[test]
fn canonical_form() {
    let folder = Folder::new();
    let (one, two) = (folder.join("one.whl"), folder.join("two.whl"));
    fs_err::write(folder.join("in.whl"), sample().build()).unwrap();
    let mut other = sample();
    other.members.reverse();
    // The time of the archive's members, and what stands around them, differ.
    let bytes = other.with(|z| z.prefix = vec![1; 3]).with(|z| z.comment = b"c".into()).build();
    fs_err::write(folder.join("other.whl"), bytes).unwrap();
    let written = canonicalise(&folder.join("in.whl"), &one, &OPTIONS).unwrap();
    canonicalise(&folder.join("other.whl"), &two, &OPTIONS).unwrap();
    let bytes = fs_err::read(&one).unwrap();
    assert_eq!(written.size, bytes.len() as u64);
    assert_eq!(bytes, fs_err::read(&two).unwrap());
    assert_sound(&one);

    let archive = Archive::open(&one).unwrap();
    assert_eq!(
        names(&archive),
        [
            "a\u{e4}.txt",
            "pkg/__init__.py",
            "pkg/tool.sh",
            "pkg-1.0.dist-info/METADATA",
            "pkg-1.0.dist-info/WHEEL",
            "pkg-1.0.dist-info/RECORD",
        ]
    );
    assert!(archive.members().iter().all(|m| m.modified.to_string() == "2023-11-14 22:13:20"));
    let modes: Vec<_> = archive.members().iter().map(|m| m.mode.unwrap()).collect();
    assert_eq!(modes, [0o100_644, 0o100_644, 0o100_755, 0o100_644, 0o100_644, 0o100_644]);
    // What did not change kept its compressed bytes.
    let (old, new) = (sample().open(), archive.member("pkg/__init__.py").unwrap());
    assert_eq!(new.compressed_size, old.member("pkg/__init__.py").unwrap().compressed_size);

    // Windows replaces no file that anybody has mapped.
    drop(archive);
    // Once canonical, nothing changes, also in place.
    canonicalise(&one, &one, &OPTIONS).unwrap();
    assert_eq!(fs_err::read(&one).unwrap(), bytes);
    assert_eq!(folder.names(), ["in.whl", "one.whl", "other.whl", "two.whl"]);
}

#[test]
fn edits() {
    let folder = Folder::new();
    let (out, source) = (folder.join("out.whl"), folder.join("lib.so"));
    fs_err::write(&source, vec![3; 100_000]).unwrap();
    let archive = sample().open();
    let mut edits = Edits::new();
    edits
        .put("pkg.libs/lib.so", Content::File(source), 0o755)
        .put("pkg/__init__.py", Content::Bytes(b"answer = 43\n".to_vec()), 0o644)
        .put("pkg/empty", Content::Bytes(vec![]), 0o644)
        .remove("a\u{e4}.txt");
    for file in ["METADATA", "WHEEL", "RECORD"] {
        edits.rename(format!("pkg-1.0.dist-info/{file}"), format!("pkg-1.1.dist-info/{file}"));
    }
    edits.remove("pkg-1.0.dist-info/RECORD.jws");
    // With hashes at hand and without.
    rewrite(&archive, &edits, Some(&archive.hash_all()), &out, &OPTIONS).unwrap();
    let bytes = fs_err::read(&out).unwrap();
    rewrite(&archive, &edits, None, &out, &OPTIONS).unwrap();
    assert_eq!(fs_err::read(&out).unwrap(), bytes);
    assert_sound(&out);
    let archive = Archive::open(&out).unwrap();
    assert_eq!(
        names(&archive),
        [
            "pkg.libs/lib.so",
            "pkg/__init__.py",
            "pkg/empty",
            "pkg/tool.sh",
            "pkg-1.1.dist-info/METADATA",
            "pkg-1.1.dist-info/WHEEL",
            "pkg-1.1.dist-info/RECORD",
        ]
    );
    let read = |name: &str| archive.read(archive.member(name).unwrap()).unwrap().into_owned();
    assert_eq!(read("pkg/__init__.py"), b"answer = 43\n");
    assert_eq!(read("pkg.libs/lib.so"), vec![3; 100_000]);
    let lib = archive.member("pkg.libs/lib.so").unwrap();
    assert!(lib.is_executable() && lib.compressed_size < 1000);
}

#[test]
fn what_must_not_be_written() {
    let folder = Folder::new();
    let out = folder.join("out.whl");
    let bytes = |name: &str| Edits::new().put(name, Content::Bytes(vec![]), 0).clone();
    let table: Vec<(Zip, Edits, &str)> = vec![
        (sample(), Edits::new().remove("nothing").clone(), "there is no member `nothing` to remove or rename"),
        (
            sample(),
            Edits::new().rename("pkg/tool.sh", "pkg/__init__.py").clone(),
            "two members would be named `pkg/__init__.py`",
        ),
        (sample(), bytes("../x"), "`../x` cannot be a member's name: its name leaves the wheel through `..`"),
        (
            sample(),
            Edits::new().rename("pkg/tool.sh", "/x").clone(),
            "`/x` cannot be a member's name: its name is absolute",
        ),
        (
            sample(),
            bytes("other-1.dist-info/METADATA"),
            "the wheel to write has no place for RECORD: there are several `.dist-info` folders: `other-1.dist-info`, `pkg-1.0.dist-info`",
        ),
        (
            Zip::of([Entry::stored("a", b"")]),
            Edits::new(),
            "the wheel to write has no place for RECORD: there is no `.dist-info` folder at the root of the wheel",
        ),
        (
            sample().with(|z| z.members[5].encrypt()),
            Edits::new(),
            "`test.whl` cannot be rewritten: member `pkg/__init__.py`: it is encrypted",
        ),
        (
            sample().with(|z| z.members[6].both_crc(1)),
            Edits::new(),
            "member `pkg/tool.sh`: its checksum is 04fb9d1d, 00000001 was claimed",
        ),
        (
            sample().with(|z| z.trailing = vec![0]),
            Edits::new(),
            "`test.whl` cannot be rewritten: the archive has 1 bytes after its end",
        ),
        (
            sample(),
            Edits::new().put("x", Content::File("no/such/file".into()), 0).clone(),
            "failed to open file `no/such/file`",
        ),
    ];
    for (zip, edits, expected) in table {
        let error = rewrite(&zip.open(), &edits, None, &out, &OPTIONS).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}\n{expected}");
        assert_eq!(folder.names(), [""; 0], "{expected}");
    }
    // An unreadable member does not matter once it is replaced.
    let archive = sample().with(|z| z.members[5].encrypt()).open();
    rewrite(&archive, &bytes("pkg/__init__.py"), None, &out, &OPTIONS).unwrap();
    assert_sound(&out);
    let error = rewrite(&archive, &bytes("pkg/__init__.py"), None, &folder.join("no/out.whl"), &OPTIONS).unwrap_err();
    assert!(matches!(&error, WriteError::Io(error) if error.to_string().contains("no/out.whl")), "{error}");
}

impl Entry {
    fn encrypt(&mut self) {
        self.local.flags |= 1;
        self.central.flags |= 1;
    }

    fn both_crc(&mut self, crc: u32) {
        (self.local.crc, self.central.crc) = (crc, crc);
    }
}

/// A folder is packed, installed by pip and imported.
#[test]
fn packed_folder_installs() {
    let folder = Folder::new();
    let tree = folder.join("tree");
    let long = "x = 1\n".repeat(10_000);
    let files = [
        ("tiny_pkg/__init__.py", "from .sub import x\n"),
        ("tiny_pkg/sub.py", long.as_str()),
        ("tiny_pkg-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-pkg\nVersion: 2.0\n"),
        (
            "tiny_pkg-2.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
    ];
    for (name, text) in files {
        let path = tree.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    let out = folder.join("tiny_pkg-2.0-py3-none-any.whl");
    assert_eq!(pack_dir(&tree, &out, &WriteOptions::default()).unwrap().members, 5);
    assert_sound(&out);
    assert_eq!(Archive::open(&out).unwrap().members()[0].modified, DosTime::EARLIEST);

    let target = folder.join("site");
    let pip = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", "--target"];
    if run("python3", &["-c", "import importlib.util as u; print(u.find_spec('pip') is not None)"]).as_deref()
        == Some("True\n")
    {
        run("python3", &[&pip[..], &[target.as_str(), out.as_str()]].concat());
        let script =
            format!("import sys; sys.path.insert(0, {:?}); import tiny_pkg; print(tiny_pkg.x)", target.as_str());
        assert_eq!(run("python3", &["-c", &script]).as_deref(), Some("1\n"));
    } else {
        println!("skipped: python3 has no pip");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("sub.py", tree.join("tiny_pkg/link.py")).unwrap();
        let error = pack_dir(&tree, &out, &WriteOptions::default()).unwrap_err();
        assert!(error.to_string().contains("link.py"), "{error}");
    }
}

/// A large member cut into pieces is one stream for every reader, and the same with one thread and with several.
#[test]
fn split_members() {
    let folder = Folder::new();
    let mut state = 1_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    // Not a multiple of the pieces' size; the random part is as long as deflate's window, so that it repeats over it.
    let part: Vec<u8> = (0..20_011).map(|_| random()).collect();
    let big: Vec<u8> = part.iter().copied().cycle().take((17 << 20) + 12_345).collect();
    let hard: Vec<u8> = (0..17 << 20).map(|_| random().wrapping_mul(31) ^ random().wrapping_mul(17)).collect();
    let mut edits = Edits::new();
    edits.put("big.so", Content::Bytes(big.clone()), 0o755).put("hard.so", Content::Bytes(hard), 0o755);
    let options = WriteOptions { packing: Packing::Split, level: Level::default(), ..OPTIONS };
    let bytes = [1, 3].map(|threads| {
        let out = folder.join(&format!("{threads}.whl"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| rewrite(&sample().open(), &edits, None, &out, &options)).unwrap();
        fs_err::read(&out).unwrap()
    });
    assert!(bytes[0] == bytes[1], "the bytes depend on the number of threads");
    let out = folder.join("3.whl");
    assert_sound(&out);
    let archive = Archive::open(&out).unwrap();
    let member = archive.member("big.so").unwrap();
    assert!(*archive.read(member).unwrap() == *big);
    // Without the dictionary every piece would hold the random part again.
    assert!(member.compressed_size < 350_000, "{}", member.compressed_size);
}

/// More members than the plain end record can count.
#[test]
fn zip64_when_needed() {
    let folder = Folder::new();
    let out = folder.join("many.whl");
    let mut edits = Edits::new();
    for number in 0..66_000 {
        edits.put(format!("p/{number:05}"), Content::Bytes(vec![]), 0);
    }
    assert_eq!(rewrite(&sample().open(), &edits, None, &out, &OPTIONS).unwrap().members, 66_006);
    let archive = Archive::open(&out).unwrap();
    assert_eq!((archive.problems(), archive.members().len()), (&[][..], 66_006));
    run("python3", &["-m", "zipfile", "-t", out.as_str()]);
}

#[test]
fn times() {
    let table = [
        (0, "1980-01-01 00:00:00"),
        (315_532_799, "1980-01-01 00:00:00"),
        (315_532_800, "1980-01-01 00:00:00"),
        (951_782_401, "2000-02-29 00:00:00"),
        (1_709_251_199, "2024-02-29 23:59:58"),
        (1_735_689_599, "2024-12-31 23:59:58"),
        (4_354_819_199, "2107-12-31 23:59:58"),
        (u64::MAX, "2107-12-31 23:59:58"),
    ];
    for (epoch, expected) in table {
        assert_eq!(DosTime::from_epoch(epoch).to_string(), expected, "{epoch}");
    }
}

#[test]
fn members_stored_for_a_slow_reader_are_the_same_members() {
    let folder = Folder::new();
    let given = folder.join("given.whl");
    rewrite(&sample().open(), &Edits::new(), None, &given, &OPTIONS).unwrap();
    let archive = Archive::open(&given).unwrap();
    let member = archive.member("pkg/__init__.py").unwrap();
    let inflated = BTreeMap::from([(member.index, archive.read(member).unwrap().into_owned())]);
    let out = folder.join("stored.whl");
    let written = with_stored(&archive, &inflated, &out, &OPTIONS).unwrap();
    assert_sound(&out);
    let stored = Archive::open(&out).unwrap();
    assert_eq!((names(&stored), written.members), (names(&archive), archive.members().len()));
    for (was, is) in archive.members().iter().zip(stored.members()) {
        assert_eq!(archive.read(was).unwrap(), stored.read(is).unwrap(), "{}", was.name);
        assert_eq!(
            (was.mode, archive.stands_alike(was, &stored, is)),
            (is.mode, was.index != member.index),
            "{}",
            was.name
        );
    }
    let unsafe_one = Zip::of([Entry::stored("../out.txt", b"")]).open();
    let refused = with_stored(&unsafe_one, &BTreeMap::new(), &folder.join("no.whl"), &OPTIONS).unwrap_err();
    assert!(matches!(refused, WriteError::Unsound { .. }), "{refused}");
    assert!(!folder.join("no.whl").exists());
}

//! Reading well-made wheels: members, layout, RECORD, many members at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::zip::{Entry, Zip};
use wheelproof_wheel::PackageKind::{Module, Namespace, Regular};
use wheelproof_wheel::{Archive, DistInfo, DistInfoError, Hashes, Record, Wheel, check_record, hash, packages};

const RECORD: &str = "pkg-1.0.dist-info/RECORD";

fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let step = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // A few values only, so that it compresses.
        Some((seed >> 61) as u8)
    };
    std::iter::from_fn({
        let mut step = step;
        move || step()
    })
    .take(length)
    .collect()
}

#[test]
fn members_are_as_they_were_put() {
    let big = noise(300_000, 1);
    let archive = Zip::of([
        Entry::stored("pkg/a.py", b"a = 1\n").both(|f| f.mode = 0o100_755),
        Entry::deflated("pkg/b.so", &big),
        Entry::stored("pkg/", b"").both(|f| f.mode = 0),
    ])
    .open();
    let [a, b, folder] = archive.members() else { panic!() };
    assert_eq!((a.name.as_str(), a.size, a.is_executable(), a.file_name()), ("pkg/a.py", 6, true, "a.py"));
    assert_eq!((b.size, b.mode, b.compressed_size < b.size / 2), (300_000, Some(0o100_644), true));
    assert_eq!((folder.is_dir, folder.mode, folder.file_name()), (true, None, "pkg"));
    assert!(matches!(archive.read(a).unwrap(), std::borrow::Cow::Borrowed(b"a = 1\n")));
    assert_eq!(*archive.read(b).unwrap(), *big);
    for length in [0, 1, 64, 4096, 299_999, 300_000, 1 << 40] {
        assert_eq!(*archive.read_prefix(b, length).unwrap(), big[..length.min(300_000)], "{length}");
    }
    assert_eq!(*archive.read_prefix(a, 3).unwrap(), *b"a =");
    assert!(archive.member("pkg/c").is_none() && archive.member("").is_none() && archive.member("zzz").is_none());
    assert_eq!(archive.member("pkg/b.so").unwrap().index, 1);
}

#[test]
fn the_last_of_a_name_counts() {
    let archive = Zip::of([Entry::stored("a", b"1"), Entry::stored("b", b""), Entry::stored("a", b"2")]).open();
    assert_eq!(*archive.read(archive.member("a").unwrap()).unwrap(), *b"2");
}

#[test]
fn many_at_once_within_memory() {
    let sizes = [900_000, 5, 800_000, 700_000, 0, 600_000, 1, 500_000, 400_000];
    let files: Vec<_> = sizes.iter().enumerate().map(|(i, &size)| noise(size, i as u64)).collect();
    let members = files.iter().enumerate().map(|(i, file)| Entry::deflated(&format!("f{i}"), file));
    let archive = Zip::of(members.chain([Entry::stored("skip", b"")])).open();
    let (alive, most, order) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(vec![]));
    // More threads than fit into the memory of two members.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    let processed = pool.install(|| {
        archive.par_process(
            |member| member.name != "skip",
            |member, bytes| {
                order.lock().unwrap().push(member.index);
                let now = alive.fetch_add(member.size, Ordering::SeqCst) + member.size;
                most.fetch_max(now, Ordering::SeqCst);
                // Work that is itself parallel, as the callers' is.
                let (left, right) = bytes.split_at(bytes.len() / 2);
                let same = rayon::join(
                    || left == &files[member.index][..left.len()],
                    || right.len() == bytes.len() - left.len(),
                );
                std::thread::sleep(std::time::Duration::from_millis(2));
                alive.fetch_sub(member.size, Ordering::SeqCst);
                same == (true, true)
            },
        )
    });
    assert_eq!(processed.iter().map(|p| p.member.index).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
    assert!(processed.into_iter().all(|p| p.result.unwrap()));
    assert!(most.load(Ordering::SeqCst) <= 1_700_000, "{most:?}");
    let order = order.into_inner().unwrap();
    assert!(order.iter().position(|&i| i == 0) < order.iter().position(|&i| i == 8), "{order:?}");
}

fn wheel_with(record: &str) -> Archive {
    Zip::of([
        Entry::stored("pkg/x.py", b""),
        Entry::deflated("pkg/y.so", b"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
        Entry::stored(RECORD, record.as_bytes()),
        Entry::stored("pkg-1.0.dist-info/RECORD.jws", b"{}"),
        Entry::stored("pkg/", b""),
    ])
    .open()
}

#[test]
fn record_against_the_archive() {
    let x = "pkg/x.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0";
    let x384 = "pkg/x.py,sha384=OLBgp1GsljhM2TJ-sbHjaiH9txEUvgdDTAzHv2P24donTt6_529l-9Ua0vFImLlb,0";
    let y = "pkg/y.so,sha256=FNnd8ZnnU94xkuU5VZxcgoFZSCrlkQaqThXgzu-wVOE,44";
    let archive = wheel_with("");
    let real =
        wheelproof_wheel::Digest::sha256(&hash(&archive.read(archive.member("pkg/y.so").unwrap()).unwrap()).sha256);
    let y = y.replace("sha256=FNnd8ZnnU94xkuU5VZxcgoFZSCrlkQaqThXgzu-wVOE", &real.to_string());
    let own = format!("{RECORD},,");
    let wrong = x.replace("47DE", "47DF");
    let resized = x.replace(",0", ",7");
    let table: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (vec![x, &y, &own], vec![]),
        (vec![&own, x384, &y, "pkg-1.0.dist-info/RECORD.jws,,"], vec![]),
        (vec![x, &own], vec!["`pkg/y.so` is not listed in RECORD"]),
        (vec![x, &y], vec!["`pkg-1.0.dist-info/RECORD` is not listed in RECORD"]),
        (vec![x, &y, &own, "gone,,"], vec!["`gone` is listed in RECORD, but not in the wheel"]),
        (vec![x, x, &y, &own], vec!["`pkg/x.py` is listed 2 times in RECORD"]),
        (vec!["pkg/x.py,,", &y, &own], vec!["RECORD has no hash for `pkg/x.py`"]),
        (vec!["pkg/x.py,md5=abc,0", &y, &own], vec!["RECORD hashes `pkg/x.py` with md5, not with sha256 or better"]),
        (
            vec![&wrong, &y, &own],
            vec![
                "RECORD says that `pkg/x.py` has sha256=47DFQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU, its bytes have sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
            ],
        ),
        (vec![&resized, &y, &own], vec!["RECORD says that `pkg/x.py` has 7 bytes, it has 0"]),
    ];
    for (rows, expected) in table {
        let archive = wheel_with(&rows.join("\n"));
        let whole = Wheel::of(archive);
        let (info, record) = (whole.dist_info.as_ref().unwrap(), whole.record.as_ref().unwrap());
        // With the hashes, and without any, it must come to the same.
        for hashes in [whole.archive.hash_all(), Hashes::default()] {
            let faults = check_record(&whole.archive, info, record, &hashes).faults;
            assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{rows:?}");
            assert!(faults.iter().all(|fault| expected[0].contains(fault.path())));
        }
    }
}

#[test]
fn an_unreadable_member_is_named_by_the_check() {
    let archive =
        Zip::of([Entry::stored("a-1.dist-info/RECORD", b""), Entry::stored("a.py", b"x").both(|f| f.crc = 1)]).open();
    let info = DistInfo::find(&archive).unwrap();
    let record =
        Record::parse(b"a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,1\na-1.dist-info/RECORD,,\n").0;
    let faults = check_record(&archive, &info, &record, &archive.hash_all()).faults;
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].path(), "a.py");
}

#[test]
fn dist_info() {
    let find = |names: &[&str]| DistInfo::find(&Zip::of(names.iter().map(|name| Entry::stored(name, b""))).open());
    let info = find(&["pkg/x", "pkg-1.0.dist-info/RECORD", "pkg-1.0.dist-info/", "pkg/vendor/other-2.dist-info/M"]);
    assert_eq!(info.as_ref().map(|info| (info.name.as_str(), info.version.as_str())), Ok(("pkg", "1.0")));
    assert_eq!(find(&["pkg/x", "pkg-1.0.dist-info"]), Err(DistInfoError::None));
    let several = find(&["b-1.dist-info/x", "a-1.dist-info/x"]).unwrap_err();
    assert_eq!(several.to_string(), "there are several `.dist-info` folders: `a-1.dist-info`, `b-1.dist-info`");
    assert!(matches!(find(&["x.dist-info/METADATA"]), Err(DistInfoError::BadName { .. })));
}

#[test]
fn a_wheel_without_texts_says_which() {
    let whole = Wheel::of(Zip::of([Entry::stored("a-1.dist-info/WHEEL", b"").both(|f| f.flags = 1)]).open());
    let said: Vec<_> = whole.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["METADATA: it is missing", "WHEEL: it cannot be read: it is encrypted", "RECORD: it is missing",]
    );
}

#[test]
fn top_level_names() {
    let names = [
        "regular/__init__.py",
        "regular/sub/x.py",
        "ext/__init__.cpython-313-x86_64-linux-gnu.so",
        "namespace/part/__init__.py",
        "_mod.cp313-win_amd64.pyd",
        "single.py",
        "data/readme.txt",
        "pkg.libs/libLLVM.so.19",
        "p-1.dist-info/METADATA",
        "p-1.data/platlib/placed/__init__.py",
        "p-1.data/scripts/run.py",
    ];
    let archive = Zip::of(names.map(|name| Entry::stored(name, b""))).open();
    let found = packages(&archive, &DistInfo::find(&archive).unwrap());
    let found: Vec<_> = found.iter().map(|package| (package.name.as_str(), package.kind)).collect();
    assert_eq!(
        found,
        [
            ("_mod", Module),
            ("ext", Regular),
            ("namespace", Namespace),
            ("placed", Regular),
            ("regular", Regular),
            ("single", Module),
        ]
    );
}

/// Archives as Python's own zipfile makes them, one of them to a pipe, which has to use data descriptors.
#[test]
fn archives_of_python() {
    let folder = crate::Folder::new();
    let (plain, streamed) = (folder.join("plain.whl"), folder.join("streamed.whl"));
    let script = "import sys,zipfile\nclass Pipe:\n  def __init__(s,f): s.f=f\n  def write(s,b): return s.f.write(b)\n  def flush(s): s.f.flush()\n\
        def fill(z):\n  z.writestr('a.py','x = 1\\n'*1000,zipfile.ZIP_DEFLATED)\n  z.writestr('b\u{e4}.txt','stored')\n\
        \x20 with z.open(zipfile.ZipInfo('c.bin'),'w',force_zip64=True) as f: f.write(b'123'*99)\n\
        with zipfile.ZipFile(sys.argv[1],'w') as z: fill(z)\n\
        with open(sys.argv[2],'wb') as f, zipfile.ZipFile(Pipe(f),'w') as z: fill(z)\n";
    if crate::run("python3", &["-c", script, plain.as_str(), streamed.as_str()]).is_none() {
        return;
    }
    for path in [plain, streamed] {
        let archive = Archive::open(&path).unwrap();
        assert_eq!(archive.problems(), [], "{path}");
        let texts: Vec<_> =
            archive.members().iter().map(|m| (m.name.as_str(), archive.read(m).unwrap().len())).collect();
        assert_eq!(texts, [("a.py", 6000), ("b\u{e4}.txt", 6), ("c.bin", 297)], "{path}");
    }
}

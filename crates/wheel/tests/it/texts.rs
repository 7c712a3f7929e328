//! METADATA, WHEEL and RECORD: what is read, what is told to be wrong, and that printing is the inverse of parsing.

use proptest::prelude::*;
use wheelproof_wheel::{Algorithm, Digest, Metadata, Record, RecordEntry, WheelFile};

#[test]
fn metadata() {
    let text = "Metadata-Version: 2.4\r\nName: My.Pkg\nVersion: 1.0\nRequires-Python: >=3.9\n\
        Requires-Dist: NumPy (>=1.2)\nRequires-Dist: typing_extensions>=4 ; python_version < \"3.11\"\n\
        Requires-Dist: pytest; extra == 'test'\nLicense: one\n   two\n\tthree\n\nA body: not a header\n";
    let (metadata, problems) = Metadata::parse(text.as_bytes());
    assert_eq!(problems, []);
    assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("My.Pkg", "1.0"));
    assert_eq!(metadata.requires_python.as_deref(), Some(">=3.9"));
    let needs: Vec<_> = metadata.requires_dist.iter().map(|r| (r.name.as_str(), r.extra_only)).collect();
    assert_eq!(needs, [("numpy", false), ("typing-extensions", false), ("pytest", true)]);
    assert_eq!(metadata.headers.get("license"), Some("one\n   two\n\tthree"));
    assert_eq!(metadata.headers.body.as_deref(), Some("A body: not a header\n"));
    assert_eq!(Metadata::parse(metadata.to_string().as_bytes()).0, metadata);
}

#[test]
fn what_is_wrong_with_metadata() {
    let table: [(&[u8], &[&str]); 9] = [
        (
            b"",
            &["METADATA: the field `Metadata-Version` is missing", "METADATA: the field `Name` is missing", {
                "METADATA: the field `Version` is missing"
            }],
        ),
        (b"Metadata-Version: 2.1\nName: a\nVersion: 1\n", &[]),
        (b"\xef\xbb\xbfMetadata-Version: 2.1\nName: a\nVersion: 1\n", &[]),
        (
            b"Metadata-Version: 2.1\nName: a\nVersion: 1\nName: b\n",
            &["METADATA:4: the field `Name` is given several times"],
        ),
        (b"Metadata-Version: 2.1\nName: a\nVersion: 1\nwhat is this\n", &["METADATA:4: `what is this` is no header"]),
        (b" folded\nMetadata-Version: 2.1\nName: a\nVersion: 1\n", &["METADATA:1: ` folded` is no header"]),
        (
            b"Metadata-Version: 2.1\nName: a b\nVersion: 1\n",
            &["METADATA: `Name` is `a b`, not a distribution's name (letters, digits, `-`, `_`, `.`)"],
        ),
        (b"Metadata-Version: 2.1\nName: a\nVersion: \n", &["METADATA: the field `Version` is missing"]),
        (
            b"Metadata-Version: 2.1\nName: a\nVersion: 1\nSummary: \xff\nRequires-Dist: >=3\n",
            &["METADATA: it is not UTF-8", "METADATA:5: `Requires-Dist` is `>=3`, not a requirement (PEP 508)"],
        ),
    ];
    for (text, expected) in table {
        let found: Vec<_> = Metadata::parse(text).1.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn hostile_lengths_are_bounded() {
    let (record, problems) = Record::parse("a\n".repeat(1_000_000).as_bytes());
    assert_eq!((record.entries.len(), problems.len()), (400_000, 100));
    let (record, problems) = Record::parse("a,,\n".repeat(400_001).as_bytes());
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["RECORD:400001: it has more than 400000 rows or fields; the rest is not read"]);
    assert_eq!(record.entries.len(), 400_000);
    let (metadata, problems) = Metadata::parse("a:\n".repeat(1_000_000).as_bytes());
    assert_eq!((metadata.headers.iter().count(), problems.len()), (50_000, 4));
}

#[test]
fn wheel_file() {
    let text = "Wheel-Version: 1.0\nGenerator: bdist_wheel 0.40\nRoot-Is-Purelib: FALSE\n\
        Tag: cp313-cp313-manylinux_2_28_x86_64\nTag: cp313-cp313-linux_x86_64\nBuild: 1a\nX-Odd: yes\n";
    let (file, problems) = WheelFile::parse(text.as_bytes());
    assert_eq!(problems, []);
    assert!(!file.root_is_purelib);
    assert_eq!(file.tags, ["cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-linux_x86_64"]);
    assert_eq!((file.build.as_deref(), file.others.len()), (Some("1a"), 1));
    assert_eq!(file.to_string(), text.replace("FALSE", "false"));

    let bad = "Wheel-Version: 2.0\nRoot-Is-Purelib: maybe\nTag: cp313-cp313\n";
    let found: Vec<_> = WheelFile::parse(bad.as_bytes()).1.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "WHEEL: `Wheel-Version` is `2.0`, not 1.x, which installers know",
            "WHEEL: `Root-Is-Purelib` is `maybe`, not `true` or `false`",
            "WHEEL:3: `Tag` is `cp313-cp313`, not `python-abi-platform`",
        ]
    );
    assert_eq!(WheelFile::parse(b"").1.len(), 3);
}

#[test]
fn record_rows() {
    let hash = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let table: Vec<(String, Vec<&str>, Vec<&str>)> = vec![
        (format!("a,{hash},0\n"), vec!["a"], vec![]),
        (format!("a,{hash},0\r\n\r\nb,,\r\n"), vec!["a", "b"], vec![]),
        (format!("a,{hash},0\rb,,"), vec!["a", "b"], vec![]),
        (format!("\"a,\"\"b\"\"\nc\",{hash},0\nb,,\n"), vec!["a,\"b\"\nc", "b"], vec![]),
        ("a\"b,,\n".into(), vec!["a\"b"], vec![]),
        ("a\n".into(), vec!["a"], vec!["RECORD:1: a row has 1 columns, not 3"]),
        ("x,,\na,,,,\n".into(), vec!["x", "a"], vec!["RECORD:2: a row has 5 columns, not 3"]),
        (",,\n".into(), vec![], vec!["RECORD:1: a row names no file"]),
        (
            "\"a\nb\",,\n\"c,,\n".into(),
            vec!["a\nb", "c,,\n"],
            vec!["RECORD:3: a quoted field is not closed", "RECORD:3: a row has 1 columns, not 3"],
        ),
        (
            "a,md5,x\n".into(),
            vec!["a"],
            vec![
                "RECORD:1: `hash` is `md5`, not `algorithm=` and the digest in URL-safe base64 without padding",
                "RECORD:1: `size` is `x`, not a number of bytes",
            ],
        ),
        ("a,,+1\n".into(), vec!["a"], vec!["RECORD:1: `size` is `+1`, not a number of bytes"]),
        (String::new(), vec![], vec![]),
    ];
    for (text, paths, expected) in table {
        let (record, problems) = Record::parse(text.as_bytes());
        assert_eq!(record.entries.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(), paths, "{text:?}");
        let found: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{text:?}");
    }
}

/// Python's csv module reads what is printed, and its writing is read, also where quoting is needed.
#[test]
fn record_as_python_sees_it() {
    let paths = ["plain", "com,ma", "quo\"te", "both\",\"", "spa ce", " lead", "ä€", "\"", "a\"b,c"];
    let entries = paths.map(|path| RecordEntry { path: path.into(), digest: None, size: Some(3) }).to_vec();
    let record = Record { entries };
    let folder = crate::Folder::new();
    let path = folder.join("RECORD");
    fs_err::write(&path, record.to_string()).unwrap();
    let script = "import csv,sys\nrows=list(csv.reader(open(sys.argv[1],newline='',encoding='utf-8')))\n\
        csv.writer(open(sys.argv[1],'w',newline='',encoding='utf-8')).writerows(rows)\nprint(ascii([r[0] for r in rows]))";
    let Some(out) = crate::run("python3", &["-c", script, path.as_str()]) else { return };
    assert_eq!(
        out.trim(),
        r#"['plain', 'com,ma', 'quo"te', 'both","', 'spa ce', ' lead', '\xe4\u20ac', '"', 'a"b,c']"#
    );
    let back = fs_err::read(&path).unwrap();
    assert!(back.windows(2).any(|w| w == b"\r\n"));
    assert_eq!(Record::parse(&back), (record, vec![]));
}

prop_compose! {
    fn entry()(path in "[ -~ä\n\r,\"]{1,20}", bytes in prop::option::of(any::<[u8; 9]>()), size in any::<Option<u64>>(), which in 0..3usize) -> RecordEntry {
        let algorithm = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512][which].clone();
        RecordEntry { path, digest: bytes.map(|bytes| Digest::of(&algorithm, &bytes).unwrap()), size }
    }
}

proptest! {
    #[test]
    fn record_round_trip(entries in prop::collection::vec(entry(), 0..8)) {
        let record = Record { entries };
        prop_assert_eq!(Record::parse(record.to_string().as_bytes()), (record, vec![]));
    }

    #[test]
    fn metadata_round_trip(text in "(Metadata-Version: 2.1\nName: a\nVersion: 1\n)?([A-Z][a-z-]{0,5}: ?[ -~]{0,9}\n( [!-~ä]{1,5}\n){0,2}){0,4}(\n[ -~\n]{0,30})?") {
        let (metadata, _) = Metadata::parse(text.as_bytes());
        prop_assert_eq!(Metadata::parse(metadata.to_string().as_bytes()).0, metadata);
    }

    #[test]
    fn wheel_file_round_trip(text in "(Wheel-Version: 1.0\n)?(Root-Is-Purelib: true\n)?(Tag: [!-~]{1,9}\n){0,3}([A-Z][a-z-]{0,5}: [!-~]{0,9}\n){0,4}") {
        let (file, _) = WheelFile::parse(text.as_bytes());
        prop_assert_eq!(WheelFile::parse(file.to_string().as_bytes()).0, file);
    }

    #[test]
    fn any_bytes_are_borne(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), any::<u8>()], 0..200)) {
        let _ = (Metadata::parse(&bytes).0.to_string(), WheelFile::parse(&bytes).0.to_string());
        let (record, problems) = Record::parse(&bytes);
        let (again, _) = Record::parse(record.to_string().as_bytes());
        prop_assert_eq!(again, record, "{:?}", problems);
    }
}

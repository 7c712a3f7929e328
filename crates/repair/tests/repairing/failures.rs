//! What a tool can do wrong, made to happen: a false tool in the place of the real one. Nothing of it is ever taken for a
//! result.
#![cfg(unix)]

use crate::bench::{Bench, EPOCH, fixture, members, refused, repair, without_pad};
use camino::Utf8Path;
use host::toolenv::ToolEnvironment;
use wheelproof_repair::{RepairError, Request};

const NAME: &str = "pkg-1.0-cp313-cp313-win_amd64.whl";
const CORE: &str = "pkg/_core.cp313-win_amd64.pyd";

/// A wheel that lacks a library, and a request whose tool is a script. In it `$OUT` is the tool's folder and `$WHEEL` the
/// wheel, `$GOOD` one that a good tool would have made.
fn with_tool(bench: &Bench, script: &str) -> (Request, camino::Utf8PathBuf) {
    with_tool_and(bench, script, &[])
}

/// The same with further files in the wheel.
fn with_tool_and(bench: &Bench, script: &str, more: &[(&str, Vec<u8>)]) -> (Request, camino::Utf8PathBuf) {
    let mut files = vec![
        ("pkg/__init__.py", "x = 1\n".into()),
        ("pkg/table.bin", vec![9; 50]),
        (CORE, fixture("windows/_core.cp313-win_amd64.pyd")),
    ];
    files.extend(more.iter().cloned());
    let wheel = bench.wheel(NAME, &files);
    let programs = bench.folder("tool/bin");
    let python = programs.join("python");
    let head = "#!/bin/sh\nwhile [ $# -gt 1 ]; do if [ \"$1\" = -w ]; then OUT=$2; fi; shift; done\nWHEEL=$1\n";
    fs_err::write(&python, format!("{head}GOOD={}\n{script}\n", bench.dir.join("good").join(NAME))).unwrap();
    fs_err::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    (bench.request("windows-x86_64", "auto", bench_tools(bench)), wheel)
}

pub(crate) fn bench_tools(bench: &Bench) -> ToolEnvironment {
    let programs = bench.folder("tool/bin");
    ToolEnvironment {
        purpose: "repair".to_owned(),
        dir: bench.dir.join("tool"),
        python: programs.join("python"),
        programs,
        base_python: "python3".into(),
        requirements: String::new(),
        locked: false,
    }
}

/// The wheel as a good tool makes it, with changes: what is put beside and what is left out.
fn good(bench: &Bench, wheel: &Utf8Path, change: impl FnOnce(&mut wheel::Edits)) {
    let options = wheel::WriteOptions { epoch: EPOCH, ..wheel::WriteOptions::default() };
    good_with(bench, wheel, &options, change);
}

fn good_with(bench: &Bench, wheel: &Utf8Path, options: &wheel::WriteOptions, change: impl FnOnce(&mut wheel::Edits)) {
    let mut edits = wheel::Edits::new();
    for name in ["helper.dll", "deep.dll"] {
        edits.put(format!("pkg/{name}"), wheel::Content::Bytes(fixture(&format!("windows/{name}"))), 0o644);
    }
    change(&mut edits);
    let archive = wheel::Archive::open(wheel).unwrap();
    wheel::rewrite(&archive, &edits, None, &bench.folder("good").join(NAME), options).unwrap();
}

#[test]
fn a_tool_that_fails_leaves_nothing() {
    let bench = Bench::new();
    let (request, wheel) = with_tool(&bench, "cp \"$WHEEL\" \"$OUT\"; echo 'it went wrong' >&2; exit 1");
    let (error, text) = refused(&request, &wheel);
    assert!(text.starts_with("repair: "), "{text}");
    assert!(error.step_error().unwrap().excerpt().iter().any(|line| line.contains("it went wrong")));
}

#[test]
fn a_tool_that_hangs_is_stopped() {
    let bench = Bench::new();
    let (mut request, wheel) = with_tool(&bench, "sleep 600");
    request.time_limit = 1;
    let (error, _) = refused(&request, &wheel);
    assert!(matches!(error, RepairError::Step(exec::StepError::TimedOut { .. })), "{error:?}");
}

#[test]
fn success_without_a_wheel_with_two_and_with_the_given_one() {
    for (script, said) in [
        ("true", "`delvewheel` reported success and left no wheel"),
        ("touch \"$OUT/notes.txt\"", "`delvewheel` reported success and left no wheel"),
        (
            "cp \"$WHEEL\" \"$OUT\"; cp \"$WHEEL\" \"$OUT/pkg-1.1-cp313-cp313-win_amd64.whl\"",
            "`delvewheel` left 2 wheels where one was asked for: pkg-1.0-cp313-cp313-win_amd64.whl, pkg-1.1-cp313-cp313-win_amd64.whl",
        ),
        (
            "cp \"$WHEEL\" \"$OUT\"",
            "`delvewheel` reported success and left the wheel as it was:\n  `pkg/_core.cp313-win_amd64.pyd` needs `helper.dll`, which is neither in the wheel nor Windows' or Python's",
        ),
        (
            "printf 'PK\\005\\006\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0' > \"$OUT/pkg-1.0-cp313-cp313-win_amd64.whl\"",
            "`delvewheel` reported success and left `pkg-1.0-cp313-cp313-win_amd64.whl`, which cannot be read: ",
        ),
        (
            "head -c 3000 \"$WHEEL\" > \"$OUT/pkg-1.0-cp313-cp313-win_amd64.whl\"",
            "`delvewheel` reported success and left `pkg-1.0-cp313-cp313-win_amd64.whl`, which cannot be read: ",
        ),
    ] {
        let bench = Bench::new();
        let (request, wheel) = with_tool(&bench, script);
        let before = fs_err::read(&wheel).unwrap();
        let (_, text) = refused(&request, &wheel);
        assert!(text.starts_with(said), "{script}: {text}");
        assert_eq!(fs_err::read(&wheel).unwrap(), before);
    }
}

#[test]
fn a_good_tool_has_no_findings() {
    let bench = Bench::new();
    let (request, wheel) = with_tool(&bench, "cp \"$GOOD\" \"$OUT\"");
    good(&bench, &wheel, |_| {});
    let result = repair(&request, &wheel).unwrap();
    assert!(result.findings.is_empty(), "{:?}", result.findings);
    assert_eq!(result.grafted.len(), 2);
    assert!(members(&result.wheel).contains_key("pkg/helper.dll"));
}

#[test]
fn damage_that_a_tool_does_is_found() {
    type Change = fn(&mut wheel::Edits);
    let cases: &[(&str, &str, Change)] = &[
        ("member-lost", "`pkg/table.bin` was in the wheel before the repair and is not any more", |edits| {
            edits.remove("pkg/table.bin");
        }),
        ("member-changed", "`pkg/table.bin` is another file than before the repair", |edits| {
            edits.put("pkg/table.bin", wheel::Content::Bytes(vec![8; 50]), 0o644);
        }),
        ("member-changed", "`pkg/__init__.py` has lost the line `x = 1`", |edits| {
            edits.put("pkg/__init__.py", wheel::Content::Bytes(b"x = 2\n".to_vec()), 0o644);
        }),
        ("member-changed", "`pkg/__init__.py` has gained the line `import os`", |edits| {
            edits.put("pkg/__init__.py", wheel::Content::Bytes(b"x = 1\nimport os\n".to_vec()), 0o644);
        }),
        ("member-changed", "`pkg/mod.py` is another file than before the repair", |edits| {
            edits.put("pkg/mod.py", wheel::Content::Bytes(b"y = 2\nimport os\n".to_vec()), 0o644);
        }),
        ("member-changed", "`pkg-1.0.dist-info/WHEEL` says `Root-Is-Purelib: true`, and did not before", |edits| {
            let text = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: cp313-cp313-win_amd64\n";
            edits.put("pkg-1.0.dist-info/WHEEL", wheel::Content::Bytes(text.into()), 0o644);
        }),
        ("member-changed", "`pkg-1.0.dist-info/WHEEL` has gained the line `Build: 7`", |edits| {
            let text =
                "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: false\nTag: cp313-cp313-win_amd64\nBuild: 7\n";
            edits.put("pkg-1.0.dist-info/WHEEL", wheel::Content::Bytes(text.into()), 0o644);
        }),
        (
            "member-changed",
            "`pkg/_core.cp313-win_amd64.pyd` has other code in its section `.text` than before the repair",
            |edits| {
                edits.put(CORE, wheel::Content::Bytes(spoiled(fixture("windows/_core.cp313-win_amd64.pyd"))), 0o644);
            },
        ),
        (
            "member-changed",
            "`pkg/_core.cp313-win_amd64.pyd` was of the kind extension and is of the kind shared library",
            |edits| {
                edits.put(CORE, wheel::Content::Bytes(fixture("windows/helper.dll")), 0o644);
            },
        ),
        (
            "library-left-out",
            "`pkg/helper.dll` needs `deep.dll`, which is neither in the wheel nor Windows' or Python's",
            |edits| {
                edits.put("pkg/deep.dll.txt", wheel::Content::Bytes(Vec::new()), 0o644);
                edits.put("pkg/deep.dll", wheel::Content::Bytes(Vec::new()), 0o644);
            },
        ),
        ("not-reached", "`pkg/_core.cp313-win_amd64.pyd` needs `other.dll`", |edits| {
            let renamed = replaced(fixture("windows/_core.cp313-win_amd64.pyd"), b"helper.dll", b"other.dll\0");
            edits.put(CORE, wheel::Content::Bytes(renamed), 0o644);
            edits.put("pkg.libs/other.dll", wheel::Content::Bytes(fixture("windows/helper.dll")), 0o644);
        }),
        ("image-damaged", "`pkg/_core.cp313-win_amd64.pyd` cannot be read any more: section data", |edits| {
            let mut torn = fixture("windows/_core.cp313-win_amd64.pyd");
            torn.truncate(torn.len() - 512);
            edits.put(CORE, wheel::Content::Bytes(torn), 0o644);
        }),
        ("image-damaged", "`pkg/helper.dll` has load commands that reach into its first section", |edits| {
            // What LLVM's install_name_tool does to a file whose header is full.
            let mut over = without_pad(fixture("macos-arm64/libhelper.dylib"));
            let size = u32::from_le_bytes(over[20..24].try_into().unwrap()) + 8;
            let last = last_command(&over);
            let length = u32::from_le_bytes(over[last + 4..last + 8].try_into().unwrap()) + 8;
            over[last + 4..last + 8].copy_from_slice(&length.to_le_bytes());
            over[20..24].copy_from_slice(&size.to_le_bytes());
            edits.put("pkg/helper.dll", wheel::Content::Bytes(over), 0o644);
        }),
        ("wrong-architecture", "`pkg/helper.dll` is a binary of another system than the tag's", |edits| {
            edits.put("pkg/helper.dll", wheel::Content::Bytes(fixture("macos-x86_64/libhelper.dylib")), 0o644);
        }),
        ("install-name", "`pkg/libhelper.dylib` calls itself `/xyzzy/libhelper.dylib`", |edits| {
            let moved = replaced(fixture("macos-arm64/libhelper.dylib"), b"@rpath/libhelper", b"/xyzzy/libhelper");
            edits.put("pkg/libhelper.dylib", wheel::Content::Bytes(moved), 0o644);
        }),
        ("signature-broken", "`pkg/libhelper.dylib` has a signature that does not fit its pages", |edits| {
            let moved = replaced(fixture("macos-arm64/libhelper.dylib"), b"@rpath/libhelper", b"/xyzzy/libhelper");
            edits.put("pkg/libhelper.dylib", wheel::Content::Bytes(moved), 0o644);
        }),
        ("grafted-twice", "`pkg/deep-1.dll` and `pkg/deep-2.dll` are two copies of one library", |edits| {
            edits.put("pkg/deep-1.dll", wheel::Content::Bytes(fixture("windows/deep.dll")), 0o644);
            edits.put("pkg/deep-2.dll", wheel::Content::Bytes(fixture("windows/deep.dll")), 0o644);
        }),
        ("two-llvm", "there are 2 copies of libLLVM in ", |edits| {
            edits.put("pkg/libLLVM-19.dll", wheel::Content::Bytes(fixture("windows/deep.dll")), 0o644);
            edits.put("pkg/libLLVM-20.dll", wheel::Content::Bytes(fixture("windows/deep.dll")), 0o644);
        }),
    ];
    for (rule, message, change) in cases {
        let bench = Bench::new();
        let more = [("pkg/mod.py", "y = 2\n".into())];
        let (request, wheel) = with_tool_and(&bench, "cp \"$GOOD\" \"$OUT\"", &more);
        good(&bench, &wheel, change);
        let findings = repair(&request, &wheel).unwrap().findings;
        let found = findings.iter().any(|finding| finding.rule.name == *rule && finding.message.starts_with(message));
        assert!(found, "{rule}: {message}\n{findings:#?}");
    }
}

/// What delvewheel adds, and where it does: the folder's own `__init__.py`, and for namespace packages the modules in them.
#[test]
fn lines_are_added_where_delvewheel_adds_them() {
    let patch = "# start delvewheel patch\nimport os\nos.add_dll_directory('x')\n# end delvewheel patch\n";
    for (member, namespaces, fine) in [
        ("pkg/__init__.py", &[][..], true),
        ("pkg/sub/__init__.py", &[], false),
        ("pkg/mod.py", &[], false),
        ("mod.py", &[], false),
        ("ns/mod.py", &["ns"], true),
        ("ns/__init__.py", &["ns"], false),
        ("ns/inner/__init__.py", &["ns"], true),
        ("ns/inner/mod.py", &["ns", "ns.inner"], true),
        ("ns/inner/pkg/__init__.py", &["ns", "ns.inner"], true),
        ("ns/inner/pkg/sub/__init__.py", &["ns", "ns.inner"], false),
    ] {
        let bench = Bench::new();
        let more = if member == "pkg/__init__.py" { Vec::new() } else { vec![(member, "x = 1\r\n".into())] };
        let (mut request, wheel) = with_tool_and(&bench, "cp \"$GOOD\" \"$OUT\"", &more);
        request.options.namespace_packages = namespaces.iter().map(|name| (*name).to_owned()).collect();
        good(&bench, &wheel, |edits| {
            edits.put(member, wheel::Content::Bytes(format!("{patch}\nx = 1\n").into()), 0o644);
        });
        let findings = repair(&request, &wheel).unwrap().findings;
        assert_eq!(findings.is_empty(), fine, "{member} {namespaces:?}: {findings:#?}");
    }
}

/// The same image with its first section of code filled with breakpoints.
pub(crate) fn spoiled(mut image: Vec<u8>) -> Vec<u8> {
    let code = {
        let file = objfile::parse(&image).unwrap();
        let object = file.objects().next().unwrap();
        let (at, size) = match (object.elf(), object.macho(), object.pe()) {
            (Some(elf), ..) => {
                let text = elf.sections.iter().find(|section| section.name == ".text").unwrap();
                (text.offset, text.size)
            }
            (_, Some(macho), _) => {
                let text = macho.sections.iter().find(|section| section.name == "__text").unwrap();
                (text.offset, text.size)
            }
            (.., Some(pe)) => {
                let text = pe.sections.iter().find(|section| section.name == ".text").unwrap();
                (text.offset.into(), text.memory_size.into())
            }
            _ => panic!("what is it?"),
        };
        usize::try_from(at).unwrap()..usize::try_from(at + size).unwrap()
    };
    image[code].fill(0xcc);
    image
}

/// What cannot be read is nobody's to repair, and no reason to call a wheel pure.
#[test]
fn a_binary_that_cannot_be_read_is_said_before_the_tool_starts() {
    let torn = || fixture("windows/_core.cp313-win_amd64.pyd")[..3000].to_vec();
    let garbage = || vec![0x13, 0, 0xff, 7, 8, 9];
    let windows = "cp313-cp313-win_amd64";
    for (tags, member, bytes, why) in [
        (windows, "pkg/_other.cp313-win_amd64.pyd", torn(), Some("section data")),
        (windows, "pkg/_other.cp313-win_amd64.pyd", "not found\n".into(), Some("the file is a text")),
        (windows, "pkg/_other.pyd", Vec::new(), Some("the file is empty")),
        (windows, "pkg/helper.dll", garbage(), Some("the file is called like a binary and begins as none")),
        ("py3-none-any", "pkg/_other.abi3.so", garbage(), Some("the file is called like a binary and begins as none")),
        ("py3-none-any", "pkg/libx.so.1", torn(), Some("section data")),
        ("py3-none-any", "pkg/libx.so", "INPUT(libx.so.1)".into(), None),
        ("py3-none-any", "pkg/data/x.dll", "version https://git-lfs.github.com/spec/v1\n".into(), None),
        ("py3-none-any", "pkg/x.a", b"!<arch>\n".to_vec(), None),
        ("py3-none-any", "pkg/tests/torn.bin", torn(), None),
    ] {
        let bench = Bench::new();
        let (request, _) = with_tool(&bench, "exit 1");
        let core = (CORE, fixture("windows/_core.cp313-win_amd64.pyd"));
        let mut files = vec![("pkg/__init__.py", Vec::new()), (member, bytes)];
        files.extend((tags == windows).then_some(core));
        let wheel = bench.wheel(&format!("pkg-1.0-{tags}.whl"), &files);
        match (repair(&request, &wheel), why) {
            (Err(error), Some(why)) => {
                let text = error.to_string();
                assert!(matches!(error, RepairError::Unreadable { .. }), "{member}: {text}");
                assert!(text.contains(&format!("`{member}`: {why}")), "{member}: {text}");
            }
            (Ok(result), None) => assert_eq!(result.how, wheelproof_repair::How::Pure, "{member}"),
            (other, why) => panic!("{member}: {other:?}, not {why:?}"),
        }
    }
}

/// A tool that puts a copy beside what the wheel carries already.
#[test]
fn a_copy_of_what_the_wheel_carries_is_told() {
    let bench = Bench::new();
    let more = [("pkg/helper.dll", fixture("windows/helper.dll"))];
    let (request, wheel) = with_tool_and(&bench, "cp \"$GOOD\" \"$OUT\"", &more);
    good(&bench, &wheel, |edits| {
        let bytes = wheel::Content::Bytes(fixture("windows/helper.dll"));
        edits.put("pkg/helper-0123456789abcdef0123456789abcdef.dll", bytes, 0o644);
    });
    let findings = repair(&request, &wheel).unwrap().findings;
    let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    let copy = "`pkg/helper-0123456789abcdef0123456789abcdef.dll` is a copy of `pkg/helper.dll`, which the wheel carries already";
    assert_eq!(messages, [copy]);
}

/// A file that is large enough to be compared by its checksum first.
fn large() -> Vec<u8> {
    (0..3_u32 << 18).flat_map(|number| (number / 7).to_le_bytes()).collect()
}

/// The same with other bytes that have the same CRC-32: what differs is the generator polynomial (IEEE 802.3), as bits in
/// the order in which the checksum takes them.
fn colliding(mut bytes: Vec<u8>) -> Vec<u8> {
    const GENERATOR: u64 = 0x1_04c1_1db7;
    for (place, power) in (0..=32).rev().enumerate() {
        if GENERATOR >> power & 1 == 1 {
            bytes[1000 + place / 8] ^= 1 << (place % 8);
        }
    }
    bytes
}

/// A large file is not hashed before the repair: its checksum, its compressed bytes and at last its digest say whether
/// it is the same.
#[test]
fn a_large_file_is_the_same_or_it_is_found() {
    let crc = |wheel: &Utf8Path| {
        let archive = wheel::Archive::open(wheel).unwrap();
        archive.member("pkg/large.bin").unwrap().crc32
    };
    let same = large();
    let level = |level| wheel::WriteOptions { epoch: EPOCH, level, ..wheel::WriteOptions::default() };
    for (what, bytes, options, changed) in [
        ("the same", same.clone(), level(wheel::Level::default()), false),
        ("compressed otherwise", same.clone(), level(wheel::Level::FASTEST), false),
        ("another of its length", same.iter().map(|byte| byte ^ 1).collect(), level(wheel::Level::default()), true),
        ("another of its checksum", colliding(same.clone()), level(wheel::Level::default()), true),
    ] {
        let bench = Bench::new();
        let (request, wheel) = with_tool_and(&bench, "cp \"$GOOD\" \"$OUT\"", &[("pkg/large.bin", same.clone())]);
        good_with(&bench, &wheel, &options, |edits| {
            edits.put("pkg/large.bin", wheel::Content::Bytes(bytes), 0o644);
        });
        let result = repair(&request, &wheel).unwrap();
        let messages: Vec<&str> = result.findings.iter().map(|finding| finding.message.as_str()).collect();
        let expected: &[&str] = if changed { &["`pkg/large.bin` is another file than before the repair"] } else { &[] };
        assert_eq!(messages, expected, "{what}");
        if what == "another of its checksum" {
            assert_eq!(crc(&wheel), crc(&result.wheel), "or this tests nothing");
        }
    }
}

/// What was inflated to be read is handed to the tool uncompressed; it is the same wheel.
#[test]
fn the_tool_gets_the_same_wheel() {
    let bench = Bench::new();
    let script = "cp \"$WHEEL\" \"${OUT%/*}/../seen.whl\"; cp \"$GOOD\" \"$OUT\"";
    let more = [("pkg/large.bin", large()), ("pkg/empty", Vec::new())];
    let (request, wheel) = with_tool_and(&bench, script, &more);
    good(&bench, &wheel, |_| {});
    assert!(repair(&request, &wheel).unwrap().findings.is_empty());
    let seen = bench.dir.join("seen.whl");
    assert_eq!(members(&seen), members(&wheel));
    let method = |wheel: &Utf8Path| wheel::Archive::open(wheel).unwrap().member("pkg/large.bin").unwrap().method;
    assert_eq!((method(&wheel), method(&seen)), (wheel::Method::Deflated, wheel::Method::Stored));
}

/// A wheel that needs nothing is read as strictly as one that came out of a tool.
#[test]
fn a_given_wheel_with_a_wrong_record_is_not_held() {
    for large in [false, true] {
        let bench = Bench::new();
        let (request, _) = with_tool(&bench, "exit 1");
        let size = if large { 2 << 20 } else { 20 };
        let wheel = bench
            .wheel("pkg-1.0-py3-none-any.whl", &[("pkg/__init__.py", Vec::new()), ("pkg/table.bin", vec![7; size])]);
        let forged = forge(&bench, &wheel, size);
        let findings = repair(&request, &forged).unwrap().findings;
        let names: Vec<&str> = findings.iter().map(|finding| finding.rule.name).collect();
        assert_eq!(names, ["record-mismatch"], "{findings:?}");
    }
}

/// The same wheel with another table than RECORD says, as another archiver than ours writes it.
fn forge(bench: &Bench, wheel: &Utf8Path, size: usize) -> camino::Utf8PathBuf {
    let out = bench.folder("forged").join(wheel.file_name().unwrap());
    let script = "import sys, zipfile\n\
                  given, out, size = zipfile.ZipFile(sys.argv[1]), zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED), int(sys.argv[3])\n\
                  for entry in given.infolist():\n\
                  \x20   out.writestr(entry, b'8' * size if entry.filename.endswith('.bin') else given.read(entry), zipfile.ZIP_DEFLATED)\n\
                  out.close()\n";
    let arguments = ["-c", script, wheel.as_str(), out.as_str(), &size.to_string()];
    crate::bench::run("python3", &arguments, &bench.dir).unwrap();
    out
}

/// RECORD is made of what the files are, not of what the tool says; what it did to them is found all the same.
#[test]
fn a_record_that_the_tool_left_wrong_is_made_anew() {
    let Ok(program) = fs_err::read("/bin/true") else { return };
    let arch = std::env::consts::ARCH;
    if !program.starts_with(b"\x7fELF") || arch != "x86_64" {
        return;
    }
    let bench = Bench::new();
    let (windows, _) = with_tool(&bench, "cp \"$GOOD\" \"$OUT\"");
    fs_err::copy(bench.dir.join("tool/bin/python"), bench.dir.join("tool/bin/patchelf")).unwrap();
    let request = Request { tools: windows.tools, ..bench.request("linux-x86_64", "auto", bench_tools(&bench)) };
    let name = "pkg-1.0-cp313-cp313-linux_x86_64.whl";
    let wheel =
        bench.wheel(name, &[("pkg/__init__.py", Vec::new()), ("pkg/table.bin", vec![7; 20]), ("pkg/tool", program)]);
    let forged = forge(&bench, &wheel, 20);
    let script = bench.dir.join("tool/bin/python");
    let text = fs_err::read_to_string(&script).unwrap();
    let text = text.replace("cp \"$GOOD\" \"$OUT\"", &format!("cp \"{forged}\" \"$OUT\""));
    fs_err::write(&script, text).unwrap();
    let result = repair(&request, &wheel);
    let findings = result.unwrap().findings;
    let has = |rule: &str| findings.iter().any(|finding| finding.rule.name == rule);
    assert_eq!(["record-mismatch", "member-changed", "linux-tag"].map(has), [false, true, true], "{findings:#?}");
}

/// Where a Mach-O's last load command starts.
fn last_command(macho: &[u8]) -> usize {
    let file = objfile::parse(macho).unwrap();
    file.objects().next().unwrap().macho().unwrap().load_commands.last().unwrap().offset as usize
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn an_old_tool_is_refused_with_the_reason() {
    let bench = Bench::new();
    let (request, wheel) = with_tool(&bench, "exit 1");
    bench.folder("tool/lib/python3.13/site-packages/delvewheel-1.8.0.dist-info");
    let (_, text) = refused(&request, &wheel);
    assert!(text.starts_with("delvewheel 1.8.0 is too old, 1.12 is needed: before 1.12 `--exclude`"), "{text}");
}

/// No tool can meet a policy of another C library, and none is asked.
#[test]
fn a_policy_of_another_libc() {
    let file = crate::bench::repository().join("tests/fixtures/proof/linux/core-arc4random.so");
    let glibc = fs_err::read(file).unwrap();
    let musl = replaced(glibc.clone(), b"libc.so.6", b"libc.so\0\0");
    for (core, plat, said, advice) in [
        (
            glibc,
            "musllinux_1_2",
            "`musllinux_1_2_x86_64` was asked for, but the wheel's binaries are linked with glibc: `libc.so.6`, needed by `pkg/_core.so`",
            "ask for `manylinux_2_36`, or leave it to `auto`",
        ),
        (
            musl,
            "manylinux_2_28",
            "`manylinux_2_28_x86_64` was asked for, but the wheel's binaries are linked with musl: `libc.so`, needed by `pkg/_core.so`",
            "or leave it to `auto`",
        ),
    ] {
        let bench = Bench::new();
        let wheel = bench.wheel("pkg-1.0-cp313-cp313-linux_x86_64.whl", &[("pkg/_core.so", core)]);
        let request = bench.request("linux-x86_64", plat, bench_tools(&bench));
        let (error, text) = refused(&request, &wheel);
        assert_eq!(text, said);
        let finding = error.finding("pkg.whl").unwrap();
        assert_eq!(finding.rule.name, "tag-not-met");
        assert!(finding.help.unwrap().contains(advice));
    }
}

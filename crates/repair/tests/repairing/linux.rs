//! Linux' wheels, repaired by auditwheel and patchelf; binaries made by the system's C compiler.

use crate::bench::{Bench, grafted, install, members, refused, repair, repaired, repository, run, tools};
use crate::{or_skip, skip};
use camino::{Utf8Path, Utf8PathBuf};
use host::toolenv::ToolEnvironment;
use platform::Os;
use std::process::Command;
use wheelproof_repair::{How, RepairError, Repaired};

pub(crate) const TARGET: &str = "linux-x86_64";
pub(crate) const NAME: &str = "pkg-1.0-cp313-cp313-linux_x86_64.whl";
pub(crate) const CORE: &str = "pkg/_core.cpython-313-x86_64-linux-gnu.so";

/// A bench, auditwheel, a compiler that makes x86-64.
pub(crate) fn ready() -> Result<(Bench, ToolEnvironment), &'static str> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("auditwheel runs on Linux, and these binaries are for x86-64");
    }
    let tools = tools(Os::Linux).ok_or("auditwheel was not installed yet (WHEELPROOF_REAL=1 does)")?;
    if Command::new("cc").arg("--version").output().is_err() {
        return Err("there is no C compiler");
    }
    Ok((Bench::new(), tools))
}

/// Compiles a source into a shared library.
pub(crate) fn cc(bench: &Bench, source: &str, out: &Utf8Path, arguments: &[&str]) {
    let file = bench.folder("source").join(format!("{}.c", out.file_name().unwrap()));
    fs_err::write(&file, source).unwrap();
    let mut all = vec!["-shared", "-fPIC", "-O1", file.as_str(), "-o", out.as_str()];
    all.extend(arguments);
    run("cc", &all, &bench.dir).unwrap();
}

pub(crate) fn source(name: &str) -> String {
    fs_err::read_to_string(repository().join("tests/fixtures/repair/src").join(name)).unwrap()
}

/// libhelper.so.2 (a link to libhelper.so.2.3) needs libdeep.so.1; `core` needs libhelper.
pub(crate) struct Libraries {
    pub(crate) dir: Utf8PathBuf,
    pub(crate) core: Vec<u8>,
}

pub(crate) fn libraries(bench: &Bench) -> Libraries {
    let dir = bench.folder("libraries");
    cc(bench, &source("deep.c"), &dir.join("libdeep.so.1"), &["-Wl,-soname,libdeep.so.1"]);
    // As a Debian library does, it brings a RUNPATH of its own, which would hide the requirer's.
    let deep = dir.join("libdeep.so.1");
    let options = ["-Wl,-soname,libhelper.so.2", "-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/../lib", deep.as_str()];
    cc(bench, &source("helper.c"), &dir.join("libhelper.so.2.3"), &options);
    #[cfg(unix)]
    std::os::unix::fs::symlink("libhelper.so.2.3", dir.join("libhelper.so.2")).unwrap();
    let out = bench.folder("compiled").join("_core.so");
    let helper = dir.join("libhelper.so.2.3");
    cc(bench, &source("core.c"), &out, &[helper.as_str(), &format!("-Wl,-rpath-link,{dir}")]);
    Libraries { core: fs_err::read(out).unwrap(), dir }
}

/// Loads a member of the installed wheel in a process of its own, without the folder of the libraries.
pub(crate) fn loads(bench: &Bench, wheel: &Utf8Path, member: &str, name: &str) -> Result<(), String> {
    let site = bench.folder(&format!("site-{name}"));
    install(wheel, &site);
    let script = "import ctypes, sys; ctypes.CDLL(sys.argv[1])";
    let out = Command::new("python3").args(["-c", script, site.join(member).as_str()]).output().unwrap();
    if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}

#[test]
fn a_chain_of_libraries_is_grafted_and_loads_without_them() {
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, made.core.clone())]);
    assert!(loads(&bench, &wheel, CORE, "before").unwrap_err().contains("libhelper.so.2"));
    let request = bench.request(TARGET, "auto", tools);
    let result = repaired(&request, &wheel);
    assert_eq!(
        (result.how, grafted(&result)),
        (How::Repaired, vec!["libdeep.so.1".to_owned(), "libhelper.so.2.3".to_owned()])
    );
    assert!(result.platform.starts_with("manylinux_2_"), "{}", result.platform);
    loads(&bench, &result.wheel, CORE, "after").unwrap();

    let again = repaired(&request, &result.wheel.clone());
    assert_eq!((again.how, again.wheel), (How::HeldAlready, result.wheel));
}

#[test]
fn the_same_bytes_twice_in_different_folders() {
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let make = |name: &str| {
        let other = Bench::new();
        let dir = other.folder(name);
        run("cp", &["-r", made.dir.as_str(), dir.as_str()], &bench.dir).unwrap();
        let wheel = other.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, made.core.clone())]);
        let mut request = other.request(TARGET, "auto", tools.clone());
        request.library_dirs = vec![dir.join("libraries")];
        fs_err::read(repaired(&request, &wheel).wheel).unwrap()
    };
    let first = make("one");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert!(first == make("another-place"));
}

#[test]
fn edges() {
    type Files = Vec<(&'static str, Vec<u8>)>;
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let core = || made.core.clone();
    let both = ["libdeep.so.1", "libhelper.so.2.3"];
    let cases: &[(&str, &str, Files, &str)] = &[
        ("two extensions share one copy", NAME, vec![("a/_core.so", core()), ("b/c/_core.so", core())], "b/c/_core.so"),
        (
            "the stable ABI",
            "pkg-1.0-cp39-abi3-linux_x86_64.whl",
            vec![("pkg/_core.abi3.so", core())],
            "pkg/_core.abi3.so",
        ),
        ("a namespace package", NAME, vec![("ns/pkg/_core.so", core())], "ns/pkg/_core.so"),
        ("at the root", NAME, vec![("_core.so", core())], "_core.so"),
        (
            "in platlib",
            NAME,
            vec![("pkg-1.0.data/platlib/pkg/__init__.py", Vec::new()), ("pkg-1.0.data/platlib/pkg/_core.so", core())],
            "pkg/_core.so",
        ),
    ];
    for (index, (what, name, files, member)) in cases.iter().enumerate() {
        println!("{what}");
        let own = Bench::new();
        let wheel = own.wheel(name, files);
        let mut request = own.request(TARGET, "auto", tools.clone());
        request.library_dirs = vec![made.dir.clone()];
        let result = repaired(&request, &wheel);
        assert_eq!(grafted(&result), both, "{what}");
        loads(&bench, &result.wheel, member, &index.to_string()).unwrap();
    }
}

#[test]
fn stripped_and_still_whole() {
    let (bench, tools) = or_skip!(ready());
    if Command::new("strip").arg("--version").output().is_err() {
        skip!("there is no strip");
    }
    let made = libraries(&bench);
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, made.core.clone())]);
    let mut request = bench.request(TARGET, "auto", tools);
    let size = |result: &Repaired| members(&result.wheel)[CORE].len();
    let whole = size(&repaired(&request, &wheel));
    request.strip = true;
    let result = repaired(&request, &wheel);
    assert!(size(&result) < whole, "{} < {whole}", size(&result));
    loads(&bench, &result.wheel, CORE, "stripped").unwrap();
}

#[test]
fn what_another_wheel_owns_is_named() {
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, made.core.clone())]);
    let mut request = bench.request(TARGET, "auto", tools);
    request.exclude = vec!["libhelper.so.*".to_owned()];
    let result = repaired(&request, &wheel);
    assert!(result.grafted.is_empty());
    assert_eq!(result.assumed.len(), 1);
    assert_eq!((result.assumed[0].library.as_str(), result.assumed[0].needed_by.as_str()), ("libhelper.so.2", CORE));
}

/// `*` and `?` and nothing else, to the tool as to us.
#[test]
fn patterns_mean_the_same_to_the_tool() {
    let (_, tools) = or_skip!(ready());
    for (pattern, left_out) in
        [("libdeep.so.?", true), ("lib[d]eep.so.1", false), ("libdeep.so.[0-9]", false), ("l?.so*", false)]
    {
        let bench = Bench::new();
        let made = libraries(&bench);
        let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, made.core.clone())]);
        let mut request = bench.request(TARGET, "auto", tools.clone());
        request.exclude = vec![pattern.to_owned()];
        let result = repaired(&request, &wheel);
        assert_eq!(result.grafted.len(), if left_out { 1 } else { 2 }, "{pattern}: {:?}", result.grafted);
        let assumed: Vec<&str> = result.assumed.iter().map(|assumed| assumed.library.as_str()).collect();
        assert_eq!(assumed, if left_out { vec!["libdeep.so.1"] } else { vec![] }, "{pattern}");
    }
}

#[test]
fn a_library_that_is_nowhere_or_for_another_processor() {
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, made.core.clone())]);
    let request = bench.request(TARGET, "auto", tools);
    fs_err::remove_file(made.dir.join("libdeep.so.1")).unwrap();
    let (error, text) = refused(&request, &wheel);
    assert_eq!(text, "the library `libdeep.so.1`, needed by `libhelper.so.2`, was not found");
    assert!(exec::Explain::hint(&error).unwrap().contains(made.dir.as_str()));

    // e_machine: 0xb7 is AArch64.
    let mut other = fs_err::read(made.dir.join("libhelper.so.2.3")).unwrap();
    other[18] = 0xb7;
    fs_err::write(made.dir.join("libdeep.so.1"), other).unwrap();
    let (_, text) = refused(&request, &wheel);
    assert!(text.contains("libdeep.so.1` is for aarch64"), "{text}");
}

#[test]
fn what_a_package_has_is_said() {
    let (bench, tools) = or_skip!(ready());
    if Command::new("apt-cache").args(["show", "libsqlite3-0"]).output().is_ok_and(|out| out.status.success()) {
        let out = bench.folder("compiled").join("_core.so");
        let dir = bench.folder("stub");
        cc(&bench, "int sqlite3_nothing(void) { return 1; }", &dir.join("libcriu.so.2"), &["-Wl,-soname,libcriu.so.2"]);
        cc(
            &bench,
            "int sqlite3_nothing(void); int PyInit__core(void) { return sqlite3_nothing(); }",
            &out,
            &[dir.join("libcriu.so.2").as_str()],
        );
        let wheel = bench.wheel(NAME, &[(CORE, fs_err::read(out).unwrap())]);
        let (_, text) = refused(&bench.request(TARGET, "auto", tools), &wheel);
        assert!(text.starts_with(&format!("the library `libcriu.so.2`, needed by `{CORE}`, was not found")), "{text}");
        let known = Command::new("apt-cache").args(["show", "libcriu2"]).output().unwrap().status.success();
        assert_eq!(text.contains("the package `libcriu2` has a library of that name"), known, "{text}");
    } else {
        skip!("there is no apt-cache with lists");
    }
}

#[test]
fn newer_than_the_policy() {
    let (bench, tools) = or_skip!(ready());
    let out = bench.folder("compiled").join("_core.so");
    // `pow` of glibc 2.29; with an older one the wheel meets the policy, and there is nothing to see.
    cc(
        &bench,
        "#include <math.h>\nvolatile double x = 2; double PyInit__core(void) { return pow(x, x); }",
        &out,
        &["-lm"],
    );
    let bytes = fs_err::read(out).unwrap();
    if !bytes.windows(10).any(|window| window == b"GLIBC_2.29") {
        skip!("this machine's glibc is older than 2.29");
    }
    let wheel = bench.wheel(NAME, &[(CORE, bytes)]);
    let (error, text) = refused(&bench.request(TARGET, "manylinux_2_17", tools), &wheel);
    assert!(matches!(error, RepairError::PolicyNotMet { .. }), "{text}");
    assert!(text.starts_with("the wheel does not meet `manylinux_2_17_x86_64`:"), "{text}");
    assert!(text.contains("GLIBC_2.29") && text.contains("libm.so.6") && text.contains(CORE), "{text}");
}

/// The extension is old enough; what it needs is not.
#[test]
fn a_grafted_library_is_newer_than_the_policy() {
    let (bench, tools) = or_skip!(ready());
    let dir = bench.folder("libraries");
    let power = dir.join("libpower.so.1");
    let code = "#include <math.h>\nvolatile double x = 2; double power(void) { return pow(x, x); }";
    cc(&bench, code, &power, &["-lm", "-Wl,-soname,libpower.so.1"]);
    if !fs_err::read(&power).unwrap().windows(10).any(|window| window == b"GLIBC_2.29") {
        skip!("this machine's glibc is older than 2.29");
    }
    let out = bench.folder("compiled").join("_core.so");
    let code = "double power(void); int PyInit__core(void) { return (int)power(); }";
    cc(&bench, code, &out, &[power.as_str()]);
    let wheel = bench.wheel(NAME, &[(CORE, fs_err::read(out).unwrap())]);
    let (error, text) = refused(&bench.request(TARGET, "manylinux_2_17", tools), &wheel);
    assert!(matches!(error, RepairError::PolicyNotMet { .. }), "{text}");
    assert!(text.contains("GLIBC_2.29") && text.contains("libpower.so.1"), "{text}");
    assert!(!text.contains(CORE), "the extension itself is not to blame: {text}");
}

#[test]
fn libraries_where_only_pure_python_may_be() {
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let wheel = bench.wheel(NAME, &[("pkg-1.0.data/purelib/pkg/_core.so", made.core)]);
    let (error, text) = refused(&bench.request(TARGET, "auto", tools), &wheel);
    assert!(matches!(error, RepairError::Purelib { .. }), "{text}");
    assert!(exec::Explain::hint(&error).unwrap().contains("`Root-Is-Purelib: false`"));
}

#[test]
fn a_copy_of_what_the_wheel_carries_is_told() {
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let read = |name: &str| fs_err::read(made.dir.join(name)).unwrap();
    // Where no run path leads to; the package opens it itself.
    let wheel = bench.wheel(
        NAME,
        &[
            (CORE, made.core.clone()),
            ("pkg/lib/libhelper.so.2", read("libhelper.so.2.3")),
            ("pkg/lib/libdeep.so.1", read("libdeep.so.1")),
        ],
    );
    let result = repair(&bench.request(TARGET, "auto", tools), &wheel).unwrap();
    let told: Vec<&str> = result
        .findings
        .iter()
        .filter(|finding| finding.rule.name == "grafted-twice")
        .map(|finding| finding.message.as_str())
        .collect();
    for library in ["pkg/lib/libhelper.so.2", "pkg/lib/libdeep.so.1"] {
        let said = format!("is a copy of `{library}`, which the wheel carries already");
        assert!(told.iter().any(|message| message.ends_with(&said)), "{library}: {told:#?}");
    }
}

/// No tool touches such a wheel; it is read all the same.
#[test]
fn a_wheel_that_needs_nothing_is_looked_at_too() {
    let (bench, tools) = or_skip!(ready());
    let compile = |name: &str, arguments: &[&str]| {
        let out = bench.folder("compiled").join(name);
        cc(&bench, "int PyInit__core(void) { return 1; }", &out, arguments);
        fs_err::read(out).unwrap()
    };
    let name = "pkg-1.0-cp313-cp313-manylinux_2_17_x86_64.whl";
    let warning = diagnostics::Severity::Warning;
    for (what, core, expected) in [
        ("whole", compile("whole.so", &[]), None),
        ("lost", compile("lost.so", &["-Wl,-rpath,/opt/elsewhere"]), Some(("path-leads-outside", warning))),
        #[cfg(unix)]
        ("broken", misaligned(compile("broken.so", &[])), Some(("image-damaged", diagnostics::Severity::Error))),
    ] {
        let wheel = bench.wheel(name, &[("pkg/__init__.py", Vec::new()), (CORE, core)]);
        let result = repair(&bench.request(TARGET, "auto", tools.clone()), &wheel).unwrap();
        let found: Vec<_> = result.findings.iter().map(|finding| (finding.rule.name, finding.severity)).collect();
        assert_eq!((result.how, found), (How::HeldAlready, expected.into_iter().collect()), "{what}");
    }
}

#[test]
fn an_extension_for_another_processor() {
    let (bench, tools) = or_skip!(ready());
    let mut core = libraries(&bench).core;
    core[18] = 0xb7;
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, core)]);
    let (error, text) = refused(&bench.request(TARGET, "auto", tools), &wheel);
    assert!(matches!(error, RepairError::WrongArchitecture { .. }), "{text}");
    assert!(text.contains("is for aarch64, the tag promises x86_64"), "{text}");
}

#[test]
fn a_pure_wheel_with_a_linux_tag_is_a_finding() {
    let (bench, tools) = or_skip!(ready());
    let wheel = bench.wheel(NAME, &[("pkg/__init__.py", "".into())]);
    let result = repair(&bench.request(TARGET, "auto", tools), &wheel).unwrap();
    assert_eq!(result.how, How::Pure);
    let rules: Vec<&str> = result.findings.iter().map(|finding| finding.rule.name).collect();
    assert_eq!(rules, ["linux-tag", "needless-platform-tag"]);
}

/// A tool that leaves the wheel at `good`, in the place of auditwheel.
#[cfg(unix)]
pub(crate) fn false_tool(bench: &Bench, good: &Utf8Path) -> ToolEnvironment {
    let tools = crate::failures::bench_tools(bench);
    let script = format!(
        "#!/bin/sh\nwhile [ $# -gt 1 ]; do if [ \"$1\" = -w ]; then OUT=$2; fi; shift; done\ncp {good} \"$OUT\"\n"
    );
    for program in ["python", "patchelf"] {
        let file = tools.programs.join(program);
        fs_err::write(&file, &script).unwrap();
        fs_err::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    tools
}

/// NEEDED names another part of the string than the version needs do: what a patcher does that forgets the second table.
#[cfg(unix)]
fn stranded(mut elf: Vec<u8>, library: &str) -> Vec<u8> {
    let strings = {
        let file = objfile::parse(&elf).unwrap();
        let strings = file.objects().next().unwrap().elf().unwrap().dynamic_strings.clone().unwrap();
        usize::try_from(strings.start).unwrap()..usize::try_from(strings.end).unwrap()
    };
    let name = format!("{library}\0");
    let offset = elf[strings].windows(name.len()).position(|window| window == name.as_bytes()).unwrap() as u64;
    let entry: Vec<u8> = [1_u64.to_le_bytes(), offset.to_le_bytes()].concat();
    let at = elf.windows(16).position(|window| window == entry).unwrap() + 8;
    elf[at..at + 8].copy_from_slice(&(offset + 3).to_le_bytes());
    elf
}

/// The second segment does not fit its pages any more: what stripping after patching does.
#[cfg(unix)]
fn misaligned(mut elf: Vec<u8>) -> Vec<u8> {
    const HEADERS: usize = 64;
    const EACH: usize = 56;
    let loads: Vec<usize> =
        (0..8).map(|index| HEADERS + index * EACH).filter(|at| elf[*at..at + 4] == 1_u32.to_le_bytes()).collect();
    elf[loads[1] + 8] ^= 8;
    elf
}

#[cfg(unix)]
#[test]
fn damage_to_an_elf_is_found() {
    let (bench, _) = or_skip!(ready());
    let made = libraries(&bench);
    let read = |name: &str| fs_err::read(made.dir.join(name)).unwrap();
    let compiled = bench.folder("compiled");
    cc(
        &bench,
        &source("core.c"),
        &compiled.join("outside.so"),
        &[
            made.dir.join("libhelper.so.2.3").as_str(),
            &format!("-Wl,-rpath-link,{}", made.dir),
            "-Wl,--disable-new-dtags,-rpath,/opt/elsewhere",
        ],
    );
    let script = bench.dir.join("versions");
    fs_err::write(&script, "V1 { global: answer; local: *; };").unwrap();
    let versioned = compiled.join("libver.so.1");
    cc(
        &bench,
        "int answer(void) { return 1; }",
        &versioned,
        &["-Wl,-soname,libver.so.1", &format!("-Wl,--version-script,{script}")],
    );
    let user = compiled.join("_ver.so");
    cc(&bench, "int answer(void); int PyInit__ver(void) { return answer(); }", &user, &[versioned.as_str()]);
    let bytes = |path: &Utf8Path| fs_err::read(path).unwrap();
    let grafts = || {
        vec![
            ("pkg.libs/libhelper.so.2", read("libhelper.so.2.3"), 0o755),
            ("pkg.libs/libdeep.so.1", read("libdeep.so.1"), 0o755),
        ]
    };
    let more = |file| [grafts(), vec![file]].concat();
    let cases = [
        (
            "runpath-hides-rpath",
            "`pkg.libs/libhelper.so.2` has the RUNPATH `$ORIGIN/../lib`, which does not lead to",
            grafts(),
        ),
        (
            "not-reached",
            "`pkg/_core.cpython-313-x86_64-linux-gnu.so` needs `libhelper.so.2`, which lies in the wheel",
            grafts(),
        ),
        (
            "path-leads-outside",
            "`pkg/_core.cpython-313-x86_64-linux-gnu.so` looks for libraries in `/opt/elsewhere`",
            more((CORE, bytes(&compiled.join("outside.so")), 0o755)),
        ),
        (
            "version-need-stranded",
            "`pkg/_ver.so` needs versions of `libver.so.1`, which is not among",
            more(("pkg/_ver.so", stranded(bytes(&user), "libver.so.1"), 0o755)),
        ),
        (
            "image-damaged",
            "`pkg.libs/libdeep.so.1` has a segment at 0x1000 that is not aligned to pages",
            more(("pkg.libs/libdeep.so.1", misaligned(read("libdeep.so.1")), 0o755)),
        ),
        (
            "member-changed",
            "`pkg/_core.cpython-313-x86_64-linux-gnu.so` has other code in its section `.text` than before the repair",
            more((CORE, crate::failures::spoiled(made.core.clone()), 0o755)),
        ),
        (
            "member-changed",
            "`pkg/__init__.py` is another file than before the repair",
            more(("pkg/__init__.py", b"\nimport os\n".to_vec(), 0o644)),
        ),
        (
            "member-changed",
            "`pkg/_core.cpython-313-x86_64-linux-gnu.so` was executable before the repair and is not any more",
            more((CORE, made.core.clone(), 0o644)),
        ),
    ];
    for (rule, message, files) in cases {
        let own = Bench::new();
        let wheel = own.wheel(NAME, &[("pkg/__init__.py", "".into()), (CORE, made.core.clone())]);
        let mut edits = wheel::Edits::new();
        for (name, bytes, mode) in files {
            edits.put(name, wheel::Content::Bytes(bytes), mode);
        }
        let good = own.folder("good").join(NAME);
        let archive = wheel::Archive::open(&wheel).unwrap();
        wheel::rewrite(&archive, &edits, None, &good, &wheel::WriteOptions::default()).unwrap();
        let request = own.request(TARGET, "auto", false_tool(&own, &good));
        let findings = repair(&request, &wheel).unwrap().findings;
        let found = findings.iter().any(|finding| finding.rule.name == rule && finding.message.starts_with(message));
        assert!(found, "{rule}: {message}\n{findings:#?}");
    }
}

//! Results that pip installs into an environment of their own, and that run there.
#![cfg(unix)]

use crate::bench::{Bench, members, repair, repaired, run, world};
use crate::linux::{NAME, TARGET, cc, false_tool, libraries, ready};
use crate::{or_skip, skip};
use camino::{Utf8Path, Utf8PathBuf};
use host::Interpreter;

/// A Python that compiles extensions and makes environments.
fn python() -> Option<&'static Interpreter> {
    let usable = |i: &&Interpreter| {
        i.has_venv && i.has_headers && !i.python.free_threaded && !i.debug && i.implementation == "cpython"
    };
    world().interpreters.iter().filter(usable).max_by_key(|i| i.python)
}

/// Installs a wheel by pip; the environment's folder.
fn installed(bench: &Bench, python: &Interpreter, wheel: &Utf8Path) -> Utf8PathBuf {
    let venv = bench.dir.join("venv");
    run(python.path.as_str(), &["-m", "venv", venv.as_str()], &bench.dir).unwrap();
    let pip = ["-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel.as_str()];
    run(venv.join("bin/python").as_str(), &pip, &bench.dir).unwrap();
    venv
}

/// A program that needs libhelper and says so by its exit code.
fn program(bench: &Bench, libraries: &Utf8Path) -> Vec<u8> {
    let source = bench.folder("source").join("tool.c");
    fs_err::write(&source, "extern int helper_answer(void); int main(void) { return helper_answer() != 42; }").unwrap();
    let out = bench.folder("compiled").join("tool");
    let helper = libraries.join("libhelper.so.2.3");
    let link = format!("-Wl,-rpath-link,{libraries}");
    run("cc", &[source.as_str(), helper.as_str(), &link, "-o", out.as_str()], &bench.dir).unwrap();
    fs_err::read(out).unwrap()
}

const TOOL: &str = "pkg-1.0.data/scripts/tool";

#[test]
fn a_program_among_the_scripts_runs() {
    let (bench, tools) = or_skip!(ready());
    let Some(python) = python() else { skip!("there is no Python with headers and venv") };
    let made = libraries(&bench);
    let files = [("pkg/__init__.py", Vec::new()), (TOOL, program(&bench, &made.dir))];
    let wheel = bench.wheel("pkg-1.0-py3-none-linux_x86_64.whl", &files);
    let request = bench.request(TARGET, "auto", tools);
    let result = repaired(&request, &wheel);
    let files = members(&result.wheel);
    assert!(files[TOOL].starts_with(b"#!"), "a script in its place");
    assert!(files.contains_key("pkg.scripts/tool"));
    let grafted: Vec<&str> = result.grafted.iter().map(|grafted| grafted.name.as_str()).collect();
    assert!(grafted.len() == 2 && grafted.iter().all(|name| name.starts_with("pkg.libs/lib")), "{grafted:?}");
    let venv = installed(&bench, python, &result.wheel);
    run(venv.join("bin/tool").as_str(), &[], Utf8Path::new("/")).unwrap();

    // The same with other code, or with another script.
    for (member, bytes, said) in [
        (
            "pkg.scripts/tool",
            crate::failures::spoiled(files["pkg.scripts/tool"].clone()),
            "`pkg.scripts/tool` has other code in its section `.text` than before the repair",
        ),
        (
            TOOL,
            b"#!python\nimport evil\n".to_vec(),
            "`pkg-1.0.data/scripts/tool` is a script that does not start `pkg.scripts/tool`",
        ),
    ] {
        let own = Bench::new();
        let good = own.folder("good").join(result.wheel.file_name().unwrap());
        let mut edits = wheel::Edits::new();
        edits.put(member, wheel::Content::Bytes(bytes), 0o755);
        let archive = wheel::Archive::open(&result.wheel).unwrap();
        wheel::rewrite(&archive, &edits, None, &good, &wheel::WriteOptions::default()).unwrap();
        let findings = repair(&own.request(TARGET, "auto", false_tool(&own, &good)), &wheel).unwrap().findings;
        let found: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert!(found.contains(&said), "{said}: {found:#?}");
    }
}

/// auditwheel moves no program that lies deeper; from where that is installed nothing leads to the library.
#[test]
fn a_program_in_a_folder_of_the_scripts_is_refused() {
    let (bench, tools) = or_skip!(ready());
    let made = libraries(&bench);
    let tool = "pkg-1.0.data/scripts/sub/tool";
    let files = [("pkg/_core.so", made.core.clone()), (tool, program(&bench, &made.dir))];
    let wheel = bench.wheel(NAME, &files);
    let findings = repair(&bench.request(TARGET, "auto", tools), &wheel).unwrap().findings;
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((finding.rule.name, finding.severity), ("not-reached", diagnostics::Severity::Error));
    let said = "it is installed among the programs, and no relative path leads from there into the packages' folder";
    assert!(finding.message.starts_with(&format!("`{tool}` needs `libhelper")) && finding.message.ends_with(said));
}

/// `.data/platlib` is for wheels whose root is pure.
#[test]
fn an_extension_in_platlib_of_a_pure_root_is_imported() {
    let (bench, tools) = or_skip!(ready());
    let Some(python) = python() else { skip!("there is no Python with headers and venv") };
    let made = libraries(&bench);
    let out = bench.folder("compiled").join("_real.so");
    let helper = made.dir.join("libhelper.so.2.3");
    let code = format!("#include <Python.h>\n{REAL}");
    let include = format!("-I{}", python.include_dir.as_ref().unwrap());
    cc(&bench, &code, &out, &[&include, helper.as_str(), &format!("-Wl,-rpath-link,{}", made.dir)]);
    let core = format!("pkg-1.0.data/platlib/pkg/_core{}", python.ext_suffix);
    let files = [("pkg/__init__.py", Vec::new()), (core.as_str(), fs_err::read(out).unwrap())];
    let tag = python.python.to_string();
    let name = format!("pkg-1.0-{tag}-{tag}-linux_x86_64.whl");
    let wheel = bench.wheel_with(&name, "Root-Is-Purelib: true", &files);
    let result = repaired(&bench.request(TARGET, "auto", tools), &wheel);
    let files = members(&result.wheel);
    let text = String::from_utf8_lossy(&files["pkg-1.0.dist-info/WHEEL"]).into_owned();
    assert!(text.contains("Root-Is-Purelib: false") && text.contains("Generator: bench"), "{text}");
    assert!(files.contains_key(&format!("pkg/_core{}", python.ext_suffix)), "{:?}", files.keys());
    let venv = installed(&bench, python, &result.wheel);
    let script = "import pkg._core; print(pkg._core.answer)";
    let said = run(venv.join("bin/python").as_str(), &["-c", script], Utf8Path::new("/")).unwrap();
    assert_eq!(said.trim(), "42");
}

const REAL: &str = "extern int helper_answer(void);
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"_core\", 0, -1};
PyMODINIT_FUNC PyInit__core(void)
{
    PyObject *made = PyModule_Create(&module);
    PyModule_AddIntConstant(made, \"answer\", helper_answer());
    return made;
}
";

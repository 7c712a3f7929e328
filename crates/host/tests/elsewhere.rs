//! Looking at machines of other systems, made here as trees with programs that play the launchers of those systems; what
//! they print is in the shape of the real ones. Unix only in its set-up.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[allow(dead_code)] // each of the tests that share it needs a part
mod machine;

use machine::{Machine, reason};
use platform::Os;
use wheelproof_host::{InterpreterOrigin, World, interpreters::Interpreter};

/// What was found, in words: tag, origin, and the path below the tree.
fn found(m: &Machine, world: &World) -> Vec<(String, InterpreterOrigin, String)> {
    let short = |i: &Interpreter| i.path.strip_prefix(&m.root).unwrap().to_string();
    world.interpreters.iter().map(|i| (i.python.to_string(), i.origin, short(i))).collect()
}

fn rows(rows: &[(&str, InterpreterOrigin, &str)]) -> Vec<(String, InterpreterOrigin, String)> {
    rows.iter().map(|(tag, origin, path)| ((*tag).to_owned(), *origin, (*path).to_owned())).collect()
}

const WINDOWS_ENV: &[(&str, &str)] = &[
    (
        "Path",
        "{root}/Windows/System32;\"{root}/Program Files/Git/cmd\";{root}/Users/me/AppData/Local/Microsoft/WindowsApps;.;",
    ),
    ("PATHEXT", ".com;.exe;.bat;.cmd"),
    ("USERPROFILE", "{root}/Users/me"),
    ("LOCALAPPDATA", "{root}/Users/me/AppData/Local"),
    ("AppData", "{root}/Users/me/AppData/Roaming"),
    ("ProgramFiles", "{root}/Program Files"),
    ("RUNNER_TOOL_CACHE", "{root}/hostedtoolcache/windows"),
    ("Lib", "C:\\vc\\lib"),
    ("EDITOR", "vim"),
];

const WINDOWS: (&str, &str) = ("\"platform\": \"linux-x86_64\"", "\"platform\": \"win-amd64\"");
const FREE_THREADED: (&str, &str) = ("\"free_threaded\": false", "\"free_threaded\": true");

#[test]
fn windows() {
    let m = Machine::of(Os::Windows, WINDOWS_ENV);
    let local = "Users/me/AppData/Local";
    m.python(&format!("{local}/Programs/Python/Python313/python.exe"), "3.13.1", &[WINDOWS]);
    m.python(&format!("{local}/Programs/Python/Python313/python3.13t.exe"), "3.13.1", &[WINDOWS, FREE_THREADED]);
    m.python(&format!("{local}/Python/pythoncore-3.14-64/python.exe"), "3.14.0", &[WINDOWS]);
    m.python("hostedtoolcache/windows/Python/3.12.8/x64/python.exe", "3.12.8", &[WINDOWS]);
    m.program("hostedtoolcache/windows/Python/3.12.8/x64.complete", "");
    m.python("hostedtoolcache/windows/Python/3.12.9/x64/python.exe", "3.12.9", &[WINDOWS]);
    m.python("Users/me/.pyenv/pyenv-win/versions/3.9.13/python.exe", "3.9.13", &[WINDOWS]);
    m.python("Users/me/AppData/Roaming/uv/python/cpython-3.11.9-windows-x86_64-none/python.exe", "3.11.9", &[WINDOWS]);
    m.python("company/py/python.exe", "3.10.11", &[WINDOWS]);
    m.python("registered/python.exe", "3.8.10", &[WINDOWS]);
    // The Store's aliases must not be touched; a Python in MSYS2 makes wheels for nobody else.
    m.program(&format!("{local}/Microsoft/WindowsApps/python.exe"), "#!/bin/sh\necho ran >\"$0.asked\"\n");
    m.program(&format!("{local}/Microsoft/WindowsApps/python3.exe"), "#!/bin/sh\necho ran >\"$0.asked\"\n");
    m.python("Program Files/Git/cmd/python3.exe", "3.12.7", &[("linux-x86_64", "mingw_x86_64_ucrt_gnu")]);
    let root = &m.root;
    m.program(
        "Windows/System32/py.exe",
        &format!(
            "#!/bin/sh\n[ \"$*\" = --list-paths ] || exit 9\nprintf ' -V:3.13 *        {root}/{local}/Programs/Python/Python313/python.exe\\r\\n \
             -V:3.10          \"{root}/company/py/python.exe\"\\r\\n -V:3.7           {root}/gone/Python 37/python.exe\\r\\n'\n"
        ),
    );
    m.program(
        "Windows/System32/reg.exe",
        &format!(
            "#!/bin/sh\n[ \"$2\" = 'HKLM\\Software\\Python' ] || {{ echo 'ERROR: The system was unable to find' >&2; exit 1; }}\n\
             printf '\\r\\nHKEY_LOCAL_MACHINE\\\\Software\\\\Python\\\\PythonCore\\\\3.8\\\\InstallPath\\r\\n    (Standard)    REG_SZ    {root}/registered\\r\\n\\r\\n'\n"
        ),
    );
    let world = m.look();
    assert_eq!(world.os, Os::Windows);
    let local_python = |rest: &str| format!("{local}/{rest}");
    assert_eq!(
        found(&m, &world),
        rows(&[
            ("cp38", InterpreterOrigin::Registry, "registered/python.exe"),
            ("cp39", InterpreterOrigin::Pyenv, "Users/me/.pyenv/pyenv-win/versions/3.9.13/python.exe"),
            ("cp310", InterpreterOrigin::Launcher, "company/py/python.exe"),
            (
                "cp311",
                InterpreterOrigin::Uv,
                "Users/me/AppData/Roaming/uv/python/cpython-3.11.9-windows-x86_64-none/python.exe"
            ),
            ("cp312", InterpreterOrigin::ToolCache, "hostedtoolcache/windows/Python/3.12.8/x64/python.exe"),
            ("cp313", InterpreterOrigin::Installer, &local_python("Programs/Python/Python313/python.exe")),
            ("cp313t", InterpreterOrigin::Installer, &local_python("Programs/Python/Python313/python3.13t.exe")),
            ("cp314", InterpreterOrigin::Installer, &local_python("Python/pythoncore-3.14-64/python.exe")),
        ])
    );
    for (path, expected) in [
        (&*format!("{local}/Microsoft/WindowsApps/python.exe"), "alias of the Microsoft Store"),
        (&*format!("{local}/Microsoft/WindowsApps/python3.exe"), "alias of the Microsoft Store"),
        ("gone/Python 37/python.exe", "the py launcher names it, but it is not there"),
        ("hostedtoolcache/windows/Python/3.12.9/x64/python.exe", "x64.complete` is missing"),
        ("Program Files/Git/cmd/python3.exe", "mingw_x86_64_ucrt_gnu"),
    ] {
        let reason = reason(&world, &m.root.join(path));
        assert!(reason.contains(expected), "{path}: {reason}");
    }
    assert_eq!(m.asked(&format!("{local}/Microsoft/WindowsApps/python.exe")), 0, "the Store would have opened");
    let origin = |path: &str| world.rejected.iter().find(|r| r.path == m.root.join(path)).unwrap().origin;
    assert_eq!(origin("gone/Python 37/python.exe"), InterpreterOrigin::Launcher);
    assert_eq!(world.env.keys().collect::<Vec<_>>(), ["LIB"], "names in capitals");
    assert!(world.tools.is_empty(), "{:?}", world.tools);
}

/// Visual Studio is on no PATH: its own program is asked where it is, with a limit, and none on another system.
#[test]
fn visual_studios_that_have_a_compiler() {
    let vswhere = "Program Files (x86)/Microsoft Visual Studio/Installer/vswhere.exe";
    let m = Machine::of(Os::Windows, WINDOWS_ENV);
    assert_eq!(m.look().visual_studios, Some(Vec::new()), "without its installer there is none");
    m.program(
        vswhere,
        "#!/bin/sh\necho \"$*\" >\"$0.asked\"\ncat <<'END'\n\
         C:\\Program Files\\Microsoft Visual Studio\\2022\\Enterprise\r\nD:\\VS\\BuildTools\r\nEND\n",
    );
    let found = m.look().visual_studios.unwrap();
    assert_eq!(found, [r"C:\Program Files\Microsoft Visual Studio\2022\Enterprise", r"D:\VS\BuildTools"]);
    let asked = fs_err::read_to_string(m.root.join(format!("{vswhere}.asked"))).unwrap();
    assert!(asked.starts_with("-products * -requires Microsoft.VisualStudio.Component.VC.Tools."), "{asked}");
    m.program(vswhere, "#!/bin/sh\nexit 0\n");
    assert_eq!(m.look().visual_studios, Some(Vec::new()), "it has none with that component");
    m.program(vswhere, "#!/bin/sh\nexit 1\n");
    assert_eq!(m.look().visual_studios, None, "it did not answer");
    let elsewhere = Machine::of(Os::Windows, &[("PROGRAMFILES(X86)", "{root}/other")]);
    elsewhere.program("other/Microsoft Visual Studio/Installer/vswhere.exe", "#!/bin/sh\ncat <<'END'\nE:\\VS\nEND\n");
    assert_eq!(elsewhere.look().visual_studios.unwrap(), [r"E:\VS"]);
    assert_eq!(Machine::new().look().visual_studios, None);

    // An update changes what builds are made with, and no path.
    let (root, version) = (&m.root, "VS/VC/Auxiliary/Build/Microsoft.VCToolsVersion.default.txt");
    m.program(vswhere, &format!("#!/bin/sh\necho {root}/VS\n"));
    m.program(version, "14.44.35207\n");
    let before = m.look().compilers;
    assert!(before["Visual Studio"].starts_with(&format!("{root}/{version} 12:")), "{before:?}");
    m.program(version, "14.44.35207.1\n");
    assert_ne!(m.look().compilers, before);
}

/// LLVM's installer goes where `%ProgramFiles%` says.
#[test]
fn program_files_may_be_elsewhere() {
    for (env, folder) in [(&[][..], "Program Files"), (&[("programfiles", "{root}/d/Programme")], "d/Programme")] {
        let m = Machine::of(Os::Windows, env);
        m.program(&format!("{folder}/LLVM/bin/LLVM-C.dll"), "");
        let place = m.root.join(folder).join("LLVM");
        let looked = m.look().llvm.looked_at;
        let seen = &looked.iter().find(|look| look.place == place).unwrap().seen;
        assert!(matches!(seen, llvm::Seen::Unusable(why) if why.contains("llvm.org's installer")), "{seen:?}");
    }
}

/// Without development files, or with headers but without the library to link to, it cannot build.
#[test]
fn windows_needs_an_import_library() {
    let m = Machine::of(Os::Windows, WINDOWS_ENV);
    let library = m.root.join("libs/python312.lib");
    let python = "Program Files/Python312/python.exe";
    let imports = format!("\"import_library\": \"{library}\", \"library_dirs\": []");
    m.python(python, "3.12.1", &[WINDOWS, ("\"library_dirs\": []", &imports)]);
    assert!(!m.look().interpreters[0].has_headers, "{library} is not there");
    m.program("libs/python312.lib", "");
    assert!(m.look().interpreters[0].has_headers, "it is asked again when the file comes");
    assert_eq!(m.asked(python), 2);
}

/// On Windows for ARM Pythons of both processors run: neither hides the other.
#[test]
fn windows_for_arm_has_two_of_each() {
    let m = Machine::of(Os::Windows, WINDOWS_ENV);
    m.python("hostedtoolcache/windows/Python/3.13.1/x64/python.exe", "3.13.1", &[WINDOWS]);
    m.python("hostedtoolcache/windows/Python/3.13.1/arm64/python.exe", "3.13.1", &[("linux-x86_64", "win-arm64")]);
    for architecture in ["x64", "arm64"] {
        m.program(&format!("hostedtoolcache/windows/Python/3.13.1/{architecture}.complete"), "");
    }
    let world = m.look();
    let platforms: Vec<_> = world.interpreters.iter().map(|i| i.platform.as_str()).collect();
    assert_eq!(platforms, ["win-amd64", "win-arm64"]);
}

const MACOS_ENV: &[(&str, &str)] = &[
    ("PATH", "{root}/opt/homebrew/bin:{root}/usr/local/bin:{root}/usr/bin"),
    ("HOME", "{root}/Users/me"),
    ("AGENT_TOOLSDIRECTORY", "{root}/Users/me/hostedtoolcache"),
];

#[test]
fn macos() {
    let m = Machine::of(Os::MacOs, MACOS_ENV);
    let platform = |to: &'static str| ("linux-x86_64", to);
    let universal = platform("macosx-10.13-universal2");
    m.python("Library/Frameworks/Python.framework/Versions/3.13/bin/python3.13", "3.13.1", &[universal]);
    m.link("Library/Frameworks/Python.framework/Versions/3.13/bin/python3", "python3.13");
    m.program("Library/Frameworks/Python.framework/Versions/3.13/bin/python3.13-intel64", "#!/bin/sh\nexit 9\n");
    m.link("Library/Frameworks/Python.framework/Versions/Current", "3.13");
    m.link(
        "usr/local/bin/python3",
        m.root.join("Library/Frameworks/Python.framework/Versions/3.13/bin/python3").as_str(),
    );
    let free = [universal, ("\"free_threaded\": false", "\"free_threaded\": true")];
    m.python("Library/Frameworks/PythonT.framework/Versions/3.13/bin/python3.13t", "3.13.1", &free);
    let keg = "opt/homebrew/Cellar/python@3.12/3.12.8/Frameworks/Python.framework/Versions/3.12/bin/python3.12";
    m.python(keg, "3.12.8", &[platform("macosx-14.0-arm64")]);
    m.link("opt/homebrew/Cellar/python@3.12/3.12.8/bin/python3.12", m.root.join(keg).as_str());
    m.link("opt/homebrew/opt/python@3.12", "../Cellar/python@3.12/3.12.8");
    m.link("opt/homebrew/opt/python@3", "../Cellar/python@3.12/3.12.8");
    m.link("opt/homebrew/bin/python3.12", "../opt/python@3.12/bin/python3.12");
    let uv = "Users/me/.local/share/uv/python/cpython-3.12.7-macos-aarch64-none/bin/python3.12";
    m.python(uv, "3.12.7", &[platform("macosx-11.0-arm64")]);
    m.link("Users/me/.local/share/uv/python/cpython-3.12.7-macos-aarch64-none/bin/python", "python3.12");
    m.link("Users/me/.local/share/uv/python/cpython-3.12-macos-aarch64-none", "cpython-3.12.7-macos-aarch64-none");
    m.python("Users/me/hostedtoolcache/Python/3.11.9/arm64/bin/python3", "3.11.9", &[universal]);
    m.program("Users/me/hostedtoolcache/Python/3.11.9/arm64.complete", "");
    m.python("usr/bin/python3", "3.9.6", &[platform("macosx-10.9-universal2")]);
    let stub = m.root.join("usr/bin/python3");

    // Without the command line tools, `/usr/bin/python3` opens a dialog: xcode-select fails, or names what is not there.
    for xcode_select in [
        "#!/bin/sh\necho 'xcode-select: error: unable to get active developer directory' >&2; exit 2\n",
        "#!/bin/sh\necho /nowhere/CommandLineTools\n",
    ] {
        m.program("usr/bin/xcode-select", xcode_select);
        let world = m.look();
        assert_eq!(
            found(&m, &world),
            rows(&[
                ("cp311", InterpreterOrigin::ToolCache, "Users/me/hostedtoolcache/Python/3.11.9/arm64/bin/python3"),
                (
                    "cp312",
                    InterpreterOrigin::Uv,
                    "Users/me/.local/share/uv/python/cpython-3.12.7-macos-aarch64-none/bin/python"
                ),
                (
                    "cp313",
                    InterpreterOrigin::Framework,
                    "Library/Frameworks/Python.framework/Versions/3.13/bin/python3"
                ),
                (
                    "cp313t",
                    InterpreterOrigin::Framework,
                    "Library/Frameworks/PythonT.framework/Versions/3.13/bin/python3.13t"
                ),
            ])
        );
        let homebrew = &world.interpreters[1].duplicates;
        assert_eq!(homebrew.len(), 1);
        assert_eq!(homebrew[0].origin, InterpreterOrigin::Homebrew, "for the system it runs on only: after the others");
        assert!(reason(&world, &stub).contains("xcode-select --install"), "{}", reason(&world, &stub));
        assert_eq!(m.asked("usr/bin/python3"), 0, "a dialog would have opened");
    }

    m.python(
        "Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9/bin/python3.9",
        "3.9.6",
        &[platform("macosx-10.9-universal2")],
    );
    m.program("Library/Developer/CommandLineTools/usr/bin/python3", "");
    m.program("usr/bin/xcode-select", &format!("#!/bin/sh\necho {}/Library/Developer/CommandLineTools\n", m.root));
    let world = m.look();
    assert_eq!(world.interpreters[0].python.to_string(), "cp39");
    assert_eq!(m.asked("usr/bin/python3"), 1);
    assert_eq!(world.interpreters[0].duplicates[0].origin, InterpreterOrigin::Xcode);
}

/// Apple's programs in /usr/bin open a dialog where the developer tools are not there.
#[test]
fn compilers_of_macos_that_are_none() {
    let m = Machine::of(Os::MacOs, MACOS_ENV);
    for name in ["c++", "clang++", "git", "make", "codesign", "xcode-select"] {
        m.program(&format!("usr/bin/{name}"), "#!/bin/sh\nexit 2\n");
    }
    m.program("usr/local/bin/git", "");
    let tools = |m: &Machine| {
        let found = m.look().tools;
        found
            .into_iter()
            .map(|(name, path)| (name, path.strip_prefix(&m.root).unwrap().to_string()))
            .collect::<Vec<_>>()
    };
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(tools(&m), own(&[("codesign", "usr/bin/codesign"), ("git", "usr/local/bin/git")]));
    // In PATH behind /usr/bin it is found too.
    m.program("opt/homebrew/bin/brew", "");
    let mut behind = Machine::of(Os::MacOs, &[("PATH", "{root}/usr/bin:{root}/bin")]);
    for name in ["usr/bin/git", "usr/bin/cc", "bin/git"] {
        behind.program(name, "");
    }
    assert_eq!(tools(&behind), own(&[("git", "bin/git")]));
    for (folder, clang) in [
        ("Library/Developer/CommandLineTools", "usr/bin/clang"),
        ("Applications/Xcode.app/Contents/Developer", "Toolchains/XcodeDefault.xctoolchain/usr/bin/clang"),
    ] {
        behind = Machine::of(Os::MacOs, MACOS_ENV);
        for name in ["c++", "git"] {
            behind.program(&format!("usr/bin/{name}"), "");
        }
        behind.program("usr/bin/xcode-select", &format!("#!/bin/sh\necho {}/{folder}\n", behind.root));
        assert_eq!(tools(&behind), [], "xcode-select names what is not there");
        behind.program(&format!("{folder}/{clang}"), "");
        assert_eq!(tools(&behind), own(&[("c++", "usr/bin/c++"), ("git", "usr/bin/git")]));
    }
}

/// uv says where it installs; the folder may be anywhere.
#[test]
fn uv_is_asked_where_it_installs() {
    let m = Machine::of(Os::Linux, &[("PATH", "{root}/bin"), ("HOME", "{root}/home")]);
    m.program(
        "bin/uv",
        &format!(
            "#!/bin/sh\ncase \"$*\" in *'python dir') echo asked >>\"$0.asked\"; echo {}/far;; *) exit 2;; esac\n",
            m.root
        ),
    );
    m.python("far/cpython-3.13.1-linux-x86_64-gnu/bin/python3.13", "3.13.1", &[]);
    m.python("far/cpython-3.13.1+freethreaded-linux-x86_64-gnu/bin/python3.13t", "3.13.1", &[FREE_THREADED]);
    m.link("far/cpython-3.13-linux-x86_64-gnu", "cpython-3.13.1-linux-x86_64-gnu");
    m.program("far/.lock", "");
    let world = m.look();
    assert_eq!(
        found(&m, &world),
        rows(&[
            ("cp313", InterpreterOrigin::Uv, "far/cpython-3.13.1-linux-x86_64-gnu/bin/python3.13"),
            ("cp313t", InterpreterOrigin::Uv, "far/cpython-3.13.1+freethreaded-linux-x86_64-gnu/bin/python3.13t"),
        ])
    );
    m.look();
    assert_eq!(m.asked("bin/uv"), 1);
}

#[test]
fn the_active_conda_environment() {
    for (os, program) in [(Os::Linux, "conda/envs/x/bin/python"), (Os::Windows, "conda/envs/x/python.exe")] {
        let m = Machine::of(os, &[("CONDA_PREFIX", "{root}/conda/envs/x")]);
        m.python(program, "3.12.1", &[]);
        let world = m.look();
        assert_eq!(found(&m, &world), rows(&[("cp312", InterpreterOrigin::Conda, program)]));
    }
}

/// The script that is asked, run by a Python here that says it is on another system.
#[test]
fn what_a_python_of_another_system_answers() {
    let what = wheelproof_host::Probe::of_this_process(None);
    let Some(python) = machine::look(&what).interpreters.pop() else {
        println!("skipped: no Python is installed");
        return;
    };
    let m = Machine::new();
    m.program("windows/libs/python313.lib", "");
    m.program("query.py", include_str!("../src/query.py"));
    let program = format!(
        r#"
import os, sys, sysconfig, json, io
script = open("{root}/query.py").read()
sys.version_info = (3, 13, 1, "final", 0)
sys.base_prefix = sys.prefix = "{root}/windows"
def answer(name, version, variables, paths, platform):
    os.name, sys.version = name, version
    sysconfig.get_config_var = variables.get
    sysconfig.get_path = paths.get
    sysconfig.get_platform = lambda: platform
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        exec(script, {{}})
        text = sys.stdout.getvalue()
    finally:
        sys.stdout = out
    return json.loads(text.split("wheelproof-answer:")[1])

# CPython's sysconfig on Windows has few variables.
windows = {{"EXT_SUFFIX": ".cp313-win_amd64.pyd", "INCLUDEPY": "{root}/windows/Include", "Py_GIL_DISABLED": 0}}
paths = {{"include": "{root}/windows/Include", "platinclude": "{root}/windows/Include", "stdlib": "{root}/windows/Lib"}}
a = answer("nt", "3.13.1 (tags/v3.13.1) [MSC v.1942 64 bit (AMD64)]", windows, paths, "win-amd64")
assert a["import_library"] == "{root}/windows/libs/python313.lib", a
assert a["include"] == ["{root}/windows/Include"] and a["library_dirs"] == ["{root}/windows/libs"], a
assert a["shared_libpython"] is True and a["free_threaded"] is False and a["platform"] == "win-amd64", a
a = answer("nt", "3.13.1 experimental free-threading build [MSC]", {{"EXT_SUFFIX": ".pyd"}}, paths, "win-amd64")
assert a["import_library"].endswith("/python313t.lib") and a["free_threaded"] is True, a
assert a["ext_suffix"] not in (".pyd", None), a

# python.org's framework on macOS.
lib = "/Library/Frameworks/Python.framework/Versions/3.13"
mac = {{"EXT_SUFFIX": ".cpython-313-darwin.so", "SOABI": "cpython-313-darwin", "Py_ENABLE_SHARED": 0, "PYTHONFRAMEWORK": "Python",
       "INCLUDEPY": lib + "/include/python3.13", "MACOSX_DEPLOYMENT_TARGET": "10.13", "LIBDIR": lib + "/lib"}}
a = answer("posix", "3.13.1 (v3.13.1) [Clang 15.0.0]", mac, {{"include": lib + "/include/python3.13", "stdlib": lib + "/lib/python3.13"}}, "macosx-10.13-universal2")
assert a["shared_libpython"] is True and a["macos_deployment_target"] == "10.13" and a["import_library"] is None, a
assert a["include"] == [lib + "/include/python3.13"], a

# GraalPy and PyPy have not every variable, and no paths of CPython's.
a = answer("posix", "3.11 (GraalVM)", {{}}, {{}}, "linux-x86_64")
assert a["include"] == [] and a["ext_suffix"] is None and a["shared_libpython"] is False, a
"#,
        root = m.root
    );
    let output = std::process::Command::new(&python.path).args(["-c", &program]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

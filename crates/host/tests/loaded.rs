//! The script that lists loaded libraries, run by the Pythons that are here. Its parsers for other systems are called
//! from here too.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{collections::BTreeMap, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Runner, Silent};
use wheelproof_host::{
    Interpreter, Probe, interpreters,
    loaded::{self, Loaded, PhaseKind, Role},
    probe,
};

/// Every usable Python of this machine from 3.6 on.
fn pythons() -> Vec<Interpreter> {
    let what = Probe::of_this_process(None);
    let found = probe(&what, &Runner::new(&Silent, &Cancel::new())).interpreters;
    let found: Vec<interpreters::Interpreter> = found.into_iter().filter(|i| i.python.minor >= 6).collect();
    if found.is_empty() {
        println!("skipped: no Python is installed");
    }
    found
}

struct Place {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
    script: Utf8PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap().canonicalize_utf8().unwrap();
    fs_err::create_dir(path.join("script")).unwrap();
    let script = path.join("script/loaded.py");
    fs_err::write(&script, loaded::SCRIPT).unwrap();
    fs_err::create_dir(path.join("modules")).unwrap();
    Place { _folder: folder, path, script }
}

impl Place {
    fn module(&self, name: &str, text: &str) {
        fs_err::write(self.path.join(format!("modules/{name}.py")), text).unwrap();
    }

    fn import(&self, python: &Utf8Path, arguments: &[&str]) -> (Loaded, i32, String) {
        let out = self.path.join("out.json");
        let output = Command::new(python)
            .args([self.script.as_str(), "import", "--json-out", out.as_str()])
            .args(arguments)
            .env("PYTHONPATH", self.path.join("modules"))
            .output()
            .unwrap();
        let text = fs_err::read_to_string(out).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        (loaded::parse(&text).unwrap(), output.status.code().unwrap_or(-1), complaint)
    }
}

#[test]
fn what_an_import_brings_is_told_from_what_was_there() {
    for python in pythons() {
        let place = place();
        place.module("subject", "import _ctypes\n");
        let (loaded, code, complaint) = place.import(&python.path, &["--before", "math", "subject", "--after", "json"]);
        assert_eq!(code, 0, "{complaint}");
        let phases: Vec<_> = loaded.phases.iter().map(|p| (p.phase, p.role, p.module.as_deref())).collect();
        assert_eq!(
            phases,
            [
                (PhaseKind::Baseline, None, None),
                (PhaseKind::Import, Some(Role::Before), Some("math")),
                (PhaseKind::Import, Some(Role::Subject), Some("subject")),
                (PhaseKind::Import, Some(Role::After), Some("json")),
            ]
        );
        let names = |phase: usize| -> Vec<&str> {
            loaded.phases[phase].libraries.iter().filter_map(|library| library.path.file_name()).collect()
        };
        if cfg!(target_os = "linux") {
            assert!(names(0).iter().any(|name| name.starts_with("libc.so")), "{:?}", names(0));
            assert!(!names(0).iter().any(|name| name.contains("ffi")), "listing loaded libffi");
            assert!(!names(0).iter().any(|name| name.starts_with("python")), "the program is not a library");
            assert!(names(2).iter().any(|name| name.contains("libffi") || name.contains("_ctypes")), "{:?}", names(2));
        }
        assert_eq!(loaded.phases[2].file.as_deref(), Some(&*place.path.join("modules/subject.py")));
        assert_eq!(loaded.current, None);
    }
}

#[test]
fn a_failing_import_is_described_and_the_others_go_on() {
    for python in pythons() {
        let place = place();
        place.module("broken", "raise ImportError('libLLVM.so.19.1: cannot open \u{e9}')\n");
        place.module("leaves", "raise SystemExit(0)\n");
        let (loaded, code, complaint) = place.import(&python.path, &["broken", "leaves", "json", "loaded"]);
        assert_eq!(code, 1);
        let failures: BTreeMap<_, _> = loaded.failures().collect();
        assert_eq!(failures["broken"].kind, "ImportError");
        assert_eq!(failures["broken"].message, "libLLVM.so.19.1: cannot open \u{e9}");
        assert!(failures["broken"].traceback.contains("broken.py"));
        assert_eq!(failures["leaves"].kind, "SystemExit");
        assert_eq!(failures["loaded"].kind, "ModuleNotFoundError", "the script's own folder must not be searched");
        assert_eq!(failures.len(), 3);
        assert!(complaint.contains("cannot open"), "{complaint}");
    }
}

#[test]
fn a_process_that_dies_while_importing_leaves_the_name() {
    for python in pythons() {
        let place = place();
        place.module("deadly", "import os\nos.abort()\n");
        let (loaded, code, complaint) = place.import(&python.path, &["json", "deadly"]);
        assert_ne!(code, 0);
        assert_eq!(loaded.current.as_deref(), Some("deadly"));
        assert_eq!(loaded.phases.len(), 2);
        assert!(complaint.contains("deadly.py"), "faulthandler says where: {complaint}");
    }
}

#[test]
fn wrong_arguments() {
    let Some(python) = pythons().pop() else { return };
    let place = place();
    for arguments in
        [&[][..], &["import"], &["import", "--what", "x"], &["import", "json", "--after"], &["hook", "a", "b"]]
    {
        let output = Command::new(&python.path).arg(&place.script).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn every_process_of_a_hooked_environment_writes_at_its_exit() {
    let Some(python) = pythons().into_iter().rfind(|python| python.has_venv) else { return };
    let place = place();
    let environment = place.path.join("env");
    let made = Command::new(&python.path).args(["-m", "venv", "--without-pip", environment.as_str()]).status().unwrap();
    assert!(made.success());
    let inside = environment.join("bin/python");
    let hooked = Command::new(&inside).args([place.script.as_str(), "hook"]).status().unwrap();
    assert!(hooked.success());
    let out = place.path.join("out");
    fs_err::create_dir(&out).unwrap();
    // A parent, its child, and a child that leaves by an exception.
    let program = "import subprocess, sys, _ctypes\nsubprocess.call([sys.executable, '-c', 'raise ValueError'])\n";
    let run = |with: bool| {
        let mut command = Command::new(&inside);
        command.args(["-c", program]);
        if with {
            command.env(loaded::HOOK_VARIABLE, &out);
        }
        assert!(command.output().unwrap().status.success());
    };
    run(false);
    assert_eq!(out.read_dir_utf8().unwrap().count(), 0);
    run(true);
    let written: Vec<Loaded> = out
        .read_dir_utf8()
        .unwrap()
        .map(|entry| loaded::parse(&fs_err::read_to_string(entry.unwrap().path()).unwrap()).unwrap())
        .collect();
    assert_eq!(written.len(), 2);
    for process in &written {
        assert_eq!(process.phases[0].phase, PhaseKind::Exit);
        assert_eq!(process.prefix, environment);
        assert!(process.libraries().count() > 2);
    }
    let with_ctypes = written.iter().filter(|p| p.libraries().any(|l| l.path.as_str().contains("_ctypes"))).count();
    assert_eq!(with_ctypes, 1);
}

/// The text of /proc/self/maps in all its forms.
#[test]
fn maps_are_read() {
    let Some(python) = pythons().pop() else { return };
    let place = place();
    let program = r#"
import sys
sys.path.insert(0, sys.argv[1])
import loaded
maps = """\
55d0 r-xp 00000000 08:01 1 /usr/bin/python3.11
7f00-7f01 r--p 00000000 08:01 2                  /usr/lib/x86_64-linux-gnu/libc.so.6
7f01-7f02 r-xp 00001000 08:01 2                  /usr/lib/x86_64-linux-gnu/libc.so.6
7f02-7f03 r-xp 00000000 08:01 3                  /tmp/with space/libx.so (deleted)
7f03-7f04 r--p 00000000 08:01 4                  /tmp/new\\012line.so
7f04-7f05 rwxp 00000000 00:01 5                  /memfd:jit (deleted)
7f05-7f06 rw-p 00000000 00:00 0
7f06-7f07 r-xp 00000000 00:00 0                  [vdso]
7f07-7f08 rw-s 00000000 00:01 6                  /dev/shm/x
7f08-7f09 r-xp 00000000 00:01 7                  anon_inode:[perf_event]
"""
found = loaded.parse_maps(maps)
assert found == {
    "/usr/bin/python3.11": {"executable": True, "deleted": False},
    "/usr/lib/x86_64-linux-gnu/libc.so.6": {"executable": True, "deleted": False},
    "/tmp/with space/libx.so": {"executable": True, "deleted": True},
    "/tmp/new\nline.so": {"executable": False, "deleted": False},
}, found
assert loaded.listing_function("darwin") is loaded.macos
assert loaded.listing_function("win32") is loaded.windows
assert loaded.listing_function("linux") is loaded.linux
assert loaded.listing_function("sunos5") is None
assert loaded.brought_by_ctypes("C:\\Python313\\DLLs\\libffi-8.dll", "win32")
assert loaded.brought_by_ctypes("/x/lib-dynload/_ctypes.cpython-313-darwin.so", "darwin")
assert not loaded.brought_by_ctypes("/x/libz.dylib", "darwin")
"#;
    let output =
        Command::new(&python.path).args(["-c", program, place.script.parent().unwrap().as_str()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The loaders of macOS and Windows, played by what their documentation says they answer. A list that is too short is
/// asked for again, and only what is needed is taken of it.
#[test]
fn the_loaders_of_other_systems_are_asked() {
    let Some(python) = pythons().pop() else { return };
    let place = place();
    let program = r#"
import sys
sys.path.insert(0, sys.argv[1])
import ctypes, types
from ctypes import wintypes
import loaded

class Function:
    """A function of a library, which takes what it is told it takes."""
    def __init__(self, does):
        self.does, self.restype, self.argtypes = does, None, None
    def __call__(self, *arguments):
        assert self.argtypes is not None and len(self.argtypes) == len(arguments), (self.does, self.argtypes)
        assert self.restype is not None, self.does
        return self.does(*arguments)

# --- dyld
names = [b"/opt/python/bin/python3.13", b"/usr/lib/libSystem.B.dylib", None, b"/venv/x.cpython-313-darwin.so", b"/caf\xc3\xa9/l.dylib"]
class Dyld:
    _dyld_image_count = Function(lambda: len(names))
    _dyld_get_image_name = Function(lambda index: names[index])
ctypes.CDLL = lambda name: Dyld
assert list(loaded.macos()) == ["/usr/lib/libSystem.B.dylib", "/venv/x.cpython-313-darwin.so", "/caf\u00e9/l.dylib"], loaded.macos()

# --- the loader of Windows: more modules than fit at first
paths = ["C:\\Python313\\python.exe", "C:\\Windows\\System32\\ntdll.dll", "\\\\?\\C:\\long\\x.pyd", "\\\\?\\UNC\\server\\share\\y.dll", ""]
paths += ["C:\\many\\%d.dll" % number for number in range(700)]
asked = []
def enumerate_modules(process, modules, size, needed, flags):
    assert process == -1 and flags == 3
    asked.append(size)
    for index in range(min(len(paths), size // ctypes.sizeof(wintypes.HMODULE))):
        modules[index] = index + 1
    needed._obj.value = len(paths) * ctypes.sizeof(wintypes.HMODULE)
    return 1
def name_of(process, module, buffer, length):
    path = paths[module - 1]
    assert length == 32768
    if not path:
        return 0
    buffer.value = path
    return len(path)
class Kernel:
    GetCurrentProcess = Function(lambda: -1)
    K32EnumProcessModulesEx = Function(enumerate_modules)
    K32GetModuleFileNameExW = Function(name_of)
ctypes.WinDLL = lambda name, use_last_error: Kernel
loaded.os.path.realpath = lambda path: path
found = list(loaded.windows())
assert len(asked) == 2, asked
assert found[:3] == ["C:\\Windows\\System32\\ntdll.dll", "C:\\long\\x.pyd", "\\\\server\\share\\y.dll"], found[:3]
assert len(found) == 703, len(found)

# It fails as the system says.
class Broken(Kernel):
    K32EnumProcessModulesEx = Function(lambda *arguments: 0)
ctypes.WinDLL = lambda name, use_last_error: Broken
ctypes.get_last_error = lambda: 5
ctypes.WinError = lambda code: OSError(code, "Access is denied")
loaded.listing_function = lambda: loaded.windows
record = loaded.Record()
record.add("baseline")
assert "Access is denied" in record.value["unlisted"], record.value
"#;
    let output =
        Command::new(&python.path).args(["-c", program, place.script.parent().unwrap().as_str()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where the system cannot be asked, the import is looked at all the same, and the list says what it is.
#[test]
fn a_python_without_ctypes_lists_what_it_can() {
    let Some(python) = pythons().pop() else { return };
    let place = place();
    place.module("subject", "import _bisect, _ssl\n");
    let program = r#"
import sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import loaded
sys.modules["ctypes"] = None
loaded.listing_function = lambda: loaded.macos
sys.exit(loaded.main(["import", "subject", "--json-out", sys.argv[3]]))
"#;
    let out = place.path.join("out.json");
    let folders = [place.script.parent().unwrap().to_owned(), place.path.join("modules"), out.clone()];
    let output = Command::new(&python.path).args(["-c", program]).args(&folders).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let loaded = loaded::parse(&fs_err::read_to_string(out).unwrap()).unwrap();
    assert!(loaded.unlisted.as_ref().is_some_and(|why| why.contains("ctypes")), "{:?}", loaded.unlisted);
    assert_eq!(loaded.failures().count(), 0);
    let extension = |library: &loaded::Library| library.path.file_name().is_some_and(|name| name.starts_with("_ssl"));
    assert!(loaded.phases[1].libraries.iter().any(extension), "{:?}", loaded.phases[1].libraries);
}

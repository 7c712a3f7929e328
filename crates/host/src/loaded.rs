//! The script that lists the shared libraries of a Python process, and the shape of what it writes.

use camino::{Utf8Path, Utf8PathBuf};
use platform::{
    Os, PathStyle, paths,
    policy::{macos, windows},
};
use serde::{Deserialize, Serialize};

/// The script: to be written to a file and run as `python FILE import …` or `python FILE hook`; its docstring has the
/// arguments. Python 3.6 or newer.
pub const SCRIPT: &str = include_str!("loaded.py");

/// With this variable set to a folder, every process of an environment into which the script was hooked writes a file
/// there at its exit.
pub const HOOK_VARIABLE: &str = "WHEELPROOF_LOADED_DIR";

/// What one process had loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// The version of this format; 1.
    pub schema_version: u32,
    /// The number of the process.
    pub pid: u64,
    /// What it was started with.
    #[serde(default)]
    pub argv: Vec<String>,
    /// `sys.platform`.
    pub platform: String,
    /// `sys.executable`; `None` where an embedded interpreter has none.
    pub executable: Option<Utf8PathBuf>,
    /// `sys.prefix`: the environment, by its real path.
    pub prefix: Utf8PathBuf,
    /// `sys.base_prefix`: the interpreter that the environment was made from, by its real path.
    pub base_prefix: Utf8PathBuf,
    /// Windows only: the folder of the system, `C:\Windows`.
    #[serde(default)]
    pub system_root: Option<Utf8PathBuf>,
    /// Why the system could not be asked which libraries there are (an interpreter without `ctypes`); then only extension
    /// modules are listed.
    #[serde(default)]
    pub unlisted: Option<String>,
    /// Of Python.
    pub version: String,
    /// The module that was being imported when the process ended, if it did not live to say more.
    #[serde(default)]
    pub current: Option<String>,
    /// In the order of time; each with what it added.
    pub phases: Vec<Phase>,
}

/// A moment at which the libraries were listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Which moment.
    pub phase: PhaseKind,
    /// Of an import: why it was imported.
    pub role: Option<Role>,
    /// Of an import: the name.
    pub module: Option<String>,
    /// Of an import that worked: where the module lies.
    pub file: Option<Utf8PathBuf>,
    /// Of an import: how long it took.
    pub seconds: Option<f64>,
    /// Why it failed.
    pub error: Option<ImportFailure>,
    /// Libraries that were not there in the phases before.
    pub libraries: Vec<Library>,
}

/// Besides [`macos::SYSTEM_FOLDERS`]: Rosetta's run-time, which is in every translated process.
const MACOS_FOLDERS: &[&str] = &["/Library/Apple/", "/usr/libexec/"];

/// Below the folder of Windows: where its own libraries lie, and those of the display's and printers' drivers.
const WINDOWS_FOLDERS: &[&str] = &["System32", "SysWOW64", "SysArm32", "WinSxS", "SystemApps", "Globalization"];

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseKind {
    /// The interpreter alone.
    Baseline,
    /// After a module was imported, or could not be.
    Import,
    /// The end of the process.
    Exit,
}

/// Why a module is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A neighbour that must get along, imported first.
    Before,
    /// What is proven.
    Subject,
    /// A neighbour that must get along, imported last.
    After,
}

/// The exception of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFailure {
    /// `ImportError`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its text.
    pub message: String,
    /// As Python prints it.
    pub traceback: String,
}

/// A library in the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// As the system names it.
    pub path: Utf8PathBuf,
    /// The file was removed or replaced since it was loaded.
    #[serde(default)]
    pub deleted: bool,
    /// It was brought in by the listing itself (`ctypes` on macOS and Windows).
    #[serde(default)]
    pub listing: bool,
}

/// Text that the script did not write.
#[derive(Debug, thiserror::Error)]
#[error("the list of loaded libraries cannot be read: {0}")]
pub struct LoadedError(#[from] serde_json::Error);

/// Reads what the script wrote.
pub fn parse(text: &str) -> Result<Loaded, LoadedError> {
    Ok(serde_json::from_str(text)?)
}

impl Loaded {
    /// Every library of the process, in the order of loading as far as it is known.
    pub fn libraries(&self) -> impl Iterator<Item = &Library> {
        self.phases.iter().flat_map(|phase| &phase.libraries)
    }

    /// Whether a library is a part of the operating system that the process runs on, by where it lies. Always false on Linux,
    /// where distributions put everything into the same folders and a policy says what every one has.
    ///
    /// On macOS these libraries are no files, only names in the loader's shared cache. On Windows the Visual C++ runtime is
    /// installed into the system's folder by other programs: only that part of it counts which every Python brings.
    pub fn is_of_system(&self, library: &Utf8Path) -> bool {
        match self.platform.as_str() {
            "darwin" => {
                macos::is_system_library(library.as_str())
                    || MACOS_FOLDERS.iter().any(|folder| library.as_str().starts_with(folder))
            }
            "win32" | "cygwin" => {
                self.is_below_system_root(library) && !self.was_put_there(file_name(library.as_str()))
            }
            _ => false,
        }
    }

    fn is_below_system_root(&self, library: &Utf8Path) -> bool {
        // Where it is not known, `C:\Windows` on whatever drive.
        let usual = || library.as_str().get(..2).map(|drive| format!("{drive}\\Windows").into());
        let Some(root) = self.system_root.clone().or_else(usual) else { return false };
        let first = paths::below(library, &root).and_then(|below| below.split(['\\', '/']).next());
        first.is_some_and(|first| WINDOWS_FOLDERS.iter().any(|folder| folder.eq_ignore_ascii_case(first)))
    }

    /// A part of the Visual C++ runtime that neither Windows nor Python has.
    fn was_put_there(&self, name: &str) -> bool {
        let minor = self.version.split('.').nth(1).and_then(|minor| minor.parse().ok());
        let promised = Os::Windows.arches().iter().any(|arch| windows::is_system_library(*arch, name, minor));
        windows::is_vc_redistributable(name) && !promised
    }

    /// What of a library's path stands below a folder, both as the process's system writes them: on Windows in any case.
    pub fn below<'a>(library: &'a Utf8Path, folder: &Utf8Path) -> Option<&'a str> {
        match PathStyle::of(folder.as_str()) {
            Some(PathStyle::Windows) => paths::below(library, folder),
            _ => library.strip_prefix(folder).ok().map(Utf8Path::as_str),
        }
    }

    /// The imports that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &ImportFailure)> {
        self.phases.iter().filter_map(|phase| Some((phase.module.as_deref()?, phase.error.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(platform: &str, version: &str, system_root: Option<&str>) -> Loaded {
        let value = serde_json::json!({
            "schema_version": 1, "pid": 1, "platform": platform, "executable": null, "prefix": "x", "base_prefix": "x",
            "version": version, "system_root": system_root, "phases": [],
        });
        parse(&value.to_string()).unwrap()
    }

    /// Libraries as processes of Python list them on a runner of each system.
    #[test]
    fn what_is_the_systems_by_its_place() {
        let mac = process("darwin", "3.13.1", None);
        for (path, system) in [
            ("/usr/lib/libSystem.B.dylib", true),
            ("/usr/lib/system/libdyld.dylib", true),
            ("/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation", true),
            ("/System/Volumes/Preboot/Cryptexes/OS/usr/lib/libobjc.A.dylib", true),
            ("/Library/Apple/usr/libexec/oah/libRosettaRuntime", true),
            ("/usr/libexec/rosetta/runtime", true),
            ("/Library/Frameworks/Python.framework/Versions/3.13/Python", false),
            ("/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9/Python3", false),
            ("/opt/homebrew/Cellar/llvm/21.1.0/lib/libLLVM.dylib", false),
            ("/usr/local/lib/libzstd.1.dylib", false),
        ] {
            assert_eq!(mac.is_of_system(Utf8Path::new(path)), system, "{path}");
        }
        let windows = process("win32", "3.13.1", Some(r"C:\Windows"));
        for (path, system) in [
            (r"C:\Windows\SYSTEM32\ntdll.dll", true),
            (r"C:\WINDOWS\System32\KERNEL32.DLL", true),
            (r"c:\windows\system32\ucrtbase.dll", true),
            (r"C:\Windows\System32\msvcp_win.dll", true),
            (r"C:\Windows\System32\DriverStore\FileRepository\nv.inf_amd64\nvapi64.dll", true),
            (r"C:\Windows\WinSxS\amd64_microsoft.windows.common-controls_6595b64144ccf1df\COMCTL32.dll", true),
            // Every Python brings this one, no Windows the others of the Visual C++ runtime.
            (r"C:\Windows\System32\VCRUNTIME140.dll", true),
            (r"C:\Windows\System32\MSVCP140.dll", false),
            (r"C:\Windows\System32\vcomp140.dll", false),
            (r"C:\hostedtoolcache\windows\Python\3.13.1\x64\python313.dll", false),
            (r"C:\hostedtoolcache\windows\Python\3.13.1\x64\DLLs\libffi-8.dll", false),
            (r"C:\Program Files\LLVM\bin\LLVM-C.dll", false),
            (r"C:\Windows.old\System32\x.dll", false),
            (r"C:\Windows\Temp\x.dll", false),
            (r"D:\Windows\System32\x.dll", false),
        ] {
            assert_eq!(windows.is_of_system(Utf8Path::new(path)), system, "{path}");
        }
        let unknown_root = process("win32", "3.8.10", None);
        assert!(unknown_root.is_of_system(Utf8Path::new(r"D:\Windows\System32\x.dll")));
        assert!(!unknown_root.is_of_system(Utf8Path::new("x")));
        // Since 3.9 only.
        assert!(!unknown_root.is_of_system(Utf8Path::new(r"C:\Windows\System32\vcruntime140_1.dll")));
        let linux = process("linux", "3.13.1", None);
        assert!(!linux.is_of_system(Utf8Path::new("/usr/lib/libz.so.1")));
    }
}

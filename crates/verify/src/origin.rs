//! Where each loaded library came from, and whether it may have.

use crate::request::Request;
use crate::rules;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Subject};
use host::loaded::Loaded;
use platform::policy::{self, Policy};
use std::collections::{BTreeMap, BTreeSet};

/// What has to be known of a wheel to judge by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    /// The wheel's file name.
    pub(crate) name: String,
    /// The paths that its members have below site-packages.
    pub(crate) files: BTreeSet<String>,
    /// The libraries that its binaries need, each with one that needs it.
    pub(crate) needed: BTreeMap<String, String>,
    /// The policies of its tags.
    pub(crate) policies: Vec<&'static Policy>,
}

/// Where a library came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The wheel that is verified.
    Wheel,
    /// Another wheel in the environment.
    OtherWheel,
    /// The interpreter and its standard library.
    Interpreter,
    /// The system, by the policy's leave.
    Policy,
    /// This machine.
    Host,
}

/// Where a library came from; `name` is the one that it is needed by.
fn origin(path: &Utf8Path, name: &str, loaded: &Loaded, request: &Request, contents: &Contents) -> Origin {
    if let Some(inside) = Loaded::below(path, &loaded.prefix) {
        let inside = inside.replace('\\', "/");
        let site = inside.split_once("site-packages/").map(|(_, rest)| rest);
        return if site.is_some_and(|site| contents.files.contains(site)) { Origin::Wheel } else { Origin::OtherWheel };
    }
    let own_prefix = !matches!(loaded.base_prefix.as_str(), "/usr" | "/usr/local" | "/");
    if request.interpreter.stdlib.as_ref().is_some_and(|stdlib| Loaded::below(path, stdlib).is_some())
        || (own_prefix && Loaded::below(path, &loaded.base_prefix).is_some())
        || name.starts_with("libpython")
    {
        return Origin::Interpreter;
    }
    if loaded.is_of_system(path) {
        return Origin::Policy;
    }
    let promised = policy::is_loader_or_libc(name)
        || contents.policies.iter().any(|policy| policy.allows_library(name))
        || (contents.policies.is_empty() && policy::whitelisted_anywhere(name));
    if promised { Origin::Policy } else { Origin::Host }
}

/// What the loaded libraries say of themselves, each read once.
#[derive(Debug, Default)]
pub(crate) struct Files(BTreeMap<Utf8PathBuf, Facts>);

/// What one library says of itself.
#[derive(Debug, Clone, Default)]
struct Facts {
    /// The name that others need it by. The process shows the file behind all links (`libffi.so.8.1.2`), a requirer
    /// names the soname (`libffi.so.8`).
    name: String,
    needed: Vec<String>,
}

impl Files {
    fn of(&mut self, path: &Utf8Path) -> &Facts {
        self.0.entry(path.to_owned()).or_insert_with(|| {
            let bytes = fs_err::read(path).unwrap_or_default();
            let mut facts = Facts { name: needed_name(path.as_str()), needed: Vec::new() };
            let Ok(file) = objfile::parse(&bytes) else { return facts };
            for object in file.objects() {
                if let Some(identity) = object.identity {
                    facts.name = needed_name(identity);
                }
                facts.needed.extend(object.needed.iter().map(|needed| needed_name(needed.name)));
            }
            facts
        })
    }

    /// The names that the loaded libraries of the interpreter, of the platform and of other wheels need, and what those
    /// that were loaded from the host for them need in turn.
    fn explained(&mut self, loaded: &Loaded, seen: &[Seen<'_>]) -> BTreeSet<String> {
        let mut explained = BTreeSet::new();
        for library in seen {
            if matches!(library.from, Origin::Interpreter | Origin::Policy | Origin::OtherWheel) {
                explained.extend(self.of(library.path).needed.iter().cloned());
            }
        }
        if let Some(program) = &loaded.executable {
            explained.extend(self.of(program).needed.iter().cloned());
        }
        loop {
            let before = explained.len();
            for library in seen {
                if library.from == Origin::Host && explained.contains(&library.name) {
                    explained.extend(self.of(library.path).needed.iter().cloned());
                }
            }
            if explained.len() == before {
                return explained;
            }
        }
    }
}

/// A loaded library, the name that it is needed by, and where it came from.
struct Seen<'a> {
    path: &'a Utf8Path,
    name: String,
    from: Origin,
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The name that a library is needed by, for comparing: Windows looks for `KERNEL32.dll` in any case.
fn needed_name(path: &str) -> String {
    let name = file_name(path);
    let windows = name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ["dll", "pyd", "exe", "drv"].iter().any(|known| ending.eq_ignore_ascii_case(known)));
    if windows { name.to_ascii_lowercase() } else { name.to_owned() }
}

/// Plugins that the C library itself opens by name.
fn is_the_systems_own(name: &str) -> bool {
    name.starts_with("libnss_") || name.starts_with("gconv") || name == "linux-vdso.so.1"
}

/// What is wrong with what one process had loaded.
pub(crate) fn judge(loaded: &Loaded, request: &Request, contents: &Contents, files: &mut Files) -> Vec<Finding> {
    let seen: Vec<Seen<'_>> = loaded
        .libraries()
        .filter(|library| !library.listing)
        .map(|library| {
            let name = files.of(&library.path).name.clone();
            let from = origin(&library.path, &name, loaded, request, contents);
            Seen { path: &library.path, name, from }
        })
        .collect();
    let explained = files.explained(loaded, &seen);
    let mut findings = Vec::new();
    if let Some(why) = &loaded.unlisted {
        let message = format!("the loaded libraries could not be listed ({why}); only extension modules are known");
        findings.push(Finding::new(&rules::LIBRARIES_NOT_SEEN, Subject::file(&contents.name), message));
    }
    for Seen { path, name, .. } in seen.iter().filter(|library| library.from == Origin::Host) {
        let subject = || Subject::file(&contents.name).symbol(name);
        if llvm::recognise(name).is_some() {
            let message = format!("libLLVM was loaded from `{path}`, not from the wheel");
            findings.push(Finding::new(&rules::LLVM_NOT_FROM_WHEEL, subject(), message));
        } else if let Some(member) = contents.needed.get(name) {
            let message = format!("`{member}` needs `{name}`, which was loaded from `{path}`, not from the wheel");
            findings.push(Finding::new(&rules::HOST_LIBRARY_LEAK, subject().member(member), message));
        } else if !explained.contains(name) && !is_the_systems_own(name) {
            // What the interpreter's own modules need (libffi, libssl) is explained; this one was opened by name.
            let message = format!("`{path}` was loaded, and no library in the process is known to need it");
            findings.push(Finding::new(&rules::UNEXPLAINED_LIBRARY, subject(), message));
        }
    }
    findings
}

/// With a shared libLLVM, one must have been loaded, and from the wheel.
pub(crate) fn llvm_from_wheel(loaded: &Loaded, request: &Request, contents: &Contents) -> Option<Finding> {
    request.llvm_major?;
    let seen = loaded.libraries().any(|library| {
        llvm::recognise(file_name(library.path.as_str())).is_some()
            && origin(&library.path, "", loaded, request, contents) == Origin::Wheel
    });
    let carried = contents.files.iter().any(|file| llvm::recognise(file.rsplit('/').next().unwrap_or(file)).is_some());
    (carried && !seen).then(|| {
        let message = match &loaded.unlisted {
            None => "the wheel carries a libLLVM, but the imports did not load it".to_owned(),
            Some(why) => format!("whether the imports loaded the wheel's libLLVM cannot be told: {why}"),
        };
        Finding::new(&rules::LLVM_NOT_FROM_WHEEL, Subject::file(&contents.name), message)
    })
}

impl Contents {
    /// Notes what one binary of the wheel needs.
    pub(crate) fn needs(&mut self, member: &str, library: &str) {
        self.needed.entry(needed_name(library)).or_insert_with(|| member.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process with the libraries of `paths`, in an environment at /venv of the interpreter at /opt/python.
    fn process(paths: &[&str]) -> Loaded {
        let libraries: Vec<_> = paths.iter().map(|path| serde_json::json!({ "path": path })).collect();
        let value = serde_json::json!({
            "schema_version": 1, "pid": 1, "platform": "linux", "executable": null, "prefix": "/venv",
            "base_prefix": "/opt/python", "version": "3.13.0",
            "phases": [{ "phase": "exit", "libraries": libraries }],
        });
        host::loaded::parse(&value.to_string()).unwrap()
    }

    fn contents() -> Contents {
        let mut contents = Contents { name: "x.whl".to_owned(), ..Contents::default() };
        contents.files.insert("x.libs/libLLVM-1.so.19.1".to_owned());
        contents.policies = platform::policy::Policy::by_name("manylinux_2_28").into_iter().collect();
        contents.needs("pkg/_core.so", "libleak.so.1");
        contents.needs("pkg/_core.so", "libz.so.1");
        contents
    }

    #[test]
    fn where_a_library_came_from_decides() {
        let site = "/venv/lib/python3.13/site-packages";
        let llvm = format!("{site}/x.libs/libLLVM-1.so.19.1");
        let other = format!("{site}/numpy.libs/libopenblas.so");
        for (path, rule) in [
            (llvm.as_str(), None),
            (other.as_str(), None),
            ("/opt/python/lib/libsomething.so", None),
            ("/usr/lib/libpython3.13.so.1.0", None),
            ("/lib/x86_64-linux-gnu/libz.so.1", None),
            ("/lib/x86_64-linux-gnu/libnss_files.so.2", None),
            ("/usr/lib/llvm-19/lib/libLLVM.so.19.1", Some("llvm-not-from-wheel")),
            ("/usr/lib/libleak.so.1", Some("host-library-leak")),
            ("/usr/lib/libopened.so.1", Some("unexplained-library")),
        ] {
            let request = crate::request::tests::request();
            let findings = judge(&process(&[path]), &request, &contents(), &mut Files::default());
            let found: Vec<&str> = findings.iter().map(|finding| finding.rule.name).collect();
            assert_eq!(found, rule.into_iter().collect::<Vec<_>>(), "{path}");
        }
    }

    /// The same on Windows and macOS, from listings as their loaders give them.
    #[test]
    fn where_a_library_of_another_system_came_from() {
        /// A path, and the rule that speaks of it.
        type Rows<'a> = &'a [(&'a str, Option<&'a str>)];
        let rows: &[(&str, &str, &str, Rows<'_>)] = &[
            (
                "win32",
                r"D:\a\x\target\verify\env",
                r"C:\hostedtoolcache\windows\Python\3.13.1\x64",
                &[
                    (r"d:\a\x\target\verify\env\Lib\site-packages\x.libs\libLLVM-1.so.19.1", None),
                    (r"C:\hostedtoolcache\windows\Python\3.13.1\x64\python313.dll", None),
                    (r"C:\hostedtoolcache\windows\Python\3.13.1\x64\DLLs\libcrypto-3.dll", None),
                    (r"C:\Windows\System32\kernel32.dll", None),
                    (r"C:\WINDOWS\SYSTEM32\cryptbase.dll", None),
                    (r"C:\Windows\System32\msvcp140.dll", Some("unexplained-library")),
                    (r"C:\tools\LEAK.DLL", Some("host-library-leak")),
                    (r"C:\Program Files\LLVM\bin\LLVM-C.dll", Some("llvm-not-from-wheel")),
                    (r"C:\tools\libleak.so.1", Some("host-library-leak")),
                ],
            ),
            (
                "darwin",
                "/private/tmp/env",
                "/Library/Frameworks/Python.framework/Versions/3.13",
                &[
                    ("/Library/Frameworks/Python.framework/Versions/3.13/Python", None),
                    ("/usr/lib/libSystem.B.dylib", None),
                    ("/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation", None),
                    ("/opt/homebrew/opt/llvm/lib/libLLVM.dylib", Some("llvm-not-from-wheel")),
                    ("/usr/local/lib/libleak.so.1", Some("host-library-leak")),
                    ("/opt/homebrew/lib/libzstd.1.dylib", Some("unexplained-library")),
                ],
            ),
        ];
        for (platform, prefix, base_prefix, libraries) in rows {
            for (path, rule) in *libraries {
                let mut process = process(&[path]);
                process.platform = (*platform).to_owned();
                process.prefix = (*prefix).into();
                process.base_prefix = (*base_prefix).into();
                let mut contents = contents();
                contents.policies.clear();
                contents.needs("pkg/_core.pyd", "leak.dll");
                let request = crate::request::tests::request();
                let findings = judge(&process, &request, &contents, &mut Files::default());
                let found: Vec<&str> = findings.iter().map(|finding| finding.rule.name).collect();
                assert_eq!(found, rule.iter().copied().collect::<Vec<_>>(), "{path}");
            }
        }
    }

    #[test]
    fn what_could_not_be_listed_proves_nothing() {
        let mut process = process(&[]);
        process.unlisted = Some("ImportError: No module named '_ctypes'".to_owned());
        let request = crate::request::tests::request();
        let findings = judge(&process, &request, &contents(), &mut Files::default());
        assert_eq!(findings.iter().map(|f| f.rule.name).collect::<Vec<_>>(), ["libraries-not-seen"]);
        let finding = llvm_from_wheel(&process, &request, &contents()).unwrap();
        assert!(finding.message.contains("cannot be told: ImportError"), "{}", finding.message);
    }

    #[test]
    fn what_the_interpreters_own_modules_need_is_the_interpreters() {
        let mut files = Files::default();
        let mut add = |path: &str, name: &str, needed: &str| {
            let facts = Facts { name: name.to_owned(), needed: vec![needed.to_owned()] };
            files.0.insert(path.into(), facts);
        };
        add("/opt/python/lib/_ctypes.so", "_ctypes.so", "libffi.so.8");
        // The process names the file behind the links, the requirer the soname.
        add("/usr/lib/libffi.so.8.1.2", "libffi.so.8", "libdeep.so.1");
        let process = process(&["/opt/python/lib/_ctypes.so", "/usr/lib/libffi.so.8.1.2", "/usr/lib/libdeep.so.1"]);
        let request = crate::request::tests::request();
        assert!(judge(&process, &request, &contents(), &mut files).is_empty());
        // The same library is a leak when the wheel needs it too.
        let mut contents = contents();
        contents.needs("pkg/_core.so", "libffi.so.8");
        assert_eq!(judge(&process, &request, &contents, &mut files).len(), 1);
    }
}

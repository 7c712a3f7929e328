//! Linux with glibc: what the policy of the tag gives, down to the symbol version.

use super::{Interpreter, Neighbours, is_python_name};
use crate::proof::aim::Platform;
use crate::python::is_python_library;
use linkage::{Lack, Presence, Providers, Verdict, Wanted};
use platform::Arch;
use platform::exports::{self, Gnu};
use platform::policy::{self, Policy};

/// The version namespaces of libraries that have versions at all; a reference with another one is not for them.
const NAMESPACES: [(&str, &[&str]); 6] = [
    ("libstdc++.so.6", &["GLIBCXX", "CXXABI"]),
    ("libgcc_s.so.1", &["GCC", "GLIBC"]),
    ("libatomic.so.1", &["LIBATOMIC"]),
    ("libz.so.1", &["ZLIB"]),
    ("libmvec.so.1", &["GLIBC"]),
    ("libexpat.so.1", &[]),
];

/// How the names begin that libraries without a list export; what begins otherwise is not theirs.
const PREFIXES: [(&str, &[&str]); 9] = [
    ("libX11.so.6", &["X", "_X"]),
    ("libXext.so.6", &["X", "DPMS"]),
    ("libXrender.so.1", &["X"]),
    ("libICE.so.6", &["Ice", "_Ice"]),
    ("libSM.so.6", &["Sm", "_Sm"]),
    ("libGL.so.1", &["gl"]),
    ("libglib-2.0.so.0", &["g_", "glib_"]),
    ("libgobject-2.0.so.0", &["g_"]),
    ("libgthread-2.0.so.0", &["g_"]),
];

/// Present on every system of the policy, and what they export.
pub(super) struct Glibc<'a> {
    arch: Arch,
    policy: &'static Policy,
    lists: Option<&'static exports::Glibc>,
    gnu: Gnu,
    interpreter: Interpreter<'a>,
    neighbours: &'a Neighbours,
    loaded: Vec<String>,
}

impl<'a> Glibc<'a> {
    pub(super) fn new(
        platform: &Platform,
        policy: &'static Policy,
        interpreter: Interpreter<'a>,
        neighbours: &'a Neighbours,
    ) -> Self {
        // What every CPython is linked with, whoever built it (its configure adds -lm, -ldl, -lpthread and -lutil).
        let loaded = ["libm.so.6", "libdl.so.2", "libpthread.so.0", "libutil.so.1", "libc.so.6"];
        Self {
            arch: platform.arch,
            policy,
            lists: exports::glibc(platform.arch),
            gnu: exports::gnu(platform.arch),
            interpreter,
            neighbours,
            loaded: loaded.map(str::to_owned).into(),
        }
    }

    /// What glibc's own list says, if it has this library.
    fn of_glibc(&self, library: &str, wanted: Wanted<'_>) -> Option<Verdict> {
        let list = self.lists.filter(|list| list.knows(library))?;
        let Some(versions) = list.find(library, wanted.name) else {
            return Some(match wanted.version {
                // Internal to glibc's own libraries, and in no list.
                Some("GLIBC_PRIVATE") => Verdict::Unknown,
                _ => Verdict::No(Lack::Absent),
            });
        };
        Some(match wanted.version {
            Some(version) => match versions.get(version) {
                None => Verdict::No(Lack::OtherVersions(versions.iter().map(ToString::to_string).collect())),
                Some(found) if found.since <= self.policy.version => Verdict::Yes,
                Some(found) => self.too_new(found.since),
            },
            None => match versions.in_release(self.policy.version).next() {
                Some(_) => Verdict::Yes,
                None => versions
                    .iter()
                    .map(|version| version.since)
                    .min()
                    .map_or(Verdict::Unknown, |since| self.too_new(since)),
            },
        })
    }

    fn too_new(&self, (major, minor): (u16, u16)) -> Verdict {
        let policy = self.policy.name;
        Verdict::No(Lack::Because(format!("has it from glibc {major}.{minor} on, which {policy} does not promise")))
    }

    /// What the list of GCC's runtime and zlib says, if it has this library.
    fn of_gnu(&self, library: &str, wanted: Wanted<'_>) -> Option<Verdict> {
        if !self.gnu.knows(library) {
            return None;
        }
        let whole = self.gnu.is_whole(library, wanted.version.unwrap_or_default());
        let Some(versions) = self.gnu.find(library, wanted.name) else {
            return Some(if whole { Verdict::No(Lack::Absent) } else { Verdict::Unknown });
        };
        let Some(version) = wanted.version else { return Some(Verdict::Yes) };
        if !versions.contains(&version) {
            let others = versions.iter().map(|version| (*version).to_owned()).collect();
            return Some(if whole { Verdict::No(Lack::OtherVersions(others)) } else { Verdict::Unknown });
        }
        Some(self.version(library, version))
    }
}

impl Providers for Glibc<'_> {
    fn loaded(&self) -> &[String] {
        &self.loaded
    }

    fn program(&self, wanted: Wanted<'_>) -> Verdict {
        // What Python exports has no versions; a reference with one is for a library.
        self.interpreter.exports(wanted.name)
    }

    fn library(&self, name: &str) -> Presence {
        if self.policy.allows_library(name) {
            return Presence::Present;
        }
        if is_python_library(name) {
            let why =
                "not every Python has a library of its own: those of conda, uv and the manylinux images are one file";
            return Presence::Absent(Some(why.to_owned()));
        }
        let newer = policy::policies(self.policy.libc, self.arch).find(|newer| newer.allows_library(name));
        if let Some(newer) = newer {
            let why = format!("{} does not promise it, {} does", self.policy.name, newer.name);
            return Presence::Absent(Some(why));
        }
        self.neighbours.bring(name).unwrap_or(Presence::Absent(None))
    }

    fn provides(&self, library: &str, wanted: Wanted<'_>) -> Verdict {
        if is_python_name(wanted.name) || !could_have(library, wanted) {
            return Verdict::No(Lack::Absent);
        }
        self.of_glibc(library, wanted).or_else(|| self.of_gnu(library, wanted)).unwrap_or(Verdict::Unknown)
    }

    fn version(&self, library: &str, version: &str) -> Verdict {
        if !self.policy.allows_library(library) || !self.policy.governs(version) {
            return Verdict::Unknown;
        }
        if self.policy.allows_version(self.arch, version) {
            return Verdict::Yes;
        }
        let highest = version.split_once('_').and_then(|(namespace, _)| self.policy.highest(self.arch, namespace));
        let namespace = version.split_once('_').map_or(version, |(namespace, _)| namespace);
        Verdict::No(highest.map_or(Lack::Absent, |highest| {
            Lack::Because(format!("has {namespace} up to {highest} in {}", self.policy.name))
        }))
    }
}

/// Whether a symbol can be a system library's at all, by its version and its name.
fn could_have(library: &str, wanted: Wanted<'_>) -> bool {
    let by_version = match (wanted.version, NAMESPACES.iter().find(|(name, _)| *name == library)) {
        (Some(version), Some((_, namespaces))) => {
            let namespace = version.split_once('_').map_or(version, |(namespace, _)| namespace);
            namespaces.contains(&namespace)
        }
        (Some(_), None) => !PREFIXES.iter().any(|(name, _)| *name == library),
        (None, _) => true,
    };
    let prefixes = PREFIXES.iter().find(|(name, _)| *name == library);
    by_version && prefixes.is_none_or(|(_, starts)| starts.iter().any(|start| wanted.name.starts_with(start)))
}

//! Which files Python's import system opens as extension modules, by their names alone, and what is wrong with one that is no
//! binary.

use crate::python::{self, Aim};
use objfile::{FileKind, Format};
use platform::{Os, PlatformTag, TagSet};

/// Who imports from a wheel: the Pythons and systems of its tags.
#[derive(Debug, Clone)]
pub struct Importers {
    pythons: Aim,
    /// Empty where the tags name none: any may.
    systems: Vec<Os>,
    /// A system whose binaries are not known here, such as WebAssembly's.
    unknown: bool,
}

impl Importers {
    /// Those that the tags stand for; without tags everybody.
    pub fn of(tags: Option<&TagSet>) -> Self {
        let any = tags.is_some_and(|tags| tags.platforms().any(|tag| matches!(tag, PlatformTag::Any)));
        let systems = tags.filter(|_| !any).into_iter().flat_map(TagSet::platforms).filter_map(PlatformTag::os);
        let unknown = tags.is_some_and(|tags| tags.platforms().any(|tag| matches!(tag, PlatformTag::Other(_))));
        Self { pythons: tags.map_or(Aim::Unstated, python::of_tags), systems: systems.collect(), unknown }
    }

    /// Whether `import` opens the file at `place`, a path below site-packages (`importlib.machinery.EXTENSION_SUFFIXES`).
    /// Where its suffix names no Python, a `lib….so` is taken for a library and not for a module, and so is what lies in no
    /// package. No for every file where the tags name a system of which nothing is known here.
    pub fn open(&self, place: &str, is_package: impl Fn(&str) -> bool) -> bool {
        let (folder, name) = place.rsplit_once('/').unwrap_or(("", place));
        let parts: Vec<&str> = name.split('.').collect();
        let importable = (folder.is_empty() || folder.split('/').all(is_identifier))
            && parts.first().is_some_and(|module| is_identifier(module));
        match parts.as_slice() {
            _ if !importable || self.unknown => false,
            [_, "pyd"] => self.has(|os| os == Os::Windows),
            [_, tag, "pyd"] => tag.contains("-win") && self.has(|os| os == Os::Windows) && self.fits(name),
            [module, "so"] => {
                let package = folder.is_empty() || is_package(folder);
                package && !module.starts_with("lib") && self.has(|os| os != Os::Windows)
            }
            [_, tag, "so"] => {
                let named = [("-linux", Os::Linux), ("-darwin", Os::MacOs)];
                let named = named.into_iter().find(|(word, _)| tag.contains(word)).map(|(_, os)| os);
                let systems = self.has(|os| named.map_or(os != Os::Windows, |named| os == named));
                let is_tag = ["cpython-3", "pypy3", "graalpy"].iter().any(|word| tag.starts_with(word));
                systems && (is_tag || matches!(*tag, "abi3" | "abi3t")) && self.fits(name)
            }
            _ => false,
        }
    }

    fn has(&self, is_it: impl Fn(Os) -> bool) -> bool {
        self.systems.is_empty() || self.systems.iter().any(|os| is_it(*os))
    }

    /// Whether a Python of the tags is the one that the suffix names.
    fn fits(&self, name: &str) -> bool {
        match (python::of_file_name(name), &self.pythons) {
            (Aim::Unstated, _) | (_, Aim::Unstated) => true,
            (Aim::Foreign, pythons) => *pythons == Aim::Foreign,
            (_, Aim::Foreign) => false,
            (Aim::Exact(named), Aim::Exact(pythons)) => named.iter().any(|python| pythons.contains(python)),
            (Aim::Exact(named), Aim::Stable { floor, builds }) => named
                .iter()
                .any(|python| floor.is_none_or(|floor| python.minor >= floor) && builds.contains(&python.build)),
            (Aim::Stable { builds, .. }, Aim::Exact(pythons)) => {
                pythons.iter().any(|python| builds.contains(&python.build))
            }
            (Aim::Stable { .. }, Aim::Stable { .. }) => true,
        }
    }
}

fn is_identifier(word: &str) -> bool {
    word.chars().all(|c| c == '_' || c.is_alphanumeric())
        && !word.starts_with(|c: char| c.is_ascii_digit())
        && !word.is_empty()
}

/// What a file is that no loader takes for a binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBinary {
    /// Nothing is in it.
    Empty,
    /// A script for the linker, as `libfoo.so` is in some packages of libraries.
    LinkerScript,
    /// What Git LFS leaves where the file itself was not fetched.
    LfsPointer,
    /// Another text.
    Text,
    /// A static archive, or an object that was never linked.
    ForLinkers,
    /// Bytes of no kind that is known.
    Unknown,
}

impl NoBinary {
    /// What bytes are that begin as no binary; nothing where they begin as one.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        /// Enough for every mark, the PE header's included.
        const START: usize = 4096;
        let start = bytes.get(..START).unwrap_or(bytes);
        let script = || {
            let words = ["/*", "INPUT", "GROUP", "OUTPUT_FORMAT"];
            words.iter().any(|word| start.trim_ascii_start().starts_with(word.as_bytes()))
        };
        Some(match objfile::sniff(start) {
            Some(FileKind::Object(Format::Elf | Format::MachO | Format::Pe) | FileKind::Universal) => return None,
            Some(FileKind::Object(Format::Coff) | FileKind::Archive | FileKind::ThinArchive) => Self::ForLinkers,
            None if start.is_empty() => Self::Empty,
            None if script() => Self::LinkerScript,
            None if start.starts_with(b"version https://git-lfs.github.com/") => Self::LfsPointer,
            None if is_text(start) => Self::Text,
            None => Self::Unknown,
        })
    }

    /// As a part of a sentence about the file.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Empty => "the file is empty",
            Self::LinkerScript => "the file is a script for the linker, which no loader takes",
            Self::LfsPointer => "the file is a pointer of Git LFS: what it stands for was not fetched before the build",
            Self::Text => "the file is a text, though it is called like a binary",
            Self::ForLinkers => "the file is for a linker (an object or a static archive), and no loader takes it",
            Self::Unknown => "the file is called like a binary and begins as none",
        }
    }
}

/// The start of a file may end within a character.
fn is_text(start: &[u8]) -> bool {
    !start.contains(&0) && std::str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_the_importer_opens() {
        let linux = "cp311-cp311-manylinux_2_17_x86_64";
        for (tags, place, opens) in [
            (linux, "pkg/_core.cpython-311-x86_64-linux-gnu.so", true),
            (linux, "_core.cpython-311-x86_64-linux-gnu.so", true),
            (linux, "pkg/_core.cpython-312-x86_64-linux-gnu.so", false),
            (linux, "pkg/_core.pypy311-pp73-x86_64-linux-gnu.so", false),
            (linux, "pkg/_core.cpython-311-darwin.so", false),
            (linux, "pkg/_core.abi3.so", true),
            (linux, "pkg/_core.so", true),
            (linux, "pkg/data/_core.so", false),
            (linux, "pkg/libcore.so", false),
            (linux, "pkg/libcore.so.1", false),
            (linux, "pkg/_core.foo.so", false),
            (linux, "pkg.libs/core.cpython-311-x86_64-linux-gnu.so", false),
            (linux, "../bin/core.cpython-311-x86_64-linux-gnu.so", false),
            (linux, "pkg/_core.pyd", false),
            (linux, "pkg/core.a", false),
            ("cp39-abi3-manylinux_2_17_x86_64", "pkg/_core.cpython-311-x86_64-linux-gnu.so", true),
            ("cp39-abi3-manylinux_2_17_x86_64", "pkg/_core.cpython-38-x86_64-linux-gnu.so", false),
            ("pp311-pypy311_pp73-manylinux_2_17_x86_64", "pkg/_core.pypy311-pp73-x86_64-linux-gnu.so", true),
            ("cp313-cp313-pyodide_2025_0_wasm32", "pkg/_core.cpython-313-wasm32-emscripten.so", false),
            ("py3-none-any", "pkg/_core.cpython-311-x86_64-linux-gnu.so", true),
            ("py3-none-any", "pkg/_core.pyd", true),
            ("cp313-cp313-win_amd64", "pkg/_core.cp313-win_amd64.pyd", true),
            ("cp313-cp313-win_amd64", "pkg/_core.cp312-win_amd64.pyd", false),
            ("cp313-cp313-win_amd64", "pkg/_core.pyd", true),
            ("cp313-cp313-win_amd64", "pkg/_core.so", false),
            ("cp313-cp313-macosx_12_0_arm64", "pkg/_core.cpython-313-darwin.so", true),
        ] {
            let importers = Importers::of(Some(&tags.parse().unwrap()));
            assert_eq!(importers.open(place, |folder| folder == "pkg"), opens, "{place} in {tags}");
        }
    }

    #[test]
    fn what_is_no_binary() {
        for (bytes, what) in [
            (&b"\x7fELF\x02\x01\x01"[..], None),
            (b"", Some(NoBinary::Empty)),
            (b"/* GNU ld script */\nINPUT(libx.so.1)\n", Some(NoBinary::LinkerScript)),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", Some(NoBinary::LfsPointer)),
            (b"<html>404</html>", Some(NoBinary::Text)),
            ("größer".as_bytes().get(..3).unwrap(), Some(NoBinary::Text)),
            (b"!<arch>\n", Some(NoBinary::ForLinkers)),
            (b"\0\x01garbage\xff", Some(NoBinary::Unknown)),
        ] {
            assert_eq!(NoBinary::of(bytes), what, "{bytes:?}");
        }
    }
}

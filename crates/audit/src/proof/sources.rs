//! What the package's own Python code does before an extension is imported: libraries it opens, folders it adds.
//!
//! The code is not run. String literals of files that call `ctypes` or `os.add_dll_directory` are collected; what they name
//! in the wheel is taken to be opened or added. That is a guess from evidence, so the proof lists it as assumed where it
//! matters.

use memchr::memmem;
use std::collections::BTreeSet;

/// No module that loads libraries comes near this.
const MOST_BYTES: usize = 1 << 20;
/// Nor has more literals than this.
const MOST_LITERALS: usize = 4096;
/// A file's or folder's name is no longer.
const MOST_LENGTH: usize = 200;

/// What one Python file says that matters to a loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// Its place below site-packages.
    pub(super) path: String,
    /// It opens libraries through ctypes or cffi.
    pub(super) opens: bool,
    /// It adds folders where Windows looks for DLLs.
    pub(super) adds_folders: bool,
    /// The last components of what its string literals name.
    pub(super) literals: BTreeSet<String>,
}

/// What opens a library by name or path.
const OPENERS: [&str; 9] = [
    "CDLL(",
    "WinDLL(",
    "PyDLL(",
    "OleDLL(",
    "LoadLibrary",
    ".dlopen(",
    "load_library_permanently",
    "setdlopenflags",
    "cdll.",
];
/// What adds a folder to the search for DLLs.
const ADDERS: [&str; 3] = ["add_dll_directory", "AddDllDirectory", "SetDllDirectory"];

impl Source {
    /// Nothing if the file has nothing to do with loading.
    pub(super) fn scan(path: &str, bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..MOST_BYTES).unwrap_or(bytes);
        let has = |word: &&str| memmem::find(bytes, word.as_bytes()).is_some();
        let (opens, adds_folders) = (OPENERS.iter().any(has), ADDERS.iter().any(has));
        (opens || adds_folders).then(|| Self {
            path: path.to_owned(),
            opens,
            adds_folders,
            literals: literals(&String::from_utf8_lossy(bytes)),
        })
    }

    /// Whether it names a file: wholly, by its stem (`"llvmlite"` for libllvmlite.so), or by a pattern (`"libfoo*"`).
    pub(super) fn names(&self, file_name: &str) -> bool {
        let stem = stem(file_name);
        self.literals.iter().any(|literal| {
            literal == file_name
                || self::stem(literal) == stem
                || literal.split_once('*').is_some_and(|(start, end)| {
                    !start.is_empty()
                        && file_name.starts_with(start)
                        && file_name.ends_with(end.trim_start_matches('*'))
                })
        })
    }

    /// Whether it is the `__init__` of a package that `path` lies in, so that it runs before `path` is imported.
    pub(super) fn runs_before(&self, path: &str) -> bool {
        self.path.strip_suffix("__init__.py").is_some_and(|folder| path.starts_with(folder))
    }
}

/// `libfoo-1a2b3c4d.so.1` → `foo`.
fn stem(name: &str) -> &str {
    let name = name.strip_prefix("lib").unwrap_or(name);
    name.split(['.', '-']).next().unwrap_or(name)
}

/// The last path component of every string literal, comments left out.
fn literals(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '#']) {
        let Some(quote) = rest.get(at..at + 1) else { break };
        let after = rest.get(at + 1..).unwrap_or_default();
        if quote == "#" {
            rest = after.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        let triple = quote.repeat(3);
        if let Some(inner) = rest.get(at..).and_then(|rest| rest.strip_prefix(triple.as_str())) {
            rest = inner.split_once(triple.as_str()).map_or("", |(_, rest)| rest);
            continue;
        }
        let end = end_of_literal(after, quote);
        add(&mut found, after.get(..end).unwrap_or_default());
        if found.len() >= MOST_LITERALS {
            break;
        }
        rest = after.get(end..).unwrap_or_default();
        rest = rest.strip_prefix(quote).unwrap_or(rest);
    }
    found
}

/// Where a literal of one line ends.
fn end_of_literal(text: &str, quote: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            c if quote.starts_with(c) => return at,
            _ => {}
        }
    }
    text.len()
}

fn add(found: &mut BTreeSet<String>, literal: &str) {
    if literal.len() > MOST_LENGTH || literal.chars().any(char::is_whitespace) {
        return;
    }
    for part in literal.split(['/', '\\']).filter(|part| part.len() > 1 && *part != "..") {
        found.insert(part.to_owned());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_code_names() {
        let code = "'''doc \"libdoc.so\"'''\nimport ctypes, os  # 'libcomment.so'\n\
                    ctypes.CDLL(os.path.join(here, '..', 'x.libs', \"libfoo.so.1\"), mode=ctypes.RTLD_GLOBAL)\n\
                    name = 'libbar-*.so'\nquote = 'it\\'s'\nunfinished = 'abc\n";
        let source = Source::scan("pkg/__init__.py", code.as_bytes()).unwrap();
        assert!(source.opens && !source.adds_folders);
        for (name, named) in [
            ("libfoo.so.1", true),
            ("libfoo-1a2b3c4d.so.1", true),
            ("libbar-12345678.so", true),
            ("libbar.dylib", true),
            ("libdoc.so", false),
            ("libcomment.so", false),
            ("libother.so", false),
        ] {
            assert_eq!(source.names(name), named, "{name}: {:?}", source.literals);
        }
        assert!(source.runs_before("pkg/sub/_core.so") && !source.runs_before("other/_core.so"));
        assert_eq!(Source::scan("a.py", b"import os"), None);
    }

    #[test]
    fn any_bytes_are_survived() {
        for code in [
            &b"CDLL('"[..],
            b"CDLL(\"\"\"",
            b"CDLL('\\",
            b"CDLL(#",
            b"CDLL('\xff\xfe')",
            "CDLL('ä\u{2028}')".as_bytes(),
        ] {
            assert!(Source::scan("a.py", code).is_some());
        }
    }
}

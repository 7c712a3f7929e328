//! Where names stand in the sources: whole words outside comments, in C, C++, Cython and Rust.

mod lexer;

use crate::map;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Finding, Location};
use lexer::{Language, words};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// The places of each word, in the order of paths and lines.
#[derive(Debug, Clone, Default)]
pub struct Places {
    by_word: HashMap<String, Vec<Place>>,
}

#[derive(Debug, Clone)]
struct Place {
    location: Location,
    in_string: bool,
}

impl Places {
    /// The first places of a word; those inside string literals only if asked for.
    pub fn of(&self, word: &str, in_strings: bool) -> impl Iterator<Item = &Location> {
        let places = self.by_word.get(word).map_or(&[][..], Vec::as_slice);
        places.iter().filter(move |place| in_strings || !place.in_string).map(|place| &place.location)
    }
}

/// A finding shows this many places.
const SHOWN: usize = 5;
/// This many are kept of one word in one file.
const PER_FILE: usize = 8;
/// A larger file is generated, and nobody wrote a name into it.
const LARGEST: u64 = 8 << 20;
/// No project has more sources of its own.
const FILES: usize = 50_000;

/// Gives each finding the places where its words stand.
pub(crate) fn locate(
    findings: impl Iterator<Item = (Finding, Vec<String>, bool)>,
    sources: &[Utf8PathBuf],
) -> Vec<Finding> {
    let findings: Vec<_> = findings.collect();
    if sources.is_empty() {
        return findings.into_iter().map(|(finding, ..)| finding).collect();
    }
    let words: HashSet<&str> = findings.iter().flat_map(|(_, words, _)| words).map(String::as_str).collect();
    let places = search(sources, &words);
    let give = |(mut finding, words, in_strings): (Finding, Vec<String>, bool)| {
        let found = words.iter().flat_map(|word| places.of(word, in_strings)).cloned();
        finding.locations.extend(found);
        let mut seen = HashSet::new();
        finding.locations.retain(|location| seen.insert(location.clone()));
        finding.locations.truncate(SHOWN);
        finding
    };
    findings.into_iter().map(give).collect()
}

/// Looks for words in every source file under the given folders (or in given files). Build folders, version control and
/// huge files are left out.
pub fn search<S: BuildHasher + Sync>(sources: &[Utf8PathBuf], words: &HashSet<&str, S>) -> Places {
    if words.is_empty() {
        return Places::default();
    }
    let mut files = Vec::new();
    for source in sources {
        add_files(source, &mut files);
    }
    files.sort();
    files.dedup();
    let found: Vec<_> = files.par_iter().map(|(file, language)| in_file(file, *language, words)).collect();
    let mut places = Places::default();
    for (word, place) in found.into_iter().flatten() {
        places.by_word.entry(word).or_default().push(place);
    }
    places
}

fn in_file<S: BuildHasher>(file: &Utf8Path, language: Language, wanted: &HashSet<&str, S>) -> Vec<(String, Place)> {
    let Ok(bytes) = map::whole(file) else { return Vec::new() };
    let shown = file.strip_prefix(".").unwrap_or(file);
    let mut found: Vec<(String, Place)> = Vec::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    words(&bytes, language, |word| {
        let Some(&known) = str::from_utf8(word.text).ok().and_then(|text| wanted.get(text)) else { return };
        let count = counts.entry(known).or_default();
        *count += 1;
        if *count <= PER_FILE {
            let place = Place { location: Location::new(shown, word.line), in_string: word.in_string };
            found.push((known.to_owned(), place));
        }
    });
    found
}

/// Folders in which nobody's own sources lie.
fn is_skipped(folder: &str) -> bool {
    const NAMES: [&str; 8] =
        ["build", "target", "dist", "node_modules", "_skbuild", "__pycache__", "venv", "site-packages"];
    folder.starts_with('.')
        || NAMES.contains(&folder)
        || folder.starts_with("cmake-build")
        || folder.ends_with(".egg-info")
}

fn add_files(source: &Utf8Path, files: &mut Vec<(Utf8PathBuf, Language)>) {
    if source.is_file() {
        files.extend(Language::of(source).map(|language| (source.to_owned(), language)));
        return;
    }
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir_utf8() else { continue };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                // A folder with a compiled project's cache is a build folder, whatever its name.
                if !is_skipped(entry.file_name()) && !entry.path().join("CMakeCache.txt").exists() {
                    folders.push(entry.path().to_owned());
                }
            } else if kind.is_file()
                && let Some(language) = Language::of(entry.path())
                && entry.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST)
                && files.len() < FILES
            {
                files.push((entry.path().to_owned(), language));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn build_folders_are_left_out_and_strings_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let code = "// _PySet_Update\nint f() { return _PySet_Update(a, b); }\nconst char *n = \"_PySet_Update\";\n";
        for file in ["src/core.cpp", "build/core.cpp", "out/core.cpp", ".git/core.c", "src/notes.txt"] {
            fs_err::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs_err::write(root.join(file), code).unwrap();
        }
        fs_err::write(root.join("out/CMakeCache.txt"), "").unwrap();
        let places = search(&[root.to_owned()], &HashSet::from(["_PySet_Update", "absent"]));
        let lines = |in_strings| {
            places.of("_PySet_Update", in_strings).map(|at| (at.path.clone(), at.line)).collect::<Vec<_>>()
        };
        let file = root.join("src/core.cpp");
        assert_eq!(lines(false), [(file.clone(), 2)]);
        assert_eq!(lines(true), [(file.clone(), 2), (file, 3)]);
        assert_eq!(places.of("absent", true).count(), 0);
    }
}

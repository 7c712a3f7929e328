//! Other distributions that the wheel requires, as far as they plausibly bring a library that it lacks.
//!
//! The wheel does not say which files its requirements hold. Taken as evidence: a search path that leads into the folder
//! of a requirement; a library that bears a requirement's name; a few pairs that are known.

use super::super::sources::Source;
use camino::{Utf8Path, Utf8PathBuf};
use linkage::Presence;
use platform::{Os, library_pattern};
use std::collections::BTreeSet;

/// Libraries by the beginning of their names (without `lib`), and the distributions that bring them.
const KNOWN: [(&str, &str); 10] = [
    ("c10", "torch"),
    ("torch", "torch"),
    ("caffe2", "torch"),
    ("shm", "torch"),
    ("arrow", "pyarrow"),
    ("parquet", "pyarrow"),
    ("iomp5", "intel-openmp"),
    ("tensorflow", "tensorflow"),
    ("mkl", "mkl"),
    ("Qt6", "pyside6"),
];

/// What the wheel requires, and what its code opens.
#[derive(Debug, Default)]
pub(in crate::proof) struct Neighbours {
    /// Normalised names of the unconditional requirements.
    requirements: Vec<String>,
    /// The wheel's own top-level folders: what lies there is not another distribution's.
    own_roots: BTreeSet<String>,
    /// Where the search paths of its binaries lead, seen from site-packages.
    led_to: BTreeSet<String>,
    /// Python files that open libraries.
    sources: Vec<Source>,
    /// Patterns of libraries that were left out on purpose.
    excluded: Vec<String>,
}

impl Neighbours {
    pub(in crate::proof) fn new(
        requirements: Vec<String>,
        own_roots: BTreeSet<String>,
        search_paths: impl IntoIterator<Item = (Utf8PathBuf, String)>,
        sources: &[Source],
    ) -> Self {
        let led_to = search_paths.into_iter().filter_map(|(folder, path)| root_led_to(&folder, &path)).collect();
        let sources = sources.iter().filter(|source| source.opens).cloned().collect();
        Self { requirements, own_roots, led_to, sources, excluded: Vec::new() }
    }

    /// The same, knowing what was left out on purpose.
    pub(in crate::proof) fn without(mut self, excluded: &[String]) -> Self {
        self.excluded = excluded.to_vec();
        self
    }

    /// Whether a library that is neither in the wheel nor of the system may be taken to be there, and why.
    pub(super) fn bring(&self, library: &str) -> Option<Presence> {
        let file_name = library.rsplit(['/', '\\']).next().unwrap_or(library);
        // Only Windows' names end so, and only those are the same in any case.
        let windows = [".dll", ".drv", ".exe", ".pyd"].iter().any(|end| file_name.to_ascii_lowercase().ends_with(end));
        let os = if windows { Os::Windows } else { Os::Linux };
        if library_pattern::any_means(&self.excluded, library, os) {
            return Some(Presence::Assumed("it was left out on purpose, for somebody else to bring".to_owned()));
        }
        let stem = linkage::stem(file_name);
        let bare = stem.strip_prefix("lib").unwrap_or(stem);
        let known = KNOWN.iter().filter(|(start, _)| bare.starts_with(start)).map(|(_, distribution)| *distribution);
        let known: Vec<&str> = known.collect();
        let by_name = self.requirements.iter().find(|name| {
            known.contains(&name.as_str())
                || name.split('-').any(|word| word.len() > 2 && word.eq_ignore_ascii_case(bare))
        });
        if let Some(name) = by_name {
            return Some(Presence::Assumed(format!("the required distribution `{name}` brings it")));
        }
        let foreign_root = self.led_to.iter().find_map(|root| {
            let distribution = self.requirements.iter().find(|name| belongs(root, name))?;
            (!self.own_roots.contains(root)).then_some((root, distribution))
        });
        if let Some((root, distribution)) = foreign_root {
            return Some(Presence::Assumed(format!(
                "the search path leads into `{root}` of the required distribution `{distribution}`"
            )));
        }
        // Code that opens exactly this file, from wherever the requirements have it.
        let opener = self.sources.iter().find(|source| source.literals.contains(file_name));
        let opener = opener.filter(|_| !self.requirements.is_empty());
        opener.map(|source| Presence::Assumed(format!("`{}` opens it before", source.path)))
    }
}

/// The top-level folder of site-packages that a search path leads to, if it stays below it.
fn root_led_to(folder: &Utf8Path, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.as_str().split('/').filter(|part| !part.is_empty()).collect();
    let rest = ["$ORIGIN", "${ORIGIN}", "@loader_path"].iter().find_map(|token| path.strip_prefix(token))?;
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    parts.first().map(|root| (*root).to_owned())
}

/// Whether a top-level folder is plausibly of a distribution: `nvidia` of nvidia-cublas-cu12, `numpy.libs` of numpy.
fn belongs(root: &str, distribution: &str) -> bool {
    let root = wheel::normalised(root.strip_suffix(".libs").unwrap_or(root));
    root == distribution || distribution.split_once('-').is_some_and(|(start, _)| start == root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_requirements_bring() {
        let neighbours = |requirements: &[&str], search: &[(&str, &str)]| {
            Neighbours::new(
                requirements.iter().map(|name| (*name).to_owned()).collect(),
                ["demo".to_owned(), "demo.libs".to_owned()].into(),
                search.iter().map(|(folder, path)| ((*folder).into(), (*path).to_owned())),
                &[],
            )
        };
        for (requirements, search, library, brought) in [
            (&["nvidia-cublas-cu12"][..], &[][..], "libcublas.so.12", true),
            (&["torch"], &[], "libc10.so", true),
            (&["tbb"], &[], "libtbb.so.12", true),
            (&["numpy"], &[("demo", "$ORIGIN/../numpy.libs")], "libopenblas.so", true),
            (&["nvidia-cudnn-cu12"], &[("demo/lib", "$ORIGIN/../../nvidia/cudnn/lib")], "libx.so.9", true),
            (&["llvmlite"], &[], "libLLVM.so.19.1", false),
            (&["numpy"], &[("demo", "$ORIGIN/../demo.libs")], "libLLVM.so.19.1", false),
            (&["numpy"], &[("demo", "$ORIGIN/../../../..")], "libz.so.2", false),
            (&[], &[], "libc10.so", false),
        ] {
            assert_eq!(
                neighbours(requirements, search).bring(library).is_some(),
                brought,
                "{library} of {requirements:?}"
            );
        }
    }

    /// The same patterns mean the same libraries to the repair.
    #[test]
    fn what_was_left_out_on_purpose() {
        for (pattern, library, left_out) in [
            ("libcuda.so.?", "libcuda.so.1", true),
            ("libcuda.so.[0-9]", "libcuda.so.1", false),
            ("lib{cuda,x}.so.1", "libcuda.so.1", false),
            ("NVcuda.dll", "nvcuda.DLL", true),
            ("*/opt/*", "/usr/opt/libx.dylib", true),
        ] {
            let neighbours = Neighbours::default().without(&[pattern.to_owned()]);
            assert_eq!(neighbours.bring(library).is_some(), left_out, "{pattern} {library}");
        }
    }
}

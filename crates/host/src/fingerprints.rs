//! Which compilers a build may call, and what tells each from another of the same name: an upgrade in place changes what is
//! built, and no path.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use exec::Naming;
use platform::Os;

use crate::{cached::Stamp, environment::Environment, tools};

/// The variable that names the compiler of a language, and what build systems look for without it: setuptools takes what
/// Python was built with, most often `gcc` or `cc`; CMake takes `cc` and `c++` first.
const LANGUAGES: [(&str, &[&str]); 3] =
    [("CC", &["cc", "gcc", "clang", "cl"]), ("CXX", &["c++", "g++", "clang++", "cl"]), ("RUSTC", &["rustc"])];

/// On macOS what is on PATH only calls these.
const APPLE: [&str; 3] = [
    "var/db/xcode_select_link/usr/bin/clang",
    "var/db/xcode_select_link/Toolchains/XcodeDefault.xctoolchain/usr/bin/clang",
    "Library/Developer/CommandLineTools/usr/bin/clang",
];

/// Below a Visual Studio: the version of the compilers that are used, which an update writes anew.
const STUDIO: &str = "VC/Auxiliary/Build/Microsoft.VCToolsVersion.default.txt";

/// Size and time of every compiler that may be called, by the names of their variables. `named` are those that a
/// configuration says, `studios` the Visual Studios. All of a name on PATH count, not the first alone: that may be ccache or
/// a script, which calls the next.
pub(crate) fn compilers(
    os: Os,
    env: &Environment<'_>,
    path: &[Utf8PathBuf],
    root: &Utf8Path,
    named: &[String],
    studios: &[Utf8PathBuf],
) -> BTreeMap<String, String> {
    let naming = tools::naming(os, env);
    let mut found = BTreeMap::new();
    for (variable, usual) in LANGUAGES {
        let said = env.get(variable).into_iter().flat_map(programs).collect::<Vec<_>>();
        let words: Vec<&str> = if said.is_empty() { usual.to_vec() } else { said };
        let text = together(words.iter().flat_map(|word| all_of(word, path, root, &naming)));
        if !text.is_empty() {
            found.insert(variable.to_owned(), text);
        }
    }
    for name in named {
        let words = programs(name);
        found.insert(name.clone(), together(words.iter().flat_map(|word| all_of(word, path, root, &naming))));
    }
    if os == Os::MacOs {
        found.insert("Apple".to_owned(), together(APPLE.iter().map(|file| root.join(file))));
    }
    let versions = together(studios.iter().map(|folder| platform::paths::join(folder, STUDIO)));
    if !versions.is_empty() {
        found.insert("Visual Studio".to_owned(), versions);
    }
    if let Some(toolchains) = rustup(env) {
        found.insert("rustup".to_owned(), together(toolchains));
    }
    found
}

/// What a variable such as `CC="ccache gcc -m64"` names: the whole text, if it is a path with blanks in it, and its words.
fn programs(text: &str) -> Vec<&str> {
    let words = text.split_whitespace().filter(|word| !word.starts_with('-'));
    if text.contains(char::is_whitespace) { std::iter::once(text).chain(words).collect() } else { words.collect() }
}

/// Every program of a name on PATH, in its order.
fn all_of(program: &str, path: &[Utf8PathBuf], root: &Utf8Path, naming: &Naming) -> Vec<Utf8PathBuf> {
    let find = |folder: &str| exec::find_program(program, folder, root, naming).ok();
    if program.contains(['/', '\\']) {
        return find("").into_iter().collect();
    }
    path.iter().filter_map(|folder| find(folder.as_str())).collect()
}

/// `/usr/bin/x86_64-linux-gnu-gcc-12 1029472:1673097600000000000`, each real file once.
fn together(files: impl IntoIterator<Item = Utf8PathBuf>) -> String {
    let mut texts: Vec<String> = Vec::new();
    for file in files {
        let Ok(real) = disk::real(&file) else { continue };
        let Some(stamp) = Stamp::of(&real) else { continue };
        let text = format!("{real} {}", stamp.text());
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join(", ")
}

/// What rustup notes when it updates a toolchain: the `rustc` on PATH is rustup itself, whatever it calls.
fn rustup(env: &Environment<'_>) -> Option<Vec<Utf8PathBuf>> {
    let home = env.folder("RUSTUP_HOME").or_else(|| Some(env.home()?.join(".rustup")))?;
    let entries = home.join("update-hashes").read_dir_utf8().ok()?;
    let mut files: Vec<Utf8PathBuf> = entries.flatten().map(camino::Utf8DirEntry::into_path).collect();
    files.push(home.join("settings.toml"));
    files.sort();
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_variables_name() {
        for (text, named) in [
            ("gcc", &["gcc"][..]),
            ("ccache gcc -m64", &["ccache gcc -m64", "ccache", "gcc"]),
            (r"C:\Program Files\cl.exe", &[r"C:\Program Files\cl.exe", r"C:\Program", r"Files\cl.exe"]),
        ] {
            assert_eq!(programs(text), named);
        }
    }
}

//! Gives the program its identity: a digest of all that decides what becomes of a wheel, so of every crate below this one.
//!
//! The version alone would do for whoever installs releases. A repository that follows this one by Git gets other rules
//! under the same version, and verdicts of the former ones must not be taken for theirs.

#[path = "src/identity.rs"]
mod identity;

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What of a crate is compiled in.
const FOLDERS: [&str; 3] = ["src", "data", "policies"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/identity.rs");
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    // Where only this crate is there, as in a registry's package, the version tells all.
    for entry in own.parent().into_iter().flat_map(|crates| fs::read_dir(crates).into_iter().flatten()) {
        let folder = entry?.path();
        for part in FOLDERS.iter().map(|part| folder.join(part)).filter(|part| folder != own && part.is_dir()) {
            println!("cargo::rerun-if-changed={}", part.display());
            collect(&part, &mut files)?;
        }
    }
    let mut texts = Vec::new();
    for file in files {
        let name = file.strip_prefix(own.parent().unwrap_or(&own)).unwrap_or(&file);
        texts
            .push((name.to_string_lossy().replace('\\', "/"), String::from_utf8_lossy(&fs::read(&file)?).into_owned()));
    }
    texts.sort();
    println!("cargo::rustc-env=WHEELPROOF_IDENTITY={}", identity::of(env!("CARGO_PKG_VERSION"), &texts));
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

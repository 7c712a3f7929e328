//! A copy of a whole repository to build in, with a `.git` that answers as the original's does.

use std::{
    fmt::Write as _,
    fs::{FileTimes, Metadata},
    path::Path,
};

use camino::{Utf8Path, Utf8PathBuf};
use exec::Runner;

use super::{
    SourcesError,
    git::{self, Repository},
    listing,
};

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The copy of the repository, or of the project's folder where there is none.
    pub root: Utf8PathBuf,
    /// The project's folder in it.
    pub project: Utf8PathBuf,
    /// How many files and links.
    pub files: usize,
}

/// Settings of a repository on which it depends whether a file counts as changed. Nothing else is taken over: others
/// hold credentials or name programs.
const SETTINGS: &[&str] = &[
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.filemode",
    "core.symlinks",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
    "core.abbrev",
    "index.sparse",
];

/// Sections of which every setting is taken over: without its filter (LFS) a file that was filtered counts as changed.
const SETTING_SECTIONS: &[&str] = &["filter.", "submodule."];

/// Files of the folder that work trees share.
const SHARED_FILES: &[&str] = &["shallow", "info/exclude", "info/attributes", "info/grafts"];

/// Namespaces of refs that tools for versions read.
const REFS: &[&str] = &["refs/heads", "refs/tags", "refs/remotes", "refs/replace"];

/// Copies the whole repository that a project lies in, as far as git tracks it or would add it, submodules included;
/// without git the project's folder. Modes, links and times of files are kept. The copy has its own index and refs, and
/// finds objects in the original.
///
/// `dest` must be empty or not there. Files that vanish meanwhile are left out.
pub fn copy(project_dir: &Utf8Path, dest: &Utf8Path, runner: &Runner<'_>) -> Result<Copied, SourcesError> {
    if !project_dir.is_dir() {
        return Err(SourcesError::NotAFolder(project_dir.to_owned()));
    }
    fs_err::create_dir_all(dest)?;
    if fs_err::read_dir(dest)?.next().is_some() {
        return Err(SourcesError::NotEmpty(dest.to_owned()));
    }
    let (project_dir, dest) = (git::real(project_dir)?, git::real(dest)?);
    // The listing of the project tells whether git knows it at all; that of the repository is another.
    let own = listing::list(&project_dir, Utf8Path::new(""), runner)?;
    let repository = if own.known_to_git { Repository::around(&project_dir, runner)? } else { None };
    let Some(repository) = repository else {
        let files = copy_files(&project_dir, &dest, &own)?;
        return Ok(Copied { root: dest.clone(), project: dest, files });
    };
    let below = project_dir.strip_prefix(&repository.top).unwrap_or(Utf8Path::new(""));
    let listing = if repository.top == project_dir { own } else { listing::list(&repository.top, below, runner)? };
    let files = copy_files(&repository.top, &dest, &listing)?;
    make_git(&repository, &dest, runner)?;
    for nested in &listing.repositories {
        if let Some(nested_repository) = Repository::around(&repository.top.join(nested), runner)? {
            make_git(&nested_repository, &dest.join(nested), runner)?;
        }
    }
    let project = if below.as_str().is_empty() { dest.clone() } else { dest.join(below) };
    Ok(Copied { root: dest, project, files })
}

fn copy_files(from: &Utf8Path, to: &Utf8Path, listing: &listing::Listing) -> Result<usize, SourcesError> {
    let mut count = 0;
    let mut made = Path::new("").to_owned();
    for file in &listing.files {
        let source = from.as_std_path().join(file);
        // The place of the copy may lie in the project itself.
        if source.starts_with(to) {
            continue;
        }
        let Ok(metadata) = std::fs::symlink_metadata(&source) else { continue };
        let target = to.as_std_path().join(file);
        if let Some(parent) = target.parent()
            && parent != made
        {
            fs_err::create_dir_all(parent)?;
            parent.clone_into(&mut made);
        }
        if metadata.is_symlink() {
            link(&source, &target)?;
        } else if metadata.is_file() {
            copy_file(&source, &target, &metadata)?;
        } else {
            // Pipes and sockets are no sources.
            continue;
        }
        count += 1;
    }
    for folder in &listing.empty {
        fs_err::create_dir_all(to.as_std_path().join(folder))?;
    }
    Ok(count)
}

fn copy_file(source: &Path, target: &Path, metadata: &Metadata) -> std::io::Result<()> {
    fs_err::copy(source, target)?;
    if let Ok(modified) = metadata.modified() {
        // Windows wants a handle that may write, and a file may be read-only.
        let file = fs_err::OpenOptions::new().write(true).open(target).or_else(|_| fs_err::File::open(target))?;
        file.set_times(FileTimes::new().set_modified(modified))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(source: &Path, target: &Path) -> std::io::Result<()> {
    fs_err::os::unix::fs::symlink(fs_err::read_link(source)?, target)
}

/// Windows asks for rights to make a link; where they are lacking, what it points to will do.
#[cfg(windows)]
fn link(source: &Path, target: &Path) -> std::io::Result<()> {
    let points_to = fs_err::read_link(source)?;
    std::os::windows::fs::symlink_file(points_to, target).or_else(|_| fs_err::copy(source, target).map(drop))
}

/// Makes `.git` in the copy of a repository.
fn make_git(original: &Repository, copy: &Utf8Path, runner: &Runner<'_>) -> Result<(), SourcesError> {
    // No template: it would bring the user's hooks. Refs are written as files below, whatever the user prefers.
    let mut arguments = vec!["-c", "init.defaultBranch=main", "-c", "init.defaultRefFormat=files"];
    arguments.extend(["init", "--quiet", "--template="]);
    // Older gits have one format and no such option.
    if original.object_format == "sha256" {
        arguments.push("--object-format=sha256");
    }
    git::answer(copy, &arguments, runner)?;
    let git_dir = copy.join(".git");
    fs_err::create_dir_all(git_dir.join("info"))?;
    fs_err::create_dir_all(git_dir.join("objects/info"))?;
    fs_err::write(git_dir.join("objects/info/alternates"), format!("{}\n", original.common_dir.join("objects")))?;
    for file in SHARED_FILES {
        copy_if_there(&original.common_dir.join(file), &git_dir.join(file))?;
    }
    copy_refs(original, &git_dir, runner)?;
    copy_settings(original, copy, runner)?;
    // With the index, what is staged stays staged. A split one has its other half beside it.
    for entry in fs_err::read_dir(&original.git_dir)? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| *name == "index" || name.starts_with("sharedindex.")) {
            copy_if_there(&original.git_dir.join(name), &git_dir.join(name))?;
        }
    }
    copy_if_there(&original.git_dir.join("info/sparse-checkout"), &git_dir.join("info/sparse-checkout"))
}

fn copy_refs(original: &Repository, git_dir: &Utf8Path, runner: &Runner<'_>) -> Result<(), SourcesError> {
    let arguments = [&["for-each-ref", "--format=%(objectname) %(refname)"], REFS].concat();
    // Sorted by name, as git prints them, which is how this file has to be.
    let refs = git::answer(&original.top, &arguments, runner)?;
    fs_err::write(git_dir.join("packed-refs"), refs)?;
    let head = match git::line(&original.top, &["symbolic-ref", "--quiet", "HEAD"], runner)? {
        Some(branch) => format!("ref: {branch}\n"),
        None => match git::line(&original.top, &["rev-parse", "--verify", "--quiet", "HEAD"], runner)? {
            Some(commit) => format!("{commit}\n"),
            None => return Ok(()),
        },
    };
    Ok(fs_err::write(git_dir.join("HEAD"), head)?)
}

fn copy_settings(original: &Repository, copy: &Utf8Path, runner: &Runner<'_>) -> Result<(), SourcesError> {
    let all = git::answer(&original.top, &["config", "--local", "--list", "-z"], runner)?;
    let mut text = String::new();
    for setting in String::from_utf8_lossy(&all).split('\0') {
        let (name, value) = setting.split_once('\n').unwrap_or((setting, "true"));
        let wanted = SETTINGS.contains(&name) || SETTING_SECTIONS.iter().any(|section| name.starts_with(section));
        if !wanted {
            continue;
        }
        let Some((section, key)) = name.rsplit_once('.') else { continue };
        let header = match section.split_once('.') {
            None => format!("[{section}]"),
            Some((section, part)) => format!("[{section} \"{}\"]", escape(part)),
        };
        let _ = writeln!(text, "{header}\n\t{key} = \"{}\"", escape(value));
    }
    // Behind what `init` wrote, so that of the same setting ours holds.
    let file = copy.join(".git/config");
    let before = fs_err::read_to_string(&file).unwrap_or_default();
    Ok(fs_err::write(file, before + &text)?)
}

/// As git's configuration format wants it in quotes.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn copy_if_there(from: &Utf8Path, to: &Utf8Path) -> Result<(), SourcesError> {
    if from.is_file() {
        if let Some(folder) = to.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::copy(from, to)?;
    }
    Ok(())
}

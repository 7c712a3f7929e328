//! Where the grafted libraries came from on this machine: what a later run looks at to know whether they are still the
//! same.
//!
//! The tools do not say it. So the libraries are looked for once more, wherever any of the tools may have found them, and
//! recognised: by the digest that auditwheel and delvewheel put into the name, else by what they export.

use crate::binary::{Binary, Snapshot, file_name};
use crate::check::Grafted;
use crate::request::Request;
use camino::{Utf8Path, Utf8PathBuf};
use objfile::Format;
use platform::Os;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

/// What a grafted library was copied from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its path in the wheel.
    pub member: String,
    /// Where it lies on this machine.
    pub path: Utf8PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in nanoseconds since 1970.
    pub modified: u128,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Where it was looked for before and nothing was: what appears there takes its place.
    pub passed: Vec<Utf8PathBuf>,
}

/// What was found out about where the grafted libraries came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// Each that was found.
    pub known: Vec<Origin>,
    /// The paths in the wheel of those that were not.
    pub unknown: Vec<String>,
}

/// Finds the origin of each grafted library that can be found.
pub(crate) fn find(request: &Request, before: &Snapshot, after: &Snapshot, grafted: &[Grafted]) -> Origins {
    // A universal binary is one for each of its processors; any of them tells which file it is.
    let mut wanted: Vec<&Binary> = Vec::new();
    for graft in grafted {
        wanted.extend(after.binaries.iter().find(|binary| binary.member == graft.name));
    }
    // auditwheel puts a script in the place of a program, and the program itself beside the libraries.
    wanted.retain(|graft| !before.binaries.iter().any(|binary| binary.file_name() == graft.file_name()));
    let system = SystemFolders::of(request.target.os);
    let mut queue: Vec<Asked> = before.binaries.iter().flat_map(Asked::by_member).collect();
    queue.reverse();
    let mut seen = BTreeSet::new();
    let mut origins = Vec::new();
    while let Some(asked) = queue.pop() {
        if wanted.is_empty() {
            break;
        }
        let hopeful = wanted.iter().any(|graft| stem(graft.file_name()) == stem(&asked.name));
        if !hopeful || !seen.insert((asked.name.clone(), asked.folder.clone())) {
            continue;
        }
        let mut passed = Vec::new();
        for path in asked.candidates(request, &system) {
            if !path.exists() {
                passed.push(path);
                continue;
            }
            // Something else of that name, such as a script for the linker, is passed over now as it will be then.
            let Some(found) = Found::read(&path) else { continue };
            let Some(place) = wanted.iter().position(|graft| found.became(graft, &asked)) else { continue };
            let graft = wanted.remove(place);
            if !wanted.is_empty() {
                queue.extend(found.needs());
            }
            origins.push(found.origin(&graft.member, passed));
            break;
        }
    }
    Origins { known: origins, unknown: wanted.into_iter().map(|graft| graft.member.clone()).collect() }
}

/// A library that is needed: by what name and by whom.
struct Asked {
    name: String,
    format: Format,
    /// The run paths of whoever needs it.
    rpaths: Vec<String>,
    /// The folder of whoever needs it, where that is no member of the wheel.
    folder: Option<Utf8PathBuf>,
}

impl Asked {
    fn by_member(binary: &Binary) -> impl Iterator<Item = Self> + '_ {
        let rpaths = binary.rpaths.iter().map(|(path, _)| path.as_str());
        let needed = binary.needed.iter().map(|needed| needed.name.as_str());
        Self::by(binary.format, needed, rpaths, None)
    }

    fn by<'a>(
        format: Format,
        needed: impl Iterator<Item = &'a str> + 'a,
        rpaths: impl Iterator<Item = &'a str>,
        folder: Option<&'a Utf8Path>,
    ) -> impl Iterator<Item = Self> + 'a {
        let rpaths: Vec<String> = rpaths.flat_map(|path| path.split(':')).map(str::to_owned).collect();
        needed.map(move |name| Self {
            name: name.to_owned(),
            format,
            rpaths: rpaths.clone(),
            folder: folder.map(Utf8Path::to_owned),
        })
    }

    /// Where it may lie, in the order in which the tools look.
    fn candidates(&self, request: &Request, system: &SystemFolders) -> Vec<Utf8PathBuf> {
        let base = file_name(&self.name);
        let mut folders: Vec<Utf8PathBuf> = Vec::new();
        let mut found: Vec<Utf8PathBuf> = Vec::new();
        // An install name may be the path itself.
        found.extend(Utf8Path::new(&self.name).is_absolute().then(|| self.name.clone().into()));
        for path in self.rpaths.iter().map(String::as_str).chain([self.name.as_str()]) {
            let relative = ["$ORIGIN", "${ORIGIN}", "@loader_path"].iter().find_map(|word| path.strip_prefix(word));
            match (relative, &self.folder) {
                (Some(rest), Some(folder)) if path == self.name => {
                    found.push(folder.join(rest.trim_start_matches('/')));
                }
                (Some(rest), Some(folder)) => folders.push(folder.join(rest.trim_start_matches('/'))),
                _ => folders.extend((path != self.name && path.starts_with('/')).then(|| path.into())),
            }
        }
        folders.extend(request.library_dirs.iter().cloned());
        folders.extend(self.folder.clone());
        folders.extend(system.0.iter().cloned());
        for folder in folders {
            let path = folder.join(base);
            if self.format == Format::Pe && !path.is_file() {
                // Windows' names are looked for in any case, also where the file system tells cases apart.
                let entries = folder.read_dir_utf8().ok().into_iter().flatten().flatten();
                found.extend(
                    entries.filter(|entry| entry.file_name().eq_ignore_ascii_case(base)).map(|e| e.path().to_owned()),
                );
            }
            if !found.contains(&path) {
                found.push(path);
            }
        }
        found
    }
}

/// The folders that a system's loader or its tool looks at in the end.
struct SystemFolders(Vec<Utf8PathBuf>);

impl SystemFolders {
    fn of(os: Os) -> Self {
        Self(match os {
            Os::Linux => loader_configuration(),
            Os::MacOs => ["/usr/local/lib", "/usr/lib"].map(Utf8PathBuf::from).to_vec(),
            // delvewheel asks PATH last.
            Os::Windows => std::env::var_os("PATH")
                .map(|path| {
                    std::env::split_paths(&path).filter_map(|dir| Utf8PathBuf::from_path_buf(dir).ok()).collect()
                })
                .unwrap_or_default(),
        })
    }
}

/// The folders of ld.so.conf and those that the loader knows by itself.
fn loader_configuration() -> Vec<Utf8PathBuf> {
    const OWN: [&str; 6] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"];
    let mut files: Vec<Utf8PathBuf> = vec!["/etc/ld.so.conf".into()];
    if let Ok(entries) = Utf8Path::new("/etc/ld.so.conf.d").read_dir_utf8() {
        files.extend(entries.flatten().map(camino::Utf8DirEntry::into_path).filter(|p| p.extension() == Some("conf")));
    }
    files.sort();
    let texts: Vec<String> = files.iter().filter_map(|file| fs_err::read_to_string(file).ok()).collect();
    let named = texts.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| line.starts_with('/'));
    named.chain(OWN).map(Utf8PathBuf::from).collect()
}

/// A file as it lies on this machine.
struct Found {
    path: Utf8PathBuf,
    modified: u128,
    sha256: String,
    bytes: Vec<u8>,
}

impl Found {
    /// Nothing where no file is, or none that a tool could have grafted.
    fn read(path: &Utf8Path) -> Option<Self> {
        const MOST: u64 = 1 << 31;
        let metadata = fs_err::metadata(path).ok().filter(|file| file.is_file() && file.len() <= MOST)?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let bytes = fs_err::read(path).ok()?;
        let _kind = objfile::sniff(&bytes)?;
        let mut sha256 = String::with_capacity(64);
        for byte in wheel::hash(&bytes).sha256 {
            let _ = write!(sha256, "{byte:02x}");
        }
        Some(Self { path: path.to_owned(), modified: modified.map_or(0, |time| time.as_nanos()), sha256, bytes })
    }

    /// Whether this is the file that was grafted as that member.
    fn became(&self, graft: &Binary, asked: &Asked) -> bool {
        let member = graft.file_name();
        if self.sha256.get(..8).is_some_and(|digest| member.contains(digest)) {
            return true;
        }
        // delvewheel's digest is of more than the file. auditwheel's is not: if it is another, so is the file. Where it puts
        // none, the name is the file's own, which may be another than the one that is asked for.
        let real = self.path.canonicalize_utf8().unwrap_or_else(|_| self.path.clone());
        let own = [file_name(&asked.name), self.path.file_name().unwrap_or_default(), file_name(real.as_str())];
        let named = graft.format != Format::Elf || own.contains(&member);
        let same = |object: &objfile::Object<'_>| {
            let binary = Binary::of(member, member, 0, object);
            (binary.architecture, binary.exports) == (graft.architecture, graft.exports)
        };
        named && objfile::parse(&self.bytes).is_ok_and(|file| file.objects().any(same))
    }

    /// What it needs in turn lies beside it as often as not.
    fn needs(&self) -> Vec<Asked> {
        let Ok(file) = objfile::parse(&self.bytes) else { return Vec::new() };
        let asked = file.objects().flat_map(|object| {
            let needed = object.needed.iter().map(|needed| needed.name);
            let rpaths = object.rpaths.iter().map(|rpath| rpath.path);
            Asked::by(object.format, needed, rpaths, self.path.parent())
        });
        asked.collect()
    }

    fn origin(self, member: &str, passed: Vec<Utf8PathBuf>) -> Origin {
        let Self { path, modified, sha256, bytes } = self;
        Origin { member: member.to_owned(), path, size: bytes.len() as u64, modified, sha256, passed }
    }
}

/// What a tool leaves of a library's name: `libfoo` of `libfoo-0770edab.so.1`, `libfoo.so.1` and `libfoo.1.dylib`.
fn stem(name: &str) -> String {
    file_name(name).split(['-', '.']).next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn a_name_before_and_after_the_tool_has_one_stem() {
        for (before, after) in [
            ("libfoo.so.1", "pkg.libs/libfoo-0770edab.so.1"),
            ("libLLVM-14.so.1", "pkg.libs/libLLVM-14-1a2b3c4d.so.1"),
            ("libglib-2.0.so.0", "pkg.libs/libglib-2-1a2b3c4d.0.so.0"),
            ("/opt/lib/libfoo.dylib", "pkg/.dylibs/libfoo.1.2.dylib"),
            ("FOO.DLL", "pkg.libs/foo-0123456789abcdef0123456789abcdef.dll"),
        ] {
            assert_eq!(stem(before), stem(after), "{before}");
        }
    }
}

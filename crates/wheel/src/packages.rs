//! What a wheel gives to import: its top-level names.

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::Archive;
use crate::dist_info::{DistInfo, Place};

/// A top-level name that the installed wheel can be imported by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name in `import name`.
    pub name: String,
    /// What stands behind it.
    pub kind: PackageKind,
}

/// See [`Package`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageKind {
    /// A folder with an `__init__` module, be it Python or an extension.
    Regular,
    /// A folder without one, that holds modules somewhere below (PEP 420).
    Namespace,
    /// One file: Python or an extension.
    Module,
}

/// The suffixes of files that Python imports. Where `.` comes first the module's name ends at the first dot of the
/// file's name: `x.cpython-313-x86_64-linux-gnu.so`, `x.cp313-win_amd64.pyd`.
const MODULES: [&str; 4] = [".py", ".pyc", ".so", ".pyd"];

/// All top-level names of the wheel, sorted.
pub fn packages(archive: &Archive, info: &DistInfo) -> Vec<Package> {
    let mut found: BTreeMap<&str, PackageKind> = BTreeMap::new();
    let mut regular: BTreeSet<&str> = BTreeSet::new();
    for member in archive.members().iter().filter(|member| !member.is_dir) {
        let Place::Site(path) = info.place(&member.name) else { continue };
        let Some(module) = module_name(member.file_name()) else { continue };
        match path.split_once('/') {
            None => {
                found.entry(module).or_insert(PackageKind::Module);
            }
            Some((top, rest)) if is_identifier(top) => {
                found.insert(top, PackageKind::Namespace);
                if !rest.contains('/') && module == "__init__" {
                    regular.insert(top);
                }
            }
            Some(_) => {}
        }
    }
    let kind = |name: &str, kind| if regular.contains(name) { PackageKind::Regular } else { kind };
    found.into_iter().map(|(name, found)| Package { name: name.to_owned(), kind: kind(name, found) }).collect()
}

/// The module that a file is, if it is one.
fn module_name(file: &str) -> Option<&str> {
    let fits = MODULES.iter().any(|suffix| file.ends_with(suffix));
    let (name, _) = file.split_once('.')?;
    (fits && is_identifier(name)).then_some(name)
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

//! Where things lie in a wheel: the `.dist-info` folder, the `.data` folder and their meaning for an installation.
//!
//! Source: the binary distribution format (PEP 427 and its copy on packaging.python.org), the recording installed
//! projects specification.

use std::collections::BTreeSet;

use crate::archive::Archive;

/// A wheel's `.dist-info` folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistInfo {
    /// The folder as the archive spells it, such as `numpy-2.1.0.dist-info`, without a slash.
    pub dir: String,
    /// The distribution's name as the folder spells it.
    pub name: String,
    /// The version as the folder spells it.
    pub version: String,
}

/// Why no `.dist-info` folder can be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DistInfoError {
    /// There is none at the root.
    #[error("there is no `.dist-info` folder at the root of the wheel")]
    None,
    /// There are several; installers refuse.
    #[error("there are several `.dist-info` folders: {}", dirs.iter().map(|d| format!("`{}`", d.escape_debug())).collect::<Vec<_>>().join(", "))]
    Several {
        /// They, sorted.
        dirs: Vec<String>,
    },
    /// Its name is not `name-version`.
    #[error("`{}` is not named `name-version.dist-info`", dir.escape_debug())]
    BadName {
        /// It.
        dir: String,
    },
}

/// One of the folders under `.data`, each installed elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Pure modules: site-packages.
    Purelib,
    /// Modules for one platform: site-packages too.
    Platlib,
    /// Programs, into the environment's bin folder.
    Scripts,
    /// C headers.
    Headers,
    /// The root of the environment.
    Data,
}

impl Scheme {
    const TABLE: [(&'static str, Self); 5] = [
        ("purelib", Self::Purelib),
        ("platlib", Self::Platlib),
        ("scripts", Self::Scripts),
        ("headers", Self::Headers),
        ("data", Self::Data),
    ];
}

/// Where a member goes when the wheel is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// Into site-packages, at this path: the wheel's root, or `.data/purelib` and `.data/platlib`.
    Site(&'a str),
    /// Into another scheme's folder, at this path.
    Scheme(Scheme, &'a str),
    /// Into the `.dist-info` folder, at this path.
    DistInfo(&'a str),
    /// Nowhere that is known: in `.data`, but in no scheme.
    Outside(&'a str),
}

impl DistInfo {
    /// Finds the one `.dist-info` folder at the root.
    pub fn find(archive: &Archive) -> Result<Self, DistInfoError> {
        Self::of_names(archive.members().iter().map(|member| member.name.as_str()))
    }

    /// The same for a list of members' names.
    pub(crate) fn of_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, DistInfoError> {
        let tops = names.filter_map(|name| name.split_once('/')).map(|(top, _)| top);
        let dirs: BTreeSet<&str> = tops.filter(|top| top.ends_with(".dist-info")).collect();
        let mut dirs = dirs.into_iter();
        let dir = dirs.next().ok_or(DistInfoError::None)?;
        if dirs.len() > 0 {
            let dirs = std::iter::once(dir).chain(dirs).map(str::to_owned).collect();
            return Err(DistInfoError::Several { dirs });
        }
        Self::from_dir(dir).ok_or_else(|| DistInfoError::BadName { dir: dir.to_owned() })
    }

    fn from_dir(dir: &str) -> Option<Self> {
        let (name, version) = dir.strip_suffix(".dist-info")?.split_once('-')?;
        let fine = !name.is_empty() && !version.is_empty();
        fine.then(|| Self { dir: dir.to_owned(), name: name.to_owned(), version: version.to_owned() })
    }

    /// Whether the folder is that of this distribution and version, in whatever spelling of the name, and of the
    /// version's case and `-`/`_`. It does not know that `1.0` and `1.0.0` are the same version.
    pub fn matches(&self, name: &str, version: &str) -> bool {
        let plain = |version: &str| version.to_ascii_lowercase().replace('-', "_");
        normalised(&self.name) == normalised(name) && plain(&self.version) == plain(version)
    }

    /// A member's name for a file of the folder: `path("METADATA")`.
    pub fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.dir)
    }

    /// The `.data` folder that belongs to it, without a slash; it need not exist.
    pub fn data_dir(&self) -> String {
        format!("{}-{}.data", self.name, self.version)
    }

    /// Where the member of that name goes when the wheel is installed.
    pub fn place<'a>(&self, member: &'a str) -> Place<'a> {
        if let Some(file) = member.strip_prefix(self.dir.as_str()).and_then(|rest| rest.strip_prefix('/')) {
            return Place::DistInfo(file);
        }
        let Some(rest) = member.strip_prefix(self.data_dir().as_str()).and_then(|rest| rest.strip_prefix('/')) else {
            return Place::Site(member);
        };
        let scheme = rest.split_once('/').and_then(|(folder, file)| {
            Scheme::TABLE.iter().find(|(name, _)| *name == folder).map(|(_, scheme)| (*scheme, file))
        });
        match scheme {
            Some((Scheme::Purelib | Scheme::Platlib, file)) => Place::Site(file),
            Some((scheme, file)) => Place::Scheme(scheme, file),
            None => Place::Outside(rest),
        }
    }

    /// Whether the member is RECORD or one of its signatures, which RECORD cannot hash.
    pub fn is_signature(&self, member: &str) -> bool {
        matches!(self.place(member), Place::DistInfo("RECORD" | "RECORD.jws" | "RECORD.p7s"))
    }
}

/// A distribution's name as PEP 503 compares it: lower case, runs of `-`, `_` and `.` being one `-`.
pub fn normalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let info = DistInfo::from_dir("My_Pkg-1.0.dist-info").unwrap();
        assert_eq!(info.data_dir(), "My_Pkg-1.0.data");
        let table = [
            ("my_pkg/x.so", Place::Site("my_pkg/x.so")),
            ("My_Pkg-1.0.data/platlib/a/x.so", Place::Site("a/x.so")),
            ("My_Pkg-1.0.data/purelib/a.py", Place::Site("a.py")),
            ("My_Pkg-1.0.data/scripts/run", Place::Scheme(Scheme::Scripts, "run")),
            ("My_Pkg-1.0.data/data/share/x", Place::Scheme(Scheme::Data, "share/x")),
            ("My_Pkg-1.0.data/odd/x", Place::Outside("odd/x")),
            ("My_Pkg-1.0.data/x", Place::Outside("x")),
            ("My_Pkg-1.0.dist-info/licenses/L", Place::DistInfo("licenses/L")),
            ("My_Pkg-1.0.dist-infox", Place::Site("My_Pkg-1.0.dist-infox")),
        ];
        for (member, place) in table {
            assert_eq!(info.place(member), place, "{member}");
        }
        assert!(info.is_signature("My_Pkg-1.0.dist-info/RECORD.jws"));
        assert!(!info.is_signature("My_Pkg-1.0.dist-info/WHEEL"));
    }

    #[test]
    fn matching() {
        let info = DistInfo::from_dir("My_Pkg-1.0_Rc1.dist-info").unwrap();
        assert!(info.matches("my.pkg", "1.0-rc1"));
        assert!(info.matches("My--Pkg", "1.0_RC1"));
        assert!(!info.matches("mypkg", "1.0_rc1"));
        assert!(!info.matches("my-pkg", "1.1"));
        for bad in ["-1.dist-info", "a.dist-info", "a-.dist-info", ".dist-info"] {
            assert_eq!(DistInfo::from_dir(bad), None, "{bad}");
        }
    }
}

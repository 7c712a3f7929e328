//! One binary and where it is, and everything that was opened together.

use crate::facts::Facts;
use crate::judge::Judge;
use camino::Utf8PathBuf;
use diagnostics::{Examined, Finding, Subject};
use platform::TagSet;
use serde::Serialize;

/// What was opened by one path.
#[derive(Debug)]
pub struct Inspection {
    /// The path as findings name it.
    pub path: Utf8PathBuf,
    /// What lies there.
    pub kind: Kind,
    /// Every binary that could be read, in the order of paths and members.
    pub binaries: Vec<Binary>,
    /// The wheels among what was opened.
    pub wheels: Vec<WheelPlace>,
    /// What could not be read, and what is wrong with archives.
    pub troubles: Vec<Finding>,
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A wheel.
    Wheel,
    /// A binary or a static archive.
    Binary,
    /// A folder.
    Folder,
}

/// A wheel and the tags it goes by.
#[derive(Debug, Clone)]
pub struct WheelPlace {
    /// Its path as findings name it.
    pub path: Utf8PathBuf,
    /// Its tags: from its name, else from its WHEEL file.
    pub tags: Option<TagSet>,
}

/// One object: a file, a member of a wheel or archive, a slice of a universal file.
#[derive(Debug, Clone)]
pub struct Binary {
    /// The file on disk as findings name it.
    pub file: Utf8PathBuf,
    /// The member of a wheel.
    pub member: Option<String>,
    /// The member of a static archive.
    pub part: Option<String>,
    /// The wheel it belongs to: an index into [`Inspection::wheels`].
    pub wheel: Option<usize>,
    /// Its facts.
    pub facts: Facts,
}

impl Binary {
    /// What findings on it are about.
    pub fn subject(&self) -> Subject {
        let subject = Subject::file(self.file.clone());
        match (&self.member, &self.part) {
            (None, None) => subject,
            (Some(member), None) => subject.member(member.clone()),
            (None, Some(part)) => subject.member(part.clone()),
            (Some(member), Some(part)) => subject.member(format!("{member}({part})")),
        }
    }

    /// The last component of its path in the wheel or on disk.
    pub fn file_name(&self) -> &str {
        let path = self.member.as_deref().unwrap_or(self.file.as_str());
        path.rsplit(['/', '\\']).next().unwrap_or(path)
    }

    /// The path shown to people and programs: `dist/x.whl/pkg/_core.so`, `libx.a(core.o)`.
    pub fn path(&self) -> String {
        let mut path = self.file.to_string();
        if let Some(member) = &self.member {
            path = format!("{path}/{member}");
        }
        match &self.part {
            Some(part) => format!("{path}({part})"),
            None => path,
        }
    }
}

/// A binary in the JSON contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SubjectRecord {
    /// Where it is; a wheel's members and an archive's parts follow the file's path.
    pub path: String,
    /// `ELF`, `Mach-O`, `PE`, `COFF`.
    pub format: String,
    /// As in platform tags: `x86_64`, `aarch64` …
    pub arch: String,
    /// `extension`, `shared library`, `object`, `executable` …
    pub kind: String,
    /// The Pythons it was judged by, `cp313`, `cp313t`; none for what has nothing to do with Python.
    pub python: Vec<String>,
}

impl Inspection {
    /// Every binary, with the Pythons it is judged by.
    pub fn subjects(&self, judge: &Judge) -> Vec<SubjectRecord> {
        let record = |binary: &Binary| {
            let by = judge.by(self, binary);
            let pythons = if binary.facts.is_python() { by.pythons.as_slice() } else { &[] };
            SubjectRecord {
                path: binary.path(),
                format: binary.facts.format.to_string(),
                arch: binary.facts.architecture.to_string(),
                kind: binary.facts.kind.to_string(),
                python: pythons.iter().map(|python| crate::python::tag(*python)).collect(),
            }
        };
        self.binaries.iter().map(record).collect()
    }

    /// Which rules were checked on which files and members, for stale acceptances.
    pub fn examined(&self) -> Examined {
        let mut examined = Examined::of(crate::RULES.iter().copied()).file(self.path.clone());
        for wheel in &self.wheels {
            examined = examined.file(wheel.path.clone());
        }
        for binary in &self.binaries {
            let subject = binary.subject();
            examined = match subject.member {
                Some(member) => examined.member(binary.file.clone(), member),
                None => examined.file(binary.file.clone()),
            };
        }
        examined
    }

    /// The wheel that a binary belongs to.
    pub(crate) fn wheel_of(&self, binary: &Binary) -> Option<&WheelPlace> {
        self.wheels.get(binary.wheel?)
    }
}

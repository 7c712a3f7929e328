//! The shape of ci/wheels.yaml: what may stand there, as it was written. What it means is `settings`.
//!
//! docs/schemas/wheels.schema.json says the same for editors; a test compares the two.

use super::yaml::{Located, Place};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// One string or a list of strings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(pub Vec<String>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LinesVisitor;
        impl<'de> Visitor<'de> for LinesVisitor {
            type Value = Lines;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Lines, E> {
                Ok(Lines(vec![text.to_owned()]))
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Lines, E> {
                Ok(Lines(vec![value.to_string()]))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Lines, E> {
                Ok(Lines(vec![value.to_string()]))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Lines, E> {
                Ok(Lines(vec![value.to_string()]))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Lines, E> {
                Ok(Lines(vec![value.to_string()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some(line) = seq.next_element::<String>()? {
                    lines.push(line);
                }
                Ok(Lines(lines))
            }
        }
        deserializer.deserialize_any(LinesVisitor)
    }
}

/// `true` or `false`; anything else, as the texts `"true"` and `"false"`, is `None`, which the settings refuse at its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flag(pub Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl Visitor<'_> for FlagVisitor {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true` or `false`")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(Some(value)))
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<Flag, E> {
                Ok(Flag(None))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Flag, E> {
                Ok(Flag(None))
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Flag, E> {
                Ok(Flag(None))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Flag, E> {
                Ok(Flag(None))
            }
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

/// `llvm: false`, or what is asked of LLVM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LlvmEntry {
    /// The project does not use LLVM.
    No,
    /// It does.
    Wanted(LlvmWish),
}

/// What is asked of LLVM.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlvmWish {
    /// A version or specifiers such as `>=14,<20`.
    pub version: Option<String>,
    /// `shared` or `static`.
    pub linkage: Option<Linkage>,
    /// An installation's prefix, or its CMake folder.
    pub dir: Option<String>,
}

/// How LLVM is linked into the extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Linkage {
    /// Against libLLVM as a shared library, which is then bundled.
    Shared,
    /// Against LLVM's archives.
    Static,
}

impl<'de> Deserialize<'de> for LlvmEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = LlvmEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`false` or a map with `version`, `linkage`, `dir`")
            }
            fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<LlvmEntry, E> {
                Ok(if wanted { LlvmEntry::Wanted(LlvmWish::default()) } else { LlvmEntry::No })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LlvmEntry, A::Error> {
                LlvmWish::deserialize(de::value::MapAccessDeserializer::new(map)).map(LlvmEntry::Wanted)
            }
        }
        deserializer.deserialize_any(EntryVisitor)
    }
}

/// Declares a section that carries, beside its own keys, those that may differ per target as well as per project.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// Passed to the build backend, as `config_settings` of PEP 517.
            pub config_settings: Option<BTreeMap<String, Lines>>,
            /// Set while building (not while testing).
            pub environment: Option<BTreeMap<String, String>>,
            /// Commands run once before the first build.
            pub before_all: Option<Located<Lines>>,
            /// Commands run before each build, in the copy of the sources.
            pub before_build: Option<Located<Lines>>,
            /// What the tests need from the index.
            pub test_requires: Option<Vec<String>>,
            /// Extras of the wheel that the tests need.
            pub test_extras: Option<Vec<String>>,
            /// What is asked of LLVM.
            pub llvm: Option<Located<LlvmEntry>>,
        }
        impl $name {
            /// The keys that may stand here as well as elsewhere.
            pub fn options(&self) -> OptionsRef<'_> {
                OptionsRef {
                    config_settings: self.config_settings.as_ref(),
                    environment: self.environment.as_ref(),
                    before_all: self.before_all.as_ref(),
                    before_build: self.before_build.as_ref(),
                    test_requires: self.test_requires.as_ref(),
                    test_extras: self.test_extras.as_ref(),
                    llvm: self.llvm.as_ref(),
                }
            }
        }
    };
}

/// The keys that a project, a target, and a target of a project share.
#[derive(Debug, Clone, Copy, Default)]
pub struct OptionsRef<'a> {
    /// See [`ProjectEntry`]; likewise the others.
    pub config_settings: Option<&'a BTreeMap<String, Lines>>,
    /// Set while building.
    pub environment: Option<&'a BTreeMap<String, String>>,
    /// Run once.
    pub before_all: Option<&'a Located<Lines>>,
    /// Run before each build.
    pub before_build: Option<&'a Located<Lines>>,
    /// From the index, for the tests.
    pub test_requires: Option<&'a Vec<String>>,
    /// Extras of the wheel.
    pub test_extras: Option<&'a Vec<String>>,
    /// LLVM.
    pub llvm: Option<&'a Located<LlvmEntry>>,
}

section! {
    /// One of `projects:`.
    ProjectEntry {
        /// The folder with pyproject.toml, relative to the root.
        path: Located<String>,
        /// Modules that must import from the repaired wheel.
        import: Option<Located<Vec<Located<String>>>>,
        /// The test command or commands.
        test: Option<Located<Lines>>,
        /// Packages that must get along with ours in one process, imported before and after.
        coexist: Option<Vec<String>>,
        /// A file of requirements with hashes that the build environment is made from.
        lock: Option<Located<String>>,
        /// What differs for one target.
        targets: Option<BTreeMap<String, Located<ProjectTargetEntry>>>,
    }
}

section! {
    /// One of a project's `targets:`.
    ProjectTargetEntry {
        /// `true`: this project is not built for this target.
        skip: Option<Located<Flag>>,
    }
}

section! {
    /// One of the top level's `targets:`.
    TargetEntry {
        /// `auto` or a policy such as `manylinux_2_28`, `macosx_12_0`.
        platform: Option<Located<String>>,
        /// The CI runner's label.
        runner: Option<String>,
        /// The image that CI builds in.
        container: Option<String>,
    }
}

/// `repair:`.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepairEntry {
    /// Who repairs: `tool`.
    pub repairer: Option<Located<String>>,
    /// Libraries that are left out of the wheel.
    pub exclude: Option<Vec<String>>,
    /// Strip the binaries before they are grafted.
    pub strip: Option<Located<Flag>>,
    /// Further folders to look for libraries in.
    pub lib_dirs: Option<Vec<String>>,
    /// Windows: DLLs that keep their names.
    pub no_mangle: Option<Vec<String>>,
    /// Windows: namespace packages.
    pub namespace_packages: Option<Vec<String>>,
    /// Windows: graft DLLs that the wheel carries already.
    pub graft_existing: Option<Located<Flag>>,
}

/// `budget:`.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetEntry {
    /// The size that a wheel may have, such as `100MB`.
    pub wheel: Option<Located<String>>,
}

/// `time_limits:`, each such as `90s`, `30m`, `2h`.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeLimitsEntry {
    /// For one build.
    pub build: Option<Located<String>>,
    /// For one test command.
    pub test: Option<Located<String>>,
    /// For any other step.
    pub step: Option<Located<String>>,
}

/// One of `rules:`.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleEntry {
    /// `off`, `info`, `warning` or `error`.
    pub severity: Option<diagnostics::Severity>,
    /// Findings that are accepted.
    pub accept: Vec<Located<AcceptEntry>>,
}

/// An accepted finding.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptEntry {
    /// Glob over the file.
    pub file: Option<String>,
    /// Glob over the archive member.
    pub member: Option<String>,
    /// Glob over the symbol.
    pub symbol: Option<String>,
    /// Why it is accepted.
    pub reason: String,
}

/// ci/wheels.yaml.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelsFile {
    /// The format's version: 1.
    pub version: Located<u32>,
    /// What is built.
    pub projects: Option<Located<Vec<Located<ProjectEntry>>>>,
    /// For which Pythons: versions, or specifiers such as `>=3.9`.
    pub python: Option<Located<PythonLines>>,
    /// What is asked of LLVM, for all projects.
    pub llvm: Option<Located<LlvmEntry>>,
    /// For which systems, by `os-arch[-name]`.
    pub targets: Option<Located<BTreeMap<String, Located<TargetEntry>>>>,
    /// What each package manager installs besides what the plan itself needs.
    pub provision: Option<BTreeMap<String, Vec<String>>>,
    /// How wheels are repaired.
    pub repair: Option<RepairEntry>,
    /// What a wheel may weigh.
    pub budget: Option<BudgetEntry>,
    /// How long steps may take.
    pub time_limits: Option<TimeLimitsEntry>,
    /// Severities and accepted findings.
    pub rules: Option<BTreeMap<String, Located<RuleEntry>>>,
}

/// `python:`: one request or several, each with its place (a single one has that of the key's value).
#[derive(Debug, Clone, Default)]
pub struct PythonLines(pub Vec<Located<String>>);

impl<'de> Deserialize<'de> for PythonLines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PythonVisitor;
        impl<'de> Visitor<'de> for PythonVisitor {
            type Value = PythonLines;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // An unquoted 3.10 is the number 3.1, so no number is taken.
                f.write_str("a list of Pythons, or one in quotes such as \"3.10\",")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<PythonLines, E> {
                Ok(PythonLines(vec![Located { value: text.to_owned(), place: Place::default() }]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PythonLines, A::Error> {
                let mut lines = Vec::new();
                while let Some(line) = seq.next_element::<Located<String>>()? {
                    lines.push(line);
                }
                Ok(PythonLines(lines))
            }
        }
        deserializer.deserialize_any(PythonVisitor)
    }
}

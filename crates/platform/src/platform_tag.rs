//! Platform tags of wheels: `manylinux_2_28_x86_64`, `macosx_12_0_arm64`, `win_amd64`, `any`.
//!
//! Sources: PEP 425 (form), PEP 513, 571, 599 and 600 (manylinux), PEP 656 (musllinux), and the page "Platform
//! compatibility tags" of the Python Packaging User Guide (macOS, Windows).

use std::fmt;
use std::str::FromStr;

use crate::target::{Arch, Os};
use crate::text::number;

/// Major and minor of a C library or an operating system: glibc 2.28, musl 1.2, macOS 12.0.
pub type MajorMinor = (u16, u16);

/// The names manylinux policies had before PEP 600, and the glibc each stands for.
pub const LEGACY_MANYLINUX: [(&str, MajorMinor); 3] =
    [("manylinux1", (2, 5)), ("manylinux2010", (2, 12)), ("manylinux2014", (2, 17))];

/// One platform tag, taken apart. Architectures are kept as the tag spells them (`aarch64`, `universal2`); what has
/// another form is kept whole in [`PlatformTag::Other`], so every tag is printed as it was read (in lower case).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlatformTag {
    /// `any`: no native code.
    Any,
    /// `linux_<arch>`: built here, with no promise about other machines. Package indexes refuse it.
    Linux {
        /// As the tag spells it.
        arch: String,
    },
    /// `manylinux_<major>_<minor>_<arch>`, or its name before PEP 600 (`manylinux2014_<arch>`).
    Manylinux {
        /// The glibc it needs at least.
        glibc: MajorMinor,
        /// Spelled by its name before PEP 600; only for the versions in [`LEGACY_MANYLINUX`].
        legacy: bool,
        /// As the tag spells it.
        arch: String,
    },
    /// `musllinux_<major>_<minor>_<arch>`.
    Musllinux {
        /// The musl it needs at least.
        musl: MajorMinor,
        /// As the tag spells it.
        arch: String,
    },
    /// `macosx_<major>_<minor>_<arch>`.
    Macosx {
        /// The macOS it needs at least.
        version: MajorMinor,
        /// As the tag spells it: `arm64`, `x86_64`, or several in one: `universal2`, `intel`, `fat64` …
        arch: String,
    },
    /// `win_amd64`, `win_arm64`, `win32`.
    Windows {
        /// As [`Arch::tag`] spells it: `amd64`, `arm64`, `win32`.
        arch: String,
    },
    /// Anything else, such as `ios_13_0_arm64_iphoneos` or `freebsd_14_0_release_amd64`.
    Other(String),
}

/// A text is no part of a compatibility tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what} tag: {reason}")]
pub struct TagError {
    /// What was given.
    pub text: String,
    /// Which tag it was to be: `a python`, `an ABI`, `a platform`, `a compatibility`.
    pub what: &'static str,
    /// Why it is none.
    pub reason: String,
}

/// The text in lower case, if it can be a part of a tag: letters, digits and underscores (PEP 425).
pub(crate) fn part(text: &str, what: &'static str) -> Result<String, TagError> {
    let fail = |reason: &str| TagError { text: text.to_owned(), what, reason: reason.to_owned() };
    if text.is_empty() {
        return Err(fail("it is empty"));
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(fail("only letters, digits and `_` stand in it"));
    }
    Ok(text.to_ascii_lowercase())
}

/// `<major>_<minor>_<arch>`.
fn versioned(text: &str) -> Option<(MajorMinor, String)> {
    let mut parts = text.splitn(3, '_');
    let version = (number(parts.next()?)?, number(parts.next()?)?);
    let arch = parts.next().filter(|arch| !arch.is_empty())?;
    Some((version, arch.to_owned()))
}

fn take_apart(text: &str) -> Option<PlatformTag> {
    if text == "any" {
        return Some(PlatformTag::Any);
    }
    if text == "win32" {
        return Some(PlatformTag::Windows { arch: text.to_owned() });
    }
    let (family, rest) = text.split_once('_')?;
    let tag = match family {
        "linux" if !rest.is_empty() => PlatformTag::Linux { arch: rest.to_owned() },
        "win" if !rest.is_empty() && rest != "win32" => PlatformTag::Windows { arch: rest.to_owned() },
        "manylinux" => {
            let (glibc, arch) = versioned(rest)?;
            PlatformTag::Manylinux { glibc, legacy: false, arch }
        }
        "musllinux" => {
            let (musl, arch) = versioned(rest)?;
            PlatformTag::Musllinux { musl, arch }
        }
        "macosx" => {
            let (version, arch) = versioned(rest)?;
            PlatformTag::Macosx { version, arch }
        }
        _ => {
            let (_, glibc) = LEGACY_MANYLINUX.into_iter().find(|(name, _)| *name == family)?;
            (!rest.is_empty()).then(|| PlatformTag::Manylinux { glibc, legacy: true, arch: rest.to_owned() })?
        }
    };
    Some(tag)
}

impl PlatformTag {
    /// The system the tag is for; `None` for `any` and for what is not known here.
    pub const fn os(&self) -> Option<Os> {
        match self {
            Self::Linux { .. } | Self::Manylinux { .. } | Self::Musllinux { .. } => Some(Os::Linux),
            Self::Macosx { .. } => Some(Os::MacOs),
            Self::Windows { .. } => Some(Os::Windows),
            Self::Any | Self::Other(_) => None,
        }
    }

    /// The architecture as the tag spells it: `aarch64`, `universal2`, `amd64`, `win32`.
    pub fn arch_text(&self) -> Option<&str> {
        match self {
            Self::Linux { arch }
            | Self::Manylinux { arch, .. }
            | Self::Musllinux { arch, .. }
            | Self::Macosx { arch, .. }
            | Self::Windows { arch } => Some(arch),
            Self::Any | Self::Other(_) => None,
        }
    }

    /// The architectures a binary in the wheel has: one, several for `universal2` and `intel`, none where the tag does
    /// not say or names one that is not known here.
    pub fn arches(&self) -> Vec<Arch> {
        let Some(text) = self.arch_text() else { return Vec::new() };
        match (self, text) {
            (Self::Macosx { .. }, "universal2") => vec![Arch::X86_64, Arch::Arm64],
            (Self::Macosx { .. }, "intel") => vec![Arch::X86_64, Arch::I686],
            (Self::Macosx { .. }, "fat64") => vec![Arch::X86_64],
            (Self::Macosx { .. }, "fat" | "fat32") => vec![Arch::I686],
            _ => Arch::from_machine(text).into_iter().collect(),
        }
    }

    /// The same promise in its present spelling: `manylinux2014_x86_64` becomes `manylinux_2_17_x86_64`.
    #[must_use]
    pub fn canonical(&self) -> Self {
        match self {
            Self::Manylinux { glibc, arch, .. } => Self::Manylinux { glibc: *glibc, legacy: false, arch: arch.clone() },
            _ => self.clone(),
        }
    }

    /// Whether package indexes take a wheel with it: not `linux_*`, which promises nothing.
    pub const fn is_publishable(&self) -> bool {
        !matches!(self, Self::Linux { .. })
    }
}

impl FromStr for PlatformTag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = part(text, "a platform")?;
        Ok(take_apart(&text).unwrap_or(Self::Other(text)))
    }
}

impl fmt::Display for PlatformTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.pad("any"),
            Self::Linux { arch } => f.pad(&format!("linux_{arch}")),
            Self::Manylinux { glibc, legacy, arch } => {
                let name = LEGACY_MANYLINUX.into_iter().find(|(_, of)| *legacy && of == glibc).map(|(name, _)| name);
                match name {
                    Some(name) => f.pad(&format!("{name}_{arch}")),
                    None => f.pad(&format!("manylinux_{}_{}_{arch}", glibc.0, glibc.1)),
                }
            }
            Self::Musllinux { musl: (major, minor), arch } => f.pad(&format!("musllinux_{major}_{minor}_{arch}")),
            Self::Macosx { version: (major, minor), arch } => f.pad(&format!("macosx_{major}_{minor}_{arch}")),
            Self::Windows { arch } if arch == "win32" => f.pad("win32"),
            Self::Windows { arch } => f.pad(&format!("win_{arch}")),
            Self::Other(text) => f.pad(text),
        }
    }
}

crate::text::serde_as_text!(PlatformTag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_apart() {
        let table: [(&str, PlatformTag, bool); 13] = [
            ("any", PlatformTag::Any, true),
            ("linux_x86_64", PlatformTag::Linux { arch: "x86_64".into() }, false),
            (
                "manylinux_2_28_aarch64",
                PlatformTag::Manylinux { glibc: (2, 28), legacy: false, arch: "aarch64".into() },
                true,
            ),
            ("manylinux1_i686", PlatformTag::Manylinux { glibc: (2, 5), legacy: true, arch: "i686".into() }, true),
            (
                "manylinux2014_x86_64",
                PlatformTag::Manylinux { glibc: (2, 17), legacy: true, arch: "x86_64".into() },
                true,
            ),
            ("musllinux_1_2_armv7l", PlatformTag::Musllinux { musl: (1, 2), arch: "armv7l".into() }, true),
            ("macosx_10_9_universal2", PlatformTag::Macosx { version: (10, 9), arch: "universal2".into() }, true),
            ("macosx_12_0_arm64", PlatformTag::Macosx { version: (12, 0), arch: "arm64".into() }, true),
            ("win32", PlatformTag::Windows { arch: "win32".into() }, true),
            ("win_amd64", PlatformTag::Windows { arch: "amd64".into() }, true),
            ("ios_13_0_arm64_iphoneos", PlatformTag::Other("ios_13_0_arm64_iphoneos".into()), true),
            ("manylinux_2_05_x86_64", PlatformTag::Other("manylinux_2_05_x86_64".into()), true),
            ("manylinux_2_17", PlatformTag::Other("manylinux_2_17".into()), true),
        ];
        for (text, tag, publishable) in table {
            assert_eq!(text.parse(), Ok(tag.clone()), "{text}");
            assert_eq!(tag.to_string(), text);
            assert_eq!(tag.is_publishable(), publishable, "{text}");
        }
        assert_eq!("Win_AMD64".parse::<PlatformTag>().unwrap().to_string(), "win_amd64");
        assert_eq!("win_win32".parse(), Ok(PlatformTag::Other("win_win32".into())));
        for text in ["", "a-b", "a.b", "manylinux_2_28_x86 64", "é"] {
            assert!(text.parse::<PlatformTag>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tag_says_what_its_binaries_are() {
        for (text, os, arches) in [
            ("manylinux_2_28_aarch64", Some(Os::Linux), vec![Arch::Arm64]),
            ("macosx_11_0_universal2", Some(Os::MacOs), vec![Arch::X86_64, Arch::Arm64]),
            ("win32", Some(Os::Windows), vec![Arch::I686]),
            ("win_amd64", Some(Os::Windows), vec![Arch::X86_64]),
            ("linux_loongarch64", Some(Os::Linux), vec![]),
            ("any", None, vec![]),
        ] {
            let tag: PlatformTag = text.parse().unwrap();
            assert_eq!((tag.os(), tag.arches()), (os, arches), "{text}");
        }
        let legacy: PlatformTag = "manylinux2010_x86_64".parse().unwrap();
        assert_eq!(legacy.canonical().to_string(), "manylinux_2_12_x86_64");
    }
}

//! Operating systems, processors, and the key of a target in `ci/wheels.yaml` (`linux-x86_64`, `linux-x86_64-musl`).

use std::fmt;
use std::str::FromStr;

/// An operating system that wheels are built for. Read and printed as `linux`, `macos`, `windows`, which are also the
/// values of [`std::env::consts::OS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Os {
    /// Linux, with glibc or musl.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// A processor architecture. Read and printed as the configuration spells it, the same on every system: `x86_64`,
/// `arm64`, `i686`, `armv7l`, `ppc64le`, `s390x`, `riscv64`. Wheel tags spell it by system: [`Arch::tag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// 64-bit x86; `amd64` in Windows tags.
    X86_64,
    /// 64-bit Arm; `aarch64` in Linux tags.
    Arm64,
    /// 32-bit x86; `win32` is the whole tag on Windows, `i386` in old macOS tags.
    I686,
    /// 32-bit Arm with hardware floating point.
    Armv7l,
    /// 64-bit POWER, little endian.
    Ppc64le,
    /// IBM Z.
    S390x,
    /// 64-bit RISC-V.
    Riscv64,
}

const OSES: [(Os, &str); 3] = [(Os::Linux, "linux"), (Os::MacOs, "macos"), (Os::Windows, "windows")];

const ARCHES: [(Arch, &str); 7] = [
    (Arch::X86_64, "x86_64"),
    (Arch::Arm64, "arm64"),
    (Arch::I686, "i686"),
    (Arch::Armv7l, "armv7l"),
    (Arch::Ppc64le, "ppc64le"),
    (Arch::S390x, "s390x"),
    (Arch::Riscv64, "riscv64"),
];

/// What `uname -m`, `platform.machine()`, [`std::env::consts::ARCH`] and wheel tags call the architectures, in lower
/// case, besides the configuration's own spelling.
const MACHINES: [(&str, Arch); 13] = [
    ("amd64", Arch::X86_64),
    ("x64", Arch::X86_64),
    ("x86-64", Arch::X86_64),
    ("aarch64", Arch::Arm64),
    ("i386", Arch::I686),
    ("i486", Arch::I686),
    ("i586", Arch::I686),
    ("x86", Arch::I686),
    ("win32", Arch::I686),
    ("armv7", Arch::Armv7l),
    ("armv7hl", Arch::Armv7l),
    ("armhf", Arch::Armv7l),
    ("powerpc64le", Arch::Ppc64le),
];

/// Names of systems that people write for ours.
const OS_ALIASES: [(&str, Os); 6] = [
    ("darwin", Os::MacOs),
    ("macosx", Os::MacOs),
    ("osx", Os::MacOs),
    ("mac", Os::MacOs),
    ("win", Os::Windows),
    ("manylinux", Os::Linux),
];

impl Os {
    /// Every system, in the order of the variants.
    pub const ALL: [Self; 3] = [Self::Linux, Self::MacOs, Self::Windows];

    /// As the configuration spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
        }
    }

    /// The architectures that a target on this system can have.
    pub const fn arches(self) -> &'static [Arch] {
        match self {
            Self::Linux => {
                &[Arch::X86_64, Arch::Arm64, Arch::I686, Arch::Armv7l, Arch::Ppc64le, Arch::S390x, Arch::Riscv64]
            }
            Self::MacOs => &[Arch::X86_64, Arch::Arm64],
            Self::Windows => &[Arch::X86_64, Arch::Arm64, Arch::I686],
        }
    }
}

impl Arch {
    /// Every architecture, in the order of the variants.
    pub const ALL: [Self; 7] =
        [Self::X86_64, Self::Arm64, Self::I686, Self::Armv7l, Self::Ppc64le, Self::S390x, Self::Riscv64];

    /// As the configuration spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
            Self::I686 => "i686",
            Self::Armv7l => "armv7l",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
        }
    }

    /// As wheel tags on `os` spell it. On Windows a 32-bit x86 wheel has the platform tag `win32` as a whole, and that
    /// is what this gives.
    pub const fn tag(self, os: Os) -> &'static str {
        match (self, os) {
            (Self::Arm64, Os::Linux) => "aarch64",
            (Self::X86_64, Os::Windows) => "amd64",
            (Self::I686, Os::Windows) => "win32",
            (Self::I686, Os::MacOs) => "i386",
            _ => self.name(),
        }
    }

    /// The architecture that a system, an interpreter or a wheel tag means by `machine`: `x86_64`, `AMD64`, `aarch64`,
    /// `arm64`, `i386` … ; `None` for one that is not known.
    pub fn from_machine(machine: &str) -> Option<Self> {
        let machine = machine.to_ascii_lowercase();
        let own = ARCHES.into_iter().find(|(_, name)| *name == machine).map(|(arch, _)| arch);
        own.or_else(|| MACHINES.into_iter().find(|(name, _)| *name == machine).map(|(_, arch)| arch))
    }
}

/// A word that is no system or no architecture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {reason}")]
pub struct UnknownName {
    text: String,
    what: &'static str,
    reason: String,
}

/// `did you mean …` for a known alias, else the list of what there is.
fn expected<T>(all: &[(T, &str)], alias: Option<&str>) -> String {
    let names: Vec<String> = all.iter().map(|(_, name)| format!("`{name}`")).collect();
    match alias {
        Some(alias) => format!("did you mean `{alias}`?"),
        None => format!("one of {}", names.join(", ")),
    }
}

impl FromStr for Os {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OSES.into_iter().find(|(_, name)| *name == text).map(|(os, _)| os).ok_or_else(|| {
            let lower = text.to_ascii_lowercase();
            let own = OSES.into_iter().find(|(_, name)| *name == lower).map(|(_, name)| name);
            let alias =
                own.or_else(|| OS_ALIASES.into_iter().find(|(name, _)| *name == lower).map(|(_, os)| os.name()));
            UnknownName { text: text.to_owned(), what: "an operating system", reason: expected(&OSES, alias) }
        })
    }
}

impl FromStr for Arch {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ARCHES.into_iter().find(|(_, name)| *name == text).map(|(arch, _)| arch).ok_or_else(|| {
            let alias = Self::from_machine(text).map(Self::name);
            UnknownName { text: text.to_owned(), what: "an architecture", reason: expected(&ARCHES, alias) }
        })
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The key of a target in the configuration: `os-arch`, or `os-arch-name` where one system has several targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetKey {
    /// The operating system.
    pub os: Os,
    /// The architecture.
    pub arch: Arch,
    /// What tells targets of one system apart; ASCII letters, digits, `.`, `_` and `-`.
    pub name: Option<String>,
}

impl TargetKey {
    /// The target of a system without a name of its own.
    pub const fn new(os: Os, arch: Arch) -> Self {
        Self { os, arch, name: None }
    }

    /// Whether what is built for one runs on the other's machine: the same operating system and architecture.
    pub fn same_system(&self, other: &Self) -> bool {
        self.os == other.os && self.arch == other.arch
    }
}

/// A text is not a target key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a target: {reason}")]
pub struct TargetKeyError {
    /// What was given.
    pub text: String,
    /// Why it is none.
    pub reason: String,
}

/// What may stand after `os-arch-`. It becomes part of build identifiers, and so of folder names.
pub(crate) fn is_target_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

impl FromStr for TargetKey {
    type Err = TargetKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: String| TargetKeyError { text: text.to_owned(), reason };
        let Some((os, rest)) = text.split_once('-') else {
            return Err(fail("a target is `os-arch` or `os-arch-name`, such as `linux-x86_64`".to_owned()));
        };
        let (arch, name) = match rest.split_once('-') {
            Some((arch, name)) => (arch, Some(name)),
            None => (rest, None),
        };
        let os: Os = os.parse().map_err(|error: UnknownName| fail(error.to_string()))?;
        let arch: Arch = arch.parse().map_err(|error: UnknownName| fail(error.to_string()))?;
        if !os.arches().contains(&arch) {
            let arches: Vec<String> = os.arches().iter().map(|arch| format!("`{arch}`")).collect();
            return Err(fail(format!("{os} has {}", arches.join(", "))));
        }
        if name.is_some_and(|name| !is_target_name(name)) {
            return Err(fail("the name after `os-arch-` is of letters, digits, `.`, `_` and `-`".to_owned()));
        }
        Ok(Self { os, arch, name: name.map(str::to_owned) })
    }
}

impl fmt::Display for TargetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.pad(&format!("{}-{}-{name}", self.os, self.arch)),
            None => f.pad(&format!("{}-{}", self.os, self.arch)),
        }
    }
}

crate::text::serde_as_text!(Os, Arch, TargetKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_systems_and_processors_are_read_as_printed() {
        for os in Os::ALL {
            assert_eq!(os.to_string().parse(), Ok(os));
            for arch in os.arches() {
                let key = TargetKey::new(os, *arch);
                assert_eq!(key.to_string().parse(), Ok(key.clone()));
                assert_eq!(Arch::from_machine(arch.tag(os)), Some(*arch), "{key}");
            }
        }
        for arch in Arch::ALL {
            assert_eq!(arch.to_string().parse(), Ok(arch));
        }
        assert_eq!(std::env::consts::OS.parse::<Os>().is_ok(), cfg!(any(unix, windows)));
    }

    #[test]
    fn wheel_spelling_of_processors() {
        let table = [
            (Arch::X86_64, "x86_64", "x86_64", "amd64"),
            (Arch::Arm64, "aarch64", "arm64", "arm64"),
            (Arch::I686, "i686", "i386", "win32"),
        ];
        for (arch, linux, macos, windows) in table {
            assert_eq!([Os::Linux, Os::MacOs, Os::Windows].map(|os| arch.tag(os)), [linux, macos, windows]);
        }
        for (machine, arch) in [
            ("AMD64", Some(Arch::X86_64)),
            ("x86_64", Some(Arch::X86_64)),
            ("aarch64", Some(Arch::Arm64)),
            ("ARM64", Some(Arch::Arm64)),
            ("i386", Some(Arch::I686)),
            ("sparc", None),
            ("", None),
        ] {
            assert_eq!(Arch::from_machine(machine), arch, "{machine}");
        }
    }

    #[test]
    fn a_key_has_an_optional_name() {
        let key: TargetKey = "linux-x86_64-musl-2".parse().unwrap();
        assert_eq!(key, TargetKey { name: Some("musl-2".into()), ..TargetKey::new(Os::Linux, Arch::X86_64) });
        assert_eq!(key.to_string(), "linux-x86_64-musl-2");
        assert!(key.same_system(&TargetKey::new(Os::Linux, Arch::X86_64)));
        assert!(!key.same_system(&TargetKey::new(Os::Linux, Arch::Arm64)));
        assert_eq!(serde_json::to_string(&key).unwrap(), "\"linux-x86_64-musl-2\"");
        assert_eq!(serde_json::from_str::<TargetKey>("\"linux-x86_64-musl-2\"").unwrap(), key);
        assert!(serde_json::from_str::<TargetKey>("\"linux\"").is_err());
    }

    #[test]
    fn what_is_no_target_says_why() {
        for (text, reason) in [
            ("", "a target is `os-arch` or `os-arch-name`, such as `linux-x86_64`"),
            ("linux", "a target is `os-arch` or `os-arch-name`, such as `linux-x86_64`"),
            ("darwin-arm64", "`darwin` is not an operating system: did you mean `macos`?"),
            ("Linux-x86_64", "`Linux` is not an operating system: did you mean `linux`?"),
            ("beos-x86_64", "`beos` is not an operating system: one of `linux`, `macos`, `windows`"),
            ("linux-aarch64", "`aarch64` is not an architecture: did you mean `arm64`?"),
            ("windows-AMD64", "`AMD64` is not an architecture: did you mean `x86_64`?"),
            ("macos-s390x", "macos has `x86_64`, `arm64`"),
            ("linux-x86_64-", "the name after `os-arch-` is of letters, digits, `.`, `_` and `-`"),
            ("linux-x86_64-a b", "the name after `os-arch-` is of letters, digits, `.`, `_` and `-`"),
        ] {
            let error = text.parse::<TargetKey>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a target: {reason}"));
        }
    }
}

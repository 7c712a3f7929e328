//! What a target of the configuration asks of its wheels: `platform: manylinux_2_28`, `macosx_12_0`, `win`, `auto`.

use std::fmt;
use std::str::FromStr;

use crate::platform_tag::{LEGACY_MANYLINUX, MajorMinor, PlatformTag};
use crate::policy::{Libc, policies};
use crate::target::{Os, TargetKey};
use crate::text::number;

/// The platform tag that wheels of a target get, without the architecture, which the target's key gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetPlatform {
    /// `auto`: the most widely usable one that the wheel really meets, known after repair.
    #[default]
    Auto,
    /// A named one, which the wheel has to meet.
    Policy(PolicyStem),
}

/// A platform tag without its architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyStem {
    /// `manylinux_2_28`: the glibc needed.
    Manylinux(MajorMinor),
    /// `manylinux1`, `manylinux2010`, `manylinux2014`: the name before PEP 600, and the glibc needed.
    LegacyManylinux(&'static str, MajorMinor),
    /// `musllinux_1_2`: the musl needed.
    Musllinux(MajorMinor),
    /// `macosx_12_0`: the macOS needed.
    Macosx(MajorMinor),
    /// `win`.
    Win,
}

impl PolicyStem {
    /// The system it belongs to.
    pub const fn os(self) -> Os {
        match self {
            Self::Manylinux(_) | Self::LegacyManylinux(..) | Self::Musllinux(_) => Os::Linux,
            Self::Macosx(_) => Os::MacOs,
            Self::Win => Os::Windows,
        }
    }

    fn read(text: &str) -> Option<Self> {
        if text == "win" {
            return Some(Self::Win);
        }
        if let Some((name, glibc)) = LEGACY_MANYLINUX.into_iter().find(|(name, _)| *name == text) {
            return Some(Self::LegacyManylinux(name, glibc));
        }
        let mut parts = text.split('_');
        let family = parts.next()?;
        let version = (number(parts.next()?)?, number(parts.next()?)?);
        match (family, parts.next()) {
            ("manylinux", None) => Some(Self::Manylinux(version)),
            ("musllinux", None) => Some(Self::Musllinux(version)),
            ("macosx", None) => Some(Self::Macosx(version)),
            _ => None,
        }
    }
}

impl fmt::Display for PolicyStem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manylinux((major, minor)) => f.pad(&format!("manylinux_{major}_{minor}")),
            Self::LegacyManylinux(name, _) => f.pad(name),
            Self::Musllinux((major, minor)) => f.pad(&format!("musllinux_{major}_{minor}")),
            Self::Macosx((major, minor)) => f.pad(&format!("macosx_{major}_{minor}")),
            Self::Win => f.pad("win"),
        }
    }
}

/// A text is no platform, or not one of the target's system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a platform{}: {reason}", target.as_ref().map(|key| format!(" of {key}")).unwrap_or_default())]
pub struct TargetPlatformError {
    /// What was given.
    pub text: String,
    /// The target it was given for, where one is known.
    pub target: Option<TargetKey>,
    /// Why it is none.
    pub reason: String,
}

impl TargetPlatform {
    /// Reads what the configuration says for the target `key`, and checks that the one fits the other.
    ///
    /// # Errors
    /// No platform, one of another system, or a policy of Linux that there is not for this processor; the reason says
    /// what was probably meant, or which there are.
    pub fn parse(text: &str, key: &TargetKey) -> Result<Self, TargetPlatformError> {
        let fail = |reason| TargetPlatformError { text: text.to_owned(), target: Some(key.clone()), reason };
        let platform: Self = text.parse().map_err(|_| fail(advice(text, Some(key.os))))?;
        match &platform {
            Self::Policy(stem) if stem.os() != key.os => {
                Err(fail(format!("it is one of {}; {}", stem.os(), examples(Some(key.os)))))
            }
            Self::Policy(stem) => match no_such_policy(*stem, key) {
                Some(reason) => Err(fail(reason)),
                None => Ok(platform),
            },
            Self::Auto => Ok(platform),
        }
    }

    /// The platform tag of the target's wheels, where it is known before they are built: not for `auto` on Linux and
    /// macOS; on Windows there is one per architecture, so `auto` is it.
    pub fn platform_tag(&self, key: &TargetKey) -> Option<PlatformTag> {
        let arch = key.arch.tag(key.os).to_owned();
        match self {
            Self::Auto if key.os == Os::Windows => Some(PlatformTag::Windows { arch }),
            Self::Auto => None,
            Self::Policy(stem) => Some(match *stem {
                PolicyStem::Manylinux(glibc) => PlatformTag::Manylinux { glibc, legacy: false, arch },
                PolicyStem::LegacyManylinux(_, glibc) => PlatformTag::Manylinux { glibc, legacy: true, arch },
                PolicyStem::Musllinux(musl) => PlatformTag::Musllinux { musl, arch },
                PolicyStem::Macosx(version) => PlatformTag::Macosx { version, arch },
                PolicyStem::Win => PlatformTag::Windows { arch },
            }),
        }
    }
}

/// Why a Linux platform stands for nothing: what a wheel may need of such a system is known for certain versions alone.
fn no_such_policy(stem: PolicyStem, key: &TargetKey) -> Option<String> {
    let libc = match stem {
        PolicyStem::Manylinux(_) | PolicyStem::LegacyManylinux(..) => Libc::Glibc,
        PolicyStem::Musllinux(_) => Libc::Musl,
        PolicyStem::Macosx(_) | PolicyStem::Win => return None,
    };
    let name = stem.to_string();
    if policies(libc, key.arch).any(|policy| policy.name == name || policy.aliases.contains(&name.as_str())) {
        return None;
    }
    let known: Vec<String> = policies(libc, key.arch).map(|policy| format!("`{}`", policy.name)).collect();
    Some(format!("no such policy is known; there are {}", known.join(", ")))
}

fn examples(os: Option<Os>) -> &'static str {
    match os {
        Some(Os::Linux) => "write `auto`, `manylinux_2_28` or `musllinux_1_2`",
        Some(Os::MacOs) => "write `auto` or `macosx_12_0`",
        Some(Os::Windows) => "write `auto` or `win`",
        None => "write `auto`, `manylinux_2_28`, `musllinux_1_2`, `macosx_12_0` or `win`",
    }
}

/// What was probably meant.
fn advice(text: &str, os: Option<Os>) -> String {
    // A whole tag, such as `manylinux_2_28_x86_64`: the key has the architecture already.
    let whole: Option<PlatformTag> = text.parse().ok();
    let stem = whole.as_ref().and_then(|tag| match tag {
        PlatformTag::Windows { .. } => Some("win".to_owned()),
        PlatformTag::Manylinux { .. } | PlatformTag::Musllinux { .. } | PlatformTag::Macosx { .. } => {
            let arch = tag.arch_text()?;
            text.to_ascii_lowercase().strip_suffix(arch).map(|stem| stem.trim_end_matches('_').to_owned())
        }
        _ => None,
    });
    if let Some(stem) = stem {
        return format!("the architecture is the target's, write `{stem}`");
    }
    // `manylinux-2.28`, `manylinux2_28`, `macos_12_0`, `macosx_12`, `windows`.
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let family = words.first().map_or("", |word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let mut numbers: Vec<&str> = words.iter().skip(1).copied().collect();
    if let Some(glued) = words.first().and_then(|word| word.strip_prefix(family)).filter(|glued| !glued.is_empty()) {
        numbers.insert(0, glued);
    }
    let guess = match (family, numbers.as_slice()) {
        ("windows" | "win" | "win_amd" | "amd", _) => Some("win".to_owned()),
        ("macos" | "macosx" | "osx" | "darwin", [major]) => Some(format!("macosx_{major}_0")),
        ("macos" | "macosx" | "osx" | "darwin", [major, minor]) => Some(format!("macosx_{major}_{minor}")),
        ("manylinux" | "glibc", [major, minor]) => Some(format!("manylinux_{major}_{minor}")),
        // `manylinux_28`; `manylinux_3` may mean anything.
        ("manylinux" | "glibc", [minor]) if minor.len() == 2 => Some(format!("manylinux_2_{minor}")),
        ("manylinux", [year]) => Some(format!("manylinux{year}")),
        ("musllinux" | "musl", [major, minor]) => Some(format!("musllinux_{major}_{minor}")),
        _ => None,
    };
    match guess.filter(|guess| PolicyStem::read(guess).is_some_and(|stem| os.is_none_or(|os| os == stem.os()))) {
        Some(guess) => format!("did you mean `{guess}`?"),
        None => examples(os).to_owned(),
    }
}

impl FromStr for TargetPlatform {
    type Err = TargetPlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        PolicyStem::read(text).map(Self::Policy).ok_or_else(|| TargetPlatformError {
            text: text.to_owned(),
            target: None,
            reason: advice(text, None),
        })
    }
}

impl fmt::Display for TargetPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Policy(stem) => stem.fmt(f),
        }
    }
}

crate::text::serde_as_text!(TargetPlatform);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_of_targets() {
        for (key, text, tag) in [
            ("linux-x86_64", "auto", None),
            ("linux-x86_64", "manylinux_2_28", Some("manylinux_2_28_x86_64")),
            ("linux-arm64", "manylinux2014", Some("manylinux2014_aarch64")),
            ("linux-i686-musl", "musllinux_1_2", Some("musllinux_1_2_i686")),
            ("macos-arm64", "auto", None),
            ("macos-arm64", "macosx_12_0", Some("macosx_12_0_arm64")),
            ("windows-x86_64", "auto", Some("win_amd64")),
            ("windows-x86_64", "win", Some("win_amd64")),
            ("windows-i686", "auto", Some("win32")),
            ("windows-arm64", "win", Some("win_arm64")),
        ] {
            let key: TargetKey = key.parse().unwrap();
            let platform = TargetPlatform::parse(text, &key).unwrap();
            assert_eq!(platform.to_string(), text);
            assert_eq!(platform.platform_tag(&key).map(|tag| tag.to_string()).as_deref(), tag);
            let json = serde_json::to_string(&platform).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<TargetPlatform>(&json).unwrap(), platform);
        }
    }

    #[test]
    fn what_is_no_platform_says_what_was_meant() {
        for (key, text, message) in [
            (
                "linux-x86_64",
                "manylinux_2_28_x86_64",
                "`manylinux_2_28_x86_64` is not a platform of linux-x86_64: the architecture is the target's, write `manylinux_2_28`",
            ),
            (
                "linux-x86_64",
                "manylinux-2.28",
                "`manylinux-2.28` is not a platform of linux-x86_64: did you mean `manylinux_2_28`?",
            ),
            (
                "linux-x86_64",
                "manylinux2_28",
                "`manylinux2_28` is not a platform of linux-x86_64: did you mean `manylinux_2_28`?",
            ),
            (
                "linux-x86_64",
                "manylinux_28",
                "`manylinux_28` is not a platform of linux-x86_64: did you mean `manylinux_2_28`?",
            ),
            (
                "linux-x86_64",
                "manylinux_3",
                "`manylinux_3` is not a platform of linux-x86_64: write `auto`, `manylinux_2_28` or `musllinux_1_2`",
            ),
            (
                "linux-x86_64",
                "manylinux_2014",
                "`manylinux_2014` is not a platform of linux-x86_64: did you mean `manylinux2014`?",
            ),
            ("macos-arm64", "macos-12", "`macos-12` is not a platform of macos-arm64: did you mean `macosx_12_0`?"),
            ("macos-arm64", "macosx_12", "`macosx_12` is not a platform of macos-arm64: did you mean `macosx_12_0`?"),
            (
                "windows-x86_64",
                "win_amd64",
                "`win_amd64` is not a platform of windows-x86_64: the architecture is the target's, write `win`",
            ),
            ("windows-x86_64", "windows", "`windows` is not a platform of windows-x86_64: did you mean `win`?"),
            (
                "macos-arm64",
                "manylinux_2_28",
                "`manylinux_2_28` is not a platform of macos-arm64: it is one of linux; write `auto` or `macosx_12_0`",
            ),
            (
                "linux-x86_64",
                "musllinux_1_9",
                "`musllinux_1_9` is not a platform of linux-x86_64: no such policy is known; there are `musllinux_1_1`, `musllinux_1_2`",
            ),
            (
                "linux-riscv64",
                "manylinux_2_28",
                "`manylinux_2_28` is not a platform of linux-riscv64: no such policy is known; there are `manylinux_2_31`, \
                 `manylinux_2_34`, `manylinux_2_35`, `manylinux_2_36`, `manylinux_2_37`, `manylinux_2_38`, `manylinux_2_39`, \
                 `manylinux_2_40`, `manylinux_2_41`",
            ),
            (
                "linux-x86_64",
                "",
                "`` is not a platform of linux-x86_64: write `auto`, `manylinux_2_28` or `musllinux_1_2`",
            ),
            (
                "linux-x86_64",
                "debian",
                "`debian` is not a platform of linux-x86_64: write `auto`, `manylinux_2_28` or `musllinux_1_2`",
            ),
        ] {
            let error = TargetPlatform::parse(text, &key.parse().unwrap()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        assert_eq!(
            "manylinux".parse::<TargetPlatform>().unwrap_err().to_string(),
            "`manylinux` is not a platform: write `auto`, `manylinux_2_28`, `musllinux_1_2`, `macosx_12_0` or `win`"
        );
    }
}

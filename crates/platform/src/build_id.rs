//! The identifier of a build: `cp313-manylinux_2_28_x86_64`.

use std::fmt;
use std::str::FromStr;

use crate::platform_tag::{PlatformTag, TagError};
use crate::python::{PythonVersion, PythonVersionError};
use crate::target::{Arch, Os, TargetKey, is_target_name};
use crate::target_platform::TargetPlatform;

/// Which Python on which platform. Where the platform is `auto`, and so known only after repair, the identifier has the
/// system in its place: `cp313-linux_x86_64`, `cp313-macosx_arm64`. A target that has a name gives it to its builds, so
/// that two targets of one system have two identifiers: `cp313-linux_x86_64-old`. It repeats across projects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId {
    /// The interpreter: `cp313`, `cp313t`.
    pub python: PythonVersion,
    /// The platform tag that was asked for, or the system's name in that form ([`PlatformTag::Other`] on macOS).
    pub platform: PlatformTag,
    /// The target's own name, if it has one.
    pub name: Option<String>,
}

impl BuildId {
    /// The build for `python` on the target `key` with its `platform`.
    pub fn new(python: PythonVersion, platform: &TargetPlatform, key: &TargetKey) -> Self {
        let platform = platform.platform_tag(key).unwrap_or_else(|| {
            let arch = key.arch.tag(key.os);
            match key.os {
                Os::Linux => PlatformTag::Linux { arch: arch.to_owned() },
                Os::MacOs => PlatformTag::Other(format!("macosx_{arch}")),
                Os::Windows => PlatformTag::Windows { arch: arch.to_owned() },
            }
        });
        Self { python, platform, name: key.name.clone() }
    }
}

/// A text is no build identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a build identifier: {reason}")]
pub struct BuildIdError {
    /// What was given.
    pub text: String,
    /// Why it is none.
    pub reason: String,
}

impl FromStr for BuildId {
    type Err = BuildIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: String| BuildIdError { text: text.to_owned(), reason };
        let Some((python, rest)) = text.split_once('-') else {
            return Err(fail("it is `python-platform`, such as `cp313-manylinux_2_28_x86_64`".to_owned()));
        };
        let (platform, name) = match rest.split_once('-') {
            Some((platform, name)) => (platform, Some(name)),
            None => (rest, None),
        };
        if !python.starts_with("cp") {
            return Err(fail("it begins with a Python such as `cp313`".to_owned()));
        }
        let python = python.parse().map_err(|error: PythonVersionError| fail(error.to_string()))?;
        let tag: PlatformTag = platform.parse().map_err(|error: TagError| fail(error.to_string()))?;
        let auto_on_macos = || platform.strip_prefix("macosx_").is_some_and(|arch| Arch::from_machine(arch).is_some());
        if tag.to_string() != platform || (tag.os().is_none() && !auto_on_macos()) {
            return Err(fail(format!("`{platform}` is no platform such as `manylinux_2_28_x86_64` or `linux_x86_64`")));
        }
        if name.is_some_and(|name| !is_target_name(name)) {
            return Err(fail(
                "after the platform stands the name of a target: letters, digits, `.`, `_`, `-`".to_owned(),
            ));
        }
        Ok(Self { python, platform: tag, name: name.map(str::to_owned) })
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map_or_else(String::new, |name| format!("-{name}"));
        f.pad(&format!("{}-{}{name}", self.python, self.platform))
    }
}

crate::text::serde_as_text!(BuildId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_builds() {
        for (python, key, platform, id) in [
            ("3.13", "linux-x86_64", "manylinux_2_28", "cp313-manylinux_2_28_x86_64"),
            ("3.13t", "linux-arm64", "manylinux2014", "cp313t-manylinux2014_aarch64"),
            ("3.9", "linux-x86_64", "auto", "cp39-linux_x86_64"),
            ("3.9", "linux-x86_64-old.2-b", "auto", "cp39-linux_x86_64-old.2-b"),
            ("3.9", "linux-x86_64-musl", "musllinux_1_2", "cp39-musllinux_1_2_x86_64-musl"),
            ("3.10", "macos-arm64", "auto", "cp310-macosx_arm64"),
            ("3.10", "macos-arm64", "macosx_12_0", "cp310-macosx_12_0_arm64"),
            ("3.14", "windows-x86_64", "auto", "cp314-win_amd64"),
            ("3.14", "windows-i686", "win", "cp314-win32"),
        ] {
            let key: TargetKey = key.parse().unwrap();
            let platform = TargetPlatform::parse(platform, &key).unwrap();
            let build = BuildId::new(python.parse().unwrap(), &platform, &key);
            assert_eq!(build.to_string(), id);
            assert_eq!(id.parse(), Ok(build.clone()));
            assert_eq!(serde_json::to_string(&build).unwrap(), format!("\"{id}\""));
        }
    }

    #[test]
    fn what_is_no_identifier_says_why() {
        for text in [
            "",
            "cp313",
            "3.13-linux_x86_64",
            "cp313-any",
            "cp313-",
            "cp313-Win32",
            "cp313-macosx_tape",
            "cp313-linux_x86_64-",
            "cp313-linux_x86_64-a b",
        ] {
            let error = text.parse::<BuildId>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not a build identifier: ")), "{error}");
        }
    }
}

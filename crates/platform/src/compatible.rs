//! Which tags an interpreter on a machine takes, best first: the order in which pip and uv choose among wheels.
//!
//! The rules are those of PyPA's `packaging.tags` (26.x): the interpreter's own ABI, the stable ABI, no ABI, the stable
//! ABI of older versions, then pure Python.

use serde::{Deserialize, Serialize};

use crate::platform_tag::{LEGACY_MANYLINUX, MajorMinor, PlatformTag};
use crate::python::PythonVersion;
use crate::tags::{AbiTag, PythonTag, Tag};
use crate::target::{Arch, Os};

/// A machine as far as wheels are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostPlatform {
    /// The interpreter's architecture, which on a 64-bit machine can be a 32-bit one.
    pub arch: Arch,
    /// The system and its version.
    pub system: HostSystem,
}

/// An operating system and the version that platform tags name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostSystem {
    /// Linux with this glibc.
    Glibc(MajorMinor),
    /// Linux with this musl.
    Musl(MajorMinor),
    /// This macOS.
    MacOs(MajorMinor),
    /// Windows; its tags name no version.
    Windows,
}

impl HostPlatform {
    /// The operating system.
    pub const fn os(&self) -> Os {
        match self.system {
            HostSystem::Glibc(_) | HostSystem::Musl(_) => Os::Linux,
            HostSystem::MacOs(_) => Os::MacOs,
            HostSystem::Windows => Os::Windows,
        }
    }

    /// The platform tags the machine takes, best first; without `any`.
    pub fn platform_tags(&self) -> Vec<PlatformTag> {
        let arch = self.arch.tag(self.os());
        let linux = || PlatformTag::Linux { arch: arch.to_owned() };
        match self.system {
            HostSystem::Glibc(glibc) => manylinux(self.arch, arch, glibc).into_iter().chain([linux()]).collect(),
            HostSystem::Musl((major, newest)) => (0..=newest)
                .rev()
                .map(|minor| PlatformTag::Musllinux { musl: (major, minor), arch: arch.to_owned() })
                .chain([linux()])
                .collect(),
            HostSystem::MacOs(version) => macosx(arch, version),
            HostSystem::Windows => vec![PlatformTag::Windows { arch: arch.to_owned() }],
        }
    }
}

/// manylinux tags down to the oldest glibc that PEP 600 gives the architecture: 2.5 on x86, 2.17 elsewhere. There has
/// been no glibc but 2.x since the first manylinux; of another one nothing is known.
fn manylinux(arch: Arch, spelled: &str, (major, newest): MajorMinor) -> Vec<PlatformTag> {
    let oldest = if matches!(arch, Arch::X86_64 | Arch::I686) { 5 } else { 17 };
    if major != 2 {
        return Vec::new();
    }
    let tag = |glibc, legacy| PlatformTag::Manylinux { glibc, legacy, arch: spelled.to_owned() };
    let named = |glibc| LEGACY_MANYLINUX.iter().any(|(_, of)| *of == glibc);
    (oldest..=newest)
        .rev()
        .map(|minor| (2, minor))
        .flat_map(|glibc| [Some(tag(glibc, false)), named(glibc).then(|| tag(glibc, true))])
        .flatten()
        .collect()
}

/// macOS tags: from 11 on only major versions count, and 10.16 to 10.4 are taken as well, on Arm only as `universal2`.
fn macosx(arch: &str, (major, minor): MajorMinor) -> Vec<PlatformTag> {
    let tag = |version: MajorMinor, arch: &str| PlatformTag::Macosx { version, arch: arch.to_owned() };
    let every_format = |version: MajorMinor| {
        mac_formats(arch, version).into_iter().map(move |format| tag(version, format)).collect::<Vec<_>>()
    };
    if major < 11 {
        return if major == 10 {
            (0..=minor).rev().flat_map(|minor| every_format((10, minor))).collect()
        } else {
            vec![]
        };
    }
    let present = (11..=major).rev().flat_map(|major| every_format((major, 0)));
    let past = (4..=16).rev().flat_map(|minor| {
        if arch == "x86_64" { every_format((10, minor)) } else { vec![tag((10, minor), "universal2")] }
    });
    present.chain(past).collect()
}

/// What a binary that runs on `arch` can be built as.
fn mac_formats(arch: &str, version: MajorMinor) -> Vec<&str> {
    let more: &[&str] = match arch {
        "x86_64" | "i386" if version < (10, 4) => return Vec::new(),
        "x86_64" => &["intel", "fat64", "fat32", "universal2", "universal"],
        "i386" => &["intel", "fat32", "fat", "universal"],
        "arm64" => &["universal2"],
        _ => &[],
    };
    [arch].into_iter().chain(more.iter().copied()).collect()
}

/// The tags that `python` on `host` takes, best first.
pub fn compatible_tags(python: PythonVersion, host: &HostPlatform) -> Vec<Tag> {
    let platforms = host.platform_tags();
    let PythonVersion { major, minor, .. } = python;
    let mut tags = Vec::new();
    let mut on_each_platform = |python: &PythonTag, abi: &AbiTag| {
        let tag = |platform: &PlatformTag| Tag { python: python.clone(), abi: abi.clone(), platform: platform.clone() };
        tags.extend(platforms.iter().map(tag));
    };
    let own = python.tag();
    let none = AbiTag::none();
    // The stable ABI is of CPython 3.2 and later (PEP 384); builds without the GIL have their own (PEP 803).
    let stable =
        (major == 3 && minor >= 2).then(|| if python.free_threaded { AbiTag::abi3t() } else { AbiTag::abi3() });
    on_each_platform(&own, &python.abi_tag());
    if let Some(stable) = &stable {
        on_each_platform(&own, stable);
    }
    on_each_platform(&own, &none);
    if let Some(stable) = &stable {
        for older in (2..minor).rev() {
            on_each_platform(&PythonTag::cpython(major, older), stable);
        }
    }
    let generic: Vec<PythonTag> = [Some(minor), None]
        .into_iter()
        .chain((0..minor).rev().map(Some))
        .map(|minor| PythonTag::generic(major, minor))
        .collect();
    for python in &generic {
        on_each_platform(python, &none);
    }
    let pure = |python: &PythonTag| Tag { python: python.clone(), abi: none.clone(), platform: PlatformTag::Any };
    tags.extend([&own].into_iter().chain(&generic).map(pure));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(arch: Arch, system: HostSystem) -> HostPlatform {
        HostPlatform { arch, system }
    }

    fn platforms(arch: Arch, system: HostSystem) -> Vec<String> {
        host(arch, system).platform_tags().iter().map(PlatformTag::to_string).collect()
    }

    #[test]
    fn platforms_of_machines_best_first() {
        assert_eq!(
            platforms(Arch::X86_64, HostSystem::Glibc((2, 18))),
            [
                "manylinux_2_18_x86_64",
                "manylinux_2_17_x86_64",
                "manylinux2014_x86_64",
                "manylinux_2_16_x86_64",
                "manylinux_2_15_x86_64",
                "manylinux_2_14_x86_64",
                "manylinux_2_13_x86_64",
                "manylinux_2_12_x86_64",
                "manylinux2010_x86_64",
                "manylinux_2_11_x86_64",
                "manylinux_2_10_x86_64",
                "manylinux_2_9_x86_64",
                "manylinux_2_8_x86_64",
                "manylinux_2_7_x86_64",
                "manylinux_2_6_x86_64",
                "manylinux_2_5_x86_64",
                "manylinux1_x86_64",
                "linux_x86_64",
            ]
        );
        assert_eq!(
            platforms(Arch::Arm64, HostSystem::Glibc((2, 18))),
            ["manylinux_2_18_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"]
        );
        assert_eq!(
            platforms(Arch::X86_64, HostSystem::Musl((1, 1))),
            ["musllinux_1_1_x86_64", "musllinux_1_0_x86_64", "linux_x86_64"]
        );
        let mac = platforms(Arch::Arm64, HostSystem::MacOs((12, 6)));
        assert_eq!(
            mac.get(..5).unwrap(),
            [
                "macosx_12_0_arm64",
                "macosx_12_0_universal2",
                "macosx_11_0_arm64",
                "macosx_11_0_universal2",
                "macosx_10_16_universal2"
            ]
        );
        assert_eq!(mac.len(), 17);
        assert_eq!(platforms(Arch::X86_64, HostSystem::Windows), ["win_amd64"]);
        assert_eq!(platforms(Arch::I686, HostSystem::Windows), ["win32"]);
    }

    #[test]
    fn tags_of_an_interpreter_best_first() {
        let windows = host(Arch::X86_64, HostSystem::Windows);
        let tags = |python: &str| {
            let tags = compatible_tags(python.parse().unwrap(), &windows);
            tags.iter().map(Tag::to_string).collect::<Vec<_>>()
        };
        let gil = tags("3.13");
        assert_eq!(
            gil.get(..5).unwrap(),
            [
                "cp313-cp313-win_amd64",
                "cp313-abi3-win_amd64",
                "cp313-none-win_amd64",
                "cp312-abi3-win_amd64",
                "cp311-abi3-win_amd64"
            ]
        );
        let free_threaded = tags("3.15t");
        assert_eq!(
            free_threaded.get(..4).unwrap(),
            ["cp315-cp315t-win_amd64", "cp315-abi3t-win_amd64", "cp315-none-win_amd64", "cp314-abi3t-win_amd64"]
        );
        assert!(free_threaded.iter().all(|tag| !tag.contains("-abi3-")));
        assert_eq!(gil.last().unwrap(), "py30-none-any");
        assert!(gil.contains(&"cp313-none-any".to_owned()));
    }
}

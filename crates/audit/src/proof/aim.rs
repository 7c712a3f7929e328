//! What a wheel's tags stand for: which systems, at their oldest, and which Pythons.

use super::contents::Contents;
use crate::python::{self, OLDEST_SUPPORTED};
use capi::{Build, Python};
use linkage::Image;
use objfile::{Architecture, Format};
use platform::policy::{Libc, Policy, policies};
use platform::{Arch, Os, PlatformTag};
use std::collections::BTreeMap;

/// Major and minor version of a C library or system.
type MajorMinor = (u16, u16);

/// A kind of system, at the oldest that the tags stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Platform {
    /// Which.
    pub(super) system: System,
    /// Its processor.
    pub(super) arch: Arch,
    /// The tag that says so, or `linux_x86_64` where none does.
    pub(super) tag: String,
}

/// A system and its oldest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// Linux with a C library; the policy that says what else is there.
    Linux { libc: Libc, oldest: MajorMinor, policy: &'static Policy, promised: bool },
    /// macOS.
    MacOs { oldest: MajorMinor },
    /// Windows.
    Windows,
}

/// The Pythons that the tags stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pythons {
    /// They, oldest first; none for another implementation than CPython.
    pub(super) list: Vec<Python>,
    /// The floor of the stable ABI, if that is promised.
    pub(super) stable: Option<u8>,
    /// Another implementation.
    pub(super) foreign: bool,
    /// The tags name their Pythons or a floor, which `py3` and `any` do not.
    pub(super) is_stated: bool,
    /// Those that were asked for and that no tag takes.
    pub(super) refused: Vec<Python>,
}

impl Platform {
    /// The operating system.
    pub(super) const fn os(&self) -> Os {
        match self.system {
            System::Linux { .. } => Os::Linux,
            System::MacOs { .. } => Os::MacOs,
            System::Windows => Os::Windows,
        }
    }

    /// The format of its binaries.
    pub(super) const fn format(&self) -> Format {
        match self.system {
            System::Linux { .. } => Format::Elf,
            System::MacOs { .. } => Format::MachO,
            System::Windows => Format::Pe,
        }
    }

    /// The processor as binaries name it.
    pub(super) const fn architecture(&self) -> Architecture {
        match self.arch {
            Arch::X86_64 => Architecture::X86_64,
            Arch::Arm64 => Architecture::Aarch64,
            Arch::I686 => Architecture::I686,
            Arch::Armv7l => Architecture::Armv7l,
            Arch::Ppc64le => Architecture::Ppc64le,
            Arch::S390x => Architecture::S390x,
            Arch::Riscv64 => Architecture::Riscv64,
        }
    }

    /// Whether an image is for this system's loader.
    pub(super) fn takes(&self, image: &Image) -> bool {
        image.format == self.format() && image.architecture == self.architecture()
    }

    /// How messages call the systems: `manylinux_2_28`, `macOS 12.0`, `Windows`.
    pub(super) fn spoken(&self) -> String {
        match self.system {
            System::Linux { policy, promised: true, .. } => policy.name.to_owned(),
            System::Linux { libc, .. } => format!("Linux with {libc}"),
            System::MacOs { oldest: (major, minor) } => format!("macOS {major}.{minor}"),
            System::Windows => "Windows".to_owned(),
        }
    }

    /// As `capi` calls the system.
    pub(super) const fn python_system(&self) -> capi::System {
        match self.system {
            System::Linux { .. } => capi::System::Linux,
            System::MacOs { .. } => capi::System::MacOs,
            System::Windows => capi::System::Windows,
        }
    }
}

/// The systems that the wheel's tags stand for, each once at its oldest; by its binaries where the tags say nothing. The
/// second list has tags of systems that nothing is known of.
pub(super) fn platforms(contents: &Contents) -> (Vec<Platform>, Vec<String>) {
    let mut oldest: BTreeMap<(u8, Arch), Platform> = BTreeMap::new();
    let mut unknown = Vec::new();
    for tag in contents.tags.iter().flat_map(platform::TagSet::platforms) {
        let platforms = of_tag(tag, contents);
        if platforms.is_empty() && !matches!(tag, PlatformTag::Any) {
            unknown.push(tag.to_string());
        }
        for platform in platforms {
            add(&mut oldest, platform);
        }
    }
    if oldest.is_empty() && unknown.is_empty() {
        for (_, image) in contents.images() {
            if let Some(platform) = of_image(image, contents) {
                add(&mut oldest, platform);
            }
        }
    }
    (oldest.into_values().collect(), unknown)
}

fn add(oldest: &mut BTreeMap<(u8, Arch), Platform>, platform: Platform) {
    let version = |system: &System| match system {
        System::Linux { oldest, .. } | System::MacOs { oldest } => *oldest,
        System::Windows => (0, 0),
    };
    let kind = match platform.system {
        System::Linux { libc: Libc::Glibc, .. } => 0,
        System::Linux { libc: Libc::Musl, .. } => 1,
        System::MacOs { .. } => 2,
        System::Windows => 3,
    };
    match oldest.entry((kind, platform.arch)) {
        std::collections::btree_map::Entry::Occupied(mut known) => {
            if version(&platform.system) < version(&known.get().system) {
                known.insert(platform);
            }
        }
        std::collections::btree_map::Entry::Vacant(place) => {
            place.insert(platform);
        }
    }
}

fn of_tag(tag: &PlatformTag, contents: &Contents) -> Vec<Platform> {
    let text = tag.to_string();
    let each = |system: &dyn Fn(Arch) -> Option<System>| -> Vec<Platform> {
        let arches = tag.arches();
        arches
            .into_iter()
            .filter_map(|arch| Some(Platform { system: system(arch)?, arch, tag: text.clone() }))
            .collect()
    };
    match tag {
        PlatformTag::Manylinux { glibc, .. } => each(&|arch| linux(Libc::Glibc, arch, Some(*glibc))),
        PlatformTag::Musllinux { musl, .. } => each(&|arch| linux(Libc::Musl, arch, Some(*musl))),
        PlatformTag::Linux { .. } => each(&|arch| linux(libc(contents), arch, None)),
        // The first macOS for arm64 is 11, whatever a universal2 tag says for x86_64.
        PlatformTag::Macosx { version, .. } => each(&|arch| {
            let oldest = if arch == Arch::Arm64 { (*version).max((11, 0)) } else { *version };
            Some(System::MacOs { oldest })
        }),
        PlatformTag::Windows { .. } => each(&|_| Some(System::Windows)),
        PlatformTag::Any | PlatformTag::Other(_) => Vec::new(),
    }
}

fn of_image(image: &Image, contents: &Contents) -> Option<Platform> {
    let arch = Arch::from_machine(image.architecture.name())?;
    let (system, os) = match image.format {
        Format::Elf => (linux(libc(contents), arch, None)?, Os::Linux),
        Format::MachO => {
            let oldest = super::policy::minimum(image).unwrap_or((11, 0));
            (System::MacOs { oldest }, Os::MacOs)
        }
        Format::Pe => (System::Windows, Os::Windows),
        Format::Coff => return None,
    };
    let text = match system {
        System::Linux { .. } => format!("linux_{}", arch.tag(os)),
        System::MacOs { oldest: (major, minor) } => format!("macosx_{major}_{minor}_{}", arch.tag(os)),
        System::Windows if arch == Arch::I686 => "win32".to_owned(),
        System::Windows => format!("win_{}", arch.tag(os)),
    };
    Some(Platform { system, arch, tag: text })
}

/// The newest policy that systems with this C library all meet. Without a version, of the newest systems there are.
fn linux(libc: Libc, arch: Arch, version: Option<MajorMinor>) -> Option<System> {
    let known: Vec<_> = policies(libc, arch).collect();
    let fitting = known.iter().rev().find(|policy| version.is_none_or(|version| policy.version <= version));
    // A version below the oldest policy's: the oldest is the nearest that is known.
    let policy = fitting.or(known.first()).copied()?;
    Some(System::Linux { libc, oldest: version.unwrap_or(policy.version), policy, promised: version.is_some() })
}

/// Which C library the binaries need.
fn libc(contents: &Contents) -> Libc {
    let needed = contents.images().flat_map(|(_, image)| &image.needed);
    let libcs: Vec<Libc> = needed.filter_map(|need| Libc::of_library(&need.name)).collect();
    if libcs.contains(&Libc::Musl) && !libcs.contains(&Libc::Glibc) { Libc::Musl } else { Libc::Glibc }
}

/// The Pythons that the tags stand for, or of those that were asked for the ones that the tags take.
pub(super) fn pythons(contents: &Contents, asked: &[Python]) -> Pythons {
    let of_tags = contents.tags.as_ref().map_or(python::Aim::Unstated, python::of_tags);
    let stable = match &of_tags {
        python::Aim::Stable { floor, .. } => Some(floor.unwrap_or(OLDEST_SUPPORTED)),
        _ => None,
    };
    let is_stated = of_tags != python::Aim::Unstated;
    let whole = |list, foreign| Pythons { list, stable, foreign, is_stated, refused: Vec::new() };
    if !asked.is_empty() {
        let takes = |python: &Python| contents.tags.as_ref().is_none_or(|tags| python::takes(tags, *python));
        let (list, refused) = asked.iter().copied().partition(takes);
        return Pythons { refused, ..whole(list, false) };
    }
    let from = |floor: u8, builds: &[Build]| -> Vec<Python> {
        Python::all().filter(|python| python.minor >= floor && builds.contains(&python.build)).collect()
    };
    match of_tags {
        python::Aim::Exact(list) => whole(list, false),
        python::Aim::Stable { floor, builds } => whole(from(floor.unwrap_or(OLDEST_SUPPORTED), &builds), false),
        python::Aim::Foreign => whole(Vec::new(), true),
        python::Aim::Unstated => whole(from(OLDEST_SUPPORTED, &[Build::Gil]), false),
    }
}

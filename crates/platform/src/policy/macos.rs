//! macOS: which libraries are the system's, and which deployment target a binary's minimum version fits.

use crate::platform_tag::MajorMinor;
use crate::target::Arch;

/// Where the system's libraries lie. Since macOS 11 most are no files but parts of the dyld shared cache, under the
/// same names (delocate's `filter_system_libs`; dyld's documentation).
pub const SYSTEM_FOLDERS: [&str; 2] = ["/usr/lib/", "/System/"];

/// Whether an install name is one of the system's libraries.
pub fn is_system_library(install_name: &str) -> bool {
    SYSTEM_FOLDERS.iter().any(|folder| install_name.starts_with(folder))
}

/// The version that a platform tag gives for a binary's minimum: from 11 on the minor version is 0, as pip looks for no
/// other (packaging's `mac_platforms`), and arm64 starts with 11.0.
pub fn tag_version(minos: MajorMinor, arch: Arch) -> MajorMinor {
    let version = major_from_11(minos);
    if arch == Arch::Arm64 { version.max((11, 0)) } else { version }
}

/// Whether a binary whose minimum version is `minos` runs wherever wheels for `deployment_target` are installed:
/// compared by major version from 11 on, as the tags do.
pub fn satisfies(deployment_target: MajorMinor, minos: MajorMinor) -> bool {
    major_from_11(minos) <= major_from_11(deployment_target)
}

/// The newest macOS that there was when this was written.
const NEWEST: u16 = 26;

/// Why no wheel can be for a deployment target, and which one was probably meant.
pub fn no_such_target(version: MajorMinor, arch: Arch) -> Option<(String, MajorMinor)> {
    let (major, minor) = version;
    match version {
        (10, 0..=15) if arch == Arch::Arm64 => {
            Some(("macOS for arm64 begins with 11.0".to_owned(), tag_version(version, arch)))
        }
        (10, 0..=15) => None,
        (10, _) => Some(("10.15 is followed by 11".to_owned(), (11, 0))),
        (0..10, _) => Some((format!("there is no macOS {major}"), if arch == Arch::Arm64 { (11, 0) } else { (10, 9) })),
        // Apple went on with the year.
        (16..NEWEST, _) => Some(("macOS 15 is followed by 26".to_owned(), (15, 0))),
        (11..=NEWEST, 1..) => Some((
            format!("from 11 on the minor version of a tag is 0, and {major}.{minor} is one of {major}"),
            (major, 0),
        )),
        (11..=NEWEST, 0) => None,
        _ => Some((format!("no macOS {major} is known; the newest is {NEWEST}"), (NEWEST, 0))),
    }
}

const fn major_from_11(version: MajorMinor) -> MajorMinor {
    // 10.16 is what macOS 11 tells programs that were built before there was an 11.
    match version {
        (10, 16) => (11, 0),
        (major, _) if major >= 11 => (major, 0),
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_libraries_by_folder() {
        for (name, system) in [
            ("/usr/lib/libSystem.B.dylib", true),
            ("/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate", true),
            ("/usr/local/lib/libz.dylib", false),
            ("/usr/library/libz.dylib", false),
            ("/opt/homebrew/lib/libzstd.1.dylib", false),
            ("@rpath/libSystem.B.dylib", false),
            ("", false),
        ] {
            assert_eq!(is_system_library(name), system, "{name}");
        }
    }

    #[test]
    fn deployment_targets_that_there_are() {
        for (version, arch, meant) in [
            ((10, 9), Arch::X86_64, None),
            ((10, 9), Arch::Arm64, Some((11, 0))),
            ((10, 16), Arch::X86_64, Some((11, 0))),
            ((9, 0), Arch::X86_64, Some((10, 9))),
            ((11, 0), Arch::Arm64, None),
            ((12, 3), Arch::Arm64, Some((12, 0))),
            ((15, 0), Arch::X86_64, None),
            ((21, 0), Arch::Arm64, Some((15, 0))),
            ((26, 0), Arch::Arm64, None),
            ((120, 0), Arch::Arm64, Some((26, 0))),
        ] {
            assert_eq!(no_such_target(version, arch).map(|(_, meant)| meant), meant, "{version:?} on {arch}");
        }
    }

    #[test]
    fn minor_versions_count_up_to_10_15() {
        for (target, minos, fits) in [
            ((10, 9), (10, 9), true),
            ((10, 9), (10, 12), false),
            ((10, 15), (11, 0), false),
            ((11, 0), (10, 15), true),
            ((11, 0), (11, 3), true),
            ((11, 0), (10, 16), true),
            ((12, 0), (13, 0), false),
            ((14, 0), (13, 6), true),
        ] {
            assert_eq!(satisfies(target, minos), fits, "{minos:?} on {target:?}");
        }
        assert_eq!(tag_version((10, 9), Arch::X86_64), (10, 9));
        assert_eq!(tag_version((10, 9), Arch::Arm64), (11, 0));
        assert_eq!(tag_version((13, 4), Arch::Arm64), (13, 0));
    }
}

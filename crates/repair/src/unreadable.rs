//! Files that should be binaries and cannot be read: which of them a loader will be asked to open.

use crate::binary::file_name;
use crate::place::place_of;
use audit::importing::{Importers, NoBinary};
use std::collections::BTreeSet;
use wheel::{Member, Wheel};

/// A file that is named like a library, or looks like a binary, and cannot be read as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) member: String,
    /// As of [`crate::binary::Binary::place`].
    pub(crate) place: String,
    pub(crate) reason: String,
    /// Whether a loader will be asked to open it; data may look like anything.
    pub(crate) is_opened: bool,
}

/// Why a member is no binary that can be read.
pub(crate) enum Broken {
    /// It begins as one.
    Damaged(String),
    /// It is only called like one.
    None(NoBinary),
}

/// Which of the files that cannot be read a loader will be asked to open: what `import` opens by its name, programs, and
/// what is called like a library and is neither empty nor a text (a script for the linker, a pointer to a large file).
pub(crate) fn unreadable(wheel: &Wheel, name: &str, broken: Vec<(&Member, Broken)>) -> Vec<Unreadable> {
    if broken.is_empty() {
        return Vec::new();
    }
    let dist_info = wheel.dist_info.as_ref().ok();
    let tags = name.parse::<platform::WheelName>().ok().map(|name| name.tags);
    let importers = Importers::of(tags.as_ref());
    let places: BTreeSet<String> =
        wheel.archive.members().iter().map(|member| place_of(dist_info, &member.name)).collect();
    let is_package = |folder: &str| places.contains(&format!("{folder}/__init__.py"));
    let judged = broken.into_iter().filter_map(|(member, broken)| {
        let place = place_of(dist_info, &member.name);
        let imported = importers.open(&place, is_package);
        let (is_opened, reason) = match broken {
            Broken::Damaged(reason) => {
                let opened = imported || is_named_like_a_library(&member.name) || member.is_executable();
                (opened || place.starts_with("../bin/"), reason)
            }
            // A suffix that names no Python says little: such a script lies beside the library that it leads to.
            Broken::None(NoBinary::LinkerScript) if place.matches('.').count() < 2 => return None,
            Broken::None(what) => (imported || what == NoBinary::Unknown, what.what().to_owned()),
        };
        Some(Unreadable { member: member.name.clone(), place, reason, is_opened })
    });
    judged.collect()
}

/// `libx.so`, `libx.so.1.2`, `x.pyd`, `x.dll`, `libx.dylib`.
pub(crate) fn is_named_like_a_library(member: &str) -> bool {
    let name = file_name(member).to_ascii_lowercase();
    let versioned = name
        .split_once(".so.")
        .is_some_and(|(_, version)| !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.'));
    versioned || [".so", ".pyd", ".dll", ".dylib"].iter().any(|ending| name.ends_with(ending))
}

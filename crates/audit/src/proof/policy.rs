//! Which platform tag the binaries really meet, and what stands in the way of a more widely usable one.

use super::aim::{Platform, System};
use super::contents::Contents;
use objfile::System as AppleSystem;
use platform::policy::macos::tag_version;
use platform::policy::{Needs, Policy, policies, why_not, widest};
use serde::Serialize;
use std::collections::BTreeSet;

/// What the binaries of one platform meet.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyReached {
    /// The wheel's own tag for it.
    pub tag: String,
    /// The widest tag that they meet; `None` where no policy is met.
    pub reached: Option<String>,
    /// All known policies that they meet, the widest first. Versions of macOS are not counted up here.
    #[serde(skip)]
    pub met: Vec<String>,
    /// Why no wider one: those tags from the nearest on, each with its reasons.
    pub why_not_wider: Vec<Narrower>,
}

/// A tag that is not met.
#[derive(Debug, Clone, Serialize)]
pub struct Narrower {
    /// It.
    pub tag: String,
    /// Each a sentence that names the binaries and what they need.
    pub reasons: Vec<String>,
}

/// What the binaries ask of a Linux system.
pub(super) fn needs<'a>(contents: &'a Contents, platform: &Platform) -> Needs<'a> {
    let images = || contents.images().filter(|(_, image)| platform.takes(image));
    let own: BTreeSet<&str> =
        images().flat_map(|(binary, image)| [binary.path.file_name(), image.identity.as_deref()]).flatten().collect();
    let mut needs = Needs::default();
    for (binary, image) in images() {
        let outside = |name: &&str| !own.contains(name.rsplit('/').next().unwrap_or(name));
        let versions = image.elf.iter().flat_map(|elf| &elf.version_needs).filter(|need| outside(&&*need.file));
        let versions = versions.flat_map(|need| {
            let strong = need.versions.iter().filter(|(_, weak)| !weak);
            strong.map(move |(version, _)| (&*need.file, &**version))
        });
        needs.add(
            &binary.member,
            image.needed.iter().map(|need| &*need.name).filter(outside),
            versions,
            image.imports().filter(|import| !import.weak && import.version.is_none()).map(|import| import.name),
        );
    }
    needs
}

/// What a platform's binaries meet.
pub(super) fn reached(contents: &Contents, platform: &Platform) -> PolicyReached {
    match platform.system {
        System::Linux { libc, .. } => {
            let needs = needs(contents, platform);
            let reached = widest(libc, platform.arch, &needs);
            let all: Vec<&'static Policy> = policies(libc, platform.arch).collect();
            let met = all.iter().filter(|policy| reached.is_some_and(|reached| policy.version >= reached.version));
            let met = met.map(|policy| policy.platform_tag(platform.arch)).collect();
            let narrower =
                all.into_iter().rev().filter(|policy| reached.is_none_or(|reached| policy.version < reached.version));
            let narrower = narrower.map(|policy| Narrower {
                tag: policy.platform_tag(platform.arch),
                reasons: why_not(policy, platform.arch, &needs).iter().map(ToString::to_string).collect(),
            });
            PolicyReached {
                tag: platform.tag.clone(),
                reached: reached.map(|policy| policy.platform_tag(platform.arch)),
                met,
                why_not_wider: narrower.collect(),
            }
        }
        System::MacOs { .. } => macos(contents, platform),
        System::Windows => {
            let tag = platform.tag.clone();
            PolicyReached { met: vec![tag.clone()], reached: Some(tag.clone()), tag, why_not_wider: Vec::new() }
        }
    }
}

/// What a binary of a wheel says is the oldest macOS it runs on.
pub(super) fn minimum(image: &linkage::Image) -> Option<(u16, u16)> {
    let mac = image.minimum_os.iter().find(|os| os.system == AppleSystem::MacOs)?;
    Some((u16::try_from(mac.minimum.major).ok()?, u16::try_from(mac.minimum.minor).ok()?))
}

fn macos(contents: &Contents, platform: &Platform) -> PolicyReached {
    let arch = platform.arch.tag(platform.os());
    let tag = |(major, minor): (u16, u16)| format!("macosx_{major}_{minor}_{arch}");
    let images = contents.images().filter(|(_, image)| platform.takes(image));
    let minima: Vec<(&str, (u16, u16))> = images
        .filter_map(|(binary, image)| Some((binary.member.as_str(), tag_version(minimum(image)?, platform.arch))))
        .collect();
    let Some(highest) = minima.iter().map(|(_, minimum)| *minimum).max() else {
        let tag = platform.tag.clone();
        return PolicyReached { tag, reached: None, met: Vec::new(), why_not_wider: Vec::new() };
    };
    let mut below: BTreeSet<(u16, u16)> = minima.iter().map(|(_, minimum)| *minimum).collect();
    below.remove(&highest);
    // Where all agree, the macOS before is what one would want next.
    if below.is_empty()
        && let (major, 0) = highest
        && major > 11
    {
        below.insert((major - 1, 0));
    }
    let narrower = below.into_iter().rev().map(|version| {
        let above = minima.iter().filter(|(_, minimum)| *minimum > version);
        let reasons = above.map(|(member, (major, minor))| format!("`{member}` is built for macOS {major}.{minor}"));
        Narrower { tag: tag(version), reasons: reasons.collect() }
    });
    let (reached, why_not_wider) = (Some(tag(highest)), narrower.collect());
    PolicyReached { tag: platform.tag.clone(), reached, met: Vec::new(), why_not_wider }
}

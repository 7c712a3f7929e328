//! `show --why TAG`: why the binaries do not meet a tag, that they do, or that there is no such tag.

use crate::exit::Failure;
use audit::proof::{PolicyReached, Proof};
use platform::PlatformTag;

/// What `policy` says of the tag that was asked for; `None` if it is no tag of its system.
pub(super) fn answer(policy: &PolicyReached, asked: &str) -> Option<Vec<String>> {
    let mut lines: Vec<String> =
        policy.met.iter().filter(|tag| is_meant(tag, asked)).map(|tag| format!("  {tag} is met")).collect();
    for narrower in policy.why_not_wider.iter().filter(|narrower| is_meant(&narrower.tag, asked)) {
        lines.extend(narrower.reasons.iter().map(|reason| format!("  not {}: {reason}", narrower.tag)));
    }
    if !lines.is_empty() {
        return Some(lines);
    }
    // Versions of macOS are not counted up; they compare.
    let reached = policy.reached.as_deref()?;
    let (tag, version, least) = (like(asked, &policy.tag), macos(&like(asked, &policy.tag))?, macos(reached)?);
    Some(vec![if version >= least {
        format!("  {tag} is met")
    } else {
        format!("  not {tag}: the widest that is met is {reached}")
    }])
}

/// An error if a tag is none of any wheel's systems: a slip of the pen would look like an answer.
pub(super) fn check(asked: &str, wheels: &[Proof]) -> Result<(), Failure> {
    let policies: Vec<&PolicyReached> = wheels.iter().flat_map(|proof| &proof.policies).collect();
    if policies.iter().any(|policy| answer(policy, asked).is_some()) {
        return Ok(());
    }
    if policies.is_empty() {
        let error = "the wheels have no binaries, so that they meet every tag";
        return Err(Failure::usage(format!("`--why {asked}`: {error}")));
    }
    let wider = |policy: &&PolicyReached| policy.why_not_wider.iter().map(|narrower| narrower.tag.clone()).collect();
    let mut tags: Vec<String> =
        policies.iter().flat_map(|policy| policy.met.iter().cloned().chain::<Vec<String>>(wider(policy))).collect();
    tags.sort_unstable();
    tags.dedup();
    // Without its processor, too: that is how most type it.
    let bare = tags.iter().filter_map(|tag| {
        let parsed: PlatformTag = tag.parse().ok()?;
        tag.strip_suffix(parsed.arch_text()?)?.strip_suffix('_')
    });
    let near = diagnostics::nearest(asked, bare.chain(tags.iter().map(String::as_str)));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", tags.join(", ")),
    };
    Err(Failure::usage(format!("`--why {asked}`: no tag of the wheels' systems is called that")).help(help))
}

/// Whether what was typed means a tag: `manylinux_2_28` that of any processor, `manylinux2014` the same as `manylinux_2_17`.
fn is_meant(tag: &str, asked: &str) -> bool {
    let asked = like(asked, tag);
    let glibc = |text: &str| match text.parse() {
        Ok(PlatformTag::Manylinux { glibc, arch, .. }) => Some((glibc, arch)),
        _ => None,
    };
    tag == asked || glibc(tag).is_some_and(|named| glibc(&asked) == Some(named))
}

/// What was typed with the processor of `tag`, if it names none.
fn like(asked: &str, tag: &str) -> String {
    let arch = |text: &str| text.parse::<PlatformTag>().ok().and_then(|tag| tag.arch_text().map(str::to_owned));
    match (arch(asked), arch(tag)) {
        (None, Some(arch)) => format!("{asked}_{arch}"),
        _ => asked.to_owned(),
    }
}

fn macos(tag: &str) -> Option<(u16, u16)> {
    match tag.parse() {
        Ok(PlatformTag::Macosx { version, .. }) => Some(version),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use audit::proof::Narrower;

    #[test]
    fn what_is_asked() {
        let narrower = |tag: &str| Narrower { tag: tag.to_owned(), reasons: vec!["because".to_owned()] };
        let linux = PolicyReached {
            tag: "manylinux_2_28_x86_64".into(),
            reached: Some("manylinux_2_17_x86_64".into()),
            met: vec!["manylinux_2_17_x86_64".into(), "manylinux_2_28_x86_64".into()],
            why_not_wider: vec![narrower("manylinux_2_5_x86_64")],
        };
        let mac = PolicyReached {
            tag: "macosx_12_0_arm64".into(),
            reached: Some("macosx_12_0_arm64".into()),
            met: Vec::new(),
            why_not_wider: vec![narrower("macosx_11_0_arm64")],
        };
        for (policy, asked, said) in [
            (&linux, "manylinux_2_28", Some("  manylinux_2_28_x86_64 is met")),
            (&linux, "manylinux2014", Some("  manylinux_2_17_x86_64 is met")),
            (&linux, "manylinux1_x86_64", Some("  not manylinux_2_5_x86_64: because")),
            (&linux, "manylinux_2_5", Some("  not manylinux_2_5_x86_64: because")),
            (&linux, "manylinux_2", None),
            (&linux, "manylinux_2_28_aarch64", None),
            (&linux, "foo", None),
            (&linux, "macosx_11_0", None),
            (&mac, "macosx_11_0", Some("  not macosx_11_0_arm64: because")),
            (&mac, "macosx_13_0", Some("  macosx_13_0_arm64 is met")),
            (&mac, "macosx_10_9", Some("  not macosx_10_9_arm64: the widest that is met is macosx_12_0_arm64")),
            (&mac, "foo", None),
        ] {
            assert_eq!(answer(policy, asked).map(|lines| lines.join("|")).as_deref(), said, "{asked}");
        }
    }
}

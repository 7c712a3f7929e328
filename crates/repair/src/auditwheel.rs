//! auditwheel and patchelf on Linux: their command line, and what they say when they fail.

use crate::request::Request;
use camino::Utf8PathBuf;
use exec::Step;
use host::World;
use platform::TargetPlatform;

/// The oldest auditwheel that is taken: 6.0 computes policies per architecture and knows `--only-plat` (6.8 is pinned).
pub(crate) const MINIMUM_AUDITWHEEL: (u32, u32) = (6, 0);
/// The oldest patchelf that is taken: before 0.14 version needs kept the old names (patchelf#84), and 0.18 misaligns
/// segments on RHEL-likes (patchelf#492).
pub(crate) const MINIMUM_PATCHELF: (u32, u32) = (0, 19);

/// The folder that auditwheel writes into: private, so that the unrepaired wheel which it leaves there by a failure is
/// never mistaken for a result.
pub(crate) fn out_dir(request: &Request) -> Utf8PathBuf {
    request.work_dir.join("wheel")
}

/// The steps of a repair, in order. `{wheel}` is the wheel that was built.
pub fn steps(request: &Request, world: &World) -> Vec<Step> {
    let _ = world;
    let python = request.tools.python.as_str();
    let out = out_dir(request);
    let mut argv = [python, "-m", "auditwheel", "repair", "--only-plat", "-w", out.as_str()].map(str::to_owned).to_vec();
    let tag = match &request.platform {
        TargetPlatform::Auto => None,
        asked @ TargetPlatform::Policy(_) => asked.platform_tag(&request.target),
    };
    if let Some(tag) = tag {
        argv.extend(["--plat".to_owned(), tag.to_string()]);
    }
    for library in &request.exclude {
        argv.extend(["--exclude".to_owned(), library.clone()]);
    }
    if request.strip {
        argv.push("--strip".to_owned());
    }
    argv.push("{wheel}".to_owned());
    let log = request.log_dir.join("repair.log");
    let mut step = Step::new("repair", argv, request.work_dir.clone(), log).with_timeout(request.time_limit);
    step.clean_env = true;
    // Relative folders resolve nothing in auditwheel; these are absolute. PATH leads to patchelf.
    let search: Vec<&str> = request.library_dirs.iter().map(|dir| dir.as_str()).collect();
    vec![
        step.with_env("PATH", format!("{}:{{PATH}}", request.tools.programs))
            .with_env("LD_LIBRARY_PATH", search.join(":"))
            .with_env("SOURCE_DATE_EPOCH", request.source_date_epoch.to_string())
            .with_env("PYTHONHASHSEED", "0"),
    ]
}

/// The policy in a message such as `cannot repair … to "manylinux_2_28_x86_64" ABI because of the presence of
/// too-recent versioned symbols`.
pub(crate) fn is_policy_refusal(log: &str) -> bool {
    log.contains("too-recent versioned symbols") || log.contains("because it uses blacklisted symbols") || log.contains("ABI because")
}

/// The library in `Cannot repair wheel, because required library "libfoo.so.1" could not be located`.
pub(crate) fn missing_library(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("required library \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.trim_start().starts_with("could not be located").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_auditwheel_says() {
        let missing = "ValueError: Cannot repair wheel, because required library \"libLLVM-14.so.1\" could not be located";
        assert_eq!(missing_library(missing).as_deref(), Some("libLLVM-14.so.1"));
        assert_eq!(missing_library("nothing of the sort"), None);
        let refusal = "auditwheel: error: cannot repair \"x.whl\" to \"manylinux_2_17_x86_64\" ABI because of the presence of too-recent versioned symbols.";
        assert!(is_policy_refusal(refusal));
    }
}

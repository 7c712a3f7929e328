//! What compilers and build systems on macOS are told: for which processor, and for which system at the oldest.
//!
//! The Pythons of python.org, which GitHub's runners have too, are for both processors (`universal2`), and so would be
//! what is built with them; a libLLVM of Homebrew is for one. Without a deployment target most build systems take the
//! system that they run on, and the wheel is for nothing older.

use crate::request::Request;
use platform::{Arch, Os, PolicyStem, TargetPlatform};
use std::collections::BTreeMap;

/// The oldest macOS that runs on a processor of Apple.
const OLDEST_ON_ARM64: (u32, u32) = (11, 0);

/// The variables for a build on macOS; none for another system. What the environment sets already (`inherited`) is left
/// to it, but for what the configuration's `platform:` asks for.
pub(crate) fn variables(request: &Request, inherited: &BTreeMap<String, String>) -> Vec<(String, String)> {
    if request.target.os != Os::MacOs {
        return Vec::new();
    }
    let arch = request.target.arch.tag(Os::MacOs);
    let mut variables = Vec::new();
    if !inherited.contains_key("ARCHFLAGS") {
        // setuptools and scikit-build-core read it, and maturin to tell one processor from both.
        variables.push(("ARCHFLAGS".to_owned(), format!("-arch {arch}")));
    }
    let oldest = match request.platform {
        TargetPlatform::Policy(PolicyStem::Macosx((major, minor))) => Some(format!("{major}.{minor}")),
        _ => None,
    };
    let (version, ours) = match (oldest, inherited.get("MACOSX_DEPLOYMENT_TARGET")) {
        (Some(asked), _) => (asked, true),
        (None, Some(inherited)) => (inherited.clone(), false),
        (None, None) => (least(request), true),
    };
    if ours {
        variables.push(("MACOSX_DEPLOYMENT_TARGET".to_owned(), version.clone()));
    }
    if request.interpreter.platform.ends_with("-universal2") {
        // The tag that setuptools gives the wheel.
        variables.push(("_PYTHON_HOST_PLATFORM".to_owned(), format!("macosx-{version}-{arch}")));
    }
    variables
}

/// The oldest system that the interpreter itself runs on with this processor.
fn least(request: &Request) -> String {
    let own = request.interpreter.macos_deployment_target.as_deref().or_else(|| {
        // `macosx-10.13-universal2`
        request.interpreter.platform.split('-').nth(1)
    });
    let numbers = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next().flatten().unwrap_or(0)))
    };
    let floor = if request.target.arch == Arch::Arm64 { OLDEST_ON_ARM64 } else { (10, 9) };
    let (major, minor) = own.and_then(numbers).unwrap_or(floor).max(floor);
    format!("{major}.{minor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request for an interpreter that says this of its platform.
    fn request(target: &str, platform: &str, interpreter: &str, built_for: Option<&str>) -> Request {
        let tools = serde_json::json!({
            "purpose": "build", "dir": "/t", "python": "/t/bin/python", "programs": "/t/bin", "base_python": "/p",
            "requirements": "", "locked": false,
        });
        let interpreter = serde_json::json!({
            "path": "/p", "real_path": "/p", "origin": "path", "fingerprint": "f", "version": "3.13.0", "python": "cp313",
            "implementation": "cpython", "debug": false, "ext_suffix": ".so", "platform": interpreter, "bits": 64,
            "prefix": "/p", "include_dir": null, "has_headers": true, "stdlib": null, "has_venv": true,
            "shared_libpython": false, "macos_deployment_target": built_for,
        });
        serde_json::from_value(serde_json::json!({
            "project": "p", "project_dir": "/s", "sources": "tree", "interpreter": interpreter, "tools": tools,
            "target": target, "platform": platform, "llvm": null, "backend": "b", "config_settings": {},
            "variables": {}, "before_build": [], "imports": [], "work_dir": "/w", "log_dir": "/l", "time_limit": 1,
            "source_date_epoch": 1,
        }))
        .unwrap()
    }

    #[test]
    fn what_compilers_are_told() {
        let universal = ("macosx-10.13-universal2", Some("10.13"));
        for (target, platform, (interpreter, built_for), inherited, expected) in [
            ("linux-x86_64", "auto", ("linux-x86_64", None), "", ""),
            ("macos-arm64", "macosx_12_0", universal, "", "-arch arm64 12.0 macosx-12.0-arm64"),
            ("macos-arm64", "auto", universal, "", "-arch arm64 11.0 macosx-11.0-arm64"),
            ("macos-x86_64", "auto", universal, "", "-arch x86_64 10.13 macosx-10.13-x86_64"),
            ("macos-arm64", "auto", ("macosx-14.0-arm64", Some("14.0")), "", "-arch arm64 14.0"),
            // Of another version the interpreter itself speaks.
            ("macos-arm64", "auto", ("macosx-13.2-arm64", None), "", "-arch arm64 13.2"),
            ("macos-arm64", "auto", ("odd", Some("odd")), "", "-arch arm64 11.0"),
            // Who sets it himself means it, unless the configuration asks for a platform.
            ("macos-arm64", "auto", universal, "MACOSX_DEPLOYMENT_TARGET=13.0", "-arch arm64 macosx-13.0-arm64"),
            (
                "macos-arm64",
                "macosx_12_0",
                universal,
                "MACOSX_DEPLOYMENT_TARGET=13.0",
                "-arch arm64 12.0 macosx-12.0-arm64",
            ),
            ("macos-arm64", "macosx_12_0", universal, "ARCHFLAGS=-arch x", "12.0 macosx-12.0-arm64"),
        ] {
            let inherited = inherited.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            let told = variables(&request(target, platform, interpreter, built_for), &inherited.into_iter().collect());
            let told: Vec<String> = told.into_iter().map(|(_, value)| value).collect();
            assert_eq!(told.join(" "), expected, "{target} {platform} {interpreter}");
        }
    }
}

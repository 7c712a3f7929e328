//! delocate with otool, install_name_tool, codesign and lipo, for macOS.

use crate::binary::{Snapshot, file_name};
use crate::error::RepairError;
use crate::image::Signature;
use crate::repairer::{Left, Minimum, Repairer, Said, list, out_dir, step};
use crate::request::Request;
use exec::{Runner, Step};
use host::World;
use objfile::{Architecture, Format};
use platform::{Os, PolicyStem, TargetPlatform};
use std::collections::BTreeSet;
use wheel::{Content, Edits, Wheel};

/// delocate.
#[derive(Debug)]
pub(crate) struct Delocate;

const MINIMUMS: &[Minimum] = &[Minimum {
    distribution: "delocate",
    version: (0, 12),
    reason: "before 0.12 run paths that lead outside of the wheel stayed in it unless asked otherwise, and before 0.11 the \
             platform tag was not computed from the binaries",
}];

impl Repairer for Delocate {
    fn name(&self) -> &'static str {
        "delocate"
    }

    fn minimums(&self) -> &'static [Minimum] {
        MINIMUMS
    }

    fn programs(&self, _request: &Request) -> Vec<&'static str> {
        vec!["otool", "install_name_tool", "codesign", "lipo"]
    }

    fn runs_on(&self) -> Option<Os> {
        // Its programs are Apple's; where they are, or stand-ins for them, it runs.
        None
    }

    fn steps(&self, request: &Request, world: &World) -> Vec<Step> {
        let out = out_dir(request);
        let python = request.tools.python.as_str();
        let arch = request.target.arch.tag(Os::MacOs);
        let mut argv = [python, "-m", "delocate.cmd.delocate_wheel", "-v", "--require-archs", arch, "-w", out.as_str()]
            .map(str::to_owned)
            .to_vec();
        for library in &request.exclude {
            argv.extend(["--exclude".to_owned(), literal(library).to_owned()]);
        }
        argv.push("{wheel}".to_owned());
        let mut step = step(request, world, argv);
        if !request.library_dirs.is_empty() {
            // The variable that is asked last: DYLD_LIBRARY_PATH would put what lies beside LLVM in the place of Python's
            // own libraries. What dyld looks at by default is lost by setting it, so it is said again.
            let usual = [&list(&request.library_dirs, world.os), "/usr/local/lib", "/usr/lib"].join(":");
            step = step.with_env("DYLD_FALLBACK_LIBRARY_PATH", usual);
        }
        // A binary that is newer than this is refused; without it the tag is what the newest binary asks for.
        let target = match request.platform {
            TargetPlatform::Policy(PolicyStem::Macosx((major, minor))) => Some(format!("{major}.{minor}")),
            _ => world.env.get("MACOSX_DEPLOYMENT_TARGET").cloned(),
        };
        if let Some(target) = target {
            step = step.with_env("MACOSX_DEPLOYMENT_TARGET", target);
        }
        vec![step]
    }

    /// A universal wheel has to have both processors in every library.
    fn suited(&self, _request: &Request, before: &Snapshot, mut step: Step) -> Step {
        let universal = before.wheel.archive.path().file_name().is_some_and(|name| name.contains("_universal2"));
        if universal && let Some(at) = step.argv.iter().position(|word| word == "--require-archs") {
            step.argv.splice(at + 1..=at + 1, ["universal2".to_owned()]);
        }
        step
    }

    fn understand(&self, log: &str) -> Option<Said> {
        if log.contains("larger updated load commands do not fit") || log.contains("headerpad") {
            return Some(Said::NoHeaderRoom(header_room(log).unwrap_or_default()));
        }
        if log.contains("do not satisfy target MacOS") {
            let libraries = log.lines().filter_map(|line| line.split_once(" has a minimum target of "));
            let libraries = libraries.map(|(file, version)| (inside(file).to_owned(), version.trim().to_owned()));
            return Some(Said::TooNew(libraries.collect()));
        }
        if log.contains("Could not find all dependencies") || log.contains("DependencyNotFound") {
            let library = log.lines().find_map(|line| line.trim().strip_suffix(" not found:")).map(str::to_owned);
            return Some(Said::LibraryNotFound { library });
        }
        for sentence in
            ["Some missing architectures in wheel", "Failed to find any binary with the required architecture"]
        {
            if let Some((_, rest)) = log.split_once(sentence) {
                let what =
                    rest.lines().map(str::trim).find(|line| !line.is_empty() && *line != ":").unwrap_or_default();
                return Some(Said::WrongArchitecture(inside(what.trim_start_matches(": ")).to_owned()));
            }
        }
        None
    }

    fn repaired_before(&self, wheel: &Wheel) -> Option<String> {
        // It refuses to put a library into a folder that is there already: the package's `.dylibs`, or `NAME.dylibs` at the
        // root where there is no package.
        let is_folder = |name: &str| {
            let root = name.split_once('/').is_some_and(|(folder, _)| folder.ends_with(".dylibs"));
            root || name.contains("/.dylibs/")
        };
        let has_folder = wheel.archive.members().iter().any(|member| is_folder(&member.name));
        has_folder.then(|| {
            let generator = wheel.wheel_file.as_ref().and_then(|file| file.generator.clone());
            generator.filter(|generator| generator.contains("delocate")).unwrap_or_else(|| "delocate".to_owned())
        })
    }

    fn archive(&self) -> Left {
        // The order of files is the folder's.
        Left::InDisorder
    }

    /// It renews signatures and makes none: a binary that came unsigned stays so, and macOS on arm64 kills the process
    /// that loads it.
    fn complete(
        &self,
        request: &Request,
        result: &Snapshot,
        runner: &Runner<'_>,
    ) -> Result<Option<Edits>, RepairError> {
        let wants = |binary: &&crate::binary::Binary| {
            binary.format == Format::MachO
                && match binary.signature {
                    Signature::Broken => true,
                    Signature::Unsigned => binary.architecture == Architecture::Aarch64,
                    Signature::Valid | Signature::NotApplicable => false,
                }
        };
        let members: BTreeSet<&str> =
            result.binaries.iter().filter(wants).map(|binary| binary.member.as_str()).collect();
        if members.is_empty() {
            return Ok(None);
        }
        let mut edits = Edits::new();
        let mut argv = ["codesign", "--force", "--sign", "-"].map(str::to_owned).to_vec();
        for (index, name) in members.iter().enumerate() {
            let Some(member) = result.wheel.archive.member(name) else { continue };
            let bytes = result.wheel.archive.read(member).map_err(|error| RepairError::BadWheel {
                wheel: result.wheel.archive.path().file_name().unwrap_or_default().to_owned(),
                reason: error.to_string(),
            })?;
            // The file's name becomes the signature's identifier.
            let dir = request.work_dir.join(format!("sign/{index}"));
            fs_err::create_dir_all(&dir)?;
            let file = dir.join(file_name(name));
            fs_err::write(&file, bytes)?;
            argv.push(file.to_string());
            let mode = if member.is_executable() { 0o755 } else { 0o644 };
            edits.put(*name, Content::File(file), mode);
        }
        let log = request.log_dir.join("sign.log");
        let mut path: Vec<&str> = request.options.program_dirs.iter().map(|dir| dir.as_str()).collect();
        path.push("{PATH}");
        let mut step = Step::new("sign", argv, request.work_dir.clone(), log)
            .with_timeout(request.time_limit)
            .with_env("PATH", path.join(":"));
        step.clean_env = true;
        let own = std::env::var("PATH").unwrap_or_default();
        runner.run(&step.resolve(&[("PATH", &own)]))?;
        Ok(Some(edits))
    }
}

/// delocate excludes by a part of the path, not by a pattern: the longest part without a wildcard. What is excluded too
/// much by that is found afterwards, because it is needed and not there.
fn literal(pattern: &str) -> &str {
    pattern.split(['*', '?']).max_by_key(|part| part.len()).unwrap_or(pattern)
}

/// The path inside the wheel of a file below delocate's temporary folder `…/wheel/`.
fn inside(path: &str) -> &str {
    path.rsplit_once("/wheel/").map_or(path, |(_, member)| member).trim()
}

/// The file in `… can't be redone for: FILE (for architecture arm64) because larger updated load commands …`, or the last
/// argument of the command that failed.
fn header_room(log: &str) -> Option<String> {
    if let Some((_, rest)) = log.split_once("can't be redone for: ") {
        return rest.split(" (for architecture").next().map(|file| inside(file).to_owned());
    }
    let (_, rest) = log.split_once("Command [")?;
    let (arguments, _) = rest.split_once(']')?;
    arguments.rsplit(',').next().map(|file| inside(file.trim().trim_matches(['\'', '"'])).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says() {
        for (log, said) in [
            (
                "ERROR:delocate.libsana:\n@rpath/libhelper.dylib not found:\n  Needed by: /tmp/x/wheel/pkg/_core.so\n\
                 delocate.libsana.DelocationError: Could not find all dependencies.",
                Said::LibraryNotFound { library: Some("@rpath/libhelper.dylib".to_owned()) },
            ),
            (
                "delocate.libsana.DelocationError: Library dependencies do not satisfy target MacOS version 11.0:\n\
                 /private/tmp/t/wheel/pkg/.dylibs/libhelper.dylib has a minimum target of 13.0\nSet the environment variable",
                Said::TooNew(vec![("pkg/.dylibs/libhelper.dylib".to_owned(), "13.0".to_owned())]),
            ),
            (
                "RuntimeError: Command ['install_name_tool', '-change', 'a', 'b', '/tmp/q/wheel/pkg/_core.so'] failed with non-zero exit code 1.\n\
                 stderr:error: x: larger updated load commands do not fit",
                Said::NoHeaderRoom("pkg/_core.so".to_owned()),
            ),
            (
                "delocate.libsana.DelocationError: Failed to find any binary with the required architecture: 'arm64'",
                Said::WrongArchitecture("'arm64'".to_owned()),
            ),
        ] {
            assert_eq!(Delocate.understand(log), Some(said), "{log}");
        }
        assert_eq!(Delocate.understand("Traceback"), None);
    }

    #[test]
    fn exclusion_by_a_part_of_the_path() {
        for (pattern, part) in [("libomp.dylib", "libomp.dylib"), ("libLLVM*.dylib", "libLLVM"), ("*/opt/*", "/opt/")] {
            assert_eq!(literal(pattern), part);
        }
    }
}

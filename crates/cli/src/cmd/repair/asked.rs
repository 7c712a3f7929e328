//! What was typed, looked at before anything is done: wheels that are there and do not get in each other's way, a folder
//! that takes the results, folders and names that the tools can be told.

use super::{RepairArgs, RepairerChoice, epoch};
use crate::exit::Failure;
use camino::{Utf8Path, Utf8PathBuf};
use platform::{TargetKey, TargetPlatform, WheelName};
use std::io;

/// A call that makes sense.
pub(super) struct Asked {
    pub(super) wheels: Vec<Given>,
    /// Folders to look for libraries in, absolute.
    pub(super) library_dirs: Vec<Utf8PathBuf>,
    /// `SOURCE_DATE_EPOCH`.
    pub(super) epoch: Option<u64>,
}

/// One wheel of the command line.
pub(super) struct Given {
    /// As it was typed.
    pub(super) typed: Utf8PathBuf,
    /// Its absolute path.
    pub(super) path: Utf8PathBuf,
    /// The system and processor of its tag; none for a pure wheel.
    pub(super) target: Option<TargetKey>,
    /// The policy that it has to meet.
    pub(super) platform: TargetPlatform,
}

/// Between the folders of a list, in what this machine's tools read.
pub(super) fn separator() -> char {
    if std::env::consts::OS == "windows" { ';' } else { ':' }
}

impl Asked {
    /// Looks at all but the output folder, which [`out`] makes when everything else is right.
    pub(super) fn read(args: &RepairArgs, here: &Utf8Path) -> Result<Self, Failure> {
        if args.repairer == RepairerChoice::Native {
            let message = "`--repairer native` is not built yet: auditwheel, delocate and delvewheel repair, each the wheels of its system";
            return Err(Failure::usage(message).help("leave it out, or say `--repairer tool`"));
        }
        let wheels = wheels(args, here)?;
        let library_dirs = args.lib_dir.iter().map(|dir| library_dir(dir, here)).collect::<Result<_, _>>()?;
        for (option, names) in [
            ("--exclude", &args.exclude),
            ("--no-mangle", &args.no_mangle),
            ("--namespace-package", &args.namespace_package),
        ] {
            names.iter().try_for_each(|name| one_name(option, name))?;
        }
        Ok(Self { wheels, library_dirs, epoch: epoch::asked()? })
    }
}

/// Every wheel that was named, once: there, named as a wheel is, and with a name of its own.
fn wheels(args: &RepairArgs, here: &Utf8Path) -> Result<Vec<Given>, Failure> {
    let mut found: Vec<(Given, Utf8PathBuf)> = Vec::new();
    for typed in &args.wheels {
        let path = here.join(typed);
        let is_file = fs_err::metadata(&path).map(|metadata| metadata.is_file());
        match is_file {
            Ok(true) => {}
            Ok(false) => return Err(no_file(typed, &path)),
            Err(error) => return Err(not_there(typed, &error)),
        }
        let real = disk::real(&path).map_err(|error| not_there(typed, &error))?;
        let file_name = path.file_name().unwrap_or_default();
        let same_name = found.iter().find(|(other, _)| {
            // Systems that take names in any case for one would overwrite these too.
            other.path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(file_name))
        });
        if let Some((other, its)) = same_name {
            if *its == real {
                continue;
            }
            let message = format!(
                "`{}` and `{typed}` have one name: in `{}` one result would overwrite the other",
                other.typed, args.out
            );
            return Err(Failure::usage(message).help("repair them in two calls, each with a folder of its own"));
        }
        let name: WheelName = file_name.parse().map_err(Failure::usage)?;
        let target = target(&name)?;
        let platform = match &target {
            Some(target) => TargetPlatform::parse(&args.plat, target)
                .map_err(|error| Failure::usage(format!("`{typed}` cannot become what --plat asks for: {error}")))?,
            // What has no binary meets every platform; the word still has to be one.
            None => args
                .plat
                .parse()
                .map(|_: TargetPlatform| TargetPlatform::Auto)
                .map_err(|error: platform::TargetPlatformError| Failure::usage(format!("--plat: {error}")))?,
        };
        found.push((Given { typed: typed.clone(), path, target, platform }, real));
    }
    Ok(found.into_iter().map(|(given, _)| given).collect())
}

fn not_there(typed: &Utf8Path, error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::NotFound && !typed.as_str().contains(['*', '?']) {
        return Failure::usage(format!("`{typed}` cannot be read: {}", reason(error)));
    }
    if typed.as_str().contains(['*', '?', '[']) {
        let message = format!("there is no file called `{typed}`: the shell found nothing for the pattern");
        let help = "look at what is in the folder; the shells of Windows hand on patterns as they are, there each wheel has \
                    to be named";
        return Failure::usage(message).help(help);
    }
    Failure::usage(format!("`{typed}`: there is no such file"))
}

/// A folder, with the wheels that are in it, or what is neither file nor folder.
fn no_file(typed: &Utf8Path, path: &Utf8Path) -> Failure {
    const SHOWN: usize = 5;
    let Ok(entries) = path.read_dir_utf8() else { return Failure::usage(format!("`{typed}` is no file")) };
    let is_wheel = |name: &String| Utf8Path::new(name).extension() == Some("whl");
    let mut wheels: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_owned()).filter(is_wheel).collect();
    wheels.sort();
    let failure = Failure::usage(format!("`{typed}` is a folder; name the wheels themselves"));
    let shown: Vec<String> = wheels.iter().take(SHOWN).map(|name| format!("`{}`", typed.join(name))).collect();
    let more = wheels.len().saturating_sub(SHOWN);
    failure.help(match (shown.is_empty(), more) {
        (true, _) => "there is no wheel in it".to_owned(),
        (false, 0) => format!("in it: {}", shown.join(", ")),
        (false, more) => format!("in it: {} and {more} more", shown.join(", ")),
    })
}

/// The system and processor of a wheel's tag.
fn target(name: &WheelName) -> Result<Option<TargetKey>, Failure> {
    let mut platforms = name.tags.platforms().filter_map(|tag| Some((tag, tag.os()?)));
    let Some((tag, os)) = platforms.next() else { return Ok(None) };
    if platforms.any(|(_, other)| other != os) {
        return Err(Failure::usage(format!("`{name}` is tagged for several systems; no tool repairs such a wheel")));
    }
    // The last of `universal2` is arm64: what holds for it is the stricter part.
    let arch = tag.arches().last().copied();
    let arch = arch.ok_or_else(|| Failure::usage(format!("`{tag}` names a processor that is not known here")))?;
    Ok(Some(TargetKey::new(os, arch)))
}

fn library_dir(typed: &Utf8Path, here: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let dir = here.join(typed);
    match fs_err::metadata(&dir) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(Failure::usage(format!("`{typed}` is a file; --lib-dir names a folder"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::usage(format!("`{typed}`: there is no such folder (--lib-dir)")));
        }
        Err(error) => return Err(Failure::usage(format!("--lib-dir `{typed}` cannot be read: {}", reason(&error)))),
    }
    if dir.as_str().contains(separator()) {
        let apart = separator();
        let message = format!(
            "`{typed}` cannot be told to the tools: they read a list of folders, and `{apart}` is what stands between two"
        );
        return Err(Failure::usage(message).help(format!("name it by a path without `{apart}`, such as a link to it")));
    }
    Ok(dir)
}

/// Names go to delvewheel as a list, and delocate takes a part of no length to be in every path.
fn one_name(option: &str, name: &str) -> Result<(), Failure> {
    let apart = separator();
    if name.is_empty() {
        return Err(Failure::usage(format!("{option}: a name is missing")));
    }
    if name.contains(apart) {
        return Err(Failure::usage(format!("{option} `{name}`: `{apart}` is in no name"))
            .help(format!("several names: each has an {option} of its own")));
    }
    Ok(())
}

/// The folder for the results, made and tried out, so that no work is lost for want of it.
pub(super) fn out(typed: &Utf8Path, here: &Utf8Path, wheels: &[Given]) -> Result<Utf8PathBuf, Failure> {
    if typed.as_str().is_empty() {
        return Err(Failure::usage("--out names no folder"));
    }
    let out = here.join(typed);
    if let Ok(real) = disk::real(&out) {
        if !real.is_dir() {
            return Err(Failure::usage(format!("`{typed}` is a file; --out names a folder")));
        }
        for given in wheels {
            let its_own = [given.path.parent().and_then(|dir| disk::real(dir).ok()), beside(&given.path)];
            if its_own.into_iter().flatten().any(|folder| folder == real) {
                let message = format!(
                    "`--out {typed}` is where the given wheel `{}` lies: the result could take its place, and what the build \
                     made would be gone",
                    given.typed
                );
                return Err(Failure::usage(message).help("name another folder"));
            }
        }
    }
    fs_err::create_dir_all(&out)
        .map_err(|error| Failure::usage(format!("`{typed}` cannot be made: {} (--out)", reason(&error))))?;
    let probe = out.join(format!(".wheelproof.{}.part", std::process::id()));
    fs_err::write(&probe, b"")
        .map_err(|error| Failure::usage(format!("`{typed}` cannot be written to: {} (--out)", reason(&error))))?;
    let _ = fs_err::remove_file(&probe);
    Ok(out)
}

/// The folder in which the file lies that a link may lead to.
fn beside(path: &Utf8Path) -> Option<Utf8PathBuf> {
    disk::real(path).ok()?.parent().map(Utf8Path::to_owned)
}

/// The system's own words, without the action and the path that fs-err puts before them: the message has them already.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.rsplit_once("`: ").map_or(text.as_str(), |(_, reason)| reason).to_owned()
}

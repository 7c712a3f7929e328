//! What the tests need of the system: what is missing, how to get it, and with `--provision` getting it.

use super::{Session, Trouble};
use exec::{Runner, Silent, Step};
use host::World;
use host::packages::{self, ManagerKind, Need, PackageManager, Rights};
use llvm::Linkage;
use std::collections::BTreeSet;
use wheelproof::exit;

/// The LLVM releases that the tests are written for.
const LLVM: std::ops::RangeInclusive<u32> = 14..=22;

/// Programs to look for besides those that every run looks for.
const PROGRAMS: [&str; 8] = ["bwrap", "unzip", "npm", "cargo-deny", "readelf", "git", "ps", "wine"];

/// Asks the machine; what takes time is remembered where `wheels` remembers it.
pub(crate) fn ask(session: &Session) -> World {
    let mut probe = host::Probe::of_this_process(Some(session.state.join("cache")));
    probe.tools = PROGRAMS.map(str::to_owned).to_vec();
    probe.probe_packages = true;
    host::probe(&probe, &Runner::new(&Silent, &session.cancel))
}

/// What the tests need and do not find here.
fn needs(world: &World) -> Vec<Need> {
    let has = |program: &str| world.tools.contains_key(program);
    let mut needs = Vec::new();
    if !["c++", "g++", "clang++"].into_iter().any(has) {
        needs.push(Need::CxxCompiler);
    }
    if !has("git") {
        needs.push(Need::Git);
    }
    if !has("unzip") {
        needs.push(Need::Package("unzip".to_owned()));
    }
    if world.os == platform::Os::Linux && !has("ps") {
        // `ps` and `kill`, which the smallest images lack; tests look with them what still runs.
        let dnf = world.package_manager.as_ref().is_some_and(|manager| manager.kind == ManagerKind::Dnf);
        needs.push(Need::Package(if dnf { "procps-ng" } else { "procps" }.to_owned()));
    }
    if world.os == platform::Os::Linux && !has("bwrap") {
        needs.push(Need::Bubblewrap);
    }
    let apt = world.package_manager.as_ref().is_some_and(|manager| manager.kind == ManagerKind::Apt);
    if apt && world.arch == platform::Arch::X86_64 && !has("wine") {
        // The loader that repaired Windows wheels are loaded with.
        needs.extend(["libwine", "wine", "wine64"].map(|package| Need::Package(package.to_owned())));
    }
    for interpreter in world.interpreters.iter().filter(|i| i.implementation == "cpython" && !i.debug) {
        let series = format!("{}.{}", interpreter.python.major, interpreter.python.minor);
        // Only the system's own Pythons get their parts from the system's packages.
        let from_system = interpreter.prefix == "/usr";
        if from_system && !interpreter.has_venv {
            needs.push(Need::PythonVenv(series.clone()));
        }
        if from_system && !interpreter.has_headers {
            needs.push(Need::PythonHeaders(series));
        }
    }
    needs.extend(llvms(world).into_iter().map(|major| Need::Llvm { major, linkage: Linkage::Shared }));
    needs
}

/// The releases to install so that the oldest and the newest that are to be had are both here.
fn llvms(world: &World) -> Vec<u32> {
    let usable = |i: &&llvm::Installation| i.cmake_dir.is_some() && i.shared.is_some();
    let here: BTreeSet<u32> = world.llvm.installations.iter().filter(usable).map(|i| i.version.major).collect();
    let offered = world.package_manager.iter().flat_map(|manager| manager.llvm.iter()).map(|one| one.version.major);
    let here: BTreeSet<u32> = here.into_iter().filter(|major| LLVM.contains(major)).collect();
    if here.len() >= 2 {
        return Vec::new();
    }
    let all: BTreeSet<u32> = offered.filter(|major| LLVM.contains(major)).chain(here.iter().copied()).collect();
    let wanted: BTreeSet<u32> = all.first().into_iter().chain(all.last()).copied().collect();
    wanted.into_iter().filter(|major| !here.contains(major)).collect()
}

fn list(needs: &[Need]) -> String {
    needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What is missing and the command that gets it; none when nothing is.
pub(crate) fn missing(world: &World) -> Option<String> {
    let needs = needs(world);
    let usable = |i: &&llvm::Installation| i.cmake_dir.is_some() && i.shared.is_some();
    let no_llvm = !world.llvm.installations.iter().any(|i| usable(&i));
    if needs.is_empty() && !no_llvm {
        return None;
    }
    let mut what = list(&needs);
    if no_llvm && llvms(world).is_empty() {
        what.push_str(if what.is_empty() { "LLVM" } else { ", LLVM" });
    }
    let how = match &world.package_manager {
        Some(manager) => {
            let installation = packages::installation(&needs, manager, world.is_root);
            format!("{} (or: cargo xtask test --provision)", installation.shell_line())
        }
        None => "no package manager that is known was found; install it by hand".to_owned(),
    };
    Some(format!("missing: {what}; tests that need it are skipped\n  = help: {how}"))
}

/// Installs what is missing; says what it runs before it does.
pub(crate) fn install(session: &Session, world: &mut World) -> Result<(), Trouble> {
    if let Some(manager) = world.package_manager.clone().filter(|manager| manager.lists_empty)
        && !needs(world).is_empty()
    {
        carry_out(session, "package-lists", &manager, world.is_root, &packages::update(&manager, world.is_root))?;
        *world = ask(session);
    }
    let needs = needs(world);
    if needs.is_empty() {
        return Ok(());
    }
    let Some(manager) = world.package_manager.clone() else {
        let mut trouble = Trouble::new(exit::ENVIRONMENT, "no package manager that is known was found");
        trouble.help = Some(format!("install by hand: {}", list(&needs)));
        return Err(trouble);
    };
    let installation = packages::installation(&needs, &manager, world.is_root);
    if !installation.unknown.is_empty() {
        session.console.note(&format!(
            "provision: {} has no package for {}",
            manager.kind,
            installation.unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        ));
    }
    if installation.commands.is_empty() {
        return Ok(());
    }
    let majors = llvms(world);
    if !majors.is_empty() {
        let majors = majors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        session
            .console
            .note(&format!("provision: LLVM {majors}, so that the oldest and newest that are offered are here"));
    }
    carry_out(session, "provision", &manager, world.is_root, &installation.commands)?;
    *world = ask(session);
    Ok(())
}

fn carry_out(
    session: &Session,
    name: &str,
    manager: &PackageManager,
    is_root: bool,
    commands: &[packages::Command],
) -> Result<(), Trouble> {
    let line = commands.iter().map(packages::Command::shell_line).collect::<Vec<_>>().join(" && ");
    // The rights are the same for every command of a manager.
    let rights = packages::installation(&[Need::Package("any".to_owned())], manager, is_root).rights;
    if rights == Rights::Missing {
        let mut trouble = Trouble::new(exit::ENVIRONMENT, "installing packages needs root, and there is no sudo here");
        trouble.help = Some(format!("as root: {line}"));
        return Err(trouble);
    }
    let runner = packages::runner(Runner::new(&session.console, &session.cancel), manager, rights);
    for (index, command) in commands.iter().enumerate() {
        let log = session.logs().join(format!("{name}-{index}.log"));
        let mut step = Step::new(name, command.argv.clone(), &session.root, log.as_path()).with_timeout(1200);
        for (variable, value) in &command.env {
            step = step.with_env(variable, value);
        }
        runner.run(&step).map_err(|error| {
            let cancelled = matches!(error, exec::StepError::Cancelled { .. });
            let code = if cancelled { exit::INTERRUPTED } else { exit::ENVIRONMENT };
            let lines = exec::excerpt_of(&log).unwrap_or_default().join("\n  | ");
            Trouble { code, message: format!("{error}\n  | {lines}"), help: Some(format!("the whole output: {log}")) }
        })?;
    }
    Ok(())
}

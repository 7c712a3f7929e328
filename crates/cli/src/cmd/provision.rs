//! `--provision`: installs what the plan needs and only that, says so before it does, and afterwards what became of it.

use crate::console::Console;
use crate::context::Context;
use crate::exit::{self, Failure};
use camino::Utf8PathBuf;
use exec::{Cancel, Runner, Silent, Step};
use host::Probe;
use host::packages::{self, Installation, Need, PackageManager};
use std::collections::BTreeMap;

/// Installs what the selected builds lack; asks the machine again afterwards. Three rounds at most: the lists, LLVM, and
/// what LLVM's own CMake files ask for once it is there.
pub(crate) fn run(context: &mut Context, console: &Console, cancel: &Cancel) -> Result<(), Failure> {
    named_packages(context, console, cancel)?;
    let mut before = Vec::new();
    for _ in 0..3 {
        let needs = plan::needs(&context.plan()?);
        let Some(manager) = context.world.package_manager.clone() else {
            if needs.is_empty() {
                return Ok(());
            }
            return Err(Failure::new(
                exit::ENVIRONMENT,
                "no package manager that is known was found, so nothing can be installed",
            )
            .help(format!("install by hand: {}", list(&needs))));
        };
        if manager.lists_empty && lacks(context)? {
            update_lists(context, &manager, console, cancel)?;
            context.ask_again(cancel)?;
            continue;
        }
        if needs.is_empty() {
            return Ok(());
        }
        if needs == before {
            // Everything was installed and is there; that it is not found is for the plan to say.
            return Ok(());
        }
        let installation = packages::installation(&needs, &manager, context.world.is_root);
        for unknown in &installation.unknown {
            console.line(&format!("provision: {} has no package for {unknown}", manager.kind));
        }
        if installation.packages.is_empty() {
            let unknown = installation.unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let what = if unknown.is_empty() { list(&needs) } else { unknown };
            return Err(Failure::new(exit::ENVIRONMENT, format!("{} has no package for {what}", manager.kind)));
        }
        install(context, &manager, &installation, console, cancel)?;
        context.ask_again(cancel)?;
        before = needs;
    }
    Ok(())
}

/// `provision:` of ci/wheels.yaml: the packages of the manager that is asked here; if none are named for it, those of
/// the first manager that is here too.
fn named_packages(context: &mut Context, console: &Console, cancel: &Cancel) -> Result<(), Failure> {
    let world = &context.world;
    let named = |manager: &PackageManager| {
        context.settings.provision.get(manager.kind.name()).filter(|packages| !packages.is_empty()).cloned()
    };
    let others = packages::present(world.os, &world.tools)
        .into_iter()
        .map(|found| found.unasked(world.tools.get("sudo").cloned()));
    let managers = world.package_manager.iter().cloned().chain(others);
    let Some((mut manager, wanted)) = managers.into_iter().find_map(|manager| {
        let packages = named(&manager)?;
        Some((manager, packages))
    }) else {
        return Ok(());
    };
    let there = now(&manager, &wanted, cancel);
    manager.installed.extend(there);
    let needs: Vec<Need> = wanted.into_iter().map(Need::Package).collect();
    let installation = packages::installation(&needs, &manager, world.is_root);
    if installation.packages.is_empty() {
        return Ok(());
    }
    if manager.lists_empty {
        update_lists(context, &manager, console, cancel)?;
        manager.lists_empty = false;
    }
    let installation = packages::installation(&needs, &manager, context.world.is_root);
    install(context, &manager, &installation, console, cancel)?;
    context.ask_again(cancel)
}

/// Whether anything is missing that only full package lists could name.
fn lacks(context: &Context) -> Result<bool, Failure> {
    Ok(context
        .plan()?
        .builds
        .iter()
        .any(|build| !build.runnable && build.obstacle == Some(plan::Obstacle::Missing) || !build.needs.is_empty()))
}

fn list(needs: &[Need]) -> String {
    needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn update_lists(
    context: &Context,
    manager: &PackageManager,
    console: &Console,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let commands = packages::update(manager, context.world.is_root);
    let lists = Installation {
        packages: Vec::new(),
        unknown: Vec::new(),
        commands,
        ..packages::installation(&[], manager, context.world.is_root)
    };
    permitted(manager, &lists)?;
    carry_out(context, console, cancel, "package-lists", &lists.commands)
}

fn permitted(manager: &PackageManager, installation: &Installation) -> Result<(), Failure> {
    match installation.refusal(manager) {
        None => Ok(()),
        Some((reason, remedy)) => Err(Failure::new(exit::ENVIRONMENT, reason).help(remedy)),
    }
}

/// Installs, and looks afterwards whether it did. If the manager fails half way, the error says what it had installed.
fn install(
    context: &Context,
    manager: &PackageManager,
    installation: &Installation,
    console: &Console,
    cancel: &Cancel,
) -> Result<(), Failure> {
    permitted(manager, installation)?;
    console.line(&format!("provision: {}", installation.shell_line()));
    let before = now(manager, &installation.packages, cancel);
    let done = carry_out(context, console, cancel, "provision", &installation.commands);
    let Err(failure) = done else { return Ok(()) };
    if failure.code == exit::INTERRUPTED {
        return Err(failure);
    }
    let after = now(manager, &installation.packages, cancel);
    let missing = missing(&installation.packages, &after);
    let help = packages::elsewhere(manager, &missing).or(failure.help);
    let message = format!("{}\n{}", failure.message, aftermath(&before, &after, &missing));
    Err(Failure { code: failure.code, message, help })
}

/// The packages that are not there.
fn missing<'a>(wanted: &'a [String], there: &BTreeMap<String, String>) -> Vec<&'a str> {
    wanted.iter().filter(|name| !there.contains_key(*name)).map(String::as_str).collect()
}

fn now(manager: &PackageManager, names: &[String], cancel: &Cancel) -> BTreeMap<String, String> {
    let runner = Runner::new(&Silent, cancel);
    packages::installed_now(manager, names, &Probe::of_this_process(None), &runner)
}

/// What an installation that failed left behind.
fn aftermath(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>, missing: &[&str]) -> String {
    let made: Vec<String> = after
        .iter()
        .filter(|(name, version)| before.get(*name) != Some(version))
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let made = if made.is_empty() {
        "  before it failed it had installed none of them".to_owned()
    } else {
        format!("  before it failed it had installed {}", made.join(", "))
    };
    if missing.is_empty() {
        format!("{made}\n  none of the packages is missing now")
    } else {
        format!("{made}\n  still missing: {}", missing.join(", "))
    }
}

fn carry_out(
    context: &Context,
    console: &Console,
    cancel: &Cancel,
    name: &str,
    commands: &[packages::Command],
) -> Result<(), Failure> {
    let runner = Runner::new(console, cancel).terminal(exec::Terminal::Shared);
    for (index, command) in commands.iter().enumerate() {
        let log: Utf8PathBuf = context.layout.state.join(format!("logs/{name}-{index}.log"));
        let mut step = Step::new(name, command.argv.clone(), context.root.clone(), log).with_timeout(3600);
        for (variable, value) in &command.env {
            step = step.with_env(variable, value);
        }
        runner.run(&step).map_err(|error| {
            let failure = Failure::from(error);
            if failure.code == exit::INTERRUPTED { failure } else { Failure { code: exit::ENVIRONMENT, ..failure } }
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_left_behind() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let wanted = ["git".to_owned(), "llvm@19".to_owned(), "zstd".to_owned()];
        let said = |before: &[(&str, &str)], after: &[(&str, &str)]| {
            aftermath(&map(before), &map(after), &missing(&wanted, &map(after)))
        };
        assert_eq!(
            said(&[], &[]),
            "  before it failed it had installed none of them\n  still missing: git, llvm@19, zstd"
        );
        assert_eq!(
            said(&[("git", "2.1")], &[("git", "2.1"), ("zstd", "1.5.7")]),
            "  before it failed it had installed zstd 1.5.7\n  still missing: llvm@19"
        );
        assert_eq!(
            said(&[("git", "2.1")], &[("git", "2.2"), ("llvm@19", "19.1.7"), ("zstd", "1.5.7")]),
            "  before it failed it had installed git 2.2, llvm@19 19.1.7, zstd 1.5.7\n  none of the packages is missing now"
        );
    }
}

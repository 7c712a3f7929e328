//! `--provision`: installs what the plan needs and only that, says so before it does, and afterwards what became of it.

use crate::console::Console;
use crate::context::Context;
use crate::exit::{self, Failure};
use camino::Utf8PathBuf;
use exec::{Cancel, CancelReason, Runner, Silent, Step};
use host::Probe;
use host::packages::{self, Installation, Need, PackageManager, Presence};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Packages as they are asked for, and whether each is there.
type Looked = BTreeMap<String, Presence>;

/// How long what was done is looked at when a person wants the end.
const AFTERMATH: Duration = Duration::from_secs(10);

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
        let (manager, all) = with_what_is_there(manager, &needs, context.world.is_root, cancel);
        let installation = packages::installation(&needs, &manager, context.world.is_root);
        for unknown in &installation.unknown {
            console.line(&format!("provision: {} has no package for {unknown}", manager.kind));
        }
        if installation.packages.is_empty() {
            return Err(nothing_to_install(&manager, &needs, &installation, &all));
        }
        install(context, &manager, &installation, console, cancel)?;
        context.ask_again(cancel)?;
        before = needs;
    }
    Ok(())
}

/// The manager, knowing which of the packages for these needs are there, and all of these packages. Some managers are not asked
/// when the machine is probed.
fn with_what_is_there(
    mut manager: PackageManager,
    needs: &[Need],
    is_root: bool,
    cancel: &Cancel,
) -> (PackageManager, Vec<String>) {
    let bare = PackageManager { installed: BTreeMap::new(), ..manager.clone() };
    let all = packages::installation(needs, &bare, is_root).packages;
    let looked = now(&manager, &all, cancel);
    manager.installed.extend(there(looked));
    (manager, all)
}

fn nothing_to_install(
    manager: &PackageManager,
    needs: &[Need],
    installation: &Installation,
    all: &[String],
) -> Failure {
    let kind = manager.kind;
    if all.is_empty() {
        let unknown = installation.unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let what = if unknown.is_empty() { list(needs) } else { unknown };
        return Failure::new(exit::ENVIRONMENT, format!("{kind} has no package for {what}"));
    }
    let message = format!("{kind} has installed {} already, and still missing: {}", all.join(", "), list(needs));
    let failure = Failure::new(exit::ENVIRONMENT, message);
    match packages::in_vain(manager, all) {
        Some(help) => failure.help(help),
        None => failure,
    }
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
    let looked = now(&manager, &wanted, cancel);
    manager.installed.extend(there(looked));
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
    carry_out(context, manager, &lists, "package-lists", console, cancel)
}

fn permitted(manager: &PackageManager, installation: &Installation) -> Result<(), Failure> {
    match installation.refusal(manager) {
        None => Ok(()),
        Some((reason, remedy)) => Err(Failure::new(exit::ENVIRONMENT, reason).help(remedy)),
    }
}

/// Installs, and looks afterwards whether it did. If the manager fails half way or is interrupted, the error says what it had
/// installed.
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
    let done = carry_out(context, manager, installation, "provision", console, cancel);
    let Err(failure) = done else { return Ok(()) };
    let interrupted = failure.code == exit::INTERRUPTED;
    let after = if interrupted {
        now(manager, &installation.packages, &ends_after(AFTERMATH))
    } else {
        now(manager, &installation.packages, cancel)
    };
    let missing = named(&after, |presence| *presence == Presence::Missing);
    let help = if interrupted { None } else { packages::elsewhere(manager, &missing) };
    let how = if interrupted { "ended" } else { "failed" };
    let message = format!("{}\n{}", failure.message, aftermath(how, &before, &after));
    Err(Failure { code: failure.code, message, help: help.or(failure.help) })
}

/// A token of its own, since the other one says already that everything is to end.
fn ends_after(time: Duration) -> Cancel {
    let cancel = Cancel::new();
    let theirs = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(time);
        theirs.cancel(CancelReason::Requested);
    });
    cancel
}

fn now(manager: &PackageManager, names: &[String], cancel: &Cancel) -> Looked {
    let runner = Runner::new(&Silent, cancel);
    packages::installed_now(manager, names, &Probe::of_this_process(None), &runner)
}

/// The packages that are there, with their versions.
fn there(looked: Looked) -> impl Iterator<Item = (String, String)> {
    looked.into_iter().filter_map(|(name, presence)| match presence {
        Presence::There(version) => Some((name, version)),
        Presence::Missing | Presence::NotKnown => None,
    })
}

fn named(looked: &Looked, wanted: impl Fn(&Presence) -> bool) -> Vec<&str> {
    looked.iter().filter(|(_, presence)| wanted(presence)).map(|(name, _)| name.as_str()).collect()
}

/// What an installation that `how` (failed, ended) left behind.
fn aftermath(how: &str, before: &Looked, after: &Looked) -> String {
    let made = there(after.clone()).filter(|(name, version)| {
        // Of what was not known before nothing is claimed.
        !matches!(before.get(name), Some(Presence::There(was)) if was == version)
            && before.get(name) != Some(&Presence::NotKnown)
    });
    let made: Vec<String> = made.map(|(name, version)| format!("{name} {version}")).collect();
    let made = if made.is_empty() { "none of them".to_owned() } else { made.join(", ") };
    let missing = named(after, |presence| *presence == Presence::Missing);
    let unknown = named(after, |presence| *presence == Presence::NotKnown);
    let mut text = format!("  before it {how} it had installed {made}");
    if !missing.is_empty() {
        let _ = write!(text, "\n  still missing: {}", missing.join(", "));
    }
    if !unknown.is_empty() {
        let _ = write!(text, "\n  not known to be there: {}", unknown.join(", "));
    }
    if missing.is_empty() && unknown.is_empty() {
        text.push_str("\n  none of the packages is missing now");
    }
    text
}

fn carry_out(
    context: &Context,
    manager: &PackageManager,
    installation: &Installation,
    name: &str,
    console: &Console,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let runner = packages::runner(Runner::new(console, cancel), manager, installation.rights);
    for (index, command) in installation.commands.iter().enumerate() {
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
        let looked = |there: &[(&str, &str)]| {
            let mut looked: Looked =
                ["git", "llvm@19", "zstd"].map(|name| (name.to_owned(), Presence::Missing)).into_iter().collect();
            for (name, version) in there {
                let presence = match *version {
                    "?" => Presence::NotKnown,
                    version => Presence::There(version.to_owned()),
                };
                looked.insert((*name).to_owned(), presence);
            }
            looked
        };
        let said =
            |before: &[(&str, &str)], after: &[(&str, &str)]| aftermath("failed", &looked(before), &looked(after));
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
        assert_eq!(
            said(&[("git", "?")], &[("git", "2.2"), ("llvm@19", "?"), ("zstd", "?")]),
            "  before it failed it had installed none of them\n  not known to be there: llvm@19, zstd"
        );
    }

    /// Build Tools without their workload: winget would not touch them, and nothing would be different.
    #[test]
    fn what_is_there_and_does_not_help() {
        let winget = PackageManager {
            kind: packages::ManagerKind::Winget,
            path: r"C:\x\winget.exe".into(),
            environment: None,
            lists_empty: false,
            installed: BTreeMap::from([("Microsoft.VisualStudio.2022.BuildTools".to_owned(), "17.14".to_owned())]),
            llvm: Vec::new(),
            pythons: Vec::new(),
            sudo: None,
        };
        let needs = [Need::CxxCompiler];
        let found = packages::installation(&needs, &winget, false);
        assert!(found.packages.is_empty());
        let all = ["Microsoft.VisualStudio.2022.BuildTools".to_owned()];
        let failure = nothing_to_install(&winget, &needs, &found, &all);
        assert_eq!(failure.code, exit::ENVIRONMENT);
        assert_eq!(
            failure.message,
            "winget has installed Microsoft.VisualStudio.2022.BuildTools already, and still missing: a C++ compiler"
        );
        assert!(failure.help.unwrap().contains("Desktop development with C++"));
    }
}

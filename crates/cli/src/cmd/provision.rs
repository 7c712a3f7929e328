//! `--provision`: installs what the plan needs and only that, and says so before it does.

use crate::console::Console;
use crate::context::Context;
use crate::exit::{self, Failure};
use camino::Utf8PathBuf;
use exec::{Cancel, Runner, Step};
use host::packages::{self, Need, Rights};

/// Installs what the selected builds lack; asks the machine again afterwards. At most two rounds: after LLVM is there,
/// its own CMake files may ask for more.
pub(crate) fn run(context: &mut Context, console: &Console, cancel: &Cancel) -> Result<(), Failure> {
    let mut extra = extra(context);
    for _ in 0..3 {
        let mut needs = plan::needs(&context.plan()?);
        needs.append(&mut extra);
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
            install(context, console, cancel, "package-lists", &packages::update(&manager, context.world.is_root))?;
            context.ask_again(cancel)?;
            continue;
        }
        if needs.is_empty() {
            return Ok(());
        }
        let installation = packages::installation(&needs, &manager, context.world.is_root);
        if installation.packages.is_empty() {
            return Err(Failure::new(
                exit::ENVIRONMENT,
                format!("{} has no package for: {}", manager.kind, list(&installation.unknown)),
            ));
        }
        if installation.rights == Rights::Missing {
            return Err(Failure::new(exit::ENVIRONMENT, "installing packages needs root, and there is no sudo here")
                .help(format!("as root: {}", installation.shell_line())));
        }
        console.line(&format!("provision: {}", installation.shell_line()));
        install(context, console, cancel, "provision", &installation.commands)?;
        context.ask_again(cancel)?;
    }
    Ok(())
}

/// Whether anything is missing that only full package lists could name.
fn lacks(context: &Context) -> Result<bool, Failure> {
    Ok(context
        .plan()?
        .builds
        .iter()
        .any(|build| !build.runnable && build.obstacle == Some(plan::Obstacle::Missing) || !build.needs.is_empty()))
}

/// `provision:` of ci/wheels.yaml for the package manager that is here.
fn extra(context: &Context) -> Vec<Need> {
    let Some(manager) = &context.world.package_manager else { return Vec::new() };
    let named = context.settings.provision.get(&manager.kind.to_string()).into_iter().flatten();
    named.map(|package| Need::Package(package.clone())).filter(|need| plan::lacks(need, manager)).collect()
}

fn list(needs: &[Need]) -> String {
    needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn install(
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

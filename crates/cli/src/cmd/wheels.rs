//! `wheels`: the main job.

use crate::args::{Global, PlanFormat, WheelsArgs};
use crate::cmd::provision;
use crate::console::{Console, Display};
use crate::context::{self, Context};
use crate::exit::{self, Failure};
use crate::output;
use crate::registry::REGISTRY;
use diagnostics::Style;
use exec::Cancel;
use pipeline::{Jobs, Report, Timings};
use plan::{Obstacle, Plan};
use std::io::Write as _;

pub(crate) fn run(global: &Global, args: &WheelsArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let console = context::console(global);
    let mut context = Context::load(global, &args.selection, args.out.as_deref(), cancel)?;
    if args.plan {
        return show_plan(&context, args, global);
    }
    if context.recorded {
        return Err(Failure::usage("a recorded world can be planned for (--plan), not built on"));
    }
    if args.provision {
        provision::run(&mut context, &console, cancel)?;
    }
    let plan = context.plan()?;
    refuse_what_is_missing(&plan, args)?;
    let rules: Vec<_> = REGISTRY.iter().collect();
    let jobs = Jobs::choose(args.jobs, &plan, &context.world);
    let options = pipeline::Options {
        root: &context.root,
        layout: &context.layout,
        adjustments: &context.settings.adjustments,
        rules: &rules,
        budget: context.settings.budget,
        force: args.force,
        keep_going: args.keep_going,
        jobs,
        named: !context.only.is_empty(),
        verbose: Display::streams(context::talk(global), jobs.at_once),
    };
    let scopes = plan.builds.iter().map(plan::PlannedBuild::scope).collect();
    let display = Display::new(&console, scopes, jobs.at_once, Timings::read(&context.layout));
    let outcome = pipeline::run(&plan, &context.world, &options, &display, cancel);
    // The terminal is as it was before anything else is printed, to whichever stream.
    drop(display);
    let (report, judged) = outcome.map_err(|error| {
        let code = match &error {
            pipeline::RunError::Lock(pipeline::LockError::Cancelled(_)) => exit::INTERRUPTED,
            _ => exit::USAGE,
        };
        Failure::new(code, error.to_string())
    })?;
    render(&report, &judged, args.format, global.quiet, &console)?;
    step_summary(&report, &console);
    Ok(report.exit_code())
}

fn show_plan(context: &Context, args: &WheelsArgs, global: &Global) -> Result<u8, Failure> {
    let plan = context.plan()?;
    let (explained, root) = (&context.settings.explained, context.root.as_str());
    match args.format {
        PlanFormat::Json => output::line(&serde_json::to_string_pretty(&plan).map_err(Failure::usage)?)?,
        PlanFormat::Markdown => {
            let explained = if args.explain { explained.as_slice() } else { &[] };
            output::line(&plan::show::markdown(&plan, explained, root))?;
        }
        PlanFormat::Text => {
            if args.explain {
                output::line(&plan::show::explained(explained))?;
                output::line("")?;
            }
            let text =
                if global.quiet { plan::show::verdict(&plan) } else { plan::show::text(&plan, root, global.verbose) };
            output::line(&text)?;
        }
    }
    Ok(exit::FINE)
}

/// What stops every build of a kind is said before anything is built, with the command that mends it.
fn refuse_what_is_missing(plan: &Plan, args: &WheelsArgs) -> Result<(), Failure> {
    let missing: Vec<_> = plan.builds.iter().filter(|build| build.obstacle == Some(Obstacle::Missing)).collect();
    let runnable = plan.builds.iter().any(|build| build.runnable);
    let Some(first) = missing.first() else {
        // Nothing common is missing; a single interpreter's headers matter only when nothing else can be built.
        let only_installable = plan.builds.iter().find(|build| build.obstacle == Some(Obstacle::Installable));
        return match only_installable {
            Some(build) if !runnable => Err(refusal(build, args)),
            _ => Ok(()),
        };
    };
    if runnable && args.keep_going { Ok(()) } else { Err(refusal(first, args)) }
}

fn refusal(build: &plan::PlannedBuild, args: &WheelsArgs) -> Failure {
    let reason = build.reason.clone().unwrap_or_default();
    let failure = Failure::new(exit::ENVIRONMENT, format!("{} cannot be built: {reason}", build.scope()));
    match &build.remedy {
        Some(remedy) if args.provision => failure.help(format!("--provision did not get it; by hand: {remedy}")),
        Some(remedy) => failure.help(remedy.clone()),
        None => failure,
    }
}

fn render(
    report: &Report,
    judged: &diagnostics::Judged,
    format: PlanFormat,
    quiet: bool,
    console: &Console,
) -> Result<(), Failure> {
    if judged.reported().next().is_some() && !quiet {
        let style = Style { colour: console.colour(), ..Style::default() };
        console.line(&diagnostics::render::text(judged, &style));
    }
    match format {
        PlanFormat::Json => output::line(&serde_json::to_string_pretty(report).map_err(Failure::usage)?)?,
        PlanFormat::Markdown => output::line(&pipeline::show::markdown(report))?,
        PlanFormat::Text if quiet => output::line(&pipeline::show::quiet(report))?,
        PlanFormat::Text => output::line(&pipeline::show::text(report))?,
    }
    Ok(())
}

/// GitHub shows what is appended to this file on the job's page.
fn step_summary(report: &Report, console: &Console) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let written = fs_err::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(pipeline::show::markdown(report).as_bytes()));
    if let Err(error) = written {
        console.warning(&format!("the step summary could not be written: {error}"));
    }
}

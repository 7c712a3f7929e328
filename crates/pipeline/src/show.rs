//! A Report for people: the table at the end of a run, and dist/report.md.

use crate::report::{BuildReport, Report, Status, duration, size};
use diagnostics::printable;
use plan::show::NotRun;
use std::fmt::Write as _;

/// The steps whose times are worth a column of their own; the rest is summed up as `other`.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("build", &["build", "sdist", "before-build"]),
    ("repair", &["repair"]),
    ("import", &["venv", "install", "import", "coexist"]),
    ("test", &["test"]),
];

fn word(status: Status) -> &'static str {
    match status {
        Status::Proven => "proven",
        Status::Cached => "unchanged",
        Status::Failed => "FAILED",
        Status::Skipped => "skipped",
    }
}

fn times(build: &BuildReport) -> String {
    let mut parts = Vec::new();
    for (label, names) in COLUMNS {
        let of = |name: &str| {
            names.iter().any(|n| name == *n || name.strip_prefix(n).is_some_and(|rest| rest.starts_with('-')))
        };
        let seconds: f64 = build.steps.iter().filter(|step| of(&step.name)).map(|step| step.seconds).sum();
        if seconds > 0.0 {
            parts.push(format!("{label} {}", duration(seconds)));
        }
    }
    let tools: f64 = build.steps.iter().filter(|step| step.name.starts_with("tools-")).map(|step| step.seconds).sum();
    if tools > 0.0 {
        parts.push(format!("tools {}", duration(tools)));
    }
    parts.join(", ")
}

/// What was built, how long it took, how big it is and why, what was grafted and proven, and what was not run and why.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let several =
        report.builds.iter().any(|build| build.project != report.builds.first().map_or("", |b| b.project.as_str()));
    let name = |build: &BuildReport| if several { format!("{}/{}", build.project, build.id) } else { build.id.clone() };
    let shown: Vec<&BuildReport> = report.builds.iter().filter(|build| build.status != Status::Skipped).collect();
    let width = shown.iter().map(|build| name(build).len()).max().unwrap_or(0);
    for build in &shown {
        let _ = write!(out, "{:<width$}  {:<9}", name(build), word(build.status));
        match (&build.wheel, build.bytes) {
            (Some(wheel), Some(bytes)) => {
                let _ = writeln!(out, "  {}  {wheel}", size(bytes));
            }
            _ => {
                let reason = build.reason.as_deref().unwrap_or("");
                let _ = writeln!(out, "  {}", printable(reason.lines().next().unwrap_or("")));
            }
        }
        detail(&mut out, build, width);
    }
    let skipped = report.builds.iter().filter(|build| build.status == Status::Skipped);
    let skipped = NotRun::together(skipped.map(|build| (name(build), build.reason.as_deref(), build.help.as_deref())));
    if !skipped.is_empty() {
        let _ = writeln!(out, "\nNot run here:");
        for group in &skipped {
            let _ = write!(out, "{group}");
        }
    }
    let _ = writeln!(out, "\n{}", verdict(report));
    out
}

fn detail(out: &mut String, build: &BuildReport, width: usize) {
    let indent = " ".repeat(width + 2);
    if build.status == Status::Failed {
        for line in build.reason.as_deref().unwrap_or("").lines().skip(1) {
            let _ = writeln!(out, "{indent}{}", printable(line));
        }
        for line in &build.excerpt {
            let _ = writeln!(out, "{indent}| {}", printable(line));
        }
        if let Some(log) = &build.log {
            let _ = writeln!(out, "{indent}log: {log}");
        }
        if let Some(help) = &build.help {
            let _ = writeln!(out, "{indent}help: {}", printable(help));
        }
        return;
    }
    if !build.grafted.is_empty() {
        const SHOWN: usize = 3;
        let base = |path: &str| printable(path.rsplit('/').next().unwrap_or(path)).into_owned();
        let mut list: Vec<String> =
            build.grafted.iter().take(SHOWN).map(|g| format!("{} {}", base(&g.name), size(g.bytes))).collect();
        let rest = build.grafted.get(SHOWN..).unwrap_or_default();
        if !rest.is_empty() {
            list.push(format!("and {} more, {}", rest.len(), size(rest.iter().map(|g| g.bytes).sum())));
        }
        let _ = writeln!(out, "{indent}grafted: {}", list.join(", "));
    }
    if let Some(first) = build.biggest.first()
        && let Some(bytes) = build.bytes.filter(|bytes| *bytes > 0)
    {
        let share = first.compressed.saturating_mul(100) / bytes;
        let _ = writeln!(out, "{indent}{share} % of it is {}", printable(&first.name));
    }
    if let Some(why) = build.why_not_wider.first() {
        let _ = writeln!(out, "{indent}not more widely usable: {}", printable(why));
    }
    let mut proven = Vec::new();
    if let Some(proof) = &build.proof {
        proven.push(match proof.assumptions.as_slice() {
            [] => "every need of every binary is met on a clean machine".to_owned(),
            [one] => format!("every need is met on a clean machine, assuming: {one}"),
            many => format!("every need is met on a clean machine, with {} assumptions (report.json)", many.len()),
        });
    }
    if !build.imported.is_empty() {
        proven.push(format!("imports {}", build.imported.join(", ")));
    }
    if !build.tested.is_empty() {
        proven.push(format!("passes {}", build.tested.join("; ")));
    }
    if !proven.is_empty() {
        let _ = writeln!(out, "{indent}proven: {}", printable(&proven.join("; ")));
    }
    if build.status == Status::Proven {
        let _ = writeln!(out, "{indent}{}", times(build));
    }
}

/// One sentence about the whole run.
pub fn verdict(report: &Report) -> String {
    let mut parts = Vec::new();
    for (status, label) in [
        (Status::Proven, "proven"),
        (Status::Cached, "unchanged since proven"),
        (Status::Failed, "failed"),
        (Status::Skipped, "not run here"),
    ] {
        let count = report.count(status);
        if count > 0 {
            parts.push(format!("{count} {label}"));
        }
    }
    if parts.is_empty() {
        return "nothing was selected".to_owned();
    }
    format!("{} in {}", parts.join(", "), duration(report.seconds))
}

/// The verdict, after what failed and why: all that `-q` prints.
pub fn quiet(report: &Report) -> String {
    let mut out = String::new();
    for build in report.builds.iter().filter(|build| build.status == Status::Failed) {
        let reason = build.reason.as_deref().unwrap_or_default();
        let _ = write!(out, "{}/{}: {}", build.project, build.id, printable(reason.lines().next().unwrap_or_default()));
        if let Some(log) = &build.log {
            let _ = write!(out, " (log: {log})");
        }
        out.push('\n');
    }
    out + &verdict(report)
}

/// dist/report.md, also the step summary of a CI job.
pub fn markdown(report: &Report) -> String {
    let mut out = format!("# Wheels\n\n{}\n\n", verdict(report));
    out.push_str("| build | | wheel | size | grafted | policy | time |\n|---|---|---|---:|---|---|---:|\n");
    for build in &report.builds {
        let grafted: Vec<String> =
            build.grafted.iter().map(|g| format!("`{}` {}", cell(&g.name), size(g.bytes))).collect();
        let seconds: f64 = build.steps.iter().map(|step| step.seconds).sum();
        let wheel = match (&build.wheel, &build.reason) {
            (Some(wheel), _) => format!("`{}`", cell(wheel)),
            (None, Some(reason)) => cell(reason.lines().next().unwrap_or("")),
            (None, None) => String::new(),
        };
        let _ = writeln!(
            out,
            "| {}/{} | {} | {wheel} | {} | {} | {} | {} |",
            cell(&build.project),
            build.id,
            word(build.status),
            build.bytes.map(size).unwrap_or_default(),
            grafted.join("<br>"),
            build.platform.as_deref().unwrap_or(""),
            if build.steps.is_empty() { String::new() } else { duration(seconds) },
        );
    }
    for build in report.builds.iter().filter(|build| build.status == Status::Failed) {
        let _ =
            writeln!(out, "\n## {}/{} failed\n\n{}\n", build.project, build.id, build.reason.as_deref().unwrap_or(""));
        if !build.excerpt.is_empty() {
            // Four backticks: the log may hold three.
            let _ = writeln!(out, "````text\n{}\n````\n", build.excerpt.join("\n").replace("````", "'''"));
        }
        if let Some(help) = &build.help {
            let _ = writeln!(out, "{help}\n");
        }
    }
    for sdist in &report.sdists {
        let _ = writeln!(
            out,
            "\nSource distribution: `{}` ({}), a wheel was built from it.",
            cell(&sdist.name),
            size(sdist.bytes)
        );
    }
    out
}

fn cell(text: &str) -> String {
    printable(text).replace('|', "\\|").replace('`', "'")
}

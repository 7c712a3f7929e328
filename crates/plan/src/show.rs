//! The Plan as text: what runs, with which commands, and what does not and why.

use crate::plan::{Plan, PlannedBuild};
use crate::settings::Explained;
use exec::{Shell, Step};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The plan for people. `root` is left out of paths that lie below it; with `whole`, each step shows its environment, log
/// and key too.
pub fn text(plan: &Plan, root: &str, whole: bool) -> String {
    let mut out = String::new();
    let short = shortener(root);
    for build in plan.builds.iter().filter(|build| build.runnable) {
        let (shell, _) = shell_of(build);
        let _ = writeln!(out, "{}", build.scope());
        if let Some(llvm) = &build.llvm {
            let _ = writeln!(out, "  LLVM {llvm}");
        }
        for remark in &build.remarks {
            let _ = writeln!(out, "  note: {remark}");
        }
        for step in &build.steps {
            if whole {
                let key = step.key.get(..12).unwrap_or(&step.key);
                let _ = writeln!(out, "  {:<19} {}", step.name, short(&step.command_line_for(shell)));
                let _ = writeln!(out, "  {:<19} key {key}, log {}", "", short(step.log.as_str()));
            } else {
                let bare = Step { env: BTreeMap::new(), clean_env: false, ..step.clone() };
                let _ = writeln!(out, "  {:<19} {}", step.name, short(&bare.command_line_for(shell)));
            }
        }
        out.push('\n');
    }
    let blocked = NotRun::of(plan);
    if !blocked.is_empty() {
        out.push_str("Not run here:\n");
        for group in &blocked {
            let _ = write!(out, "{group}");
        }
    }
    let _ = writeln!(out, "{}", verdict(plan));
    if plan.builds.iter().any(|build| build.runnable) && !whole {
        out.push_str("-v shows environments, logs and cache keys; --format json has everything.\n");
    }
    out
}

/// Builds that do not run here for one and the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRun<'a> {
    /// Their names.
    pub builds: Vec<String>,
    /// Why not.
    pub reason: &'a str,
    /// What would make them run.
    pub remedy: Option<&'a str>,
}

impl<'a> NotRun<'a> {
    /// Puts builds (name, reason, remedy) together that differ in their names alone, in the order of their first.
    pub fn together(builds: impl Iterator<Item = (String, Option<&'a str>, Option<&'a str>)>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (name, reason, remedy) in builds {
            let reason = reason.unwrap_or("no reason is known");
            match groups.iter_mut().find(|group| (group.reason, group.remedy) == (reason, remedy)) {
                Some(group) => group.builds.push(name),
                None => groups.push(Self { builds: vec![name], reason, remedy }),
            }
        }
        groups
    }

    /// Those of a plan.
    pub fn of(plan: &'a Plan) -> Vec<Self> {
        let blocked = plan.builds.iter().filter(|build| !build.runnable);
        Self::together(blocked.map(|build| (build.scope(), build.reason.as_deref(), build.remedy.as_deref())))
    }
}

/// A line with the names, below it what the reason says further, and the remedy.
impl fmt::Display for NotRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.reason.lines().map(diagnostics::printable);
        writeln!(f, "  {}: {}", self.builds.join(", "), lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(f, "      {line}"))?;
        let them = if self.builds.len() == 1 { "it" } else { "them" };
        self.remedy.map_or(Ok(()), |remedy| writeln!(f, "      to run {them}: {}", diagnostics::printable(remedy)))
    }
}

/// One sentence about the whole plan.
pub fn verdict(plan: &Plan) -> String {
    let runnable = plan.builds.iter().filter(|build| build.runnable).count();
    format!("{runnable} of {} builds run here.", plan.builds.len())
}

/// The plan as a page, for a step summary: the verdict, where each value came from (if that is asked for), the steps of
/// each build, and what does not run.
pub fn markdown(plan: &Plan, explained: &[Explained], root: &str) -> String {
    let mut out = format!("# Plan\n\n{}\n", verdict(plan));
    if !explained.is_empty() {
        out.push_str("\n## Settings\n\n| setting | value | from |\n|---|---|---|\n");
        for line in explained {
            let _ =
                writeln!(out, "| `{}` | {} | {} |", cell(&line.key), cell(&line.value), cell(&line.origin.to_string()));
        }
    }
    let short = shortener(root);
    for build in plan.builds.iter().filter(|build| build.runnable) {
        let (shell, name) = shell_of(build);
        let _ = writeln!(out, "\n## {}\n", build.scope());
        if let Some(llvm) = &build.llvm {
            let _ = writeln!(out, "LLVM {llvm}\n");
        }
        for remark in &build.remarks {
            let _ = writeln!(out, "- {}", diagnostics::printable(remark));
        }
        // Four backticks: a command may hold three.
        let _ = writeln!(out, "````{name}");
        for step in &build.steps {
            let bare = Step { env: BTreeMap::new(), clean_env: false, ..step.clone() };
            let _ = writeln!(out, "# {}\n{}", step.name, short(&bare.command_line_for(shell)));
        }
        out.push_str("````\n");
    }
    let blocked = NotRun::of(plan);
    if !blocked.is_empty() {
        out.push_str("\n## Not run here\n\n| build | why | what would make it run |\n|---|---|---|\n");
        for NotRun { builds, reason, remedy } in blocked {
            let _ =
                writeln!(out, "| {} | {} | {} |", builds.join("<br>"), cell(reason), cell(remedy.unwrap_or_default()));
        }
    }
    out
}

/// A text in a table's cell.
fn cell(text: &str) -> String {
    text.lines().map(|line| diagnostics::printable(line).replace('|', "\\|")).collect::<Vec<_>>().join("<br>")
}

/// To be read, and pasted, by whoever sits at that machine.
fn shell_of(build: &PlannedBuild) -> (Shell, &'static str) {
    if build.target.starts_with("windows-") { (Shell::PowerShell, "powershell") } else { (Shell::Posix, "sh") }
}

/// Leaves the root out of paths that lie below it.
fn shortener(root: &str) -> impl Fn(&str) -> String {
    let bare = root.trim_end_matches(['/', '\\']).to_owned();
    move |text: &str| text.replace(&format!("{bare}/"), "").replace(&format!("{bare}\\"), "")
}

/// Where each value came from.
pub fn explained(explained: &[Explained]) -> String {
    let width = explained.iter().map(|line| line.key.len()).max().unwrap_or(0);
    let mut out = String::new();
    for line in explained {
        let _ = writeln!(out, "{:<width$}  {}  ({})", line.key, line.value, line.origin);
    }
    out
}

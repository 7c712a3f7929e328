//! The Plan as text: what runs, with which commands, and what does not and why.

use crate::plan::Plan;
use crate::settings::Explained;
use exec::{Shell, Step};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The plan for people. `root` is left out of paths that lie below it; with `whole`, each step shows its environment, log
/// and key too.
pub fn text(plan: &Plan, root: &str, whole: bool) -> String {
    let mut out = String::new();
    let bare = root.trim_end_matches(['/', '\\']);
    let short = |text: &str| text.replace(&format!("{bare}/"), "").replace(&format!("{bare}\\"), "");
    for build in plan.builds.iter().filter(|build| build.runnable) {
        // To be read, and pasted, by whoever sits at that machine.
        let shell = if build.target.starts_with("windows-") { Shell::PowerShell } else { Shell::Posix };
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
    let blocked: Vec<_> = plan.builds.iter().filter(|build| !build.runnable).collect();
    if !blocked.is_empty() {
        out.push_str("Not run here:\n");
        for build in &blocked {
            let reason = build.reason.as_deref().unwrap_or("no reason is known");
            let mut lines = reason.lines();
            let _ = writeln!(out, "  {}: {}", build.scope(), lines.next().unwrap_or_default());
            for line in lines {
                let _ = writeln!(out, "      {line}");
            }
            if let Some(remedy) = &build.remedy {
                let _ = writeln!(out, "      to run it: {remedy}");
            }
        }
    }
    let runnable = plan.builds.len() - blocked.len();
    let _ = writeln!(out, "{runnable} of {} builds run here.", plan.builds.len());
    if runnable > 0 && !whole {
        out.push_str("-v shows environments, logs and cache keys; --format json has everything.\n");
    }
    out
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

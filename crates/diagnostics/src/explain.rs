//! The page of a rule, for a terminal and as Markdown, and the page of all rules.

use crate::render::{Style, table_text};
use crate::wrap::{fill, wrap};
use crate::{Family, Registry, Rule};

/// The page of a rule as text for a terminal: name, code, default severity, why, how to fix it, an example. Ends with a
/// line break.
pub fn explain(rule: &Rule, style: &Style) -> String {
    let width = style.columns();
    let mut lines = vec![format!("{} ({})", style.strong(rule.name), rule.code)];
    lines.extend(wrap(rule.summary, width));
    let family = rule.family().map_or(String::new(), |family| format!(" · family: {}", family.title()));
    lines.push(format!("default severity: {}{family}", style.severity(rule.severity, rule.severity.as_str())));
    for (heading, page) in [("Why", rule.why), ("How to fix it", rule.fix)] {
        lines.extend([String::new(), style.strong(heading)]);
        lines.extend(fill(page, width, 2));
    }
    lines.extend([String::new(), style.strong("Example")]);
    lines.extend(rule.example.trim_matches('\n').lines().map(|line| format!("    {line}").trim_end().to_owned()));
    lines.join("\n") + "\n"
}

/// The page of a rule as Markdown, its name being a heading of the third level. Ends with a line break.
pub fn explain_markdown(rule: &Rule) -> String {
    let Rule { code, name, severity, summary, .. } = rule;
    let [why, fix, example] = [rule.why, rule.fix, rule.example].map(|part| part.trim_matches('\n'));
    let fence = "`".repeat(longest_run(example).max(2) + 1);
    format!(
        "### {name}\n\n`{code}` · {severity} by default · {summary}\n\n**Why.** {why}\n\n**How to fix it.** {fix}\n\n\
         **Example.**\n\n{fence}text\n{example}\n{fence}\n"
    )
}

/// What SARIF viewers show as a rule's help.
pub(crate) fn help_markdown(rule: &Rule) -> String {
    let page = explain_markdown(rule);
    page.split_once("\n\n").map_or(String::new(), |(_, rest)| rest.to_owned())
}

/// The page of all rules: a table and the pages of each family.
pub fn rules_markdown(registry: &Registry) -> String {
    let rules = registry.rules();
    let mut out = String::from(
        "# Rules\n\n<!-- Generated from the rules in the source: do not edit. -->\n\n\
         A rule's name and code never change their meaning. Its severity can be set in `ci/wheels.yaml`, and a \
         finding can be accepted there with a reason.\n",
    );
    for family in Family::ALL {
        let members: Vec<_> = rules.iter().filter(|rule| rule.family() == Some(family)).collect();
        if members.is_empty() {
            continue;
        }
        put!(out, "\n## {} ({}xx)\n\n", family.title(), family.prefix());
        out.push_str("| code | name | severity | finds |\n|---|---|---|---|\n");
        for Rule { code, name, severity, summary, .. } in members.iter().copied() {
            put!(out, "| {code} | [{name}](#{name}) | {severity} | {} |\n", table_text(summary));
        }
        for rule in members {
            out.push('\n');
            out.push_str(&explain_markdown(rule));
        }
    }
    out
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

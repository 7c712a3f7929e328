//! `explain`: the page of a rule.

use crate::args::ExplainArgs;
use crate::exit::{self, Failure};
use crate::output;
use crate::registry::REGISTRY;
use diagnostics::Style;
use std::fmt::Write as _;

pub(crate) fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let Some(name) = &args.rule else {
        let mut list = String::new();
        for rule in REGISTRY.rules() {
            let _ = writeln!(list, "{}  {:<28} {:<8} {}", rule.code, rule.name, rule.severity, rule.summary);
        }
        output::line(&list)?;
        return Ok(exit::FINE);
    };
    let rule = REGISTRY
        .find(name)
        .map_err(|unknown| Failure::usage(unknown).help("`explain` without a name lists all rules"))?;
    let page = if args.format == "markdown" {
        diagnostics::explain_markdown(rule)
    } else {
        diagnostics::explain(rule, &Style::default())
    };
    output::line(&page)?;
    Ok(exit::FINE)
}

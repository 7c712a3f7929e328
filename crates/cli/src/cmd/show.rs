//! `show`: what is in a wheel: the tree of its libraries, sizes, policy and why not a wider one, whose symbols are used.

mod html;
mod tree;
mod why;

use crate::args::Global;
use crate::cmd::opening;
use crate::cmd::verify::folders;
use crate::exit::{self, Failure};
use crate::output;
use audit::proof::{Proof, ProofOptions, spoken_size};
use camino::Utf8PathBuf;
use clap::Args;
use diagnostics::{Severity, printable};
use exec::Cancel;
use serde::Serialize;
use std::fmt::Write as _;
use tree::{Line, lines};

/// `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Wheels, for any platform
    #[arg(required = true, value_name = "WHEEL")]
    pub paths: Vec<Utf8PathBuf>,
    /// Folders where the libraries lie that a wheel which is not repaired yet needs
    #[arg(long, value_name = "DIR")]
    pub lib_dir: Vec<Utf8PathBuf>,
    /// Say why this tag is not met, such as `manylinux_2_28`
    #[arg(long, value_name = "TAG")]
    pub why: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "html", "markdown"])]
    pub format: String,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema_version: u8,
    wheels: &'a [Proof],
}

pub(crate) fn run(_global: &Global, args: &ShowArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let options = ProofOptions { lib_dirs: folders(&args.lib_dir)?, ..ProofOptions::default() };
    let mut wheels = Vec::new();
    for path in &args.paths {
        wheels.push(opening::proof(path, &options, cancel, "show")?);
    }
    if let Some(tag) = &args.why {
        why::check(tag, &wheels)?;
    }
    match args.format.as_str() {
        "json" => {
            let document = Document { schema_version: 1, wheels: &wheels };
            output::line(&serde_json::to_string_pretty(&document).map_err(Failure::usage)?)?;
        }
        "html" => output::line(&html::page(&wheels))?,
        "markdown" => wheels.iter().try_for_each(|proof| output::line(&markdown(proof, args.why.as_deref())))?,
        _ => wheels.iter().try_for_each(|proof| output::line(&text(proof, args.why.as_deref())))?,
    }
    Ok(exit::FINE)
}

/// The reasons that are worth a line each; the rest is counted.
const REASONS: usize = 4;

fn head(proof: &Proof) -> String {
    let count = proof.binaries.len();
    format!(
        "{} packed, {} unpacked, {count} {}",
        spoken_size(proof.sizes.packed),
        spoken_size(proof.sizes.unpacked),
        if count == 1 { "binary" } else { "binaries" },
    )
}

fn text(proof: &Proof, why: Option<&str>) -> String {
    let mut text = format!("{}: {}\n", printable(proof.path.as_str()), head(proof));
    for result in &proof.results {
        let pythons = if result.pythons.is_empty() { "any Python".to_owned() } else { result.pythons.join(", ") };
        let _ = writeln!(text, "  {} with {pythons}: {}", result.platform, result.verdict);
        for reason in result.why.iter().take(REASONS) {
            let _ = writeln!(text, "    {}", printable(reason));
        }
    }
    for line in policy(proof, why) {
        let _ = writeln!(text, "  {}", printable(&line));
    }
    if !proof.binaries.is_empty() {
        text.push('\n');
    }
    for line in lines(proof) {
        let Line { prefix, name, detail, .. } = line;
        let _ = writeln!(text, "{}{}{}", prefix, printable(&name), indented(&printable(&detail)));
    }
    if !proof.assumptions.is_empty() {
        text.push_str("\nassumed:\n");
        for assumption in &proof.assumptions {
            let _ = writeln!(text, "  {}", printable(&assumption.to_string()));
        }
    }
    let worth = proof.findings.iter().filter(|finding| finding.severity > Severity::Info).count();
    if worth > 0 {
        let (noun, them) = if worth == 1 { ("finding", "it") } else { ("findings", "them") };
        let _ = writeln!(text, "\n{worth} {noun}: `cargo xtask verify --no-import` shows {them}");
    }
    text
}

fn indented(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!("  {detail}") }
}

/// Which tag is met, and why nothing wider, or why not the one that is asked for.
fn policy(proof: &Proof, why: Option<&str>) -> Vec<String> {
    let mut out = Vec::new();
    for policy in &proof.policies {
        match &policy.reached {
            Some(reached) if *reached == policy.tag => out.push(format!("{reached} is met, and nothing wider")),
            Some(reached) => out.push(format!("tagged {}; the widest that is met is {reached}", policy.tag)),
            None => out.push(format!("tagged {}; no policy is met", policy.tag)),
        }
        if let Some(asked) = why {
            out.extend(why::answer(policy, asked).unwrap_or_default());
            continue;
        }
        if let Some(narrower) = policy.why_not_wider.first() {
            let reasons = narrower.reasons.iter().take(REASONS);
            out.extend(reasons.map(|reason| format!("  not {}: {reason}", narrower.tag)));
            if narrower.reasons.len() > REASONS {
                let more = narrower.reasons.len() - REASONS;
                out.push(format!("  and {more} more reasons (--why {})", narrower.tag));
            }
        }
    }
    out
}

fn markdown(proof: &Proof, why: Option<&str>) -> String {
    let mut text = format!("### `{}`\n\n{}, verdict **{}**\n\n", proof.path, head(proof), proof.verdict);
    for line in policy(proof, why) {
        let _ = writeln!(text, "- {}", line.trim_start());
    }
    text.push_str("\n| binary | kind | packed | unpacked | share |\n|---|---|--:|--:|--:|\n");
    for binary in tree::by_size(proof) {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {:.1} % |",
            binary.member.replace('|', "\\|"),
            binary.kind,
            spoken_size(binary.sizes.packed),
            spoken_size(binary.sizes.unpacked),
            tree::share(proof, binary.sizes.packed),
        );
    }
    text.push_str("\n```text\n");
    for line in lines(proof) {
        let _ = writeln!(text, "{}{}{}", line.prefix, line.name, indented(&line.detail));
    }
    text.push_str("```\n");
    if !proof.assumptions.is_empty() {
        text.push_str("\nAssumed:\n\n");
        for assumption in &proof.assumptions {
            let _ = writeln!(text, "- {assumption}");
        }
    }
    text
}

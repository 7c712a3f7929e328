//! `symbols`: symbol hygiene of whatever is named.

use crate::args::{Global, SymbolsArgs};
use crate::cmd::opening;
use crate::context;
use crate::exit::{self, Failure};
use crate::output;
use crate::registry::REGISTRY;
use audit::Judge;
use capi::Python;
use diagnostics::{Examined, Format, Judged, Report, Style, Summary, Tool};
use exec::Cancel;
use platform::{PythonRequest, PythonVersion};
use std::io::IsTerminal;

pub(crate) fn run(global: &Global, args: &SymbolsArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let format: Format = args.format.parse().map_err(Failure::usage)?;
    let judge = Judge { python: pythons(&args.python)?, sources: args.source.clone() };
    for source in &args.source {
        source.metadata().map_err(|error| Failure::usage(format!("--source: `{source}` cannot be read: {error}")))?;
    }
    let adjustments = plan::settings::rules(&context::root(global)?, &REGISTRY)?;
    let mut subjects = Vec::new();
    let mut findings = Vec::new();
    let mut examined = Examined::default();
    // One after the other: a wheel uses all processors by itself, and memory stays that of one.
    for path in &args.paths {
        let inspection = opening::inspection(path, cancel, "symbols")?;
        cancel.check("symbols")?;
        subjects.extend(inspection.subjects(&judge));
        findings.extend(audit::symbols(&inspection, &judge));
        examined = examined.and(inspection.examined());
    }
    if subjects.is_empty() && findings.is_empty() {
        return Err(Failure::new(exit::NOTHING, "there is no binary in what was named")
            .help("name wheels, extensions, libraries, objects, archives, or folders of them"));
    }
    let judged = adjustments.apply(findings, &examined);
    render(global, &judged, &subjects, format)?;
    Ok(if judged.has_errors() { exit::FINDINGS } else { exit::FINE })
}

/// The Pythons of the table that any of the requests means.
pub(crate) fn pythons(requests: &[String]) -> Result<Vec<Python>, Failure> {
    let mut pythons = Vec::new();
    for text in requests {
        let request: PythonRequest = text.parse().map_err(|error| Failure::usage(format!("--python: {error}")))?;
        let before = pythons.len();
        pythons.extend(Python::all().filter(|python| request.matches(version(*python))));
        if pythons.len() == before {
            return Err(Failure::usage(format!(
                "--python: no CPython from 3.{} to 3.{} is `{text}`",
                capi::OLDEST,
                capi::NEWEST
            )));
        }
    }
    pythons.sort();
    pythons.dedup();
    Ok(pythons)
}

fn version(python: Python) -> PythonVersion {
    let version = PythonVersion::new(3, python.minor);
    match python.build {
        capi::Build::Gil => version,
        capi::Build::FreeThreaded => version.without_gil(),
    }
}

fn render<S: serde::Serialize>(
    global: &Global,
    judged: &Judged,
    subjects: &[S],
    format: Format,
) -> Result<(), Failure> {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let style = Style { colour, explain: Some("cargo xtask explain"), ..Style::default() };
    let tool = Tool { name: "wheelproof", version: env!("CARGO_PKG_VERSION"), information_uri: "", rules_uri: "" };
    if format == Format::Text && global.quiet {
        output::line(&Summary::of(judged.reported()).to_string())?;
        return Ok(());
    }
    let text = format.render(&Report { tool, subjects, judged }, &style).map_err(Failure::usage)?;
    if !text.is_empty() {
        output::line(&text)?;
    }
    if format == Format::Text {
        let count = subjects.len();
        context::console(global).line(&format!("{count} {} read", if count == 1 { "binary" } else { "binaries" }));
    }
    Ok(())
}

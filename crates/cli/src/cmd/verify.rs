//! `verify`: the import proof of any wheel, and the import itself where it can run; both verdicts side by side.

mod real;

use crate::args::Global;
use crate::cmd::opening;
use crate::cmd::symbols::pythons;
use crate::context;
use crate::exit::{self, Failure};
use crate::output;
use crate::registry::REGISTRY;
use audit::proof::{Assumption, PlatformResult, Proof, ProofOptions, Verdict};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use diagnostics::{Adjustments, Finding, Format, Judged, Report, Severity, Style, Tool, printable};
use exec::Cancel;
use real::Imported;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::IsTerminal;

/// `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Wheels, for any platform
    #[arg(required = true, value_name = "WHEEL")]
    pub paths: Vec<Utf8PathBuf>,
    /// The proof alone; nothing is installed or run
    #[arg(long)]
    pub no_import: bool,
    /// Folders where the libraries lie that a wheel which is not repaired yet needs
    #[arg(long, value_name = "DIR")]
    pub lib_dir: Vec<Utf8PathBuf>,
    /// Look into this machine's library folders as well (what is found there is assumed)
    #[arg(long)]
    pub host: bool,
    /// Prove for these Pythons instead of the ones that the tags stand for
    #[arg(long, value_name = "PYTHON", value_delimiter = ',')]
    pub python: Vec<String>,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "sarif", "github", "markdown"])]
    pub format: String,
}

/// One wheel in the JSON contract.
#[derive(Debug, Serialize)]
struct WheelRecord<'a> {
    path: &'a Utf8Path,
    verdict: Verdict,
    results: &'a [PlatformResult],
    assumptions: &'a [Assumption],
    findings: Vec<&'a Finding>,
    import: &'a Imported,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema_version: u8,
    wheels: Vec<WheelRecord<'a>>,
}

/// One wheel, proven and perhaps imported.
struct Verified {
    proof: Proof,
    judged: Judged,
    import: Imported,
    /// The wheel is refuted and imports, because this machine has what it lacks.
    helped_by_host: bool,
}

impl Verified {
    /// Whether proof and import contradict each other.
    fn contradicts(&self) -> bool {
        self.import.ran && (self.proof.verdict == Verdict::Refuted) == self.import.ok && !self.helped_by_host
    }
}

pub(crate) fn run(global: &Global, args: &VerifyArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let format: Format = args.format.parse().map_err(Failure::usage)?;
    let options = ProofOptions {
        lib_dirs: folders(&args.lib_dir)?,
        host: args.host,
        pythons: pythons(&args.python)?,
        ..ProofOptions::default()
    };
    let adjustments = plan::settings::rules(&context::root(global)?, &REGISTRY)?;
    let mut all = Vec::new();
    for path in &args.paths {
        all.push(verify(global, args, path, &options, &adjustments, cancel)?);
    }
    render(global, &all, format)?;
    let imports = all.iter().any(|one| one.import.ran && !one.import.ok && one.proof.verdict != Verdict::Refuted);
    let findings = all.iter().any(|one| one.proof.verdict == Verdict::Refuted || one.judged.has_errors());
    Ok(match (imports, findings) {
        (true, _) => exit::STEP,
        (false, true) => exit::FINDINGS,
        (false, false) => exit::FINE,
    })
}

fn verify(
    global: &Global,
    args: &VerifyArgs,
    path: &Utf8Path,
    options: &ProofOptions,
    adjustments: &Adjustments,
    cancel: &Cancel,
) -> Result<Verified, Failure> {
    let mut proof = opening::proof(path, options, cancel, "verify")?;
    let import = if args.no_import {
        Imported::not_run("it was not asked for (--no-import)")
    } else {
        real::run(global, path, &proof, cancel)?
    };
    // A refuted wheel that imports: with this machine's libraries it should not be refuted either.
    let helped_by_host = proof.verdict == Verdict::Refuted && import.ran && import.ok && {
        let here = ProofOptions { host: true, ..options.clone() };
        opening::proof(path, &here, cancel, "verify")?.verdict != Verdict::Refuted
    };
    let judged = adjustments.judge(std::mem::take(&mut proof.findings));
    Ok(Verified { proof, judged, import, helped_by_host })
}

/// Absolute, as the loader's search wants them.
pub(crate) fn folders(given: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, Failure> {
    given
        .iter()
        .map(|dir| match disk::real(dir) {
            Ok(real) if real.is_dir() => Ok(real),
            Ok(_) => Err(Failure::usage(format!("`--lib-dir {dir}` is not a folder"))),
            Err(error) => Err(Failure::usage(format!("`--lib-dir {dir}`: {error}"))),
        })
        .collect()
}

fn render(global: &Global, all: &[Verified], format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => {
            let wheels = all.iter().map(|one| WheelRecord {
                path: &one.proof.path,
                verdict: one.proof.verdict,
                results: &one.proof.results,
                assumptions: &one.proof.assumptions,
                findings: one.judged.reported().collect(),
                import: &one.import,
            });
            let document = Document { schema_version: 1, wheels: wheels.collect() };
            let text = serde_json::to_string_pretty(&document).map_err(Failure::usage)?;
            output::line(&text)?;
        }
        Format::Text => all.iter().try_for_each(|one| output::line(&text(global, one)))?,
        Format::Markdown => all.iter().try_for_each(|one| output::line(&markdown(one)))?,
        Format::Sarif | Format::Github => {
            let mut judged = Judged::default();
            for one in all {
                judged.extend(Judged { findings: one.judged.findings.clone(), ..Judged::default() });
            }
            let tool =
                Tool { name: "wheelproof", version: env!("CARGO_PKG_VERSION"), information_uri: "", rules_uri: "" };
            let subjects: [(); 0] = [];
            let report = Report { tool, subjects: &subjects, judged: &judged };
            let text = format.render(&report, &Style::default()).map_err(Failure::usage)?;
            if !text.is_empty() {
                output::line(&text)?;
            }
        }
    }
    Ok(())
}

fn text(global: &Global, one: &Verified) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let paint = |verdict: Verdict| {
        let code = match verdict {
            Verdict::Proven => "1;32",
            Verdict::Assumed => "1;33",
            Verdict::Refuted => "1;31",
        };
        if colour { format!("\x1b[{code}m{verdict}\x1b[0m") } else { verdict.to_string() }
    };
    let proof = &one.proof;
    let mut text = format!("{}: {}\n", paint(proof.verdict), printable(proof.path.as_str()));
    if global.quiet {
        return text;
    }
    for result in &proof.results {
        let pythons = if result.pythons.is_empty() { "any Python".to_owned() } else { result.pythons.join(", ") };
        let _ = writeln!(text, "  {:<8} {} with {pythons}", result.verdict.to_string(), result.platform);
    }
    for assumption in &proof.assumptions {
        let _ = writeln!(text, "  assumed  {}", printable(&assumption.to_string()));
    }
    let _ = writeln!(text, "  import   {}", one.import);
    if one.helped_by_host {
        let _ =
            writeln!(text, "  this machine has what the wheel lacks: that is why it imports here, and not elsewhere");
    }
    if one.contradicts() {
        let _ = writeln!(
            text,
            "  proof and import contradict each other: one of them is wrong; please report it with the wheel"
        );
    }
    if one.judged.reported().any(|finding| finding.severity > Severity::Info) || global.verbose {
        let style = Style { colour, explain: Some("cargo xtask explain"), ..Style::default() };
        text.push('\n');
        text.push_str(&diagnostics::render::text(&shown(&one.judged, global.verbose), &style));
    }
    text
}

/// What is shown to people: information only when they ask for it.
fn shown(judged: &Judged, all: bool) -> Judged {
    let findings = judged.findings.iter().filter(|finding| all || finding.severity > Severity::Info);
    Judged { findings: findings.cloned().collect(), accepted: judged.accepted.clone(), stale: judged.stale.clone() }
}

fn markdown(one: &Verified) -> String {
    let proof = &one.proof;
    let mut text = format!("### `{}`: **{}**\n\n", proof.path, proof.verdict);
    text.push_str("| platform | Pythons | verdict |\n|---|---|---|\n");
    for result in &proof.results {
        let _ = writeln!(text, "| `{}` | {} | {} |", result.platform, result.pythons.join(", "), result.verdict);
    }
    let _ = writeln!(text, "\nImport: {}\n", one.import);
    if !proof.assumptions.is_empty() {
        text.push_str("Assumed:\n\n");
        for assumption in &proof.assumptions {
            let _ = writeln!(text, "- {}", assumption.to_string().replace('|', "\\|"));
        }
        text.push('\n');
    }
    text.push_str(&diagnostics::render::markdown(&one.judged));
    text
}

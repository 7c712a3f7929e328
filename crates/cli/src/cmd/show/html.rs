//! The same as one page: no script, nothing fetched, light and dark as the reader's system has it.

use super::tree::{Line, by_size, lines, share};
use audit::proof::{Proof, Provider, Verdict, spoken_size};
use diagnostics::Severity;
use std::fmt::Write as _;

/// The page.
pub(super) fn page(wheels: &[Proof]) -> String {
    let title = match wheels {
        [one] => escape(one.path.file_name().unwrap_or_default()),
        many => format!("{} wheels", many.len()),
    };
    let body: String = wheels.iter().map(wheel).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>"
    )
}

const STYLE: &str = "\
:root { color-scheme: light dark; --ink: #1c2127; --soft: #5d6875; --line: #dde2e8; --back: #ffffff; --panel: #f5f7f9;
  --bar: #4573d2; --good: #1a7f42; --fair: #9a6a00; --bad: #c0312b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --soft: #95a1af; --line: #343b44; --back: #16191d;
  --panel: #1f242a; --bar: #6f97ee; --good: #4cc27a; --fair: #e0ad3f; --bad: #f0736d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
article + article { margin-top: 4rem; }
h1 { font-size: 1.3rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
code, .tree { font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: .1rem .55rem; border-radius: .3rem; color: var(--back); font-weight: 600; font-size: .85rem; }
.proven { background: var(--good); } .assumed { background: var(--fair); } .refuted { background: var(--bad); }
.figures { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; margin: 1rem 0 0; padding: .9rem 1.1rem; background: var(--panel); border-radius: .5rem; }
.figures div { display: flex; flex-direction: column; } .figures b { font-size: 1.15rem; font-weight: 600; }
.figures span { color: var(--soft); font-size: .82rem; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--soft); font-weight: 500; font-size: .82rem; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.bar { width: 26%; } td.bar i { display: block; height: .7rem; margin-top: .35rem; border-radius: .15rem; background: var(--bar); min-width: 1px; }
.scroll { overflow-x: auto; } .tree { white-space: pre; background: var(--panel); border-radius: .5rem; padding: .8rem 1rem; margin: 0; }
.tree .soft { font-size: 12px; } .missing { color: var(--bad); font-weight: 600; } .guess { color: var(--fair); }
ul { margin: .3rem 0; padding-left: 1.2rem; } li { margin: .15rem 0; overflow-wrap: anywhere; }
.error b { color: var(--bad); } .warning b { color: var(--fair); } .info b { color: var(--soft); }
";

fn wheel(proof: &Proof) -> String {
    let mut out = String::from("<article>\n");
    let verdict = proof.verdict;
    let _ = writeln!(out, "<h1>{}</h1>", escape(proof.path.file_name().unwrap_or(proof.path.as_str())));
    let says = match verdict {
        Verdict::Proven => "every extension module imports on the systems that the tags stand for",
        Verdict::Assumed => "every extension module imports, if what is assumed below holds",
        Verdict::Refuted => "an import or a first call fails",
    };
    let _ = writeln!(out, "<p><span class=\"badge {verdict}\">{verdict}</span> {says}</p>");
    figures(&mut out, proof);
    results(&mut out, proof);
    policies(&mut out, proof);
    sizes(&mut out, proof);
    tree(&mut out, proof);
    assumptions(&mut out, proof);
    findings(&mut out, proof);
    out.push_str("</article>\n");
    out
}

fn figures(out: &mut String, proof: &Proof) {
    out.push_str("<div class=\"figures\">");
    let mut figure = |value: &str, what: &str| {
        let _ = write!(out, "<div><b>{}</b><span>{what}</span></div>", escape(value));
    };
    figure(&spoken_size(proof.sizes.packed), "to download");
    figure(&spoken_size(proof.sizes.unpacked), "installed");
    figure(&proof.modules.len().to_string(), "extension modules");
    figure(&proof.binaries.len().to_string(), "binaries");
    if let Some(reached) = proof.policies.iter().find_map(|policy| policy.reached.as_deref()) {
        figure(reached, "widest tag that is met");
    }
    out.push_str("</div>\n");
}

fn results(out: &mut String, proof: &Proof) {
    if proof.results.is_empty() {
        return;
    }
    out.push_str("<h2>Platforms and Pythons</h2>\n<table><tr><th>platform</th><th>Pythons</th><th>verdict</th></tr>\n");
    for result in &proof.results {
        let why: String = result.why.iter().take(5).map(|why| format!("<li>{}</li>", marked(why))).collect();
        let why = if why.is_empty() { why } else { format!("<ul>{why}</ul>") };
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td><span class=\"badge {v}\">{v}</span>{why}</td></tr>",
            escape(&result.platform),
            escape(&result.pythons.join(", ")),
            v = result.verdict,
        );
    }
    out.push_str("</table>\n");
}

fn policies(out: &mut String, proof: &Proof) {
    for policy in &proof.policies {
        let Some(narrower) = policy.why_not_wider.first() else { continue };
        let _ = writeln!(out, "<h2>Why not <code>{}</code>?</h2>\n<ul>", escape(&narrower.tag));
        for reason in narrower.reasons.iter().take(12) {
            let _ = writeln!(out, "<li>{}</li>", marked(reason));
        }
        if narrower.reasons.len() > 12 {
            let _ = writeln!(out, "<li class=\"soft\">and {} more</li>", narrower.reasons.len() - 12);
        }
        out.push_str("</ul>\n");
    }
}

fn sizes(out: &mut String, proof: &Proof) {
    if proof.largest.is_empty() {
        return;
    }
    let most = proof.largest.iter().map(|(_, sizes)| sizes.packed).max().unwrap_or(1).max(1);
    out.push_str(
        "<h2>Largest members</h2>\n<table><tr><th>member</th><th></th><th class=\"n\">packed</th><th class=\"n\">unpacked</th>\
         <th class=\"n\">share</th></tr>\n",
    );
    for (name, sizes) in &proof.largest {
        let width = sizes.packed as f64 * 100.0 / most as f64;
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td class=\"bar\"><i style=\"width:{width:.1}%\"></i></td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{:.1} %</td></tr>",
            escape(name),
            spoken_size(sizes.packed),
            spoken_size(sizes.unpacked),
            share(proof, sizes.packed),
        );
    }
    let listed: u64 = proof.largest.iter().map(|(_, sizes)| sizes.packed).sum();
    let rest = proof.sizes.packed.saturating_sub(listed);
    let _ = writeln!(
        out,
        "<tr><td class=\"soft\">everything else</td><td></td><td class=\"n\">{}</td><td></td><td class=\"n\">{:.1} %</td></tr></table>",
        spoken_size(rest),
        share(proof, rest),
    );
}

fn tree(out: &mut String, proof: &Proof) {
    if by_size(proof).is_empty() {
        return;
    }
    out.push_str("<h2>Who needs what</h2>\n<div class=\"scroll\"><pre class=\"tree\">");
    for line in lines(proof) {
        let Line { prefix, name, detail, provider, depth } = line;
        let class = match provider {
            Some(Provider::Missing) => "missing",
            Some(Provider::Assumed | Provider::Outside) => "guess",
            Some(Provider::System) => "soft",
            Some(Provider::Wheel) | None => "",
        };
        let name = if depth == 0 { format!("<b>{}</b>", escape(&name)) } else { escape(&name) };
        let _ = writeln!(
            out,
            "<span class=\"soft\">{prefix}</span><span class=\"{class}\">{name}</span>  <span class=\"soft\">{}</span>",
            escape(&detail)
        );
    }
    out.push_str("</pre></div>\n");
}

fn assumptions(out: &mut String, proof: &Proof) {
    if proof.assumptions.is_empty() {
        return;
    }
    out.push_str("<h2>Assumed</h2>\n<ul>\n");
    for assumption in &proof.assumptions {
        let _ = writeln!(out, "<li>{}</li>", escape(&assumption.to_string()));
    }
    out.push_str("</ul>\n");
}

fn findings(out: &mut String, proof: &Proof) {
    if proof.findings.is_empty() {
        return;
    }
    let mut findings: Vec<_> = proof.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    out.push_str("<h2>Findings</h2>\n<ul>\n");
    for finding in findings {
        let class = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info | Severity::Off => "info",
        };
        let member = finding.subject.member.as_deref().map(|member| format!("<code>{}</code>: ", escape(member)));
        let _ = writeln!(
            out,
            "<li class=\"{class}\"><b>{}</b> {}{}</li>",
            finding.rule.name,
            member.unwrap_or_default(),
            marked(&finding.message)
        );
    }
    out.push_str("</ul>\n");
}

/// Text whose names stand in backticks.
fn marked(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = escape(part);
        let (open, close) = if index % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        let _ = write!(out, "{open}{part}{close}");
    }
    out
}

/// Names come from files that anybody may have made.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

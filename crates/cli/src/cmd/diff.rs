//! `diff`: what changed for users between two wheels.

use crate::args::Global;
use crate::cmd::opening;
use crate::exit::{self, Failure};
use crate::output;
use audit::proof::{BinaryNode, Proof, ProofOptions, Provider, spoken_size};
use camino::Utf8PathBuf;
use clap::Args;
use diagnostics::printable;
use exec::Cancel;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The wheel that users have
    #[arg(value_name = "OLD")]
    pub old: Utf8PathBuf,
    /// The wheel that they get
    #[arg(value_name = "NEW")]
    pub new: Utf8PathBuf,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "markdown"])]
    pub format: String,
}

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Change {
    /// Under which heading.
    topic: Topic,
    /// What it is about.
    name: String,
    /// As it was; nothing if it is new.
    old: Option<String>,
    /// As it is; nothing if it is gone.
    new: Option<String>,
}

/// The headings, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Topic {
    Verdict,
    Tags,
    Floor,
    Size,
    Module,
    Library,
    SystemLibrary,
    PythonSymbol,
    Assumption,
}

impl Topic {
    const fn title(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Tags => "tags and requirements",
            Self::Floor => "oldest systems",
            Self::Size => "size",
            Self::Module => "extension modules",
            Self::Library => "libraries in the wheel",
            Self::SystemLibrary => "libraries of the system",
            Self::PythonSymbol => "names of Python's C API",
            Self::Assumption => "assumptions",
        }
    }
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema_version: u8,
    old: &'a str,
    new: &'a str,
    changes: &'a [Change],
}

pub(crate) fn run(_global: &Global, args: &DiffArgs, cancel: &Cancel) -> Result<u8, Failure> {
    let options = ProofOptions::default();
    let old = opening::proof(&args.old, &options, cancel, "diff")?;
    let new = opening::proof(&args.new, &options, cancel, "diff")?;
    let changes = changes(&old, &new);
    let text = match args.format.as_str() {
        "json" => {
            let document =
                Document { schema_version: 1, old: old.path.as_str(), new: new.path.as_str(), changes: &changes };
            serde_json::to_string_pretty(&document).map_err(Failure::usage)?
        }
        "markdown" => render(&old, &new, &changes, true),
        _ => render(&old, &new, &changes, false),
    };
    output::line(&text)?;
    Ok(exit::FINE)
}

fn changes(old: &Proof, new: &Proof) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut value = |topic, name: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            changes.push(Change { topic, name: name.to_owned(), old, new });
        }
    };
    value(Topic::Verdict, "verdict", Some(old.verdict.to_string()), Some(new.verdict.to_string()));
    value(Topic::Tags, "tags", old.tags.clone(), new.tags.clone());
    value(Topic::Tags, "Requires-Python", old.requires_python.clone(), new.requires_python.clone());
    let pythons = |proof: &Proof| {
        let all: BTreeSet<&str> = proof.results.iter().flat_map(|result| &result.pythons).map(String::as_str).collect();
        Some(all.into_iter().collect::<Vec<_>>().join(" "))
    };
    value(Topic::Tags, "Pythons", pythons(old), pythons(new));
    let floor = |proof: &Proof| {
        let reached: BTreeSet<&str> = proof.policies.iter().filter_map(|policy| policy.reached.as_deref()).collect();
        Some(reached.into_iter().collect::<Vec<_>>().join(" "))
    };
    value(Topic::Floor, "widest tag that is met", floor(old), floor(new));
    value(Topic::Size, "to download", Some(spoken_size(old.sizes.packed)), Some(spoken_size(new.sizes.packed)));
    value(Topic::Size, "installed", Some(spoken_size(old.sizes.unpacked)), Some(spoken_size(new.sizes.unpacked)));
    map(&mut changes, Topic::Module, &modules(old), &modules(new));
    map(&mut changes, Topic::Library, &libraries(old), &libraries(new));
    map(&mut changes, Topic::SystemLibrary, &system(old), &system(new));
    map(&mut changes, Topic::PythonSymbol, &python(old), &python(new));
    let assumptions = |proof: &Proof| -> BTreeMap<String, String> {
        proof.assumptions.iter().map(|assumption| (assumption.what.clone(), assumption.why.clone())).collect()
    };
    map(&mut changes, Topic::Assumption, &assumptions(old), &assumptions(new));
    changes
}

/// What two maps do not agree on.
fn map(changes: &mut Vec<Change>, topic: Topic, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        if before != after {
            changes.push(Change { topic, name: name.clone(), old: before.cloned(), new: after.cloned() });
        }
    }
}

/// The suffix of the file says for which Python it is; only the module matters here.
fn modules(proof: &Proof) -> BTreeMap<String, String> {
    let size =
        |member: &str| proof.binaries.iter().find(|binary| binary.member == member).map(|binary| binary.sizes.unpacked);
    proof.modules.iter().map(|module| (module.name.clone(), spoken_size(size(&module.member).unwrap_or(0)))).collect()
}

/// The libraries by what stays of their names from release to release: `libLLVM-e7f2b360.so.19.1` is `libLLVM`.
fn libraries(proof: &Proof) -> BTreeMap<String, String> {
    let libraries = proof.binaries.iter().filter(|binary| binary.module.is_none());
    let mut found: BTreeMap<String, Vec<&BinaryNode>> = BTreeMap::new();
    for binary in libraries {
        found.entry(stem(&binary.member)).or_default().push(binary);
    }
    let spoken = |binaries: Vec<&BinaryNode>| {
        let each: Vec<String> = binaries
            .iter()
            .map(|binary| {
                let file = binary.member.rsplit('/').next().unwrap_or(&binary.member);
                format!("{} ({})", without_hash(file), spoken_size(binary.sizes.unpacked))
            })
            .collect();
        each.join(", ")
    };
    found.into_iter().map(|(stem, binaries)| (stem, spoken(binaries))).collect()
}

fn stem(member: &str) -> String {
    let file = without_hash(member.rsplit('/').next().unwrap_or(member));
    let end = file.find(['.', '-']).unwrap_or(file.len());
    let stem = file.get(..end).unwrap_or(&file).to_owned();
    if stem.is_empty() { file } else { stem }
}

/// Repair tools put eight or more hexadecimal digits of the file's own hash into its name.
fn without_hash(file: &str) -> String {
    let (head, rest) = file.split_at(file.find('.').unwrap_or(file.len()));
    match head.rsplit_once('-') {
        Some((name, hash)) if hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{name}{rest}")
        }
        _ => file.to_owned(),
    }
}

fn system(proof: &Proof) -> BTreeMap<String, String> {
    let needs = proof.binaries.iter().flat_map(|binary| &binary.slices).flat_map(|slice| &slice.needs);
    let outside = needs.filter(|need| need.provider != Provider::Wheel);
    let spoken = |provider| match provider {
        Provider::System | Provider::Wheel => "needed",
        Provider::Assumed => "needed and assumed",
        Provider::Outside => "needed from outside",
        Provider::Missing => "needed and missing",
    };
    outside.map(|need| (need.name.clone(), spoken(need.provider).to_owned())).collect()
}

fn python(proof: &Proof) -> BTreeMap<String, String> {
    let slices = proof.binaries.iter().flat_map(|binary| &binary.slices);
    slices.flat_map(|slice| &slice.python).map(|name| (name.clone(), "used".to_owned())).collect()
}

/// More names of one kind are counted.
const SHOWN: usize = 25;

fn render(old: &Proof, new: &Proof, changes: &[Change], markdown: bool) -> String {
    let name = |proof: &Proof| printable(proof.path.file_name().unwrap_or(proof.path.as_str())).into_owned();
    let mut text = if markdown {
        format!("### `{}` → `{}`\n", name(old), name(new))
    } else {
        format!("{} -> {}\n", name(old), name(new))
    };
    if changes.is_empty() {
        text.push_str("\nnothing changed for users\n");
    }
    let topics: BTreeSet<Topic> = changes.iter().map(|change| change.topic).collect();
    for topic in topics {
        let of: Vec<&Change> = changes.iter().filter(|change| change.topic == topic).collect();
        let _ =
            if markdown { writeln!(text, "\n**{}**\n", topic.title()) } else { writeln!(text, "\n{}:", topic.title()) };
        for change in of.iter().take(SHOWN) {
            let _ = writeln!(text, "{}", line(change, markdown));
        }
        if of.len() > SHOWN {
            let bullet = if markdown { "- " } else { "  " };
            let _ = writeln!(text, "{bullet}and {} more", of.len() - SHOWN);
        }
    }
    text
}

fn line(change: &Change, markdown: bool) -> String {
    let (name, show) = (printable(&change.name), |text: &str| printable(text).into_owned());
    // A name that is used or not needs no further word.
    let plain = |text: &str| matches!(text, "used" | "needed");
    let word = |text: &str| if plain(text) { String::new() } else { format!(": {}", show(text)) };
    let (mark, rest) = match (&change.old, &change.new) {
        (None, Some(new)) => ('+', word(new)),
        (Some(old), None) => ('-', word(old)),
        (Some(old), Some(new)) => ('~', format!(": {} -> {}", show(old), show(new))),
        (None, None) => (' ', String::new()),
    };
    if markdown { format!("- {mark} `{name}`{rest}") } else { format!("  {mark} {name}{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_release_to_release() {
        for (member, name) in [
            ("demo.libs/libLLVM-e7f2b360.so.19.1", "libLLVM"),
            ("demo.libs/libLLVM-18-e7f2b360.so", "libLLVM"),
            ("demo/.dylibs/libz3.4.13.dylib", "libz3"),
            ("demo.libs/msvcp140-0123456789abcdef0123456789abcdef.dll", "msvcp140"),
            ("demo/libfoo-static.so", "libfoo"),
        ] {
            assert_eq!(stem(member), name, "{member}");
        }
    }
}

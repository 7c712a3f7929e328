//! Compiles `data/*.tsv` into static tables: rows sorted by name, the slots of the hash look-up, the chain of prefixes.

#[path = "src/hash.rs"]
mod hash;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::{env, fs};

fn main() -> Result<(), String> {
    for file in ["build.rs", "src/hash.rs", "data/capi.tsv", "data/replacements.tsv", "data/frameworks.tsv"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let folder = env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?;
    let read = |file: &str| {
        let path = format!("{folder}/data/{file}");
        fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))
    };
    let table = generate(&read("capi.tsv")?, &read("replacements.tsv")?, &read("frameworks.tsv")?)?;
    let out = env::var("OUT_DIR").map_err(|e| e.to_string())?;
    fs::write(format!("{out}/table.rs"), table).map_err(|e| e.to_string())
}

/// The rows of a file below its comments and its line of column names.
fn rows(text: &str, columns: usize) -> Result<Vec<Vec<&str>>, String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| {
            let cells: Vec<_> = line.split('\t').collect();
            if cells.len() == columns {
                Ok(cells)
            } else {
                Err(format!("{} cells instead of {columns}: {line}", cells.len()))
            }
        })
        .collect()
}

/// `3.8-3.10,3.12` as a bit set, bit 0 being 3.8.
fn versions(text: &str) -> Result<u16, String> {
    let mut bits = 0;
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        for minor in minor(first)?..=minor(last)? {
            bits |= 1_u16.checked_shl(minor.wrapping_sub(8).into()).ok_or_else(|| format!("3.{minor} does not fit"))?;
        }
    }
    Ok(bits)
}

fn minor(text: &str) -> Result<u8, String> {
    text.strip_prefix("3.").and_then(|m| m.parse().ok()).ok_or_else(|| format!("`{text}` is not a minor version"))
}

fn generate(capi: &str, replacements: &str, frameworks: &str) -> Result<String, String> {
    let mut advice = BTreeMap::new();
    let mut out = String::new();
    let replacements = rows(replacements, 5)?;
    writeln!(out, "static REPLACEMENTS: [Replacement; {}] = [", replacements.len()).map_err(|e| e.to_string())?;
    for (index, row) in replacements.iter().enumerate() {
        let [name, instead, since, note, source] = row[..] else { unreachable!("rows() counted") };
        let since = if since.is_empty() { "None".to_owned() } else { format!("Some({})", minor(since)?) };
        if advice.insert(name, index).is_some() {
            return Err(format!("two replacements for {name}"));
        }
        let _ = writeln!(out, "Replacement{{instead:{instead:?},since:{since},note:{note:?},source:{source:?}}},");
    }
    out.push_str("];\n");

    let mut brought: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows(frameworks, 4)? {
        brought.entry(row[1]).or_default().push(row[0]);
    }

    let rows = rows(capi, 16)?;
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    if !names.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()) {
        return Err("the rows are not in order, or a name stands twice".to_owned());
    }
    for name in advice.keys().chain(brought.keys()) {
        names.binary_search(name).map_err(|_| format!("advice or framework for `{name}`, which has no row"))?;
    }

    let _ = writeln!(out, "static ENTRIES: [Entry; {}] = [", rows.len());
    for row in &rows {
        let [
            name,
            kind,
            tier,
            abi3,
            place,
            linux,
            macos,
            windows,
            ft,
            declared,
            macro_in,
            inline_in,
            internal,
            through,
            documented,
            micro,
        ] = row[..]
        else {
            unreachable!("rows() counted")
        };
        let abi3 = if abi3.is_empty() { 0 } else { minor(abi3)? };
        let (only, not) = match ft.split_once(' ') {
            Some(("only", when)) => (versions(when)?, 0),
            Some(("not", when)) => (0, versions(when)?),
            _ if ft.is_empty() => (0, 0),
            _ => return Err(format!("{name}: `{ft}` is neither `only …` nor `not …`")),
        };
        let mut origins = String::new();
        for origin in through.split(';').filter(|o| !o.is_empty()) {
            let (from, when) = origin.split_once(':').ok_or_else(|| format!("{name}: `{origin}`"))?;
            let _ = write!(origins, "Through{{name:{from:?},versions:Versions({})}},", versions(when)?);
        }
        let mut late = String::new();
        for arrival in micro.split(',').filter(|m| !m.is_empty()) {
            let (absent, present) = arrival.split_once('<').ok_or_else(|| format!("{name}: `{arrival}`"))?;
            let release = |text: &str| -> Result<String, String> {
                let (rest, micro) =
                    text.rsplit_once('.').ok_or_else(|| format!("{name}: `{text}` is not a release"))?;
                Ok(format!(
                    "Release{{minor:{},micro:{}}}",
                    minor(rest)?,
                    micro.parse::<u8>().map_err(|e| e.to_string())?
                ))
            };
            let present = if present.is_empty() { "None".to_owned() } else { format!("Some({})", release(present)?) };
            let _ = write!(late, "Late{{absent:{},present:{present}}},", release(absent)?);
        }
        let advice = advice.get(name).map_or("None".to_owned(), |index| format!("Some(&REPLACEMENTS[{index}])"));
        let frameworks: Vec<_> =
            brought.get(name).into_iter().flatten().map(|f| format!("Framework::{}.bit()", variant(f))).collect();
        let frameworks = if frameworks.is_empty() { "0".to_owned() } else { frameworks.join("|") };
        let place = match place {
            "" | "PY_HAVE_THREAD_NATIVE_ID" => "Place::Everywhere",
            "MS_WINDOWS" | "USE_STACKCHECK" => "Place::Windows",
            "HAVE_FORK" => "Place::Unix",
            "Py_REF_DEBUG" => "Place::DebugBuilds",
            other => return Err(format!("{name}: unknown condition `{other}`")),
        };
        let _ = writeln!(
            out,
            "Entry{{name:{name:?},kind:Kind::{},tier:Tier::{},abi3:{abi3},place:{place},linux:Versions({}),macos:Versions({}),\
             windows:Versions({}),ft_only:Versions({only}),ft_not:Versions({not}),declared:Versions({}),macros:Versions({}),\
             inlines:Versions({}),internal:Versions({}),through:&[{origins}],documented:{},late:&[{late}],replacement:{advice},\
             frameworks:Frameworks({frameworks})}},",
            variant(kind),
            variant(tier),
            versions(linux)?,
            versions(macos)?,
            versions(windows)?,
            versions(declared)?,
            versions(macro_in)?,
            versions(inline_in)?,
            versions(internal)?,
            documented == "yes",
        );
    }
    out.push_str("];\n");
    let _ = writeln!(out, "static SLOTS: [u16; {}] = {:?};", hash::SLOTS, place_names(&names)?);
    let _ = writeln!(out, "static PREFIX: [u16; {}] = {:?};", names.len(), prefixes(&names));
    let longest = names.iter().map(|n| n.len()).max().unwrap_or(0);
    let _ = writeln!(out, "/// Bytes of the longest name.\npub(crate) const LONGEST: usize = {longest};");
    Ok(out)
}

/// `limited-abi-only` → `LimitedAbiOnly`
fn variant(text: &str) -> String {
    text.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// Open addressing: the first free slot from the name's own on.
fn place_names(names: &[&str]) -> Result<Vec<u16>, String> {
    let mut slots = vec![hash::EMPTY; hash::SLOTS];
    if names.len() * 3 > hash::SLOTS {
        return Err(format!("{} names need more than {} slots", names.len(), hash::SLOTS));
    }
    for (index, name) in names.iter().enumerate() {
        let mut slot = hash::slot(name.as_bytes());
        while slots[slot] != hash::EMPTY {
            slot = (slot + 1) % hash::SLOTS;
        }
        slots[slot] = u16::try_from(index).map_err(|e| e.to_string())?;
    }
    Ok(slots)
}

/// For each name, the longest other name that it begins with: where a search for the longest match goes on.
fn prefixes(names: &[&str]) -> Vec<u16> {
    let mut open: Vec<usize> = Vec::new();
    let mut prefix = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        while open.last().is_some_and(|&last| !name.starts_with(names[last])) {
            open.pop();
        }
        prefix.push(open.last().map_or(hash::EMPTY, |&last| last as u16));
        open.push(index);
    }
    prefix
}

//! Findings put together for reading: by place, then by rule, and blocks that say the same of several places made one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use camino::Utf8Path;

use crate::{Finding, Location, Rule, Severity, shortened};

/// The longest a name is shown to people; C++ templates make names of many kilobytes.
pub(crate) const NAME: usize = 240;
/// The longest a message, help or note is shown to people.
pub(crate) const PARAGRAPH: usize = 2000;

/// A file and a member of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place<'a> {
    pub(crate) file: Option<&'a Utf8Path>,
    pub(crate) member: Option<&'a str>,
}

/// Findings of one rule and severity in one place, or the same ones in several places.
#[derive(Debug, Clone)]
pub(crate) struct Block<'a> {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    pub(crate) because: Option<&'static Rule>,
    /// At least one.
    pub(crate) places: Vec<Place<'a>>,
    /// Those of the first place, each once.
    pub(crate) findings: Vec<&'a Finding>,
}

/// What a finding says, apart from its place.
#[derive(PartialEq, Eq, Hash)]
struct Said<'a> {
    symbol: Option<&'a str>,
    message: &'a str,
    help: Option<&'a str>,
    notes: &'a [String],
    locations: &'a [Location],
}

impl<'a> Place<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self { file: finding.subject.file.as_deref(), member: finding.subject.member.as_deref() }
    }

    pub(crate) const fn is_nowhere(self) -> bool {
        self.file.is_none() && self.member.is_none()
    }
}

impl fmt::Display for Place<'_> {
    /// `dist/x.whl: pkg/_core.so`, made harmless and bounded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.file.map(Utf8Path::as_str), self.member];
        for (index, part) in parts.into_iter().flatten().enumerate() {
            let colon = if index == 0 { "" } else { ": " };
            write!(f, "{colon}{}", shortened(part, NAME))?;
        }
        Ok(())
    }
}

impl Block<'_> {
    /// How many findings the block stands for.
    pub(crate) fn count(&self) -> usize {
        self.findings.len() * self.places.len()
    }

    /// The help that all its findings share.
    pub(crate) fn shared_help(&self) -> Option<&str> {
        let first = self.findings.first()?.help.as_deref()?;
        self.findings.iter().all(|finding| finding.help.as_deref() == Some(first)).then_some(first)
    }

    /// The notes that all its findings share; none if they differ.
    pub(crate) fn shared_notes(&self) -> &[String] {
        match self.findings.split_first() {
            Some((first, rest)) if rest.iter().all(|finding| finding.notes == first.notes) => &first.notes,
            _ => &[],
        }
    }
}

/// The symbol of a finding whose message does not name it.
pub(crate) fn unnamed_symbol(finding: &Finding) -> Option<&str> {
    finding.subject.symbol.as_deref().filter(|symbol| !finding.message.contains(symbol))
}

/// Blocks in the order in which their files, then their members first occur, heavier before lighter, then by code.
pub(crate) fn blocks<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Block<'a>> {
    let mut files: HashMap<Option<&Utf8Path>, usize> = HashMap::new();
    let mut places: HashMap<Place<'a>, usize> = HashMap::new();
    let mut numbers: HashMap<(Place<'a>, &str, Option<&str>, Severity), usize> = HashMap::new();
    let mut blocks: Vec<((usize, usize), Block<'a>)> = Vec::new();
    for finding in findings {
        let place = Place::of(finding);
        let (next_file, next_place) = (files.len(), places.len());
        let order = (*files.entry(place.file).or_insert(next_file), *places.entry(place).or_insert(next_place));
        let key = (place, finding.rule.name, finding.because.map(|rule| rule.name), finding.severity);
        let number = *numbers.entry(key).or_insert_with(|| {
            let Finding { rule, severity, because, .. } = *finding;
            blocks.push((order, Block { rule, severity, because, places: vec![place], findings: Vec::new() }));
            blocks.len() - 1
        });
        if let Some((_, block)) = blocks.get_mut(number) {
            block.findings.push(finding);
        }
    }
    blocks.sort_by_key(|(order, block)| (*order, std::cmp::Reverse(block.severity), block.rule.code));
    merge(blocks.into_iter().map(|(_, block)| block))
}

/// Drops repeated findings within a block, then makes blocks that say the same one.
fn merge<'a>(blocks: impl Iterator<Item = Block<'a>>) -> Vec<Block<'a>> {
    let mut numbers: HashMap<_, usize> = HashMap::new();
    let mut merged: Vec<Block<'a>> = Vec::new();
    for mut block in blocks {
        let mut once = std::collections::HashSet::new();
        block.findings.retain(|finding| once.insert(said(finding)));
        let content: Vec<_> = block.findings.iter().map(|finding| said(finding)).collect();
        match numbers.entry((block.rule.name, block.because.map(|rule| rule.name), block.severity, content)) {
            Entry::Occupied(number) => {
                if let Some(same) = merged.get_mut(*number.get()) {
                    same.places.extend(block.places);
                }
            }
            Entry::Vacant(slot) => {
                slot.insert(merged.len());
                merged.push(block);
            }
        }
    }
    merged
}

fn said(finding: &Finding) -> Said<'_> {
    Said {
        symbol: finding.subject.symbol.as_deref(),
        message: &finding.message,
        help: finding.help.as_deref(),
        notes: &finding.notes,
        locations: &finding.locations,
    }
}

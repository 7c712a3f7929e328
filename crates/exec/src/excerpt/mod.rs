//! The lines of a failed tool's output that tell why.
//!
//! A build's log ends with noise: the tool that was told of the failure, the one above that, and their advice. What a
//! person wants to see is what the compiler, the linker, CMake or the test said first. [`signs`] knows how these look;
//! here is chosen among what was found.

mod clean;
mod signs;

use std::io::{self, Read, Seek, SeekFrom};

use camino::Utf8Path;

use crate::log::is_frame;
use crate::text;
use signs::{Rank, Sighting};

/// Of a longer log only this much of its end is read, in bytes.
const READ: u64 = 4 << 20;

/// How many lines an excerpt has at most.
const LINES: usize = 20;

/// How many of them the tools' verdicts (failed tests, ninja's failed target) may take from the causes.
const VERDICTS: usize = 6;

/// How many lines are shown of a log in which nothing is recognised.
const UNKNOWN: usize = 12;

/// The lines of `log` that tell why it failed: at most twenty, in their order, without control sequences; the last lines
/// if nothing is recognised. Of a text larger than 4 MB only the end is looked at.
pub fn excerpt(log: &str) -> Vec<String> {
    let mut start = log.len().saturating_sub(READ as usize);
    while !log.is_char_boundary(start) {
        start += 1;
    }
    choose(&lines(log.get(start..).unwrap_or_default(), start > 0))
}

/// The same for a log file, which may be of any size and hold any bytes.
///
/// # Errors
/// The file cannot be read.
pub fn excerpt_of(log: &Utf8Path) -> io::Result<Vec<String>> {
    let (text, cut) = end_of(log)?;
    Ok(choose(&lines(&text, cut)))
}

/// The last lines of a log file, for a program that did not fail but was stopped.
pub(crate) fn last_lines_of(log: &Utf8Path) -> io::Result<Vec<String>> {
    let (text, cut) = end_of(log)?;
    Ok(last_of(&lines(&text, cut)))
}

/// The last lines of `text`.
pub(crate) fn last_lines(text: &str) -> Vec<String> {
    last_of(&lines(text, false))
}

/// The end of a file, and whether something came before it.
fn end_of(log: &Utf8Path) -> io::Result<(String, bool)> {
    let mut file = fs_err::File::open(log)?;
    let start = file.metadata()?.len().saturating_sub(READ);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    Ok((text::shown(&bytes).into_owned(), start > 0))
}

/// The lines as a terminal would show them, without the log's own heading and footer. The first one of a text that was
/// `cut` is half a line.
fn lines(text: &str, cut: bool) -> Vec<String> {
    text.lines().skip(usize::from(cut)).map(clean::line).filter(|line| !is_frame(line)).collect()
}

fn last_of(lines: &[String]) -> Vec<String> {
    let filled: Vec<&String> = lines.iter().filter(|line| !line.is_empty()).collect();
    filled.iter().skip(filled.len().saturating_sub(UNKNOWN)).map(|line| (*line).clone()).collect()
}

fn choose(lines: &[String]) -> Vec<String> {
    let sightings = signs::find(lines);
    let of = |rank: Rank| sightings.iter().filter(|sighting| sighting.rank == rank).collect::<Vec<&Sighting>>();
    let (causes, verdicts, exceptions) = (of(Rank::Cause), of(Rank::Verdict), of(Rank::Exception));
    let mut chosen = Chosen::new(lines);
    if causes.is_empty() {
        // Programs that failed one because of the other: the last ones count.
        chosen.add_all(verdicts.iter().copied(), LINES / 2);
        chosen.add_all(exceptions.iter().rev().take(3).copied(), LINES);
    } else {
        // The first errors, because later ones often follow from them.
        let reserved = verdicts.iter().map(|verdict| verdict.lines.len()).sum::<usize>().min(VERDICTS);
        chosen.add_all(causes.into_iter(), LINES - reserved);
        chosen.add_all(verdicts.into_iter(), LINES);
    }
    if chosen.is_empty() {
        chosen.add_all(of(Rank::Summary).into_iter().rev().take(5), LINES);
    }
    if chosen.is_empty() { last_of(lines) } else { chosen.into_lines() }
}

/// The numbers of the lines that are shown.
struct Chosen<'a> {
    lines: &'a [String],
    numbers: Vec<usize>,
}

impl<'a> Chosen<'a> {
    fn new(lines: &'a [String]) -> Self {
        Self { lines, numbers: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    fn add_all<'s>(&mut self, sightings: impl Iterator<Item = &'s Sighting>, limit: usize) {
        sightings.for_each(|sighting| self.add(sighting, limit));
    }

    /// Adds a sighting, up to `limit` lines in all. Lines that are shown already, such as a message repeated for each
    /// Python or each target, are not shown again.
    fn add(&mut self, sighting: &Sighting, limit: usize) {
        let said: Vec<&str> = sighting.lines.clone().filter_map(|number| self.text(number)).collect();
        let again = self
            .numbers
            .windows(said.len().max(1))
            .any(|window| window.iter().filter_map(|number| self.text(*number)).eq(said.iter().copied()));
        if again {
            return;
        }
        let new: Vec<usize> = sighting
            .lines
            .clone()
            .filter(|number| self.text(*number).is_some_and(|line| !line.is_empty()) && !self.numbers.contains(number))
            .collect();
        // Half an error says less than none, but something must be said.
        let room = limit.saturating_sub(self.numbers.len());
        if new.len() <= room || self.is_empty() {
            self.numbers.extend(new.into_iter().take(room));
        }
    }

    fn text(&self, number: usize) -> Option<&'a str> {
        self.lines.get(number).map(|line| line.trim())
    }

    fn into_lines(mut self) -> Vec<String> {
        self.numbers.sort_unstable();
        let chosen: Vec<&String> = self.numbers.iter().filter_map(|number| self.lines.get(*number)).collect();
        let indent =
            chosen.iter().map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or_default();
        chosen.iter().filter_map(|line| line.get(indent..)).map(str::to_owned).collect()
    }
}

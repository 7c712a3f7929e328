//! A step's log: a heading for people, everything the step printed, and how it ended.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::Utf8PathBuf;

use crate::command_line::Shell;
use crate::error::StepError;
use crate::step::Step;

/// An open log. The child writes to the same file itself, so nothing stands between a tool and its log.
pub(crate) struct Log {
    file: File,
    path: Utf8PathBuf,
    step: String,
    /// Where the child's output begins.
    pub(crate) output_start: u64,
}

impl Log {
    /// Makes the log and its folders and writes the heading.
    pub(crate) fn create(step: &Step, now: SystemTime) -> Result<Self, StepError> {
        let path = step.log.clone();
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).map_err(|error| StepError::writing(&step.name, "create", folder, error))?;
        }
        let open = || -> io::Result<File> {
            // Truncated first: `append` alone would keep a former run's text. Appending is what keeps the lines of
            // several writers from overwriting each other.
            fs_err::OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
            Ok(fs_err::OpenOptions::new().append(true).open(&path)?.into_parts().0)
        };
        let file = open().map_err(|error| StepError::writing(&step.name, "create", &path, error))?;
        let heading = heading(step, now);
        let mut log = Self { file, path, step: step.name.clone(), output_start: heading.len() as u64 };
        log.write(&heading)?;
        Ok(log)
    }

    /// For the child, to write to.
    pub(crate) fn handle(&self) -> Result<File, StepError> {
        self.file.try_clone().map_err(|error| StepError::writing(&self.step, "open", &self.path, error))
    }

    /// The last line: how it ended.
    pub(crate) fn close(mut self, ending: &str, took: Duration) -> Result<(), StepError> {
        self.write(&format!("\n# ended: {ending} after {:.3} s\n", took.as_secs_f64()))
    }

    fn write(&mut self, text: &str) -> Result<(), StepError> {
        self.file.write_all(text.as_bytes()).map_err(|error| StepError::writing(&self.step, "write", &self.path, error))
    }
}

fn heading(step: &Step, now: SystemTime) -> String {
    let mut lines = vec![
        format!("# step: {}", one_line(&step.name)),
        format!("# command: {}", one_line(&step.command_line_for(Shell::host()))),
        format!("# folder: {}", one_line(step.cwd.as_str())),
    ];
    if step.clean_env {
        lines.push(format!(
            "# environment: only essential variables{}",
            if step.network { ", proxies and certificates" } else { "" }
        ));
    }
    lines.extend(step.env.iter().map(|(name, value)| match value {
        Some(value) => format!("# environment: {}", one_line(&format!("{name}={value}"))),
        None => format!("# environment: {} removed", one_line(name)),
    }));
    if let Some(seconds) = step.timeout_seconds {
        lines.push(format!("# time limit: {seconds} s"));
    }
    lines.push(format!("# started: {}", utc(now)));
    lines.join("\n") + "\n\n"
}

/// A heading's lines must stay lines, whatever an argument holds.
fn one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r")
}

/// `2026-11-20T15:04:05Z`. The civil date of a day number by counting 400-year eras from 1 March of year 0.
fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Is this line part of a heading or footer that [`Log`] wrote? For readers that want the tool's own words.
pub(crate) fn is_frame(line: &str) -> bool {
    const FRAME: [&str; 7] =
        ["# step: ", "# command: ", "# folder: ", "# environment: ", "# time limit: ", "# started: ", "# ended: "];
    FRAME.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_heading_cannot_be_broken_by_its_content() {
        let step =
            Step::new("a\nb", ["sh", "-c", "echo 1\necho 2"], "/tmp", "/tmp/log").with_env("X", "1\n2").with_timeout(3);
        let heading = heading(&step, UNIX_EPOCH);
        let lines: Vec<&str> = heading.lines().filter(|line| !line.is_empty()).collect();
        assert!(lines.iter().all(|line| is_frame(line)), "{heading}");
        assert_eq!(lines.len(), 6);
    }
}

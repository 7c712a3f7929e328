//! WHEEL: what kind of wheel it is (binary distribution format, "File contents").

use std::fmt;

use crate::text::{Headers, TextProblem, TextProblemKind, shortened};

const FILE: &str = "WHEEL";
const KNOWN: [&str; 5] = ["Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build"];

/// The content of WHEEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFile {
    /// Wheel-Version, `1.0` to date; empty if it is missing.
    pub wheel_version: String,
    /// The program that made the wheel.
    pub generator: Option<String>,
    /// Whether the root goes to purelib rather than platlib.
    pub root_is_purelib: bool,
    /// Every Tag as written, such as `cp313-cp313-manylinux_2_28_x86_64`. The specification wants each expanded;
    /// compressed ones such as `py2.py3-none-any` are in the wild.
    pub tags: Vec<String>,
    /// The build number.
    pub build: Option<String>,
    /// All other fields.
    pub others: Vec<(String, String)>,
}

impl WheelFile {
    /// Reads WHEEL. What is wrong with it comes beside what could be read.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<TextProblem>) {
        let mut problems = Vec::new();
        let headers = Headers::parse(FILE, bytes, &mut problems);
        let mut report = |line, kind| crate::text::report(&mut problems, FILE, line, kind);
        let wheel_version = headers.required("Wheel-Version", &mut report);
        if !wheel_version.is_empty() && !wheel_version.starts_with("1.") {
            report(0, bad("Wheel-Version", &wheel_version, "1.x, which installers know"));
        }
        let purelib = headers.required("Root-Is-Purelib", &mut report);
        let root_is_purelib = purelib.eq_ignore_ascii_case("true");
        if !root_is_purelib && !purelib.is_empty() && !purelib.eq_ignore_ascii_case("false") {
            report(0, bad("Root-Is-Purelib", &purelib, "`true` or `false`"));
        }
        let mut tags = Vec::new();
        for (tag, line) in headers.lines("Tag") {
            if tag.split('-').filter(|part| !part.is_empty()).count() != 3 || tag.matches('-').count() != 2 {
                report(line, bad("Tag", tag, "`python-abi-platform`"));
            }
            tags.push(tag.to_owned());
        }
        if tags.is_empty() {
            report(0, TextProblemKind::MissingField { field: "Tag" });
        }
        let generator = headers.once("Generator", &mut report).map(str::to_owned);
        let build = headers.once("Build", &mut report).map(str::to_owned);
        let known = |name: &str| KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
        let others =
            headers.iter().filter(|(name, _)| !known(name)).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        (Self { wheel_version, generator, root_is_purelib, tags, build, others }, problems)
    }
}

impl fmt::Display for WheelFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut headers = Headers::default();
        headers.push("Wheel-Version", &self.wheel_version);
        if let Some(generator) = &self.generator {
            headers.push("Generator", generator);
        }
        headers.push("Root-Is-Purelib", if self.root_is_purelib { "true" } else { "false" });
        self.tags.iter().for_each(|tag| headers.push("Tag", tag));
        if let Some(build) = &self.build {
            headers.push("Build", build);
        }
        self.others.iter().for_each(|(name, value)| headers.push(name, value));
        headers.fmt(f)
    }
}

fn bad(field: &'static str, value: &str, expected: &'static str) -> TextProblemKind {
    TextProblemKind::BadValue { field, value: shortened(value), expected }
}

//! A wheel opened as a whole: the archive and the three texts of its `.dist-info`.

use camino::Utf8Path;

use crate::archive::{Archive, WheelError};
use crate::dist_info::{DistInfo, DistInfoError};
use crate::metadata::Metadata;
use crate::record::Record;
use crate::text::{TextProblem, TextProblemKind};
use crate::wheel_file::WheelFile;

/// No METADATA or WHEEL comes near this, whatever stands in the description.
const MOST_HEADERS: u64 = 8 << 20;
/// Nor any RECORD near this: 20,000 files take 3 MB.
const MOST_RECORD: u64 = 64 << 20;

/// A wheel's archive with its texts, each as far as it could be read.
#[derive(Debug)]
pub struct Wheel {
    /// The archive.
    pub archive: Archive,
    /// Its `.dist-info` folder.
    pub dist_info: Result<DistInfo, DistInfoError>,
    /// METADATA.
    pub metadata: Option<Metadata>,
    /// WHEEL.
    pub wheel_file: Option<WheelFile>,
    /// RECORD.
    pub record: Option<Record>,
    /// What is wrong with the three, missing ones included.
    pub problems: Vec<TextProblem>,
}

impl Wheel {
    /// Opens the wheel at `path`. Fails only where it is no archive at all.
    pub fn open(path: &Utf8Path) -> Result<Self, WheelError> {
        Ok(Self::of(Archive::open(path)?))
    }

    /// Reads the texts of an archive.
    pub fn of(archive: Archive) -> Self {
        let dist_info = DistInfo::find(&archive);
        let mut problems = Vec::new();
        let (mut metadata, mut wheel_file, mut record) = (None, None, None);
        if let Ok(info) = &dist_info {
            metadata = text(&archive, info, "METADATA", Metadata::parse, &mut problems);
            wheel_file = text(&archive, info, "WHEEL", WheelFile::parse, &mut problems);
            record = text(&archive, info, "RECORD", Record::parse, &mut problems);
        }
        Self { archive, dist_info, metadata, wheel_file, record, problems }
    }
}

fn text<T>(
    archive: &Archive,
    info: &DistInfo,
    file: &'static str,
    parse: fn(&[u8]) -> (T, Vec<TextProblem>),
    problems: &mut Vec<TextProblem>,
) -> Option<T> {
    let mut report = |kind| problems.push(TextProblem { file, line: 0, kind });
    let Some(member) = archive.member(&info.path(file)) else {
        report(TextProblemKind::Missing);
        return None;
    };
    let limit = if file == "RECORD" { MOST_RECORD } else { MOST_HEADERS };
    if member.size > limit {
        report(TextProblemKind::TooLarge { size: member.size, limit });
        return None;
    }
    match archive.read(member) {
        Ok(bytes) => {
            let (value, found) = parse(&bytes);
            problems.extend(found);
            Some(value)
        }
        Err(error) => {
            report(TextProblemKind::Unreadable { reason: error.kind.to_string() });
            None
        }
    }
}

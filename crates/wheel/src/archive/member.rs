//! One entry of the central directory.

use std::ops::Range;

use super::problem::{MemberError, MemberErrorKind, ProblemKind};

/// How a member's bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// As they are (method 0).
    Stored,
    /// Deflate (method 8).
    Deflated,
    /// Anything else, by its number in APPNOTE 4.4.5; such a member cannot be read.
    Other(u16),
}

impl Method {
    pub(crate) fn from_number(number: u16) -> Self {
        match number {
            0 => Self::Stored,
            8 => Self::Deflated,
            other => Self::Other(other),
        }
    }
}

/// A time as MS-DOS writes it: local, in steps of two seconds, from 1980 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DosTime {
    /// Year (7 bits, from 1980), month (4), day (5).
    pub date: u16,
    /// Hour (5 bits), minute (6), half seconds (5).
    pub time: u16,
}

impl DosTime {
    /// 1980-01-01 00:00:00, the earliest there is.
    pub const EARLIEST: Self = Self { date: (1 << 5) | 1, time: 0 };
    /// 2107-12-31 23:59:58, the latest there is.
    pub const LATEST: Self = Self { date: 0xff9f, time: 0xbf7d };

    /// The UTC time `epoch` seconds after 1970, held within what the format can say.
    pub fn from_epoch(epoch: u64) -> Self {
        let (days, second) = (epoch / 86_400, epoch % 86_400);
        // Civil date from a day count, in years that start in March: the leap day comes last.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        match year {
            0..1980 => Self::EARLIEST,
            1980..=2107 => Self {
                date: (((year - 1980) << 9) | (month << 5) | day) as u16,
                time: (((second / 3600) << 11) | ((second / 60 % 60) << 5) | (second % 60 / 2)) as u16,
            },
            _ => Self::LATEST,
        }
    }
}

impl std::fmt::Display for DosTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { date, time } = self;
        let (year, month, day) = (1980 + (date >> 9), date >> 5 & 15, date & 31);
        let (hour, minute, second) = (time >> 11, time >> 5 & 63, (time & 31) * 2);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// One entry of the central directory.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its place in [`Archive::members`](super::Archive::members).
    pub index: usize,
    /// Its name with forward slashes, as the directory spells it (what is not UTF-8 is replaced by U+FFFD).
    pub name: String,
    /// Size in bytes once inflated, as claimed.
    pub size: u64,
    /// Size in bytes as it stands in the archive.
    pub compressed_size: u64,
    /// The CRC-32 claimed for the inflated bytes.
    pub crc32: u32,
    /// How the bytes are kept.
    pub method: Method,
    /// `st_mode` (type and permissions) if the archive was made on a Unix and gives one.
    pub mode: Option<u32>,
    /// When it was last changed, as the archive says.
    pub modified: DosTime,
    /// Whether it is a folder: its name ends in `/`.
    pub is_dir: bool,
    /// Where its data lie in the file, or why they cannot be had.
    pub(crate) data: Result<Range<usize>, ProblemKind>,
}

impl Member {
    /// Whether one of the execute bits is set.
    pub fn is_executable(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o111 != 0)
    }

    /// Whether its bytes may be had as far as the archive's structure tells.
    pub fn is_readable(&self) -> bool {
        self.data.is_ok()
    }

    /// The last component of its name.
    pub fn file_name(&self) -> &str {
        let name = self.name.strip_suffix('/').unwrap_or(&self.name);
        name.rsplit_once('/').map_or(name, |(_, last)| last)
    }

    pub(crate) fn range(&self) -> Result<Range<usize>, MemberError> {
        self.data.clone().map_err(|problem| self.error(problem))
    }

    pub(crate) fn error(&self, kind: impl Into<MemberErrorKind>) -> MemberError {
        MemberError { member: self.name.clone(), kind: kind.into() }
    }
}

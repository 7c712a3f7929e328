//! The time that stands in a repaired wheel.

use crate::exit::Failure;
use camino::Utf8Path;

/// `SOURCE_DATE_EPOCH` of the caller, where it is set.
pub(super) fn asked() -> Result<Option<u64>, Failure> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(None) };
    plan::source_date_epoch(&value.to_string_lossy()).map_err(Failure::usage)
}

/// The newest time in the wheel itself, so that the same wheel gives the same bytes at any time.
pub(super) fn of_wheel(path: &Utf8Path) -> u64 {
    const FALLBACK: u64 = 318_211_200;
    let archive = wheel::Archive::open(path).ok();
    let members = archive.iter().flat_map(wheel::Archive::members);
    members.filter_map(|member| epoch_of(member.modified)).max().unwrap_or(FALLBACK)
}

/// Seconds after 1970 of a time in an archive, taken for UTC.
fn epoch_of(time: wheel::DosTime) -> Option<u64> {
    let (year, month, day) =
        (1980 + u64::from(time.date >> 9), u64::from(time.date >> 5 & 15), u64::from(time.date & 31));
    let (hour, minute, second) =
        (u64::from(time.time >> 11), u64::from(time.time >> 5 & 63), u64::from(time.time & 31) * 2);
    // Days of years that start in March: the leap day comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some(days.checked_sub(719_469)? * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_archives_there_and_back() {
        for epoch in [315_532_800, 318_211_200, 951_782_400, 1_700_000_000, 4_102_444_798] {
            assert_eq!(epoch_of(wheel::DosTime::from_epoch(epoch)), Some(epoch));
        }
    }
}

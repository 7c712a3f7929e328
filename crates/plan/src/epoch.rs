//! `SOURCE_DATE_EPOCH`: the time that stands in archives, so that the same sources give the same bytes at any time.

/// A text is no such time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "SOURCE_DATE_EPOCH{place} is `{text}`, and has to be a whole number of seconds after 1970, up to {LATEST} (an archive can say no later time)"
)]
pub struct EpochError {
    /// What was given.
    pub text: String,
    /// Where it stands, such as ` of the project …`; empty for the environment.
    pub place: String,
}

/// 2107-12-31 23:59:58: after that the years of a zip archive are counted out.
const LATEST: u64 = 4_354_819_198;

/// What a value of the variable says; an empty one is as good as none.
///
/// # Errors
/// It is no whole number of seconds that an archive can say.
pub fn source_date_epoch(text: &str) -> Result<Option<u64>, EpochError> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text);
    let seconds = digits.and_then(|text| text.parse().ok()).filter(|seconds| *seconds <= LATEST);
    seconds.map(Some).ok_or_else(|| EpochError { text: text.to_owned(), place: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_what_is_none() {
        for (text, seconds) in
            [("", None), ("0", Some(0)), ("1700000000", Some(1_700_000_000)), ("4354819198", Some(LATEST))]
        {
            assert_eq!(source_date_epoch(text), Ok(seconds), "{text}");
        }
        for text in ["tomorrow", "-1", "+1", "1.5", " 1", "4354819199", "99999999999999999999"] {
            let error = source_date_epoch(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("SOURCE_DATE_EPOCH is `{text}`, and has to be")), "{error}");
        }
    }
}

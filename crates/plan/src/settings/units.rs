//! Texts of the configuration that stand for sizes, times, paths and module names.

use camino::{Utf8Path, Utf8PathBuf};

/// The same path without `.` and `..` where they can be resolved by text alone.
pub(crate) fn tidy(path: &Utf8Path) -> Utf8PathBuf {
    let mut tidy = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            other => tidy.push(other.as_str()),
        }
    }
    tidy
}

/// Dotted identifiers, as in an import statement.
pub(super) fn is_module_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('.').all(|part| {
            let mut letters = part.chars();
            letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
                && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        })
}

/// `100MB`, `64MiB`, `5000000`: bytes; `MB` is 10^6.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000),
        ("KB", 1000),
        ("B", 1),
    ];
    let text = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number.trim(), *unit)))
        .unwrap_or((text, 1));
    let number: f64 = number.parse().map_err(|_| format!("`{text}` is not a size; write `100MB` or `64MiB`"))?;
    if !number.is_finite() || number < 0.0 {
        return Err(format!("`{text}` is not a size; write `100MB` or `64MiB`"));
    }
    #[allow(clippy::cast_sign_loss)] // checked just above
    Ok((number * unit as f64) as u64)
}

/// `90s`, `30m`, `2h`: seconds.
pub(super) fn parse_duration(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit = |suffix: char, seconds: u64| text.strip_suffix(suffix).map(|number| (number, seconds));
    let parsed = unit('s', 1).or_else(|| unit('m', 60)).or_else(|| unit('h', 3600)).and_then(|(number, seconds)| {
        number.trim().parse::<u64>().ok().filter(|n| *n > 0).and_then(|n| n.checked_mul(seconds))
    });
    parsed.ok_or_else(|| format!("`{text}` is not a duration; write `90s`, `30m` or `2h`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations() {
        for (text, bytes) in
            [("100MB", Some(100_000_000)), ("64 MiB", Some(64 << 20)), ("12", Some(12)), ("ten", None), ("-1MB", None)]
        {
            assert_eq!(parse_size(text).ok(), bytes, "{text}");
        }
        for (text, seconds) in [("90s", Some(90)), ("30m", Some(1800)), ("2h", Some(7200)), ("0s", None), ("5", None)] {
            assert_eq!(parse_duration(text).ok(), seconds, "{text}");
        }
    }

    #[test]
    fn module_names() {
        for (name, good) in
            [("a", true), ("a.b_c", true), ("_x", true), ("a-b", false), ("", false), ("a..b", false), ("3d", false)]
        {
            assert_eq!(is_module_name(name), good, "{name}");
        }
    }
}

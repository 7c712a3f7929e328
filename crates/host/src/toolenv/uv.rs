//! Whether uv is used here.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use platform::Os;

use super::installer::{Installer, Uv};
use super::pip_settings;
use crate::cached::{Answers, Witness};
use crate::environment::Environment;

const PATIENCE: Duration = Duration::from_secs(10);

/// The oldest uv that takes the words that it is called with (`uv venv --clear`).
const OLDEST: [u32; 3] = [0, 8, 0];

/// What makes environments here: uv, if it is on PATH, new enough, and can be told what pip is configured to do.
pub(crate) fn installer(
    uv: Option<&Utf8PathBuf>,
    os: Os,
    root: &Utf8Path,
    env: &BTreeMap<String, String>,
    cache: Option<Utf8PathBuf>,
    runner: &Runner<'_>,
) -> Installer {
    let Some(path) = uv else { return Installer::default() };
    let refused = |reason: String| Installer { uv: None, remark: Some(format!("uv ({path}) is not used: {reason}")) };
    let Some(version) = version(path, cache, runner) else {
        return refused("it does not say its version".to_owned());
    };
    if numbers(&version) < OLDEST {
        let oldest = OLDEST.map(|number| number.to_string()).join(".");
        return refused(format!(
            "it is {version}, and {oldest} is the oldest that serves; `uv self update`, or install it anew"
        ));
    }
    match pip_settings::translated(os, root, &Environment::new(os, env)) {
        Ok(told) => Installer {
            uv: Some(Uv {
                path: path.clone(),
                version,
                config: told.config,
                arguments: told.arguments,
                variables: told.variables,
            }),
            remark: None,
        },
        Err(reason) => refused(reason),
    }
}

fn version(uv: &Utf8Path, cache: Option<Utf8PathBuf>, runner: &Runner<'_>) -> Option<String> {
    let mut answers = Answers::<Option<String>>::open(cache, "uv --version 1");
    let answer = answers.get(uv.as_str()).cloned().unwrap_or_else(|| {
        let witnesses = vec![Witness::of(uv)];
        let said = runner.capture(&Query::new([uv.as_str(), "--version"]).timeout(PATIENCE)).ok();
        let found = said.filter(|said| said.status.success()).and_then(|said| parse(&said.stdout_text()));
        answers.put(uv.as_str(), witnesses, found.clone());
        found
    });
    answers.save();
    answer
}

/// `uv 0.9.5 (d5f39331a 2025-10-21)`.
fn parse(text: &str) -> Option<String> {
    let version = text.strip_prefix("uv ")?.split_whitespace().next()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    });
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, version, serves) in [
            ("uv 0.9.5 (d5f39331a 2025-10-21)\n", Some("0.9.5"), true),
            ("uv 0.13.8 (x86_64-unknown-linux-gnu)", Some("0.13.8"), true),
            ("uv 0.7.22\n", Some("0.7.22"), false),
            ("uv 1.0.0-alpha.1\n", Some("1.0.0-alpha.1"), true),
            ("uv-wrapper 3", None, false),
            ("", None, false),
        ] {
            assert_eq!(parse(text).as_deref(), version, "{text}");
            assert_eq!(version.is_some_and(|version| numbers(version) >= OLDEST), serves, "{text}");
        }
    }
}

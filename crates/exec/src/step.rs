//! The step as a value: what is run, not how.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// One command, complete: everything that decides what it does, and where its output goes.
///
/// The JSON names `name`, `argv`, `env`, `log` and `key` are a contract with readers of plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What a person calls it, such as `build wheel`; also the name under which it is timed.
    pub name: String,
    /// The program and its arguments. The program is looked up on the `PATH` that the step itself sees, relative to
    /// [`Step::cwd`] if it contains a slash. May hold placeholders, see [`Step::resolve`].
    pub argv: Vec<String>,
    /// Variables that are set, or with `None` removed, on top of what is inherited.
    #[serde(default)]
    pub env: BTreeMap<String, Option<String>>,
    /// Inherit only the [essential variables](crate::essential_variables) instead of everything.
    #[serde(default)]
    pub clean_env: bool,
    /// With [`Step::clean_env`], inherit [`NETWORK_VARIABLES`](crate::NETWORK_VARIABLES) too: proxies, certificates and
    /// package indexes, for steps that download.
    #[serde(default)]
    pub network: bool,
    /// The folder it runs in; must exist when it starts.
    pub cwd: Utf8PathBuf,
    /// The file that gets everything it prints. Replaced at each run; missing parent folders are made.
    pub log: Utf8PathBuf,
    /// The cache key in hexadecimal; empty if the step is never cached. Nothing here reads it.
    #[serde(default)]
    pub key: String,
    /// Seconds after which it is stopped, with everything it started; `None` for no limit.
    #[serde(default)]
    pub timeout_seconds: Option<u64>,
}

impl Step {
    /// A step with the inherited environment, no time limit and no cache key.
    pub fn new<A>(
        name: impl Into<String>,
        argv: impl IntoIterator<Item = A>,
        cwd: impl AsRef<Utf8Path>,
        log: impl AsRef<Utf8Path>,
    ) -> Self
    where
        A: Into<String>,
    {
        Self {
            name: name.into(),
            argv: argv.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            clean_env: false,
            network: false,
            cwd: cwd.as_ref().to_owned(),
            log: log.as_ref().to_owned(),
            key: String::new(),
            timeout_seconds: None,
        }
    }

    /// With one more variable set.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// With one more variable removed.
    #[must_use]
    pub fn without_env(mut self, name: impl Into<String>) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// With a time limit in seconds.
    #[must_use]
    pub fn with_timeout(mut self, seconds: u64) -> Self {
        self.timeout_seconds = Some(seconds);
        self
    }

    /// With only the essential variables inherited.
    #[must_use]
    pub fn with_clean_env(mut self) -> Self {
        self.clean_env = true;
        self
    }

    /// The step with every placeholder `{name}` in arguments, values of variables and the folder replaced.
    ///
    /// What is known only while running (`{wheel}`) gets its value here. Placeholders without a value stay as they are,
    /// a value is never searched for placeholders again, and `log` and `key` are left alone.
    #[must_use]
    pub fn resolve(&self, values: &[(&str, &str)]) -> Self {
        let mut step = self.clone();
        for argument in &mut step.argv {
            *argument = fill(argument, values);
        }
        for value in step.env.values_mut().flatten() {
            *value = fill(value, values);
        }
        step.cwd = fill(step.cwd.as_str(), values).into();
        step
    }
}

/// `text` with `{name}` replaced by the value of `name`, in one pass from left to right.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from_brace)) = rest.split_once('{') {
        filled.push_str(before);
        let hit = from_brace.split_once('}').and_then(|(name, after)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, after))
        });
        rest = if let Some((value, after)) = hit {
            filled.push_str(value);
            after
        } else {
            filled.push('{');
            from_brace
        };
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders() {
        let values = [("wheel", "/abs/x.whl"), ("out", "{wheel}")];
        for (text, expected) in [
            ("", ""),
            ("{wheel}", "/abs/x.whl"),
            ("--w={wheel}:{wheel}", "--w=/abs/x.whl:/abs/x.whl"),
            ("{project}/tests", "{project}/tests"),
            ("{out}", "{wheel}"),
            ("{{wheel}}", "{/abs/x.whl}"),
            ("{wheel", "{wheel"),
            ("wheel}", "wheel}"),
            ("{a{wheel}", "{a/abs/x.whl"),
            ("${HOME} {wheel}", "${HOME} /abs/x.whl"),
        ] {
            assert_eq!(fill(text, &values), expected, "{text}");
        }
    }

    #[test]
    fn resolve_reaches_arguments_environment_and_folder_but_not_the_log() {
        let step = Step::new("repair", ["auditwheel", "{wheel}"], "{work}", "{work}/log")
            .with_env("W", "{wheel}")
            .without_env("X");
        let resolved = step.resolve(&[("wheel", "/w.whl"), ("work", "/work")]);
        assert_eq!(resolved.argv, ["auditwheel", "/w.whl"]);
        assert_eq!(resolved.env["W"].as_deref(), Some("/w.whl"));
        assert_eq!(resolved.env["X"], None);
        assert_eq!(resolved.cwd, "/work");
        assert_eq!(resolved.log, "{work}/log");
    }

    #[test]
    fn json_keeps_the_contract() {
        let step =
            Step::new("build wheel", ["python", "-m", "build"], "/src", "/log").with_env("A", "b").without_env("C");
        let json = serde_json::to_value(&step).unwrap();
        for name in ["name", "argv", "env", "log", "key"] {
            assert!(json.get(name).is_some(), "{name}");
        }
        assert_eq!(json["env"], serde_json::json!({"A": "b", "C": null}));
        assert_eq!(serde_json::from_value::<Step>(json).unwrap(), step);
    }

    proptest! {
        #[test]
        fn text_without_known_placeholders_is_unchanged(text in "[a-z{} ]{0,40}") {
            prop_assert_eq!(fill(&text, &[("WHEEL", "x")]), text);
        }
    }
}

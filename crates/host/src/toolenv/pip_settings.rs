//! What pip is configured to do, and how uv is told the same.
//!
//! uv reads neither pip.conf nor `PIP_…` (docs.astral.sh/uv/pip/compatibility). Where a package index is known to pip alone,
//! using uv as it is would ask another one.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use platform::Os;

use crate::environment::Environment;

/// How a setting of pip is said to uv.
enum Rule {
    /// An argument before each of the values.
    Argument(&'static str),
    /// An argument if it is switched on.
    Flag(&'static str),
    /// A variable, unless it is set already.
    Variable(&'static str),
    /// It is no matter of what is installed.
    Nothing,
}

/// Whether a setting says where packages are. If uv is configured by itself, its own word on that counts.
#[derive(PartialEq)]
enum About {
    Index,
    Rest,
}

/// Settings by their names in pip's configuration file. One that is not here is one that uv has no word for.
const RULES: &[(&str, About, Rule)] = &[
    ("index-url", About::Index, Rule::Argument("--default-index")),
    ("extra-index-url", About::Index, Rule::Argument("--index")),
    ("find-links", About::Index, Rule::Argument("--find-links")),
    ("no-index", About::Index, Rule::Flag("--no-index")),
    ("trusted-host", About::Index, Rule::Argument("--allow-insecure-host")),
    ("cert", About::Rest, Rule::Variable("SSL_CERT_FILE")),
    ("client-cert", About::Rest, Rule::Variable("SSL_CLIENT_CERT")),
    ("proxy", About::Rest, Rule::Variable("ALL_PROXY")),
    ("timeout", About::Rest, Rule::Variable("UV_HTTP_TIMEOUT")),
    ("default-timeout", About::Rest, Rule::Variable("UV_HTTP_TIMEOUT")),
    ("retries", About::Rest, Rule::Variable("UV_HTTP_RETRIES")),
    ("no-cache-dir", About::Rest, Rule::Flag("--no-cache")),
    ("break-system-packages", About::Rest, Rule::Nothing),
    ("cache-dir", About::Rest, Rule::Nothing),
    ("compile", About::Rest, Rule::Nothing),
    ("debug", About::Rest, Rule::Nothing),
    ("disable-pip-version-check", About::Rest, Rule::Nothing),
    ("log", About::Rest, Rule::Nothing),
    ("no-color", About::Rest, Rule::Nothing),
    ("no-compile", About::Rest, Rule::Nothing),
    ("no-input", About::Rest, Rule::Nothing),
    ("no-python-version-warning", About::Rest, Rule::Nothing),
    ("no-warn-script-location", About::Rest, Rule::Nothing),
    ("prefer-binary", About::Rest, Rule::Nothing),
    ("progress-bar", About::Rest, Rule::Nothing),
    ("quiet", About::Rest, Rule::Nothing),
    ("require-virtualenv", About::Rest, Rule::Nothing),
    ("root-user-action", About::Rest, Rule::Nothing),
    ("upgrade-strategy", About::Rest, Rule::Nothing),
    ("use-deprecated", About::Rest, Rule::Nothing),
    ("use-feature", About::Rest, Rule::Nothing),
    ("verbose", About::Rest, Rule::Nothing),
];

/// What makes uv look elsewhere than at PyPI.
const OWN_INDEX: &[&str] = &["UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL"];

/// What uv is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Translation {
    pub(super) config: Option<Utf8PathBuf>,
    pub(super) arguments: Vec<String>,
    pub(super) variables: BTreeMap<String, String>,
}

/// pip's settings as uv's, or why pip has to be used.
pub(super) fn translated(os: Os, root: &Utf8Path, env: &Environment<'_>) -> Result<Translation, String> {
    let config = uv_files(os, root, env).into_iter().find(|file| file.is_file());
    let own = OWN_INDEX.iter().any(|name| env.get(name).is_some()) || config.as_ref().is_some_and(names_an_index);
    let mut told = Translation { config, ..Translation::default() };
    for (name, value) in settings(os, root, env) {
        let Some((_, about, rule)) = RULES.iter().find(|(known, ..)| *known == name) else {
            return Err(format!("pip is configured with `{name}`, which uv has no word for"));
        };
        if *about == About::Index && own {
            continue;
        }
        if has_password(&value) {
            return Err(format!("pip's `{name}` holds a password, which is given to nobody else"));
        }
        match rule {
            Rule::Nothing => {}
            Rule::Variable(variable) if env.get(variable).is_some() => {}
            Rule::Variable(variable) => drop(told.variables.insert((*variable).to_owned(), value)),
            Rule::Flag(flag) => told.arguments.extend(is_on(&value).then(|| (*flag).to_owned())),
            Rule::Argument(argument) => {
                // A folder that is not there is a warning to pip and an error to uv.
                let there =
                    |value: &&str| name != "find-links" || value.contains("://") || Utf8Path::new(value).exists();
                for value in value.split_whitespace().filter(there) {
                    told.arguments.extend([(*argument).to_owned(), value.to_owned()]);
                }
            }
        }
    }
    if told.arguments.iter().any(|argument| argument == "--index") {
        // pip takes the best version of all indexes, uv by itself the best of the first that has the package.
        told.arguments.extend(["--index-strategy", "unsafe-best-match"].map(str::to_owned));
    }
    Ok(told)
}

/// Everything that pip would read, the later counting more: its files, then its variables.
fn settings(os: Os, root: &Utf8Path, env: &Environment<'_>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    if env.get("PIP_CONFIG_FILE").is_none_or(|file| file != "/dev/null" && !file.eq_ignore_ascii_case("nul")) {
        for file in pip_files(os, root, env) {
            let text = fs_err::read_to_string(&file).unwrap_or_default();
            // What stands for one command counts more than what stands for all.
            for section in ["global", "install"] {
                settings.extend(section_of(&text, section));
            }
        }
    }
    for (name, value) in env.beginning("PIP_") {
        let name = name.to_ascii_lowercase().replace('_', "-");
        // Which file there is, is not what it says.
        if name != "config-file" {
            settings.insert(name, value.to_owned());
        }
    }
    settings
}

/// The files in the order in which pip reads them (pip.pypa.io, "Configuration"). The environment's own is not among them:
/// it is made new.
fn pip_files(os: Os, root: &Utf8Path, env: &Environment<'_>) -> Vec<Utf8PathBuf> {
    let home = env.home();
    let below = |path: &str| home.as_ref().map(|home| home.join(path));
    let files = match os {
        Os::Windows => vec![
            env.folder("ProgramData").map(|data| data.join("pip/pip.ini")),
            below("pip/pip.ini"),
            env.folder("APPDATA").map(|data| data.join("pip/pip.ini")),
        ],
        Os::MacOs => vec![
            Some(root.join("Library/Application Support/pip/pip.conf")),
            below(".pip/pip.conf"),
            below(".config/pip/pip.conf"),
            below("Library/Application Support/pip/pip.conf"),
        ],
        Os::Linux => vec![
            Some(root.join("etc/xdg/pip/pip.conf")),
            Some(root.join("etc/pip.conf")),
            below(".pip/pip.conf"),
            env.folder("XDG_CONFIG_HOME")
                .map(|config| config.join("pip/pip.conf"))
                .or_else(|| below(".config/pip/pip.conf")),
        ],
    };
    files.into_iter().flatten().chain(env.folder("PIP_CONFIG_FILE")).collect()
}

/// uv's own files, the one that counts first: the one that is named, the user's, the machine's
/// (docs.astral.sh/uv/concepts/configuration-files).
fn uv_files(os: Os, root: &Utf8Path, env: &Environment<'_>) -> Vec<Utf8PathBuf> {
    let files = match os {
        Os::Windows => [
            env.folder("APPDATA").map(|data| data.join("uv/uv.toml")),
            env.folder("ProgramData").map(|data| data.join("uv/uv.toml")),
        ],
        Os::Linux | Os::MacOs => [
            env.folder("XDG_CONFIG_HOME")
                .or_else(|| env.home().map(|home| home.join(".config")))
                .map(|config| config.join("uv/uv.toml")),
            Some(root.join("etc/uv/uv.toml")),
        ],
    };
    env.folder("UV_CONFIG_FILE").into_iter().chain(files.into_iter().flatten()).collect()
}

fn names_an_index(file: &Utf8PathBuf) -> bool {
    let text = fs_err::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines().map(str::trim_start);
    lines.any(|line| {
        ["index", "[[index]]", "extra-index-url", "find-links", "no-index"].iter().any(|key| line.starts_with(key))
    })
}

/// A section of pip's file: `name = value`, a value going on in the lines that begin with a space.
fn section_of(text: &str, wanted: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    let mut last = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (inside, last) = (section.trim() == wanted, false);
        } else if !inside || trimmed.is_empty() {
            last &= !trimmed.is_empty();
        } else if line.starts_with([' ', '\t']) && last {
            if let Some((_, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(trimmed);
            }
        } else if let Some((name, value)) = trimmed.split_once(['=', ':']) {
            let name = name.trim().to_ascii_lowercase().replace('_', "-");
            found.push((name, value.trim().to_owned()));
            last = true;
        }
    }
    found.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// A URL with a user in it.
fn has_password(value: &str) -> bool {
    value.split_whitespace().any(|url| {
        let authority = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
        authority.is_some_and(|authority| authority.contains('@'))
    })
}

fn is_on(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off" | "n" | "f")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(env: &[(&str, &str)], file: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::create_dir_all(root.join("etc")).unwrap();
        for folder in ["wheels", "config/uv"] {
            fs_err::create_dir_all(root.join(folder)).unwrap();
        }
        fs_err::write(root.join("config/uv/uv.toml"), "[[index]]\nurl = \"https://u/simple\"\n").unwrap();
        fs_err::write(root.join("mine.toml"), "offline = true\n").unwrap();
        fs_err::write(root.join("etc/pip.conf"), file.replace("{root}", root.as_str())).unwrap();
        let map: BTreeMap<String, String> =
            env.iter().map(|(name, value)| ((*name).to_owned(), value.replace("{root}", root.as_str()))).collect();
        let text = match translated(Os::Linux, root, &Environment::new(Os::Linux, &map)) {
            Ok(told) => {
                let variables = told.variables.iter().map(|(name, value)| format!("{name}={value}"));
                let config = told.config.iter().map(|file| format!("({file})"));
                config.chain(variables).chain(told.arguments).collect::<Vec<_>>().join(" ")
            }
            Err(reason) => format!("pip: {reason}"),
        };
        text.replace(root.as_str(), "{root}").replace('\\', "/")
    }

    #[test]
    fn what_uv_is_told() {
        for (env, file, expected) in [
            (&[][..], "", ""),
            (&[("PIP_INDEX_URL", "https://i/simple")], "", "--default-index https://i/simple"),
            (&[], "[global]\nindex-url = https://i/simple\n", "--default-index https://i/simple"),
            // A variable counts more than a file, a command's section more than the one for all.
            (
                &[("PIP_INDEX_URL", "https://b/simple")],
                "[global]\nindex_url: https://a/simple\n",
                "--default-index https://b/simple",
            ),
            (
                &[],
                "[install]\nindex-url = https://b\n[global]\nindex-url = https://a\n[download]\nindex-url = https://c\n",
                "--default-index https://b",
            ),
            (
                &[],
                "[global]\nextra-index-url =\n    https://a/simple\n    # not this\n    https://b/simple\n\ntimeout = 60\n",
                "UV_HTTP_TIMEOUT=60 --index https://a/simple --index https://b/simple --index-strategy unsafe-best-match",
            ),
            (&[("PIP_FIND_LINKS", "{root}/wheels {root}/none")], "", "--find-links {root}/wheels"),
            (&[("PIP_NO_INDEX", "1"), ("PIP_NO_CACHE_DIR", "off")], "", "--no-index"),
            (&[("PIP_CERT", "/c.pem")], "", "SSL_CERT_FILE=/c.pem"),
            (&[("PIP_CERT", "/c.pem"), ("SSL_CERT_FILE", "/d.pem")], "", ""),
            (&[("PIP_DISABLE_PIP_VERSION_CHECK", "1"), ("PIP_ROOT_USER_ACTION", "ignore")], "", ""),
            // A password stands neither in a plan nor in a log.
            (
                &[("PIP_INDEX_URL", "https://me:secret@i/simple")],
                "",
                "pip: pip's `index-url` holds a password, which is given to nobody else",
            ),
            (&[("PIP_CONSTRAINT", "c.txt")], "", "pip: pip is configured with `constraint`, which uv has no word for"),
            // uv has its own index: then that is meant.
            (&[("PIP_INDEX_URL", "https://me:secret@i"), ("UV_DEFAULT_INDEX", "https://u")], "", ""),
            (
                &[("PIP_INDEX_URL", "https://i"), ("PIP_TIMEOUT", "9"), ("XDG_CONFIG_HOME", "{root}/config")],
                "",
                "({root}/config/uv/uv.toml) UV_HTTP_TIMEOUT=9",
            ),
            (
                &[("PIP_INDEX_URL", "https://i"), ("UV_CONFIG_FILE", "{root}/mine.toml")],
                "",
                "({root}/mine.toml) --default-index https://i",
            ),
            (&[("PIP_CONFIG_FILE", "/dev/null")], "[global]\nindex-url = https://a\n", ""),
        ] {
            assert_eq!(told(env, file), expected, "{env:?} {file}");
        }
    }

    #[test]
    fn a_file_that_says_nothing_useful_does_no_harm() {
        for text in
            ["", "[", "]", "[global", "= = =", "[global]\n  indented first\n", "[global]\nx", "\u{feff}[global]\na=b"]
        {
            let _ = section_of(text, "global");
        }
        assert!(section_of("[global]\nindex-url =\n\nx = 1\n", "global").iter().all(|(name, _)| name == "x"));
    }
}

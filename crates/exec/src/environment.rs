//! The environment that a step sees.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::program::Naming;

/// What a step with a clean environment still inherits: what programs need to find the user's folders, print in the
/// user's language and, on Windows, start at all. `LC_*` stands for every variable that begins so.
pub const ESSENTIAL_VARIABLES: &[&str] = &[
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    // Windows
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMMONPROGRAMFILES",
    "COMMONPROGRAMFILES(X86)",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMW6432",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];

/// What a step that downloads inherits on top: proxies, certificates, package indexes.
pub const NETWORK_VARIABLES: &[&str] = &[
    "ALL_PROXY",
    "FTP_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "ftp_proxy",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "CURL_CA_BUNDLE",
    "NETRC",
    "PIP_*",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// The variable by which processes of a step are recognised after they left its process group.
pub const STEP_VARIABLE: &str = "WHEELPROOF_STEP";

/// What of the surrounding environment a child inherits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inherit {
    pub(crate) clean: bool,
    pub(crate) network: bool,
}

impl Inherit {
    fn keeps(self, name: &str, naming: &Naming) -> bool {
        let listed = |list: &[&str]| {
            list.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.get(..prefix.len()).is_some_and(|start| naming.same_variable(start, prefix)),
                None => naming.same_variable(name, pattern),
            })
        };
        !self.clean || listed(ESSENTIAL_VARIABLES) || self.network && listed(NETWORK_VARIABLES)
    }
}

/// The whole environment of a child: what is inherited of `surrounding`, changed by `differences`.
pub(crate) fn compose(
    surrounding: impl Iterator<Item = (OsString, OsString)>,
    inherit: Inherit,
    differences: &BTreeMap<String, Option<String>>,
    naming: &Naming,
) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<(OsString, OsString)> = surrounding
        .filter(|(name, _)| {
            // A name that is not UTF-8 can be neither essential nor named in a difference.
            let Some(name) = name.to_str() else { return !inherit.clean };
            inherit.keeps(name, naming) && !differences.keys().any(|changed| naming.same_variable(name, changed))
        })
        .collect();
    environment
        .extend(differences.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name.into(), value.into()))));
    environment
}

/// The value of `name` in an environment.
pub(crate) fn value_of<'a>(
    environment: &'a [(OsString, OsString)],
    name: &str,
    naming: &Naming,
) -> Option<&'a OsString> {
    let found =
        environment.iter().find(|(known, _)| known.to_str().is_some_and(|known| naming.same_variable(known, name)));
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(clean: bool, network: bool, naming: &Naming, env: &[(&str, Option<&str>)]) -> Vec<String> {
        let surrounding =
            ["PATH", "HOME", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "HTTPS_PROXY", "PIP_INDEX_URL", "Temp"];
        let differences =
            env.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect::<BTreeMap<_, _>>();
        let mut names: Vec<String> = compose(
            surrounding.iter().map(|name| (OsString::from(name), OsString::from("x"))),
            Inherit { clean, network },
            &differences,
            naming,
        )
        .into_iter()
        .map(|(name, value)| format!("{}={}", name.to_str().unwrap(), value.to_str().unwrap()))
        .collect();
        names.sort();
        names
    }

    #[test]
    fn inherited_and_changed() {
        let windows = Naming::Windows { pathext: vec![] };
        let posix = Naming::Posix;
        assert_eq!(names(true, false, &posix, &[]), ["HOME=x", "LC_ALL=x", "PATH=x"]);
        assert_eq!(names(true, false, &windows, &[]), ["HOME=x", "LC_ALL=x", "PATH=x", "Temp=x"]);
        assert_eq!(
            names(true, true, &posix, &[]),
            ["HOME=x", "HTTPS_PROXY=x", "LC_ALL=x", "PATH=x", "PIP_INDEX_URL=x"]
        );
        assert_eq!(names(false, false, &posix, &[]).len(), 8);
        assert_eq!(
            names(true, false, &posix, &[("PATH", Some("y")), ("HOME", None), ("NEW", Some(""))]),
            ["LC_ALL=x", "NEW=", "PATH=y"]
        );
        assert_eq!(
            names(true, false, &windows, &[("Path", Some("y")), ("home", None)]),
            ["LC_ALL=x", "Path=y", "Temp=x"]
        );
    }
}

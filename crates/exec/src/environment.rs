//! The environment that a step sees.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::program::Naming;

/// What a step with a clean environment still inherits on Linux, macOS and other Unix systems: what programs need to
/// find the user's folders and print in the user's language. `LC_*` stands for every variable that begins so.
const POSIX: &[&str] =
    &["HOME", "LANG", "LANGUAGE", "LC_*", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"];

/// The same on Windows, where many programs do not even start without the system's folders. What a developer prompt sets
/// (`INCLUDE`, `LIB`, `VCINSTALLDIR` and the like) is not among it: it decides what is built, so it is for the step to
/// name.
const WINDOWS: &[&str] = &[
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMMONPROGRAMFILES",
    "COMMONPROGRAMFILES(X86)",
    "COMMONPROGRAMW6432",
    "COMPUTERNAME",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LANG",
    "LC_*",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATH",
    "PATHEXT",
    "PROCESSOR_*",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMW6432",
    "PUBLIC",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "VSLANG",
    "WINDIR",
];

/// What a step with a clean environment still inherits on systems that name variables so.
pub fn essential_variables(naming: &Naming) -> &'static [&'static str] {
    match naming {
        Naming::Posix => POSIX,
        Naming::Windows { .. } => WINDOWS,
    }
}

/// What a step that downloads inherits on top: proxies, certificates, package indexes, where pip and uv keep what they
/// downloaded. Of uv's variables those that say how to use it, not those that say for which project or Python.
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
    "SSL_CLIENT_CERT",
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_HTTP_*",
    "UV_INDEX*",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_LINK_MODE",
    "UV_NATIVE_TLS",
    "UV_NO_CACHE",
    "UV_NO_INDEX",
    "UV_OFFLINE",
    "UV_SYSTEM_CERTS",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
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
        !self.clean || listed(essential_variables(naming)) || self.network && listed(NETWORK_VARIABLES)
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

    /// What such an environment has on a machine of each kind, and what of it a clean one keeps (`+`), a clean one for
    /// the network (`n`), or neither (`-`).
    const POSIX_MACHINE: &str = "+PATH +HOME +USER +LC_ALL +LANG +TMPDIR +TERM -LD_LIBRARY_PATH -DYLD_LIBRARY_PATH \
        -PYTHONPATH -VIRTUAL_ENV nHTTPS_PROXY nhttps_proxy nPIP_INDEX_URL nSSL_CERT_FILE -Path -SYSTEMROOT -CC -CFLAGS";
    const WINDOWS_MACHINE: &str = "+Path +SystemRoot +SystemDrive +windir +Temp +TMP +USERPROFILE +LOCALAPPDATA +APPDATA \
        +ProgramData +ProgramFiles +ProgramFiles(x86) +ProgramW6432 +CommonProgramFiles +CommonProgramFiles(x86) \
        +NUMBER_OF_PROCESSORS +PROCESSOR_ARCHITECTURE +PROCESSOR_IDENTIFIER +ComSpec +PATHEXT +HOMEDRIVE +HOMEPATH +OS \
        +USERNAME +ALLUSERSPROFILE -PYTHONPATH -INCLUDE -LIB -LIBPATH -VCINSTALLDIR -PSModulePath nhttps_proxy \
        npip_index_url -=C: -CL -_CL_";

    #[test]
    fn inherited_on_each_system() {
        for (machine, naming) in
            [(POSIX_MACHINE, Naming::Posix), (WINDOWS_MACHINE, Naming::Windows { pathext: vec![] })]
        {
            for (sign, name) in machine.split_ascii_whitespace().map(|entry| entry.split_at(1)) {
                let kept = |clean, network| {
                    let surrounding = [(OsString::from(name), OsString::from("x"))];
                    !compose(surrounding.into_iter(), Inherit { clean, network }, &BTreeMap::new(), &naming).is_empty()
                };
                assert!(kept(false, false), "{name}");
                assert_eq!(kept(true, false), sign == "+", "{name} {naming:?}");
                assert_eq!(kept(true, true), sign != "-", "{name} {naming:?} with network");
            }
        }
    }

    #[test]
    fn changed() {
        let changed = |naming: &Naming, surrounding: &[&str], changes: &[(&str, Option<&str>)]| {
            let surrounding = surrounding.iter().map(|name| (OsString::from(name), OsString::from("old")));
            let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
            let inherit = Inherit { clean: false, network: false };
            let mut environment: Vec<String> = compose(surrounding, inherit, &changes, naming)
                .into_iter()
                .map(|(name, value)| format!("{}={}", name.to_str().unwrap(), value.to_str().unwrap()))
                .collect();
            environment.sort();
            environment
        };
        let (posix, windows) = (Naming::Posix, Naming::Windows { pathext: vec![] });
        for (naming, changes, expected) in [
            (&posix, [("PATH", Some("new")), ("home", None)], vec!["HOME=old", "PATH=new", "Path=old"]),
            (&windows, [("PATH", Some("new")), ("home", None)], vec!["PATH=new"]),
            (&windows, [("path", None), ("NEW", Some(""))], vec!["HOME=old", "NEW="]),
        ] {
            assert_eq!(changed(naming, &["Path", "HOME"], &changes), expected, "{naming:?} {changes:?}");
        }
        let environment = [(OsString::from("Path"), OsString::from("x"))];
        assert_eq!(value_of(&environment, "PATH", &windows), Some(&OsString::from("x")));
        assert_eq!(value_of(&environment, "PATH", &posix), None);
    }
}

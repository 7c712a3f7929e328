//! The variables of a machine, looked up and read as its system does: on Windows `PATH` is mostly written `Path`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use platform::Os;

/// Variables by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Environment<'a> {
    os: Os,
    variables: &'a BTreeMap<String, String>,
}

impl<'a> Environment<'a> {
    pub(crate) fn new(os: Os, variables: &'a BTreeMap<String, String>) -> Self {
        Self { os, variables }
    }

    /// The value, if there is one that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.variables.get(name).or_else(|| {
            let folds = self.os == Os::Windows;
            folds.then(|| self.variables.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))?.map(|(_, v)| v)
        });
        found.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value as a folder.
    pub(crate) fn folder(&self, name: &str) -> Option<Utf8PathBuf> {
        self.get(name).map(Utf8PathBuf::from)
    }

    /// Every variable whose name begins so, with a value.
    pub(crate) fn beginning(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let begins = move |name: &str| match self.os {
            Os::Windows => name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
            Os::Linux | Os::MacOs => name.starts_with(prefix),
        };
        let set = self.variables.iter().filter(move |(name, value)| begins(name) && !value.is_empty());
        set.map(move |(name, value)| (name.get(prefix.len()..).unwrap_or_default(), value.as_str()))
    }

    /// The user's own folder.
    pub(crate) fn home(&self) -> Option<Utf8PathBuf> {
        let names = if self.os == Os::Windows { ["USERPROFILE", "HOME"] } else { ["HOME", "USERPROFILE"] };
        names.into_iter().find_map(|name| self.folder(name))
    }

    /// The folders of PATH as they are written there.
    pub(crate) fn path(&self) -> Vec<Utf8PathBuf> {
        split_path(self.os, self.get("PATH").unwrap_or_default())
    }
}

/// The folders of a list such as PATH, without those that mean the current folder. Windows lets a folder with `;` stand in
/// quotes, and many installers put them around every name with a space.
fn split_path(os: Os, list: &str) -> Vec<Utf8PathBuf> {
    let separator = os.path_style().list_separator();
    let mut folders = vec![String::new()];
    let mut quoted = false;
    for character in list.chars() {
        match (character, folders.last_mut()) {
            ('"', _) if os == Os::Windows => quoted = !quoted,
            (other, _) if other == separator && !quoted => folders.push(String::new()),
            (other, Some(folder)) => folder.push(other),
            (_, None) => {}
        }
    }
    folders.into_iter().map(|folder| folder.trim().to_owned()).filter(|f| !f.is_empty()).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_as_each_system_does() {
        for (os, list, folders) in [
            (Os::Linux, "/usr/bin:/opt/x y/bin::.:/a;b", &["/usr/bin", "/opt/x y/bin", ".", "/a;b"][..]),
            (Os::Linux, "/with\"quote:/b", &["/with\"quote", "/b"]),
            (
                Os::Windows,
                r#"C:\a;"C:\Program Files\x";;"C:\odd;name";D:"#,
                &[r"C:\a", r"C:\Program Files\x", r"C:\odd;name", "D:"],
            ),
            (Os::Windows, r#"C:\a;"C:\never closed;D:\b"#, &[r"C:\a", r"C:\never closed;D:\b"]),
            (Os::MacOs, "", &[]),
        ] {
            assert_eq!(split_path(os, list), folders, "{list}");
        }
    }

    #[test]
    fn windows_does_not_mind_the_case_of_a_name() {
        let variables =
            BTreeMap::from([("Path", r"C:\x"), ("HOME", "/msys"), ("UserProfile", r"C:\Users\me"), ("E", "")])
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
        let windows = Environment::new(Os::Windows, &variables);
        assert_eq!(windows.path(), [r"C:\x"]);
        assert_eq!(windows.home().as_deref().map(camino::Utf8Path::as_str), Some(r"C:\Users\me"));
        assert_eq!(windows.get("e"), None, "empty is not set");
        let linux = Environment::new(Os::Linux, &variables);
        assert!(linux.path().is_empty());
        assert_eq!(linux.home().as_deref().map(camino::Utf8Path::as_str), Some("/msys"));
    }
}

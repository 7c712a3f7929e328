//! Finding the program that a name means.

use camino::{Utf8Path, Utf8PathBuf};

/// How a system names programs and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// Names are exact; a program is a file with an execute bit.
    Posix,
    /// Names ignore case; a program has one of these endings (`.EXE`), which may be left out when typing it.
    Windows {
        /// The endings with their dots, in the order they are tried.
        pathext: Vec<String>,
    },
}

impl Naming {
    /// As this machine does it; on Windows with the endings that `PATHEXT` names.
    pub fn host() -> Self {
        if cfg!(windows) {
            let pathext = std::env::var("PATHEXT").unwrap_or_else(|_| ".COM;.EXE;.BAT;.CMD".to_owned());
            Self::Windows { pathext: pathext.split(';').filter(|ext| !ext.is_empty()).map(str::to_owned).collect() }
        } else {
            Self::Posix
        }
    }

    pub(crate) fn same_variable(&self, left: &str, right: &str) -> bool {
        match self {
            Self::Posix => left == right,
            Self::Windows { .. } => left.eq_ignore_ascii_case(right),
        }
    }

    fn separator(&self) -> char {
        match self {
            Self::Posix => ':',
            Self::Windows { .. } => ';',
        }
    }

    fn has_folder(&self, program: &str) -> bool {
        match self {
            Self::Posix => program.contains('/'),
            Self::Windows { .. } => program.contains(['/', '\\', ':']),
        }
    }

    /// The files that `path` could mean, best first.
    fn candidates(&self, path: &Utf8Path) -> Vec<Utf8PathBuf> {
        match self {
            Self::Posix => vec![path.to_owned()],
            Self::Windows { pathext } => {
                let has_ending = path.extension().is_some_and(|ending| {
                    pathext.iter().any(|known| known.trim_start_matches('.').eq_ignore_ascii_case(ending))
                });
                let exact = has_ending.then(|| path.to_owned());
                exact
                    .into_iter()
                    .chain(pathext.iter().map(|ending| Utf8PathBuf::from(format!("{path}{ending}"))))
                    .collect()
            }
        }
    }
}

/// The file that `program` means: itself, taken relative to `cwd`, if it has a folder in it; otherwise the first match
/// in the folders of `path` (the value of `PATH`), where relative and empty folders are relative to `cwd` too.
///
/// # Errors
/// The places that were looked at, in order.
pub fn find_program(
    program: &str,
    path: &str,
    cwd: &Utf8Path,
    naming: &Naming,
) -> Result<Utf8PathBuf, Vec<Utf8PathBuf>> {
    if naming.has_folder(program) {
        // In an extended path of Windows a slash is a character like any other.
        let given =
            if cwd.as_str().starts_with(r"\\?\") { cwd.join(program.replace('/', r"\")) } else { cwd.join(program) };
        return naming.candidates(&given).into_iter().find(|file| is_program(file)).ok_or_else(|| vec![given]);
    }
    let mut searched = Vec::new();
    for folder in path.split(naming.separator()) {
        let folder = cwd.join(folder);
        if searched.contains(&folder) {
            continue;
        }
        if let Some(file) = naming.candidates(&folder.join(program)).into_iter().find(|file| is_program(file)) {
            return Ok(file);
        }
        searched.push(folder);
    }
    Err(searched)
}

fn is_program(file: &Utf8Path) -> bool {
    let Ok(metadata) = fs_err::metadata(file) else { return false };
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let executable = true;
    metadata.is_file() && executable
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files with an execute bit, and what is looked for.
    #[test]
    fn found_as_each_system_does() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for file in ["a/tool", "b/tool", "b/tool.EXE", "b/py.bat", "b/script.py"] {
            let file = root.join(file);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(&file, "").unwrap();
            #[cfg(unix)]
            fs_err::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        fs_err::write(root.join("a/plain"), "").unwrap();
        fs_err::create_dir(root.join("a/folder")).unwrap();
        let windows = Naming::Windows { pathext: vec![".EXE".to_owned(), ".bat".to_owned()] };
        for (naming, program, path, found) in [
            (&Naming::Posix, "tool", "a:b", Some("a/tool")),
            (&Naming::Posix, "tool", "gone:b:a", Some("b/tool")),
            (&Naming::Posix, "a/tool", "b", Some("a/tool")),
            (&Naming::Posix, "./gone", "a", None),
            (&Naming::Posix, "folder", "a", None),
            (&Naming::Posix, "py", "b", None),
            (&windows, "tool", "a;b", Some("b/tool.EXE")),
            (&windows, "py", "a;b", Some("b/py.bat")),
            (&windows, "tool.EXE", "b", Some("b/tool.EXE")),
            (&windows, "b\\gone", "b", None),
            (&windows, "b/py", "", Some("b/py.bat")),
            (&windows, "script.py", "b", None),
        ] {
            let result = find_program(program, path, root, naming);
            assert_eq!(result.ok(), found.map(|found| root.join(found)), "{naming:?} {program} {path}");
        }
        #[cfg(unix)]
        assert!(find_program("plain", "a", root, &Naming::Posix).is_err(), "not executable");
        assert_eq!(find_program("x", "a:a:b", root, &Naming::Posix), Err(vec![root.join("a"), root.join("b")]));
    }
}

//! What others know of Pythons: the launcher of Windows, its registry, uv.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner};
use platform::{Os, PathStyle, paths};

use super::{InterpreterOrigin, ask::in_parallel};
use crate::{
    cached::{Answers, Witness},
    environment::Environment,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Where installers register Pythons (PEP 514): of the user, of the machine, and of the machine's 32-bit programs.
const REGISTRY_KEYS: &[&str] = &[r"HKCU\Software\Python", r"HKLM\Software\Python", r"HKLM\Software\WOW6432Node\Python"];

/// Programs that are asked for Pythons, in the order of asking; of the first two one is enough. Both answer alike: the
/// install manager (PEP 773), which is called `py` too, has the old launcher's options for compatibility.
const LAUNCHERS: &[(&str, &[&str])] = &[("py", &["--list-paths"]), ("pymanager", &["list", "--format=legacy-paths"])];

/// What is asked here; looked up with the other programs.
pub(crate) const PROGRAMS: &[&str] = &["py", "pymanager", "reg", "xcode-select"];

/// The Pythons that the launcher and the registry of Windows name, there or not.
pub(crate) fn listed<'a>(
    os: Os,
    program: impl Fn(&str) -> Option<&'a Utf8Path>,
    runner: &Runner<'_>,
) -> Vec<(Utf8PathBuf, InterpreterOrigin)> {
    if os != Os::Windows {
        return Vec::new();
    }
    let mut found = Vec::new();
    let launcher = LAUNCHERS.iter().find_map(|(name, arguments)| Some((program(name)?, *arguments)));
    if let Some((launcher, arguments)) = launcher
        && let Some(text) = ask(launcher, arguments, runner)
    {
        found.extend(parse_launcher(&text).into_iter().map(|path| (path, InterpreterOrigin::Launcher)));
    }
    if let Some(reg) = program("reg") {
        let keys: Vec<&&str> = REGISTRY_KEYS.iter().collect();
        // A key that is not there is an error of `reg`, and no news.
        let answers = in_parallel(&keys, |key| ask(reg, &["query", key, "/s"], runner).unwrap_or_default());
        for (_, text) in answers {
            found.extend(parse_registry(&text).into_iter().map(|path| (path, InterpreterOrigin::Registry)));
        }
    }
    // In another code page than ours; the same Python is found elsewhere.
    found.retain(|(path, _)| !path.as_str().contains(char::REPLACEMENT_CHARACTER));
    found
}

/// The folder of Apple's developer tools, without which `/usr/bin/python3`, `/usr/bin/c++` and their like open a dialog.
/// `xcode-select -p` itself never does. It may name what is not there.
pub(crate) fn developer_folder(os: Os, xcode_select: Option<&Utf8Path>, runner: &Runner<'_>) -> Option<Utf8PathBuf> {
    let program = xcode_select.filter(|_| os == Os::MacOs)?;
    ask(program, &["-p"], runner).map(|folder| Utf8PathBuf::from(folder.trim()))
}

/// The folder into which uv installs Pythons. `uv python list` would say more and takes 1.5 s, because it asks every
/// Python that it finds, as is done here too.
pub(crate) fn uv_folder(
    uv: Option<&Utf8Path>,
    env: &Environment<'_>,
    cache: Option<Utf8PathBuf>,
    runner: &Runner<'_>,
) -> Option<Utf8PathBuf> {
    let uv = uv?;
    let variables = ["UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME", "HOME", "APPDATA"];
    let question = variables.map(|name| env.get(name).unwrap_or_default()).join("\n");
    let mut answers = Answers::<Option<Utf8PathBuf>>::open(cache, "uv python dir 1");
    let answer = answers.get(&question).cloned().unwrap_or_else(|| {
        let text = ask(uv, &["--no-config", "--offline", "python", "dir"], runner);
        let folder = text.map(|text| Utf8PathBuf::from(text.trim())).filter(|folder| folder.is_absolute());
        answers.put(&question, vec![Witness::of(uv)], folder.clone());
        folder
    });
    answers.save();
    answer
}

fn ask(program: &Utf8Path, arguments: &[&str], runner: &Runner<'_>) -> Option<String> {
    let query = Query::new(std::iter::once(program.as_str()).chain(arguments.iter().copied()))
        .env("PYTHON_MANAGER_AUTOMATIC_INSTALL", "false")
        .timeout(PATIENCE)
        .limit(1 << 20);
    let captured = runner.capture(&query).ok()?;
    captured.status.success().then(|| captured.stdout_text().into_owned())
}

/// One Python to a line, its path last: ` -V:3.13 *        C:\Python313\python.exe`, before 3.11
/// ` -3.10-64        C:\Python310\python.exe *`, the active environment as `  *   C:\venv\Scripts\python.exe`.
fn parse_launcher(text: &str) -> Vec<Utf8PathBuf> {
    let path_of = |line: &str| {
        let starts =
            line.char_indices().filter(|(_, c)| c.is_whitespace() || *c == '"').map(|(at, c)| at + c.len_utf8());
        let path = starts.filter_map(|at| line.get(at..)).find(|rest| PathStyle::of(rest).is_some())?;
        let path = path.trim_end().trim_end_matches('*').trim_end().trim_matches('"');
        Some(Utf8PathBuf::from(path))
    };
    text.lines().filter_map(path_of).collect()
}

/// The output of `reg query KEY /s`: keys at the margin, values indented with four spaces between name, type and data. An
/// installation's key `InstallPath` has `ExecutablePath`, or, of python.org's older ones, the folder as its own value,
/// whose name is translated and in parentheses.
fn parse_registry(text: &str) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut here = Installation::default();
    for line in text.lines().map(str::trim_end) {
        if line.starts_with("HKEY_") {
            found.extend(std::mem::take(&mut here).program());
            here.is_one = line.to_ascii_lowercase().ends_with(r"\installpath");
            here.of_core = line.to_ascii_lowercase().contains(r"\pythoncore\");
            continue;
        }
        let mut fields = line.trim_start().splitn(3, "    ").map(str::trim);
        let (Some(name), Some("REG_SZ" | "REG_EXPAND_SZ"), Some(value)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if name.eq_ignore_ascii_case("ExecutablePath") {
            here.program = Some(value);
        } else if name.starts_with('(') {
            here.folder = Some(value);
        }
    }
    found.extend(here.program());
    found
}

/// What one key of the registry says.
#[derive(Debug, Default)]
struct Installation<'a> {
    is_one: bool,
    of_core: bool,
    program: Option<&'a str>,
    folder: Option<&'a str>,
}

impl Installation<'_> {
    fn program(self) -> Option<Utf8PathBuf> {
        let folder =
            || self.folder.filter(|_| self.of_core).map(|folder| paths::join(Utf8Path::new(folder), "python.exe"));
        let program = self.program.map(Utf8PathBuf::from).or_else(folder).filter(|_| self.is_one)?;
        // Where nothing was entered stands a text that says so.
        PathStyle::of(program.as_str()).map(|_| program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_launchers_print() {
        for (text, paths) in [
            // 3.11 and newer
            (
                " -V:3.13 *        C:\\Users\\J\u{f6} B\\AppData\\Local\\Programs\\Python\\Python313\\python.exe\r\n \
                 -V:3.13t         C:\\Program Files\\Python313\\python3.13t.exe\r\n \
                 -V:ContinuumAnalytics/Anaconda311-64 D:/conda/python.exe\r\n",
                &[
                    "C:\\Users\\J\u{f6} B\\AppData\\Local\\Programs\\Python\\Python313\\python.exe",
                    r"C:\Program Files\Python313\python3.13t.exe",
                    "D:/conda/python.exe",
                ][..],
            ),
            // older, with a heading and quotes
            (
                "Installed Pythons found by py Launcher for Windows\r\n -3.10-64\t\"C:\\Program Files\\Python310\\python.exe\" *\r\n \
                 -2.7-32\tC:\\Python27\\python.exe\r\n\r\n",
                &[r"C:\Program Files\Python310\python.exe", r"C:\Python27\python.exe"],
            ),
            // the install manager
            (
                "  *               C:\\work\\.venv\\Scripts\\python.exe\n -V:3.14[-64] *   \
                 C:\\Users\\me\\AppData\\Local\\Python\\pythoncore-3.14-64\\python.exe\n",
                &[
                    r"C:\work\.venv\Scripts\python.exe",
                    r"C:\Users\me\AppData\Local\Python\pythoncore-3.14-64\python.exe",
                ],
            ),
            (r" -V:3.12   \\server\share\py\python.exe", &[r"\\server\share\py\python.exe"]),
            ("No installed Pythons found!\r\n", &[]),
            ("", &[]),
        ] {
            assert_eq!(parse_launcher(text), paths, "{text}");
        }
    }

    /// As `reg` of Windows and of wine prints it.
    #[test]
    fn what_the_registry_has() {
        let text = "\r\nHKEY_CURRENT_USER\\Software\\Python\\PyLauncher\r\n    (Default)    REG_SZ    C:\\Windows\\\r\n\r\n\
            HKEY_CURRENT_USER\\Software\\Python\\PythonCore\\3.13\r\n    DisplayName    REG_SZ    Python 3.13 (64-bit)\r\n    \
            SysVersion    REG_SZ    3.13\r\n\r\n\
            HKEY_CURRENT_USER\\Software\\Python\\PythonCore\\3.13\\InstallPath\r\n    (Default)    REG_SZ    C:\\Python313\\\r\n    \
            ExecutablePath    REG_SZ    C:\\Python313\\python.exe\r\n    WindowedExecutablePath    REG_SZ    C:\\Python313\\pythonw.exe\r\n\r\n\
            HKEY_CURRENT_USER\\Software\\Python\\PythonCore\\2.7\\InstallPath\r\n    (Standard)    REG_SZ    D:\\Old Python\r\n\r\n\
            HKEY_CURRENT_USER\\Software\\Python\\PythonCore\\3.5\\InstallPath\r\n    (Default)    REG_SZ    (value not set)\r\n\r\n\
            HKEY_CURRENT_USER\\Software\\Python\\Other\\1\\InstallPath\r\n    (Default)    REG_SZ    C:\\Other\r\n\r\n\
            HKEY_CURRENT_USER\\Software\\Python\\ContinuumAnalytics\\Anaconda\\InstallPath\r\n    ExecutablePath    REG_SZ    C:\\conda\\python.exe\r\n    \
            (Default)    REG_SZ    C:\\conda\r\n";
        let expected = [r"C:\Python313\python.exe", r"D:\Old Python\python.exe", r"C:\conda\python.exe"];
        assert_eq!(parse_registry(text), expected);
        assert!(parse_registry("ERROR: The system was unable to find the specified registry key or value.").is_empty());
    }
}

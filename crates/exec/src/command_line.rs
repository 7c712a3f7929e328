//! A step as one line that a person can read and paste.

use std::borrow::Cow;

use crate::step::Step;

/// The shell a command line is written for; a choice of the reader, not of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Any POSIX shell, with `env` of GNU, BSD or busybox.
    Posix,
    /// PowerShell 7.3 or newer, whose native argument passing keeps quotes. Older ones read the same words but lose
    /// double quotes within, empty arguments, and a backslash at the end of one with blanks, when they hand them on.
    PowerShell,
}

impl Shell {
    /// The one that a person at this machine most likely types into.
    pub fn host() -> Self {
        match crate::Naming::host() {
            crate::Naming::Windows { .. } => Self::PowerShell,
            crate::Naming::Posix => Self::Posix,
        }
    }
}

/// Characters that no shell we write for gives a meaning to, wherever they stand in a word.
fn is_plain(byte: u8, shell: Shell) -> bool {
    byte.is_ascii_alphanumeric()
        || match shell {
            Shell::Posix => b"_-+=./:,@%".contains(&byte),
            Shell::PowerShell => b"_-+=./:\\".contains(&byte),
        }
}

/// `word` so that `shell` reads it back as exactly this one word.
pub fn quote(word: &str, shell: Shell) -> Cow<'_, str> {
    // PowerShell cuts `-DX=1.5` before the dot and `-a:b` behind the colon: it takes them for its own parameters.
    let parameter = shell == Shell::PowerShell && word.starts_with('-') && word.contains(['.', ':']);
    let plain = !word.is_empty() && !parameter && word.bytes().all(|byte| is_plain(byte, shell));
    match shell {
        _ if plain => Cow::Borrowed(word),
        Shell::Posix => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
        // PowerShell ends a single-quoted string at the typographic quotes too; doubling holds for each of them.
        Shell::PowerShell => Cow::Owned(powershell_string(word)),
    }
}

/// A string that PowerShell takes word for word.
fn powershell_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        if matches!(character, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted.push('\'');
    quoted
}

impl Step {
    /// The step as one line for a POSIX shell: what differs in the environment, then program and arguments. The folder
    /// is not part of it.
    pub fn command_line(&self) -> String {
        self.command_line_for(Shell::Posix)
    }

    /// The step as one line for `shell`. A clean environment is shown for POSIX shells only, as `env -i` with `HOME` and
    /// `PATH`: PowerShell has no word for it.
    pub fn command_line_for(&self, shell: Shell) -> String {
        let mut words = Vec::new();
        match shell {
            Shell::Posix => self.posix_environment(&mut words),
            Shell::PowerShell => self.powershell_environment(&mut words),
        }
        let program = self.argv.first().map(String::as_str).unwrap_or_default();
        let quoted = quote(program, shell);
        match shell {
            // A first word with `=` in it would be an assignment.
            Shell::Posix if program.contains('=') && !quoted.starts_with('\'') => words.push(format!("'{program}'")),
            Shell::PowerShell if quoted.starts_with('\'') => words.push(format!("& {quoted}")),
            Shell::Posix | Shell::PowerShell => words.push(quoted.into_owned()),
        }
        words.extend(self.argv.iter().skip(1).map(|argument| quote(argument, shell).into_owned()));
        words.join(" ")
    }

    fn posix_environment(&self, words: &mut Vec<String>) {
        let removed = self.env.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name);
        if self.clean_env {
            words.push("env -i".to_owned());
            // The rest of the essential variables rarely matters and would make the line unreadable.
            for name in ["HOME", "PATH"] {
                if !self.env.contains_key(name) {
                    words.push(format!("{name}=\"${name}\""));
                }
            }
        } else {
            let removed: Vec<String> = removed.map(|name| format!("-u {}", quote(name, Shell::Posix))).collect();
            if !removed.is_empty() {
                words.push("env".to_owned());
                words.extend(removed);
            }
        }
        for (name, value) in &self.env {
            if let Some(value) = value {
                words.push(format!("{name}={}", quote(value, Shell::Posix)));
            }
        }
    }

    /// The step as one line for `shell` that works from any folder.
    pub(crate) fn repeat(&self, shell: Shell) -> String {
        let (folder, line) = (quote(self.cwd.as_str(), shell), self.command_line_for(shell));
        match shell {
            Shell::Posix => format!("cd {folder} && {line}"),
            // Windows PowerShell knows no `&&`.
            Shell::PowerShell => format!("Set-Location -LiteralPath {folder}; {line}"),
        }
    }

    /// PowerShell has no per-command environment: the variables are set for the session, one statement each.
    fn powershell_environment(&self, words: &mut Vec<String>) {
        for (name, value) in &self.env {
            words.push(match value {
                Some(value) => format!("${{env:{name}}} = {};", powershell_string(value)),
                None => format!("${{env:{name}}} = $null;"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (word, posix, powershell) in [
            ("plain-1.0/x:y", "plain-1.0/x:y", "plain-1.0/x:y"),
            ("", "''", "''"),
            ("a b", "'a b'", "'a b'"),
            ("it's", r"'it'\''s'", "'it''s'"),
            (r"C:\x", r"'C:\x'", r"C:\x"),
            ("$HOME", "'$HOME'", "'$HOME'"),
            ("a,b", "a,b", "'a,b'"),
            ("\u{2019}", "'\u{2019}'", "'\u{2019}\u{2019}'"),
            ("*.whl", "'*.whl'", "'*.whl'"),
            ("~", "'~'", "'~'"),
            ("-DX=1", "-DX=1", "-DX=1"),
            ("-DX=1.5", "-DX=1.5", "'-DX=1.5'"),
            ("-I:x", "-I:x", "'-I:x'"),
            ("--x.y", "--x.y", "'--x.y'"),
            (r"C:\Program Files\x\", r"'C:\Program Files\x\'", r"'C:\Program Files\x\'"),
            ("%PATH%", "%PATH%", "'%PATH%'"),
            ("{a};b", "'{a};b'", "'{a};b'"),
            ("@x", "@x", "'@x'"),
            ("`n", "'`n'", "'`n'"),
            ("a\nb", "'a\nb'", "'a\nb'"),
        ] {
            assert_eq!(quote(word, Shell::Posix), posix, "{word}");
            assert_eq!(quote(word, Shell::PowerShell), powershell, "{word}");
        }
    }

    #[test]
    fn lines() {
        let step = Step::new("x", ["cmake", "-G", "Ninja Multi"], "/", "/log");
        assert_eq!(step.command_line(), "cmake -G 'Ninja Multi'");
        let step = step.with_env("CC", "gcc -m64").without_env("CFLAGS");
        assert_eq!(step.command_line(), "env -u CFLAGS CC='gcc -m64' cmake -G 'Ninja Multi'");
        assert_eq!(
            step.command_line_for(Shell::PowerShell),
            "${env:CC} = 'gcc -m64'; ${env:CFLAGS} = $null; cmake -G 'Ninja Multi'"
        );
        let step = step.with_clean_env().with_env("HOME", "/h");
        assert_eq!(step.command_line(), "env -i PATH=\"$PATH\" CC='gcc -m64' HOME=/h cmake -G 'Ninja Multi'");
        let step = Step::new("x", ["a tool", "-x"], "/", "/log");
        assert_eq!(step.command_line(), "'a tool' -x");
        assert_eq!(step.command_line_for(Shell::PowerShell), "& 'a tool' -x");
        let step = step.with_env("X", "it\u{2019}s");
        assert_eq!(step.command_line_for(Shell::PowerShell), "${env:X} = 'it\u{2019}\u{2019}s'; & 'a tool' -x");
        assert_eq!(step.repeat(Shell::Posix), "cd / && X='it\u{2019}s' 'a tool' -x");
        assert_eq!(
            step.repeat(Shell::PowerShell),
            "Set-Location -LiteralPath /; ${env:X} = 'it\u{2019}\u{2019}s'; & 'a tool' -x"
        );
        assert_eq!(Step::new("x", ["A=B"], "/", "/log").command_line(), "'A=B'");
    }
}

//! Paths as text: the loaders' own arithmetic, the same on every host.

use camino::{Utf8Path, Utf8PathBuf};

/// The path without `.` and empty parts, and with `..` taken back where there is something to take back. Both kinds of
/// slash separate if `backslash` is set.
pub(crate) fn normalise(path: &str, backslash: bool) -> Utf8PathBuf {
    let is_separator = |c: char| c == '/' || (backslash && c == '\\');
    let absolute = path.starts_with(is_separator);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(is_separator) {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                None if absolute => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute { format!("/{joined}").into() } else { joined.into() }
}

/// `folder/name`, normalised.
pub(crate) fn join(folder: &Utf8Path, name: &str) -> Utf8PathBuf {
    if folder.as_str().is_empty() || name.starts_with('/') {
        return normalise(name, false);
    }
    normalise(&format!("{folder}/{name}"), false)
}

/// Whether a path starts at a root or at a drive: `/usr`, `C:/py`.
pub(crate) fn is_absolute(path: &Utf8Path) -> bool {
    matches!(path.as_str().as_bytes(), [b'/' | b'\\', ..] | [b'A'..=b'Z' | b'a'..=b'z', b':', b'/' | b'\\', ..])
}

/// The part after the last slash, or backslash.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Replaces `$NAME` and `${NAME}`. `None` if a `$` remains that starts none of the tokens and `strict` is set (musl
/// ignores such a path as a whole; glibc leaves it as it is).
pub(crate) fn expand(text: &str, tokens: &[(&str, &str)], strict: bool) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        let hit = tokens.iter().find_map(|(name, value)| {
            let braced = after.strip_prefix('{').and_then(|inner| inner.strip_prefix(name)?.strip_prefix('}'));
            let bare = after
                .strip_prefix(name)
                .filter(|next| !next.starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric()));
            braced.or(bare).map(|next| (*value, next))
        });
        match hit {
            Some((value, next)) => {
                out.push_str(value);
                rest = next;
            }
            None if strict => return None,
            None => {
                out.push('$');
                rest = after;
            }
        }
        if out.len() > 1 << 16 {
            break; // no file system takes a longer path
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises() {
        for (path, expected) in [
            ("pkg/../x.libs/./liba.so", "x.libs/liba.so"),
            ("pkg/../../lib", "../lib"),
            ("../../a", "../../a"),
            ("/../usr//lib/", "/usr/lib"),
            ("", ""),
            ("a/b/../..", ""),
        ] {
            assert_eq!(normalise(path, false), expected, "{path}");
        }
        assert_eq!(normalise(r"C:\x\..\y/z", true), "C:/y/z");
    }

    #[test]
    fn absolute_paths() {
        for (path, expected) in [("/usr", true), ("C:/py", true), ("pkg/x.so", false), ("c:x", false), ("", false)] {
            assert_eq!(is_absolute(Utf8Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn expands() {
        let tokens = [("ORIGIN", "pkg"), ("LIB", "lib64")];
        for (text, strict, expected) in [
            ("$ORIGIN/../x", false, Some("pkg/../x")),
            ("${ORIGIN}/$LIB", false, Some("pkg/lib64")),
            ("$ORIGINAL/x", false, Some("$ORIGINAL/x")),
            ("$ORIGINAL/x", true, None),
            ("a$", false, Some("a$")),
            ("${ORIGIN/x", false, Some("${ORIGIN/x")),
        ] {
            assert_eq!(expand(text, &tokens, strict).as_deref(), expected, "{text}");
        }
    }
}

//! Paths of machines that this program need not run on: a plan for Windows that is made on Linux joins with `\`.
//!
//! An absolute path says by itself how it is written, so nothing here asks which system this is. Everything is done by
//! text alone; nothing is looked up.

use std::borrow::Cow;
use std::cmp::Ordering;

use camino::{Utf8Path, Utf8PathBuf};

use crate::target::Os;

/// How a system writes paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathStyle {
    /// `/usr/lib`, lists with `:`.
    Posix,
    /// `C:\Windows` and `\\server\share`, lists with `;`; `/` separates too.
    Windows,
}

/// The longest path, in UTF-16 units, that a Windows program takes which is not told otherwise: `MAX_PATH` is 260 with
/// the closing zero (Microsoft, "Maximum Path Length Limitation").
pub const WINDOWS_MAX_PATH: usize = 259;

impl Os {
    /// How paths are written there.
    pub const fn path_style(self) -> PathStyle {
        match self {
            Self::Linux | Self::MacOs => PathStyle::Posix,
            Self::Windows => PathStyle::Windows,
        }
    }

    /// Whether `Proj` and `proj` name one folder there, as the file systems that these systems come with have it.
    pub const fn folds_case(self) -> bool {
        match self {
            Self::Linux => false,
            Self::MacOs | Self::Windows => true,
        }
    }
}

impl PathStyle {
    /// Between the parts of a path.
    pub const fn separator(self) -> char {
        match self {
            Self::Posix => '/',
            Self::Windows => '\\',
        }
    }

    /// Between the folders of a list such as `PATH`.
    pub const fn list_separator(self) -> char {
        match self {
            Self::Posix => ':',
            Self::Windows => ';',
        }
    }

    /// How an absolute path is written: `C:\x`, `C:/x`, `\\server\share` and `\\?\C:\x` are Windows', `/x` is not. `None`
    /// for a path that is relative, as `C:x` and `\x` are.
    pub fn of(path: &str) -> Option<Self> {
        let bytes = path.as_bytes();
        match bytes {
            [b'/', ..] if !path.starts_with("//") => Some(Self::Posix),
            [b'\\', b'\\', third, ..] if !matches!(third, b'\\' | b'/') => Some(Self::Windows),
            [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic() => Some(Self::Windows),
            [b'/', ..] => Some(Self::Posix),
            _ => None,
        }
    }

    fn separates(self, character: char) -> bool {
        character == '/' || (self == Self::Windows && character == '\\')
    }
}

/// How a path is written; one that is relative or a placeholder (`{source}`) with `/`, which every system reads.
fn style(path: &Utf8Path) -> PathStyle {
    PathStyle::of(path.as_str()).unwrap_or(PathStyle::Posix)
}

/// `base` with `part` below it, written as `base` is. `part` is relative and may have several parts with `/`; an absolute
/// one, of whatever system, is given back as it is.
pub fn join(base: &Utf8Path, part: impl AsRef<str>) -> Utf8PathBuf {
    let part = part.as_ref();
    let style = style(base);
    if part.is_empty() || PathStyle::of(part).is_some() {
        return if part.is_empty() { base.to_owned() } else { part.into() };
    }
    let mut joined = base.as_str().to_owned();
    if !joined.is_empty() && !joined.ends_with(|c| style.separates(c)) {
        joined.push(style.separator());
    }
    match style {
        PathStyle::Posix => joined.push_str(part),
        PathStyle::Windows => joined.extend(part.chars().map(|c| if c == '/' { '\\' } else { c })),
    }
    joined.into()
}

/// The folder that a path lies in; `None` for a root (`/`, `C:\`, `\\server\share\`) and for a single name.
pub fn parent(path: &Utf8Path) -> Option<&Utf8Path> {
    let style = style(path);
    let root = root_len(path.as_str(), style);
    let (start, rest) = path.as_str().split_at_checked(root)?;
    let rest = rest.trim_end_matches(|c| style.separates(c));
    if rest.is_empty() {
        return None;
    }
    match rest.rfind(|c| style.separates(c)) {
        Some(at) => {
            path.as_str().get(..root + rest[..at].trim_end_matches(|c| style.separates(c)).len()).map(Utf8Path::new)
        }
        None => (!start.is_empty()).then(|| Utf8Path::new(start)),
    }
}

/// The last part of a path; `None` for a root.
pub fn file_name(path: &Utf8Path) -> Option<&str> {
    let style = style(path);
    let (_, rest) = path.as_str().split_at_checked(root_len(path.as_str(), style))?;
    let rest = rest.trim_end_matches(|c| style.separates(c));
    rest.rsplit(|c| style.separates(c)).next().filter(|name| !name.is_empty())
}

/// The path beside this one that has `ending` added to its name: `…\build-cp313`, `.txt` → `…\build-cp313.txt`.
pub fn with_ending(path: &Utf8Path, ending: &str) -> Utf8PathBuf {
    let style = style(path);
    let bare = path.as_str().trim_end_matches(|c| style.separates(c));
    format!("{bare}{ending}").into()
}

/// How long the part of a path is that has no parent.
fn root_len(path: &str, style: PathStyle) -> usize {
    if style == PathStyle::Posix {
        return path.len() - path.trim_start_matches('/').len();
    }
    // `\\server\share\`, `\\?\UNC\server\share\`, `\\?\C:\`, `C:\`
    let (parts, from) = if path.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(r"\\?\UNC\")) {
        (2, 8)
    } else if path.starts_with(r"\\?\") || path.starts_with(r"\\.\") {
        (1, 4)
    } else if path.starts_with(r"\\") {
        (2, 2)
    } else {
        (1, 0)
    };
    path.char_indices()
        .filter(|(at, c)| *at >= from && style.separates(*c))
        .nth(parts - 1)
        .map_or(path.len(), |(at, _)| at + 1)
}

/// Folders as a list for a variable or an option of a system, such as `PATH`.
pub fn join_list<S: AsRef<str>>(os: Os, folders: impl IntoIterator<Item = S>) -> String {
    let mut list = String::new();
    for (index, folder) in folders.into_iter().enumerate() {
        if index > 0 {
            list.push(os.path_style().list_separator());
        }
        list.push_str(folder.as_ref());
    }
    list
}

/// The same path without the prefix `\\?\` that Windows gives real paths, where programs that know nothing of it (CMake,
/// MSVC, batch files) mean the same file without: `\\?\C:\x` → `C:\x`, `\\?\UNC\s\h` → `\\s\h`. A path that only works
/// with the prefix keeps it: one that is too long, or has a name that Windows would change or take for a device.
pub fn simplified(path: &Utf8Path) -> Cow<'_, Utf8Path> {
    const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
    let Some(rest) = path.as_str().strip_prefix(r"\\?\") else { return Cow::Borrowed(path) };
    let plain: Cow<'_, Utf8Path> = match (rest.get(..4), rest.as_bytes()) {
        (Some(start), _) if start.eq_ignore_ascii_case(r"UNC\") => Cow::Owned(format!(r"\\{}", &rest[4..]).into()),
        (_, [letter, b':', b'\\', ..]) if letter.is_ascii_alphabetic() => Cow::Borrowed(Utf8Path::new(rest)),
        _ => return Cow::Borrowed(path),
    };
    let device = |part: &str| {
        let stem = part.split(['.', ':']).next().unwrap_or(part).trim_end().to_ascii_uppercase();
        let numbered = stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT"));
        DEVICES.contains(&stem.as_str()) || (numbered && stem.ends_with(|c: char| c.is_ascii_digit()))
    };
    let odd = |part: &str| part.ends_with(['.', ' ']) || part.contains('/') || device(part);
    let changes = rest.split('\\').skip(1).any(odd);
    if changes || utf16_len(plain.as_str()) > WINDOWS_MAX_PATH { Cow::Borrowed(path) } else { plain }
}

/// How long Windows takes a text to be.
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// A path that lies below or beside `from` as it lies below or beside `to`; one that has nothing but a file system's root
/// in common with `from`, or is relative, stays as it is.
pub fn moved(path: &Utf8Path, from: &Utf8Path, to: &Utf8Path) -> Utf8PathBuf {
    let mut ancestor = Some(from);
    let mut base = Some(to);
    while let (Some(known), Some(new)) = (ancestor, base) {
        let up = parent(known);
        if up.is_none() && known != from {
            break;
        }
        if let Some(rest) = below(path, known) {
            // In a POSIX name a backslash is a letter.
            let parts = if style(path) == PathStyle::Windows { rest.replace('\\', "/") } else { rest.to_owned() };
            return join(new, parts);
        }
        (ancestor, base) = (up, parent(new));
    }
    path.to_owned()
}

/// What of `path` stands below `folder`: empty for the folder itself, `None` if it lies elsewhere. Windows' paths are
/// compared in any case and with either separator.
pub fn below<'a>(path: &'a Utf8Path, folder: &Utf8Path) -> Option<&'a str> {
    let style = style(folder);
    let bare = folder.as_str().trim_end_matches(|c| style.separates(c));
    let (start, rest) = path.as_str().split_at_checked(bare.len())?;
    if !same_text(start, bare, style) {
        return None;
    }
    if rest.is_empty() {
        return Some(rest);
    }
    rest.starts_with(|c| style.separates(c)).then(|| rest.trim_start_matches(|c| style.separates(c)))
}

fn same_text(one: &str, other: &str, style: PathStyle) -> bool {
    match style {
        PathStyle::Posix => one == other,
        PathStyle::Windows => {
            let fold = |c: char| if c == '/' { '\\' } else { c.to_ascii_lowercase() };
            one.chars().map(fold).eq(other.chars().map(fold))
        }
    }
}

/// Whether two paths name the same file on some system that wheels are built on: separators do not matter, nor does the
/// case, nor `.` and a separator at the end.
pub fn same_somewhere(one: &str, other: &str) -> bool {
    fn parts(path: &str) -> impl Iterator<Item = String> {
        path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(str::to_lowercase)
    }
    parts(one).cmp(parts(other)) == Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_says_how_it_is_written() {
        for (path, style) in [
            ("/", Some(PathStyle::Posix)),
            ("/usr/lib", Some(PathStyle::Posix)),
            ("//usr", Some(PathStyle::Posix)),
            (r"C:\x", Some(PathStyle::Windows)),
            ("z:/x y", Some(PathStyle::Windows)),
            (r"\\server\share\x", Some(PathStyle::Windows)),
            (r"\\?\C:\x", Some(PathStyle::Windows)),
            ("C:x", None),
            ("C:", None),
            (r"\x", None),
            ("x/y", None),
            ("{source}", None),
            ("", None),
        ] {
            assert_eq!(PathStyle::of(path), style, "{path}");
        }
    }

    #[test]
    fn joining_follows_the_base() {
        for (base, part, joined) in [
            ("/p", "target/wheelproof", "/p/target/wheelproof"),
            ("/p/", "x", "/p/x"),
            ("/", "x", "/x"),
            ("/p", r"a\b", r"/p/a\b"),
            (r"D:\a\repo", "target/wheelproof", r"D:\a\repo\target\wheelproof"),
            ("D:/a/repo", "x/y", r"D:/a/repo\x\y"),
            (r"C:\", "x", r"C:\x"),
            (r"\\server\share\p q", "x y/z", r"\\server\share\p q\x y\z"),
            (r"\\?\C:\p", "x/y", r"\\?\C:\p\x\y"),
            ("{source}", "x/y", "{source}/x/y"),
            ("", "x", "x"),
            ("/p", "", "/p"),
            ("/p", "/other", "/other"),
            ("/p", r"C:\other", r"C:\other"),
        ] {
            assert_eq!(join(Utf8Path::new(base), part), joined, "{base} + {part}");
        }
    }

    #[test]
    fn parents_and_names() {
        for (path, parent_of, name) in [
            ("/a/b", Some("/a"), Some("b")),
            ("/a/b/", Some("/a"), Some("b")),
            ("/a", Some("/"), Some("a")),
            ("/", None, None),
            (r"C:\a\b.c", Some(r"C:\a"), Some("b.c")),
            (r"C:\a", Some(r"C:\"), Some("a")),
            (r"C:\", None, None),
            ("C:/a/b", Some("C:/a"), Some("b")),
            (r"\\server\share\a", Some(r"\\server\share\"), Some("a")),
            (r"\\server\share", None, None),
            (r"\\?\C:\a\b", Some(r"\\?\C:\a"), Some("b")),
            (r"\\?\C:\a", Some(r"\\?\C:\"), Some("a")),
            (r"\\?\UNC\server\share\a", Some(r"\\?\UNC\server\share\"), Some("a")),
            ("a/b", Some("a"), Some("b")),
            ("a", None, Some("a")),
            ("", None, None),
        ] {
            let path = Utf8Path::new(path);
            assert_eq!(parent(path).map(Utf8Path::as_str), parent_of, "{path}");
            assert_eq!(file_name(path), name, "{path}");
        }
        assert_eq!(with_ending(Utf8Path::new(r"D:\a\my.repo\build-cp313"), ".txt"), r"D:\a\my.repo\build-cp313.txt");
    }

    #[test]
    fn the_long_prefix_goes_where_it_is_not_needed() {
        let long = format!(r"\\?\C:\{}", "x".repeat(260));
        for (path, plain) in [
            (r"\\?\C:\a b\c", r"C:\a b\c"),
            (r"\\?\UNC\server\share\x", r"\\server\share\x"),
            (
                r"\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\x",
                r"\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\x",
            ),
            (r"\\?\C:\a.\b", r"\\?\C:\a.\b"),
            (r"\\?\C:\nul.txt", r"\\?\C:\nul.txt"),
            (r"\\?\C:\com1", r"\\?\C:\com1"),
            (r"\\?\C:\comet", r"C:\comet"),
            (long.as_str(), long.as_str()),
            (r"C:\a", r"C:\a"),
            ("/a", "/a"),
        ] {
            assert_eq!(simplified(Utf8Path::new(path)).as_str(), plain, "{path}");
        }
    }

    #[test]
    fn a_path_moves_with_its_root() {
        let linux = "/tmp/x/repo";
        for (path, from, to, moved_to) in [
            ("/tmp/x/repo", linux, r"D:\a\repo", r"D:\a\repo"),
            ("/tmp/x/repo/jit/core", linux, r"D:\a\repo", r"D:\a\repo\jit\core"),
            ("/tmp/x/other", linux, r"D:\a\repo\repo", r"D:\a\repo\other"),
            ("/opt/llvm", linux, r"D:\a\repo", "/opt/llvm"),
            (r"Z:\tmp\x\repo\jit\core", r"Z:\tmp\x\repo", "/Users/runner/repo", "/Users/runner/repo/jit/core"),
            (r"z:\TMP\x\repo\jit", r"Z:\tmp\x\repo", "/r", "/r/jit"),
            ("/tmp/x/repository", linux, "/r", "/repository"),
            ("relative", linux, "/r", "relative"),
            ("/a", "/", "/r", "/r/a"),
        ] {
            assert_eq!(moved(Utf8Path::new(path), Utf8Path::new(from), Utf8Path::new(to)), moved_to, "{path}");
        }
    }

    #[test]
    fn paths_that_meet_on_some_system() {
        for (one, other, same) in [
            ("Proj", "proj", true),
            ("./a/", r"A\.", true),
            ("a/b", "a/c", false),
            ("a", "a/b", false),
            (".", "", true),
        ] {
            assert_eq!(same_somewhere(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn lists() {
        assert_eq!(join_list(Os::Linux, ["/a", "/b"]), "/a:/b");
        assert_eq!(join_list(Os::Windows, [r"C:\a b", "{PATH}"]), r"C:\a b;{PATH}");
        assert_eq!(join_list::<&str>(Os::Windows, []), "");
    }

    proptest! {
        #[test]
        fn what_was_joined_is_taken_apart_again(
            base in r"(/|[A-Z]:\\|\\\\[a-z]{1,5}\\[a-z]{1,5}\\|\\\\\?\\C:\\)([a-zA-Z0-9 ._-]{1,9}[a-z])?",
            name in "[a-zA-Z0-9 ._é-]{0,11}[a-z]",
        ) {
            let base = Utf8Path::new(&base);
            let joined = join(base, &name);
            prop_assert_eq!(PathStyle::of(joined.as_str()), PathStyle::of(base.as_str()));
            prop_assert_eq!(file_name(&joined), Some(name.as_str()));
            prop_assert_eq!(parent(&joined), Some(base));
            prop_assert_eq!(below(&joined, base), Some(name.as_str()));
            let elsewhere = Utf8Path::new(r"D:\elsewhere");
            prop_assert_eq!(moved(&joined, base, elsewhere), join(elsewhere, &name));
            prop_assert_eq!(moved(&moved(&joined, base, elsewhere), elsewhere, base), joined);
        }

        #[test]
        fn no_text_is_too_odd(text in r"[\\/:.?A-Ca-cé{} ]{0,14}", other in r"[\\/:.?A-Ca-cé ]{0,8}") {
            let path = Utf8Path::new(&text);
            let _ = (PathStyle::of(&text), parent(path), file_name(path), simplified(path), with_ending(path, ".x"));
            let _ = (join(path, &other), below(path, Utf8Path::new(&other)), moved(path, Utf8Path::new(&other), path));
            // Going up ends.
            let mut at = path;
            for _ in 0..20 { match parent(at) { Some(up) => { prop_assert!(up.as_str().len() < at.as_str().len()); at = up; } None => break } }
        }
    }
}

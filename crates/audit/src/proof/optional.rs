//! Whether the package expects an extension module to be missing: each import of it stands inside a `try`.
//!
//! Packages try several backends in turn (numba's threading layers, C accelerators with a Python fallback). Such a module may
//! fail to import without anybody noticing. Looked into only for a module that fails.

use super::contents::Contents;
use super::rules::MISSING_LIBRARY;
use super::trouble::Trouble;
use memchr::memmem;

/// No module of Python code that matters is larger.
const MOST_BYTES: u64 = 2 << 20;

/// The file that imports `module` inside a `try`, if some does and none does outside.
pub(super) fn guarded_by(contents: &Contents, module: &str) -> Option<String> {
    let name = module.rsplit('.').next().unwrap_or(module);
    let archive = &contents.wheel.archive;
    let mut guard = None;
    let code = archive.members().iter().filter(|member| member.name.ends_with(".py") && member.size <= MOST_BYTES);
    // Tests try on purpose what may not be there.
    for member in code.filter(|member| !member.name.split('/').any(|part| matches!(part, "test" | "tests"))) {
        let Ok(bytes) = archive.read(member) else { continue };
        if memmem::find(&bytes, name.as_bytes()).is_none() {
            continue;
        }
        match guards(&String::from_utf8_lossy(&bytes), name) {
            Guard::None => {}
            Guard::Always => guard = guard.or_else(|| Some(member.name.clone())),
            Guard::Lacking => return None,
        }
    }
    guard
}

/// Whether a trouble is that a library was left out of the wheel on purpose. A library that a repair tool put there is never: its
/// name carries the hash of its content, or its path leads into the package.
pub(super) fn is_left_out(trouble: &Trouble) -> bool {
    let Some(library) = trouble.symbol.as_deref().filter(|_| trouble.rule == &MISSING_LIBRARY) else { return false };
    let file = library.rsplit('/').next().unwrap_or(library);
    let head = file.split('.').next().unwrap_or(file);
    let hashed = head
        .rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    !hashed && !library.starts_with("@loader_path")
}

/// How a file imports a name.
#[derive(Debug, PartialEq, Eq)]
enum Guard {
    /// Not at all.
    None,
    /// Inside `try` alone.
    Always,
    /// Somewhere outside of any `try`.
    Lacking,
}

fn guards(text: &str, name: &str) -> Guard {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Guard::None;
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| imports(line, name)) {
        if is_guarded(&lines, at) {
            found = Guard::Always;
        } else {
            return Guard::Lacking;
        }
    }
    found
}

/// `import a.name`, `from a import b, name as c`, `from .name import x`.
fn imports(line: &str, name: &str) -> bool {
    let code = line.split('#').next().unwrap_or(line).trim_start();
    let is_import = code.starts_with("import ") || (code.starts_with("from ") && code.contains(" import "));
    is_import && code.split(|c: char| !(c == '_' || c.is_alphanumeric())).any(|word| word == name)
}

/// Whether one of the blocks around a line is that of a `try` whose handlers do not raise again.
fn is_guarded(lines: &[&str], at: usize) -> bool {
    let Some(line) = lines.get(at) else { return false };
    let mut depth = indent(line);
    for line in lines.get(..at).unwrap_or_default().iter().rev() {
        if depth == 0 {
            return false;
        }
        let code = line.trim_start();
        if code.is_empty() || code.starts_with('#') || indent(line) >= depth {
            continue;
        }
        depth = indent(line);
        if code.starts_with("try:") && !raises_again(lines.get(at + 1..).unwrap_or_default(), depth) {
            return true;
        }
    }
    false
}

/// Whether what follows a `try` at `depth` raises in one of its handlers.
fn raises_again(after: &[&str], depth: usize) -> bool {
    let mut in_handler = false;
    for line in after {
        let code = line.trim_start();
        if code.is_empty() || code.starts_with('#') {
            continue;
        }
        match indent(line).cmp(&depth) {
            std::cmp::Ordering::Less => return false,
            std::cmp::Ordering::Equal if code.starts_with("except") => in_handler = true,
            // The closing bracket of an import over several lines stands there too.
            std::cmp::Ordering::Equal if code.starts_with(')') => {}
            std::cmp::Ordering::Equal => return false,
            std::cmp::Ordering::Greater if in_handler && code.starts_with("raise") => return true,
            std::cmp::Ordering::Greater => {}
        }
    }
    false
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_inside_try() {
        for (code, guard) in [
            ("try:\n    from ._core import x\nexcept ImportError:\n    x = None\n", Guard::Always),
            (
                "def f():\n    if a:\n        try:\n            # why\n            from pkg import _core as lib\n        except ImportError:\n            pass\n",
                Guard::Always,
            ),
            ("from ._core import x\n", Guard::Lacking),
            ("try:\n    import _core\nexcept ImportError:\n    pass\nimport pkg._core\n", Guard::Lacking),
            ("try:\n    a = 1\nexcept E:\n    import _core\n", Guard::Lacking),
            (
                "try:\n    from pkg._core import (\n        a,\n    )\nexcept ImportError as e:\n    raise ImportError('no') from e\n",
                Guard::Lacking,
            ),
            ("# import _core\nx = '_core'\nfrom ._core2 import y\n", Guard::None),
            ("import os\n", Guard::None),
        ] {
            assert_eq!(guards(code, "_core"), guard, "{code}");
        }
    }
}

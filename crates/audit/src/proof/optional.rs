//! Whether the package expects an extension module to be missing: each import of it stands inside a `try`.
//!
//! Packages try several backends in turn (numba's threading layers, C accelerators with a Python fallback). Such a module may
//! fail to import without anybody noticing. Looked into only for a module that fails.

use super::contents::Contents;
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
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| imports(line, name)) {
        if is_guarded(lines.get(..at).unwrap_or_default(), line) {
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

/// Whether one of the blocks around a line is that of a `try`.
fn is_guarded(before: &[&str], line: &str) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut depth = indent(line);
    for line in before.iter().rev() {
        if depth == 0 {
            return false;
        }
        let code = line.trim_start();
        if code.is_empty() || code.starts_with('#') || indent(line) >= depth {
            continue;
        }
        if code.starts_with("try:") {
            return true;
        }
        depth = indent(line);
    }
    false
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
            ("# import _core\nx = '_core'\nfrom ._core2 import y\n", Guard::None),
            ("import os\n", Guard::None),
        ] {
            assert_eq!(guards(code, "_core"), guard, "{code}");
        }
    }
}

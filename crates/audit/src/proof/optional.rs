//! Whether the package expects an extension module to be missing: each import of it stands inside a `try`.
//!
//! Packages try several backends in turn (numba's threading layers, C accelerators with a Python fallback). Such a module may
//! fail to import without anybody noticing. Looked into only for a module that fails.

use super::contents::Contents;
use super::rules::MISSING_LIBRARY;
use super::trouble::Trouble;
use std::collections::{HashMap, HashSet};

/// No module of Python code that matters is larger.
const MOST_BYTES: u64 = 2 << 20;

/// What the package's Python code says of its extension modules; every file is read once for all of them.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// By the last part of a module's name.
    guards: HashMap<String, (Guard, String)>,
    /// By a module's whole name: the file that imports it in plain sight.
    plain: HashMap<String, String>,
    /// Whole names that stand in quotes.
    quoted: HashSet<String>,
}

impl Mentions {
    /// Of all binaries that could be modules.
    pub(super) fn of(contents: &Contents) -> Self {
        let mut names: HashMap<String, Vec<String>> = HashMap::new();
        let binaries = contents.binaries.iter().filter(|binary| matches!(binary.path.extension(), Some("so" | "pyd")));
        for binary in binaries {
            let Some(last) = binary.path.file_name().and_then(|file| file.split('.').next()) else { continue };
            let folder = binary.path.parent().map_or("", |folder| folder.as_str()).replace('/', ".");
            let dotted = if folder.is_empty() { last.to_owned() } else { format!("{folder}.{last}") };
            names.entry(last.to_owned()).or_default().push(dotted);
        }
        let mut mentions = Self::default();
        let archive = &contents.wheel.archive;
        let code = archive.members().iter().filter(|member| member.name.ends_with(".py") && member.size <= MOST_BYTES);
        // Tests try on purpose what may not be there.
        for member in code.filter(|member| !member.name.split('/').any(|part| matches!(part, "test" | "tests"))) {
            if let Ok(bytes) = archive.read(member) {
                mentions.add(&member.name, &String::from_utf8_lossy(&bytes), &names);
            }
        }
        mentions
    }

    fn add(&mut self, file: &str, text: &str, names: &HashMap<String, Vec<String>>) {
        let package = file.rsplit_once('/').map_or("", |(folder, _)| folder).replace('/', ".");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            for literal in line.split(['"', '\'']).skip(1).filter(|literal| literal.contains('.')) {
                let last = literal.rsplit('.').next().unwrap_or(literal);
                if names.get(last).is_some_and(|modules| modules.iter().any(|module| module == literal)) {
                    self.quoted.insert(literal.to_owned());
                }
            }
            for word in imported(line).filter(|word| names.contains_key(*word)) {
                let guard = if is_guarded(&lines, at) { Guard::Always } else { Guard::Lacking };
                let known = self.guards.entry(word.to_owned()).or_insert_with(|| (guard, file.to_owned()));
                if guard == Guard::Lacking {
                    known.0 = guard;
                }
                // Code in blocks may be for another Python or system.
                for module in names.get(word).into_iter().flatten().filter(|_| indent(line) == 0) {
                    if leads_to(line, &package, module) {
                        self.plain.entry(module.clone()).or_insert_with(|| file.to_owned());
                    }
                }
            }
        }
    }

    /// The file that imports `module` inside a `try`, if some does and none does outside.
    pub(super) fn guard(&self, module: &str) -> Option<&str> {
        let name = module.rsplit('.').next().unwrap_or(module);
        self.guards.get(name).filter(|(guard, _)| *guard == Guard::Always).map(|(_, file)| file.as_str())
    }

    /// The file that imports `module` when it is imported itself: by a statement that stands in no block and names this module
    /// and no other.
    pub(super) fn plain(&self, module: &str) -> Option<&str> {
        self.plain.get(module).map(String::as_str)
    }

    /// Whether the whole name stands in quotes somewhere: as code names what it opens by other means than `import`.
    pub(super) fn is_quoted(&self, module: &str) -> bool {
        self.quoted.contains(module)
    }
}

/// Whether an import statement of a file in `package` imports `module`.
fn leads_to(line: &str, package: &str, module: &str) -> bool {
    let code = line.split('#').next().unwrap_or(line);
    if let Some(names) = code.strip_prefix("import ") {
        return names.split(',').any(|name| name.split_whitespace().next() == Some(module));
    }
    let Some((from, names)) = code.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) else {
        return false;
    };
    let from = from.trim();
    let path = from.trim_start_matches('.');
    let mut base: Vec<&str> = Vec::new();
    if let Some(up) = (from.len() - path.len()).checked_sub(1) {
        base.extend(package.split('.').filter(|part| !part.is_empty()));
        let Some(kept) = base.len().checked_sub(up) else { return false };
        base.truncate(kept);
    }
    base.extend(path.split('.').filter(|part| !part.is_empty()));
    let base = base.join(".");
    let name = module.strip_prefix(&base).map(|rest| rest.trim_start_matches('.'));
    match name {
        Some("") => true,
        Some(name)
            if !name.contains('.') && module.len() == base.len() + name.len() + usize::from(!base.is_empty()) =>
        {
            let names = names.trim().trim_start_matches('(').trim_end_matches(')').split(',');
            names.into_iter().any(|one| one.split_whitespace().next() == Some(name))
        }
        _ => false,
    }
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

/// How code imports a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Inside `try` alone.
    Always,
    /// Somewhere outside of any `try`.
    Lacking,
}

/// The words of `import a.name`, `from a import b, name as c`, `from .name import x`.
fn imported(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split('#').next().unwrap_or(line).trim_start();
    let is_import = code.starts_with("import ") || (code.starts_with("from ") && code.contains(" import "));
    let code = if is_import { code } else { "" };
    code.split(|c: char| !(c == '_' || c.is_alphanumeric())).filter(|word| !word.is_empty())
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
    fn names_in_quotes() {
        let names = HashMap::from([("_aes".to_owned(), vec!["pkg._aes".to_owned()])]);
        let mut mentions = Mentions::default();
        mentions.add("pkg/aes.py", "lib = load_raw(\"pkg._des\", 1)\nlib = load_raw('pkg._aes', _aes)\n", &names);
        assert!(
            mentions.is_quoted("pkg._aes") && !mentions.is_quoted("pkg._des") && mentions.plain("pkg._aes").is_none()
        );
    }

    #[test]
    fn which_module_a_statement_imports() {
        for (line, package, leads) in [
            ("import pkg.sub._core", "", true),
            ("import os, pkg.sub._core as core", "", true),
            ("from pkg.sub._core import x", "", true),
            ("from pkg.sub import a, _core  # why", "", true),
            ("from ._core import x", "pkg.sub", true),
            ("from . import (_core, a)", "pkg.sub", true),
            ("from .sub import _core as c", "pkg", true),
            ("from ..sub._core import *", "pkg.other", true),
            ("from ._core import x", "pkg", false),
            ("from . import _core", "pkg", false),
            ("import _core", "pkg.sub", false),
            ("from other import _core", "pkg.sub", false),
            ("from .. import _core", "", false),
            ("from pkg.sub._core2 import x", "", false),
            ("from pkg.su import b._core", "", false),
        ] {
            assert_eq!(leads_to(line, package, "pkg.sub._core"), leads, "{line} in {package}");
        }
        assert!(leads_to("import _core", "", "_core") && leads_to("from . import _core", "", "_core"));
    }

    #[test]
    fn imports_inside_try() {
        for (code, guard) in [
            ("try:\n    from ._core import x\nexcept ImportError:\n    x = None\n", Some(Guard::Always)),
            (
                "def f():\n    if a:\n        try:\n            # why\n            from pkg import _core as lib\n        except ImportError:\n            pass\n",
                Some(Guard::Always),
            ),
            ("from ._core import x\n", Some(Guard::Lacking)),
            ("try:\n    import _core\nexcept ImportError:\n    pass\nimport pkg._core\n", Some(Guard::Lacking)),
            ("try:\n    a = 1\nexcept E:\n    import _core\n", Some(Guard::Lacking)),
            (
                "try:\n    from pkg._core import (\n        a,\n    )\nexcept ImportError as e:\n    raise ImportError('no') from e\n",
                Some(Guard::Lacking),
            ),
            ("# import _core\nx = '_core'\nfrom ._core2 import y\n", None),
            ("import os\n", None),
        ] {
            let mut mentions = Mentions::default();
            mentions.add("pkg/a.py", code, &HashMap::from([("_core".to_owned(), vec!["pkg._core".to_owned()])]));
            assert_eq!(mentions.guards.get("_core").map(|(guard, _)| *guard), guard, "{code}");
        }
    }
}

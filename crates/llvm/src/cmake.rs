//! What LLVM's installed CMake files say, read as text: no CMake is run.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::LlvmVersion;

/// The file that makes a folder an `LLVM_DIR`.
pub(crate) const CONFIG: &str = "LLVMConfig.cmake";
const CONFIG_VERSION: &str = "LLVMConfigVersion.cmake";

/// More than ten times what any release has: what is bigger is not this file.
const LARGEST_CONFIG: u64 = 4 << 20;

/// What was read from `LLVMConfig.cmake` and `LLVMConfigVersion.cmake`.
pub(crate) struct CmakeFacts {
    pub(crate) version: Option<LlvmVersion>,
    pub(crate) rtti: Option<bool>,
    pub(crate) assertions: Option<bool>,
    pub(crate) packages: Vec<String>,
}

/// Reads the two files of a folder.
pub(crate) fn read(cmake_dir: &Utf8Path) -> std::io::Result<CmakeFacts> {
    let config = read_bounded(&cmake_dir.join(CONFIG))?;
    let mut facts = parse(&config);
    if facts.version.is_none() {
        // Old and repackaged installations have the version in this file only.
        facts.version = read_bounded(&cmake_dir.join(CONFIG_VERSION)).ok().and_then(|text| parse(&text).version);
    }
    Ok(facts)
}

fn read_bounded(file: &Utf8Path) -> std::io::Result<String> {
    if fs_err::metadata(file)?.len() > LARGEST_CONFIG {
        return Err(std::io::Error::other(format!("`{file}` is too big to be LLVM's")));
    }
    fs_err::read_to_string(file)
}

/// Understands `set(NAME VALUE)` and `find_package(NAME …)` with the `if(NAME)` around them, one to a line as LLVM
/// writes them.
fn parse(text: &str) -> CmakeFacts {
    let mut set = BTreeMap::new();
    let mut packages = Vec::new();
    let mut conditions = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(arguments) = call(line, "set") {
            let (name, value) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
            set.entry(name).or_insert_with(|| value.trim().trim_matches('"'));
        } else if let Some(condition) = call(line, "if") {
            conditions.push(condition);
        } else if line.starts_with("endif") {
            conditions.pop();
        } else if let Some(arguments) = call(line, "find_package") {
            let asked = conditions.iter().all(|name| set.get(name).is_none_or(|value| truth(value) != Some(false)));
            let name = arguments.split_whitespace().next().unwrap_or(arguments);
            // A package in quiet mode may be missing; LLVM asks for its own parts that way.
            if asked && !name.is_empty() && !packages.iter().any(|known| known == name) {
                packages.push(name.to_owned());
            }
        }
    }
    let version =
        set.get("LLVM_PACKAGE_VERSION").or_else(|| set.get("PACKAGE_VERSION")).and_then(|version| version.parse().ok());
    let flag = |name| set.get(name).and_then(|value| truth(value));
    CmakeFacts { version, rtti: flag("LLVM_ENABLE_RTTI"), assertions: flag("LLVM_ENABLE_ASSERTIONS"), packages }
}

fn call<'a>(line: &'a str, command: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(command)?.trim_start().strip_prefix('(')?;
    Some(rest.split_once(')').map_or(rest, |(arguments, _)| arguments).trim())
}

/// CMake's truth, as `if()` documents it; `None` for a value that is neither.
fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_uppercase().as_str() {
        "1" | "ON" | "YES" | "TRUE" | "Y" => Some(true),
        "0" | "OFF" | "NO" | "FALSE" | "N" | "IGNORE" | "NOTFOUND" | "" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_from_the_text() {
        let facts = parse(
            "set(LLVM_VERSION_MAJOR 19)\nset(LLVM_PACKAGE_VERSION 19.1.7)\nset(LLVM_ENABLE_RTTI ON)\n\
             set(LLVM_ENABLE_ASSERTIONS OFF)\nset(LLVM_ENABLE_ZLIB 1)\nif(LLVM_ENABLE_ZLIB)\n  set(ZLIB_ROOT )\n  \
             find_package(ZLIB)\nendif()\nset(LLVM_ENABLE_HTTPLIB OFF)\nif(LLVM_ENABLE_HTTPLIB)\n  \
             find_package(httplib)\nendif()\n",
        );
        assert_eq!(facts.version, Some(LlvmVersion::new(19, 1, 7)));
        assert_eq!(facts.rtti, Some(true));
        assert_eq!(facts.assertions, Some(false));
        assert_eq!(facts.packages, ["ZLIB"]);
    }

    #[test]
    fn a_version_file_alone_is_enough() {
        assert_eq!(parse("set(PACKAGE_VERSION \"14.0.6\")").version, Some(LlvmVersion::new(14, 0, 6)));
        assert_eq!(parse("set(PACKAGE_VERSION \"20.0.0git\")").version.map(|v| v.suffix), Some("git".to_owned()));
        assert!(parse("nothing").version.is_none());
    }
}

//! What a shared libLLVM is called on each platform, also after it was put into a wheel.

use serde::{Deserialize, Serialize};

/// A file or needed name that means "all of LLVM in one shared library", taken apart.
///
/// Names that begin alike but are one component (`libLLVMSupport.so`), a plugin (`LLVMgold.so`), another project's
/// (`libLLVMSPIRVLib.so.19.1`) or an import library (`libLLVM-19.dll.a`) are not recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlvmName {
    /// The release series, where the name says it.
    pub major: Option<u32>,
    /// The minor number, where the name says it. LLVM's first release since 18 is `.1`.
    pub minor: Option<u32>,
    /// The bug-fix number, where the name says it.
    pub patch: Option<u32>,
    /// What follows the version: `-rc2`, `git`, `-rust-1.83.0-stable`; empty for a release.
    pub rest: String,
    /// What a repair tool put into the name to make it unique.
    pub grafted_hash: Option<String>,
    /// The C API only: `LLVM-C.dll`, `libLLVM-C.dylib`.
    pub c_api_only: bool,
}

/// Repair tools take 8 hexadecimal digits (auditwheel) or 32 (delvewheel) of a SHA-256; no version of LLVM has that
/// many digits, which is what tells `libLLVM-12345678.so.19.1` from `libLLVM-19.so`.
const SHORTEST_HASH: usize = 8;

/// Takes the name of a file or of a needed library apart; `None` if it is not libLLVM. Folders before the name
/// (`@rpath/libLLVM.dylib`) are ignored.
///
/// The names are those of LLVM's `llvm/tools/llvm-shlib/CMakeLists.txt` and `AddLLVM.cmake` from 3.x to 22, of
/// Debian's and conda-forge's recipes, and what auditwheel and delvewheel make of them.
pub fn recognise(name: &str) -> Option<LlvmName> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = name.strip_prefix("lib").unwrap_or(name);
    if let Some(stem) = strip_ignoring_case(stem, ".dll") {
        let (llvm, rest) = stem.split_at_checked("LLVM".len())?;
        // `LLVM.dll` without anything before or behind is nobody's name for it.
        let named = !rest.is_empty() || name.starts_with("lib");
        return (llvm.eq_ignore_ascii_case("LLVM") && named).then(|| name_part(rest, ""))?;
    }
    let rest = stem.strip_prefix("LLVM")?;
    if !name.starts_with("lib") {
        return None;
    }
    if let Some(inner) = rest.strip_suffix(".dylib") {
        // conda-forge puts the version behind a dot: libLLVM.19.1.dylib.
        return match inner.split_once('.') {
            Some((before, version)) if before.is_empty() || before.starts_with('-') => name_part(before, version),
            Some(_) => None,
            None => name_part(inner, ""),
        };
    }
    let (before, after) = match rest.split_once(".so") {
        Some((before, after)) if after.is_empty() || after.starts_with('.') => (before, after.trim_start_matches('.')),
        _ => return None,
    };
    // `libLLVM-14.so.1` and `libLLVM.so.1`: the number is Debian's count of ABI breaks, not LLVM's version.
    let after = if after.contains(|c: char| c == '.' || c == '-' || c.is_ascii_alphabetic()) { after } else { "" };
    name_part(before, after)
}

/// Windows does not mind case, and some import tables are in capitals.
fn strip_ignoring_case<'a>(name: &'a str, extension: &str) -> Option<&'a str> {
    let (stem, end) = name.split_at_checked(name.len().checked_sub(extension.len())?)?;
    end.eq_ignore_ascii_case(extension).then_some(stem)
}

/// `before` is what stands between `LLVM` and the first dot of the extension (``, `-19`, `-C`, `-14.0.6`,
/// `-e7f2b360`, `-19-e7f2b360`), `after` is the version that the extension carries, or nothing.
fn name_part(before: &str, after: &str) -> Option<LlvmName> {
    let mut name = LlvmName::default();
    if !before.is_empty() && !before.starts_with('-') {
        return None;
    }
    let mut version = String::new();
    for part in before.split('-').skip(1) {
        // auditwheel cuts at the first dot: libLLVM-14.0.6.so.1 becomes libLLVM-14-1a2b3c4d.0.6.so.1.
        let (first, tail) = part.split_once('.').map_or((part, ""), |(first, tail)| (first, tail));
        if is_hash(first) && name.grafted_hash.is_none() && name.rest.is_empty() {
            name.grafted_hash = Some(first.to_owned());
            if !tail.is_empty() {
                version.push('.');
                version.push_str(tail);
            }
        } else if part.eq_ignore_ascii_case("C") && version.is_empty() && !name.c_api_only {
            name.c_api_only = true;
        } else if version.is_empty() && name.rest.is_empty() && part.starts_with(|c: char| c.is_ascii_digit()) {
            part.clone_into(&mut version);
        } else if version.is_empty() {
            return None;
        } else {
            name.rest.push('-');
            name.rest.push_str(part);
        }
    }
    if version.is_empty() {
        after.clone_into(&mut version);
    }
    if version.is_empty() {
        return Some(name);
    }
    let numeric = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let (numbers, suffix) = version.split_at(numeric);
    let mut numbers = numbers.trim_end_matches('.').split('.').map(|number| number.parse().ok());
    name.major = Some(numbers.next().flatten()?);
    name.minor = numbers.next().flatten();
    name.patch = numbers.next().flatten();
    name.rest.insert_str(0, suffix);
    Some(name)
}

fn is_hash(part: &str) -> bool {
    part.len() >= SHORTEST_HASH && part.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (name, major, minor, patch, rest, hash, C API only)
    type Row = (&'static str, Option<u32>, Option<u32>, Option<u32>, &'static str, Option<&'static str>, bool);

    const NAMES: &[Row] = &[
        // Linux, upstream up to 17
        ("libLLVM-14.so", Some(14), None, None, "", None, false),
        ("libLLVM-14.0.6.so", Some(14), Some(0), Some(6), "", None, false),
        ("libLLVM.so", None, None, None, "", None, false),
        // Debian up to 14
        ("libLLVM-14.so.1", Some(14), None, None, "", None, false),
        ("libLLVM-14.0.6.so.1", Some(14), Some(0), Some(6), "", None, false),
        // Linux from 18.1
        ("libLLVM.so.19.1", Some(19), Some(1), None, "", None, false),
        ("libLLVM-19.so", Some(19), None, None, "", None, false),
        ("libLLVM.so.1", None, None, None, "", None, false),
        // suffixes
        ("libLLVM.so.19.1-rc2", Some(19), Some(1), None, "-rc2", None, false),
        ("libLLVM-17git.so", Some(17), None, None, "git", None, false),
        ("libLLVM.so.20.0git", Some(20), Some(0), None, "git", None, false),
        ("libLLVM-17-rust-1.75.0-stable.so", Some(17), None, None, "-rust-1.75.0-stable", None, false),
        ("libLLVM.so.19.1-rust-1.83.0-stable", Some(19), Some(1), None, "-rust-1.83.0-stable", None, false),
        // macOS
        ("libLLVM.dylib", None, None, None, "", None, false),
        ("@rpath/libLLVM.dylib", None, None, None, "", None, false),
        ("libLLVM-19.dylib", Some(19), None, None, "", None, false),
        ("libLLVM-C.dylib", None, None, None, "", None, true),
        ("libLLVM.19.1.dylib", Some(19), Some(1), None, "", None, false),
        // Windows
        ("libLLVM-19.dll", Some(19), None, None, "", None, false),
        ("LLVM-C.dll", None, None, None, "", None, true),
        ("llvm-c.DLL", None, None, None, "", None, true),
        // grafted
        ("libLLVM-e7f2b360.so.19.1", Some(19), Some(1), None, "", Some("e7f2b360"), false),
        ("libLLVM-8db1eca6.so.20.1", Some(20), Some(1), None, "", Some("8db1eca6"), false),
        ("libLLVM-12345678.so.19.1", Some(19), Some(1), None, "", Some("12345678"), false),
        ("libLLVM-14-1a2b3c4d.so.1", Some(14), None, None, "", Some("1a2b3c4d"), false),
        ("libLLVM-14-1a2b3c4d.0.6.so.1", Some(14), Some(0), Some(6), "", Some("1a2b3c4d"), false),
        ("libLLVM-19-1a2b3c4d.dll", Some(19), None, None, "", Some("1a2b3c4d"), false),
        (
            "LLVM-C-0123456789abcdef0123456789abcdef.dll",
            None,
            None,
            None,
            "",
            Some("0123456789abcdef0123456789abcdef"),
            true,
        ),
        ("libLLVM-1a2b3c4d.dylib", None, None, None, "", Some("1a2b3c4d"), false),
    ];

    #[test]
    fn every_name_is_recognised() {
        for (name, major, minor, patch, rest, hash, c_api_only) in NAMES {
            let expected = LlvmName {
                major: *major,
                minor: *minor,
                patch: *patch,
                rest: (*rest).to_owned(),
                grafted_hash: hash.map(str::to_owned),
                c_api_only: *c_api_only,
            };
            assert_eq!(recognise(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        for name in [
            "",
            "libLLVM",
            "libLLVM.a",
            "libLLVMSupport.a",
            "libLLVMSupport.so.19.1",
            "libLLVMSPIRVLib.so.19.1",
            "LLVMgold.so",
            "LLVMPolly.so",
            "LLVM.dll",
            "LLVM-C.lib",
            "libLLVM-19.dll.a",
            "libLLVM-foo.so",
            "libLLVMCore.dylib",
            "libclang-cpp.so.19.1",
            "libLLVM.sod",
            "xlibLLVM.so",
            "libLLVM-.so",
        ] {
            assert_eq!(recognise(name), None, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(text in "(lib)?LLVM[-.a-zA-Z0-9é]{0,20}(\\.so|\\.dll|\\.dylib)?[.0-9é]{0,4}") {
            let _ = recognise(&text);
        }
    }
}

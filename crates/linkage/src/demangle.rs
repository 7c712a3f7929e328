//! Names for people.

use cpp_demangle::{DemangleOptions, ParseOptions, Symbol};
use std::borrow::Cow;
use std::fmt::{self, Write};

/// The longest mangled name that is taken apart, and the longest result: beyond that nobody reads it.
const LONGEST: usize = 4096;

/// Deep enough for LLVM's and Boost's own names, shallow enough for a thread's stack.
const DEPTH: u32 = 96;

/// The name as its language writes it (Itanium C++, Rust), or as it is if it is no mangled name, is longer than
/// 4096 bytes, or would become longer.
pub fn demangle(name: &str) -> Cow<'_, str> {
    if name.len() > LONGEST {
        return Cow::Borrowed(name);
    }
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        // The alternate form leaves the hash out.
        let mut text = Bounded(String::new());
        if write!(text, "{rust:#}").is_ok() && !text.0.contains("{recursion limit reached}") {
            return Cow::Owned(text.0);
        }
        return Cow::Borrowed(name);
    }
    if !name.starts_with("_Z") && !name.starts_with("__Z") {
        return Cow::Borrowed(name);
    }
    let parse = ParseOptions::default().recursion_limit(DEPTH);
    let options = DemangleOptions::new().recursion_limit(DEPTH);
    let Ok(symbol) = Symbol::new_with_options(name, &parse) else { return Cow::Borrowed(name) };
    let mut text = Bounded(String::new());
    match symbol.structured_demangle(&mut text, &options) {
        Ok(()) if !text.0.is_empty() => Cow::Owned(text.0),
        _ => Cow::Borrowed(name),
    }
}

/// Text that refuses to grow beyond [`LONGEST`]: substitutions can make a short name exponentially long.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::demangle;

    #[test]
    fn names() {
        for (name, expected) in [
            ("_Z3fooi", "foo(int)"),
            ("_ZN4llvm5Value7setNameERKNS_5TwineE", "llvm::Value::setName(llvm::Twine const&)"),
            ("_ZTVN4llvm6ModuleE", "{vtable(llvm::Module)}"),
            ("_RNvC6_123foo3bar", "123foo::bar"),
            ("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"),
            ("PyList_New", "PyList_New"),
            ("_Z", "_Z"),
            ("", ""),
            ("_ZZZZZZ", "_ZZZZZZ"),
        ] {
            assert_eq!(demangle(name), expected, "{name}");
        }
    }

    #[test]
    fn hostile_names_stay_small() {
        let mut names = vec![
            format!("_Z{}", "N".repeat(4000)),
            format!("_Z3foo{}i", "P".repeat(4000)),
            format!("_Z3foo{}", "I".repeat(4000)),
            format!("_Z3foo{}", "F".repeat(2000)),
            format!("_Z1{}", "f".repeat(1 << 20)),
            format!("_R{}", "NvC".repeat(1300)),
            format!("_RNvM{}", "RR".repeat(1900)),
        ];
        // Each level doubles the text: S_, S0_ … refer to all of what was before.
        let doubling: String = (0..40)
            .map(|level| format!("S{}_S{}_E1{}I", (b'0' + level % 10) as char, (b'0' + level % 10) as char, 'a'))
            .collect();
        names.push(format!("_Z1aI{doubling}"));
        for name in names {
            assert!(demangle(&name).len() <= name.len().max(4096), "{}", name.len());
        }
    }
}

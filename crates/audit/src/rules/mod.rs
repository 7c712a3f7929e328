//! The rules: their codes, severities and pages. The C sources of the examples are those that the tests build and judge.

mod archive;
mod linkage;
mod names;
mod python;

pub use archive::{FOREIGN_EXTENSION, ODD_MEMBER, UNREADABLE_MEMBER, UNREADABLE_WHEEL, UNSAFE_MEMBER, WHEEL_NAME};
pub use linkage::{EXPORTED_SURFACE, LINKS_LIBPYTHON, TWO_LLVM, UNIQUE_SYMBOLS, UNREADABLE_BINARY};
pub use names::{
    INTERNAL_SYMBOL, MACRO_ONLY, MISSING_SYMBOL, NEEDS_BUGFIX_RELEASE, PRIVATE_SYMBOL, PRIVATE_THROUGH_MACRO,
    REMOVED_LATER, UNSTABLE_SYMBOL,
};
pub use python::{ABI3_NEWER_THAN_TAG, ABI3_VIOLATION, INIT_FUNCTION, RUNTIME_NAMED, UNDERSCORE_EXPORT};

use diagnostics::Rule;

/// Every rule of this crate.
pub const RULES: &[&Rule] = &[
    &MISSING_SYMBOL,
    &NEEDS_BUGFIX_RELEASE,
    &MACRO_ONLY,
    &REMOVED_LATER,
    &INTERNAL_SYMBOL,
    &PRIVATE_SYMBOL,
    &PRIVATE_THROUGH_MACRO,
    &UNSTABLE_SYMBOL,
    &ABI3_VIOLATION,
    &ABI3_NEWER_THAN_TAG,
    &RUNTIME_NAMED,
    &UNDERSCORE_EXPORT,
    &INIT_FUNCTION,
    &LINKS_LIBPYTHON,
    &EXPORTED_SURFACE,
    &UNIQUE_SYMBOLS,
    &UNREADABLE_BINARY,
    &UNREADABLE_WHEEL,
    &UNREADABLE_MEMBER,
    &UNSAFE_MEMBER,
    &ODD_MEMBER,
    &WHEEL_NAME,
    &FOREIGN_EXTENSION,
    &TWO_LLVM,
];

/// The example of a rule is the source of its fixture.
macro_rules! source {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/symbols/src/", $name))
    };
}
use source;

#[cfg(test)]
mod tests {
    use super::RULES;
    use diagnostics::{Registry, RegistryFault};

    #[test]
    fn codes_and_names_are_unique_and_every_page_is_whole() {
        let none: [RegistryFault; 0] = [];
        assert_eq!(Registry::new([RULES]).faults(), none);
    }
}

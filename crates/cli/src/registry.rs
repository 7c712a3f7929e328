//! Every rule of every crate, in one place.

use diagnostics::{Registry, Rule};
use std::sync::LazyLock;

/// The rules, by the crate that owns them.
pub static FAMILIES: &[&[&Rule]] =
    &[audit::RULES, audit::proof::RULES, build::RULES, repair::RULES, verify::RULES, diagnostics::RULES];

/// All of them.
pub static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(FAMILIES));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_every_page_is_whole() {
        assert_eq!(REGISTRY.faults(), []);
    }
}

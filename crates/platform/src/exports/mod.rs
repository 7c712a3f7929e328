//! System exports: the symbols that the systems' own libraries give, as far as lists of them are to be had.
//!
//! The lists answer one question of the import proof: a symbol that no library of the wheel defines, does the system?
//! What a list has is proven. What it lacks is only as good as the list, so each says which libraries it
//! knows and how far: a library it does not know is assumed to give what is asked of it, never refuted.
//!
//! The files under `data/` are compressed; each is unpacked when first asked for, and within it each library.

mod glibc;
mod gnu;
mod macos;
mod musl;
mod packed;
mod windows;

pub use glibc::{Glibc, SymbolKind, Version, Versions, glibc};
pub use gnu::{Gnu, gnu};
pub use macos::{MacExport, MacOs, macos};
pub use musl::{Musl, musl};
pub use windows::{Wanted, Windows, windows};

/// The major and minor number that a list names as its newest; (0, 0) where it is none.
fn release(text: &str) -> crate::platform_tag::MajorMinor {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

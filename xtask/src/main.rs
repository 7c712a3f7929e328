//! The entry of `cargo xtask`.
fn main() {}

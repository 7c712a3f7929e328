//! Opens a wheel, binary or folder once; the rules on what is inside.
#![deny(unsafe_code)]

pub mod rules;

pub use rules::RULES;

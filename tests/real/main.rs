//! Real builds with the real tools: what a user meets when all goes well, and when it does not.
//!
//! Every run is looked at afterwards, whatever it is about: no process of it is left, no half file, and nothing of the
//! user's was changed.
#![allow(clippy::unwrap_used, clippy::expect_used)] // the test fails where it is unwrapped

#[cfg(target_os = "linux")]
mod linux {
    mod backends;
    mod build;
    mod cache;
    mod disk;
    mod interrupt;
    mod minijit;
    mod network;
    mod output;
    mod places;
    mod repair;
    mod side_by_side;
    #[path = "../support/mod.rs"]
    mod support;
    mod verify;
}

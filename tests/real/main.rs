//! Real builds with the real tools.

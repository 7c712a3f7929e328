//! Dependency closure, scopes and symbol resolution against providers that are handed in.

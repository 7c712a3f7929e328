//! Repairing a wheel so that it carries the libraries it needs.

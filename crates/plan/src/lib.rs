//! Settings and the Plan: every build, every step, and why something will not run.

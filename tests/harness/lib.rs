//! What the tests of this package share: running the program, finding tools, saying what was skipped.

//! The real import of a wheel in a fresh environment.

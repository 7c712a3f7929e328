//! PEP 517 builds: from a project's sources to one wheel.

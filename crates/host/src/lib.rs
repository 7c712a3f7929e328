//! What this machine has: interpreters, tools, package managers.

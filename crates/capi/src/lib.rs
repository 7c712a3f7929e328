//! CPython's C API as binaries see it: which name which Python exports on which platform.

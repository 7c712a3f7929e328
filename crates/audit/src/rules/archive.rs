//! Rules on the wheel as an archive, as far as it hinders or endangers who reads it.

use diagnostics::{Rule, Severity};

/// A wheel that is no archive.
pub static UNREADABLE_WHEEL: Rule = Rule {
    code: "WH321",
    name: "unreadable-wheel",
    severity: Severity::Error,
    summary: "a file named .whl that is no zip archive",
    why: "Nothing can be installed from it. A build that failed half-way leaves such files, and so does a download that answered \
          with a web page.",
    fix: "Remove it and build or fetch it again.",
    example: "<html><body>404 Not Found</body></html>",
};

/// A member whose bytes cannot be had.
pub static UNREADABLE_MEMBER: Rule = Rule {
    code: "WH322",
    name: "unreadable-member",
    severity: Severity::Error,
    summary: "a member of the wheel whose bytes cannot be had",
    why: "Its data are damaged, cut off, encrypted, packed by a method that installers lack, overlap another member, or would inflate \
          out of all proportion (a zip bomb). Installing the wheel fails, or is not safe to try. The other members were judged.",
    fix: "Build the wheel again with a current build backend. If it was fine when it was built, compare its SHA-256 with the \
          index's.",
    example: "member `pkg/_core.so`: its checksum is 5f1a0c22, 00000000 was claimed",
};

/// A member that is a danger to who installs it.
pub static UNSAFE_MEMBER: Rule = Rule {
    code: "WH323",
    name: "unsafe-member",
    severity: Severity::Error,
    summary: "an archive that installers read differently or would write outside their folder",
    why: "Names that are absolute or contain `..` aim at files outside of site-packages; two members of one name, a local header that \
          contradicts the directory, or a second directory mean that two installers unpack two different wheels, so that what \
          was checked is not what is installed. Package indexes refuse such files.",
    fix: "Build the wheel with a current build backend; do not assemble it with general zip tools.",
    example: "pkg/../../evil.py",
};

/// A member that no wheel should have.
pub static ODD_MEMBER: Rule = Rule {
    code: "WH324",
    name: "odd-member",
    severity: Severity::Warning,
    summary: "an archive with something that no wheel should have",
    why: "Bytes before the first member or between members, names with `.` components, folders with data: installers cope with them, \
          checkers and indexes may not.",
    fix: "Build the wheel with a current build backend.",
    example: "pkg/./module.py",
};

/// A file name that is no wheel's.
pub static WHEEL_NAME: Rule = Rule {
    code: "WH325",
    name: "wheel-name",
    severity: Severity::Warning,
    summary: "a wheel whose file name cannot be read",
    why: "Installers take the tags from the file name alone (PEP 427) and refuse a file whose name has none. Here the tags were taken \
          from the file WHEEL, or, without it, from the extensions' own names.",
    fix: "Give it the name back that its build backend gave it: `name-version-python-abi-platform.whl`.",
    example: "demo.whl",
};

/// An extension that no Python taking the wheel imports.
pub static FOREIGN_EXTENSION: Rule = Rule {
    code: "WH326",
    name: "foreign-extension",
    severity: Severity::Warning,
    summary: "an extension module for a Python that the wheel's tags do not name",
    why: "Python imports extension modules by the suffix of their file name. `_core.cpython-312-….so` in a wheel for cp313 is never \
          found by 3.13: the import fails or falls back to something slower, and the file is dead weight. Usual reason: a build \
          folder that was not cleaned between versions. In a wheel tagged `abi3` such a file works on its one version only.",
    fix: "Build each wheel from a clean folder. For the stable ABI the suffix is `.abi3.so` (`.pyd` on Windows).",
    example: "demo-1.0-cp313-cp313-win_amd64.whl: demo/_core.cp312-win_amd64.pyd",
};

//! Binding frameworks: whose generated or compiled-in code brings names that their users never wrote.

use std::fmt;

/// A framework that makes Python extensions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Framework {
    /// Generates C.
    Cython,
    /// A C++ library, compiled in.
    Nanobind,
    /// C++ headers, compiled in.
    Pybind11,
    /// A Rust library, compiled in.
    PyO3,
    /// Generates C.
    Mypyc,
    /// Generates C around `_cffi_backend`.
    Cffi,
    /// numpy's generator of C for Fortran.
    F2py,
}

/// A sign that a framework made a binary; one suffices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Marker {
    /// A symbol, imported, exported or local, that starts so.
    SymbolPrefix(&'static str),
    /// A symbol that contains this (a C++ or Rust namespace in a mangled name).
    SymbolContains(&'static str),
    /// Bytes anywhere in allocated read-only data; stays in a stripped binary.
    Text(&'static str),
}

impl Framework {
    /// Every framework, in order.
    pub const ALL: [Self; 7] =
        [Self::Cython, Self::Nanobind, Self::Pybind11, Self::PyO3, Self::Mypyc, Self::Cffi, Self::F2py];

    /// How to recognise what it made. Seen in modules made by Cython 3.3, nanobind 3.1, pybind11 3.1, PyO3 0.29-0.30,
    /// mypyc 2.4, cffi 2.1 and numpy 2.5, each of them stripped.
    pub const fn markers(self) -> &'static [Marker] {
        use Marker::{SymbolContains, SymbolPrefix, Text};
        match self {
            Self::Cython => &[Text("cython_runtime"), Text("__pyx_capi__"), SymbolPrefix("__pyx_")],
            Self::Nanobind => &[Text("nanobind::detail::"), SymbolContains("8nanobind")],
            Self::Pybind11 => &[Text("__pybind11_"), Text("pybind11::"), SymbolContains("8pybind11")],
            Self::PyO3 => &[Text("pyo3_runtime.PanicException"), SymbolContains("4pyo3")],
            Self::Mypyc => &[Text("__mypyc"), SymbolPrefix("CPyArg_"), SymbolPrefix("CPyDef_")],
            Self::Cffi => &[Text("_cffi_backend"), SymbolPrefix("_cffi_f_")],
            Self::F2py => &[Text("f2py:fortranobject.c"), Text("__f2py_numpy_version__"), SymbolPrefix("f2py_")],
        }
    }

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cython => "Cython",
            Self::Nanobind => "nanobind",
            Self::Pybind11 => "pybind11",
            Self::PyO3 => "PyO3",
            Self::Mypyc => "mypyc",
            Self::Cffi => "cffi",
            Self::F2py => "f2py",
        })
    }
}

/// A set of frameworks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Frameworks(pub(crate) u8);

impl Frameworks {
    /// Whether `framework` is in the set.
    pub const fn contains(self, framework: Framework) -> bool {
        self.0 & framework.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The frameworks of the set, in the order of [`Framework::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Framework> {
        Framework::ALL.into_iter().filter(move |&framework| self.contains(framework))
    }
}

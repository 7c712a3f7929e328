//! The smallest extension module that maturin builds: `rusty.add(2, 0.5)`.

use pyo3_ffi::*;
use std::ptr::{addr_of_mut, null_mut};

unsafe extern "C" fn add(_module: *mut PyObject, arguments: *mut *mut PyObject, count: Py_ssize_t) -> *mut PyObject {
    if count != 2 {
        PyErr_SetString(PyExc_TypeError, c"add() takes two numbers".as_ptr());
        return null_mut();
    }
    let (a, b) = (PyFloat_AsDouble(*arguments), PyFloat_AsDouble(*arguments.add(1)));
    if PyErr_Occurred().is_null() { PyFloat_FromDouble(a + b) } else { null_mut() }
}

static mut METHODS: [PyMethodDef; 2] = [
    PyMethodDef {
        ml_name: c"add".as_ptr(),
        ml_meth: PyMethodDefPointer { PyCFunctionFast: add },
        ml_flags: METH_FASTCALL,
        ml_doc: c"The sum of two numbers.".as_ptr(),
    },
    PyMethodDef::zeroed(),
];

static mut MODULE: PyModuleDef = PyModuleDef {
    m_base: PyModuleDef_HEAD_INIT,
    m_name: c"rusty".as_ptr(),
    m_doc: c"Adds two numbers.".as_ptr(),
    m_size: 0,
    m_methods: addr_of_mut!(METHODS).cast(),
    m_slots: null_mut(),
    m_traverse: None,
    m_clear: None,
    m_free: None,
};

/// What the interpreter calls at import.
///
/// # Safety
/// The interpreter's lock is held.
#[no_mangle]
pub unsafe extern "C" fn PyInit_rusty() -> *mut PyObject {
    PyModule_Create(addr_of_mut!(MODULE))
}

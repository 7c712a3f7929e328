#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifdef PLAIN_BROKEN
#error "this line is wrong on purpose"
#endif

#ifdef PLAIN_UNDEFINED
/* Linked without complaint, found by nobody at import. */
extern int defined_nowhere(void);
#endif

#ifdef PLAIN_NEWER_LIBC
/* GLIBC_2.25: more than manylinux_2_17 promises. */
#include <sys/random.h>
#endif

static PyObject *add(PyObject *module, PyObject *arguments)
{
    double a, b;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "dd", &a, &b))
        return NULL;
#ifdef PLAIN_NEWER_LIBC
    char noise;
    if (getrandom(&noise, 1, 0) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
#endif
#ifdef PLAIN_UNDEFINED
    a += defined_nowhere();
#endif
    return PyFloat_FromDouble(a + b);
}

static PyMethodDef methods[] = {
    {"add", add, METH_VARARGS, "The sum of two numbers."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_core", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__core(void)
{
#ifdef PLAIN_CRASH
    *(volatile int *)0 = 0;
#endif
    return PyModule_Create(&definition);
}

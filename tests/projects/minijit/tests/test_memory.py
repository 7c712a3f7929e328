"""Compiled code is freed with its function."""

import gc
import sys
import weakref

import pytest

import minijit


def resident() -> int:
    """Bytes of memory this process has in use; its peak where the system tells no more."""
    try:
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
    except FileNotFoundError:
        resource = pytest.importorskip("resource")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    import os

    return pages * os.sysconf("SC_PAGE_SIZE")


def compile_and_call(i: int) -> minijit.Function:
    f = minijit.compile(f"x*{i} + 1/(x - {i})", ["x"])
    assert f(i + 1.0) == (i + 1.0) * i + 1.0
    return f


def test_thousands_of_functions_do_not_leak():
    count = 2000
    for i in range(200):
        compile_and_call(i)
    gc.collect()
    before = resident()
    for i in range(count):
        compile_and_call(i)
    gc.collect()
    grown = resident() - before
    # Code takes whole pages: a leak of it alone would be three times as much, and of an LLVM context far more.
    assert grown < count * 4096 / 3, f"{grown / count:.0f} bytes for each function"


def test_errors_do_not_leak():
    def fail():
        with pytest.raises(minijit.ExpressionError):
            minijit.compile("x + y" * 100, ["x"])

    for _ in range(500):
        fail()
    gc.collect()
    before = resident()
    for _ in range(5000):
        fail()
    gc.collect()
    assert resident() - before < 2_000_000


def test_functions_that_are_kept_keep_working():
    functions = [compile_and_call(i) for i in range(200)]
    for i in range(0, 200, 2):
        functions[i] = None
    gc.collect()
    again = [compile_and_call(i) for i in range(100)]
    for i in range(1, 200, 2):
        assert functions[i](i + 1.0) == (i + 1.0) * i + 1.0
    assert again[99](100.0) == 9901.0


def test_a_function_goes_with_its_last_reference():
    f = minijit.compile("1")
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None

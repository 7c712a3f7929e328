"""Any number of threads compile, run and drop functions at once."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import minijit

THREADS = 8


def test_threads_compile_run_and_drop():
    barrier = threading.Barrier(THREADS)

    def work(seed: int) -> int:
        barrier.wait()
        right = 0
        for i in range(40):
            n = seed * 1000 + i
            f = minijit.compile(f"sin(x)*0 + x*{n} + y", ["x", "y"])
            right += f(2.0, 1.0) == 2 * n + 1
            if i % 10 == 0:
                right += "minijit_evaluate" in f.ir
                with pytest.raises(minijit.ExpressionError, match="column 3"):
                    minijit.compile("x ?", ["x"])
        return right

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(THREADS))) == [44] * THREADS


def test_threads_share_a_function():
    f = minijit.compile("x*x if x > 0 else -x", ["x"])

    def work(seed: int) -> bool:
        return all(f(float(i)) == i * i and f(-float(i)) == i for i in range(seed + 1, 5000))

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(work, range(THREADS)))


def test_a_thread_frees_what_another_made():
    functions = [minijit.compile(f"x + {i}", ["x"]) for i in range(100)]
    worker = threading.Thread(target=functions.clear)
    worker.start()
    worker.join()
    assert minijit.compile("x + 1", ["x"])(1) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_compiles_and_runs():
    f = minijit.compile("x + 1", ["x"])
    child = os.fork()
    if child == 0:
        os._exit(0 if f(1.0) == 2.0 and minijit.compile("x * 3", ["x"])(2.0) == 6.0 else 1)
    assert os.waitpid(child, 0)[1] == 0

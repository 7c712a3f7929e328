"""NumPy arrays: the same numbers as one call each, with NumPy's broadcasting."""

import sys
import threading

import pytest

import minijit

np = pytest.importorskip("numpy")


@pytest.fixture
def f():
    return minijit.compile("sqrt(x*x + y) + (x if x < y else 2*y)", ["x", "y"])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 100, 1001])
def test_every_element_is_what_a_call_gives(f, size):
    rng = np.random.default_rng(size)
    x, y = rng.uniform(-5, 5, size), rng.uniform(26, 30, size)
    got = f(x, y)
    assert (type(got), got.dtype, got.shape) == (np.ndarray, np.float64, (size,))
    assert got.tolist() == [f(a, b) for a, b in zip(x, y)]


@pytest.mark.parametrize("expression", ["sin(x)", "cos(x)+sin(x)", "exp(x)", "log(x)", "x**y", "x**2", "2**x", "min(x,y,1)", "x<y", "x", "3"])
def test_every_operation_on_arrays(expression):
    g = minijit.compile(expression, ["x", "y"])
    x, y = np.linspace(0.1, 9, 37), np.linspace(5, -5, 37)
    assert g(x, y).tolist() == [g(a, b) for a, b in zip(x, y)]
    assert g(x, 2).tolist() == [g(a, 2) for a in x]
    assert g(2, y).tolist() == [g(2, b) for b in y]


SHAPES = [((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 2), (3, 1)), ((0,), ()), ((0, 3), (3,)), ((1,), (5,))]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_broadcasts_as_numpy_does(left, right):
    g = minijit.compile("10*x + y", ["x", "y"])
    x, y = np.arange(np.prod(left, dtype=int)).reshape(left), np.arange(np.prod(right, dtype=int)).reshape(right)
    for a, b in ((x, y), (y, x)):
        expected = 10.0 * a + b
        got = g(a, b)
        assert got.shape == expected.shape
        assert (got == expected).all()


def test_shapes_that_do_not_fit(f):
    with pytest.raises(ValueError, match="shape"):
        f(np.zeros(2), np.zeros(3))


VIEWS = {
    "reversed": lambda a: a[::-1],
    "every other": lambda a: a[::2],
    "transposed": lambda a: a.reshape(3, 4).T,
    "read-only": lambda a: np.broadcast_to(a, a.shape),
    "repeated": lambda a: np.broadcast_to(a[:1], (12,)),
    "float32": lambda a: a.astype(np.float32),
    "int64": lambda a: a.astype(np.int64),
    "bool": lambda a: a > 3,
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "unaligned": lambda a: np.frombuffer(b"_" + a.tobytes(), np.uint8)[1:].view(a.dtype),
    "subclass": lambda a: a.view(type("Subclass", (np.ndarray,), {})),
    "list": lambda a: a.tolist(),
    "memoryview": lambda a: memoryview(a),
}


@pytest.mark.parametrize("kind", VIEWS)
def test_any_array_will_do(kind):
    view = VIEWS[kind](np.arange(12.0))
    got = minijit.compile("x + 0.5", ["x"])(view)
    assert (got == np.asarray(view).astype(np.float64) + 0.5).all()


def test_arguments_are_left_alone(f):
    x, y = np.arange(8.0), np.ones(8)
    result = f(x, y)
    assert x.tolist() == list(range(8)) and y.tolist() == [1.0] * 8
    assert not np.shares_memory(result, x)
    assert result.flags.owndata and result.flags.writeable


@pytest.mark.parametrize("number", [np.float64(3), np.float32(3), np.int8(3), np.array(3), np.array(3.0, dtype=">f4")])
def test_without_dimensions_it_is_a_float(number):
    got = minijit.compile("x*y", ["x", "y"])(number, 2)
    assert type(got) is float and got == 6.0


@pytest.mark.parametrize("bad", [np.array([1j]), np.array(["a"]), np.array([None]), [1, "a"], [None]])
def test_what_is_no_real_number_is_a_type_error(bad):
    with pytest.raises(TypeError):
        minijit.compile("x", ["x"])(bad)


def test_other_threads_run_while_arrays_are_computed():
    g = minijit.compile("+".join(f"sin(x*{i})" for i in range(20)), ["x"])
    x = np.linspace(0, 1, 400_000)
    started, finished = threading.Event(), threading.Event()

    def work():
        started.set()
        g(x)
        finished.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # nobody loses the GIL without giving it up
    try:
        worker = threading.Thread(target=work)
        worker.start()
        started.wait()
        overlapped = not finished.is_set()
        worker.join()
    finally:
        sys.setswitchinterval(interval)
    assert overlapped


def test_without_numpy_an_array_is_a_type_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    g = minijit.compile("x", ["x"])
    assert g(1.0) == 1.0
    with pytest.raises(TypeError, match="arrays need NumPy"):
        g([1.0])

"""What an expression means: the same as in Python, except where IEEE arithmetic goes on and Python raises."""

import math

import pytest

import minijit

NAMES = {name: getattr(math, name) for name in ("sqrt", "sin", "cos", "exp", "log")}
NAMES.update(pow=pow, min=min, max=max)

POINTS = [(0.5, 2.0), (-1.25, 3.0), (3.0, 3.0), (20.0, 1e-3), (-0.0, 7.0)]

# Whatever could be read in two ways stands here once.
LIKE_PYTHON = """
x
42
1_000.5e-1_0
.5
5.
0
00
1E3
+x
-x
--x
-+-x
x+y
x-y-1
x*y/2
x/y*2
x-(y-1)
x/(y/2)
x+y*2
(x+y)*2
2**3**2
-2**2
(-2)**2
2**-1
2**-x**2
-y**-2
y**2
y**0.5
y**3
y**-1
2**x
x*-y
x--y
x<y
x<=y
x>y
x>=y
x==y
x!=y
1<x<y
1<y>x
x==x==x
x<y<x<y
(x<y)<2
(x<y)*10 + (x>=y)
-(x<y)
x if x<y else y
x if x else y
x if 0 < x < y else y if x == y else -1
(x if x<y else y) + 1
1 + x if x<y else y
1 if (2 if x<y else 0) else 3
sqrt(y)
sin(x)+cos(x)
sin(x)*sin(x) + cos(x)**2
exp(-y)
log(y)
exp(log(y))
pow(y, 2)
pow(y, x if x < 10 else 1)
min(x, y)
max(x, y)
min(x, y, 0, -x)
max(x, 1, y,)
min(max(x, -1), 1)
""".strip("\n").splitlines()


@pytest.mark.parametrize("expression", LIKE_PYTHON)
def test_means_what_it_means_in_python(expression):
    f = minijit.compile(expression, ["x", "y"])
    for x, y in POINTS:
        expected = eval(expression, {**NAMES, "x": x, "y": y})
        # Not to the last bit: LLVM makes `y*y` of `y**2`.
        assert f(x, y) == pytest.approx(float(expected), rel=1e-15, abs=0.0), (x, y)


INF, NAN = math.inf, math.nan

# Where Python raises, or has no such number: as NumPy has it.
BEYOND_PYTHON = [
    ("1/x", 0.0, INF),
    ("1/x", -0.0, -INF),
    ("x/x", 0.0, NAN),
    ("x/0", -1.0, -INF),
    ("x**-1", 0.0, INF),
    ("x**0.5", -1.0, NAN),
    ("sqrt(x)", -1.0, NAN),
    ("log(x)", 0.0, -INF),
    ("log(x)", -1.0, NAN),
    ("exp(x)", 1000.0, INF),
    ("x*10", 1e308, INF),
    ("sin(x)", INF, NAN),
    ("1e999 - x", 1.0, INF),
    # as Python, but worth saying
    ("x**0", NAN, 1.0),
    ("1**x", NAN, 1.0),
    ("x == x", NAN, 0.0),
    ("x != x", NAN, 1.0),
    ("not_zero(x)", NAN, 1.0),
    ("min(x, 1)", NAN, NAN),
    ("min(1, x)", NAN, 1.0),
    ("max(x, 1)", NAN, NAN),
    ("max(1, x)", NAN, 1.0),
]


@pytest.mark.parametrize(("expression", "x", "expected"), BEYOND_PYTHON)
def test_goes_on_as_ieee_arithmetic_does(expression, x, expected):
    expression = expression.replace("not_zero(x)", "1 if x else 0")
    got = minijit.compile(expression, ["x"])(x)
    assert got == expected or (math.isnan(got) and math.isnan(expected))


@pytest.mark.parametrize("expression", ["min(x, y)", "max(x, y)"])
def test_min_and_max_keep_the_first_of_equals(expression):
    f = minijit.compile(expression, ["x", "y"])
    assert math.copysign(1, f(-0.0, 0.0)) == -1
    assert math.copysign(1, f(0.0, -0.0)) == 1


def test_space_may_be_anywhere():
    f = minijit.compile(" \n\tx\f **\r\n  y   if x<1   else(  y ) ", ["x", "y"])
    assert [f(0.5, 2), f(1, 2)] == [0.25, 2]
    assert minijit.compile("xif if xif<yelse else yelse", ["xif", "yelse"])(1, 2) == 1


def test_numbers_are_rounded_correctly():
    for text in ("0.1", "1e23", "9007199254740993", "2.2250738585072011e-308", "4.9e-324", "123456789012345678901234567890"):
        assert minijit.compile(text)() == float(text)


def test_arguments_are_whatever_float_takes():
    from fractions import Fraction

    class Index:
        def __index__(self):
            return 3

    f = minijit.compile("x / 2", ["x"])
    assert [f(1), f(True), f(Fraction(1, 2)), f(Index()), f(10**300)] == [0.5, 0.5, 0.25, 1.5, 5e299]
    assert type(f(1)) is float
    with pytest.raises(OverflowError):
        f(10**400)


@pytest.mark.parametrize("arguments", [("1",), (b"1",), (None,), (1j,), ({},), (object(),), (), (1, 2)])
def test_a_wrong_argument_is_a_type_error(arguments):
    with pytest.raises(TypeError):
        minijit.compile("x", ["x"])(*arguments)


def test_a_wrong_count_names_the_variables():
    with pytest.raises(TypeError, match=r"takes 2 arguments \(a, b\), 1 was given"):
        minijit.compile("a + b", ["a", "b"])(1)


def test_many_and_unused_variables():
    names = [f"v{i}" for i in range(50)]
    assert minijit.compile("v7 * v49", names)(*range(50)) == 7 * 49

"""A bad expression raises a ValueError that names the column."""

import pickle

import pytest

import minijit

BAD = [
    ("", 1, "expected a value, found the end"),
    ("   ", 4, "expected a value, found the end"),
    ("x +", 4, "expected a value, found the end"),
    ("x + z", 5, "unknown name `z`"),
    ("x * * y", 5, "expected a value, found `*`"),
    ("x y", 3, "expected an operator, found `y`"),
    ("x 2", 3, "expected an operator, found `2`"),
    ("2x", 2, "a number is followed by `x` without an operator between them"),
    ("1_", 2, "a number is followed by `_` without an operator between them"),
    ("1e", 2, "a number is followed by `e` without an operator between them"),
    ("0x10", 2, "a number is followed by `x` without an operator between them"),
    ("x + 007", 5, "a whole number cannot begin with a zero"),
    ("(x", 3, "expected `)`, found the end"),
    ("(x + 1 y)", 8, "expected `)`, found `y`"),
    ("x)", 2, "expected an operator, found `)`"),
    ("()", 2, "expected a value, found `)`"),
    ("(x, y)", 3, "expected `)`, found `,`"),
    ("sin", 1, "`sin` is a function and must be called"),
    ("sin(x", 6, "expected `,` or `)`, found the end"),
    ("sin()", 1, "`sin` takes 1 argument, 0 are given"),
    ("x + sin(x, y)", 5, "`sin` takes 1 argument, 2 are given"),
    ("pow(x)", 1, "`pow` takes 2 arguments, 1 is given"),
    ("min(x)", 1, "`min` takes at least 2 arguments, 1 is given"),
    ("max(,)", 5, "expected a value, found `,`"),
    ("tan(x)", 1, "unknown function `tan`"),
    ("x(1)", 1, "unknown function `x`"),
    ("x if y", 7, "expected `else`, found the end"),
    ("x if else y", 6, "expected a value, found `else`"),
    ("if x", 1, "expected a value, found `if`"),
    ("x = 1", 3, "`=` is not an operator; equality is `==`"),
    ("x // y", 3, "the operator `//` is not supported"),
    ("x % y", 3, "the operator `%` is not supported"),
    ("x and y", 3, "`and` is not supported"),
    ("lambda: x", 1, "`lambda` is not supported"),
    ("True", 1, "`True` is not supported"),
    ("x.real", 2, "unexpected character `.`"),
    ("x[0]", 2, "unexpected character `[`"),
    ("'x'", 1, "unexpected character `'`"),
    ("x \x00", 3, "unexpected character `\\x00`"),
    ("x ÷ y", 3, "unexpected character `÷`"),
    # columns count characters, whatever their size in bytes
    ("(ж)", 2, "unexpected character `ж`"),
    ("x\n+\n$", 5, "unexpected character `$`"),
]


@pytest.mark.parametrize(("expression", "column", "reason"), BAD)
def test_says_what_and_where(expression, column, reason):
    with pytest.raises(ValueError, match=rf"^column {column}: ") as caught:
        minijit.compile(expression, ["x", "y"])
    error = caught.value
    assert type(error) is minijit.ExpressionError
    assert (error.column, error.reason, error.expression) == (column, reason, expression)


def test_shows_the_place():
    with pytest.raises(minijit.ExpressionError) as caught:
        minijit.compile("1 + ÿ + x", ["x"])
    assert str(caught.value) == "column 5: unexpected character `ÿ`\n    1 + ÿ + x\n        ^"


def test_shows_a_part_of_a_long_expression():
    with pytest.raises(minijit.ExpressionError) as caught:
        minijit.compile("x+" * 1000 + "?" + "+x" * 1000, ["x"])
    _, excerpt, mark = str(caught.value).splitlines()
    assert len(excerpt) < 100
    assert excerpt[len(mark) - 1] == "?"


def test_survives_pickling():
    with pytest.raises(minijit.ExpressionError) as caught:
        minijit.compile("x +", ["x"])
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.column) == (minijit.ExpressionError, str(caught.value), 4)


# Each nests as deep as is allowed with its second number, and one deeper with the next.
NESTED = {
    "parentheses": lambda n: "(" * n + "x" + ")" * n,
    "calls": lambda n: "sin(" * n + "x" + ")" * n,
    "signs": lambda n: "-" * n + "x",
    "powers": lambda n: "x**" * n + "x",
    "else": lambda n: "x if x else " * n + "x",
    "mixed": lambda n: "-(" * (n // 2) + "x" + ")" * (n // 2) if n % 2 == 0 else "-(" * (n // 2) + "-x" + ")" * (n // 2),
}


@pytest.mark.parametrize("kind", NESTED)
def test_nesting_has_a_limit(kind):
    minijit.compile(NESTED[kind](200), ["x"])
    for depth in (201, 1_000_000):
        with pytest.raises(minijit.ExpressionError, match="nested too deeply"):
            minijit.compile(NESTED[kind](depth), ["x"])


# Long without being deep. The LLVM that is below must cope with the longest that is let through.
LONG = {
    "sum": lambda n: "+".join(["x"] * n),
    "product": lambda n: "*".join(["x"] * n),
    "chain": lambda n: "<".join(["x"] * n),
    "arguments": lambda n: f"min({','.join(['x'] * n)})",
}


@pytest.mark.parametrize("kind", LONG)
def test_size_has_a_limit(kind):
    minijit.compile(LONG[kind](3_333), ["x"])
    for size in (10_001, 1_000_000):
        with pytest.raises(minijit.ExpressionError, match="too large"):
            minijit.compile(LONG[kind](size), ["x"])


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ([""], "variable 1 is ``, which is not a name"),
        (["x", "a b"], "variable 2 is `a b`, which is not a name"),
        (["1x"], "which is not a name"),
        (["é"], "which is not a name"),
        (["x\0"], "which is not a name"),
        (["if"], "which is a keyword"),
        (["sin"], "which is the name of a function"),
        (["x", "y", "x"], "variable 3 is `x`, which is there twice"),
    ],
)
def test_a_bad_variable_is_a_value_error(variables, reason):
    with pytest.raises(ValueError, match=reason):
        minijit.compile("1", variables)


@pytest.mark.parametrize("variables", ["xy", [1], [None], 3, [b"x"]])
def test_variables_are_a_sequence_of_str(variables):
    with pytest.raises(TypeError):
        minijit.compile("1", variables)


def test_text_must_be_text():
    with pytest.raises(TypeError):
        minijit.compile(b"x", ["x"])
    with pytest.raises(ValueError):
        minijit.compile("\ud800")

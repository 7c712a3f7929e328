"""Random expressions, compared with Python's own evaluation bit by bit."""

import math
import random

import minijit

NAMES = {name: getattr(math, name) for name in ("sqrt", "sin", "cos", "exp", "log")}
NAMES.update(pow=pow, min=min, max=max)
VARIABLES = ["x", "y", "z"]
VALUES = [0.0, 1.0, -1.0, 0.5, -0.75, 2.0, 3.0, -7.25, 1e-8, 123.456]

COMPARISONS = ["<", "<=", ">", ">=", "==", "!="]


def generate(rng: random.Random, depth: int) -> str:
    """An expression with as few parentheses as chance gives it, so that precedence matters."""

    def inner() -> str:
        return generate(rng, depth - 1)

    def variable() -> str:
        return rng.choice(VARIABLES)

    if depth == 0:
        return rng.choice([variable(), variable(), variable(), str(rng.randrange(10)), f"{rng.uniform(0, 10):.3f}"])
    makers = [
        lambda: f"{inner()} {rng.choice('+-*/')} {inner()}",
        lambda: f"{inner()}{rng.choice('+-*/')}{inner()}",
        lambda: f"-{inner()}",
        lambda: f"({inner()})",
        # Variables on both sides of a power: of constant ones LLVM makes multiplications and roots, which may differ in the last bit.
        lambda: f"{variable()}**{rng.choice(['', '-'])}{variable()}",
        lambda: f"-{variable()}**{variable()}**{variable()}",
        lambda: f"pow({variable()}, {variable()})",
        lambda: f"{rng.choice(['sin', 'cos', 'sqrt', 'exp', 'log'])}({inner()})",
        lambda: f"{rng.choice(['min', 'max'])}({', '.join(inner() for _ in range(rng.randint(2, 4)))})",
        lambda: f"({inner()} {rng.choice(COMPARISONS)} {inner()})",
        lambda: f"({inner()} {rng.choice(COMPARISONS)} {inner()} {rng.choice(COMPARISONS)} {inner()})",
        lambda: f"({inner()} if {inner()} {rng.choice(COMPARISONS)} {inner()} else {inner()})",
    ]
    return rng.choice(makers)()


def test_random_expressions_evaluate_as_in_python():
    rng = random.Random(20240229)
    compared = beyond = 0
    for _ in range(400):
        expression = generate(rng, rng.randint(1, 4))
        f = minijit.compile(expression, VARIABLES)
        code = compile(expression, "<expression>", "eval")
        for _ in range(25):
            values = [rng.choice(VALUES) for _ in VARIABLES]
            try:
                expected = eval(code, {**NAMES, **dict(zip(VARIABLES, values))})
                expected = float(expected)
            except (ValueError, ZeroDivisionError, OverflowError, TypeError):
                # No real number in Python: IEEE arithmetic goes on there.
                beyond += 1
                continue
            got = f(*values)
            assert got == expected or (math.isnan(got) and math.isnan(expected)), (expression, values)
            compared += 1
    # The test must not pass because it compared next to nothing.
    assert compared > beyond, (compared, beyond)

"""What a function tells about itself, and what the package promises."""

import pickle
import subprocess
import sys

import minijit


def test_knows_what_it_was_made_of():
    f = minijit.compile("a + 2*b", ("a", "b"))
    assert f.expression == "a + 2*b"
    assert f.variables == ("a", "b")
    assert repr(f) == "minijit.compile('a + 2*b', ['a', 'b'])"
    assert eval(repr(f))(1, 2) == 5


def test_ir_is_optimised():
    ir = minijit.compile("x*(3 - 2) + 0*2*3 + sin(y)*(1 < 0)*0 if 1 else cos(y)", ["x", "y"]).ir
    assert "define double @minijit_evaluate" in ir
    assert "define void @minijit_evaluate_array" in ir
    assert "cos" not in ir, "the branch that is never taken"
    assert "fmul double %x, %x" in minijit.compile("x**2", ["x"]).ir


def test_arrays_are_vectorised_where_numbers_allow():
    assert " x double>" in minijit.compile("x*y + 1", ["x", "y"]).ir


def test_asm_is_this_machines():
    asm = minijit.compile("x + y", ["x", "y"]).asm
    assert "minijit_evaluate:" in asm
    assert asm.count("\n") > 10


def test_functions_can_be_pickled():
    f = pickle.loads(pickle.dumps(minijit.compile("x*x", ["x"])))
    assert f(3) == 9 and f.variables == ("x",)


def test_versions():
    from importlib.metadata import version

    assert minijit.__version__ == version("minijit")
    assert int(minijit.llvm_version.split(".")[0]) >= 14


def test_numpy_is_imported_only_when_needed():
    program = "import minijit, sys; minijit.compile('x', ['x'])(1.0); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_ends_quietly_with_functions_alive():
    program = "import minijit, builtins; builtins.kept = minijit.compile('x', ['x']); builtins.again = [builtins.kept]"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")

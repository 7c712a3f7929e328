"""Arithmetic expressions compiled to native code with LLVM.

>>> import minijit
>>> f = minijit.compile("x*x + 3*sin(y)", ["x", "y"])
>>> f(2.0, 0.0)
4.0
"""

from ._core import Function, __version__, compile, llvm_version
from ._errors import ExpressionError

__all__ = ["ExpressionError", "Function", "__version__", "compile", "llvm_version"]

from collections.abc import Iterable
from typing import Any, Final, final

__version__: Final[str]
llvm_version: Final[str]
"""The version of LLVM this was built with."""

@final
class Function:
    """An expression, compiled. Call it with one argument per variable."""

    def __call__(self, *arguments: Any) -> Any:
        """A float if all arguments are numbers; a new float64 array if one is an array."""

    def __getstate__(self) -> tuple[str, tuple[str, ...]]: ...
    def __setstate__(self, state: tuple[str, tuple[str, ...]], /) -> None: ...
    @property
    def expression(self) -> str:
        """The text it was compiled from."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its parameters, in order."""

    @property
    def ir(self) -> str:
        """The optimised LLVM IR."""

    @property
    def asm(self) -> str:
        """The assembly code for this machine."""

def compile(expression: str, variables: Iterable[str] = ()) -> Function:
    """Compiles an expression of the named variables to native code.

    Raises ExpressionError, a ValueError, for an expression that cannot be compiled, and ValueError for a variable that is no name, is
    reserved, or is there twice.
    """

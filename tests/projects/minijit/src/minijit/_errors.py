"""The exception for an expression that cannot be compiled."""

# How much of a long expression a message shows on each side of the place.
_WINDOW = 40


class ExpressionError(ValueError):
    """An expression that cannot be compiled, and the place where that shows.

    Attributes:
        reason: what is wrong, without the place.
        column: the place, counted in characters from 1.
        expression: the whole text.
    """

    def __init__(self, reason: str, column: int, expression: str) -> None:
        super().__init__(reason, column, expression)
        self.reason = reason
        self.column = column
        self.expression = expression

    def __str__(self) -> str:
        at = self.column - 1
        first = max(0, at - _WINDOW)
        # One column per character, whatever the character does to a terminal.
        excerpt = "".join(c if c.isprintable() else " " for c in self.expression[first : at + _WINDOW])
        return f"column {self.column}: {self.reason}\n    {excerpt}\n    {' ' * (at - first)}^"

"""Adds two numbers, natively."""

from plain._core import add

__all__ = ["add"]

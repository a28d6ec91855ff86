"""The ways to a value: fast float64 with an error bound first, Arb where that is not sharp enough."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from bounds.expression.tree import Node
from bounds.numeric import program
from bounds.numeric.code import DOUBLE, EXTENDED, FUNCTION, Precision, UnsupportedError

#: A scalar program: the rounded value, or None.
Program = Callable[..., Any]
#: A program for arrays (values, error bound, mask of bad points or None), and whether no point is ever bad.
Chunk = tuple[Callable[..., tuple[Any, Any, Any]], bool]
_EXTENDED_BITS = 63


def _never(*_: Any) -> None:
    return None


class Ways:
    """Programs for one expression with its parameters in one order, each written when it is first needed."""

    def __init__(self, tree: Node, parameters: Sequence[str], defaults: Mapping[str, float], upward: bool) -> None:
        self.tree = tree
        self.parameters = tuple(parameters)
        self.defaults = defaults
        self.upward = upward

    @cached_property
    def scalar(self) -> Program:
        """The value at one point, rounded up where the formula is an upper bound, or None."""
        return self._scalar("up" if self.upward else "near")

    @cached_property
    def pair(self) -> Program:
        """(value, relative error) at one point, or None."""
        return self._scalar("pair")

    def _scalar(self, rounding: program.Rounding) -> Program:
        try:
            return program.scalar(self.tree, self.parameters, self.defaults, rounding)
        except UnsupportedError:
            return _never

    @cached_property
    def array(self) -> Chunk | None:
        """Values, one error bound, and the mask of bad points over arrays that broadcast, or None where no such program is known."""
        return self._array(None)

    @cached_property
    def pointwise(self) -> Chunk | None:
        """:attr:`array` with an error bound for every point."""
        return self._array(DOUBLE)

    @cached_property
    def extended(self) -> Chunk | None:
        """:attr:`pointwise` for inputs in numpy's longdouble, where that has more digits than a double."""
        import numpy as np

        return self._array(EXTENDED) if np.finfo(np.longdouble).nmant >= _EXTENDED_BITS else None

    def _array(self, precision: Precision | None) -> Chunk | None:
        try:
            return program.array(self.tree, self.parameters, self.defaults, "up" if self.upward else "near", precision)
        except UnsupportedError:
            return None

    @cached_property
    def logarithms(self) -> Callable[[Sequence[Any]], tuple[Any, Any]]:
        """(logarithm, absolute error) over points, in the log domain."""
        from bounds.numeric.log_domain import logarithms

        return logarithms(self.tree, self.parameters, self.defaults)

    def at(self, arguments: Sequence[Any]) -> Any:
        """One point with array parameters, through numpy where somebody imported it already, or None."""
        if "numpy" not in sys.modules:
            return None
        from bounds.numeric.grid import one_point

        return one_point(self, arguments)

    def logarithm(self, arguments: Sequence[Any]) -> float | None:
        """The logarithm of the value at one point, rounded up where the formula is an upper bound, or None."""
        found = self.pair(*arguments)
        if found is None or not 0.0 < found[0] < math.inf:
            return None
        value, error = found
        log = math.log(value)
        return log + 1.001 * error + FUNCTION * (abs(log) + error) if self.upward else log


def decide(left: Ways, relation: str, right: Ways, arguments: Sequence[Any]) -> bool | None:
    """Whether left < right (or <=) beyond the error bounds, or None where they cannot tell."""
    first, second = left.pair(*arguments), right.pair(*arguments)
    if first is None or second is None:
        return None
    (low, low_error), (high, high_error) = first, second
    room = 2 * (abs(low) * low_error + abs(high) * high_error)
    if not room < math.inf:
        return None
    if low - high > room:
        return False
    if high - low > room:
        return True
    return relation == "<=" if room == 0 else None

"""Evaluating an expression tree in the log domain, for the points of a grid where plain floats fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Reduce, Sum, difference, names
from bounds.numeric import logs
from bounds.numeric.arrays import erf, growth_log
from bounds.numeric.code import ERF, ROUND
from bounds.numeric.logs import Log
from bounds.numeric.runtime import GROWTH_ERROR
from bounds.symbols import rank_of

_TINY = 1e-8


class _UnknownError(Exception):
    """A part that the log domain does not know."""


def evaluate(tree: Node, values: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(logarithm, bound on its absolute error) at every point; an infinite bound where it has no answer.

    Args:
        values: float arrays of one shape (P,), floats, and for array parameters arrays of their rank.
    """
    points = next((np.shape(value) for name, value in values.items() if not rank_of(name) and np.ndim(value)), ())
    with np.errstate(all="ignore"):
        try:
            result = _Walk(values).log(tree)
        except _UnknownError:
            return np.zeros(points), np.full(points, np.inf)
        error = np.where((result.sign < 0) | np.isnan(result.log) | np.isnan(result.error), np.inf, result.error)
        return np.broadcast_to(result.log, points), np.broadcast_to(error, points)


class _Walk:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        #: By identity, which is fast to look up; the node is kept so that its identity stays its own.
        self.known: dict[int, tuple[Node, Log]] = {}

    def log(self, node: Node) -> Log:
        """The node in the log domain (shared sub-trees once)."""
        if id(node) not in self.known:
            self.known[id(node)] = (node, self._log(node))
        return self.known[id(node)][1]

    def linear(self, node: Node) -> tuple[Any, Any]:
        """(value, relative error) as plain floats: exact for parameters, and for few operations on them."""
        match node:
            case Name(name):
                return self.values[name], 0.0
            case Number(value) if value is not None:
                return float(value), 0.0 if float(value) == value else ROUND
            case Product(left, right):
                (a, a_error), (b, b_error) = self.linear(left), self.linear(right)
                return a * b, np.where(_whole(a, a_error) & _whole(b, b_error) & _whole(a * b, 0.0), 0.0, a_error + b_error + ROUND)
            case Quotient(left, right):
                (a, a_error), (b, b_error) = self.linear(left), self.linear(right)
                return a / b, a_error + b_error + ROUND
            case Sum(left, right):
                (a, a_error), (b, b_error) = self.linear(left), self.linear(right)
                total = a + b
                worst = (np.abs(a) * a_error + np.abs(b) * b_error) / np.abs(total)
                return total, np.where(_whole(a, a_error) & _whole(b, b_error) & _whole(total, 0.0), 0.0, worst + ROUND)
        return logs.linear(self.log(node))

    def _log(self, node: Node) -> Log:
        match node:
            case Number(None):
                return Log(1.0, np.inf, 0.0)
            case Number(value):
                assert value is not None
                exact = logs.of(float(value))
                return exact if float(value) == value else Log(exact.sign, exact.log, exact.error + ROUND)
            case Name(name):
                return logs.of(self.values[name])
            case Sum(left, right):
                return logs.add(self.log(left), self.log(right))
            case Product(left, right):
                return logs.multiply(self.log(left), self.log(right))
            case Quotient(left, right):
                return logs.divide(self.log(left), self.log(right))
            case Power(base, exponent):
                return logs.power(self.log(base), *self.linear(exponent))
            case Call(function, arguments):
                return self._call(function, arguments)
            case Reduce():
                return self._reduce(node)
        raise _UnknownError

    def _call(self, function: str, arguments: tuple[Node, ...]) -> Log:
        match function:
            case "sqrt":
                return logs.square_root(self.log(arguments[0]))
            case "exp":
                return logs.exponential(*self.linear(arguments[0]))
            case "log":
                return logs.logarithm(self.log(arguments[0]))
            case "min" | "max":
                return logs.extreme(self.log(arguments[0]), self.log(arguments[1]), largest=function == "max")
            case "when":
                return logs.select(*map(self.log, arguments))
            case "pi":
                return logs.from_linear(math.pi, ROUND)
            case "geometric":
                count, error = self.linear(arguments[1])
                made = logs.geometric(self.log(arguments[0]), count)
                return Log(made.sign, made.log, np.where(error == 0, made.error, np.inf))
            case "growth":
                return self._growth(*arguments)
            case "erf":
                return self._erf(self.log(arguments[0]))
            case "size":
                return logs.of(float(self._array(arguments[0]).shape[-1]))
            case "element":
                assert isinstance(arguments[1], Number)
                assert arguments[1].value is not None
                return logs.of(self._array(arguments[0])[..., int(arguments[1].value) - 1])
        raise _UnknownError

    def _growth(self, rate: Node, start: Node, stop: Node) -> Log:
        (q, q_error), (a, a_error), (length, error) = map(self.linear, (rate, start, difference(stop, start)))
        log = growth_log(q, a, length)
        sure = (np.asarray(error) == 0) & (length >= 0) & (a >= 0) & (q >= 0)
        return Log(np.ones_like(log), log, np.where(sure, log * (GROWTH_ERROR + 2 * q_error + 2 * a_error), np.inf))

    def _erf(self, a: Log) -> Log:
        value, error = logs.linear(a)
        small = logs.multiply(a, logs.from_linear(2 / math.sqrt(math.pi), 4 * ROUND))
        large = logs.from_linear(erf(value), ERF + error)
        tiny = a.log < math.log(_TINY)
        return Log(a.sign, np.where(tiny, small.log, large.log), np.where(tiny, small.error, large.error))

    def _array(self, node: Node) -> Any:
        match node:
            case Name(name):
                return self.values[name]
            case Call("tail", (array,)):
                whole = self._array(array)
                return whole[..., 1:] if self._rank(array) == 1 else whole[..., 1:, :]
        raise _UnknownError

    def _rank(self, node: Node) -> int:
        while isinstance(node, Call):
            node = node.arguments[0]
        return rank_of(node.name) if isinstance(node, Name) else 0

    def _reduce(self, node: Reduce) -> Log:
        if any(self._rank(array) != 1 for array in node.arrays):
            raise _UnknownError
        needed = names(node.body) - set(node.variables)
        inner = {name: _expanded(name, self.values[name]) for name in needed}
        inner |= dict(zip(node.variables, map(self._array, node.arrays), strict=True))
        body = _Walk(inner).log(node.body)
        shape = np.broadcast_shapes(*map(np.shape, (body.sign, body.log, body.error)), *(np.shape(inner[v]) for v in node.variables))
        every = Log(*(np.broadcast_to(part, shape) for part in (body.sign, body.log, body.error)))
        return logs.total(every) if node.function == "total" else logs.largest_of(every, largest=node.function == "largest")


def _whole(value: Any, error: Any) -> Any:
    """Where a float is an exact integer, small enough for sums and products to stay exact."""
    return (np.asarray(error) == 0) & (np.mod(value, 1.0) == 0) & (np.abs(value) < 2.0**53)


def _expanded(name: str, value: Any) -> Any:
    return value[..., None] if np.ndim(value) and not rank_of(name) else value


def logarithms(tree: Node, parameters: Sequence[str], defaults: Mapping[str, float]) -> Callable[[Sequence[Any]], tuple[Any, Any]]:
    """A function of the parameters in this order: :func:`evaluate` of the tree."""
    absent = {name: float(value) for name, value in defaults.items() if name not in parameters}
    return lambda arguments: evaluate(tree, absent | dict(zip(parameters, arguments, strict=True)))

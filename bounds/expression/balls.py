"""Rigorous evaluation: an expression tree in Arb balls, with the precision raised until the answer is sharp."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

from flint import arb, ctx, fmpq

from bounds.errors import LengthError, PrecisionError
from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.symbols import rank_of

_FIRST_BITS = 106
_LAST_BITS = 1 << 15
# Neighbours that agree to this many bits are taken as equal; any integer is a valid place, so the value stays a value of the body.
_FLAT_BITS = 1024
_SHARP = arb(2) ** -60

#: A number, or an array as nested lists.
Ball = Any


def _number(value: Fraction | None) -> arb:
    if value is None:
        return arb("inf")
    return arb(value.numerator) if value.denominator == 1 else arb(fmpq(value.numerator, value.denominator))


def _power(base: arb, exponent: arb) -> arb:
    if base == 0 and exponent > 0:
        return arb(0)
    if base == 1:
        return arb(1)
    return base**exponent


def _geometric(ratio: arb, count: arb) -> arb:
    if ratio == 1:
        return count
    return (1 - _power(ratio, count)) / (1 - ratio)


def _growth(rate: arb, start: arb, stop: arb) -> arb:
    if start == stop:
        return arb(1)
    upper = (stop + 1 + rate).lgamma() - (stop + 1).lgamma()
    return (upper - (start + 1 + rate).lgamma() + (start + 1).lgamma()).exp()


def _sqrt(value: arb) -> arb:
    return value.nonnegative_part().sqrt() if value.contains(0) else value.sqrt()


def _ceil(value: arb) -> arb:
    """The least integer >= value; an integer that no precision tells from the value counts as equal to it."""
    if ctx.prec >= _FLAT_BITS and value.contains_integer():
        return (value - arb(0.5)).ceil()
    return value.ceil()


_CALLS: dict[str, Callable[..., Ball]] = {
    "erf": arb.erf,
    "ceil": _ceil,
    "pi": arb.pi,
    "size": lambda array: arb(len(array)),
    "element": lambda array, index: _entry(array, index),
    "tail": lambda array: array[1:],
    "sqrt": _sqrt,
    "exp": arb.exp,
    "log": arb.log,
    "min": arb.min,
    "max": arb.max,
    "geometric": _geometric,
    "growth": _growth,
}


def _entry(array: Sequence[Ball], index: arb) -> Ball:
    place = index.unique_fmpz()
    return array[int(place) - 1] if place is not None and 1 <= int(place) <= len(array) else arb("nan")


def _reduce(node: Reduce, values: Mapping[str, Ball], memo: dict[int, Ball]) -> Ball:
    arrays = [_ball(array, values, memo) for array in node.arrays]
    length = max(map(len, arrays))
    if any(len(array) not in (1, length) for array in arrays):
        sizes = ", ".join(str(len(array)) for array in arrays)
        raise LengthError(f"arrays of {sizes} entries meet in one sum; give them equal lengths (or one entry)")
    rows = zip(*(array * length if len(array) == 1 else array for array in arrays), strict=True)
    results = [_ball(node.body, {**values, **dict(zip(node.variables, row, strict=True))}, {}) for row in rows]
    if node.function == "total":
        return sum(results, arb(0))
    return reduce(arb.max if node.function == "largest" else arb.min, results) if results else arb("nan")


def _ball(node: Node, values: Mapping[str, Ball], memo: dict[int, Ball]) -> Ball:
    """Enclosure of ``node`` at the working precision (shared sub-trees are evaluated once)."""
    key = id(node)
    found = memo.get(key)
    if found is None:
        found = memo[key] = _RULES[type(node)](node, values, memo)
    return found


def _call(node: Call, values: Mapping[str, Ball], memo: dict[int, Ball]) -> Ball:
    if node.function == "when":
        condition, positive, other = node.arguments
        return _lazy_select(condition, positive, other, values, memo)
    return _CALLS[node.function](*[_ball(argument, values, memo) for argument in node.arguments])


def _lazy_select(condition: Node, positive: Node, other: Node, values: Mapping[str, Ball], memo: dict[int, Ball]) -> Ball:
    test = _ball(condition, values, memo)
    if test > 0:
        return _ball(positive, values, memo)
    return _ball(other, values, memo) if test <= 0 else arb("nan")


def _least(node: Least, values: Mapping[str, Ball], memo: dict[int, Ball]) -> Ball:
    """Bisection on the sign of the forward difference, which a convex body changes once."""
    first, last = (_ball(end, values, memo).unique_fmpz() for end in (node.low, node.high))
    if first is None or last is None:
        return arb("nan")
    low, high = int(first), int(last)

    def at(place: int) -> Ball:
        return _ball(node.body, {**values, node.variable: arb(place)}, {})

    while low < high:
        middle = (low + high) // 2
        slope = at(middle + 1) - at(middle)
        if slope > 0 or (slope.contains(0) and ctx.prec >= _FLAT_BITS):
            high = middle
        elif slope < 0:
            low = middle + 1
        else:
            return arb("nan")
    return at(low)


# By type: a search evaluates trees a million times, and most of that time used to go into telling the nodes apart.
_RULES: dict[type[Node], Callable[[Any, Mapping[str, Ball], dict[int, Ball]], Ball]] = {
    Number: lambda node, values, memo: _number(node.value),
    Name: lambda node, values, memo: values[node.name],
    Sum: lambda node, values, memo: _ball(node.left, values, memo) + _ball(node.right, values, memo),
    Product: lambda node, values, memo: _ball(node.left, values, memo) * _ball(node.right, values, memo),
    Quotient: lambda node, values, memo: _ball(node.left, values, memo) / _ball(node.right, values, memo),
    Power: lambda node, values, memo: _power(_ball(node.base, values, memo), _ball(node.exponent, values, memo)),
    Least: _least,
    Reduce: _reduce,
    Call: _call,
}


def _sharp(ball: arb) -> bool:
    return bool(ball.is_finite() and ball.rad() <= abs(ball.mid()) * _SHARP)


def ball_at(node: Node, values: Mapping[str, Ball], bits: int) -> Ball:
    """The ball that plain evaluation at ``bits`` bits gives, however wide."""
    saved = ctx.prec
    try:
        ctx.prec = bits
        return _ball(node, values, {})
    finally:
        ctx.prec = saved


def exact(value: Any) -> Ball:
    """A number as an exact ball; an array (nested lists, tuples, or numpy) as lists of them, a number where one entry stands for all."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return [exact(entry) for entry in value] if isinstance(value, list | tuple) else arb(value)


def exact_values(values: Mapping[str, Any]) -> dict[str, Ball]:
    """:func:`exact` of every value; a number given for an array becomes an array of one entry."""
    return {name: _of_rank(exact(value), rank_of(name)) for name, value in values.items()}


def _of_rank(ball: Ball, rank: int) -> Ball:
    if rank == 0:
        return ball
    return [_of_rank(entry, rank - 1) for entry in ball] if isinstance(ball, list) else [_of_rank(ball, rank - 1)]


def enclose(node: Node, values: Mapping[str, Any]) -> arb:
    """A ball around the exact value whose radius is at most 2^-60 of it (or exactly infinity).

    Inputs are taken as exact binary numbers.

    Raises:
        PrecisionError: when no precision up to 32,768 bits gives such a ball.
        LengthError: when arrays of different lengths meet.
    """
    inputs = exact_values(values)
    bits = _FIRST_BITS
    while bits <= _LAST_BITS:
        ball: arb = ball_at(node, inputs, bits)
        if _sharp(ball) or ball == arb("inf"):
            return ball
        bits *= 4
    raise PrecisionError("the expression has no finite value here")


def round_up(ball: arb) -> float:
    """The smallest-or-next float that is at least every number of the ball."""
    top = ball.upper()
    result = max(float(top), -sys.float_info.max)
    while math.isfinite(result) and arb(result) < top:
        result = math.nextafter(result, math.inf)
    return result


def round_near(ball: arb) -> float:
    """The ball's midpoint as a float."""
    return float(ball.mid())

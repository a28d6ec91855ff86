"""Rigorous evaluation: an expression tree in Arb balls, with the precision raised until the answer is sharp."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from flint import arb, ctx, fmpq

from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Sum

_FIRST_BITS = 106
_LAST_BITS = 1 << 15
# Neighbours that agree to this many bits are taken as equal; any integer is a valid place, so the value stays a value of the body.
_FLAT_BITS = 1024
_SHARP = arb(2) ** -60


class PrecisionError(ArithmeticError):
    """The value could not be enclosed sharply; it is not a number or hides behind a sign that no precision resolves."""


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


_CALLS: dict[str, Callable[..., arb]] = {
    "sqrt": _sqrt,
    "exp": arb.exp,
    "log": arb.log,
    "min": arb.min,
    "max": arb.max,
    "geometric": _geometric,
    "growth": _growth,
}


def _ball(node: Node, values: Mapping[str, arb], memo: dict[int, arb]) -> arb:
    """Enclosure of ``node`` at the working precision (shared sub-trees are evaluated once)."""
    key = id(node)
    if key not in memo:
        memo[key] = _fresh(node, values, memo)
    return memo[key]


def _fresh(node: Node, values: Mapping[str, arb], memo: dict[int, arb]) -> arb:
    match node:
        case Number(value):
            return _number(value)
        case Name(name):
            return values[name]
        case Sum(left, right):
            return _ball(left, values, memo) + _ball(right, values, memo)
        case Product(left, right):
            return _ball(left, values, memo) * _ball(right, values, memo)
        case Quotient(left, right):
            return _ball(left, values, memo) / _ball(right, values, memo)
        case Power(base, exponent):
            return _power(_ball(base, values, memo), _ball(exponent, values, memo))
        case Least():
            return _least(node, values, memo)
        case Call("when", (condition, positive, other)):
            return _lazy_select(condition, positive, other, values, memo)
        case Call(function, arguments):
            return _CALLS[function](*(_ball(argument, values, memo) for argument in arguments))
    raise TypeError(f"got {type(node).__name__}; an expression is built from the nodes of bounds.expression.tree")


def _lazy_select(condition: Node, positive: Node, other: Node, values: Mapping[str, arb], memo: dict[int, arb]) -> arb:
    test = _ball(condition, values, memo)
    if test > 0:
        return _ball(positive, values, memo)
    return _ball(other, values, memo) if test <= 0 else arb("nan")


def _least(node: Least, values: Mapping[str, arb], memo: dict[int, arb]) -> arb:
    """Bisection on the sign of the forward difference, which a convex body changes once."""
    first, last = (_ball(end, values, memo).unique_fmpz() for end in (node.low, node.high))
    if first is None or last is None:
        return arb("nan")
    low, high = int(first), int(last)

    def at(place: int) -> arb:
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


def _sharp(ball: arb) -> bool:
    return bool(ball.is_finite() and ball.rad() <= abs(ball.mid()) * _SHARP)


def ball_at(node: Node, values: Mapping[str, arb], bits: int) -> arb:
    """The ball that plain evaluation at ``bits`` bits gives, however wide."""
    saved = ctx.prec
    try:
        ctx.prec = bits
        return _ball(node, values, {})
    finally:
        ctx.prec = saved


def enclose(node: Node, values: Mapping[str, float | int]) -> arb:
    """A ball around the exact value whose radius is at most 2^-60 of it (or exactly infinity).

    Inputs are taken as exact binary numbers.

    Raises:
        PrecisionError: when no precision up to 32,768 bits gives such a ball.
    """
    exact = {name: arb(value) for name, value in values.items()}
    bits = _FIRST_BITS
    while bits <= _LAST_BITS:
        ball = ball_at(node, exact, bits)
        if _sharp(ball) or ball == arb("inf"):
            return ball
        bits *= 4
    raise PrecisionError("the expression has no finite value here")


def round_up(ball: arb) -> float:
    """The smallest-or-next float that is at least every number of the ball."""
    top = ball.upper()
    result = float(top)
    while math.isfinite(result) and arb(result) < top:
        result = math.nextafter(result, math.inf)
    return result


def round_near(ball: arb) -> float:
    """The ball's midpoint as a float."""
    return float(ball.mid())

"""Interval arithmetic with Arb end points: the kind that a proof rests on.

An interval is a pair (low, high). A finite end is an exact ``arb``, an infinite one a Python float. Every operation
encloses all its results; the product of 0 and infinity is 0, because a variable that is 0 stays 0 times any number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb, fmpq

End = Any
Interval = tuple[End, End]

_INF = math.inf
ALL: Interval = (-_INF, _INF)
NONNEGATIVE: Interval = (arb(0), _INF)
NONPOSITIVE: Interval = (-_INF, arb(0))
ZERO: Interval = (arb(0), arb(0))
ONE: Interval = (arb(1), arb(1))


def _infinite(end: End) -> bool:
    return isinstance(end, float)


def _down(ball: arb) -> End:
    return ball.lower() if ball.is_finite() else -_INF


def _up(ball: arb) -> End:
    return ball.upper() if ball.is_finite() else _INF


def _times(a: End, b: End, rounded: Callable[[arb], End]) -> End:
    if a == 0 or b == 0:
        return arb(0)
    if _infinite(a) or _infinite(b):
        return _INF if (a > 0) == (b > 0) else -_INF
    return rounded(a * b)


def _inverse(a: End, rounded: Callable[[arb], End], at_zero: float) -> End:
    if _infinite(a):
        return arb(0)
    return at_zero if a == 0 else rounded(1 / a)


def _plus(a: End, b: End, rounded: Callable[[arb], End], at_odds: float) -> End:
    if _infinite(a) or _infinite(b):
        both = {a if _infinite(a) else None, b if _infinite(b) else None} - {None}
        return both.pop() if len(both) == 1 else at_odds
    return rounded(a + b)


def _erf_share(y: End, rounded: Callable[[arb], End]) -> End:
    """y erf'(y) / erf(y), which falls from 1 at 0 to 0 at infinity."""
    if _infinite(y):
        return arb(0)
    return arb(1) if y == 0 else rounded(2 * y * (-y * y).exp() / (arb.pi().sqrt() * y.erf()))


def _weight(x: End, rounded: Callable[[arb], End]) -> End:
    """x / (e^x - 1), which falls from infinity through 1 at 0 to 0."""
    if _infinite(x):
        return arb(0) if x > 0 else _INF
    return arb(1) if x == 0 else rounded(x / x.expm1())


def _at(function: Callable[[arb], arb], x: End, rounded: Callable[[arb], End], limits: tuple[float | arb, float | arb]) -> End:
    if _infinite(x):
        return limits[1] if x > 0 else limits[0]
    return rounded(function(x))


def _log(x: End, rounded: Callable[[arb], End]) -> End:
    if _infinite(x):
        return x
    return rounded(x.log()) if x > 0 else -_INF


class ArbIntervals:
    """The operations; a mask is a plain bool."""

    all, zero, one, nonnegative, nonpositive = ALL, ZERO, ONE, NONNEGATIVE, NONPOSITIVE

    @staticmethod
    def number(value: Fraction | float | None) -> Interval:
        """The point ``value``; None is infinity."""
        if value is None:
            return (arb(2) ** 100_000, _INF)
        exact = Fraction(value)
        ball = arb(exact.numerator) if exact.denominator == 1 else arb(fmpq(exact.numerator, exact.denominator))
        return (ball.lower(), ball.upper())

    @staticmethod
    def add(x: Interval, y: Interval) -> Interval:
        return (_plus(x[0], y[0], _down, -_INF), _plus(x[1], y[1], _up, _INF))

    @staticmethod
    def neg(x: Interval) -> Interval:
        return (-x[1], -x[0])

    @staticmethod
    def mul(x: Interval, y: Interval) -> Interval:
        # The signs say which two of the four products are the ends, unless both intervals reach across 0.
        (a, b), (c, d) = x, y
        if a >= 0:
            return (_times(a if c >= 0 else b, c, _down), _times(b if d >= 0 else a, d, _up))
        if b <= 0:
            return (_times(a if d >= 0 else b, d, _down), _times(b if c >= 0 else a, c, _up))
        if c >= 0:
            return (_times(a, d, _down), _times(b, d, _up))
        if d <= 0:
            return (_times(b, c, _down), _times(a, c, _up))
        return (_least((_times(a, d, _down), _times(b, c, _down))), _most((_times(a, c, _up), _times(b, d, _up))))

    @classmethod
    def div(cls, x: Interval, y: Interval) -> Interval:
        """x / y; everything where y reaches to both sides of 0."""
        if y[0] >= 0:
            return cls.mul(x, (_inverse(y[1], _down, _INF), _inverse(y[0], _up, _INF))) if y[1] > 0 else ALL
        return cls.neg(cls.div(x, cls.neg(y))) if y[1] <= 0 else ALL

    @staticmethod
    def meet(x: Interval, y: Interval) -> Interval:
        """The intersection; ``x`` where rounding (or a box without admissible points) leaves none."""
        low, high = (x[0] if x[0] >= y[0] else y[0]), (x[1] if x[1] <= y[1] else y[1])
        return (low, high) if low <= high else x

    @staticmethod
    def hull(x: Interval, y: Interval) -> Interval:
        return (x[0] if x[0] <= y[0] else y[0], x[1] if x[1] >= y[1] else y[1])

    @staticmethod
    def smaller(x: Interval, y: Interval) -> Interval:
        return (_least((x[0], y[0])), _least((x[1], y[1])))

    @staticmethod
    def larger(x: Interval, y: Interval) -> Interval:
        return (_most((x[0], y[0])), _most((x[1], y[1])))

    @staticmethod
    def exp(x: Interval) -> Interval:
        return (_at(arb.exp, x[0], _down, (arb(0), _INF)), _at(arb.exp, x[1], _up, (arb(0), _INF)))

    @staticmethod
    def log(x: Interval) -> Interval:
        """The logarithm of the part that is not negative."""
        return (_log(x[0], _down), _log(x[1], _up))

    @staticmethod
    def sqrt(x: Interval) -> Interval:
        low = x[0] if x[0] > 0 else arb(0)
        high = x[1] if x[1] > 0 else arb(0)
        return (_at(arb.sqrt, low, _down, (arb(0), _INF)), _at(arb.sqrt, high, _up, (arb(0), _INF)))

    @staticmethod
    def erf(x: Interval) -> Interval:
        return (_at(arb.erf, x[0], _down, (arb(-1), arb(1))), _at(arb.erf, x[1], _up, (arb(-1), arb(1))))

    @staticmethod
    def ceil(x: Interval) -> Interval:
        return (x[0] if _infinite(x[0]) else x[0].ceil().lower(), x[1] if _infinite(x[1]) else x[1].ceil().upper())

    @staticmethod
    def erf_share(x: Interval) -> Interval:
        """y erf'(y) / erf(y) for y >= 0."""
        return (_erf_share(x[1], _down), _erf_share(x[0], _up)) if x[0] >= 0 else (arb(0), arb(1))

    @staticmethod
    def weight(x: Interval) -> Interval:
        """x / (e^x - 1)."""
        return (_weight(x[1], _down), _weight(x[0], _up))

    @staticmethod
    def digamma(x: Interval) -> Interval:
        """The digamma function for x > 0, where it grows."""
        low = _at(arb.digamma, x[0], _down, (-_INF, _INF)) if x[0] > 0 else -_INF
        return (low, _at(arb.digamma, x[1], _up, (-_INF, _INF)) if x[1] > 0 else ALL[1])

    @staticmethod
    def power(x: Interval, count: int) -> Interval:
        """x^count for an integer count >= 0."""
        ends = (x[1], x[0]) if count % 2 == 0 and x[1] <= 0 else x
        low, high = (_integer_power(end, count, rounded) for end, rounded in zip(ends, (_down, _up), strict=True))
        if count % 2 == 0 and x[0] < 0 < x[1]:
            return (arb(0), _most((_integer_power(x[0], count, _up), _integer_power(x[1], count, _up))))
        return (low, high)

    @staticmethod
    def at_least_zero(x: Interval) -> bool:
        return bool(x[0] >= 0)

    @staticmethod
    def above_zero(x: Interval) -> bool:
        return bool(x[0] > 0)

    @staticmethod
    def select(mask: bool, x: Interval, y: Interval) -> Interval:
        return x if mask else y


def _integer_power(end: End, count: int, rounded: Callable[[arb], End]) -> End:
    if count == 0:
        return arb(1)
    if _infinite(end):
        return _INF if end > 0 or count % 2 == 0 else -_INF
    return rounded(end**count)


def _least(ends: Any) -> End:
    best = None
    for end in ends:
        best = end if best is None or end < best else best
    return best


def _most(ends: Any) -> End:
    best = None
    for end in ends:
        best = end if best is None or end > best else best
    return best

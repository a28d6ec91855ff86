"""Closed ranges of numbers with exact Arb ends, rounded outwards: the arithmetic of the checker, written for it alone."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from flint import arb, fmpq

_INF, _NEG = arb("inf"), arb("-inf")
_HALF = arb(0.5)


def _low(ball: arb) -> arb:
    return _NEG if ball.is_nan() else ball.lower()


def _high(ball: arb) -> arb:
    return _INF if ball.is_nan() else ball.upper()


def _product(a: arb, b: arb) -> arb:
    # Every number meant is finite, so that 0 times an end at infinity is 0.
    return arb(0) if a == 0 or b == 0 else a * b


class Range(NamedTuple):
    """All numbers from ``low`` to ``high``; the ends may be infinite."""

    low: arb
    high: arb

    def __add__(self, other: Range) -> Range:  # type: ignore[override]
        return Range(_low(self.low + other.low), _high(self.high + other.high))

    def __neg__(self) -> Range:
        return Range(-self.high, -self.low)

    def __sub__(self, other: Range) -> Range:
        return self + -other

    def __mul__(self, other: Range) -> Range:  # type: ignore[override]
        if self.low < 0 < self.high and other.low < 0 < other.high:
            corners = [_product(a, b) for a in self for b in other]
            return Range(least(map(_low, corners)), most(map(_high, corners)))
        # One factor keeps its sign: it is as large as it can be where the other one is furthest out, and as small where nearest.
        if not (self.low >= 0 or self.high <= 0):
            return other * self
        if self.high <= 0 and self.low < 0:
            return -(-self * other)
        first, last = (self.low if other.low >= 0 else self.high), (self.high if other.high >= 0 else self.low)
        return Range(_low(_product(first, other.low)), _high(_product(last, other.high)))

    def __truediv__(self, other: Range) -> Range:
        """The quotient where the divisor is not 0; everything where the divisor may have either sign."""
        if other.low >= 0 and other.high > 0:
            top = _INF if other.low == 0 else _high(1 / other.low)
            return self * Range(arb(0) if other.high == _INF else _low(1 / other.high), top)
        return -(self / -other) if other.high <= 0 and other.low < 0 else ALL

    @property
    def positive(self) -> bool:
        """Whether no number is negative."""
        return bool(self.low >= 0)

    @property
    def negative(self) -> bool:
        """Whether no number is positive."""
        return bool(self.high <= 0)

    @property
    def strict(self) -> bool:
        """Whether 0 is not among the numbers."""
        return bool(self.low > 0 or self.high < 0)

    @property
    def sign(self) -> int:
        """1 or -1 where no number has the other sign, else 0."""
        return 1 if self.positive else -1 if self.negative else 0

    def meet(self, other: Range) -> Range:
        """What both say; where they contradict each other there is nothing to speak about."""
        low, high = most((self.low, other.low)), least((self.high, other.high))
        return Range(low, high) if low <= high else self

    def hull(self, other: Range) -> Range:
        """The least range around both."""
        return Range(least((self.low, other.low)), most((self.high, other.high)))

    def rising(self, function: Callable[[arb], arb]) -> Range:
        """The values of an increasing function that is defined at the ends."""
        return Range(_low(function(self.low)), _high(function(self.high)))

    def whole_power(self, count: int) -> Range:
        """The power with a whole exponent >= 0."""
        if count == 0:
            return ONE
        if count % 2 or self.low >= 0:
            return self.rising(lambda x: x**count)
        if self.high <= 0:
            return (-self).whole_power(count)
        return Range(arb(0), most((_high(self.low**count), _high(self.high**count))))

    def exp(self) -> Range:
        """The exponential function."""
        found = self.rising(lambda x: arb(0) if x == _NEG else _INF if x == _INF else x.exp())
        return Range(most((found.low, arb(0))), found.high)

    def log(self) -> Range:
        """The logarithm of the positive numbers."""
        return self.rising(lambda x: _NEG if x <= 0 else x if x == _INF else x.log())

    def sqrt(self) -> Range:
        """The root of the numbers that are not negative."""
        return self.meet(POSITIVE).rising(lambda x: arb(0) if x <= 0 else x if x == _INF else x.sqrt())

    def power(self, exponent: Range) -> Range:
        """Real powers of the numbers that are not negative."""
        return (exponent * self.log()).exp()

    def digamma(self) -> Range:
        """The digamma function of the positive numbers, where it increases."""
        return self.rising(lambda x: _NEG if x <= 0 else x if x == _INF else x.digamma())

    def fading(self) -> Range:
        """x/(e^x - 1), which decreases from infinity through 1 at 0 to 0."""

        def at(x: arb) -> arb:
            if not x.is_finite():
                return arb(0) if x > 0 else _INF
            return arb(1) if x == 0 else x / x.expm1()

        return Range(most((_low(at(self.high)), arb(0))), _high(at(self.low)))

    def erf_share(self) -> Range:
        """y erf'(y)/erf(y) for y >= 0, which decreases from 1 to 0."""

        def at(y: arb) -> arb:
            if not y.is_finite():
                return arb(0)
            return arb(1) if y == 0 else 2 * y * (-y * y).exp() / (arb.pi().sqrt() * y.erf())

        return Range(_low(at(self.high)), _high(at(self.low))).meet(Range(arb(0), arb(1)))


def least(ends: Any) -> arb:
    """The least of exact ends."""
    first: arb
    first, *others = ends
    for end in others:
        first = end if end < first else first
    return first


def most(ends: Any) -> arb:
    """The largest of exact ends."""
    first: arb
    first, *others = ends
    for end in others:
        first = end if end > first else first
    return first


def number(value: Fraction | float | int | None) -> Range:
    """The range of one number; None is infinity."""
    if value is None:
        return Range(arb(2) ** 100_000, _INF)
    exact = Fraction(value)
    ball = arb(fmpq(exact.numerator, exact.denominator))
    return Range(ball.lower(), ball.upper())


ALL, POSITIVE, NEGATIVE = Range(_NEG, _INF), Range(arb(0), _INF), Range(_NEG, arb(0))
ZERO, ONE = Range(arb(0), arb(0)), Range(arb(1), arb(1))
HALF = Range(_HALF, _HALF)

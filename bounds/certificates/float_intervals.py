"""The same interval arithmetic on numpy arrays of boxes, without outward rounding: a scout that finds where a proof will go through.

Nothing that these intervals say is believed before :class:`bounds.certificates.arb_intervals.ArbIntervals` has said it too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Interval = tuple[Any, Any]
_FULL = (np.float64(-math.inf), np.float64(math.inf))
#: Rounding may push an end that is exactly 0 to the wrong side.
_SLACK = 1e-13


def _nan_free(value: Any, otherwise: float) -> Any:
    missing = np.isnan(value)
    return np.where(missing, otherwise, value) if missing.any() else value


def _times(a: Any, b: Any) -> Any:
    return np.where((a == 0) | (b == 0), 0.0, a * b)


class FloatIntervals:
    """The operations; a mask is an array of bools. To be used under ``np.errstate(all="ignore")``."""

    all = _FULL
    zero = (np.float64(0), np.float64(0))
    one = (np.float64(1), np.float64(1))
    nonnegative = (np.float64(0), np.float64(math.inf))
    nonpositive = (np.float64(-math.inf), np.float64(0))

    @staticmethod
    def number(value: Fraction | float | None) -> Interval:
        number = np.float64(math.inf if value is None else value)
        return (number, number)

    @staticmethod
    def add(x: Interval, y: Interval) -> Interval:
        return (_nan_free(x[0] + y[0], -math.inf), _nan_free(x[1] + y[1], math.inf))

    @staticmethod
    def neg(x: Interval) -> Interval:
        return (-x[1], -x[0])

    @staticmethod
    def mul(x: Interval, y: Interval) -> Interval:
        (a, b), (c, d) = x, y
        first, second, third, fourth = a * c, a * d, b * c, b * d
        low = np.minimum(np.minimum(first, second), np.minimum(third, fourth))
        if np.isnan(low).any():
            # 0 times infinity.
            first, second, third, fourth = (_times(one, other) for one in x for other in y)
            low = np.minimum(np.minimum(first, second), np.minimum(third, fourth))
        return (low, np.maximum(np.maximum(first, second), np.maximum(third, fourth)))

    @classmethod
    def div(cls, x: Interval, y: Interval) -> Interval:
        positive, negative = (y[0] >= 0) & (y[1] > 0), (y[1] <= 0) & (y[0] < 0)
        inverse = (np.where(y[1] == 0, -math.inf, 1 / y[1]), np.where(y[0] == 0, math.inf, 1 / y[0]))
        low, high = cls.mul(x, inverse)
        known = positive | negative
        return (np.where(known, low, -math.inf), np.where(known, high, math.inf))

    @staticmethod
    def meet(x: Interval, y: Interval) -> Interval:
        low, high = np.maximum(x[0], y[0]), np.minimum(x[1], y[1])
        empty = low > high
        return (np.where(empty, x[0], low), np.where(empty, x[1], high)) if empty.any() else (low, high)

    @staticmethod
    def hull(x: Interval, y: Interval) -> Interval:
        return (np.minimum(x[0], y[0]), np.maximum(x[1], y[1]))

    @staticmethod
    def smaller(x: Interval, y: Interval) -> Interval:
        return (np.minimum(x[0], y[0]), np.minimum(x[1], y[1]))

    @staticmethod
    def larger(x: Interval, y: Interval) -> Interval:
        return (np.maximum(x[0], y[0]), np.maximum(x[1], y[1]))

    @staticmethod
    def exp(x: Interval) -> Interval:
        return (np.exp(x[0]), np.exp(x[1]))

    @staticmethod
    def log(x: Interval) -> Interval:
        return (np.log(np.maximum(x[0], 0.0)), np.log(np.maximum(x[1], 0.0)))

    @staticmethod
    def sqrt(x: Interval) -> Interval:
        return (np.sqrt(np.maximum(x[0], 0.0)), np.sqrt(np.maximum(x[1], 0.0)))

    @staticmethod
    def erf(x: Interval) -> Interval:
        from scipy.special import erf

        return (erf(x[0]), erf(x[1]))

    @staticmethod
    def ceil(x: Interval) -> Interval:
        return (np.ceil(x[0]), np.ceil(x[1]))

    @staticmethod
    def erf_share(x: Interval) -> Interval:
        from scipy.special import erf

        def share(y: Any) -> Any:
            value = 2 * y * np.exp(-y * y) / (math.sqrt(math.pi) * erf(y))
            return np.where(y == 0, 1.0, np.where(np.isinf(y), 0.0, value))

        known = x[0] >= 0
        return (np.where(known, share(x[1]), 0.0), np.where(known, share(x[0]), 1.0))

    @staticmethod
    def weight(x: Interval) -> Interval:
        def share(y: Any) -> Any:
            return np.where(y == 0, 1.0, np.where(np.isinf(y), np.where(y > 0, 0.0, math.inf), y / np.expm1(y)))

        return (share(x[1]), share(x[0]))

    @staticmethod
    def digamma(x: Interval) -> Interval:
        from scipy.special import digamma

        def at(y: Any) -> Any:
            return np.where(y > 0, np.where(np.isinf(y), math.inf, digamma(y)), -math.inf)

        return (at(x[0]), np.where(x[1] > 0, at(x[1]), math.inf))

    @staticmethod
    def power(x: Interval, count: int) -> Interval:
        low, high = x[0] ** count, x[1] ** count
        if count % 2:
            return (low, high)
        across = (x[0] < 0) & (x[1] > 0)
        return (np.where(across, 0.0, np.minimum(low, high)), np.maximum(low, high))

    @staticmethod
    def at_least_zero(x: Interval) -> Any:
        return x[0] >= -_SLACK

    @staticmethod
    def above_zero(x: Interval) -> Any:
        return x[0] > 0

    @staticmethod
    def select(mask: Any, x: Interval, y: Interval) -> Interval:
        return (np.where(mask, x[0], y[0]), np.where(mask, x[1], y[1]))


Operations = Callable[..., Interval]

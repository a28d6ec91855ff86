"""Log-domain arithmetic on numpy arrays: sign, logarithm of the size, and a bound on the absolute error of that logarithm.

Nothing overflows or underflows here, so it takes over where plain floats fail; an infinite error bound means: ask Arb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bounds.numeric.code import FUNCTION, ROUND

_LOG2 = math.log(2.0)
#: Largest error of a logarithm with which a difference is one.
_SURE = 1e-3


@dataclass(frozen=True, slots=True)
class Log:
    """Numbers ``sign * exp(log)``; a zero has sign 0 and log -inf."""

    sign: Any
    log: Any
    error: Any


def of(value: Any) -> Log:
    """Exact floats."""
    value = np.asarray(value, dtype=np.float64)
    log = np.log(np.abs(value))
    return Log(np.sign(value), log, _where(value != 0, FUNCTION * np.abs(log), 0.0))


def _where(test: Any, first: Any, second: Any) -> Any:
    return np.where(test, first, second)


def _finite(log: Any) -> Any:
    """Sizes of logarithms for error bounds, in which zeros and infinities count nothing."""
    return _where(np.isfinite(log), np.abs(log), 0.0)


def negative(a: Log) -> Log:
    """-a."""
    return Log(-a.sign, a.log, a.error)


def multiply(a: Log, b: Log) -> Log:
    """a * b; undecided for 0 times infinity."""
    sign = a.sign * b.sign
    log = _where(sign == 0, -np.inf, a.log + b.log)
    empty = (sign == 0) & (np.isposinf(a.log) | np.isposinf(b.log))
    return Log(sign, log, _where(empty, np.inf, a.error + b.error + ROUND * _finite(log)))


def divide(a: Log, b: Log) -> Log:
    """a / b; undecided where b is 0."""
    log = _where(a.sign == 0, -np.inf, a.log - b.log)
    return Log(a.sign * b.sign, log, _where(b.sign == 0, np.inf, a.error + b.error + ROUND * _finite(log)))


def add(a: Log, b: Log) -> Log:
    """a + b; undecided where they cancel within their errors."""
    first = a.log >= b.log
    large, small = Log(*(_where(first, x, y) for x, y in _fields(a, b))), Log(*(_where(first, y, x) for x, y in _fields(a, b)))
    same = large.sign * small.sign >= 0
    drop = _where((small.sign == 0) | np.isinf(small.log) | np.isinf(large.log), -np.inf, small.log - large.log)
    share = np.exp(drop)
    lost = _where(drop < -_LOG2, np.log1p(-share), np.log(-np.expm1(drop)))
    change = _where(same, np.log1p(share), lost)
    log = large.log + change
    left = _where(same, 1.0, 1.0 - share)
    error = (large.error + share * (small.error + 3 * FUNCTION + ROUND * _finite(drop))) / left
    error = error + 2 * FUNCTION * _finite(change) + ROUND * _finite(log)
    both_zero = (large.sign == 0) & (small.sign == 0)
    # An error bound of first order means nothing where it comes near 1: not even the sign is known then.
    cancelled = ~same & ~((left > 0) & (error < _SURE))
    mixed = np.isposinf(large.log) & ~same & np.isposinf(small.log)
    return Log(large.sign, _where(both_zero, -np.inf, log), _where(cancelled | mixed, np.inf, error))


def _fields(a: Log, b: Log) -> tuple[tuple[Any, Any], ...]:
    return (a.sign, b.sign), (a.log, b.log), (a.error, b.error)


def linear(a: Log) -> tuple[Any, Any]:
    """(value, relative error) as plain floats."""
    value = a.sign * np.exp(_where(a.sign == 0, -np.inf, a.log))
    return value, a.error + FUNCTION * (1.0 + _finite(a.log))


def from_linear(value: Any, relative: Any) -> Log:
    """A float with a relative error as a logarithm."""
    exact = of(value)
    return Log(exact.sign, exact.log, exact.error + 1.001 * _where(np.abs(relative) < 0.5, relative, np.inf))


def power(a: Log, exponent: Any, relative: Any) -> Log:
    """a ** exponent for an exponent given as a float with a relative error."""
    log = _where(a.sign == 0, _where(exponent > 0, -np.inf, np.nan), exponent * a.log)
    odd = np.mod(exponent, 2.0) == 1.0
    sign = _where(a.sign < 0, _where(odd, -1.0, 1.0), a.sign)
    sign = _where(exponent == 0, 1.0, sign)
    log = _where(exponent == 0, 0.0, log)
    error = np.abs(exponent) * a.error + _finite(log) * (relative + ROUND)
    unknown = (a.sign < 0) & (np.mod(exponent, 1.0) != 0.0)
    return Log(sign, log, _where(unknown | np.isnan(log), np.inf, error))


def exponential(value: Any, relative: Any) -> Log:
    """exp(value)."""
    return Log(np.ones_like(value), value, np.abs(value) * relative)


def logarithm(a: Log) -> Log:
    """log(a) of a positive number; undecided where its sign is."""
    relative = a.error / np.abs(a.log)
    value = from_linear(a.log, relative)
    return Log(value.sign, value.log, _where((a.sign > 0) & ((relative < 0.5) | (a.error == 0)), value.error, np.inf))


def square_root(a: Log) -> Log:
    """The root of a number >= 0."""
    return Log(a.sign, a.log / 2, _where(a.sign < 0, np.inf, a.error / 2))


def below_one(a: Log) -> Log:
    """1 - a."""
    return add(of(1.0), negative(a))


def geometric(ratio: Log, count: Any) -> Log:
    """(1 - r^n)/(1 - r) for r >= 0 and an exact count; n at r = 1."""
    quotient = divide(below_one(power(ratio, count, 0.0)), below_one(ratio))
    one, none = (ratio.log == 0) & (ratio.error == 0) & (ratio.sign > 0), count == 0
    direct = of(count)
    sign, log = _where(one | none, direct.sign, quotient.sign), _where(one | none, direct.log, quotient.log)
    return Log(sign, log, _where(one | none, direct.error, _where(ratio.sign < 0, np.inf, quotient.error)))


def select(test: Log, a: Log, b: Log) -> Log:
    """a where test > 0, b elsewhere; undecided where the sign of the test is."""
    fields = (_where(test.sign > 0, x, y) for x, y in _fields(a, b))
    sign, log, error = fields
    return Log(sign, log, _where(np.isfinite(test.error), error, np.inf))


def extreme(a: Log, b: Log, largest: bool) -> Log:
    """The larger or the smaller of two numbers."""
    above = _where(a.sign != b.sign, a.sign > b.sign, _where(a.sign > 0, a.log > b.log, a.log < b.log))
    sign, log, _ = (_where(above == largest, x, y) for x, y in _fields(a, b))
    return Log(sign, log, np.maximum(a.error, b.error))


def total(a: Log) -> Log:
    """The sum over the last axis."""
    parts = [_one_sign(a, sign) for sign in (1.0, -1.0)]
    return add(parts[0], negative(parts[1]))


def _one_sign(a: Log, sign: float) -> Log:
    chosen = a.sign == sign
    logs = _where(chosen, a.log, -np.inf)
    top = np.max(logs, axis=-1, initial=-np.inf)
    base = _where(np.isfinite(top), top, 0.0)
    summed = np.log(np.sum(np.exp(logs - base[..., None]), axis=-1))
    log = base + summed
    count = logs.shape[-1] if logs.ndim else 1
    error = np.max(_where(chosen, a.error, 0.0), axis=-1, initial=0.0) + 3 * FUNCTION + ROUND * (count + _finite(log))
    return Log(_where(np.any(chosen, axis=-1), 1.0, 0.0), _where(np.isposinf(top), np.inf, log), error)


def largest_of(a: Log, largest: bool) -> Log:
    """The largest or smallest number along the last axis."""
    if not largest:
        return negative(largest_of(negative(a), largest=True))
    top, least = np.max(_where(a.sign > 0, a.log, -np.inf), axis=-1), np.min(_where(a.sign < 0, a.log, np.inf), axis=-1)
    sign = np.max(a.sign, axis=-1)
    return Log(sign, _where(sign > 0, top, _where(sign < 0, least, -np.inf)), np.max(a.error, axis=-1))

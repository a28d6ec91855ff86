"""What the generated code calls: the logarithm of a telescoped product, and the same names for one point and for arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from bounds.numeric.minimum import least

#: Relative error allowed to :func:`growth_log`: six were the most found; all of its terms but one are positive.
GROWTH_ERROR = 20 * 2.0**-53
_STIRLING_FROM = 10.0
#: Coefficients B_2k/(2k(2k-1)) of Stirling's series; from z = 10 on the first one left out is below 1e-16 of the sum.
_STIRLING = ((1, 1 / 12), (3, -1 / 360), (5, 1 / 1260), (7, -1 / 1680), (9, 1 / 1188), (11, -691 / 360360), (13, 1 / 156))
_FEW_FROM = 100.0
_FEW = _STIRLING[:4]


def growth_log(q: float, start: float, length: float) -> float:
    """log of prod_{t=start+1}^{start+length} (1 + q/t) with full relative accuracy, for q, start >= 0 and a whole length.

    The first factors are multiplied out (as the product minus 1, a sum of positive terms); from t = 10 on it is the second
    difference of log Gamma at A = start + 1, B = A + length, C = A + q, D = A + length + q, by Stirling's series with
    differences written without cancellation: A D/(B C) = 1 - q length/(B C).
    """
    a, extra = start + 1.0, 0.0
    while a < _STIRLING_FROM and length > 0:
        extra += q / a * (1.0 + extra)
        a += 1.0
        length -= 1
    if length < 0:
        raise ValueError("a product over part of a factor")
    first = math.log1p(extra) if extra else 0.0
    return first + stirling_difference(q, a, length, math, _STIRLING if a < _FEW_FROM else _FEW) if length else first


def stirling_difference(q: Any, a: Any, length: Any, on: Any, series: Sequence[tuple[int, float]] = _STIRLING) -> Any:
    """:func:`growth_log` for A = ``a`` >= 10, with the functions of ``on`` (math or numpy)."""
    log1p, expm1 = on.log1p, on.expm1
    b, c = a + length, a + q
    d = b + q
    main = (a - 0.5) * log1p(-q * (length / (b * c))) + length * log1p(q / b) + q * log1p(length / c)
    near, wide, cross = log1p(length / a), log1p(q / a), log1p(q * (length / (a * d)))
    total, power, square = 0.0, a, a * a
    for order, coefficient in series:
        both = expm1(-order * near) * expm1(-order * wide) + on.exp(-order * (near + wide)) * expm1(order * cross)
        total = total + coefficient / power * both
        power = power * square
    return main + total


#: Names of the generated code for one point. They raise where a float has no value; the caller then asks Arb.
SCALAR: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "erf": math.erf,
    "ceil": math.ceil,
    "rint": round,
    "power": math.pow,
    "absolute": abs,
    "max": max,
    "growth_log": growth_log,
    "least": least,
}

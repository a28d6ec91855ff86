"""The least value of a convex function over the integers, found by a secant search and certified by convexity.

The function is ``slope * t + rest(t)`` with a falling ``rest`` that is close to a power of t, so that the logarithm of its
steps is close to linear in log t. Only the certificate matters for what is returned: where both neighbours at some distance
are larger beyond doubt, a convex function has its least value between them, no lower than the slopes there allow.
"""

from __future__ import annotations

import math
from collections.abc import Callable

#: What a body gives at an integer: its falling part, its value, and a bound on the relative error of the value; None where it has none.
Body = Callable[[float], tuple[float, float, float] | None]

#: How far above the least value the returned one may be, relatively; part of its error.
SLACK = 2e-13
#: Steps of this share of t measure the slope where t is large.
STEP = 1e-4
#: Neighbours at this share of t show the minimum where t is large.
NEIGHBOUR = 5e-7
_ROUNDS = 12
_SETTLED = 1e-6


class _Undecided(Exception):
    """Float arithmetic cannot tell where the minimum is."""


def least(body: Body, slope: float, low: float, high: float) -> tuple[float, float] | None:
    """(value, relative error) of the least value over the integers low..high, or None."""
    try:
        return _certified(body, low, high, _place(body, slope, low, high))
    except _Undecided:
        return None


def _at(body: Body, place: float) -> tuple[float, float, float]:
    result = body(place)
    if result is None:
        raise _Undecided
    return result


def _place(body: Body, slope: float, low: float, high: float) -> float:
    """About the first integer at which the step upwards of ``slope`` outweighs the fall of the rest."""
    if high <= low or slope <= 0:
        return high

    def balance(place: float) -> float:
        """log of the fall per step over the slope; falls with ``place``."""
        width = max(1.0, math.floor(place * STEP))
        fall = (_at(body, place)[0] - _at(body, min(place + width, high))[0]) / (min(place + width, high) - place)
        return math.log(fall / slope) if fall > 0 else -math.inf

    left, right = low, high - 1
    above = balance(left)
    if above <= 0:
        return left
    below = balance(right)
    if below > 0:
        return high
    for _ in range(_ROUNDS):
        if right - left <= 1:
            break
        share = above / (above - below) if below > -math.inf else 0.5
        guess = math.exp(math.log1p(left) + share * (math.log1p(right) - math.log1p(left))) - 1.0
        place = min(max(float(round(guess)), left + 1), right - 1)
        here = balance(place)
        if abs(here) < _SETTLED:
            return place + math.floor(place * STEP / 2)
        if here > 0:
            left, above, below = place, here, below / 2
        else:
            right, below, above = place, here, above / 2
    return right


def _certified(body: Body, low: float, high: float, place: float) -> tuple[float, float] | None:
    _, value, error = _at(body, place)
    distance = max(1.0, math.floor(place * NEIGHBOUR))
    for widening in (1.0, 8.0, 64.0):
        ends = [end for end in (max(low, place - distance * widening), min(high, place + distance * widening)) if end != place]
        around = [_at(body, end) for end in ends]
        if all(v * (1 - e) > value * (1 + error) for _, v, e in around):
            between = distance * widening > 1
            slack = max((v * (1 + e) / value for _, v, e in around), default=1.0) - 1.0 + error if between else 0.0
            return (value, error + slack) if slack <= SLACK else None
    return None

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

_Known = Callable[[float], tuple[float, float, float]]

#: How far above the least value the returned one may be, relatively; part of its error.
SLACK = 2e-13
#: Steps of this share of t measure the slope where t is large.
STEP = 1e-4
#: Neighbours at this share of t show the minimum where t is large.
NEIGHBOUR = 5e-7
_ROUNDS = 30
_SETTLED = 1e-6


class _UndecidedError(Exception):
    """Float arithmetic cannot tell where the minimum is."""


def least(body: Body, slope: float, low: float, high: float) -> tuple[float, float] | None:
    """(value, relative error) of the least value over the integers low..high (the value at low where there are none), or None."""
    known: dict[float, tuple[float, float, float]] = {}

    def at(place: float) -> tuple[float, float, float]:
        if place not in known:
            result = body(place)
            if result is None:
                raise _UndecidedError
            known[place] = result
        return known[place]

    try:
        return _certified(at, low, max(low, high), _place(at, slope, low, max(low, high)))
    except _UndecidedError:
        return None


def _place(at: _Known, slope: float, low: float, high: float) -> float:
    """About the first integer at which the step upwards of ``slope`` outweighs the fall of the rest."""
    if high <= low or slope <= 0:
        return high

    def balance(place: float) -> float:
        """log of the fall per step over the slope; falls with ``place``."""
        width = max(1.0, math.floor(place * STEP))
        end = min(place + width, high)
        try:
            fall = (at(place)[0] - at(end)[0]) / (end - place)
        except _UndecidedError:
            # Where little is left of the rest its digits are lost; the minimum is mostly before that, and else not certified.
            return -math.inf
        return math.log(fall / slope) if fall > 0 else -math.inf

    left, right = low, high - 1
    above = balance(left)
    if above <= 0:
        return left
    below = balance(right)
    if below > 0:
        return high
    before, last = (math.log1p(left), above), (math.log1p(right), below)
    for _ in range(_ROUNDS):
        if right - left <= 1:
            break
        # A secant through the last two places where it stays inside, else the middle, in log(1 + t).
        guess = last[0] - last[1] * (last[0] - before[0]) / (last[1] - before[1]) if last[1] != before[1] else math.inf
        low_end, high_end = math.log1p(left), math.log1p(right)
        guess = guess if low_end <= guess <= high_end else (low_end + high_end) / 2
        place = min(max(float(round(math.expm1(guess))), left + 1), right - 1)
        here = balance(place)
        if abs(here) < _SETTLED:
            return place + math.floor(place * STEP / 2)
        before, last = last, (math.log1p(place), here)
        if here > 0:
            left = place
        else:
            right = place
    return right


def _certified(at: _Known, low: float, high: float, place: float) -> tuple[float, float] | None:
    _, value, error = at(place)
    distance = max(1.0, math.floor(place * NEIGHBOUR))
    for widening in (1.0, 8.0, 64.0):
        ends = [end for end in (max(low, place - distance * widening), min(high, place + distance * widening)) if end != place]
        around = [at(end) for end in ends]
        if all(v - abs(v) * e > value + abs(value) * error for _, v, e in around):
            between = distance * widening > 1
            slack = max(((v - value + abs(v) * e) / abs(value) for _, v, e in around), default=0.0) + error if between else 0.0
            return (value, error + slack) if slack <= SLACK else None
    return None

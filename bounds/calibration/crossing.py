"""Where a monotone function of places crosses a target, in floats: a dozen or two looks where bisection takes sixty."""

from __future__ import annotations

import math
from collections.abc import Callable

#: An octave of floats: within it a bound is close to a power.
_OCTAVE = 1 << 52
#: Interpolations in a row that may leave more than half of the places, as where an end stays; then one step halves them.
_SLOW = 1


def crossing(value: Callable[[int], float], target: float, good: int, bad: int, near: int = 0) -> int:
    """A place where ``value`` is at most the target, with one where it is not at most ``near`` + 1 places towards ``bad``.

    ``value(good)`` is at most the target and ``value(bad)`` is not. Bisection goes as far as an octave; within it logarithms
    over places are close to straight lines, and interpolation (Illinois: the height of an end that stays is halved) closes
    in from both sides. Where it is slow, as on the stairs that rounding makes of a flat curve, every second step is a halving.
    """
    while abs(good - bad) > _OCTAVE:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if value(middle) <= target else (good, middle)
    if abs(good - bad) <= near + 1:
        return good
    low, high = _height(value(good), target), _height(value(bad), target)
    slow, stayed = 0, 0
    while (left := abs(good - bad)) > near + 1:
        halving = slow == _SLOW
        place = (good + bad) // 2 if halving else _between(good, bad, low, high)
        found = value(place)
        if found <= target:
            good, low = place, _height(found, target)
            high, stayed = (high / 2, 1) if stayed == 1 else (high, 1)
        else:
            bad, high = place, _height(found, target)
            low, stayed = (low / 2, -1) if stayed == -1 else (low, -1)
        slow = 0 if halving or 2 * abs(good - bad) <= left else slow + 1
    return good


def _height(value: float, target: float) -> float:
    """How far a value is above the target, in a scale in which powers are straight; nan where that is not a number."""
    if value > 0 and target > 0 and math.isfinite(value):
        near = abs(value - target) <= target / 2
        return math.log1p((value - target) / target) if near else math.log(value) - math.log(target)
    return value - target


def _between(good: int, bad: int, low: float, high: float) -> int:
    """A place strictly between, by a straight line through both heights; the middle where there is none."""
    inner = sorted((good, bad))
    share = low / (low - high) if math.isfinite(low) and math.isfinite(high) and low != high else 0.5
    place = good + round((bad - good) * (share if 0 <= share <= 1 else 0.5))
    return min(max(place, inner[0] + 1), inner[1] - 1)

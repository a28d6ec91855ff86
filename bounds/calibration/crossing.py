"""Where a monotone function of places crosses a target, in floats: a few looks where bisection would take sixty."""

from __future__ import annotations

import math
from collections.abc import Callable

#: Steps by interpolation between two bisections.
_INTERPOLATED = 3


def crossing(value: Callable[[int], float], target: float, good: int, bad: int, near: int = 0) -> int:
    """A place where ``value`` is at most the target, with one where it is not at most ``near`` + 1 places towards ``bad``.

    ``value(good)`` is at most the target and ``value(bad)`` is not. Logarithms of values over places are close to straight
    lines for powers of a parameter, so interpolation lands near the place; every fourth step halves what is left.
    """
    low, high = _height(value(good), target), _height(value(bad), target)
    step = 0
    while abs(good - bad) > near + 1:
        step += 1
        place = _between(good, bad, low, high) if step % (_INTERPOLATED + 1) else (good + bad) // 2
        height = _height(found := value(place), target)
        # Where one end stays, its height is halved (Illinois), so that the next step passes the place.
        if found <= target:
            good, low, high = place, height, high / 2
        else:
            bad, high, low = place, height, low / 2
    return good


def _height(value: float, target: float) -> float:
    """How far a value is above the target, in a scale in which powers are straight; nan where that is not a number."""
    if value > 0 and target > 0 and math.isfinite(value):
        return math.log(value) - math.log(target)
    return value - target


def _between(good: int, bad: int, low: float, high: float) -> int:
    """A place strictly between, by a straight line through both heights; the middle where there is none."""
    inner = sorted((good, bad))
    share = low / (low - high) if math.isfinite(low) and math.isfinite(high) and low != high else 0.5
    if not 0 <= share <= 1:
        share = 0.5
    place = good + round((bad - good) * share)
    return min(max(place, inner[0] + 1), inner[1] - 1)

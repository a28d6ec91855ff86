"""Where a bound that first falls and then rises is least: a grid that must show one valley, then Arb."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from bounds.calibration.problem import SURE, Problem

_PARTS = 32
#: Of floats: 2^-32 of the value. Arb tells two points this far apart, also near the bottom.
_STEP = 1 << 20
_SECANTS = 9
_WIDENING = 16


class NotUnimodalError(Exception):
    """The grid shows more than one valley, or a place without a value."""


@dataclass(frozen=True, slots=True)
class Valley:
    """The least value lies at a place in [low, high]; ``place`` is one of them, and for an integer the only one."""

    low: int
    place: int
    high: int
    points: int


def valley(problem: Problem, first: int, last: int) -> Valley:
    """The bottom between two places, given that there is one valley: the grid supports that, and does not prove it.

    Raises:
        NotUnimodalError: where the grid shows otherwise.
    """
    low, _, high, points = coarse(problem, first, last)
    low, high = _bisected(problem, low, high)
    place = (low + high) // 2
    for end in {low, high} & {first, last}:
        if end != place and (problem.order(place, end) or 0) < 0:
            place = end
    return Valley(low, place, high, points)


def coarse(problem: Problem, first: int, last: int) -> tuple[int, int, int, int]:
    """Two places around the bottom, the best place met, and how many points were looked at; floats only.

    Raises:
        NotUnimodalError: where the grid shows more than one valley.
    """
    places, points = problem.line.grid(first, last), 0
    while True:
        points += len(places)
        low, best, high = _bracket(problem, places)
        if high - low <= _PARTS or 2 * (high - low) > places[-1] - places[0]:
            return low, best, high, points
        places = problem.line.within(low, high, _PARTS)


def _bracket(problem: Problem, places: list[int]) -> tuple[int, int, int]:
    values = problem.values(places)
    lost = [place for place, value in zip(places, values, strict=True) if math.isnan(value)]
    if lost:
        raise NotUnimodalError(f"the bound has no value at {problem.line.name}={problem.line.value(lost[0]):g}")
    best = values.index(min(values))
    for (left, right), place in zip(pairwise(values), places, strict=False):
        rising = place >= places[best]
        if _above(left, right) if rising else _above(right, left):
            raise NotUnimodalError(f"the bound has more than one valley: it turns near {problem.line.name}={problem.line.value(place):g}")
    higher = [_above(value, values[best]) for value in values]
    low = max((k for k in range(best) if higher[k]), default=0)
    high = min((k for k in range(best, len(values)) if higher[k]), default=len(values) - 1)
    return places[low], places[best], places[high]


def _above(one: float, other: float) -> bool:
    """Whether ``one`` is above ``other`` by more than both their errors."""
    return one > other and (math.isinf(one) or one - other > SURE * max(abs(one), abs(other)))


def _bisected(problem: Problem, low: int, high: int) -> tuple[int, int]:
    whole = problem.line.integer
    step = 1 if whole else _STEP
    low, high = (low, high) if whole else _closer(problem, low, high)
    while high - low > (0 if whole else 3 * step):
        middle = (low + high - step) // 2
        order = _order(problem, middle, middle + step)
        if whole:
            low, high = (low, middle) if order >= 0 else (middle + 1, high)
        else:
            low, high = middle if order <= 0 else low, middle + step if order >= 0 else high
    return low, high


def _order(problem: Problem, first: int, second: int) -> int:
    order = problem.order(first, second)
    if order is None:
        raise NotUnimodalError(f"the bound has no value near {problem.line.name}={problem.line.value(first):g}")
    return order


def _closer(problem: Problem, low: int, high: int) -> tuple[int, int]:
    """A narrower bracket of the bottom: a secant search for where the slope is 0, confirmed by Arb on both sides."""
    place = _flat(problem, low, high)
    width = 4 * _STEP
    while place is not None and width < (high - low) // 4:
        left, right = max(place - width, low), min(place + width, high - _STEP)
        falls, rises = _order(problem, left, left + _STEP) <= 0, _order(problem, right, right + _STEP) >= 0
        low, high = left if falls else low, right + _STEP if rises else high
        if falls and rises:
            break
        width *= _WIDENING
    return low, high


def _flat(problem: Problem, low: int, high: int) -> int | None:
    """About where the slope is 0, or None."""
    one, other = low, high - _STEP
    slopes = [problem.slope(place, place + _STEP) for place in (one, other)]
    for _ in range(_SECANTS):
        if not slopes[0] < 0 < slopes[1]:
            return None
        place = one + round((other - one) * (slopes[0] / (slopes[0] - slopes[1])))
        slope = problem.slope(place, place + _STEP)
        if slope != slope or abs(place - one) < _STEP or abs(other - place) < _STEP:
            break
        if slope <= 0:
            one, slopes = place, [slope, slopes[1] / 2]
        else:
            other, slopes = place, [slopes[0] / 2, slope]
    return place

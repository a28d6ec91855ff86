"""The search of :mod:`bounds.numeric.minimum` for many functions at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.numeric.minimum import NEIGHBOUR, SLACK, STEP

#: What a body gives at integers: falling part, value, relative error of the chunk, and the mask of bad points.
Body = Callable[[Any], tuple[Any, Any, float, Any]]
_ROUNDS = 30
_SETTLED = 1e-6
_Floats = NDArray[np.float64]


def least_array(body: Body, slope: Any, low: Any, high: Any, shape_of: tuple[Any, ...]) -> tuple[_Floats, float, NDArray[np.bool_] | None]:
    """(values, relative error, mask of undecided points); ``shape_of`` are the values that the body depends on."""
    shape = np.broadcast_shapes(*(np.shape(value) for value in (slope, low, high, *shape_of)))
    high = np.maximum(low, high)
    low, high = (np.broadcast_to(np.asarray(end, dtype=np.float64), shape) for end in (low, high))
    with np.errstate(all="ignore"):
        place = _places(body, np.broadcast_to(slope, shape), low, high)
        return _certified(body, low, high, place)


def _balance(body: Body, slope: Any, high: _Floats, place: _Floats) -> _Floats:
    """log of the fall per step over the slope; -inf where nothing falls any more."""
    end = np.minimum(place + np.maximum(1.0, np.floor(place * STEP)), high)
    fall = (body(place)[0] - body(end)[0]) / np.maximum(end - place, 1.0)
    return np.where(fall > 0, np.log(np.where(fall > 0, fall, 1.0) / slope), -np.inf)


def _places(body: Body, slope: Any, low: _Floats, high: _Floats) -> _Floats:
    left, right = low.copy(), np.maximum(high - 1.0, low)
    above, below = _balance(body, slope, high, left), _balance(body, slope, high, right)
    found = np.where(above <= 0, left, np.where(below > 0, high, np.nan))
    for _ in range(_ROUNDS):
        open_ = np.isnan(found) & (right - left > 1)
        if not open_.any():
            break
        share = np.where(np.isfinite(below), above / (above - below), 0.5)
        guess = np.expm1(np.log1p(left) + share * (np.log1p(right) - np.log1p(left)))
        place = np.clip(np.rint(guess), left, right)
        place = np.where(open_, np.clip(place, left + 1, right - 1), left)
        here = _balance(body, slope, high, place)
        settled = open_ & (np.abs(here) < _SETTLED)
        found = np.where(settled, place + np.floor(place * STEP / 2), found)
        up, down = open_ & (here > 0), open_ & ~(here > 0)
        left, right = np.where(up, place, left), np.where(down, place, right)
        above, below = np.where(up, here, np.where(down, above / 2, above)), np.where(down, here, np.where(up, below / 2, below))
    return np.clip(np.where(np.isnan(found), right, found), low, high)


def _certified(body: Body, low: _Floats, high: _Floats, place: _Floats) -> tuple[_Floats, float, NDArray[np.bool_] | None]:
    _, value, error, bad = body(place)
    distance = np.maximum(1.0, np.floor(place * NEIGHBOUR))
    proved = np.zeros(np.shape(value), dtype=bool)
    for widening in (1.0, 8.0, 64.0):
        step = distance * widening
        shown, slack = np.ones_like(proved), np.zeros(proved.shape)
        for end in (np.maximum(low, place - step), np.minimum(high, place + step)):
            _, beside, other, outside = body(end)
            larger = beside - np.abs(beside) * other > value + np.abs(value) * error
            larger = larger if outside is None else larger & ~outside
            shown &= larger | (end == place)
            slack = np.maximum(slack, np.where(step > 1, (beside - value + np.abs(beside) * other) / np.abs(value) + error, 0.0))
        proved |= shown & (slack <= SLACK)
        if proved.all():
            break
    undecided = ~proved if bad is None else ~proved | bad
    return value, error + SLACK, undecided if undecided.any() else None

"""The search for points where one bound is smaller and points where the other one is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.arrays import drawn, fitted
from bounds.box import Box, Point, is_integer
from bounds.comparison.points import Columns, Points, point_at
from bounds.errors import GossipBoundsError
from bounds.symbols import rank_of

_ROUNDS = 10
_PARENTS = 16
_MOST_CORNERS = 1024
_DRAWS = 3
_CERTAIN = 1e-11


def search(points: Points, box: Box, samples: int, seed: int) -> dict[int, Point]:
    """Admissible points by the certified sign of a - b there; a sign without a point was not found.

    Corners of the box and random points come first; then the best ones are moved one parameter at a time.
    """
    random = np.random.default_rng(seed)
    names = [name for name in box if not rank_of(name)]
    found: dict[int, Point] = {}
    for arrays in _arrays(box, random):
        start = _start(names, box, samples, random)
        for sign in (-1, 1):
            if sign not in found:
                point = _climbed(points, sign, names, box, start, arrays, random)
                found |= {} if point is None else {sign: point}
    return found


def some_point(points: Points, box: Box, samples: int, seed: int) -> Point | None:
    """An admissible point, whatever the order there; None where the search meets none."""
    random = np.random.default_rng(seed)
    names = [name for name in box if not rank_of(name)]
    crowd = _start(names, box, samples, random)
    arrays = next(_arrays(box, random))
    for _ in range(_ROUNDS):
        columns = {**arrays, **{name: crowd[:, place] for place, name in enumerate(names)}}
        worst = np.nan_to_num(points.worst(columns), nan=-1.0)
        order = np.argsort(-worst, kind="stable")[:_PARENTS]
        point = point_at(columns, int(order[0]))
        if points.holds(point):
            return point
        crowd = np.concatenate([crowd[order], *(_moved(crowd[place], names, box, random) for place in order)])
    return None


def _arrays(box: Box, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    """A few choices of the parameters that are arrays, of lengths that fit together."""
    names = [name for name in box if rank_of(name)]
    for _ in range(_DRAWS if names else 1):
        yield fitted({name: drawn(name, *box[name], random.random()) for name in names})


def _start(names: Sequence[str], box: Box, samples: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Points of shape (count, names): corners (a random choice where there are many), and random points between them."""
    count = min(2 ** min(len(names), 20), _MOST_CORNERS)
    every = 2 ** len(names) == count
    ends = np.array(list(itertools.product((0.0, 1.0), repeat=len(names)))) if every else random.integers(0, 2, (count, len(names)))
    shares = np.concatenate([ends, random.random((samples, len(names)))])
    return np.stack([_between(name, *box[name], shares[:, place]) for place, name in enumerate(names)], axis=1)


def _between(name: str, low: float, high: float, share: Any) -> NDArray[np.float64]:
    """As :func:`bounds.box.between`, for arrays of shares."""
    value = np.exp((1 - share) * math.log(low) + share * math.log(high)) if low > 0 else (1 - share) * low + share * high
    value = np.where(share == 0, low, np.where(share == 1, high, np.clip(value, low, high)))
    return np.asarray(np.rint(value) if is_integer(name) else value, dtype=np.float64)


def _climbed(
    points: Points,
    sign: int,
    names: Sequence[str],
    box: Box,
    start: NDArray[np.float64],
    arrays: dict[str, Any],
    random: np.random.Generator,
) -> Point | None:
    """A certified point of the sign; the trail first leads to where the assumptions hold."""
    crowd = start
    for _ in range(_ROUNDS):
        columns = {**arrays, **{name: crowd[:, place] for place, name in enumerate(names)}}
        score = _score(points, sign, columns)
        order = np.argsort(-score, kind="stable")[:_PARENTS]
        for place in order[:2]:
            if score[place] > _CERTAIN:
                point = point_at(columns, int(place))
                if points.holds(point) and points.sign(point) == sign:
                    return point
        crowd = np.concatenate([crowd[order], *(_moved(crowd[place], names, box, random) for place in order)])
    return None


def _score(points: Points, sign: int, columns: Columns) -> NDArray[np.float64]:
    """The signed gap where the assumptions hold, and -2 less the violation where they fail."""
    try:
        worst = np.nan_to_num(points.worst(columns), nan=-1.0)
        gap = np.nan_to_num(sign * points.gap(columns), nan=-1.5)
    except GossipBoundsError:
        return np.full(len(next(iter(columns.values()))), -9.0)
    return np.where(worst >= 0, gap, -2 + np.minimum(worst, 0))


def _moved(point: NDArray[np.float64], names: Sequence[str], box: Box, random: np.random.Generator) -> NDArray[np.float64]:
    """The point with one parameter at an end of its range, or anywhere in it, or close by."""
    result = []
    for place, name in enumerate(names):
        low, high = box[name]
        spread = math.log(high / low) if low > 0 else 1.0
        near = point[place] * np.exp(spread * random.normal(0, [0.02, 0.1, 0.3, 0.001])) if low > 0 else point[place]
        for value in np.atleast_1d(np.concatenate([[low, high], _between(name, low, high, random.random(2)), np.atleast_1d(near)])):
            moved = point.copy()
            moved[place] = min(max(round(value) if is_integer(name) else value, low), high)
            result.append(moved)
    return np.array(result).reshape(-1, len(names))

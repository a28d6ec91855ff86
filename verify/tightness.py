"""Tightness over two parameters: by what factor a bound lies above what was measured, point by point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError
from verify.statistics import MIN_REPLICATES, max_t_band

LEVEL = 0.05
_RESAMPLES = 9_999
Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TightnessMap:
    """bound/measured at the points of a grid; every array has shape (y, x), without a unit.

    Attributes:
        bound: its id. names: the parameters across and up. x, y: their values, ascending.
        ratio: the bound over the measured mean (a mean over ``replicates``); nan where nothing was measured, where the mean is not
            positive, and where an assumption of the bound fails.
        measured: where there is a measurement. applies: where no assumption is known to fail.
        sure: where the simultaneous lower end of the mean, at confidence ``1 - LEVEL`` over all points, is positive (nowhere with
            fewer than ``MIN_REPLICATES`` replicates).
    """

    bound: str
    names: tuple[str, str]
    x: Values
    y: Values
    ratio: Values
    measured: Flags
    applies: Flags
    sure: Flags
    replicates: int


def tightness_map(
    bound: str,
    names: tuple[str, str],
    points: Sequence[tuple[float, ...]],
    values: ArrayLike,
    limits: ArrayLike,
    applies: Sequence[bool],
    seed: int = 0,
) -> TightnessMap:
    """The map of measurements ``values`` (replicates, points) below the bound's values ``limits`` (points,) at ``points`` (x, y).

    Raises:
        DomainError: for no point, lengths that differ, or a point given twice.
    """
    measured, bounded = np.asarray(values, dtype=np.float64), np.asarray(limits, dtype=np.float64)
    if not points or measured.ndim != 2 or {len(points), measured.shape[1], len(applies)} != set(bounded.shape):
        raise DomainError(f"got {len(points)} points, values {measured.shape}, {bounded.shape} bounds; give one value and bound per point")
    if len(set(points)) < len(points):
        raise DomainError("got a point twice; give each one once")
    x, y = (np.array(sorted({point[side] for point in points})) for side in (0, 1))
    place = (np.searchsorted(y, [point[1] for point in points]), np.searchsorted(x, [point[0] for point in points]))
    mean = measured.mean(axis=0)
    said = (mean > 0) & np.array(applies, dtype=np.bool_) & np.isfinite(bounded)
    ratio = np.full((y.size, x.size), np.nan)
    ratio[place] = np.where(said, bounded / np.where(said, mean, 1.0), np.nan)
    return TightnessMap(
        bound,
        names,
        x,
        y,
        ratio,
        measured=_placed(ratio, place, np.ones(mean.shape, dtype=np.bool_)),
        applies=_placed(ratio, place, np.array(applies, dtype=np.bool_)),
        sure=_placed(ratio, place, _positive(measured, seed)),
        replicates=len(measured),
    )


def _placed(like: Values, place: tuple[NDArray[np.intp], NDArray[np.intp]], flags: Flags) -> Flags:
    grid = np.zeros(like.shape, dtype=np.bool_)
    grid[place] = flags
    return grid


def _positive(values: Values, seed: int) -> Flags:
    if len(values) < MIN_REPLICATES:
        return np.zeros(values.shape[1], dtype=np.bool_)
    return np.asarray(max_t_band(values, LEVEL, _RESAMPLES, np.random.default_rng(seed)).low > 0, dtype=np.bool_)

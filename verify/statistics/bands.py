"""Simultaneous bands for a mean curve: the studentised max-t bootstrap over whole replicates.

Source of the method: the bootstrap-t (Efron 1979; Hall 1992, ch. 3) applied to the maximum over the points of the curve
(Romano and Wolf 2005). A replicate (a row) is drawn or left out as a whole, so correlation along the curve is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_MEMORY = 64 * 2**20
_TAIL = 5
_SHARED = 20
_ROUNDING = 64 * float(np.finfo(np.float64).eps)
_COLLAPSED = 1e-12
_LARGEST = 1e150


@dataclass(frozen=True, slots=True)
class Band:
    """Mean curve with one-sided simultaneous ends, each at confidence ``1 - level``.

    ``mean``, ``standard_error`` (standard deviation with 1/(R-1), over sqrt(R)), ``low`` and ``high`` have shape (points,)
    and the unit of the values. ``low = mean - quantile_low * standard_error``, ``high = mean + quantile_high * standard_error``.
    A ``blind`` point has infinite ends: (nearly) all its replicates agree, so they say nothing about the error of their mean.
    """

    mean: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    quantile_low: float
    quantile_high: float
    level: float
    replicates: int
    blind: Flags


def max_t_band(values: ArrayLike, level: float, resamples: int, rng: np.random.Generator) -> Band:
    """One-sided simultaneous bands for the mean of ``values`` (replicates, points), at ``level`` for each end.

    The low end uses the (1 - level) quantile, over ``resamples`` bootstrap resamples, of max_p (mean*_p - mean_p)/se*_p, the
    high end that of max_p (mean_p - mean*_p)/se*_p, with se* recomputed in every resample (1/(R-1)). The quantile is the
    conservative order statistic ceil((1 - level)(resamples + 1)). A resample without spread at some point counts as +inf.

    Raises:
        DomainError: for non-finite values, fewer than two replicates, a level outside (0, 0.5], or too few resamples.
    """
    table = as_table(values)
    return max_t_bands(table[None], level, resamples, rng)[0]


def max_t_bands(stack: ArrayLike, level: float, resamples: int, rng: np.random.Generator) -> list[Band]:
    """:func:`max_t_band` for each entry of ``stack`` (trials, replicates, points), fast enough for thousands of trials.

    Raises:
        DomainError: as :func:`max_t_band`, and when the stack has not three axes.
    """
    data = _numbers(stack, ("trials", "replicates", "points"))
    require_level(level, resamples)
    if data.shape[1] < 2:
        raise DomainError(f"got {data.shape[1]} replicate; a standard error needs at least 2, so run more replicates")
    # Trials in one block share their resampling weights. Given its data, each trial still meets resamples drawn exactly as a
    # bootstrap of its own would draw them, so every single band is valid; only the Monte Carlo error of the quantile (standard
    # deviation of the level below sqrt(level/resamples)) is common to a block, and each block draws afresh.
    blocks = (data[start : start + _SHARED] for start in range(0, len(data), _SHARED))
    return [band for block in blocks for band in _block(block, level, resamples, rng)]


def as_table(values: ArrayLike) -> Floats:
    """``values`` as finite float64 of shape (replicates, points), neither of them 0.

    Raises:
        DomainError: for another shape, or a value that is not finite or above 1e150 in size.
    """
    return _numbers(values, ("replicates", "points"))


def require_level(level: float, resamples: int) -> None:
    """Refuse a level that is none, and a number of resamples whose tail holds fewer than five of them.

    Raises:
        DomainError: naming how many resamples are needed.
    """
    if not 0 < level <= 0.5:
        raise DomainError(f"level {level}; need 0 < level <= 0.5, for example 0.05")
    needed = math.ceil(_TAIL / level - 1e-9) - 1
    if resamples < needed:
        raise DomainError(f"{resamples} resamples cannot show the tail at level {level:.4g}; use at least {needed}")


def resamples_for(level: float, least: int) -> int:
    """How many resamples show the tail at ``level``: at least ``least``.

    Raises:
        DomainError: for a level outside (0, 0.5].
    """
    if not 0 < level <= 0.5:
        raise DomainError(f"level {level}; need 0 < level <= 0.5, for example 0.05")
    return max(least, math.ceil(_TAIL / level))


def spreadless(stack: Floats) -> Flags:
    """Where the replicates of ``stack`` (..., replicates, points) agree up to rounding; shape (..., points)."""
    low, high = stack.min(axis=-2), stack.max(axis=-2)
    return np.asarray(high - low <= _ROUNDING * np.maximum(np.abs(low), np.abs(high)))


def _numbers(values: ArrayLike, axes: tuple[str, ...]) -> Floats:
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != len(axes) or data.size == 0:
        raise DomainError(f"values of shape {data.shape}; need ({', '.join(axes)}), none of them 0")
    fine = np.abs(data) <= _LARGEST
    if not fine.all():
        place = np.argwhere(~fine)[0]
        where = ", ".join(f"{name[:-1]} {at}" for name, at in zip(axes, place, strict=True))
        raise DomainError(
            f"value {data[tuple(place)]} at {where}; need finite values (at most {_LARGEST:g}), so find out why the run diverged"
        )
    return data


def _block(stack: Floats, level: float, resamples: int, rng: np.random.Generator) -> list[Band]:
    trials, replicates, _ = stack.shape
    mean = np.clip(stack.mean(axis=1), stack.min(axis=1), stack.max(axis=1))
    deviation = stack - mean[:, None]
    scale = np.abs(deviation).max(axis=1)
    unit = deviation / np.where(scale > 0, scale, 1.0)[:, None]
    error = unit.std(axis=1, ddof=1) * scale / math.sqrt(replicates)
    blind = _blind(stack, level) | (error == 0)
    rank = math.ceil((1 - level) * (resamples + 1) - 1e-9)
    maxima = _maxima(unit, blind, resamples, rng)
    quantiles = np.partition(maxima, rank - 1, axis=1)[:, rank - 1]
    return [_band(mean[k], error[k], blind[k], quantiles[:, k], level, replicates) for k in range(trials)]


def _blind(stack: Floats, level: float) -> Flags:
    """Points without spread, or where one value is so common that more than ``level`` of the resamples contain nothing else.

    Such a point alone would have an infinite band (rare events, hardly ever seen). Leaving it out of the maximum changes
    nothing for it and keeps it from widening the band of its neighbours to infinity as well.
    """
    replicates = stack.shape[1]
    middle = np.partition(stack, replicates // 2, axis=1)[:, replicates // 2]
    share = (stack == middle[:, None]).mean(axis=1)
    return np.asarray(spreadless(stack) | (share**replicates > level))


def _maxima(unit: Floats, blind: Flags, resamples: int, rng: np.random.Generator) -> Floats:
    """Maxima over the points of the studentised deviation and of its negative; shape (2, resamples, trials)."""
    trials, replicates, points = unit.shape
    rows = unit.transpose(1, 0, 2).reshape(replicates, trials * points)
    moments = np.concatenate([rows, rows**2], axis=1)
    found = np.empty((2, resamples, trials))
    at = 0
    for weights in _weights(replicates, resamples, 8 * trials * points, rng):
        ratio, collapsed = _studentised(weights @ moments, replicates)
        for side, sign in enumerate((1.0, -1.0)):
            signed = np.where(collapsed, np.inf, sign * ratio).reshape(len(weights), trials, points)
            found[side, at : at + len(weights)] = np.where(blind, -np.inf, signed).max(axis=2)
        at += len(weights)
    return found


def _weights(replicates: int, resamples: int, columns: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each replicate is drawn, shape (chunk, replicates), in chunks that keep all temporaries within the memory budget."""
    chunk = max(1, _MEMORY // (8 * (4 * replicates + columns)))
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        # Drawing places and counting them is five times faster than drawing multinomial counts.
        drawn = rng.integers(0, replicates, size=(count, replicates), dtype=np.uint32).astype(np.int64)
        drawn += replicates * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * replicates).reshape(count, replicates).astype(np.float64)


def _studentised(sums: Floats, replicates: int) -> tuple[Floats, Flags]:
    """(mean* - mean)/se* from the weighted sums of the centred values and of their squares, and where se* is 0.

    A sum of squares that cancels to 1e-12 of its terms is taken as 0: there the ratio would exceed 1e6 in size, or is rounding.
    """
    first, second = np.split(sums, 2, axis=1)
    squares = second - first**2 / replicates
    collapsed = squares <= _COLLAPSED * second
    spread = np.sqrt(np.where(collapsed, 1.0, squares) * (replicates / (replicates - 1)))
    return first / spread, collapsed


def _band(mean: Floats, error: Floats, blind: Flags, quantiles: Floats, level: float, replicates: int) -> Band:
    below, above = (float(quantile) if not blind.all() else math.inf for quantile in quantiles)
    step = np.where(blind, 1.0, error)
    low = np.where(blind, -np.inf, mean - below * step)
    high = np.where(blind, np.inf, mean + above * step)
    return Band(mean, error, low, high, below, above, level, replicates, blind)

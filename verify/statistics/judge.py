"""Judges measured replicates against a bound, or against a margin around zero."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from bounds.errors import DomainError
from verify.statistics.bands import Band, Flags, Floats, as_table, max_t_band, require_level, spreadless
from verify.statistics.decision import MIN_REPLICATES, Corridor, Judgement, decide


def judge(
    values: ArrayLike,
    bound: ArrayLike,
    level: float,
    resamples: int,
    rng: np.random.Generator,
    deterministic: bool = False,
    points: Sequence[str] = (),
) -> Judgement:
    """Whether the mean of ``values`` (replicates, points) lies at or below ``bound`` (points,), in the same unit, at every point.

    VIOLATED when the simultaneous lower end lies above the bound somewhere, HOLDS when the simultaneous upper end lies at or
    below it everywhere, UNDECIDED between. The deciding point has the smallest ratio of bound to upper end, or the largest
    excess of the lower end when violated. Fewer than ``MIN_REPLICATES`` replicates, and points where (nearly) all replicates
    agree, decide nothing. ``deterministic=True`` declares that a point without spread has no sampling error: there the smallest
    and largest value are compared, one replicate is enough, and points that do vary are judged as usual.

    Each of the two errors has probability about ``level``; :mod:`verify.statistics.calibration` measures it. That needs tails
    which the replicates show: one point of a log-normal law with log standard deviation 1.5 falsely HOLDS in 19, 15 and 11 % of
    the cases at 10, 20 and 100 replicates and level 0.05.

    Raises:
        DomainError: for values or bounds that are not finite, shapes that do not match, a bad level, or too few resamples.
    """
    table = as_table(values)
    corridor = dataclasses.replace(below(bound, table.shape[1]), points=tuple(points))
    return _judge(table, corridor, level, resamples, rng, deterministic)


def equivalent(
    values: ArrayLike,
    margin: ArrayLike,
    level: float,
    resamples: int,
    rng: np.random.Generator,
    deterministic: bool = False,
) -> Judgement:
    """Whether the mean of ``values`` (replicates, points) lies within plus or minus ``margin`` (points,) of 0 at every point.

    HOLDS when both ends of the band lie within the margin everywhere (two one-sided tests), VIOLATED when the band lies wholly
    outside somewhere, UNDECIDED between. Each end is taken at ``level / 2``, because a false VIOLATED can happen on either side;
    ``numbers`` carry the margin as ``bound`` and margin over absolute mean as ``tightness``. The rest is as in :func:`judge`.

    Raises:
        DomainError: as :func:`judge`, and for a negative margin.
    """
    table = as_table(values)
    ceiling = _curve(margin, table.shape[1], "margin")
    if (ceiling < 0).any():
        raise DomainError(f"margin {ceiling.min():.6g}; need a margin of 0 or more at every point")
    require_level(level, resamples)
    return _judge(table, Corridor(-ceiling, ceiling, "margin"), level / 2, resamples, rng, deterministic)


def split_level(level: float, claims: int) -> float:
    """The level for each of ``claims`` measured claims, so that any false verdict has probability at most ``level`` (Bonferroni).

    Raises:
        DomainError: for a level outside (0, 0.5] or no claims.
    """
    if not 0 < level <= 0.5:
        raise DomainError(f"level {level}; need 0 < level <= 0.5, for example 0.05")
    if claims < 1:
        raise DomainError(f"{claims} claims to split a level over; need at least 1")
    return level / claims


def below(bound: ArrayLike, points: int) -> Corridor:
    """The statement that a mean curve of ``points`` points lies at or below ``bound``.

    Raises:
        DomainError: when the bound has another shape or is not finite.
    """
    ceiling = _curve(bound, points, "bound")
    return Corridor(np.full(points, -np.inf), ceiling, "bound")


def _curve(given: ArrayLike, points: int, name: str) -> Floats:
    curve = np.asarray(given, dtype=np.float64)
    if curve.shape != (points,):
        raise DomainError(f"{name} of shape {curve.shape}; the values have {points} points, so give an array of shape ({points},)")
    if not np.isfinite(curve).all():
        point = int(np.argmin(np.isfinite(curve)))
        raise DomainError(f"{name} {curve[point]} at point {point}; need finite numbers, so leave such points out and say so")
    return curve


def _judge(table: Floats, corridor: Corridor, level: float, resamples: int, rng: np.random.Generator, deterministic: bool) -> Judgement:
    require_level(level, resamples)
    exact = spreadless(table) if deterministic else np.zeros(table.shape[1], dtype=bool)
    bootstrap = len(table) >= MIN_REPLICATES and not exact.all()
    band = max_t_band(table, level, resamples, rng) if bootstrap else _no_band(table, level)
    return decide(_with_exact(band, table, exact), corridor, exact)


def _no_band(table: Floats, level: float) -> Band:
    """The band of values whose error is unknown: infinite ends at every point."""
    replicates, points = table.shape
    mean = np.clip(table.mean(axis=0), table.min(axis=0), table.max(axis=0))
    error = table.std(axis=0, ddof=1) / math.sqrt(replicates) if replicates > 1 else np.full(points, np.inf)
    ends = np.full(points, np.inf)
    return Band(mean, error, -ends, ends, math.inf, math.inf, level, replicates, np.ones(points, dtype=bool))


def _with_exact(band: Band, table: Floats, exact: Flags) -> Band:
    """``band`` with the smallest and largest value as ends, and no standard error, at the points that are ``exact``."""
    low = np.where(exact, table.min(axis=0), band.low)
    high = np.where(exact, table.max(axis=0), band.high)
    return dataclasses.replace(
        band, low=low, high=high, standard_error=np.where(exact, 0.0, band.standard_error), blind=band.blind & ~exact
    )

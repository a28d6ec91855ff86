"""Measures the verdict path itself: false alarms where theory is exactly tight, power against planted violations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from bounds.errors import DomainError
from verify.statistics.bands import Band, max_t_bands
from verify.statistics.decision import MIN_REPLICATES, decide
from verify.statistics.judge import below
from verify.statistics.noise import KINDS, Sampler, decaying_curve, sampler
from verify.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``trials``, their ratio, and the exact (Clopper-Pearson) 95 % interval from ``low`` to ``high``."""

    count: int
    trials: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PowerPoint:
    """The rate of VIOLATED when the bound is multiplied by ``factor``."""

    factor: float
    violated: Rate


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """Error rates for one noise law and one number of replicates, both nominally ``level``.

    ``false_violated``: VIOLATED where the bound equals the truth at every point. ``holds_at_equality``: HOLDS there.
    ``false_holds``: HOLDS where the bound equals the truth at the first point and is far above it at the others, the least
    favourable limit of curves that exceed their bound.
    """

    noise: str
    replicates: int
    points: int
    level: float
    false_violated: Rate
    holds_at_equality: Rate
    false_holds: Rate


def rate(count: int, trials: int) -> Rate:
    """The :class:`Rate` of ``count`` events in ``trials`` independent trials (Clopper and Pearson 1934).

    Raises:
        DomainError: unless 0 <= count <= trials and trials >= 1.
    """
    if trials < 1 or not 0 <= count <= trials:
        raise DomainError(f"{count} events in {trials} trials; need at least one trial and 0 to {trials} events")
    low = float(betaincinv(count, trials - count + 1, 0.025)) if count else 0.0
    high = float(betaincinv(count + 1, trials - count, 0.975)) if count < trials else 1.0
    return Rate(count, trials, count / trials, low, high)


def verdict_rates(values: ArrayLike, bound: ArrayLike, level: float, resamples: int, rng: np.random.Generator) -> dict[Verdict, Rate]:
    """The rate of each verdict of :func:`verify.statistics.judge` over ``values`` (trials, replicates, points).

    ``bound`` has shape (points,). The trials must be independent; blocks of them share resampling weights (see
    :func:`verify.statistics.bands.max_t_bands`), which the interval does not include.

    Raises:
        DomainError: as ``judge``, and for fewer than ``MIN_REPLICATES`` replicates, with which every verdict is UNDECIDED.
    """
    return verdict_rates_of(values, [bound], level, resamples, rng)[0]


def verdict_rates_of(
    values: ArrayLike, candidates: Sequence[ArrayLike], level: float, resamples: int, rng: np.random.Generator
) -> list[dict[Verdict, Rate]]:
    """:func:`verdict_rates` for several bounds (points,) each: one set of bands serves them all, because a band does not depend on the bound.

    Raises:
        DomainError: as :func:`verdict_rates`.
    """
    bands = _bands(values, level, resamples, rng)
    return [_rates(bands, bound) for bound in candidates]


def false_alarm(
    draw: Sampler, truth: ArrayLike, trials: int, replicates: int, level: float, resamples: int, rng: np.random.Generator
) -> Rate:
    """The rate of VIOLATED when the bound equals the ``truth`` (points,) that ``draw`` samples around.

    Raises:
        DomainError: as :func:`verdict_rates`.
    """
    return power(draw, truth, 1.0, trials, replicates, level, resamples, rng)


def power(
    draw: Sampler, truth: ArrayLike, factor: float, trials: int, replicates: int, level: float, resamples: int, rng: np.random.Generator
) -> Rate:
    """The rate of VIOLATED when the bound is ``factor`` times the ``truth`` (points,) that ``draw`` samples around.

    Raises:
        DomainError: as :func:`power_curve`.
    """
    curve = np.asarray(truth, dtype=np.float64)
    values = draw(curve, trials, replicates, rng)
    return power_curve(values, curve, [factor], level, resamples, rng)[0].violated


def power_curve(
    values: ArrayLike, bound: ArrayLike, factors: Sequence[float], level: float, resamples: int, rng: np.random.Generator
) -> tuple[PowerPoint, ...]:
    """The rate of VIOLATED over ``values`` (trials, replicates, points) for ``bound`` (points,) times each planted factor.

    One set of bands serves all factors; the rates are therefore monotone.

    Raises:
        DomainError: as :func:`verdict_rates`, for a factor outside (0, 1], or a negative bound (a factor would loosen it).
    """
    curve = np.asarray(bound, dtype=np.float64)
    if (curve < 0).any():
        raise DomainError(f"bound {curve.min():.6g}; a factor below 1 tightens only bounds of 0 or more")
    if wrong := [factor for factor in factors if not 0 < factor <= 1]:
        raise DomainError(f"factor {wrong[0]}; a planted violation needs 0 < factor <= 1")
    rates = verdict_rates_of(values, [factor * curve for factor in factors], level, resamples, rng)
    return tuple(PowerPoint(factor, found[Verdict.VIOLATED]) for factor, found in zip(factors, rates, strict=True))


def calibration_table(
    trials: int,
    replicates: Sequence[int],
    level: float,
    resamples: int,
    seed: int,
    noises: Sequence[str] = tuple(KINDS),
    points: int = 20,
) -> tuple[CalibrationRow, ...]:
    """Error rates of the verdict for each noise law and each number of replicates, on synthetic curves of ``points`` points.

    Every row draws from its own stream, fixed by ``seed``, the law and the number of replicates, whatever the other rows are.

    Raises:
        UnknownNameError: for a noise law that :func:`verify.statistics.noise.standard_noise` does not know.
        DomainError: as :func:`verdict_rates`.
    """
    return tuple(_row(noise, count, trials, level, resamples, seed, points) for noise in noises for count in replicates)


def _row(noise: str, replicates: int, trials: int, level: float, resamples: int, seed: int, points: int) -> CalibrationRow:
    rng = np.random.default_rng([seed, replicates, *noise.encode()])
    truth = decaying_curve(points)
    lone = truth + np.where(np.arange(points) == 0, 0.0, 1e6)
    equal, above = verdict_rates_of(sampler(noise)(truth, trials, replicates, rng), [truth, lone], level, resamples, rng)
    return CalibrationRow(noise, replicates, points, level, equal[Verdict.VIOLATED], equal[Verdict.HOLDS], above[Verdict.HOLDS])


def _bands(values: ArrayLike, level: float, resamples: int, rng: np.random.Generator) -> list[Band]:
    stack = np.asarray(values, dtype=np.float64)
    if stack.ndim == 3 and stack.shape[1] < MIN_REPLICATES:
        raise DomainError(f"{stack.shape[1]} replicates a trial; every verdict is UNDECIDED below {MIN_REPLICATES}, so give more")
    return max_t_bands(stack, level, resamples, rng)


def _rates(bands: Sequence[Band], bound: ArrayLike) -> dict[Verdict, Rate]:
    corridor = below(bound, len(bands[0].mean))
    exact = np.zeros(len(bands[0].mean), dtype=bool)
    counts: Counter[Verdict] = Counter(decide(band, corridor, exact).verdict for band in bands)
    return {verdict: rate(counts[verdict], len(bands)) for verdict in (Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNDECIDED)}

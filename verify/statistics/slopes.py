"""Is a measured curve a power of its parameter with a given exponent? An equivalence test with a drift check, never "p > 0.05".

The slope is the least-squares slope of ln(mean) on ln(x) over the means of whole replicates. It is linear in ln(mean), so by the
delta method each replicate r has a pseudo-value slope + sum_p w_p (y_rp - mean_p)/mean_p with the weights w of the regression;
their mean is the slope and their spread its error, and the studentised bootstrap of :mod:`verify.statistics.bands` applies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bounds.errors import DomainError
from verify.statistics.bands import Band, Floats, max_t_bands
from verify.statistics.calibration import Rate, rate
from verify.statistics.decision import MIN_REPLICATES
from verify.statistics.noise import KINDS, sampler
from verify.verdict import Verdict

_LARGEST_RELATIVE_ERROR = 0.2


@dataclass(frozen=True, slots=True)
class SlopeJudgement:
    """Whether the slope equals ``exponent`` up to ``margin``.

    ``slope`` with its interval from ``low`` to ``high``; ``drift`` is the slope of the later half minus that of the earlier half
    of the points, with its interval. Both intervals hold together at confidence 1 - level.
    """

    verdict: Verdict
    reason: str
    exponent: float
    margin: float
    slope: float
    low: float
    high: float
    drift: float
    drift_low: float
    drift_high: float


@dataclass(frozen=True, slots=True)
class SlopeCalibrationRow:
    """Error rates of the slope test where the true slope lies exactly on the margin, and its power.

    ``false_holds`` and ``false_violated`` are both nominally ``level``; ``power`` is HOLDS where the slope is the exponent.
    """

    noise: str
    replicates: int
    level: float
    false_holds: Rate
    false_violated: Rate
    power: Rate


def _regression(x: Floats) -> Floats:
    """Weights w with sum_p w_p ln(y_p) = the least-squares slope of ln(y) on ln(x)."""
    centred = np.log(x) - np.log(x).mean()
    return np.asarray(centred / (centred @ centred))


def _weights(x: ArrayLike) -> Floats:
    """Rows: the slope over all points, and the late minus the early slope; shape (2, points)."""
    places = np.asarray(x, dtype=np.float64)
    if places.ndim != 1 or len(places) < 4 or (places <= 0).any() or (np.diff(places) <= 0).any():
        raise DomainError(f"got the places {places.tolist()}; a slope with a drift check needs at least 4 ascending places > 0")
    half = (len(places) + 1) // 2
    early, late = np.zeros(len(places)), np.zeros(len(places))
    early[:half], late[-half:] = _regression(places[:half]), _regression(places[-half:])
    return np.stack([_regression(places), late - early])


def _pseudo_values(stack: Floats, weights: Floats) -> Floats:
    """(trials, replicates, 2) pseudo-values of the slope and the drift."""
    mean = stack.mean(axis=1, keepdims=True)
    return np.asarray((np.log(mean) + (stack - mean) / mean) @ weights.T)


def slope_test(
    values: ArrayLike,
    x: ArrayLike,
    exponent: float,
    margin: float,
    level: float,
    resamples: int,
    rng: np.random.Generator,
    drift_margin: float | None = None,
) -> SlopeJudgement:
    """Whether the means of ``values`` (replicates, points) follow x^exponent, up to ``margin`` in the exponent.

    HOLDS when the interval of the slope lies within the margin and that of the drift within ``drift_margin`` (default: twice
    the margin); VIOLATED when the slope's interval lies wholly outside while the drift is small; UNDECIDED otherwise, also when
    a mean is not clearly positive or local slopes drift, because a curve that bends has no exponent.

    Raises:
        DomainError: for fewer than 4 ascending positive places, a margin <= 0, or as :func:`verify.statistics.max_t_band`.
    """
    table = np.asarray(values, dtype=np.float64)
    limit = 2 * margin if drift_margin is None else drift_margin
    if margin <= 0 or limit <= 0:
        raise DomainError(f"got the margin {margin} and drift margin {limit}; both must be > 0")
    weights = _weights(x)
    refusal = _refusal(table)
    if refusal:
        nothing = (math.nan,) * 6
        return SlopeJudgement(Verdict.UNDECIDED, refusal, exponent, margin, *nothing)
    band = max_t_bands(_pseudo_values(table[None], weights), level / 2, resamples, rng)[0]
    return _decide(band, exponent, margin, limit)


def _refusal(table: Floats) -> str:
    if table.ndim != 2 or len(table) < MIN_REPLICATES:
        return f"{len(table)} replicates are too few for error control; at least {MIN_REPLICATES} are needed."
    mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / math.sqrt(len(table))
    if (error > _LARGEST_RELATIVE_ERROR * mean).any():
        return f"At point {int(np.argmax(error / np.where(mean > 0, mean, np.nan)))} the mean is not clearly positive, so it has no logarithm to fit."
    return ""


def _decide(band: Band, exponent: float, margin: float, limit: float) -> SlopeJudgement:
    (slope, drift), (low, drift_low), (high, drift_high) = band.mean, band.low, band.high
    numbers = f"the slope is {slope:.4g} [{low:.4g}, {high:.4g}], the exponent {exponent:.4g} with margin {margin:.3g}"
    bend = f"the local slopes drift by {drift:.3g} [{drift_low:.3g}, {drift_high:.3g}]"
    steady = -limit <= drift_low and drift_high <= limit
    if not steady:
        verdict, reason = Verdict.UNDECIDED, f"{bend}, not shown to stay within {limit:.3g}: no single power; {numbers}."
    elif exponent - margin <= low and high <= exponent + margin:
        verdict, reason = Verdict.HOLDS, f"{numbers}; {bend}."
    elif low > exponent + margin or high < exponent - margin:
        verdict, reason = Verdict.VIOLATED, f"{numbers}; {bend}."
    else:
        verdict, reason = Verdict.UNDECIDED, f"{numbers}: neither within nor wholly outside."
    ends = tuple(float(value) for value in (slope, low, high, drift, drift_low, drift_high))
    return SlopeJudgement(verdict, reason[0].upper() + reason[1:], exponent, margin, *ends)


def slope_calibration(
    trials: int, replicates: int, level: float, resamples: int, seed: int, noises: Sequence[str] = tuple(KINDS)
) -> tuple[SlopeCalibrationRow, ...]:
    """Error rates and power of :func:`slope_test` on synthetic curves 1/sqrt(x) over 8 points with margin 0.1.

    Raises:
        UnknownNameError: for a noise law that :func:`verify.statistics.noise.standard_noise` does not know.
    """
    return tuple(_row(noise, trials, replicates, level, resamples, seed) for noise in noises)


def _row(noise: str, trials: int, replicates: int, level: float, resamples: int, seed: int) -> SlopeCalibrationRow:
    rng = np.random.default_rng([seed, replicates, *b"slope", *noise.encode()])
    x, margin = np.asarray(2.0 ** np.arange(8), dtype=np.float64), 0.1
    stack = sampler(noise)(np.asarray(x**-0.5), trials, replicates, rng)
    bands = max_t_bands(_pseudo_values(stack, _weights(x)), level / 2, resamples, rng)

    def share(exponent: float, wanted: Verdict) -> Rate:
        # The drift limit is opened so that the rates speak about the slope alone: a drift check can only add UNDECIDED.
        verdicts = [_decide(band, exponent, margin, math.inf).verdict for band in bands]
        return rate(verdicts.count(wanted), len(bands))

    on_margin = -0.5 + margin
    return SlopeCalibrationRow(
        noise, replicates, level, share(on_margin, Verdict.HOLDS), share(on_margin, Verdict.VIOLATED), share(-0.5, Verdict.HOLDS)
    )

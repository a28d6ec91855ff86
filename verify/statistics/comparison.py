"""Two algorithms' means held against each other, exponential rates, and orders read as upper limits; equivalence, never "p > 0.05"."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from bounds.errors import DomainError
from verify.statistics.bands import Band, Floats, as_table, max_t_band
from verify.statistics.decision import MIN_REPLICATES
from verify.statistics.slopes import SlopeJudgement, slope_test
from verify.verdict import Verdict

_LARGEST_RELATIVE_ERROR = 0.2
_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True, slots=True)
class RatioJudgement:
    """Whether ratios of means stay between 1/``factor`` and ``factor`` at every point.

    ``ratio``, ``low`` and ``high`` have shape (points,); ``index`` is the point farthest from 1. The ends hold together at confidence
    1 - level on either side. All are NaN where a mean is not clearly positive.
    """

    verdict: Verdict
    reason: str
    factor: float
    ratio: Floats
    low: Floats
    high: Floats
    index: int


def grouped(values: ArrayLike, groups: int) -> Floats:
    """Means over ``groups`` blocks of consecutive replicates, as equal as possible: (replicates, points) -> (groups, points).

    Blocks of independent replicates are independent, less skewed, and cheaper to resample. Fewer replicates stay as they are; left
    over ones go, so that all blocks have the same size.
    """
    table = as_table(values)
    size = len(table) // groups
    if size < 2:
        return table
    return np.asarray(table[: size * groups].reshape(groups, size, -1).mean(axis=1))


def grouped_band(values: ArrayLike, groups: int, level: float, resamples: int, rng: np.random.Generator) -> Band:
    """:func:`verify.statistics.max_t_band` from the means of ``groups`` blocks; ``replicates`` counts the replicates themselves.

    Raises:
        DomainError: as ``max_t_band``.
    """
    return replace(max_t_band(grouped(values, groups), level, resamples, rng), replicates=len(np.asarray(values)))


def ratio_test(
    values: ArrayLike, reference: ArrayLike, factor: float, level: float, resamples: int, rng: np.random.Generator
) -> RatioJudgement:
    """Whether mean(values)/mean(reference) lies within [1/factor, factor] at every point; both tables are (replicates, points).

    HOLDS when the simultaneous interval lies within everywhere, VIOLATED when it lies wholly outside somewhere, UNDECIDED between and
    where a mean is not clearly positive. Row r of both tables may come from the same draws (then the differences are paired) or from
    independent ones: a row is resampled as a whole. By the delta method a row has the pseudo-value
    ln(ratio) + (a_r - a)/a - (b_r - b)/b, whose mean is ln(ratio).

    Raises:
        DomainError: for tables of different shapes, a factor that is not above 1, or as :func:`verify.statistics.max_t_band`.
    """
    ours, theirs = as_table(values), as_table(reference)
    if ours.shape != theirs.shape:
        raise DomainError(f"got values of shape {ours.shape} and a reference of shape {theirs.shape}; they need one shape, row by row")
    if not factor > 1:
        raise DomainError(f"got the factor {factor!r}; a ratio is held against [1/factor, factor] with factor > 1")
    refusal = _refusal(ours) or _refusal(theirs)
    if refusal:
        nothing = np.full(ours.shape[1], math.nan)
        return RatioJudgement(Verdict.UNDECIDED, refusal, factor, nothing, nothing, nothing, 0)
    a, b = ours.mean(axis=0), theirs.mean(axis=0)
    pseudo = np.log(a / b) + (ours - a) / a - (theirs - b) / b
    if float(np.ptp(pseudo, axis=0).max()) <= 1e-12:
        return _ratio(factor, a / b, a / b, a / b)
    # Half the level for each end: a false verdict outside can happen on either side.
    band = max_t_band(pseudo, level / 2, resamples, rng)
    same = np.ptp(pseudo, axis=0) <= 1e-12
    low, high = (np.where(same, a / b, np.exp(end)) for end in (band.low, band.high))
    return _ratio(factor, a / b, low, high)


def _refusal(table: Floats) -> str:
    if len(table) < MIN_REPLICATES:
        return f"{len(table)} replicates are too few for error control; at least {MIN_REPLICATES} are needed."
    mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / math.sqrt(len(table))
    if (error > _LARGEST_RELATIVE_ERROR * mean).any():
        return "A mean is not clearly positive (its standard error exceeds 20 % of it), so ratios say nothing."
    return ""


def _ratio(factor: float, ratio: Floats, low: Floats, high: Floats) -> RatioJudgement:
    inside, outside = (low >= 1 / factor) & (high <= factor), (low > factor) | (high < 1 / factor)
    verdict = Verdict.VIOLATED if outside.any() else Verdict.HOLDS if inside.all() else Verdict.UNDECIDED
    distance = np.abs(np.log(ratio))
    index = int(np.argmax(np.where(outside, distance, -1) if outside.any() else distance))
    where = {Verdict.HOLDS: "lies within", Verdict.VIOLATED: "lies wholly outside", Verdict.UNDECIDED: "is neither within nor outside"}
    reason = (
        f"the ratio of the means is {ratio[index]:.4g} [{low[index]:.4g}, {high[index]:.4g}], which {where[verdict]} "
        f"the margin {1 / factor:.3g} to {factor:.3g}"
    )
    return RatioJudgement(verdict, reason, factor, ratio, low, high, index)


def decay_test(
    values: ArrayLike, x: ArrayLike, rate: float, margin: float, level: float, resamples: int, rng: np.random.Generator
) -> SlopeJudgement:
    """:func:`slope_test` for exponentials: whether the means of ``values`` (replicates, points) follow exp(rate x), up to ``margin``.

    ``slope`` of the answer is the slope of ln(mean) in x, per unit of x, and ``exponent`` is the ``rate`` it was held against.

    Raises:
        DomainError: as :func:`slope_test`, and for places more than 700 apart.
    """
    places = np.asarray(x, dtype=np.float64)
    if np.ptp(places) > _LARGEST_EXPONENT:
        raise DomainError(f"got places {places.min():g} to {places.max():g}; an exponential is fitted over at most {_LARGEST_EXPONENT:g}")
    return slope_test(values, np.exp(places - places[0]), rate, margin, level, resamples, rng)


def slower_or_equal(found: SlopeJudgement, exponent: float) -> Literal[Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNDECIDED]:
    """Whether a curve grows no faster than x^``exponent`` in the range that ``found`` saw: the exponent read as an upper limit.

    HOLDS when the slope's upper end, and half of what the local slopes may still drift upwards, stay at or below it; VIOLATED when the
    lower end, less half of what they may drift downwards, exceeds it; UNDECIDED between and where there is no slope.
    """
    if found.high + max(found.drift_high, 0.0) / 2 <= exponent:
        return Verdict.HOLDS
    if found.low + min(found.drift_low, 0.0) / 2 > exponent:
        return Verdict.VIOLATED
    return Verdict.UNDECIDED


def exponent_verdict(found: SlopeJudgement) -> Verdict:
    """Whether a curve that may bend a little has the exponent it was held against.

    HOLDS as :func:`slope_test` says. VIOLATED where the slope's interval, widened at both ends by half of what the local slopes may
    drift, lies wholly outside the margin. UNDECIDED where a bend is shown (then there is no one exponent), and otherwise.
    """
    if found.drift_low > 0 or found.drift_high < 0:
        return Verdict.UNDECIDED
    if found.verdict is Verdict.HOLDS:
        return Verdict.HOLDS
    late_low, late_high = found.low + found.drift_low / 2, found.high + found.drift_high / 2
    outside = late_low > found.exponent + found.margin or late_high < found.exponent - found.margin
    return Verdict.VIOLATED if outside else Verdict.UNDECIDED

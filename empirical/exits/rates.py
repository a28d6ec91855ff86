"""Mean exit times under censoring, and the comparison of two groups."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError
from empirical.exits.survival import ExitTimes


@dataclass(frozen=True, slots=True)
class MeanExit:
    """A mean exit time, its standard error, and a confidence interval.

    Attributes:
        mean: time at risk over exits, inf without exits. standard_error: mean/sqrt(exits), inf without exits.
        low, high: the interval; high is inf without exits.
    """

    mean: float
    standard_error: float
    low: float
    high: float
    exits: int


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise DomainError(f"got confidence={confidence!r}; it lies strictly between 0 and 1")


def mean_exit_time(data: ExitTimes, confidence: float = 0.95) -> MeanExit:
    """Maximum likelihood for exponential times (geometric ones, in whole steps): total time at risk over number of exits.

    Exit times are nearly exponential where a walk forgets its start long before it leaves; then this estimates E T however
    early the censoring (it is the plain mean, for any times, when nothing is censored). The standard error is mean/sqrt(exits),
    the interval that of Cox (1953), from chi-square with 2 d and 2 d + 2 degrees of freedom for d exits, conservative at a fixed
    horizon. Without the exponential model use :meth:`KaplanMeier.restricted_mean`.

    Raises:
        DomainError: for a confidence outside (0, 1).
    """
    from scipy.stats import chi2

    _check_confidence(confidence)
    d, tail = data.exits, (1 - confidence) / 2
    mean = data.time_at_risk / d if d else math.inf
    low = 2 * data.time_at_risk / float(chi2.isf(tail, 2 * d + 2))
    high = 2 * data.time_at_risk / float(chi2.ppf(tail, 2 * d)) if d else math.inf
    return MeanExit(mean, mean / math.sqrt(d) if d else math.inf, low, high, d)


@dataclass(frozen=True, slots=True)
class RateRatio:
    """Ratio of two exit rates with its confidence interval; above 1 the first group leaves faster."""

    ratio: float
    low: float
    high: float


def rate_ratio(first: ExitTimes, second: ExitTimes, confidence: float = 0.95) -> RateRatio:
    """(exits/time at risk of the first) over that of the second, for exponential times: mean of the second over the first's.

    The interval is ratio * exp(-+ z sqrt(1/d_1 + 1/d_2)), d the numbers of exits; it needs some ten exits in each group.

    Raises:
        DomainError: when a group has no exit, or for a confidence outside (0, 1).
    """
    from scipy.stats import norm

    _check_confidence(confidence)
    if not (first.exits and second.exits):
        raise DomainError(f"got {first.exits} and {second.exits} exits; a ratio of rates needs some in both groups: take a longer horizon")
    ratio = first.exits / first.time_at_risk * second.time_at_risk / second.exits
    margin = float(norm.isf((1 - confidence) / 2)) * math.sqrt(1 / first.exits + 1 / second.exits)
    return RateRatio(ratio, ratio * math.exp(-margin), ratio * math.exp(margin))


@dataclass(frozen=True, slots=True)
class LogRank:
    """The log-rank comparison of two groups.

    Attributes:
        observed, expected: exits of the first group, and how many it would have had if the groups left alike.
        variance: of their difference, given the risk sets. z: difference over root variance, > 0 when the first leaves faster.
        p_value: two-sided, by the normal limit.
    """

    observed: float
    expected: float
    variance: float
    z: float
    p_value: float


def log_rank(first: ExitTimes, second: ExitTimes) -> LogRank:
    """Mantel's (1966) test that two groups have the same exit times, censored or not, with the hypergeometric variance at ties.

    Valid when censoring acts alike on both groups or not at all on who leaves; two groups with different horizons are fine.

    Raises:
        DomainError: when the groups never share a time at which either outcome was possible (no exit while both are inside).
    """
    times = np.unique(np.concatenate([first.times[first.observed], second.times[second.observed]]))
    inside = [len(group.times) - np.searchsorted(np.sort(group.times), times, side="left") for group in (first, second)]
    d1, d2 = (_counts(group, times) for group in (first, second))
    n1, d = inside[0].astype(np.float64), (d1 + d2).astype(np.float64)
    n = n1 + inside[1]
    expected = d * n1 / n
    variance = float((expected * (1 - n1 / n) * (n - d) / np.maximum(n - 1, 1)).sum())
    if not variance > 0:
        raise DomainError("no exit happened while both groups had walks inside; a comparison needs more replicates or a longer horizon")
    z = (d1.sum() - expected.sum()) / math.sqrt(variance)
    return LogRank(float(d1.sum()), float(expected.sum()), variance, float(z), math.erfc(abs(z) / math.sqrt(2)))


def _counts(group: ExitTimes, times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Exits of a group at each of the ``times``, which hold all of its exit times."""
    return np.bincount(np.searchsorted(times, group.times[group.observed]), minlength=len(times))

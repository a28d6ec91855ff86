"""Times that may be censored, and their survival curve without a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError, LengthError

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExitTimes:
    """Right-censored times of independent replicates.

    Attributes:
        times: (replicates,) steps > 0 until the exit, or until the walk was last seen inside.
        observed: (replicates,) booleans: did it exit at that time? False means censored: it leaves later, or never.

    Raises:
        LengthError: for arrays that are not two vectors of one length >= 1. DomainError: for a time that is not > 0 and finite.
    """

    times: NDArray[np.int64]
    observed: NDArray[np.bool_]

    def __post_init__(self) -> None:
        times, observed = np.asarray(self.times), np.asarray(self.observed)
        if times.ndim != 1 or times.shape != observed.shape or times.size == 0 or observed.dtype != np.bool_:
            raise LengthError(f"got times of shape {times.shape} and observed {observed.shape}; give two vectors, observed of booleans")
        if not (np.isfinite(times).all() and (times > 0).all()):
            raise DomainError(f"got the time {times.min()}; times are finite numbers > 0")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "observed", observed)

    @property
    def exits(self) -> int:
        """Number of observed exits."""
        return int(self.observed.sum())

    @property
    def time_at_risk(self) -> float:
        """Sum of all times, censored or not."""
        return float(self.times.sum(dtype=np.float64))


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """E min(time, horizon) and its standard error."""

    mean: float
    standard_error: float
    horizon: float


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """The product-limit estimate S(t) of P(time > t): a step function, 1 before the first exit.

    Censoring must not depend on what would have come; a common horizon does not.

    Attributes:
        times: (k,) the distinct times of observed exits, ascending.
        at_risk, exits: (k,) replicates still inside just before each, and exits at it; a replicate censored at the same time
            counts as inside. survival: (k,) S at each.
        last: the latest time of all, observed or not; the curve says nothing later unless it has reached 0.
    """

    times: Values
    at_risk: NDArray[np.int64]
    exits: NDArray[np.int64]
    survival: Values
    last: float

    def at(self, time: float) -> float:
        """S(time) = estimate of P(T > time).

        Raises:
            DomainError: beyond the last time, unless the curve has reached 0.
        """
        self._check(time)
        return float(np.concatenate([[1.0], self.survival])[np.searchsorted(self.times, time, side="right")])

    def standard_error(self, time: float) -> float:
        """Greenwood's: S(t) sqrt(sum_{t_i <= t} d_i/(n_i (n_i - d_i))); 0 where the curve is 0 or 1."""
        self._check(time)
        passed = self.times <= time
        return self.at(time) * float(np.sqrt(self._terms()[passed].sum())) if self.at(time) > 0 else 0.0

    def restricted_mean(self, horizon: float) -> RestrictedMean:
        """The area under S up to ``horizon``, an estimate of E min(T, horizon), without any model of the times.

        Its variance is sum_i (area from t_i to the horizon)^2 d_i/(n_i (n_i - d_i)). Where nothing is censored before the
        horizon this is the mean of min(T, horizon), and its variance the 1/n sample variance over n.

        Raises:
            DomainError: for a horizon that is not > 0, or beyond what the curve knows.
        """
        if not horizon > 0:
            raise DomainError(f"got horizon={horizon!r}; a restricted mean takes a time > 0")
        self._check(horizon)
        inside = self.times < horizon
        edges = np.concatenate([[0.0], self.times[inside], [horizon]])
        heights = np.concatenate([[1.0], self.survival[inside]])
        areas = heights * np.diff(edges)
        after = np.cumsum(areas[::-1])[::-1][1:]
        variance = float((after**2 * self._terms()[inside]).sum())
        return RestrictedMean(float(areas.sum()), variance**0.5, horizon)

    def _terms(self) -> Values:
        # Where everyone left S is 0 from then on, and so is all that the term would be multiplied by.
        left = self.at_risk - self.exits
        return np.where(left > 0, self.exits / (self.at_risk * np.maximum(left, 1)), 0.0)

    def _check(self, time: float) -> None:
        if time > self.last and (self.survival.size == 0 or self.survival[-1] > 0):
            raise DomainError(f"got the time {time:g} with everything censored by {self.last:g}; ask up to {self.last:g}, or run longer")


def kaplan_meier(data: ExitTimes) -> KaplanMeier:
    """The survival curve of Kaplan and Meier (1958)."""
    times, exits = np.unique(data.times[data.observed], return_counts=True)
    at_risk = len(data.times) - np.searchsorted(np.sort(data.times), times, side="left")
    survival = np.asarray(np.cumprod(1 - exits / at_risk), dtype=np.float64)
    return KaplanMeier(times.astype(np.float64), at_risk, exits, survival, float(data.times.max()))

"""How much the last logged accuracy of one run fluctuates: the late part of its curve, with autocorrelation in mind.

With mean square deviation s^2 (1/n) from the mean of n late values and integrated autocorrelation time tau = 1 + 2 sum_k rho_k, the
variance of that mean is sigma^2 tau/n, so that E[s^2] = sigma^2 (1 - tau/n): the spread of one value is sigma = s / sqrt(1 - tau/n), and the
values count as n/tau independent ones. The sum over k ends before the first rho_k that is not positive (after Geyer 1992, initial positive
sequence). A drift within the late part counts as fluctuation: a run that still moves has not settled on a final value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: The late part is this share of the rows: published runs lower their step size at 40 % and 80 % of the way.
SHARE = 6
LEAST = 8


@dataclass(frozen=True, slots=True)
class Late:
    """The late part of one run, in percent: its mean, the standard deviation of one value, and how many independent values it is worth."""

    mean: float
    spread: float
    effective: float
    rows: int


def late_part(accuracy: NDArray[np.float64]) -> Late | None:
    """The last sixth of a curve, and at least 8 rows; None for shorter curves."""
    if accuracy.size < LEAST:
        return None
    values = accuracy[-max(LEAST, accuracy.size // SHARE) :]
    deviation = values - values.mean()
    square = float((deviation**2).mean())
    tau = _autocorrelation_time(deviation, square)
    return Late(float(values.mean()), math.sqrt(square / (1 - tau / values.size)), values.size / tau, values.size)


def _autocorrelation_time(deviation: NDArray[np.float64], square: float) -> float:
    """1 + 2 sum of autocorrelations, at most half the number of values, beyond which nothing is left to estimate from."""
    count = deviation.size
    if square == 0:
        return 1.0
    total = 1.0
    for lag in range(1, count // 2):
        rho = float((deviation[lag:] * deviation[:-lag]).mean()) / square
        if rho <= 0:
            break
        total += 2 * rho
    return min(total, count / 2)


def fluctuation(parts: tuple[Late, ...], variance: float, tail: float) -> float:
    """Half-width that a sum of late values with this ``variance`` exceeds with probability ``tail`` on either side: t times its root.

    The degrees of freedom are those of the shortest late part in independent values, less one.
    """
    return float(stats.t.isf(tail, max(1.0, min(part.effective for part in parts) - 1))) * math.sqrt(variance)

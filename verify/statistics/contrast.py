"""A paired difference: which side of zero its mean lies on, or how close to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from verify.statistics.bands import as_table
from verify.statistics.decision import MIN_REPLICATES
from verify.statistics.judge import equivalent

Side = Literal["below", "above", "within", "open"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """The mean of a paired difference with its two-sided interval.

    ``side``: ``below`` or ``above`` zero when the interval lies wholly there, however small the difference; else ``within`` when it
    lies within plus or minus the margin, which shows that there is no difference beyond it; else ``open``.
    """

    side: Side
    mean: float
    low: float
    high: float
    margin: float
    replicates: int


def contrast(values: ArrayLike, margin: float, level: float, resamples: int, rng: np.random.Generator) -> Contrast:
    """The side of zero on which the mean of ``values`` (replicates,) lies, each end of its interval at ``level / 2``.

    Fewer than ``MIN_REPLICATES`` replicates, or ones that (nearly) all agree, are open.

    Raises:
        DomainError: for values that are not finite, a negative margin, a bad level, or too few resamples.
    """
    table = as_table(np.asarray(values, dtype=np.float64)[:, None])
    band = equivalent(table, [margin], level, resamples, rng).band
    low, high = float(band.low[0]), float(band.high[0])
    side: Side = "below" if high < 0 else "above" if low > 0 else "within" if -margin <= low and high <= margin else "open"
    return Contrast(side if len(table) >= MIN_REPLICATES else "open", float(band.mean[0]), low, high, margin, len(table))

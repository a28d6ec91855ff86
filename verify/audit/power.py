"""Power of the verdict: how slack a bound is, how wrong it is made, and how many replicates it takes to see it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from empirical.streams import stream
from verify.audit.alarms import REPLICATES, tight_curve
from verify.audit.results import LEVEL, Forecast, PowerCell
from verify.statistics import judge, rate, sampler, verdict_rates_of
from verify.verdict import Verdict

#: The right bound over the truth, and what the planted error multiplies it by.
SLACKS, FACTORS = (1.0, 1.1, 1.5, 2.0), (1.0, 0.95, 0.9, 0.8, 0.5)
#: The noise of one replicate as a share of the mean.
SPREAD = 0.5
_RESAMPLES = 499
_PILOT, _MOST = 20, 800
_RATIOS = (0.8, 1.25)


def power_cells(replicates: int, trials: int, seed: int) -> list[PowerCell]:
    """The table for one number of replicates, Gaussian noise, on the curve of the false alarms."""
    truth, rng = np.array(tight_curve()), stream(seed, f"audit power {replicates}", 0)
    values = sampler("gaussian", spread=SPREAD)(truth, trials, replicates, rng)
    pairs = list(product(SLACKS, FACTORS))
    rates = verdict_rates_of(values, [slack * factor * truth for slack, factor in pairs], LEVEL, _RESAMPLES, rng)
    return [
        PowerCell(slack, factor, replicates, found[Verdict.VIOLATED], found[Verdict.HOLDS])
        for (slack, factor), found in zip(pairs, rates, strict=True)
    ]


def power_table(trials: int, seed: int, counts: Sequence[int] = REPLICATES) -> list[PowerCell]:
    """:func:`power_cells` for every number of replicates."""
    return [one for count in counts for one in power_cells(count, trials, seed)]


def forecasts(trials: int, seed: int) -> list[Forecast]:
    """How well ``more_replicates`` of UNDECIDED verdicts is kept."""
    return [_forecast(ratio, trials, seed) for ratio in _RATIOS]


def _forecast(ratio: float, trials: int, seed: int) -> Forecast:
    truth, rng, draw = np.array(tight_curve()), stream(seed, f"audit forecast {ratio}", 0), sampler("gaussian", spread=SPREAD)
    asked = decided = 0
    for _ in range(trials):
        pilot = judge(draw(truth, 1, _PILOT, rng)[0], ratio * truth, LEVEL, _RESAMPLES, rng)
        if pilot.verdict is not Verdict.UNDECIDED or pilot.more_replicates is None or pilot.more_replicates > _MOST:
            continue
        fresh = draw(truth, 1, _PILOT + pilot.more_replicates, rng)[0]
        asked += 1
        decided += judge(fresh, ratio * truth, LEVEL, _RESAMPLES, rng).verdict is not Verdict.UNDECIDED
    return Forecast(ratio, rate(decided, max(asked, 1)))

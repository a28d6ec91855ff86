"""Measured exponents of losses whose smoothness beta is not known, so that the stated exponents are known up to an interval only."""

from __future__ import annotations

import numpy as np

from verify.case import RESAMPLES
from verify.claims.multigossip.measured_orders import Ask, drawn, sweep_of
from verify.claims.multigossip.training import GROUPS
from verify.curve_case import shared_conditions
from verify.finding_case import Finding, Measured
from verify.precision import centre_precision
from verify.statistics import SlopeJudgement, grouped, grouped_band, resamples_for, slope_test, slower_or_equal
from verify.verdict import Numbers, Verdict

#: The ends between which -1/(2 c beta + 2) and 2 c beta/(2 c beta + 2) lie for every c beta > 0.
RANGES = {"m": (-0.5, 0.0), "T": (0.0, 1.0)}


def whatever_beta(measured: tuple[Measured, ...], level: float, rng: np.random.Generator, ask: Ask) -> Finding:
    """What a sweep says of the stated exponent as an upper limit, for every beta at once; ``ask.exponent`` is not looked at.

    HOLDS where the curve grows no faster than the lowest of the exponents, VIOLATED where it grows faster than the highest.
    """
    settings, values, x = sweep_of(measured, ask)
    low, high = RANGES[ask.parameter]
    resamples = resamples_for(level / 2, RESAMPLES)
    slope = slope_test(grouped(values, GROUPS), x, low, ask.margin, level, resamples, rng)
    band = grouped_band(values, GROUPS, level, resamples, rng)
    verdict = Verdict.UNDECIDED
    if slower_or_equal(slope, low) is Verdict.HOLDS:
        verdict = Verdict.HOLDS
    elif slower_or_equal(slope, high) is Verdict.VIOLATED:
        verdict = Verdict.VIOLATED
    numbers = Numbers(slope.slope, slope.low, slope.high, low if verdict is Verdict.HOLDS else high, replicates=len(values))
    reason = _words(verdict, slope, ask) + centre_precision(band)
    curves = (drawn(ask, x, values, band, low), drawn(ask, x, values, band, high))
    return Finding(verdict, reason, numbers, None, shared_conditions(settings), curves=curves)


def _words(verdict: Verdict, slope: SlopeJudgement, ask: Ask) -> str:
    if np.isnan(slope.slope):
        return slope.reason
    low, high = RANGES[ask.parameter]
    told = {
        Verdict.HOLDS: "no faster growth than any of them in this range",
        Verdict.VIOLATED: "faster growth than all of them in this range",
        Verdict.UNDECIDED: "whether that is faster growth depends on beta, which is not known for this network",
    }[verdict]
    return (
        f"{ask.request[0].label.capitalize()} as a power of {ask.parameter}: slope {slope.slope:.3f} [{slope.low:.3f}, {slope.high:.3f}], local "
        f"slopes drift by {slope.drift:.3f} [{slope.drift_low:.3f}, {slope.drift_high:.3f}]; the stated exponent lies between {low:g} and "
        f"{high:g}, whatever c beta is: {told}.{ask.about}"
    )

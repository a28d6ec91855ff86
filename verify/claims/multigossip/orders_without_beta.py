"""Measured exponents of losses whose smoothness beta is not known, so that the stated exponents are known up to an interval only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verify.case import RESAMPLES
from verify.claims.multigossip.measured_orders import Ask, drawn, sweep_of
from verify.claims.multigossip.training import GROUPS
from verify.curve_case import shared_conditions
from verify.finding_case import Finding, Measured
from verify.precision import centre_precision
from verify.statistics import SlopeJudgement, exponent_verdict, grouped, grouped_band, resamples_for, slope_test, slower_or_equal
from verify.verdict import Numbers, Verdict

#: The ends between which -1/(2 c beta + 2) and 2 c beta/(2 c beta + 2) lie for every c beta > 0.
RANGES = {"m": (-0.5, 0.0), "T": (0.0, 1.0)}


def whatever_beta(measured: tuple[Measured, ...], level: float, rng: np.random.Generator, ask: Ask) -> Finding:
    """What a sweep says of the stated exponent for every beta at once: as an upper limit (``ask.upper``) or as the order."""
    settings, values, x = sweep_of(measured, ask)
    low, high = RANGES[ask.parameter]
    resamples = resamples_for(level / 2, RESAMPLES)
    slope = slope_test(grouped(values, GROUPS), x, low, ask.margin, level, resamples, rng)
    band = grouped_band(values, GROUPS, level, resamples, rng)
    verdict = _as_a_limit(slope, low, high) if ask.upper else _as_the_order(slope, low, high)
    numbers = Numbers(slope.slope, slope.low, slope.high, low if slope.slope < low else high, replicates=len(values))
    reason = _words(verdict, slope, ask) + centre_precision(band)
    curves = (drawn(ask, x, values, band, low), drawn(ask, x, values, band, high))
    return Finding(verdict, reason, numbers, None, shared_conditions(settings), curves=curves)


def _as_a_limit(slope: SlopeJudgement, low: float, high: float) -> Verdict:
    """Decided where it is so for every beta: no faster growth than the lowest of the exponents, or faster than the highest."""
    if slower_or_equal(slope, low) is Verdict.HOLDS:
        return Verdict.HOLDS
    return Verdict.VIOLATED if slower_or_equal(slope, high) is Verdict.VIOLATED else Verdict.UNDECIDED


def _as_the_order(slope: SlopeJudgement, low: float, high: float) -> Verdict:
    """VIOLATED where the slope lies beyond the margin outside all of the exponents; no beta is known that it could confirm."""
    outside = slope.slope < low or slope.slope > high
    nearest = replace(slope, exponent=low if slope.slope < low else high)
    return Verdict.VIOLATED if outside and exponent_verdict(nearest) is Verdict.VIOLATED else Verdict.UNDECIDED


def _words(verdict: Verdict, slope: SlopeJudgement, ask: Ask) -> str:
    if np.isnan(slope.slope):
        return slope.reason
    low, high = RANGES[ask.parameter]
    words = {
        (Verdict.HOLDS, True): "no faster growth than any of them",
        (Verdict.VIOLATED, True): "faster growth than all of them",
        (Verdict.VIOLATED, False): "none of them is the order in this range",
    }
    told = words.get((verdict, ask.upper), "which of them is the stated one depends on beta, which is not known for this network")
    return (
        f"{ask.request[0].label.capitalize()} as a power of {ask.parameter}: slope {slope.slope:.3f} [{slope.low:.3f}, {slope.high:.3f}], local "
        f"slopes drift by {slope.drift:.3f} [{slope.drift_low:.3f}, {slope.drift_high:.3f}]; the stated exponent lies between {low:g} and "
        f"{high:g}, whatever c beta is: {told}.{ask.about}"
    )

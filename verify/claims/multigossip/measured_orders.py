"""Exponents that training runs show in m, n and T, held against stated and proved ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.setting import Setting
from bounds.symbols import symbol
from verify.case import RESAMPLES
from verify.claims.multigossip.bound_gaps import DERIVED
from verify.claims.multigossip.proved_orders import CENTRALIZED, DECENTRALIZED
from verify.claims.multigossip.training import GROUPS
from verify.curve_case import Request, shared_conditions
from verify.finding_case import Finding, Measured
from verify.precision import centre_precision
from verify.statistics import Band, SlopeJudgement, exponent_verdict, grouped, grouped_band, resamples_for, slope_test, slower_or_equal
from verify.verdict import Curve, Numbers, Table, Verdict

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a sweep over ``parameter`` (m, n or T): the exponent of ``request``.

    ``exponent`` is a number, or None for the one that the abstract states for decentralized SGD with the loss's beta and the
    schedule's c. ``upper`` reads it as an upper limit, otherwise as the order itself, up to ``margin``; ``about`` ends the reason.
    ``local``: the order is one far out, so that slopes elsewhere may agree with it and refute nothing.
    """

    parameter: str
    request: Request
    exponent: float | None = None
    upper: bool = False
    margin: float = 0.1
    local: bool = False
    about: str = ""


def exponents_of(setting: Setting, parameter: str) -> dict[str, float]:
    """The candidates: stated for decentralized SGD, the same argument for batches of m, and stated for centralized SGD (no burn-in)."""
    if setting.loss.beta is None or setting.schedule.c is None:
        return {}
    q = setting.loss.beta.value * setting.schedule.c
    at = ("T", "n", "m").index(parameter)
    stated, centralized = (float(_value(texts[at], q)) for texts in (DECENTRALIZED, CENTRALIZED))
    return {
        "stated": stated,
        "batches of m": -1 / (q + 1) if parameter == "m" else stated,
        "no burn-in": centralized if parameter != "T" else q,
    }


def _value(text: str, q: float) -> float:
    from bounds.expression import parse, to_sympy

    found = to_sympy(parse(text, {"beta": None, "c": None}))
    return float(found.subs({name: q if name.name == "beta" else 1 for name in found.free_symbols}))


def in_sweep(measured: tuple[Measured, ...], level: float, rng: np.random.Generator, ask: Ask) -> Finding:
    """The exponent of one sweep: one run per place, or for T one run with checkpoints."""
    settings, values, x = sweep_of(measured, ask)
    candidates = exponents_of(settings[0], ask.parameter) if ask.exponent is None else {}
    unmet = [text for one in settings for text in bounds.get(DERIVED).supports(one)] if candidates else []
    if unmet:
        return Finding(Verdict.NOT_APPLICABLE, f"The stated rates are those of the theorems only where {'; '.join(dict.fromkeys(unmet))}.")
    exponent = candidates["stated"] if ask.exponent is None else ask.exponent
    resamples = resamples_for(level / 2, RESAMPLES)
    slope = slope_test(grouped(values, GROUPS), x, exponent, ask.margin, level, resamples, rng)
    band = grouped_band(values, GROUPS, level, resamples, rng)
    verdict = slower_or_equal(slope, exponent) if ask.upper else exponent_verdict(slope)
    if ask.local and verdict is Verdict.VIOLATED:
        verdict = Verdict.UNDECIDED
    shown = Numbers(slope.slope, slope.low, slope.high, exponent, replicates=len(values))
    tables = (_table(slope, candidates),) if candidates else ()
    curves = (drawn(ask, x, values, band, exponent),)
    reason = _words(verdict, slope, ask, candidates) + centre_precision(band)
    return Finding(verdict, reason, shown, None, shared_conditions(settings), settings[0].loss.constants(), curves, tables)


def sweep_of(measured: tuple[Measured, ...], ask: Ask) -> tuple[list[Setting], Values, list[float]]:
    """The settings of the points of a sweep, the values asked for (replicates, points), and the places."""
    found = [one for run in measured for (asked, _), one in run.items() if asked == ask.request]
    settings = [one.setting for one in found]
    return settings, np.stack([one.values for one in found], axis=1), [float(getattr(one, ask.parameter)) for one in settings]


def _words(verdict: Verdict, slope: SlopeJudgement, ask: Ask, candidates: dict[str, float]) -> str:
    if np.isnan(slope.slope):
        return slope.reason
    drift = f"local slopes drift by {slope.drift:.3f} [{slope.drift_low:.3f}, {slope.drift_high:.3f}]"
    local = f"slope {slope.slope:.3f} [{slope.low:.3f}, {slope.high:.3f}], {drift}"
    against = f"exponent {slope.exponent:.3f}" + ("" if ask.upper else f" with margin {ask.margin:g}")
    told = f"{ask.request[0].label.capitalize()} as a power of {ask.parameter}: {local}, against the {against}"
    if ask.upper:
        words = {Verdict.HOLDS: "no faster growth in this range", Verdict.VIOLATED: "faster growth", Verdict.UNDECIDED: "not decided"}
    else:
        away = "falls faster" if slope.slope < slope.exponent else "falls more slowly, or grows faster,"
        words = {
            Verdict.HOLDS: "this is the exponent",
            Verdict.VIOLATED: f"it {away} than that, so this is not its order in this range",
            Verdict.UNDECIDED: _undecided(slope, ask),
        }
    nearest = min(candidates, key=lambda name: abs(candidates[name] - slope.slope), default="")
    support = (
        f" Of the candidates {', '.join(f'{name} {value:.3f}' for name, value in candidates.items())}, nearest is {nearest}."
        if nearest
        else ""
    )
    return f"{told}: {words[verdict]}.{support}{ask.about}"


def _undecided(slope: SlopeJudgement, ask: Ask) -> str:
    if ask.local:
        return f"local slopes only, which refute no order far out in {ask.parameter}" + (", and they still change" if _bends(slope) else "")
    return "a curve that bends has no one exponent" if _bends(slope) else "not decided by so many replicates"


def _bends(slope: SlopeJudgement) -> bool:
    return slope.drift_low > 0 or slope.drift_high < 0


def _table(slope: SlopeJudgement, candidates: dict[str, float]) -> Table:
    inside = [slope.low <= value <= slope.high for value in candidates.values()]
    rows = tuple((name, value, "inside" if one else "outside") for (name, value), one in zip(candidates.items(), inside, strict=True))
    return Table(
        f"Measured slope {slope.slope:.4g} [{slope.low:.4g}, {slope.high:.4g}]", ("candidate", "exponent", "of the interval"), rows
    )


def drawn(ask: Ask, places: list[float], values: Values, band: Band, exponent: float) -> Curve:
    """The measured curve with a power of ``exponent`` through its first point."""
    x = np.array(places)
    return Curve(
        parameter=symbol(ask.parameter),
        quantity=ask.request[0],
        x=x,
        mean=band.mean,
        low=band.low,
        high=band.high,
        bound=band.mean[0] * (x / x[0]) ** exponent,
        bound_id=None,
        level=band.level,
        replicates=band.replicates,
        values=values,
        bound_label=f"power {exponent:.3g}",
    )

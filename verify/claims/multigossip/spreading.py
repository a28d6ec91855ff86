"""The consensus distance of training runs as the number Q of gossip steps grows, against lambda^(2Q)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Setting
from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from verify.case import RESAMPLES
from verify.claims.multigossip.training import GROUPS
from verify.curve_case import Request, shared_conditions
from verify.finding_case import Finding, Measured
from verify.precision import centre_precision
from verify.statistics import Band, SlopeJudgement, decay_test, grouped, grouped_band, resamples_for
from verify.verdict import Curve, Numbers, Table, Verdict

Values = NDArray[np.float64]

#: The slope of ln(consensus distance) may differ from 2 ln(lambda) by this share of it.
MARGIN = 0.05


def in_runs(
    measured: tuple[Measured, ...], level: float, rng: np.random.Generator, request: Request, gossip: tuple[tuple[int, ...], ...]
) -> Finding:
    """Slopes of ln(consensus distance) in Q, graph by graph: as many runs each as ``gossip`` has numbers for it, the level shared out."""
    share = level / len(gossip)
    resamples = resamples_for(share / 2, RESAMPLES)
    judged, curves, settings, wide = list[SlopeJudgement](), list[Curve](), list[Setting](), list[str]()
    for numbers, values, setting in _blocks(measured, request, gossip):
        assert setting.network is not None
        rate = 2 * math.log1p(-setting.network.gap)
        judged.append(decay_test(grouped(values, GROUPS), numbers, rate, MARGIN * abs(rate), share, resamples, rng))
        band = grouped_band(values, GROUPS, share, resamples, rng)
        curves.append(_curve(setting.network.name, numbers, values, band, rate))
        settings.append(setting)
        wide.append(centre_precision(band))
    names = [one.network.name for one in settings if one.network is not None]
    verdict, reason = _words(judged, curves, names)
    first = judged[0]
    shown = Numbers(first.slope, first.low, first.high, first.exponent, replicates=curves[0].replicates)
    conditions = shared_conditions(settings) | {"topology": ", ".join(names), "Q": "by graph, see the table"}
    constants = settings[0].loss.constants()
    reason += next(filter(None, wide), "")
    return Finding(verdict, reason, shown, None, conditions, constants, tuple(curves), (_table(judged, gossip, names),))


def _blocks(
    measured: tuple[Measured, ...], request: Request, gossip: tuple[tuple[int, ...], ...]
) -> Iterator[tuple[tuple[int, ...], Values, Setting]]:
    rest = list(measured)
    for numbers in gossip:
        block, rest = rest[: len(numbers)], rest[len(numbers) :]
        found = [next(one for (asked, _), one in run.items() if asked == request) for run in block]
        yield numbers, np.stack([one.values for one in found], axis=1), found[0].setting


def _words(judged: list[SlopeJudgement], curves: list[Curve], names: list[str]) -> tuple[Verdict, str]:
    verdicts = [one.verdict for one in judged]
    spans = "; ".join(
        f"{name}: {one.slope:.4g} [{one.low:.4g}, {one.high:.4g}] against {one.exponent:.4g}"
        for name, one in zip(names, judged, strict=True)
    )
    margin = f"margin {100 * MARGIN:g} % of it; Q starts where lambda^Q and the other eigenvalues' part are at most 2 %"
    if all(verdict is Verdict.HOLDS for verdict in verdicts):
        return (
            Verdict.HOLDS,
            f"The consensus distance falls like lambda^(2Q): slope of its logarithm in Q and 2 ln(lambda), {spans} ({margin}).",
        )
    violated = [k for k, verdict in enumerate(verdicts) if verdict is Verdict.VIOLATED]
    if not violated:
        undecided = next(one for one in judged if one.verdict is Verdict.UNDECIDED)
        return Verdict.UNDECIDED, f"{undecided.reason} All graphs: {spans} ({margin})."
    worst = violated[0]
    low = float(curves[worst].low[-1])
    return Verdict.VIOLATED, (
        f"The consensus distance does not fall like lambda^(2Q): slope of its logarithm in Q and 2 ln(lambda), {spans} ({margin}). On the "
        f"{names[worst]} a floor is reached: at Q = {curves[worst].x[-1]:g} it is {curves[worst].mean[-1]:.3g}, at least {low:.3g}."
    )


def _curve(name: str, numbers: tuple[int, ...], values: Values, band: Band, rate: float) -> Curve:
    x = np.array(numbers, dtype=float)
    return Curve(
        parameter=symbol("Q"),
        quantity=Quantity.CONSENSUS_DISTANCE,
        x=x,
        mean=band.mean,
        low=band.low,
        high=band.high,
        bound=band.mean[0] * np.exp(rate * (x - x[0])),
        bound_id=None,
        level=band.level,
        replicates=band.replicates,
        values=values,
        label=f"consensus distance, {name}",
        bound_label="falls like lambda^(2Q)",
    )


def _table(judged: list[SlopeJudgement], gossip: tuple[tuple[int, ...], ...], names: list[str]) -> Table:
    rows = tuple(
        (name, ", ".join(map(str, numbers)), one.exponent, one.slope, one.low, one.high, one.drift, one.verdict.name)
        for name, numbers, one in zip(names, gossip, judged, strict=True)
    )
    return Table(
        "Slope of ln(consensus distance) in Q", ("graph", "Q", "2 ln(lambda)", "slope", "low", "high", "drift", "on this graph"), rows
    )

"""Generalization errors of decentralized and of mini-batch SGD in training runs, held against each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bounds.symbols import symbol
from bounds.vocabulary import Quantity, Readout
from verify.case import RESAMPLES
from verify.claims.multigossip.common import DISTANCE, GENERALIZATION
from verify.claims.multigossip.training import GROUPS
from verify.curve_case import Request, shared_conditions
from verify.finding_case import Finding, Measured
from verify.precision import centre_precision
from verify.statistics import Band, RatioJudgement, grouped, grouped_band, ratio_test, resamples_for
from verify.verdict import Curve, Numbers, Table, Verdict

Values = NDArray[np.float64]

#: A ratio of generalization errors within 1/1.25 and 1.25 is a negligible gap: the quoted rates are apart by sqrt(m) at least.
FACTOR = 1.25
NETWORK_MEAN = (Quantity.GENERALIZATION_ERROR, Readout.NETWORK_MEAN)


def _values(measured: Measured, request: Request) -> Values:
    return next(one.values for (asked, _), one in measured.items() if asked == request)


def against_minibatch(
    measured: tuple[Measured, ...], level: float, rng: np.random.Generator, request: Request, gossip: tuple[int, ...], paired: bool
) -> Finding:
    """Runs with ``gossip`` steps, then mini-batch SGD as the last run: the ratio of mean generalization errors at the last Q decides.

    The statement claims a gap: it is refuted where the ratio lies within the margin. ``paired`` says that the last run has the same draws.
    """
    *ours, reference = measured
    central = _values(reference, GENERALIZATION)[:, None]
    values = np.stack([_values(one, request) for one in ours], axis=1)
    resamples = resamples_for(level / 2, RESAMPLES)
    found = ratio_test(grouped(values[:, -1:], GROUPS), grouped(central, GROUPS), FACTOR, level, resamples, rng)
    verdict, reason = _words(found, values, central, paired, gossip[-1])
    settings = [next(iter(one.values())).setting for one in ours]
    band = grouped_band(values, GROUPS, level, resamples, rng)
    reason += _spread(ours[-1]) + centre_precision(band)
    ratio, low, high = (float(one[0]) for one in (found.ratio, found.low, found.high))
    shown = Numbers(ratio, low, high, FACTOR, replicates=len(values))
    curves = (_curve(values, central, gossip, band),) if len(gossip) > 1 else ()
    settings = [next(iter(one.values())).setting for one in ours]
    conditions, constants = shared_conditions(settings), settings[0].loss.constants()
    return Finding(verdict, reason, shown, None, conditions, constants, curves, (_table(values, central, gossip),))


def _words(found: RatioJudgement, values: Values, central: Values, paired: bool, Q: int) -> tuple[Verdict, str]:
    draws = "on the same draws" if paired else "on draws of its own"
    place = "with perfect averaging (complete graph)" if Q == 1 else f"at Q = {Q}"
    means = f"{values[:, -1].mean():.4g} {place} against {central.mean():.4g} of mini-batch SGD {draws}"
    told = f"Generalization error {means}: {found.reason}"
    if found.verdict is Verdict.HOLDS:
        return Verdict.VIOLATED, f"{told}: no gap of the kind the bounds show (a factor of sqrt(m) or more)."
    if found.verdict is Verdict.VIOLATED:
        side = "on the side of the bounds" if found.ratio[0] > 1 else "but the other way: the decentralized error is the smaller one"
        return Verdict.HOLDS, f"{told}: a gap is left, {side}."
    return Verdict.UNDECIDED, f"{told.rstrip('.')}: more replicates are needed."


def _spread(run: Measured) -> str:
    """What stays apart in models, where it was measured."""
    if not any(asked == DISTANCE for asked, _ in run):
        return ""
    return f" The nodes themselves stay apart all the same: their consensus distance is {_values(run, DISTANCE).mean():.3g}, and mixing more does not lower it."


def _curve(values: Values, central: Values, gossip: tuple[int, ...], band: Band) -> Curve:
    return Curve(
        parameter=symbol("Q"),
        quantity=Quantity.GENERALIZATION_ERROR,
        x=np.array(gossip, dtype=float),
        mean=band.mean,
        low=band.low,
        high=band.high,
        bound=np.full(len(gossip), float(central.mean())),
        bound_id=None,
        level=band.level,
        replicates=band.replicates,
        values=values,
        bound_label="mini-batch SGD, mean",
    )


def _table(values: Values, central: Values, gossip: tuple[int, ...]) -> Table:
    columns = [(f"Q = {Q}", values[:, k]) for k, Q in enumerate(gossip)] + [("mini-batch SGD", central[:, 0])]
    rows = tuple((name, float(one.mean()), float(one.std(ddof=1) / np.sqrt(len(one)))) for name, one in columns)
    return Table("Generalization error", ("run", "mean", "standard error"), rows)

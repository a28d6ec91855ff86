"""The consensus distance on quadratics by the exact moment recursion, as the number Q of gossip steps grows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Schedule
from bounds.symbols import symbol
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Quantity, UpdateForm, word
from empirical.oracles import Method, Quadratic, steady_state
from verify.finding_case import Finding
from verify.verdict import Curve, Numbers, Table, Verdict

Values = NDArray[np.float64]
Row = tuple[str, str, float, float, float, float]

GRAPHS = (("ring", 8), ("torus", 9), ("exponential", 8))
#: Powers lambda^Q, and what other eigenvalues than +-lambda add to the energy, count as small below this.
SMALL = 0.02
_MARGIN = 0.01
_STEP = 0.2
_ROUNDING = 1e-20


def gossip_range(mixing: MixingMatrix, points: int = 5) -> tuple[int, ...]:
    """The numbers of gossip steps where the largest lambda in modulus rules alone, from the spectrum: no measurement enters.

    From the first Q at which lambda^Q <= :data:`SMALL` (then what earlier steps left over is small against the last one) and the
    sum of (lambda_i/lambda)^(2Q) over all smaller lambda_i is at most :data:`SMALL` per eigenvalue +-lambda, in steps of a quarter of it.
    """
    others = np.sort(np.abs(np.delete(mixing.spectrum, int(np.argmax(mixing.spectrum)))))[::-1]
    shares = others / others[0]
    leading = int((shares > 1 - 1e-9).sum())
    Q = math.ceil(math.log(SMALL) / math.log(others[0]))
    while (shares[leading:] ** (2 * Q)).sum() > SMALL * leading:
        Q += 1
    return tuple(Q + k * max(1, Q // 4) for k in range(points))


def quadratics(m: int) -> Quadratic:
    """Two-dimensional quadratics that differ between nodes in Hessian (eigenvalues 0.2 to 1), minimiser and noise."""
    rng = np.random.default_rng(2510)
    axes = np.linalg.qr(rng.standard_normal((m, 2, 2)))[0]
    hessians = axes @ (rng.uniform(0.2, 1.0, (m, 2, 1)) * axes.swapaxes(1, 2))
    noise = np.eye(2) * rng.uniform(0.5, 1.5, (m, 1, 1))
    return Quadratic((hessians + hessians.swapaxes(1, 2)) / 2, rng.standard_normal((m, 2)), noise)


def distances(form: str, readout: str, mixing: MixingMatrix, gossip: tuple[int, ...]) -> Values:
    """(gossip,): the exact steady consensus distance of :func:`quadratics` with step 0.2, for each number of gossip steps."""
    problem, plan = quadratics(mixing.nodes), Schedule(eta=_STEP)
    methods = (Method(update_form=word(UpdateForm, form), schedule=plan, mixing=mixing, Q=Q) for Q in gossip)
    return np.array([steady_state(method, problem).consensus_distance(readout) for method in methods])


def on_quadratics(form: str, readout: str) -> Finding:
    """Local slopes of ln(consensus distance) in Q against 2 ln(lambda), on three graphs."""
    rows, curves = list[Row](), list[Curve]()
    for name, m in GRAPHS:
        mixing = topology(name, m)
        gossip = gossip_range(mixing, 3)
        found = distances(form, readout, mixing, gossip)
        rate = 2 * math.log1p(-mixing.gap)
        slope = float(np.log(found[-1] / found[-2]) / (gossip[-1] - gossip[-2]))
        floor = float(distances(form, readout, topology("complete", m), (1,))[0])
        left = floor if floor > _ROUNDING else 0.0
        rows.append((f"{name} of {m}", f"{gossip[-2]} to {gossip[-1]}", rate, slope, float(found[-1]), left))
        curves.append(_curve(name, gossip, found, rate))
    heads = ("graph", "Q", "2 ln(lambda)", "local slope", "distance at the last Q", "distance with perfect averaging")
    table = Table("Exact steady consensus distance on quadratics that differ between nodes, step 0.2", heads, tuple(rows))
    verdict, reason = decide(rows)
    last = rows[0]
    return Finding(verdict, reason, Numbers(measured=last[3], bound=last[2]), tables=(table,), curves=tuple(curves))


def decide(rows: list[Row]) -> tuple[Verdict, str]:
    """HOLDS where all local slopes are those of lambda^(2Q) to 1 %; VIOLATED where a floor holds most of what is left, everywhere."""
    worst = max(abs(row[3] / row[2] - 1) for row in rows)
    if worst <= _MARGIN:
        return Verdict.HOLDS, (
            "By the exact moment recursion the consensus distance falls to 0 like lambda^(2Q) on all three graphs: local slopes of its "
            f"logarithm differ from 2 ln(lambda) by at most {100 * worst:.2g} % of it (margin {100 * _MARGIN:g} %)."
        )
    if all(row[3] / row[2] < 0.5 and row[5] > row[4] / 2 for row in rows):
        name, _, rate, slope, _, floor = rows[0]
        return Verdict.VIOLATED, (
            f"By the exact moment recursion the consensus distance falls exponentially, but down to a floor: with perfect averaging {floor:.4g} is "
            f"left on the {name}, where the last local slope of its logarithm is {slope:.2g}, not {rate:.3g}."
        )
    return Verdict.UNDECIDED, f"Local slopes differ from 2 ln(lambda) by up to {100 * worst:.3g} % of it, and no floor explains that."


def _curve(name: str, gossip: tuple[int, ...], found: Values, rate: float) -> Curve:
    x = np.array(gossip, dtype=float)
    return Curve.exact(
        symbol("Q"),
        Quantity.CONSENSUS_DISTANCE,
        x,
        found,
        found[0] * np.exp(rate * (x - x[0])),
        label=f"consensus distance, {name}",
        bound_label="falls like lambda^(2Q)",
    )

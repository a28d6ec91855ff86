"""``zhu2023-edge-of-stability``: where the curvature of full-batch training settles, by update form and graph (derived here)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import sympy

import bounds
from bounds.setting import Fact, Schedule
from bounds.symbols import symbol
from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout, UpdateForm, word
from empirical.oracles import Method
from verify.case import RESAMPLES, Case
from verify.claims.averaged_sam.common import PAPER, Build
from verify.claims.averaged_sam.sharpening import Descended, Descent, descend
from verify.claims.core import Budget
from verify.claims.flatness import modes
from verify.finding_case import ExactCase, Finding, Heading, TasksCase
from verify.plan import Task
from verify.statistics import Judgement, equivalent, max_t_band, resamples_for
from verify.verdict import Curve, Numbers, Table, Verdict

CLAIM = "zhu2023-edge-of-stability"
STATEMENT = (
    "In full-batch training with one loss at all nodes, eta times the largest Hessian eigenvalue settles at 1 + lambda_min(W) for D-SGD in the "
    "consensus form, and at 2 for adapt-then-combine and for gradient descent (derived here from the dynamics of the disagreement)."
)
#: The settled value may differ from the predicted one by this share of it.
MARGIN = 0.05
#: Small enough for the spread at the edge to stay small, large enough for the curvature to reach it; the hypercube has the lowest edge.
_ETAS = {"consensus": 0.2, "atc": 0.3, "centralized": 0.3, "hypercube": 0.15}
#: At 0.2 the nodes of the wide network are so far apart that the Hessian at their mean is 2.5 % higher.
_WIDE = {"width": 32, "eta": 0.15}
_MEAN = Readout.NETWORK_MEAN.value
_NAMES = {"centralized": "gradient descent", "atc": "ATC", "consensus": "the consensus form"}
_GRAPHS = ("lazy_ring", "complete", "ring", "hypercube")
_FEW = 10
#: A probe has so many times fewer steps and readings.
_SHORTER = 24
#: Powers of ten by which a consensus distance counts as far above the perturbation.
_DECADES = 3.0
_DRAWN = ("consensus-tanh", "consensus-silu", "centralized-tanh")


def linearised(form: str) -> Finding:
    """The disagreement's modes obey a scalar recursion with factor a: |a| < 1 is proved inside the limit, and a = -1 at it."""
    a, regions = modes.factor(form), modes.STABLE if form == "consensus" else modes.WIDE
    inside = all(modes.proved(expression, regions, (1,)) for expression in (1 - a, 1 + a))
    # In the consensus form the limit is reached by the disagreement at 1 + l; in ATC by the mean, whose eigenvalue is 1, at 2.
    at_edge = sympy.simplify(a.subs(modes.X, 1 + modes.L) if form == "consensus" else a.subs({modes.L: 1, modes.X: 2}))
    rows, worst = _radii(form)
    numbers = Numbers(worst, worst, worst, 0.0)
    table = Table("Spectral radius of one step", ("graph", "limit", "at 0.99 of it", "at 1.01 of it", "catalogue"), rows)
    if not inside or at_edge != -1 or worst > 1e-9:
        return Finding(Verdict.UNDECIDED, "The limit of stability was not proved.", numbers, tables=(table,))
    limit = "1 + lambda_min(W)" if form == "consensus" else "2, whatever the graph"
    reason = (
        f"Around any point the disagreement of {_NAMES[form]} obeys delta <- ({a}) delta with l an eigenvalue of W and x = eta h: proved to shrink for "
        f"every l in (-1, 1) below the limit, and to change sign at full size at it, so that eta lambda_max(H) is stable up to {limit}; the radii of the whole "
        f"step cross 1 there to {worst:.0e}. Whether training settles there is measured in the other cases."
    )
    return Finding(Verdict.HOLDS, reason, numbers, None, {"loss": "quadratic, one Hessian", "lambda_min(W)": "-1 to 1"}, tables=(table,))


def _radii(form: str) -> tuple[tuple[tuple[Fact, ...], ...], float]:
    """By graph the catalogue's limit, the radii beside it, and how far from 1 the worst radius is at the limit."""
    bound, rows, worst = bounds.get("edge_of_stability"), [], 0.0
    for name in (*_GRAPHS, "star"):
        W = topology(name, 8)
        maps = Method(update_form=word(UpdateForm, form), schedule=Schedule(1.0), mixing=W).maps(8)
        limit = 1 + float(np.linalg.eigvalsh(W.matrix)[0]) if form == "consensus" else 2.0
        listed = float(bound.evaluate(curvature=1.0, spectrum=W.spectrum, Q=1, update_form=form))
        at = [float(np.abs(np.linalg.eigvals(maps.keep - share * limit * maps.spread @ maps.points)).max()) for share in (0.99, 1.01, 1.0)]
        rows.append((name, limit, at[0], at[1], listed))
        worst = max(worst, abs(at[2] - 1), abs(listed / limit - 1), 0.0 if at[1] > 1 else 1.0)
    return tuple(rows), worst


def settled(found: Descended) -> np.ndarray:
    """(replicates,): the mean over the later half of the readings."""
    return np.asarray(found.edge[:, found.edge.shape[1] // 2 :].mean(axis=1))


def judged(found: tuple[Descended, ...], level: float, rng: np.random.Generator, resamples: int) -> Judgement:
    """Settled over predicted minus 1, within the margin at every configuration? Configurations share their starts, replicate by replicate."""
    apart = np.stack([settled(one) / one.descent.edge - 1 for one in found], axis=1)
    return equivalent(apart, np.full(len(found), MARGIN), level, resamples, rng, deterministic=True)


def at_the_edge(results: tuple[Descended, ...], level: float, rng: np.random.Generator, about: str, drawn: bool) -> Finding:
    """Every configuration of a case against its predicted value."""
    lost = sum(int((~np.isfinite(one.edge).all(axis=1)).sum()) for one in results)
    if lost:
        reason = f"{lost} of {sum(len(one.edge) for one in results)} trainings diverged at eta = {results[0].descent.eta:g}, so nothing was compared."
        return Finding(Verdict.UNDECIDED, reason, conditions=conditions(results))
    resamples = resamples_for(level / 2, RESAMPLES)
    answer = judged(results, level, rng, resamples)
    means = [float(settled(one).mean()) for one in results]
    listed = ", ".join(f"{m:.4g} ({_graph(one)}; {one.descent.edge:.4g} predicted)" for one, m in zip(results, means, strict=True))
    words = {
        Verdict.HOLDS: f"within {MARGIN:.0%} of the prediction everywhere",
        Verdict.VIOLATED: f"more than {MARGIN:.0%} away from the prediction somewhere",
        Verdict.UNDECIDED: f"not decided to be within {MARGIN:.0%} of the prediction",
    }
    name, first = _NAMES[results[0].descent.update_form], results[0].descent
    reason = (
        f"Full-batch training by {name} settles at eta lambda_max(H) = {listed}: {words[answer.verdict]} ({first.replicates} starts, mean of the "
        f"later half of {first.steps} steps, Hessian of the averaged model).{about}"
    )
    at = answer.index
    numbers = replace(answer.numbers, measured=means[at], bound=results[at].descent.edge, tightness=results[at].descent.edge / means[at])
    low, high = (results[at].descent.edge * (1 + float(end[at])) for end in (answer.band.low, answer.band.high))
    curves = tuple(_curve(one, level, rng, resamples) for one in results) if drawn else ()
    return Finding(answer.verdict, reason, replace(numbers, low=low, high=high), None, conditions(results), {}, curves, (_table(results),))


def spread_remains(results: tuple[Descended, ...], level: float, rng: np.random.Generator) -> Finding:
    """Is the consensus distance of full-batch training far above what the perturbation alone sustains in stable dynamics?"""
    (one,) = results
    d = one.descent
    # Stable linear dynamics that forget at the graph's slowest rate sustain the perturbation's variance times the number of weights over 1 - lambda^2.
    W = d.mixing()
    assert W is not None
    sustained = d.jitter**2 * (3 * d.width + 1) / W.gap
    decades = np.log10(one.spread / sustained)
    band = max_t_band(decades[:, None], level / 2, resamples_for(level / 2, RESAMPLES), rng)
    low, high = float(band.low[0]), float(band.high[0])
    verdict = Verdict.HOLDS if low > _DECADES else Verdict.VIOLATED if high < _DECADES else Verdict.UNDECIDED
    words = {Verdict.HOLDS: "stays far above", Verdict.VIOLATED: "is", Verdict.UNDECIDED: "is not decided to stay above"}
    reason = (
        f"Training {_NAMES[d.update_form]} with all samples in every batch and one loss at all nodes, at the edge of stability, the consensus distance "
        f"{words[verdict]} the size that the perturbation of {d.jitter:g} alone sustains: 10^{decades.mean():.2f} [10^{low:.2f}, 10^{high:.2f}] times it, "
        f"geometric mean {10 ** float(np.log10(one.spread).mean()):.2g} ({d.replicates} starts; told apart at 10^{_DECADES:g} times)."
    )
    numbers = Numbers(float(decades.mean()), low, high, _DECADES, replicates=d.replicates)
    return Finding(verdict, reason, numbers, None, conditions(results) | {"topology": d.graph, "m": d.m}, tables=(_table(results),))


def _graph(one: Descended) -> str:
    d = one.descent
    graph = "" if d.update_form == "centralized" else f"{d.graph.replace('_', ' ')} of {d.m}, "
    return f"{graph}{d.width} units, eta {d.eta:g}"


def _table(found: tuple[Descended, ...]) -> Table:
    rows = tuple(
        (
            _graph(one),
            one.descent.edge,
            float(settled(one).mean()),
            float(settled(one).min()),
            float(settled(one).max()),
            float(one.loss.mean()),
            float(one.spread.mean()),
        )
        for one in found
    )
    heads = ("configuration", "predicted", "settled", "smallest start", "largest start", "training loss", "consensus distance")
    return Table("Where eta lambda_max(H) settles", heads, rows)


def _curve(one: Descended, level: float, rng: np.random.Generator, resamples: int) -> Curve:
    band = max_t_band(one.edge, level, resamples, rng)
    label = "1 + smallest eigenvalue of W" if one.descent.update_form == "consensus" else "edge of gradient descent"
    return Curve(
        symbol("T"), Quantity.OTHER, one.steps.astype(np.float64), band.mean, band.low, band.high, np.full(len(one.steps), one.descent.edge), None,
        level, len(one.edge), one.edge, f"step times top curvature, {_graph(one)}", label,
    )  # fmt: skip


def conditions(found: tuple[Descended, ...]) -> dict[str, Fact]:
    """What the trainings of a case have in common."""
    d = found[0].descent
    loss = "mean squared error of 12 points of sin(4x), the same at all nodes"
    etas = ", ".join(sorted({f"{one.descent.eta:g}" for one in found}))
    return {
        "network": f"1-{d.width}-1, {d.activation}",
        "loss": loss,
        "eta": etas,
        "T": d.steps,
        "jitter": d.jitter,
        "batch": "all samples",
    }


def _descent(budget: Budget, seed: int, form: str, graph: str, activation: str, **change: Any) -> Descent:
    quick = budget.name == "quick"
    common: dict[str, Any] = {
        "m": 4 if quick else 8,
        "width": 12,
        "eta": _ETAS.get(graph, _ETAS[form]),
        "steps": 2400 if quick else 8_000,
        "readings": 6 if quick else 24,
    }
    return Descent(form, graph, activation=activation, replicates=_FEW if quick else 24, seed=seed, **(common | change))


def ring_descent(budget: Budget, seed: int, form: str) -> Descent:
    """Full-batch training on a ring, which the batch claim reads too."""
    return _descent(budget, seed, form, "ring", "tanh")


def _task(one: Descent) -> Task:
    cost = float(one.steps * one.nodes * one.replicates)
    short = replace(one, steps=one.steps // _SHORTER, readings=1, seed=0)
    return Task(descend, (one,), cost, Task(descend, (short,), cost / _SHORTER))


def _case(name: str, form: str, descents: tuple[Descent, ...], about: str = "") -> Case:
    tasks = tuple(_task(one) for one in descents)
    return TasksCase(Heading(CLAIM, name, PAPER, STATEMENT, form, _MEAN), tasks, at_the_edge, (about, name in _DRAWN))


def edge_of_stability(budget: Budget, seed: int, device: str) -> list[Case]:
    """The limit of the linearised dynamics, proved; and full-batch training of small networks by graph, form, activation and width."""
    cases: list[Case] = [
        ExactCase(Heading(CLAIM, f"linearised-{form}", PAPER, STATEMENT, form, Readout.NODE_AVERAGE.value), linearised, (form,))
        for form in ("consensus", "atc")
    ]
    quick = budget.name == "quick"
    for activation in ("tanh", "silu"):
        first = int(activation == "silu")
        for form, graphs in (("consensus", _GRAPHS[first:3] if quick else _GRAPHS), ("atc", ("ring",)), ("centralized", ("ring",))):
            if quick and (form, activation) == ("atc", "silu"):
                continue
            cases.append(_case(f"{form}-{activation}", form, tuple(_descent(budget, seed, form, graph, activation) for graph in graphs)))
            if not quick:
                change = _WIDE if form == "consensus" else {"width": _WIDE["width"]}
                cases.append(_case(f"{form}-{activation}-wide", form, (_descent(budget, seed, form, "ring", activation, **change),)))
    for name, form, eta, about in (
        ("consensus-large-step", "consensus", 0.4, _LARGE),
        ("centralized-small-step", "centralized", 0.05, _SMALL),
    ):
        cases.append(_case(name, form, (_descent(budget, seed, form, "ring", "tanh", eta=eta),), about))
    return cases


_LARGE = (
    " With a step this large the nodes oscillate so far apart that the Hessian at their mean is no longer the one that holds them: the prediction is "
    "one for small spread."
)
_SMALL = (
    " The step is too small for the curvature to grow up to the edge: the prediction says where training is held, not that it gets there."
)

CLAIMS: dict[str, Build] = {CLAIM: edge_of_stability}

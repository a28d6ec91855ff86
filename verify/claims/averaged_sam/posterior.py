"""``zhu2023-posterior``: does the spread of the nodes evaluate uncertainty for free and improve posterior estimation?

A posterior of the weights is exp(-N L), N samples; near a minimum its variance along an axis of the Hessian is 1/(N h) (Laplace). A spread
estimates it up to its scale where the slope of log spread on log posterior variance is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bounds.setting import Fact
from bounds.symbols import Domain, Symbol
from bounds.vocabulary import Quantity, Readout
from empirical.streams import stream
from verify.case import RESAMPLES, Case
from verify.claims.averaged_sam import logistic, spreads
from verify.claims.averaged_sam.common import PAPER, Build
from verify.claims.averaged_sam.logistic import Spread, langevin, measured_spread
from verify.claims.averaged_sam.spreads import CURVATURES, Likeness, likeness
from verify.claims.core import Budget
from verify.finding_case import ExactCase, Finding, Heading, TasksCase
from verify.plan import Task
from verify.statistics import equivalent, judge, max_t_band, resamples_for
from verify.verdict import Curve, Evidence, Numbers, Table, Verdict

CLAIM = "zhu2023-posterior"
_ESTIMATES = (
    "The spread of the nodes is a free evaluation of uncertainty: the empirical covariance Xi(t) of their models implicitly estimates the "
    "covariance of the posterior of the weights."
)
_IMPROVES = "The uncertainty that the spread of the nodes evaluates improves posterior estimation."
_NODES = Readout.NODE_AVERAGE.value
#: How far the slope may be from 1, and the factor that a variance may be off.
MARGIN, FACTOR = 0.1, 1.25
_ROUNDING = 1e-9
_CURVATURE = Symbol("h", "h", "eigenvalue of the Hessian", "loss/w^2", Domain(0, low_open=True))
_DRAWN = (("lazy", "isotropic"), ("ring", "minibatch"))
_GRAPHS = {
    "lazy": "a ring on which 1e-5 of a model moves per step",
    "ring": "the ring of 16",
    "complete": "the complete graph",
}
_NOISES = {"isotropic": "gradient noise alike in all directions", "curvature": "gradient noise proportional to the Hessian"}
_WHY = {
    ("isotropic", "lazy"): "nodes that hardly mix are independent Langevin chains, and eta sigma^2/(2 b h) is what each of them settles at",
    ("isotropic", "ring"): "gossip, not curvature, ends the memory of most modes, so that the spread hardly sees the Hessian",
    ("isotropic", "complete"): "one step forgets all, and the spread is the fresh noise, slightly larger in sharp directions (1/(1 - eta^2 h^2))",
    ("curvature", "lazy"): "the curvature in the noise cancels the one in the memory: the spread is the same in every direction",
    ("curvature", "ring"): "the spread is largest in the sharpest directions, where a posterior is narrowest: d Xi_h/dh has the sign of 1 - lambda^2 + "
    "eta^2 h^2 > 0",
    ("curvature", "complete"): "the spread is the fresh noise itself, proportional to h where a posterior has 1/h",
}  # fmt: skip


def linear(noise: str, graph: str) -> Finding:
    """The steady spread by curvature against 1/h, from the closed form and the moment recursion."""
    closed, exact = spreads.formula(graph, noise), spreads.recursion(graph, noise)
    worst = float(np.abs(closed / exact - 1).max())
    found = likeness(exact, 1 / np.array(CURVATURES))
    numbers = Numbers(found.slope, found.slope, found.slope, 1.0)
    conditions = _linear_conditions(noise, graph)
    if worst > _ROUNDING or (noise == "curvature" and not spreads.rises(noise)):
        return Finding(Verdict.UNDECIDED, f"Closed form and recursion differ by {worst:.2g} of their value.", numbers, None, conditions)
    good = abs(found.slope - 1) <= MARGIN
    how = "It does, up to a scale:" if good else "It does not:"
    reason = (
        f"{how} with {_NOISES[noise]} on {_GRAPHS[graph]} the spread goes like the posterior's variance to the power {found.slope:.3g}, "
        "where an estimate has 1; "
        f"{_WHY[noise, graph]}. {_distances(found)} Closed form and moment recursion agree within {worst:.1g} of the value."
    )
    curves = (_linear_curve(exact),) if (noise, graph) == ("isotropic", "lazy") else ()
    return Finding(Verdict.HOLDS if good else Verdict.VIOLATED, reason, numbers, None, conditions, curves=curves, tables=(_table(exact),))


def _distances(found: Likeness) -> str:
    return (
        f"The best multiple of the spread is {found.distance:.5g} nats from the posterior (Kullback-Leibler), the best multiple of the identity "
        f"{found.plain:.5g}."
    )


def _linear_conditions(noise: str, graph: str) -> dict[str, Fact]:
    named: dict[str, Fact] = {
        "m": spreads.NODES,
        "eta": spreads.ETA,
        "curvatures": f"{CURVATURES[0]:g} to {CURVATURES[-1]:g}",
        "margin of the slope": MARGIN,
    }
    return {"noise": _NOISES[noise], "graph": _GRAPHS[graph], "gradients": "linear, steady state", **named}


def _table(exact: np.ndarray) -> Table:
    rows = tuple((h, float(value), float(value * h / (exact[0] * CURVATURES[0]))) for h, value in zip(CURVATURES, exact, strict=True))
    return Table("Spread by curvature", ("h", "Xi_h", "Xi_h h, over that at the least h (posterior: 1)"), rows)


def _linear_curve(exact: np.ndarray) -> Curve:
    """All six, each over its value at the least curvature, beside the posterior's."""
    h = np.array(CURVATURES)
    others = tuple(
        (f"{noise} noise, {graph}", relative)
        for noise, graph in (("isotropic", "ring"), ("curvature", "lazy"), ("curvature", "ring"))
        for relative in (spreads.formula(graph, noise) / spreads.formula(graph, noise)[0],)
    )
    relative = exact / exact[0]
    return Curve.exact(
        _CURVATURE,
        Quantity.OTHER,
        h,
        relative,
        h[0] / h,
        label="spread over that at h = 0.1",
        bound_label="posterior, 1/h",
        companions=others,
    )


def improves(noise: str, graph: str) -> Finding:
    """Is the best multiple of the spread nearer to the posterior than the best multiple of the identity?"""
    found = likeness(spreads.recursion(graph, noise), 1 / np.array(CURVATURES))
    better = found.distance < found.plain
    reason = (
        f"With {_NOISES[noise]} on {_GRAPHS[graph]} the spread is {'a better' if better else 'a worse'} estimate than none (the same variance in all "
        f"directions), both at their best scale: {found.distance:.5g} against {found.plain:.5g} nats from the posterior (Kullback-Leibler)."
    )
    numbers = Numbers(found.distance, found.distance, found.distance, found.plain, found.plain / found.distance)
    return Finding(Verdict.HOLDS if better else Verdict.VIOLATED, reason, numbers, None, _linear_conditions(noise, graph))


def size() -> Finding:
    """The spread's scale is that of step and batch, which no posterior knows."""
    base = spreads.recursion("lazy", "isotropic")
    double = spreads.recursion("lazy", "isotropic", eta=2 * spreads.ETA) / base
    quarter = spreads.recursion("lazy", "isotropic", b=4) / base
    numbers = Numbers(float(double.mean()), float(double.min()), float(double.max()), 1.0)
    if abs(quarter - 0.25).max() > _ROUNDING or abs(double - 2).max() > 0.1:
        return Finding(Verdict.UNDECIDED, "The scaling was not confirmed.", numbers)
    reason = (
        f"Even where the shape is right the size is not an estimate: Xi is {double.min():.3f} to {double.max():.3f} times as large at "
        "twice the step and exactly a "
        "quarter at four times the batch (moment recursion), while the posterior exp(-N L) depends on neither. Xi = (m-1)/m eta sigma^2/(2 "
        "b h) meets 1/(N h) at one "
        "step only, eta = 2 b m/((m-1) sigma^2 N)."
    )
    return Finding(Verdict.VIOLATED, reason, numbers, None, _linear_conditions("isotropic", "lazy"))


def size_at_one_step(samples: int) -> Finding:
    """At the step that makes the nodes Langevin chains of the posterior the spread has its size."""
    eta = 2 * spreads.NODES / ((spreads.NODES - 1) * samples)
    ratio = spreads.recursion("lazy", "isotropic", eta=eta) * samples * np.array(CURVATURES)
    numbers = Numbers(float(ratio.mean()), float(ratio.min()), float(ratio.max()), FACTOR)
    inside = ratio.min() >= 1 / FACTOR and ratio.max() <= FACTOR
    reason = (
        f"At eta = 2 b m/((m-1) sigma^2 N) = {eta:.4g} (N = {samples}) the spread has the posterior's size in every direction, "
        f"{ratio.min():.4f} to {ratio.max():.4f} "
        f"of 1/(N h) (allowed: a factor {FACTOR:g}): the nodes then are parallel Langevin chains that hardly talk."
    )
    conditions = _linear_conditions("isotropic", "lazy") | {"eta": eta, "N": samples}
    return Finding(Verdict.HOLDS if inside else Verdict.VIOLATED, reason, numbers, None, conditions)


def one_moment(m: int, d: int) -> Finding:
    """Xi(t) of one time."""
    away = stream(0, "sam moment", m).standard_normal((m, d))
    away -= away.mean(axis=0)
    rank = int(np.linalg.matrix_rank(away.T @ away / m))
    reason = (
        f"At one time it cannot: m models span m - 1 directions, so Xi(t) has rank at most m - 1 ({rank} for {m} nodes in R^{d}) and gives "
        "all other directions no "
        "variance at all, and in the directions that it sees each variance has a relative error of sqrt(2/(m-1)) = "
        f"{math.sqrt(2 / (m - 1)):.2f}. Only averages over "
        "time can."
    )
    verdict = Verdict.VIOLATED if rank == m - 1 < d else Verdict.UNDECIDED
    return Finding(verdict, reason, Numbers(float(rank), bound=float(d)), None, {"m": m, "d": d, "Xi": "of one time"})


def _paired(results: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Spreads (replicates, d), and posterior variances (replicates, d) from as many groups of Langevin chains."""
    spread, (variances, _) = results
    return spread, variances.reshape(len(spread), -1, variances.shape[1]).mean(axis=1)


def shape(results: tuple[Any, ...], level: float, rng: np.random.Generator, one: Spread) -> Finding:
    """The slope of log spread on log posterior variance, by replicate."""
    spread, posterior = _paired(results)
    slopes = np.array([likeness(*pair).slope for pair in zip(spread, posterior, strict=True)])
    found = equivalent(slopes[:, None] - 1, np.array([MARGIN]), level, resamples_for(level / 2, RESAMPLES), rng)
    band, whole = found.band, likeness(spread.mean(axis=0), posterior.mean(axis=0))
    low, high = float(band.low[0]) + 1, float(band.high[0]) + 1
    numbers = Numbers(float(slopes.mean()), low, high, 1.0, None, len(slopes), found.more_replicates)
    told = {Verdict.HOLDS: "an estimate up to its scale", Verdict.VIOLATED: "no estimate", Verdict.UNDECIDED: "not decided"}[found.verdict]
    reason = (
        f"{_setting(one)} the spread goes like the posterior's variance to the power {slopes.mean():.3f} [{low:.3f}, {high:.3f}], {told} "
        f"(1 within {MARGIN:g} "
        f"is one). {_distances(whole)}{_reference(results)}"
    )
    curves = (_curve(spread, posterior.mean(axis=0), level, rng),) if (one.graph, one.noise) in _DRAWN else ()
    return Finding(found.verdict, reason, numbers, None, _conditions(one), curves=curves)


def scale(results: tuple[Any, ...], level: float, rng: np.random.Generator, one: Spread) -> Finding:
    """The geometric mean over directions of spread over posterior variance, by replicate."""
    spread, posterior = _paired(results)
    logs = np.log(spread / posterior).mean(axis=1)
    found = equivalent(logs[:, None], np.array([math.log(FACTOR)]), level, resamples_for(level / 2, RESAMPLES), rng)
    value, low, high = (math.exp(float(end)) for end in (logs.mean(), found.band.low[0], found.band.high[0]))
    numbers = Numbers(value, low, high, FACTOR, None, len(logs), found.more_replicates)
    reason = (
        f"{_setting(one)} the spread is {value:.3f} [{low:.3f}, {high:.3f}] times the posterior's variance (geometric mean over "
        f"{spread.shape[1]} directions; allowed: a "
        f"factor {FACTOR:g}).{_reference(results)}"
    )
    return Finding(found.verdict, reason, numbers, None, _conditions(one))


def better(results: tuple[Any, ...], level: float, rng: np.random.Generator, one: Spread) -> Finding:
    """The distance of the best multiple of the spread from the posterior, minus that of the best multiple of the identity."""
    spread, posterior = _paired(results)
    found = [likeness(*pair) for pair in zip(spread, posterior, strict=True)]
    gains = np.array([[each.distance - each.plain] for each in found])
    judged = judge(gains, np.zeros(1), level, resamples_for(level, RESAMPLES), rng)
    told = {Verdict.HOLDS: "an improvement", Verdict.VIOLATED: "worse than no estimate", Verdict.UNDECIDED: "not decided"}[judged.verdict]
    numbers = judged.numbers
    reason = (
        f"{_setting(one)} the best multiple of the spread is {np.mean([each.distance for each in found]):.3g} nats from the posterior, the "
        "best multiple of the identity "
        f"{np.mean([each.plain for each in found]):.3g} (difference [{numbers.low:.3g}, {numbers.high:.3g}]): {told}."
    )
    return Finding(judged.verdict, reason, numbers, None, _conditions(one))


def _setting(one: Spread) -> str:
    noise = "mini-batches of 1" if one.noise == "minibatch" else "full gradients plus noise alike in all directions"
    return f"Logistic regression by {noise} on {_GRAPHS[one.graph]}:"


def _reference(results: tuple[Any, ...]) -> str:
    variances, accepted = results[1]
    ratio = variances.mean(axis=0) / logistic.model().laplace()
    return (
        f" The posterior is that of {len(variances)} Langevin chains (MALA, {100 * accepted:.0f} % accepted), {ratio.min():.3f} to "
        f"{ratio.max():.3f} of the Laplace "
        "variances."
    )


def _conditions(one: Spread) -> dict[str, Fact]:
    noise = "mini-batches" if one.noise == "minibatch" else f"isotropic, variance {one.variance:.4g}"
    data = f"{logistic.SAMPLES} digits, 6 principal components, the same at every node"
    return {"data": data, "m": logistic.NODES, "eta": one.eta, "noise": noise, "graph": _GRAPHS[one.graph], "steps": one.steps}


def _curve(spread: np.ndarray, posterior: np.ndarray, level: float, rng: np.random.Generator) -> Curve:
    band = max_t_band(spread, level, resamples_for(level, RESAMPLES), rng)
    best = float(np.exp(np.log(band.mean / posterior).mean()))
    return Curve(
        _CURVATURE, Quantity.OTHER, logistic.model().curvatures, band.mean, band.low, band.high, posterior, None, level, len(spread), spread,
        "variance along an axis of the Hessian", "posterior", (("posterior, rescaled", best * posterior),),
    )  # fmt: skip


def _exact() -> list[Case]:
    cases = list[Case]()

    def add(
        case: str, statement: str, find: Callable[..., Finding], arguments: tuple[Any, ...], evidence: Evidence = Evidence.EXACT
    ) -> None:
        cases.append(ExactCase(Heading(CLAIM, case, PAPER, statement, "consensus", _NODES), find, arguments, evidence, 1e6))

    for noise in spreads.NOISES:
        for graph in spreads.GRAPHS:
            add(f"linear-{noise}-{graph}", _ESTIMATES, linear, (noise, graph))
    for noise, graph in (("isotropic", "lazy"), ("isotropic", "ring"), ("isotropic", "complete"), ("curvature", "ring")):
        add(f"linear-improves-{noise}-{graph}", _IMPROVES, improves, (noise, graph))
    add("linear-size", _ESTIMATES, size, ())
    add("linear-size-at-one-step", _ESTIMATES, size_at_one_step, (200,))
    add("one-moment", _ESTIMATES, one_moment, (16, 100), Evidence.PROVED)
    return cases


def posterior(budget: Budget, seed: int, device: str) -> list[Case]:
    """Linear gradients exactly, and logistic regression against Langevin samples of its posterior."""
    cases, quick = _exact(), budget.name == "quick"
    replicates, steps = (24, 3000) if quick else (60, 10_000)
    eta = 0.1
    variance = 2 * logistic.NODES / ((logistic.NODES - 1) * eta * logistic.SAMPLES)
    steps = 500 if quick else 2000
    reference = Task(langevin, (5 * replicates, steps, seed), 5e8, Task(langevin, (5 * replicates, steps // 20, seed), 5e8 / 20))
    runs = {
        "chains": Spread("lazy", "isotropic", eta, steps, replicates, seed, variance=variance),
        "chains-twice-the-step": Spread("lazy", "isotropic", 2 * eta, steps, replicates, seed, variance=variance),
        "ring-isotropic": Spread("ring", "isotropic", eta, steps, replicates, seed, variance=variance),
        "ring-minibatch": Spread("ring", "minibatch", eta, steps, replicates, seed),
        "lazy-minibatch": Spread("lazy", "minibatch", eta, 2 * steps, replicates, seed),
    }
    for name, find, statement in (
        ("chains", shape, _ESTIMATES), ("chains", scale, _ESTIMATES), ("chains-twice-the-step", scale, _ESTIMATES), ("chains", better, _IMPROVES),
        ("ring-isotropic", shape, _ESTIMATES), ("ring-isotropic", better, _IMPROVES), ("ring-minibatch", shape, _ESTIMATES),
        ("ring-minibatch", better, _IMPROVES), ("lazy-minibatch", shape, _ESTIMATES), ("lazy-minibatch", better, _IMPROVES),
    ):  # fmt: skip
        one = runs[name]
        what = {"shape": "shape", "scale": "size", "better": "improves"}[find.__name__]
        heading = Heading(CLAIM, f"logistic-{name}-{what}", PAPER, statement, "consensus", _NODES)
        cost = float(one.steps * one.replicates) * (1e4 if one.noise == "isotropic" else 1e3)
        task = Task(measured_spread, (one,), cost, Task(measured_spread, (replace(one, steps=one.steps // 50),), cost / 50))
        cases.append(TasksCase(heading, (task, reference), find, (one,)))
    return cases


CLAIMS: dict[str, Build] = {CLAIM: posterior}

"""``li2025-enough-gossip``: how many gossip steps bring decentralized training close to centralized training, predicted and observed.

"Enough" means: the mean-square consensus distance is at most ``theta`` eta sigma2/(m beta), so that its part of the training error
(beta/2 times it) is at most ``theta`` times the noise floor beta eta sigma2/(2 m) that centralized mini-batch SGD has as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.setting import Fact, Schedule
from bounds.symbols import symbol
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Quantity, Readout, UpdateForm, word
from empirical import Run
from empirical.optimisation import Optimisation
from empirical.oracles import Method, Quadratic, steady_state
from empirical.problems import problem
from empirical.samples import draw_samples
from empirical.streams import stream
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.images import absent, image_problems
from verify.claims.multigossip.common import PAPER, PROBLEMS, Build
from verify.claims.multigossip.descent import band_of, exact_numbers, read_descent
from verify.curve_case import shared_conditions
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.statistics import Band, judge, max_t_band, resamples_for
from verify.verdict import Curve, Evidence, Table, Verdict

CLAIM = "li2025-enough-gossip"
_ENOUGH = (
    "A moderate number of gossip steps, proportional to 1/gap up to a logarithm, makes the error that decentralization adds to training "
    "small beside the error of the gradient noise."
)
_BRIDGE = "With that many gossip steps decentralized training closes most of its gap to centralized mini-batch training."
THETA, _CLOSED, _ETA, _SIGMA2, _ZETA2 = 0.1, 0.1, 0.05, 1.0, 1.0
_ONE_BY_ONE = 48
#: Replicates of the convolutional network, each of which takes seconds.
_FEW = 64
_GRAPHS = ("ring", "torus", "exponential", "hypercube", "complete")
_NODES, _POINT = Readout.NODE_AVERAGE.value, Readout.GRADIENT_POINT.value
Values = NDArray[np.float64]


def predicted(mixing: MixingMatrix, eta: float, beta: float, sigma2: Any, zeta2: Any) -> int:
    """The number of gossip steps by mgs_gossip_needed, the largest over arrays of constants."""
    given: dict[str, Any] = {
        "eta": eta,
        "m": mixing.nodes,
        "beta": beta,
        "sigma2": sigma2,
        "zeta2": zeta2,
        "gap": mixing.gap,
        "theta": THETA,
    }
    return int(np.max(bounds.get("mgs_gossip_needed").evaluate(**given)))


def pulls(mixing: MixingMatrix, aligned: bool, seed: int) -> Values:
    """Node minimisers (m, 1) with mean 0 and mean square 1: along the slowest mode of W, or at random."""
    values, vectors = np.linalg.eigh(mixing.matrix)
    others = np.argsort(np.abs(values - 1))[1:]
    slowest = vectors[:, others[np.argmax(np.abs(values[others]))]]
    raw = slowest if aligned else stream(seed, "minimisers", mixing.nodes).standard_normal(mixing.nodes)
    centred = raw - raw.mean()
    return np.asarray(centred / np.sqrt(np.mean(centred**2)))[:, None]


def exact_distance(form: str, mixing: MixingMatrix, Q: int, minimisers: Values) -> float:
    """Steady-state consensus distance of scalar quadratics of curvature 1 with sigma2 = zeta2 = 1, where gradients are evaluated."""
    method = Method(update_form=word(UpdateForm, form), schedule=Schedule(_ETA), mixing=mixing, Q=Q)
    return steady_state(method, Quadratic([[1.0]], minimisers, [[_SIGMA2]])).consensus_distance(_POINT)


def least_gossip(enough: Callable[[int], bool], most: int) -> int:
    """The least Q in 1..most with ``enough(Q)``, which ``most`` must be.

    The first 48 are tried one by one, because negative eigenvalues of W make even and odd Q differ; then by bisection.
    """
    first = next((Q for Q in range(1, min(most, _ONE_BY_ONE) + 1) if enough(Q)), None)
    if first is not None:
        return first
    low, high = min(most, _ONE_BY_ONE), most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def exact_table(graph: str, sizes: tuple[int, ...], seed: int) -> Finding:
    """Whether the predicted Q is enough, exactly, on scalar quadratics; with the least Q that is, for two kinds of heterogeneity."""
    rows, slack = list[tuple[Fact, ...]](), list[float]()
    worst = 0.0
    for m in sizes:
        mixing, target = topology(graph, m), THETA * _ETA * _SIGMA2 / m
        needed = predicted(mixing, _ETA, 1.0, _SIGMA2, _ZETA2)
        least = []
        for aligned in (True, False):
            places = pulls(mixing, aligned, seed)
            worst = max(worst, exact_distance("atc", mixing, needed, places) / target)
            if worst <= 1:
                least.append(least_gossip(_below(mixing, places, target), needed))
        if worst > 1:
            break
        rows.append((graph, m, round(mixing.gap, 5), needed, *least))
        slack.append(needed / least[0])
    heads = ("graph", "m", "gap", "Q predicted", "Q exact, pulls along the slowest mode", "Q exact, random pulls")
    table = Table(f"Gossip steps that are enough (theta = {THETA:g}, eta = {_ETA:g}, beta = sigma2 = zeta2 = 1)", heads, tuple(rows))
    conditions: dict[str, Fact] = {"graph": graph, "theta": THETA, "eta": _ETA, "loss": "quadratic of curvature 1"}
    if worst > 1:
        reason = (
            f"On the {graph} of {m} the predicted {needed} gossip steps leave {worst:.4g} times the allowed consensus distance, exactly."
        )
        return Finding(Verdict.VIOLATED, reason, exact_numbers(worst, 1.0), conditions=conditions)
    reason = (
        f"At the predicted number of gossip steps the exact steady consensus distance is at most {worst:.3g} of what is allowed, for every m. "
        f"The prediction is {min(slack):.3g} to {max(slack):.3g} times the least number that is enough where the nodes' pulls lie along the "
        f"slowest mode: {', '.join(f'm = {row[1]}: {row[3]} against {row[4]} (random pulls: {row[5]})' for row in rows)}."
    )
    return Finding(Verdict.HOLDS, reason, exact_numbers(worst, 1.0), None, conditions, tables=(table,))


def _below(mixing: MixingMatrix, places: Values, target: float) -> Callable[[int], bool]:
    return lambda Q: exact_distance("atc", mixing, Q, places) <= target


def consensus_floor(m: int) -> Finding:
    """The consensus form, whose fresh gradients are never mixed: its consensus distance with infinitely many gossip steps."""
    mixing = MixingMatrix(np.full((m, m), 1 / m), "average of all nodes")
    target = THETA * _ETA * _SIGMA2 / m
    floor = exact_distance("consensus", mixing, 1, pulls(topology("ring", m), False, 0))
    ring = topology("ring", m)
    given: dict[str, Any] = {"eta": _ETA, "beta": 1.0, "m": m, "sigma2": _SIGMA2, "zeta2": _ZETA2, "gap": ring.gap}
    answer = bounds.calibrate(bounds.get("consensus_distance_consensus"), "Q", target=target, **given)
    verdict = Verdict.VIOLATED if floor > target else Verdict.HOLDS
    reason = (
        f"In the consensus form the gradients of the last step are unmixed however large Q is: with exact averaging (Q to infinity) the exact "
        f"consensus distance on {m} quadratics is {floor:.4g}, {floor / target:.3g} times the {target:.4g} that is allowed "
        f"(theta = {THETA:g}, eta = {_ETA:g}). The bound agrees: {answer.status}."
    )
    return Finding(verdict, reason, exact_numbers(floor, target), conditions={"m": m, "theta": THETA, "eta": _ETA})


@dataclass(frozen=True, slots=True)
class Plan:
    """Runs over ``gossip`` steps, of which ``needed`` are predicted to be enough."""

    gossip: tuple[int, ...]
    needed: int


@cache
def plan(run: Run) -> Plan:
    """The prediction from the proved constants of every replicate's training set, and what to run below it."""
    described = problem(run.problem)
    training = draw_samples(run, described).training
    each = [described.loss_class(run.radius, training[r : r + 1]) for r in range(run.replicates)]
    sigma2, zeta2 = (np.array([constant.value for one in each if (constant := getattr(one, name))]) for name in ("sigma2", "zeta2"))
    beta = each[0].beta
    assert beta is not None
    assert run.eta is not None
    needed = predicted(run.mixing(), run.eta, beta.value, sigma2, zeta2)
    grid = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256}
    return Plan((*sorted(Q for Q in grid if needed > Q), needed), needed)


def measured_gossip(measured: tuple[Optimisation, ...], level: float, rng: np.random.Generator, plans: tuple[Plan, ...]) -> Finding:
    """Whether the consensus distance at the predicted Q is at most theta eta/(m beta) times the variance met there; one or more networks.

    The least Q that is enough is bracketed by the simultaneous band of (distance - allowed) over the values of Q that ran: the
    smallest that cannot be ruled out, and the smallest that is shown.
    """
    rows, verdicts, curves, excess = list[tuple[Fact, ...]](), list[Verdict](), list[Curve](), list[tuple[float, float]]()
    at, share = 0, level / (2 * len(plans))
    for one in plans:
        found = measured[at : at + len(one.gossip)]
        at += len(one.gossip)
        distance = np.stack([run.values["spread"][:, -1] for run in found], axis=1)
        allowed = np.stack([run.values["variance"][:, -1] * _factor(run) for run in found], axis=1)
        band = max_t_band(distance - allowed, share, resamples_for(share, RESAMPLES), rng)
        rows.append(_row(found[0], one, band))
        verdicts.append(Verdict.HOLDS if band.high[-1] <= 0 else Verdict.VIOLATED if band.low[-1] > 0 else Verdict.UNDECIDED)
        excess.append((float(distance[:, -1].mean()), float(allowed[:, -1].mean())))
        curves.append(_curve(found, one, distance, allowed, band_of(distance, share, rng)))
    worst = max(range(len(plans)), key=lambda k: (list(_ORDER).index(verdicts[k]), excess[k][0] / excess[k][1]))
    settings = [run.settings[-1] for run in measured]
    words = "; ".join(f"{row[0]} of {row[1]}: predicted {row[3]}, measured {row[4]} (between {row[5]} and {row[6]})" for row in rows)
    share = excess[worst][0] / excess[worst][1]
    reason = (
        f"At the predicted number of gossip steps the mean consensus distance is {share:.3g} of theta eta/(m beta) times the gradient variance "
        f"measured there (theta = {THETA:g}), {_ORDER[verdicts[worst]]}. Gossip steps that are enough: {words}."
    )
    heads = ("graph", "m", "gap", "Q predicted", "Q measured", "smallest not ruled out", "smallest shown enough")
    table = Table("Gossip steps that are enough: predicted and measured", heads, tuple(rows))
    numbers = replace(exact_numbers(*excess[worst]), low=None, high=None, replicates=len(measured[0].D0))
    constants = settings[-1].loss.constants()
    return Finding(verdicts[worst], reason, numbers, None, shared_conditions(settings), constants, tuple(curves), (table,))


_ORDER = {
    Verdict.HOLDS: "and below it at the given level",
    Verdict.UNDECIDED: "which the band does not decide",
    Verdict.VIOLATED: "and above it at the given level",
}


def _factor(found: Optimisation) -> float:
    setting = found.settings[-1]
    assert setting.loss.beta is not None
    assert setting.schedule.eta is not None
    return THETA * setting.schedule.eta / (setting.m * setting.loss.beta.value)


def _row(found: Optimisation, one: Plan, band: Band) -> tuple[Fact, ...]:
    network = found.settings[-1].network
    assert network is not None
    first = [_first(one.gossip, ends <= 0) for ends in (band.mean, band.low, band.high)]
    return network.name, network.m, round(network.gap, 5), one.needed, *first


def _first(gossip: tuple[int, ...], enough: NDArray[np.bool_]) -> str:
    """The smallest Q from which on all that ran are enough."""
    late = [Q for k, Q in enumerate(gossip) if enough[k:].all()]
    return str(late[0]) if late else "none"


def _curve(found: tuple[Optimisation, ...], one: Plan, distance: Values, allowed: Values, band: Band) -> Curve:
    x, mean, limit = np.array(one.gossip, dtype=np.float64), distance.mean(axis=0), allowed.mean(axis=0)
    network = found[0].settings[-1].network
    name = "" if network is None else f" ({network.name}, m = {network.m})"
    return Curve(
        symbol("Q"), Quantity.CONSENSUS_DISTANCE, x, mean, band.low, band.high, limit, None, band.level, len(distance), distance,
        bound_label=f"theta eta variance/(m beta){name}",
    )  # fmt: skip


def bridges(measured: tuple[Optimisation, ...], level: float, rng: np.random.Generator, needed: int, note: str = "") -> Finding:
    """Training loss of the nodes minus that of mini-batch SGD on the same draws: at ``needed`` gossip steps against one; ``note`` ends the reason."""
    one, many, central = (run.values["raw_training"][:, -1] for run in measured)
    first, last = one - central, many - central
    margin = _CLOSED * first
    shown = judge((-first)[:, None], np.zeros(1), level / 2, resamples_for(level / 2, RESAMPLES), rng)
    both = np.stack([last - margin, -last - margin], axis=1)
    found = judge(both, np.zeros(2), level / 2, resamples_for(level / 2, RESAMPLES), rng, deterministic=True)
    settings = [run.settings[-1] for run in measured[:2]]
    words = (
        f"On common draws the training loss of the nodes lies {first.mean():.3g} above that of mini-batch SGD with Q = 1, and "
        f"{last.mean():.3g} with the predicted Q = {needed}"
    )
    numbers = replace(exact_numbers(abs(float(last.mean())), _CLOSED * abs(float(first.mean()))), low=None, high=None, replicates=len(one))
    verdict = found.verdict
    if shown.verdict is not Verdict.HOLDS:
        verdict, words = Verdict.UNDECIDED, f"{words}; with Q = 1 there is no gap beyond its error that could be closed"
    ends = {Verdict.HOLDS: "at most", Verdict.VIOLATED: "more than", Verdict.UNDECIDED: "not decided to be at most"}
    reason = f"{words}: {ends[verdict]} {_CLOSED:.0%} of the gap remains at the given level.{note}"
    return Finding(verdict, reason, numbers, None, shared_conditions(settings), settings[0].loss.constants())


def _measured(budget: Budget, seed: int, device: str) -> list[Case]:
    """The table on the quadratic problem, graph by graph, and on the digits problems."""
    replicates, cases = (12 if budget.name == "quick" else max(32, budget.replicates // 2)), list[Case]()
    common: dict[str, Any] = {"update_form": UpdateForm.ATC, "n": 16, "T": 60, "replicates": replicates, "seed": seed}
    sizes = (16,) if budget.name == "quick" else (8, 16, 32)
    for graph in _GRAPHS:
        known = {m for m in sizes if not (graph == "torus" and m < 8)}
        bases = tuple(Run(problem="quadratic", m=m, eta=0.1, topology=graph, **common) for m in sorted(known))
        cases.append(_table_case(f"measured-quadratic-{graph}", bases, device))
    for name, eta in zip(PROBLEMS, (0.2, 1.0, 1.0), strict=True):
        short = name.removesuffix("-digits")
        base = Run(problem=name, m=16, eta=eta, topology="ring", **common)
        cases.append(_table_case(f"measured-{short}-ring", (base,), device))
        forms = (UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS) if short == "softmax" else (UpdateForm.ATC,)
        cases += [
            _bridge_case(f"bridge-{short}-{form.value}", replace(base, update_form=form), plan(base).needed, device) for form in forms
        ]
    return cases


def _table_case(case: str, bases: tuple[Run, ...], device: str) -> RunsCase:
    plans = tuple(plan(base) for base in bases)
    runs = tuple(replace(base, Q=Q) for base, one in zip(bases, plans, strict=True) for Q in one.gossip)
    heading = Heading(CLAIM, case, PAPER, _ENOUGH, "atc", _NODES)
    return RunsCase(heading, runs, ("spread", "variance"), measured_gossip, (plans,), device, read=read_descent)


def _bridge_case(case: str, base: Run, needed: int, device: str, note: str = "") -> RunsCase:
    central = replace(base, update_form=UpdateForm.CENTRALIZED, sampling="stratified")
    runs = (base, replace(base, Q=needed), central)
    heading = Heading(CLAIM, case, PAPER, _BRIDGE, base.update_form.value, _NODES)
    return RunsCase(heading, runs, ("raw_training",), bridges, (needed, note), device, read=read_descent)


def _images(budget: Budget, seed: int, device: str) -> list[Case]:
    """Networks on images that the user has: the gap to mini-batch training, with the Q of constants equal to 1 (theirs are not known)."""
    needed = predicted(topology("ring", 8), _ETA, 1.0, _SIGMA2, _ZETA2)
    note = " Q is the prediction for beta = sigma2 = zeta2 = 1, because this network's constants are not known."
    common: dict[str, Any] = {"update_form": UpdateForm.ATC, "m": 8, "n": 16, "T": 60, "b": 4, "seed": seed}
    cases = absent(CLAIM, PAPER, _BRIDGE, budget)
    for name in image_problems(budget):
        replicates, eta = (budget.replicates // 2, 0.1) if name.startswith("mlp") else (_FEW, 0.02)
        base = Run(problem=name, replicates=replicates, eta=eta, **common)
        cases.append(_bridge_case(f"bridge-{name.partition(':')[0]}-atc", base, needed, device, note))
    return cases


def enough_gossip(budget: Budget, seed: int, device: str) -> list[Case]:
    """Predicted, exact and measured numbers of gossip steps by graph; the floor of the consensus form; the gap to centralized training."""
    sizes = (8, 16) if budget.name == "quick" else (8, 16, 32, 64)
    exact = [
        ExactCase(Heading(CLAIM, f"exact-{graph}", PAPER, _ENOUGH, "atc", _NODES), exact_table, (graph, sizes, seed), Evidence.EXACT, 1e6)
        for graph in _GRAPHS
    ]
    floor = ExactCase(Heading(CLAIM, "exact-consensus-form", PAPER, _ENOUGH, "consensus", _NODES), consensus_floor, (16,), Evidence.EXACT)
    return [*exact, floor, *_measured(budget, seed, device), *_images(budget, seed, device)]


CLAIMS: dict[str, Build] = {CLAIM: enough_gossip}

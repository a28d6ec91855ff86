"""``cao2025-excess-risk-means-escape``: does the larger excess risk have the better chance of escaping?

The excess risk is that of the paper's short-term model: the local quadratic with every Hessian frozen at the minimum, in its steady
state, by the exact moment recursion. Exit times are those of the double well itself, exact for two nodes and measured on a ring.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np

from bounds.setting import Fact, Schedule
from bounds.symbols import symbol
from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout, UpdateForm, word
from empirical.exits import Walk
from empirical.oracles import Method, Quadratic, steady_state
from verify.case import Case
from verify.claims.core import Budget
from verify.claims.flatness import two_nodes, walks
from verify.claims.flatness.common import PAPER, Build
from verify.claims.flatness.two_nodes import CURVATURE, TwoNodes, excess_risk, exit_time, search
from verify.claims.flatness.walks import BARRIER, BOTTOM, LEVEL, NAMES, Exits, Walks, compared, well_slope
from verify.finding_case import ExactCase, Finding, Heading, TasksCase
from verify.verdict import Curve, Evidence, Numbers, Table, Verdict

CLAIM = "cao2025-excess-risk-means-escape"
_MEANS = "The worse excess risk of a strategy gives it a better chance of escaping from local minima."
_SETS = "The excess risk of a strategy sets how fast it escapes: it acts as the temperature of the walk."
_LIMITS = "The excess risk after n steps over the barrier limits the chance of having escaped by then (Markov's inequality)."
_NODES, _POINT, _MEAN = Readout.NODE_AVERAGE.value, Readout.GRADIENT_POINT.value, Readout.NETWORK_MEAN.value
_SETTLED = 1e-13
_PULLS = (0.5, 1.0, 2.0, 4.0)


@cache
def ring_excess(form: str, m: int, eta: float, temperature: float, readout: str) -> float:
    """Steady excess risk of the local quadratic of the double well on a ring, exactly."""
    problem = Quadratic([[CURVATURE]], np.zeros((m, 1)), [[2 * temperature * m / eta]])
    method = Method(update_form=word(UpdateForm, form), schedule=Schedule(eta=eta), mixing=topology("ring", m))
    return steady_state(method, problem).excess_risk(problem.objective(), readout)


def at_rest(form: str, pull: float, eta: float, m: int, most: int) -> tuple[np.ndarray, int]:
    """Where the nodes of a ring come to rest in the double well without noise, and the step after which nothing moves any more (0: never).

    Half of the nodes, side by side, have ``pull`` added to their gradient, half subtracted; all start at the minimum -1.
    """
    W, x = topology("ring", m).matrix, np.full(m, BOTTOM)
    tilt = np.where(np.arange(m) < m // 2, pull, -pull)
    for step in range(1, most + 1):
        at = W @ x if form == "cta" else x
        move = eta * (well_slope(at) + tilt)
        new = W @ (x - move) if form == "atc" else W @ x - move
        if np.abs(new - x).max() < _SETTLED:
            return new, step
        x = new
    return x, 0


def noise_free(form: str, eta: float, m: int) -> Finding:
    """Full batches, heterogeneous gradients: the excess risk is a bias, and nobody ever leaves."""
    rows, left, moving = list[tuple[Fact, ...]](), False, False
    risks, points = list[float](), list[float]()
    for pull in _PULLS:
        x, step = at_rest(form, pull, eta, m, 20_000)
        risk = float(np.mean((x**2 - 1) ** 2 / 4))
        left, moving = left or x.mean() >= LEVEL, moving or step == 0
        rows.append((pull, risk, risk / BARRIER, float(x.mean()), 3 * float(x.var()), step))
        risks.append(risk)
        points.append(float(x.mean()))
    verdict = Verdict.UNDECIDED if moving else Verdict.HOLDS if left else Verdict.VIOLATED
    largest = max(risks)
    reason = (
        f"Without gradient noise (full batches) a ring of {m} with heterogeneous gradients comes to rest inside the well: the nodes' "
        f"excess risk is up to {largest:.3g}, {largest / BARRIER:.0%} of the barrier, against 0 for the centralized strategy, and either "
        f"one's chance of ever escaping is 0 (the iterates stand still to {_SETTLED:g} after at most {max(int(str(row[-1])) for row in rows)} "
        f"steps, their mean at {max(points):.3g} or below). A larger excess risk without noise is a bias and no chance."
    )
    heads = ("pull", "excess risk of the nodes", "over the barrier", "mean at rest", "3 x spread (1 removes the well)", "steps to rest")
    conditions: dict[str, Fact] = {"loss": "double well", "graph": "ring", "m": m, "eta": eta, "noise": 0.0}
    # The chance of escape is the measured number: 0, where the claim asks for more than the centralized 0.
    numbers = Numbers(0.0, 0.0, 0.0, 0.0, None)
    return Finding(verdict, reason, numbers, None, conditions, tables=(Table("Where the network comes to rest", heads, tuple(rows)),))


def exceptions(seed: int, tries: int, predicate: str, different: bool, one: str, two: str, readout: str) -> Finding:
    """A pair of nodes where ``one`` has the larger excess risk and yet takes longer than ``two``; HOLDS when the search finds none."""
    found = search(predicate, seed, tries, different)
    where = "different losses" if different else "one loss"
    if found.witness is None:
        if different:
            return Finding(Verdict.UNDECIDED, f"None of {tries} random pairs of nodes with {where} is a counterexample.")
        return _in_order(seed, tries)
    nodes = found.witness
    risks, times = [excess_risk(nodes, form, readout) for form in (one, two)], [exit_time(nodes, form).mean for form in (one, two)]
    reason = (
        f"With {where} at two nodes {NAMES[one]} has {risks[0] / risks[1]:.3g} times the excess risk of {NAMES[two]} ({readout.replace('_', ' ')}: "
        f"{risks[0]:.4g} against {risks[1]:.4g}) and takes {times[0] / times[1]:.3g} times as long to leave ({times[0]:.5g} against "
        f"{times[1]:.5g} steps), exactly; pair {found.tried} of a random search: losses (x^2-1)^2/4 +- ({nodes.pull:g} x + {nodes.bend:g} "
        f"x^2/2), eta = {nodes.eta:g}, second eigenvalue {nodes.second:g}, noise variance {nodes.noise:.4g}."
    )
    numbers = Numbers(times[0] / times[1], times[0] / times[1], times[0] / times[1], 1.0, times[1] / times[0])
    return Finding(Verdict.VIOLATED, reason, numbers, None, nodes.numbers(), tables=(two_nodes.table(nodes),))


def _in_order(seed: int, tries: int) -> Finding:
    """Excess risk at the gradient points and exit time of the forms, on one pair with one loss, as the text of a HOLDS."""
    nodes = TwoNodes(0.1, 0.07, 0.6)
    names = ("centralized", "atc", "consensus")
    risks = [excess_risk(nodes, form, _POINT) for form in names]
    times = [exit_time(nodes, form).mean for form in names]
    ordered = risks == sorted(risks) and times == sorted(times, reverse=True)
    reason = (
        f"With one loss at both nodes and read where gradients are taken, the larger excess risk leaves sooner: centralized, ATC (and CTA), "
        f"consensus have {', '.join(f'{r:.4g}' for r in risks)} and leave after {', '.join(f'{t:.5g}' for t in times)} steps, exactly (eta = 0.1, "
        f"second eigenvalue 0.6), and in none of {tries} random pairs is a form clearly riskier and clearly slower than another."
    )
    ratio = times[-1] / times[0]
    numbers = Numbers(ratio, ratio, ratio, 1.0, 1 / ratio)
    return Finding(
        Verdict.HOLDS if ordered else Verdict.UNDECIDED, reason, numbers, None, nodes.numbers(), tables=(two_nodes.table(nodes),)
    )


def more_noise(form: str) -> Finding:
    """One form along its noise: excess risk up, exit time down?"""
    batches = np.array([8.0, 6.0, 5.0, 4.0])
    pairs = [TwoNodes(0.08, 0.4 / float(b), 0.6) for b in batches]
    risks = np.array([excess_risk(pair, form, _NODES) for pair in pairs])
    times = np.array([exit_time(pair, form).mean for pair in pairs])
    verdict = Verdict.HOLDS if (np.diff(risks) > 0).all() and (np.diff(times) < 0).all() else Verdict.VIOLATED
    reason = (
        f"Within one strategy it is so: as batches shrink from 8 to 4 and raise the noise of {NAMES[form]}, its excess risk rises from {risks[0]:.3g} "
        f"to {risks[-1]:.3g} and its exact mean exit time falls from {times[0]:.5g} to {times[-1]:.5g} steps (two nodes, eta = 0.08)."
    )
    curve = Curve.exact(symbol("b"), Quantity.EXIT_TIME, batches, times, label="exact mean exit time (steps)")
    ends = float(times[-1] / times[0])
    return Finding(verdict, reason, Numbers(ends, ends, ends, 1.0, 1 / ends), None, {"m": 2, "eta": 0.08, "second": 0.6}, curves=(curve,))


def by_then(eta: float, temperature: float, relaxations: float) -> Finding:
    """P(escaped by step n) against ER(n)/barrier for mini-batch SGD, from its transition kernel, n up to relaxations/(2 eta)."""
    walk, horizon = Walk(well_slope, eta, math.sqrt(2 * eta * temperature), -1.9, LEVEL), round(relaxations / (CURVATURE * eta))
    left = np.maximum(1 - walk.survival(BOTTOM, horizon), 0.0)
    steps, a = np.unique(np.geomspace(10, horizon, 25).round().astype(int)), 1 - eta * CURVATURE
    over = eta * temperature * CURVATURE * (1 - a ** (2.0 * steps)) / (1 - a**2) / BARRIER
    late = left[steps] > over
    at = int(np.argmax(left[steps] / over))
    if late.any():
        verdict, told = Verdict.VIOLATED, f"the chance is above that from about n = {steps[int(np.argmax(late))]} on"
    else:
        verdict, told = Verdict.HOLDS, "the chance is below that at every n up to there"
    reason = (
        f"Of mini-batch SGD {left[steps[at]]:.2g} have left after {steps[at]} steps ({steps[at] * CURVATURE * eta:.3g} relaxation times), where the "
        f"excess risk of the local model over the barrier is {over[at]:.2g}; {told}, exactly. Markov's inequality is about being that high after "
        "exactly n steps, not about having left by then: the chances to leave add up over steps, the excess risk does not."
    )
    curve = Curve.exact(
        symbol("T"),
        Quantity.OTHER,
        steps,
        left[steps],
        over,
        label="chance of having escaped",
        bound_label="excess risk over the barrier",
    )
    chance, limit = float(left[steps[at]]), float(over[at])
    facts: dict[str, Fact] = {"eta": eta, "temperature": temperature, "barrier": BARRIER, "exit": f"x >= {LEVEL:g}"}
    return Finding(verdict, reason, Numbers(chance, chance, chance, limit, limit / chance), None, facts, curves=(curve,))


def agent_temperature(results: tuple[Exits, Exits], level: float, rng: np.random.Generator) -> Finding:
    """Kramers' law with the temperature scaled by the nodes' excess risk, against the measured ratio of exit times."""
    one, central = results
    found, own = compared(one, central, level / 2), one.walks
    risks = [ring_excess(form, own.m, own.eta, own.temperature, _NODES) for form in (own.form, "centralized")]
    warmer = risks[0] / risks[1]
    naive = math.exp(BARRIER / own.temperature * (1 / warmer - 1))
    ratio = found.ratio
    apart = ratio.low > naive or ratio.high < naive
    verdict = Verdict.VIOLATED if apart else Verdict.UNDECIDED
    inside = "inside" if ratio.low <= found.predicted <= ratio.high else "outside"
    reason = (
        f"The nodes of {NAMES[own.form]} have {warmer:.3g} times the excess risk of mini-batch SGD; as a temperature it would make the exit time "
        f"{naive:.3g} times as long, but the mean of the network takes {ratio.ratio:.3g} times as long ({ratio.low:.3g} to {ratio.high:.3g}), "
        f"{ratio.ratio / naive:.3g} times the estimate{'' if apart else ', which the band does not exclude'}. The spread at the gradient points, "
        f"which lowers the barrier of the mean and heats nothing, predicts {found.predicted:.3g}, {inside} the band."
    )
    numbers = Numbers(ratio.ratio, ratio.low, ratio.high, naive, naive / ratio.ratio, own.walkers)
    rows: tuple[tuple[Fact, ...], ...] = (
        ("measured", ratio.ratio),
        ("predicted from the spread at the gradient points", found.predicted),
        ("leading order, exit_time_ratio", walks.leading_ratio(own)),
        ("excess risk of the nodes as temperature", naive),
    )
    table = Table(f"Exit time of {NAMES[own.form]} over that of mini-batch SGD", ("from", "ratio"), rows)
    return Finding(verdict, reason, numbers, None, walks.conditions(own), tables=(table,))


def readings(results: tuple[Exits, ...], level: float, rng: np.random.Generator, readout: str) -> Finding:
    """Mini-batch SGD, a diffusion and consensus on a ring: are exit times ordered against the excess risk at ``readout``?"""
    names = [NAMES[one.walks.form] for one in results]
    own = results[0].walks
    risks = [ring_excess(one.walks.form, own.m, own.eta, own.temperature, readout) for one in results]
    found = [compared(later, earlier, level / 2) for earlier, later in pairwise(results)]
    agree = [one.sign * (1 if risks[k + 1] > risks[k] else -1) for k, one in enumerate(found)]
    verdict = Verdict.VIOLATED if -1 in agree else Verdict.HOLDS if all(a == 1 for a in agree) else Verdict.UNDECIDED
    at = agree.index(min(agree))
    listed = ", ".join(f"{name} {risk:.4g}" for name, risk in zip(names, risks, strict=True))
    ratios = "; ".join(
        f"{names[k + 1]} over {names[k]} {c.ratio.ratio:.3g} ({c.ratio.low:.3g} to {c.ratio.high:.3g})" for k, c in enumerate(found)
    )
    told = {
        Verdict.HOLDS: "is that of the exit times",
        Verdict.VIOLATED: "is not that of the exit times",
        Verdict.UNDECIDED: "is undecided",
    }
    reason = (
        f"On a ring of {own.m} the order of the excess risks at the {readout.replace('_', ' ')} ({listed}) {told[verdict]}: ratios of mean "
        f"exit times are {ratios}, by band and log-rank test."
    )
    ratio = found[at].ratio
    numbers = Numbers(ratio.ratio, ratio.low, ratio.high, 1.0, 1 / ratio.ratio, own.walkers)
    rows = tuple((n, r, one.times.exits, one.times.time_at_risk / one.times.exits) for n, r, one in zip(names, risks, results, strict=True))
    table = Table(
        "Excess risk and exit time", ("update form", f"excess risk ({readout.replace('_', ' ')})", "exits", "mean exit time"), rows
    )
    return Finding(verdict, reason, numbers, None, walks.conditions(own), tables=(table,))


def _measured(budget: Budget, seed: int) -> list[Case]:
    """Runs on the ring of eight: the nodes' excess risk as a temperature, and the order at the gradient points."""
    quick = budget.name == "quick"
    count = 64 if quick else 1024
    cold = [
        Walks(form, "ring", 8, 0.04 if quick else 0.02, 0.05, count * (2 if form == "centralized" else 1), seed)
        for form in ("consensus", "centralized")
    ]
    heading = Heading(CLAIM, "ring-kramers-of-the-nodes", PAPER, _SETS, "consensus", _NODES)
    cases: list[Case] = [TasksCase(heading, tuple(one.task() for one in cold), agent_temperature)]
    walkers = 400 if quick else 2560
    groups = [Walks(form, "ring", 8, 0.04, 0.07, walkers * (2 if form == "centralized" else 1), seed) for form in _ORDERED]
    heading = Heading(CLAIM, "ring-same-loss", PAPER, _MEANS, "consensus", _POINT)
    return [*cases, TasksCase(heading, tuple(one.task() for one in groups), readings, (_POINT,))]


_ORDERED = ("centralized", "atc", "consensus")


def _exact(budget: Budget, seed: int) -> list[Case]:
    tries = 4 if budget.name == "quick" else 60
    cases: list[Case] = []
    for form in two_nodes.FORMS:
        heading = Heading(CLAIM, f"noise-free-{form}", PAPER, _MEANS, form, _NODES)
        cases.append(ExactCase(heading, noise_free, (form, 0.02, 8), Evidence.EXACT))
    for form in ("centralized", "atc", "consensus"):
        heading = Heading(CLAIM, f"more-noise-{form}", PAPER, _MEANS, form, _NODES)
        cases.append(ExactCase(heading, more_noise, (form,), Evidence.EXACT, 1e6))
    for name, predicate, different, one, two, readout in (
        ("two-nodes", "riskier at gradient points and slower", False, "consensus", "centralized", _POINT),
        ("two-nodes-cta", "cta riskier and slower than consensus", False, "cta", "consensus", _NODES),
        ("curvatures-differ-atc", "atc riskier and slower than centralized", True, "atc", "centralized", _NODES),
        (
            "curvatures-differ-consensus",
            "consensus riskier and slower than centralized",
            True,
            "consensus",
            "centralized",
            _NODES,
        ),
    ):
        heading = Heading(CLAIM, name, PAPER, _MEANS, one, readout)
        arguments = (seed, tries if name == "two-nodes" else max(tries, 60), predicate, different, one, two, readout)
        cases.append(ExactCase(heading, exceptions, arguments, Evidence.EXACT, 1e7))
    for case, relaxations in (("short", 10.0), ("long", 350.0)):
        heading = Heading(CLAIM, f"markov-{case}", PAPER, _LIMITS, "centralized", _MEAN)
        cases.append(ExactCase(heading, by_then, (0.04, 0.07, relaxations), Evidence.EXACT))
    return cases


def excess_risk_means_escape(budget: Budget, seed: int, device: str) -> list[Case]:
    """Excess risks and exit times side by side: without noise, along the noise, two nodes exactly, and a ring measured."""
    return [*_exact(budget, seed), *_measured(budget, seed)]


CLAIMS: dict[str, Build] = {CLAIM: excess_risk_means_escape}

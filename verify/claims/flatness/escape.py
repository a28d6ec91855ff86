"""``cao2025-escapes-faster``: do decentralized strategies leave a minimum sooner than mini-batch SGD, and consensus sooner than diffusion?

The paper's theorem bodies were not read; the sentence is that of its abstract. Exit times of the network mean decide: of walks in a
double well on rings, tori and complete graphs (measured), and of two nodes from their transition kernel (exact). ATC and CTA
diffusion take the same steps in another order (Y = W X of CTA walks like ATC's X, and W keeps the mean), so that their means leave
at the same time and ATC stands for both.
"""

from __future__ import annotations

import numpy as np

from bounds.setting import Fact, Schedule
from bounds.symbols import symbol
from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout, UpdateForm, word
from empirical.oracles import Method, Quadratic, evolve
from empirical.streams import stream
from verify.case import Case
from verify.claims.core import Budget
from verify.claims.flatness import two_nodes, walks
from verify.claims.flatness.common import PAPER, Build
from verify.claims.flatness.two_nodes import TwoNodes, exit_time, search
from verify.claims.flatness.walks import NAMES, Walks, faster, no_advantage
from verify.finding_case import ExactCase, Finding, Heading, TasksCase
from verify.verdict import Curve, Evidence, Numbers, Verdict

CLAIM = "cao2025-escapes-faster"
FASTER = "Decentralized strategies escape faster from local minima than the centralized one."
CONSENSUS_FIRST = "The consensus strategy has a better chance of escaping from local minima than diffusion."
LARGE_BATCH = "Decentralized strategies escape faster from local minima than the centralized one when batches are large."
_CENTRALIZED = UpdateForm.CENTRALIZED
MEAN, _NODES = Readout.NETWORK_MEAN.value, Readout.NODE_AVERAGE.value
TEMPERATURE = 0.07
_RELAXED = 5
_CTA = " The mean of CTA leaves at the very step at which that of ATC does, whose draws it has."


def ring(form: str, eta: float, walkers: int, seed: int) -> Walks:
    """Eight nodes on a ring; mini-batch SGD, whose walk is one model, has twice the walkers."""
    return Walks(form, "ring", 8, eta, TEMPERATURE, walkers * (2 if form == "centralized" else 1), seed)


def _groups(budget: Budget, seed: int) -> dict[str, list[dict[str, Walks]]]:
    """Groups of walks by scene: a list over step sizes of the forms' groups."""
    quick, full = budget.name == "quick", budget.name == "full"
    more = 1 if quick else 16 if full else 4
    forms = ("centralized", "atc", "consensus")
    rings = {0.04: 640} if quick else {0.04: 640 * more, 0.02: 1280 * more, 0.01: 1280 * more}
    return {
        "ring": [{form: ring(form, eta, count, seed) for form in forms} for eta, count in sorted(rings.items())],
        "torus": [{form: _other(form, "torus", 16, 0.04, 384 if quick else 512 * more, seed) for form in forms}],
        "complete": [{form: _other(form, "complete", 3, 0.05, 1536 if quick else 2560 * more, seed) for form in forms}],
        "tilted": [{form: _other(form, "ring", 8, 0.03, 384 if quick else 448 * more, seed, pull=1.0) for form in forms}],
        "10d-ring": [{form: _other(form, "ring", 8, 0.05, 224 * more, seed, dimension=10) for form in forms}],
    }


def _other(form: str, graph: str, m: int, eta: float, walkers: int, seed: int, pull: float = 0.0, dimension: int = 1) -> Walks:
    factor = 2 if form == "centralized" else 1
    own = 0.0 if form == "centralized" else pull
    return Walks(form, graph, m, eta, TEMPERATURE, walkers * factor, seed, own, dimension)


_NOTES = {
    "tilted": " Half of the nodes are pulled one way with strength 1, half the other way.",
    "10d-ring": " The well is one coordinate of ten; the others enter no step of it.",
}
_SAME = (
    "On the complete graph with equal weights ATC is mini-batch SGD step by step (this is how the centralized strategy is written as a "
    "diffusion), and so is the mean of CTA: neither can leave sooner."
)


def _measured(budget: Budget, seed: int) -> list[Case]:
    """Each decentralized form against mini-batch SGD, and consensus against diffusion, scene by scene."""
    cases: list[Case] = []
    for scene, points in _groups(budget, seed).items():
        for form, other in (("atc", "centralized"), ("consensus", "centralized"), ("consensus", "atc")):
            note = _NOTES.get(scene, "") + (_CTA if "atc" in (form, other) else "")
            case = f"{scene}-vs-diffusion" if other == "atc" else f"{scene}-{form}"
            heading = Heading(CLAIM, case, PAPER, CONSENSUS_FIRST if other == "atc" else FASTER, form, MEAN)
            asked = tuple(point[name].task() for point in points for name in (form, other))
            if scene == "complete" and form == "atc":
                cases.append(TasksCase(heading, asked, no_advantage, (0.15 if budget.name == "quick" else 0.1, _SAME)))
            else:
                cases.append(TasksCase(heading, asked, faster, (note,)))
    return [*cases, *_along_gap(budget, seed), _single_node(budget, seed)]


def _along_gap(budget: Budget, seed: int) -> list[Case]:
    """Eight nodes on three graphs; ATC, whose advantage shrinks with the gap and is none on the complete graph, needs more walkers."""
    quick, cases = budget.name == "quick", list[Case]()
    walkers, eta = 400 if quick else 2560, 0.04
    central = ring("centralized", eta, walkers, seed)
    for form, graphs in (("consensus", ("ring", "hypercube", "complete")), ("atc", ("ring", "hypercube"))):
        if form == "atc" and quick:
            continue
        groups = [Walks(form, graph, 8, eta, TEMPERATURE, walkers, seed) for graph in graphs]
        heading = Heading(CLAIM, f"graphs-{form}", PAPER, FASTER, form, MEAN)
        asked = tuple(task for one in groups for task in (one.task(), central.task()))
        cases.append(TasksCase(heading, asked, faster, ("", "gap")))
    return cases


def _single_node(budget: Budget, seed: int) -> Case:
    """The first time that one node passes x = 1/2."""
    walkers = 400 if budget.name == "quick" else 2560
    one = Walks("consensus", "ring", 8, 0.04, TEMPERATURE, walkers, seed, node=0)
    mean = ring("consensus", 0.04, walkers, seed)
    asked = (one.task(), ring("centralized", 0.04, walkers, seed).task(), mean.task())
    heading = Heading(CLAIM, "ring-single-node", PAPER, FASTER, "consensus", _NODES)
    return TasksCase(heading, asked, first_node)


def first_node(results: tuple[walks.Exits, walks.Exits, walks.Exits], level: float, rng: np.random.Generator) -> Finding:
    """One node's first passage against mini-batch SGD, with how long the mean of the same walks stays behind."""
    one, _, mean = results
    pairs = [(results[0], results[1])]
    found = [walks.compared(*pairs[0], level)]
    verdict = {1: Verdict.HOLDS, -1: Verdict.VIOLATED, 0: Verdict.UNDECIDED}[found[0].sign]
    both = one.times.observed & mean.times.observed
    behind = mean.times.times[both] - one.times.times[both]
    wait = round(_RELAXED / one.walks.eta)
    known = one.times.observed & (one.times.times + wait < one.walks.horizon)
    inside = float((mean.times.times[known] > one.times.times[known] + wait).mean())
    literal = {
        Verdict.HOLDS: "Read at one node, the sentence is true, but not every such exit is an escape",
        Verdict.VIOLATED: "It is refuted",
    }
    reason = (
        f"{literal.get(verdict, 'It is undecided')}: the mean time until node 0 passes is {walks.describe(pairs, found)} that until mini-batch "
        f"SGD does. Of the walks whose node 0 passed, {inside:.0%} still have their network mean inside {wait} steps later (where the mean left "
        f"too, {np.median(behind):.0f} steps is the median)."
    )
    return walks.finding(verdict, reason, pairs, found, 0)


def same_loss(seed: int, tries: int, one: str, two: str) -> Finding:
    """Random pairs of nodes with one loss: the exact exit time of ``one`` over that of ``two``."""
    name = f"{one} slower than {two}"
    found = search(name, seed, tries, different=False)
    if found.witness is not None:
        return _witness(found, one, two, "the same double well at both nodes")
    steps = np.array([0.05, 0.07, 0.1])
    ratios = np.array([exit_time(p := TwoNodes(eta, TEMPERATURE, 0.6), one).mean / exit_time(p, two).mean for eta in steps])
    verdict = Verdict.HOLDS if ratios.max() < 1 else Verdict.UNDECIDED
    reason = (
        f"With the same loss at both nodes the exact exit time of {one} is {ratios[0]:.3g}, {ratios[1]:.3g} and {ratios[2]:.3g} times that of "
        f"{two} at eta = 0.05, 0.07 and 0.1 (second eigenvalue 0.6), and none of {tries} random pairs (steps 0.05 to 0.1, second eigenvalue "
        f"0.1 to 0.8, barrier 2.5 to 5 temperatures) is {two_nodes.CLEAR:.0%} slower. The advantage vanishes with the step size."
    )
    curve = _exact_curve("eta", steps, ratios, np.ones(3), f"exit time: {one} / {two}")
    return Finding(verdict, reason, _exact_numbers(float(ratios.max())), None, _two(TEMPERATURE), curves=(curve,))


def different_losses(seed: int, tries: int, one: str, two: str) -> Finding:
    """Random pairs of nodes with different losses: a pair where ``one`` takes clearly longer than ``two``."""
    found = search(f"{one} slower than {two}", seed, tries, different=True)
    if found.witness is None:
        return Finding(Verdict.UNDECIDED, f"None of {tries} random pairs of nodes with different losses is a counterexample.")
    return _witness(found, one, two, "different curvatures at the nodes")


def _witness(found: two_nodes.Found, one: str, two: str, where: str) -> Finding:
    nodes = found.witness
    assert nodes is not None
    ratio = exit_time(nodes, one).mean / exit_time(nodes, two).mean
    effect = (
        f" What pulls the nodes apart also raises the barrier of their mean, by {two_nodes.barrier_change(nodes):.0%} at leading order, where "
        "their gradients differ more at the minimum than on the barrier."
        if two == "centralized" and nodes.bend
        else ""
    )
    reason = (
        f"With {where} {NAMES[one]} leaves {ratio:.3g} times later than {NAMES[two]}, exactly: two nodes with the losses (x^2-1)^2/4 +- ({nodes.pull:g} x "
        f"+ {nodes.bend:g} x^2/2), eta = {nodes.eta:g}, second eigenvalue {nodes.second:g}, noise variance {nodes.noise:.4g}; mean exit times "
        f"{exit_time(nodes, one).mean:.5g} and {exit_time(nodes, two).mean:.5g} (pair {found.tried} of a random search).{effect}"
    )
    return Finding(Verdict.VIOLATED, reason, _exact_numbers(ratio), None, _two(None) | nodes.numbers(), tables=(two_nodes.table(nodes),))


def _exact_numbers(ratio: float) -> Numbers:
    return Numbers(ratio, ratio, ratio, 1.0, 1 / ratio)


def _two(temperature: float | None) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"m": 2, "exit": f"network mean >= {walks.LEVEL:g}", "loss": "double wells, minimum of their mean at -1"}
    return facts if temperature is None else facts | {"temperature": temperature}


def _exact_curve(name: str, x: np.ndarray, values: np.ndarray, bound: np.ndarray, label: str, *more: tuple[str, np.ndarray]) -> Curve:
    return Curve.exact(symbol(name), Quantity.OTHER, x, values, bound, label=label, bound_label="as fast", companions=more)


def large_batch(form: str, pull: float) -> Finding:
    """Exact exit times of two nodes as the batch grows, eta and the noise of a sample fixed: is there an advantage that grows with it?"""
    batches, eta, second = np.array([4.0, 5.0, 6.0, 8.0]), 0.08, 0.6
    pairs = [TwoNodes(eta, 0.4 / b, second, pull) for b in batches]
    ratios = np.array([exit_time(pair, form).mean / exit_time(pair, "centralized").mean for pair in pairs])
    change = ratios[-1] / ratios[0] - 1
    grows = bool((np.diff(ratios) < 0).all()) and change < -two_nodes.CLEAR
    verdict = Verdict.HOLDS if ratios.max() < 1 else Verdict.VIOLATED
    told = f"the advantage grows with the batch ({change:+.1%})" if grows else f"the batch hardly changes it ({change:+.1%})"
    gone = "differing gradients, which no batch averages away" if pull else "gradient noise, which the batch divides for both alike"
    reason = (
        f"{'With' if pull else 'Without'} heterogeneous gradients the exact exit time of {NAMES[form]} is {ratios[0]:.3g} times that of mini-batch SGD "
        f"at batches of 4 and {ratios[-1]:.3g} times at 8: {told}. The spread comes from {gone}"
        f"{'.' if pull else ', so a large batch is not what makes the advantage.'}"
    )
    curve = _exact_curve("b", batches, ratios, np.ones(len(batches)), f"exit time: {NAMES[form]} / mini-batch SGD")
    shown: dict[str, Fact] = {"eta": eta, "second": second, "pull": pull, "temperature times b": 0.4}
    return Finding(verdict, reason, _exact_numbers(float(ratios[-1])), None, _two(None) | shown, curves=(curve,))


def quadratic_basin(form: str, seed: int, networks: int) -> Finding:
    """With one Hessian for all nodes the network mean has the moments of mini-batch SGD at every step."""
    rng, worst, spread = stream(seed, "quadratic basins", 0), 0.0, 0.0
    for _ in range(networks):
        m, d = int(rng.integers(3, 6)), int(rng.integers(1, 3))
        root, noise = rng.standard_normal((d, d)), rng.standard_normal((m, d, d))
        problem = Quadratic(root @ root.T + 0.1 * np.eye(d), rng.standard_normal((m, d)), noise @ noise.swapaxes(1, 2))
        eta = 0.3 / float(np.linalg.eigvalsh(problem.curvature[0])[-1])
        ours, central = (
            Method(update_form=one, schedule=Schedule(eta=eta), mixing=topology("ring", m))
            for one in (word(UpdateForm, form), _CENTRALIZED)
        )
        for one, two in zip(evolve(ours, problem, (1, 5, 40)), evolve(central, problem, (1, 5, 40)), strict=True):
            mean, other = one.models.average(), two.models
            worst = max(worst, float(np.abs(mean.covariance - other.covariance).max() / np.abs(other.covariance).max()))
            worst = max(worst, float(np.abs(mean.mean - other.mean).max() / (1 + np.abs(other.mean).max())))
            spread = max(spread, one.consensus_distance(_NODES) / float(other.squares()[0] - np.sum(other.mean**2)))
    reason = (
        f"In a basin that is exactly quadratic, with one Hessian for all nodes, the mean of {NAMES[form]} takes the very steps of mini-batch SGD, "
        "xbar <- xbar - eta H (xbar - w*) - eta mean(noise), whatever the graph and the heterogeneity, so it leaves at the same time: over "
        f"{networks} random networks mean and covariance agree to {worst:.1g} at every step, while the nodes' spread is up to {spread:.3g} times "
        "the variance of the mean. Any advantage needs a curvature that changes."
    )
    verdict = Verdict.VIOLATED if worst < 1e-10 else Verdict.UNDECIDED
    return Finding(verdict, reason, _exact_numbers(1.0), conditions={"loss": "quadratic, one Hessian", "exit": "network mean"})


def _exact(budget: Budget, seed: int) -> list[Case]:
    """Two nodes from their transition kernel, large batches, and the quadratic basin."""
    tries = 4 if budget.name == "quick" else 60
    cases: list[Case] = []
    for one, two in (("atc", "centralized"), ("consensus", "centralized"), ("consensus", "atc")):
        words = CONSENSUS_FIRST if two == "atc" else FASTER
        suffix = "vs-diffusion" if two == "atc" else one
        same = Heading(CLAIM, f"two-nodes-{suffix}", PAPER, words, one, MEAN)
        other = Heading(CLAIM, f"curvatures-differ-{suffix}", PAPER, words, one, MEAN)
        cases.append(ExactCase(same, same_loss, (seed, tries, one, two), Evidence.EXACT, 1e7))
        cases.append(ExactCase(other, different_losses, (seed, max(tries, 40), one, two), Evidence.EXACT, 1e7))
    for form in ("atc", "consensus"):
        for case, pull in (("equal", 0.0), ("tilted", 1.0)):
            heading = Heading(CLAIM, f"batch-{case}-{form}", PAPER, LARGE_BATCH, form, MEAN)
            cases.append(ExactCase(heading, large_batch, (form, pull), Evidence.EXACT, 1e6))
    for form in two_nodes.FORMS:
        heading = Heading(CLAIM, f"quadratic-basin-{form}", PAPER, FASTER, form, MEAN)
        cases.append(ExactCase(heading, quadratic_basin, (form, seed, 10 if budget.name == "quick" else 40), Evidence.EXACT))
    return cases


def escapes_faster(budget: Budget, seed: int, device: str) -> list[Case]:
    """Exit times of the network mean: two nodes exactly, larger networks measured, and a quadratic basin."""
    return [*_exact(budget, seed), *_measured(budget, seed)]


CLAIMS: dict[str, Build] = {CLAIM: escapes_faster}

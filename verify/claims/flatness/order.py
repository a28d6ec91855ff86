"""``cao2025-consensus-worse-than-diffusion``: is the excess risk of the consensus form above that of diffusion (ATC, CTA)?"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

import bounds
from bounds.setting import Fact
from bounds.topology import topology
from bounds.vocabulary import Readout
from empirical.streams import stream
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.flatness import modes, runs, search
from verify.claims.flatness.common import PAPER, Build
from verify.claims.flatness.networks import Family, draws
from verify.claims.flatness.rationals import expands
from verify.claims.flatness.regions import worst_form
from verify.claims.flatness.runs import Excess, read_excess
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.statistics import judge, resamples_for
from verify.verdict import Evidence, Numbers, Table, Verdict

CLAIM = "cao2025-consensus-worse-than-diffusion"
STATEMENT = "Around a local minimum the consensus strategy has a larger excess risk than the diffusion strategy."
ETAS, LARGE = (0.02, 0.05, 0.1, 0.2, 0.4), (1.1, 1.2)
_GRAPHS = ("ring", "torus", "hypercube", "complete")
_NODES, _POINT = Readout.NODE_AVERAGE.value, Readout.GRADIENT_POINT.value
_COMBINED, _SINGLE = "after_combination", "single_node"
_X: dict[str, Fact] = {"Hessian": "one for all nodes", "x": "eta times curvature", "l": "eigenvalue of W^Q"}


def above_atc() -> Finding:
    """Noise and bias shares of every mode, consensus minus ATC; also at the gradient points of CTA, which equal ATC."""
    gaps = [share("consensus") - share("atc") for share in (modes.noise, modes.bias)]
    same = [modes.same(share("cta", "gradient_point"), share("atc")) for share in (modes.noise, modes.bias)]
    if not all(modes.proved(gap, modes.STABLE, (1,)) for gap in gaps) or not all(same):
        return Finding(Verdict.UNDECIDED, "The sign was not proved on every region.", conditions=_X)
    reason = (
        "With one Hessian the consensus form exceeds ATC in every mode of disagreement, in noise and in heterogeneity: both differences are "
        "proved positive for every eigenvalue -1 < l < 1 and every step 0 < x < 1 + l at which the consensus form is stable"
        ". CTA read where it evaluates its gradients is ATC, mode by mode, so it is exceeded as well."
    )
    return Finding(Verdict.HOLDS, reason, conditions=_X, tables=(_signs(gaps, modes.STABLE),))


def against_cta(small: bool) -> Finding:
    """The sign of consensus minus CTA at the models, on either side of x = 2l/(1+l)."""
    noise, bias = (share("consensus") - share("cta") for share in (modes.noise, modes.bias))
    regions = modes.SMALL_STEPS if small else modes.LARGE_STEPS
    known = modes.proved(noise, regions, (-1,) if small else (1,)) and modes.proved(bias, modes.STABLE, (-1,))
    if not known:
        return Finding(Verdict.UNDECIDED, "The sign was not proved on every region.", conditions=_X)
    table, numbers = _signs([noise, bias], regions), _example(small)
    if small:
        reason = (
            "Read at the models that the update leaves, the consensus form lies below CTA wherever 0 < x < 2l/(1+l): proved for noise on every "
            f"positive eigenvalue, and for heterogeneity at every stable step (on l = 2/3, x = 0.1: {numbers.measured:.5g} against "
            f"{numbers.bound:.5g} of CTA). So on a graph whose other eigenvalues are positive every small step refutes the statement."
        )
        return Finding(Verdict.VIOLATED, reason, numbers, conditions=_X, tables=(table,), maps=(worst_form(),))
    reason = (
        "Without heterogeneity the consensus form exceeds CTA in every mode with 2l/(1+l) < x < 1 + l, proved (on l = 1/3, x = 1: "
        f"{numbers.measured:.5g} against {numbers.bound:.5g} of CTA); that takes steps near the edge of stability, or eigenvalues l <= 0. The "
        "heterogeneity part is smaller for the consensus form at every stable step, so unlike data work against the statement."
    )
    return Finding(Verdict.HOLDS, reason, numbers, conditions=_X | {"heterogeneity": "none"}, tables=(table,))


def _example(small: bool) -> Numbers:
    eigenvalue, x = (2 / 3, 0.1) if small else (1 / 3, 1.0)
    given: dict[str, Any] = {"eta": x, "b": 1, "rho": [1.0], "r": [1.0], "spectrum": [1.0, eigenvalue], "Q": 1}
    left, right = (float(bounds.get(f"excess_risk_{form}").evaluate(**given, readout=_NODES)) for form in ("consensus", "cta"))
    return Numbers(left, left, left, right, right / left)


def combined() -> Finding:
    """Consensus after one more combination against ATC: both are then averages of fresh gradients."""
    noise = modes.noise("consensus", "combined") - modes.noise("atc")
    bias = modes.bias("consensus", "combined") - modes.bias("atc")
    if not (modes.proved(noise, modes.SMALL_STEPS, (-1,)) and modes.proved(bias, modes.STABLE, (-1, 0))):
        return Finding(Verdict.UNDECIDED, "The sign was not proved on every region.", conditions=_X)
    reason = (
        "Read after one more combination, as ATC is, the consensus form lies below ATC wherever l > 0 and 0 < x < 2l/(1+l) (noise), and never "
        "above it in heterogeneity; both proved. The order of the statement comes from reading consensus before it combines."
    )
    return Finding(Verdict.VIOLATED, reason, conditions=_X, tables=(_signs([noise, bias], modes.SMALL_STEPS),))


def at_any_time() -> Finding:
    """Noise from w* on: sums over j < n of a_c^2j - l^2 a_d^2j; first term and limit decide, as the terms change sign at most once."""
    first, limit = 1 - modes.L**2, modes.noise("consensus") - modes.noise("atc")
    if not (modes.proved(first, modes.STABLE, (1,)) and modes.proved(limit, modes.STABLE, (1,))):
        return Finding(Verdict.UNDECIDED, "The sign was not proved on every region.", conditions=_X)
    reason = (
        "From the minimiser on, the noise part of the consensus form exceeds that of ATC after every number of steps: it is a partial sum of "
        "a_c^2j - l^2 a_d^2j, whose terms start positive (1 - l^2), change sign at most once because their ratio is geometric, and sum to the "
        "positive steady difference; so no partial sum is negative. First term and limit are proved positive at every stable step."
    )
    return Finding(Verdict.HOLDS, reason, conditions=_X | {"heterogeneity": "none", "time": "every number of steps"})


def leading_gap() -> Finding:
    """Consensus minus ATC over eta^2 (m-1) Tr(H R)/(2 m b), on graphs and Q; to leading order 1 in every mode."""
    lead, rows = modes.leading_gap(), list[tuple[Fact, ...]]()
    for graph in _GRAPHS:
        for Q in (1, 3):
            spectrum = sorted(np.linalg.eigvalsh(topology(graph, 16).matrix))[::-1]
            rows.append((graph, Q, *(_share(spectrum, Q, eta) for eta in (0.1, 0.01, 0.001))))
    last = np.array([row[-1] for row in rows], dtype=np.float64)
    heads = ("graph of 16", "Q", "eta = 0.1", "eta = 0.01", "eta = 0.001")
    table = Table("Consensus minus ATC, over eta^2 (m-1) Tr(H R)/(2 m b)", heads, tuple(rows))
    numbers = Numbers(float(last.min()), float(last.min()), float(last.max()), 1.0, float(1 / last.min()))
    if lead != 1 or np.abs(last - 1).max() > 0.05:
        return Finding(
            Verdict.UNDECIDED, f"The leading order is {lead}, the largest deviation {np.abs(last - 1).max():.3g}.", numbers, tables=(table,)
        )
    reason = (
        "To leading order the consensus form lies eta^2 (m-1) Tr(H R)/(2 m b) above ATC on every graph and for every Q: the difference of every "
        f"mode, divided by eta^2 h r/(2 m b), is exactly 1 at step 0 whatever its eigenvalue (at eta = 0.001 the ratio lies between {last.min():.5g} "
        f"and {last.max():.5g} on {len(rows)} graphs and Q). It is one fresh gradient that was not averaged, of second order in the step."
    )
    return Finding(Verdict.HOLDS, reason, numbers, conditions=_X, tables=(table,))


def _share(spectrum: list[float], Q: int, eta: float) -> float:
    rho, r, m = [1.0, 0.4], [1.0, 2.0], len(spectrum)
    gap = bounds.get("excess_gap_consensus_atc").evaluate(eta=eta, b=1, rho=rho, r=r, spectrum=spectrum, Q=Q)
    return float(gap / (eta**2 * (m - 1) * (1.0 + 0.8) / (2 * m)))


def diverges(seed: int, most: int) -> Finding:
    """A network and step where the consensus form has no steady state and ATC has one."""
    family = Family(hessians="common", noise="common", d=1, eta=(0.3, 1.5))
    rng = stream(seed, "witness diverges", 0)
    for count, network in enumerate(draws(family, rng), start=1):
        wide = search.contracts(network, "atc") and search.contracts(network, "centralized")
        if wide and search.radius(network, "consensus") > 1.001 and expands(network, "consensus"):
            break
        if count == most:
            return Finding(Verdict.UNDECIDED, f"None of {count} random networks has such a step.", conditions={"seed": seed})
    rate = search.radius(network, "consensus")
    reason = (
        f"At steps of (1 + smallest eigenvalue of W^Q)/curvature and above, the consensus form diverges while diffusion settles, so there is no "
        f"steady excess risk to compare: network {count} of the search has a mode that grows by {rate:.4g} a step (I +- F is not positive "
        f"definite, by exact minors), and ATC contracts with {search.radius(network, 'atc'):.4g}."
    )
    conditions: dict[str, Fact] = {"networks": family.words(), "seed": seed}
    return Finding(Verdict.NOT_APPLICABLE, reason, Numbers(rate, bound=1.0), conditions=conditions, tables=(network.table("The network"),))


def witness(question: str, seed: int, most: int, why: str) -> Finding:
    """A witness against the statement; see :mod:`verify.claims.flatness.search`."""
    return search.found(question, seed, most, Verdict.VIOLATED, lambda _: " " + why)


def compared(
    measured: tuple[Excess, ...], level: float, rng: np.random.Generator, etas: tuple[float, ...], where: str, other: str
) -> Finding:
    """Consensus minus another form on the same draws: consensus at ``where``; the other at ``where``, or at its models."""
    own, rest = measured[: len(etas)], measured[len(etas) :]
    at = "node_average" if where == "combined" else where
    less = runs.table_of(rest, at) - runs.table_of(own, where)
    found = judge(less, np.zeros(len(etas)), level, resamples_for(level, RESAMPLES), rng, points=[f"eta = {eta:g}" for eta in etas])
    ratios = runs.table_of(own, where).mean(axis=0) / runs.table_of(rest, at).mean(axis=0)
    name = other.upper()
    listed = ", ".join(f"{ratio:.4g} (eta = {eta:g})" for ratio, eta in zip(ratios, etas, strict=True))
    ends = {Verdict.HOLDS: "above 1 at every step", Verdict.VIOLATED: "below 1 at some step", Verdict.UNDECIDED: "not decided"}
    reason = (
        f"Measured on the same draws, the excess risk of the consensus form over that of {name} is {listed}: {ends[found.verdict]} at the given "
        f"level.{runs.agreement(own, where)} The judged difference is {name} minus consensus. {found.reason}"
    )
    drawn = runs.curve(own, where, etas, "eta", level, rng, {f"exact, {name}": (rest, at)})
    return Finding(found.verdict, reason, found.numbers, None, runs.conditions(own), curves=(drawn,))


def _formula(expression: Any) -> str:
    return str(sympy.factor(sympy.together(expression))).replace("**", "^")


def _signs(parts: list[Any], regions: tuple[modes.Region, ...]) -> Table:
    words = {1: "positive", -1: "negative", 0: "zero", None: "not proved"}
    rows = [(region.words, *(words[modes.sign(part, region)] for part in parts), _formula(parts[0])) for region in regions]
    heads = ("region", "noise", "heterogeneity", "difference of the noise shares w^2/(1-a^2)")
    return Table("Proved signs, consensus form minus the other", heads, tuple(rows))


_WITNESSES = {
    "single-node": (
        "node-order",
        "atc",
        _SINGLE,
        "The average over nodes keeps the order of the statement; the nodes have noise of their own.",
    ),
    "one-hessian-cta-witness": (
        "consensus-below-cta",
        "cta",
        _NODES,
        "The models of CTA are read before they combine, like those of consensus.",
    ),
    "after-combination-witness": ("combined-below-atc", "atc", _COMBINED, "ATC is read after its combination, and here consensus as well."),
    "own-hessians-heterogeneity": (
        "bias-order",
        "atc",
        _NODES,
        "Without noise, as for very large batches, only the heterogeneity is left.",
    ),
    "finite-time-heterogeneity": ("bias-window", "atc", _NODES, "In the steady state the order is that of the statement."),
    "own-hessians-noise": ("noise-order", "atc", _NODES, ""),
}


def consensus_worse(budget: Budget, seed: int, device: str) -> list[Case]:
    """Proofs by readout, exceptions by search, and runs."""
    most, cases = (1500 if budget.name == "quick" else 5000), list[Case]()

    def exact(case: str, readout: str, find: Any, arguments: tuple[Any, ...] = (), evidence: Evidence = Evidence.PROVED) -> None:
        cost = 1e7 if evidence is Evidence.EXACT else 1.0
        cases.append(ExactCase(Heading(CLAIM, case, PAPER, STATEMENT, "consensus", readout), find, arguments, evidence, cost))

    exact("one-hessian-atc", _NODES, above_atc)
    exact("one-hessian-cta-gradient-point", _POINT, above_atc)
    exact("one-hessian-cta-small-steps", _NODES, against_cta, (True,))
    exact("one-hessian-cta-large-steps", _NODES, against_cta, (False,))
    exact("after-combination", _COMBINED, combined)
    exact("finite-time-noise", _NODES, at_any_time)
    exact("leading-gap", _NODES, leading_gap)
    exact("beyond-stability", _NODES, diverges, (seed, most), Evidence.EXACT)
    for case, (question, _, readout, why) in _WITNESSES.items():
        draws_ = most if case != "own-hessians-noise" else most // 6
        exact(case, readout, witness, (question, seed, draws_, why), Evidence.EXACT)
    return cases + _measured(budget, seed, device)


def _measured(budget: Budget, seed: int, device: str) -> list[Case]:
    """Paired comparisons on the lazy ring; shared data (no heterogeneity) for steps near the edge."""
    kinds = (
        ("atc", "node_average", ETAS, "split", "measured-atc"),
        ("cta", "node_average", ETAS, "split", "measured-cta-small-steps"),
        ("cta", "gradient_point", ETAS, "split", "measured-cta-gradient-point"),
        ("cta", "node_average", LARGE, "shared", "measured-cta-large-steps"),
        ("atc", "combined", ETAS, "split", "measured-after-combination"),
    )
    cases: list[Case] = []
    for other, where, etas, data, case in kinds:
        pair = [tuple(runs.run(form, seed, runs.replicates(budget), eta, data=data) for eta in etas) for form in ("consensus", other)]
        heading = Heading(CLAIM, case, PAPER, STATEMENT, "consensus", _COMBINED if where == "combined" else where)
        cases.append(RunsCase(heading, pair[0] + pair[1], (), compared, (etas, where, other), device, read=read_excess))
    return cases


CLAIMS: dict[str, Build] = {CLAIM: consensus_worse}

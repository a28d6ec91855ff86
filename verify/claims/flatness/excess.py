"""``cao2025-decentralized-excess-risk``: is the excess risk of decentralized strategies around a minimum above that of the centralized one?"""

from __future__ import annotations

from typing import Any

import numpy as np

import bounds
from bounds.setting import Fact, Schedule
from bounds.topology import MixingMatrix, topology
from bounds.vocabulary import Readout, UpdateForm, word
from empirical.oracles import Method, Quadratic, steady_state
from empirical.streams import stream
from verify.case import RESAMPLES, Case
from verify.claims.core import Budget
from verify.claims.flatness import modes, runs, search
from verify.claims.flatness.common import NAMES, PAPER, Build
from verify.claims.flatness.runs import Excess, read_excess
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.statistics import judge, resamples_for
from verify.verdict import Evidence, Numbers, Table, Verdict

CLAIM = "cao2025-decentralized-excess-risk"
STATEMENT = "Around a local minimum decentralized strategies have a larger excess risk than the centralized strategy."
FORMS = ("atc", "cta", "consensus")
ETAS = (0.02, 0.05, 0.1, 0.2, 0.4)
_GRAPHS = ("ring", "hypercube", "complete")
_ROUNDING = 1e-10
_NODES, _POINT, _MEAN = Readout.NODE_AVERAGE.value, Readout.GRADIENT_POINT.value, Readout.NETWORK_MEAN.value


def never_below(form: str, readout: str) -> Finding:
    """The decentralization term of a mode is positive wherever the form is stable; closed forms against the recursions."""
    regions = modes.STABLE if form == "consensus" else modes.WIDE
    shares = (modes.noise(form, readout), modes.bias(form, readout))
    known = all(modes.proved(share, regions, (0, 1)) for share in shares)
    zero = [one.words for one in regions if modes.sign(shares[0], one) == 0]
    worst, table = closed_forms(form, readout)
    conditions: dict[str, Fact] = {
        "Hessian": "one for all nodes",
        "steps": "; ".join(one.words for one in regions),
        "x": "eta times curvature",
    }
    if not known or worst > _ROUNDING:
        reason = f"The sign was {'' if known else 'not '}proved; closed forms and recursions differ by {worst:.3g}."
        return Finding(Verdict.UNDECIDED, reason, conditions=conditions, tables=(table,))
    equal = " It is 0 only where every other eigenvalue of W^Q is 0 (as on the complete graph)." if zero else ""
    reason = (
        f"With one Hessian the excess risk of {NAMES[form]} minus the centralized one is a sum over the modes of disagreement, and every summand "
        f"(noise and heterogeneity) is proved {'nonnegative' if zero else 'positive'} for every eigenvalue of W^Q and every stable step.{equal} "
        f"On {len(table.rows)} networks the closed forms agree with the moment recursions within {worst:.1e} of their value."
    )
    return Finding(Verdict.HOLDS, reason, conditions=conditions, tables=(table,))


def closed_forms(form: str, readout: str) -> tuple[float, Table]:
    """The largest relative difference between the catalogue's closed form and the moment recursion, and both on a table of networks."""
    rows, worst = list[tuple[Fact, ...]](), 0.0
    for graph in _GRAPHS:
        for eta, b, Q in ((0.05, 1, 1), (0.2, 4, 2)):
            exact, formula, central = both_ways(form, readout, topology(graph, 8), eta, b, Q)
            worst = max(worst, abs(formula / exact - 1))
            rows.append((graph, eta, b, Q, exact, formula, central))
    heads = ("graph", "eta", "b", "Q", "recursion", "closed form", "centralized")
    return worst, Table(f"Excess risk of {NAMES[form]}, {readout.replace('_', ' ')}", heads, tuple(rows))


def both_ways(form: str, readout: str, mixing: MixingMatrix, eta: float, b: int, Q: int) -> tuple[float, float, float]:
    """Recursion, closed form and centralized excess risk on random pulls, two curvatures and anisotropic noise."""
    rho, r, m = np.array([1.0, 0.4]), np.array([1.0, 2.0]), mixing.nodes
    pulls = 0.1 * stream(0, "pulls", m).standard_normal((m, 2))
    pulls -= pulls.mean(axis=0)
    problem = Quadratic(np.diag(rho), -pulls / rho, np.diag(r))
    method = Method(update_form=word(UpdateForm, form), schedule=Schedule(eta), mixing=mixing, Q=Q, b=b)
    exact = steady_state(method, problem).excess_risk(problem.objective(), readout)
    values, vectors = np.linalg.eigh(mixing.matrix)
    given: dict[str, Any] = {"eta": eta, "b": b, "rho": rho, "r": r, "spectrum": values[::-1], "Q": Q}
    along = vectors[:, ::-1].T @ pulls
    along[0] = 0
    formula = bounds.get(f"excess_risk_{form}").evaluate(**given, heterogeneity=along, update_form=form, readout=readout)
    return exact, float(formula), float(bounds.get("excess_risk_centralized").evaluate(**given))


def mean_is_centralized(form: str) -> Finding:
    """At eigenvalue 1 every form is one and the same recursion, that of centralized SGD."""
    a = modes.factor(form).subs(modes.L, 1)
    same = modes.same(a, 1 - modes.X) and modes.same(modes.noise(form).subs(modes.L, 1), modes.noise("cta").subs(modes.L, 1))
    worst, table = closed_forms(form, _MEAN)
    gap = max(abs(float(str(row[4])) / float(str(row[6])) - 1) for row in table.rows)
    if not same or max(worst, gap) > _ROUNDING:
        return Finding(Verdict.UNDECIDED, f"The network mean was not shown to be centralized SGD (difference {gap:.3g}).", tables=(table,))
    reason = (
        f"The network mean of {NAMES[form]} has exactly the excess risk of centralized SGD: with one Hessian its recursion is the same, factor 1 - x "
        f"and weight 1, whatever graph, Q, noise and heterogeneity (largest relative difference of the exact recursions {gap:.1e}). "
        "Nothing is larger there, so the strict statement fails for the averaged model."
    )
    return Finding(Verdict.VIOLATED, reason, conditions={"Hessian": "one for all nodes"}, tables=(table,))


def complete_graph(form: str, readout: str) -> Finding:
    """W^Q averages all nodes: every other eigenvalue is 0."""
    share = modes.noise(form, readout).subs(modes.L, 0)
    exact, closed, central = both_ways(form, readout, MixingMatrix(np.full((8, 8), 1 / 8), "complete"), 0.1, 1, 1)
    equal = bool(share == 0) and bool(modes.bias(form, readout).subs(modes.L, 0) == 0)
    conditions: dict[str, Fact] = {"topology": "complete graph, equal weights", "Hessian": "one for all nodes", "m": 8, "eta": 0.1}
    numbers = Numbers(exact, exact, exact, central, central / exact)
    floor = "" if equal else " What is left is the fresh gradient of each node, (m-1)/m of it, however much is gossiped."
    where = readout.replace("_", " ")
    if equal and abs(exact / central - 1) <= _ROUNDING:
        reason = (
            f"On the complete graph {NAMES[form]} has exactly the excess risk of centralized SGD at the {where} (factor and weight of every other "
            f"mode are 0): {exact:.6g} against {central:.6g}. The advantage vanishes with perfect gossip."
        )
        return Finding(Verdict.VIOLATED, reason, numbers, conditions=conditions)
    if equal or not exact > central:
        return Finding(Verdict.UNDECIDED, f"Closed form {closed:.6g} and recursion {exact:.6g} disagree.", numbers, conditions=conditions)
    reason = f"On the complete graph {NAMES[form]} keeps an excess risk of {exact:.6g} against {central:.6g} at the {where}.{floor}"
    return Finding(Verdict.HOLDS, reason, numbers, conditions=conditions)


def exception(question: str, seed: int, most: int) -> Finding:
    """A witness against the statement, with how often it fails; see :mod:`verify.claims.flatness.search`."""
    if "node-below" in question:
        why = " A node with little noise of its own may lie below centralized SGD although the average over nodes does not."
    elif "mean" in question:
        why = " With own Hessians the averaged model is no longer centralized SGD."
    else:
        why = " To leading order in the step this takes curvature and noise that are large at the same nodes."

    def often(_: search.Searched) -> str:
        count, of = search.frequency(search.QUESTIONS[question], seed, max(100, most // 10))
        return f"{why} It fails by a thousandth in {count} of {of} further networks drawn."

    return search.found(question, seed, most, Verdict.VIOLATED, often)


def above_centralized(measured: tuple[Excess, ...], level: float, rng: np.random.Generator, form: str, where: str) -> Finding:
    """Excess risk of one form minus that of centralized SGD on the same draws, at every step size."""
    own, central = measured[: len(ETAS)], measured[len(ETAS) :]
    if where == "network_mean":
        return _same_path(own, central, form)
    less = runs.table_of(central, "node_average") - runs.table_of(own, where)
    found = judge(less, np.zeros(len(ETAS)), level, resamples_for(level, RESAMPLES), rng, points=[f"eta = {eta:g}" for eta in ETAS])
    ratios = runs.table_of(own, where).mean(axis=0) / runs.table_of(central, "node_average").mean(axis=0)
    listed = ", ".join(f"{ratio:.4g} (eta = {eta:g})" for ratio, eta in zip(ratios, ETAS, strict=True))
    ends = {Verdict.HOLDS: "above 1 at every step", Verdict.VIOLATED: "not above 1 at some step", Verdict.UNDECIDED: "not decided"}
    reason = (
        f"Measured over centralized, on the same draws, the excess risk is {listed}: {ends[found.verdict]} at the given level."
        f"{runs.agreement(own, where)} The judged difference is centralized minus decentralized, so negative means larger. {found.reason}"
    )
    drawn = runs.curve(own, where, ETAS, "eta", level, rng, {"exact, centralized SGD": (central, "node_average")})
    return Finding(found.verdict, reason, found.numbers, None, runs.conditions(own), curves=(drawn,))


def _same_path(own: tuple[Excess, ...], central: tuple[Excess, ...], form: str) -> Finding:
    """The network mean follows centralized SGD step by step on the same draws."""
    largest = max(float(np.abs(one.path - other.path).max()) for one, other in zip(own, central, strict=True))
    excess = runs.table_of(own, "network_mean").mean(axis=0)
    numbers = Numbers(largest, bound=1e-12, replicates=own[0].run.replicates)
    reason = (
        f"On the same draws the averaged model of {NAMES[form]} is the model of centralized SGD at every step that was read, up to {largest:.1e} "
        f"(excess risk {excess[2]:.4g} at eta = {ETAS[2]:g}); it is not larger."
    )
    return Finding(Verdict.VIOLATED if largest <= 1e-12 else Verdict.UNDECIDED, reason, numbers, None, runs.conditions(own))


def excess_risk(budget: Budget, seed: int, device: str) -> list[Case]:
    """Proofs by form and readout, exceptions by search, and runs at every readout."""
    most, cases = (600 if budget.name == "quick" else 3000), list[Case]()

    def exact(case: str, form: str, readout: str, find: Any, arguments: tuple[Any, ...], evidence: Evidence, cost: float = 1.0) -> None:
        cases.append(ExactCase(Heading(CLAIM, case, PAPER, STATEMENT, form, readout), find, arguments, evidence, cost))

    for form in FORMS:
        for readout, name in ((_NODES, "node-average"), (_POINT, "gradient-point")):
            exact(f"one-hessian-{form}-{name}", form, readout, never_below, (form, readout), Evidence.PROVED)
        exact(f"one-hessian-{form}-network-mean", form, _MEAN, mean_is_centralized, (form,), Evidence.PROVED)
        exact(f"complete-graph-{form}-node-average", form, _NODES, complete_graph, (form, _NODES), Evidence.PROVED)
        for question, name in (
            ("node-below", "one-hessian-{}-single-node"),
            ("below", "own-hessians-{}"),
            ("mean-below", "own-hessians-{}-mean"),
        ):
            asked = f"{form}-{question}-centralized"
            readout = _MEAN if "mean" in question else "single_node" if "node" in question else _NODES
            # No exception of CTA and consensus to this order is known: all draws are looked at, each time.
            limit = most // 6 if question == "below" and form != "atc" else most
            exact(name.format(form), form, readout, exception, (asked, seed, limit), Evidence.EXACT, 1e7)
    central = tuple(runs.run("centralized", seed, runs.replicates(budget), eta) for eta in ETAS)
    for form in FORMS:
        own = tuple(runs.run(form, seed, runs.replicates(budget), eta) for eta in ETAS)
        for where in (_NODES, _POINT, _MEAN) if form == "cta" else (_NODES, _MEAN):
            heading = Heading(CLAIM, f"measured-{form}-{where.replace('_', '-')}", PAPER, STATEMENT, form, where)
            judged = where != _MEAN
            cases.append(RunsCase(heading, own + central, (), above_centralized, (form, where), device, measured=judged, read=read_excess))
    return cases


CLAIMS: dict[str, Build] = {CLAIM: excess_risk}

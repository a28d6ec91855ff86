"""Does the exponential effect of gossip on optimization tighten generalization? By part of the bound, and by run."""

from __future__ import annotations

from dataclasses import replace

from bounds.symbols import symbol
from bounds.vocabulary import UpdateForm
from verify.case import Case
from verify.claims.core import Budget, sweep
from verify.claims.images import absent
from verify.claims.multigossip.certified import directions
from verify.claims.multigossip.common import GENERALIZATION, PAPER, PROBLEMS, STABILITY, Build
from verify.claims.multigossip.factors import line, rows
from verify.claims.multigossip.floors import consensus_part, decaying_parts, generalization_floor, gradient_term, optimization_part
from verify.claims.multigossip.linear import linear_stability
from verify.claims.multigossip.moves import course_case
from verify.claims.multigossip.settings import model, problems, run
from verify.curve_case import Point, Request
from verify.finding_case import ExactCase, Heading, RunsCase
from verify.verdict import Evidence

CLAIM = "li2025-gossip-tightens-generalization"
STATEMENT = (
    "Multiple gossip steps reduce the optimization error at an exponential rate in Q, and that reduction exponentially tightens the "
    "generalization bound."
)
_Q = (1, 2, 4, 8, 16)
_BOTH = (GENERALIZATION, STABILITY)
_FREE = rows(("l1_stability_convex", "l1_stability_nonconvex", "dsgd_convex"), "Q") + rows(
    ("l1_stability_convex", "l1_stability_nonconvex", "dsgd_convex"), "gap"
)
_WORDS = "The stability route needs no consensus: W is doubly stochastic, so Q and the gap drop out, and there is nothing to tighten."


def _exact(case: str, form: str, readout: str, find: object, *arguments: object, evidence: Evidence = Evidence.PROVED) -> ExactCase:
    return ExactCase(Heading(CLAIM, case, PAPER, STATEMENT, form, readout), find, arguments, evidence, cost=1e6)  # type: ignore[arg-type]


def proved() -> list[ExactCase]:
    """What the bounds say, part by part."""
    parts = [
        _exact(f"bound-consensus-part-{form.value}", form.value, "node_average", consensus_part, form.value)
        for form in (UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS)
    ]
    return [
        *parts,
        _exact("bound-optimization-part", "atc", "node_average", optimization_part),
        _exact("bound-l2-decaying-part", "atc", "node_average", decaying_parts),
        _exact("bound-l2-whole", "atc", "node_average", generalization_floor),
        _exact("bound-gradient-term", "any", "node_average", gradient_term, evidence=Evidence.EXACT),
        _exact("bound-l1", "any", "node_average", directions, _FREE, "decreasing", False, _WORDS),
        _exact("linear-stability", "any", "node_average", linear_stability, evidence=Evidence.EXACT),
    ]


def _points(budget: Budget, seed: int, problem: str, form: UpdateForm) -> tuple[Point, ...]:
    """A ring of 16 nodes of 8 samples, the slowest mixing of the base experiments."""
    return sweep(replace(run(budget, seed, problem, m=16, n=8), update_form=form), "Q", _Q)


def _measured(name: str, points: tuple[Point, ...], request: Request, device: str) -> RunsCase:
    drawn = line(points[0].run, request)
    return course_case(CLAIM, name, STATEMENT, points, symbol("Q"), request, _BOTH, "decreasing", drawn, device)


def gossip_tightens_generalization(budget: Budget, seed: int, device: str) -> list[Case]:
    """The parts of the bounds; then generalization error and l1 stability against Q on a ring, by problem and update form."""
    cases: list[Case] = [*proved()]
    for problem in problems(budget):
        points = _points(budget, seed, problem, UpdateForm.ATC)
        for request, word in ((GENERALIZATION, "generalization"), (STABILITY, "stability")):
            cases.append(_measured(f"{model(problem)}-atc-{word}", points, request, device))
    for form in (UpdateForm.CTA, UpdateForm.CONSENSUS):
        points = _points(budget, seed, PROBLEMS[0], form)
        cases.append(_measured(f"{model(PROBLEMS[0])}-{form.value}-generalization", points, GENERALIZATION, device))
    return cases + absent(CLAIM, PAPER, STATEMENT, budget)


CLAIMS: dict[str, Build] = {CLAIM: gossip_tightens_generalization}

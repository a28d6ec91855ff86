"""Does what imperfect consensus adds to the optimization error vanish exponentially in the number Q of gossip steps?"""

from __future__ import annotations

from dataclasses import replace

from bounds.topology import topology
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical import Run
from verify.case import Case
from verify.claims.core import Budget
from verify.claims.images import absent
from verify.claims.multigossip.common import PAPER, Build
from verify.claims.multigossip.consensus_part import POINT, expansions
from verify.claims.multigossip.quadratics import GRAPHS, gossip_range, on_quadratics
from verify.claims.multigossip.spreading import in_runs
from verify.claims.multigossip.training import is_small, problems, training_run, word
from verify.finding_case import ExactCase, Finding, Heading, RunsCase
from verify.verdict import Evidence, Table, Verdict

CLAIM = "li2025-optimization-exponential-in-Q"
STATEMENT = "Multiple gossip steps reduce the optimization error bound at an exponential rate in their number Q."
Place = tuple[UpdateForm, Readout]
_CTA_X: Place = (UpdateForm.CTA, Readout.NODE_AVERAGE)
#: Which bounds: the network mean has all three, and CTA's node average reads its models before they are mixed.
_BOUNDS: tuple[Place, ...] = (
    (UpdateForm.ATC, Readout.NETWORK_MEAN),
    (UpdateForm.CTA, Readout.NETWORK_MEAN),
    _CTA_X,
    (UpdateForm.CONSENSUS, Readout.NETWORK_MEAN),
)
#: Where distances differ: ATC is read after mixing, CTA where its gradients are taken or before mixing.
_DISTANCES: tuple[Place, ...] = (
    (UpdateForm.ATC, Readout.NODE_AVERAGE),
    (UpdateForm.CTA, Readout.GRADIENT_POINT),
    _CTA_X,
    (UpdateForm.CONSENSUS, Readout.NODE_AVERAGE),
)
#: Replicates per run by budget: the same draws at every Q leave slopes with hardly any spread.
_REPLICATES = {"quick": 18, "default": 640, "full": 1280}
_STEPS = 60


def _heading(kind: str, form: UpdateForm, readout: Readout) -> Heading:
    place = f"{form.value}-{readout.value.replace('_', '-')}" if form is UpdateForm.CTA else form.value
    return Heading(CLAIM, f"{kind}-{place}", PAPER, STATEMENT, form.value, readout.value)


def of_bounds(form: str, readout: str) -> Finding:
    """From the bounds on the optimization error as expressions in x = lambda^Q, expanded at x = 0."""
    rows = expansions(form, readout)
    heads = ("bound", "what the network adds as Q grows without end", "next order, coefficient of lambda^(2Q)")
    table = Table("The bounds minus that of mini-batch SGD", heads, tuple((row.bound, row.floor, row.second or "-") for row in rows))
    names = ", ".join(row.bound for row in rows)
    if all(row.vanishes for row in rows):
        reason = (
            f"In {names} what the network adds to the bound of mini-batch SGD is 0 at x = lambda^Q = 0 and a positive multiple of x^2 next to "
            "it: it falls to 0 like lambda^(2Q) <= exp(-2 gap Q). The other terms do not depend on Q and stay."
        )
        return Finding(Verdict.HOLDS, reason, tables=(table,))
    if not all(row.witness > 0 for row in rows):
        return Finding(Verdict.UNDECIDED, f"No order of {names} in lambda^Q was found.", tables=(table,))
    at = ", ".join(f"{name} = {value}" for name, value in POINT.items())
    floors = ", ".join(f"{row.witness:.4g} in {row.bound}" for row in rows)
    reason = (
        "What the network adds falls exponentially, but down to a floor, because fresh gradients are not mixed before they are read: "
        f"at {at} it tends to {floors} (table: in general). Read as a decrease to the bound of mini-batch SGD the statement fails here."
    )
    return Finding(Verdict.VIOLATED, reason, tables=(table,))


def _runs(problem: str, budget: Budget, seed: int) -> tuple[tuple[Run, ...], tuple[tuple[int, ...], ...]]:
    """ATC runs, graph by graph, and the numbers of gossip steps of each graph."""
    small = is_small(problem)
    replicates = _REPLICATES[budget.name] if small else 24
    graphs = GRAPHS if small else GRAPHS[:1]
    base = training_run(problem, seed, replicates, T=_STEPS if small else 10)
    gossip = tuple(gossip_range(topology(name, m)) for name, m in graphs)
    runs = tuple(replace(base, topology=name, m=m, Q=Q) for (name, m), numbers in zip(graphs, gossip, strict=True) for Q in numbers)
    return runs, gossip


def optimization(budget: Budget, seed: int, device: str) -> list[Case]:
    """The bounds as expressions, quadratics by their exact moments, and training runs, by update form and readout."""
    cases: list[Case] = [ExactCase(_heading("bounds", *place), of_bounds, (place[0].value, place[1].value), cost=3.0) for place in _BOUNDS]
    for form, readout in _DISTANCES:
        heading = _heading("quadratics", form, readout)
        cases.append(ExactCase(heading, on_quadratics, (form.value, readout.value), Evidence.EXACT))
    for problem in problems(budget):
        runs, gossip = _runs(problem, budget, seed)
        for form, readout in _DISTANCES:
            request = (Quantity.CONSENSUS_DISTANCE, readout)
            asked = tuple((Quantity.CONSENSUS_DISTANCE, one) for f, one in _DISTANCES if f is form)
            own = tuple(replace(run, update_form=form) for run in runs)
            heading = _heading(f"runs-{word(problem)}", form, readout)
            cases.append(RunsCase(heading, own, asked, in_runs, (request, gossip), device))
    return cases + absent(CLAIM, PAPER, STATEMENT, budget)


CLAIMS: dict[str, Build] = {CLAIM: optimization}

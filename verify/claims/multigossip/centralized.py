"""Does a gap to centralized mini-batch SGD remain however many gossip steps are taken? Of bounds, of algorithms, and by update form."""

from __future__ import annotations

from dataclasses import replace

from bounds.vocabulary import Readout, UpdateForm
from empirical import Run
from verify.case import Case
from verify.claims.core import Budget
from verify.claims.images import absent
from verify.claims.multigossip.bound_gaps import between_bounds
from verify.claims.multigossip.common import DISTANCE, GENERALIZATION, PAPER, PROBLEMS, Build
from verify.claims.multigossip.sameness import NETWORK_MEAN, against_minibatch
from verify.claims.multigossip.training import is_small, problems, training_run, word
from verify.finding_case import ExactCase, Heading, RunsCase
from verify.identity_case import IdentityCase

CLAIM = "li2025-gap-to-centralized"
STATEMENT = "Even as the number of gossip steps tends to infinity a non-negligible gap in generalization error to centralized mini-batch SGD remains."
#: Replicates by budget: softmax regression on one side, the two noisier problems on the other.
_REPLICATES = {"quick": (48, 144), "default": (1024, 4096), "full": (2048, 8192)}
_IDENTICAL = (1, 4, 16, 64, 256)
_GOSSIP = (1, 4, 64)
#: Seed of the mini-batch runs that share no draw with the decentralized ones.
_APART = 7_000_001
_SAME = " So with perfect averaging ATC is mini-batch SGD with one sample per node, and between the algorithms no gap is left."


def _heading(case: str, form: UpdateForm, readout: Readout) -> Heading:
    return Heading(CLAIM, case, PAPER, STATEMENT, form.value, readout.value)


def _base(problem: str, budget: Budget, seed: int) -> Run:
    few, many = _REPLICATES[budget.name]
    replicates = (few if problem == PROBLEMS[0] else many) if is_small(problem) else 64
    return training_run(problem, seed, replicates, decaying=True, n=4, T=100 if is_small(problem) else 20)


def _minibatch(run: Run) -> Run:
    return replace(run, update_form=UpdateForm.CENTRALIZED, sampling="stratified", topology="ring", Q=1)


def _identity(problem: str, seed: int, device: str) -> IdentityCase:
    base = training_run(problem, seed, 12, decaying=True, T=200) if is_small(problem) else training_run(problem, seed, 2, T=20)
    runs = tuple(replace(base, Q=Q) for Q in _IDENTICAL)
    x = tuple(map(float, _IDENTICAL))
    return IdentityCase(
        CLAIM,
        f"same-draws-{word(problem)}-atc",
        PAPER,
        STATEMENT,
        runs,
        _minibatch(base),
        "Q",
        x,
        device=device,
        differ=True,
        consequence=_SAME,
    )


def _own_draws(problem: str, budget: Budget, seed: int, device: str) -> RunsCase:
    base = _base(problem, budget, seed)
    runs = (*(replace(base, Q=Q) for Q in _GOSSIP), _minibatch(replace(base, seed=seed + _APART)))
    heading = _heading(f"own-draws-{word(problem)}-atc", UpdateForm.ATC, Readout.NODE_AVERAGE)
    return RunsCase(heading, runs, (GENERALIZATION,), against_minibatch, (GENERALIZATION, _GOSSIP, False), device)


def _consensus(problem: str, budget: Budget, seed: int, device: str) -> list[Case]:
    """The consensus form on the complete graph: X <- J X - eta G(X) leaves the nodes apart by their last gradients."""
    base = _base(problem, budget, seed)
    run = replace(base, update_form=UpdateForm.CONSENSUS, topology="complete")
    asked = (GENERALIZATION, NETWORK_MEAN, DISTANCE)
    cases: list[Case] = []
    for request in (GENERALIZATION, NETWORK_MEAN):
        readout = request[1]
        heading = _heading(f"same-draws-{word(problem)}-consensus-{readout.value.replace('_', '-')}", UpdateForm.CONSENSUS, readout)
        arguments = (request, (1,), True)
        cases.append(RunsCase(heading, (run, _minibatch(base)), asked, against_minibatch, arguments, device))
    return cases


def centralized(budget: Budget, seed: int, device: str) -> list[Case]:
    """Bounds against bounds, then ATC and the consensus form against mini-batch SGD with one sample per node."""
    cases: list[Case] = [
        ExactCase(_heading(f"between-the-bounds-{which}", UpdateForm.ATC, Readout.NODE_AVERAGE), between_bounds, (which,))
        for which in ("quoted", "batch", "derived")
    ]
    cases += [_identity(problem, seed, device) for problem in problems(budget)]
    cases += [_own_draws(problem, budget, seed, device) for problem in PROBLEMS]
    cases += [case for problem in problems(budget) for case in _consensus(problem, budget, seed, device)]
    return cases + absent(CLAIM, PAPER, STATEMENT, budget)


CLAIMS: dict[str, Build] = {CLAIM: centralized}

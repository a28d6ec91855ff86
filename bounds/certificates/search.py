"""The search behind ``certify``: quick proofs, witnesses by sampling, then proofs by branch and bound."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from flint import ctx

from bounds.bound import Bound
from bounds.box import Box, Point
from bounds.certificates.branch import Budget
from bounds.certificates.cases import Case, cases
from bounds.certificates.certificate import Status, Witness
from bounds.certificates.certify import refutation
from bounds.certificates.flags import flag_proof
from bounds.certificates.graph import Graph
from bounds.certificates.prover import PATIENCE, Proof, Prover
from bounds.certificates.sections import sections
from bounds.formula import FLAGS
from bounds.sampling import Sampler
from bounds.vocabulary import Direction

_SIGNS = {Direction.INCREASING: (1,), Direction.DECREASING: (-1,), Direction.CONSTANT: (1, -1)}
_PROVED = "elasticities over boxes in Arb"
_BOTH = "sampling: a certified witness against each direction"
_SAMPLED = "sampling"
_BITS = 80


class Search:
    """One question and what has been spent on it."""

    def __init__(
        self, bound: Bound, parameter: str, claimed: Direction, box: Box, form: str | None, given: Sequence[str], deadline: float
    ) -> None:
        self.bound, self.parameter, self.claimed, self.box, self.form, self.given = bound, parameter, claimed, box, form, given
        self.budget, self.pairs, self.graph = Budget(deadline), 0, Graph()
        self.reason = ""

    def subject(self) -> dict[str, Any]:
        """What the certificate is about."""
        return {"bound": self.bound.id, "parameter": self.parameter, "direction": self.claimed, "box": self.box}

    def run(self, samples: int, seed: int) -> dict[str, Any]:
        """Status, engine, proofs, witnesses and reason."""
        quick = self.claimed is not Direction.MIXED and self._proved(PATIENCE[:1])
        if quick:
            return {"status": "proved", "engine": _PROVED, "proofs": quick}
        found = self._witnesses(samples, seed)
        if found["status"] != "undecided" or self.claimed is Direction.MIXED:
            return found
        proofs = self._proved(PATIENCE[1:])
        if proofs:
            return {"status": "proved", "engine": f"branch and bound, {_PROVED}", "proofs": proofs}
        return {**found, "engine": f"branch and bound, {_SAMPLED}", "reason": self._why()}

    def _why(self) -> str:
        if self.pairs == 0:
            return "no admissible pair of points was found in this box: widen a range"
        spent = "the time allowed ended first" if time.perf_counter() > self.budget.deadline else "the search ended"
        return f"no witness against it was found, and {spent} without a proof {self.reason}".rstrip()

    # proofs -------------------------------------------------------------------------------------

    def _proved(self, patience: Sequence[int]) -> tuple[dict[str, Any], ...]:
        saved = ctx.prec
        ctx.prec = _BITS
        try:
            return self._every_case(patience)
        finally:
            ctx.prec = saved

    def _every_case(self, patience: Sequence[int]) -> tuple[dict[str, Any], ...]:
        proofs = []
        for case in cases(self.bound, self.parameter, self.graph, self.form, self.given):
            proof = self._case(case, patience)
            if proof is None:
                place = ", ".join(str(part) for part in (case.update_form, case.readout, case.spectrum) if part)
                self.reason = f"({place}, with {', '.join(case.given)})"
                return ()
            proofs.append({**case.label(), **proof})
        return tuple(proofs)

    def _case(self, case: Case, patience: Sequence[int]) -> dict[str, Any] | None:
        prover = Prover(self.graph, self.budget)
        if self.parameter in FLAGS:
            return flag_proof(prover, self.bound, case, self.parameter, self.box, self.claimed)
        scope = case.scope(self.graph, self.box, [self.parameter])
        found: list[Proof] = []
        for sign in _SIGNS[self.claimed]:
            proof = prover.search(case.node, sign, scope, patience)
            if proof is None:
                return None
            found.append(proof)
        # Where nothing moves, any two admissible values compare, whatever lies between them.
        ranges = [] if scope.still(case.node) else sections(Prover(self.graph, self.budget), case.facts, scope)
        return None if ranges is None else {"sections": ranges, "proofs": found}

    # witnesses ----------------------------------------------------------------------------------

    def _witnesses(self, samples: int, seed: int) -> dict[str, Any]:
        wanted = [Direction.INCREASING, Direction.DECREASING] if self.claimed is Direction.MIXED else [self.claimed]
        for form in [self.form] if self.form else [form.value for form in self.bound.update_forms]:
            found = self._in_form(wanted, form, samples, seed)
            if len(found) == len(wanted):
                status: Status = "proved" if self.claimed is Direction.MIXED else "refuted"
                witness, opposite = (*(found[one] for one in wanted), None)[:2]
                return {"status": status, "engine": _BOTH if opposite else _SAMPLED, "witness": witness, "opposite": opposite}
        return {"status": "undecided", "engine": _SAMPLED, "reason": "no witness that decides was found, which proves nothing"}

    def _in_form(self, wanted: Sequence[Direction], form: str, samples: int, seed: int) -> dict[Direction, Witness]:
        found: dict[Direction, Witness] = {}
        for first, second in _pairs(Sampler(self.bound, self.parameter, self.box, form, seed, self.given), samples):
            self.pairs += 1
            missing = (one for one in wanted if one not in found)
            found |= {one: witness for one in missing if (witness := refutation(self.bound, one, first, second, form)) is not None}
            if len(found) == len(wanted):
                break
        return found


def _pairs(sampler: Sampler, samples: int) -> Iterator[tuple[Point, Point]]:
    # Any violation along a chain shows between two neighbours.
    for chain in sampler.chains(samples):
        yield from pairwise(chain)

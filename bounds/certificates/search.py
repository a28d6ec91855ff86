"""One question of ``certify`` and the search for its answer: whole boxes, then witnesses, then branch and bound."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from flint import ctx

from bounds.bound import Bound
from bounds.box import Box
from bounds.certificates.branch import Budget
from bounds.certificates.cases import Case, cases
from bounds.certificates.certificate import Certificate, Status, Witness
from bounds.certificates.flags import flag_proof
from bounds.certificates.graph import Graph
from bounds.certificates.prover import PATIENCE, Proof, Prover
from bounds.certificates.sections import sections
from bounds.certificates.witness import refutation
from bounds.formula import FLAGS
from bounds.sampling import Sampler
from bounds.vocabulary import Direction

_SIGNS = {Direction.INCREASING: (1,), Direction.DECREASING: (-1,), Direction.CONSTANT: (1, -1)}
_PROVED = "elasticities over boxes in Arb"
_BOTH = "sampling: a certified witness against each direction"
_SAMPLED = "sampling"
_EMPTY = "no admissible pair of points was found in this box: widen a range"
_BITS = 80
_FEW = 60
_TRIES = 50


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
        given = tuple(name for name in self.given if name in self.bound.formula.optional)
        return {"bound": self.bound.id, "parameter": self.parameter, "direction": self.claimed, "box": self.box, "given": given}

    def run(self, samples: int, seed: int) -> dict[str, Any]:
        """Status, engine, proofs, witnesses and reason."""
        quick = self.claimed is not Direction.MIXED and self._proved(PATIENCE[:1])
        if quick:
            return self._shown(quick, _PROVED, seed)
        # False directions fall to a few points, and a proof that needs boxes needs few: the long searches come last.
        for some, patience in ((min(samples, _FEW), PATIENCE[1:2]), (samples, PATIENCE[2:])):
            found = self._witnesses(some, seed)
            if found["status"] != "undecided":
                return found
            proofs = () if self.claimed is Direction.MIXED else self._proved(patience)
            if proofs:
                return self._shown(proofs, f"branch and bound, {_PROVED}", seed)
        if self.claimed is Direction.MIXED:
            return found
        return {**found, "engine": f"branch and bound, {_SAMPLED}", "reason": self._why()}

    def _shown(self, proofs: tuple[dict[str, Any], ...], engine: str, seed: int) -> dict[str, Any]:
        """What is proved of nothing is not called proved."""
        forms = [self.form] if self.form else [form.value for form in self.bound.update_forms]
        samplers = [Sampler(self.bound, self.parameter, self.box, form, seed, self.given) for form in forms]
        inhabited = any(sampler.random_chain() for sampler in samplers for _ in range(_TRIES))
        if not inhabited and not any(next(sampler.chains(1), None) for sampler in samplers):
            return {"status": "undecided", "engine": engine, "reason": _EMPTY}
        self.pairs += sum(leaves(proof) for proof in proofs)
        doubt = self._doubt(proofs)
        if doubt:
            return {"status": "undecided", "engine": engine, "reason": f"a proof was found, but its check did not confirm it: {doubt}"}
        return {"status": "proved", "engine": engine, "proofs": proofs}

    def _doubt(self, proofs: tuple[dict[str, Any], ...]) -> str:
        """What the checker, which shares no code with the search, has against the proofs."""
        from bounds.checker import check

        form = None if self.form is None else self.bound.form(self.form).value
        found = Certificate(**self.subject(), status="proved", witness=None, engine="", boxes=0, seconds=0, update_form=form, proofs=proofs)
        finding = check(found.document(proofs=True), self.bound)
        return "" if finding.accepted else finding.reason

    def _why(self) -> str:
        if self.pairs == 0:
            return _EMPTY
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
        for chain in Sampler(self.bound, self.parameter, self.box, form, seed, self.given).chains(samples):
            values = [float(self.bound.evaluate(update_form=form, **point)) for point in chain]
            # Any violation along a chain shows between two neighbours.
            for place, (first, second) in enumerate(pairwise(chain)):
                self.pairs += 1
                for one in (one for one in wanted if one not in found):
                    witness = refutation(self.bound, one, first, second, form, values[place : place + 2])
                    found |= {} if witness is None else {one: witness}
                if len(found) == len(wanted):
                    return found
        return found


def leaves(proof: Any) -> int:
    """How many boxes a proof looks at."""
    if isinstance(proof, Mapping):
        return ("rule" in proof and proof["rule"] == "interval") + sum(map(leaves, proof.values()))
    return sum(map(leaves, proof)) if isinstance(proof, list | tuple) else int(proof in ("+", "c", "x"))

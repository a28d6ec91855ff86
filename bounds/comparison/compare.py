"""The verb ``compare``: which of two bounds is smaller over a box, and where they cross."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flint import ctx

from bounds.bound import Bound
from bounds.box import Box, Point
from bounds.certificates.branch import Budget
from bounds.comparison.boxes import by_boxes
from bounds.comparison.comparison import Answer, Comparison, witness
from bounds.comparison.crossings import Line, between_witnesses, roots
from bounds.comparison.order import Order
from bounds.comparison.pair import Case, Pair
from bounds.comparison.points import Points
from bounds.comparison.witnesses import search, some_point
from bounds.errors import DomainError
from bounds.expression import Node
from bounds.expression.balls import enclose

_BITS = 80
_SIGNS: dict[int, Answer] = {-1: "<=", 1: ">="}


def compare(
    a: Bound,
    b: Bound,
    box: Mapping[str, tuple[float, float]] | None = None,
    *,
    along: str | None = None,
    update_form: str | None = None,
    readout: str | None = None,
    let: Mapping[str, str] | None = None,
    samples: int = 2000,
    seed: int = 0,
    seconds: float = 20.0,
) -> Comparison:
    """Which of two bounds is smaller on the part of a box where the assumptions of both hold, and where they cross.

    Parameters of one name are shared; ``N`` of a centralized bound is ``m*n`` where the other one has those. Optional
    parameters are given where the box names them or either bound needs them.

    Args:
        box: ranges (low, high) that replace those of :func:`bounds.box.default_box` (of which the common part is taken);
            (v, v) fixes a parameter.
        along: enclose all crossings along this parameter; the box must fix all the others. Without it, bounds that cross have
            one crossing enclosed on the way between the witnesses, which changes one parameter at a time.
        update_form, readout: of the bounds that speak of them; the first that both speak of (else each one's first) when left out.
        let: further parameters of one bound as expressions in those of the other, such as ``{"b": "m*b"}``.
        samples, seed: random points in the search for witnesses, after the corners of the box.
        seconds: when the search for a proof ends.

    Raises:
        UnknownParameterError, UnknownNameError, DomainError, ExpressionError: each one line.
    """
    started, saved = time.perf_counter(), ctx.prec
    pair = Pair(a, b, box, update_form, readout, let)
    if samples < 1:
        raise DomainError(f"got samples={samples}; give at least 1")
    work = _Work(pair, Budget(started + seconds), samples, seed)
    line = None if along is None else Line(pair, along)
    ctx.prec = _BITS
    try:
        outcome = work.run()
        found = roots(work.cases, line, work.budget) if line else between_witnesses(work.fields, work.found, pair)
    finally:
        ctx.prec = saved
    crossings, complete = found
    return Comparison(
        a.id,
        b.id,
        crossings=tuple(crossings),
        box=pair.box,
        update_form={"a": pair.a.update_form, "b": pair.b.update_form},
        readout={"a": pair.a.readout, "b": pair.b.readout},
        let=pair.let,
        complete=complete,
        boxes=work.budget.boxes,
        seconds=time.perf_counter() - started,
        **outcome,
    )


class _Work:
    """One question and what has been found of it."""

    def __init__(self, pair: Pair, budget: Budget, samples: int, seed: int) -> None:
        self.pair, self.budget, self.samples, self.seed = pair, budget, samples, seed
        self.cases = list(pair.cases())
        self.fields = [Points(case, pair.names) for case in self.cases]
        self.found: dict[int, tuple[int, Point]] = {}

    def run(self) -> dict[str, Any]:
        """Relation, engine, witnesses and reason."""
        proofs = {sign: self._symbols(sign, structure=False) for sign in (-1, 1)}
        self._look()
        for sign in (-1, 1):
            if not any(proofs.values()) and -sign not in self.found:
                proofs[sign] = self._symbols(sign, structure=True)
            if proofs[sign] and -sign in self.found:
                raise ArithmeticError(
                    f"{self.pair.a.bound.id}, {self.pair.b.bound.id}: a proof and a witness at odds at {self.found[-sign]}"
                )
        if all(proofs.values()):
            return {"relation": "<=", "engine": _engine(proofs[-1]), "reason": self._empty() or "they are equal everywhere"}
        if any(proofs.values()):
            sign = -1 if proofs[-1] else 1
            return {"relation": _SIGNS[sign], "engine": _engine(proofs[sign]), "reason": self._empty()}
        if len(self.found) == 2:
            told = tuple(self._witness(sign) for sign in (-1, 1))
            return {"relation": "crosses", "engine": "sampling: a certified witness for either order", "witnesses": told}
        return self._halved()

    def _symbols(self, sign: int, structure: bool) -> list[str]:
        """The rules that prove the order of this sign in every case, or none."""
        rules: list[str] = []
        for case in self.cases:
            found = Order(case.graph, self.budget, structure).prove(*_ordered(case, sign), case.scope())
            if found is None:
                return []
            rules += found
        return rules

    def _look(self) -> None:
        for place, field in enumerate(self.fields):
            for sign, point in search(field, self._box(field), self.samples, self.seed).items():
                self.found.setdefault(sign, (place, point))

    def _halved(self) -> dict[str, Any]:
        for sign in (-1, 1):
            if -sign not in self.found and all(self._boxes(case, sign) for case in self.cases):
                return {"relation": _SIGNS[sign], "engine": "branch and bound in Arb", "reason": self._empty()}
        told = tuple(self._witness(sign) for sign in self.found)
        return {"relation": "undecided", "engine": "branch and bound, sampling", "witnesses": told, "reason": self._why()}

    def _boxes(self, case: Case, sign: int) -> bool:
        scope = case.scope()
        a, b = Order(case.graph, self.budget).reduced(*_ordered(case, sign), scope)
        return by_boxes(a, b, scope, self.budget)

    def _witness(self, sign: int) -> Any:
        place, point = self.found[sign]
        case = self.cases[place]
        full = {**point, **dict.fromkeys(case.flags, 1)}
        return witness(full, *(float(enclose(node, point).mid()) for node in (case.a, case.b)))

    def _empty(self) -> str:
        return "" if self.found or self._somewhere() else "no admissible point was found in this box: the relation may speak of nothing"

    def _somewhere(self) -> bool:
        return any(some_point(field, self._box(field), self.samples, self.seed) for field in self.fields)

    def _box(self, field: Points) -> Box:
        return {name: ends for name, ends in self.pair.box.items() if name not in field.case.flags}

    def _why(self) -> str:
        if not self._somewhere():
            return "no admissible point was found in this box: widen a range"
        ids = {-1: self.pair.a.bound.id, 1: self.pair.b.bound.id}
        seen = " or ".join(f"{ids[sign]} smaller" for sign in self.found) or "neither smaller"
        spent = "the time allowed ended" if self.budget.spent else "the search ended"
        return f"points show {seen} and none the contrary, and {spent} without a proof"


def _ordered(case: Case, sign: int) -> tuple[Node, Node]:
    return case.written if sign < 0 else (case.written[1], case.written[0])


def _engine(rules: list[str]) -> str:
    return ", ".join(dict.fromkeys(rules))

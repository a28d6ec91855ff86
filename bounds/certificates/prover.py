"""The search for a proof that a node moves one way with the parameter: whole boxes first, then piece by piece.

A goal is a node and a sign: sign * df/dp >= 0 wherever the assumptions hold. A proof is a tree of plain dictionaries
that :mod:`bounds.certificates.checker` can follow without any of this search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.boxes import boxes
from bounds.certificates.branch import Budget
from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.facts import with_caps
from bounds.certificates.forms import conjugate, distribution, dropping, peeled
from bounds.certificates.graph import Graph
from bounds.certificates.pieces import Goal, goals
from bounds.certificates.points import Points
from bounds.certificates.positivity import Range
from bounds.certificates.summands import difference, is_whole, summands
from bounds.certificates.symbolic import symbolic
from bounds.certificates.through import through
from bounds.expression.tree import Least, Node
from bounds.rates.rational import text
from bounds.symbols import REGISTRY

Proof = dict[str, Any]
_OF = ArbIntervals
_DEEPEST = 16
#: Boxes for one goal: none, then more and more. Most goals on the way to a proof are false.
PATIENCE = (0, 150, 3_000, 60_000)


@dataclass
class Prover:
    """Proofs in one graph within a budget."""

    graph: Graph
    budget: Budget = field(default_factory=lambda: Budget(math.inf))
    _failed: dict[Any, Any] = field(default_factory=dict)
    _runs: dict[int, Calculus] = field(default_factory=dict)
    _points: dict[int, Points] = field(default_factory=dict)

    def calculus(self, scope: Scope) -> Calculus:
        """Arb states in a scope, each of them computed once."""
        run = self._runs.get(id(scope))
        if run is None:
            # The run keeps the scope, so that its id stays its own.
            run = self._runs[id(scope)] = Calculus(scope, _OF)
        return run

    def _points_of(self, scope: Scope) -> Points:
        if id(scope) not in self._points:
            self._points[id(scope)] = Points(scope)
        return self._points[id(scope)]

    def search(self, node: Node, sign: int, scope: Scope, patience: Sequence[int] = PATIENCE) -> Proof | None:
        """:meth:`prove` with more and more boxes for each goal."""
        for self.budget.each in patience:
            self._failed.clear()
            proof = self.prove(node, sign, scope)
            if proof is not None or self.budget.spent:
                return proof
        return None

    def prove(self, node: Node, sign: int, scope: Scope, depth: int = 0) -> Proof | None:
        """A proof of sign * p df/dp >= 0 over the scope's box, or None."""
        if scope.still(node):
            return {"rule": "constant"}
        key = (id(node), sign, scope.moving, id(scope.ranges), id(scope.caps), scope.difference)
        if depth > _DEEPEST or key in self._failed:
            return None
        proof = self._fresh(node, sign, scope, depth)
        if proof is None:
            # The scope is kept, so that its ids stay its own.
            self._failed[key] = scope
        return proof

    def _fresh(self, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
        state = self.calculus(scope).state(node)
        rate = state.rate if sign > 0 else _OF.neg(state.rate)
        if _OF.at_least_zero(rate):
            return {"rule": "interval"}
        if self._points_of(scope).refute(node, sign):
            return None
        for way in _IN_DIFFERENCES if scope.difference else _WAYS:
            proof = way(self, node, sign, scope, depth)
            if proof is not None:
                return proof
        return None

    def all_of(self, rule: str, goals: Sequence[Goal], depth: int) -> Proof | None:
        """A proof by proofs of all goals."""
        parts = []
        for part, wanted, inner in goals:
            proof = self.prove(part, wanted, inner, depth + 1)
            if proof is None:
                return None
            parts.append(proof)
        return {"rule": rule, "parts": parts}

    def value_sign(self, node: Node, scope: Scope) -> int:
        """1 or -1 where the node is nowhere negative or nowhere positive in the scope, else 0."""
        value = self.calculus(scope).state(node).value
        return 1 if _OF.at_least_zero(value) else -1 if _OF.at_least_zero(_OF.neg(value)) else 0

    def range(self, node: Node, scope: Scope) -> Range:
        """Both ends of the node's value; None for an end that is infinite or not known."""
        if not self.graph.names(node) <= scope.ranges.keys() | scope.entries.keys():
            return None, None
        low, high = self.calculus(scope).state(node).value
        return _fraction(low), _fraction(high)


def _fraction(end: Any) -> Any:
    if isinstance(end, float):
        return None
    mantissa, exponent = end.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _pieces(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """One goal for each part that moves, where the sign of everything else is known."""
    found = goals(prover, node, sign, scope)
    return None if found is None else prover.all_of("pieces", found, depth)


def _distributed(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """a (b + c) as a b + a c, and a total(...) as a total of products."""
    found = distribution(prover.graph, node, scope)
    if found is None:
        return None
    return prover.all_of("distributed", [(part, sign, scope) for part in found], depth)


def _dropped(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """A product without one factor that moves the right way; functions without an elasticity in the grammar go first."""
    if scope.difference:
        return None
    for part, rest in dropping(prover.graph, node, scope):
        if prover.value_sign(part, scope) == 1 and prover.value_sign(rest, scope) == 1:
            proofs = [prover.prove(piece, sign, scope, depth + 1) for piece in (part, rest)]
            if None not in proofs:
                return {"rule": "dropped", "factor": text(part), "parts": proofs}
    return None


def _peeled(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """growth(q, s, S) as (1 + q/(s+1)) growth(q, s+1, S) wherever S - s is a whole number and at least 1."""
    other = peeled(prover.graph, node, lambda part: _OF.at_least_zero(prover.calculus(scope).state(part).value))
    if other is node or scope.difference:
        return None
    proof = prover.prove(other, sign, scope, depth + 1)
    return None if proof is None else {"rule": "peeled", "parts": [proof]}


def _ends(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """A least value as the smaller one of its last place's and of the least among the others."""
    if not isinstance(node, Least) or not scope.still(node.low) or not scope.still(node.high):
        return None
    graph = prover.graph
    if summands(node.high).get(None, (None, 0))[1] < 0 or not is_whole(graph, node.high):
        return None
    last = graph.substituted(node.body, {node.variable: node.high})
    high = difference(graph, node.high, graph.number(1))
    before = graph.make(Least, node.variable, node.low, high, node.body)
    # Where there are no others, nothing has to be said about them.
    some = with_caps(scope, [(node.low, high)], [before, difference(graph, high, node.low)], _OF)
    return prover.all_of("ends", [(last, sign, scope), (before, sign, some)], depth)


def _difference(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """The same goal for the steps f(p+1) - f(p) of a whole number p."""
    if scope.difference or len(scope.moving) != 1 or not all(map(_counts, scope.moving)):
        return None
    proof = prover.prove(node, sign, replace(scope, difference=True), depth + 1)
    return None if proof is None else {"rule": "difference", "parts": [proof]}


def _counts(name: str) -> bool:
    """Whether the name is a symbol for a whole number."""
    return name in REGISTRY and REGISTRY[name].domain.rank == 0 and REGISTRY[name].domain.integer


def _conjugate(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """(a + sqrt(d))/e as w/(sqrt(d) - a) where d - a^2 = e w: goals for w and for the new denominator."""
    found = conjugate(prover.graph, node)
    if found is None or scope.difference:
        return None
    over, under, divisor, inside = found
    run = prover.calculus(scope)
    # (sqrt(d) + a)(sqrt(d) - a) = e w > 0: both factors have the sign of their sum. Where e w is 0, 0/0 says nothing of the node.
    if prover.value_sign(inside, scope) != 1 or not all(_OF.above_zero(run.state(part).value) for part in (over, divisor)):
        return None
    parts = []
    for part, wanted in ((over, sign), (under, -sign)):
        proof = prover.prove(part, wanted, scope, depth + 1)
        if proof is None:
            return None
        parts.append(proof)
    return {"rule": "conjugate", "parts": parts}


Way = Callable[[Prover, Node, int, Scope, int], Proof | None]
_WAYS: tuple[Way, ...] = (_ends, _pieces, _conjugate, _distributed, through, symbolic, _dropped, _peeled, _difference, boxes)
_IN_DIFFERENCES: tuple[Way, ...] = (_pieces, _dropped, _peeled, _difference, boxes)

"""Whether the admissible values of the parameter form an interval: only then does the sign of a rate say how two of them compare.

Assumption by assumption: the values that meet one form an interval where its two sides, their ratio, or the logarithm of
that ratio (times what is positive) moves one way. An assumption may use those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Scope
from bounds.certificates.conjugates import as_tree
from bounds.certificates.elasticity import Elasticity
from bounds.certificates.facts import Fact, spelt_out, with_caps
from bounds.certificates.graph import Graph
from bounds.certificates.positivity import NotPolynomialError, Polynomials, atoms_of
from bounds.certificates.prover import Proof, Prover
from bounds.certificates.symbolic import sides_positive
from bounds.expression.tree import Node, Quotient, Sum

_MARGIN = Fraction(1, 1 << 40)


def sections(prover: Prover, facts: Sequence[Fact], scope: Scope) -> list[dict[str, Any]] | None:
    """For every assumption in which the parameter occurs, how its gap moves and the proof; None where one does not.

    An entry has the number of its assumption, the expression that moves ("left", "right", "ratio" or "logarithm"), the
    way that it moves, and the proof.
    """
    graph = prover.graph
    done = [place for place, fact in enumerate(facts) if all(scope.still(side) for side in fact)]
    waiting = [place for place in range(len(facts)) if place not in done]
    entries: list[dict[str, Any]] = []
    while waiting:
        for place in waiting:
            known = [facts[other] for other in done]
            entry = _entry(prover, facts[place], _under(graph, scope, [*known, _relaxed(graph, facts[place])]))
            if entry is not None:
                entries.append({"assumption": place, "after": sorted(done), **entry})
                done.append(place)
                waiting.remove(place)
                break
        else:
            return None
    return entries


def _under(graph: Graph, scope: Scope, facts: Sequence[Fact]) -> Scope:
    nodes = [side for fact in facts for side in fact]
    return with_caps(replace(scope, caps={}, facts=()), spelt_out(graph, facts, nodes), nodes, ArbIntervals)


def _relaxed(graph: Graph, fact: Fact) -> Fact:
    """The fact with a margin: a gap that moves one way beyond its end too cannot come back to it and only touch it."""
    return fact[0], graph.make(Sum, fact[1], graph.number(_MARGIN))


def _entry(prover: Prover, fact: Fact, scope: Scope) -> dict[str, Any] | None:
    left, right = fact
    candidates: list[tuple[str, Node]] = []
    if scope.still(left) or scope.still(right):
        candidates.append(("right", right) if scope.still(left) else ("left", left))
    elif prover.value_sign(right, scope) == 1:
        candidates.append(("ratio", prover.graph.make(Quotient, left, right)))
    logarithm = log_gap(prover.graph, fact, scope) if sides_positive(prover, fact, scope) else None
    if logarithm is not None:
        candidates.append(("logarithm", logarithm))
    for name, node in candidates:
        for way in (1, -1):
            proof: Proof | None = prover.search(node, way, scope)
            if proof is not None:
                return {"of": name, "way": way, "proof": proof}
    return None


def log_gap(graph: Graph, fact: Fact, scope: Scope) -> Node | None:
    """log right - log left times its positive denominator; None where it is no fraction with such a denominator."""
    elasticity = Elasticity(graph, scope.moving)
    gap = graph.minus(elasticity.log(fact[1]), elasticity.log(fact[0]))
    prover = Prover(graph)
    try:
        ring = Polynomials(graph, atoms_of([gap]), lambda part: prover.value_sign(part, scope))
        return as_tree(graph, ring, ring.of(gap)[0])
    except (NotPolynomialError, ZeroDivisionError, KeyError):
        return None

"""The sign of an elasticity as a polynomial in positive things, as a rule of proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounds.certificates.calculus import Scope
from bounds.certificates.elasticity import Elasticity, NoElasticityError
from bounds.certificates.facts import Fact
from bounds.certificates.positivity import nonnegative
from bounds.expression.tree import Call, Node, Product
from bounds.rates.rational import text

if TYPE_CHECKING:
    from bounds.certificates.prover import Proof, Prover


def symbolic(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """The sign of the elasticity as a polynomial in positive things."""
    if scope.difference or prover.value_sign(node, scope) != 1:
        return None
    elasticity = Elasticity(prover.graph, scope.moving)
    try:
        goal = elasticity.of(node)
    except NoElasticityError:
        return None
    goal = goal if sign > 0 else prover.graph.make(Product, prover.graph.number(-1), goal)
    facts = [*_log_facts(prover, scope, elasticity), *_lemmas(prover, goal, scope)]
    used = nonnegative(prover.graph, goal, facts, lambda part: prover.range(part, scope))
    if used is None:
        return None
    return {"rule": "symbolic", "facts": [[text(left), text(right)] for left, right in used]}


def _log_facts(prover: Prover, scope: Scope, elasticity: Elasticity) -> list[Fact]:
    """The facts in logarithms: 0 <= log right - log left, and what is left of them over a positive denominator."""
    known = scope.ranges.keys() | scope.entries.keys()
    facts = []
    for left, right in scope.facts:
        if prover.graph.names(left) | prover.graph.names(right) <= known:
            facts.append((elasticity.log(left), elasticity.log(right)))
    return facts


def _lemmas(prover: Prover, goal: Node, scope: Scope) -> list[Fact]:
    """geometric(r, T) <= T for r <= 1."""
    lemmas: list[Fact] = []
    for part in prover.graph.walk(goal):
        if isinstance(part, Call) and part.function == "geometric":
            low, high = prover.range(part.arguments[0], scope)
            if low is not None and high is not None and low >= 0 and high <= 1:
                lemmas.append((part, part.arguments[1]))
    return lemmas

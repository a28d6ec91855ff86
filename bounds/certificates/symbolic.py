"""The sign of an elasticity as a polynomial in positive things, as a rule of proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounds.certificates.calculus import Scope
from bounds.certificates.elasticity import Elasticity, NoElasticityError
from bounds.certificates.facts import Fact
from bounds.certificates.functions import sums
from bounds.certificates.positivity import nonnegative
from bounds.certificates.summands import factors
from bounds.expression.tree import Call, Node, Product
from bounds.rates.rational import text

if TYPE_CHECKING:
    from bounds.certificates.prover import Proof, Prover


def symbolic(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """The sign of the elasticity as a polynomial in positive things."""
    movers = scope.moving & prover.graph.names(node)
    if scope.difference or prover.value_sign(node, scope) != 1 or not all(_positive(prover, name, scope) for name in movers):
        return None
    elasticity = Elasticity(prover.graph, scope.moving, lambda part: prover.value_sign(part, scope) == 1)
    try:
        goal = elasticity.of(node)
    except NoElasticityError:
        return None
    if not _logarithms_meant(prover, goal, scope):
        return None
    goal = goal if sign > 0 else prover.graph.make(Product, prover.graph.number(-1), goal)
    facts = [*_log_facts(prover, scope, elasticity), *_lemmas(prover, goal, scope)]
    used = nonnegative(prover.graph, goal, facts, lambda part: prover.range(part, scope))
    if used is None:
        return None
    return {"rule": "symbolic", "facts": [[text(left), text(right)] for left, right in used]}


def _positive(prover: Prover, name: str, scope: Scope) -> bool:
    """Whether p df/dp has the sign of df/dp."""
    return name in scope.ranges and prover.value_sign(prover.graph.name(name), scope) == 1


def _logarithms_meant(prover: Prover, node: Node, scope: Scope) -> bool:
    """Whether every logarithm is that of something that is not negative: powers of negative numbers have none."""
    logarithms = (part for part in prover.graph.walk(node) if isinstance(part, Call) and part.function == "log")
    return all(prover.value_sign(part.arguments[0], scope) == 1 for part in logarithms)


def _log_facts(prover: Prover, scope: Scope, elasticity: Elasticity) -> list[Fact]:
    """The facts in logarithms: 0 <= log right - log left, and what is left of them over a positive denominator."""
    known = scope.ranges.keys() | scope.entries.keys()
    facts = []
    for left, right in scope.facts:
        if prover.graph.names(left) | prover.graph.names(right) <= known and sides_positive(prover, (left, right), scope):
            facts.append((elasticity.log(left), elasticity.log(right)))
    return facts


def sides_positive(prover: Prover, fact: Fact, scope: Scope) -> bool:
    """Whether no factor of either side can be negative, so that logarithms may be taken factor by factor."""
    parts = [part for side in fact for part, _ in factors(side)[1].values()]
    return all(prover.value_sign(part, scope) == 1 for part in (*parts, *fact))


def _lemmas(prover: Prover, goal: Node, scope: Scope) -> list[Fact]:
    """geometric(r, T) <= T for r <= 1."""
    lemmas: list[Fact] = []
    for part in prover.graph.walk(goal):
        if isinstance(part, Call) and part.function == "geometric":
            low, high = prover.range(part.arguments[0], scope)
            if low is not None and high is not None and low >= 0 and high <= 1 and sums(prover.calculus(scope), part):
                lemmas.append((part, part.arguments[1]))
    return lemmas

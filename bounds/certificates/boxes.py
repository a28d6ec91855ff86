"""Branch and bound as a rule of proof: which sub-trees get a name of their own, and which names a box has."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.branch import Question, branch
from bounds.certificates.calculus import Scope
from bounds.certificates.elasticity import Elasticity, NoElasticityError
from bounds.certificates.facts import Fact
from bounds.certificates.sharper import smooth
from bounds.certificates.summands import built_product, factors
from bounds.certificates.through import parents
from bounds.expression.tree import Least, Name, Node, Number, Power, Product, Quotient, Reduce
from bounds.rates.rational import text

if TYPE_CHECKING:
    from bounds.certificates.prover import Proof, Prover

_MOST_NAMES = 6


def boxes(prover: Prover, node: Node, sign: int, scope: Scope, depth: int) -> Proof | None:
    """Branch and bound, with names of their own for sub-trees that are still or that move like the parameter itself."""
    if (
        not prover.budget.each
        or prover.budget.spent
        or any(isinstance(part, Reduce | Least) and not scope.still(part) for part in prover.graph.walk(node))
        or not _without_poles(prover, node, scope)
    ):
        return None
    short = moving_factors(prover, node, scope)
    cut = _renamed(prover, short, scope)
    outer, facts, inner = apply(prover, short, scope, cut)
    names = tuple(sorted(prover.graph.names(outer) & inner.ranges.keys()))
    if not names or len(names) > _MOST_NAMES:
        return None
    inner = replace(inner, facts=tuple(facts))
    tree = branch(Question(outer, sign, inner, names, goal=_smooth_goal(prover, outer, inner)), prover.budget)
    return None if tree is None else {"rule": "boxes", "names": {name: text(part) for name, part in cut.items()}, "tree": tree}


def _smooth_goal(prover: Prover, node: Node, scope: Scope) -> Node | None:
    """The elasticity as a tree, or where the node may be negative the rate."""
    if scope.difference:
        return None
    words = Elasticity(prover.graph, scope.moving, lambda part: prover.value_sign(part, scope) == 1)
    try:
        goal = words.of(node) if prover.value_sign(node, scope) == 1 else words.slope(node)
    except NoElasticityError:
        return None
    return goal if smooth(goal, scope) else None


def _without_poles(prover: Prover, node: Node, scope: Scope) -> bool:
    """Whether every denominator keeps its sign over the whole box: a pole may hide on the border of two halves."""
    below = (_denominator(part) for part in prover.graph.walk(node))
    return all(part is None or scope.still(part) or prover.value_sign(part, scope) for part in below)


def _denominator(part: Node) -> Node | None:
    """What a quotient, or a power whose exponent may be negative, divides by."""
    match part:
        case Quotient(_, under):
            return under
        case Power(_, Number(value)) if value is not None and value >= 0:
            return None
        case Power(under, _):
            return under
    return None


def moving_factors(prover: Prover, node: Node, scope: Scope) -> Node:
    """The node without positive factors that are still: they change no sign."""
    number, powers = factors(node)
    still = {key: factor for key, factor in powers.items() if scope.still(factor[0])}
    dropped = built_product(prover.graph, number, still)
    if scope.difference or not still or number <= 0 or prover.value_sign(dropped, scope) != 1:
        return node
    return built_product(prover.graph, Fraction(1), {key: factor for key, factor in powers.items() if key not in still})


def _renamed(prover: Prover, node: Node, scope: Scope) -> dict[str, Node]:
    """Names for the largest sub-trees that are still, or whose elasticity is 1 (they move like the parameter)."""
    cut: dict[str, Node] = {}
    above = parents(prover, node)

    def swap(part: Node) -> Node | None:
        if isinstance(part, Name | Number):
            return part
        names = prover.graph.names(part)
        if not names or not names <= scope.ranges.keys() or any(part is other for other in cut.values()):
            return None
        if any(above[id(inner)] > 1 for inner in prover.graph.walk(part) if inner is not part and not isinstance(inner, Name | Number)):
            return None
        if names <= prover.graph.names(prover.graph.replaced(node, {id(part): prover.graph.number(1)})):
            # One variable more, and none less.
            return None
        if scope.still(part) or _like_parameter(prover, part, scope):
            cut[f"_cut{len(cut)}"] = part
            return part
        return None

    prover.graph.rebuilt(node, swap)
    return cut


def _like_parameter(prover: Prover, part: Node, scope: Scope) -> bool:
    if scope.difference or not isinstance(part, Product | Quotient):
        return False
    state = prover.calculus(scope).state(part)
    low, high = state.elasticity
    return bool(ArbIntervals.at_least_zero(state.value)) and bool(low == 1) and bool(high == 1)


def apply(prover: Prover, node: Node, scope: Scope, cut: dict[str, Node]) -> tuple[Node, list[Fact], Scope]:
    """The node and the facts with the named sub-trees replaced, and the scope with the names."""
    by = {id(part): prover.graph.name(name) for name, part in cut.items()}
    outer, *sides = (
        prover.graph.rebuilt(one, lambda part: by.get(id(part))) for one in (node, *(side for fact in scope.facts for side in fact))
    )
    ranges = {name: prover.calculus(scope).state(part).value for name, part in cut.items()}
    moving = frozenset(name for name, part in cut.items() if not scope.still(part))
    return outer, list(zip(sides[::2], sides[1::2], strict=True)), scope.also(ranges, moving)

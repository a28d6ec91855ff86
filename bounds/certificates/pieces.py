"""Goals for the parts of a node: one for each part that moves, where the sign of everything else is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Scope
from bounds.certificates.facts import with_caps
from bounds.certificates.functions import is_product, jump, sides, sums
from bounds.certificates.loops import end_passes_all, least_scope, not_empty, one_mover, reduce_scope
from bounds.certificates.summands import summands
from bounds.expression.tree import Call, Least, Node, Number, Power, Product, Quotient, Reduce, Sum

if TYPE_CHECKING:
    from bounds.certificates.prover import Prover

Goal = tuple[Node, int, Scope]
_OF = ArbIntervals
_RISES = frozenset({"sqrt", "exp", "log", "erf", "ceil"})


def goals(prover: Prover, node: Node, sign: int, scope: Scope) -> list[Goal] | None:
    match node:
        case Sum():
            moving = [(part, share) for part, share in summands(node).values() if part is not None and not scope.still(part)]
            if len(moving) == 1 and moving[0][0] is node:
                return None
            return [(part, sign if share > 0 else -sign, scope) for part, share in moving]
        case Product(left, right):
            return _of_factors(prover, ((left, 1, right), (right, 1, left)), sign, scope)
        case Quotient(left, right):
            # Across a pole the value jumps.
            sure = scope.still(right) or prover.value_sign(right, scope)
            return _of_factors(prover, ((left, 1, right), (right, -1, left)), sign, scope) if sure else None
        case Power():
            return _of_power(prover, node, sign, scope)
        case Call():
            return _of_call(prover, node, sign, scope)
        case Least():
            return _of_least(prover, node, sign, scope)
        case Reduce():
            return _of_reduce(prover, node, sign, scope)
    return None


def _of_factors(prover: Prover, parts: Sequence[tuple[Node, int, Node]], sign: int, scope: Scope) -> list[Goal] | None:
    """(part, its sign, the rest whose sign it is multiplied with) for the parts that move."""
    goals = []
    for part, own, rest in parts:
        if not scope.still(part):
            other = prover.value_sign(rest, scope)
            if not other:
                return None
            goals.append((part, sign * own * other, scope))
    return goals


def _of_power(prover: Prover, node: Power, sign: int, scope: Scope) -> list[Goal] | None:
    base = prover.value_sign(node.base, scope)
    if isinstance(node.exponent, Number):
        value = node.exponent.value
        if value is None or not (base or (value > 0 and value % 2 == 1)) or (base < 0 and value.denominator != 1):
            return None
        even = value.denominator == 1 and value % 2 == 0
        return [(node.base, sign * (1 if value > 0 else -1) * (base if even else 1), scope)]
    if base != 1:
        return None
    goals = []
    if not scope.still(node.base):
        goals.append((node.base, sign * prover.value_sign(node.exponent, scope), scope))
    if not scope.still(node.exponent):
        above = prover.value_sign(prover.graph.minus(node.base, prover.graph.number(1)), scope)
        goals.append((node.exponent, sign * above, scope))
    return goals if all(wanted for _, wanted, _ in goals) else None


def _of_call(prover: Prover, node: Call, sign: int, scope: Scope) -> list[Goal] | None:
    function, arguments = node.function, node.arguments
    if function == "when":
        return _of_when(prover, node, sign, scope)
    rises = function in _RISES or function in ("min", "max")
    if function == "geometric" and not scope.difference:
        rises = prover.value_sign(arguments[0], scope) == 1 and sums(prover.calculus(scope), node)
    if rises:
        return [(argument, sign, scope) for argument in arguments if not scope.still(argument)]
    if function == "growth" and not scope.difference and is_product(prover.calculus(scope), node):
        signs = (sign, -sign, sign)
        return [(part, wanted, scope) for part, wanted in zip(arguments, signs, strict=True) if not scope.still(part)]
    return None


def _of_when(prover: Prover, node: Call, sign: int, scope: Scope) -> list[Goal] | None:
    if not scope.still(node.arguments[0]):
        step = jump(prover.calculus(scope), node)
        if not _OF.at_least_zero(step if sign > 0 else _OF.neg(step)):
            return None
    inside = zip(node.arguments[1:], sides(scope, node, _OF), strict=True)
    return [(argument, sign, side) for argument, side in inside if not scope.still(argument)]


def _of_least(prover: Prover, node: Least, sign: int, scope: Scope) -> list[Goal] | None:
    run = prover.calculus(scope)
    inner = least_scope(run, node)
    if not_empty(run, node):
        inner = with_caps(inner, [*scope.facts, (prover.graph.name(node.variable), node.high)], [node.body], _OF)
    goals = [(node.body, sign, inner)]
    if not scope.still(node.low):
        return None
    if scope.still(node.high):
        return goals
    if not end_passes_all(run, node):
        return None
    end = prover.graph.substituted(node.body, {node.variable: node.high})
    return [*goals, (end, sign, scope)] if sign > 0 else goals


def _of_reduce(prover: Prover, node: Reduce, sign: int, scope: Scope) -> list[Goal] | None:
    inner = reduce_scope(scope, node)
    entries_move = inner.moving != scope.moving
    return [(node.body, sign, inner)] if not entries_move or one_mover(inner, node.body) else None

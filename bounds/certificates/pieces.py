"""Goals for the parts of a node: one for each part that moves, where the sign of everything else is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Scope
from bounds.certificates.facts import with_caps
from bounds.certificates.functions import jump, sides
from bounds.certificates.graph import array_name
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
            return _of_factors(prover, ((left, 1, right), (right, -1, left)), sign, scope)
        case Power():
            return _of_power(prover, node, sign, scope)
        case Call(function, arguments):
            return _of_call(prover, function, arguments, sign, scope)
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
    if isinstance(node.exponent, Number):
        value = node.exponent.value
        if value is None:
            return None
        base = prover.value_sign(node.base, scope)
        even = value.denominator == 1 and value % 2 == 0
        grows = (1 if value > 0 else -1) * (base if even else 1)
        return [(node.base, sign * grows, scope)] if grows and (base > 0 or value.denominator == 1) else None
    if prover.value_sign(node.base, scope) != 1:
        return None
    goals = []
    if not scope.still(node.base):
        own = prover.value_sign(node.exponent, scope)
        goals.append((node.base, sign * own, scope))
    if not scope.still(node.exponent):
        above = prover.value_sign(prover.graph.minus(node.base, prover.graph.number(1)), scope)
        goals.append((node.exponent, sign * above, scope))
    return goals if all(wanted for _, wanted, _ in goals) else None


def _of_call(prover: Prover, function: str, arguments: tuple[Node, ...], sign: int, scope: Scope) -> list[Goal] | None:
    if function in _RISES or function in ("min", "max"):
        return [(argument, sign, scope) for argument in arguments if not scope.still(argument)]
    if function == "geometric" and prover.value_sign(arguments[0], scope) == 1 and not scope.difference:
        return [(argument, sign, scope) for argument in arguments if not scope.still(argument)]
    if function == "growth" and not scope.difference:
        signs = (sign, -sign, sign)
        return [(part, wanted, scope) for part, wanted in zip(arguments, signs, strict=True) if not scope.still(part)]
    return _of_when(prover, arguments, sign, scope) if function == "when" else None


def _of_when(prover: Prover, arguments: tuple[Node, ...], sign: int, scope: Scope) -> list[Goal] | None:
    node = prover.graph.make(Call, "when", arguments)
    assert isinstance(node, Call)
    if not scope.still(arguments[0]):
        step = jump(prover.calculus(scope), node)
        if not _OF.at_least_zero(step if sign > 0 else _OF.neg(step)):
            return None
    inside = zip(arguments[1:], sides(scope, node, _OF), strict=True)
    return [(argument, sign, side) for argument, side in inside if not scope.still(argument)]


def _of_least(prover: Prover, node: Least, sign: int, scope: Scope) -> list[Goal] | None:
    states = [prover.calculus(scope).state(end) for end in (node.low, node.high)]
    inner = replace(scope.also({node.variable: (states[0].value[0], states[1].value[1])}), ends={**scope.ends, node.variable: node.high})
    inner = with_caps(inner, [*scope.facts, (prover.graph.name(node.variable), node.high)], [node.body], _OF)
    goals = [(node.body, sign, inner)]
    if not scope.still(node.low):
        return None
    if scope.still(node.high):
        return goals
    if not _OF.at_least_zero(states[1].rate):
        return None
    end = prover.graph.substituted(node.body, {node.variable: node.high})
    return [*goals, (end, sign, scope)] if sign > 0 else goals


def _of_reduce(prover: Prover, node: Reduce, sign: int, scope: Scope) -> list[Goal]:
    pairs = list(zip(node.variables, node.arrays, strict=True))
    ranges = {variable: scope.entries[array_name(array)] for variable, array in pairs}
    moving = frozenset(variable for variable, array in pairs if prover.graph.names(array) & scope.moving)
    inner = replace(scope.also(ranges, moving), entries={**scope.entries, **ranges})
    return [(node.body, sign, inner)]

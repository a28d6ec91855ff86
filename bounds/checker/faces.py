"""The leaf "c" of a halving: a rate that has its sign on one box, by faces and a mean value form.

The elasticity and the rate are written out as trees anew. The box is taken without the assumptions, since the way from one of
its points to a face or to the centre may leave what is admissible, and the tree g must be smooth all over it. Where x dg/dx
keeps its sign, g is least at one end of x. In the logarithms u of all other variables g(u) = g(c) + sum of (x dg/dx)(somewhere
in the box) * (u - c).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from bounds.checker.motion import state
from bounds.checker.positive import elasticity
from bounds.checker.ranges import ZERO, Range
from bounds.checker.scope import Scope, UnconfirmedError
from bounds.checker.trees import value_of
from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Sum

_SMOOTH = frozenset({"sqrt", "exp", "log", "erf", "pi", "min", "max", "geometric"})


def check_faces(node: Node, sign: int, scope: Scope) -> None:
    """Confirm that sign * F >= 0 on the scope, whose ranges are those of one box.

    Raises:
        UnconfirmedError: saying what is not sure.
    """
    if scope.steps:
        raise UnconfirmedError("faces: between whole numbers there are no slopes")
    plain = replace(scope, facts=(), known_gaps=(), moving=frozenset())
    if not _all_smooth(plain, node):
        raise UnconfirmedError("faces: the node is not smooth all over the box")
    # E has the sign of F where the node is not negative, and often less to cancel.
    with suppress(UnconfirmedError):
        if scope.value(node).positive and _confirmed(elasticity(scope, node), sign, plain):
            return
    if not _confirmed(slope(scope, node), sign, plain):
        raise UnconfirmedError("faces: neither a face nor the centred form shows the sign of the rate")


def slope(scope: Scope, node: Node) -> Node:
    """F as a tree.

    Raises:
        UnconfirmedError: where no slope is known for a part of the node.
    """
    make, number = scope.trees.make, scope.trees.number
    if scope.still(node):
        return number(0)
    match node:
        case Name():
            return node
        case Sum(left, right):
            return make(Sum, slope(scope, left), slope(scope, right))
        case Product(left, right):
            return make(Sum, make(Product, slope(scope, left), right), make(Product, left, slope(scope, right)))
        case Quotient(left, right):
            return make(Quotient, scope.trees.minus(slope(scope, left), make(Product, node, slope(scope, right))), right)
        case Power(base, exponent) if scope.still(exponent):
            less = make(Power, base, make(Sum, exponent, number(-1)))
            return make(Product, make(Product, exponent, less), slope(scope, base))
        case Call("exp", (part,)):
            return make(Product, node, slope(scope, part))
        case Call("log", (part,)):
            return make(Quotient, slope(scope, part), part)
        case Call("sqrt", (part,)):
            return make(Quotient, slope(scope, part), make(Product, number(2), node))
    return make(Product, node, elasticity(scope, node))


def _confirmed(goal: Node, sign: int, plain: Scope) -> bool:
    """Whether sign * goal >= 0 all over the box."""
    trees = plain.trees
    if not _all_smooth(plain, goal):
        return False
    goal = goal if sign > 0 else trees.make(Product, trees.number(-1), goal)
    ends, spread = dict(plain.ranges), ZERO
    for name in sorted(trees.names(goal)):
        rate = state(replace(plain, moving=frozenset((name,))), goal).rate
        own = plain.ranges[name]
        if rate.sign:
            ends[name] = Range(own.low, own.low) if rate.positive else Range(own.high, own.high)
        else:
            spread = spread + rate * (own.log() - _centre(own).log())
    return _at(plain, goal, ends).positive or (_at(plain, goal, _centred(ends)) + spread).positive


def _all_smooth(plain: Scope, node: Node) -> bool:
    return plain.knows(node) and all(_smooth(plain, part) for part in plain.trees.walk(node))


def _smooth(plain: Scope, part: Node) -> bool:
    """Whether a part is continuous in its own parts, with bounded slopes, all over the box."""
    match part:
        case Number(value):
            return value is not None
        case Name(name):
            return name in plain.ranges and plain.ranges[name].positive
        case Sum() | Product():
            return True
        case Quotient(_, under):
            return plain.value(under).strict
        case Power(base, exponent):
            count = value_of(exponent)
            if count is not None and count.denominator == 1:
                return count >= 0 or plain.value(base).strict
            return bool(plain.value(base).low > 0)
        case Call("sqrt" | "log" | "geometric", (argument, *_)):
            return bool(plain.value(argument).low > 0)
        case Call(function, _):
            return function in _SMOOTH
    return False


def _centre(own: Range) -> Range:
    """A point of a range in the middle of its logarithm, its low end where there is none."""
    if own.low > 0 and own.high.is_finite():
        point = (own.low * own.high).sqrt().mid()
        if own.low <= point <= own.high:
            return Range(point, point)
    return Range(own.low, own.low)


def _centred(ends: Mapping[str, Range]) -> dict[str, Range]:
    return {name: _centre(own) for name, own in ends.items()}


def _at(plain: Scope, goal: Node, ends: Mapping[str, Range]) -> Range:
    return replace(plain, ranges=ends).value(goal)

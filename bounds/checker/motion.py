"""How a node moves with the parameter p: ranges of its value V, of its rate F = p dV/dp and of its elasticity E = F/V.

In whole steps F is V(p+1) - V(p), V covers both points, and only signs are read off E (nothing is kept in it). Whatever
moves must be continuous where it has a value (denominators of one sign, roots and logarithms of what is not negative);
where that is not sure the step is not confirmed. Jumps (ceil, when) move V the way that F says.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from bounds.checker.ranges import ALL, NEGATIVE, ONE, POSITIVE, ZERO, Range, number
from bounds.checker.scope import Scope, UnconfirmedError
from bounds.checker.trees import Parts, counts, value_of
from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum


class State(NamedTuple):
    """V, F and E."""

    value: Range
    rate: Range
    elasticity: Range


def state(scope: Scope, node: Node) -> State:
    """The node's state; equal parts are looked at once."""
    found = scope.states.get(id(node))
    if found is None:
        fresh = RULES[type(node)](scope, node)
        found = scope.states[id(node)] = _settled(scope, node, fresh)
    return found


def _settled(scope: Scope, node: Node, fresh: State) -> State:
    value = fresh.value.meet(scope.cap(node))
    if scope.still(node):
        return State(value, ZERO, ZERO)
    if scope.steps:
        return State(value, fresh.rate, ALL)
    rate = fresh.rate.meet(value * fresh.elasticity)
    elasticity = fresh.elasticity.meet(rate / value) if value.strict else fresh.elasticity
    if value.sign and rate.sign:
        elasticity = elasticity.meet(POSITIVE if value.sign * rate.sign > 0 else NEGATIVE)
    return State(value, rate, elasticity)


def signed(value: Range, rate: Range) -> State:
    """A state of which only the way it moves is known."""
    return State(value, ZERO if rate == ZERO else POSITIVE if rate.positive else NEGATIVE if rate.negative else ALL, ALL)


def require(scope: Scope, node: Node, holds: bool, what: str) -> None:
    """Not confirmed unless ``holds``, where the node moves."""
    if scope.strict and not holds and not scope.still(node):
        raise UnconfirmedError(what)


def _name(scope: Scope, node: Name) -> State:
    value = scope.ranges.get(node.name)
    if value is None:
        raise UnconfirmedError(f"{node.name} has no range here")
    return State(value, ONE if scope.steps else value, ONE)


def _sum(scope: Scope, node: Sum) -> State:
    a, b = state(scope, node.left), state(scope, node.right)
    alike = a.value.sign * b.value.sign > 0 or ZERO in (a.value, b.value)
    best = State(a.value + b.value, a.rate + b.rate, a.elasticity.hull(b.elasticity) if alike else ALL)
    for identity in (_apart, _telescoped, _product_less_one, _share):
        other = None if scope.steps and identity is not _share else identity(scope, node)
        if other is not None:
            best = State(*(x.meet(y) for x, y in zip(best, other, strict=True)))
    return best


def _apart(scope: Scope, node: Sum) -> State | None:
    """C + M, where C is still: E is that of M over 1 + C/M."""
    trees = scope.trees
    terms: Parts = {}
    for part, share in trees.terms(node).values():
        for piece in _opened(scope, part):
            for key, (inner, weight) in trees.terms(piece).items() if piece is not None else [(None, (None, Fraction(1)))]:
                terms[key] = (inner, share * weight + terms.get(key, (None, Fraction(0)))[1])
    quiet = {key: term for key, term in terms.items() if term[1] and (term[0] is None or scope.still(term[0]))}
    loud = {key: term for key, term in terms.items() if term[1] and key not in quiet}
    if not loud:
        return None
    moving = trees.summed(loud)
    if moving is node or (isinstance(moving, Sum) and not quiet):
        return None
    c, m = scope.value(trees.summed(quiet)), state(scope, moving)
    elasticity = m.elasticity / (ONE + c / m.value) if m.value.strict else ALL
    alike = m.value.sign * c.sign > 0 or c == ZERO
    return State(c + m.value, m.rate, elasticity.meet(ZERO.hull(m.elasticity) if alike else ALL))


def _opened(scope: Scope, node: Node | None) -> list[Node | None]:
    match node:
        case Product(factor, Sum(left, right)) | Product(Sum(left, right), factor) if scope.still(factor):
            return [scope.trees.make(Product, factor, side) for side in (left, right)]
    return [node]


def _one_less(node: Node) -> Node | None:
    """x of 1 - x."""
    match node:
        case Sum(Number(one), Product(Number(minus), x)) if one == 1 and minus == -1:
            return x
    return None


def _telescoped(scope: Scope, node: Sum) -> State | None:
    """1 - (1 - x)^k = x geometric(1 - x, k)."""
    power = _one_less(node)
    x = _one_less(power.base) if isinstance(power, Power) and value_of(power.exponent) is None else None
    if x is None or not isinstance(power, Power):
        return None
    make = scope.trees.make
    return state(scope, make(Product, x, make(Call, "geometric", (power.base, power.exponent))))


def _product_less_one(scope: Scope, node: Sum) -> State | None:
    """growth(q, s, S) - 1 is a polynomial in q without constant term and with coefficients >= 0 where S - s is whole."""
    match node:
        case Sum(Call("growth", (rate, start, stop)), Number(value)) if value == -1:
            apart = scope.trees.gap(stop, start)
            fine = all(scope.value(part).positive for part in (rate, start, apart))
            if fine and scope.still(start) and scope.still(stop) and whole(scope, apart):
                return State(POSITIVE, ALL, Range(ONE.low, POSITIVE.high) * state(scope, rate).elasticity)
    return None


def _share(scope: Scope, node: Sum) -> State | None:
    """x/A - y/B >= 0 where x >= y >= 0 and 0 <= A <= B."""
    match node:
        case Sum(Quotient(x, a), Product(Number(value), Quotient(y, b))) if value == -1:
            signs = (scope.trees.gap(b, a), scope.trees.gap(x, y), y, a)
            return State(POSITIVE, ALL, ALL) if all(scope.value(part).positive for part in signs) else None
    return None


def whole(scope: Scope, node: Node) -> bool:
    """Whether a node is surely a whole number (of any sign); places of least values are."""
    places = scope.trees.memo["places"]

    def one(part: Node | None) -> bool:
        return part is None or counts(part) or (isinstance(part, Name) and part.name in places and part.name not in scope.members)

    return all(share.denominator == 1 and one(part) for part, share in scope.trees.terms(node).values())


def _product(scope: Scope, node: Product) -> State:
    a, b = state(scope, node.left), state(scope, node.right)
    value = a.value.whole_power(2) if node.left is node.right else a.value * b.value
    return State(value, a.rate * b.value + a.value * b.rate, a.elasticity + b.elasticity)


def _quotient(scope: Scope, node: Quotient) -> State:
    a, b = state(scope, node.left), state(scope, node.right)
    require(scope, node.right, b.value.sign != 0, f"a denominator may change its sign: {b.value.low.str(5)} to {b.value.high.str(5)}")
    require(scope, node, b.value.strict or a.value.sign != 0, "numerator and denominator may both be 0, and the numerator of either sign")
    value = a.value / b.value
    return State(value, (a.rate - value * b.rate) / b.value, a.elasticity - b.elasticity)


def _power(scope: Scope, node: Power) -> State:
    base, count = state(scope, node.base), value_of(node.exponent)
    if count is not None and count.denominator == 1:
        return _whole_power(scope, node, base, int(count))
    exponent = state(scope, node.exponent)
    log = base.value.log()
    if base.value.positive:
        value = base.value.power(exponent.value)
        if base.value.low == 0 and not exponent.value.positive:
            require(scope, node, False, "a power of what may be 0 has an exponent that may be negative")
            value = POSITIVE
        if scope.steps:
            moves = value * (log * exponent.rate) if base.rate == ZERO else ALL
            return State(value, moves, ALL)
        elasticity = exponent.value * base.elasticity + exponent.rate * log
        return State(value, value * elasticity, elasticity)
    require(scope, node, scope.steps and scope.still(node.base) and whole(scope, node.exponent), "a power of what may be negative")
    if not counts(node.exponent):
        return State(ALL, ALL, ALL)
    reach = base.value.hull(-base.value).meet(POSITIVE).power(exponent.value)
    value = Range(-reach.high, reach.high)
    # b^(k+d) - b^k is the sum of the d values b^j (b - 1), k <= j < k+d.
    return State(value, value * (exponent.rate * (base.value - ONE)) if scope.steps and base.rate == ZERO else ALL, ALL)


def _whole_power(scope: Scope, node: Power, base: State, count: int) -> State:
    size = abs(count)
    value, times = base.value.whole_power(size), number(size)
    rate, elasticity = times * base.value.whole_power(max(size - 1, 0)) * base.rate, times * base.elasticity
    if count >= 0:
        return State(value, rate, elasticity)
    require(scope, node, base.value.sign != 0, "a denominator may change its sign")
    inverse = ONE / value
    return State(inverse, -(inverse.whole_power(2) * rate), -elasticity)


def _call(scope: Scope, node: Call) -> State:
    from bounds.checker.functions import FUNCTIONS

    return FUNCTIONS[node.function](scope, node)


def placed(scope: Scope, node: Least) -> Scope:
    """The scope inside a least value, where low <= place <= high."""
    low, high = scope.value(node.low), scope.value(node.high)
    if node.variable in scope.ranges or not (whole(scope, node.low) and whole(scope, node.high) and low.positive):
        raise UnconfirmedError(f"the ends of the least value over {node.variable} are not surely whole and >= 0, or its name is taken")
    scope.trees.memo["places"] = scope.trees.memo["places"] | {node.variable}
    place = scope.trees.name(node.variable)
    inner = Scope(scope.trees, {**scope.ranges, node.variable: Range(low.low, high.high)}, scope.entries, scope.moving, scope.facts,
                  scope.members, scope.steps, scope.strict)  # fmt: skip
    return inner.under((node.low, place), (place, node.high))


def _least(scope: Scope, node: Least) -> State:
    """The least of functions that all move one way moves that way. New places at a moving end have at least the old end's value
    where the body also rises along that end.
    """
    body = state(placed(scope, node), node.body)
    if scope.still(node.low) and scope.still(node.high):
        return body
    if scope.steps or not scope.still(node.low) or not state(scope, node.high).rate.positive:
        return State(body.value, ALL, ALL)
    if body.rate.negative:
        return State(body.value, NEGATIVE, ALL)
    end = state(scope, scope.trees.put(node.body, {node.variable: node.high}))
    return State(body.value, POSITIVE if body.rate.positive and end.rate.positive else ALL, ALL)


def _reduce(scope: Scope, node: Reduce) -> State:
    inner = scope.running(node.variables, node.arrays)
    body = state(inner, node.body)
    moves = inner.moving != scope.moving
    if node.function != "total":
        return signed(body.value, body.rate) if moves else body
    # A tail may have no entry at all, any other array has one at least, and there is no most.
    none = any(isinstance(array, Call) for array in node.arrays)
    edge = body.value.hull(ZERO) if none else body.value
    value = Range(edge.low if body.value.positive else ALL.low, edge.high if body.value.negative else ALL.high)
    elasticity = body.elasticity if body.value.sign and not moves and not scope.steps else ALL
    return State(value, signed(value, body.rate).rate, elasticity)


RULES: dict[type[Node], Callable[[Scope, Any], State]] = {
    Number: lambda _, node: State(number(node.value), ZERO, ZERO),
    Name: _name,
    Sum: _sum,
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
    Least: _least,
    Reduce: _reduce,
}

"""The rule "symbolic": an elasticity as a polynomial over what is positive, shown to be >= 0 by substitutions (sympy expands).

The elasticity is written out anew here. An atom x of the polynomial (a name, a logarithm, ...) that lies between a and b is
written (a + b y)/(1 + y) with y >= 0, one that is at least a as a + y; a fact gap = k x + rest >= 0 with a number k > 0 takes x
away as (y - rest)/k. A polynomial without negative coefficients in such y is >= 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from bounds.checker.motion import whole
from bounds.checker.ranges import Range
from bounds.checker.scope import Scope, UnconfirmedError
from bounds.checker.trees import value_of
from bounds.expression import parse
from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Sum

_MOST_TERMS = 600
#: Numerator and denominator; the denominator is >= 0.
Fractions = tuple[Any, Any]


def elasticity(scope: Scope, node: Node) -> Node:
    """E as a tree (``node`` is positive, and so is whatever a logarithm is taken of)."""
    make, number = scope.trees.make, scope.trees.number

    def inner(part: Node) -> Node:
        return elasticity(scope, part)

    if scope.still(node):
        return number(0)
    match node:
        case Name():
            return number(1)
        case Sum(left, right):
            return make(Quotient, make(Sum, make(Product, left, inner(left)), make(Product, right, inner(right))), node)
        case Product(left, right):
            return make(Sum, inner(left), inner(right))
        case Quotient(left, right):
            return scope.trees.minus(inner(left), inner(right))
        case Power(base, exponent):
            moves = (
                make(Product, make(Product, exponent, inner(exponent)), logarithm(scope, base)) if not scope.still(exponent) else number(0)
            )
            return make(Sum, make(Product, exponent, inner(base)), moves)
        case Call("sqrt", (part,)):
            return make(Product, number(Fraction(1, 2)), inner(part))
        case Call("exp", (part,)):
            return make(Product, part, inner(part))
        case Call("geometric", (ratio, count)) if scope.still(count):
            # (r G - T r^T)/((1 - r) G), where r^T = 1 - (1 - r) G.
            fade = make(Product, scope.trees.minus(number(1), ratio), node)
            last = make(Product, count, scope.trees.minus(number(1), fade))
            return make(Product, make(Quotient, scope.trees.minus(make(Product, ratio, node), last), fade), inner(ratio))
    raise UnconfirmedError("symbolic: no elasticity is known for a part of the node")


def logarithm(scope: Scope, node: Node) -> Node:
    """The logarithm over the factors of a product; every factor must be positive."""
    make = scope.trees.make
    match node:
        case Product(left, right):
            return make(Sum, logarithm(scope, left), logarithm(scope, right))
        case Quotient(left, right):
            return scope.trees.minus(logarithm(scope, left), logarithm(scope, right))
        case Power(base, exponent):
            return make(Product, exponent, logarithm(scope, base))
        case Number(value) if value == 1:
            return scope.trees.number(0)
    if not scope.value(node).low > 0:
        raise UnconfirmedError("symbolic: a logarithm of what is not surely positive")
    return make(Call, "log", (node,))


class Algebra:
    """Fractions of polynomials in atoms with a symbol each."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.symbols: dict[int, Any] = {}
        self.nodes: dict[Any, Node] = {}

    def of(self, node: Node) -> Fractions:
        """The node as a fraction."""
        match node:
            case Number(value) if value is not None:
                return sympy.Rational(value.numerator, value.denominator), sympy.Integer(1)
            case Sum(left, right):
                (a, b), (c, d) = self.of(left), self.of(right)
                return (a + c, b) if b == d else (a * d + c * b, b * d)
            case Product(left, right):
                (a, b), (c, d) = self.of(left), self.of(right)
                return a * c, b * d
            case Quotient(left, right):
                return self._over(self.of(left), right)
            case Power(base, exponent) if (count := value_of(exponent)) is not None and count.denominator == 1:
                result: Fractions = (sympy.Integer(1), sympy.Integer(1))
                for _ in range(abs(int(count))):
                    (a, b), (c, d) = result, self.of(base)
                    result = (a * c, b * d) if count > 0 else self._over(result, base)
                return result
        if id(node) not in self.symbols:
            self.symbols[id(node)] = sympy.Symbol(f"x{len(self.symbols)}")
            self.nodes[self.symbols[id(node)]] = node
        return self.symbols[id(node)], sympy.Integer(1)

    def _over(self, left: Fractions, under: Node) -> Fractions:
        sign = self.scope.value(under).sign
        if not sign:
            raise UnconfirmedError("symbolic: a denominator has no sure sign")
        a, b = self.of(under)
        return left[0] * b * sign, left[1] * a * sign

    def gap(self, left: Node, right: Node) -> Any:
        """The numerator of right - left."""
        return sympy.expand(self.of(self.scope.trees.minus(right, left))[0])


def check_symbolic(scope: Scope, node: Node, sign: int, written: list[Any]) -> None:
    """Confirm that sign * E >= 0 with the facts that the proof names.

    Raises:
        UnconfirmedError: where a fact is not one of the scope's, or the sign is not shown.
    """
    if scope.steps or not scope.value(node).positive:
        raise UnconfirmedError("symbolic: the node is not surely >= 0")
    algebra = Algebra(scope)
    goal = sympy.expand(sign * algebra.of(elasticity(scope, node))[0])
    known = list(_known(scope, algebra, node))
    gaps = [algebra.gap(*(_read(scope, side) for side in pair)) for pair in written]
    for pair, gap in zip(written, gaps, strict=True):
        if not any(_multiple(gap, other) for other in known):
            raise UnconfirmedError(f"symbolic: {pair[0]} <= {pair[1]} does not follow from one assumption")
    if not any(_shown(algebra, goal, list(order)) for order in itertools.permutations(gaps)):
        raise UnconfirmedError("symbolic: a coefficient stays negative")


def _known(scope: Scope, algebra: Algebra, node: Node) -> Iterator[Any]:
    """Gaps of the assumptions in logarithms, and geometric(r, T) <= T for 0 <= r <= 1 and whole T."""
    for left, right in scope.facts:
        if scope.knows(left) and scope.knows(right):
            try:
                yield algebra.gap(logarithm(scope, left), logarithm(scope, right))
            except UnconfirmedError:
                continue
    for part in scope.trees.walk(node):
        if isinstance(part, Call) and part.function == "geometric":
            ratio, count = scope.value(part.arguments[0]), part.arguments[1]
            if ratio.positive and ratio.high <= 1 and (whole(scope, count) or scope.value(count).low >= 1):
                yield algebra.gap(part, count)


def _read(scope: Scope, written: Any) -> Node:
    if not isinstance(written, str):
        raise UnconfirmedError("symbolic: a fact is not written as text")
    return scope.trees.taken(parse(written, dict.fromkeys(scope.ranges)))


def _multiple(gap: Any, other: Any) -> bool:
    """Whether gap is a positive number times the other."""
    ratio = sympy.cancel(gap / other) if other != 0 else None
    return ratio is not None and ratio.is_number and bool(ratio > 0)


def _shown(algebra: Algebra, goal: Any, gaps: list[Any]) -> bool:
    free: set[Any] = set()
    while gaps:
        gap = gaps.pop(0)
        taken = next((x for x in sorted(gap.free_symbols & goal.free_symbols, key=str) if _slope(gap, x) is not None), None)
        if taken is None:
            continue
        slack = sympy.Dummy("y")
        by = (slack - (gap - _slope(gap, taken) * taken)) / _slope(gap, taken)
        goal, gaps = sympy.expand(goal.subs(taken, by)), [sympy.expand(other.subs(taken, by)) for other in gaps]
        free.add(slack)
    return _without_negatives(algebra, goal, free)


def _slope(gap: Any, x: Any) -> Any:
    slope = sympy.diff(gap, x)
    return slope if slope.is_number and slope > 0 else None


def _without_negatives(algebra: Algebra, goal: Any, free: set[Any]) -> bool:
    goal, products = _paired(algebra, goal, free)
    for x in sorted(goal.free_symbols - free, key=str):
        ends = products.get(x) or algebra.scope.value(algebra.nodes[x])
        low, high = (_exact(end) for end in ends)
        poly = sympy.Poly(goal, x)
        if low is None and high is None:
            return False
        if low is not None and high is not None:
            over, under = low + high * x, 1 + x
        else:
            over, under = (low + x if low is not None else high - x), sympy.Integer(1)
        goal = sympy.expand(sum(c * over**k * under ** (poly.degree() - k) for (k,), c in poly.terms()))
        if len(goal.args) > _MOST_TERMS:
            return False
    poly = sympy.Poly(goal, *goal.free_symbols) if goal.free_symbols else None
    return all(c >= 0 for c in poly.coeffs()) if poly is not None else bool(goal >= 0)


def _paired(algebra: Algebra, goal: Any, free: set[Any]) -> tuple[Any, dict[Any, Range]]:
    """Two atoms >= 0 that occur in one product only become one atom with the range of that product."""
    ranges: dict[Any, Range] = {}
    names = [x for x in sorted(goal.free_symbols - free, key=str) if algebra.scope.value(algebra.nodes[x]).positive]
    for x, y in itertools.combinations(names, 2):
        if {x, y} <= goal.free_symbols and x not in ranges and y not in ranges:
            poly = sympy.Poly(goal, x, y)
            if all(a == b for a, b in poly.monoms()):
                ranges[x] = algebra.scope.value(algebra.scope.trees.make(Product, algebra.nodes[x], algebra.nodes[y]))
                ranges[x] = Range(ranges[x].low * (ranges[x].low > 0), ranges[x].high)
                goal = goal.subs(y, 1)
    return goal, ranges


def _exact(end: Any) -> Any:
    if not end.is_finite():
        return None
    mantissa, exponent = end.mid().man_exp()
    return sympy.Rational(int(mantissa)) * sympy.Rational(2) ** int(exponent)


def numerator(scope: Scope, node: Node) -> Node:
    """The node times its positive denominator, as a sum of monomials in order of their degrees in the atoms as met."""
    algebra, make = Algebra(scope), scope.trees.make
    expanded = sympy.expand(algebra.of(node)[0])
    atoms = list(algebra.nodes)
    result = scope.trees.number(0)
    for powers, share in sympy.Poly(expanded, *atoms).terms():
        term = scope.trees.number(Fraction(int(share.p), int(share.q)))
        for atom, power in zip(atoms, powers, strict=True):
            if power:
                term = make(Product, term, make(Power, algebra.nodes[atom], scope.trees.number(power)))
        result = make(Sum, result, term)
    return result

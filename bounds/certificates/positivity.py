"""Polynomials that cannot be negative, shown so by substitutions after which no coefficient is.

A node is brought to a polynomial over a positive denominator in atoms (names and whatever is no polynomial). An atom
between a and b is written (a + b y)/(1 + y) with y >= 0, one that is at least a as a + y; a fact ``left <= right`` in
which an atom stands alone removes that atom. If every coefficient is then nonnegative, so is the polynomial.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from bounds.certificates.graph import Graph
from bounds.expression.tree import Node, Number, Power, Product, Quotient, Sum

_MOST_ATOMS = 10
_MOST_TERMS = 300
_MOST_DEGREE = 8
Range = tuple[Fraction | None, Fraction | None]
RangeOf = Callable[[Node], Range]


class NotPolynomialError(Exception):
    """The node is no fraction of polynomials of a sensible size, or its denominator has no known sign."""


@dataclass
class Polynomials:
    """Polynomials over a fixed list of atoms, with one spare atom for each."""

    graph: Graph
    atoms: list[Node]
    sign: Callable[[Node], int]

    def __post_init__(self) -> None:
        count = len(self.atoms)
        if count > _MOST_ATOMS:
            raise NotPolynomialError
        self.context = fmpq_mpoly_ctx.get([f"x{place}" for place in range(count)], Ordering.lex)
        self.places = {id(atom): place for place, atom in enumerate(self.atoms)}

    def constant(self, value: Fraction | int) -> Any:
        """A constant polynomial."""
        value = Fraction(value)
        return self.context.constant(fmpq(value.numerator, value.denominator))

    def of(self, node: Node) -> tuple[Any, Any]:
        """(numerator, denominator) with a positive denominator."""
        match node:
            case Number(value) if value is not None:
                return self.constant(value), self.constant(1)
            case Sum(left, right):
                (a, b), (c, d) = self.of(left), self.of(right)
                return (self._small(a + c), b) if b == d else (self._small(a * d + c * b), b * d)
            case Product(left, right):
                (a, b), (c, d) = self.of(left), self.of(right)
                return self._small(a * c), b * d
            case Quotient(left, right):
                (a, b), (c, d) = self.of(left), self.of(right)
                sign = self.sign(right)
                if not sign:
                    raise NotPolynomialError
                return self._small(a * d * sign), self._small(b * c * sign)
            case Power(base, Number(value)) if value is not None and value.denominator == 1 and abs(value) <= _MOST_DEGREE:
                return self._power(base, int(value))
        if id(node) not in self.places:
            raise NotPolynomialError
        return self.context.gens()[self.places[id(node)]], self.constant(1)

    def _power(self, base: Node, count: int) -> tuple[Any, Any]:
        a, b = self.of(base)
        if count >= 0:
            return self._small(a**count), b**count
        sign = self.sign(base)
        if not sign:
            raise NotPolynomialError
        return b**-count * sign**-count, self._small((a * sign) ** -count)

    def _small(self, polynomial: Any) -> Any:
        if len(polynomial) > _MOST_TERMS:
            raise NotPolynomialError
        return polynomial


def atoms_of(nodes: Sequence[Node]) -> list[Node]:
    """What the nodes are polynomials in, each once."""
    found: dict[int, Node] = {}
    pending = list(nodes)
    while pending:
        node = pending.pop()
        match node:
            case Number(value) if value is not None:
                continue
            case Sum(left, right) | Product(left, right) | Quotient(left, right):
                pending += [left, right]
            case Power(base, Number(value)) if value is not None and value.denominator == 1:
                pending.append(base)
            case _:
                found[id(node)] = node
    return list(found.values())


def nonnegative(
    graph: Graph,
    node: Node,
    facts: Sequence[tuple[Node, Node]],
    range_of: RangeOf,
) -> list[tuple[Node, Node]] | None:
    """The facts ``left <= right`` that make the node surely nonnegative with the ranges of its atoms; None when none do.

    ``range_of`` gives the range of an atom, and of a denominator (only its sign is asked for).
    """

    def sign(part: Node) -> int:
        low, high = range_of(part)
        return 1 if low is not None and low >= 0 else -1 if high is not None and high <= 0 else 0

    try:
        ring = Polynomials(graph, atoms_of([node, *itertools.chain.from_iterable(facts)]), sign)
        goal = ring.of(node)[0]
        gaps = [(fact, ring.of(graph.minus(fact[1], fact[0]))[0]) for fact in facts]
    except (NotPolynomialError, ZeroDivisionError):
        return None
    ranges = [range_of(atom) for atom in ring.atoms]
    for chosen in ([], gaps, *([gap] for gap in gaps)):
        if _shown(ring, goal, [gap for _, gap in chosen], ranges, range_of):
            return [fact for fact, _ in chosen]
    return None


def _shown(ring: Polynomials, goal: Any, gaps: list[Any], ranges: Sequence[Range], range_of: RangeOf) -> bool:
    limits, slacks = dict(enumerate(ranges)), set()
    for place, gap in enumerate(gaps):
        removed = _removed(ring, gap, goal)
        if removed is None:
            continue
        atom, value = removed
        goal, gaps[place + 1 :] = _put(ring, goal, atom, value), [_put(ring, one, atom, value) for one in gaps[place + 1 :]]
        limits[atom] = (Fraction(0), None)
        slacks.add(atom)
    goal, limits = _merged(ring, goal, limits, slacks, range_of)
    for place, (low, high) in limits.items():
        if goal.degrees()[place]:
            goal = _moved(ring, goal, place, low, high)
            if goal is None or len(goal) > _MOST_TERMS:
                return False
    return all(value >= 0 for value in goal.coeffs())


def _removed(ring: Polynomials, gap: Any, goal: Any) -> tuple[int, Any] | None:
    """An atom x with gap = a x + rest, a > 0 a number, and x's value (s - rest)/a, where x itself now stands for s."""
    for place, degree in enumerate(gap.degrees()):
        if degree == 1 and goal.degrees()[place]:
            x = ring.context.gens()[place]
            slope = gap.derivative(place)
            if slope.is_constant() and slope.coeffs()[0] > 0:
                return place, (x - (gap - slope * x)) / slope.coeffs()[0]
    return None


def _put(ring: Polynomials, polynomial: Any, place: int, value: Any) -> Any:
    gens = list(ring.context.gens())
    gens[place] = value
    return polynomial.compose(*gens, ctx=ring.context)


def _merged(ring: Polynomials, goal: Any, limits: dict[int, Range], slacks: set[int], range_of: RangeOf) -> tuple[Any, dict[int, Range]]:
    """Two nonnegative atoms that occur in one product only become one atom."""
    monomials = goal.monoms()
    free = [place for place, (low, _) in limits.items() if place not in slacks and low is not None and low >= 0 and goal.degrees()[place]]
    whole = dict(enumerate(ring.atoms))
    for first, second in itertools.combinations(free, 2):
        if all(powers[first] == powers[second] for powers in monomials) and goal.degrees()[second]:
            whole[first] = ring.graph.make(Product, whole[first], whole[second])
            product = range_of(whole[first])
            goal = _put(ring, goal, second, ring.constant(1))
            monomials = goal.monoms()
            limits = {**limits, first: (max(product[0] or Fraction(0), Fraction(0)), product[1])}
    return goal, limits


def _moved(ring: Polynomials, goal: Any, place: int, low: Fraction | None, high: Fraction | None) -> Any:
    """A positive multiple of the goal in the atom's own coordinate y >= 0; None where the atom has no end."""
    y = ring.context.gens()[place]
    if low is None and high is None:
        return None
    if low is None or high is None:
        return _put(ring, goal, place, y + ring.constant(low) if low is not None else ring.constant(high or 0) - y)
    degree = goal.degrees()[place]
    if degree > _MOST_DEGREE:
        return None
    over, under = ring.constant(low) + y * ring.constant(high), y + ring.constant(1)
    result = ring.constant(0)
    for power in range(degree + 1):
        part = _coefficient(ring, goal, place, power)
        result = result + part * over**power * under ** (degree - power)
    return result


def _coefficient(ring: Polynomials, goal: Any, place: int, power: int) -> Any:
    terms = {
        tuple(0 if i == place else e for i, e in enumerate(powers)): value
        for powers, value in zip(goal.monoms(), goal.coeffs(), strict=True)
        if powers[place] == power
    }
    return ring.context.from_dict(terms)


def finite(value: float) -> Fraction | None:
    """A float as a fraction, None where it is infinite."""
    return None if math.isinf(value) else Fraction(value)
